#include "core/table/aggregate_levels.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/table/aggregate_counters.h"
#include "core/table/column_loops.h"

/* Cells of the narrow levels together at most: a table of groups by cell takes a megabyte. */
#define NARROW_WIDTH_MAX (1u << 18)

/* Rows between two questions whether to go on: a few milliseconds. */
#define ROWS_PER_CHECK (1u << 20)

/* Longer lists are sorted to find what occurs twice. */
#define ELEMENTS_COMPARED_MAX 16u

/* Entries of a dictionary fetched before they are looked at. */
#define ENTRIES_AHEAD 8u

/* Numbers of networks: above the IPv4 ones, which are code and address, keyed hashes. */
#define NETWORK_IS_HASH (UINT64_C(1) << 63)

static bool has_ids(enum vg_column_kind kind)
{
    return kind == VG_COLUMN_TEXT || kind == VG_COLUMN_SUBJECTS;
}

static bool is_list_kind(enum vg_column_kind kind)
{
    return kind == VG_COLUMN_NUMBERS || kind == VG_COLUMN_TEXTS;
}

static enum vg_column_kind kind_of(const struct vg_levels *levels, uint32_t level)
{
    return levels->schema->columns[levels->aggregate->columns[level]].kind;
}

/* --- which levels are narrow --- */

/* Rows of a tail have no zone that may be read. */
static void widen_by_rows(
    const struct vg_walk_part *part,
    uint32_t column,
    int64_t *min,
    int64_t *max)
{
    int64_t numbers[VG_STRIP_ROWS];
    for (uint32_t first = 0; first < part->rows; first += VG_STRIP_ROWS) {
        uint32_t rest = part->rows - first;
        const struct vg_strip strip = {
            .chunk = part->chunk,
            .first = first,
            .count = rest < VG_STRIP_ROWS ? rest : VG_STRIP_ROWS,
        };
        vg_strip_numbers(&strip, column, VG_ABSENT, numbers);
        for (uint32_t row = 0; row < strip.count; row++) {
            int64_t least = numbers[row] == VG_ABSENT ? INT64_MAX : numbers[row];
            *min = least < *min ? least : *min;
            *max = numbers[row] > *max ? numbers[row] : *max;
        }
    }
}

/* False when the values are not few. */
static bool measure_numbers(
    struct vg_narrow_column *narrow,
    const struct vg_walk_part *parts,
    uint32_t part_count)
{
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;
    for (uint32_t i = 0; i < part_count; i++) {
        if (parts[i].is_tail) {
            widen_by_rows(&parts[i], narrow->column, &min, &max);
            continue;
        }
        const struct vg_zone *zone = parts[i].chunk->columns[narrow->column].zone;
        min = zone->min < min ? zone->min : min;
        max = zone->max > max ? zone->max : max;
    }
    if (min > max) {
        narrow->width = 1; /* all are absent */
        return true;
    }
    uint64_t distance = (uint64_t)max - (uint64_t)min;
    narrow->min = min;
    narrow->width = (uint32_t)distance + 2;
    return distance < NARROW_WIDTH_MAX;
}

static bool measure(
    struct vg_levels *levels,
    uint32_t level,
    const struct vg_walk_part *parts,
    uint32_t part_count,
    const struct vg_dictionary *dictionaries)
{
    struct vg_narrow_column *narrow = &levels->narrow[level];
    enum vg_column_kind kind = kind_of(levels, level);
    *narrow = (struct vg_narrow_column){ .column = levels->aggregate->columns[level] };
    const struct vg_dictionary *dictionary = &dictionaries[narrow->column];
    if (has_ids(kind)) {
        narrow->has_ids = true;
        narrow->width = vg_dictionary_count(dictionary) + 1;
        return !vg_dictionary_has_beyond(dictionary) && narrow->width <= NARROW_WIDTH_MAX;
    }
    if (levels->entries[level].bits != NULL) {
        narrow->width = levels->entries[level].count + 1;
        return !vg_dictionary_has_beyond(dictionary) && narrow->width <= NARROW_WIDTH_MAX;
    }
    return (kind == VG_COLUMN_TIME || kind == VG_COLUMN_NUMBER) &&
           measure_numbers(narrow, parts, part_count);
}

