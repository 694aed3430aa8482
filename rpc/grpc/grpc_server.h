/*
 * gRPC as an application of the exchange: the life of one call, from request headers to trailers.
 *
 * Unary methods are served; the streaming twins of the contract are known by name and answered
 * UNIMPLEMENTED, naming their unary partner.
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

struct vg_grpc_server {
    struct vg_exchange_app app; /* what the selector returns for gRPC requests */
    struct vg_service *service;
};

/* `service` is borrowed for ever. */
void vg_grpc_server_init(struct vg_grpc_server *server, struct vg_service *service);

#endif
