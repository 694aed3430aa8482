/*
 * Times as text, in the forms of the interface: milliseconds, ISO-8601 in UTC, and times relative
 * to now; and RFC 3339 with any offset for what sensors write.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_TIME_TEXT_H
#define VG_CORE_BASE_TIME_TEXT_H

#include "core/base/bytes.h"
#include "core/base/calendar.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

/*
 * Read a time: "1567288800000", "2019-10-05T15:07:10.123Z", "2019-10-05T15:07Z", "2019-10-05",
 * "now", "-14d", "now - 1 month". Blanks around it are ignored.
 *
 *   relative = "now" *( ws step ) / step *( ws step )
 *   step     = ( "+" / "-" ) ws 1*9DIGIT ws unit
 *
 * Relative times count from `now`, which should be the same for all times of one request. Steps of
 * a day and more keep the wall clock of `zone` (NULL = UTC); see vg_calendar_add.
 *
 * Fails with: INVALID_FIELD_VALUE, the message saying which rule the text breaks; the caller names
 * the field.
 */
VG_MUST_USE enum vg_reason vg_time_text_parse(
    struct vg_bytes text,
    vg_time now,
    const struct vg_zone *zone,
    vg_time *out_time,
    struct vg_error *error);

/*
 * Read date and time with an offset: RFC 3339 §5.6, and the offset without a colon as Suricata
 * writes it ("2017-03-25T16:49:58.856335-0600"). Fractions are cut to milliseconds.
 *
 * Fails with: INVALID_FIELD_VALUE.
 */
VG_MUST_USE enum vg_reason vg_time_text_parse_rfc3339(
    struct vg_bytes text,
    vg_time *out_time,
    struct vg_error *error);

#define VG_TIME_TEXT_SIZE 25 /* "2019-10-05T15:07:10.123Z" and a NUL */

/* Write `time`, 0 to VG_TIME_MAX, as ISO-8601 in UTC with milliseconds. */
void vg_time_text_print(vg_time time, char out_text[VG_TIME_TEXT_SIZE]);

#endif
