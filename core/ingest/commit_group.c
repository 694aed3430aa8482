#include "core/ingest/commit_group.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/base/metrics.h"
#include "core/base/random.h"
#include "core/base/trace_point.h"
#include "core/keyspace/keyspace.h"

/* Memory of one batch: what merges make lives here. */
#define GROUP_ARENA_BYTES_MAX (512u * 1024 * 1024)
#define LOG_ENTRY_BYTES_MAX   VG_STORE_VALUE_BYTES_MAX

/* What the batch knows of one key: a record, or an idempotency key. */
struct vg_touched {
    struct vg_touched *older; /* touched before */
    uint64_t hash;
    struct vg_bytes key; /* the item's */
    uint32_t kind;
    const struct vg_row *identity;
    uint64_t id_hash;             /* of the row; 0 = not known */
    bool had_no_row;              /* so says the table */
    struct vg_store_value stored; /* pinned until the batch is released */
    bool existed;                 /* before the batch */
    bool exists;                  /* now */
    bool changed;
    bool written; /* by an item, or beside one */
    bool beside;  /* merges asked for it, or made it: they will again soon */
    struct vg_bytes record;
    const struct vg_row *row;
    uint32_t number;
    vg_time last_updated;
};

/* A record before it was changed: to undo the merges of a submission that is refused as a whole,
 * and what a merge that failed had put beside its record. */
struct vg_undo {
    struct vg_undo *older;
    struct vg_touched *touched;
    struct vg_touched before;
};

struct savepoint {
    struct vg_batch_mark mark;
    struct vg_update_clock issuing;
    uint32_t changed_count;
    size_t record_bytes;
    struct vg_undo *undo;
};

/* What the store has is not known any more. */
static void forget_recent(struct vg_commit_group *group)
{
    if (group->recent != NULL) {
        vg_recent_records_clear(group->recent);
    }
}

void vg_commit_group_init(
    struct vg_commit_group *group,
    const struct vg_ingest_options *options,
    const struct vg_shard_state *state)
{
    *group = (struct vg_commit_group){
        .store = options->store,
        .table = options->table,
        .clock = options->clock,
        .shard = options->shard,
    };
    group->recent = calloc(1, sizeof(*group->recent));
    vg_batch_init(&group->batch, VG_STORE_BATCH_BYTES_MAX);
    vg_buffer_init(&group->log_entry, LOG_ENTRY_BYTES_MAX);
    vg_arena_init(&group->arena, GROUP_ARENA_BYTES_MAX);
    vg_random_bytes(vg_random_real(), group->hash_key, sizeof(group->hash_key));
    vg_commit_group_set_state(group, state);
}

void vg_commit_group_dispose(struct vg_commit_group *group)
{
    vg_commit_group_release(group);
    forget_recent(group);
    free(group->recent);
    vg_arena_dispose(&group->arena);
    vg_buffer_dispose(&group->log_entry);
    vg_batch_dispose(&group->batch);
}

void vg_commit_group_set_state(struct vg_commit_group *group, const struct vg_shard_state *state)
{
    VG_ASSERT(group->touched == NULL);
    forget_recent(group);
    group->state_exists = state != NULL;
    group->state = state != NULL ? *state : (struct vg_shard_state){ .sequence = 0 };
    /* Never back, whatever the store has. */
    vg_time last = group->issued.last > group->state.last_updated ? group->issued.last
                                                                  : group->state.last_updated;
    vg_update_clock_init(&group->issued, last);
}

enum vg_reason vg_commit_group_begin(
    struct vg_commit_group *group,
    uint32_t item_count,
    struct vg_error *error)
{
    VG_ASSERT(group->touched == NULL && group->changed_count == 0);
    group->slot_count = 16;
    while (group->slot_count < 2 * (size_t)item_count) {
        group->slot_count *= 2;
    }
    group->slots = vg_arena_calloc(&group->arena, group->slot_count, sizeof(*group->slots));
    group->changed = vg_arena_calloc(&group->arena, item_count + 1u, sizeof(*group->changed));
    if (group->slots == NULL || group->changed == NULL) {
        vg_commit_group_release(group);
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a batch");
    }
    group->changed_max = item_count;
    group->issuing = group->issued;
    group->now = vg_clock_now(group->clock);
    return VG_OK;
}

