#include "rpc/http2/http2_stream.h"

#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "core/base/text_number.h"
#include "rpc/net/conn.h"
#include "rpc/net/worker.h"

static struct vg_http2_stream *stream_of(struct vg_exchange *exchange)
{
    return VG_CONTAINER_OF(exchange, struct vg_http2_stream, exchange);
}

/* --- The request head --------------------------------------------------------------------------
 */

/* A copy of `bytes` that lives as long as the stream; NULL past the limit of its memory. */
static const uint8_t *stream_keep(struct vg_http2_stream *stream, struct vg_bytes bytes)
{
    uint8_t *copy;
    if (bytes.size <= VG_HTTP2_STREAM_TEXT - stream->text_used) {
        copy = stream->text + stream->text_used;
        stream->text_used += bytes.size;
    } else {
        copy = vg_arena_alloc(&stream->overflow, bytes.size);
    }
    if (copy != NULL && bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return copy;
}

static bool stream_grow_headers(struct vg_http2_stream *stream)
{
    if (stream->exchange.request.header_count < stream->header_capacity) {
        return true;
    }
    size_t capacity = stream->header_capacity * 2;
    struct vg_http_header *headers = vg_arena_alloc(&stream->overflow, capacity * sizeof(*headers));
    if (headers == NULL) {
        return false;
    }
    memcpy(headers, stream->headers, stream->header_capacity * sizeof(*headers));
    stream->headers = headers;
    stream->header_capacity = capacity;
    return true;
}

/* nghttp2 has checked that the value is digits. */
static int64_t stream_content_length(struct vg_bytes value)
{
    int64_t length = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || length > INT64_MAX / 10 - 1) {
            return -1;
        }
        length = length * 10 + (value.data[i] - '0');
    }
    return value.size == 0 ? -1 : length;
}

/* Where a pseudo header is kept; NULL = not looked at (:scheme, :protocol). */
static struct vg_bytes *stream_pseudo(struct vg_http_request *request, struct vg_bytes name)
{
    if (vg_bytes_equal(name, vg_bytes_text(":path"))) {
        return &request->target;
    }
    if (vg_bytes_equal(name, vg_bytes_text(":method"))) {
        return &request->method;
    }
    return vg_bytes_equal(name, vg_bytes_text(":authority")) ? &request->authority : NULL;
}

static bool stream_same_host(struct vg_bytes a, struct vg_bytes b)
{
    return a.size == b.size && strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0;
}

static bool stream_keep_header(
    struct vg_http2_stream *stream,
    struct vg_bytes name,
    struct vg_bytes value)
{
    struct vg_http_request *request = &stream->exchange.request;
    const uint8_t *kept_value = stream_keep(stream, value);
    if (kept_value == NULL) {
        return false;
    }
    struct vg_bytes kept = vg_bytes(kept_value, value.size);
    if (name.size > 0 && name.data[0] == ':') {
        struct vg_bytes *place = stream_pseudo(request, name);
        if (place != NULL) {
            *place = kept;
        }
        /* RFC 9113 section 8.3.1: no user part in :authority. */
        stream->malformed = place == &request->authority && kept.size > 0 &&
                            memchr(kept.data, '@', kept.size) != NULL;
        return true;
    }
    const uint8_t *kept_name = stream_keep(stream, name);
    if (kept_name == NULL || !stream_grow_headers(stream)) {
        return false;
    }
    stream->headers[request->header_count++] =
        (struct vg_http_header){ .name = vg_bytes(kept_name, name.size), .value = kept };
    request->headers = stream->headers;
    if (vg_bytes_equal(name, vg_bytes_text("content-length"))) {
        request->content_length = stream_content_length(value);
    } else if (vg_bytes_equal(name, vg_bytes_text("host"))) {
        /* RFC 9113 section 8.3.1: the two must name the same. */
        stream->malformed =
            request->authority.size > 0 && !stream_same_host(request->authority, kept);
        request->authority = kept;
    }
    return true;
}

