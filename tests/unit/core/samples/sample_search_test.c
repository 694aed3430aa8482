/* Pages of a search for samples: the largest one, and one past it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/samples/sample_search.h"
#include "tests/unit/core/samples/samples_fixture.h"

static int set_up(void **state)
{
    struct samples_fixture *f = calloc(1, sizeof(*f));
    samples_fixture_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    samples_fixture_close(*state);
    free(*state);
    return 0;
}

/* A sample of that number, with a submission by which the agent sees it. */
static void add_sample(struct samples_fixture *f, uint32_t number)
{
    struct vg_arena arena;
    struct vg_submission_adding adding;
    struct vg_uuid token;
    vg_arena_init(&arena, 1 << 20);
    memset(f->sample, 0, sizeof(f->sample));
    for (size_t i = 0; i < sizeof(number); i++) {
        f->sample[i] = (uint8_t)(number >> (24 - 8 * i)); /* so that digests rise with numbers */
    }
    samples_fixture_upload(f, f->sample);
    const struct vg_submission_input input = samples_fixture_input(f);
    assert_int_equal(samples_fixture_issue(f, 10, 1, &token), VG_OK);
    samples_fixture_prepare(f, &input, &f->agent, &token, 1, &arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_STORED);
    vg_arena_dispose(&arena);
}

/* How many rows a page of the agent's has, and the number of the first one. */
static enum vg_reason search(
    struct samples_fixture *f,
    int64_t limit,
    int64_t offset,
    uint32_t *out_rows,
    uint64_t *out_matches,
    uint32_t *out_first)
{
    static const struct vg_sample_criteria everything = { .keyword_fields = 0 };
    static const uint8_t secret[16] = { 1 };
    const struct vg_sample_store source = { .table = f->table,
                                            .store = f->base.store,
                                            .snapshot_age_ms = 60000 };
    /* All were made at the same time: ties go by the digest. */
    const struct vg_sample_search asked = {
        .criteria = &everything,
        .viewer = { .principal = &f->agent, .directory = f->snapshot, .now = SAMPLES_FIXTURE_NOW },
        .index_start = 0,
        .index_end = SAMPLES_FIXTURE_NOW,
        .limit = limit,
        .offset = offset,
        .secret = secret,
    };
    struct vg_arena arena;
    struct vg_sample_cursor cursor;
    struct vg_sample_record record;
    struct vg_error error;
    vg_arena_init(&arena, 64u << 20);
    vg_error_init(&error, &arena);
    enum vg_reason reason = vg_sample_search_run(&source, &asked, &arena, &cursor, &error);
    bool end = reason != VG_OK;
    *out_rows = 0;
    *out_first = 0;
    *out_matches = end ? 0 : cursor.match_count;
    while (!end) {
        assert_int_equal(vg_sample_cursor_next(&cursor, &arena, &record, &end, NULL), VG_OK);
        if (!end && (*out_rows)++ == 0) {
            *out_first = (uint32_t)record.sha256[0] << 24 | (uint32_t)record.sha256[1] << 16 |
                         (uint32_t)record.sha256[2] << 8 | record.sha256[3];
        }
    }
    if (reason == VG_OK) {
        vg_sample_cursor_close(&cursor);
    }
    vg_arena_dispose(&arena);
    return reason;
}

static void test_sample_search__a_page_holds_as_many_as_the_limit_says(void **state)
{
    struct samples_fixture *f = *state;
    uint32_t rows;
    uint32_t first;
    uint64_t matches;
    for (uint32_t number = 1; number <= VG_LIMIT_SAMPLE_ROWS; number++) {
        add_sample(f, number);
    }
    /* The fixture's own sample has no submission, and is not seen. */
    assert_int_equal(search(f, 0, 0, &rows, &matches, &first), VG_OK);
    assert_int_equal(rows, VG_LIMIT_SAMPLE_ROWS);
    assert_int_equal(matches, VG_LIMIT_SAMPLE_ROWS);
    add_sample(f, VG_LIMIT_SAMPLE_ROWS + 1);
    assert_int_equal(search(f, 0, 0, &rows, &matches, &first), VG_RESULTSET_TOO_LARGE);
    assert_int_equal(search(f, VG_LIMIT_SAMPLE_ROWS, 0, &rows, &matches, &first), VG_OK);
    assert_int_equal(rows, VG_LIMIT_SAMPLE_ROWS);
    assert_int_equal(matches, VG_LIMIT_SAMPLE_ROWS + 1);
    assert_int_equal(first, 1);
    assert_int_equal(search(f, 25, VG_LIMIT_SAMPLE_ROWS, &rows, &matches, &first), VG_OK);
    assert_int_equal(rows, 1);
    assert_int_equal(matches, VG_LIMIT_SAMPLE_ROWS + 1);
    assert_int_equal(first, VG_LIMIT_SAMPLE_ROWS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_sample_search__a_page_holds_as_many_as_the_limit_says,
            set_up,
            tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
