/*
 * Checkpoints and compactions begin and end on the writer's thread, between batches; the writing
 * and syncing in between is done here, one job at a time. A checkpoint that is wanted always comes
 * first, and there is at most one compaction between two looks, so that neither writers nor the
 * disk wait for compactions.
 *
 * After a failed commit nobody knows what the store holds, so nothing may go on from memory: all
 * snapshots end, the store is closed and opened, the table is started from the store as after a
 * crash, and only then does the writer accept again. Until then every change is answered
 * UNAVAILABLE. If that fails (a disk that is still full) the writer tries again.
 */
#include "core/node/keeper.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/keyspace/change_log.h"
#include "core/keyspace/keyspace.h"
#include "core/node/record_source.h"
#include "core/samples/retention.h"
#include "core/store/store.h"
#include "core/table/compaction.h"

#define VG_KEEPER_PERIOD_S 1
/* Keys taken out of the change log in one batch. */
#define VG_KEEPER_TRIM_KEYS 1000
/* What has expired is swept that often. */
#define VG_KEEPER_SWEEP_NS       (UINT64_C(10) * 1000000000)
#define VG_KEEPER_SWEEP_PORTIONS 8u
/* No compaction for so long after one that failed: the disk may be full. */
#define VG_KEEPER_COMPACTION_REST_NS (UINT64_C(60) * 1000000000)

/* ---- work on the writer's thread, waited for */

struct errand {
    struct vg_task task;
    struct vg_node *node;
    void (*run)(struct errand *errand);
    sem_t done;
    struct vg_checkpoint *checkpoint;
    struct vg_compaction *compaction;
    struct vg_compacted compacted;
    uint32_t kind; /* whose columns are worth a compaction */
    uint64_t trim_to;
    bool flag;
    bool compacts; /* a compaction is wanted */
    enum vg_reason reason;
    struct vg_error *error;
};

static void errand_task(struct vg_task *task)
{
    struct errand *errand = VG_CONTAINER_OF(task, struct errand, task);
    errand->run(errand);
    VG_ASSERT(sem_post(&errand->done) == 0);
}

static void run_on_writer(struct errand *errand, void (*run)(struct errand *errand))
{
    errand->run = run;
    errand->task.run = errand_task;
    VG_ASSERT(sem_init(&errand->done, 0, 0) == 0);
    vg_ingest_errand(errand->node->ingest, &errand->task);
    while (sem_wait(&errand->done) != 0) {
        VG_ASSERT(errno == EINTR);
    }
    (void)sem_destroy(&errand->done);
}

/* ---- checkpoints */

static void checkpoint_wanted(struct errand *errand)
{
    vg_table_maintain(errand->node->table);
    /* In this order: what compactions made is named by a checkpoint when none is wanted any more.
     */
    errand->compacts = vg_table_wants_compaction(errand->node->table, &errand->kind);
    errand->flag = vg_table_wants_checkpoint(errand->node->table);
}

static void checkpoint_begin(struct errand *errand)
{
    errand->reason = vg_table_checkpoint_begin(
        errand->node->table,
        errand->flag,
        &errand->checkpoint,
        errand->error);
}

static void checkpoint_finish(struct errand *errand)
{
    errand->trim_to = vg_table_checkpoint_finish(errand->node->table, errand->checkpoint);
    errand->checkpoint = NULL;
}

struct trim_walk {
    struct vg_batch batch;
    uint64_t to;
    size_t count;
};

static bool trim_visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)value;
    struct trim_walk *walk = owner;
    uint64_t sequence = 0;
    if (!vg_key_parse_change_log(key, &sequence) || sequence > walk->to) {
        return false;
    }
    vg_batch_delete(&walk->batch, key);
    walk->count++;
    return true;
}

/* Take what the checkpoint covers out of the change log, a batch at a time between those of the
 * writer. */
