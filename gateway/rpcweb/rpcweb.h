/*
 * The methods of the contract for those who cannot speak gRPC: gRPC-Web for browsers, and
 * plain HTTP by the Connect protocol, over HTTP/1.1 and HTTP/2, on the port that serves everything.
 *
 * Threads: made at start, then immutable; exchanges belong to their workers.
 */
#ifndef VG_GATEWAY_RPCWEB_RPCWEB_H
#define VG_GATEWAY_RPCWEB_RPCWEB_H

#include "gateway/rpcweb/connect.h"
#include "gateway/rpcweb/relay.h"
#include "rpc/net/exchange.h"
#include "rpc/service/service.h"

struct vg_rpcweb {
    struct vg_relay relay;
    struct vg_connect connect;
};

/* `service` and `grpc`, gRPC's own application, must outlive it. */
void vg_rpcweb_init(
    struct vg_rpcweb *rpcweb,
    struct vg_service *service,
    const struct vg_exchange_app *grpc);

/* The application for this request, NULL = it is for somebody else. */
const struct vg_exchange_app *vg_rpcweb_select(
    const struct vg_rpcweb *rpcweb,
    const struct vg_http_request *request);

#endif
