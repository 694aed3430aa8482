/* What is left to be done for deleted samples: all they had goes, whatever comes between, and
 * nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/samples/sample_purge.h"
#include "tests/unit/core/samples/samples_fixture.h"

#define OTHER_SAMPLE 0xcd

struct fixture {
    struct samples_fixture samples;
    char folder[64];
    struct vg_blob_files *blobs;
    struct vg_sample_purge purge;
    unsigned allowed; /* times it may go on, if `is_counted` */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    samples_fixture_open(&f->samples);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/vigil-purge-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(vg_blob_files_open(f->folder, &f->blobs, NULL), VG_OK);
    f->purge = (struct vg_sample_purge){
        .source = { .table = f->samples.table,
                    .store = f->samples.base.store,
                    .snapshot_age_ms = 10000 },
        .ingest = f->samples.ingest,
        .blobs = f->blobs,
    };
    *state = f;
    return 0;
}

static void remove_file_of(struct fixture *f, int byte)
{
    uint8_t digest[VG_SHA256_SIZE];
    bool found;
    memset(digest, byte, sizeof(digest));
    vg_blob_files_lock(f->blobs, digest);
    assert_int_equal(vg_blob_files_remove(f->blobs, digest, &found, NULL), VG_OK);
    vg_blob_files_unlock(f->blobs, digest);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const folders[] = { "ab", "cd", "tmp" };
    remove_file_of(f, 0xab);
    remove_file_of(f, OTHER_SAMPLE);
    vg_blob_files_close(f->blobs);
    for (size_t i = 0; i < VG_ARRAY_COUNT(folders); i++) {
        char path[80];
        (void)snprintf(path, sizeof(path), "%s/%s", f->folder, folders[i]);
        (void)rmdir(path);
    }
    assert_int_equal(rmdir(f->folder), 0);
    samples_fixture_close(&f->samples);
    free(f);
    return 0;
}

/* The sample, with its file. */
static void upload(struct fixture *f)
{
    struct vg_blob_writer writer;
    bool is_new;
    const uint8_t *digest = f->samples.sample;
    assert_int_equal(vg_blob_writer_begin(f->blobs, 100, &writer, NULL), VG_OK);
    assert_int_equal(vg_blob_writer_append(&writer, vg_bytes_text("a file"), NULL), VG_OK);
    vg_blob_files_lock(f->blobs, digest);
    assert_int_equal(vg_blob_writer_commit(&writer, digest, &is_new, NULL), VG_OK);
    samples_fixture_upload(&f->samples, digest);
    vg_blob_files_unlock(f->blobs, digest);
}

static bool has_file(struct fixture *f)
{
    struct vg_blob_reader reader;
    bool found;
    assert_int_equal(
        vg_blob_reader_open(f->blobs, f->samples.sample, &reader, &found, NULL),
        VG_OK);
    vg_blob_reader_close(&reader);
    return found;
}

static void submit(struct fixture *f)
{
    struct vg_submission_input input = samples_fixture_input(&f->samples);
    struct vg_submission_adding adding;
    assert_int_equal(samples_fixture_add_new(&f->samples, &input, &adding), VG_SUBMISSION_STORED);
}

static uint32_t run(struct fixture *f)
{
    uint32_t purged = UINT32_MAX;
    assert_int_equal(vg_sample_purge_run(&f->purge, &purged, NULL), VG_OK);
    return purged;
}

static size_t count(struct fixture *f, enum vg_key_family family)
{
    return samples_fixture_count(&f->samples, family);
}

static void test_sample_purge__all_that_a_deleted_sample_had_goes(void **state)
{
    struct fixture *f = *state;
    struct vg_uuid id;
    upload(f);
    submit(f);
    submit(f);
    assert_int_equal(samples_fixture_issue(&f->samples, 10, 7, &id), VG_OK);
    assert_int_equal(samples_fixture_judge(&f->samples, SAMPLES_FIXTURE_BENIGN, "so"), VG_OK);
    /* Another sample's things are not touched. */
    memset(f->samples.sample, OTHER_SAMPLE, sizeof(f->samples.sample));
    upload(f);
    submit(f);
    assert_int_equal(samples_fixture_judge(&f->samples, SAMPLES_FIXTURE_BENIGN, "so"), VG_OK);
    memset(f->samples.sample, 0xab, sizeof(f->samples.sample));

    assert_int_equal(run(f), 0); /* nothing waits */
    assert_int_equal(samples_fixture_delete(&f->samples), VG_OK);
    assert_true(has_file(f));
    assert_int_equal(run(f), 1);
    assert_false(has_file(f));
    assert_int_equal(samples_fixture_record(&f->samples).purged_until, 0);
    assert_int_equal(samples_fixture_record(&f->samples).size, 4096);
    assert_int_equal(count(f, VG_KEY_FAMILY_SUBMISSION), 1);
    assert_int_equal(count(f, VG_KEY_FAMILY_VERDICT), 1);
    assert_int_equal(count(f, VG_KEY_FAMILY_CHALLENGE), 1);
    assert_int_equal(count(f, VG_KEY_FAMILY_CHALLENGE_OPEN), 0);
    assert_int_equal(samples_fixture_visible(&f->samples, &f->samples.agent), 1);
    assert_int_equal(run(f), 0);

    memset(f->samples.sample, OTHER_SAMPLE, sizeof(f->samples.sample));
    assert_true(has_file(f));
    assert_int_equal(samples_fixture_record(&f->samples).verdict_count, 1);
}

