/* Changes of samples that are there: verdicts, deletion, and what may be removed afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/ingest/ingest_wait.h"
#include "core/samples/sample_change.h"
#include "tests/unit/core/samples/samples_fixture.h"

#define MALICIOUS SAMPLES_FIXTURE_MALICIOUS
#define BENIGN    SAMPLES_FIXTURE_BENIGN

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

static enum vg_reason say_purged(struct samples_fixture *f, uint64_t until)
{
    struct vg_sample_purged purged;
    struct vg_ingest_wait wait;
    bool refused;
    vg_ingest_wait_init(&wait);
    vg_sample_change_purged(&wait.group, &purged, f->sample, until);
    assert_int_equal(vg_ingest_wait_run(f->ingest, &wait, &refused, NULL), VG_OK);
    vg_ingest_wait_dispose(&wait);
    return purged.change.item.reason;
}

static enum vg_reason remove_submission(
    struct samples_fixture *f,
    const struct vg_submission_record *record,
    uint64_t until)
{
    struct vg_submission_removal removal;
    struct vg_submission_id id;
    struct vg_ingest_wait wait;
    bool refused;
    memcpy(id.sample, record->sample, sizeof(id.sample));
    memcpy(id.uuid, record->id.bytes, sizeof(id.uuid));
    vg_ingest_wait_init(&wait);
    vg_sample_change_remove_submission(&wait.group, &removal, &id, until);
    assert_int_equal(vg_ingest_wait_run(f->ingest, &wait, &refused, NULL), VG_OK);
    vg_ingest_wait_dispose(&wait);
    return removal.item.reason;
}

static void test_sample_change__a_verdict_is_the_newest(void **state)
{
    struct samples_fixture *f = *state;
    assert_int_equal(samples_fixture_judge(f, MALICIOUS, "a trojan"), VG_OK);
    struct vg_sample_record record = samples_fixture_record(f);
    assert_int_equal(record.verdict_count, 1);
    assert_int_equal(record.latest_verdict.score, VG_VERDICT_SCORE_MALICIOUS);
    assert_int_equal(record.latest_verdict.status_override, MALICIOUS);
    assert_int_equal(record.latest_verdict.created, SAMPLES_FIXTURE_NOW);
    assert_int_equal(record.latest_verdict.user_id, 10);
    assert_string_equal((const char *)record.latest_verdict.comment.data, "a trojan");
    assert_int_equal(record.verdict_mark_count, 1);
    assert_true(vg_sample_is_malicious(&record));
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_REVIEW), 1);

    /* The same again has the same mark; another one is another. */
    samples_fixture_later(f, 1000);
    assert_int_equal(samples_fixture_judge(f, MALICIOUS, "still"), VG_OK);
    record = samples_fixture_record(f);
    assert_int_equal(record.verdict_count, 2);
    assert_int_equal(record.verdict_mark_count, 1);
    assert_int_equal(record.latest_verdict.created, SAMPLES_FIXTURE_NOW + 1000);
    assert_int_equal(samples_fixture_judge(f, BENIGN, "mistaken"), VG_OK);
    record = samples_fixture_record(f);
    assert_int_equal(record.verdict_mark_count, 2);
    assert_int_equal(record.latest_verdict.score, VG_VERDICT_SCORE_BENIGN);
    assert_false(vg_sample_is_malicious(&record));
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_VERDICT), 3);
}

static void test_sample_change__a_verdict_is_not_older_than_the_one_before(void **state)
{
    struct samples_fixture *f = *state;
    assert_int_equal(samples_fixture_judge(f, MALICIOUS, "one"), VG_OK);
    vg_clock_manual_set(&f->clock, SAMPLES_FIXTURE_NOW - 5000);
    assert_int_equal(samples_fixture_judge(f, BENIGN, "two"), VG_OK);
    struct vg_sample_record record = samples_fixture_record(f);
    assert_int_equal(record.verdict_count, 2);
    assert_int_equal(record.latest_verdict.created, SAMPLES_FIXTURE_NOW);
    assert_string_equal((const char *)record.latest_verdict.comment.data, "two");
}

static void test_sample_change__what_is_not_there_is_not_changed(void **state)
{
    struct samples_fixture *f = *state;
    memset(f->sample, 0xcd, sizeof(f->sample));
    assert_int_equal(samples_fixture_judge(f, MALICIOUS, "what"), VG_SAMPLE_NOT_FOUND);
    assert_int_equal(samples_fixture_delete(f), VG_SAMPLE_NOT_FOUND);
    assert_int_equal(say_purged(f, 1), VG_SAMPLE_NOT_FOUND);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SAMPLE), 1);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_VERDICT), 0);
}

