#include "core/table/strip_zones.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/table/column_loops.h"

VG_LOOP_CLONES static void bounds_32(
    const uint32_t *values,
    uint32_t count,
    uint32_t *out_min,
    uint32_t *out_max)
{
    uint32_t min = UINT32_MAX;
    uint32_t max = 0;
    for (uint32_t i = 0; i < count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    *out_min = min;
    *out_max = max;
}

#define RISING_LOOP(name, type)                                                                    \
    VG_LOOP_CLONES static bool name(const type *values, uint32_t count)                            \
    {                                                                                              \
        type falls = 0;                                                                            \
        for (uint32_t i = 1; i < count; i++) {                                                     \
            falls |= values[i] < values[i - 1];                                                    \
        }                                                                                          \
        return falls == 0;                                                                         \
    }

RISING_LOOP(is_rising_32, uint32_t)
RISING_LOOP(is_rising_64, int64_t)

static void measure_one_by_one(
    const struct vg_column_data *data,
    uint32_t first,
    uint32_t count,
    struct vg_strip_zone *zone)
{
    zone->min = INT64_MAX;
    zone->max = INT64_MIN;
    for (uint32_t row = first; row < first + count; row++) {
        int64_t number = vg_column_number(data, row);
        zone->min = number < zone->min ? number : zone->min;
        zone->max = number > zone->max ? number : zone->max;
    }
    zone->has_absent = zone->min == VG_ABSENT;
}

void vg_strip_zone_measure(
    const struct vg_column_data *data,
    uint32_t first,
    uint32_t count,
    struct vg_strip_zone *out_zone)
{
    const uint8_t *values =
        (const uint8_t *)data->values + (size_t)(first & data->row_mask) * data->value_size;
    struct vg_strip_zone zone = { 0 };
    if (vg_column_has_one_value(data)) {
        zone.min = vg_column_number(data, 0);
        zone.max = zone.min;
        zone.has_absent = zone.min == VG_ABSENT;
        zone.is_rising = true;
    } else if (data->value_size == 4) {
        const uint32_t *narrow = (const uint32_t *)(const void *)values;
        uint32_t least;
        uint32_t greatest;
        bounds_32(narrow, count, &least, &greatest);
        zone.min = data->base + (int64_t)least;
        zone.max = data->base + (int64_t)greatest;
        zone.has_absent = greatest == UINT32_MAX;
        zone.is_rising = is_rising_32(narrow, count);
    } else if (data->value_size == 8) {
        const int64_t *wide = (const int64_t *)(const void *)values;
        vg_loop_bounds_64(wide, count, &zone.min, &zone.max);
        zone.has_absent = zone.min == VG_ABSENT;
        zone.is_rising = is_rising_64(wide, count);
    } else {
        measure_one_by_one(data, first, count, &zone);
    }
    *out_zone = zone;
}

const struct vg_strip_zone *vg_strip_zones(const struct vg_chunk *chunk, uint32_t column)
{
    struct vg_strip_zone *_Atomic *place = &chunk->strip_zones[column];
    struct vg_strip_zone *zones = atomic_load_explicit(place, memory_order_acquire);
    if (zones != NULL) {
        return zones;
    }
    uint32_t count = (chunk->rows + VG_STRIP_ROWS - 1) / VG_STRIP_ROWS;
    struct vg_strip_zone *made = calloc((size_t)count + 1, sizeof(*made));
    for (uint32_t i = 0; made != NULL && i < count; i++) {
        uint32_t first = i * VG_STRIP_ROWS;
        uint32_t rest = chunk->rows - first;
        uint32_t rows = rest < VG_STRIP_ROWS ? rest : VG_STRIP_ROWS;
        vg_strip_zone_measure(&chunk->columns[column], first, rows, &made[i]);
    }
    if (made == NULL || atomic_compare_exchange_strong_explicit(
                            place,
                            &zones,
                            made,
                            memory_order_acq_rel,
                            memory_order_acquire)) {
        return made;
    }
    free(made);
    return zones;
}
