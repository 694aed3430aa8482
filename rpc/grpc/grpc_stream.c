#include "rpc/grpc/grpc_stream.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/settings.h"
#include "rpc/grpc/grpc_face.h"
#include "rpc/grpc/grpc_request.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

/* Memory for the words of one status. */
#define VG_GRPC_STATUS_ARENA_BYTES (256u * 1024u)

static void stream_ready(struct vg_call *call);
static bool stream_say(struct vg_call *call, const struct vg_reply_row *row);

static const struct vg_face stream_face = {
    .name = "grpc",
    .find = vg_grpc_face_find,
    .read = vg_grpc_face_read,
    .write = vg_grpc_face_write,
    .ready = stream_ready,
    .taken = vg_grpc_request_taken,
    .say = stream_say,
    .takes_wire = true,
};

/* --- Life ------------------------------------------------------------------------------------
 */

struct vg_grpc_stream *vg_grpc_stream_create(
    struct vg_exchange *exchange,
    const struct vg_grpc_server *server)
{
    struct vg_grpc_stream *stream = vg_block_pool_alloc(&exchange->worker->blocks, sizeof(*stream));
    VG_ASSERT(stream != NULL);
    /* Not the call, which has an init of its own, and not what is lent to it. */
    const size_t first = offsetof(struct vg_grpc_stream, encodings);
    memset((uint8_t *)stream + first, 0, offsetof(struct vg_grpc_stream, lent_arena) - first);
    stream->encodings = server->encodings;
    stream->worker = exchange->worker;
    stream->exchange = exchange;
    vg_arena_init(&stream->arena, VG_GRPC_STATUS_ARENA_BYTES);
    vg_buffer_init(&stream->sending, 0);
    vg_buffer_init(&stream->message, 0);
    vg_buffer_init(&stream->plain, 0);
    vg_buffer_init(&stream->pending, SIZE_MAX);
    vg_buffer_count(&stream->sending);
    vg_buffer_count(&stream->message);
    vg_buffer_count(&stream->plain);
    vg_buffer_count(&stream->pending);
    exchange->state = stream;
    return stream;
}

static void stream_free(struct vg_grpc_stream *stream)
{
    if (stream->has_call) {
        vg_call_dispose(&stream->call);
    }
    vg_buffer_dispose(&stream->sending);
    vg_buffer_dispose(&stream->message);
    vg_buffer_dispose(&stream->plain);
    vg_buffer_dispose(&stream->pending);
    vg_arena_dispose(&stream->arena);
    vg_block_pool_free(&stream->worker->blocks, stream);
}

/* Cancel the call. False = another thread has it, and `ready` comes later. */
static bool stream_cancel(struct vg_grpc_stream *stream, enum vg_reason reason)
{
    if (!vg_call_cancel(&stream->call, reason)) {
        VG_ASSERT(stream->away);
        return false;
    }
    if (stream->away) { /* a streamed request between two of its parts */
        stream->away = false;
        vg_worker_release(stream->worker);
    }
    return true;
}

void vg_grpc_stream_close(struct vg_grpc_stream *stream)
{
    vg_worker_clear_timer(stream->worker, &stream->deadline);
    stream->exchange = NULL;
    if (!stream->has_call || stream->call.stage == VG_CALL_STAGE_ENDED ||
        stream_cancel(stream, VG_CANCELLED)) {
        stream_free(stream);
    }
}

void vg_grpc_stream_fail(struct vg_grpc_stream *stream, enum vg_reason reason)
{
    vg_call_fail(&stream->call, reason);
    vg_grpc_answer_finish(stream, reason, &stream->call.error);
}

/* --- Deadline --------------------------------------------------------------------------------
 */

static void stream_set_deadline(struct vg_grpc_stream *stream);

static void stream_on_deadline(struct vg_timer *timer)
{
    struct vg_grpc_stream *stream = VG_CONTAINER_OF(timer, struct vg_grpc_stream, deadline);
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_DEADLINE_EXCEEDED, NULL);
    if (stream->finished) {
        return;
    }
    if (stream->call.deadline_ns > vg_worker_now_ns(stream->worker)) {
        stream_set_deadline(stream); /* it has become a conversation meanwhile */
        return;
    }
    if (stream->responded && vg_grpc_stream_has_rows(stream)) {
        vg_grpc_answer_cut(stream);
    }
    vg_grpc_answer_finish(stream, VG_DEADLINE_EXCEEDED, &error);
    /* If another thread has the call it comes back later, and until then the stream stays. */
    (void)stream_cancel(stream, VG_DEADLINE_EXCEEDED);
}

static void stream_set_deadline(struct vg_grpc_stream *stream)
{
    struct vg_worker *worker = stream->exchange->worker;
    const struct vg_call *call = &stream->call;
    stream->deadline.fire = stream_on_deadline;
    if (call->deadline_ns == UINT64_MAX) {
        vg_worker_clear_timer(worker, &stream->deadline);
    } else {
        vg_worker_set_timer(worker, &stream->deadline, call->deadline_ns);
    }
}

/* --- What the call says ----------------------------------------------------------------------
 */

static bool stream_say(struct vg_call *call, const struct vg_reply_row *row)
{
    struct vg_grpc_stream *stream = VG_CONTAINER_OF(call, struct vg_grpc_stream, call);
    if (!vg_grpc_face_put(call, row)) {
        return false;
    }
    vg_grpc_answer_begin(stream);
    vg_grpc_answer_resume(stream);
    return true;
}

