/*
 * What the client side of TLS is set to, for our own command line: whom it trusts and what it shows
 * of itself. The server's name is always checked.
 *
 * Threads: create by one; then immutable.
 */
#ifndef VG_RPC_NET_TLS_CLIENT_H
#define VG_RPC_NET_TLS_CLIENT_H

#include <stdbool.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

struct ssl_st;
struct vg_tls_client;

struct vg_tls_client_options {
    const char *ca;          /* PEM file of authorities; NULL = those of the machine */
    const char *certificate; /* PEM file shown to the server; NULL = none */
    const char *key;         /* of its key; NULL = in the same file */
};

/* Fails with: CONFIG, naming the file. */
VG_MUST_USE enum vg_reason vg_tls_client_create(
    const struct vg_tls_client_options *options,
    struct vg_tls_client **out_client,
    struct vg_error *error);
void vg_tls_client_destroy(struct vg_tls_client *client); /* accepts NULL */

/* For vg_tls_connect: a new connection to `host`; NULL without memory. */
struct ssl_st *vg_tls_client_open(struct vg_tls_client *client, const char *host);

#endif