void vg_commit_group_release(struct vg_commit_group *group)
{
    for (struct vg_touched *touched = group->touched; touched != NULL; touched = touched->older) {
        vg_store_value_release(&touched->stored);
    }
    group->touched = NULL;
    group->slots = NULL;
    group->changed = NULL;
    group->changed_count = 0;
    group->changed_max = 0;
    group->slots_used = 0;
    group->record_bytes = 0;
    group->undo = NULL;
    vg_batch_clear(&group->batch);
    vg_buffer_clear(&group->log_entry);
    vg_arena_reset(&group->arena);
}

/* ---- what the batch knows of a key */

static struct vg_touched **find_slot(
    const struct vg_commit_group *group,
    struct vg_bytes key,
    uint64_t hash)
{
    size_t mask = group->slot_count - 1;
    size_t index = (size_t)hash & mask;
    while (group->slots[index] != NULL &&
           (group->slots[index]->hash != hash || !vg_bytes_equal(group->slots[index]->key, key))) {
        index = (index + 1) & mask;
    }
    return &group->slots[index];
}

/* Keep half of the slots free: merges may read any number of keys. */
static enum vg_reason grow_slots(struct vg_commit_group *group)
{
    if (group->slots_used < group->slot_count / 2) {
        return VG_OK;
    }
    struct vg_touched **slots =
        vg_arena_calloc(&group->arena, 2 * group->slot_count, sizeof(struct vg_touched *));
    if (slots == NULL) {
        return VG_REQUEST_MEMORY;
    }
    group->slots = slots;
    group->slot_count *= 2;
    for (struct vg_touched *touched = group->touched; touched != NULL; touched = touched->older) {
        *find_slot(group, touched->key, touched->hash) = touched;
    }
    return VG_OK;
}

/* A copy in the batch's memory; data NULL when that is full. */
static struct vg_bytes keep_bytes(struct vg_commit_group *group, struct vg_bytes bytes)
{
    uint8_t *kept = vg_arena_alloc(&group->arena, bytes.size + 1);
    if (kept != NULL && bytes.size != 0) {
        memcpy(kept, bytes.data, bytes.size);
    }
    return vg_bytes(kept, kept == NULL ? 0 : bytes.size);
}

static const struct vg_recent_record *find_recent(
    const struct vg_commit_group *group,
    uint64_t hash,
    struct vg_bytes key)
{
    return group->recent == NULL ? NULL : vg_recent_records_find(group->recent, hash, key);
}

/* What the store has under the key, as the writer knows it or from there. */
static enum vg_reason read_record(struct vg_commit_group *group, struct vg_touched *touched)
{
    const struct vg_recent_record *known = find_recent(group, touched->hash, touched->key);
    if (known != NULL) {
        touched->existed = known->exists;
        touched->record = keep_bytes(group, vg_recent_record_bytes(known));
        return touched->record.data == NULL ? VG_REQUEST_MEMORY : VG_OK;
    }
    enum vg_reason reason =
        vg_store_get_one(group->store, NULL, group->shard, touched->key, &touched->stored, NULL);
    if (reason == VG_OK) {
        touched->existed = touched->stored.found;
        touched->record = touched->stored.bytes;
    }
    return reason;
}

/* Note `key`, of which the batch knows nothing yet, in `slot`, which is its place: read from the
 * store only if `stored` says that it may be there. */
static enum vg_reason touch_new(
    struct vg_commit_group *group,
    struct vg_bytes key,
    uint64_t hash,
    bool stored,
    struct vg_touched **out_touched)
{
    enum vg_reason reason = grow_slots(group);
    struct vg_touched *touched =
        reason != VG_OK ? NULL : vg_arena_calloc(&group->arena, 1, sizeof(*touched));
    if (touched == NULL) {
        return VG_REQUEST_MEMORY;
    }
    touched->hash = hash;
    touched->key = key;
    reason = stored ? read_record(group, touched) : VG_OK;
    if (reason != VG_OK) {
        return reason;
    }
    touched->exists = touched->existed;
    touched->kind = VG_INGEST_KIND_ROWLESS;
    touched->older = group->touched;
    group->touched = touched;
    group->slots_used++;
    group->record_bytes += touched->record.size;
    *find_slot(group, key, hash) = touched;
    *out_touched = touched;
    return VG_OK;
}

