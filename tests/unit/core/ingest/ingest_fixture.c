#include "tests/unit/core/ingest/ingest_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/keyspace/change_log.h"
#include "core/store/store_memory.h"
#include "core/table/update_clock.h"

#define DEADLINE_SECONDS 30
#define START_TIME       INT64_C(1755000000000)

/* ---- the domain */

static void put_lineage(struct vg_ingest_change *change, uint32_t id)
{
    struct vg_event_identity event = { .timestamp = id, .customer = 1, .type = 1 };
    struct vg_key key;
    vg_key_lineage(&key, &event, change->revision, change->number);
    vg_ingest_put(change, vg_key_bytes(&key), vg_bytes_text("who"));
}

static enum vg_reason merge(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    struct counter_item *counter = VG_CONTAINER_OF(item, struct counter_item, item);
    struct counter_record record = { .id = counter->id };
    if (change->exists) {
        VG_ASSERT(change->record.size >= sizeof(record));
        memcpy(&record, change->record.data, sizeof(record));
        VG_ASSERT(record.id == counter->id);
    }
    counter->seen_exists = change->exists;
    counter->seen_sum = record.sum;
    if (counter->operation == COUNTER_NOTHING) {
        change->verdict = VG_INGEST_UNCHANGED;
        return VG_OK;
    }
    put_lineage(change, counter->id);
    if (counter->operation == COUNTER_REFUSE) {
        return VG_EVENT_TOO_LARGE;
    }
    if (counter->operation == COUNTER_DELETE) {
        change->verdict = VG_INGEST_DELETE;
        return VG_OK;
    }
    bool grows = counter->operation == COUNTER_GROW;
    size_t size = sizeof(record) + (grows ? (size_t)counter->amount : 0);
    uint8_t *bytes = vg_arena_calloc(change->arena, 1, size);
    struct vg_row *row = vg_arena_alloc(change->arena, sizeof(*row));
    struct vg_value *values = vg_arena_calloc(change->arena, 3, sizeof(*values));
    if (bytes == NULL || row == NULL || values == NULL) {
        return VG_REQUEST_MEMORY;
    }
    record.sum += grows ? 0 : counter->amount;
    record.last_updated = change->last_updated;
    record.revision = change->revision;
    record.changes++;
    memcpy(bytes, &record, sizeof(record));
    values[0].number = counter->id;
    values[1].number = record.last_updated;
    values[2].number = record.sum;
    row->values = values;
    change->verdict = VG_INGEST_PUT;
    change->new_record = vg_bytes(bytes, size);
    change->new_row = row;
    return VG_OK;
}

static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_EVENT, .merge = merge };

static void key_of(struct vg_key *key, uint32_t id)
{
    struct vg_event_identity event = { .timestamp = id, .customer = 1, .type = 1 };
    vg_key_event(key, &event);
}

void counter_item_init(
    struct counter_item *item,
    enum counter_operation operation,
    uint32_t id,
    int64_t amount)
{
    VG_ASSERT(id < COUNTER_IDS_MAX);
    *item = (struct counter_item){ .operation = operation, .id = id, .amount = amount };
    key_of(&item->key, id);
    item->value.number = id;
    item->identity.values = &item->value;
    item->item.domain = &domain;
    item->item.key = vg_key_bytes(&item->key);
    item->item.identity = &item->identity;
    item->item.bytes = 100;
}

/* ---- the table */

static struct counter_table *table_of(struct vg_ingest_table *self)
{
    return VG_CONTAINER_OF(self, struct counter_table, table);
}

static uint64_t table_foresee(
    struct vg_ingest_table *self,
    uint32_t kind,
    const struct vg_row *identity)
{
    VG_ASSERT(kind == VG_INGEST_KIND_EVENT && !table_of(self)->prepared);
    return (uint64_t)identity->values[0].number + 1;
}

static bool table_has(
    struct vg_ingest_table *self,
    uint32_t kind,
    const struct vg_row *identity,
    uint64_t id_hash)
{
    struct counter_table *table = table_of(self);
    VG_ASSERT(id_hash == table_foresee(self, kind, identity));
    VG_ASSERT(kind == VG_INGEST_KIND_EVENT && table->running && !table->prepared);
    return table->live[identity->values[0].number];
}

