#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/ingest/ingest.h"
#include "tests/unit/core/ingest/ingest_fixture.h"

static int setup(void **state)
{
    struct ingest_fixture *fixture = malloc(sizeof(*fixture));
    assert_non_null(fixture);
    ingest_fixture_init(fixture);
    ingest_fixture_start(fixture);
    *state = fixture;
    return 0;
}

/* Without a writer: the test sets options and starts it. */
static int setup_stopped(void **state)
{
    struct ingest_fixture *fixture = malloc(sizeof(*fixture));
    assert_non_null(fixture);
    ingest_fixture_init(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    ingest_fixture_dispose(*state);
    free(*state);
    return 0;
}

/* A submission of `count` items that add 1 to ids from `first` on. */
struct bulk {
    struct counter_submission submission;
    struct counter_item *items;
};

static void bulk_init(
    struct bulk *bulk,
    struct ingest_fixture *fixture,
    uint32_t first,
    uint32_t count)
{
    counter_submission_init(&bulk->submission, fixture);
    bulk->items = calloc(count + 1u, sizeof(*bulk->items));
    assert_non_null(bulk->items);
    for (uint32_t index = 0; index < count; index++) {
        counter_item_init(&bulk->items[index], COUNTER_ADD, (first + index) % COUNTER_IDS_MAX, 1);
        vg_ingest_submission_add(&bulk->submission.submission, &bulk->items[index].item);
    }
}

static void bulk_run(struct bulk *bulk, struct ingest_fixture *fixture)
{
    ingest_fixture_submit(fixture, &bulk->submission);
    ingest_fixture_wait(fixture, &bulk->submission);
}

static uint64_t sequence_of(struct ingest_fixture *fixture)
{
    struct vg_ingest_figures figures;
    vg_ingest_read_figures(fixture->ingest, &figures);
    return figures.sequence;
}

static void test_ingest__what_is_answered_is_stored_and_visible(void **state)
{
    struct ingest_fixture *fixture = *state;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 7, 5), VG_OK);
    /* No waiting: the answer came after both. */
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 7, &record));
    assert_true(record.sum == 5 && record.revision == 1);
    assert_true(fixture->table.live[7]);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 7, 2), VG_OK);
    assert_true(ingest_fixture_read(fixture, 7, &record));
    assert_true(record.sum == 7 && record.revision == 2 && record.changes == 2);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_LINEAGE), 2);
    ingest_fixture_check(fixture);
}

static void test_ingest__what_waits_is_committed_together(void **state)
{
    struct ingest_fixture *fixture = *state;
    enum { WAITING = 20 };
    struct bulk first;
    struct bulk waiting[WAITING];
    bulk_init(&first, fixture, 0, 1);
    ingest_fixture_hold(fixture);
    ingest_fixture_submit(fixture, &first.submission);
    ingest_fixture_wait_held(fixture);
    for (uint32_t index = 0; index < WAITING; index++) {
        bulk_init(&waiting[index], fixture, index + 1, 3);
        ingest_fixture_submit(fixture, &waiting[index].submission);
    }
    ingest_fixture_release(fixture);
    for (uint32_t index = 0; index < WAITING; index++) {
        ingest_fixture_wait(fixture, &waiting[index].submission);
        assert_int_equal(waiting[index].submission.submission.sequence, 2);
        free(waiting[index].items);
    }
    free(first.items);
    assert_int_equal(fixture->table.publications, 2);
    ingest_fixture_check(fixture);
}

static void test_ingest__a_batch_keeps_its_limits(void **state)
{
    struct ingest_fixture *fixture = *state;
    static const struct {
        const char *name;
        size_t items_max;
        size_t bytes_max;
        size_t batches; /* for the six submissions of 10 items and 1,000 bytes that wait */
    } rows[] = {
        { "all fit", 60, 6000, 1 },
        { "one item too many", 59, 6000, 2 },
        { "one byte too many", 60, 5999, 2 },
        { "one each", 10, 6000, 6 },
        { "larger than the limit", 9, 6000, 6 },
    };
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        ingest_fixture_stop(fixture);
        fixture->options.settings.group_items_max = rows[index].items_max;
        fixture->options.settings.group_bytes_max = rows[index].bytes_max;
        ingest_fixture_start(fixture);
        struct bulk bulks[7];
        uint64_t before = sequence_of(fixture);
        ingest_fixture_hold(fixture);
        for (uint32_t number = 0; number < 7; number++) {
            bulk_init(&bulks[number], fixture, number * 10, 10);
            ingest_fixture_submit(fixture, &bulks[number].submission);
            if (number == 0) {
                ingest_fixture_wait_held(fixture);
            }
        }
        ingest_fixture_release(fixture);
        for (uint32_t number = 0; number < 7; number++) {
            ingest_fixture_wait(fixture, &bulks[number].submission);
            free(bulks[number].items);
        }
        if (sequence_of(fixture) - before != 1 + rows[index].batches) {
            fail_msg("%s: %zu batches", rows[index].name, sequence_of(fixture) - before - 1);
        }
    }
    ingest_fixture_check(fixture);
}

