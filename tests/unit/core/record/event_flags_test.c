/* The flags of the record are those of the contract, by name and number; and how they are listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/record/event_flags.h"

#include "vigil/events/v2/flags.pb-c.h"
#include "vigil/record/v1/flags.pb-c.h"

static const struct row {
    const char *name;
    uint8_t number;
    const char *place;
    uint8_t endpoint;
} rows[] = {
#define X(name, number, place, endpoint) { #name, number, #place, endpoint },
#include "core/record/event_flags.def"
#undef X
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void test_numbers_of_the_contract(void **state)
{
    (void)state;
    const ProtobufCEnumDescriptor *stored = &vigil__record__v1__event_flag__descriptor;
    assert_int_equal(ROW_COUNT, VG_EVENT_FLAG_LAST);
    assert_int_equal(stored->n_values, ROW_COUNT + 1);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(stored, rows[i].number);
        assert_non_null(value);
        assert_string_equal(value->name + strlen("EVENT_FLAG_"), rows[i].name);
        const ProtobufCEnumValue *shown = protobuf_c_enum_descriptor_get_value(
            &vigil__events__v2__event_flag__descriptor,
            rows[i].number);
        struct vg_event_flags one = { 0 };
        uint8_t numbers[VG_EVENT_FLAG_LAST];
        vg_event_flags_set(&one, rows[i].number);
        assert_true(vg_event_flags_has(&one, rows[i].number));
        assert_int_equal(
            vg_event_flags_list(&one, &vg_event_flags_shown, numbers),
            shown != NULL ? 1 : 0);
        assert_true((strcmp(rows[i].place, "EVENT") == 0) == (shown != NULL));
        vg_event_flags_clear(&one, rows[i].number);
        assert_int_equal(one.bits[0] | one.bits[1], 0);
    }
}

static void test_endpoint_flags_of_the_contract(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].endpoint == 0) {
            continue;
        }
        assert_non_null(protobuf_c_enum_descriptor_get_value(
            &vigil__events__v2__endpoint_flag__descriptor,
            rows[i].endpoint));
        const struct vg_event_endpoint_flag *found = NULL;
        for (size_t e = 0; e < VG_EVENT_ENDPOINT_FLAG_COUNT; e++) {
            if (vg_event_endpoint_flags[e].flag == rows[i].number) {
                found = &vg_event_endpoint_flags[e];
            }
        }
        assert_non_null(found);
        assert_int_equal(found->endpoint_flag, rows[i].endpoint);
        assert_true(found->destination == (strcmp(rows[i].place, "DESTINATION") == 0));
        count++;
    }
    assert_int_equal(count, VG_EVENT_ENDPOINT_FLAG_COUNT);
}

static void test_list_ascends_over_both_words(void **state)
{
    (void)state;
    struct vg_event_flags flags = { 0 };
    static const uint8_t expected[] = { 1, 2, 60, 64, 65, 66 };
    for (size_t i = sizeof(expected); i-- > 0;) {
        vg_event_flags_set(&flags, expected[i]);
    }
    uint8_t numbers[VG_EVENT_FLAG_LAST];
    const struct vg_event_flags all = { { UINT64_MAX, UINT64_MAX } };
    assert_int_equal(vg_event_flags_list(&flags, &all, numbers), sizeof(expected));
    assert_memory_equal(numbers, expected, sizeof(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_the_contract),
        cmocka_unit_test(test_endpoint_flags_of_the_contract),
        cmocka_unit_test(test_list_ascends_over_both_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
