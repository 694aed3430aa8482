#include "rpc/grpc/grpc_answer.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "core/base/settings.h"
#include "core/base/text_number.h"
#include "rpc/grpc/grpc_request.h"
#include "rpc/grpc/grpc_stream.h"
#include "rpc/service/call_metadata.h"
#include "rpc/service/call_trace.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

/* Static texts as headers. */
#define VG_GRPC_FIELD(text_name, text_value)                                                       \
    {                                                                                              \
        .name = { (const uint8_t *)(text_name), sizeof(text_name) - 1 }, .value = {                \
            (const uint8_t *)(text_value),                                                         \
            sizeof(text_value) - 1                                                                 \
        }                                                                                          \
    }

/* What a stream of rows tells before the first: the numbers that a unary answer has as members. */
#define VG_GRPC_PAGE_COUNT 3u

/* --- Head and status -------------------------------------------------------------------------
 */

static size_t answer_put_head(struct vg_http_header *headers)
{
    static const struct vg_http_header head[VG_GRPC_ANSWER_HEAD] = {
        VG_GRPC_FIELD("content-type", "application/grpc"),
        VG_GRPC_FIELD("grpc-accept-encoding", VG_GRPC_ENCODING_ACCEPTED),
    };
    memcpy(headers, head, sizeof(head));
    return VG_GRPC_ANSWER_HEAD;
}

static size_t answer_put_metadata(
    const struct vg_metadata *metadata,
    struct vg_http_header *headers)
{
    for (uint32_t i = 0; i < metadata->count; i++) {
        headers[i] = (struct vg_http_header){ metadata->items[i].name, metadata->items[i].value };
    }
    return metadata->count;
}

static size_t answer_put_status(
    struct vg_grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error,
    struct vg_http_header *trailers)
{
    static const struct vg_http_header ok = VG_GRPC_FIELD("grpc-status", "0");
    if (reason == VG_OK) {
        trailers[0] = ok;
        return 1;
    }
    return vg_grpc_status_trailers(reason, error, &stream->arena, trailers);
}

/* What the call has to say besides; nothing where there never was one. */
static const struct vg_metadata *answer_headers(const struct vg_grpc_stream *stream)
{
    static const struct vg_metadata none;
    return stream->has_call ? vg_call_headers(&stream->call) : &none;
}

static const struct vg_metadata *answer_trailers(const struct vg_grpc_stream *stream)
{
    static const struct vg_metadata none;
    return stream->has_call ? vg_call_trailers(&stream->call) : &none;
}

/* The name of a call that another thread has, and that therefore cannot say it among its metadata
 * (call_metadata.c): who is told that his time was up has something to ask with. */
static size_t answer_put_id(struct vg_grpc_stream *stream, struct vg_http_header *out)
{
    char id[VG_CALL_TRACE_ID_SIZE];
    if (!stream->has_call || answer_trailers(stream) == &stream->call.trailers) {
        return 0;
    }
    vg_call_trace_request_id(&stream->call, id);
    const char *kept = vg_arena_text(&stream->arena, vg_bytes_text(id));
    *out = (struct vg_http_header){ vg_bytes_text("x-request-id"), vg_bytes_text(kept) };
    return kept != NULL;
}

/* Are there messages that may be compressed, or is it the one there is? */
static bool answer_has_encoding(const struct vg_grpc_stream *stream)
{
    const struct vg_buffer *out = &stream->call.out;
    return stream->coding != VG_GRPC_ENCODING_IDENTITY &&
           (vg_grpc_stream_has_rows(stream) || (out->size > 0 && out->data[0] == 1));
}