static void test_ingest__changes_of_one_record_in_a_batch_are_one_put_and_one_row(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct counter_item items[4];
    struct counter_submission submission;
    counter_submission_init(&submission, fixture);
    static const int64_t amounts[] = { 1, 10, 100, 1000 };
    for (uint32_t index = 0; index < 4; index++) {
        /* Ids 5, 6, 5, 5. */
        counter_item_init(&items[index], COUNTER_ADD, index == 1 ? 6 : 5, amounts[index]);
        vg_ingest_submission_add(&submission.submission, &items[index].item);
    }
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    assert_true(items[0].item.created && items[1].item.created);
    assert_false(items[2].item.created || items[3].item.created);
    assert_true(items[2].seen_exists && items[2].seen_sum == 1);
    assert_true(items[3].seen_exists && items[3].seen_sum == 101);
    assert_true(items[0].item.last_updated == items[3].item.last_updated);
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 5, &record));
    assert_true(record.sum == 1101 && record.changes == 3 && record.revision == 1);
    assert_int_equal(fixture->table.row_count, 2);
    /* Each stored change has its own lineage. */
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_LINEAGE), 4);
    ingest_fixture_check(fixture);
}

static void test_ingest__at_most_200_changes_share_a_time(void **state)
{
    struct ingest_fixture *fixture = *state;
    vg_time now = vg_clock_now(&fixture->clock.clock);
    struct bulk bulk;
    bulk_init(&bulk, fixture, 0, 450);
    bulk_run(&bulk, fixture);
    for (uint32_t index = 0; index < 450; index++) {
        assert_true(bulk.items[index].item.last_updated == now + index / 200);
    }
    free(bulk.items);
    /* The next batch goes on where this one stopped: 150 places are left at now + 2. */
    bulk_init(&bulk, fixture, 1000, 151);
    bulk_run(&bulk, fixture);
    assert_true(bulk.items[149].item.last_updated == now + 2);
    assert_true(bulk.items[150].item.last_updated == now + 3);
    free(bulk.items);
    ingest_fixture_check(fixture);
}

static void test_ingest__time_never_goes_back(void **state)
{
    struct ingest_fixture *fixture = *state;
    vg_time now = vg_clock_now(&fixture->clock.clock);
    struct counter_record record;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    vg_clock_manual_set(&fixture->clock, now - 100000);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OK);
    assert_true(ingest_fixture_read(fixture, 2, &record));
    assert_true(record.last_updated == now);
    vg_clock_manual_set(&fixture->clock, now + 50);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 3, 1), VG_OK);
    assert_true(ingest_fixture_read(fixture, 3, &record));
    assert_true(record.last_updated == now + 50);
    /* After a start nobody knows how many changes share the last value: it is not used again. */
    ingest_fixture_stop(fixture);
    vg_clock_manual_set(&fixture->clock, now);
    ingest_fixture_start(fixture);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 4, 1), VG_OK);
    assert_true(ingest_fixture_read(fixture, 4, &record));
    assert_true(record.last_updated == now + 51 && record.revision == 4);
    ingest_fixture_check(fixture);
}

static void test_ingest__what_changes_nothing_commits_nothing(void **state)
{
    struct ingest_fixture *fixture = *state;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_NOTHING, 1, 0), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_NOTHING, 2, 0), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_DELETE, 3, 0), VG_OK);
    assert_int_equal(sequence_of(fixture), 1);
    assert_int_equal(fixture->table.publications, 1);
    struct counter_submission empty;
    counter_submission_init(&empty, fixture);
    ingest_fixture_submit(fixture, &empty);
    ingest_fixture_wait(fixture, &empty);
    assert_int_equal(empty.submission.reason, VG_OK);
    ingest_fixture_check(fixture);
}