/* Find `key`, or read it: from the store only if `stored` says that it may be there. */
static enum vg_reason touch(
    struct vg_commit_group *group,
    struct vg_bytes key,
    bool stored,
    struct vg_touched **out_touched)
{
    uint64_t hash = vg_siphash_short(group->hash_key, key);
    struct vg_touched *known = *find_slot(group, key, hash);
    if (known == NULL) {
        return touch_new(group, key, hash, stored, out_touched);
    }
    *out_touched = known;
    return VG_OK;
}

/* Items come from other threads and so out of other caches: what the next two point at is asked for
 * while the one at hand is worked on. */
static void fetch_ahead(const struct vg_ingest_item *item)
{
    const struct vg_ingest_item *next = item->next;
    const struct vg_ingest_item *after = next == NULL ? NULL : next->next;
    if (next != NULL && next->identity != NULL) {
        __builtin_prefetch(next->identity->values);
        __builtin_prefetch(next->identity->values + 2);
    }
    if (after != NULL) {
        __builtin_prefetch(after->identity);
        __builtin_prefetch(after->next);
    }
}

/* The table is asked about all items of a submission: let it fetch what it will look at. */
static void foresee(const struct vg_commit_group *group, struct vg_ingest_item *first)
{
    for (struct vg_ingest_item *item = first; item != NULL; item = item->next) {
        fetch_ahead(item);
        item->id_hash = 0;
        if (item->domain->kind != VG_INGEST_KIND_ROWLESS) {
            item->id_hash = group->table->foresee(group->table, item->domain->kind, item->identity);
        }
    }
}

static enum vg_reason touch_record(
    struct vg_commit_group *group,
    const struct vg_ingest_item *item,
    struct vg_touched **out_touched)
{
    uint32_t kind = item->domain->kind;
    uint64_t hash = vg_siphash_short(group->hash_key, item->key);
    struct vg_touched *known = *find_slot(group, item->key, hash);
    if (known != NULL) {
        known->kind = kind; /* a merge may have read it before */
        known->identity = known->identity != NULL ? known->identity : item->identity;
        known->id_hash = item->id_hash;
        *out_touched = known;
        return VG_OK;
    }
    bool rowless = kind == VG_INGEST_KIND_ROWLESS;
    bool has = rowless || group->table->has(group->table, kind, item->identity, item->id_hash);
    enum vg_reason reason = touch_new(group, item->key, hash, has, out_touched);
    if (reason == VG_OK) {
        (*out_touched)->kind = kind;
        (*out_touched)->identity = item->identity;
        (*out_touched)->id_hash = item->id_hash;
        (*out_touched)->had_no_row = !has;
        if (has && !rowless && !(*out_touched)->existed) {
            return VG_STORE_CORRUPT; /* a live row without its record */
        }
    }
    return reason;
}

/* ---- merging */

static struct vg_commit_group *group_of(struct vg_ingest_change *change)
{
    struct vg_commit_group *group = change->writer;
    VG_ASSERT(group->merging == change);
    return group;
}

/* `touched` is about to change; false without memory to take it back. */
static bool note_undo(struct vg_commit_group *group, struct vg_touched *touched)
{
    struct vg_undo *step = vg_arena_alloc(&group->arena, sizeof(*step));
    if (step == NULL) {
        return false;
    }
    *step = (struct vg_undo){ .older = group->undo, .touched = touched, .before = *touched };
    group->undo = step;
    return true;
}

/* Take back all changes since the step `until` was the newest. */
static void undo_to(struct vg_commit_group *group, const struct vg_undo *until)
{
    for (; group->undo != until; group->undo = group->undo->older) {
        struct vg_touched *touched = group->undo->touched;
        struct vg_touched *older = touched->older;
        *touched = group->undo->before;
        touched->older = older;
    }
}

enum vg_reason vg_ingest_read(
    struct vg_ingest_change *change,
    struct vg_bytes key,
    struct vg_bytes *out_record,
    bool *out_exists)
{
    struct vg_commit_group *group = group_of(change);
    struct vg_touched *touched = *find_slot(group, key, vg_siphash_short(group->hash_key, key));
    if (touched == NULL) {
        struct vg_bytes kept = keep_bytes(group, key);
        enum vg_reason reason =
            kept.data == NULL ? VG_REQUEST_MEMORY : touch(group, kept, true, &touched);
        if (reason != VG_OK) {
            return reason;
        }
    }
    touched->beside = true;
    *out_record = touched->record;
    *out_exists = touched->exists;
    return VG_OK;
}

/* `key` is about to be changed beside a record: later merges that read it see that. False without
 * memory to take it back. */
