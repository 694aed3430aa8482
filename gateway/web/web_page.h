/*
 * What is served as it is, with no key and no call: the OpenAPI documents (openapi_set.h) and the
 * page /docs (ui.h). Each is compressed once, when it is made, and has an entity tag; what is sent
 * is read from where it lies.
 *
 * Threads: made at start, then immutable.
 */
#ifndef VG_GATEWAY_WEB_WEB_PAGE_H
#define VG_GATEWAY_WEB_WEB_PAGE_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "gateway/web/etag.h"

#define VG_WEB_PAGE_PATH_SIZE 64u

struct vg_web_page {
    char path[VG_WEB_PAGE_PATH_SIZE];
    const char *content_type;
    bool is_page;             /* a browser shows it: it comes with VG_UI_POLICY */
    struct vg_buffer content; /* a view, never changed or disposed; data NULL = there is none */
    struct vg_buffer packed;  /* as gzip; empty = that would save nothing, or is not wanted */
    struct vg_etag tag;
};

/* The page of `content` at `path`; both content and type must outlive it. A path that is too long
 * is nobody's, and one without memory to be compressed in is served as it is. */
void vg_web_page_init(
    struct vg_web_page *page,
    const char *path,
    const char *content_type,
    struct vg_bytes content,
    bool gzip);
void vg_web_page_dispose(struct vg_web_page *page);

/* The one of `pages` at `path`, if it is there; else NULL. */
const struct vg_web_page *vg_web_page_find(
    const struct vg_web_page *pages,
    size_t count,
    struct vg_bytes path);

#endif
