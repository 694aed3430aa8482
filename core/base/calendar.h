/*
 * Dates and time zones. UTC arithmetic on the Gregorian calendar is ours; zones and their history
 * are ICU's, never the process-wide zone of libc.
 *
 * A struct vg_zone is made once by name and kept by its owner (a user, a location).
 *
 * Threads: a zone may be used by any number of threads at a time; everything else is values.
 */
#ifndef VG_CORE_BASE_CALENDAR_H
#define VG_CORE_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

#define VG_MS_PER_SECOND INT64_C(1000)
#define VG_MS_PER_MINUTE (60 * VG_MS_PER_SECOND)
#define VG_MS_PER_HOUR   (60 * VG_MS_PER_MINUTE)
#define VG_MS_PER_DAY    (24 * VG_MS_PER_HOUR)

/* A UTC date and time of day on the Gregorian calendar, also before its introduction. */
struct vg_civil {
    int32_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
    uint8_t hour;
    uint8_t minute;
    uint8_t second; /* 0 to 59: vg_time knows no leap seconds */
    uint16_t millisecond;
};

/* Days of a month, 1 to 12. */
unsigned vg_calendar_month_days(int32_t year, unsigned month);

/* Whether every member is in its range and the day exists. */
bool vg_calendar_is_valid(const struct vg_civil *civil);

struct vg_civil vg_calendar_civil(vg_time time);

/* The inverse; `civil` must be valid. */
vg_time vg_calendar_time(const struct vg_civil *civil);

/* 00:00:00Z of the day of `time`. */
vg_time vg_calendar_day_start(vg_time time);

struct vg_zone;

/* The longest IANA name is about 32 characters. */
#define VG_ZONE_NAME_MAX 63

/*
 * A zone by its IANA name ("Europe/Oslo"), case as IANA writes it.
 *
 * Fails with: INVALID_REFERENCE when ICU knows no such zone; RESOURCE_LIMIT without memory.
 */
VG_MUST_USE enum vg_reason vg_zone_create(
    struct vg_bytes name,
    struct vg_zone **out_zone,
    struct vg_error *error);
void vg_zone_destroy(struct vg_zone *zone); /* accepts NULL */

/* Its name, as long as the zone lives. */
const char *vg_zone_name(const struct vg_zone *zone);

/* What the zone's clocks are ahead of UTC at `time`, in milliseconds. */
int64_t vg_zone_offset(const struct vg_zone *zone, vg_time time);

enum vg_calendar_unit {
    VG_CALENDAR_UNIT_DAY,
    VG_CALENDAR_UNIT_WEEK,
    VG_CALENDAR_UNIT_MONTH,
    VG_CALENDAR_UNIT_QUARTER,
    VG_CALENDAR_UNIT_YEAR,
};

/*
 * Move `time` by `count` units and keep the wall clock of `zone` (NULL = UTC). Months, quarters and
 * years go to the last day of the month where the day does not exist. A wall time that the zone
 * skips moves forward by the gap; of one that it has twice the earlier is taken. 0 units change
 * nothing.
 *
 * False, and *out_time left alone, when the result is not in the years 1 to 9999.
 */
VG_MUST_USE bool vg_calendar_add(
    const struct vg_zone *zone,
    vg_time time,
    enum vg_calendar_unit unit,
    int64_t count,
    vg_time *out_time);

#endif
