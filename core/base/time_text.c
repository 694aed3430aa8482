#include "core/base/time_text.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"

#define VG_FRACTION_DIGITS_MAX 9
#define VG_STEP_DIGITS_MAX     9

/* What is left of the text. */
struct scanner {
    const uint8_t *at;
    const uint8_t *end;
};

static enum vg_reason refuse(struct vg_error *error, const char *why)
{
    return vg_error_set(error, VG_INVALID_FIELD_VALUE, "%s", why);
}

static enum vg_reason not_a_time(struct vg_error *error)
{
    return refuse(
        error,
        "Not a time: give milliseconds, ISO-8601 in UTC with Z, or a relative time such as "
        "'now - 1 day'");
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool at_end(const struct scanner *scanner)
{
    return scanner->at == scanner->end;
}

static void skip_blanks(struct scanner *scanner)
{
    while (!at_end(scanner) && is_blank(*scanner->at)) {
        scanner->at++;
    }
}

static bool take(struct scanner *scanner, uint8_t byte)
{
    if (at_end(scanner) || *scanner->at != byte) {
        return false;
    }
    scanner->at++;
    return true;
}

/* Exactly `count` digits. */
static bool take_digits(struct scanner *scanner, unsigned count, unsigned *out_value)
{
    unsigned value = 0;
    if ((size_t)(scanner->end - scanner->at) < count) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!is_digit(scanner->at[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(scanner->at[i] - '0');
    }
    scanner->at += count;
    *out_value = value;
    return true;
}

static bool take_date(struct scanner *scanner, struct vg_civil *civil)
{
    unsigned year;
    unsigned month;
    unsigned day;
    if (!take_digits(scanner, 4, &year) || !take(scanner, '-') ||
        !take_digits(scanner, 2, &month) || !take(scanner, '-') || !take_digits(scanner, 2, &day)) {
        return false;
    }
    civil->year = (int32_t)year;
    civil->month = (uint8_t)month;
    civil->day = (uint8_t)day;
    return true;
}

/* 1 to 9 digits behind the point, cut to milliseconds. */
static bool take_fraction(struct scanner *scanner, struct vg_civil *civil)
{
    unsigned ms = 0;
    unsigned count = 0;
    while (!at_end(scanner) && is_digit(*scanner->at)) {
        if (count < 3) {
            ms = ms * 10 + (unsigned)(*scanner->at - '0');
        }
        scanner->at++;
        if (++count > VG_FRACTION_DIGITS_MAX) {
            return false;
        }
    }
    for (unsigned i = count; i < 3; i++) {
        ms *= 10;
    }
    civil->millisecond = (uint16_t)ms;
    return count > 0;
}

/* HH:MM[:SS[.fraction]] */
static bool take_time_of_day(struct scanner *scanner, bool seconds_required, struct vg_civil *civil)
{
    unsigned hour;
    unsigned minute;
    unsigned second = 0;
    if (!take_digits(scanner, 2, &hour) || !take(scanner, ':') ||
        !take_digits(scanner, 2, &minute)) {
        return false;
    }
    if (take(scanner, ':')) {
        if (!take_digits(scanner, 2, &second) ||
            (take(scanner, '.') && !take_fraction(scanner, civil))) {
            return false;
        }
    } else if (seconds_required) {
        return false;
    }
    civil->hour = (uint8_t)hour;
    civil->minute = (uint8_t)minute;
    civil->second = (uint8_t)second;
    return true;
}

static enum vg_reason set_time(vg_time time, vg_time *out_time, struct vg_error *error)
{
    if (time < 0 || time > VG_TIME_MAX) {
        return refuse(error, "The time is not within the years 1970 to 9999");
    }
    *out_time = time;
    return VG_OK;
}

static enum vg_reason set_civil(
    const struct vg_civil *civil,
    int64_t offset_ms,
    vg_time *out_time,
    struct vg_error *error)
{
    if (civil->year < 1) {
        return refuse(error, "The time is not within the years 1970 to 9999");
    }
    if (!vg_calendar_is_valid(civil)) {
        return refuse(error, "There is no such date or time of day");
    }
    return set_time(vg_calendar_time(civil) - offset_ms, out_time, error);
}

static enum vg_reason parse_milliseconds(
    struct scanner *scanner,
    vg_time *out_time,
    struct vg_error *error)
{
    int64_t time;
    struct vg_bytes text = vg_bytes(scanner->at, (size_t)(scanner->end - scanner->at));
    if (!vg_text_number_parse_int64(text, &time)) {
        return refuse(error, "The time is not within the years 1970 to 9999");
    }
    return set_time(time, out_time, error);
}

static enum vg_reason parse_iso(struct scanner *scanner, vg_time *out_time, struct vg_error *error)
{
    struct vg_civil civil = { .year = 0 };
    if (!take_date(scanner, &civil)) {
        return not_a_time(error);
    }
    if (!at_end(scanner)) {
        if (!take(scanner, 'T') || !take_time_of_day(scanner, false, &civil)) {
            return not_a_time(error);
        }
        if (!take(scanner, 'Z') || !at_end(scanner)) {
            return refuse(error, "ISO-8601 times are taken in UTC only and end with Z");
        }
    }
    return set_civil(&civil, 0, out_time, error);
}

/* A unit is so many milliseconds, or, when that is 0, a unit of the calendar. */
struct unit_row {
    const char *name;
    int64_t ms;
    enum vg_calendar_unit unit;
};

static const struct unit_row unit_rows[] = {
    // clang-format off
    { "ms", 1, 0 }, { "milli", 1, 0 }, { "millis", 1, 0 }, { "millisecond", 1, 0 }, { "milliseconds", 1, 0 },
    { "s", VG_MS_PER_SECOND, 0 }, { "sec", VG_MS_PER_SECOND, 0 }, { "secs", VG_MS_PER_SECOND, 0 },
    { "second", VG_MS_PER_SECOND, 0 }, { "seconds", VG_MS_PER_SECOND, 0 },
    { "m", VG_MS_PER_MINUTE, 0 }, { "min", VG_MS_PER_MINUTE, 0 }, { "mins", VG_MS_PER_MINUTE, 0 },
    { "minute", VG_MS_PER_MINUTE, 0 }, { "minutes", VG_MS_PER_MINUTE, 0 },
    { "h", VG_MS_PER_HOUR, 0 }, { "hour", VG_MS_PER_HOUR, 0 }, { "hours", VG_MS_PER_HOUR, 0 },
    { "d", 0, VG_CALENDAR_UNIT_DAY }, { "day", 0, VG_CALENDAR_UNIT_DAY }, { "days", 0, VG_CALENDAR_UNIT_DAY },
    { "w", 0, VG_CALENDAR_UNIT_WEEK }, { "week", 0, VG_CALENDAR_UNIT_WEEK }, { "weeks", 0, VG_CALENDAR_UNIT_WEEK },
    { "month", 0, VG_CALENDAR_UNIT_MONTH }, { "months", 0, VG_CALENDAR_UNIT_MONTH },
    { "quarter", 0, VG_CALENDAR_UNIT_QUARTER }, { "quarters", 0, VG_CALENDAR_UNIT_QUARTER },
    { "y", 0, VG_CALENDAR_UNIT_YEAR }, { "year", 0, VG_CALENDAR_UNIT_YEAR }, { "years", 0, VG_CALENDAR_UNIT_YEAR },
    // clang-format on
};

#define VG_WORD_MAX 15

/* The letters here, in lower case; false when there are none or too many for any word we know. */
static bool take_word(struct scanner *scanner, char out_word[VG_WORD_MAX + 1])
{
    size_t size = 0;
    while (!at_end(scanner)) {
        uint8_t lower = *scanner->at | 0x20;
        if (lower < 'a' || lower > 'z') {
            break;
        }
        if (size == VG_WORD_MAX) {
            return false;
        }
        out_word[size++] = (char)lower;
        scanner->at++;
    }
    out_word[size] = '\0';
    return size > 0;
}

static const struct unit_row *find_unit(const char *word)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(unit_rows); i++) {
        if (strcmp(unit_rows[i].name, word) == 0) {
            return &unit_rows[i];
        }
    }
    return NULL;
}

