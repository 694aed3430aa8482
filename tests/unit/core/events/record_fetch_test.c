/* Records of many hits, close together and scattered, in several orders and passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/task.h"
#include "core/events/property_match.h"
#include "core/events/record_cache.h"
#include "core/events/record_fetch.h"
#include "core/store/store_fault.h"
#include "tests/support/event_fixture.h"

#define EVENTS 700
#ifdef __SANITIZE_THREAD__
#define CACHE_ROUNDS 1u /* the threads are those of the helpers, further down */
#else
#define CACHE_ROUNDS 3u
#endif

/* No event was changed before this: a record that is older is not the row's. */
static int64_t least_updated;

/*
 * Submit all events for the first time (round 0), or once more with something new. Every event has
 * its number as signature; property "step" says which steps it is on.
 */
static void submit_all(struct vg_event_fixture *f, uint32_t round)
{
    least_updated = VG_EVENT_FIXTURE_NOW + (int64_t)round * EVENTS;
    for (int i = 0; i < EVENTS; i++) {
        char id[80];
        char signature[16];
        char none[] = "none";
        char two[] = "2";
        char ten[] = "10";
        char text[16];
        char *steps[] = { i % 2 == 0 ? two : none, i % 10 == 0 ? ten : none };
        char *rounds[] = { text };
        /* Identities are not in the order of submission. */
        (void)snprintf(
            id,
            sizeof(id),
            "AGGR/%d/1/1679fbfc-1792-4992-8428-%012d",
            1000 + (i * 331) % EVENTS,
            i);
        (void)snprintf(signature, sizeof(signature), "%d", (i * 331) % EVENTS);
        (void)snprintf(text, sizeof(text), "%u", round);
        const struct vg_event_input_property properties[] = {
            { "step", steps, 2 },
            { "round", rounds, 1 },
        };
        const struct vg_event_input event = {
            .id_text = id,
            .signature = signature,
            .properties = properties,
            .property_count = 2,
            .source = { .port = VG_EVENT_NO_PORT },
            .destination = { .port = VG_EVENT_NO_PORT },
        };
        vg_clock_manual_set(&f->clock, least_updated + i);
        (void)vg_event_fixture_submit(f, &event);
        vg_arena_reset(&f->arena);
    }
}

static int set_up(void **state)
{
    struct vg_event_fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(f);
    submit_all(f, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    vg_event_fixture_close(*state);
    free(*state);
    return 0;
}

/* With "~" by its words, which records confirm; NULL = all events. */
static const struct vg_predicate *on_step(struct vg_event_fixture *f, const char *step)
{
    if (step == NULL) {
        return vg_predicate_all(&f->arena);
    }
    bool tokenized = step[0] == '~';
    const struct vg_property_match match = { .key = vg_bytes_text(tokenized ? NULL : "step"),
                                             .value = vg_bytes_text(tokenized ? step + 1 : step),
                                             .tokenized = tokenized };
    return vg_property_match_predicate(&f->arena, f->rules.secret, &match);
}

/* Each record is that of its identity, none comes twice, and as many come as match. */
static void check_all(
    struct vg_event_fixture *f,
    const char *step,
    enum vg_event_sort_field field,
    bool descending,
    uint32_t pass_rows)
{
    const struct vg_event_sort sort = { field, descending };
    const struct vg_event_search search = { .where = on_step(f, step),
                                            .sort = &sort,
                                            .sort_count = 1,
                                            .is_unlimited = true,
                                            .pass_rows = pass_rows };
    struct vg_event_cursor cursor;
    assert_int_equal(vg_event_search_run(&f->source, &search, &f->arena, &cursor, NULL), VG_OK);
    bool seen[EVENTS] = { false };
    uint64_t count = 0;
    int64_t before = INT64_MIN;
    for (;;) {
        struct vg_event_id id;
        struct vg_bytes bytes;
        struct vg_event_record record;
        bool end;
        assert_int_equal(vg_event_cursor_next(&cursor, &id, &bytes, &end, NULL), VG_OK);
        if (end) {
            break;
        }
        assert_int_equal(vg_event_record_unpack(&id, bytes, &f->arena, &record, NULL), VG_OK);
        char signature[16];
        (void)snprintf(signature, sizeof(signature), "%d", (int)id.timestamp - 1000);
        assert_true(vg_bytes_equal(record.signature, vg_bytes_text(signature)));
        assert_true(record.times.last_updated >= least_updated);
        assert_false(seen[id.timestamp - 1000]);
        seen[id.timestamp - 1000] = true;
        int64_t key = field == VG_EVENT_SORT_TIMESTAMP ? id.timestamp : record.times.last_updated;
        key = descending ? -key : key;
        assert_true(count == 0 || before < key);
        before = key;
        count++;
    }
    assert_int_equal(count, cursor.match_count);
    assert_true(count > 0);
    vg_event_cursor_close(&cursor);
    vg_event_cursor_close(&cursor);
    vg_arena_reset(&f->arena);
}

static void test_record_fetch__dense_and_scattered(void **state)
{
    static const char *const steps[] = { NULL, "2", "10", "~none", "~2", "~10" };
    static const uint32_t passes[] = { 0, 1000, 700, 256, 33, 31 };
    for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
        for (size_t pass = 0; pass < sizeof(passes) / sizeof(passes[0]); pass++) {
            for (int descending = 0; descending < 2; descending++) {
                check_all(
                    *state,
                    steps[step],
                    VG_EVENT_SORT_TIMESTAMP,
                    descending != 0,
                    passes[pass]);
                check_all(
                    *state,
                    steps[step],
                    VG_EVENT_SORT_LAST_UPDATED,
                    descending != 0,
                    passes[pass]);
            }
        }
    }
}

