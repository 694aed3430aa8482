/*
 * What reader and writer may cost, in terms that do not depend on the machine: time beside cJSON on
 * the same bytes in the same run, and bytes of arena for a byte of request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "gateway/json/json_read.h"
#include "gateway/json/json_write.h"
#include "proto/contract_json.h"
#include "tools/bench/contract_bodies.h"

#define BYTES_MAX       (1u << 20)
#define READ_RATIO_MAX  0.5
#define WRITE_RATIO_MAX 0.7
#define ARENA_RATIO_MAX 3.5
#define ROUNDS          60
#define REPEATS         20

static enum vg_reason read_body(
    struct vg_bytes body,
    struct vg_arena *arena,
    ProtobufCMessage **out_message)
{
    struct vg_error error;
    vg_error_init(&error, arena);
    return vg_json_read(
        &vg_table_vigil_events_v2_submit_request,
        body,
        &vg_json_documented,
        arena,
        out_message,
        &error);
}

static void test_json_cost__a_submission_takes_little_memory(void **state)
{
    (void)state;
    static const unsigned properties[] = { 8, 25 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(properties); i++) {
        struct vg_buffer body;
        struct vg_arena arena;
        ProtobufCMessage *message;
        vg_buffer_init(&body, BYTES_MAX);
        vg_body_submission(&body, properties[i], 1);
        vg_arena_init(&arena, BYTES_MAX);
        /* One block holds everything, so what is left of it tells what was taken. */
        vg_arena_expect(&arena, 65536);
        void *first = vg_arena_alloc(&arena, 1);
        assert_non_null(first);
        size_t room = (size_t)(arena.end - arena.next);
        assert_int_equal(read_body(vg_buffer_bytes(&body), &arena, &message), VG_OK);
        size_t taken = room - (size_t)(arena.end - arena.next);
        assert_true(taken < room);
        print_message(
            "%u properties: %zu bytes of arena for %zu of body\n",
            properties[i],
            taken,
            body.size);
        assert_true((double)taken <= ARENA_RATIO_MAX * (double)body.size);
        vg_arena_dispose(&arena);
        vg_buffer_dispose(&body);
    }
}

#ifdef VG_RELEASE_BUILD
static double cpu_ns(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double least(double one, double two)
{
    return one < two ? one : two;
}

/* Minima of interleaved runs: what else the machine does falls on both. */
static void compare_costs(struct vg_bytes body, double *read_ratio, double *write_ratio)
{
    double times[4] = { 1e18, 1e18, 1e18, 1e18 };
    struct vg_arena arena;
    struct vg_arena kept;
    struct vg_buffer out;
    ProtobufCMessage *message = NULL;
    vg_arena_init(&arena, BYTES_MAX);
    vg_arena_init(&kept, BYTES_MAX);
    vg_buffer_init(&out, BYTES_MAX);
    assert_int_equal(read_body(body, &kept, &message), VG_OK);
    assert_true(vg_json_write(
        &vg_table_vigil_events_v2_submit_request,
        message,
        &vg_json_documented,
        &out));
    cJSON *tree = cJSON_ParseWithLength((const char *)out.data, out.size);
    assert_non_null(tree);
    for (int round = 0; round < ROUNDS; round++) {
        double marks[5];
        marks[0] = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            ProtobufCMessage *read;
            vg_arena_reset(&arena);
            assert_int_equal(read_body(body, &arena, &read), VG_OK);
        }
        marks[1] = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            cJSON_Delete(cJSON_ParseWithLength((const char *)body.data, body.size));
        }
        marks[2] = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            vg_buffer_clear(&out);
            assert_true(vg_json_write(
                &vg_table_vigil_events_v2_submit_request,
                message,
                &vg_json_documented,
                &out));
        }
        marks[3] = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            free(cJSON_PrintUnformatted(tree));
        }
        marks[4] = cpu_ns();
        for (int i = 0; i < 4; i++) {
            times[i] = least(times[i], marks[i + 1] - marks[i]);
        }
    }
    cJSON_Delete(tree);
    vg_buffer_dispose(&out);
    vg_arena_dispose(&arena);
    vg_arena_dispose(&kept);
    *read_ratio = times[0] / times[1];
    *write_ratio = times[2] / times[3];
}

static void test_json_cost__is_a_fraction_of_cjson(void **state)
{
    (void)state;
    static const unsigned properties[] = { 8, 25 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(properties); i++) {
        struct vg_buffer body;
        double read_ratio;
        double write_ratio;
        vg_buffer_init(&body, BYTES_MAX);
        vg_body_submission(&body, properties[i], 1);
        compare_costs(vg_buffer_bytes(&body), &read_ratio, &write_ratio);
        print_message(
            "%u properties: read %.2f of cJSON parse, write %.2f of cJSON print\n",
            properties[i],
            read_ratio,
            write_ratio);
        assert_true(read_ratio <= READ_RATIO_MAX);
        assert_true(write_ratio <= WRITE_RATIO_MAX);
        vg_buffer_dispose(&body);
    }
}
#else
static void test_json_cost__is_a_fraction_of_cjson(void **state)
{
    (void)state;
    print_message("only a release build is measured\n");
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_cost__a_submission_takes_little_memory),
        cmocka_unit_test(test_json_cost__is_a_fraction_of_cjson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
