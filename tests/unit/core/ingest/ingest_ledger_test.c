/*
 * Clients change counters and keep a ledger of what was acknowledged, while the store fails and
 * crashes at random, losing all that was not synced. After each restart every counter must be what
 * its ledger says; only of the one change whose answer was "unknown" both ends are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/base/random.h"
#include "tests/unit/core/ingest/ingest_fixture.h"

#define SEED          UINT64_C(20260817)
#define CLIENTS       3
#define CLIENT_IDS    8
#define ROUNDS        60
#define BULK_MAX      6
#define CLIENT_ROUNDS 25

/* What a client knows of one counter. */
struct ledger {
    bool exists;
    int64_t sum;
    /* The outcome of the last change is not known: it may be this instead. */
    bool doubtful;
    bool maybe_exists;
    int64_t maybe_sum;
};

struct client {
    struct ingest_fixture *fixture;
    struct vg_random_seeded random;
    uint32_t first_id;
    struct ledger ledgers[CLIENT_IDS];
    unsigned acknowledged;
};

static void expect_change(const struct counter_item *item, bool *exists, int64_t *sum)
{
    if (item->operation == COUNTER_ADD) {
        *sum = (*exists ? *sum : 0) + item->amount;
        *exists = true;
    } else if (item->operation == COUNTER_DELETE) {
        *exists = false;
        *sum = 0;
    }
}

/* One bulk of random changes; returns false when the store is gone and the round is over. */
static bool run_bulk(struct client *client)
{
    struct counter_item items[BULK_MAX];
    struct counter_submission submission;
    struct ledger after[CLIENT_IDS];
    memcpy(after, client->ledgers, sizeof(after));
    counter_submission_init(&submission, client->fixture);
    size_t count = 1 + vg_random_below(&client->random.random, BULK_MAX);
    for (size_t index = 0; index < count; index++) {
        uint32_t number = (uint32_t)vg_random_below(&client->random.random, CLIENT_IDS);
        enum counter_operation operation =
            vg_random_below(&client->random.random, 4) == 0 ? COUNTER_DELETE : COUNTER_ADD;
        int64_t amount = 1 + (int64_t)vg_random_below(&client->random.random, 1000);
        counter_item_init(&items[index], operation, client->first_id + number, amount);
        vg_ingest_submission_add(&submission.submission, &items[index].item);
        expect_change(&items[index], &after[number].exists, &after[number].sum);
    }
    if (vg_ingest_submit(client->fixture->ingest, &submission.submission, NULL) != VG_OK) {
        return false; /* refused before it was queued: nothing happened */
    }
    ingest_fixture_wait(client->fixture, &submission);
    enum vg_reason reason = submission.submission.reason;
    if (reason == VG_OK) { /* an item whose record could not be read is refused alone */
        memcpy(after, client->ledgers, sizeof(after));
        for (size_t index = 0; index < count; index++) {
            struct ledger *ledger = &after[items[index].id - client->first_id];
            if (items[index].item.reason == VG_OK) {
                expect_change(&items[index], &ledger->exists, &ledger->sum);
            }
        }
    }
    for (uint32_t number = 0; number < CLIENT_IDS; number++) {
        struct ledger *ledger = &client->ledgers[number];
        if (reason == VG_OK) {
            *ledger = after[number];
            continue;
        }
        ledger->doubtful = true;
        ledger->maybe_exists = after[number].exists;
        ledger->maybe_sum = after[number].sum;
    }
    client->acknowledged += reason == VG_OK;
    return reason == VG_OK;
}

static void *run_client(void *owner)
{
    struct client *client = owner;
    for (int round = 0; round < CLIENT_ROUNDS && run_bulk(client); round++) {
    }
    return NULL;
}

/* Compare ledgers with the store and settle what was doubtful; returns how many are wrong. Either
 * all of a bulk was stored or nothing. */
static unsigned audit(struct client *client)
{
    unsigned wrong_now = 0;
    unsigned wrong_after = 0;
    for (uint32_t number = 0; number < CLIENT_IDS; number++) {
        struct ledger *ledger = &client->ledgers[number];
        struct counter_record record = { .sum = 0 };
        bool exists = ingest_fixture_read(client->fixture, client->first_id + number, &record);
        wrong_now += exists != ledger->exists || record.sum != ledger->sum;
        wrong_after +=
            !ledger->doubtful || exists != ledger->maybe_exists || record.sum != ledger->maybe_sum;
        *ledger = (struct ledger){ .exists = exists, .sum = record.sum };
    }
    return wrong_now < wrong_after ? wrong_now : wrong_after;
}