void vg_grpc_answer_begin(struct vg_grpc_stream *stream)
{
    if (stream->responded) {
        return;
    }
    const struct vg_reply *reply = &stream->call.reply;
    const struct grpc_page {
        const char *name;
        int64_t value;
    } page[VG_GRPC_PAGE_COUNT] = {
        { "vigil-limit", reply->limit },
        { "vigil-offset", reply->offset },
        { "vigil-count", reply->count },
    };
    char texts[VG_GRPC_PAGE_COUNT][VG_TEXT_NUMBER_SIZE];
    struct vg_http_header
        headers[VG_GRPC_ANSWER_HEAD + 1 + VG_GRPC_PAGE_COUNT + VG_LIMIT_ANSWER_METADATA];
    size_t count = answer_put_head(headers);
    bool has_page =
        vg_grpc_stream_has_rows(stream) && stream->call.method->envelope == VG_ENVELOPE_LIST;
    for (size_t i = 0; has_page && i < VG_GRPC_PAGE_COUNT; i++) {
        size_t size = vg_text_number_print_int64(page[i].value, texts[i]);
        headers[count++] =
            (struct vg_http_header){ vg_bytes_text(page[i].name), vg_bytes(texts[i], size) };
    }
    if (answer_has_encoding(stream)) {
        headers[count++] =
            (struct vg_http_header){ vg_bytes_text("grpc-encoding"),
                                     vg_bytes_text(vg_grpc_encoding_name(stream->coding)) };
    }
    count += answer_put_metadata(answer_headers(stream), headers + count);
    stream->responded = true;
    stream->call.head_sent = true;
    stream->exchange->endless = stream->call.converses;
    stream->exchange->carrier->respond(
        stream->exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = headers,
                                    .header_count = count,
                                    .content_length = -1,
                                    .headers_stay = !has_page });
}

/* Make stream->trailers large enough for a head, a status and `metadata` items; false = there is
 * room for head and status only. */
static bool answer_make_room(struct vg_grpc_stream *stream, size_t metadata)
{
    stream->trailers = stream->trailer_slots;
    if (metadata == 0) {
        return true;
    }
    struct vg_http_header *trailers = vg_arena_alloc(
        &stream->arena,
        (VG_GRPC_ANSWER_TRAILERS + metadata) * sizeof(*stream->trailers));
    if (trailers != NULL) {
        stream->trailers = trailers;
    }
    return trailers != NULL;
}

/* The status of an answer that has begun; it follows what is left of `sending`. */
static void answer_decide(
    struct vg_grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error)
{
    const struct vg_metadata *metadata = answer_trailers(stream);
    const bool has_room = answer_make_room(stream, metadata->count);
    size_t count = answer_put_status(stream, reason, error, stream->trailers);
    count += answer_put_id(stream, stream->trailers + count);
    if (has_room) {
        count += answer_put_metadata(metadata, stream->trailers + count);
    }
    stream->trailer_count = count;
    stream->decided = true;
}

/* The status as the whole answer: one head with all there is to say. */
static void answer_send_status(
    struct vg_grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error)
{
    const struct vg_metadata *headers = answer_headers(stream);
    const struct vg_metadata *trailers = answer_trailers(stream);
    const bool has_room = answer_make_room(stream, (size_t)headers->count + trailers->count);
    struct vg_http_header *fields = stream->trailers;
    size_t count = answer_put_head(fields);
    count += answer_put_status(stream, reason, error, fields + count);
    count += answer_put_id(stream, fields + count);
    if (has_room) {
        count += answer_put_metadata(headers, fields + count);
        count += answer_put_metadata(trailers, fields + count);
    }
    stream->finished = true;
    stream->responded = true;
    stream->exchange->carrier->respond(
        stream->exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = fields,
                                    .header_count = count,
                                    .content_length = -1,
                                    .no_body = true });
}

void vg_grpc_answer_refuse(struct vg_grpc_stream *stream, unsigned status)
{
    static const struct vg_http_header allow = VG_GRPC_FIELD("allow", "POST");
    stream->finished = true;
    stream->responded = true;
    stream->exchange->carrier->respond(
        stream->exchange,
        &(struct vg_http_response){ .status = status,
                                    .headers = &allow,
                                    .header_count = status == 405 ? 1 : 0,
                                    .content_length = 0,
                                    .no_body = true });
}

/* --- The end of a failure --------------------------------------------------------------------
 */

