/* A packed event, maybe damaged: reading never goes astray, and what is read can be packed. */
#include "core/record/event_record.h"

#include <stdint.h>

#include "core/base/assert.h"

static const struct vg_event_limits limits = { .record_bytes_max = 4u << 20,
                                               .property_bytes_max = 1u << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct vg_event_id id = { .type = VG_EVENT_TYPE_AGGREGATED, .customer_id = 1 };
    struct vg_arena arena;
    vg_arena_init(&arena, 64u << 20);
    struct vg_event_record record;
    if (vg_event_record_unpack(&id, vg_bytes(data, size), &arena, &record, NULL) == VG_OK) {
        struct vg_event_head head;
        if (vg_event_record_pack(&record, &limits, &arena, &head, NULL) == VG_OK) {
            struct vg_bytes bytes =
                vg_event_record_finish(&head, &record.id, &record.times, record.revision);
            struct vg_event_record again;
            VG_ASSERT(vg_event_record_unpack(&id, bytes, &arena, &again, NULL) == VG_OK);
            VG_ASSERT(again.property_count == record.property_count);
            VG_ASSERT(again.extra.size == record.extra.size);
        }
    }
    vg_arena_dispose(&arena);
    return 0;
}
