#include "rpc/grpc/grpc_server.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/settings.h"
#include "core/base/text_number.h"
#include "rpc/grpc/grpc_content.h"
#include "rpc/grpc/grpc_face.h"
#include "rpc/grpc/grpc_frame.h"
#include "rpc/grpc/grpc_headers.h"
#include "rpc/grpc/grpc_status.h"
#include "rpc/net/worker.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

/* Memory for the words of one status. */
#define VG_GRPC_STATUS_ARENA_BYTES (256u * 1024u)

/*
 * Of a conversation: no further message is read while so many bytes of earlier ones wait for the
 * handler, or so many of answers for the client. So the client's window stays closed meanwhile.
 */
#define VG_GRPC_UNHEARD_BYTES (1024u * 1024u)
#define VG_GRPC_UNREAD_BYTES  (256u * 1024u)

/* Static texts as headers. */
#define VG_GRPC_FIELD(text_name, text_value)                                                       \
    {                                                                                              \
        .name = { (const uint8_t *)(text_name), sizeof(text_name) - 1 }, .value = {                \
            (const uint8_t *)(text_value),                                                         \
            sizeof(text_value) - 1                                                                 \
        }                                                                                          \
    }

static const struct vg_http_header server_head[] = {
    VG_GRPC_FIELD("content-type", "application/grpc"),
    VG_GRPC_FIELD("grpc-accept-encoding", "identity"),
};
#define VG_GRPC_HEAD_COUNT VG_ARRAY_COUNT(server_head)

static const struct vg_http_header server_ok[] = { VG_GRPC_FIELD("grpc-status", "0") };

/* What a stream of rows tells before the first: the numbers that a unary answer has as members. */
#define VG_GRPC_PAGE_COUNT 3u

/*
 * One call and what surrounds it.
 *
 * Its answer is sent from `sending`, which changes places with call.out when it is drained: so the
 * next part is made while this one waits for the client's window.
 */
struct grpc_stream {
    struct vg_call call;
    struct vg_worker *worker;
    struct vg_exchange *exchange; /* NULL once it is closed */
    struct vg_grpc_frame frame;
    struct vg_grpc_content content; /* of a streamed request */
    struct vg_buffer message;       /* of a conversation: the message that is not yet complete */
    struct vg_buffer pending;       /* of a conversation: bytes that are not to be read yet */
    size_t unheard;                 /* bytes of messages the handler has not taken */
    struct vg_timer deadline;
    bool has_call; /* `call` is initialised and not yet disposed */
    /* vg_call_open, vg_call_run or vg_call_more was called, `ready` has not come: the worker is
     * held. */
    bool away;
    bool responded; /* the response head is out: what follows is body and trailers */
    bool decided;   /* `trailers` are the status, behind what is left of `sending` */
    bool finished;  /* nothing more is to be said */
    bool ended;     /* of a conversation: the client has said all */
    struct vg_buffer sending;
    size_t taken;          /* of `sending` */
    struct vg_arena arena; /* words of the status; the call's own may be with another thread */
    struct vg_http_header trailers[VG_GRPC_HEAD_COUNT + VG_GRPC_STATUS_TRAILERS];
    size_t trailer_count;
};

static void grpc_ready(struct vg_call *call);
static void grpc_taken(struct vg_call *call, size_t size);
static bool grpc_say(struct vg_call *call, const ProtobufCMessage *message);
static void stream_hear_on(struct grpc_stream *stream);

static const struct vg_face grpc_face = {
    .name = "grpc",
    .find = vg_grpc_face_find,
    .read = vg_grpc_face_read,
    .write = vg_grpc_face_write,
    .ready = grpc_ready,
    .taken = grpc_taken,
    .say = grpc_say,
    .takes_wire = true,
};

static struct vg_service *grpc_service(const struct vg_exchange *exchange)
{
    const struct vg_grpc_server *server =
        VG_CONTAINER_OF_CONST(exchange->app, struct vg_grpc_server, app);
    return server->service;
}

