/*
 * The queue and the writer thread. What a batch consists of is commit_group's business, how fast
 * batches follow one another commit_pace's.
 *
 * The writer sleeps on one condition; submissions, errands and draining wake it. It owns the group
 * and everything else below the line in struct vg_ingest; the rest is under the lock.
 */
#include "core/ingest/ingest.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/ingest/commit_group.h"
#include "core/keyspace/keyspace.h"

#define IDLE_WAIT_NS    UINT64_C(1000000000)
#define LEVEL0_FRESH_NS UINT64_C(50000000) /* how old the count of level-0 files may be */
#define NS_PER_SECOND   UINT64_C(1000000000)

struct vg_ingest {
    struct vg_ingest_options options;
    struct vg_mailbox errands;
    pthread_t thread;
    bool thread_runs; /* the owner's: created and not yet joined */

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct vg_ingest_place *first;
    struct vg_ingest_place *last;
    bool has_errands;
    bool draining;
    struct vg_ingest_figures figures;

    /* The writer's own. */
    struct vg_commit_group group;
    struct vg_commit_pace pace;
    unsigned level0_files;
    uint64_t level0_read_ns;
};

/* ---- what is handed in */

void vg_ingest_submission_init(struct vg_ingest_submission *submission)
{
    *submission = (struct vg_ingest_submission){ .reason = VG_OK };
}

void vg_ingest_submission_add(struct vg_ingest_submission *submission, struct vg_ingest_item *item)
{
    item->next = NULL;
    if (submission->last == NULL) {
        submission->first = item;
    } else {
        submission->last->next = item;
    }
    submission->last = item;
    submission->place.items++;
    submission->place.bytes += item->bytes;
}

void vg_ingest_write_init(struct vg_ingest_write *write, struct vg_batch *batch)
{
    *write = (struct vg_ingest_write){ .batch = batch, .place = { .is_write = true } };
}

static struct vg_ingest_submission *submission_of(struct vg_ingest_place *place)
{
    VG_ASSERT(!place->is_write);
    return VG_CONTAINER_OF(place, struct vg_ingest_submission, place);
}

static struct vg_ingest_write *write_of(struct vg_ingest_place *place)
{
    VG_ASSERT(place->is_write);
    return VG_CONTAINER_OF(place, struct vg_ingest_write, place);
}

/* ---- answers; afterwards the struct belongs to the caller again */

static void answer(struct vg_mailbox *mailbox, struct vg_task *done)
{
    if (mailbox != NULL) {
        vg_mailbox_post(mailbox, done);
    } else {
        done->run(done);
    }
}

static void answer_place(struct vg_ingest_place *place)
{
    if (place->is_write) {
        struct vg_ingest_write *write = write_of(place);
        answer(write->mailbox, &write->done);
    } else {
        struct vg_ingest_submission *submission = submission_of(place);
        answer(submission->mailbox, &submission->done);
    }
}

static void set_reason(struct vg_ingest_place *place, enum vg_reason reason, const char *message)
{
    char *words;
    if (place->is_write) {
        write_of(place)->reason = reason;
        words = write_of(place)->message;
    } else {
        submission_of(place)->reason = reason;
        words = submission_of(place)->message;
    }
    (void)snprintf(words, VG_INGEST_MESSAGE_SIZE, "%s", message);
}

/* Answer all of a list with a failure. */
static void answer_all(struct vg_ingest_place *place, enum vg_reason reason, const char *message)
{
    while (place != NULL) {
        struct vg_ingest_place *next = place->next;
        set_reason(place, reason, message);
        answer_place(place);
        place = next;
    }
}

/* ---- the queue; under the lock */

static void note_waiting(struct vg_ingest *ingest, int64_t items, int64_t bytes)
{
    ingest->figures.waiting_items = (size_t)((int64_t)ingest->figures.waiting_items + items);
    ingest->figures.waiting_bytes = (size_t)((int64_t)ingest->figures.waiting_bytes + bytes);
    vg_metrics_move(VG_METRIC_ingest_queue_events, items);
    vg_metrics_move(VG_METRIC_ingest_queue_bytes, bytes);
}

static struct vg_ingest_place *take_first(struct vg_ingest *ingest)
{
    struct vg_ingest_place *place = ingest->first;
    ingest->first = place->next;
    if (ingest->first == NULL) {
        ingest->last = NULL;
    }
    place->next = NULL;
    note_waiting(ingest, -(int64_t)place->items, -(int64_t)place->bytes);
    return place;
}

