/* The challenge protocol as a state machine: ranges, the vectors, and random histories beside a
 * plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "core/base/hex.h"
#include "core/samples/challenge.h"

#define LIFETIME_MS 1000u

static void test_challenge__ranges_lie_in_the_file_and_keep_their_limits(void **state)
{
    (void)state;
    static const int64_t sizes[] = {
        512,
        513,
        1023,
        1024,
        4096,
        1048575,
        1048576,
        1048577,
        5000000,
        INT64_C(3) << 30,
        INT64_C(1) << 40,
    };
    struct vg_random_seeded seeded;
    vg_random_seeded_init(&seeded, 7);
    for (size_t i = 0; i < VG_ARRAY_COUNT(sizes); i++) {
        int64_t most = sizes[i] < 1048576 ? sizes[i] : 1048576;
        bool shortest = false;
        bool moved = false;
        for (unsigned n = 0; n < 5000; n++) {
            struct vg_challenge_range range = vg_challenge_draw(&seeded.random, sizes[i]);
            assert_in_range(range.length, 512, most);
            assert_true(range.offset <= INT32_MAX);
            assert_true((int64_t)range.offset + range.length <= sizes[i]);
            shortest = shortest || range.length < 512 + (most - 512) / 8 + 1;
            moved = moved || range.offset > 0;
        }
        assert_true(shortest);
        assert_true(moved || sizes[i] == 512);
    }
    vg_random_seeded_dispose(&seeded);
}

static void make_file(uint8_t bytes[4096])
{
    for (unsigned i = 0; i < 4096; i++) {
        bytes[i] = (uint8_t)i;
    }
}

/* The proof of each vector is accepted for its range, its neighbour's is not. */
static void check_vector(const cJSON *vector, const uint8_t *file)
{
    struct vg_challenge_range range = {
        .offset = (uint32_t)cJSON_GetObjectItem(vector, "offset")->valuedouble,
        .length = (uint32_t)cJSON_GetObjectItem(vector, "length")->valuedouble,
    };
    uint8_t proof[VG_SHA256_SIZE];
    vg_digest_sha256(vg_bytes(file + range.offset, range.length), proof);
    struct vg_challenge challenge = vg_challenge_make(1, range, proof, 0, LIFETIME_MS);
    struct vg_challenge_attempt attempt = { .user_id = 1 };
    const char *token = cJSON_GetObjectItem(vector, "token")->valuestring;
    assert_true(vg_hex_decode(vg_bytes_text(token), attempt.proof));
    assert_int_equal(vg_challenge_try(&challenge, &attempt, 0), VG_CHALLENGE_ACCEPT);
    attempt.proof[31] ^= 1;
    assert_int_equal(vg_challenge_try(&challenge, &attempt, 0), VG_CHALLENGE_BURN);
}

static void test_challenge__the_vectors_are_accepted(void **state)
{
    (void)state;
    const char *shared = secure_getenv("VIGIL_SHARED");
    char path[512];
    (void)snprintf(
        path,
        sizeof(path),
        "%s/fixtures/sampledb/challenge-vectors.synth.json",
        shared == NULL ? "../shared" : shared);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_message("skipped: %s is not there; VIGIL_SHARED names its folder\n", path);
        skip();
    }
    char text[8192];
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    cJSON *document = cJSON_Parse(text);
    assert_non_null(document);
    const cJSON *cases = cJSON_GetObjectItem(document, "cases");
    assert_int_equal(cJSON_GetArraySize(cases), 6);
    uint8_t bytes[4096];
    make_file(bytes);
    const cJSON *vector;
    cJSON_ArrayForEach(vector, cases)
    {
        check_vector(vector, bytes);
    }
    cJSON_Delete(document);
}

/* ------------------------------------------------------------------------------------- histories
 */

/* What a challenge is to the model: words, no digests. */
enum model_state { MODEL_OPEN, MODEL_SPENT, MODEL_GONE };
struct model {
    enum model_state state;
    int64_t user;
    vg_time expires;
    unsigned sent;
    unsigned meant;
    struct vg_challenge real;
};