static void stream_free(struct grpc_stream *stream)
{
    if (stream->has_call) {
        vg_call_dispose(&stream->call);
    }
    vg_buffer_dispose(&stream->sending);
    vg_buffer_dispose(&stream->message);
    vg_buffer_dispose(&stream->pending);
    vg_arena_dispose(&stream->arena);
    vg_block_pool_free(&stream->worker->blocks, stream);
}

/* --- Answering ---------------------------------------------------------------------------------
 */

/* Is the request a stream that is being taken? */
static bool stream_receives(const struct grpc_stream *stream)
{
    return stream->has_call && stream->call.method != NULL && vg_call_is_streamed(&stream->call);
}

static bool stream_has_rows(const struct grpc_stream *stream)
{
    const struct vg_call *call = &stream->call;
    return stream->has_call && call->method != NULL &&
           (call->method->flags & VG_METHOD_STREAMS) != 0;
}

static void stream_respond(struct grpc_stream *stream)
{
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
    struct vg_http_header headers[VG_GRPC_HEAD_COUNT + VG_GRPC_PAGE_COUNT];
    size_t count = VG_GRPC_HEAD_COUNT;
    memcpy(headers, server_head, sizeof(server_head));
    bool has_page = stream_has_rows(stream) && stream->call.method->envelope == VG_ENVELOPE_LIST;
    for (size_t i = 0; has_page && i < VG_GRPC_PAGE_COUNT; i++) {
        size_t size = vg_text_number_print_int64(page[i].value, texts[i]);
        headers[count++] =
            (struct vg_http_header){ vg_bytes_text(page[i].name), vg_bytes(texts[i], size) };
    }
    stream->responded = true;
    stream->exchange->carrier->respond(
        stream->exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = headers,
                                    .header_count = count,
                                    .content_length = -1 });
}

/* The status of an answer that has begun; it follows what is left of `sending`. */
static void stream_decide(
    struct grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error)
{
    stream->decided = true;
    if (reason == VG_OK) {
        memcpy(stream->trailers, server_ok, sizeof(server_ok));
        stream->trailer_count = VG_ARRAY_COUNT(server_ok);
    } else {
        stream->trailer_count =
            vg_grpc_status_trailers(reason, error, &stream->arena, stream->trailers);
    }
}

/* Drop the messages of `sending` that have not begun to go out. */
static void stream_cut(struct grpc_stream *stream)
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
}

/* A conversation that fails is over after what has been said. */
static void stream_keep_said(struct grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    if (!call->converses || call->out.size == 0) {
        return;
    }
    stream->sending.bytes_max = SIZE_MAX;
    vg_buffer_append(&stream->sending, call->out.data, call->out.size);
    vg_buffer_clear(&call->out);
}

/* End a call that failed: trailers alone when nothing has been sent; rows end after the message
 * that is under way; the one message of a unary answer is cut. */
static void stream_finish(
    struct grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error)
{
    if (stream->finished) {
        return;
    }
    vg_worker_clear_timer(stream->exchange->worker, &stream->deadline);
    if (stream->responded && stream_has_rows(stream)) {
        stream_keep_said(stream);
        stream_decide(stream, reason, error);
        stream->exchange->carrier->resume(stream->exchange);
        return;
    }
    stream->finished = true;
    if (stream->responded) {
        stream->exchange->carrier->abort(stream->exchange, reason);
        return;
    }
    memcpy(stream->trailers, server_head, sizeof(server_head));
    stream->trailer_count = VG_GRPC_HEAD_COUNT + vg_grpc_status_trailers(
                                                     reason,
                                                     error,
                                                     &stream->arena,
                                                     stream->trailers + VG_GRPC_HEAD_COUNT);
    stream->responded = true;
    stream->exchange->carrier->respond(
        stream->exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = stream->trailers,
                                    .header_count = stream->trailer_count,
                                    .content_length = -1,
                                    .no_body = true });
}