bool vg_http2_stream_add_header(
    struct vg_http2_stream *stream,
    struct vg_bytes name,
    struct vg_bytes value)
{
    const size_t limit = stream->session->protocol->limits.header_bytes_max;
    stream->header_bytes += name.size + value.size + VG_HTTP2_FIELD_OVERHEAD;
    if (stream->head_done) {
        return stream->header_bytes <= VG_HTTP2_HEADER_EXCESS * limit; /* trailers are not kept */
    }
    if (value.size > VG_LIMIT_URL_BYTES && vg_bytes_equal(name, vg_bytes_text(":path"))) {
        stream->path_refused = true;
    }
    const bool over = stream->path_refused || stream->header_bytes > limit ||
                      stream->exchange.request.header_count >= VG_LIMIT_HEADER_COUNT;
    /* The application that will say so is chosen by content type: that one is kept even then. */
    const bool keeps = !over || (value.size <= VG_HTTP2_STREAM_TYPE_MAX &&
                                 vg_bytes_equal(name, vg_bytes_text("content-type")));
    const bool kept = keeps && stream_keep_header(stream, name, value);
    if (over || !kept) {
        stream->head_refused = true;
    }
    return stream->header_bytes <= VG_HTTP2_HEADER_EXCESS * limit;
}

/* --- Answering ---------------------------------------------------------------------------------
 */

#define VG_HTTP2_FIELD_STAYS (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

static nghttp2_nv stream_field(struct vg_bytes name, struct vg_bytes value, uint8_t flags)
{
    /* nghttp2 declares both without const but does not write to them. */
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name.data,
                         .value = (uint8_t *)(uintptr_t)value.data,
                         .namelen = name.size,
                         .valuelen = value.size,
                         .flags = flags };
}

/* The body is complete: END_STREAM comes with this frame, or with the trailers behind it. */
static ssize_t stream_read_end(
    struct vg_http2_stream *stream,
    enum vg_pull pulled,
    size_t size,
    uint32_t *data_flags)
{
    const struct vg_exchange *exchange = &stream->exchange;
    *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    if (pulled != VG_PULL_TRAILERS) {
        return (ssize_t)size;
    }
    *data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    VG_ASSERT(exchange->trailer_count <= VG_HTTP2_RESPONSE_HEADERS_MAX);
    nghttp2_nv fields[VG_HTTP2_RESPONSE_HEADERS_MAX];
    for (size_t i = 0; i < exchange->trailer_count; i++) {
        /* They stay until the stream is closed, and nghttp2 packs none of a closed one. */
        fields[i] = stream_field(
            exchange->trailers[i].name,
            exchange->trailers[i].value,
            VG_HTTP2_FIELD_STAYS);
    }
    if (nghttp2_submit_trailer(
            stream->session->session,
            stream->id,
            fields,
            exchange->trailer_count) != 0) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)size;
}