static bool note_beside(
    struct vg_commit_group *group,
    struct vg_bytes key,
    bool exists,
    struct vg_bytes value)
{
    uint64_t hash = vg_siphash_short(group->hash_key, key);
    struct vg_touched *touched = *find_slot(group, key, hash);
    if (touched == NULL) {
        VG_ASSERT(find_recent(group, hash, key) == NULL); /* of a family that is read */
        return true;
    }
    VG_ASSERT(touched->kind == VG_INGEST_KIND_ROWLESS); /* rows are changed by items only */
    struct vg_bytes kept = exists ? keep_bytes(group, value) : vg_bytes(NULL, 0);
    if ((exists && kept.data == NULL) || !note_undo(group, touched)) {
        return false;
    }
    touched->written = true;
    touched->exists = exists;
    touched->record = kept;
    return true;
}

void vg_ingest_put(struct vg_ingest_change *change, struct vg_bytes key, struct vg_bytes value)
{
    struct vg_commit_group *group = group_of(change);
    group->beside_failed = group->beside_failed || !note_beside(group, key, true, value);
    vg_batch_set(&group->batch, key, value);
}

void vg_ingest_put_new(struct vg_ingest_change *change, struct vg_bytes key, struct vg_bytes value)
{
    struct vg_commit_group *group = group_of(change);
    struct vg_touched *touched;
    struct vg_bytes kept = keep_bytes(group, key);
    bool known = kept.data != NULL && touch(group, kept, false, &touched) == VG_OK;
    group->beside_failed = group->beside_failed || !known;
    vg_ingest_put(change, key, value);
    if (known) {
        touched->beside = true;
    }
}

void vg_ingest_delete(struct vg_ingest_change *change, struct vg_bytes key)
{
    struct vg_commit_group *group = group_of(change);
    group->beside_failed =
        group->beside_failed || !note_beside(group, key, false, vg_bytes(NULL, 0));
    vg_batch_delete(&group->batch, key);
}

static void take_result(
    struct vg_commit_group *group,
    struct vg_touched *touched,
    const struct vg_ingest_change *change)
{
    bool deletes = change->verdict == VG_INGEST_DELETE;
    bool rowless = touched->kind == VG_INGEST_KIND_ROWLESS;
    VG_ASSERT(deletes || rowless == (change->new_row == NULL));
    if (!touched->changed) {
        touched->changed = true;
        if (!rowless) {
            touched->last_updated =
                vg_update_clock_issue(&group->issuing, touched->kind, group->now);
        }
        VG_ASSERT(touched->last_updated == change->last_updated);
        VG_ASSERT(group->changed_count < group->changed_max);
        group->changed[group->changed_count++] = touched;
    }
    touched->written = true;
    touched->exists = !deletes;
    touched->record = deletes ? vg_bytes(NULL, 0) : change->new_record;
    touched->row = deletes ? NULL : change->new_row;
    touched->number++;
    group->record_bytes += touched->record.size;
}

/* What the next change of `touched` will be stamped with: a record keeps its stamp within a batch.
 */
static vg_time next_stamp(const struct vg_commit_group *group, const struct vg_touched *touched)
{
    if (touched->changed || touched->kind == VG_INGEST_KIND_ROWLESS) {
        return touched->last_updated;
    }
    struct vg_update_clock peek = group->issuing;
    return vg_update_clock_issue(&peek, touched->kind, group->now);
}

static enum vg_reason merge_touched(
    struct vg_commit_group *group,
    struct vg_ingest_item *item,
    struct vg_touched *touched)
{
    struct vg_ingest_change change = {
        .key = item->key,
        .exists = touched->exists,
        .record = touched->record,
        .row = touched->row,
        .revision = group->state.sequence + 1,
        .last_updated = next_stamp(group, touched),
        .now = group->now,
        .number = touched->number,
        .arena = &group->arena,
        .writer = group,
    };
    struct vg_batch_mark mark = vg_batch_mark(&group->batch);
    const struct vg_undo *before = group->undo;
    group->beside_failed = false;
    group->merging = &change;
    enum vg_reason reason = item->domain->merge(item->domain, item, &change);
    group->merging = NULL;
    if (reason == VG_OK && group->beside_failed) {
        reason = VG_REQUEST_MEMORY;
    }
    if (reason == VG_OK &&
        (vg_batch_failed(&group->batch) || change.new_record.size > VG_STORE_VALUE_BYTES_MAX)) {
        reason = VG_RESOURCE_LIMIT;
    }
    /* Deleting what is not there is nothing to do. */
    bool changes =
        change.verdict == VG_INGEST_PUT || (change.verdict == VG_INGEST_DELETE && touched->exists);
    if (reason == VG_OK && change.verdict == VG_INGEST_BESIDE) {
        item->verdict = VG_INGEST_BESIDE;
        return VG_OK;
    }
    if (reason != VG_OK || !changes) {
        vg_batch_cut(&group->batch, mark);
        undo_to(group, before);
        return reason;
    }
    item->created = !touched->exists;
    item->verdict = change.verdict;
    item->last_updated = change.last_updated;
    take_result(group, touched, &change);
    return VG_OK;
}

