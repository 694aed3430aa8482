#include "tests/unit/core/table/table_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/table/compaction.h"
#include "core/table/manifest.h"
#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

bool model_in_child;

_Noreturn void model_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "model: %s (%s:%d)\n", what, file, line);
    if (model_in_child) {
        _exit(1);
    }
    fail_msg("%s (%s:%d)", what, file, line);
    abort();
}

static uint32_t below(struct model *model, uint32_t bound)
{
    return fixture_below(&model->random, bound);
}

static bool chance(struct model *model, uint32_t one_in)
{
    return below(model, one_in) == 0;
}

static struct model_state *state_at(struct model *model, uint64_t sequence)
{
    if (sequence >= model->history_capacity) {
        uint64_t capacity = sequence * 2 + 64;
        model->history = realloc(model->history, capacity * sizeof(*model->history));
        MODEL_CHECK(model->history != NULL);
        for (uint64_t i = model->history_capacity; i < capacity; i++) {
            memset(&model->history[i], 0, sizeof(model->history[i]));
        }
        model->history_capacity = capacity;
    }
    return &model->history[sequence];
}

/* --- what a reader must see --- */

static void check_row(
    struct model *model,
    const struct vg_snapshot *snapshot,
    uint32_t kind,
    const struct vg_hit *hit,
    bool *seen)
{
    struct vg_value value;
    struct fixture_row expected;
    uint32_t id;
    vg_hit_read(hit, FIX_UUID, &value);
    memcpy(&id, value.bytes.data, sizeof(id));
    MODEL_CHECK(id < MODEL_IDS && !seen[id]);
    seen[id] = true;
    const struct model_record *record =
        &state_at(model, vg_snapshot_sequence(snapshot))->records[kind][id];
    MODEL_CHECK(record->exists);
    fixture_fill(&expected, id, record->seed, record->updated);
    for (uint32_t column = 0; column < FIX_COLUMNS; column++) {
        MODEL_CHECK(fixture_hit_equal(hit, column, &expected.values[column]));
    }
    /* The record behind the row is the version the row stands for. */
    struct vg_store_view *view =
        model->broken == MODEL_READS_LIVE ? NULL : vg_snapshot_view(snapshot);
    struct model_record stored = model_store_get(model, view, kind, id);
    MODEL_CHECK(stored.exists && stored.seed == record->seed && stored.updated == record->updated);
}

static uint32_t count_expected(struct model *model, uint64_t sequence, uint32_t kind)
{
    uint32_t count = 0;
    for (uint32_t id = 0; id < MODEL_IDS; id++) {
        count += state_at(model, sequence)->records[kind][id].exists;
    }
    return count;
}

static void check_kind(struct model *model, const struct vg_snapshot *snapshot, uint32_t kind)
{
    const struct vg_sort_key key = { .column = FIX_UPDATED };
    struct vg_search search = { .kind = kind, .sort = &key, .sort_count = 1, .limit = 1000 };
    struct vg_search_result result;
    bool seen[MODEL_IDS] = { false };
    search.where = vg_predicate_all(&model->arena);
    MODEL_CHECK(vg_search_run(snapshot, &search, &model->arena, &result, NULL) == VG_OK);
    uint32_t expected = count_expected(model, vg_snapshot_sequence(snapshot), kind);
    MODEL_CHECK(result.match_count == expected && result.hit_count == expected);
    MODEL_CHECK(vg_snapshot_row_count(snapshot, kind) == expected);
    int64_t last = INT64_MIN;
    for (uint32_t i = 0; i < result.hit_count; i++) {
        struct vg_value value;
        vg_hit_read(&result.hits[i], FIX_UPDATED, &value);
        MODEL_CHECK(value.number >= last);
        last = value.number;
        check_row(model, snapshot, kind, &result.hits[i], seen);
    }
    vg_arena_reset(&model->arena);
}

static void check_snapshot(struct model *model, const struct vg_snapshot *snapshot)
{
    for (uint32_t kind = 0; kind < MODEL_KINDS; kind++) {
        check_kind(model, snapshot, kind);
    }
}

/* What is acknowledged is visible to whoever comes now. */
static void check_now(struct model *model)
{
    struct vg_snapshot snapshot;
    uint64_t acknowledged = model->acknowledged;
    MODEL_CHECK(vg_snapshot_acquire(model->table, 1000, &snapshot, NULL) == VG_OK);
    MODEL_CHECK(vg_snapshot_sequence(&snapshot) >= acknowledged);
    check_snapshot(model, &snapshot);
    vg_snapshot_release(&snapshot);
}

