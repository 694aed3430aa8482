/* Resume tokens: what is read is a token of ours, and prints as it was. */
#include "core/events/watch_position.h"

#include <stdint.h>
#include <string.h>

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_watch_position position;
    if (!vg_watch_position_parse(vg_bytes(data, size), &position)) {
        return 0;
    }
    char text[VG_WATCH_TOKEN_SIZE];
    size_t text_size = vg_watch_position_print(&position, text);
    VG_ASSERT(text_size < sizeof(text) && text_size == strlen(text));
    VG_ASSERT(vg_bytes_equal(vg_bytes(text, text_size), vg_bytes(data, size)));
    const struct vg_watch_place place = {
        .revision = position.revision,
        .updated = position.updated,
        .id = position.id,
    };
    VG_ASSERT(vg_watch_position_covers(&position, &place));
    return 0;
}