static void test_ingest__a_refused_item_leaves_nothing_and_others_stay(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct counter_item items[3];
    struct counter_submission submission;
    counter_submission_init(&submission, fixture);
    counter_item_init(&items[0], COUNTER_ADD, 1, 1);
    counter_item_init(&items[1], COUNTER_REFUSE, 2, 1);
    counter_item_init(&items[2], COUNTER_ADD, 3, 1);
    for (int index = 0; index < 3; index++) {
        vg_ingest_submission_add(&submission.submission, &items[index].item);
    }
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    assert_int_equal(submission.submission.reason, VG_OK);
    assert_int_equal(items[0].item.reason, VG_OK);
    assert_int_equal(items[1].item.reason, VG_EVENT_TOO_LARGE);
    assert_int_equal(items[1].item.verdict, VG_INGEST_UNCHANGED);
    assert_int_equal(items[2].item.reason, VG_OK);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_LINEAGE), 2);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_EVENT), 2);
    ingest_fixture_check(fixture);
}

static void test_ingest__all_or_nothing_takes_everything_back(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct bulk before;
    struct bulk refused;
    struct bulk after;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 9, 5), VG_OK);
    ingest_fixture_hold(fixture);
    struct bulk holder;
    bulk_init(&holder, fixture, 100, 1);
    ingest_fixture_submit(fixture, &holder.submission);
    ingest_fixture_wait_held(fixture);

    /* All three end in one batch; the middle one changes what the others change too. */
    bulk_init(&before, fixture, 0, 3);
    bulk_init(&refused, fixture, 2, 10);
    counter_item_init(&refused.items[9], COUNTER_REFUSE, 11, 1);
    vg_ingest_submission_init(&refused.submission.submission);
    struct vg_task done = before.submission.submission.done;
    refused.submission.submission.done = done;
    for (int index = 0; index < 10; index++) {
        vg_ingest_submission_add(&refused.submission.submission, &refused.items[index].item);
    }
    refused.submission.submission.all_or_nothing = true;
    bulk_init(&after, fixture, 2, 1);
    ingest_fixture_submit(fixture, &before.submission);
    ingest_fixture_submit(fixture, &refused.submission);
    ingest_fixture_submit(fixture, &after.submission);
    ingest_fixture_release(fixture);
    ingest_fixture_wait(fixture, &after.submission);
    ingest_fixture_wait(fixture, &refused.submission);
    ingest_fixture_wait(fixture, &before.submission);

    assert_int_equal(refused.submission.submission.reason, VG_EVENT_TOO_LARGE);
    assert_int_equal(before.submission.submission.reason, VG_OK);
    assert_int_equal(after.submission.submission.reason, VG_OK);
    assert_int_equal(after.submission.submission.sequence, 3);
    assert_int_equal(before.submission.submission.sequence, 3);
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 2, &record));
    assert_true(record.sum == 2);
    assert_false(ingest_fixture_read(fixture, 3, &record));
    assert_true(ingest_fixture_read(fixture, 9, &record) && record.sum == 5);
    ingest_fixture_check(fixture);
    free(before.items);
    free(refused.items);
    free(after.items);
    free(holder.items);
}

static enum vg_reason recall(struct vg_ingest_submission *raw, struct vg_bytes value)
{
    struct counter_submission *submission =
        VG_CONTAINER_OF(raw, struct counter_submission, submission);
    VG_ASSERT(value.size == sizeof(submission->remembered));
    memcpy(&submission->remembered, value.data, value.size);
    return VG_OK;
}

static struct vg_bytes remember(struct vg_ingest_submission *raw, struct vg_arena *arena)
{
    int64_t *value = vg_arena_alloc(arena, sizeof(*value));
    *value = raw->first->last_updated;
    return vg_bytes(value, sizeof(*value));
}

static bool is_old(const struct vg_ingest_submission *raw, struct vg_bytes value)
{
    (void)raw;
    return value.size == sizeof(int64_t);
}

static void keyed_init(
    struct bulk *bulk,
    struct ingest_fixture *fixture,
    uint32_t id,
    const struct vg_key *key)
{
    bulk_init(bulk, fixture, id, 1);
    bulk->submission.submission.idempotency_key = vg_key_bytes(key);
    bulk->submission.submission.recall = recall;
    bulk->submission.submission.remember = remember;
}