static void append_row(struct counter_table *table, const struct counter_row *row)
{
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity == 0 ? 1024 : table->row_capacity * 2;
        table->rows = realloc(table->rows, table->row_capacity * sizeof(*table->rows));
        VG_ASSERT(table->rows != NULL);
    }
    table->rows[table->row_count++] = *row;
    table->id_end = row->id >= table->id_end ? row->id + 1 : table->id_end;
}

static enum vg_reason table_prepare(
    struct vg_ingest_table *self,
    const struct vg_table_change *changes,
    uint32_t count,
    struct vg_error *error)
{
    struct counter_table *table = table_of(self);
    VG_ASSERT(table->running && !table->prepared);
    if (table->refuse_prepare != VG_OK) {
        return vg_error_set(error, table->refuse_prepare, NULL);
    }
    table->prepared = true;
    table->prepared_from = table->row_count;
    for (uint32_t index = 0; index < count; index++) {
        const struct vg_value *values = changes[index].row->values;
        struct counter_row row = {
            .sequence = table->sequence + 1,
            .id = (uint32_t)values[0].number,
            .removed = changes[index].removes,
        };
        VG_ASSERT(!row.removed || table->live[row.id]);
        VG_ASSERT(changes[index].is_new == !table->live[row.id]);
        VG_ASSERT(changes[index].id_hash == (uint64_t)values[0].number + 1);
        if (!row.removed) {
            row.last_updated = values[1].number;
            row.sum = values[2].number;
        }
        append_row(table, &row);
    }
    return VG_OK;
}

static void table_cancel(struct vg_ingest_table *self)
{
    struct counter_table *table = table_of(self);
    VG_ASSERT(table->prepared);
    table->prepared = false;
    table->row_count = table->prepared_from;
}

/* Rows become visible in the order of lastUpdated, at most 200 with the same value. */
static void check_order(const struct counter_table *table)
{
    unsigned alike = 0;
    int64_t last = 0;
    size_t begin = table->row_count > 3000 ? table->row_count - 3000 : 0;
    for (size_t index = begin; index < table->row_count; index++) {
        if (table->rows[index].removed) {
            continue;
        }
        VG_ASSERT(table->rows[index].last_updated >= last);
        alike = table->rows[index].last_updated == last ? alike + 1 : 1;
        VG_ASSERT(alike <= VG_LIMIT_CHANGES_PER_TIME);
        last = table->rows[index].last_updated;
    }
}

static void table_publish(
    struct vg_ingest_table *self,
    uint64_t sequence,
    struct vg_store_view *taken_view)
{
    struct counter_table *table = table_of(self);
    VG_ASSERT(table->prepared && sequence == table->sequence + 1 && taken_view != NULL);
    for (size_t index = table->prepared_from; index < table->row_count; index++) {
        table->live[table->rows[index].id] = !table->rows[index].removed;
    }
    check_order(table);
    table->prepared = false;
    table->sequence = sequence;
    table->publications++;
    vg_store_view_release(table->view);
    table->view = taken_view;
}

static void table_stop(struct vg_ingest_table *self)
{
    struct counter_table *table = table_of(self);
    VG_ASSERT(table->running);
    if (table->prepared) {
        table_cancel(self);
    }
    table->running = false;
}

static void table_maintain(struct vg_ingest_table *self)
{
    VG_ASSERT(table_of(self)->running);
}

static bool table_is_behind(struct vg_ingest_table *self)
{
    return atomic_load(&table_of(self)->behind);
}

static bool load_record(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct counter_table *table = owner;
    struct counter_record record;
    (void)key;
    VG_ASSERT(value.size >= sizeof(record));
    memcpy(&record, value.data, sizeof(record));
    struct counter_row row = {
        .sequence = record.revision,
        .id = record.id,
        .last_updated = record.last_updated,
        .sum = record.sum,
    };
    table->live[row.id] = true;
    append_row(table, &row);
    return true;
}

static int by_last_updated(const void *left, const void *right)
{
    const struct counter_row *a = left;
    const struct counter_row *b = right;
    return (a->last_updated > b->last_updated) - (a->last_updated < b->last_updated);
}