/* Number the entries whose bits are set. False when the arena is full. */
static bool number_entries(struct vg_level_entries *entries, uint32_t words, struct vg_arena *arena)
{
    uint32_t count = 0;
    entries->ranks = vg_arena_alloc(arena, words * sizeof(*entries->ranks));
    entries->ids = vg_arena_alloc(arena, ((size_t)entries->count + 1) * sizeof(*entries->ids));
    if (entries->ranks == NULL || entries->ids == NULL) {
        return false;
    }
    for (uint32_t word = 0; word < words; word++) {
        entries->ranks[word] = count;
        for (uint64_t rest = entries->bits[word]; rest != 0; rest &= rest - 1) {
            entries->ids[count++] = word * 64 + (uint32_t)__builtin_ctzll(rest);
        }
    }
    entries->least = count == 0 ? 1 : entries->ids[0];
    entries->greatest = count == 0 ? 0 : entries->ids[count - 1];
    return true;
}

/* Most entries differ in the first byte, which is not worth a call. */
static bool begins_with(struct vg_bytes entry, struct vg_bytes prefix)
{
    return entry.size >= prefix.size && entry.data[0] == prefix.data[0] &&
           memcmp(entry.data, prefix.data, prefix.size) == 0;
}

/* Which entries begin with the prefix of `level`. False when the arena is full. */
static bool find_entries(
    struct vg_levels *levels,
    uint32_t level,
    const struct vg_dictionary *dictionaries)
{
    const struct vg_aggregate *aggregate = levels->aggregate;
    if (aggregate->prefixes == NULL || aggregate->prefixes[level].size == 0 ||
        kind_of(levels, level) != VG_COLUMN_TEXTS) {
        return true;
    }
    struct vg_level_entries *entries = &levels->entries[level];
    const struct vg_dictionary *dictionary = &dictionaries[aggregate->columns[level]];
    struct vg_bytes prefix = aggregate->prefixes[level];
    uint32_t count = vg_dictionary_count(dictionary);
    uint32_t words = count / 64 + 1;
    entries->bits = vg_arena_calloc(levels->arena, words, sizeof(*entries->bits));
    for (uint32_t id = 1; entries->bits != NULL && id <= count; id++) {
        if (id + ENTRIES_AHEAD <= count) {
            __builtin_prefetch(vg_dictionary_get(dictionary, id + ENTRIES_AHEAD).data);
        }
        uint64_t has = begins_with(vg_dictionary_get(dictionary, id), prefix);
        entries->bits[id / 64] |= has << id % 64;
        entries->count += (uint32_t)has;
    }
    return entries->bits != NULL && number_entries(entries, words, levels->arena);
}

/* Rows with several values are counted beside the counters, so lists are narrow only where all
 * levels are counted in those. */
static void keep_narrow(struct vg_levels *levels)
{
    const struct vg_aggregate *aggregate = levels->aggregate;
    uint32_t kept = 0;
    uint64_t width = 1;
    bool are_all = levels->narrow_count == aggregate->column_count &&
                   levels->narrow_width <= VG_COUNTERS_WIDTH_MAX && aggregate->extreme_count == 0;
    for (; kept < levels->narrow_count; kept++) {
        bool is_list = is_list_kind(kind_of(levels, kept));
        if (is_list && !are_all) {
            break;
        }
        levels->has_lists = levels->has_lists || is_list;
        width *= levels->narrow[kept].width;
    }
    levels->narrow_count = kept;
    levels->narrow_width = (uint32_t)width;
}

