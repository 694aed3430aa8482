#include "gateway/web/openapi_set.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "proto/contract.h"

void vg_openapi_set_init(struct vg_openapi_set *openapi, bool gzip)
{
    VG_ASSERT(vg_openapi_file_count <= VG_OPENAPI_SET_MAX);
    openapi->count = vg_openapi_file_count;
    for (size_t i = 0; i < openapi->count; i++) {
        const struct vg_openapi_file *file = &vg_openapi_files[i];
        char path[VG_WEB_PAGE_PATH_SIZE] = "/openapi.json";
        if (strcmp(file->name, "all") != 0) {
            (void)snprintf(path, sizeof(path), "/openapi/%s.json", file->name);
        }
        vg_web_page_init(
            &openapi->documents[i],
            path,
            "application/json; charset=UTF-8",
            vg_bytes(file->data, file->size),
            gzip);
    }
}

void vg_openapi_set_dispose(struct vg_openapi_set *openapi)
{
    for (size_t i = 0; i < openapi->count; i++) {
        vg_web_page_dispose(&openapi->documents[i]);
    }
}

const struct vg_web_page *vg_openapi_set_find(
    const struct vg_openapi_set *openapi,
    struct vg_bytes path)
{
    return vg_web_page_find(openapi->documents, openapi->count, path);
}
