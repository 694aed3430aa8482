#include "rpc/service/service.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/settings.h"

/* Eight bytes at a time: this is done once or twice for every call, and paths are long. */
static uint32_t path_slot(const char *path, size_t size)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = size;
    uint64_t word;
    for (; size >= sizeof(word); path += sizeof(word), size -= sizeof(word)) {
        memcpy(&word, path, sizeof(word));
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    word = 0;
    for (size_t i = 0; i < size; i++) {
        word = word << 8 | (uint8_t)path[i];
    }
    hash = (hash ^ word) * factor;
    return (uint32_t)(hash >> 32) % VG_SERVICE_METHOD_SLOTS;
}

bool vg_service_serves(const struct vg_service *service, const struct vg_method *method)
{
    static const char reflection[] = "/grpc.reflection.";
    return service->settings->reflection ||
           strncmp(method->path, reflection, sizeof(reflection) - 1) != 0;
}

bool vg_service_has(const struct vg_service *service, const char *name)
{
    size_t position = 0;
    const char *each;
    while ((each = vg_service_next(service, &position)) != NULL) {
        if (strcmp(each, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The methods of a service stand together. */
const char *vg_service_next(const struct vg_service *service, size_t *position)
{
    for (; *position < service->method_count; (*position)++) {
        const struct vg_method *method = &service->methods[*position];
        bool is_first = *position == 0 || strcmp(method[-1].service, method->service) != 0;
        if (is_first && vg_service_serves(service, method)) {
            (*position)++;
            return method->service;
        }
    }
    return NULL;
}

void vg_service_init(struct vg_service *service)
{
    VG_ASSERT(service->method_count <= VG_SERVICE_METHOD_SLOTS / 2);
    memset(service->method_slots, 0, sizeof(service->method_slots));
    for (size_t i = 0; i < service->method_count; i++) {
        if (!vg_service_serves(service, &service->methods[i])) {
            continue;
        }
        const char *path = service->methods[i].path;
        uint32_t slot = path_slot(path, strlen(path));
        while (service->method_slots[slot] != 0) {
            slot = (slot + 1) % VG_SERVICE_METHOD_SLOTS;
        }
        service->method_slots[slot] = (uint16_t)(i + 1);
    }
}

const struct vg_method *vg_service_find_method(
    const struct vg_service *service,
    struct vg_bytes path)
{
    uint32_t slot = path_slot((const char *)path.data, path.size);
    while (service->method_slots[slot] != 0) {
        const struct vg_method *method = &service->methods[service->method_slots[slot] - 1];
        if (vg_bytes_equal(vg_bytes_text(method->path), path)) {
            return method;
        }
        slot = (slot + 1) % VG_SERVICE_METHOD_SLOTS;
    }
    return NULL;
}
