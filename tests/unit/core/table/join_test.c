/*
 * Joins: ids named by the rows that one question wants, asked for by another one; against a loop
 * over the rows, in tails and in sealed chunks. The fixture has one kind, which is joined to itself
 * over its digest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/table/join.h"
#include "tests/unit/core/table/table_fixture.h"

#define ROWS 600u

struct world {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct fixture_row *rows;
    struct vg_arena arena;
    struct vg_snapshot snapshot;
    struct vg_id_marks ids;
};

/* Digests of 40 values, some rows without one. */
static void world_setup(struct world *world, bool sealed)
{
    memset(world, 0, sizeof(*world));
    fixture_make_folder(world->path);
    world->config = fixture_config(world->path, &vg_clock_real, 128);
    world->config.limits.closed_chunks = 100;
    world->table = fixture_open(&world->config);
    world->rows = calloc(ROWS, sizeof(*world->rows));
    assert_non_null(world->rows);
    vg_arena_init(&world->arena, 16u << 20);
    for (uint32_t i = 0; i < ROWS; i++) {
        struct fixture_row *row = &world->rows[i];
        fixture_fill(row, i, i * 7 + 1, 1800000000000 + i);
        row->digest[0] = (uint8_t)(i * 11 % 40);
        row->digest[31] = 1;
        row->values[FIX_DIGEST].bytes =
            i % 17 == 0 ? vg_bytes(NULL, 0) : vg_bytes(row->digest, sizeof(row->digest));
        fixture_put(world->table, row, 1);
    }
    if (sealed) {
        (void)fixture_checkpoint(world->table, true);
    }
    assert_int_equal(
        vg_snapshot_acquire(world->table, VG_SNAPSHOT_AGE_MS, &world->snapshot, NULL),
        VG_OK);
    vg_id_marks_init(&world->ids, world->config.secret, VG_LIMIT_JOIN_IDS);
}

static void world_teardown(struct world *world)
{
    vg_id_marks_dispose(&world->ids);
    vg_snapshot_release(&world->snapshot);
    fixture_close(world->table);
    fixture_remove_folder(world->path);
    vg_arena_dispose(&world->arena);
    free(world->rows);
}

static enum vg_reason mark(
    struct world *world,
    const struct vg_predicate *where,
    uint32_t number,
    struct vg_error *error)
{
    const struct vg_join join = { .snapshot = &world->snapshot,
                                  .column = FIX_DIGEST,
                                  .ids = &world->ids };
    assert_non_null(where);
    return vg_join_mark(&join, where, number, &world->arena, error);
}

static uint64_t count(struct world *world, const struct vg_predicate *where)
{
    const struct vg_search search = { .where = where };
    struct vg_search_result result;
    assert_int_equal(vg_search_run(&world->snapshot, &search, &world->arena, &result, NULL), VG_OK);
    return result.match_count;
}

/* Rows whose digest some row with this severity has. */
static uint64_t truth(const struct world *world, int64_t severity)
{
    bool named[40] = { false };
    uint64_t found = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct fixture_row *row = &world->rows[i];
        if (row->values[FIX_SEVERITY].number == severity &&
            row->values[FIX_DIGEST].bytes.data != NULL) {
            named[row->digest[0]] = true;
        }
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct fixture_row *row = &world->rows[i];
        found += row->values[FIX_DIGEST].bytes.data != NULL && named[row->digest[0]];
    }
    return found;
}

static void check_marks(bool sealed)
{
    struct world world;
    world_setup(&world, sealed);
    int64_t severities[4];
    for (uint32_t i = 0; i < 4; i++) {
        /* Each question has its own mark, and the last one there is works as the first. */
        uint32_t number = i == 3 ? VG_ID_MARKS_MAX - 1 : i;
        severities[i] = world.rows[i * 3].values[FIX_SEVERITY].number;
        const struct vg_predicate *of =
            vg_predicate_range(&world.arena, FIX_SEVERITY, severities[i], severities[i]);
        assert_int_equal(mark(&world, of, number, NULL), VG_OK);
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t number = i == 3 ? VG_ID_MARKS_MAX - 1 : i;
        const struct vg_predicate *asked =
            vg_predicate_marked(&world.arena, FIX_DIGEST, &world.ids, number);
        uint64_t expected = truth(&world, severities[i]);
        assert_true(expected > 0);
        assert_int_equal(count(&world, asked), expected);
        /* A row that names nothing has no mark. */
        assert_int_equal(count(&world, vg_predicate_not(&world.arena, asked)), ROWS - expected);
    }
    world_teardown(&world);
}

static void test_marks_in_tail_and_closed_chunks(void **state)
{
    (void)state;
    check_marks(false);
}