/* `revocable`: it may have to be taken back. */
static void merge_item(struct vg_commit_group *group, struct vg_ingest_item *item, bool revocable)
{
    item->verdict = VG_INGEST_UNCHANGED;
    item->created = false;
    item->last_updated = 0;
    VG_ASSERT(item->domain != NULL && item->key.size > 0);
    VG_ASSERT((item->identity == NULL) == (item->domain->kind == VG_INGEST_KIND_ROWLESS));
    struct vg_touched *touched = NULL;
    item->reason = touch_record(group, item, &touched);
    if (item->reason == VG_OK && revocable && !note_undo(group, touched)) {
        item->reason = VG_REQUEST_MEMORY;
    }
    if (item->reason == VG_OK) {
        item->reason = merge_touched(group, item, touched);
    }
}

/* ---- submissions */

static void refuse(struct vg_ingest_submission *submission, enum vg_reason reason)
{
    submission->reason = reason;
    for (struct vg_ingest_item *item = submission->first; item != NULL; item = item->next) {
        item->verdict = VG_INGEST_UNCHANGED;
        item->created = false;
        item->last_updated = 0;
    }
}

static void roll_back(struct vg_commit_group *group, const struct savepoint *savepoint)
{
    vg_batch_cut(&group->batch, savepoint->mark);
    undo_to(group, savepoint->undo);
    group->issuing = savepoint->issuing;
    group->changed_count = savepoint->changed_count;
    group->record_bytes = savepoint->record_bytes;
}

static enum vg_reason remember(
    struct vg_commit_group *group,
    struct vg_ingest_submission *submission,
    struct vg_touched *answered)
{
    struct vg_bytes value = submission->remember(submission, &group->arena);
    if (value.data == NULL) {
        return VG_REQUEST_MEMORY;
    }
    vg_batch_set(&group->batch, submission->idempotency_key, value);
    if (vg_batch_failed(&group->batch)) {
        return VG_RESOURCE_LIMIT;
    }
    answered->exists = true;
    answered->record = value;
    return VG_OK;
}

static enum vg_reason merge_whole(
    struct vg_commit_group *group,
    struct vg_ingest_submission *submission,
    struct vg_touched *answered)
{
    struct savepoint savepoint = {
        .mark = vg_batch_mark(&group->batch),
        .issuing = group->issuing,
        .changed_count = group->changed_count,
        .record_bytes = group->record_bytes,
        .undo = group->undo,
    };
    enum vg_reason reason = VG_OK;
    struct vg_ingest_item *item = submission->first;
    for (; item != NULL && reason == VG_OK; item = item->next) {
        merge_item(group, item, true);
        submission->refused += item->reason != VG_OK;
        if (submission->all_or_nothing || item->reason == VG_REQUEST_MEMORY) {
            reason = item->reason;
        }
        if (group->record_bytes + vg_batch_size(&group->batch) > VG_COMMIT_GROUP_BYTES_MAX) {
            reason = VG_RESOURCE_LIMIT;
        }
    }
    if (reason == VG_OK && answered != NULL) {
        reason = remember(group, submission, answered);
    }
    if (reason != VG_OK) {
        roll_back(group, &savepoint);
    }
    return reason;
}

static bool is_outdated(
    const struct vg_ingest_submission *submission,
    const struct vg_touched *answered)
{
    return submission->outdated != NULL && submission->outdated(submission, answered->record);
}