/* A client that follows by lastUpdatedTimestamp, the bound inclusive, has every change. */
static void check_pull(struct model *model)
{
    struct vg_snapshot snapshot;
    MODEL_CHECK(vg_snapshot_acquire(model->table, 1000, &snapshot, NULL) == VG_OK);
    const struct model_state *now = state_at(model, vg_snapshot_sequence(&snapshot));
    for (uint32_t kind = 0; kind < MODEL_KINDS; kind++) {
        const struct vg_sort_key key = { .column = FIX_UPDATED };
        struct vg_search search = { .kind = kind, .sort = &key, .sort_count = 1, .limit = 1000 };
        struct vg_search_result result;
        search.where =
            vg_predicate_range(&model->arena, FIX_UPDATED, model->pulled_to[kind], INT64_MAX);
        MODEL_CHECK(vg_search_run(&snapshot, &search, &model->arena, &result, NULL) == VG_OK);
        for (uint32_t i = 0; i < result.hit_count; i++) {
            struct vg_value value;
            uint32_t id;
            vg_hit_read(&result.hits[i], FIX_UUID, &value);
            memcpy(&id, value.bytes.data, sizeof(id));
            vg_hit_read(&result.hits[i], FIX_UPDATED, &value);
            model->pulled[kind][id] = now->records[kind][id];
            model->pulled_to[kind] = value.number;
        }
        for (uint32_t id = 0; id < MODEL_IDS; id++) {
            const struct model_record *record = &now->records[kind][id];
            MODEL_CHECK(
                !record->exists || (model->pulled[kind][id].seed == record->seed &&
                                    model->pulled[kind][id].updated == record->updated));
        }
        vg_arena_reset(&model->arena);
    }
    vg_snapshot_release(&snapshot);
}

/* --- starting and stopping --- */

static void drop_snapshots(struct model *model)
{
    for (uint32_t i = 0; i < MODEL_SNAPSHOTS; i++) {
        vg_snapshot_release(&model->snapshots[i]);
    }
}

static void finish_checkpoint(struct model *model)
{
    if (model->checkpoint != NULL) {
        if (!model->checkpoint_ran) {
            (void)!vg_checkpoint_run(model->checkpoint, NULL);
        }
        (void)vg_table_checkpoint_finish(model->table, model->checkpoint);
        model->checkpoint = NULL;
    }
}

static void finish_compactions(struct model *model)
{
    struct vg_compacted compacted;
    for (uint32_t kind = 0; kind < MODEL_KINDS; kind++) {
        struct vg_compaction *compaction = model->compactions[kind];
        model->compactions[kind] = NULL;
        if (compaction != NULL) {
            if (!model->compaction_ran[kind]) {
                (void)!vg_compaction_run(compaction, NULL);
            }
            vg_table_compaction_finish(model->table, compaction, &compacted);
            MODEL_CHECK(compacted.chunks_in == 0);
        }
    }
}

static void stop(struct model *model)
{
    vg_table_stop(model->table);
    for (uint32_t i = 0; i < MODEL_SNAPSHOTS; i++) {
        MODEL_CHECK(
            model->snapshots[i].published == NULL ||
            vg_snapshot_check(&model->snapshots[i], NULL) == VG_STORE_UNAVAILABLE);
    }
    drop_snapshots(model);
    finish_checkpoint(model);
    finish_compactions(model);
    MODEL_CHECK(vg_table_is_drained(model->table));
    MODEL_CHECK(vg_store_views(model->store) == 0);
}

