/*
 * One TLS connection as a machine: bytes of the wire in, bytes of the protocol out, and the
 * reverse. It owns no socket and never waits, so the same serves a connection of the event loop and
 * the client of the command line.
 *
 *     vg_tls_feed(tls, what arrived);
 *     if (vg_tls_shake(tls, &sealed) == VG_TLS_OPEN)
 *         while ((size = vg_tls_read(tls, plain, sizeof(plain), &sealed)) > 0) …
 *     vg_tls_seal(tls, what is to be said, now, &sealed);
 *     send(sealed)
 *
 * OpenSSL reads straight from the bytes that were fed and writes straight into the buffer that is
 * handed in with each call; nothing lies in between. All of what was fed is used up once
 * vg_tls_read gives nothing. An idle connection holds no record buffers.
 *
 * Threads: one at a time.
 */
#ifndef VG_RPC_NET_TLS_H
#define VG_RPC_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/peer_identity.h"

struct vg_tls;
struct vg_tls_context;
struct vg_tls_client;

enum vg_tls_state {
    VG_TLS_HANDSHAKE, /* wants more bytes */
    VG_TLS_OPEN,
    VG_TLS_ENDED,  /* after the handshake: the peer is done (close_notify); we may go on */
    VG_TLS_FAILED, /* an alert may wait to be sent; see vg_tls_failure */
};

/* What was agreed on by ALPN. */
enum vg_tls_protocol {
    VG_TLS_PROTOCOL_NONE, /* the client offered nothing */
    VG_TLS_PROTOCOL_H2,
    VG_TLS_PROTOCOL_HTTP1,
};

/* Handshake messages behind the handshake that a peer may send between two calls of
 * vg_tls_calm: each costs us keys or an answer (KeyUpdate, renegotiation). */
#define VG_TLS_MESSAGES_MAX 100u

/* First records of a burst are small, so that they do not wait for a second round trip of a new
 * connection's window before they can be read; then they get as large as they may be. */
#define VG_TLS_RECORD_FIRST_BYTES (4u * 1024u)
#define VG_TLS_RECORD_BYTES       (16u * 1024u)
#define VG_TLS_BURST_BYTES        (64u * 1024u)
#define VG_TLS_BURST_NS           UINT64_C(1000000000)

/* The server's side of a new connection; the machine keeps `context`. NULL without memory. */
struct vg_tls *vg_tls_accept(struct vg_tls_context *context);
/* The client's side, to a server that has to be `host` (a name or an address). */
struct vg_tls *vg_tls_connect(struct vg_tls_client *client, const char *host);
void vg_tls_destroy(struct vg_tls *tls); /* accepts NULL */

/* Bytes of the wire, borrowed until vg_tls_read has nothing more. */
void vg_tls_feed(struct vg_tls *tls, struct vg_bytes part);

/* Go on with the handshake; what is to be sent is appended to `sealed`. */
enum vg_tls_state vg_tls_shake(struct vg_tls *tls, struct vg_buffer *sealed);

/* Bytes of the protocol from what was fed, at most `room`. 0 = no more now: look at the state. */
size_t vg_tls_read(struct vg_tls *tls, uint8_t *out, size_t room, struct vg_buffer *sealed);

/* Append `part` to `sealed` as records. False = no memory, or the connection has failed. */
VG_MUST_USE bool vg_tls_seal(
    struct vg_tls *tls,
    struct vg_bytes part,
    uint64_t now_ns,
    struct vg_buffer *sealed);

/* We are done: append close_notify, once. False when there is nothing to say (any more). */
bool vg_tls_end(struct vg_tls *tls, struct vg_buffer *sealed);

/* Some time has passed: the peer may send handshake messages again. */
void vg_tls_calm(struct vg_tls *tls);

enum vg_tls_state vg_tls_state(const struct vg_tls *tls);
const char *vg_tls_failure(const struct vg_tls *tls); /* a constant text, NULL before a failure */

/* After the handshake. */
enum vg_tls_protocol vg_tls_protocol(const struct vg_tls *tls);
bool vg_tls_is_resumed(const struct vg_tls *tls);
/* Who the peer has proved to be: a reference, NULL without a certificate. */
const struct vg_peer_identity *vg_tls_identity(const struct vg_tls *tls);

#endif
