/*
 * Watching events below the calls: passes tell every change behind a position once and in order,
 * whatever shares its time and wherever they are broken off; watches are woken by what is for them,
 * by a new directory and when they are due, and by nothing else.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/events/event_table.h"
#include "core/events/event_watches.h"
#include "core/events/watch_pass.h"
#include "tests/support/event_fixture.h"

#define EVENTS 40u

static int set_up(void **state)
{
    struct vg_event_fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    vg_event_fixture_close(*state);
    free(*state);
    return 0;
}

/* ---------------------------------------------------------------------------------- passes */

static vg_time last_updated(struct vg_event_fixture *f)
{
    struct vg_ingest_figures figures;
    vg_ingest_read_figures(f->ingest, &figures);
    return figures.last_updated;
}

/* Add event `number`, or change it to `count`. */
static struct vg_event_id submit(struct vg_event_fixture *f, unsigned number, int32_t count)
{
    char uuid[40];
    struct vg_event_input input;
    (void)snprintf(uuid, sizeof(uuid), "1679fbfc-1792-4992-8428-3cb4df64%04x", number);
    vg_event_fixture_input(&input);
    input.id_type = VG_EVENT_TYPE_AGGREGATED;
    input.id_customer = "demo";
    input.id_uuid = uuid;
    input.has_timestamp = true;
    input.timestamp = 1000 + number;
    input.signature = number % 2 == 0 ? "even" : "odd";
    input.count = count;
    return vg_event_fixture_submit(f, &input);
}

struct model {
    int32_t told[EVENTS];   /* the newest count of each event that was told; 0 = none */
    int32_t stored[EVENTS]; /* the newest there is */
    uint32_t telling;       /* events told in all */
};

/* One pass from *position, broken off after `most` events; the position goes by its text. */
static bool run_pass(
    struct vg_event_fixture *f,
    struct vg_watch_position *position,
    struct model *model,
    bool only_new,
    uint32_t most)
{
    struct vg_watch_pass pass;
    const struct vg_watch_question question = {
        .where = vg_predicate_all(&f->arena),
        .only_new = only_new,
        .updated = last_updated(f),
        .rows = 16,
    };
    assert_int_equal(vg_watch_pass_open(&pass, &f->source, position, &question, NULL), VG_OK);
    bool end = false;
    for (uint32_t i = 0; i < most && !end; i++) {
        struct vg_event_id id;
        struct vg_bytes bytes;
        struct vg_event_record record;
        assert_int_equal(vg_watch_pass_next(&pass, &id, &bytes, &end, NULL), VG_OK);
        if (end) {
            break;
        }
        assert_int_equal(vg_event_record_unpack(&id, bytes, &f->arena, &record, NULL), VG_OK);
        int32_t *told = &model->told[id.timestamp - 1000];
        assert_true(record.count > *told);
        assert_true(!only_new || *told == 0);
        *told = record.count;
        model->telling++;
    }
    bool is_complete = end && !pass.is_full;
    char token[VG_WATCH_TOKEN_SIZE];
    size_t size = vg_watch_position_print(&pass.at, token);
    vg_watch_pass_close(&pass);
    assert_true(vg_watch_position_parse(vg_bytes(token, size), position));
    return is_complete;
}

static struct vg_watch_position here(struct vg_event_fixture *f)
{
    struct vg_watch_position position = { 0 };
    const struct vg_watch_question question = { .updated = last_updated(f) };
    assert_int_equal(vg_watch_pass_here(&f->source, &question, &position, NULL), VG_OK);
    return position;
}

/* The clock stands still now and then, so that batches share a time; passes end anywhere. */
static void test_every_change_is_told_once(void **state)
{
    struct vg_event_fixture *f = *state;
    struct model all = { 0 };
    struct model added = { 0 };
    unsigned random = 7;
    vg_time now = VG_EVENT_FIXTURE_NOW;
    struct vg_watch_position position = here(f);
    struct vg_watch_position new_position = position;
    for (int32_t version = 1; version < 600; version++) {
        random = random * 1103515245u + 12345u;
        unsigned number = random >> 16 & 0xff;
        (void)submit(f, number % EVENTS, version);
        all.stored[number % EVENTS] = version;
        if (version % 3 == 0) {
            now += 1;
            vg_clock_manual_set(&f->clock, now);
        }
        if (number % 5 == 0) {
            (void)run_pass(f, &position, &all, false, number % 4);
        }
        if (number % 7 == 0) {
            while (!run_pass(f, &new_position, &added, true, UINT32_MAX)) {
            }
        }
    }
    while (!run_pass(f, &position, &all, false, 3)) {
    }
    assert_memory_equal(all.told, all.stored, sizeof(all.told));
    while (!run_pass(f, &new_position, &added, true, UINT32_MAX)) {
    }
    assert_int_equal(added.telling, EVENTS);
    uint32_t before = all.telling;
    assert_true(run_pass(f, &position, &all, false, UINT32_MAX));
    assert_int_equal(all.telling, before);
}

static void test_a_position_ahead_of_the_store(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_watch_pass pass;
    const struct vg_watch_question question = { .where = vg_predicate_all(&f->arena) };
    struct vg_watch_position position = here(f);
    position.revision++;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(
        vg_watch_pass_open(&pass, &f->source, &position, &question, &error),
        VG_WATCH_POSITION_GONE);
}

/* --------------------------------------------------------------------------------- watches */