static void test_ingest__a_repeated_idempotency_key_changes_nothing(void **state)
{
    struct ingest_fixture *fixture = *state;
    static const uint8_t hash[VG_KEY_HASH_SIZE] = { 1, 2, 3 };
    struct vg_key key;
    vg_key_idempotency(&key, hash);
    struct bulk first;
    keyed_init(&first, fixture, 1, &key);
    bulk_run(&first, fixture);
    assert_false(first.submission.submission.recalled);

    struct bulk again;
    keyed_init(&again, fixture, 1, &key);
    bulk_run(&again, fixture);
    assert_true(again.submission.submission.recalled);
    assert_true(again.submission.remembered == first.items[0].item.last_updated);
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 1, &record));
    assert_true(record.sum == 1);
    assert_int_equal(sequence_of(fixture), 1);

    /* What is remembered no longer is as if it had never been. */
    struct bulk later;
    keyed_init(&later, fixture, 1, &key);
    later.submission.submission.outdated = is_old;
    bulk_run(&later, fixture);
    assert_false(later.submission.submission.recalled);
    assert_true(ingest_fixture_read(fixture, 1, &record) && record.sum == 2);
    assert_int_equal(sequence_of(fixture), 2);
    free(later.items);

    /* Twice within one batch. */
    static const uint8_t other[VG_KEY_HASH_SIZE] = { 9 };
    vg_key_idempotency(&key, other);
    struct bulk holder;
    struct bulk twins[2];
    bulk_init(&holder, fixture, 50, 1);
    ingest_fixture_hold(fixture);
    ingest_fixture_submit(fixture, &holder.submission);
    ingest_fixture_wait_held(fixture);
    for (int index = 0; index < 2; index++) {
        keyed_init(&twins[index], fixture, 2, &key);
        ingest_fixture_submit(fixture, &twins[index].submission);
    }
    ingest_fixture_release(fixture);
    ingest_fixture_wait(fixture, &twins[1].submission);
    assert_false(twins[0].submission.submission.recalled);
    assert_true(twins[1].submission.submission.recalled);
    assert_true(twins[1].submission.remembered == twins[0].items[0].item.last_updated);
    assert_true(ingest_fixture_read(fixture, 2, &record));
    assert_true(record.sum == 1);
    ingest_fixture_check(fixture);
    free(first.items);
    free(again.items);
    free(holder.items);
    free(twins[0].items);
    free(twins[1].items);
}

static void test_ingest__a_record_deleted_is_gone_and_may_come_back(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct counter_record record;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 5), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_DELETE, 1, 0), VG_OK);
    assert_false(ingest_fixture_read(fixture, 1, &record));
    assert_false(fixture->table.live[1]);
    ingest_fixture_check(fixture);
    static const struct {
        uint32_t id;
        enum counter_operation operation;
    } steps[] = {
        /* Made and deleted in one batch; deleted and made again. */
        { 2, COUNTER_ADD },    { 2, COUNTER_DELETE }, { 1, COUNTER_ADD },
        { 1, COUNTER_DELETE }, { 1, COUNTER_ADD },    { 3, COUNTER_ADD },
    };
    struct counter_item items[VG_ARRAY_COUNT(steps)];
    struct counter_submission submission;
    counter_submission_init(&submission, fixture);
    for (size_t index = 0; index < VG_ARRAY_COUNT(steps); index++) {
        counter_item_init(&items[index], steps[index].operation, steps[index].id, 1);
        vg_ingest_submission_add(&submission.submission, &items[index].item);
    }
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    assert_false(ingest_fixture_read(fixture, 2, &record));
    assert_true(ingest_fixture_read(fixture, 1, &record));
    assert_true(record.sum == 1 && record.changes == 1);
    assert_true(items[4].item.created);
    ingest_fixture_check(fixture);
}

