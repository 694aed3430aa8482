/*
 * The documents of the interface that the contract's generator made: /openapi.json is all of it in
 * one, /openapi/events.json and its kin are its parts.
 *
 * Threads: made at start, then immutable.
 */
#ifndef VG_GATEWAY_WEB_OPENAPI_SET_H
#define VG_GATEWAY_WEB_OPENAPI_SET_H

#include "gateway/web/web_page.h"

#define VG_OPENAPI_SET_MAX 16u

struct vg_openapi_set {
    struct vg_web_page documents[VG_OPENAPI_SET_MAX];
    size_t count;
};

/* `gzip`: may they be compressed? */
void vg_openapi_set_init(struct vg_openapi_set *openapi, bool gzip);
void vg_openapi_set_dispose(struct vg_openapi_set *openapi);

/* The document at `path`; NULL = there is none. */
const struct vg_web_page *vg_openapi_set_find(
    const struct vg_openapi_set *openapi,
    struct vg_bytes path);

#endif