/* The data source of nghttp2: asked when the peer's windows have room. */
static ssize_t stream_read(
    nghttp2_session *session,
    int32_t id,
    uint8_t *out,
    size_t room,
    uint32_t *data_flags,
    nghttp2_data_source *source,
    void *owner)
{
    (void)session;
    (void)id;
    struct vg_http2_session *own = owner;
    struct vg_http2_stream *stream = source->ptr;
    size_t size = 0;
    stream->progress_ns = own->now_ns;
    enum vg_pull pulled = stream->exchange.app->pull(&stream->exchange, out, room, &size);
    VG_ASSERT(size <= room);
    switch (pulled) {
    case VG_PULL_MORE:
        VG_ASSERT(size > 0);
        return (ssize_t)size;
    case VG_PULL_WAIT:
        if (size > 0) {
            return (ssize_t)size; /* the next question will be answered by waiting */
        }
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    case VG_PULL_END:
    case VG_PULL_TRAILERS:
        return stream_read_end(stream, pulled, size, data_flags);
    case VG_PULL_FAILED:
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    VG_UNREACHABLE();
}

static void stream_respond(struct vg_exchange *exchange, const struct vg_http_response *response)
{
    struct vg_http2_stream *stream = stream_of(exchange);
    VG_ASSERT(!stream->responded);
    VG_ASSERT(response->header_count <= VG_HTTP2_RESPONSE_HEADERS_MAX);
    VG_ASSERT(response->status >= 200 && response->status <= 599);
    nghttp2_nv fields[VG_HTTP2_RESPONSE_HEADERS_MAX + 2];
    const uint8_t flags = response->headers_stay ? VG_HTTP2_FIELD_STAYS : NGHTTP2_NV_FLAG_NONE;
    char status[VG_TEXT_NUMBER_SIZE];
    char length[VG_TEXT_NUMBER_SIZE];
    size_t count = 0;
    size_t size = 0;
    if (response->status == 200) {
        fields[count++] =
            stream_field(vg_bytes_text(":status"), vg_bytes_text("200"), VG_HTTP2_FIELD_STAYS);
    } else {
        size = vg_text_number_print_int64((int64_t)response->status, status);
        fields[count++] =
            stream_field(vg_bytes_text(":status"), vg_bytes(status, size), NGHTTP2_NV_FLAG_NONE);
    }
    for (size_t i = 0; i < response->header_count; i++) {
        fields[count++] =
            stream_field(response->headers[i].name, response->headers[i].value, flags);
    }
    if (response->content_length >= 0) {
        size = vg_text_number_print_int64(response->content_length, length);
        fields[count++] = stream_field(
            vg_bytes_text("content-length"),
            vg_bytes(length, size),
            NGHTTP2_NV_FLAG_NONE);
    }
    nghttp2_data_provider body = { .source.ptr = stream, .read_callback = stream_read };
    stream->responded = true;
    stream->progress_ns = stream->session->now_ns;
    if (nghttp2_submit_response(
            stream->session->session,
            stream->id,
            fields,
            count,
            response->no_body ? NULL : &body) != 0) {
        vg_http2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    }
    vg_conn_wake(stream->session->conn);
}

static void stream_resume(struct vg_exchange *exchange)
{
    struct vg_http2_stream *stream = stream_of(exchange);
    if (!stream->deferred) {
        return;
    }
    stream->deferred = false;
    stream->progress_ns = vg_http2_session_now_ns(stream->session);
    /* Refused only when the stream is closing: then there is nothing to resume. */
    (void)nghttp2_session_resume_data(stream->session->session, stream->id);
    vg_conn_wake(stream->session->conn);
}

static void stream_consume(struct vg_exchange *exchange, size_t size)
{
    struct vg_http2_stream *stream = stream_of(exchange);
    VG_ASSERT(size <= stream->unconsumed);
    stream->unconsumed -= size;
    stream->progress_ns = vg_http2_session_now_ns(stream->session);
    (void)nghttp2_session_consume(stream->session->session, stream->id, size);
    vg_conn_wake(stream->session->conn);
}

static uint32_t stream_code(enum vg_reason reason)
{
    if (reason == VG_CANCELLED || reason == VG_DEADLINE_EXCEEDED || reason == VG_REQUEST_TIMEOUT) {
        return NGHTTP2_CANCEL;
    }
    return reason == VG_BAD_HTTP ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_INTERNAL_ERROR;
}

static void stream_abort(struct vg_exchange *exchange, enum vg_reason reason)
{
    vg_http2_stream_reset(stream_of(exchange), stream_code(reason));
}

static const struct vg_exchange_carrier stream_carrier = {
    .respond = stream_respond,
    .resume = stream_resume,
    .consume = stream_consume,
    .abort = stream_abort,
};

/* An answer of this layer itself, for a request no application sees. */
static void stream_refuse(struct vg_http2_stream *stream, unsigned status)
{
    stream_respond(
        &stream->exchange,
        &(struct vg_http_response){ .status = status, .content_length = 0, .no_body = true });
}

/* --- Life --------------------------------------------------------------------------------------
 */

struct vg_http2_stream *vg_http2_stream_create(struct vg_http2_session *session, int32_t id)
{
    struct vg_http2_stream *stream =
        vg_block_pool_alloc(&session->conn->worker->blocks, sizeof(*stream));
    if (stream == NULL) {
        return NULL;
    }
    memset(stream, 0, offsetof(struct vg_http2_stream, header_slots));
    stream->session = session;
    stream->id = id;
    stream->progress_ns = session->now_ns;
    stream->headers = stream->header_slots;
    stream->header_capacity = VG_HTTP2_STREAM_HEADERS;
    /* Twice the limit: the fields themselves, and the array that grows by doubling. */
    vg_arena_init(&stream->overflow, 2 * (size_t)session->protocol->limits.header_bytes_max + 4096);
    vg_arena_count(&stream->overflow);
    struct vg_exchange *exchange = &stream->exchange;
    exchange->carrier = &stream_carrier;
    exchange->worker = session->conn->worker;
    exchange->request.headers = stream->headers;
    exchange->request.peer = session->conn->peer;
    exchange->request.peer_port = session->conn->peer_port;
    exchange->request.identity = session->conn->identity;
    exchange->request.is_secure = session->conn->tls != NULL;
    exchange->request.version = 20;
    exchange->request.content_length = -1;
    stream->next = session->streams;
    if (stream->next != NULL) {
        stream->next->back = stream;
    }
    session->streams = stream;
    session->latest = stream;
    session->conn->streams_open++;
    return stream;
}

void vg_http2_stream_destroy(struct vg_http2_stream *stream)
{
    struct vg_http2_session *session = stream->session;
    if (stream->exchange.app != NULL) {
        stream->exchange.app->closed(&stream->exchange, stream->answered);
    }
    if (stream->next != NULL) {
        stream->next->back = stream->back;
    }
    if (stream->back != NULL) {
        stream->back->next = stream->next;
    } else {
        session->streams = stream->next;
    }
    if (session->latest == stream) {
        session->latest = NULL;
    }
    session->conn->streams_open--;
    session->conn->active_ns = session->now_ns;
    vg_arena_dispose(&stream->overflow);
    vg_block_pool_free(&session->conn->worker->blocks, stream);
}

void vg_http2_stream_begin(struct vg_http2_stream *stream)
{
    struct vg_exchange *exchange = &stream->exchange;
    const struct vg_exchange_selector *selector = stream->session->protocol->selector;
    stream->head_done = true;
    const struct vg_exchange_app *app = selector->select(selector, exchange);
    if (stream->head_refused && (app == NULL || app->refuse == NULL)) {
        stream_refuse(stream, 431);
    } else if (app == NULL) {
        stream_refuse(stream, 404);
    } else {
        exchange->app = app;
        if (stream->head_refused) {
            app->refuse(exchange, stream->path_refused ? VG_URL_TOO_LONG : VG_HEADERS_TOO_LARGE);
        } else {
            app->headers(exchange);
            if (exchange->is_proven) {
                vg_conn_prove(stream->session->conn);
            }
        }
    }
}

void vg_http2_stream_take(struct vg_http2_stream *stream, struct vg_bytes part)
{
    stream->unconsumed += part.size;
    stream->progress_ns = stream->session->now_ns;
    if (stream->exchange.app == NULL || stream->answered) {
        stream_consume(&stream->exchange, part.size);
        return;
    }
    stream->exchange.app->body(&stream->exchange, part);
}

void vg_http2_stream_end(struct vg_http2_stream *stream)
{
    if (stream->request_ended) {
        return;
    }
    stream->request_ended = true;
    if (stream->exchange.app != NULL && !stream->answered) {
        stream->exchange.app->end(&stream->exchange);
    }
}

void vg_http2_stream_reset(struct vg_http2_stream *stream, uint32_t code)
{
    if (stream->reset) {
        return;
    }
    stream->reset = true;
    (void)nghttp2_submit_rst_stream(stream->session->session, NGHTTP2_FLAG_NONE, stream->id, code);
    vg_conn_wake(stream->session->conn);
}

/* Whether the rest of the request is so little that it is simply read: clients lose an answer that
 * is followed by a reset while they still send (curl 7.88, as in Debian 12, says error 92).
 */
static bool stream_ends_soon(const struct vg_http2_stream *stream)
{
    int64_t length = stream->exchange.request.content_length;
    return length >= 0 && length <= VG_HTTP2_LATE_BODY_MAX;
}

void vg_http2_stream_sent_end(struct vg_http2_stream *stream)
{
    stream->answered = true;
    if (stream->request_ended) {
        return;
    }
    if (stream_ends_soon(stream)) {
        stream->progress_ns = stream->session->now_ns;
        return;
    }
    /* The answer came before the request was complete: ask the client to stop sending, now that
     * the trailers are really out (a reset takes queued frames with it). RFC 9113 section 8.1.
     */
    vg_http2_stream_reset(stream, NGHTTP2_NO_ERROR);
}

bool vg_http2_stream_is_stuck(
    const struct vg_http2_stream *stream,
    uint64_t now_ns,
    const struct vg_conn_limits *limits)
{
    bool reads = !stream->responded || stream->answered;
    uint64_t limit_ns = reads ? limits->body_timeout_ns : limits->write_timeout_ns;
    if (limit_ns == 0 || now_ns - stream->progress_ns < limit_ns) {
        return false;
    }
    if (stream->answered) {
        return !stream->request_ended;
    }
    /* An answer the application waits with is none of the peer's doing, nor is a window that it
     * leaves closed. */
    return stream->responded ? !stream->deferred
                             : !stream->request_ended && stream->unconsumed == 0;
}
