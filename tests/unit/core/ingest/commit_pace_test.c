#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/ingest/commit_pace.h"

#define MIB UINT64_C(1048576)

static const struct vg_commit_pace_settings settings = {
    .files_first = 4,
    .files_last = 11,
    .bytes_first = 64 * MIB,
    .bytes_last = 8 * MIB,
};

static void test_commit_pace__slows_down_with_each_file(void **state)
{
    (void)state;
    struct vg_commit_pace pace;
    vg_commit_pace_init(&pace, &settings);
    static const struct {
        const char *name;
        unsigned files;
        uint64_t rate;
    } rows[] = {
        { "none", 0, UINT64_MAX },
        { "one below the first", 3, UINT64_MAX },
        { "the first", 4, 64 * MIB },
        { "one more", 5, 56 * MIB },
        { "one below the last", 10, 16 * MIB },
        { "the last", 11, 8 * MIB },
        { "beyond", 12, 8 * MIB },
        { "far beyond", 1000, 8 * MIB },
    };
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        if (vg_commit_pace_rate(&pace, rows[index].files) != rows[index].rate) {
            fail_msg("%s", rows[index].name);
        }
    }
}

static void test_commit_pace__waits_as_long_as_the_rate_asks(void **state)
{
    (void)state;
    struct vg_commit_pace pace;
    vg_commit_pace_init(&pace, &settings);
    assert_true(vg_commit_pace_wait_ns(&pace, 1000) == 0);
    vg_commit_pace_note(&pace, 1000, 8 * MIB, 3);
    assert_true(vg_commit_pace_wait_ns(&pace, 1000) == 0);
    vg_commit_pace_note(&pace, 1000, MIB, 11); /* 1 MiB at 8 MiB/s */
    assert_true(vg_commit_pace_wait_ns(&pace, 1000) == 125000000);
    assert_true(vg_commit_pace_wait_ns(&pace, 1000 + 25000000) == 100000000);
    assert_true(vg_commit_pace_wait_ns(&pace, 1000 + 125000000) == 0);
    assert_true(vg_commit_pace_wait_ns(&pace, UINT64_MAX) == 0);
}

static void test_commit_pace__never_waits_longer_than_its_maximum(void **state)
{
    (void)state;
    struct vg_commit_pace pace;
    vg_commit_pace_init(&pace, &settings);
    vg_commit_pace_note(&pace, 0, 64 * MIB, 12);
    assert_true(vg_commit_pace_wait_ns(&pace, 0) == VG_COMMIT_PACE_WAIT_MAX_NS);
    assert_true(VG_COMMIT_PACE_WAIT_MAX_NS <= 500000000); /* two in a row: no stall of a second */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_pace__slows_down_with_each_file),
        cmocka_unit_test(test_commit_pace__waits_as_long_as_the_rate_asks),
        cmocka_unit_test(test_commit_pace__never_waits_longer_than_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
