/* Remembered answers: to whom, to what, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/record/idempotent_answer.h"

#define NOW INT64_C(1700000000000)

static struct vg_idempotent_request request_of(int64_t user_id, const char *method, uint8_t digest)
{
    struct vg_idempotent_request request = {
        .user_id = user_id,
        .method = vg_bytes_text(method),
        .now = NOW,
    };
    memset(request.sha256, digest, sizeof(request.sha256));
    return request;
}

static void test_idempotent_answer__is_recalled_by_the_same_request(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 16);
    const struct vg_idempotent_request first = request_of(7, "/a.B/C", 1);
    struct vg_bytes record;
    assert_int_equal(
        vg_idempotent_answer_pack(&first, vg_bytes_text("answer"), &arena, &record),
        VG_OK);
    const struct {
        struct vg_idempotent_request request;
        int64_t later_ms;
        enum vg_reason reason;
        bool outdated;
    } rows[] = {
        { request_of(7, "/a.B/C", 1), 0, VG_OK, false },
        { request_of(7, "/a.B/C", 1), -1, VG_OK, false }, /* a clock that went back */
        { request_of(7, "/a.B/C", 1), VG_IDEMPOTENT_ANSWER_KEPT_MS - 1, VG_OK, false },
        { request_of(7, "/a.B/C", 1), VG_IDEMPOTENT_ANSWER_KEPT_MS, VG_OK, true },
        { request_of(7, "/a.B/C", 2), 0, VG_IDEMPOTENCY_KEY_REUSED, false },
        { request_of(7, "/a.B/D", 1), 0, VG_IDEMPOTENCY_KEY_REUSED, false },
        /* Nothing is remembered of another request either once it is outdated. */
        { request_of(7, "/a.B/D", 2), VG_IDEMPOTENT_ANSWER_KEPT_MS, VG_OK, true },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_idempotent_request asked = rows[i].request;
        struct vg_bytes answer = { 0 };
        bool outdated = false;
        asked.now += rows[i].later_ms;
        assert_int_equal(
            vg_idempotent_answer_recall(&asked, record, &arena, &answer, &outdated),
            rows[i].reason);
        assert_int_equal(outdated, rows[i].outdated);
        assert_int_equal(vg_idempotent_answer_is_outdated(record, asked.now), rows[i].outdated);
        bool has_answer = rows[i].reason == VG_OK && !rows[i].outdated;
        assert_int_equal(answer.data != NULL, has_answer);
        assert_true(!has_answer || vg_bytes_equal(answer, vg_bytes_text("answer")));
    }
    vg_arena_dispose(&arena);
}

static void test_idempotent_answer__keys_are_of_one_user(void **state)
{
    (void)state;
    char longest[VG_LIMIT_IDEMPOTENCY_KEY_BYTES];
    struct vg_key keys[4];
    memset(longest, 'k', sizeof(longest));
    vg_idempotent_answer_key(&keys[0], 7, vg_bytes_text("key"));
    vg_idempotent_answer_key(&keys[1], 8, vg_bytes_text("key"));
    vg_idempotent_answer_key(&keys[2], 7, vg_bytes(longest, sizeof(longest)));
    vg_idempotent_answer_key(&keys[3], 7, vg_bytes(longest, sizeof(longest) - 1));
    for (size_t i = 0; i < 4; i++) {
        uint8_t hash[VG_KEY_HASH_SIZE];
        assert_true(vg_key_parse_idempotency(vg_key_bytes(&keys[i]), hash));
        for (size_t other = 0; other < i; other++) {
            assert_false(vg_bytes_equal(vg_key_bytes(&keys[i]), vg_key_bytes(&keys[other])));
        }
    }
}

static void test_idempotent_answer__nonsense_is_corruption(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 16);
    const struct vg_idempotent_request asked = request_of(7, "/a.B/C", 1);
    static const char *const rows[] = { "", "nonsense", "\x0a\x01x" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_bytes answer = { 0 };
        bool outdated = false;
        assert_int_equal(
            vg_idempotent_answer_recall(&asked, vg_bytes_text(rows[i]), &arena, &answer, &outdated),
            VG_STORE_CORRUPT);
        assert_false(vg_idempotent_answer_is_outdated(vg_bytes_text(rows[i]), INT64_MAX));
    }
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idempotent_answer__is_recalled_by_the_same_request),
        cmocka_unit_test(test_idempotent_answer__keys_are_of_one_user),
        cmocka_unit_test(test_idempotent_answer__nonsense_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
