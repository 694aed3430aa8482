#include "rpc/grpc/grpc_server.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "rpc/grpc/grpc_answer.h"
#include "rpc/grpc/grpc_encoding.h"
#include "rpc/grpc/grpc_headers.h"
#include "rpc/grpc/grpc_request.h"
#include "rpc/grpc/grpc_stream.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

static const struct vg_grpc_server *grpc_server_of(const struct vg_exchange *exchange)
{
    return VG_CONTAINER_OF_CONST(exchange->app, struct vg_grpc_server, app);
}

static void grpc_refuse(struct vg_exchange *exchange, enum vg_reason reason)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_grpc_answer_finish(
        vg_grpc_stream_create(exchange, grpc_server_of(exchange)),
        vg_error_set(&error, reason, NULL),
        &error);
}

static void grpc_headers(struct vg_exchange *exchange)
{
    struct vg_grpc_stream *stream = vg_grpc_stream_create(exchange, grpc_server_of(exchange));
    if (!vg_bytes_equal(exchange->request.method, vg_bytes_text("POST"))) {
        vg_grpc_answer_refuse(stream, 405);
        return;
    }
    struct vg_grpc_headers headers;
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason = vg_grpc_headers_read(&exchange->request, &headers, &error);
    if (reason == VG_CONTENT_TYPE) {
        vg_grpc_answer_refuse(stream, 415);
    } else if (reason != VG_OK) {
        vg_grpc_answer_finish(stream, reason, &error);
    } else {
        vg_grpc_stream_begin(stream, grpc_server_of(exchange)->service, &headers);
    }
}

static void grpc_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    vg_grpc_request_take(exchange->state, part);
}

static void grpc_end(struct vg_exchange *exchange)
{
    vg_grpc_request_end(exchange->state);
}

static enum vg_pull grpc_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    return vg_grpc_answer_pull(exchange->state, out, size, out_size);
}

static void grpc_drain(struct vg_exchange *exchange)
{
    struct vg_grpc_stream *stream = exchange->state;
    if (stream->has_call && !stream->finished) {
        vg_call_drain(&stream->call);
    }
}

static void grpc_closed(struct vg_exchange *exchange, bool answered)
{
    (void)answered;
    vg_grpc_stream_close(exchange->state);
}

bool vg_grpc_server_takes(
    const struct vg_grpc_server *server,
    const struct vg_http_request *request)
{
    return vg_grpc_headers_is_grpc(request) ||
           vg_service_find_method(server->service, request->target) != NULL;
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
                                       .service = service,
                                       .encodings = calloc(1, sizeof(*server->encodings)) };
    VG_ASSERT(server->encodings != NULL);
}

void vg_grpc_server_dispose(struct vg_grpc_server *server)
{
    if (server->encodings != NULL) {
        vg_grpc_encoding_pool_dispose(server->encodings);
    }
    free(server->encodings);
    server->encodings = NULL;
}
