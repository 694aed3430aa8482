/*
 * The REST face: an HTTP request (1.1 or 2) → call → JSON in the documented envelope. It calls the
 * same handlers as gRPC through the same dispatch, in process.
 *
 * Threads: made at start, then immutable; exchanges belong to their workers.
 */
#ifndef VG_GATEWAY_WEB_WEB_H
#define VG_GATEWAY_WEB_WEB_H

#include "gateway/web/openapi_set.h"
#include "gateway/web/ui.h"
#include "rpc/net/exchange.h"
#include "rpc/service/service.h"

struct vg_router;

struct vg_web {
    struct vg_exchange_app
        app; /* what the selector hands to carriers; embedded, so that the way back is typed */
    struct vg_service *service;
    struct vg_router *router;
    struct vg_ui ui;
    struct vg_openapi_set openapi;
};

/* A web over the routes of `service`, which must outlive it. */
void vg_web_init(struct vg_web *web, struct vg_service *service);
void vg_web_dispose(struct vg_web *web);

#endif
