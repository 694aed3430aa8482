#include "rpc/service/service.h"

#include <string.h>

#include "core/base/assert.h"

static uint32_t path_slot(const char *path, size_t size)
{
    return vg_contract_hash(0, path, size) % VG_SERVICE_METHOD_SLOTS;
}

void vg_service_init(struct vg_service *service)
{
    VG_ASSERT(service->method_count <= VG_SERVICE_METHOD_SLOTS / 2);
    memset(service->method_slots, 0, sizeof(service->method_slots));
    for (size_t i = 0; i < service->method_count; i++) {
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