/* So many verdicts in one batch; all must be taken. */
static void judge_often(struct samples_fixture *f, size_t count)
{
    struct vg_sample_judgement *judgements = calloc(count, sizeof(*judgements));
    struct vg_ingest_wait wait;
    bool refused;
    assert_non_null(judgements);
    vg_ingest_wait_init(&wait);
    for (size_t i = 0; i < count; i++) {
        judgements[i].verdict.status_override = BENIGN;
        judgements[i].verdict.comment = vg_bytes_text("again");
        vg_sample_change_judge(&wait.group, &judgements[i], f->sample);
    }
    assert_int_equal(vg_ingest_wait_run(f->ingest, &wait, &refused, NULL), VG_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(judgements[i].change.item.reason, VG_OK);
    }
    vg_ingest_wait_dispose(&wait);
    free(judgements);
}

static void test_sample_change__as_many_verdicts_as_there_may_be_and_one_more(void **state)
{
    struct samples_fixture *f = *state;
    const size_t batch = 1000;
    for (size_t left = VG_LIMIT_SAMPLE_VERDICTS - 1; left > 0;) {
        size_t count = left < batch ? left : batch;
        judge_often(f, count);
        left -= count;
    }
    assert_int_equal(samples_fixture_judge(f, BENIGN, "the last"), VG_OK);
    assert_int_equal(samples_fixture_record(f).verdict_count, VG_LIMIT_SAMPLE_VERDICTS);
    assert_int_equal(samples_fixture_judge(f, MALICIOUS, "one more"), VG_RESULTSET_TOO_LARGE);
    struct vg_sample_record record = samples_fixture_record(f);
    assert_int_equal(record.verdict_count, VG_LIMIT_SAMPLE_VERDICTS);
    assert_string_equal((const char *)record.latest_verdict.comment.data, "the last");
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_VERDICT), VG_LIMIT_SAMPLE_VERDICTS);
}

static void test_sample_change__little_is_left_of_a_deleted_sample(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    assert_int_equal(samples_fixture_judge(f, MALICIOUS, "so"), VG_OK);
    samples_fixture_later(f, 2000);
    assert_int_equal(samples_fixture_delete(f), VG_OK);
    struct vg_sample_record record = samples_fixture_record(f);
    assert_int_equal(record.deleted, SAMPLES_FIXTURE_NOW + 2000);
    assert_int_equal(record.created, SAMPLES_FIXTURE_NOW);
    assert_int_equal(record.size, 4096);
    assert_memory_equal(record.sha256, f->sample, sizeof(record.sha256));
    assert_int_equal(record.purged_until, record.revision);
    assert_int_equal(record.first_submitted, 0);
    assert_int_equal(record.verdict_count, 0);
    assert_int_equal(record.verdict_mark_count, 0);
    assert_false(vg_sample_is_malicious(&record));

    /* Nothing more can be said about it, and it is not deleted anew. */
    samples_fixture_later(f, 2000);
    assert_int_equal(samples_fixture_judge(f, BENIGN, "so"), VG_SAMPLE_NOT_FOUND);
    assert_int_equal(samples_fixture_delete(f), VG_OK);
    struct vg_sample_record again = samples_fixture_record(f);
    assert_int_equal(again.deleted, record.deleted);
    assert_int_equal(again.revision, record.revision);
    assert_int_equal(again.purged_until, record.purged_until);
}

static void test_sample_change__purged_is_said_of_one_deletion(void **state)
{
    struct samples_fixture *f = *state;
    assert_int_equal(samples_fixture_delete(f), VG_OK);
    uint64_t first = samples_fixture_record(f).purged_until;
    samples_fixture_upload(f, f->sample);
    struct vg_sample_record record = samples_fixture_record(f);
    assert_int_equal(record.deleted, 0);
    assert_int_equal(record.created, SAMPLES_FIXTURE_NOW);
    assert_int_equal(record.purged_until, first); /* what it had still has to go */
    assert_int_equal(samples_fixture_delete(f), VG_OK);
    uint64_t second = samples_fixture_record(f).purged_until;
    assert_true(second > first);

    assert_int_equal(say_purged(f, first), VG_OK);
    assert_int_equal(samples_fixture_record(f).purged_until, second);
    assert_int_equal(say_purged(f, second), VG_OK);
    assert_int_equal(samples_fixture_record(f).purged_until, 0);
    assert_true(samples_fixture_record(f).deleted != 0);
}

static void test_sample_change__a_submission_goes_unless_it_is_younger(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    uint64_t revision = adding.stored.revision;
    assert_int_equal(remove_submission(f, &adding.stored, revision - 1), VG_OK);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 1);
    assert_int_equal(remove_submission(f, &adding.stored, revision), VG_OK);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 0);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 0);
    assert_int_equal(remove_submission(f, &adding.stored, revision), VG_OK); /* gone already */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_sample_change__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_verdict_is_the_newest),
        TEST(a_verdict_is_not_older_than_the_one_before),
        TEST(what_is_not_there_is_not_changed),
        TEST(as_many_verdicts_as_there_may_be_and_one_more),
        TEST(little_is_left_of_a_deleted_sample),
        TEST(purged_is_said_of_one_deletion),
        TEST(a_submission_goes_unless_it_is_younger),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