static enum vg_reason read_state(struct ingest_fixture *fixture, struct vg_shard_state *out_state)
{
    struct vg_key key;
    struct vg_store_value value;
    vg_key_state(&key);
    enum vg_reason reason =
        vg_store_get_one(fixture->store, NULL, 0, vg_key_bytes(&key), &value, NULL);
    if (reason == VG_OK) {
        *out_state = (struct vg_shard_state){ .sequence = 0 };
        VG_ASSERT(!value.found || vg_shard_state_decode(value.bytes, out_state));
        vg_store_value_release(&value);
    }
    return reason;
}

/* As a start does: rebuild from the records, at `state`'s sequence. */
static enum vg_reason table_start(struct ingest_fixture *fixture)
{
    struct counter_table *table = &fixture->table;
    vg_store_view_release(table->view);
    table->view = NULL;
    memset(table->live, 0, sizeof(table->live));
    table->row_count = 0;
    struct vg_store_range range = { .prefix = vg_key_family_prefix(VG_KEY_FAMILY_EVENT) };
    enum vg_reason reason = vg_store_scan(fixture->store, &range, load_record, table, NULL, NULL);
    if (table->row_count > 0) {
        qsort(table->rows, table->row_count, sizeof(*table->rows), by_last_updated);
    }
    struct vg_shard_state state = { .sequence = 0 };
    reason = reason == VG_OK ? read_state(fixture, &state) : reason;
    if (reason == VG_OK) {
        reason = vg_store_view_take(fixture->store, 0, &table->view, NULL);
    }
    table->sequence = state.sequence;
    table->running = reason == VG_OK;
    return reason;
}

/* ---- waiting */

void ingest_fixture_wait_changed(struct ingest_fixture *fixture)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_SECONDS;
    if (pthread_cond_timedwait(&fixture->changed, &fixture->lock, &until) == ETIMEDOUT) {
        (void)pthread_mutex_unlock(&fixture->lock);
        fail_msg("nothing happened for %d seconds", DEADLINE_SECONDS);
    }
}

static void submission_done(struct vg_task *task)
{
    struct vg_ingest_submission *raw = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct counter_submission *submission =
        VG_CONTAINER_OF(raw, struct counter_submission, submission);
    struct ingest_fixture *fixture = submission->fixture;
    (void)pthread_mutex_lock(&fixture->lock);
    VG_ASSERT(!submission->answered);
    submission->answered = true;
    fixture->answered++;
    (void)pthread_cond_broadcast(&fixture->changed);
    (void)pthread_mutex_unlock(&fixture->lock);
}

void counter_submission_init(struct counter_submission *submission, struct ingest_fixture *fixture)
{
    memset(submission, 0, sizeof(*submission));
    vg_ingest_submission_init(&submission->submission);
    submission->submission.done.run = submission_done;
    submission->fixture = fixture;
}

void ingest_fixture_submit(struct ingest_fixture *fixture, struct counter_submission *submission)
{
    assert_int_equal(vg_ingest_submit(fixture->ingest, &submission->submission, NULL), VG_OK);
}

void ingest_fixture_wait(struct ingest_fixture *fixture, struct counter_submission *submission)
{
    (void)pthread_mutex_lock(&fixture->lock);
    while (!submission->answered) {
        ingest_fixture_wait_changed(fixture);
    }
    (void)pthread_mutex_unlock(&fixture->lock);
}

enum vg_reason ingest_fixture_change(
    struct ingest_fixture *fixture,
    enum counter_operation operation,
    uint32_t id,
    int64_t amount)
{
    struct counter_item item;
    struct counter_submission submission;
    counter_item_init(&item, operation, id, amount);
    counter_submission_init(&submission, fixture);
    vg_ingest_submission_add(&submission.submission, &item.item);
    enum vg_reason reason = vg_ingest_submit(fixture->ingest, &submission.submission, NULL);
    if (reason != VG_OK) {
        return reason;
    }
    ingest_fixture_wait(fixture, &submission);
    reason = submission.submission.reason;
    return reason != VG_OK ? reason : item.item.reason;
}

static void before_apply(void *owner)
{
    struct ingest_fixture *fixture = owner;
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->held++;
    (void)pthread_cond_broadcast(&fixture->changed);
    while (fixture->hold) {
        (void)pthread_cond_wait(&fixture->changed, &fixture->lock);
    }
    (void)pthread_mutex_unlock(&fixture->lock);
}

