#include "core/query/time_span.h"

#include "core/base/assert.h"
#include "core/base/calendar.h"
#include "core/base/compiler.h"

#define VG_MS_PER_WEEK (7 * VG_MS_PER_DAY)

/* The Monday of the week that holds 1970-01-01, a Thursday. */
#define VG_FIRST_MONDAY (-3 * VG_MS_PER_DAY)

#define VG_EPOCH_YEAR 1970
#define VG_YEAR_LAST  9999

/* Spans are as long as each other, or they are months that make one. */
static const struct {
    int64_t length; /* 0 = months */
    int64_t origin;
    int64_t months;
} rows[] = {
    [VG_TIME_UNIT_MINUTE] = { .length = VG_MS_PER_MINUTE },
    [VG_TIME_UNIT_HOUR] = { .length = VG_MS_PER_HOUR },
    [VG_TIME_UNIT_DAY] = { .length = VG_MS_PER_DAY },
    [VG_TIME_UNIT_WEEK] = { .length = VG_MS_PER_WEEK, .origin = VG_FIRST_MONDAY },
    [VG_TIME_UNIT_MONTH] = { .months = 1 },
    [VG_TIME_UNIT_QUARTER] = { .months = 3 },
    [VG_TIME_UNIT_YEAR] = { .months = 12 },
};

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

int64_t vg_time_span_number(enum vg_time_unit unit, vg_time time)
{
    VG_ASSERT((unsigned)unit < VG_ARRAY_COUNT(rows) && time <= VG_TIME_SPAN_LAST);
    if (rows[unit].length != 0) {
        return floor_divide(time - rows[unit].origin, rows[unit].length);
    }
    struct vg_civil civil = vg_calendar_civil(time);
    int64_t month = (int64_t)(civil.year - VG_EPOCH_YEAR) * 12 + civil.month - 1;
    return floor_divide(month, rows[unit].months);
}

vg_time vg_time_span_start(enum vg_time_unit unit, int64_t number)
{
    VG_ASSERT((unsigned)unit < VG_ARRAY_COUNT(rows));
    if (rows[unit].length != 0) {
        vg_time start = number * rows[unit].length + rows[unit].origin;
        return start > VG_TIME_SPAN_LAST ? VG_TIME_SPAN_LAST + 1 : start;
    }
    int64_t month = number * rows[unit].months;
    int64_t year = floor_divide(month, 12);
    if (VG_EPOCH_YEAR + year > VG_YEAR_LAST) {
        return VG_TIME_SPAN_LAST + 1;
    }
    const struct vg_civil civil = {
        .year = (int32_t)(VG_EPOCH_YEAR + year),
        .month = (uint8_t)(month - year * 12 + 1),
        .day = 1,
    };
    return vg_calendar_time(&civil);
}