static void fill(uint8_t digest[VG_SHA256_SIZE], unsigned number)
{
    memset(digest, 0, VG_SHA256_SIZE);
    memcpy(digest, &number, sizeof(number));
}

static enum vg_challenge_outcome expected(
    const struct model *model,
    int64_t user,
    bool right,
    unsigned sent,
    unsigned meant,
    vg_time now)
{
    if (model->user != user || now >= model->expires) {
        return VG_CHALLENGE_REFUSE;
    }
    if (model->state == MODEL_OPEN) {
        return right ? VG_CHALLENGE_ACCEPT : VG_CHALLENGE_BURN;
    }
    bool same = right && (model->sent == sent || model->meant == meant);
    return same ? VG_CHALLENGE_REPLAY : VG_CHALLENGE_REFUSE;
}

/* One attempt on one challenge; a spent one must never be accepted again. */
static void step(struct vg_random *random, struct model *model, vg_time now, unsigned *accepted)
{
    int64_t user = (int64_t)vg_random_below(random, 3);
    bool right = vg_random_below(random, 3) != 0;
    unsigned sent = (unsigned)vg_random_below(random, 3);
    unsigned meant = (unsigned)vg_random_below(random, 3);
    struct vg_challenge_attempt attempt = { .user_id = user };
    fill(attempt.proof, right ? 77 : 78);
    fill(attempt.sent, sent);
    fill(attempt.meant, meant);
    enum vg_challenge_outcome outcome = vg_challenge_try(&model->real, &attempt, now);
    assert_int_equal(outcome, expected(model, user, right, sent, meant, now));
    if (outcome == VG_CHALLENGE_BURN) {
        model->state = MODEL_GONE;
    } else if (outcome == VG_CHALLENGE_ACCEPT) {
        struct vg_uuid id = { .bytes = { 1 } };
        vg_challenge_spend(&model->real, &attempt, sent == 0 ? NULL : &id);
        assert_int_equal(model->real.stored, sent != 0);
        model->state = MODEL_SPENT;
        model->sent = sent;
        model->meant = meant;
        ++*accepted;
    }
}

static void test_challenge__random_histories_are_those_of_the_model(void **state)
{
    (void)state;
    struct vg_random_seeded seeded;
    vg_random_seeded_init(&seeded, 11);
    unsigned accepted_all = 0;
    uint8_t proof[VG_SHA256_SIZE];
    fill(proof, 77);
    for (unsigned round = 0; round < 5000; round++) {
        vg_time now = (vg_time)vg_random_below(&seeded.random, 100000);
        struct model model = { .user = (int64_t)vg_random_below(&seeded.random, 3),
                               .expires = now + LIFETIME_MS };
        model.real = vg_challenge_make(
            model.user,
            (struct vg_challenge_range){ 0, 512 },
            proof,
            now,
            LIFETIME_MS);
        if (round % 2 == 0) {
            model.real.state = VG_CHALLENGE_SOLVED;
        }
        unsigned accepted = 0;
        for (unsigned n = 0; n < 12 && model.state != MODEL_GONE; n++) {
            /* Clocks go back as well. */
            now += (vg_time)vg_random_below(&seeded.random, 400) - 100;
            step(&seeded.random, &model, now, &accepted);
        }
        assert_true(accepted <= 1);
        accepted_all += accepted;
    }
    assert_true(accepted_all > 500);
    vg_random_seeded_dispose(&seeded);
}

static void test_challenge__it_lives_until_its_lifetime_and_not_at_it(void **state)
{
    (void)state;
    uint8_t proof[VG_SHA256_SIZE] = { 1 };
    struct vg_challenge challenge =
        vg_challenge_make(1, (struct vg_challenge_range){ 0, 512 }, proof, 5000, LIFETIME_MS);
    struct vg_challenge_attempt attempt = { .user_id = 1, .proof = { 1 } };
    assert_int_equal(vg_challenge_try(&challenge, &attempt, 5999), VG_CHALLENGE_ACCEPT);
    assert_int_equal(vg_challenge_try(&challenge, &attempt, 6000), VG_CHALLENGE_REFUSE);
}

