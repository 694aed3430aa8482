#include "gateway/rpcweb/relay.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/base64.h"
#include "core/base/compiler.h"
#include "core/base/settings.h"
#include "gateway/rpcweb/base64_stream.h"
#include "gateway/rpcweb/connect_error.h"
#include "gateway/rpcweb/connect_head.h"
#include "gateway/rpcweb/page.h"
#include "gateway/rpcweb/relay_form.h"
#include "rpc/grpc/grpc_status.h"

/* Bytes of an answer that become base64 at once: whole groups, so that only the last of what is
 * there is padded. */
#define VG_RELAY_PLAIN_BYTES 12288u
/* Characters of a request that are decoded at once. */
#define VG_RELAY_TEXT_BYTES 8192u
/* Memory for the words of one status. */
#define VG_RELAY_STATUS_ARENA_BYTES (64u * 1024u)

struct relay_stream {
    struct vg_exchange inner; /* what gRPC sees */
    struct vg_exchange *outer;
    const struct vg_relay *relay;
    struct vg_page page;
    struct vg_connect_head head;             /* of a stream of the Connect protocol */
    const struct vg_relay_form *form;        /* of the request; NULL = it has none that is read */
    const struct vg_relay_form *answer_form; /* of the answer */
    struct vg_http_header *headers;          /* of the inner request */
    struct vg_base64_stream text;
    size_t text_in;        /* of a request as text: characters that came, */
    size_t plain_in;       /* bytes they were, */
    size_t plain_out;      /* how many of them gRPC is done with, */
    size_t text_out;       /* and of how many characters that was said */
    struct vg_buffer tail; /* of the answer: what is ready to be sent before anything else */
    size_t tail_taken;
    bool is_last; /* nothing comes behind `tail` */
    bool responded;
    bool over; /* gRPC has let go of the inner exchange, or never had it */
};

static const struct vg_exchange_carrier relay_carrier;

static struct relay_stream *stream_of(struct vg_exchange *inner)
{
    return VG_CONTAINER_OF(inner, struct relay_stream, inner);
}

/* --- What gRPC says --------------------------------------------------------------------------
 */

/* Of the Connect protocol: the status stands in the body, even if it is all there is. */
static void stream_move_status(struct relay_stream *stream, struct vg_http_response *answer)
{
    struct vg_http_header status[VG_GRPC_STATUS_TRAILERS];
    size_t count = 0;
    for (size_t i = 0; i < answer->header_count; i++) {
        const struct vg_http_header *header = &answer->headers[i];
        if (vg_connect_error_owns(header->name) && count < VG_ARRAY_COUNT(status) &&
            vg_bytes_equal(
                header->name,
                vg_relay_form_answer_name(stream->answer_form, header->name))) {
            status[count++] = *header;
        }
    }
    stream->is_last = true;
    stream->answer_form->put_status(status, count, &stream->tail);
    answer->content_length = (int64_t)stream->tail.size;
    answer->no_body = false;
}

/* A header of gRPC's in the answer; false = it is not sent. */
static bool stream_put_header(
    const struct relay_stream *stream,
    const struct vg_http_header *header,
    struct vg_http_header *out)
{
    *out = *header;
    out->name = vg_relay_form_answer_name(stream->answer_form, header->name);
    if (vg_bytes_equal(header->name, vg_bytes_text("content-type"))) {
        out->value = vg_bytes_text(stream->answer_form->content_type);
    }
    return !stream->answer_form->is_connect || !vg_connect_error_owns(out->name);
}

static void relay_respond(struct vg_exchange *inner, const struct vg_http_response *response)
{
    struct relay_stream *stream = stream_of(inner);
    struct vg_http_response answer = *response;
    struct vg_http_header *headers =
        calloc(response->header_count + 1 + VG_PAGE_HEADERS_MAX, sizeof(*headers));
    VG_ASSERT(headers != NULL);
    if (response->no_body) {
        answer.content_length = 0; /* HTTP/1.1 would wait for its end */
        if (stream->answer_form->is_connect && response->status == 200) {
            stream_move_status(stream, &answer);
        }
    }
    answer.header_count = 0;
    for (size_t i = 0; i < response->header_count; i++) {
        answer.header_count +=
            stream_put_header(stream, &response->headers[i], &headers[answer.header_count]);
    }
    const char *vary = vg_page_vary(&stream->page, false);
    if (vary != NULL) {
        headers[answer.header_count++] =
            (struct vg_http_header){ vg_bytes_text("vary"), vg_bytes_text(vary) };
    }
    answer.header_count += vg_page_headers(&stream->page, NULL, headers + answer.header_count);
    answer.headers = headers;
    stream->responded = true;
    stream->outer->endless = inner->endless;
    stream->outer->carrier->respond(stream->outer, &answer);
    free(headers);
    if (stream->is_last) {
        stream->outer->carrier->resume(stream->outer);
    }
}