/* The same answers from a cache, be it empty, filled, or so small that it always loses some; and
 * after all events have been changed. */
static void test_record_fetch__from_a_cache(void **state)
{
    struct vg_event_fixture *f = *state;
    for (uint32_t round = 0; round < CACHE_ROUNDS; round++) {
        f->source.cache = vg_record_cache_create(VG_RECORD_CACHE_LEAST);
        assert_non_null(f->source.cache);
        test_record_fetch__dense_and_scattered(state);
        if (round + 1 < CACHE_ROUNDS) {
            submit_all(f, 1 + round);
        }
        test_record_fetch__dense_and_scattered(state);
        vg_record_cache_destroy(f->source.cache);
        f->source.cache = NULL;
    }
}

/* A record that is in the cache is not read from the store. */
static void test_record_fetch__cached_ones_are_not_read(void **state)
{
    struct vg_event_fixture *f = *state;
    f->source.cache = vg_record_cache_create(VG_RECORD_CACHE_LEAST);
    check_all(f, "10", VG_EVENT_SORT_LAST_UPDATED, false, 0);
    check_all(f, "10", VG_EVENT_SORT_LAST_UPDATED, false, 7); /* one by one */
    vg_store_fault_set(f->base.store, VG_FAULT_GET, 0, VG_FAULT_ALWAYS);
    vg_store_fault_set(f->base.store, VG_FAULT_SCAN, 0, VG_FAULT_ALWAYS);
    check_all(f, "10", VG_EVENT_SORT_LAST_UPDATED, true, 0);
    check_all(f, "10", VG_EVENT_SORT_TIMESTAMP, true, 7);
    vg_store_fault_set(f->base.store, VG_FAULT_GET, 0, 0);
    vg_store_fault_set(f->base.store, VG_FAULT_SCAN, 0, 0);
    vg_record_cache_destroy(f->source.cache);
    f->source.cache = NULL;
}

/* What a search says it did holds for the first pass and all reading. */
static void test_record_fetch__is_explained(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_search_explanation explain = { .clock = &vg_clock_real };
    const struct vg_event_search search = { .where = on_step(f, "2"),
                                            .is_unlimited = true,
                                            .pass_rows = 100,
                                            .explain = &explain };
    struct vg_event_cursor cursor;
    struct vg_event_id id;
    struct vg_bytes bytes;
    bool end = false;
    assert_int_equal(vg_event_search_run(&f->source, &search, &f->arena, &cursor, NULL), VG_OK);
    while (!end) {
        assert_int_equal(vg_event_cursor_next(&cursor, &id, &bytes, &end, NULL), VG_OK);
    }
    vg_event_cursor_close(&cursor);
    assert_int_equal(explain.rows_matched, EVENTS / 2);
    assert_int_equal(explain.records_fetched, EVENTS / 2);
    assert_true(explain.fetch_ns > 0);
    assert_int_equal(explain.leaf_count, 1);
    assert_string_equal(explain.leaves[0].column, "PROPERTIES");
    assert_int_equal(explain.leaves[0].rows_in, EVENTS);
    vg_arena_reset(&f->arena);
}

/* The same answers with nobody to help, with one and with two threads; and a cursor that is closed
 * in the middle of what was read ahead. */