static void test_ingest__the_queue_has_limits(void **state)
{
    struct ingest_fixture *fixture = *state;
    static const struct {
        const char *name;
        size_t items_max;
        size_t bytes_max;
        unsigned taken; /* of submissions of 2 items and 200 bytes */
    } rows[] = {
        { "items at the limit", 6, 1000000, 3 }, { "items one below", 5, 1000000, 2 },
        { "bytes at the limit", 1000, 600, 3 },  { "bytes one below", 1000, 599, 2 },
        { "one fits always", 1, 1, 1 },
    };
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        ingest_fixture_stop(fixture);
        fixture->options.settings.queue_items_max = rows[index].items_max;
        fixture->options.settings.queue_bytes_max = rows[index].bytes_max;
        ingest_fixture_start(fixture);
        struct bulk holder;
        struct bulk bulks[4];
        bulk_init(&holder, fixture, 100, 1);
        ingest_fixture_hold(fixture);
        ingest_fixture_submit(fixture, &holder.submission);
        ingest_fixture_wait_held(fixture);
        int64_t refused = vg_metrics_value(VG_METRIC_ingest_refused_total);
        for (unsigned number = 0; number < 4; number++) {
            bulk_init(&bulks[number], fixture, number * 2, 2);
            enum vg_reason expected = number < rows[index].taken ? VG_OK : VG_OVERLOADED;
            if (vg_ingest_submit(fixture->ingest, &bulks[number].submission.submission, NULL) !=
                expected) {
                fail_msg("%s: submission %u", rows[index].name, number);
            }
        }
        assert_true(
            vg_metrics_value(VG_METRIC_ingest_refused_total) - refused ==
            2 * (4 - (int64_t)rows[index].taken));
        struct vg_ingest_figures figures;
        vg_ingest_read_figures(fixture->ingest, &figures);
        assert_int_equal(figures.waiting_items, 2 * rows[index].taken);
        assert_int_equal(figures.waiting_bytes, 200 * rows[index].taken);
        ingest_fixture_release(fixture);
        ingest_fixture_wait(fixture, &holder.submission);
        for (unsigned number = 0; number < 4; number++) {
            if (number < rows[index].taken) {
                ingest_fixture_wait(fixture, &bulks[number].submission);
            }
            free(bulks[number].items);
        }
        free(holder.items);
    }
    assert_int_equal(vg_metrics_value(VG_METRIC_ingest_queue_events), 0);
    assert_int_equal(vg_metrics_value(VG_METRIC_ingest_queue_bytes), 0);
    ingest_fixture_check(fixture);
}

static void test_ingest__a_submission_has_limits(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct bulk bulk;
    bulk_init(&bulk, fixture, 0, VG_INGEST_SUBMISSION_ITEMS_MAX);
    for (uint32_t index = 10; index < VG_INGEST_SUBMISSION_ITEMS_MAX; index++) {
        bulk.items[index].operation = COUNTER_NOTHING;
    }
    bulk_run(&bulk, fixture);
    assert_int_equal(bulk.submission.submission.reason, VG_OK);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_EVENT), 10);
    free(bulk.items);
    bulk_init(&bulk, fixture, 0, VG_INGEST_SUBMISSION_ITEMS_MAX + 1);
    assert_int_equal(
        vg_ingest_submit(fixture->ingest, &bulk.submission.submission, NULL),
        VG_RESOURCE_LIMIT);
    free(bulk.items);
    bulk_init(&bulk, fixture, 0, 0);
    struct counter_item item;
    counter_item_init(&item, COUNTER_ADD, 1, 1);
    item.item.bytes = VG_INGEST_SUBMISSION_BYTES_MAX + 1;
    vg_ingest_submission_add(&bulk.submission.submission, &item.item);
    assert_int_equal(
        vg_ingest_submit(fixture->ingest, &bulk.submission.submission, NULL),
        VG_RESOURCE_LIMIT);
    item.item.bytes = VG_INGEST_SUBMISSION_BYTES_MAX;
    bulk.submission.submission.place.bytes = VG_INGEST_SUBMISSION_BYTES_MAX;
    bulk_run(&bulk, fixture);
    assert_int_equal(bulk.submission.submission.reason, VG_OK);
    free(bulk.items);
}

static void test_ingest__large_records_are_committed_in_several_batches(void **state)
{
    struct ingest_fixture *fixture = *state;
    enum { COUNT = 12, BYTES = 4 * 1024 * 1024 };
    struct bulk bulk;
    bulk_init(&bulk, fixture, 0, COUNT);
    for (uint32_t index = 0; index < COUNT; index++) {
        bulk.items[index].operation = COUNTER_GROW;
        bulk.items[index].amount = BYTES;
    }
    bulk_run(&bulk, fixture);
    assert_int_equal(bulk.submission.submission.reason, VG_OK);
    for (uint32_t index = 0; index < COUNT; index++) {
        assert_int_equal(bulk.items[index].item.reason, VG_OK);
    }
    assert_int_equal(sequence_of(fixture), 3); /* 16 MiB each */
    assert_int_equal(bulk.submission.submission.sequence, 3);
    ingest_fixture_check(fixture);
    free(bulk.items);

    /* What must not be divided is refused when it is too much, and leaves nothing. */
    bulk_init(&bulk, fixture, 100, COUNT + 1);
    for (uint32_t index = 0; index <= COUNT; index++) {
        bulk.items[index].operation = COUNTER_GROW;
        bulk.items[index].amount = BYTES;
    }
    bulk.submission.submission.all_or_nothing = true;
    bulk_run(&bulk, fixture);
    assert_int_equal(bulk.submission.submission.reason, VG_RESOURCE_LIMIT);
    assert_int_equal(sequence_of(fixture), 3);
    ingest_fixture_check(fixture);
    free(bulk.items);
}