/* The state of the store is the truth from here on. False when the disk failed meanwhile. */
static bool start(struct model *model)
{
    struct vg_table_started started;
    struct vg_table_source source = model_source;
    source.owner = model;
    struct vg_table_start how = { .source = &source };
    vg_time last_updated;
    uint64_t sequence;
    model_store_read_state(model, &sequence, &last_updated);
    bool has_manifest = power_disk_has(&model->disk, VG_MANIFEST_NAME);
    MODEL_CHECK(sequence >= model->acknowledged);
    how.sequence = sequence;
    MODEL_CHECK(vg_store_view_take(model->store, 0, &how.view, NULL) == VG_OK);
    if (vg_table_start(model->table, &how, &started, NULL) != VG_OK) {
        MODEL_CHECK(model->disk.killed && vg_store_views(model->store) == 0);
        return false;
    }
    if (started.rebuilt && has_manifest && !model->rebuild_allowed) {
        model_failed(started.reason, __FILE__, __LINE__);
    }
    model->rebuilds += started.rebuilt;
    model->replayed += (uint32_t)started.replayed_ids;
    model->sequence = sequence;
    model->acknowledged = sequence;
    vg_update_clock_init(&model->update_clock, last_updated);
    return true;
}

static void open_table(struct model *model)
{
    MODEL_CHECK(vg_table_open(&model->config, &model->table, NULL) == VG_OK);
    struct vg_snapshot snapshot;
    model->inside = true;
    MODEL_CHECK(vg_snapshot_acquire(model->table, 1000, &snapshot, NULL) == VG_STARTING);
    model->inside = false;
}

/* Lost batches, as by a disk that lies: a checkpoint may then be ahead of the store. */
static void roll_back(struct model *model, uint64_t checkpoint_sequence)
{
    if (checkpoint_sequence < 2 || !chance(model, 2)) {
        return;
    }
    uint64_t target = checkpoint_sequence - 1 - below(model, 2);
    model_store_roll_back(model, target);
    model->acknowledged = target;
    model->rebuild_allowed = true;
    model->roll_backs++;
    memset(model->pulled, 0, sizeof(model->pulled));
    memset(model->pulled_to, 0, sizeof(model->pulled_to));
}

/* The process dies here and starts again; with some luck it also dies while starting. */
static void crash(struct model *model)
{
    static const enum power_loss losses[] = { POWER_KILLED, POWER_LOST, POWER_LOST_CONTENT };
    model->crashes++;
    drop_snapshots(model);
    model->disk.killed = true;
    vg_table_stop(model->table);
    finish_checkpoint(model);
    finish_compactions(model);
    struct vg_table_usage usage;
    vg_table_usage(model->table, &usage);
    vg_table_close(model->table);
    if (chance(model, 12)) {
        roll_back(model, usage.checkpoint_sequence);
    }
    for (uint32_t tries = 0;; tries++) {
        power_disk_crash(&model->disk, losses[below(model, 3)], &model->random);
        open_table(model);
        if (tries < 2 && chance(model, 4)) {
            model->disk.kill_after = below(model, 6);
        }
        bool started = start(model);
        model->disk.kill_after = -1;
        if (started && !model->disk.killed) {
            return;
        }
        vg_table_close(model->table);
    }
}

/* As after a failed commit: stop, release, reopen, start, all in one process. */
static void restart(struct model *model)
{
    model->restarts++;
    stop(model);
    MODEL_CHECK(start(model));
}

/* --- steps --- */

static uint32_t make_changes(
    struct model *model,
    struct model_change *changes,
    struct model_state *next)
{
    uint32_t wanted = 1 + below(model, 7);
    uint32_t count = 0;
    bool taken[MODEL_KINDS][MODEL_IDS] = { { false } };
    while (count < wanted) {
        struct model_change *change = &changes[count];
        change->kind = chance(model, 4) ? 1 : 0;
        change->id = below(model, MODEL_IDS);
        if (taken[change->kind][change->id]) {
            continue;
        }
        taken[change->kind][change->id] = true;
        struct model_record *record = &next->records[change->kind][change->id];
        struct fixture_row row;
        fixture_fill(&row, change->id, 0, 0);
        change->id_hash =
            chance(model, 2) ? vg_table_foresee(model->table, change->kind, &row.row) : 0;
        bool has = vg_table_has(model->table, change->kind, &row.row, change->id_hash);
        MODEL_CHECK(has == record->exists);
        change->is_new = !has && chance(model, 2);
        bool removes = chance(model, 4);
        *record = (struct model_record){ 0 };
        if (!removes) {
            record->exists = true;
            record->seed = fixture_random(&model->random);
            record->updated = vg_update_clock_issue(
                &model->update_clock,
                change->kind,
                vg_clock_now(&model->clock.clock));
        }
        change->record = *record;
        count++;
    }
    next->last_updated = model->update_clock.last;
    return count;
}

