#include "core/table/aggregate_groups.h"

#include <string.h>

#include "core/table/chunk.h"

#define SLOTS_FIRST 256u

/* Fewer groups stay in the near caches by themselves. */
#define GROUPS_FETCHED_MIN 512u

bool vg_group_store_init(
    struct vg_group_store *store,
    const uint8_t secret[16],
    uint32_t level_count,
    uint32_t span_count,
    uint32_t extreme_count,
    struct vg_arena *arena)
{
    memset(store, 0, sizeof(*store));
    store->arena = arena;
    store->level_count = level_count;
    store->span_count = span_count;
    store->extreme_count = extreme_count;
    memcpy(store->secrets, secret, sizeof(store->secrets));
    /* A secret of zeros, as tests have, must still spread. */
    store->secrets[0] ^= UINT64_C(0x2D358DCCAA6C78A5);
    store->secrets[1] ^= UINT64_C(0x8BB84B93962EACC9);
    for (uint32_t level = 0; level < level_count; level++) {
        struct vg_group_table *table = &store->levels[level];
        table->slots = vg_arena_calloc(arena, SLOTS_FIRST, sizeof(*table->slots));
        table->mask = SLOTS_FIRST - 1;
        if (table->slots == NULL) {
            return false;
        }
    }
    return true;
}

/* Both halves of a product of what came in and a secret: quick, and nobody who does not know the
 * secret can foresee it. */
static uint32_t hash_of(const struct vg_group_store *store, uint32_t parent, uint64_t number)
{
    uint64_t left = number ^ store->secrets[0];
    uint64_t right = (parent + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ store->secrets[1];
    unsigned __int128 product = (unsigned __int128)left * right;
    uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    return (uint32_t)(folded ^ folded >> 32);
}

static bool grow_slots(struct vg_group_store *store, uint32_t level)
{
    struct vg_group_table *table = &store->levels[level];
    uint32_t mask = table->mask * 2 + 1;
    uint32_t *slots = vg_arena_calloc(store->arena, (size_t)mask + 1, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < table->count; i++) {
        const struct vg_open_group *group = vg_group_store_at(store, level, i);
        uint32_t slot = hash_of(store, group->parent, group->number) & mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        slots[slot] = i + 1;
    }
    table->slots = slots;
    table->mask = mask;
    return true;
}

/* Room for one more group. */
static struct vg_open_group *take_group(struct vg_group_store *store, uint32_t level)
{
    struct vg_group_table *table = &store->levels[level];
    struct vg_open_group **segment = &table->segments[table->count / VG_GROUP_SEGMENT];
    if (*segment == NULL) {
        *segment = vg_arena_calloc(store->arena, VG_GROUP_SEGMENT, sizeof(**segment));
    }
    return *segment == NULL ? NULL : *segment + table->count % VG_GROUP_SEGMENT;
}

static bool is_full(const struct vg_group_store *store, uint32_t level)
{
    bool is_leaf = level == store->level_count - 1;
    uint64_t cells =
        (uint64_t)(store->levels[level].count + 1) * (store->span_count + store->extreme_count);
    return store->group_count >= VG_AGGREGATE_GROUPS_MAX ||
           (is_leaf && cells > VG_AGGREGATE_CELLS_MAX);
}

struct vg_aggregate_extremes *vg_extremes_create(struct vg_arena *arena, uint32_t count)
{
    struct vg_aggregate_extremes *extremes = vg_arena_alloc(arena, count * sizeof(*extremes));
    for (uint32_t i = 0; extremes != NULL && i < count; i++) {
        extremes[i] = (struct vg_aggregate_extremes){ .min = VG_ABSENT, .max = VG_ABSENT };
    }
    return extremes;
}

static uint32_t add_group(
    struct vg_group_store *store,
    uint32_t level,
    const struct vg_open_group *made)
{
    struct vg_group_table *table = &store->levels[level];
    if (is_full(store, level)) {
        store->reason = VG_RESULTSET_TOO_LARGE;
        return VG_GROUP_NONE;
    }
    struct vg_open_group *group = take_group(store, level);
    struct vg_aggregate_cell *spans = NULL;
    if (group != NULL && store->span_count > 0 && level == store->level_count - 1) {
        spans = vg_arena_calloc(store->arena, store->span_count, sizeof(*spans));
        group = spans == NULL ? NULL : group;
    }
    struct vg_aggregate_extremes *extremes = NULL;
    if (group != NULL && store->extreme_count > 0 && level == store->level_count - 1) {
        extremes = vg_extremes_create(store->arena, store->extreme_count);
        group = extremes == NULL ? NULL : group;
    }
    if (group == NULL || (table->count * 2 >= table->mask && !grow_slots(store, level))) {
        store->reason = VG_REQUEST_MEMORY;
        return VG_GROUP_NONE;
    }
    *group = *made;
    group->spans = spans;
    group->extremes = extremes;
    uint32_t slot = hash_of(store, made->parent, made->number) & table->mask;
    while (table->slots[slot] != 0) {
        slot = (slot + 1) & table->mask;
    }
    table->slots[slot] = ++table->count;
    store->group_count++;
    return table->count - 1;
}

uint32_t vg_group_store_find(
    struct vg_group_store *store,
    uint32_t level,
    uint32_t parent,
    uint64_t number,
    const struct vg_hit *example)
{
    const struct vg_group_table *table = &store->levels[level];
    uint32_t slot = hash_of(store, parent, number) & table->mask;
    for (; table->slots[slot] != 0; slot = (slot + 1) & table->mask) {
        const struct vg_open_group *group = vg_group_store_at(store, level, table->slots[slot] - 1);
        if (group->number == number && group->parent == parent) {
            return table->slots[slot] - 1;
        }
    }
    const struct vg_open_group made = { .number = number, .parent = parent, .example = *example };
    return add_group(store, level, &made);
}

void vg_group_store_expect(
    const struct vg_group_store *store,
    uint32_t level,
    const uint32_t *parents,
    const uint16_t *rows,
    const int64_t *numbers,
    uint32_t count)
{
    const struct vg_group_table *table = &store->levels[level];
    if (table->count < GROUPS_FETCHED_MIN) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hash = hash_of(store, parents[i], (uint64_t)numbers[rows[i]]);
        __builtin_prefetch(&table->slots[hash & table->mask]);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hash = hash_of(store, parents[i], (uint64_t)numbers[rows[i]]);
        uint32_t slot = table->slots[hash & table->mask];
        if (slot != 0) {
            __builtin_prefetch(vg_group_store_at(store, level, slot - 1));
        }
    }
}