static void relay_resume(struct vg_exchange *inner)
{
    struct relay_stream *stream = stream_of(inner);
    stream->outer->carrier->resume(stream->outer);
}

/* Pass on that so much of the request is used: characters stand for bytes, and all of them for all.
 */
static void stream_settle(struct relay_stream *stream)
{
    size_t due = stream->text_in;
    if (stream->plain_out < stream->plain_in) {
        due = stream->plain_out / 3 * 4;
        due = due < stream->text_in ? due : stream->text_in;
    }
    if (due > stream->text_out) {
        const size_t size = due - stream->text_out;
        stream->text_out = due;
        stream->outer->carrier->consume(stream->outer, size);
    }
}

static void relay_consume(struct vg_exchange *inner, size_t size)
{
    struct relay_stream *stream = stream_of(inner);
    if (!stream->form->is_text) {
        stream->outer->carrier->consume(stream->outer, size);
        return;
    }
    stream->plain_out += size;
    stream_settle(stream);
}

static void relay_abort(struct vg_exchange *inner, enum vg_reason reason)
{
    struct relay_stream *stream = stream_of(inner);
    stream->outer->carrier->abort(stream->outer, reason);
}

static const struct vg_exchange_carrier relay_carrier = {
    .respond = relay_respond,
    .resume = relay_resume,
    .consume = relay_consume,
    .abort = relay_abort,
};

/* --- What is refused before gRPC sees it -----------------------------------------------------
 */

/* End the call, and answer its status if there is no answer yet. */
static void stream_fail(struct relay_stream *stream, enum vg_reason reason, const char *words)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, reason, "%s", words);
    if (!stream->over) {
        stream->over = true;
        stream->inner.app->closed(&stream->inner, false);
    }
    if (stream->responded) {
        stream->outer->carrier->abort(stream->outer, reason);
        return;
    }
    struct vg_arena arena;
    vg_arena_init(&arena, VG_RELAY_STATUS_ARENA_BYTES);
    struct vg_http_header headers[1 + VG_GRPC_STATUS_TRAILERS];
    headers[0] = (struct vg_http_header){ vg_bytes_text("content-type"), vg_bytes(NULL, 0) };
    size_t count = 1 + vg_grpc_status_trailers(reason, &error, &arena, headers + 1);
    relay_respond(
        &stream->inner,
        &(struct vg_http_response){ .status = 200,
                                    .headers = headers,
                                    .header_count = count,
                                    .content_length = 0,
                                    .no_body = true });
    vg_arena_dispose(&arena);
}

/* What is no call at all is answered in HTTP. */
static void stream_refuse(struct relay_stream *stream, unsigned status)
{
    const struct vg_http_header allow = { vg_bytes_text("allow"), vg_bytes_text("POST, OPTIONS") };
    const struct vg_http_header accept = { vg_bytes_text("accept-post"),
                                           vg_bytes_text(VG_MEDIA_TYPE_ACCEPTED) };
    stream->responded = true;
    stream->outer->carrier->respond(
        stream->outer,
        &(struct vg_http_response){ .status = status,
                                    .headers = status == 405 ? &allow : &accept,
                                    .header_count = status == 405 || status == 415 ? 1 : 0,
                                    .content_length = 0,
                                    .no_body = true });
}

/* --- The request -----------------------------------------------------------------------------
 */

static struct relay_stream *stream_create(struct vg_exchange *outer)
{
    const struct vg_relay *relay = VG_CONTAINER_OF_CONST(outer->app, struct vg_relay, app);
    const struct vg_http_header *type = vg_http_request_header(&outer->request, "content-type");
    struct relay_stream *stream = calloc(1, sizeof(*stream));
    VG_ASSERT(stream != NULL);
    stream->headers = calloc(outer->request.header_count + 2, sizeof(*stream->headers));
    VG_ASSERT(stream->headers != NULL);
    stream->outer = outer;
    stream->relay = relay;
    stream->over = true;
    stream->form = type == NULL ? NULL : vg_relay_form_find(vg_media_type_find(type->value));
    vg_buffer_init(&stream->tail, SIZE_MAX);
    vg_buffer_count(&stream->tail);
    outer->state = stream;
    vg_page_judge(&outer->request, relay->service->settings, &stream->page);
    stream->inner = (struct vg_exchange){ .carrier = &relay_carrier,
                                          .app = relay->grpc,
                                          .worker = outer->worker,
                                          .request = outer->request };
    if (stream->page.is_foreign) {
        stream->inner.request.identity = NULL;
    }
    if (stream->form != NULL) {
        stream->answer_form = vg_relay_form_of_answer(stream->form, &outer->request);
        stream->inner.form = stream->form->is_connect ? "connect" : "grpc-web";
        stream->inner.request.headers = stream->headers;
        stream->inner.request.content_length = -1;
    }
    return stream;
}