/* A submission that is divided nowhere: all or nothing, or with an answer to be remembered. */
static void add_whole(struct vg_commit_group *group, struct vg_ingest_submission *submission)
{
    struct vg_touched *answered = NULL;
    enum vg_reason reason = VG_OK;
    if (submission->idempotency_key.size > 0) {
        reason = touch(group, submission->idempotency_key, true, &answered);
    }
    if (reason == VG_OK && answered != NULL && answered->exists &&
        !is_outdated(submission, answered)) {
        submission->recalled = !submission->continues;
        reason = submission->recall(submission, answered->record);
    }
    if (reason == VG_OK && !submission->recalled) {
        reason = merge_whole(group, submission, answered);
    }
    if (reason != VG_OK) {
        refuse(submission, reason);
    }
}

static bool is_full(const struct vg_commit_group *group)
{
    return group->changed_count >= VG_COMMIT_GROUP_RECORDS_FULL ||
           group->record_bytes + vg_batch_size(&group->batch) >= VG_COMMIT_GROUP_BYTES_FULL;
}

bool vg_commit_group_add(
    struct vg_commit_group *group,
    struct vg_ingest_submission *submission,
    struct vg_ingest_item **position)
{
    bool whole = submission->all_or_nothing || submission->idempotency_key.size > 0;
    if (*position == submission->first) {
        foresee(group, submission->first);
    }
    if (whole) {
        if (is_full(group)) {
            return false;
        }
        add_whole(group, submission);
        *position = NULL;
        return true;
    }
    while (*position != NULL) {
        if (is_full(group)) {
            return false;
        }
        merge_item(group, *position, false);
        submission->refused += (*position)->reason != VG_OK;
        *position = (*position)->next;
    }
    return true;
}

/* ---- commit */

/* The table's view of what has changed, in the order of rows. */
static struct vg_table_change *table_changes(struct vg_commit_group *group, uint32_t *out_count)
{
    struct vg_table_change *changes =
        vg_arena_calloc(&group->arena, group->changed_count + 1u, sizeof(*changes));
    *out_count = 0;
    for (uint32_t index = 0; changes != NULL && index < group->changed_count; index++) {
        const struct vg_touched *touched = group->changed[index];
        if (touched->kind == VG_INGEST_KIND_ROWLESS) {
            continue;
        }
        if (touched->exists || touched->existed) { /* else made and deleted in this batch */
            changes[(*out_count)++] = (struct vg_table_change){
                .kind = touched->kind,
                .removes = !touched->exists,
                .is_new = touched->had_no_row,
                .id_hash = touched->id_hash,
                .row = touched->exists ? touched->row : touched->identity,
            };
        }
    }
    return changes;
}

/* Guard and move on `state`, and append the change log's entry. */
static void add_state(
    struct vg_commit_group *group,
    struct vg_batch *batch,
    const struct vg_shard_state *next)
{
    struct vg_key key;
    uint8_t bytes[VG_SHARD_STATE_SIZE];
    vg_key_state(&key);
    if (group->state_exists) {
        vg_shard_state_encode(&group->state, bytes);
        vg_batch_guard_value(batch, vg_key_bytes(&key), vg_bytes(bytes, sizeof(bytes)));
    } else {
        vg_batch_guard_absent(batch, vg_key_bytes(&key));
    }
    vg_shard_state_encode(next, bytes);
    vg_batch_set(batch, vg_key_bytes(&key), vg_bytes(bytes, sizeof(bytes)));
    vg_key_change_log(&key, next->sequence);
    vg_batch_set(batch, vg_key_bytes(&key), vg_buffer_bytes(&group->log_entry));
}

/* Whether `state` is still what this writer wrote last: nobody else writes the shard. */
static bool owns_state(struct vg_commit_group *group)
{
    struct vg_key key;
    struct vg_store_value value;
    vg_key_state(&key);
    if (vg_store_get_one(group->store, NULL, group->shard, vg_key_bytes(&key), &value, NULL) !=
        VG_OK) {
        return false;
    }
    uint8_t bytes[VG_SHARD_STATE_SIZE];
    vg_shard_state_encode(&group->state, bytes);
    bool owns = group->state_exists
                    ? value.found && vg_bytes_equal(value.bytes, vg_bytes(bytes, sizeof(bytes)))
                    : !value.found;
    vg_store_value_release(&value);
    return owns;
}