/* The request itself is wrong: no handler will see it. */
static void stream_fail(struct grpc_stream *stream, enum vg_reason reason)
{
    vg_call_fail(&stream->call, reason);
    stream_finish(stream, reason, &stream->call.error);
}

/* What is no gRPC call is answered in HTTP. grpc PROTOCOL-HTTP2, "Requests". */
static void stream_refuse(struct grpc_stream *stream, unsigned status)
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

static void stream_set_deadline(struct grpc_stream *stream);

/* `sending` is drained and the call is here: send what it has made, and let it make more meanwhile.
 */
static void stream_advance(struct grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    struct vg_buffer drained = stream->sending;
    VG_ASSERT(!stream->away && !stream->decided && stream->taken == drained.size);
    drained.bytes_max = call->out.bytes_max;
    stream->sending = call->out;
    stream->taken = 0;
    call->out = drained;
    vg_buffer_clear(&call->out);
    if (call->out_done) {
        stream_decide(stream, VG_OK, NULL);
        return;
    }
    stream->away = true;
    vg_worker_hold(stream->worker);
    vg_call_more(call);
}

/* `sending` is drained: send what has been said meanwhile. */
static void stream_pass_on(struct grpc_stream *stream)
{
    struct vg_call *call = &stream->call;
    if (call->out.size == 0) {
        return;
    }
    struct vg_buffer drained = stream->sending;
    drained.bytes_max = call->out.bytes_max;
    stream->sending = call->out;
    stream->taken = 0;
    call->out = drained;
    vg_buffer_clear(&call->out);
    vg_call_room(call);
    stream_hear_on(stream);
}

/* The face's `say`. */
static bool grpc_say(struct vg_call *call, const ProtobufCMessage *message)
{
    struct grpc_stream *stream = VG_CONTAINER_OF(call, struct grpc_stream, call);
    if (!vg_grpc_face_put(call, message)) {
        return false;
    }
    if (!stream->responded) {
        stream_respond(stream);
    }
    stream->exchange->carrier->resume(stream->exchange);
    return true;
}

/* The face's `ready`: the call is back on its worker. */
static void grpc_ready(struct vg_call *call)
{
    struct grpc_stream *stream = VG_CONTAINER_OF(call, struct grpc_stream, call);
    struct vg_worker *worker = stream->worker;
    stream->away = false;
    if (stream->exchange == NULL) {
        if (call->stage == VG_CALL_STAGE_ENDED || vg_call_cancel(call, VG_CANCELLED)) {
            stream_free(stream);
        }
    } else if (!stream->finished && !stream->decided && call->reason != VG_OK) {
        stream_finish(stream, call->reason, &call->error);
    } else if (!stream->finished && !stream->decided) {
        if (!stream->responded) {
            stream_respond(stream);
            stream_set_deadline(stream);
        }
        stream->exchange->carrier->resume(stream->exchange);
    }
    vg_worker_release(worker);
}

/* Cancel the call. False = another thread has it, and `ready` comes later. */
static bool stream_cancel(struct grpc_stream *stream, enum vg_reason reason)
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

/* --- Deadline ----------------------------------------------------------------------------------
 */

static void stream_on_deadline(struct vg_timer *timer)
{
    struct grpc_stream *stream = VG_CONTAINER_OF(timer, struct grpc_stream, deadline);
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
    if (stream->responded && stream_has_rows(stream)) {
        stream_cut(stream);
    }
    stream_finish(stream, VG_DEADLINE_EXCEEDED, &error);
    /* If another thread has the call it comes back later, and until then the stream stays. */
    (void)stream_cancel(stream, VG_DEADLINE_EXCEEDED);
}

static void stream_set_deadline(struct grpc_stream *stream)
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