bool vg_levels_init(
    struct vg_levels *levels,
    const struct vg_walk_part *parts,
    uint32_t part_count,
    const struct vg_dictionary *dictionaries)
{
    const struct vg_aggregate *aggregate = levels->aggregate;
    uint64_t width = 1;
    bool found = true;
    for (uint32_t level = 0; found && level < aggregate->column_count; level++) {
        found = find_entries(levels, level, dictionaries);
    }
    if (!found) {
        return false;
    }
    while (levels->narrow_count < aggregate->column_count &&
           measure(levels, levels->narrow_count, parts, part_count, dictionaries) &&
           width * levels->narrow[levels->narrow_count].width <= NARROW_WIDTH_MAX) {
        width *= levels->narrow[levels->narrow_count].width;
        levels->narrow_count++;
    }
    levels->narrow_width = (uint32_t)width;
    keep_narrow(levels);
    levels->until_check = ROWS_PER_CHECK;
    levels->known = vg_arena_calloc(levels->arena, levels->narrow_width, sizeof(*levels->known));
    levels->batches = vg_arena_calloc(
        levels->arena,
        (size_t)aggregate->column_count + 1,
        sizeof(*levels->batches));
    return levels->known != NULL && levels->batches != NULL;
}

/* --- the narrow levels --- */

/* The number of an element of a list; 0 = it is not one the level is about. */
static uint32_t number_of_entry(const struct vg_level_entries *entries, uint32_t id)
{
    if (id < entries->least || id > entries->greatest) {
        return 0;
    }
    uint64_t word = entries->bits[id / 64];
    uint64_t below = word & ((UINT64_C(1) << id % 64) - 1);
    bool has = (word >> id % 64 & 1) != 0;
    return has ? entries->ranks[id / 64] + (uint32_t)__builtin_popcountll(below) + 1 : 0;
}

/* Numbers of the wanted rows of a list; of other rows 0. */
VG_LOOP_CLONES static void number_lists(
    const struct vg_levels *levels,
    uint32_t level,
    const struct vg_strip *strip,
    uint16_t *numbers,
    uint64_t *several)
{
    const struct vg_level_entries *entries = &levels->entries[level];
    const struct vg_column_data *data = &strip->chunk->columns[levels->narrow[level].column];
    memset(numbers, 0, strip->count * sizeof(*numbers));
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            uint32_t count;
            const uint32_t *ids = vg_column_list(data, strip->first + row, &count);
            uint32_t number = 0;
            bool has_several = false;
            for (uint32_t i = 0; i < count; i++) {
                uint32_t own = number_of_entry(entries, ids[i]);
                has_several = has_several || (own != 0 && number != 0 && own != number);
                number = number == 0 ? own : number;
            }
            numbers[row] = (uint16_t)number;
            several[word] |= (uint64_t)has_several << row % 64;
        }
    }
}

uint32_t vg_levels_cells(
    const struct vg_levels *levels,
    const struct vg_strip *strip,
    uint16_t out_cells[VG_STRIP_ROWS],
    uint64_t out_several[VG_STRIP_WORDS])
{
    if (!levels->has_lists) {
        vg_strip_cells_16(strip, levels->narrow, levels->narrow_count, out_cells);
        return 0;
    }
    uint16_t numbers[VG_STRIP_ROWS];
    memset(out_cells, 0, strip->count * sizeof(*out_cells));
    memset(out_several, 0, VG_STRIP_WORDS * sizeof(*out_several));
    for (uint32_t level = 0; level < levels->narrow_count; level++) {
        if (is_list_kind(kind_of(levels, level))) {
            number_lists(levels, level, strip, numbers, out_several);
        } else {
            vg_strip_cells_16(strip, &levels->narrow[level], 1, numbers);
        }
        vg_strip_join_16(numbers, strip->count, levels->narrow[level].width, out_cells);
    }
    return vg_loop_count_bits(out_several, VG_STRIP_WORDS);
}

