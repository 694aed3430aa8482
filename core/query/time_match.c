#include "core/query/time_match.h"

#include "core/base/assert.h"

#define VG_DAY_MS           (24 * 60 * 60 * INT64_C(1000))
#define VG_TIME_COLUMNS_MAX 16u

static const struct vg_predicate *in_range(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_time_range *range)
{
    return range->start > range->end ? vg_predicate_none(arena)
                                     : vg_predicate_range(arena, column, range->start, range->end);
}

void vg_time_match_any(
    struct vg_term_list *terms,
    const struct vg_time_range *range,
    const uint32_t *columns,
    uint32_t column_count)
{
    VG_ASSERT(column_count <= VG_TIME_COLUMNS_MAX);
    if (!vg_time_range_is_bounded(range) || column_count == 0) {
        return;
    }
    if (column_count == 1) {
        vg_term_list_add(terms, in_range(terms->arena, columns[0], range));
        return;
    }
    const struct vg_predicate *any[VG_TIME_COLUMNS_MAX];
    for (uint32_t i = 0; i < column_count; i++) {
        any[i] = in_range(terms->arena, columns[i], range);
        if (any[i] == NULL) {
            terms->failed = true;
            return;
        }
    }
    vg_term_list_add(terms, vg_predicate_or(terms->arena, any, column_count));
}

void vg_time_match_all(
    struct vg_term_list *terms,
    const struct vg_time_range *range,
    const uint32_t *columns,
    uint32_t column_count)
{
    VG_ASSERT(column_count <= VG_TIME_COLUMNS_MAX);
    if (!vg_time_range_is_bounded(range) || column_count == 0) {
        return;
    }
    const struct vg_predicate *absent[VG_TIME_COLUMNS_MAX];
    for (uint32_t i = 0; i < column_count; i++) {
        absent[i] = vg_predicate_absent(terms->arena, columns[i]);
        const struct vg_predicate *either[] = { in_range(terms->arena, columns[i], range),
                                                absent[i] };
        vg_term_list_add(terms, vg_predicate_or(terms->arena, either, 2));
    }
    vg_term_list_add(
        terms,
        vg_predicate_not(terms->arena, vg_predicate_and(terms->arena, absent, column_count)));
}

void vg_time_match_overlap(
    struct vg_term_list *terms,
    const struct vg_time_range *range,
    uint32_t first,
    uint32_t last)
{
    if (range->start > range->end) {
        vg_term_list_add(terms, vg_predicate_none(terms->arena));
        return;
    }
    if (range->start != VG_TIME_UNBOUNDED_START) {
        vg_term_list_add(
            terms,
            vg_predicate_range(terms->arena, last, range->start, VG_TIME_UNBOUNDED_END));
    }
    if (range->end != VG_TIME_UNBOUNDED_END) {
        vg_term_list_add(
            terms,
            vg_predicate_range(terms->arena, first, VG_TIME_UNBOUNDED_START, range->end));
    }
}

vg_time vg_time_match_day_start(vg_time time)
{
    vg_time into_day = time % VG_DAY_MS;
    return time - (into_day < 0 ? into_day + VG_DAY_MS : into_day);
}

vg_time vg_time_match_day_end(vg_time time)
{
    return vg_time_match_day_start(time) + VG_DAY_MS - 1;
}
