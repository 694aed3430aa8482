/*
 * Accepting: who comes in line at a listening socket is taken in by a few in each turn of the loop,
 * counted by its address, and begins as a connection; or is refused, before anything is made for
 * it, because there are too many, or too many of that address, or it has misbehaved.
 *
 * Without descriptors or memory nobody is taken in for a moment, and those in line wait.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_CONN_ACCEPT_H
#define VG_RPC_NET_CONN_ACCEPT_H

#include "core/base/compiler.h"

struct vg_worker_listener;

/* Connections that are accepted at once of a listening socket. */
#define VG_CONN_ACCEPTS 16u
/* Pause after an accept that has failed. */
#define VG_CONN_ACCEPT_PAUSE_NS UINT64_C(100000000)

/* Take in whoever comes from now on: listener->worker and ->handle are set. 0, or an error of
 * libuv, after which nothing is open. */
VG_MUST_USE int vg_conn_accept_open(struct vg_worker_listener *listener);

/* Take in all who are in line, then close the socket. Accepts one that is not open. */
void vg_conn_accept_close(struct vg_worker_listener *listener);

#endif
