/*
 * A round: what was changed since the last one is found in one search by time of update. Its rows,
 * and one time more for the rest that shares the last one's time, are what each watch is asked
 * about. A watch that knows more than the round does is passed over; nobody who waits is ever
 * behind the round before, since vg_event_watches_wait refuses that.
 */
#include "core/events/event_watches.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/metrics.h"
#include "core/directory/directory.h"
#include "core/events/event_table.h"
#include "core/table/row_set.h"
#include "core/table/search.h"

/* More rows than these in one round wake everybody. */
#define ROUND_ROWS_MAX 65536u
/* Rows of a round and how they are found; the plan of one watch. */
#define ROUND_BYTES (32u * 1024u * 1024u)
#define PLAN_BYTES  (32u * 1024u * 1024u)
/* A round that cannot see the table is tried again after so long. */
#define SNAPSHOT_AGE_MS 10000u
#define NEVER           UINT64_MAX
/* When another call of a key ends nobody knows; who tries again so often costs little. */
#define FULL_WAIT_MS 1000u

struct vg_event_watches {
    struct vg_event_watches_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;     /* the thread */
    pthread_cond_t released; /* who leaves while his watch is looked at */
    bool stopping;
    struct vg_event_watch *first; /* all that joined */
    uint32_t count;
    const struct vg_event_watch *looked_at;
    uint64_t due_ns;            /* the thread sleeps until then at the latest */
    uint64_t sequence;          /* of the last round */
    vg_time updated;            /* what a round has not seen was updated then or later */
    _Atomic uint64_t published; /* as told by the writer */
    _Atomic vg_time published_updated;
    _Atomic bool asleep; /* the thread waits for the writer */

    /* The thread's own. */
    struct vg_arena rows_arena;
    struct vg_arena plan_arena;
};

/* What a round knows. */
struct round {
    struct vg_snapshot snapshot;
    struct vg_row_set rows;
    uint64_t sequence;
    vg_time from;    /* rows updated before are known */
    vg_time updated; /* of a change that is not newer than the snapshot */
    uint64_t directory_version;
    uint64_t now_ns;
    bool has_rows;
    bool has_all; /* `rows` is all that was changed; else everybody is woken */
};

static uint64_t directory_version(const struct vg_event_watches *watches)
{
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(watches->options.directory);
    uint64_t version = vg_directory_snapshot_version(snapshot);
    vg_directory_snapshot_unref(snapshot);
    return version;
}

/* ---- a round */

/* Rows of all events changed at the time of the newest known change, or later. */
static enum vg_reason find_rows(
    struct vg_event_watches *watches,
    struct round *round,
    struct vg_error *error)
{
    static const struct vg_sort_key by_update = { VG_EVENT_COLUMN_LAST_UPDATED, false };
    struct vg_arena *arena = &watches->rows_arena;
    const struct vg_search search = {
        .kind = watches->options.kind,
        .where = vg_predicate_range(arena, VG_EVENT_COLUMN_LAST_UPDATED, round->from, INT64_MAX),
        .sort = &by_update,
        .sort_count = 1,
        .limit = ROUND_ROWS_MAX,
        .uncounted = true,
    };
    struct vg_search_result found;
    enum vg_reason reason = search.where == NULL
                                ? vg_error_set(error, VG_REQUEST_MEMORY, NULL)
                                : vg_search_run(&round->snapshot, &search, arena, &found, error);
    if (reason != VG_OK) {
        return reason;
    }
    round->has_rows = found.hit_count > 0;
    round->has_all = found.hit_count < ROUND_ROWS_MAX && vg_row_set_make(
                                                             &round->rows,
                                                             &round->snapshot,
                                                             watches->options.kind,
                                                             found.hits,
                                                             found.hit_count,
                                                             arena);
    return VG_OK;
}