/* Take what makes the next batch: one write, or submissions up to the limits, and always one. */
static struct vg_ingest_place *take_group(struct vg_ingest *ingest)
{
    if (ingest->first == NULL) {
        return NULL;
    }
    const struct vg_ingest_settings *settings = &ingest->options.settings;
    struct vg_ingest_place *taken = take_first(ingest);
    struct vg_ingest_place *last = taken;
    size_t items = taken->items;
    size_t bytes = taken->bytes;
    while (!taken->is_write && ingest->first != NULL && !ingest->first->is_write &&
           items + ingest->first->items <= settings->group_items_max &&
           bytes + ingest->first->bytes <= settings->group_bytes_max) {
        last->next = take_first(ingest);
        last = last->next;
        items += last->items;
        bytes += last->bytes;
    }
    return taken;
}

static enum vg_reason enqueue(
    struct vg_ingest *ingest,
    struct vg_ingest_place *place,
    struct vg_error *error)
{
    const struct vg_ingest_settings *settings = &ingest->options.settings;
    enum vg_reason reason = VG_OK;
    place->next = NULL;
    (void)pthread_mutex_lock(&ingest->lock);
    const struct vg_ingest_figures *figures = &ingest->figures;
    if (ingest->draining) {
        reason = vg_error_set(error, VG_DRAINING, NULL);
    } else if (figures->failed) {
        reason = vg_error_set(error, VG_STORE_UNAVAILABLE, NULL);
    } else if (
        /* Into an empty queue everything fits: what is larger than the queue must get through. */
        ingest->first != NULL &&
        (figures->waiting_items + place->items > settings->queue_items_max ||
         figures->waiting_bytes + place->bytes > settings->queue_bytes_max)) {
        reason = vg_error_set(error, VG_OVERLOADED, NULL);
        vg_metrics_add(VG_METRIC_ingest_refused_total, place->items);
    } else {
        if (ingest->last == NULL) {
            ingest->first = place;
        } else {
            ingest->last->next = place;
        }
        ingest->last = place;
        note_waiting(ingest, place->items, (int64_t)place->bytes);
        if (ingest->first == place) { /* else the writer is awake, or keeps its pace */
            (void)pthread_cond_signal(&ingest->wake);
        }
    }
    (void)pthread_mutex_unlock(&ingest->lock);
    return reason;
}

enum vg_reason vg_ingest_submit(
    struct vg_ingest *ingest,
    struct vg_ingest_submission *submission,
    struct vg_error *error)
{
    const struct vg_ingest_place *place = &submission->place;
    if (place->items > VG_INGEST_SUBMISSION_ITEMS_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "%u items are more than the %u that one submission may bring",
            place->items,
            VG_INGEST_SUBMISSION_ITEMS_MAX);
    }
    if (place->bytes > VG_INGEST_SUBMISSION_BYTES_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "%zu bytes are more than the %u that one submission may bring",
            place->bytes,
            VG_INGEST_SUBMISSION_BYTES_MAX);
    }
    VG_ASSERT(submission->done.run != NULL);
    submission->place.is_write = false;
    submission->reason = VG_OK;
    submission->message[0] = '\0';
    submission->recalled = false;
    submission->sequence = 0;
    return enqueue(ingest, &submission->place, error);
}

enum vg_reason vg_ingest_apply(
    struct vg_ingest *ingest,
    struct vg_ingest_write *write,
    struct vg_error *error)
{
    VG_ASSERT(write->done.run != NULL && write->batch != NULL);
    if (vg_batch_failed(write->batch)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "the change is larger than one batch may be");
    }
    write->place.is_write = true;
    write->place.items = 1;
    write->place.bytes = vg_batch_size(write->batch);
    write->reason = VG_OK;
    write->message[0] = '\0';
    write->sequence = 0;
    return enqueue(ingest, &write->place, error);
}

static void wake_for_errand(struct vg_mailbox *mailbox)
{
    struct vg_ingest *ingest = VG_CONTAINER_OF(mailbox, struct vg_ingest, errands);
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->has_errands = true;
    (void)pthread_cond_signal(&ingest->wake);
    (void)pthread_mutex_unlock(&ingest->lock);
}

void vg_ingest_errand(struct vg_ingest *ingest, struct vg_task *task)
{
    vg_mailbox_post(&ingest->errands, task);
}