/* What a group of the level is found by, as when a row goes down level by level. */
static int64_t number_of_value(const struct vg_levels *levels, uint32_t level, uint32_t number)
{
    const struct vg_narrow_column *narrow = &levels->narrow[level];
    if (narrow->has_ids) {
        return number;
    }
    if (number == 0) {
        return VG_ABSENT;
    }
    return is_list_kind(kind_of(levels, level)) ? levels->entries[level].ids[number - 1]
                                                : narrow->min + (int64_t)number - 1;
}

uint32_t vg_levels_group(struct vg_levels *levels, uint32_t cell, const struct vg_hit *example)
{
    if (levels->known[cell] != 0) {
        return levels->known[cell] - 1;
    }
    uint32_t group = 0;
    uint32_t rest = cell;
    uint32_t below = levels->narrow_width;
    for (uint32_t level = 0; level < levels->narrow_count; level++) {
        below /= levels->narrow[level].width;
        uint64_t number = (uint64_t)number_of_value(levels, level, rest / below);
        group = vg_group_store_find(&levels->store, level, group, number, example);
        rest %= below;
        if (group == VG_GROUP_NONE) {
            return group;
        }
    }
    levels->known[cell] = group + 1;
    return group;
}

/* --- what stands for a value --- */

static int64_t number_of_network_6(
    const struct vg_levels *levels,
    const struct vg_column_data *data,
    uint32_t position)
{
    uint8_t bytes[17] = { vg_column_code(data, position) };
    memcpy(bytes + 1, vg_column_elements(data, vg_column_address(data, position)), 16);
    uint64_t number = vg_siphash(levels->secret, vg_bytes(bytes, sizeof(bytes))) | NETWORK_IS_HASH;
    int64_t same;
    memcpy(&same, &number, sizeof(same));
    return same;
}

static void fill_networks(
    const struct vg_levels *levels,
    const struct vg_column_data *data,
    int64_t *numbers)
{
    const struct vg_strip *strip = levels->strip;
    uint32_t others = 0; /* rows with IPv6, or none */
    for (uint32_t row = 0; row < strip->count; row++) {
        uint32_t position = strip->first + row;
        uint8_t code = vg_column_code(data, position);
        numbers[row] = (int64_t)((uint64_t)code << 32 | vg_column_address(data, position));
        others += code >= VG_NETWORK_CODE_V6;
    }
    for (uint32_t row = 0; others > 0 && row < strip->count; row++) {
        bool is_wanted = (strip->found[row / 64] >> row % 64 & 1) != 0;
        uint8_t code = vg_column_code(data, strip->first + row);
        if (code == VG_NETWORK_CODE_NONE) {
            numbers[row] = (int64_t)VG_NETWORK_CODE_NONE << 32;
        } else if (code >= VG_NETWORK_CODE_V6 && is_wanted) {
            numbers[row] = number_of_network_6(levels, data, strip->first + row);
        }
    }
}

/* What stands for a value is a hash of it. */
static void fill_fixed(
    const struct vg_levels *levels,
    const struct vg_column_data *data,
    int64_t *numbers)
{
    const struct vg_strip *strip = levels->strip;
    for (uint32_t row = 0; row < strip->count; row++) {
        if ((strip->found[row / 64] >> row % 64 & 1) != 0) {
            const uint8_t *value = vg_column_fixed(data, strip->first + row);
            uint64_t hash = vg_siphash(levels->secret, vg_bytes(value, data->value_size));
            memcpy(&numbers[row], &hash, sizeof(hash));
        }
    }
}

