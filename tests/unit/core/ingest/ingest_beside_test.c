/*
 * Merges that read other records and put keys beside their own: what one merge has put, the next
 * one of the same batch reads; what is refused is taken back whole; records without rows.
 *
 * The domain: a purse is a record without a row that counts coins; a coin is a key beside it, spent
 * once. Keys are those of the families for challenges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/keyspace/change_log.h"
#include "core/store/store_fault.h"
#include "tests/unit/core/ingest/ingest_fixture.h"

enum operation {
    MINT,         /* puts the coin; the purse counts it */
    SPEND,        /* takes the coin away if it is there; the purse counts one less */
    SPEND_REFUSE, /* the same, and then refuses itself */
    LOSE,         /* takes the coin away; the purse stays: BESIDE */
    BURN_PURSE,   /* deletes the purse */
};

struct purse_item {
    struct vg_ingest_item item;
    struct vg_key key;
    struct vg_key coin;
    enum operation operation;
    bool found; /* the coin, when the merge looked */
};

static enum vg_reason merge_purse(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    struct purse_item *purse = VG_CONTAINER_OF(item, struct purse_item, item);
    struct vg_bytes coin;
    int64_t *count = vg_arena_alloc(change->arena, sizeof(*count));
    assert_non_null(count);
    *count = 0;
    if (change->exists) {
        memcpy(count, change->record.data, sizeof(*count));
    }
    enum vg_reason reason =
        vg_ingest_read(change, vg_key_bytes(&purse->coin), &coin, &purse->found);
    if (reason != VG_OK) {
        return reason;
    }
    change->verdict = VG_INGEST_UNCHANGED;
    if (purse->operation == MINT) {
        vg_ingest_put(change, vg_key_bytes(&purse->coin), vg_bytes_text("coin"));
        ++*count;
    } else if (purse->operation == BURN_PURSE) {
        change->verdict = VG_INGEST_DELETE;
        return VG_OK;
    } else if (!purse->found) {
        return VG_OK;
    } else {
        assert_true(vg_bytes_equal(coin, vg_bytes_text("coin")));
        vg_ingest_delete(change, vg_key_bytes(&purse->coin));
        --*count;
    }
    if (purse->operation == SPEND_REFUSE) {
        return VG_EVENT_TOO_LARGE;
    }
    change->verdict = purse->operation == LOSE ? VG_INGEST_BESIDE : VG_INGEST_PUT;
    change->new_record = vg_bytes(count, sizeof(*count));
    return VG_OK;
}

static struct vg_ingest_domain purses = { .kind = VG_INGEST_KIND_ROWLESS, .merge = merge_purse };

static const uint8_t sample[VG_KEY_HASH_SIZE] = { 1 };

static void purse_item_init(struct purse_item *item, enum operation operation, uint8_t coin)
{
    const uint8_t uuid[VG_KEY_UUID_SIZE] = { coin };
    memset(item, 0, sizeof(*item));
    vg_key_challenge_open(&item->key, sample, 1);
    vg_key_challenge(&item->coin, sample, uuid);
    item->operation = operation;
    item->item.domain = &purses;
    item->item.key = vg_key_bytes(&item->key);
    item->item.bytes = sizeof(*item);
}

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

/* One item by itself; the reason of its item. */
static enum vg_reason run_one(
    struct ingest_fixture *fixture,
    struct purse_item *item,
    enum operation operation,
    uint8_t coin)
{
    struct counter_submission submission;
    counter_submission_init(&submission, fixture);
    purse_item_init(item, operation, coin);
    vg_ingest_submission_add(&submission.submission, &item->item);
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    assert_int_equal(submission.submission.reason, VG_OK);
    return item->item.reason;
}

static size_t coins(struct ingest_fixture *fixture)
{
    return ingest_fixture_count(fixture, VG_KEY_FAMILY_CHALLENGE);
}

static size_t purses_there(struct ingest_fixture *fixture)
{
    return ingest_fixture_count(fixture, VG_KEY_FAMILY_CHALLENGE_OPEN);
}

