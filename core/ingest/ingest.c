/*
 * The writer thread. What waits and when to go on is ingest_queue's business, what a batch consists
 * of commit_group's, how fast batches follow one another commit_pace's.
 */
#include "core/ingest/ingest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/ingest/commit_group.h"
#include "core/ingest/ingest_queue.h"
#include "core/keyspace/keyspace.h"

#define LEVEL0_FRESH_NS UINT64_C(50000000) /* how old the count of level-0 files may be */

struct vg_ingest {
    struct vg_ingest_options options;
    struct vg_ingest_queue queue;
    struct vg_mailbox errands;
    pthread_t thread;
    bool thread_runs; /* the owner's: created and not yet joined */
    _Atomic uint64_t sequence;
    _Atomic vg_time last_updated;

    /* The writer's own. */
    struct vg_commit_group group;
    struct vg_commit_pace pace;
    unsigned level0_files;
    uint64_t level0_read_ns;
    bool failed;
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

/* ---- any thread */

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
    submission->refused = 0;
    submission->sequence = 0;
    return vg_ingest_queue_push(&ingest->queue, &submission->place, error);
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
    return vg_ingest_queue_push(&ingest->queue, &write->place, error);
}

static void wake_for_errand(struct vg_mailbox *mailbox)
{
    vg_ingest_queue_errand(&VG_CONTAINER_OF(mailbox, struct vg_ingest, errands)->queue);
}

void vg_ingest_errand(struct vg_ingest *ingest, struct vg_task *task)
{
    vg_mailbox_post(&ingest->errands, task);
}

void vg_ingest_read_figures(struct vg_ingest *ingest, struct vg_ingest_figures *out_figures)
{
    *out_figures = (struct vg_ingest_figures){
        .sequence = atomic_load(&ingest->sequence),
        .last_updated = atomic_load(&ingest->last_updated),
    };
    vg_ingest_queue_read_figures(&ingest->queue, out_figures);
}

/* ---- the writer */

static void note_group(struct vg_ingest *ingest)
{
    atomic_store(&ingest->sequence, ingest->group.state.sequence);
    atomic_store(&ingest->last_updated, ingest->group.state.last_updated);
    if (ingest->options.published != NULL) {
        ingest->options.published(
            ingest->options.owner,
            ingest->group.state.sequence,
            ingest->group.state.last_updated);
    }
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
static void fail(struct vg_ingest *ingest, enum vg_reason reason, const struct vg_error *error)
{
    ingest->failed = true;
    answer_all(vg_ingest_queue_refuse(&ingest->queue), VG_STORE_UNAVAILABLE, "");
    if (ingest->options.failed != NULL) {
        ingest->options.failed(
            ingest->options.owner,
            reason,
            error->detail[0] != '\0' ? error->detail : error->message);
    }
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
        fail(ingest, reason, &error);
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
        fail(ingest, reason, &error);
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

/* A commit has failed: ask the owner to bring store and table back, and go on from `state`. */
static void try_to_recover(struct vg_ingest *ingest)
{
    const struct vg_ingest_options *options = &ingest->options;
    struct vg_shard_state state = { .sequence = 0 };
    bool exists = false;
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (options->recover == NULL || options->recover(options->owner, &error) != VG_OK) {
        return;
    }
    if (read_state(options, &state, &exists, &error) != VG_OK) {
        options->table->stop(options->table); /* all of it is tried again */
        return;
    }
    vg_commit_group_set_state(&ingest->group, exists ? &state : NULL);
    note_group(ingest);
    ingest->failed = false;
    vg_ingest_queue_accept(&ingest->queue);
}

/* How long errands are waited for while full chunks pile up, before looking again. */
#define VG_INGEST_BEHIND_WAIT_NS UINT64_C(20000000)

/* While full chunks wait for their files nothing is taken from the queue; errands, which bring the
 * files, are run. The queue may fill up meanwhile, and says so to callers. */
static bool holds_for_table(struct vg_ingest *ingest)
{
    bool holds = !ingest->failed && ingest->options.table->is_behind(ingest->options.table);
    if (holds) {
        uint64_t now_ns = vg_clock_monotonic_ns(ingest->options.clock);
        vg_commit_pace_hold(&ingest->pace, now_ns + VG_INGEST_BEHIND_WAIT_NS);
    }
    return holds;
}

/* One turn; false when drained. */
static bool write_turn(struct vg_ingest *ingest)
{
    bool holds = holds_for_table(ingest);
    struct vg_ingest_turn turn =
        vg_ingest_queue_wait(&ingest->queue, &ingest->pace, ingest->options.clock, holds);
    (void)vg_mailbox_run(&ingest->errands);
    if (turn.drained) {
        return false;
    }
    if (turn.refuses) {
        VG_ASSERT(turn.group == NULL);
        try_to_recover(ingest);
        return true;
    }
    if (turn.group != NULL && turn.group->is_write) {
        run_write(ingest, write_of(turn.group));
    } else if (turn.group != NULL) {
        run_submissions(ingest, turn.group);
    }
    if (!ingest->failed) {
        ingest->options.table->maintain(ingest->options.table);
        if (ingest->options.between != NULL) {
            ingest->options.between(ingest->options.owner);
        }
    }
    return true;
}

static void *run_writer(void *owner)
{
    while (write_turn(owner)) {
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
            /* LevelDB compacts from 4 files on and stops at 12. Bursts must get through. */
            .files_first = 6,
            .files_last = 11,
            .bytes_first = 128u * 1024 * 1024,
            .bytes_last = 4u * 1024 * 1024,
        },
    };
}

static void free_ingest(struct vg_ingest *ingest)
{
    vg_commit_group_dispose(&ingest->group);
    vg_mailbox_dispose(&ingest->errands);
    vg_ingest_queue_dispose(&ingest->queue);
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
    vg_ingest_queue_init(&ingest->queue, &ingest->options.settings);
    vg_mailbox_init(&ingest->errands, wake_for_errand);
    vg_commit_pace_init(&ingest->pace, &options->settings.pace);
    vg_commit_group_init(&ingest->group, options, exists ? &state : NULL);
    note_group(ingest);
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
    vg_ingest_queue_drain(&ingest->queue);
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
