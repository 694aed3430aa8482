/*
 * A call that comes in another form of HTTP, passed on to gRPC's application as if it were gRPC,
 * and its answer passed back: an exchange between two exchanges. Everything gRPC does (limits,
 * compression, deadlines, streams, windows) is so done once, and nothing is buffered on the way but
 * a few KiB of base64.
 *
 * A form (gRPC-Web, its text, Connect's streams) says what heads look like and what the status
 * becomes; it is the table in relay_form.c.
 *
 * Threads: the worker of the exchange.
 */
#ifndef VG_GATEWAY_RPCWEB_RELAY_H
#define VG_GATEWAY_RPCWEB_RELAY_H

#include "core/base/buffer.h"
#include "rpc/net/exchange.h"
#include "rpc/service/service.h"

struct vg_relay_form;

/* Embedded by whom the selector hands it out; immutable. */
struct vg_relay {
    struct vg_exchange_app app;
    const struct vg_exchange_app *grpc; /* gRPC's own */
    const struct vg_service *service;
};

void vg_relay_init(
    struct vg_relay *relay,
    const struct vg_exchange_app *grpc,
    const struct vg_service *service);

#endif