/* The table has prepared: write, take the view, publish. */
static enum vg_commit_outcome write_prepared(
    struct vg_commit_group *group,
    struct vg_batch *batch,
    enum vg_reason *out_reason,
    struct vg_error *error)
{
    struct vg_shard_state next = {
        .sequence = group->state.sequence + 1,
        .last_updated = group->issuing.last,
    };
    add_state(group, batch, &next);
    uint64_t begun_ns = vg_clock_monotonic_ns(group->clock);
    *out_reason = vg_store_apply(group->store, group->shard, batch, error);
    bool own_conflict = *out_reason == VG_STORE_CONFLICT && owns_state(group);
    if (*out_reason == VG_RESOURCE_LIMIT || own_conflict) {
        group->table->cancel(group->table);
        return VG_COMMIT_REFUSED;
    }
    struct vg_store_view *view = NULL;
    bool committed = *out_reason == VG_OK;
    if (committed) {
        *out_reason = vg_store_view_take(group->store, group->shard, &view, error);
    }
    if (*out_reason != VG_OK) {
        vg_metrics_add(VG_METRIC_ingest_failures_total, 1);
        group->table->stop(group->table);
        /* Durable, but not to be seen until the table has started again. */
        if (committed) {
            *out_reason = vg_error_set(error, VG_STORE_UNKNOWN, NULL);
        }
        return VG_COMMIT_FAILED;
    }
    const uint64_t spent_ns = vg_clock_monotonic_ns(group->clock) - begun_ns;
    vg_metrics_observe(VG_METRIC_ingest_commit_seconds, spent_ns);
    vg_trace_point_commit(next.sequence, spent_ns);
    vg_metrics_add(VG_METRIC_ingest_commits_total, 1);
    group->table->publish(group->table, next.sequence, view);
    group->state = next;
    group->state_exists = true;
    group->issued = group->issuing;
    return VG_COMMIT_DONE;
}

/* The batch is what the store has now: keep what is asked for again soon. */
static void note_recent(struct vg_commit_group *group)
{
    const struct vg_touched *touched = group->recent == NULL ? NULL : group->touched;
    for (; touched != NULL; touched = touched->older) {
        bool known = find_recent(group, touched->hash, touched->key) != NULL;
        if (touched->written ? known || touched->beside : touched->beside && !known) {
            vg_recent_records_put(
                group->recent,
                touched->hash,
                touched->key,
                touched->exists,
                touched->record);
        }
    }
}

enum vg_commit_outcome vg_commit_group_commit(
    struct vg_commit_group *group,
    enum vg_reason *out_reason,
    struct vg_error *error)
{
    *out_reason = VG_OK;
    if (group->changed_count == 0 && group->batch.change_count == 0) {
        return VG_COMMIT_NOTHING;
    }
    for (uint32_t index = 0; index < group->changed_count; index++) {
        const struct vg_touched *touched = group->changed[index];
        if (touched->kind != VG_INGEST_KIND_ROWLESS) {
            vg_change_log_append(&group->log_entry, touched->kind, touched->key);
        }
        if (touched->exists) {
            vg_batch_set_kept(&group->batch, touched->key, touched->record);
        } else if (touched->existed || touched->kind == VG_INGEST_KIND_ROWLESS) {
            vg_batch_delete(&group->batch, touched->key);
        }
    }
    uint32_t count = 0;
    struct vg_table_change *changes = table_changes(group, &count);
    if (changes == NULL || group->log_entry.failed || vg_batch_failed(&group->batch)) {
        *out_reason = vg_error_set(error, VG_RESOURCE_LIMIT, "a batch is too large");
        return VG_COMMIT_REFUSED;
    }
    *out_reason = group->table->prepare(group->table, changes, count, error);
    if (*out_reason != VG_OK) {
        return VG_COMMIT_REFUSED;
    }
    enum vg_commit_outcome outcome = write_prepared(group, &group->batch, out_reason, error);
    if (outcome == VG_COMMIT_DONE) {
        note_recent(group);
        vg_metrics_add(VG_METRIC_ingest_events_total, group->changed_count);
    }
    return outcome;
}

enum vg_commit_outcome vg_commit_group_write(
    struct vg_commit_group *group,
    struct vg_batch *batch,
    enum vg_reason *out_reason,
    struct vg_error *error)
{
    VG_ASSERT(group->touched == NULL && group->changed_count == 0);
    forget_recent(group); /* the batch may hold any key */
    group->issuing = group->issued;
    *out_reason = group->table->prepare(group->table, NULL, 0, error);
    if (*out_reason != VG_OK) {
        return VG_COMMIT_REFUSED;
    }
    return write_prepared(group, batch, out_reason, error);
}