void vg_ingest_read_figures(struct vg_ingest *ingest, struct vg_ingest_figures *out_figures)
{
    (void)pthread_mutex_lock(&ingest->lock);
    *out_figures = ingest->figures;
    (void)pthread_mutex_unlock(&ingest->lock);
}

/* ---- the writer */

static void note_group(struct vg_ingest *ingest)
{
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->figures.sequence = ingest->group.state.sequence;
    ingest->figures.last_updated = ingest->group.state.last_updated;
    (void)pthread_mutex_unlock(&ingest->lock);
}

/* After `bytes` were committed: how fast may it go on? */
static void note_pace(struct vg_ingest *ingest, size_t bytes)
{
    uint64_t now_ns = vg_clock_monotonic_ns(ingest->options.clock);
    if (ingest->level0_read_ns == 0 || now_ns - ingest->level0_read_ns >= LEVEL0_FRESH_NS) {
        ingest->level0_files = vg_store_level0_files(ingest->options.store);
        ingest->level0_read_ns = now_ns;
    }
    vg_commit_pace_note(&ingest->pace, now_ns, bytes, ingest->level0_files);
}

/* A commit has failed. From here on everything is refused; what waits is answered. */
static void fail(struct vg_ingest *ingest)
{
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->figures.failed = true;
    struct vg_ingest_place *waiting = ingest->first;
    ingest->first = NULL;
    ingest->last = NULL;
    note_waiting(
        ingest,
        -(int64_t)ingest->figures.waiting_items,
        -(int64_t)ingest->figures.waiting_bytes);
    (void)pthread_mutex_unlock(&ingest->lock);
    answer_all(waiting, VG_STORE_UNAVAILABLE, "");
}

static void run_write(struct vg_ingest *ingest, struct vg_ingest_write *write)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    size_t bytes = vg_batch_size(write->batch);
    enum vg_reason reason;
    enum vg_commit_outcome outcome =
        vg_commit_group_write(&ingest->group, write->batch, &reason, &error);
    if (outcome == VG_COMMIT_DONE) {
        write->sequence = ingest->group.state.sequence;
        if (write->committed != NULL) {
            write->committed(write);
        }
        note_group(ingest);
        note_pace(ingest, bytes);
    }
    if (outcome == VG_COMMIT_FAILED) {
        fail(ingest);
    }
    set_reason(&write->place, reason, error.message);
    answer_place(&write->place);
}

/*
 * Commit what is merged and answer `merged`, the submissions that are complete with it. Returns
 * false when it was not committed; then `open`, a submission that is only half merged (may be
 * NULL), is answered as well, and *out_failed says whether anything may follow.
 */
static bool finish_batch(
    struct vg_ingest *ingest,
    struct vg_ingest_place *merged,
    struct vg_ingest_place *open,
    bool *out_failed)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason;
    enum vg_commit_outcome outcome = vg_commit_group_commit(&ingest->group, &reason, &error);
    size_t bytes = vg_batch_size(&ingest->group.batch);
    uint64_t sequence = ingest->group.state.sequence;
    if (outcome == VG_COMMIT_DONE) {
        note_group(ingest);
        note_pace(ingest, bytes);
    }
    bool good = outcome == VG_COMMIT_DONE || outcome == VG_COMMIT_NOTHING;
    *out_failed = outcome == VG_COMMIT_FAILED;
    if (*out_failed) {
        fail(ingest);
    }
    while (merged != NULL) {
        struct vg_ingest_place *next = merged->next;
        struct vg_ingest_submission *submission = submission_of(merged);
        submission->sequence = sequence;
        if (!good && submission->reason == VG_OK) { /* one refused before stays what it is */
            set_reason(merged, reason, error.message);
        }
        answer_place(merged);
        merged = next;
    }
    if (!good && open != NULL) {
        open->next = NULL;
        answer_all(open, reason, error.message);
    }
    vg_commit_group_release(&ingest->group);
    return good;
}

static uint32_t items_of(const struct vg_ingest_place *places)
{
    uint32_t items = 0;
    for (; places != NULL; places = places->next) {
        items += places->items + 1; /* and perhaps an idempotency key */
    }
    return items;
}

/* The group taken is being merged: `merged` is complete, `rest` is to come. */
struct group_walk {
    struct vg_ingest_place *merged;
    struct vg_ingest_place **merged_end;
    struct vg_ingest_place *rest;
};

static void forget_merged(struct group_walk *walk)
{
    walk->merged = NULL;
    walk->merged_end = &walk->merged;
}

