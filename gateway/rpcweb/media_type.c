#include "gateway/rpcweb/media_type.h"

#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"

static const struct media_type {
    const char *name;
    enum vg_media_type type;
} media_types[] = {
    { "application/json", VG_MEDIA_TYPE_JSON },
    { "application/proto", VG_MEDIA_TYPE_PROTO },
    { "application/grpc-web", VG_MEDIA_TYPE_GRPC_WEB },
    { "application/grpc-web+proto", VG_MEDIA_TYPE_GRPC_WEB },
    { "application/grpc-web-text", VG_MEDIA_TYPE_GRPC_WEB_TEXT },
    { "application/grpc-web-text+proto", VG_MEDIA_TYPE_GRPC_WEB_TEXT },
    { "application/connect+proto", VG_MEDIA_TYPE_CONNECT_PROTO },
    { "application/connect+json", VG_MEDIA_TYPE_CONNECT_JSON },
};

static const char *const media_families[] = { "application/grpc-web", "application/connect+" };

enum vg_media_type vg_media_type_find(struct vg_bytes text)
{
    const uint8_t *end = text.size == 0 ? NULL : memchr(text.data, ';', text.size);
    size_t size = end == NULL ? text.size : (size_t)(end - text.data);
    while (size > 0 && (text.data[size - 1] == ' ' || text.data[size - 1] == '\t')) {
        size--;
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(media_types); i++) {
        if (strlen(media_types[i].name) == size &&
            strncasecmp(media_types[i].name, (const char *)text.data, size) == 0) {
            return media_types[i].type;
        }
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(media_families); i++) {
        const size_t common = strlen(media_families[i]);
        if (size > common && strncasecmp(media_families[i], (const char *)text.data, common) == 0) {
            return VG_MEDIA_TYPE_UNREAD;
        }
    }
    return VG_MEDIA_TYPE_OTHER;
}
