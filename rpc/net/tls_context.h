/*
 * What the server side of TLS is set to: certificates with their keys, authorities of clients,
 * versions, ciphers. Immutable: a reload makes another one, which serves the connections that come
 * from then on, while those there are keep theirs.
 *
 * TLS 1.2 and 1.3; with 1.2 only ciphers that authenticate (RFC 9113 section 9.2), no
 * renegotiation, no compression. ALPN offers h2 and http/1.1; a client that offers only others is
 * refused (RFC 7301 section 3.2). The certificate is the one whose names fit what the client asks
 * for (SNI), exactly before by wildcard, and else the first.
 *
 * Threads: create by one; references are counted atomically; all else is OpenSSL's, from any.
 */
#ifndef VG_RPC_NET_TLS_CONTEXT_H
#define VG_RPC_NET_TLS_CONTEXT_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/settings.h"

struct ssl_st;
struct vg_tls_context;

/* Certificates of one server. */
#define VG_TLS_CERTIFICATES_MAX 64u

struct vg_tls_options {
    const char *certificates; /* files, separated by commas */
    const char *keys;         /* as many, or "": in the same files */
    const char *client_ca;    /* file, "" = none */
    enum vg_tls_clients clients;
    enum vg_tls_version version_min;
    const char *ciphers; /* of TLS 1.2, as OpenSSL writes them */
};

/*
 * Read the files, which are not looked at again. A certificate that has ended, or will within a
 * month, is used and warned of.
 *
 * Fails with: CONFIG, naming the file and what is wrong with it.
 */
VG_MUST_USE enum vg_reason vg_tls_context_create(
    const struct vg_tls_options *options,
    vg_time now,
    struct vg_tls_context **out_context,
    struct vg_error *error);

struct vg_tls_context *vg_tls_context_ref(struct vg_tls_context *context);
void vg_tls_context_unref(struct vg_tls_context *context); /* accepts NULL */

/* When the first of its certificates ends. */
vg_time vg_tls_context_expires(const struct vg_tls_context *context);

/* For vg_tls_accept: a new connection of the server; NULL without memory. */
struct ssl_st *vg_tls_context_open(struct vg_tls_context *context);

#endif
