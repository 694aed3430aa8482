#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/grpc/grpc_status.h"
#include "rpc/service/metadata.h"

static const struct vg_http_header *find(
    const struct vg_http_header *trailers,
    size_t count,
    const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (vg_bytes_equal(trailers[i].name, vg_bytes_text(name))) {
            return &trailers[i];
        }
    }
    return NULL;
}

static void test_grpc_status__encodes_messages_and_back(void **state)
{
    (void)state;
    const struct {
        const char *plain;
        const char *encoded;
    } rows[] = {
        { "plain words", "plain words" },
        { "100%", "100%25" },
        { "\xE2\x82\xAC", "%E2%82%AC" },
        { "a\nb\r\tc", "a%0Ab%0D%09c" },
        { "\x7F", "%7F" },
        { "~ ", "~ " },
        { "", "" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_buffer out;
        vg_buffer_init(&out, 1000);
        vg_grpc_status_encode_message(vg_bytes_text(rows[i].plain), &out);
        assert_true(vg_bytes_equal(vg_buffer_bytes(&out), vg_bytes_text(rows[i].encoded)));
        char back[100];
        vg_grpc_status_decode_message(vg_buffer_bytes(&out), back, sizeof(back));
        assert_string_equal(back, rows[i].plain);
        vg_buffer_dispose(&out);
    }
}

static void test_grpc_status__decoding_never_fails(void **state)
{
    (void)state;
    char back[8];
    vg_grpc_status_decode_message(vg_bytes_text("%"), back, sizeof(back));
    assert_string_equal(back, "%");
    vg_grpc_status_decode_message(vg_bytes_text("%4"), back, sizeof(back));
    assert_string_equal(back, "%4");
    vg_grpc_status_decode_message(vg_bytes_text("%zz%41"), back, sizeof(back));
    assert_string_equal(back, "%zzA");
    vg_grpc_status_decode_message(vg_bytes_text("123456789"), back, sizeof(back));
    assert_string_equal(back, "1234567"); /* cut, with its NUL */
}

static void test_grpc_status__ok_is_one_trailer(void **state)
{
    (void)state;
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
    struct vg_arena arena;
    vg_arena_init(&arena, 10000);
    assert_int_equal(vg_grpc_status_trailers(VG_OK, NULL, &arena, trailers), 1);
    assert_true(vg_bytes_equal(trailers[0].name, vg_bytes_text("grpc-status")));
    assert_true(vg_bytes_equal(trailers[0].value, vg_bytes_text("0")));
    vg_arena_dispose(&arena);
}

static void read_details(
    const struct vg_http_header *trailer,
    struct vg_arena *arena,
    struct vg_grpc_details *details)
{
    struct vg_bytes text = trailer->value;
    struct vg_bytes bytes;
    assert_int_equal(vg_metadata_next_binary(&text, arena, &bytes, NULL), VG_OK);
    assert_true(vg_grpc_status_read_details(bytes, arena, details));
}

static void test_grpc_status__every_reason_travels(void **state)
{
    (void)state;
    for (int reason = 1; reason < VG_REASON_COUNT; reason++) {
        const struct vg_reason_row *row = vg_reason_row((enum vg_reason)reason);
        struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
        struct vg_arena arena;
        struct vg_error error;
        vg_arena_init(&arena, 100000);
        vg_error_init(&error, &arena);
        (void)vg_error_set(&error, (enum vg_reason)reason, NULL);
        size_t count = vg_grpc_status_trailers((enum vg_reason)reason, &error, &arena, trailers);
        char code[8];
        (void)snprintf(code, sizeof(code), "%d", row->grpc_code);
        assert_true(
            vg_bytes_equal(find(trailers, count, "grpc-status")->value, vg_bytes_text(code)));
        assert_true(
            vg_bytes_equal(find(trailers, count, "grpc-message")->value, vg_bytes_text(row->text)));
        struct vg_grpc_details details;
        read_details(find(trailers, count, "grpc-status-details-bin"), &arena, &details);
        assert_string_equal(details.reason, row->name);
        assert_int_equal(details.violation_count, 0);
        const struct vg_http_header *wait = find(trailers, count, "grpc-retry-pushback-ms");
        assert_int_equal(wait != NULL, row->retry_later);
        assert_true(wait == NULL || vg_bytes_equal(wait->value, vg_bytes_text("1000")));
        vg_arena_dispose(&arena);
    }
}

static void test_grpc_status__says_when_to_try_again(void **state)
{
    (void)state;
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
    struct vg_arena arena;
    struct vg_error error;
    vg_arena_init(&arena, 100000);
    vg_error_init(&error, &arena);
    (void)vg_error_set(&error, VG_QUOTA_EXCEEDED, NULL);
    error.retry_after_ms = 2345;
    size_t count = vg_grpc_status_trailers(VG_QUOTA_EXCEEDED, &error, &arena, trailers);
    assert_true(vg_bytes_equal(
        find(trailers, count, "grpc-retry-pushback-ms")->value,
        vg_bytes_text("2345")));
    struct vg_grpc_details details;
    read_details(find(trailers, count, "grpc-status-details-bin"), &arena, &details);
    assert_int_equal(details.retry_after_ms, 2345);
    vg_arena_dispose(&arena);
}

static void test_grpc_status__passes_on_the_code_of_others(void **state)
{
    (void)state;
    const struct {
        uint8_t code;
        const char *text;
    } rows[] = { { VG_GRPC_UNKNOWN, "2" }, { 11, "11" }, { 16, "16" }, { 17, "2" }, { 255, "2" } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
        struct vg_arena arena;
        struct vg_error error;
        vg_arena_init(&arena, 100000);
        vg_error_init(&error, &arena);
        (void)vg_error_set(&error, VG_INTERNAL, "theirs");
        error.grpc_code = rows[i].code;
        size_t count = vg_grpc_status_trailers(VG_INTERNAL, &error, &arena, trailers);
        assert_true(vg_bytes_equal(
            find(trailers, count, "grpc-status")->value,
            vg_bytes_text(rows[i].text)));
        vg_arena_dispose(&arena);
    }
}

static void test_grpc_status__details_stay_within_their_limit(void **state)
{
    (void)state;
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
    for (int wanted = 1; wanted <= VG_VIOLATIONS_MAX; wanted += 33) {
        struct vg_arena arena;
        struct vg_error error;
        vg_arena_init(&arena, 1000000);
        vg_error_init(&error, &arena);
        vg_violations_init(&error.violations, &arena);
        for (int i = 0; i < wanted; i++) {
            char field[64];
            (void)snprintf(field, sizeof(field), "events[%d].a_member_with_a_long_name", i);
            vg_violations_add(
                &error.violations,
                &(struct vg_violation){ .reason = VG_REQUIRED_FIELD, .field = field });
        }
        enum vg_reason reason = vg_error_from_violations(&error);
        size_t count = vg_grpc_status_trailers(reason, &error, &arena, trailers);
        const struct vg_http_header *trailer = find(trailers, count, "grpc-status-details-bin");
        assert_true(trailer->value.size <= VG_GRPC_STATUS_DETAILS_BYTES_MAX);
        struct vg_grpc_details details;
        read_details(trailer, &arena, &details);
        assert_true(details.violation_count >= (wanted < 30 ? (size_t)wanted : 20));
        assert_string_equal(details.violations[0].field, "events[0].a_member_with_a_long_name");
        assert_string_equal(details.violations[0].text, "The field is required");
        vg_arena_dispose(&arena);
    }
}

static void test_grpc_status__the_code_goes_out_without_memory(void **state)
{
    (void)state;
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
    struct vg_arena none;
    struct vg_error error;
    vg_arena_init(&none, 0);
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_REQUEST_MEMORY, NULL);
    assert_int_equal(vg_grpc_status_trailers(VG_REQUEST_MEMORY, &error, &none, trailers), 1);
    assert_true(vg_bytes_equal(trailers[0].value, vg_bytes_text("8")));
    vg_arena_dispose(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grpc_status__encodes_messages_and_back),
        cmocka_unit_test(test_grpc_status__decoding_never_fails),
        cmocka_unit_test(test_grpc_status__ok_is_one_trailer),
        cmocka_unit_test(test_grpc_status__every_reason_travels),
        cmocka_unit_test(test_grpc_status__says_when_to_try_again),
        cmocka_unit_test(test_grpc_status__passes_on_the_code_of_others),
        cmocka_unit_test(test_grpc_status__details_stay_within_their_limit),
        cmocka_unit_test(test_grpc_status__the_code_goes_out_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