/* --- The request -------------------------------------------------------------------------------
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

static void stream_begin(struct grpc_stream *stream, const struct vg_grpc_headers *headers)
{
    const struct vg_exchange *exchange = stream->exchange;
    struct vg_service *service = grpc_service(exchange);
    struct vg_call *call = &stream->call;
    vg_call_init(call, &grpc_face, service, &exchange->worker->mailbox);
    stream->has_call = true;
    call->target = exchange->request.target;
    call->credential = headers->credential;
    call->idempotency_key = headers->idempotency_key;
    if (!call_keep(call, &call->target) || !call_keep(call, &call->credential) ||
        !call_keep(call, &call->idempotency_key)) {
        stream_fail(stream, vg_error_set(&call->error, VG_HEADERS_TOO_LARGE, NULL));
        return;
    }
    call->peer = exchange->request.peer;
    call->peer_port = exchange->request.peer_port;
    call->timeout_ns = headers->timeout_ns;
    call->request_bytes_max = service->settings->grpc_message_bytes_max;
    enum vg_reason reason = vg_call_begin(call);
    if (reason != VG_OK) {
        stream_finish(stream, reason, &call->error);
        return;
    }
    vg_grpc_frame_init(&stream->frame, call->request_bytes_max, headers->encoding);
    if (vg_call_is_streamed(call)) {
        stream->away = true;
        vg_worker_hold(exchange->worker);
        reason = vg_call_open(call); /* a conversation may be over already */
        if (reason != VG_OK) {
            stream->away = false;
            vg_worker_release(exchange->worker);
            stream_finish(stream, reason, &call->error);
            return;
        }
        if (call->converses) {
            stream->message.bytes_max = call->request_bytes_max;
        } else {
            VG_ASSERT(vg_call_takes_content(call));
        }
    }
    stream_set_deadline(stream);
}

static struct grpc_stream *stream_create(struct vg_exchange *exchange)
{
    struct grpc_stream *stream =
        vg_block_pool_calloc(&exchange->worker->blocks, 1, sizeof(*stream));
    VG_ASSERT(stream != NULL);
    stream->worker = exchange->worker;
    stream->exchange = exchange;
    vg_arena_init(&stream->arena, VG_GRPC_STATUS_ARENA_BYTES);
    vg_buffer_init(&stream->sending, 0);
    vg_buffer_init(&stream->message, 0);
    vg_buffer_init(&stream->pending, SIZE_MAX);
    exchange->state = stream;
    return stream;
}

static void grpc_refuse(struct vg_exchange *exchange, enum vg_reason reason)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    stream_finish(stream_create(exchange), vg_error_set(&error, reason, NULL), &error);
}

static void grpc_headers(struct vg_exchange *exchange)
{
    struct grpc_stream *stream = stream_create(exchange);
    if (!vg_bytes_equal(exchange->request.method, vg_bytes_text("POST"))) {
        stream_refuse(stream, 405);
        return;
    }
    struct vg_grpc_headers headers;
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason = vg_grpc_headers_read(&exchange->request, &headers, &error);
    if (reason == VG_CONTENT_TYPE) {
        stream_refuse(stream, 415);
    } else if (reason != VG_OK) {
        stream_finish(stream, reason, &error);
    } else {
        stream_begin(stream, &headers);
    }
}

/* One step of the frame; false when the call has failed. */
static bool stream_take(struct grpc_stream *stream, struct vg_bytes *part)
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
        stream_fail(stream, reason);
        return false;
    }
    vg_buffer_append(&call->body, piece.part.data, piece.part.size);
    return true;
}

/* Feed what one step of the frame has found; *out_kept says how many bytes of it the call keeps. */
static enum vg_reason stream_feed(
    struct grpc_stream *stream,
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
    return piece->complete ? vg_grpc_content_end(&stream->content, NULL) : VG_OK;
}

/* Body bytes of a streamed request: the window opens as they are taken. */
static void stream_receive(struct grpc_stream *stream, struct vg_bytes part)
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