static void test_marks_in_sealed_chunks(void **state)
{
    (void)state;
    check_marks(true);
}

static void test_a_mark_is_of_its_question_alone(void **state)
{
    (void)state;
    struct world world;
    world_setup(&world, false);
    uint8_t wanted[32] = { 0 };
    memcpy(wanted, world.rows[5].digest, sizeof(wanted));
    struct vg_bytes one = vg_bytes(wanted, sizeof(wanted));
    assert_int_equal(
        mark(&world, vg_predicate_bytes_in(&world.arena, FIX_DIGEST, &one, 1), 3, NULL),
        VG_OK);
    assert_int_equal(mark(&world, vg_predicate_all(&world.arena), 4, NULL), VG_OK);
    assert_int_equal(mark(&world, vg_predicate_none(&world.arena), 5, NULL), VG_OK);
    uint64_t with_digest = 0;
    uint64_t same = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        bool has = world.rows[i].values[FIX_DIGEST].bytes.data != NULL;
        with_digest += has;
        same += has && world.rows[i].digest[0] == wanted[0];
    }
    const uint64_t expected[] = { 0, 0, 0, same, with_digest, 0 };
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(
            count(&world, vg_predicate_marked(&world.arena, FIX_DIGEST, &world.ids, i)),
            expected[i]);
    }
    world_teardown(&world);
}

/* 40 distinct ids: a set for 40 takes them, one for 39 does not. */
static void test_ids_are_limited(void **state)
{
    (void)state;
    struct world world;
    world_setup(&world, false);
    vg_id_marks_init(&world.ids, world.config.secret, 40);
    assert_int_equal(mark(&world, vg_predicate_all(&world.arena), 0, NULL), VG_OK);
    assert_int_equal(world.ids.count, 40);
    vg_id_marks_dispose(&world.ids);
    vg_id_marks_init(&world.ids, world.config.secret, 39);
    struct vg_error error;
    vg_error_init(&error, &world.arena);
    assert_int_equal(
        mark(&world, vg_predicate_all(&world.arena), 0, &error),
        VG_RESULTSET_TOO_LARGE);
    world_teardown(&world);
}

static enum vg_reason cancelled(void *owner, struct vg_error *error)
{
    uint32_t *asked = owner;
    return ++*asked == 3 ? vg_error_set(error, VG_CANCELLED, NULL) : VG_OK;
}

static void test_a_join_can_be_stopped(void **state)
{
    (void)state;
    struct world world;
    world_setup(&world, false);
    uint32_t asked = 0;
    const struct vg_join join = { .snapshot = &world.snapshot,
                                  .column = FIX_DIGEST,
                                  .ids = &world.ids,
                                  .check = cancelled,
                                  .owner = &asked };
    assert_int_equal(
        vg_join_mark(&join, vg_predicate_all(&world.arena), 0, &world.arena, NULL),
        VG_CANCELLED);
    assert_int_equal(asked, 3);
    world_teardown(&world);
}

static void test_a_column_without_ids_cannot_be_joined(void **state)
{
    (void)state;
    struct world world;
    world_setup(&world, false);
    const struct vg_join join = { .snapshot = &world.snapshot,
                                  .column = FIX_SEVERITY,
                                  .ids = &world.ids };
    assert_int_equal(
        vg_join_mark(&join, vg_predicate_all(&world.arena), 0, &world.arena, NULL),
        VG_INTERNAL);
    world_teardown(&world);
}

static void test_many_ids_keep_their_marks(void **state)
{
    (void)state;
    struct vg_id_marks ids;
    const uint8_t secret[16] = { 9 };
    vg_id_marks_init(&ids, secret, 100000);
    for (uint32_t i = 0; i < 50000; i++) {
        assert_int_equal(vg_id_marks_add(&ids, vg_bytes(&i, sizeof(i)), i % 3), VG_ID_MARKS_DONE);
    }
    assert_int_equal(ids.count, 50000);
    for (uint32_t i = 0; i < 60000; i++) {
        struct vg_bytes id = vg_bytes(&i, sizeof(i));
        assert_int_equal(vg_id_marks_has(&ids, id, i % 3), i < 50000);
        assert_false(vg_id_marks_has(&ids, id, (i + 1) % 3));
    }
    vg_id_marks_dispose(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_in_tail_and_closed_chunks),
        cmocka_unit_test(test_marks_in_sealed_chunks),
        cmocka_unit_test(test_a_mark_is_of_its_question_alone),
        cmocka_unit_test(test_ids_are_limited),
        cmocka_unit_test(test_a_join_can_be_stopped),
        cmocka_unit_test(test_a_column_without_ids_cannot_be_joined),
        cmocka_unit_test(test_many_ids_keep_their_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
