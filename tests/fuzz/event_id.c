/* The text of an event's identity: what is read prints as a text that reads as the same. */
#include "core/record/event_id.h"

#include <stdint.h>
#include <string.h>

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_event_id id;
    if (vg_event_id_parse(vg_bytes(data, size), &id) != VG_EVENT_ID_FORM_OK) {
        return 0;
    }
    char text[VG_EVENT_ID_TEXT_SIZE];
    size_t text_size = vg_event_id_print(&id, text);
    VG_ASSERT(text_size < sizeof(text) && text_size == strlen(text));
    struct vg_event_id again;
    VG_ASSERT(vg_event_id_parse(vg_bytes(text, text_size), &again) == VG_EVENT_ID_FORM_OK);
    VG_ASSERT(memcmp(&again.uuid, &id.uuid, sizeof(id.uuid)) == 0);
    VG_ASSERT(again.timestamp == id.timestamp && again.customer_id == id.customer_id);
    VG_ASSERT(again.type == id.type);
    return 0;
}