/* ----------------------------------------------------------------------------------------- open */

static struct vg_uuid id_of(unsigned number)
{
    struct vg_uuid id = { .bytes = { 0 } };
    memcpy(id.bytes, &number, sizeof(number));
    return id;
}

static void test_challenge__the_oldest_of_too_many_open_ones_is_dropped(void **state)
{
    (void)state;
    struct vg_challenge_open open = { .count = 0 };
    struct vg_uuid dropped;
    for (unsigned i = 0; i < VG_CHALLENGE_OPEN_MAX; i++) {
        struct vg_uuid id = id_of(i);
        assert_false(vg_challenge_open_add(&open, &id, 100 + i, 0, &dropped));
    }
    struct vg_uuid next = id_of(1000);
    struct vg_uuid first = id_of(0);
    assert_true(vg_challenge_open_add(&open, &next, 5000, 0, &dropped));
    assert_memory_equal(&dropped, &first, sizeof(dropped));
    assert_int_equal(open.count, VG_CHALLENGE_OPEN_MAX);
    /* Those that have expired make room by themselves. */
    next = id_of(1001);
    assert_false(vg_challenge_open_add(&open, &next, 5000, 150, &dropped));
    assert_int_equal(open.count, VG_CHALLENGE_OPEN_MAX - 50 + 1);
    vg_challenge_open_remove(&open, &next);
    vg_challenge_open_remove(&open, &next);
    assert_int_equal(open.count, VG_CHALLENGE_OPEN_MAX - 50);
}

static void test_challenge__records_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1 << 20);
    struct vg_challenge written = { .state = VG_CHALLENGE_SPENT,
                                    .user_id = 5,
                                    .offset = 6,
                                    .length = 512,
                                    .proof = { 1 },
                                    .expires = 99,
                                    .sent = { 2 },
                                    .meant = { 3 },
                                    .stored = true,
                                    .submission = id_of(4) };
    struct vg_challenge read;
    struct vg_bytes bytes;
    memset(&read, 0, sizeof(read));
    assert_int_equal(vg_challenge_record_pack(&written, &arena, &bytes), VG_OK);
    assert_int_equal(vg_challenge_record_unpack(bytes, &arena, &read), VG_OK);
    assert_int_equal(read.state, VG_CHALLENGE_SPENT);
    assert_true(read.user_id == 5 && read.offset == 6 && read.length == 512 && read.stored);
    assert_true(read.proof[0] == 1 && read.sent[0] == 2 && read.meant[0] == 3);
    assert_true(read.expires == 99 && read.submission.bytes[0] == 4);
    for (size_t size = 0; size < bytes.size; size++) {
        (void)!vg_challenge_record_unpack(vg_bytes(bytes.data, size), &arena, &read);
    }
    struct vg_challenge_open open = { .count = 2 };
    struct vg_challenge_open again;
    open.items[1].id = id_of(9);
    open.items[1].expires = 7;
    assert_int_equal(vg_challenge_open_pack(&open, &arena, &bytes), VG_OK);
    assert_int_equal(vg_challenge_open_unpack(bytes, &arena, &again), VG_OK);
    assert_true(again.count == 2 && again.items[1].id.bytes[0] == 9);
    assert_true(again.items[1].expires == 7);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenge__ranges_lie_in_the_file_and_keep_their_limits),
        cmocka_unit_test(test_challenge__the_vectors_are_accepted),
        cmocka_unit_test(test_challenge__random_histories_are_those_of_the_model),
        cmocka_unit_test(test_challenge__it_lives_until_its_lifetime_and_not_at_it),
        cmocka_unit_test(test_challenge__the_oldest_of_too_many_open_ones_is_dropped),
        cmocka_unit_test(test_challenge__records_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
