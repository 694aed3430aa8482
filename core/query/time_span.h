/*
 * Spans of time on the UTC calendar: minutes to years, numbered from the one that holds 1970 on, so
 * that spans can be counted and divided without walking them. Weeks begin on Monday.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_QUERY_TIME_SPAN_H
#define VG_CORE_QUERY_TIME_SPAN_H

#include <stdint.h>

#include "core/base/clock.h"

enum vg_time_unit {
    VG_TIME_UNIT_MINUTE,
    VG_TIME_UNIT_HOUR,
    VG_TIME_UNIT_DAY,
    VG_TIME_UNIT_WEEK,
    VG_TIME_UNIT_MONTH,
    VG_TIME_UNIT_QUARTER,
    VG_TIME_UNIT_YEAR,
};

/* The last instant that a time of a request can name: the end of the year 9999. */
#define VG_TIME_SPAN_LAST INT64_C(253402300799999)

/* The number of the span that holds `time`, which is not after VG_TIME_SPAN_LAST. */
int64_t vg_time_span_number(enum vg_time_unit unit, vg_time time);

/* The first instant of a span; of the one behind the last, the instant after VG_TIME_SPAN_LAST at
 * most. */
vg_time vg_time_span_start(enum vg_time_unit unit, int64_t number);

#endif
