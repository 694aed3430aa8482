/*
 * TLS between the socket and the protocol of a connection: the handshake with its end (which
 * protocol, who the peer is), and both directions afterwards. A connection of the plain port has
 * none of this: conn->tls is NULL.
 *
 * What is to be sent by TLS itself lies in conn->queued, in records, until the next flush.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_CONN_TLS_H
#define VG_RPC_NET_CONN_TLS_H

#include "rpc/net/conn.h"

/* Failed handshakes of one worker that get a line in the log within a second. */
#define VG_CONN_TLS_LINES_PER_SECOND 10u

/* A new connection of the TLS port. False = no memory. */
VG_MUST_USE bool vg_conn_tls_open(struct vg_conn *conn);
void vg_conn_tls_dispose(struct vg_conn *conn);

/* Bytes of the wire have arrived. */
void vg_conn_tls_take(struct vg_conn *conn, struct vg_bytes part);

/* The peer has closed the socket before the handshake was done, or took too long for it. */
void vg_conn_tls_lost(struct vg_conn *conn, const char *why);

/*
 * `plain`, what the protocol has to say, as bytes of the wire, with what TLS has to say before it.
 * They stay until the next call. NULL: the connection is of no more use.
 */
struct vg_buffer *vg_conn_tls_seal(struct vg_conn *conn, const struct vg_buffer *plain);

/* The same while a write is stuck: into conn->queued. */
void vg_conn_tls_queue(struct vg_conn *conn, const struct vg_buffer *plain);

#endif
