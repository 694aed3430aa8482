/* Errors: the table, the words of one failure, and violations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/utf8.h"

static void test_error__rows_are_complete_and_their_codes_legal(void **state)
{
    (void)state;
    assert_int_equal(vg_reason_row(VG_OK)->http_status, 200);
    for (unsigned i = 1; i < VG_REASON_COUNT; i++) {
        const struct vg_reason_row *row = vg_reason_row((enum vg_reason)i);
        assert_true(strlen(row->name) > 2);
        assert_true(strlen(row->template_key) > 2);
        assert_true(strlen(row->text) > 10);
        if (row->message_type == VG_MESSAGE_NOTIFICATION) {
            /* Said beside an answer: the call has not failed. */
            assert_in_range(row->http_status, 200, 299);
            assert_int_equal(row->grpc_code, VG_GRPC_OK);
        } else {
            assert_in_range(row->http_status, 400, 599);
            assert_in_range(row->grpc_code, VG_GRPC_CANCELLED, VG_GRPC_UNAUTHENTICATED);
        }
        /* Clients repeat 500, 503 and 504: what is no use to repeat must not be 503. */
        assert_true(row->http_status != 503 || row->retry_later);
        assert_true(row->http_status != 429); /* the interface says 402 */
        for (unsigned k = 1; k < i; k++) {
            assert_string_not_equal(row->name, vg_reason_row((enum vg_reason)k)->name);
        }
    }
    assert_string_equal(vg_reason_row(VG_EVENT_NOT_FOUND)->name, "EVENT_NOT_FOUND");
    assert_int_equal(vg_reason_row(VG_EVENT_NOT_FOUND)->grpc_code, VG_GRPC_NOT_FOUND);
    assert_int_equal(vg_reason_row(VG_INVALID_JSON)->http_status, 412);
    assert_int_equal(vg_reason_row(VG_UNKNOWN_FIELD)->message_type, VG_MESSAGE_FIELD);
}

static void test_error__says_reason_words_and_place(void **state)
{
    (void)state;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(error.reason, VG_OK);
    assert_int_equal(
        vg_error_set(&error, VG_EVENT_NOT_FOUND, "no event has the id %d", 7),
        VG_EVENT_NOT_FOUND);
    assert_string_equal(error.message, "no event has the id 7");
    assert_non_null(strstr(error.file, "error_test.c"));
    assert_true(error.line > 0);
    assert_int_equal(vg_error_field(&error, "events[2].location", "oslo"), VG_EVENT_NOT_FOUND);
    assert_int_equal(vg_error_detail(&error, "key %s", "k"), VG_EVENT_NOT_FOUND);
    assert_string_equal(error.field, "events[2].location");
    assert_string_equal(error.parameter, "oslo");
    assert_string_equal(error.detail, "key k");
    /* Set anew, nothing of the old remains. */
    assert_int_equal(vg_error_set(&error, VG_OVERLOADED, NULL), VG_OVERLOADED);
    assert_string_equal(error.message, vg_reason_row(VG_OVERLOADED)->text);
    assert_string_equal(error.field, "");
    assert_string_equal(error.parameter, "");
    assert_string_equal(error.detail, "");
    assert_int_equal(vg_error_set(NULL, VG_STORE_IO, "ignored"), VG_STORE_IO);
}

static void test_error__long_texts_are_cut_to_valid_utf8(void **state)
{
    (void)state;
    char text[600];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t at = shift; at + 4 < sizeof(text); at += 4) {
            memcpy(text + at, "\xF0\x9F\x98\x80", 5);
        }
        struct vg_error error;
        vg_error_init(&error, NULL);
        (void)vg_error_set(&error, VG_INVALID_FIELD_VALUE, "%s", text);
        (void)vg_error_field(&error, text, text);
        (void)vg_error_detail(&error, "%s", text);
        assert_true(vg_utf8_is_valid(vg_bytes_text(error.message)));
        assert_true(vg_utf8_is_valid(vg_bytes_text(error.field)));
        assert_true(vg_utf8_is_valid(vg_bytes_text(error.parameter)));
        assert_true(vg_utf8_is_valid(vg_bytes_text(error.detail)));
        assert_true(strlen(error.message) > sizeof(error.message) - 9);
    }
}

static void test_error__violations_are_kept_to_the_maximum_and_counted_beyond(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    vg_arena_init(&arena, 1 << 20);
    vg_error_init(&error, &arena);
    assert_int_equal(vg_error_from_violations(&error), VG_OK);
    for (unsigned i = 0; i < VG_VIOLATIONS_MAX + 1; i++) {
        char field[32];
        (void)snprintf(field, sizeof(field), "events[%u]", i);
        vg_violations_add(
            &error.violations,
            &(struct vg_violation){ .reason = VG_REQUIRED_FIELD, .field = field });
        memset(field, 0, sizeof(field)); /* the list has a copy */
        if (i == VG_VIOLATIONS_MAX - 1) {
            assert_int_equal(error.violations.count, VG_VIOLATIONS_MAX);
        }
    }
    assert_int_equal(error.violations.count, VG_VIOLATIONS_MAX);
    assert_int_equal(error.violations.found, VG_VIOLATIONS_MAX + 1);
    assert_string_equal(error.violations.items[99].field, "events[99]");
    assert_null(error.violations.items[99].parameter);
    assert_int_equal(vg_error_from_violations(&error), VG_REQUIRED_FIELD);
    assert_string_equal(error.field, "events[0]");
    assert_string_equal(error.message, vg_reason_row(VG_REQUIRED_FIELD)->text);
    vg_arena_dispose(&arena);
}

static void test_error__without_memory_a_violation_is_still_a_failure(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    vg_arena_init(&arena, 100);
    vg_error_init(&error, &arena);
    vg_violations_add(
        &error.violations,
        &(struct vg_violation){ .reason = VG_REQUIRED_FIELD, .field = "x" });
    assert_int_equal(error.violations.count, 0);
    assert_int_equal(vg_error_from_violations(&error), VG_REQUEST_MEMORY);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error__rows_are_complete_and_their_codes_legal),
        cmocka_unit_test(test_error__says_reason_words_and_place),
        cmocka_unit_test(test_error__long_texts_are_cut_to_valid_utf8),
        cmocka_unit_test(test_error__violations_are_kept_to_the_maximum_and_counted_beyond),
        cmocka_unit_test(test_error__without_memory_a_violation_is_still_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