static enum vg_reason prepare(
    struct model *model,
    const struct model_change *changes,
    uint32_t count)
{
    struct vg_table_change table_changes[8];
    struct fixture_row rows[8];
    for (uint32_t i = 0; i < count; i++) {
        fixture_fill(&rows[i], changes[i].id, changes[i].record.seed, changes[i].record.updated);
        table_changes[i] = (struct vg_table_change){
            .kind = changes[i].kind,
            .removes = !changes[i].record.exists,
            .is_new = changes[i].is_new,
            .id_hash = changes[i].id_hash,
            .row = &rows[i].row,
        };
    }
    return vg_table_prepare(model->table, table_changes, count, NULL);
}

static void checkpoint_whole(struct model *model);

/* A commit whose outcome is not known, or that failed: nothing may be published any more. */
static void fail_commit(
    struct model *model,
    const struct model_change *changes,
    uint32_t count,
    uint64_t sequence)
{
    if (chance(model, 2)) {
        model_store_commit(model, changes, count, sequence, true);
    }
    if (model->broken == MODEL_GOES_ON_AFTER_UNKNOWN) {
        vg_table_cancel(model->table);
        return;
    }
    restart(model);
}

static void write_batch(struct model *model)
{
    struct model_change changes[8];
    uint64_t sequence = model->sequence + 1;
    struct vg_update_clock clock_before = model->update_clock;
    (void)state_at(model, sequence);
    struct model_state next = *state_at(model, model->sequence);
    uint32_t count = make_changes(model, changes, &next);
    *state_at(model, sequence) = next;
    enum vg_reason reason = prepare(model, changes, count);
    if (reason != VG_OK) {
        MODEL_CHECK(reason == VG_OVERLOADED); /* closed chunks wait for their files */
        model->update_clock = clock_before;
        if (!model->inside) {
            checkpoint_whole(model);
        }
        return;
    }
    if (!model->inside && chance(model, 12)) {
        vg_table_cancel(model->table); /* a guard was false: certainly not written */
        model->update_clock = clock_before;
        return;
    }
    if (!model->inside && chance(model, 40)) {
        fail_commit(model, changes, count, sequence);
        return;
    }
    bool apart = model->broken == MODEL_STATE_APART;
    model_store_commit(model, changes, count, sequence, !apart);
    if (apart && !model->inside && chance(model, 8)) {
        crash(model);
        return;
    }
    if (apart) {
        model_store_state(model, sequence, model->update_clock.last);
    }
    if (!model->inside && chance(model, 4)) {
        model->inside = true;
        check_now(model); /* committed and not published: nobody sees it yet */
        model->inside = false;
    }
    if (!model->inside && chance(model, 80)) {
        crash(model);
        return;
    }
    struct vg_store_view *view;
    MODEL_CHECK(vg_store_view_take(model->store, 0, &view, NULL) == VG_OK);
    vg_table_publish(model->table, sequence, view);
    model->sequence = sequence;
    model->acknowledged = sequence;
    model->batches++;
}

static void take_snapshot(struct model *model)
{
    struct vg_snapshot *free_one = NULL;
    for (uint32_t i = 0; i < MODEL_SNAPSHOTS; i++) {
        free_one = model->snapshots[i].published == NULL ? &model->snapshots[i] : free_one;
    }
    if (free_one != NULL) {
        MODEL_CHECK(vg_snapshot_acquire(model->table, 1000000, free_one, NULL) == VG_OK);
    }
}

static void use_snapshot(struct model *model)
{
    struct vg_snapshot *snapshot = &model->snapshots[below(model, MODEL_SNAPSHOTS)];
    if (snapshot->published != NULL) {
        check_snapshot(model, snapshot);
        if (chance(model, 2)) {
            vg_snapshot_release(snapshot);
        }
    }
}

static void checkpoint_begin(struct model *model)
{
    if (model->checkpoint == NULL) {
        MODEL_CHECK(
            vg_table_checkpoint_begin(model->table, chance(model, 4), &model->checkpoint, NULL) ==
            VG_OK);
        model->checkpoint_ran = false;
    }
}