/* False: the table is not to be seen now. */
static bool begin_round(struct vg_event_watches *watches, struct round *round)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_arena_reset(&watches->rows_arena);
    if (vg_snapshot_acquire(watches->options.table, SNAPSHOT_AGE_MS, &round->snapshot, &error) !=
        VG_OK) {
        return false;
    }
    bool has_news = vg_snapshot_sequence(&round->snapshot) > round->sequence;
    round->sequence = vg_snapshot_sequence(&round->snapshot);
    if (has_news && find_rows(watches, round, &error) != VG_OK) {
        vg_snapshot_release(&round->snapshot);
        return false;
    }
    return true;
}

/* Is there something in the round for `watch`? What cannot be decided is answered with yes. */
static bool is_for(
    struct vg_event_watches *watches,
    const struct round *round,
    const struct vg_event_watch *watch)
{
    if (watch->directory_version != round->directory_version || watch->due_ns <= round->now_ns) {
        return true;
    }
    if (!round->has_rows || watch->sequence >= round->sequence) {
        return false;
    }
    if (watch->where == NULL || !round->has_all) {
        return true;
    }
    struct vg_error error;
    bool any = false;
    vg_error_init(&error, NULL);
    vg_arena_reset(&watches->plan_arena);
    return vg_row_set_has(&round->rows, watch->where, &watches->plan_arena, &any, &error) !=
               VG_OK ||
           any;
}

/* Look at all who wait. The lock is held but while one is asked; it cannot leave meanwhile. */
static void look_at_all(struct vg_event_watches *watches, struct round *round)
{
    uint64_t due_ns = NEVER;
    (void)pthread_mutex_lock(&watches->lock);
    watches->sequence = round->sequence;
    watches->updated = round->updated;
    round->now_ns = vg_clock_monotonic_ns(watches->options.clock);
    for (struct vg_event_watch *watch = watches->first; watch != NULL; watch = watch->next) {
        if (!watch->waits) {
            continue;
        }
        watches->looked_at = watch;
        (void)pthread_mutex_unlock(&watches->lock);
        bool wakes = is_for(watches, round, watch);
        (void)pthread_mutex_lock(&watches->lock);
        if (wakes) {
            watch->waits = false;
            (void)pthread_mutex_unlock(&watches->lock);
            watch->wake(watch);
            (void)pthread_mutex_lock(&watches->lock);
        } else if (watch->due_ns < due_ns) {
            due_ns = watch->due_ns;
        }
        watches->looked_at = NULL;
        (void)pthread_cond_broadcast(&watches->released);
    }
    /* Who has begun to wait meanwhile has moved it forward himself. */
    watches->due_ns = due_ns < watches->due_ns ? due_ns : watches->due_ns;
    (void)pthread_mutex_unlock(&watches->lock);
}

/* The state of the watches at the beginning is given with `round`. */
static void run_round(struct vg_event_watches *watches, struct round *begun)
{
    struct round round = *begun;
    uint64_t begun_ns = vg_clock_monotonic_ns(watches->options.clock);
    round.directory_version = directory_version(watches);
    if (!begin_round(watches, &round)) {
        (void)pthread_mutex_lock(&watches->lock);
        watches->due_ns = 0; /* after the interval it is tried again */
        (void)pthread_mutex_unlock(&watches->lock);
        return;
    }
    look_at_all(watches, &round);
    vg_snapshot_release(&round.snapshot);
    vg_metrics_add(VG_METRIC_watch_rounds_total, 1);
    vg_metrics_observe(
        VG_METRIC_watch_round_seconds,
        vg_clock_monotonic_ns(watches->options.clock) - begun_ns);
}

/* ---- the thread */

/* Monotonic time of the machine: the clock may be a test's. */
static struct timespec time_after(uint64_t ns)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t sum = (uint64_t)at.tv_nsec + ns % 1000000000u;
    at.tv_sec += (time_t)(ns / 1000000000u + sum / 1000000000u);
    at.tv_nsec = (long)(sum % 1000000000u);
    return at;
}

