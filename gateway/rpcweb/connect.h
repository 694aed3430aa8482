/*
 * Unary methods by the Connect protocol: a plain POST with a message as JSON (the standard mapping
 * of protobuf) or as bytes, or a GET where the method says that it changes nothing, over HTTP/1.1
 * and HTTP/2. The call is the same as gRPC's; errors are JSON with the status of their code.
 *
 * It takes every request to a method's path that is not gRPC's in some form, so it is also what
 * answers 405 and 415 there, and preflights of browsers for all forms.
 *
 * Threads: made at start, then immutable; exchanges belong to their workers.
 */
#ifndef VG_GATEWAY_RPCWEB_CONNECT_H
#define VG_GATEWAY_RPCWEB_CONNECT_H

#include "rpc/net/exchange.h"
#include "rpc/service/service.h"

struct vg_connect {
    struct vg_exchange_app app;
    struct vg_service *service;
};

void vg_connect_init(struct vg_connect *connect, struct vg_service *service);

#endif