static void checkpoint_run(struct model *model)
{
    if (model->checkpoint == NULL || model->checkpoint_ran) {
        return;
    }
    if (chance(model, 5)) {
        model->disk.kill_after = below(model, 16);
    } else if (chance(model, 8)) {
        model->disk.fail_next = true;
    }
    enum vg_reason reason = vg_checkpoint_run(model->checkpoint, NULL);
    model->checkpoint_ran = true;
    model->disk.fail_next = false;
    model->disk.kill_after = -1;
    if (model->disk.killed) {
        crash(model);
        return;
    }
    MODEL_CHECK(reason == VG_OK || reason == VG_STORE_FULL);
    if (reason == VG_OK) {
        model->checkpoints++;
        model->rebuild_allowed = false; /* a new manifest is there, and it must be believed */
    }
}

static void checkpoint_finish(struct model *model)
{
    if (model->checkpoint != NULL && model->checkpoint_ran) {
        uint64_t trim = vg_table_checkpoint_finish(model->table, model->checkpoint);
        model->checkpoint = NULL;
        MODEL_CHECK(trim <= model->sequence);
        model_store_trim(model, trim);
        if (chance(model, 10)) {
            crash(model);
        }
    }
}

static void checkpoint_whole(struct model *model)
{
    uint32_t crashes = model->crashes;
    if (model->checkpoint == NULL) {
        checkpoint_begin(model);
    }
    checkpoint_run(model);
    if (model->crashes == crashes) {
        checkpoint_finish(model);
    }
}

static void compaction_begin_kind(struct model *model, uint32_t kind)
{
    if (model->compactions[kind] == NULL) {
        MODEL_CHECK(
            vg_table_compaction_begin(model->table, kind, &model->compactions[kind], NULL) ==
            VG_OK);
        model->compaction_ran[kind] = false;
    }
}

static void compaction_run_kind(struct model *model, uint32_t kind)
{
    if (model->compactions[kind] == NULL || model->compaction_ran[kind]) {
        return;
    }
    if (chance(model, 8)) {
        model->disk.kill_after = below(model, 8);
    } else if (chance(model, 8)) {
        model->disk.fail_next = true;
    }
    enum vg_reason reason = vg_compaction_run(model->compactions[kind], NULL);
    model->compaction_ran[kind] = true;
    model->disk.fail_next = false;
    model->disk.kill_after = -1;
    if (model->disk.killed) {
        crash(model);
        return;
    }
    MODEL_CHECK(reason == VG_OK || reason == VG_STORE_FULL);
}

static void compaction_finish_kind(struct model *model, uint32_t kind)
{
    if (model->compactions[kind] == NULL || !model->compaction_ran[kind]) {
        return;
    }
    struct vg_compacted compacted;
    struct vg_table_usage before;
    struct vg_table_usage after;
    vg_table_usage(model->table, &before);
    vg_table_compaction_finish(model->table, model->compactions[kind], &compacted);
    vg_table_usage(model->table, &after);
    model->compactions[kind] = NULL;
    MODEL_CHECK(compacted.chunks_out <= compacted.chunks_in);
    MODEL_CHECK(before.rows == after.rows);
    MODEL_CHECK(before.dead_rows == after.dead_rows + compacted.rows_dropped);
    model->installed += compacted.chunks_in > 0;
    model->rows_dropped += compacted.rows_dropped;
    if (chance(model, 2)) {
        check_now(model);
    }
    if (chance(model, 10)) {
        crash(model);
    }
}

static void compaction_whole(struct model *model)
{
    uint32_t crashes = model->crashes;
    for (uint32_t kind = 0; kind < MODEL_KINDS && model->crashes == crashes; kind++) {
        if (model->compactions[kind] == NULL) {
            compaction_begin_kind(model, kind);
        }
        compaction_run_kind(model, kind);
        if (model->crashes == crashes) {
            compaction_finish_kind(model, kind);
        }
    }
}

static void compaction_begin(struct model *model)
{
    compaction_begin_kind(model, below(model, MODEL_KINDS));
}

static void compaction_run(struct model *model)
{
    compaction_run_kind(model, below(model, MODEL_KINDS));
}

static void compaction_finish(struct model *model)
{
    compaction_finish_kind(model, below(model, MODEL_KINDS));
}

static void move_clock(struct model *model)
{
    vg_time now = vg_clock_now(&model->clock.clock);
    int64_t step = (int64_t)below(model, 40) - 15;
    vg_clock_manual_set(&model->clock, now + step > 0 ? now + step : 1);
}