static void test_ingest_beside__is_stored_with_the_record(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct purse_item item;
    assert_int_equal(run_one(fixture, &item, MINT, 1), VG_OK);
    assert_true(!item.found && item.item.created && item.item.verdict == VG_INGEST_PUT);
    assert_int_equal(item.item.last_updated, 0); /* it has no row that is pulled */
    assert_int_equal(coins(fixture), 1);
    assert_int_equal(purses_there(fixture), 1);
    assert_int_equal(run_one(fixture, &item, SPEND, 1), VG_OK);
    assert_true(item.found && !item.item.created);
    assert_int_equal(coins(fixture), 0);
    assert_int_equal(run_one(fixture, &item, SPEND, 1), VG_OK);
    assert_true(!item.found && item.item.verdict == VG_INGEST_UNCHANGED);
    assert_int_equal(run_one(fixture, &item, BURN_PURSE, 1), VG_OK);
    assert_int_equal(purses_there(fixture), 0);
    ingest_fixture_check(fixture); /* the change log names none of it */
}

static void test_ingest_beside__stays_when_the_record_does(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct purse_item item;
    assert_int_equal(run_one(fixture, &item, MINT, 1), VG_OK);
    assert_int_equal(run_one(fixture, &item, LOSE, 1), VG_OK);
    assert_int_equal(item.item.verdict, VG_INGEST_BESIDE);
    assert_int_equal(coins(fixture), 0);
    assert_int_equal(purses_there(fixture), 1);
}

static void test_ingest_beside__is_taken_back_with_what_is_refused(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct purse_item item;
    assert_int_equal(run_one(fixture, &item, MINT, 1), VG_OK);
    assert_int_equal(run_one(fixture, &item, SPEND_REFUSE, 1), VG_EVENT_TOO_LARGE);
    assert_true(item.found);
    assert_int_equal(coins(fixture), 1);
}

/* Submissions that wait together are one batch: hold the writer until all are queued. */
struct together {
    struct counter_submission submission;
    struct purse_item items[3];
};

static void queue(
    struct ingest_fixture *fixture,
    struct together *together,
    const enum operation *operations,
    size_t count,
    bool all_or_nothing)
{
    counter_submission_init(&together->submission, fixture);
    together->submission.submission.all_or_nothing = all_or_nothing;
    for (size_t i = 0; i < count; i++) {
        purse_item_init(&together->items[i], operations[i], 1);
        vg_ingest_submission_add(&together->submission.submission, &together->items[i].item);
    }
    ingest_fixture_submit(fixture, &together->submission);
}

static void test_ingest_beside__is_read_by_the_next_of_the_batch(void **state)
{
    struct ingest_fixture *fixture = *state;
    static const enum operation mint[] = { MINT };
    static const enum operation spend[] = { SPEND };
    static const enum operation refuse[] = { SPEND_REFUSE };
    static const enum operation all[] = { SPEND, SPEND_REFUSE };
    static const enum operation half[] = { SPEND, MINT, SPEND_REFUSE };
    struct purse_item first;
    struct together waiting[7];
    purse_item_init(&first, MINT, 2);
    ingest_fixture_hold(fixture);
    struct counter_submission held;
    counter_submission_init(&held, fixture);
    vg_ingest_submission_add(&held.submission, &first.item);
    ingest_fixture_submit(fixture, &held);
    ingest_fixture_wait_held(fixture);
    queue(fixture, &waiting[0], spend, 1, false); /* no coin yet */
    queue(fixture, &waiting[1], mint, 1, false);
    queue(fixture, &waiting[2], refuse, 1, false); /* taken back by itself */
    queue(fixture, &waiting[3], all, 2, true);     /* the second finds none: nothing is refused */
    queue(fixture, &waiting[4], mint, 1, false);
    queue(fixture, &waiting[5], half, 3, true); /* taken back, all three */
    queue(fixture, &waiting[6], spend, 1, false);
    ingest_fixture_release(fixture);
    for (size_t i = 0; i < VG_ARRAY_COUNT(waiting); i++) {
        ingest_fixture_wait(fixture, &waiting[i].submission);
        assert_int_equal(waiting[i].submission.submission.sequence, 2);
    }
    assert_false(waiting[0].items[0].found);
    assert_true(waiting[2].items[0].found);
    assert_true(waiting[3].items[0].found && !waiting[3].items[1].found);
    assert_int_equal(waiting[3].submission.submission.reason, VG_OK);
    assert_int_equal(waiting[5].submission.submission.reason, VG_EVENT_TOO_LARGE);
    assert_true(waiting[6].items[0].found);
    assert_int_equal(coins(fixture), 1); /* the first one's */
    struct vg_store_value value;
    int64_t count = 0;
    assert_int_equal(
        vg_store_get_one(fixture->store, NULL, 0, vg_key_bytes(&first.key), &value, NULL),
        VG_OK);
    assert_int_equal(value.bytes.size, sizeof(count));
    memcpy(&count, value.bytes.data, sizeof(count));
    vg_store_value_release(&value);
    assert_int_equal(count, 1);
    ingest_fixture_check(fixture);
}