static void test_record_fetch__with_helpers(void **state)
{
    struct vg_event_fixture *f = *state;
    for (unsigned threads = 0; threads < 3; threads++) {
        struct vg_executor *executor = NULL;
        assert_int_equal(vg_executor_create("helpers", threads, 64, &executor, NULL), VG_OK);
        f->source.helpers = executor;
        for (uint32_t round = 0; round < 10; round++) {
            check_all(f, round % 2 == 0 ? "10" : NULL, VG_EVENT_SORT_LAST_UPDATED, false, 0);
            check_all(f, "~10", VG_EVENT_SORT_TIMESTAMP, round % 2 == 0, 65);
            const struct vg_event_search search = { .where = on_step(f, "10"),
                                                    .is_unlimited = true };
            struct vg_event_cursor cursor;
            struct vg_event_id id;
            struct vg_bytes bytes;
            bool end;
            assert_int_equal(
                vg_event_search_run(&f->source, &search, &f->arena, &cursor, NULL),
                VG_OK);
            for (uint32_t i = 0; i < round; i++) {
                assert_int_equal(vg_event_cursor_next(&cursor, &id, &bytes, &end, NULL), VG_OK);
            }
            vg_event_cursor_close(&cursor);
            vg_arena_reset(&f->arena);
        }
        f->source.helpers = NULL;
        vg_executor_destroy(executor);
    }
}

/* How many scattered records come before the first failure, which must be the store's. */
static uint32_t read_until_failure(struct vg_event_fixture *f, uint32_t wanted)
{
    const struct vg_event_search search = { .where = on_step(f, "10"), .is_unlimited = true };
    struct vg_event_cursor cursor;
    struct vg_event_id id;
    struct vg_bytes bytes;
    bool end = false;
    uint32_t count = 0;
    enum vg_reason reason = VG_OK;
    assert_int_equal(vg_event_search_run(&f->source, &search, &f->arena, &cursor, NULL), VG_OK);
    while (reason == VG_OK && !end) {
        reason = vg_event_cursor_next(&cursor, &id, &bytes, &end, NULL);
        count += reason == VG_OK && !end;
    }
    assert_int_equal(reason, count == wanted ? VG_OK : VG_STORE_IO);
    vg_event_cursor_close(&cursor);
    vg_arena_reset(&f->arena);
    return count;
}

/* A read ahead that fails is tried again in its turn: what was read before is handed out, a failure
 * that lasts is the answer, one that passes is none. */
static void test_record_fetch__failures_come_in_turn(void **state)
{
    struct vg_event_fixture *f = *state;
    const struct vg_event_store kept = f->source;
    struct vg_store *faults = f->base.store;
    const uint32_t wanted = EVENTS / 10;
    for (unsigned threads = 0; threads < 3; threads++) {
        struct vg_executor *executor = NULL;
        assert_int_equal(vg_executor_create("helpers", threads, 64, &executor, NULL), VG_OK);
        f->source.helpers = executor;
        for (uint32_t good = 0; good < wanted; good += 7) {
            vg_store_fault_set(faults, VG_FAULT_GET, good, VG_FAULT_ALWAYS);
            assert_true(read_until_failure(f, wanted) < wanted);
            assert_true(vg_store_fault_fired(faults, VG_FAULT_GET) > 0);
            vg_store_fault_set(faults, VG_FAULT_GET, good, 1);
            assert_int_equal(read_until_failure(f, wanted), wanted);
        }
        vg_store_fault_set(faults, VG_FAULT_GET, 0, 0);
        vg_executor_destroy(executor);
    }
    f->source = kept;
}

static enum vg_reason refuse_later(void *owner, struct vg_error *error)
{
    uint32_t *left = owner;
    return (*left)-- == 0 ? vg_error_set(error, VG_CANCELLED, NULL) : VG_OK;
}

/* A pass that is cancelled ends the reading, not only the search. */
static void test_record_fetch__passes_are_cancelled(void **state)
{
    struct vg_event_fixture *f = *state;
    uint32_t left = 3;
    const struct vg_event_search search = { .where = on_step(f, NULL),
                                            .is_unlimited = true,
                                            .pass_rows = 10,
                                            .check = refuse_later,
                                            .owner = &left };
    struct vg_event_cursor cursor;
    struct vg_event_id id;
    struct vg_bytes bytes;
    bool end = false;
    uint32_t count = 0;
    enum vg_reason reason;
    assert_int_equal(vg_event_search_run(&f->source, &search, &f->arena, &cursor, NULL), VG_OK);
    while ((reason = vg_event_cursor_next(&cursor, &id, &bytes, &end, NULL)) == VG_OK) {
        assert_false(end);
        count++;
    }
    assert_int_equal(reason, VG_CANCELLED);
    assert_true(count >= 10 && count <= 30);
    vg_event_cursor_close(&cursor);
    vg_arena_reset(&f->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_fetch__dense_and_scattered),
        cmocka_unit_test(test_record_fetch__from_a_cache),
        cmocka_unit_test(test_record_fetch__cached_ones_are_not_read),
        cmocka_unit_test(test_record_fetch__is_explained),
        cmocka_unit_test(test_record_fetch__passes_are_cancelled),
        cmocka_unit_test(test_record_fetch__with_helpers),
        cmocka_unit_test(test_record_fetch__failures_come_in_turn),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
