#include "rpc/http2/http2_protocol.h"

#include <nghttp2/nghttp2.h>

#include "core/base/assert.h"
#include "rpc/http2/http2_session.h"

/* SETTINGS and PING frames that wait for an acknowledgement of ours; entries of one SETTINGS frame.
 */
#define VG_HTTP2_ACKS_MAX     100u
#define VG_HTTP2_SETTINGS_MAX 32u
/* Streams a peer may reset in a burst, and per second for ever (CVE-2023-44487). The budget for
 * misbehaviour has less, and says why; this is the net below it. */
#define VG_HTTP2_RESETS_BURST 1000u
#define VG_HTTP2_RESETS_RATE  33u
/* CONTINUATION frames of one header block (CVE-2024-28182). */
#define VG_HTTP2_CONTINUATIONS_MAX 8u

void vg_http2_protocol_init(
    struct vg_http2_protocol *protocol,
    const struct vg_exchange_selector *selector,
    const struct vg_http2_limits *limits)
{
    *protocol = (struct vg_http2_protocol){
        .protocol = { .name = "h2",
                      .open = vg_http2_session_open,
                      .read = vg_http2_session_read,
                      .ended = vg_http2_session_ended,
                      .fill = vg_http2_session_fill,
                      .wants_close = vg_http2_session_wants_close,
                      .drain = vg_http2_session_drain,
                      .tick = vg_http2_session_tick,
                      .closed = vg_http2_session_closed },
        .selector = selector,
        .limits = *limits,
        .callbacks = vg_http2_session_callbacks(),
    };
    VG_ASSERT(nghttp2_option_new(&protocol->option) == 0);
    nghttp2_option *option = protocol->option;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, VG_HTTP2_ACKS_MAX);
    nghttp2_option_set_max_settings(option, VG_HTTP2_SETTINGS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, VG_HTTP2_RESETS_BURST, VG_HTTP2_RESETS_RATE);
    nghttp2_option_set_max_continuations(option, VG_HTTP2_CONTINUATIONS_MAX);
}

void vg_http2_protocol_dispose(struct vg_http2_protocol *protocol)
{
    nghttp2_option_del(protocol->option);
    nghttp2_session_callbacks_del(protocol->callbacks);
    protocol->option = NULL;
    protocol->callbacks = NULL;
}