static void read_value(
    const struct vg_open_group *group,
    uint32_t column,
    struct vg_value *out_value)
{
    enum vg_column_kind kind = group->example.chunk->schema->columns[column].kind;
    int64_t number;
    memcpy(&number, &group->number, sizeof(number));
    if (kind == VG_COLUMN_NUMBERS) {
        memset(out_value, 0, sizeof(*out_value));
        out_value->number = number;
        return;
    }
    if (kind == VG_COLUMN_TEXTS) {
        uint32_t id = number == VG_ABSENT ? 0 : (uint32_t)number;
        memset(out_value, 0, sizeof(*out_value));
        out_value->bytes = vg_chunk_text(group->example.chunk, column, id);
        out_value->beyond = (id & VG_DICTIONARY_BEYOND) != 0;
        return;
    }
    vg_chunk_read(group->example.chunk, column, group->example.position, out_value);
}

/* Give each group of `level` its place: those of one parent together, in the order of the parents.
 * False when the arena is full. */
static bool place_groups(struct vg_group_store *store, uint32_t level)
{
    const struct vg_group_table *table = &store->levels[level];
    if (level == 0) {
        for (uint32_t i = 0; i < table->count; i++) {
            vg_group_store_at(store, level, i)->place = i;
        }
        return true;
    }
    uint32_t parents = store->levels[level - 1].count;
    uint32_t *next = vg_arena_calloc(store->arena, (size_t)parents + 1, sizeof(*next));
    if (next == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < table->count; i++) {
        const struct vg_open_group *group = vg_group_store_at(store, level, i);
        next[vg_group_store_at(store, level - 1, group->parent)->place + 1]++;
    }
    for (uint32_t parent = 1; parent <= parents; parent++) {
        next[parent] += next[parent - 1];
    }
    for (uint32_t i = 0; i < table->count; i++) {
        struct vg_open_group *group = vg_group_store_at(store, level, i);
        group->place = next[vg_group_store_at(store, level - 1, group->parent)->place]++;
    }
    return true;
}

bool vg_group_store_finish(
    struct vg_group_store *store,
    const uint32_t *columns,
    struct vg_aggregate_result *out_result)
{
    for (uint32_t level = 0; level < store->level_count; level++) {
        uint32_t count = store->levels[level].count;
        struct vg_aggregate_group *groups = vg_arena_calloc(store->arena, count, sizeof(*groups));
        if (groups == NULL || !place_groups(store, level)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            const struct vg_open_group *open = vg_group_store_at(store, level, i);
            struct vg_aggregate_group *group = &groups[open->place];
            group->parent =
                level == 0 ? 0 : vg_group_store_at(store, level - 1, open->parent)->place;
            read_value(open, columns[level], &group->value);
            group->example = open->example;
            group->total = open->total;
            group->spans = open->spans;
            group->extremes = open->extremes;
        }
        out_result->levels[level].groups = groups;
        out_result->levels[level].group_count = count;
    }
    return true;
}