/* The head as gRPC has it. Fails as vg_connect_head_read does. */
static enum vg_reason stream_take_head(struct relay_stream *stream, struct vg_error *error)
{
    const struct vg_http_request *request = &stream->outer->request;
    size_t *count = &stream->inner.request.header_count;
    if (stream->form->is_connect) {
        return vg_connect_head_read(request, true, &stream->head, stream->headers, count, error);
    }
    *count = vg_relay_form_request_headers(request, stream->headers);
    return VG_OK;
}

static const struct vg_method *stream_method(const struct relay_stream *stream)
{
    return vg_service_find_method(stream->relay->service, stream->outer->request.target);
}

/* Unary methods have types of their own in the Connect protocol. */
static bool stream_is_unary(const struct relay_stream *stream)
{
    const struct vg_method *method = stream->form->is_connect ? stream_method(stream) : NULL;
    return method != NULL && (method->flags & (VG_METHOD_CLIENT_STREAMS | VG_METHOD_STREAMS)) == 0;
}

/* A stream both ways needs HTTP/2: over HTTP/1.1 nobody reads an answer while he still asks. */
static bool stream_needs_http2(const struct relay_stream *stream)
{
    const unsigned both = VG_METHOD_CLIENT_STREAMS | VG_METHOD_STREAMS;
    const struct vg_http_request *request = &stream->outer->request;
    const struct vg_method *method = stream_method(stream);
    return request->version < 20 && method != NULL && (method->flags & both) == both;
}

/* The body as a whole is not compressed: messages may be. */
static bool stream_has_coding(const struct relay_stream *stream)
{
    const struct vg_http_header *coding =
        vg_http_request_header(&stream->outer->request, "content-encoding");
    return coding != NULL && coding->value.size > 0 &&
           !vg_bytes_equal(coding->value, vg_bytes_text("identity"));
}

static void app_headers(struct vg_exchange *outer)
{
    struct relay_stream *stream = stream_create(outer);
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (!vg_bytes_equal(outer->request.method, vg_bytes_text("POST"))) {
        stream_refuse(stream, 405);
    } else if (stream->form == NULL || stream_is_unary(stream)) {
        stream_refuse(stream, 415);
    } else if (
        stream_take_head(stream, &error) != VG_OK ||
        vg_page_check_host(&outer->request, stream->relay->service->settings, &error) != VG_OK) {
        stream_fail(stream, error.reason, error.message);
    } else if (stream_needs_http2(stream)) {
        stream_fail(stream, VG_METHOD_NOT_ALLOWED, "a stream both ways needs HTTP/2");
    } else if (stream_has_coding(stream)) {
        stream_fail(stream, VG_COMPRESSION, "the body of a call has no content-encoding");
    } else {
        stream->over = false;
        stream->inner.app->headers(&stream->inner);
        outer->is_proven = stream->inner.is_proven;
    }
}

static void app_refuse(struct vg_exchange *outer, enum vg_reason reason)
{
    struct relay_stream *stream = stream_create(outer);
    if (stream->form == NULL) {
        stream_refuse(stream, vg_reason_row(reason)->http_status);
        return;
    }
    (void)!stream_take_head(stream, NULL);
    stream->over = false;
    stream->inner.app->refuse(&stream->inner, reason);
}

/* Some characters of a request as text. False = they are no base64. */
static bool stream_take_text(struct relay_stream *stream, struct vg_bytes part)
{
    uint8_t plain[VG_RELAY_TEXT_BYTES];
    VG_ASSERT(vg_base64_stream_decoded_max(part.size) <= sizeof(plain));
    size_t size = 0;
    if (!vg_base64_stream_decode(&stream->text, part, plain, &size)) {
        return false;
    }
    stream->text_in += part.size;
    stream->plain_in += size;
    if (size > 0) {
        stream->inner.app->body(&stream->inner, vg_bytes(plain, size));
    }
    stream_settle(stream);
    return true;
}

static void app_body(struct vg_exchange *outer, struct vg_bytes part)
{
    struct relay_stream *stream = outer->state;
    if (!stream->over && !stream->form->is_text) {
        stream->inner.app->body(&stream->inner, part);
        return;
    }
    while (part.size > 0 && !stream->over) {
        const size_t size = part.size < VG_RELAY_TEXT_BYTES ? part.size : VG_RELAY_TEXT_BYTES;
        if (!stream_take_text(stream, vg_bytes(part.data, size))) {
            stream_fail(stream, VG_BAD_FRAME, "the body is not base64");
            break;
        }
        part = vg_bytes(part.data + size, part.size - size);
    }
    if (part.size > 0) {
        outer->carrier->consume(outer, part.size);
    }
}