void ingest_fixture_hold(struct ingest_fixture *fixture)
{
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->hold = true;
    fixture->held = 0;
    (void)pthread_mutex_unlock(&fixture->lock);
}

void ingest_fixture_wait_held(struct ingest_fixture *fixture)
{
    (void)pthread_mutex_lock(&fixture->lock);
    while (fixture->held == 0) {
        ingest_fixture_wait_changed(fixture);
    }
    (void)pthread_mutex_unlock(&fixture->lock);
}

void ingest_fixture_release(struct ingest_fixture *fixture)
{
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->hold = false;
    (void)pthread_cond_broadcast(&fixture->changed);
    (void)pthread_mutex_unlock(&fixture->lock);
}

static void note_failure(void *owner, enum vg_reason reason, const char *message)
{
    struct ingest_fixture *fixture = owner;
    VG_ASSERT(reason != VG_OK && message[0] != '\0');
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->failures++;
    (void)pthread_cond_broadcast(&fixture->changed);
    (void)pthread_mutex_unlock(&fixture->lock);
}

static enum vg_reason recover(void *owner, struct vg_error *error)
{
    struct ingest_fixture *fixture = owner;
    (void)pthread_mutex_lock(&fixture->lock);
    bool refuses = fixture->recover_refusals > 0;
    fixture->recover_refusals -= refuses;
    (void)pthread_cond_broadcast(&fixture->changed);
    (void)pthread_mutex_unlock(&fixture->lock);
    if (refuses) {
        return vg_error_set(error, VG_STORE_UNAVAILABLE, NULL);
    }
    VG_ASSERT(!fixture->table.running);
    vg_store_view_release(fixture->table.view);
    fixture->table.view = NULL;
    enum vg_reason reason = vg_store_reopen(fixture->store, error);
    if (reason == VG_OK) {
        reason = table_start(fixture);
    }
    if (reason != VG_OK) {
        return reason;
    }
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->recoveries++;
    (void)pthread_cond_broadcast(&fixture->changed);
    (void)pthread_mutex_unlock(&fixture->lock);
    return VG_OK;
}

void ingest_fixture_wait_recovered(struct ingest_fixture *fixture, unsigned count)
{
    (void)pthread_mutex_lock(&fixture->lock);
    while (fixture->recoveries < count) {
        ingest_fixture_wait_changed(fixture);
    }
    (void)pthread_mutex_unlock(&fixture->lock);
    struct vg_ingest_figures figures;
    struct timespec begun;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        vg_ingest_read_figures(fixture->ingest, &figures);
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while (figures.failed && now.tv_sec - begun.tv_sec < DEADLINE_SECONDS);
    assert_false(figures.failed);
}

/* ---- life */

void ingest_fixture_init(struct ingest_fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->store = vg_store_fault_open(vg_store_memory_open(1));
    vg_store_fault_hook(fixture->store, before_apply, fixture);
    vg_clock_manual_init(&fixture->clock, START_TIME);
    (void)pthread_mutex_init(&fixture->lock, NULL);
    (void)pthread_cond_init(&fixture->changed, NULL);
    fixture->table.table = (struct vg_ingest_table){
        .foresee = table_foresee,
        .has = table_has,
        .prepare = table_prepare,
        .cancel = table_cancel,
        .publish = table_publish,
        .stop = table_stop,
        .maintain = table_maintain,
        .is_behind = table_is_behind,
    };
    fixture->options = (struct vg_ingest_options){
        .store = fixture->store,
        .clock = &fixture->clock.clock,
        .table = &fixture->table.table,
        .settings = vg_ingest_settings_default(),
        .owner = fixture,
        .failed = note_failure,
        .recover = recover,
    };
    fixture->options.settings.recover_wait_ms = 1;
}

void ingest_fixture_start(struct ingest_fixture *fixture)
{
    assert_int_equal(table_start(fixture), VG_OK);
    assert_int_equal(vg_ingest_create(&fixture->options, &fixture->ingest, NULL), VG_OK);
}

