/*
 * gRPC as an application of the exchange: the life of one call, from request headers to trailers.
 *
 * All four kinds of methods are served: unary, uploads (grpc_request.h), conversations
 * (rpc/service/conversation.h) and rows. A twin of the contract runs the handler of its unary
 * partner, tells limit, offset and count as initial metadata (vigil-limit, vigil-offset,
 * vigil-count) and sends each row as a message. While one part of the rows is sent as the client
 * takes it, the next is made on an executor thread, and no more: a client that does not read stops
 * the rows. A failure on the way ends the stream, after whole messages, with its status.
 *
 * A call may outlive its exchange (the client has gone, or its deadline has passed, while a handler
 * runs on another thread): it is then told to stop, holds the worker, and is freed when it comes
 * back.
 *
 * Threads: made before the workers start, constant afterwards; calls belong to the worker of their
 * connection.
 */
#ifndef VG_RPC_GRPC_GRPC_SERVER_H
#define VG_RPC_GRPC_GRPC_SERVER_H

#include "rpc/net/exchange.h"

struct vg_service;

struct vg_grpc_encoding_pool;

struct vg_grpc_server {
    struct vg_exchange_app app; /* what the selector returns for gRPC requests */
    struct vg_service *service;
    struct vg_grpc_encoding_pool *encodings;
};

/* `service` is borrowed until dispose. */
void vg_grpc_server_init(struct vg_grpc_server *server, struct vg_service *service);

/* Is it for the selector to give it this request: one that says it is gRPC, or one to a method's
 * path, which is then refused as PROTOCOL-HTTP2 says (415, or 405). */
bool vg_grpc_server_takes(
    const struct vg_grpc_server *server,
    const struct vg_http_request *request);

/* Once nothing of it is under way. Accepts what was never initialised but is zeroed. */
void vg_grpc_server_dispose(struct vg_grpc_server *server);

#endif