/* Merge the first of the rest, with a commit in the midst whenever the batch is full. Returns false
 * when a commit did not go through: *out_failed as finish_batch has it. */
static bool merge_first(struct vg_ingest *ingest, struct group_walk *walk, bool *out_failed)
{
    struct vg_ingest_place *place = walk->rest;
    struct vg_ingest_place *rest = place->next;
    struct vg_ingest_submission *submission = submission_of(place);
    struct vg_ingest_item *position = submission->first;
    while (!vg_commit_group_add(&ingest->group, submission, &position)) {
        if (!finish_batch(ingest, walk->merged, place, out_failed)) {
            forget_merged(walk);
            walk->rest = rest;
            return false;
        }
        forget_merged(walk);
        if (vg_commit_group_begin(&ingest->group, items_of(walk->rest), NULL) != VG_OK) {
            place->next = NULL;
            answer_all(place, VG_RESOURCE_LIMIT, "");
            walk->rest = rest;
            *out_failed = false;
            return false;
        }
    }
    place->next = NULL;
    *walk->merged_end = place;
    walk->merged_end = &place->next;
    walk->rest = rest;
    return true;
}

static void run_submissions(struct vg_ingest *ingest, struct vg_ingest_place *places)
{
    struct group_walk walk = { .rest = places };
    forget_merged(&walk);
    bool failed = false;
    while (walk.rest != NULL && !failed) {
        if (vg_commit_group_begin(&ingest->group, items_of(walk.rest), NULL) != VG_OK) {
            answer_all(walk.rest, VG_RESOURCE_LIMIT, "");
            return;
        }
        bool good = true;
        while (walk.rest != NULL && good) {
            good = merge_first(ingest, &walk, &failed);
        }
        if (good) {
            (void)finish_batch(ingest, walk.merged, NULL, &failed);
            forget_merged(&walk);
        }
    }
    if (failed) {
        answer_all(walk.rest, VG_STORE_UNAVAILABLE, "");
    }
}

/* `state` as the store has it. */
static enum vg_reason read_state(
    const struct vg_ingest_options *options,
    struct vg_shard_state *out_state,
    bool *out_exists,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    vg_key_state(&key);
    enum vg_reason reason =
        vg_store_get_one(options->store, NULL, options->shard, vg_key_bytes(&key), &value, error);
    if (reason != VG_OK) {
        return reason;
    }
    *out_exists = value.found;
    if (value.found && !vg_shard_state_decode(value.bytes, out_state)) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, "the state of the shard cannot be read");
    }
    vg_store_value_release(&value);
    return reason;
}

/* A commit has failed: ask the owner to bring store and table back. */
static void try_to_recover(struct vg_ingest *ingest)
{
    struct vg_ingest_options *options = &ingest->options;
    struct vg_shard_state state = { .sequence = 0 };
    bool exists = false;
    if (options->recover == NULL || options->recover(options->owner, NULL) != VG_OK ||
        read_state(options, &state, &exists, NULL) != VG_OK) {
        return;
    }
    vg_commit_group_set_state(&ingest->group, exists ? &state : NULL);
    note_group(ingest);
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->figures.failed = false;
    (void)pthread_mutex_unlock(&ingest->lock);
}

/* Sleep up to `wait_ns`, less when woken; under the lock. False when the time is over. */
static bool wait_for_wake(struct vg_ingest *ingest, uint64_t wait_ns)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + wait_ns;
    until.tv_sec += (time_t)(ns / NS_PER_SECOND);
    until.tv_nsec = (long)(ns % NS_PER_SECOND);
    return pthread_cond_timedwait(&ingest->wake, &ingest->lock, &until) != ETIMEDOUT;
}

/* Wait for something to do; under the lock. While a pace is due only errands and draining count,
 * and what comes meanwhile gathers for a larger batch. */
static void wait_for_work(struct vg_ingest *ingest)
{
    bool failed = ingest->figures.failed;
    uint64_t wait_ns =
        failed ? (uint64_t)ingest->options.settings.recover_wait_ms * 1000000 : IDLE_WAIT_NS;
    while (!ingest->has_errands && !ingest->draining && (failed || ingest->first == NULL)) {
        if (!wait_for_wake(ingest, wait_ns)) {
            return;
        }
    }
    uint64_t pace_ns =
        failed
            ? 0
            : vg_commit_pace_wait_ns(&ingest->pace, vg_clock_monotonic_ns(ingest->options.clock));
    if (pace_ns > 0 && ingest->first != NULL) {
        ingest->figures.paced_ns += pace_ns;
        while (!ingest->has_errands && !ingest->draining && wait_for_wake(ingest, pace_ns)) {
            uint64_t now_ns = vg_clock_monotonic_ns(ingest->options.clock);
            pace_ns = vg_commit_pace_wait_ns(&ingest->pace, now_ns);
            if (pace_ns == 0) {
                return;
            }
        }
    }
}

