#include "rpc/grpc/grpc_request.h"

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/memory_budget.h"
#include "rpc/grpc/grpc_stream.h"
#include "rpc/service/conversation.h"

/*
 * Of a conversation: no further message is read while so many bytes of earlier ones wait for the
 * handler, or so many of answers for the client. So the client's window stays closed meanwhile.
 */
#define VG_GRPC_UNHEARD_BYTES (1024u * 1024u)
#define VG_GRPC_UNREAD_BYTES  (256u * 1024u)
/* Of a method that needs no key, so that strangers cannot fill the memory of all calls together;
 * and so many bytes may wait unread for that, past which the call fails: the windows are those of
 * all. */
#define VG_GRPC_PUBLIC_UNHEARD_BYTES (64u * 1024u)
#define VG_GRPC_PUBLIC_PENDING_BYTES (128u * 1024u)
/* A compressed message from this size on may take more than 0.2 ms to inflate and to decode: it may
 * become a thousand times as large. */
#define VG_GRPC_HEAVY_BYTES 128u
/* What is kept of a buffer from one message of a stream to the next. */
#define VG_GRPC_IDLE_BYTES (16u * 1024u)

/* --- One message -----------------------------------------------------------------------------
 */

/* One step of the frame; false when the call has failed. */
static bool stream_take(struct vg_grpc_stream *stream, struct vg_bytes *part)
{
    struct vg_call *call = &stream->call;
    struct vg_grpc_piece piece;
    enum vg_reason reason = vg_grpc_frame_next(&stream->frame, part, &piece, &call->error);
    if (reason == VG_OK && stream->frame.messages + (stream->frame.left > 0) > 1) {
        reason = vg_error_set(&call->error, VG_MESSAGE_COUNT, NULL);
    }
    if (reason == VG_OK && piece.begins && !vg_buffer_reserve(&call->body, piece.size)) {
        const bool is_short = vg_memory_budget_is_short();
        reason = vg_error_set(&call->error, is_short ? VG_RESOURCE_LIMIT : VG_REQUEST_MEMORY, NULL);
    }
    if (reason != VG_OK) {
        vg_grpc_stream_fail(stream, reason);
        return false;
    }
    vg_buffer_append(&call->body, piece.part.data, piece.part.size);
    call->was_packed = call->was_packed || piece.compressed;
    return true;
}

enum vg_reason vg_grpc_request_unpack(struct vg_call *call)
{
    if (!call->was_packed) {
        return VG_OK;
    }
    struct vg_grpc_stream *stream = VG_CONTAINER_OF(call, struct vg_grpc_stream, call);
    struct vg_buffer plain;
    vg_buffer_init(&plain, call->request_bytes_max);
    vg_buffer_count(&plain);
    enum vg_reason reason = vg_grpc_encoding_inflate(
        stream->encodings,
        stream->frame.coding,
        vg_buffer_bytes(&call->body),
        call->request_bytes_max,
        &plain,
        &call->error);
    struct vg_buffer packed = call->body;
    call->body = plain;
    vg_buffer_dispose(&packed);
    vg_arena_set_max(&call->arena, vg_limit_arena_bytes(call->body.size));
    return reason;
}

/* --- The bytes of an upload ------------------------------------------------------------------
 */

/* Feed what one step of the frame has found; *out_kept says how many bytes of it the call keeps. */
static enum vg_reason stream_feed(
    struct vg_grpc_stream *stream,
    const struct vg_grpc_piece *piece,
    size_t *out_kept)
{
    struct vg_bytes part = piece->part;
    while (part.size > 0) {
        struct vg_bytes data;
        enum vg_reason reason = vg_grpc_content_next(&stream->content, &part, &data, NULL);
        if (reason != VG_OK) {
            return reason;
        }
        if (data.size > 0 && vg_call_feed(&stream->call, data)) {
            *out_kept += data.size;
        }
    }
    stream->call.messages_in += piece->complete;
    return piece->complete ? vg_grpc_content_end(&stream->content, NULL) : VG_OK;
}

/* Body bytes of a streamed request: the window opens as they are taken. */
static void stream_receive(struct vg_grpc_stream *stream, struct vg_bytes part)
{
    struct vg_exchange *exchange = stream->exchange;
    const size_t size = part.size;
    size_t kept = 0;
    enum vg_reason reason = VG_OK;
    while (part.size > 0 && reason == VG_OK && !stream->finished) {
        struct vg_grpc_piece piece;
        reason = vg_grpc_frame_next(&stream->frame, &part, &piece, NULL);
        if (reason == VG_OK) {
            reason = stream_feed(stream, &piece, &kept);
        }
    }
    if (reason != VG_OK) {
        vg_call_break(&stream->call, reason);
    }
    exchange->carrier->consume(exchange, size - kept);
}

/* --- The messages of a conversation ----------------------------------------------------------
 */

/* Make `message` of the pieces of one. Then *out_whole is all of it, inflated if need be into
 * stream->plain; until then its data are NULL. */
