/* Who reads a case, and which cases are one by what was merged into what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_access.h"
#include "tests/support/directory_fixture.h"

#include "vigil/record/v1/directory.pb-c.h"

static void add_case(struct vg_directory_fixture *f, int64_t id, int64_t merged_into)
{
    static char subject[] = "A case";
    int64_t readers[] = { 5, 7, 11 };
    Vigil__Record__V1__Case record = VIGIL__RECORD__V1__CASE__INIT;
    record.has_id = true;
    record.id = id;
    record.has_customer_id = true;
    record.customer_id = 1;
    record.subject = subject;
    record.has_merged_into_id = merged_into != 0;
    record.merged_into_id = merged_into;
    record.n_reader_ids = 3;
    record.reader_ids = readers;
    assert_int_equal(vg_directory_fixture_add(f, VG_DIRECTORY_CASE, &record.base), VG_OK);
}

static int set_up(void **state)
{
    struct vg_directory_fixture *f = calloc(1, sizeof(*f));
    vg_directory_fixture_open(f);
    vg_directory_fixture_customer(f, 1, "demo", 0);
    static const int64_t cases[][2] = {
        { 10, 0 },  { 11, 10 }, { 12, 11 }, { 9, 12 },  { 20, 0 },  { 21, 99 },
        { 30, 31 }, { 31, 32 }, { 32, 30 }, { 33, 31 }, { 40, 40 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        add_case(f, cases[i][0], cases[i][1]);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    vg_directory_fixture_close(*state);
    free(*state);
    return 0;
}

static void test_merged_cases(void **state)
{
    struct vg_directory_fixture *f = *state;
    static const struct {
        int64_t id;
        size_t count;
        int64_t cases[5];
    } rows[] = {
        { 10, 4, { 9, 10, 11, 12 } },
        { 11, 3, { 9, 11, 12 } },
        { 9, 1, { 9 } },
        { 20, 1, { 20 } },
        { 21, 1, { 21 } }, /* merged into one that is not there */
        { 99, 0, { 0 } },
        /* A loop leads to whichever of it is asked for, and hangs nobody. */
        { 31, 4, { 30, 31, 32, 33 } },
        { 33, 1, { 33 } },
        { 40, 1, { 40 } },
    };
    const struct vg_directory_snapshot *directory = vg_directory_snapshot(f->directory);
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int64_t *ids = NULL;
        size_t count = 0;
        assert_true(vg_event_access_merged_cases(directory, rows[i].id, &arena, &ids, &count));
        assert_int_equal(count, rows[i].count);
        assert_true(count == 0 || memcmp(ids, rows[i].cases, count * sizeof(*ids)) == 0);
    }
    vg_arena_dispose(&arena);
    vg_directory_snapshot_unref(directory);
}

static void test_who_reads_a_case(void **state)
{
    struct vg_directory_fixture *f = *state;
    static const int64_t demo[] = { 1 };
    const struct vg_directory_snapshot *directory = vg_directory_snapshot(f->directory);
    const struct vg_case *subject = vg_directory_case(directory, 10);
    static const struct {
        int64_t user;
        uint64_t functions;
        size_t customers;
        bool reads;
    } rows[] = {
        { 5, 0, 0, true },
        { 7, 0, 0, true },
        { 11, 0, 0, true },
        { 6, 0, 1, false },
        { 12, VG_FUNCTION_EVENT_LOOKUP, 1, false },
        { 12, VG_FUNCTION_VIEW_EVENTS_BY_CASE, 1, true },
        { 12, VG_FUNCTION_VIEW_EVENTS_BY_CASE, 0, false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vg_principal principal = { .user_id = rows[i].user,
                                                .functions = rows[i].functions,
                                                .customers = demo,
                                                .customer_count = rows[i].customers };
        assert_int_equal(vg_event_access_reads_case(&principal, subject), rows[i].reads);
    }
    vg_directory_snapshot_unref(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merged_cases),
        cmocka_unit_test(test_who_reads_a_case),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
