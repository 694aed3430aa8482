/*
 * ICU's own "add" keeps the wall clock too, but takes the later of two equal wall times when it
 * comes from there, and its calendar changes to the Julian one in 1582. So the date is moved here
 * and ICU is asked two questions only: the offset of an instant, and the instant of a wall time.
 *
 * A UCalendar is not safe to share. The zone keeps one as a pattern, which is cloned for each
 * question.
 */
#include "core/base/calendar.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>

#include "core/base/assert.h"

#define VG_CIVIL_YEAR_MIN 1
#define VG_CIVIL_YEAR_MAX 9999

/* No step of the API is larger; keeps the arithmetic below far from overflow. */
#define VG_CALENDAR_COUNT_MAX INT64_C(999999999)

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned vg_calendar_month_days(int32_t year, unsigned month)
{
    static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    VG_ASSERT(month >= 1 && month <= 12);
    return days[month - 1] + (unsigned)(month == 2 && is_leap(year));
}

bool vg_calendar_is_valid(const struct vg_civil *civil)
{
    return civil->year >= VG_CIVIL_YEAR_MIN && civil->year <= VG_CIVIL_YEAR_MAX &&
           civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
           civil->day <= vg_calendar_month_days(civil->year, civil->month) && civil->hour <= 23 &&
           civil->minute <= 59 && civil->second <= 59 && civil->millisecond <= 999;
}

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

/*
 * Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its
 * year, and in eras of 400 years = 146097 days (H. Hinnant, chrono-compatible date algorithms).
 */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, struct vg_civil *civil)
{
    days += 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    civil->day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1);
    civil->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    civil->year = (int32_t)(year_of_era + era * 400 + (civil->month <= 2));
}

struct vg_civil vg_calendar_civil(vg_time time)
{
    int64_t days = floor_divide(time, VG_MS_PER_DAY);
    int64_t ms = time - days * VG_MS_PER_DAY;
    struct vg_civil civil = {
        .hour = (uint8_t)(ms / VG_MS_PER_HOUR),
        .minute = (uint8_t)(ms / VG_MS_PER_MINUTE % 60),
        .second = (uint8_t)(ms / VG_MS_PER_SECOND % 60),
        .millisecond = (uint16_t)(ms % VG_MS_PER_SECOND),
    };
    date_of_days(days, &civil);
    return civil;
}

vg_time vg_calendar_time(const struct vg_civil *civil)
{
    VG_ASSERT(vg_calendar_is_valid(civil));
    return days_of_date(civil->year, civil->month, civil->day) * VG_MS_PER_DAY +
           civil->hour * VG_MS_PER_HOUR + civil->minute * VG_MS_PER_MINUTE +
           civil->second * VG_MS_PER_SECOND + civil->millisecond;
}

vg_time vg_calendar_day_start(vg_time time)
{
    return floor_divide(time, VG_MS_PER_DAY) * VG_MS_PER_DAY;
}

struct vg_zone {
    UCalendar *pattern; /* never set, only cloned */
    char name[VG_ZONE_NAME_MAX + 1];
};

/* ICU takes any name and makes it GMT, so the name is looked up first. Custom zones ("GMT+5") are
 * no system zones; Etc/Unknown is ICU's name for no zone. */
static bool zone_exists(const char *name, const UChar *wide)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar canonical[VG_ZONE_NAME_MAX + 1];
    UBool is_system = false;
    (void)ucal_getCanonicalTimeZoneID(
        wide,
        -1,
        canonical,
        VG_ARRAY_COUNT(canonical),
        &is_system,
        &status);
    return U_SUCCESS(status) && is_system && strcmp(name, "Etc/Unknown") != 0;
}

/* IANA names are ASCII letters, digits and - + _ /. */
static bool copy_name(struct vg_bytes name, char *text, UChar *wide)
{
    if (name.size == 0 || name.size > VG_ZONE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] <= ' ' || name.data[i] > '~') {
            return false;
        }
        text[i] = (char)name.data[i];
        wide[i] = name.data[i];
    }
    text[name.size] = '\0';
    wide[name.size] = 0;
    return true;
}

enum vg_reason vg_zone_create(
    struct vg_bytes name,
    struct vg_zone **out_zone,
    struct vg_error *error)
{
    char text[VG_ZONE_NAME_MAX + 1];
    UChar wide[VG_ZONE_NAME_MAX + 1];
    if (!copy_name(name, text, wide) || !zone_exists(text, wide)) {
        return vg_error_set(error, VG_INVALID_REFERENCE, "There is no such time zone");
    }
    UErrorCode status = U_ZERO_ERROR;
    UCalendar *pattern = ucal_open(wide, -1, "en_US", UCAL_GREGORIAN, &status);
    struct vg_zone *zone = malloc(sizeof(*zone));
    if (U_FAILURE(status) || zone == NULL) {
        if (U_SUCCESS(status)) {
            ucal_close(pattern);
        }
        free(zone);
        return vg_error_set(error, VG_RESOURCE_LIMIT, "No memory for a time zone");
    }
    ucal_setAttribute(pattern, UCAL_REPEATED_WALL_TIME, UCAL_WALLTIME_FIRST);
    ucal_setAttribute(pattern, UCAL_SKIPPED_WALL_TIME, UCAL_WALLTIME_LAST);
    ucal_setGregorianChange(pattern, -8.64e15, &status); /* Gregorian at all times */
    VG_ASSERT(U_SUCCESS(status));
    zone->pattern = pattern;
    memcpy(zone->name, text, sizeof(text));
    *out_zone = zone;
    return VG_OK;
}