static enum vg_reason stream_collect(
    struct vg_grpc_stream *stream,
    const struct vg_grpc_piece *piece,
    struct vg_bytes *out_whole)
{
    struct vg_buffer *message = &stream->message;
    struct vg_bytes whole = piece->part;
    *out_whole = vg_bytes(NULL, 0);
    if (piece->begins) {
        vg_buffer_clear(message);
    }
    if (!piece->complete || message->size > 0) {
        vg_buffer_append(message, piece->part.data, piece->part.size);
        whole = vg_buffer_bytes(message);
    }
    if (message->failed) {
        return VG_REQUEST_MEMORY;
    }
    if (!piece->complete) {
        return VG_OK;
    }
    if (piece->compressed) {
        vg_buffer_clear(&stream->plain);
        enum vg_reason reason = vg_grpc_encoding_inflate(
            stream->encodings,
            stream->frame.coding,
            whole,
            stream->call.request_bytes_max,
            &stream->plain,
            NULL);
        if (reason != VG_OK) {
            return reason;
        }
        whole = vg_buffer_bytes(&stream->plain);
    }
    *out_whole = vg_bytes(whole.data == NULL ? (const uint8_t *)"" : whole.data, whole.size);
    return VG_OK;
}

/* A stream that is silent now keeps no large buffer. */
static void stream_forget(struct vg_buffer *buffer)
{
    if (buffer->capacity > VG_GRPC_IDLE_BYTES) {
        vg_buffer_dispose(buffer);
    }
    vg_buffer_clear(buffer);
}

/* A piece of a conversation's message: whole ones go to the call. */
static enum vg_reason stream_hear_piece(
    struct vg_grpc_stream *stream,
    const struct vg_grpc_piece *piece)
{
    struct vg_bytes whole;
    enum vg_reason reason = stream_collect(stream, piece, &whole);
    if (reason != VG_OK || whole.data == NULL) {
        return reason;
    }
    bool fed = piece->compressed ? vg_call_feed_packed_message(&stream->call, whole)
                                 : vg_call_feed_message(&stream->call, whole);
    if (fed) {
        stream->unheard += vg_intake_message_bytes(whole.size);
    }
    stream_forget(&stream->message);
    stream_forget(&stream->plain);
    return VG_OK;
}

static bool stream_is_public(const struct vg_grpc_stream *stream)
{
    return (stream->call.method->flags & VG_METHOD_PUBLIC) != 0;
}

/* Is the handler ready for another message, and the client for another answer? */
static bool stream_may_hear(const struct vg_grpc_stream *stream)
{
    const size_t most =
        stream_is_public(stream) ? VG_GRPC_PUBLIC_UNHEARD_BYTES : VG_GRPC_UNHEARD_BYTES;
    return stream->unheard < most && stream->plain.size == 0 &&
           vg_call_unsaid(&stream->call) < VG_GRPC_UNREAD_BYTES;
}

/* Of an upload: feed of the message that was inflated as much as may wait. */
static enum vg_reason stream_feed_plain(struct vg_grpc_stream *stream)
{
    struct vg_buffer *plain = &stream->plain;
    while (stream->plain_read < plain->size && stream->unheard < VG_GRPC_UNHEARD_BYTES) {
        struct vg_bytes part =
            vg_bytes(plain->data + stream->plain_read, plain->size - stream->plain_read);
        if (part.size > VG_GRPC_UNHEARD_BYTES) {
            part.size = VG_GRPC_UNHEARD_BYTES;
        }
        const struct vg_grpc_piece piece = { .part = part,
                                             .complete =
                                                 stream->plain_read + part.size == plain->size };
        enum vg_reason reason = stream_feed(stream, &piece, &stream->unheard);
        if (reason != VG_OK) {
            return reason;
        }
        stream->plain_read += part.size;
    }
    if (stream->plain_read == plain->size) {
        stream->plain_read = 0;
        stream_forget(plain);
    }
    return VG_OK;
}

/* A piece of a message of an upload whose messages may be compressed. */
static enum vg_reason stream_unpack_piece(
    struct vg_grpc_stream *stream,
    const struct vg_grpc_piece *piece)
{
    struct vg_bytes whole;
    if (!piece->compressed) {
        return stream_feed(stream, piece, &stream->unheard);
    }
    enum vg_reason reason = stream_collect(stream, piece, &whole);
    if (reason != VG_OK || whole.data == NULL) {
        return reason;
    }
    stream_forget(&stream->message);
    return whole.size == 0 ? vg_grpc_content_end(&stream->content, NULL)
                           : stream_feed_plain(stream);
}