/* ---- writes */

struct test_write {
    struct vg_ingest_write write;
    struct ingest_fixture *fixture;
    struct vg_batch batch;
    bool answered; /* under the fixture's lock */
    unsigned committed;
    unsigned *order;
};

static void write_done(struct vg_task *task)
{
    struct vg_ingest_write *raw = VG_CONTAINER_OF(task, struct vg_ingest_write, done);
    struct test_write *write = VG_CONTAINER_OF(raw, struct test_write, write);
    (void)pthread_mutex_lock(&write->fixture->lock);
    write->answered = true;
    (void)pthread_cond_broadcast(&write->fixture->changed);
    (void)pthread_mutex_unlock(&write->fixture->lock);
}

static void write_committed(struct vg_ingest_write *raw)
{
    struct test_write *write = VG_CONTAINER_OF(raw, struct test_write, write);
    write->committed = ++*write->order;
}

static void write_init(
    struct test_write *write,
    struct ingest_fixture *fixture,
    unsigned *order,
    const char *name)
{
    memset(write, 0, sizeof(*write));
    vg_batch_init(&write->batch, 4096);
    vg_ingest_write_init(&write->write, &write->batch);
    write->fixture = fixture;
    write->order = order;
    write->write.done.run = write_done;
    write->write.committed = write_committed;
    struct vg_key key;
    vg_key_directory(&key, 1, 0, vg_bytes_text(name));
    vg_batch_guard_absent(&write->batch, vg_key_bytes(&key));
    vg_batch_set(&write->batch, vg_key_bytes(&key), vg_bytes_text("record"));
}

static void write_wait(struct test_write *write)
{
    (void)pthread_mutex_lock(&write->fixture->lock);
    while (!write->answered) {
        ingest_fixture_wait_changed(write->fixture);
    }
    (void)pthread_mutex_unlock(&write->fixture->lock);
    vg_batch_dispose(&write->batch);
}

static void test_ingest__writes_stand_in_line_and_have_their_own_guards(void **state)
{
    struct ingest_fixture *fixture = *state;
    unsigned order = 0;
    struct bulk holder;
    struct bulk between;
    struct test_write writes[3];
    bulk_init(&holder, fixture, 1, 1);
    bulk_init(&between, fixture, 2, 1);
    write_init(&writes[0], fixture, &order, "a");
    write_init(&writes[1], fixture, &order, "a"); /* the name is taken by then */
    write_init(&writes[2], fixture, &order, "b");
    ingest_fixture_hold(fixture);
    ingest_fixture_submit(fixture, &holder.submission);
    ingest_fixture_wait_held(fixture);
    assert_int_equal(vg_ingest_apply(fixture->ingest, &writes[0].write, NULL), VG_OK);
    assert_int_equal(vg_ingest_apply(fixture->ingest, &writes[1].write, NULL), VG_OK);
    ingest_fixture_submit(fixture, &between.submission);
    assert_int_equal(vg_ingest_apply(fixture->ingest, &writes[2].write, NULL), VG_OK);
    ingest_fixture_release(fixture);
    for (int index = 0; index < 3; index++) {
        write_wait(&writes[index]);
    }
    assert_int_equal(writes[0].write.reason, VG_OK);
    assert_int_equal(writes[1].write.reason, VG_STORE_CONFLICT);
    assert_int_equal(writes[2].write.reason, VG_OK);
    assert_int_equal(writes[0].committed, 1);
    assert_int_equal(writes[1].committed, 0);
    assert_int_equal(writes[2].committed, 2);
    assert_int_equal(writes[0].write.sequence, 2);
    assert_int_equal(between.submission.submission.sequence, 3);
    assert_int_equal(writes[2].write.sequence, 4);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_DIRECTORY), 2);
    ingest_fixture_check(fixture);
    free(holder.items);
    free(between.items);
}