static void trim_some(struct errand *errand)
{
    struct trim_walk walk = { .to = errand->trim_to };
    vg_batch_init(&walk.batch, VG_KEEPER_TRIM_KEYS * (VG_KEY_BYTES_MAX + 32u));
    walk.batch.synced = false; /* it can be done again at any time */
    struct vg_store_range range = { .shard = VG_NODE_SHARD,
                                    .prefix = vg_key_family_prefix(VG_KEY_FAMILY_CHANGE_LOG),
                                    .limit = VG_KEEPER_TRIM_KEYS };
    errand->reason =
        vg_store_scan(errand->node->store, &range, trim_visit, &walk, NULL, errand->error);
    if (errand->reason == VG_OK && walk.count > 0) {
        errand->reason =
            vg_store_apply(errand->node->store, VG_NODE_SHARD, &walk.batch, errand->error);
    }
    errand->flag = walk.count == VG_KEEPER_TRIM_KEYS;
    vg_batch_dispose(&walk.batch);
}

static void write_checkpoint(struct vg_node *node, bool close_tail)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct errand errand = { .node = node, .flag = close_tail, .error = &error };
    run_on_writer(&errand, checkpoint_begin);
    if (errand.reason != VG_OK) {
        vg_log_error(VG_LOG_WARN, "checkpoint", &error);
        return;
    }
    enum vg_reason reason = vg_checkpoint_run(errand.checkpoint, &error);
    if (reason != VG_OK) {
        vg_log_error(VG_LOG_WARN, "checkpoint", &error);
    }
    run_on_writer(&errand, checkpoint_finish);
    errand.flag = errand.trim_to > 0;
    while (errand.flag) {
        run_on_writer(&errand, trim_some);
        if (errand.reason != VG_OK) {
            vg_log_error(VG_LOG_WARN, "trim", &error);
            return;
        }
    }
}

void vg_keeper_checkpoint(struct vg_node *node)
{
    write_checkpoint(node, true);
}

/* ---- compactions */

static void compaction_begin(struct errand *errand)
{
    errand->reason = vg_table_compaction_begin(
        errand->node->table,
        errand->kind,
        &errand->compaction,
        errand->error);
}

static void compaction_finish(struct errand *errand)
{
    vg_table_compaction_finish(errand->node->table, errand->compaction, &errand->compacted);
    errand->compaction = NULL;
}

static void log_compacted(const struct vg_compacted *compacted, uint64_t duration_ns)
{
    struct vg_log_line line;
    if (vg_log_begin(&line, VG_LOG_DEBUG, "compaction")) {
        vg_log_int(&line, "chunks_in", (int64_t)compacted->chunks_in);
        vg_log_int(&line, "chunks_out", (int64_t)compacted->chunks_out);
        vg_log_int(&line, "rows", (int64_t)compacted->rows);
        vg_log_int(&line, "dropped", (int64_t)compacted->rows_dropped);
        vg_log_int(&line, "ms", (int64_t)(duration_ns / 1000000));
        vg_log_end(&line);
    }
}

/* False when it failed; that nothing was worth it any more is fine. */
static bool compact(struct vg_node *node, uint32_t kind, struct vg_compacted *out_compacted)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct errand errand = { .node = node, .kind = kind, .error = &error };
    uint64_t started_ns = vg_clock_monotonic_ns(node->clock);
    run_on_writer(&errand, compaction_begin);
    enum vg_reason reason = errand.reason;
    if (reason == VG_OK && errand.compaction != NULL) {
        reason = vg_compaction_run(errand.compaction, &error);
        run_on_writer(&errand, compaction_finish);
    }
    *out_compacted = errand.compacted;
    if (reason != VG_OK) {
        vg_metrics_add(VG_METRIC_compactions_failed_total, 1);
        vg_log_error(VG_LOG_WARN, "compaction", &error);
        return false;
    }
    if (errand.compacted.chunks_in > 0) {
        uint64_t duration_ns = vg_clock_monotonic_ns(node->clock) - started_ns;
        vg_metrics_add(VG_METRIC_compactions_total, 1);
        vg_metrics_add(VG_METRIC_compaction_rows_dropped_total, errand.compacted.rows_dropped);
        vg_metrics_observe(VG_METRIC_compaction_seconds, duration_ns);
        log_compacted(&errand.compacted, duration_ns);
    }
    return true;
}

/* ---- starting the table, also after a failed commit */