/* The face's `ready`: the call is back on its worker. */
static void stream_ready(struct vg_call *call)
{
    struct vg_grpc_stream *stream = VG_CONTAINER_OF(call, struct vg_grpc_stream, call);
    struct vg_worker *worker = stream->worker;
    stream->away = false;
    if (stream->exchange == NULL) {
        if (call->stage == VG_CALL_STAGE_ENDED || vg_call_cancel(call, VG_CANCELLED)) {
            stream_free(stream);
        }
    } else if (!stream->finished && !stream->decided && call->reason != VG_OK) {
        vg_grpc_answer_finish(stream, call->reason, &call->error);
    } else if (!stream->finished && !stream->decided) {
        if (!stream->responded) {
            vg_grpc_answer_begin(stream);
            stream_set_deadline(stream);
        }
        vg_grpc_answer_resume(stream);
    }
    vg_worker_release(worker);
}

/* --- The request head ------------------------------------------------------------------------
 */

/* Replace what is borrowed from the request by a copy that lives as long as the call, which may
 * outlive the exchange. False when it does not fit the arena. */
static bool call_keep(struct vg_call *call, struct vg_bytes *bytes)
{
    if (bytes->data == NULL) {
        return true;
    }
    const char *copy = vg_arena_text(&call->arena, *bytes);
    *bytes = vg_bytes(copy, copy == NULL ? 0 : bytes->size);
    return copy != NULL;
}

/* As many bytes as the carrier has let in, besides what the head of a call needs. */
static bool stream_keep_metadata(
    struct vg_grpc_stream *stream,
    const struct vg_grpc_headers *headers)
{
    struct vg_call *call = &stream->call;
    const size_t size =
        headers->metadata_bytes + headers->metadata_count * sizeof(struct vg_metadata_item);
    vg_arena_set_max(&call->arena, call->arena.bytes_max + size);
    return vg_grpc_headers_keep_metadata(
        &stream->exchange->request,
        headers,
        &call->arena,
        &call->metadata);
}

/* How messages of the answer are compressed. */
static enum vg_grpc_encoding stream_coding(const struct vg_grpc_stream *stream, unsigned accepted)
{
    const vg_setting_word wanted = stream->call.service->settings->grpc_compression;
    const enum vg_grpc_encoding asked = stream->frame.coding;
    if (wanted == VG_COMPRESSION_OFF || accepted == 0 ||
        (wanted == VG_COMPRESSION_ASKED && asked == VG_GRPC_ENCODING_IDENTITY)) {
        return VG_GRPC_ENCODING_IDENTITY;
    }
    const bool is_asked = asked != VG_GRPC_ENCODING_IDENTITY && (accepted & 1u << asked) != 0;
    return is_asked ? asked : vg_grpc_encoding_choose(accepted);
}

void vg_grpc_stream_begin(
    struct vg_grpc_stream *stream,
    struct vg_service *service,
    const struct vg_grpc_headers *headers)
{
    struct vg_exchange *exchange = stream->exchange;
    struct vg_call *call = &stream->call;
    vg_call_init(call, &stream_face, service, &exchange->worker->mailbox);
    vg_arena_lend(&call->arena, stream->lent_arena, sizeof(stream->lent_arena));
    vg_buffer_lend(&call->out, stream->lent_out, sizeof(stream->lent_out));
    stream->has_call = true;
    call->target = exchange->request.target;
    call->credential = headers->credential;
    call->idempotency_key = headers->idempotency_key;
    if (!call_keep(call, &call->target) || !call_keep(call, &call->credential) ||
        !call_keep(call, &call->idempotency_key) || !stream_keep_metadata(stream, headers)) {
        vg_grpc_stream_fail(stream, vg_error_set(&call->error, VG_HEADERS_TOO_LARGE, NULL));
        return;
    }
    call->peer = exchange->request.peer;
    call->peer_port = exchange->request.peer_port;
    call->http_version = exchange->request.version;
    call->form = exchange->form;
    call->identity = vg_peer_identity_ref(exchange->request.identity);
    call->timeout_ns = headers->timeout_ns;
    call->request_bytes_max = service->settings->grpc_message_bytes_max;
    enum vg_reason reason = vg_call_begin(call);
    exchange->is_proven = call->is_proven;
    if (reason != VG_OK) {
        vg_grpc_answer_finish(stream, reason, &call->error);
        return;
    }
    vg_buffer_lend(&call->body, stream->lent_body, sizeof(stream->lent_body));
    vg_grpc_frame_init(&stream->frame, call->request_bytes_max, headers->encoding);
    stream->coding = stream_coding(stream, headers->accepted);
    if (vg_call_is_streamed(call)) {
        stream->away = true;
        vg_worker_hold(exchange->worker);
        reason = vg_call_open(call); /* a conversation may be over already */
        if (reason != VG_OK) {
            stream->away = false;
            vg_worker_release(exchange->worker);
            vg_grpc_answer_finish(stream, reason, &call->error);
            return;
        }
        VG_ASSERT(call->converses || vg_call_takes_content(call));
        stream->message.bytes_max = call->request_bytes_max;
        stream->plain.bytes_max = call->request_bytes_max;
    }
    stream_set_deadline(stream);
}
