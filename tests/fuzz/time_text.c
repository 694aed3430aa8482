/* Times as text: whatever comes in, a time that is taken is in range and prints back to itself. */
#include "core/base/time_text.h"

#include <string.h>

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(vg_time time)
{
    char text[VG_TIME_TEXT_SIZE];
    vg_time back = -1;
    VG_ASSERT(time >= 0 && time <= VG_TIME_MAX);
    vg_time_text_print(time, text);
    VG_ASSERT(vg_time_text_parse(vg_bytes_text(text), 0, NULL, &back, NULL) == VG_OK);
    VG_ASSERT(back == time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vg_zone *zone;
    if (zone == NULL) {
        VG_ASSERT(vg_zone_create(vg_bytes_text("Europe/Oslo"), &zone, NULL) == VG_OK);
    }
    struct vg_bytes text = vg_bytes(data, size);
    const vg_time now = INT64_C(1553993400000); /* 2019-03-31, the day summer time begins */
    vg_time time;
    if (vg_time_text_parse(text, now, zone, &time, NULL) == VG_OK) {
        check_time(time);
    }
    if (vg_time_text_parse(text, now, NULL, &time, NULL) == VG_OK) {
        check_time(time);
    }
    if (vg_time_text_parse_rfc3339(text, &time, NULL) == VG_OK) {
        check_time(time);
    }
    return 0;
}
