/*
 * What happens when the store or the table does not do what it is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
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

static int teardown(void **state)
{
    ingest_fixture_dispose(*state);
    free(*state);
    return 0;
}

static void one_init(
    struct counter_submission *submission,
    struct counter_item *item,
    struct ingest_fixture *fixture,
    uint32_t id)
{
    counter_submission_init(submission, fixture);
    counter_item_init(item, COUNTER_ADD, id, 1);
    vg_ingest_submission_add(&submission->submission, &item->item);
}

static void test_ingest_failure__nothing_of_a_failed_commit_is_published(void **state)
{
    struct ingest_fixture *fixture = *state;
    static const struct {
        const char *name;
        enum vg_fault_point point;
        enum vg_reason reason;
        bool stored; /* found after reopening */
    } rows[] = {
        { "lost", VG_FAULT_APPLY_LOST, VG_STORE_UNKNOWN, false },
        { "done, and nobody knew", VG_FAULT_APPLY_DONE, VG_STORE_UNKNOWN, true },
        { "disk full", VG_FAULT_APPLY_FULL, VG_STORE_FULL, false },
        { "committed, but no view", VG_FAULT_VIEW, VG_STORE_UNKNOWN, true },
    };
    for (unsigned index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        uint32_t id = index * 10;
        assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, id, 1), VG_OK);
        unsigned publications = fixture->table.publications;

        /* One batch fails while others wait. The table must not come back too soon to be seen. */
        struct counter_submission failing;
        struct counter_submission waiting;
        struct counter_item items[2];
        one_init(&failing, &items[0], fixture, id + 1);
        one_init(&waiting, &items[1], fixture, id + 2);
        (void)pthread_mutex_lock(&fixture->lock);
        fixture->recover_refusals = UINT32_MAX;
        (void)pthread_mutex_unlock(&fixture->lock);
        vg_store_fault_set(fixture->store, rows[index].point, 0, 1);
        ingest_fixture_hold(fixture);
        ingest_fixture_submit(fixture, &failing);
        ingest_fixture_wait_held(fixture);
        ingest_fixture_submit(fixture, &waiting);
        ingest_fixture_release(fixture);
        ingest_fixture_wait(fixture, &failing);
        ingest_fixture_wait(fixture, &waiting);
        if (failing.submission.reason != rows[index].reason) {
            fail_msg("%s", rows[index].name);
        }
        assert_int_equal(waiting.submission.reason, VG_STORE_UNAVAILABLE);
        assert_int_equal(
            ingest_fixture_change(fixture, COUNTER_ADD, id + 3, 1),
            VG_STORE_UNAVAILABLE);
        assert_int_equal(fixture->failures, index + 1);
        assert_int_equal(fixture->table.publications, publications);
        assert_false(fixture->table.live[id + 1]);

        (void)pthread_mutex_lock(&fixture->lock);
        fixture->recover_refusals = 2;
        (void)pthread_mutex_unlock(&fixture->lock);
        ingest_fixture_wait_recovered(fixture, index + 1);
        struct counter_record record;
        assert_int_equal(ingest_fixture_read(fixture, id + 1, &record), rows[index].stored);
        assert_false(ingest_fixture_read(fixture, id + 2, &record));
        assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, id + 4, 1), VG_OK);
        ingest_fixture_check(fixture);
    }
}

static void test_ingest_failure__a_failed_write_is_answered_and_not_committed(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct vg_mailbox mailbox;
    vg_mailbox_init(&mailbox, NULL);
    struct vg_batch batch;
    vg_batch_init(&batch, 4096);
    struct vg_key key;
    vg_key_directory(&key, 1, 0, vg_bytes_text("a"));
    vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes_text("record"));
    struct vg_ingest_write write;
    vg_ingest_write_init(&write, &batch);
    write.mailbox = &mailbox;
    write.done.run = (void (*)(struct vg_task *))abort; /* looked at, never run */
    vg_store_fault_set(fixture->store, VG_FAULT_APPLY_LOST, 0, 1);
    assert_int_equal(vg_ingest_apply(fixture->ingest, &write, NULL), VG_OK);
    ingest_fixture_wait_recovered(fixture, 1);
    assert_int_equal(write.reason, VG_STORE_UNKNOWN);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_DIRECTORY), 0);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    ingest_fixture_check(fixture);
    mailbox.first = NULL;
    vg_mailbox_dispose(&mailbox);
    vg_batch_dispose(&batch);
}

static void test_ingest_failure__a_foreign_writer_is_noticed(void **state)
{
    struct ingest_fixture *fixture = *state;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    /* Somebody else moves `state` on: this writer must not commit over it. */
    struct vg_batch batch;
    vg_batch_init(&batch, 4096);
    struct vg_key key;
    static const uint8_t foreign[16] = { 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0x98, 0, 0, 0, 0 };
    vg_key_state(&key);
    vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes(foreign, sizeof(foreign)));
    vg_key_change_log(&key, 2);
    vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes(NULL, 0));
    assert_int_equal(vg_store_apply(fixture->store, 0, &batch, NULL), VG_OK);
    vg_batch_dispose(&batch);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_STORE_CONFLICT);
    ingest_fixture_wait_recovered(fixture, 1);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OK);
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 2, &record));
    assert_true(record.revision == 3);
    ingest_fixture_check(fixture);
}