static void disturb(struct ingest_fixture *fixture, struct vg_random *random)
{
    static const enum vg_fault_point points[] = {
        VG_FAULT_APPLY_LOST,
        VG_FAULT_APPLY_DONE,
        VG_FAULT_APPLY_FULL,
        VG_FAULT_VIEW,
    };
    if (vg_random_below(random, 2) == 0) {
        vg_store_fault_set(
            fixture->store,
            points[vg_random_below(random, VG_ARRAY_COUNT(points))],
            (uint32_t)vg_random_below(random, 30),
            1);
    }
}

/* One life of a process, ended by a crash. */
static void run_life(
    struct ingest_fixture *fixture,
    struct client *clients,
    struct vg_random *random)
{
    /* Sometimes the process recovers by itself and goes on, sometimes it does not get to it. */
    fixture->recover_refusals = vg_random_below(random, 2) == 0 ? UINT32_MAX : 0;
    if (vg_random_below(random, 3) == 0) { /* the clock was set back while it was down */
        vg_time now = vg_clock_now(&fixture->clock.clock);
        vg_clock_manual_set(&fixture->clock, now - 500 + (int64_t)vg_random_below(random, 1000));
    }
    ingest_fixture_start(fixture);
    disturb(fixture, random);
    pthread_t threads[CLIENTS];
    for (unsigned number = 0; number < CLIENTS; number++) {
        VG_ASSERT(pthread_create(&threads[number], NULL, run_client, &clients[number]) == 0);
    }
    /* The power goes after a random number of answers, or when all are done. */
    bool crashes = vg_random_below(random, 3) > 0;
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&fixture->lock);
    unsigned target = fixture->answered + (unsigned)vg_random_below(random, 60);
    while (crashes && fixture->answered < target &&
           pthread_cond_timedwait(&fixture->changed, &fixture->lock, &until) == 0) {
    }
    (void)pthread_mutex_unlock(&fixture->lock);
    if (crashes) {
        vg_store_fault_crash(fixture->store);
    }
    for (unsigned number = 0; number < CLIENTS; number++) {
        (void)pthread_join(threads[number], NULL);
    }
    ingest_fixture_stop(fixture);
    for (unsigned point = 0; point < VG_FAULT_POINT_COUNT; point++) {
        vg_store_fault_set(fixture->store, (enum vg_fault_point)point, 0, 0);
    }
}

static unsigned run_lives(bool lying_store)
{
    struct ingest_fixture *fixture = malloc(sizeof(*fixture));
    struct client clients[CLIENTS];
    struct vg_random_seeded random;
    assert_non_null(fixture);
    ingest_fixture_init(fixture);
    vg_random_seeded_init(&random, SEED);
    if (lying_store) {
        vg_store_fault_ignore_sync(fixture->store);
    }
    for (unsigned number = 0; number < CLIENTS; number++) {
        clients[number] = (struct client){ .fixture = fixture, .first_id = number * CLIENT_IDS };
        vg_random_seeded_init(&clients[number].random, SEED + 1 + number);
    }
    unsigned wrong = 0;
    unsigned acknowledged = 0;
    for (int round = 0; round < ROUNDS; round++) {
        run_life(fixture, clients, &random.random);
        assert_int_equal(vg_store_reopen(fixture->store, NULL), VG_OK);
        if (!lying_store) {
            ingest_fixture_start(fixture);
            ingest_fixture_check(fixture);
            ingest_fixture_stop(fixture);
        }
        for (unsigned number = 0; number < CLIENTS; number++) {
            wrong += audit(&clients[number]);
        }
    }
    for (unsigned number = 0; number < CLIENTS; number++) {
        acknowledged += clients[number].acknowledged;
        vg_random_seeded_dispose(&clients[number].random);
    }
    print_message(
        "seed %llu: %u bulks acknowledged in %d lives, %u counters wrong\n",
        (unsigned long long)SEED,
        acknowledged,
        ROUNDS,
        wrong);
    assert_true(acknowledged > ROUNDS);
    vg_random_seeded_dispose(&random);
    ingest_fixture_dispose(fixture);
    free(fixture);
    return wrong;
}

static void test_ingest_ledger__what_was_acknowledged_is_there_once(void **state)
{
    (void)state;
    assert_int_equal(run_lives(false), 0);
}

static void test_ingest_ledger__a_store_that_does_not_sync_is_noticed(void **state)
{
    (void)state;
    assert_true(run_lives(true) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_ledger__what_was_acknowledged_is_there_once),
        cmocka_unit_test(test_ingest_ledger__a_store_that_does_not_sync_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