static void fill_numbers(struct vg_levels *levels, uint32_t level, struct vg_level_batch *batch)
{
    const struct vg_strip *strip = levels->strip;
    uint32_t column = levels->aggregate->columns[level];
    enum vg_column_kind kind = kind_of(levels, level);
    batch->has_numbers = true;
    if (kind == VG_COLUMN_TIME || kind == VG_COLUMN_NUMBER) {
        vg_strip_numbers(strip, column, VG_ABSENT, batch->numbers);
    } else if (kind == VG_COLUMN_NETWORK) {
        fill_networks(levels, &strip->chunk->columns[column], batch->numbers);
    } else if (kind == VG_COLUMN_FIXED) {
        fill_fixed(levels, &strip->chunk->columns[column], batch->numbers);
    } else {
        uint32_t ids[VG_STRIP_ROWS];
        const struct vg_narrow_column as_is = { .column = column, .has_ids = true };
        vg_strip_cells(strip, &as_is, 1, ids);
        for (uint32_t row = 0; row < strip->count; row++) {
            batch->numbers[row] = ids[row];
        }
    }
}

/* --- going down --- */

bool vg_levels_are_counted(const struct vg_levels *levels, uint32_t level)
{
    return level + 1 == levels->aggregate->column_count || is_list_kind(kind_of(levels, level + 1));
}

static void count_batch(struct vg_levels *levels, uint32_t level)
{
    const struct vg_level_batch *batch = &levels->batches[level + 1];
    const struct vg_amounts *amounts = &levels->strip->amounts;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct vg_open_group *group = vg_group_store_at(&levels->store, level, batch->groups[i]);
        uint64_t amount = (uint64_t)vg_amount_at(amounts, batch->rows[i]);
        group->total.count++;
        group->total.sum = (int64_t)((uint64_t)group->total.sum + amount);
    }
}

static void count_spans(struct vg_levels *levels, uint32_t level)
{
    const struct vg_level_batch *batch = &levels->batches[level + 1];
    const struct vg_amounts *amounts = &levels->strip->amounts;
    for (uint32_t line = 0; line < levels->aggregate->timeline_count; line++) {
        const struct vg_span_strip *spans = &levels->span_strips[line];
        for (uint32_t i = 0; i < batch->count; i++) {
            uint32_t row = batch->rows[i];
            vg_span_line_add(
                &levels->lines[line],
                spans->is_uniform ? spans->all : spans->rows[row],
                1,
                vg_amount_at(amounts, row),
                vg_group_store_at(&levels->store, level, batch->groups[i])->spans);
        }
    }
}

static void count_extremes(struct vg_levels *levels, uint32_t level)
{
    const struct vg_level_batch *batch = &levels->batches[level + 1];
    const struct vg_aggregate *aggregate = levels->aggregate;
    int64_t numbers[VG_STRIP_ROWS];
    for (uint32_t extreme = 0; extreme < aggregate->extreme_count; extreme++) {
        vg_strip_numbers(levels->strip, aggregate->extreme_columns[extreme], VG_ABSENT, numbers);
        for (uint32_t i = 0; i < batch->count; i++) {
            struct vg_open_group *group =
                vg_group_store_at(&levels->store, level, batch->groups[i]);
            vg_extremes_add(&group->extremes[extreme], numbers[batch->rows[i]]);
        }
    }
}

static enum vg_reason ask_to_go_on(struct vg_levels *levels, uint32_t rows, struct vg_error *error)
{
    const struct vg_aggregate *aggregate = levels->aggregate;
    if (rows < levels->until_check) {
        levels->until_check -= rows;
        return VG_OK;
    }
    levels->until_check = ROWS_PER_CHECK;
    return aggregate->check == NULL ? VG_OK : aggregate->check(aggregate->owner, error);
}