static void test_ingest_failure__what_the_table_refuses_is_not_written(void **state)
{
    struct ingest_fixture *fixture = *state;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    fixture->table.refuse_prepare = VG_OVERLOADED;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OVERLOADED);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OVERLOADED);
    fixture->table.refuse_prepare = VG_OK;
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 1, &record));
    assert_true(record.sum == 1);
    assert_false(ingest_fixture_read(fixture, 2, &record));
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OK);
    assert_int_equal(fixture->table.sequence, 2);
    assert_int_equal(fixture->recoveries, 0);
    ingest_fixture_check(fixture);
}

static void test_ingest_failure__an_unreadable_record_refuses_its_item_alone(void **state)
{
    struct ingest_fixture *fixture = *state;
    for (uint32_t id = 0; id < 3; id++) {
        assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, id, 1), VG_OK);
    }
    struct counter_submission submission;
    struct counter_item items[3];
    counter_submission_init(&submission, fixture);
    for (uint32_t id = 0; id < 3; id++) {
        counter_item_init(&items[id], COUNTER_ADD, id, 1);
        vg_ingest_submission_add(&submission.submission, &items[id].item);
    }
    vg_store_fault_set(fixture->store, VG_FAULT_GET, 1, 1);
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    assert_int_equal(submission.submission.reason, VG_OK);
    assert_int_equal(items[0].item.reason, VG_OK);
    assert_int_equal(items[1].item.reason, VG_STORE_IO);
    assert_int_equal(items[2].item.reason, VG_OK);
    struct counter_record record;
    assert_true(ingest_fixture_read(fixture, 1, &record));
    assert_true(record.sum == 1);
    ingest_fixture_check(fixture);
}

static void test_ingest_failure__a_division_that_fails_answers_the_whole_submission(void **state)
{
    struct ingest_fixture *fixture = *state;
    enum { COUNT = 12, BYTES = 4 * 1024 * 1024 };
    struct counter_submission submission;
    struct counter_item items[COUNT];
    counter_submission_init(&submission, fixture);
    for (uint32_t id = 0; id < COUNT; id++) {
        counter_item_init(&items[id], COUNTER_GROW, id, BYTES);
        vg_ingest_submission_add(&submission.submission, &items[id].item);
    }
    vg_store_fault_set(fixture->store, VG_FAULT_APPLY_LOST, 1, 1); /* the second of three */
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    assert_int_equal(submission.submission.reason, VG_STORE_UNKNOWN);
    ingest_fixture_wait_recovered(fixture, 1);
    assert_int_equal(ingest_fixture_count(fixture, VG_KEY_FAMILY_EVENT), 4);
    ingest_fixture_check(fixture);
}

static void test_ingest_failure__a_recovery_that_cannot_read_the_state_is_tried_again(void **state)
{
    struct ingest_fixture *fixture = *state;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    /* The first read is the table's own as it starts, the second the writer's. */
    vg_store_fault_set(fixture->store, VG_FAULT_GET, 2, 1);
    vg_store_fault_set(fixture->store, VG_FAULT_APPLY_DONE, 0, 1);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_STORE_UNKNOWN);
    ingest_fixture_wait_recovered(fixture, 2);
    assert_int_equal(vg_store_fault_fired(fixture->store, VG_FAULT_GET), 1);
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_OK);
    ingest_fixture_check(fixture);
}

static void test_ingest_failure__draining_does_not_wait_for_a_recovery(void **state)
{
    struct ingest_fixture *fixture = *state;
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->recover_refusals = UINT32_MAX;
    (void)pthread_mutex_unlock(&fixture->lock);
    vg_store_fault_set(fixture->store, VG_FAULT_APPLY_LOST, 0, 1);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_STORE_UNKNOWN);
    vg_ingest_drain(fixture->ingest);
}

static void test_ingest_failure__an_unreadable_state_stops_the_start(void **state)
{
    struct ingest_fixture *fixture = *state;
    ingest_fixture_stop(fixture);
    struct vg_ingest *ingest = NULL;
    vg_store_fault_set(fixture->store, VG_FAULT_GET, 0, 1);
    assert_int_equal(vg_ingest_create(&fixture->options, &ingest, NULL), VG_STORE_IO);
    struct vg_batch batch;
    vg_batch_init(&batch, 4096);
    struct vg_key key;
    vg_key_state(&key);
    vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes_text("what is this"));
    assert_int_equal(vg_store_apply(fixture->store, 0, &batch, NULL), VG_OK);
    vg_batch_dispose(&batch);
    assert_int_equal(vg_ingest_create(&fixture->options, &ingest, NULL), VG_STORE_CORRUPT);
    assert_null(ingest);
}

#define VG_TEST(name) cmocka_unit_test_setup_teardown(test_ingest_failure__##name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VG_TEST(nothing_of_a_failed_commit_is_published),
        VG_TEST(a_failed_write_is_answered_and_not_committed),
        VG_TEST(a_foreign_writer_is_noticed),
        VG_TEST(what_the_table_refuses_is_not_written),
        VG_TEST(an_unreadable_record_refuses_its_item_alone),
        VG_TEST(a_division_that_fails_answers_the_whole_submission),
        VG_TEST(a_recovery_that_cannot_read_the_state_is_tried_again),
        VG_TEST(draining_does_not_wait_for_a_recovery),
        VG_TEST(an_unreadable_state_stops_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
