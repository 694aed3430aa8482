#include "core/table/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

#ifdef VG_TABLE_TEST
struct vg_table_test vg_table_test;
#endif

#define SETTLE_INTERVAL_NS UINT64_C(1000000000)

static const struct vg_table_limits limit_defaults = {
    .chunk_rows = 65536,
    .chunks = 16384,
    .closed_chunks = 16,
    .dictionary_entries = 4194304,
    .dictionary_bytes = UINT64_C(256) * 1024 * 1024,
    .log_sequences = 100000,
    .log_ids = 1000000,
    .snapshots = 10000,
    .settle_batch = 4096,
    .unsettled_deaths = 4000000,
    .obsolete_bytes = UINT64_C(4) << 30,
};

_Static_assert(
    VG_TABLE_CHUNKS_MAX + VG_COMPACTION_CHUNKS_MAX <= VG_ID_MAP_CHUNKS_MAX,
    "every number of a chunk fits into the id map");

static void fill_limits(struct vg_table_limits *limits)
{
#define FILL(name)                                                                                 \
    if (limits->name == 0) {                                                                       \
        limits->name = limit_defaults.name;                                                        \
    }
    FILL(chunk_rows)
    FILL(chunks)
    FILL(closed_chunks)
    FILL(dictionary_entries)
    FILL(dictionary_bytes)
    FILL(log_sequences)
    FILL(log_ids)
    FILL(snapshots)
    FILL(settle_batch)
    FILL(unsettled_deaths)
    FILL(obsolete_bytes)
#undef FILL
}

static enum vg_reason check_config(const struct vg_table_config *config, struct vg_error *error)
{
    if (config->kind_count == 0 || config->kind_count > VG_TABLE_KINDS_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "a table has 1 to %u kinds of records",
            VG_TABLE_KINDS_MAX);
    }
    if (config->limits.chunk_rows > VG_TABLE_CHUNK_ROWS_MAX ||
        config->limits.chunks > VG_TABLE_CHUNKS_MAX ||
        config->limits.dictionary_entries > VG_DICTIONARY_ENTRIES_MAX) {
        return vg_error_set(error, VG_CONFIG, "a limit of the table is too high");
    }
    for (uint32_t i = 0; i < config->kind_count; i++) {
        enum vg_reason reason = vg_table_schema_check(config->schemas[i], error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

enum vg_reason vg_table_open(
    const struct vg_table_config *config,
    struct vg_table **out_table,
    struct vg_error *error)
{
    enum vg_reason reason = check_config(config, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_table *table = aligned_alloc(_Alignof(struct vg_table), sizeof(*table));
    if (table == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a table");
    }
    memset(table, 0, sizeof(*table));
    vg_epoch_init(&table->epoch);
    atomic_init(&table->current, NULL);
    atomic_init(&table->state, VG_TABLE_STARTING);
    atomic_init(&table->open_snapshots, 0);
    table->config = *config;
    table->limits = config->limits;
    fill_limits(&table->limits);
    table->generation = 1; /* 0 is none */
    for (uint32_t i = 0; i < config->kind_count; i++) {
        table->kinds[i].schema = config->schemas[i];
        table->kinds[i].index = i;
    }
    reason = vg_disk_open(config->path, config->disk_hooks, &table->disk, error);
    if (reason != VG_OK) {
        free(table);
        return reason;
    }
    *out_table = table;
    return VG_OK;
}

void vg_table_close(struct vg_table *table)
{
    if (table == NULL) {
        return;
    }
    VG_ASSERT(table->checkpoint == NULL);
    vg_table_stop(table);
    VG_ASSERT(vg_table_is_drained(table));
    vg_obsolete_collect(table);
    vg_table_clear(table);
    vg_disk_close(table->disk);
    free(table->pending);
    free(table);
}

void vg_table_stop(struct vg_table *table)
{
    if (table->prepared) {
        vg_table_cancel(table);
    }
    atomic_store(&table->state, VG_TABLE_STOPPED);
    if (atomic_load(&table->current) != NULL) {
        vg_publication_withdraw(table);
    }
}

bool vg_table_is_drained(struct vg_table *table)
{
    vg_publication_collect(table);
    bool has_job = table->checkpoint != NULL;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        has_job |= table->kinds[i].compaction != NULL;
    }
    return vg_retired_collect(&table->retired, &table->epoch) && table->oldest == NULL && !has_job;
}

uint64_t vg_table_sequence(const struct vg_table *table)
{
    return table->sequence;
}

static void settle(struct vg_table *table)
{
    uint64_t floor = VG_BROKEN(SETTLE_TOO_NEW) ? table->sequence : table->oldest->sequence;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_chunk_list *list = table->kinds[i].list;
        for (uint32_t c = 0; c < list->count; c++) {
            if (vg_deaths_logged(list->chunks[c]->deaths) > 0) {
                table->unsettled -= vg_deaths_settle(list->chunks[c]->deaths, floor);
            }
        }
    }
    table->settled_floor = floor;
}

/* A pass walks all chunks, so it waits for enough to do, or for a second. It can do nothing new
 * while the same old snapshot is held. */
static bool should_settle(struct vg_table *table)
{
    if (table->unsettled == 0 ||
        (table->oldest->sequence == table->settled_floor && !VG_BROKEN(SETTLE_TOO_NEW))) {
        return false;
    }
    uint64_t now = vg_clock_monotonic_ns(table->config.clock);
    if (table->unsettled < table->limits.settle_batch &&
        now - table->settled_ns < SETTLE_INTERVAL_NS) {
        return false;
    }
    table->settled_ns = now;
    return true;
}

void vg_table_maintain(struct vg_table *table)
{
    VG_ASSERT(!table->prepared);
    vg_publication_collect(table);
    (void)vg_retired_collect(&table->retired, &table->epoch);
    vg_obsolete_collect(table);
    if (table->oldest == NULL) {
        return;
    }
    if (should_settle(table)) {
        settle(table);
    }
    /* Half way to the limit the oldest snapshot has to go: its holder is told at its next look. */
    if ((table->unsettled > table->limits.unsettled_deaths / 2 ||
         table->obsolete_bytes > table->limits.obsolete_bytes / 2) &&
        table->oldest->superseded) {
        atomic_store(&table->oldest->ended, true);
    }
}

uint64_t vg_table_column_bytes(const struct vg_table *table, uint32_t kind, uint32_t column)
{
    VG_ASSERT(kind < table->config.kind_count && column < table->kinds[kind].schema->column_count);
    const struct vg_chunk_list *list = table->kinds[kind].list;
    uint64_t bytes = 0;
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct vg_chunk *chunk = list->chunks[i];
        bytes += chunk->form == VG_CHUNK_SEALED ? vg_chunk_column_bytes(chunk, column) : 0;
    }
    return bytes;
}