static void test_ingest__a_write_too_large_is_refused(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct vg_batch batch;
    vg_batch_init(&batch, 64);
    static const uint8_t value[64];
    struct vg_ingest_write write;
    vg_ingest_write_init(&write, &batch);
    write.done.run = write_done;
    vg_batch_set(&batch, vg_bytes_text("d"), vg_bytes(value, sizeof(value)));
    assert_int_equal(vg_ingest_apply(fixture->ingest, &write, NULL), VG_RESOURCE_LIMIT);
    vg_batch_dispose(&batch);

    /* It fits, but not with what ingest adds to it. */
    unsigned order = 0;
    struct test_write tight;
    write_init(&tight, fixture, &order, "a");
    size_t size = vg_batch_size(&tight.batch);
    vg_batch_dispose(&tight.batch);
    vg_batch_init(&tight.batch, size);
    struct vg_key key;
    vg_key_directory(&key, 1, 0, vg_bytes_text("a"));
    vg_batch_guard_absent(&tight.batch, vg_key_bytes(&key));
    vg_batch_set(&tight.batch, vg_key_bytes(&key), vg_bytes_text("record"));
    assert_int_equal(vg_ingest_apply(fixture->ingest, &tight.write, NULL), VG_OK);
    write_wait(&tight);
    assert_int_equal(tight.write.reason, VG_RESOURCE_LIMIT);
    assert_int_equal(tight.committed, 0);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    ingest_fixture_check(fixture);
}

/* ---- the writer's thread */

struct errand {
    struct vg_task task;
    struct ingest_fixture *fixture;
    uint64_t sequence; /* of the table when it ran */
    bool ran;          /* under the fixture's lock */
};

static void run_errand(struct vg_task *task)
{
    struct errand *errand = VG_CONTAINER_OF(task, struct errand, task);
    (void)pthread_mutex_lock(&errand->fixture->lock);
    VG_ASSERT(!errand->fixture->table.prepared);
    errand->sequence = errand->fixture->table.sequence;
    errand->ran = true;
    (void)pthread_cond_broadcast(&errand->fixture->changed);
    (void)pthread_mutex_unlock(&errand->fixture->lock);
}

static void errand_wait(struct errand *errand)
{
    (void)pthread_mutex_lock(&errand->fixture->lock);
    while (!errand->ran) {
        ingest_fixture_wait_changed(errand->fixture);
    }
    (void)pthread_mutex_unlock(&errand->fixture->lock);
}

static void test_ingest__errands_run_between_batches(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct errand idle = { .task = { .run = run_errand }, .fixture = fixture };
    vg_ingest_errand(fixture->ingest, &idle.task);
    errand_wait(&idle);

    struct bulk first;
    struct bulk second;
    bulk_init(&first, fixture, 1, 1);
    bulk_init(&second, fixture, 2, 1);
    ingest_fixture_hold(fixture);
    ingest_fixture_submit(fixture, &first.submission);
    ingest_fixture_wait_held(fixture);
    ingest_fixture_submit(fixture, &second.submission);
    struct errand between = { .task = { .run = run_errand }, .fixture = fixture };
    vg_ingest_errand(fixture->ingest, &between.task);
    ingest_fixture_release(fixture);
    errand_wait(&between);
    ingest_fixture_wait(fixture, &second.submission);
    assert_int_equal(between.sequence, 1); /* before what waited */
    free(first.items);
    free(second.items);
}

/* An errand that makes the table catch up: what a checkpoint does. */
static void catch_up(struct vg_task *task)
{
    struct errand *errand = VG_CONTAINER_OF(task, struct errand, task);
    struct ingest_fixture *fixture = errand->fixture;
    assert_int_equal(
        fixture->table.sequence,
        errand->sequence); /* nothing was committed while behind */
    atomic_store(&fixture->table.behind, false);
}

static void test_ingest__nothing_is_committed_while_the_table_is_behind(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct bulk bulk;
    /* Before there is a writer, which may else have looked already. */
    atomic_store(&fixture->table.behind, true);
    ingest_fixture_start(fixture);
    bulk_init(&bulk, fixture, 0, 3);
    struct errand errand = { .fixture = fixture, .sequence = fixture->table.sequence };
    errand.task.run = catch_up;
    ingest_fixture_submit(fixture, &bulk.submission);
    vg_ingest_errand(fixture->ingest, &errand.task);
    ingest_fixture_wait(fixture, &bulk.submission);
    assert_int_equal(bulk.submission.submission.reason, VG_OK);
    assert_false(atomic_load(&fixture->table.behind));
    free(bulk.items);
    ingest_fixture_check(fixture);
}

static void test_ingest__draining_answers_what_waits_and_takes_no_more(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct bulk holder;
    struct bulk bulks[3];
    bulk_init(&holder, fixture, 100, 1);
    ingest_fixture_hold(fixture);
    ingest_fixture_submit(fixture, &holder.submission);
    ingest_fixture_wait_held(fixture);
    for (uint32_t index = 0; index < 3; index++) {
        bulk_init(&bulks[index], fixture, index, 1);
        ingest_fixture_submit(fixture, &bulks[index].submission);
    }
    struct errand errand = { .task = { .run = run_errand }, .fixture = fixture };
    vg_ingest_errand(fixture->ingest, &errand.task);
    ingest_fixture_release(fixture);
    vg_ingest_drain(fixture->ingest);
    assert_int_equal(fixture->answered, 4);
    assert_true(errand.ran);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 5, 1), VG_DRAINING);
    vg_ingest_drain(fixture->ingest); /* again is nothing */
    for (uint32_t index = 0; index < 3; index++) {
        assert_int_equal(bulks[index].submission.submission.reason, VG_OK);
        free(bulks[index].items);
    }
    free(holder.items);
    ingest_fixture_check(fixture);
}