void ingest_fixture_stop(struct ingest_fixture *fixture)
{
    vg_ingest_destroy(fixture->ingest);
    fixture->ingest = NULL;
    vg_store_view_release(fixture->table.view);
    fixture->table.view = NULL;
    fixture->table.running = false;
}

void ingest_fixture_dispose(struct ingest_fixture *fixture)
{
    ingest_fixture_stop(fixture);
    free(fixture->table.rows);
    vg_store_close(fixture->store);
    (void)pthread_cond_destroy(&fixture->changed);
    (void)pthread_mutex_destroy(&fixture->lock);
}

/* ---- looking */

bool ingest_fixture_read(
    struct ingest_fixture *fixture,
    uint32_t id,
    struct counter_record *out_record)
{
    struct vg_key key;
    struct vg_store_value value;
    key_of(&key, id);
    VG_ASSERT(vg_store_get_one(fixture->store, NULL, 0, vg_key_bytes(&key), &value, NULL) == VG_OK);
    bool found = value.found;
    if (found) {
        memcpy(out_record, value.bytes.data, sizeof(*out_record));
    }
    vg_store_value_release(&value);
    return found;
}

static bool count_visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)owner;
    return true;
}

size_t ingest_fixture_count(struct ingest_fixture *fixture, enum vg_key_family family)
{
    size_t count = 0;
    struct vg_store_range range = { .prefix = vg_key_family_prefix(family) };
    VG_ASSERT(vg_store_scan(fixture->store, &range, count_visit, &count, NULL, NULL) == VG_OK);
    return count;
}

struct log_check {
    struct counter_table *table;
    uint64_t sequence;   /* of the last entry */
    uint64_t *logged_in; /* by id: the last sequence that names it */
};

static bool check_log_entry(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct log_check *check = owner;
    uint64_t sequence;
    VG_ASSERT(vg_key_parse_change_log(key, &sequence));
    VG_ASSERT(sequence == check->sequence + 1); /* no gap */
    check->sequence = sequence;
    size_t position = 0;
    uint32_t kind;
    struct vg_bytes record_key;
    enum vg_change_log_step step;
    while ((step = vg_change_log_next(value, &position, &kind, &record_key)) ==
           VG_CHANGE_LOG_RECORD) {
        struct vg_event_identity event;
        VG_ASSERT(kind == VG_INGEST_KIND_EVENT && vg_key_parse_event(record_key, &event));
        check->logged_in[event.timestamp] = sequence;
    }
    VG_ASSERT(step == VG_CHANGE_LOG_END);
    return true;
}

void ingest_fixture_check(struct ingest_fixture *fixture)
{
    struct counter_table *table = &fixture->table;
    struct vg_shard_state state;
    assert_int_equal(read_state(fixture, &state), VG_OK);
    assert_true(state.sequence == table->sequence);
    struct log_check check = { .table = table };
    check.logged_in = calloc(COUNTER_IDS_MAX, sizeof(*check.logged_in));
    assert_non_null(check.logged_in);
    struct vg_store_range range = { .prefix = vg_key_family_prefix(VG_KEY_FAMILY_CHANGE_LOG) };
    assert_int_equal(
        vg_store_scan(fixture->store, &range, check_log_entry, &check, NULL, NULL),
        VG_OK);
    assert_true(check.sequence == state.sequence);

    const struct counter_row **newest = calloc(COUNTER_IDS_MAX, sizeof(*newest));
    assert_non_null(newest);
    for (size_t index = 0; index < table->row_count; index++) {
        newest[table->rows[index].id] = &table->rows[index];
    }
    size_t live = 0;
    for (uint32_t id = 0; id < table->id_end; id++) {
        struct counter_record record;
        bool exists = ingest_fixture_read(fixture, id, &record);
        assert_int_equal(exists, table->live[id]);
        if (exists) {
            live++;
            assert_non_null(newest[id]);
            assert_true(newest[id]->sum == record.sum);
            assert_true(newest[id]->last_updated == record.last_updated);
            assert_true(newest[id]->sequence == record.revision);
            assert_true(check.logged_in[id] == record.revision);
            assert_true(record.last_updated <= state.last_updated);
        }
    }
    assert_int_equal(live, ingest_fixture_count(fixture, VG_KEY_FAMILY_EVENT));
    free(newest);
    free(check.logged_in);
}