/* Longest sleep without a look at the clock, which a test may have moved. */
#define SLEEP_NS_MAX UINT64_C(1000000000)

/* Wait until there is something to look at, and who would look. With the lock. */
static void wait_for_work(struct vg_event_watches *watches)
{
    while (!watches->stopping) {
        /* While nobody watches the writer need not even ask. */
        atomic_store(&watches->asleep, watches->count > 0);
        uint64_t now_ns = vg_clock_monotonic_ns(watches->options.clock);
        bool has_news = atomic_load(&watches->published) > watches->sequence;
        if (watches->count > 0 && (has_news || watches->due_ns <= now_ns)) {
            break;
        }
        uint64_t left_ns = watches->due_ns > now_ns ? watches->due_ns - now_ns : 0;
        const struct timespec until = time_after(left_ns < SLEEP_NS_MAX ? left_ns : SLEEP_NS_MAX);
        if (watches->count == 0) {
            (void)pthread_cond_wait(&watches->wake, &watches->lock);
        } else {
            (void)pthread_cond_timedwait(&watches->wake, &watches->lock, &until);
        }
    }
    atomic_store(&watches->asleep, false);
    watches->due_ns = NEVER;
}

/* The rest of the interval, unless it is over. With the lock. */
static void pause_between(struct vg_event_watches *watches, const struct timespec *until)
{
    int waited = 0;
    while (!watches->stopping && waited == 0) {
        waited = pthread_cond_timedwait(&watches->wake, &watches->lock, until);
    }
}

static void *run_watches(void *owner)
{
    struct vg_event_watches *watches = owner;
    (void)pthread_mutex_lock(&watches->lock);
    while (!watches->stopping) {
        wait_for_work(watches);
        if (watches->stopping) {
            break;
        }
        const struct timespec until = time_after((uint64_t)watches->options.interval_ms * 1000000u);
        struct round round = {
            .sequence = watches->sequence,
            .from = watches->updated,
            .updated = atomic_load(&watches->published_updated),
        };
        (void)pthread_mutex_unlock(&watches->lock);
        run_round(watches, &round);
        (void)pthread_mutex_lock(&watches->lock);
        pause_between(watches, &until);
    }
    (void)pthread_mutex_unlock(&watches->lock);
    return NULL;
}

/* ---- life */

static void free_watches(struct vg_event_watches *watches)
{
    (void)pthread_cond_destroy(&watches->released);
    (void)pthread_cond_destroy(&watches->wake);
    (void)pthread_mutex_destroy(&watches->lock);
    vg_arena_dispose(&watches->plan_arena);
    vg_arena_dispose(&watches->rows_arena);
    free(watches);
}

