/* The packed sample: what goes in comes out, and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/record/sample_record.h"

static struct vg_sample_record make_record(void)
{
    struct vg_sample_record record = { .size = INT64_C(1) << 40,
                                       .created = 1755000000000,
                                       .deleted = 0,
                                       .revision = 7 };
    for (size_t i = 0; i < VG_SHA512_SIZE; i++) {
        record.sha512[i] = (uint8_t)(3 * i);
    }
    memset(record.sha256, 0xab, sizeof(record.sha256));
    memset(record.sha1, 0x01, sizeof(record.sha1));
    memset(record.md5, 0xff, sizeof(record.md5));
    return record;
}

static void test_sample_record__unpacks_what_was_packed(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 64 * 1024);
    for (int deleted = 0; deleted < 2; deleted++) {
        struct vg_sample_record record = make_record();
        record.deleted = deleted == 0 ? 0 : 1755000000001;
        struct vg_bytes bytes;
        struct vg_sample_record read;
        assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_OK);
        assert_int_equal(vg_sample_record_unpack(record.sha256, bytes, &arena, &read, NULL), VG_OK);
        assert_memory_equal(read.sha256, record.sha256, sizeof(record.sha256));
        assert_memory_equal(read.sha512, record.sha512, sizeof(record.sha512));
        assert_memory_equal(read.sha1, record.sha1, sizeof(record.sha1));
        assert_memory_equal(read.md5, record.md5, sizeof(record.md5));
        assert_int_equal(read.size, record.size);
        assert_int_equal(read.created, record.created);
        assert_int_equal(read.deleted, record.deleted);
        assert_int_equal(read.revision, record.revision);
    }
    vg_arena_dispose(&arena);
}

static void check_verdict(
    const struct vg_sample_verdict *read,
    const struct vg_sample_verdict *made)
{
    assert_int_equal(read->created, made->created);
    assert_int_equal(read->score, made->score);
    assert_int_equal(read->status_override, made->status_override);
    assert_int_equal(read->flags, made->flags);
    assert_int_equal(read->user_id, made->user_id);
    assert_true(vg_bytes_equal(read->comment, made->comment));
}

static void test_sample_record__keeps_times_and_verdicts(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 64 * 1024);
    const uint32_t marks[] = { vg_sample_verdict_mark(100, 2), vg_sample_verdict_mark(-1, 0) };
    struct vg_sample_record record = make_record();
    struct vg_sample_record read;
    struct vg_bytes bytes;
    record.first_submitted = 1755000000010;
    record.last_submitted = 1755000000020;
    record.first_observed = 0; /* 1970 is a time like any other */
    record.last_observed = 1755000000005;
    record.purged_until = UINT64_C(1) << 40;
    record.verdict_count = 3;
    record.verdict_marks = marks;
    record.verdict_mark_count = 2;
    record.latest_verdict = (struct vg_sample_verdict){ .created = 1755000000030,
                                                        .score = 100,
                                                        .status_override = 1,
                                                        .flags = 1u << 1 | 1u << 3,
                                                        .comment = vg_bytes_text("ond\xc3\xa5"),
                                                        .user_id = 7 };
    assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_OK);
    assert_int_equal(vg_sample_record_unpack(record.sha256, bytes, &arena, &read, NULL), VG_OK);
    assert_int_equal(read.first_submitted, record.first_submitted);
    assert_int_equal(read.last_submitted, record.last_submitted);
    assert_int_equal(read.first_observed, record.first_observed);
    assert_int_equal(read.last_observed, record.last_observed);
    assert_int_equal(read.purged_until, record.purged_until);
    assert_int_equal(read.verdict_count, 3);
    assert_int_equal(read.verdict_mark_count, 2);
    assert_memory_equal(read.verdict_marks, marks, sizeof(marks));
    check_verdict(&read.latest_verdict, &record.latest_verdict);

    struct vg_sample_verdict verdict = record.latest_verdict;
    verdict.status_override = 0;
    verdict.score = -1;
    verdict.flags = 0;
    struct vg_sample_verdict verdict_read;
    assert_int_equal(vg_sample_verdict_pack(&verdict, &arena, &bytes, NULL), VG_OK);
    assert_int_equal(vg_sample_verdict_unpack(bytes, &arena, &verdict_read, NULL), VG_OK);
    check_verdict(&verdict_read, &verdict);
    assert_int_equal(
        vg_sample_verdict_unpack(vg_bytes(bytes.data, bytes.size - 1), &arena, &verdict_read, NULL),
        VG_STORE_CORRUPT);
    vg_arena_dispose(&arena);
}

static void test_sample_record__is_malicious_by_its_newest_verdict(void **state)
{
    (void)state;
    static const struct {
        uint32_t count;
        int32_t score;
        int32_t status_override;
        bool malicious;
    } cases[] = {
        { 0, 100, 1, false }, { 1, 100, 1, true }, { 1, 0, 2, false },  { 1, 79, 0, false },
        { 1, 80, 0, true },   { 1, 0, 1, true },   { 2, -1, 0, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vg_sample_record record = make_record();
        record.verdict_count = cases[i].count;
        record.latest_verdict.score = cases[i].score;
        record.latest_verdict.status_override = cases[i].status_override;
        assert_int_equal(vg_sample_is_malicious(&record), cases[i].malicious);
    }
}

static void test_sample_record__refuses_what_is_damaged(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 4 * 1024 * 1024);
    struct vg_sample_record record = make_record();
    struct vg_sample_record read;
    struct vg_bytes bytes;
    assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_OK);
    for (size_t size = 0; size < 2 * VG_SHA256_SIZE; size++) {
        assert_int_equal(
            vg_sample_record_unpack(record.sha256, vg_bytes(bytes.data, size), &arena, &read, NULL),
            VG_STORE_CORRUPT);
    }
    uint8_t other[VG_SHA256_SIZE] = { 0 };
    assert_int_equal(vg_sample_record_unpack(other, bytes, &arena, &read, NULL), VG_STORE_CORRUPT);
    vg_arena_dispose(&arena);
    vg_arena_init(&arena, 16);
    assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_REQUEST_MEMORY);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_record__unpacks_what_was_packed),
        cmocka_unit_test(test_sample_record__keeps_times_and_verdicts),
        cmocka_unit_test(test_sample_record__is_malicious_by_its_newest_verdict),
        cmocka_unit_test(test_sample_record__refuses_what_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