/* A piece of a conversation's message: whole ones go to the call. */
static enum vg_reason stream_hear_piece(
    struct grpc_stream *stream,
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
static bool stream_may_hear(const struct grpc_stream *stream)
{
    return stream->unheard < VG_GRPC_UNHEARD_BYTES &&
           vg_call_unsaid(&stream->call) < VG_GRPC_UNREAD_BYTES;
}

/* Messages of a conversation, as far as they are to be read now. What is read opens the window. */
static void stream_hear(struct grpc_stream *stream, struct vg_bytes *part)
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

static void stream_received(struct grpc_stream *stream);

/* The handler or the client has caught up: go on with what has waited. */
static void stream_hear_on(struct grpc_stream *stream)
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

static void stream_converse(struct grpc_stream *stream, struct vg_bytes part)
{
    if (stream->pending.size == 0) {
        stream_hear(stream, &part);
    }
    /* No more than a window of it. */
    vg_buffer_append(&stream->pending, part.data, part.size);
}

static void grpc_taken(struct vg_call *call, size_t size)
{
    struct grpc_stream *stream = VG_CONTAINER_OF(call, struct grpc_stream, call);
    if (call->converses) {
        VG_ASSERT(size <= stream->unheard);
        stream->unheard -= size;
        stream_hear_on(stream);
        return;
    }
    if (stream->exchange != NULL) {
        stream->exchange->carrier->consume(stream->exchange, size);
    }
}

static void stream_received(struct grpc_stream *stream)
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

static void grpc_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    struct grpc_stream *stream = exchange->state;
    const size_t size = part.size;
    if (!stream->finished && stream_receives(stream)) {
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
    exchange->carrier->consume(exchange, size);
}

static void grpc_end(struct vg_exchange *exchange)
{
    struct grpc_stream *stream = exchange->state;
    struct vg_call *call = &stream->call;
    if (stream->finished) {
        return;
    }
    if (stream_receives(stream)) {
        stream->ended = stream->call.converses;
        if (stream->ended) {
            stream_hear_on(stream);
        } else {
            stream_received(stream);
        }
        return;
    }
    if (!vg_grpc_frame_is_idle(&stream->frame)) {
        stream_fail(
            stream,
            vg_error_set(&call->error, VG_BAD_FRAME, "the request ends within a message"));
        return;
    }
    if (stream->frame.messages != 1) {
        stream_fail(stream, vg_error_set(&call->error, VG_MESSAGE_COUNT, NULL));
        return;
    }
    stream->away = true;
    vg_worker_hold(exchange->worker);
    vg_call_run(call);
}

/* --- The answer --------------------------------------------------------------------------------
 */

static enum vg_pull grpc_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    struct grpc_stream *stream = exchange->state;
    *out_size = 0;
    if (stream->finished) {
        return VG_PULL_FAILED;
    }
    if (stream->taken == stream->sending.size && !stream->decided) {
        if (!stream->away) {
            stream_advance(stream);
        } else if (stream->call.converses) {
            stream_pass_on(stream);
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
    vg_worker_clear_timer(exchange->worker, &stream->deadline);
    exchange->trailers = stream->trailers;
    exchange->trailer_count = stream->trailer_count;
    return VG_PULL_TRAILERS;
}

static void grpc_drain(struct vg_exchange *exchange)
{
    struct grpc_stream *stream = exchange->state;
    if (stream->has_call && !stream->finished) {
        vg_call_drain(&stream->call);
    }
}

static void grpc_closed(struct vg_exchange *exchange, bool answered)
{
    struct grpc_stream *stream = exchange->state;
    (void)answered;
    vg_worker_clear_timer(exchange->worker, &stream->deadline);
    stream->exchange = NULL;
    if (!stream->has_call || stream->call.stage == VG_CALL_STAGE_ENDED ||
        stream_cancel(stream, VG_CANCELLED)) {
        stream_free(stream);
    }
}

void vg_grpc_server_init(struct vg_grpc_server *server, struct vg_service *service)
{
    *server = (struct vg_grpc_server){ .app = { .headers = grpc_headers,
                                                .refuse = grpc_refuse,
                                                .body = grpc_body,
                                                .end = grpc_end,
                                                .pull = grpc_pull,
                                                .drain = grpc_drain,
                                                .closed = grpc_closed },
                                       .service = service };
}
