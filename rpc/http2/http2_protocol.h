/*
 * HTTP/2 as a protocol of rpc/net: what vigild wires to the listener. Knows neither gRPC nor JSON;
 * the selector says which application takes a request.
 *
 * Threads: made before the workers start and destroyed after they ended; constant between.
 */
#ifndef VG_RPC_HTTP2_HTTP2_PROTOCOL_H
#define VG_RPC_HTTP2_HTTP2_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "rpc/net/conn.h"
#include "rpc/net/exchange.h"

struct nghttp2_option;
struct nghttp2_session_callbacks;

struct vg_http2_limits {
    uint32_t streams_max;        /* open at a time on one connection */
    uint32_t streams_per_second; /* opened on one connection; 0 = no limit */
    uint32_t stream_window;    /* bytes a client may send on one stream before they are consumed */
    uint32_t conn_window;      /* the same for all streams together */
    uint32_t header_bytes_max; /* names + values + 32 each, RFC 9113 section 6.5.2 */
    uint64_t ping_interval_ns; /* least time between pings without data */
    uint64_t ping_idle_interval_ns; /* the same while no stream is open */
};

#define VG_HTTP2_LIMITS_DEFAULT                                                                    \
    ((struct vg_http2_limits){ .streams_max = 100,                                                 \
                               .stream_window = 1u << 20,                                          \
                               .conn_window = 4u << 20,                                            \
                               .header_bytes_max = 16u << 10,                                      \
                               .ping_interval_ns = UINT64_C(300000000000),                         \
                               .ping_idle_interval_ns = UINT64_C(7200000000000) })

struct vg_http2_protocol {
    struct vg_conn_protocol protocol;
    const struct vg_exchange_selector *selector;
    struct vg_http2_limits limits;

    /* Private. */
    struct nghttp2_session_callbacks *callbacks;
    struct nghttp2_option *option;
};

/* `selector` is borrowed until dispose. */
void vg_http2_protocol_init(
    struct vg_http2_protocol *protocol,
    const struct vg_exchange_selector *selector,
    const struct vg_http2_limits *limits);
void vg_http2_protocol_dispose(struct vg_http2_protocol *protocol);

#endif
