/*
 * The protocol as a model (table-engine.md section 9): it holds on random runs, and each rule whose
 * absence must be noticed is broken once, in a child process that has to fail.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/table/table_breaks.h"
#include "tests/unit/core/table/table_model.h"

#define MODEL_STEPS     600u
#define BREAK_STEPS     400u
#define BREAK_SEEDS_MAX 60u

static uint64_t first_seed(void)
{
    const char *given = getenv("VIGIL_TEST_SEED");
    return given == NULL ? 1 : strtoull(given, NULL, 10);
}

static void test_table_model__holds_on_random_runs(void **state)
{
    (void)state;
    struct model all = { 0 };
    for (uint64_t seed = first_seed(); seed < first_seed() + 20; seed++) {
        struct model counters;
        uint32_t chunk_rows = 3 + (uint32_t)(seed % 5);
        print_message(
            "seed %llu (VIGIL_TEST_SEED), chunks of %u\n",
            (unsigned long long)seed,
            (unsigned)chunk_rows);
        model_run(seed, chunk_rows, MODEL_STEPS, MODEL_KEEPS_THE_RULES, &counters);
        all.batches += counters.batches;
        all.restarts += counters.restarts;
        all.crashes += counters.crashes;
        all.rebuilds += counters.rebuilds;
        all.replayed += counters.replayed;
        all.checkpoints += counters.checkpoints;
        all.roll_backs += counters.roll_backs;
        all.installed += counters.installed;
        all.rows_dropped += counters.rows_dropped;
    }
    print_message(
        "%u batches, %u restarts, %u crashes, %u rebuilds, %u ids replayed, %u checkpoints, %u "
        "roll-backs, %u compactions dropped %llu rows\n",
        all.batches,
        all.restarts,
        all.crashes,
        all.rebuilds,
        all.replayed,
        all.checkpoints,
        all.roll_backs,
        all.installed,
        (unsigned long long)all.rows_dropped);
    assert_true(all.batches > 1000 && all.restarts > 20 && all.crashes > 20);
    assert_true(all.rebuilds > 5 && all.replayed > 50 && all.checkpoints > 50);
    assert_true(all.roll_backs > 0 && all.installed > 50 && all.rows_dropped > 200);
}

/* Does a run with this rule broken fail? Run in a child: it may well crash. */
static bool fails(enum vg_table_break table_rule, enum model_break model_rule, uint64_t seed)
{
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(nowhere, STDOUT_FILENO);
        if (getenv("VIGIL_TEST_VERBOSE") == NULL) {
            (void)dup2(nowhere, STDERR_FILENO);
        }
        model_in_child = true;
        vg_table_test.broken = table_rule;
        model_run(seed, 3 + (uint32_t)(seed % 5), BREAK_STEPS, model_rule, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void expect_noticed(
    const char *name,
    enum vg_table_break table_rule,
    enum model_break model_rule)
{
    for (uint64_t seed = 1; seed <= BREAK_SEEDS_MAX; seed++) {
        if (fails(table_rule, model_rule, seed)) {
            print_message("%s: noticed with seed %llu\n", name, (unsigned long long)seed);
            return;
        }
    }
    fail_msg("%s is not noticed", name);
}

static void test_table_model__notices_each_broken_rule(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum vg_table_break table_rule;
        enum model_break model_rule;
    } rules[] = {
        { "sealed form with deaths of its own", VG_BREAK_SEAL_COPIES_DEATHS, 0 },
        { "reference taken outside an epoch", VG_BREAK_ACQUIRE_WITHOUT_EPOCH, 0 },
        { "deaths settled before their time", VG_BREAK_SETTLE_TOO_NEW, 0 },
        { "death log and bitmap not replaced together", VG_BREAK_SETTLE_IN_TWO_STEPS, 0 },
        { "dictionaries written before the chunks", VG_BREAK_DICTIONARIES_FIRST, 0 },
        { "log trimmed before the folder is synced", VG_BREAK_TRIM_BEFORE_SYNC, 0 },
        { "rejected manifest kept", VG_BREAK_KEEP_REJECTED_MANIFEST, 0 },
        { "manifest's sequence covers the tail", VG_BREAK_CHECKPOINT_TOO_NEW, 0 },
        { "deaths since a compaction began lost", VG_BREAK_COMPACTION_LOSES_DEATHS, 0 },
        { "ids taken by copied rows", VG_BREAK_COMPACTION_TAKES_IDS, 0 },
        { "files unlinked that the manifest names", VG_BREAK_UNLINK_NAMED, 0 },
        { "files unlinked that a snapshot holds", VG_BREAK_UNLINK_HELD, 0 },
        { "state outside the batch", VG_BREAK_NOTHING, MODEL_STATE_APART },
        { "going on after an unknown commit", VG_BREAK_NOTHING, MODEL_GOES_ON_AFTER_UNKNOWN },
        { "single reads past the published view", VG_BREAK_NOTHING, MODEL_READS_LIVE },
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        expect_noticed(rules[i].name, rules[i].table_rule, rules[i].model_rule);
    }
}

/* After a start the count of changes at the last value is not known, so the value is used up. */
static bool update_clock_shares_too_much(void)
{
    struct vg_update_clock clock;
    vg_update_clock_init(&clock, 0);
    vg_time last = 0;
    uint32_t sharing = 0;
    for (uint32_t i = 0; i < VG_LIMIT_CHANGES_PER_TIME; i++) {
        last = vg_update_clock_issue(&clock, 0, 5000);
        sharing += last == 5000;
    }
    vg_update_clock_init(&clock, clock.last);
    for (uint32_t i = 0; i < VG_LIMIT_CHANGES_PER_TIME; i++) {
        last = vg_update_clock_issue(&clock, 0, 4000);
        sharing += last == 5000;
    }
    return sharing > VG_LIMIT_CHANGES_PER_TIME;
}

static void test_update_clock__first_value_after_a_start_is_new(void **state)
{
    (void)state;
    assert_false(update_clock_shares_too_much());
    vg_table_test.broken = VG_BREAK_UPDATE_CLOCK_REUSES;
    assert_true(update_clock_shares_too_much());
    vg_table_test.broken = VG_BREAK_NOTHING;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update_clock__first_value_after_a_start_is_new),
        cmocka_unit_test(test_table_model__holds_on_random_runs),
        cmocka_unit_test(test_table_model__notices_each_broken_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