static int compare_elements(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Room for the elements of a list; false when the arena is full. */
static bool make_room(struct vg_levels *levels, struct vg_level_batch *batch)
{
    if (batch->elements == NULL) {
        batch->elements = vg_arena_calloc(levels->arena, VG_ROW_LIST_MAX, sizeof(*batch->elements));
    }
    return batch->elements != NULL;
}

/* The elements of a list with those that occur twice side by side, when it is long. NULL when the
 * arena is full. */
static const int64_t *sorted_elements(
    struct vg_levels *levels,
    struct vg_level_batch *batch,
    const int64_t *items,
    uint32_t count)
{
    if (count <= ELEMENTS_COMPARED_MAX) {
        return items;
    }
    if (!make_room(levels, batch)) {
        return NULL;
    }
    if (items != batch->elements) {
        memcpy(batch->elements, items, count * sizeof(*items));
    }
    qsort(batch->elements, count, sizeof(*items), compare_elements);
    return batch->elements;
}

/* Did the element number `index` occur before? */
static bool is_repeated(const int64_t *items, uint32_t count, uint32_t index)
{
    uint32_t first = count <= ELEMENTS_COMPARED_MAX || index == 0 ? 0 : index - 1;
    for (uint32_t i = first; i < index; i++) {
        if (items[i] == items[index]) {
            return true;
        }
    }
    return false;
}

static enum vg_reason descend(struct vg_levels *levels, uint32_t level, struct vg_error *error);

enum vg_reason vg_levels_error(const struct vg_levels *levels, struct vg_error *error)
{
    if (levels->store.reason != VG_RESULTSET_TOO_LARGE) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    return vg_error_set(
        error,
        VG_RESULTSET_TOO_LARGE,
        "more than %u groups, or %u counts in time",
        VG_AGGREGATE_GROUPS_MAX,
        VG_AGGREGATE_CELLS_MAX);
}

/* Put a row into the group of `number` below its group so far; a full batch goes down at once. */
static enum vg_reason go_on(
    struct vg_levels *levels,
    uint32_t level,
    uint32_t entry,
    int64_t number,
    struct vg_error *error)
{
    const struct vg_level_batch *batch = &levels->batches[level];
    struct vg_level_batch *next = &levels->batches[level + 1];
    const struct vg_hit hit = {
        .chunk = levels->strip->chunk,
        .position = levels->strip->first + batch->rows[entry],
    };
    uint32_t group =
        vg_group_store_find(&levels->store, level, batch->groups[entry], (uint64_t)number, &hit);
    if (group == VG_GROUP_NONE) {
        return vg_levels_error(levels, error);
    }
    next->rows[next->count] = batch->rows[entry];
    next->groups[next->count++] = group;
    return next->count < VG_STRIP_ROWS ? VG_OK : descend(levels, level + 1, error);
}

/* The entries of a list of texts that the level is about, as numbers. */
static enum vg_reason pick_texts(
    struct vg_levels *levels,
    uint32_t level,
    const uint32_t *ids,
    uint32_t *count,
    struct vg_error *error)
{
    struct vg_level_batch *batch = &levels->batches[level];
    const uint64_t *wanted = levels->entries[level].bits;
    uint32_t kept = 0;
    if (!make_room(levels, batch)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < *count; i++) {
        bool is_beyond = (ids[i] & VG_DICTIONARY_BEYOND) != 0;
        if (wanted != NULL && is_beyond) {
            return vg_error_set(
                error,
                VG_RESOURCE_LIMIT,
                "there are too many different texts to group by some of them");
        }
        if (wanted == NULL || (wanted[ids[i] / 64] >> ids[i] % 64 & 1) != 0) {
            batch->elements[kept++] = ids[i];
        }
    }
    *count = kept;
    return VG_OK;
}

static enum vg_reason go_on_with_list(
    struct vg_levels *levels,
    uint32_t level,
    uint32_t entry,
    struct vg_error *error)
{
    struct vg_level_batch *batch = &levels->batches[level];
    const struct vg_column_data *data =
        &levels->strip->chunk->columns[levels->aggregate->columns[level]];
    uint32_t position = levels->strip->first + batch->rows[entry];
    uint32_t count;
    const void *stored = vg_column_list(data, position, &count);
    const int64_t *items = stored;
    if (count > 0 && kind_of(levels, level) == VG_COLUMN_TEXTS) {
        enum vg_reason reason = pick_texts(levels, level, stored, &count, error);
        if (reason != VG_OK) {
            return reason;
        }
        items = batch->elements;
    }
    if (count == 0) {
        return go_on(levels, level, entry, VG_ABSENT, error);
    }
    items = sorted_elements(levels, batch, items, count);
    if (items == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        enum vg_reason reason =
            is_repeated(items, count, i) ? VG_OK : go_on(levels, level, entry, items[i], error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

/* The rows of batch `level` are in groups of the level above: count them there, and put them into
 * groups of this one. Leaves the batch empty. Calls itself once per level at most. */
static enum vg_reason descend(struct vg_levels *levels, uint32_t level, struct vg_error *error)
{
    struct vg_level_batch *batch = &levels->batches[level];
    enum vg_reason reason = ask_to_go_on(levels, batch->count, error);
    if (level > 0 && vg_levels_are_counted(levels, level - 1)) {
        count_batch(levels, level - 1);
    }
    if (level == levels->aggregate->column_count) {
        count_spans(levels, level - 1);
        count_extremes(levels, level - 1);
        batch->count = 0;
        return reason;
    }
    bool is_list = is_list_kind(kind_of(levels, level));
    if (!is_list && !batch->has_numbers) {
        fill_numbers(levels, level, batch);
    }
    if (!is_list) {
        vg_group_store_expect(
            &levels->store,
            level,
            batch->groups,
            batch->rows,
            batch->numbers,
            batch->count);
    }
    for (uint32_t i = 0; reason == VG_OK && i < batch->count; i++) {
        reason = is_list ? go_on_with_list(levels, level, i, error)
                         : go_on(levels, level, i, batch->numbers[batch->rows[i]], error);
    }
    batch->count = 0;
    if (reason == VG_OK && levels->batches[level + 1].count > 0) {
        reason = descend(levels, level + 1, error);
    }
    return reason;
}

enum vg_reason vg_levels_count(
    struct vg_levels *levels,
    const struct vg_strip *strip,
    struct vg_error *error)
{
    const struct vg_aggregate *aggregate = levels->aggregate;
    uint32_t narrow_count = levels->has_lists ? 0 : levels->narrow_count;
    struct vg_level_batch *batch = &levels->batches[narrow_count];
    levels->strip = strip;
    for (uint32_t level = 0; level < aggregate->column_count; level++) {
        levels->batches[level].has_numbers = false;
    }
    batch->count = vg_strip_rows(strip, batch->rows);
    if (narrow_count == 0) {
        memset(batch->groups, 0, batch->count * sizeof(*batch->groups));
        return descend(levels, 0, error);
    }
    uint32_t cells[VG_STRIP_ROWS];
    vg_strip_cells(strip, levels->narrow, narrow_count, cells);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct vg_hit hit = {
            .chunk = strip->chunk,
            .position = strip->first + batch->rows[i],
        };
        batch->groups[i] = vg_levels_group(levels, cells[batch->rows[i]], &hit);
        if (batch->groups[i] == VG_GROUP_NONE) {
            return vg_levels_error(levels, error);
        }
    }
    return descend(levels, narrow_count, error);
}

void vg_levels_add_up(struct vg_levels *levels)
{
    for (uint32_t level = levels->aggregate->column_count; level-- > 1;) {
        if (vg_levels_are_counted(levels, level - 1)) {
            continue;
        }
        for (uint32_t i = 0; i < levels->store.levels[level].count; i++) {
            const struct vg_open_group *group = vg_group_store_at(&levels->store, level, i);
            struct vg_open_group *parent =
                vg_group_store_at(&levels->store, level - 1, group->parent);
            uint64_t sum = (uint64_t)parent->total.sum + (uint64_t)group->total.sum;
            parent->total.count += group->total.count;
            parent->total.sum = (int64_t)sum;
        }
    }
}
