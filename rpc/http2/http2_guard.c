#include "rpc/http2/http2_guard.h"

#include "rpc/http2/http2_session.h"
#include "rpc/http2/http2_stream.h"

/* SETTINGS_MAX_FRAME_SIZE, which we leave at its first value. RFC 9113 section 6.5.2. */
#define VG_HTTP2_FRAME_BYTES_MAX 16384u

/* Of requests that are read at once so many are answered before the next are looked at. */
#define VG_HTTP2_EARLY_CALLS 4u

/* The connection is over: GOAWAY with `code`, and nghttp2 reads no further. */
static int guard_fail(struct vg_http2_session *own, uint32_t code, const char *text)
{
    vg_http2_session_fail(own, VG_HTTP2_CAUSE_PROTOCOL, code, text);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* HEADERS or DATA on a stream that does not exist any more, or never did. */
static int guard_gone(struct vg_http2_session *own, int32_t id)
{
    switch (vg_http2_seen_ask(&own->seen, id)) {
    case VG_HTTP2_SEEN_NEVER: /* RFC 9113 section 5.1.1 */
        return guard_fail(own, NGHTTP2_PROTOCOL_ERROR, "a stream that a higher one has closed");
    case VG_HTTP2_SEEN_OPENED: /* RFC 9113 section 5.1 */
        return guard_fail(own, NGHTTP2_STREAM_CLOSED, "a stream that is over");
    case VG_HTTP2_SEEN_FORGOTTEN:
        /* Unless so many may be open at a time that it can be under way still. */
        return 2 * own->protocol->limits.streams_max <= VG_HTTP2_SEEN_STREAMS
                   ? guard_fail(own, NGHTTP2_STREAM_CLOSED, "a stream that is long over")
                   : 0;
    case VG_HTTP2_SEEN_CUT:
        break; /* sent before the peer knew; nghttp2 drops it */
    }
    return 0;
}

static bool guard_feed(struct vg_http2_session *own, struct vg_bytes part)
{
    return part.size == 0 || nghttp2_session_mem_recv(own->session, part.data, part.size) >= 0;
}

static bool guard_ends_request(const struct vg_http2_scan_frame *frame)
{
    return (frame->type == NGHTTP2_DATA || frame->type == NGHTTP2_HEADERS) &&
           (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

/*
 * nghttp2 says nothing of DATA on a stream that is over, so such frames are looked for here. What
 * they mean depends on the frames before them, which are handed over first. A stream that was
 * opened in the same part needs no look, unless it may have been reset since: that spares the
 * common request, HEADERS and DATA at once, the second call.
 */
bool vg_http2_guard_read(struct vg_http2_session *session, struct vg_bytes part)
{
    struct vg_http2_scan_frame frame;
    size_t at = 0;
    size_t fed = 0;
    int32_t opened = 0;
    bool reset = false;
    unsigned ended = 0;
    while (vg_http2_scan_next(&session->scan, part, &at, &frame)) {
        if (ended == VG_HTTP2_EARLY_CALLS) {
            if (!guard_feed(session, vg_bytes(part.data + fed, frame.begins - fed))) {
                return false;
            }
            fed = frame.begins;
            ended = 0;
            opened = 0;
            vg_http2_session_fill_early(session);
        }
        ended += guard_ends_request(&frame);
        if (frame.type == NGHTTP2_HEADERS && frame.stream > session->seen.last) {
            opened = frame.stream;
        }
        reset = reset || frame.type == NGHTTP2_RST_STREAM;
        if (frame.type != NGHTTP2_DATA || frame.stream % 2 == 0 ||
            (!reset &&
             (frame.stream == opened ||
              nghttp2_session_get_stream_user_data(session->session, frame.stream) != NULL))) {
            continue;
        }
        if (!guard_feed(session, vg_bytes(part.data + fed, frame.begins - fed))) {
            return false;
        }
        fed = frame.begins;
        if (frame.stream <= session->seen.last &&
            nghttp2_session_get_stream_user_data(session->session, frame.stream) == NULL &&
            guard_gone(session, frame.stream) != 0) {
            return false;
        }
    }
    return guard_feed(session, vg_bytes(part.data + fed, part.size - fed));
}

static int guard_stream(
    nghttp2_session *session,
    struct vg_http2_session *own,
    const nghttp2_frame_hd *head)
{
    const int32_t id = head->stream_id;
    if (id % 2 == 0) {
        return 0; /* nghttp2 says what there is to say */
    }
    if (id > own->seen.last) {
        vg_http2_seen_open(&own->seen, id);
        if (own->drain == VG_HTTP2_DRAIN_FINAL) {
            vg_http2_seen_cut(&own->seen, id); /* above the last stream of our GOAWAY */
        }
        return 0;
    }
    return nghttp2_session_get_stream_user_data(session, id) == NULL ? guard_gone(own, id) : 0;
}

/* The largest window there is for an answer, before SETTINGS change them all. */
static int64_t guard_largest_window(nghttp2_session *session, const struct vg_http2_session *own)
{
    int64_t largest = INT32_MIN;
    for (const struct vg_http2_stream *stream = own->streams; stream != NULL;
         stream = stream->next) {
        const int64_t window = nghttp2_session_get_stream_remote_window_size(session, stream->id);
        largest = window > largest ? window : largest;
    }
    return largest;
}

int vg_http2_guard_on_begin(nghttp2_session *session, const nghttp2_frame_hd *head, void *owner)
{
    struct vg_http2_session *own = owner;
    if (own->failed) {
        return NGHTTP2_ERR_CALLBACK_FAILURE; /* what was read along with the last straw */
    }
    switch (head->type) {
    case NGHTTP2_HEADERS:
        return guard_stream(session, own, head);
    case NGHTTP2_CONTINUATION: /* RFC 9113 section 4.2 */
        return head->length > VG_HTTP2_FRAME_BYTES_MAX
                   ? guard_fail(own, NGHTTP2_FRAME_SIZE_ERROR, "too large a CONTINUATION")
                   : 0;
    case NGHTTP2_SETTINGS:
        own->window_largest = guard_largest_window(session, own);
        return 0;
    default:
        return 0;
    }
}

int vg_http2_guard_on_settings(nghttp2_session *session, const nghttp2_settings *frame, void *owner)
{
    (void)session;
    struct vg_http2_session *own = owner;
    for (size_t i = 0; i < frame->niv; i++) {
        if (frame->iv[i].settings_id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) {
            continue;
        }
        own->window_largest += (int64_t)frame->iv[i].value - own->window_initial;
        own->window_initial = frame->iv[i].value;
        if (own->window_largest > INT32_MAX) { /* RFC 9113 section 6.9.2 */
            return guard_fail(own, NGHTTP2_FLOW_CONTROL_ERROR, "too large a window by SETTINGS");
        }
    }
    return 0;
}