static bool take_count(struct scanner *scanner, int64_t *out_count)
{
    int64_t count = 0;
    unsigned digits = 0;
    while (!at_end(scanner) && is_digit(*scanner->at)) {
        if (++digits > VG_STEP_DIGITS_MAX) {
            return false;
        }
        count = count * 10 + (*scanner->at++ - '0');
    }
    *out_count = count;
    return digits > 0;
}

static enum vg_reason take_step(
    struct scanner *scanner,
    const struct vg_zone *zone,
    vg_time *time,
    struct vg_error *error)
{
    int64_t sign = take(scanner, '+') ? 1 : take(scanner, '-') ? -1 : 0;
    if (sign == 0) {
        return not_a_time(error);
    }
    int64_t count;
    char word[VG_WORD_MAX + 1];
    skip_blanks(scanner);
    if (!take_count(scanner, &count)) {
        return refuse(error, "A relative time needs 1 to 9 digits behind its sign");
    }
    skip_blanks(scanner);
    const struct unit_row *row = take_word(scanner, word) ? find_unit(word) : NULL;
    if (row == NULL) {
        return refuse(error, "The relative time has an unknown unit");
    }
    vg_time moved = *time + sign * count * row->ms;
    bool inside = row->ms != 0 || vg_calendar_add(zone, *time, row->unit, sign * count, &moved);
    /* Steps between may leave the range of the interface, but not the calendar. */
    if (!inside || moved > VG_TIME_MAX || vg_calendar_civil(moved).year < 1) {
        return refuse(error, "The time is not within the years 1970 to 9999");
    }
    *time = moved;
    return VG_OK;
}

