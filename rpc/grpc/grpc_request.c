#include "rpc/grpc/grpc_request.h"

#include "core/base/assert.h"
#include "rpc/grpc/grpc_stream.h"
#include "rpc/service/conversation.h"

/*
 * Of a conversation: no further message is read while so many bytes of earlier ones wait for the
 * handler, or so many of answers for the client. So the client's window stays closed meanwhile.
 */
#define VG_GRPC_UNHEARD_BYTES (1024u * 1024u)
#define VG_GRPC_UNREAD_BYTES  (256u * 1024u)

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
        reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    if (reason != VG_OK) {
        vg_grpc_stream_fail(stream, reason);
        return false;
    }
    vg_buffer_append(&call->body, piece.part.data, piece.part.size);
    return true;
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

/* A piece of a conversation's message: whole ones go to the call. */
static enum vg_reason stream_hear_piece(
    struct vg_grpc_stream *stream,
    const struct vg_grpc_piece *piece)
{
    struct vg_buffer *message = &stream->message;
    struct vg_bytes whole = piece->part;
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
    if (piece->complete && vg_call_feed_message(&stream->call, whole)) {
        stream->unheard += vg_intake_message_bytes(whole.size);
    }
    return VG_OK;
}

/* Is the handler ready for another message, and the client for another answer? */
static bool stream_may_hear(const struct vg_grpc_stream *stream)
{
    return stream->unheard < VG_GRPC_UNHEARD_BYTES &&
           vg_call_unsaid(&stream->call) < VG_GRPC_UNREAD_BYTES;
}

/* Messages of a conversation, as far as they are to be read now. What is read opens the window. */
static void stream_hear(struct vg_grpc_stream *stream, struct vg_bytes *part)
{
    struct vg_exchange *exchange = stream->exchange;
    const size_t before = part->size;
    enum vg_reason reason = VG_OK;
    while (part->size > 0 && reason == VG_OK && stream_may_hear(stream)) {
        struct vg_grpc_piece piece;
        reason = vg_grpc_frame_next(&stream->frame, part, &piece, NULL);
        if (reason == VG_OK) {
            reason = stream_hear_piece(stream, &piece);
        }
    }
    if (reason != VG_OK) {
        vg_call_break(&stream->call, reason);
    }
    if (reason != VG_OK || stream->decided || stream->finished) {
        *part = vg_bytes(part->data + part->size, 0);
    }
    exchange->carrier->consume(exchange, before - part->size);
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
    if (stream->exchange == NULL || stream->finished || !stream->call.converses) {
        return;
    }
    struct vg_bytes part = vg_buffer_bytes(&stream->pending);
    const size_t before = part.size;
    if (before > 0) {
        stream_hear(stream, &part);
        vg_buffer_drop(&stream->pending, before - part.size);
    }
    if (stream->ended && stream->pending.size == 0) {
        stream->ended = false;
        stream_received(stream);
    }
}

static void stream_converse(struct vg_grpc_stream *stream, struct vg_bytes part)
{
    if (stream->pending.size == 0) {
        stream_hear(stream, &part);
    }
    /* No more than a window of it. */
    vg_buffer_append(&stream->pending, part.data, part.size);
}

void vg_grpc_request_taken(struct vg_call *call, size_t size)
{
    struct vg_grpc_stream *stream = VG_CONTAINER_OF(call, struct vg_grpc_stream, call);
    if (call->converses) {
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
        if (stream->call.converses) {
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
        stream->ended = stream->call.converses;
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
    stream->away = true;
    vg_worker_hold(stream->worker);
    vg_call_run(call);
}