void vg_grpc_answer_cut(struct vg_grpc_stream *stream)
{
    struct vg_buffer *sending = &stream->sending;
    size_t at = 0;
    while (at < stream->taken) {
        VG_ASSERT(sending->size - at >= VG_GRPC_PREFIX_SIZE);
        const uint8_t *prefix = sending->data + at;
        at += VG_GRPC_PREFIX_SIZE + ((size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 |
                                     (size_t)prefix[3] << 8 | prefix[4]);
    }
    VG_ASSERT(at <= sending->size);
    sending->size = at;
    if (stream->call.converses) {
        vg_buffer_clear(&stream->call.out); /* it follows them: else there were a gap */
    }
}

/* A conversation that fails is over after what has been said. */
static void answer_keep_said(struct vg_grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    if (!call->converses || call->out.size == 0) {
        return;
    }
    stream->sending.bytes_max = SIZE_MAX;
    vg_buffer_append(&stream->sending, call->out.data, call->out.size);
    vg_buffer_clear(&call->out);
}

void vg_grpc_answer_finish(
    struct vg_grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error)
{
    if (stream->finished) {
        return;
    }
    vg_worker_clear_timer(stream->exchange->worker, &stream->deadline);
    if (!stream->responded) {
        answer_send_status(stream, reason, error);
    } else if (vg_grpc_stream_has_rows(stream)) {
        answer_keep_said(stream);
        answer_decide(stream, reason, error);
        vg_grpc_answer_resume(stream);
    } else {
        stream->finished = true;
        stream->exchange->carrier->abort(stream->exchange, reason);
    }
}

/* --- Messages --------------------------------------------------------------------------------
 */

void vg_grpc_answer_seal(struct vg_call *call, size_t start, bool is_plain)
{
    const struct vg_grpc_stream *stream = VG_CONTAINER_OF(call, struct vg_grpc_stream, call);
    const size_t message = start + VG_GRPC_PREFIX_SIZE;
    bool compressed =
        stream->coding != VG_GRPC_ENCODING_IDENTITY && !is_plain &&
        call->out.size - message >= call->service->settings->grpc_compression_bytes_min &&
        vg_grpc_encoding_deflate(stream->encodings, stream->coding, &call->out, message);
    VG_ASSERT(call->out.size - message <= UINT32_MAX);
    vg_grpc_frame_put_prefix(
        call->out.data + start,
        compressed,
        (uint32_t)(call->out.size - message));
}

void vg_grpc_answer_resume(struct vg_grpc_stream *stream)
{
    stream->exchange->carrier->resume(stream->exchange);
}

/* What the call has made is sent, and the drained buffer is for what it makes next. */
static void answer_swap(struct vg_grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    struct vg_buffer drained = stream->sending;
    drained.bytes_max = call->out.bytes_max;
    stream->sending = call->out;
    stream->taken = 0;
    call->out = drained;
    vg_buffer_clear(&call->out);
}

/* `sending` is drained and the call is here: send what it has made, and let it make more meanwhile.
 */
static void answer_advance(struct vg_grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    VG_ASSERT(!stream->away && !stream->decided && stream->taken == stream->sending.size);
    answer_swap(stream);
    if (call->out_done) {
        answer_decide(stream, VG_OK, NULL);
        return;
    }
    stream->away = true;
    vg_worker_hold(stream->worker);
    vg_call_more(call);
}

/* `sending` is drained: send what has been said meanwhile. */
static void answer_pass_on(struct vg_grpc_stream *stream)
{
    if (stream->call.out.size == 0) {
        return;
    }
    answer_swap(stream);
    vg_call_room(&stream->call);
    vg_grpc_request_go_on(stream);
}

enum vg_pull vg_grpc_answer_pull(
    struct vg_grpc_stream *stream,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    *out_size = 0;
    if (stream->finished) {
        return VG_PULL_FAILED;
    }
    if (stream->taken == stream->sending.size && !stream->decided) {
        if (!stream->away) {
            answer_advance(stream);
        } else if (stream->call.converses) {
            answer_pass_on(stream);
        }
    }
    size_t left = stream->sending.size - stream->taken;
    *out_size = left < size ? left : size;
    if (*out_size > 0) {
        memcpy(out, stream->sending.data + stream->taken, *out_size);
        stream->taken += *out_size;
    }
    if (stream->taken < stream->sending.size) {
        return VG_PULL_MORE;
    }
    if (!stream->decided) {
        return *out_size > 0 ? VG_PULL_MORE : VG_PULL_WAIT;
    }
    stream->finished = true;
    vg_worker_clear_timer(stream->worker, &stream->deadline);
    stream->exchange->trailers = stream->trailers;
    stream->exchange->trailer_count = stream->trailer_count;
    return VG_PULL_TRAILERS;
}