static bool take_now(struct scanner *scanner)
{
    struct scanner ahead = *scanner;
    char word[VG_WORD_MAX + 1];
    if (!take_word(&ahead, word) || strcmp(word, "now") != 0) {
        return false;
    }
    *scanner = ahead;
    return true;
}

static enum vg_reason parse_relative(
    struct scanner *scanner,
    vg_time now,
    const struct vg_zone *zone,
    vg_time *out_time,
    struct vg_error *error)
{
    vg_time time = now;
    bool need_step = !take_now(scanner);
    skip_blanks(scanner);
    while (need_step || !at_end(scanner)) {
        enum vg_reason reason = take_step(scanner, zone, &time, error);
        if (reason != VG_OK) {
            return reason;
        }
        need_step = false;
        skip_blanks(scanner);
    }
    return set_time(time, out_time, error);
}

enum vg_reason vg_time_text_parse(
    struct vg_bytes text,
    vg_time now,
    const struct vg_zone *zone,
    vg_time *out_time,
    struct vg_error *error)
{
    struct scanner scanner = { text.data, text.size == 0 ? text.data : text.data + text.size };
    skip_blanks(&scanner);
    while (!at_end(&scanner) && is_blank(scanner.end[-1])) {
        scanner.end--;
    }
    if (at_end(&scanner)) {
        return not_a_time(error);
    }
    if (!is_digit(*scanner.at)) {
        return parse_relative(&scanner, now, zone, out_time, error);
    }
    for (const uint8_t *at = scanner.at; at < scanner.end; at++) {
        if (!is_digit(*at)) {
            return parse_iso(&scanner, out_time, error);
        }
    }
    return parse_milliseconds(&scanner, out_time, error);
}

/* Z, or +hh:mm or +hhmm. */
static bool take_offset(struct scanner *scanner, int64_t *out_offset_ms)
{
    if (take(scanner, 'Z') || take(scanner, 'z')) {
        *out_offset_ms = 0;
        return true;
    }
    int64_t sign = take(scanner, '+') ? 1 : take(scanner, '-') ? -1 : 0;
    unsigned hour;
    unsigned minute;
    if (sign == 0 || !take_digits(scanner, 2, &hour)) {
        return false;
    }
    (void)take(scanner, ':');
    if (!take_digits(scanner, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *out_offset_ms = sign * (hour * VG_MS_PER_HOUR + minute * VG_MS_PER_MINUTE);
    return true;
}

enum vg_reason vg_time_text_parse_rfc3339(
    struct vg_bytes text,
    vg_time *out_time,
    struct vg_error *error)
{
    struct scanner scanner = { text.data, text.size == 0 ? text.data : text.data + text.size };
    struct vg_civil civil = { .year = 0 };
    int64_t offset_ms;
    bool ok = take_date(&scanner, &civil) &&
              (take(&scanner, 'T') || take(&scanner, 't') || take(&scanner, ' ')) &&
              take_time_of_day(&scanner, true, &civil) && take_offset(&scanner, &offset_ms) &&
              at_end(&scanner);
    if (!ok) {
        return refuse(error, "Not a time of RFC 3339, such as 2017-03-25T16:49:58.856335-0600");
    }
    return set_civil(&civil, offset_ms, out_time, error);
}

static char *put_digits(char *to, unsigned value, unsigned count)
{
    for (unsigned i = count; i > 0; i--) {
        to[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

void vg_time_text_print(vg_time time, char out_text[VG_TIME_TEXT_SIZE])
{
    VG_ASSERT(time >= 0 && time <= VG_TIME_MAX);
    struct vg_civil civil = vg_calendar_civil(time);
    char *to = put_digits(out_text, (unsigned)civil.year, 4);
    *to++ = '-';
    to = put_digits(to, civil.month, 2);
    *to++ = '-';
    to = put_digits(to, civil.day, 2);
    *to++ = 'T';
    to = put_digits(to, civil.hour, 2);
    *to++ = ':';
    to = put_digits(to, civil.minute, 2);
    *to++ = ':';
    to = put_digits(to, civil.second, 2);
    *to++ = '.';
    to = put_digits(to, civil.millisecond, 3);
    *to++ = 'Z';
    *to = '\0';
}