/* More keys are read than there are items: the batch's own index grows. */
static void test_ingest_beside__any_number_of_keys_is_read(void **state)
{
    struct ingest_fixture *fixture = *state;
    enum { KEYS = 250 };
    static struct purse_item items[KEYS];
    for (unsigned round = 0; round < 2; round++) {
        struct counter_submission submission;
        counter_submission_init(&submission, fixture);
        for (unsigned i = 0; i < KEYS; i++) {
            purse_item_init(&items[i], round == 0 ? MINT : SPEND, (uint8_t)i);
            vg_ingest_submission_add(&submission.submission, &items[i].item);
        }
        ingest_fixture_submit(fixture, &submission);
        ingest_fixture_wait(fixture, &submission);
        assert_int_equal(submission.submission.reason, VG_OK);
        assert_int_equal(coins(fixture), round == 0 ? KEYS : 0);
    }
}

/* The same without a look at what became of it. */
static enum vg_reason try_one(
    struct ingest_fixture *fixture,
    struct purse_item *item,
    enum operation operation,
    uint8_t coin)
{
    struct counter_submission submission;
    counter_submission_init(&submission, fixture);
    purse_item_init(item, operation, coin);
    vg_ingest_submission_add(&submission.submission, &item->item);
    ingest_fixture_submit(fixture, &submission);
    ingest_fixture_wait(fixture, &submission);
    return submission.submission.reason;
}

/* What a merge reads is what was committed, whatever it remembers of batches that were not. */
static void test_ingest_beside__is_read_as_it_was_committed(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct purse_item item;
    assert_int_equal(run_one(fixture, &item, MINT, 1), VG_OK);
    assert_int_equal(run_one(fixture, &item, MINT, 2), VG_OK);
    fixture->table.refuse_prepare = VG_OVERLOADED;
    assert_int_equal(try_one(fixture, &item, SPEND, 1), VG_OVERLOADED);
    fixture->table.refuse_prepare = VG_OK;
    assert_int_equal(run_one(fixture, &item, SPEND, 1), VG_OK);
    assert_true(item.found);
    assert_int_equal(run_one(fixture, &item, SPEND, 1), VG_OK);
    assert_false(item.found);
    assert_int_equal(coins(fixture), 1);
    vg_store_fault_set(fixture->store, VG_FAULT_APPLY_LOST, 0, 1);
    assert_int_equal(try_one(fixture, &item, SPEND, 2), VG_STORE_UNKNOWN);
    ingest_fixture_wait_recovered(fixture, 1);
    assert_int_equal(run_one(fixture, &item, SPEND, 2), VG_OK);
    assert_true(item.found);
    assert_int_equal(coins(fixture), 0);
}

/* A plain write may change any key. */
static void test_ingest_beside__is_read_as_a_plain_write_left_it(void **state)
{
    struct ingest_fixture *fixture = *state;
    struct purse_item item;
    struct vg_batch batch;
    struct vg_ingest_write write;
    assert_int_equal(run_one(fixture, &item, MINT, 1), VG_OK);
    vg_batch_init(&batch, 4096);
    vg_ingest_write_init(&write, &batch);
    vg_batch_delete(&batch, vg_key_bytes(&item.coin));
    write.done.run = (void (*)(struct vg_task *))abort; /* looked at, never run */
    struct vg_mailbox mailbox;
    vg_mailbox_init(&mailbox, NULL);
    write.mailbox = &mailbox;
    assert_int_equal(vg_ingest_apply(fixture->ingest, &write, NULL), VG_OK);
    assert_int_equal(run_one(fixture, &item, SPEND, 1), VG_OK);
    assert_false(item.found);
    mailbox.first = NULL;
    vg_mailbox_dispose(&mailbox);
    vg_batch_dispose(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__is_stored_with_the_record,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__stays_when_the_record_does,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__is_taken_back_with_what_is_refused,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__is_read_by_the_next_of_the_batch,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__any_number_of_keys_is_read,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__is_read_as_it_was_committed,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_beside__is_read_as_a_plain_write_left_it,
            setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
