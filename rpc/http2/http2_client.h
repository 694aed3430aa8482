/*
 * The client side of HTTP/2 for our own command line: one connection, in plain text or by TLS, many
 * requests under way, driven by whoever waits (vg_http2_client_turn). Knows neither gRPC nor JSON.
 *
 * Threads: one at a time.
 */
#ifndef VG_RPC_HTTP2_HTTP2_CLIENT_H
#define VG_RPC_HTTP2_HTTP2_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/net/exchange.h"

/* Stands for an HTTP/2 error code when the connection is lost. */
#define VG_HTTP2_CLIENT_LOST UINT32_MAX

struct vg_http2_client;
struct vg_tls_client;

/* A request and what comes back; embedded by the caller, who keeps it until `closed` was called. */
struct vg_http2_client_call {
    const char *path;
    const struct vg_http_header *headers; /* without pseudo headers; borrowed for start */
    size_t header_count;
    struct vg_bytes kept_body; /* until closed */
    /* Set for a body that comes in parts, instead of kept_body: writes its next bytes, at most
     * `room`, as the peer's window takes them. False = it cannot be had: the request is reset. */
    bool (*body)(
        struct vg_http2_client_call *call,
        uint8_t *out,
        size_t room,
        size_t *out_size,
        bool *out_end);

    /* A header of the answer or its trailers; ":status" is one. */
    void (*header)(struct vg_http2_client_call *call, struct vg_bytes name, struct vg_bytes value);
    /* Bytes of the answer; false = cancel the request. */
    bool (*data)(struct vg_http2_client_call *call, struct vg_bytes part);
    /* The last of the three, exactly once: code 0 = the answer is complete, otherwise an error code
     * of HTTP/2 or VG_HTTP2_CLIENT_LOST. */
    void (*closed)(struct vg_http2_client_call *call, uint32_t code);

    /* Private. */
    struct vg_http2_client *client;
    struct vg_http2_client_call *next;
    struct vg_http2_client_call *back;
    int32_t id;
    size_t sent;
};

/*
 * Connect to "HOST:PORT"; with `tls` (kept; NULL = in plain text) the server has to prove that it
 * is HOST, and to speak HTTP/2 by ALPN.
 *
 * Fails with: CONFIG (no such address), OVERLOADED (nobody answers there, or not as wanted).
 */
VG_MUST_USE enum vg_reason vg_http2_client_open(
    const char *address,
    struct vg_tls_client *tls,
    uint64_t timeout_ns,
    struct vg_http2_client **out_client,
    struct vg_error *error);

/* Closes the connection; requests under way get `closed` with VG_HTTP2_CLIENT_LOST. Accepts NULL.
 */
void vg_http2_client_close(struct vg_http2_client *client);

/* Begin a request. `closed` may come before this returns, when the connection is of no more use. */
void vg_http2_client_start(struct vg_http2_client *client, struct vg_http2_client_call *call);

/* Give a request up: `closed` comes, maybe before this returns. */
void vg_http2_client_cancel(struct vg_http2_client_call *call);

/* Send what is to be sent, wait at most `timeout_ms` (-1 = for ever) for the peer, take what it
 * sent. */
void vg_http2_client_turn(struct vg_http2_client *client, int timeout_ms);

/* What TLS has found wrong with a lost connection, or the server with us; NULL = nothing. */
const char *vg_http2_client_failure(const struct vg_http2_client *client);

/* Can new requests be started? False after a lost connection or the peer's GOAWAY. */
bool vg_http2_client_is_usable(const struct vg_http2_client *client);

#endif