static void test_sample_purge__what_came_after_the_deletion_stays(void **state)
{
    struct fixture *f = *state;
    upload(f);
    submit(f);
    assert_int_equal(samples_fixture_judge(&f->samples, SAMPLES_FIXTURE_BENIGN, "old"), VG_OK);
    assert_int_equal(samples_fixture_delete(&f->samples), VG_OK);
    upload(f);
    submit(f);
    submit(f);
    assert_int_equal(samples_fixture_judge(&f->samples, SAMPLES_FIXTURE_MALICIOUS, "new"), VG_OK);
    assert_int_equal(run(f), 1);
    assert_true(has_file(f));
    struct vg_sample_record record = samples_fixture_record(&f->samples);
    assert_int_equal(record.deleted, 0);
    assert_int_equal(record.purged_until, 0);
    assert_int_equal(record.verdict_count, 1);
    assert_string_equal((const char *)record.latest_verdict.comment.data, "new");
    assert_int_equal(count(f, VG_KEY_FAMILY_VERDICT), 1);
    assert_int_equal(samples_fixture_visible(&f->samples, &f->samples.agent), 2);
}

static bool goes_on(void *owner)
{
    struct fixture *f = owner;
    if (f->allowed == 0) {
        return false;
    }
    f->allowed--;
    return true;
}

static void test_sample_purge__a_round_that_ended_early_is_gone_on_with(void **state)
{
    struct fixture *f = *state;
    upload(f);
    for (unsigned i = 0; i < VG_SAMPLE_PURGE_PORTION + 1; i++) {
        submit(f);
    }
    assert_int_equal(samples_fixture_judge(&f->samples, SAMPLES_FIXTURE_BENIGN, "so"), VG_OK);
    assert_int_equal(samples_fixture_delete(&f->samples), VG_OK);
    f->purge.goes_on = goes_on;
    f->purge.owner = f;
    size_t left = VG_SAMPLE_PURGE_PORTION + 1;
    bool was_cut = false;
    for (unsigned allowed = 0; left > 0 || samples_fixture_record(&f->samples).purged_until != 0;
         allowed++) {
        assert_true(allowed < 20);
        f->allowed = allowed;
        bool is_done = run(f) == 1;
        size_t now = count(f, VG_KEY_FAMILY_SUBMISSION);
        assert_true(now <= left);
        was_cut = was_cut || (now > 0 && now < left);
        left = now;
        /* It is said to be done with when it is, and not before. */
        assert_int_equal(is_done, samples_fixture_record(&f->samples).purged_until == 0);
        assert_true(!is_done || (left == 0 && !has_file(f)));
    }
    assert_true(was_cut);
    assert_int_equal(count(f, VG_KEY_FAMILY_VERDICT), 0);
    assert_int_equal(count(f, VG_KEY_FAMILY_CHALLENGE), 0);
}

static void test_sample_purge__a_round_has_so_many_samples(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < VG_SAMPLE_PURGE_ROUND + 1; i++) {
        f->samples.sample[31] = (uint8_t)i;
        f->samples.sample[30] = 1;
        samples_fixture_upload(&f->samples, f->samples.sample);
        assert_int_equal(samples_fixture_delete(&f->samples), VG_OK);
    }
    assert_int_equal(run(f), VG_SAMPLE_PURGE_ROUND);
    assert_int_equal(run(f), 1);
    assert_int_equal(run(f), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_sample_purge__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_that_a_deleted_sample_had_goes),
        TEST(what_came_after_the_deletion_stays),
        TEST(a_round_that_ended_early_is_gone_on_with),
        TEST(a_round_has_so_many_samples),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
