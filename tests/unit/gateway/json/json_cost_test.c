/*
 * What the reader may cost in bytes of arena for a byte of request. What it costs in time is for
 * tools/bench/bench_contract.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/json/json_read.h"
#include "proto/contract_json.h"
#include "tools/bench/contract_bodies.h"

#define BYTES_MAX       (1u << 20)
#define ARENA_RATIO_MAX 3.5

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_cost__a_submission_takes_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