/* Messages of a stream, as far as they are to be read now. What is read opens the window. */
static void stream_hear(struct vg_grpc_stream *stream, struct vg_bytes *part)
{
    struct vg_exchange *exchange = stream->exchange;
    const size_t before = part->size;
    enum vg_reason reason = VG_OK;
    if (stream->plain.size > 0) {
        reason = stream_feed_plain(stream);
    }
    while (part->size > 0 && reason == VG_OK && stream_may_hear(stream)) {
        struct vg_grpc_piece piece;
        reason = vg_grpc_frame_next(&stream->frame, part, &piece, NULL);
        if (reason == VG_OK) {
            reason = stream->call.converses ? stream_hear_piece(stream, &piece)
                                            : stream_unpack_piece(stream, &piece);
        }
    }
    if (reason != VG_OK) {
        vg_call_break(&stream->call, reason);
    }
    if (reason != VG_OK || stream->decided || stream->finished) {
        *part = vg_bytes(part->data + part->size, 0);
        vg_buffer_clear(&stream->plain);
    }
    exchange->carrier->consume(exchange, before - part->size);
}

/* Are its messages read one by one, as there is room for them? Of an upload only when they may be
 * compressed: as it is, it needs no room of ours. */
static bool stream_is_heard(const struct vg_grpc_stream *stream)
{
    return stream->call.converses || stream->frame.coding == VG_GRPC_ENCODING_GZIP ||
           stream->frame.coding == VG_GRPC_ENCODING_DEFLATE;
}

/* --- All of it -------------------------------------------------------------------------------
 */

static void stream_received(struct vg_grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    if (!vg_grpc_frame_is_idle(&stream->frame)) {
        vg_call_break(call, VG_BAD_FRAME);
        return;
    }
    uint64_t deadline_ns = vg_call_fed(call);
    if (!stream->finished && !call->converses) {
        vg_worker_set_timer(stream->worker, &stream->deadline, deadline_ns);
    }
}

void vg_grpc_request_go_on(struct vg_grpc_stream *stream)
{
    if (stream->exchange == NULL || stream->finished || !stream_is_heard(stream)) {
        return;
    }
    struct vg_bytes part = vg_buffer_bytes(&stream->pending);
    const size_t before = part.size;
    if (before > 0 || stream->plain.size > 0) {
        stream_hear(stream, &part);
        vg_buffer_drop(&stream->pending, before - part.size);
    }
    if (stream->ended && stream->pending.size == 0 && stream->plain.size == 0) {
        stream->ended = false;
        stream_received(stream);
    }
}

static void stream_converse(struct vg_grpc_stream *stream, struct vg_bytes part)
{
    if (stream->pending.size == 0) {
        stream_hear(stream, &part);
    }
    const size_t waiting = stream->pending.size + part.size;
    if (waiting > VG_GRPC_PUBLIC_PENDING_BYTES && stream_is_public(stream)) {
        vg_buffer_dispose(&stream->pending);
        stream->exchange->carrier->consume(stream->exchange, waiting);
        vg_call_break(&stream->call, VG_REQUEST_TOO_LARGE);
        return;
    }
    /* No more than a window of it. */
    vg_buffer_append(&stream->pending, part.data, part.size);
}

void vg_grpc_request_taken(struct vg_call *call, size_t size)
{
    struct vg_grpc_stream *stream = VG_CONTAINER_OF(call, struct vg_grpc_stream, call);
    if (stream_is_heard(stream)) {
        VG_ASSERT(size <= stream->unheard);
        stream->unheard -= size;
        vg_grpc_request_go_on(stream);
        return;
    }
    if (stream->exchange != NULL) {
        stream->exchange->carrier->consume(stream->exchange, size);
    }
}

void vg_grpc_request_take(struct vg_grpc_stream *stream, struct vg_bytes part)
{
    const size_t size = part.size;
    if (!stream->finished && vg_grpc_stream_receives(stream)) {
        if (stream_is_heard(stream)) {
            stream_converse(stream, part);
        } else {
            stream_receive(stream, part);
        }
        return;
    }
    while (part.size > 0 && !stream->finished && stream_take(stream, &part)) {
    }
    /* The body is kept within the limit of one message, or dropped: the window may open at once. */
    stream->exchange->carrier->consume(stream->exchange, size);
}

void vg_grpc_request_end(struct vg_grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    if (stream->finished) {
        return;
    }
    if (vg_grpc_stream_receives(stream)) {
        stream->ended = stream_is_heard(stream);
        if (stream->ended) {
            vg_grpc_request_go_on(stream);
        } else {
            stream_received(stream);
        }
        return;
    }
    if (!vg_grpc_frame_is_idle(&stream->frame)) {
        vg_grpc_stream_fail(
            stream,
            vg_error_set(&call->error, VG_BAD_FRAME, "the request ends within a message"));
        return;
    }
    if (stream->frame.messages != 1) {
        vg_grpc_stream_fail(stream, vg_error_set(&call->error, VG_MESSAGE_COUNT, NULL));
        return;
    }
    call->is_heavy = call->was_packed && call->body.size >= VG_GRPC_HEAVY_BYTES;
    stream->away = true;
    vg_worker_hold(stream->worker);
    vg_call_run(call);
}