static void app_end(struct vg_exchange *outer)
{
    struct relay_stream *stream = outer->state;
    if (stream->over) {
        return;
    }
    if (!vg_base64_stream_is_idle(&stream->text)) {
        stream_fail(stream, VG_BAD_FRAME, "the body ends within a group of base64");
        return;
    }
    stream->inner.app->end(&stream->inner);
}

/* --- The answer ------------------------------------------------------------------------------
 */

/* Send of `tail`. */
static enum vg_pull stream_pull_tail(
    struct relay_stream *stream,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    const size_t left = stream->tail.size - stream->tail_taken;
    *out_size = left < size ? left : size;
    if (*out_size > 0) {
        memcpy(out, stream->tail.data + stream->tail_taken, *out_size);
        stream->tail_taken += *out_size;
    }
    if (stream->tail_taken == stream->tail.size && stream->is_last) {
        return VG_PULL_END;
    }
    return VG_PULL_MORE;
}

static void stream_put_status(struct relay_stream *stream, struct vg_buffer *out)
{
    stream->is_last = true;
    stream->answer_form->put_status(stream->inner.trailers, stream->inner.trailer_count, out);
}

static enum vg_pull stream_pull_bytes(
    struct relay_stream *stream,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    enum vg_pull pulled = stream->inner.app->pull(&stream->inner, out, size, out_size);
    if (pulled != VG_PULL_TRAILERS) {
        return pulled;
    }
    stream_put_status(stream, &stream->tail);
    return *out_size > 0 ? VG_PULL_MORE : stream_pull_tail(stream, out, size, out_size);
}

/* Make base64 of what is there; its end is padded, since what follows may be long in coming. */
static enum vg_pull stream_pull_text(struct relay_stream *stream)
{
    struct vg_buffer plain;
    vg_buffer_init(&plain, SIZE_MAX);
    enum vg_pull pulled = VG_PULL_FAILED;
    if (vg_buffer_reserve(&plain, VG_RELAY_PLAIN_BYTES)) {
        pulled =
            stream->inner.app->pull(&stream->inner, plain.data, VG_RELAY_PLAIN_BYTES, &plain.size);
    }
    if (pulled == VG_PULL_TRAILERS) {
        stream_put_status(stream, &plain);
    }
    vg_buffer_dispose(&stream->tail); /* an idle stream keeps nothing */
    vg_buffer_init(&stream->tail, SIZE_MAX);
    vg_buffer_count(&stream->tail);
    stream->tail_taken = 0;
    if (plain.size > 0) {
        const size_t size = vg_base64_encoded_size(plain.size, VG_BASE64_STANDARD);
        if (vg_buffer_reserve(&stream->tail, size + 1)) {
            vg_base64_encode(
                vg_buffer_bytes(&plain),
                VG_BASE64_STANDARD,
                (char *)stream->tail.data);
            stream->tail.size = size;
        }
    }
    if (plain.failed || stream->tail.failed) {
        pulled = VG_PULL_FAILED;
    }
    vg_buffer_dispose(&plain);
    return pulled;
}

static enum vg_pull app_pull(struct vg_exchange *outer, uint8_t *out, size_t size, size_t *out_size)
{
    struct relay_stream *stream = outer->state;
    *out_size = 0;
    if (stream->tail_taken < stream->tail.size || stream->is_last) {
        return stream_pull_tail(stream, out, size, out_size);
    }
    if (stream->over) {
        return VG_PULL_FAILED;
    }
    if (!stream->answer_form->is_text) {
        return stream_pull_bytes(stream, out, size, out_size);
    }
    enum vg_pull pulled = stream_pull_text(stream);
    if (stream->tail.size == 0) {
        return pulled;
    }
    return stream_pull_tail(stream, out, size, out_size);
}

static void app_drain(struct vg_exchange *outer)
{
    struct relay_stream *stream = outer->state;
    if (!stream->over) {
        stream->inner.app->drain(&stream->inner);
    }
}

static void app_closed(struct vg_exchange *outer, bool answered)
{
    struct relay_stream *stream = outer->state;
    if (!stream->over) {
        stream->inner.app->closed(&stream->inner, answered);
    }
    vg_buffer_dispose(&stream->tail);
    free(stream->headers);
    free(stream);
}

void vg_relay_init(
    struct vg_relay *relay,
    const struct vg_exchange_app *grpc,
    const struct vg_service *service)
{
    *relay = (struct vg_relay){ .app = { .headers = app_headers,
                                         .refuse = app_refuse,
                                         .body = app_body,
                                         .end = app_end,
                                         .pull = app_pull,
                                         .drain = app_drain,
                                         .closed = app_closed },
                                .grpc = grpc,
                                .service = service };
}