void vg_zone_destroy(struct vg_zone *zone)
{
    if (zone != NULL) {
        ucal_close(zone->pattern);
        free(zone);
    }
}

const char *vg_zone_name(const struct vg_zone *zone)
{
    return zone->name;
}

static UCalendar *clone_pattern(const struct vg_zone *zone)
{
    UErrorCode status = U_ZERO_ERROR;
    UCalendar *calendar = ucal_clone(zone->pattern, &status);
    VG_ASSERT(U_SUCCESS(status)); /* it can fail for want of memory only */
    return calendar;
}

int64_t vg_zone_offset(const struct vg_zone *zone, vg_time time)
{
    UCalendar *calendar = clone_pattern(zone);
    UErrorCode status = U_ZERO_ERROR;
    ucal_setMillis(calendar, (UDate)time, &status);
    int64_t offset = (int64_t)ucal_get(calendar, UCAL_ZONE_OFFSET, &status) +
                     ucal_get(calendar, UCAL_DST_OFFSET, &status);
    VG_ASSERT(U_SUCCESS(status));
    ucal_close(calendar);
    return offset;
}

static vg_time instant_of_wall(const struct vg_zone *zone, const struct vg_civil *wall)
{
    UCalendar *calendar = clone_pattern(zone);
    UErrorCode status = U_ZERO_ERROR;
    ucal_clear(calendar);
    ucal_setDateTime(
        calendar,
        wall->year,
        wall->month - 1,
        wall->day,
        wall->hour,
        wall->minute,
        wall->second,
        &status);
    ucal_set(calendar, UCAL_MILLISECOND, wall->millisecond);
    vg_time time = (vg_time)ucal_getMillis(calendar, &status);
    VG_ASSERT(U_SUCCESS(status));
    ucal_close(calendar);
    return time;
}

static bool add_months(struct vg_civil *civil, int64_t count)
{
    int64_t months = (int64_t)civil->year * 12 + civil->month - 1 + count;
    int64_t year = floor_divide(months, 12);
    if (year < VG_CIVIL_YEAR_MIN || year > VG_CIVIL_YEAR_MAX) {
        return false;
    }
    civil->year = (int32_t)year;
    civil->month = (uint8_t)(months - year * 12 + 1);
    unsigned last = vg_calendar_month_days(civil->year, civil->month);
    if (civil->day > last) {
        civil->day = (uint8_t)last;
    }
    return true;
}

static bool add_days(struct vg_civil *civil, int64_t count)
{
    static const struct vg_civil last = { .year = VG_CIVIL_YEAR_MAX, .month = 12, .day = 31 };
    int64_t days = days_of_date(civil->year, civil->month, civil->day) + count;
    if (days < days_of_date(VG_CIVIL_YEAR_MIN, 1, 1) ||
        days > days_of_date(last.year, last.month, last.day)) {
        return false;
    }
    date_of_days(days, civil);
    return true;
}

bool vg_calendar_add(
    const struct vg_zone *zone,
    vg_time time,
    enum vg_calendar_unit unit,
    int64_t count,
    vg_time *out_time)
{
    static const struct {
        bool is_months;
        int64_t factor;
    } rows[] = {
        [VG_CALENDAR_UNIT_DAY] = { false, 1 },  [VG_CALENDAR_UNIT_WEEK] = { false, 7 },
        [VG_CALENDAR_UNIT_MONTH] = { true, 1 }, [VG_CALENDAR_UNIT_QUARTER] = { true, 3 },
        [VG_CALENDAR_UNIT_YEAR] = { true, 12 },
    };
    VG_ASSERT((unsigned)unit < VG_ARRAY_COUNT(rows));
    if (count < -VG_CALENDAR_COUNT_MAX || count > VG_CALENDAR_COUNT_MAX) {
        return false;
    }
    if (count == 0) {
        *out_time = time;
        return true;
    }
    int64_t offset = zone == NULL ? 0 : vg_zone_offset(zone, time);
    struct vg_civil wall = vg_calendar_civil(time + offset);
    int64_t step = count * rows[unit].factor;
    if (!(rows[unit].is_months ? add_months(&wall, step) : add_days(&wall, step))) {
        return false;
    }
    *out_time = zone == NULL ? vg_calendar_time(&wall) : instant_of_wall(zone, &wall);
    return true;
}