/* Somebody else runs while a reader or the writer is in the middle of something. */
static void reached(void *owner, enum vg_table_point point)
{
    struct model *model = owner;
    if (model->inside) {
        return;
    }
    model->inside = true;
    if (point == VG_POINT_ACQUIRE_LOADED && chance(model, 3)) {
        write_batch(model);
        vg_table_maintain(model->table);
    } else if (point == VG_POINT_SETTLE_BETWEEN) {
        for (uint32_t i = 0; i < MODEL_SNAPSHOTS; i++) {
            if (model->snapshots[i].published != NULL) {
                check_snapshot(model, &model->snapshots[i]);
            }
        }
    }
    model->inside = false;
}

/* Every file of a chunk that a snapshot shows is there. */
static void check_files(struct model *model, const struct vg_snapshot *snapshot)
{
    for (uint32_t kind = 0; kind < MODEL_KINDS; kind++) {
        const struct vg_chunk_list *list = snapshot->published->kinds[kind].list;
        for (uint32_t i = 0; i < list->count; i++) {
            const struct vg_chunk *chunk = list->chunks[i];
            char name[VG_DISK_NAME_SIZE];
            if (chunk->form == VG_CHUNK_SEALED) {
                vg_chunk_file_name(name, chunk->schema, chunk->number, chunk->generation);
                MODEL_CHECK(power_disk_has(&model->disk, name));
            }
        }
    }
}

static void maintain(struct model *model)
{
    vg_table_maintain(model->table);
    for (uint32_t i = 0; i < MODEL_SNAPSHOTS; i++) {
        if (model->snapshots[i].published != NULL) {
            check_files(model, &model->snapshots[i]);
        }
    }
}

static void step(struct model *model)
{
    static const struct {
        uint32_t weight;
        void (*run)(struct model *model);
    } steps[] = {
        { 32, write_batch },      { 8, take_snapshot },
        { 9, use_snapshot },      { 10, maintain },
        { 4, checkpoint_begin },  { 4, checkpoint_run },
        { 4, checkpoint_finish }, { 6, compaction_begin },
        { 6, compaction_run },    { 4, compaction_finish },
        { 2, compaction_whole },  { 3, move_clock },
        { 4, check_now },         { 2, check_pull },
        { 1, restart },           { 1, crash },
    };
    uint32_t dice = below(model, 100);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (dice < steps[i].weight) {
            steps[i].run(model);
            return;
        }
        dice -= steps[i].weight;
    }
}

void model_run(
    uint64_t seed,
    uint32_t chunk_rows,
    uint32_t steps,
    enum model_break broken,
    struct model *out_counters)
{
    struct model *model = calloc(1, sizeof(*model));
    static struct vg_table_schema other;
    static const struct vg_table_schema *const schemas[MODEL_KINDS] = { &fixture_schema, &other };
    other = fixture_schema;
    other.name = "others";
    MODEL_CHECK(model != NULL);
    model->random = seed;
    model->broken = broken;
    (void)snprintf(model->path, sizeof(model->path), "/tmp/vigil-model-XXXXXX");
    MODEL_CHECK(mkdtemp(model->path) != NULL);
    power_disk_init(&model->disk, model->path);
    vg_clock_manual_init(&model->clock, 1000);
    vg_arena_init(&model->arena, 16u << 20);
    model->store = vg_store_memory_open(1);
    model->config = fixture_config(model->path, &model->clock.clock, chunk_rows);
    model->config.schemas = schemas;
    model->config.kind_count = MODEL_KINDS;
    model->config.disk_hooks = &model->disk.hooks;
    model->config.limits.closed_chunks = 8;
    model->config.limits.settle_batch = 1;
    model->config.limits.log_sequences = 20;
    (void)state_at(model, 0);
    vg_table_test.reached = reached;
    vg_table_test.owner = model;
    open_table(model);
    MODEL_CHECK(start(model));
    for (uint32_t i = 0; i < steps; i++) {
        step(model);
    }
    check_now(model);
    check_pull(model);
    crash(model);
    check_now(model);
    check_pull(model);
    vg_table_test.reached = NULL;
    stop(model);
    vg_table_close(model->table);
    vg_store_close(model->store);
    power_disk_dispose(&model->disk);
    fixture_remove_folder(model->path);
    vg_arena_dispose(&model->arena);
    free(model->history);
    if (out_counters != NULL) {
        *out_counters = *model;
    }
    free(model);
}
