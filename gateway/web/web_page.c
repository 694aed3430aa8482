#include "gateway/web/web_page.h"

#include <string.h>

#include "gateway/envelope/gzip_write.h"

/* What the writer may need before its result, which is then copied to a place of its size. */
#define PACK_BYTES_MAX(size) (2 * (size) + 65536)

static void pack(struct vg_web_page *page)
{
    struct vg_gzip_writer gzip = { .stream = NULL };
    struct vg_buffer made;
    vg_buffer_init(&made, PACK_BYTES_MAX(page->content.size));
    if (vg_gzip_writer_add(&gzip, vg_buffer_bytes(&page->content), true, &made) &&
        made.size < page->content.size && vg_buffer_reserve(&page->packed, made.size)) {
        vg_buffer_append(&page->packed, made.data, made.size);
    }
    vg_gzip_writer_dispose(&gzip);
    vg_buffer_dispose(&made);
}

void vg_web_page_init(
    struct vg_web_page *page,
    const char *path,
    const char *content_type,
    struct vg_bytes content,
    bool gzip)
{
    *page = (struct vg_web_page){
        .content_type = content_type,
        .content = { .data = (uint8_t *)(uintptr_t)content.data, .size = content.size },
    };
    vg_buffer_init(&page->packed, content.size);
    if (strlen(path) < VG_WEB_PAGE_PATH_SIZE) {
        memcpy(page->path, path, strlen(path) + 1);
    }
    if (content.data == NULL) {
        return;
    }
    page->tag = vg_etag_make(0, content);
    if (gzip) {
        pack(page);
    }
}

void vg_web_page_dispose(struct vg_web_page *page)
{
    vg_buffer_dispose(&page->packed);
}

const struct vg_web_page *vg_web_page_find(
    const struct vg_web_page *pages,
    size_t count,
    struct vg_bytes path)
{
    for (size_t i = 0; i < count && path.size > 0; i++) {
        if (pages[i].content.data != NULL && vg_bytes_equal(path, vg_bytes_text(pages[i].path))) {
            return &pages[i];
        }
    }
    return NULL;
}
