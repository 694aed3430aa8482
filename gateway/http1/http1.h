/*
 * HTTP/1.1 on llhttp: one exchange at a time on a connection, keep-alive and pipelining in order,
 * chunked both ways, Expect: 100-continue (RFC 9112, RFC 9110). All lenient flags of the parser
 * stay off.
 *
 * Threads: made at start, then immutable; the state of a connection belongs to its worker.
 */
#ifndef VG_GATEWAY_HTTP1_HTTP1_H
#define VG_GATEWAY_HTTP1_HTTP1_H

#include <stddef.h>

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "rpc/net/conn.h"
#include "rpc/net/exchange.h"

/* Requests a client may send ahead of the answer it waits for, in bytes: then it is not read from
 * until they are fewer. A few parts as the loop reads them may still come on top. */
#define VG_HTTP1_AHEAD_BYTES_LOW (128u * 1024u)
/* Behind an answer without an end reading goes on, so that it is noticed when the client goes: past
 * so many bytes what comes is dropped, and the connection ends with that answer. */
#define VG_HTTP1_AHEAD_BYTES_MAX (256u * 1024u)

struct vg_http1 {
    struct vg_conn_protocol
        protocol; /* what the listener is given; embedded, so that the way back is typed */
    const struct vg_exchange_selector *selector;
    size_t header_bytes_max; /* request line and headers */
    /* The body of an answer to a request that never becomes an exchange: BAD_HTTP,
     * HEADERS_TOO_LARGE, REQUEST_TIMEOUT. */
    void (*refuse)(const struct vg_error *error, struct vg_buffer *out_body);
};

void vg_http1_init(
    struct vg_http1 *http1,
    const struct vg_exchange_selector *selector,
    size_t header_bytes_max,
    void (*refuse)(const struct vg_error *error, struct vg_buffer *out_body));

#endif