enum vg_reason vg_event_watches_create(
    const struct vg_event_watches_options *options,
    struct vg_event_watches **out_watches,
    struct vg_error *error)
{
    struct vg_event_watches *watches = calloc(1, sizeof(*watches));
    if (watches == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for those who watch");
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    VG_ASSERT(pthread_mutex_init(&watches->lock, NULL) == 0);
    VG_ASSERT(pthread_cond_init(&watches->wake, &attributes) == 0);
    VG_ASSERT(pthread_cond_init(&watches->released, NULL) == 0);
    (void)pthread_condattr_destroy(&attributes);
    watches->options = *options;
    watches->due_ns = NEVER;
    vg_arena_init(&watches->rows_arena, ROUND_BYTES);
    vg_arena_init(&watches->plan_arena, PLAN_BYTES);
    if (pthread_create(&watches->thread, NULL, run_watches, watches) != 0) {
        free_watches(watches);
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no thread for those who watch");
    }
    *out_watches = watches;
    return VG_OK;
}

void vg_event_watches_destroy(struct vg_event_watches *watches)
{
    if (watches == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&watches->lock);
    VG_ASSERT(watches->first == NULL);
    watches->stopping = true;
    (void)pthread_cond_signal(&watches->wake);
    (void)pthread_mutex_unlock(&watches->lock);
    (void)pthread_join(watches->thread, NULL);
    free_watches(watches);
}

vg_time vg_event_watches_updated(const struct vg_event_watches *watches)
{
    return atomic_load(&watches->published_updated);
}

void vg_event_watches_notify(struct vg_event_watches *watches, uint64_t sequence, vg_time updated)
{
    atomic_store(&watches->published_updated, updated);
    atomic_store(&watches->published, sequence);
    if (!atomic_exchange(&watches->asleep, false)) {
        return; /* it looks once more before it sleeps */
    }
    (void)pthread_mutex_lock(&watches->lock);
    (void)pthread_cond_signal(&watches->wake);
    (void)pthread_mutex_unlock(&watches->lock);
}

enum vg_reason vg_event_watches_join(
    struct vg_event_watches *watches,
    struct vg_event_watch *watch,
    const char *key_id,
    struct vg_error *error)
{
    uint32_t same = 0;
    const struct vg_event_watches_options *options = &watches->options;
    VG_ASSERT(watch->wake != NULL);
    strncpy(watch->key, key_id, sizeof(watch->key) - 1);
    (void)pthread_mutex_lock(&watches->lock);
    for (const struct vg_event_watch *other = watches->first; other != NULL; other = other->next) {
        same += strcmp(other->key, watch->key) == 0;
    }
    bool fits = watches->count < options->watches_max;
    bool key_fits = same < options->per_key_max;
    if (fits && key_fits) {
        watch->next = watches->first;
        if (watch->next != NULL) {
            watch->next->back = watch;
        }
        watches->first = watch;
        if (watches->count++ == 0) {
            /* What was changed while nobody watched is nothing to wake anybody for. */
            watches->updated = atomic_load(&watches->published_updated);
            (void)pthread_cond_signal(&watches->wake);
        }
    }
    (void)pthread_mutex_unlock(&watches->lock);
    if (!key_fits) {
        (void)vg_error_set(
            error,
            VG_QUOTA_EXCEEDED,
            "The quota of the API key is used up: %u calls watch with it",
            options->per_key_max);
        if (error != NULL) {
            error->retry_after_ms = FULL_WAIT_MS;
        }
        return VG_QUOTA_EXCEEDED;
    }
    if (!fits) {
        return vg_error_set(error, VG_OVERLOADED, "Too many calls watch events");
    }
    vg_metrics_move(VG_METRIC_watchers_open, 1);
    return VG_OK;
}

bool vg_event_watches_wait(struct vg_event_watches *watches, struct vg_event_watch *watch)
{
    (void)pthread_mutex_lock(&watches->lock);
    VG_ASSERT(!watch->waits);
    watch->waits = watch->sequence >= watches->sequence;
    bool waits = watch->waits;
    if (waits) {
        bool is_sooner = watch->due_ns < watches->due_ns;
        watches->due_ns = is_sooner ? watch->due_ns : watches->due_ns;
        bool has_news = atomic_load(&watches->published) > watch->sequence;
        if (is_sooner || has_news) {
            (void)pthread_cond_signal(&watches->wake);
        }
    }
    (void)pthread_mutex_unlock(&watches->lock);
    return waits;
}

void vg_event_watches_leave(struct vg_event_watches *watches, struct vg_event_watch *watch)
{
    (void)pthread_mutex_lock(&watches->lock);
    while (watches->looked_at == watch) {
        (void)pthread_cond_wait(&watches->released, &watches->lock);
    }
    watch->waits = false;
    if (watch->back != NULL) {
        watch->back->next = watch->next;
    } else {
        watches->first = watch->next;
    }
    if (watch->next != NULL) {
        watch->next->back = watch->back;
    }
    watch->next = NULL;
    watch->back = NULL;
    watches->count--;
    (void)pthread_mutex_unlock(&watches->lock);
    vg_metrics_move(VG_METRIC_watchers_open, -1);
}