void vg_table_usage(const struct vg_table *table, struct vg_table_usage *out_usage)
{
    struct vg_table_usage usage = {
        .closed_chunks = vg_table_closed_count(table),
        .unsettled_deaths = table->unsettled,
        .open_snapshots = atomic_load(&table->open_snapshots),
        .checkpoint_sequence = table->checkpoint_sequence,
        .obsolete_bytes = table->obsolete_bytes,
    };
    for (const struct vg_obsolete *file = table->obsolete; file != NULL; file = file->next) {
        usage.obsolete_files++;
    }
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_table_kind *kind = &table->kinds[i];
        usage.rows += kind->live;
        usage.memory_bytes += (kind->ids.mask + 1) * sizeof(struct vg_id_map_slot);
        for (uint32_t c = 0; kind->list != NULL && c < kind->list->count; c++) {
            const struct vg_chunk *chunk = kind->list->chunks[c];
            bool is_tail = kind->list->has_tail && c == kind->list->count - 1;
            usage.chunks++;
            usage.dead_rows += vg_deaths_total(chunk->deaths);
            usage.mapped_bytes += chunk->mapping_size;
            if (chunk->form != VG_CHUNK_SEALED) {
                usage.memory_bytes +=
                    vg_chunk_memory(chunk, is_tail ? kind->tail_rows : chunk->rows);
            }
        }
        for (uint32_t c = 0; kind->dictionaries != NULL && c < kind->schema->column_count; c++) {
            if (kind->dictionaries[c].segments != NULL) {
                usage.memory_bytes += vg_dictionary_memory(&kind->dictionaries[c]);
            }
        }
    }
    *out_usage = usage;
}
