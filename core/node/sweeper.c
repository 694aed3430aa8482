#include "core/node/sweeper.h"

#include <pthread.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/settings.h"
#include "core/ingest/idempotency_sweep.h"
#include "core/samples/sample_orphans.h"
#include "core/samples/sample_purge.h"

#define VG_SWEEPER_PERIOD_S 1
/* Between two walks over all files: a crash is followed by a start, which begins one; what else
 * leaves a file behind hardly happens. */
#define VG_SWEEPER_WALK_REST_NS (UINT64_C(3600) * 1000000000)
/* And after one that failed. */
#define VG_SWEEPER_WALK_FAILED_NS (UINT64_C(60) * 1000000000)

/* Wait for the next look, at most a period. False = the node stops. */
static bool wait_a_period(struct vg_node *node)
{
    (void)pthread_mutex_lock(&node->sweep_lock);
    if (!node->sweep_stopping && !node->sweep_wanted) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += VG_SWEEPER_PERIOD_S;
        (void)pthread_cond_timedwait(&node->sweep_wake, &node->sweep_lock, &until);
    }
    node->sweep_wanted = false;
    bool goes_on = !node->sweep_stopping;
    (void)pthread_mutex_unlock(&node->sweep_lock);
    return goes_on;
}

static bool goes_on(void *owner)
{
    struct vg_node *node = owner;
    (void)pthread_mutex_lock(&node->sweep_lock);
    bool stopping = node->sweep_stopping;
    (void)pthread_mutex_unlock(&node->sweep_lock);
    return !stopping;
}

void vg_node_purge_soon(struct vg_node *node)
{
    (void)pthread_mutex_lock(&node->sweep_lock);
    node->sweep_wanted = true;
    (void)pthread_cond_signal(&node->sweep_wake);
    (void)pthread_mutex_unlock(&node->sweep_lock);
}

/* A failed store brings itself back; what is left is found again then. */
static void purge(struct vg_node *node)
{
    const struct vg_sample_purge samples = {
        .source = { .table = node->table,
                    .store = node->store,
                    .shard = VG_NODE_SHARD,
                    .snapshot_age_ms = node->settings->snapshot_age_ms },
        .ingest = node->ingest,
        .blobs = node->blobs,
        .goes_on = goes_on,
        .owner = node,
    };
    struct vg_arena arena;
    struct vg_error error;
    uint32_t purged = 0;
    vg_arena_init(&arena, 64 * 1024);
    vg_error_init(&error, &arena);
    enum vg_reason reason = vg_sample_purge_run(&samples, &purged, &error);
    if (reason != VG_OK) {
        vg_log_error(VG_LOG_WARN, "purge", &error);
    } else if (purged == VG_SAMPLE_PURGE_ROUND) {
        vg_node_purge_soon(node);
    }
    vg_arena_dispose(&arena);
}

struct walking {
    struct vg_sample_orphans orphans;
    uint64_t next_ns;
};

static void init_walking(struct vg_node *node, struct walking *walking)
{
    *walking = (struct walking){
        .orphans = { .store = node->store,
                     .shard = VG_NODE_SHARD,
                     .ingest = node->ingest,
                     .blobs = node->blobs,
                     .goes_on = goes_on,
                     .owner = node },
    };
}

/* A portion of the walk over all files, when it is time for one. */
static void walk_files(struct vg_node *node, struct walking *walking)
{
    uint64_t now_ns = vg_clock_monotonic_ns(node->clock);
    if (now_ns < walking->next_ns) {
        return;
    }
    struct vg_arena arena;
    struct vg_error error;
    uint32_t removed = 0;
    bool is_end = false;
    vg_arena_init(&arena, 64 * 1024);
    vg_error_init(&error, &arena);
    if (vg_sample_orphans_run(&walking->orphans, &removed, &is_end, &error) != VG_OK) {
        vg_log_error(VG_LOG_WARN, "orphans", &error);
        walking->next_ns = now_ns + VG_SWEEPER_WALK_FAILED_NS;
    } else if (is_end) {
        walking->next_ns = now_ns + VG_SWEEPER_WALK_REST_NS;
    }
    struct vg_log_line line;
    if (removed > 0 && vg_log_begin(&line, VG_LOG_WARN, "orphans_removed")) {
        vg_log_int(&line, "files", (int64_t)removed);
        vg_log_end(&line);
    }
    vg_arena_dispose(&arena);
}

/* A look at all answers of idempotency keys takes as many rounds as there are parts; then there is
 * nothing to do for a while. */
#define IDEMPOTENCY_REST_MS (60 * 1000)

struct sweep {
    struct vg_idempotency_sweep keys;
    uint64_t next_ns; /* monotonic */
};

static void sweep_keys(struct vg_node *node, struct sweep *sweep)
{
    uint64_t now_ns = vg_clock_monotonic_ns(node->clock);
    if (now_ns < sweep->next_ns) {
        return;
    }
    struct vg_error error;
    bool done = false;
    vg_error_init(&error, NULL);
    enum vg_reason reason = vg_idempotency_sweep_part(
        &sweep->keys,
        node->store,
        VG_NODE_SHARD,
        node->ingest,
        vg_clock_now(node->clock),
        &done,
        &error);
    if (reason != VG_OK) {
        vg_log_error(VG_LOG_WARN, "idempotency", &error);
    }
    if (reason != VG_OK || done) {
        sweep->next_ns = now_ns + UINT64_C(1000000) * IDEMPOTENCY_REST_MS;
    }
}

static void *sweeper_thread(void *owner)
{
    struct vg_node *node = owner;
    struct walking walking;
    struct sweep sweep = { .next_ns = 0 };
    init_walking(node, &walking);
    (void)pthread_setname_np(pthread_self(), "sweeper");
    while (wait_a_period(node)) {
        struct vg_ingest_figures figures;
        vg_ingest_read_figures(node->ingest, &figures);
        if (!figures.failed) {
            purge(node);
            walk_files(node, &walking);
            sweep_keys(node, &sweep);
        }
    }
    return NULL;
}

enum vg_reason vg_sweeper_start(struct vg_node *node, struct vg_error *error)
{
    if (pthread_create(&node->sweeper, NULL, sweeper_thread, node) != 0) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "cannot start the sweeper thread");
    }
    node->sweeper_runs = true;
    return VG_OK;
}

void vg_sweeper_stop(struct vg_node *node)
{
    if (!node->sweeper_runs) {
        return;
    }
    (void)pthread_mutex_lock(&node->sweep_lock);
    node->sweep_stopping = true;
    (void)pthread_cond_signal(&node->sweep_wake);
    (void)pthread_mutex_unlock(&node->sweep_lock);
    (void)pthread_join(node->sweeper, NULL);
    node->sweeper_runs = false;
}
