/*
 * The page /docs, which shows the document of the interface and tries its requests: Swagger UI,
 * served from the directory in the setting swagger_ui, and our few lines around it. Without the
 * files the page says so, and where the document is.
 *
 * Nothing is loaded from elsewhere, and the page may load nothing (VG_UI_POLICY). The key is typed
 * in by the user, and forgotten with the page.
 *
 * Threads: made at start, then immutable.
 */
#ifndef VG_GATEWAY_WEB_UI_H
#define VG_GATEWAY_WEB_UI_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"
#include "gateway/web/web_page.h"

/* Content-Security-Policy of all that is answered here. */
#define VG_UI_POLICY                                                                               \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* A file of Swagger UI; larger ones are none of ours. */
#define VG_UI_FILE_BYTES_MAX (3u * 1024u * 1024u)

#define VG_UI_PAGES 5u

struct vg_ui {
    struct vg_web_page pages[VG_UI_PAGES];
    struct vg_buffer script; /* of Swagger UI; with `style` or not at all */
    struct vg_buffer style;
};

/* Read the files in `directory`, if it is not empty and they are there. `gzip`: may what is served
 * be compressed? */
void vg_ui_init(struct vg_ui *ui, const char *directory, bool gzip);
void vg_ui_dispose(struct vg_ui *ui);

/* The page, or part of it, at `path`; NULL = there is none. */
const struct vg_web_page *vg_ui_find(const struct vg_ui *ui, struct vg_bytes path);

#endif