static enum vg_reason read_state(
    struct vg_node *node,
    uint64_t *out_sequence,
    struct vg_error *error)
{
    struct vg_key key;
    vg_key_state(&key);
    struct vg_store_value value;
    enum vg_reason reason =
        vg_store_get_one(node->store, NULL, VG_NODE_SHARD, vg_key_bytes(&key), &value, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_shard_state state = { .sequence = 0 };
    if (value.found && !vg_shard_state_decode(value.bytes, &state)) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, "the state of the store cannot be read");
    }
    vg_store_value_release(&value);
    *out_sequence = state.sequence;
    return reason;
}

static void log_started(const struct vg_table_started *started, uint64_t duration_ns)
{
    struct vg_log_line line;
    if (vg_log_begin(&line, VG_LOG_INFO, "table_started")) {
        vg_log_bool(&line, "rebuilt", started->rebuilt);
        if (started->reason[0] != '\0') {
            vg_log_text(&line, "why", started->reason);
        }
        vg_log_int(&line, "rows", (int64_t)started->rows);
        vg_log_int(&line, "replayed", (int64_t)started->replayed_ids);
        vg_log_int(&line, "ms", (int64_t)(duration_ns / 1000000));
        vg_log_end(&line);
    }
}

enum vg_reason vg_keeper_start_table(struct vg_node *node, struct vg_error *error)
{
    uint64_t started_ns = vg_clock_monotonic_ns(node->clock);
    uint64_t sequence = 0;
    enum vg_reason reason = read_state(node, &sequence, error);
    struct vg_store_view *view = NULL;
    if (reason == VG_OK) {
        reason = vg_store_view_take(node->store, VG_NODE_SHARD, &view, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_record_source source;
    vg_record_source_init(
        &source,
        node->store,
        VG_NODE_SHARD,
        node->format.secret,
        node->loader_threads);
    source.gives_up = node->gives_up;
    source.owner = node->owner;
    struct vg_table_start start = { .source = &source.source, .sequence = sequence, .view = view };
    struct vg_table_started started;
    reason = vg_table_start(node->table, &start, &started, error);
    vg_record_source_dispose(&source);
    if (reason == VG_OK) {
        log_started(&started, vg_clock_monotonic_ns(node->clock) - started_ns);
    }
    return reason;
}

/* ---- recovery */

void vg_keeper_failed(void *node, enum vg_reason reason, const char *message)
{
    (void)node;
    struct vg_log_line line;
    if (vg_log_begin(&line, VG_LOG_ERROR, "commit_failed")) {
        vg_log_text(&line, "reason", vg_reason_row(reason)->name);
        vg_log_text(&line, "message", message);
        vg_log_end(&line);
    }
}

enum vg_reason vg_keeper_recover(void *owner, struct vg_error *error)
{
    struct vg_node *node = owner;
    if (!vg_table_is_drained(node->table)) {
        return vg_error_set(
            error,
            VG_STORE_UNAVAILABLE,
            "answers that are about to end still read the store");
    }
    enum vg_reason reason = vg_store_reopen(node->store, error);
    if (reason == VG_OK) {
        reason = vg_keeper_start_table(node, error);
    }
    if (reason != VG_OK) {
        vg_log_error(VG_LOG_WARN, "recovery", error);
    } else {
        vg_log_message(VG_LOG_WARN, "recovered", "the store is open again and takes changes");
    }
    return reason;
}

/* ---- the thread */

/* On the writer's thread, between batches: what is full must not wait for the next look, or the
 * writer would soon have to wait for it. */
void vg_keeper_between(void *owner)
{
    struct vg_node *node = owner;
    if (!node->checkpoint_asked && vg_table_wants_checkpoint(node->table)) {
        node->checkpoint_asked = true;
        (void)pthread_mutex_lock(&node->lock);
        node->wanted = true;
        (void)pthread_cond_signal(&node->wake);
        (void)pthread_mutex_unlock(&node->lock);
    }
}

/* Wait for the next look, at most a period. False = the node stops. */
static bool wait_a_period(struct vg_node *node)
{
    (void)pthread_mutex_lock(&node->lock);
    if (!node->stopping && !node->wanted) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += VG_KEEPER_PERIOD_S;
        (void)pthread_cond_timedwait(&node->wake, &node->lock, &until);
    }
    node->wanted = false;
    bool goes_on = !node->stopping;
    (void)pthread_mutex_unlock(&node->lock);
    return goes_on;
}

static void show_table(struct vg_node *node)
{
    struct vg_table_usage usage;
    vg_table_usage(node->table, &usage);
    vg_metrics_set(VG_METRIC_table_rows, (int64_t)(usage.rows + usage.dead_rows));
    vg_metrics_set(VG_METRIC_table_rows_dead, (int64_t)usage.dead_rows);
    vg_metrics_set(VG_METRIC_table_obsolete_bytes, (int64_t)usage.obsolete_bytes);
    vg_metrics_set(VG_METRIC_snapshots_open, (int64_t)usage.open_snapshots);
}

static void check_table(struct errand *errand)
{
    errand->node->checkpoint_asked = false;
    checkpoint_wanted(errand);
    show_table(errand->node);
}

/* ---- retention */

struct sweeping {
    struct vg_retention retention;
    uint64_t next_ns;
};

static void init_sweeping(struct vg_node *node, struct sweeping *sweeping)
{
    *sweeping = (struct sweeping){
        .retention = { .source = { .table = node->table,
                                   .store = node->store,
                                   .shard = VG_NODE_SHARD,
                                   .snapshot_age_ms = node->settings->snapshot_age_ms },
                       .ingest = node->ingest,
                       .clock = node->clock,
                       .similar_window_ms = node->settings->sampledb_similar_window_ms },
    };
}

/* At every look: a submission of a sample that has turned malicious must not be out of sight for
 * as long as a sweep rests. */
static void review(const struct sweeping *sweeping)
{
    bool more = true;
    struct vg_error error;
    vg_error_init(&error, NULL);
    for (unsigned portion = 0; more && portion < VG_KEEPER_SWEEP_PORTIONS; portion++) {
        if (vg_retention_review(&sweeping->retention, &more, &error) != VG_OK) {
            vg_log_error(VG_LOG_WARN, "retention", &error);
            more = false;
        }
    }
}

/* When it is time: some portions, and while there is more some again at the next look. */
static void sweep(struct vg_node *node, struct sweeping *sweeping)
{
    uint64_t now_ns = vg_clock_monotonic_ns(node->clock);
    if (now_ns < sweeping->next_ns) {
        return;
    }
    bool more = true;
    struct vg_error error;
    vg_error_init(&error, NULL);
    for (unsigned portion = 0; more && portion < VG_KEEPER_SWEEP_PORTIONS; portion++) {
        if (vg_retention_run(&sweeping->retention, &more, &error) != VG_OK) {
            vg_log_error(VG_LOG_WARN, "retention", &error);
            more = false;
        }
    }
    sweeping->next_ns = more ? now_ns : now_ns + VG_KEEPER_SWEEP_NS;
}

static void *keeper_thread(void *owner)
{
    struct vg_node *node = owner;
    (void)pthread_setname_np(pthread_self(), "keeper");
    uint64_t compact_after_ns = 0;
    struct sweeping sweeping;
    init_sweeping(node, &sweeping);
    while (wait_a_period(node)) {
        struct vg_ingest_figures figures;
        vg_ingest_read_figures(node->ingest, &figures);
        if (figures.failed) {
            continue; /* the writer brings store and table back first */
        }
        struct errand errand = { .node = node };
        run_on_writer(&errand, check_table);
        struct vg_compacted compacted;
        if (errand.flag) {
            write_checkpoint(node, false);
        } else if (
            errand.compacts && vg_clock_monotonic_ns(node->clock) >= compact_after_ns &&
            !compact(node, errand.kind, &compacted)) {
            compact_after_ns = vg_clock_monotonic_ns(node->clock) + VG_KEEPER_COMPACTION_REST_NS;
        }
        review(&sweeping);
        sweep(node, &sweeping);
    }
    return NULL;
}

enum vg_reason vg_keeper_start(struct vg_node *node, struct vg_error *error)
{
    if (pthread_create(&node->keeper, NULL, keeper_thread, node) != 0) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "cannot start the keeper thread");
    }
    node->keeper_runs = true;
    return VG_OK;
}

void vg_keeper_stop(struct vg_node *node)
{
    if (!node->keeper_runs) {
        return;
    }
    (void)pthread_mutex_lock(&node->lock);
    node->stopping = true;
    (void)pthread_cond_signal(&node->wake);
    (void)pthread_mutex_unlock(&node->lock);
    (void)pthread_join(node->keeper, NULL);
    node->keeper_runs = false;
}