struct waiter {
    struct vg_event_watch watch;
    sem_t woken;
};

static void wake(struct vg_event_watch *watch)
{
    (void)sem_post(&VG_CONTAINER_OF(watch, struct waiter, watch)->woken);
}

static bool is_woken(struct waiter *waiter)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    return sem_timedwait(&waiter->woken, &until) == 0;
}

static bool is_quiet(struct waiter *waiter)
{
    return sem_trywait(&waiter->woken) != 0;
}

static struct vg_event_watches *open_watches(struct vg_event_fixture *f, uint32_t per_key)
{
    struct vg_event_watches *watches = NULL;
    const struct vg_event_watches_options options = {
        .table = f->table,
        .kind = f->source.kind,
        .directory = f->base.directory,
        .clock = &f->clock.clock,
        .interval_ms = 1,
        .watches_max = 3,
        .per_key_max = per_key,
    };
    assert_int_equal(vg_event_watches_create(&options, &watches, NULL), VG_OK);
    return watches;
}

static void join(struct vg_event_watches *watches, struct waiter *waiter)
{
    memset(waiter, 0, sizeof(*waiter));
    (void)sem_init(&waiter->woken, 0, 0);
    waiter->watch.wake = wake;
    assert_int_equal(vg_event_watches_join(watches, &waiter->watch, "key", NULL), VG_OK);
}

static void wait_for(
    struct vg_event_fixture *f,
    struct vg_event_watches *watches,
    struct waiter *waiter,
    const char *signature)
{
    const struct vg_bytes text = vg_bytes_text(signature);
    const struct vg_directory_snapshot *directory = vg_directory_snapshot(f->base.directory);
    waiter->watch.where = vg_predicate_bytes_in(&f->arena, VG_EVENT_COLUMN_SIGNATURE, &text, 1);
    waiter->watch.directory_version = vg_directory_snapshot_version(directory);
    vg_directory_snapshot_unref(directory);
    waiter->watch.sequence = vg_table_sequence(f->table);
    waiter->watch.due_ns = UINT64_MAX;
    assert_true(vg_event_watches_wait(watches, &waiter->watch));
}

static void publish(struct vg_event_fixture *f, struct vg_event_watches *watches)
{
    struct vg_ingest_figures figures;
    vg_ingest_read_figures(f->ingest, &figures);
    vg_event_watches_notify(watches, figures.sequence, figures.last_updated);
}

static void test_who_is_woken(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_watches *watches = open_watches(f, 3);
    struct waiter even;
    struct waiter odd;
    (void)submit(f, 0, 1);
    publish(f, watches);
    join(watches, &even);
    join(watches, &odd);
    wait_for(f, watches, &even, "even");
    wait_for(f, watches, &odd, "odd");
    (void)submit(f, 2, 1);
    publish(f, watches);
    assert_true(is_woken(&even));
    (void)submit(f, 3, 1);
    publish(f, watches);
    assert_true(is_woken(&odd));
    assert_true(is_quiet(&even)); /* once, until it waits again */
    assert_false(
        vg_event_watches_wait(watches, &even.watch)); /* what it knows is older than the round */
    wait_for(f, watches, &even, "even");
    wait_for(f, watches, &odd, "odd");

    /* Another directory: everybody; what was due: who it was due for. */
    vg_directory_fixture_customer(&f->base, 77, "more", 0);
    (void)submit(f, 5, 1);
    publish(f, watches);
    assert_true(is_woken(&even));
    assert_true(is_woken(&odd));
    wait_for(f, watches, &odd, "odd");
    even.watch.due_ns = vg_clock_monotonic_ns(&f->clock.clock);
    even.watch.sequence = vg_table_sequence(f->table);
    even.watch.directory_version = odd.watch.directory_version;
    assert_true(vg_event_watches_wait(watches, &even.watch));
    assert_true(is_woken(&even));
    assert_true(is_quiet(&odd));
    vg_event_watches_leave(watches, &even.watch);
    vg_event_watches_leave(watches, &odd.watch);
    vg_event_watches_destroy(watches);
}

static void test_as_many_as_may_watch(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_watches *watches = open_watches(f, 2);
    struct waiter waiters[3];
    struct waiter other;
    struct vg_error error;
    vg_error_init(&error, NULL);
    join(watches, &waiters[0]);
    join(watches, &waiters[1]);
    memset(&other, 0, sizeof(other));
    other.watch.wake = wake;
    assert_int_equal(
        vg_event_watches_join(watches, &other.watch, "key", &error),
        VG_QUOTA_EXCEEDED);
    assert_true(error.retry_after_ms > 0);
    assert_int_equal(vg_event_watches_join(watches, &other.watch, "another", &error), VG_OK);
    memset(&waiters[2], 0, sizeof(waiters[2]));
    waiters[2].watch.wake = wake;
    assert_int_equal(
        vg_event_watches_join(watches, &waiters[2].watch, "third", &error),
        VG_OVERLOADED);
    vg_event_watches_leave(watches, &other.watch);
    assert_int_equal(vg_event_watches_join(watches, &waiters[2].watch, "third", &error), VG_OK);
    for (size_t i = 0; i < VG_ARRAY_COUNT(waiters); i++) {
        vg_event_watches_leave(watches, &waiters[i].watch);
    }
    vg_event_watches_destroy(watches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_change_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_position_ahead_of_the_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_as_many_as_may_watch, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
