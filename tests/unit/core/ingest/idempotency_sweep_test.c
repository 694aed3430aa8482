/* Outdated answers are removed, a part at a time, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ingest/idempotency_sweep.h"
#include "core/ingest/ingest_wait.h"
#include "core/record/idempotent_answer.h"
#include "tests/unit/core/ingest/ingest_fixture.h"

#define NOW     INT64_C(1700000000000)
#define ANSWERS (2 * VG_IDEMPOTENCY_SWEEP_PART + 1)

/* Store an answer under the key `number` of user 1, given at `now`. */
static void remember(struct ingest_fixture *fixture, uint32_t number, vg_time now, size_t size)
{
    struct vg_arena arena;
    struct vg_batch batch;
    struct vg_key key;
    struct vg_bytes record;
    vg_arena_init(&arena, 64u << 20);
    vg_batch_init(&batch, VG_STORE_BATCH_BYTES_MAX);
    const struct vg_idempotent_request request = {
        .user_id = 1,
        .method = vg_bytes_text("/a.B/C"),
        .now = now,
    };
    uint8_t *answer = vg_arena_calloc(&arena, 1, size + 1);
    vg_idempotent_answer_key(&key, 1, vg_bytes(&number, sizeof(number)));
    assert_int_equal(
        vg_idempotent_answer_pack(&request, vg_bytes(answer, size), &arena, &record),
        VG_OK);
    vg_batch_set(&batch, vg_key_bytes(&key), record);
    assert_int_equal(vg_ingest_wait_apply(fixture->ingest, &batch, NULL), VG_OK);
    vg_batch_dispose(&batch);
    vg_arena_dispose(&arena);
}

/* One whole look at all answers; how many parts it took. */
static unsigned sweep(struct ingest_fixture *fixture, vg_time now)
{
    struct vg_idempotency_sweep sweep = { 0 };
    unsigned parts = 0;
    for (bool done = false; !done; parts++) {
        assert_int_equal(
            vg_idempotency_sweep_part(&sweep, fixture->store, 0, fixture->ingest, now, &done, NULL),
            VG_OK);
    }
    assert_int_equal(sweep.after.size, 0);
    return parts;
}

static size_t left(struct ingest_fixture *fixture)
{
    return ingest_fixture_count(fixture, VG_KEY_FAMILY_IDEMPOTENCY);
}

static void test_idempotency_sweep__removes_what_is_outdated(void **state)
{
    struct ingest_fixture *fixture = *state;
    assert_int_equal(sweep(fixture, NOW), 1);
    for (uint32_t i = 0; i < ANSWERS; i++) {
        remember(fixture, i, NOW + (i % 3 == 0 ? 1 : 0), 10);
    }
    assert_int_equal(sweep(fixture, NOW + VG_IDEMPOTENT_ANSWER_KEPT_MS - 1), 3);
    assert_int_equal(left(fixture), ANSWERS);
    assert_int_equal(sweep(fixture, NOW + VG_IDEMPOTENT_ANSWER_KEPT_MS), 3);
    assert_int_equal(left(fixture), (ANSWERS + 2) / 3);
    assert_int_equal(sweep(fixture, NOW + VG_IDEMPOTENT_ANSWER_KEPT_MS + 1), 1);
    assert_int_equal(left(fixture), 0);
}

/* Answers may be large: what one batch cannot remove is left to the next. */
static void test_idempotency_sweep__removes_large_answers_in_turns(void **state)
{
    struct ingest_fixture *fixture = *state;
    for (uint32_t i = 0; i < 5; i++) {
        remember(fixture, i, NOW, 3u << 20);
    }
    assert_true(sweep(fixture, NOW + VG_IDEMPOTENT_ANSWER_KEPT_MS) >= 2);
    assert_int_equal(left(fixture), 0);
}

static int set_up(void **state)
{
    struct ingest_fixture *fixture = calloc(1, sizeof(*fixture));
    ingest_fixture_init(fixture);
    ingest_fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct ingest_fixture *fixture = *state;
    ingest_fixture_stop(fixture);
    ingest_fixture_dispose(fixture);
    free(fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_idempotency_sweep__removes_what_is_outdated,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_idempotency_sweep__removes_large_answers_in_turns,
            set_up,
            tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