static unsigned between_calls;

static void count_between(void *owner)
{
    (void)owner;
    between_calls++;
}

static void test_ingest__between_is_called_after_a_batch(void **state)
{
    struct ingest_fixture *fixture = *state;
    fixture->options.between = count_between;
    between_calls = 0;
    ingest_fixture_start(fixture);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OK);
    vg_ingest_drain(fixture->ingest);
    assert_true(between_calls >= 2);
}

static void test_ingest__answers_go_to_the_mailbox(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct vg_mailbox mailbox;
    vg_mailbox_init(&mailbox, NULL);
    struct bulk bulk;
    bulk_init(&bulk, fixture, 1, 1);
    bulk.submission.submission.mailbox = &mailbox;
    ingest_fixture_submit(fixture, &bulk.submission);
    vg_ingest_drain(fixture->ingest);
    assert_false(bulk.submission.answered);
    assert_int_equal(vg_mailbox_run(&mailbox), 1);
    assert_true(bulk.submission.answered);
    vg_mailbox_dispose(&mailbox);
    free(bulk.items);
}

static void test_ingest__commits_are_paced_by_level0_files(void **state)
{
    struct ingest_fixture *fixture = *state;
    fixture->options.clock = &vg_clock_real;
    fixture->options.settings.pace.bytes_first = 1000000;
    fixture->options.settings.pace.bytes_last = 10000; /* a batch of this test: some 20 ms */
    ingest_fixture_start(fixture);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OK);
    struct vg_ingest_figures figures;
    vg_ingest_read_figures(fixture->ingest, &figures);
    assert_true(figures.paced_ns == 0);
    ingest_fixture_stop(fixture);
    vg_store_fault_level0_files(fixture->store, 11);
    ingest_fixture_start(fixture);
    uint64_t begun_ns = vg_clock_monotonic_ns(&vg_clock_real);
    for (uint32_t id = 0; id < 4; id++) {
        assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, id, 1), VG_OK);
    }
    uint64_t taken_ns = vg_clock_monotonic_ns(&vg_clock_real) - begun_ns;
    vg_ingest_read_figures(fixture->ingest, &figures);
    assert_true(figures.paced_ns > 30000000);
    assert_true(taken_ns > figures.paced_ns / 2);
    ingest_fixture_check(fixture);
}

#define VG_TEST(name) cmocka_unit_test_setup_teardown(test_ingest__##name, setup, teardown)
#define VG_TEST_STOPPED(name)                                                                      \
    cmocka_unit_test_setup_teardown(test_ingest__##name, setup_stopped, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VG_TEST(what_is_answered_is_stored_and_visible),
        VG_TEST(what_waits_is_committed_together),
        VG_TEST(a_batch_keeps_its_limits),
        VG_TEST(changes_of_one_record_in_a_batch_are_one_put_and_one_row),
        VG_TEST(at_most_200_changes_share_a_time),
        VG_TEST(time_never_goes_back),
        VG_TEST(what_changes_nothing_commits_nothing),
        VG_TEST(a_refused_item_leaves_nothing_and_others_stay),
        VG_TEST(all_or_nothing_takes_everything_back),
        VG_TEST(a_repeated_idempotency_key_changes_nothing),
        VG_TEST(a_record_deleted_is_gone_and_may_come_back),
        VG_TEST(the_queue_has_limits),
        VG_TEST(a_submission_has_limits),
        VG_TEST(large_records_are_committed_in_several_batches),
        VG_TEST(writes_stand_in_line_and_have_their_own_guards),
        VG_TEST(a_write_too_large_is_refused),
        VG_TEST(errands_run_between_batches),
        VG_TEST_STOPPED(nothing_is_committed_while_the_table_is_behind),
        VG_TEST(draining_answers_what_waits_and_takes_no_more),
        VG_TEST_STOPPED(between_is_called_after_a_batch),
        VG_TEST(answers_go_to_the_mailbox),
        VG_TEST_STOPPED(commits_are_paced_by_level0_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