/* One round; false when drained. */
static bool write_round(struct vg_ingest *ingest)
{
    (void)pthread_mutex_lock(&ingest->lock);
    wait_for_work(ingest);
    bool errands = ingest->has_errands;
    ingest->has_errands = false;
    bool failed = ingest->figures.failed;
    struct vg_ingest_place *taken = errands || failed ? NULL : take_group(ingest);
    bool drained = ingest->draining && ingest->first == NULL && taken == NULL && !errands;
    (void)pthread_mutex_unlock(&ingest->lock);
    (void)vg_mailbox_run(&ingest->errands);
    if (failed && !drained) {
        try_to_recover(ingest);
        return true;
    }
    if (taken != NULL && taken->is_write) {
        run_write(ingest, write_of(taken));
    } else if (taken != NULL) {
        run_submissions(ingest, taken);
    }
    if (!drained && !ingest->figures.failed) { /* only this thread sets it */
        ingest->options.table->maintain(ingest->options.table);
        if (ingest->options.between != NULL) {
            ingest->options.between(ingest->options.owner);
        }
    }
    return !drained;
}

static void *run_writer(void *owner)
{
    while (write_round(owner)) {
    }
    return NULL;
}

/* ---- life */

struct vg_ingest_settings vg_ingest_settings_default(void)
{
    return (struct vg_ingest_settings){
        .queue_items_max = 20000,
        .queue_bytes_max = 128u * 1024 * 1024,
        .group_items_max = 1000,
        .group_bytes_max = 1024 * 1024,
        .recover_wait_ms = 100,
        .pace = {
            .files_first = 4,
            .files_last = 11,
            .bytes_first = 64u * 1024 * 1024,
            .bytes_last = 4u * 1024 * 1024,
        },
    };
}

static void free_ingest(struct vg_ingest *ingest)
{
    vg_commit_group_dispose(&ingest->group);
    vg_mailbox_dispose(&ingest->errands);
    (void)pthread_cond_destroy(&ingest->wake);
    (void)pthread_mutex_destroy(&ingest->lock);
    free(ingest);
}

enum vg_reason vg_ingest_create(
    const struct vg_ingest_options *options,
    struct vg_ingest **out_ingest,
    struct vg_error *error)
{
    struct vg_shard_state state = { .sequence = 0 };
    bool exists = false;
    enum vg_reason reason = read_state(options, &state, &exists, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_ingest *ingest = calloc(1, sizeof(*ingest));
    if (ingest == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a writer");
    }
    ingest->options = *options;
    pthread_condattr_t attributes;
    VG_ASSERT(pthread_condattr_init(&attributes) == 0);
    VG_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    VG_ASSERT(pthread_cond_init(&ingest->wake, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    VG_ASSERT(pthread_mutex_init(&ingest->lock, NULL) == 0);
    vg_mailbox_init(&ingest->errands, wake_for_errand);
    vg_commit_pace_init(&ingest->pace, &options->settings.pace);
    vg_commit_group_init(&ingest->group, options, exists ? &state : NULL);
    ingest->figures.sequence = state.sequence;
    ingest->figures.last_updated = state.last_updated;
    if (pthread_create(&ingest->thread, NULL, run_writer, ingest) != 0) {
        free_ingest(ingest);
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no thread for a writer");
    }
    ingest->thread_runs = true;
    (void)pthread_setname_np(ingest->thread, "vigil-writer");
    *out_ingest = ingest;
    return VG_OK;
}

void vg_ingest_drain(struct vg_ingest *ingest)
{
    if (!ingest->thread_runs) {
        return;
    }
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->draining = true;
    (void)pthread_cond_signal(&ingest->wake);
    (void)pthread_mutex_unlock(&ingest->lock);
    (void)pthread_join(ingest->thread, NULL);
    ingest->thread_runs = false;
}

void vg_ingest_destroy(struct vg_ingest *ingest)
{
    if (ingest == NULL) {
        return;
    }
    vg_ingest_drain(ingest);
    free_ingest(ingest);
}
