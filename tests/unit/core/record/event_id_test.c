/* The text of an event's identity and its store key (events-api.md 1.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/record/event_id.h"

#define UUID "1679fbfc-1792-4992-8428-3cb4df642fa8"

static const struct {
    const char *text;
    const char *canonical; /* NULL = not OK */
    enum vg_event_id_form form;
} rows[] = {
    { "AGGR/1570715141521/1/" UUID, "AGGR/1570715141521/1/" UUID, VG_EVENT_ID_FORM_OK },
    { "AGGRATTACK/1570715141521/1/" UUID, "AGGR/1570715141521/1/" UUID, VG_EVENT_ID_FORM_OK },
    { "RAW/0/1/" UUID, "RAW/0/1/" UUID, VG_EVENT_ID_FORM_OK },
    { "NIDS/0/1/" UUID, "RAW/0/1/" UUID, VG_EVENT_ID_FORM_OK },
    { "AGGR/1/1/1679FBFC-1792-4992-8428-3CB4DF642FA8", "AGGR/1/1/" UUID, VG_EVENT_ID_FORM_OK },
    { "AGGR/253402300799999/9223372036854775807/" UUID,
      "AGGR/253402300799999/9223372036854775807/" UUID,
      VG_EVENT_ID_FORM_OK },
    { "AGGR/253402300800000/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/9223372036854775808/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/0/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/-1/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/now/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/2019-10-05T15:07:10Z/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/demo/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "aggr/1/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "EVENT/1/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR /1/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { " AGGR/1/1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/1/" UUID " ", NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/1/" UUID "/", NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/1/", NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/1", NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR//1/" UUID, NULL, VG_EVENT_ID_FORM_WRONG },
    { "", NULL, VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/1/abc-1", NULL, VG_EVENT_ID_FORM_FOREIGN },
    { "AGGR/1/1/1679fbfc179249928428-3cb4df642fa8", NULL, VG_EVENT_ID_FORM_FOREIGN },
    { "AGGR/1/1/0123456789012345678901234567890123456789012345678901234567890123",
      NULL,
      VG_EVENT_ID_FORM_FOREIGN },
    { "AGGR/1/1/01234567890123456789012345678901234567890123456789012345678901234",
      NULL,
      VG_EVENT_ID_FORM_WRONG },
    { "AGGR/1/1/a_b", NULL, VG_EVENT_ID_FORM_WRONG },
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_id id;
        memset(&id, 0xAA, sizeof(id));
        struct vg_event_id before = id;
        enum vg_event_id_form form = vg_event_id_parse(vg_bytes_text(rows[i].text), &id);
        if (form != rows[i].form) {
            fail_msg("%s: form %d", rows[i].text, form);
        }
        if (rows[i].canonical == NULL) {
            assert_memory_equal(&id, &before, sizeof(id));
            continue;
        }
        char text[VG_EVENT_ID_TEXT_SIZE];
        size_t size = vg_event_id_print(&id, text);
        assert_string_equal(text, rows[i].canonical);
        assert_int_equal(size, strlen(text));
    }
}

static void test_longest_text_fits(void **state)
{
    (void)state;
    struct vg_event_id id = {
        .type = VG_EVENT_TYPE_AGGREGATED,
        .timestamp = VG_TIME_MAX,
        .customer_id = INT64_MAX,
    };
    char text[VG_EVENT_ID_TEXT_SIZE];
    assert_true(vg_event_id_print(&id, text) < sizeof(text));
}

static void test_keys(void **state)
{
    (void)state;
    struct vg_event_id id;
    assert_int_equal(
        vg_event_id_parse(vg_bytes_text("RAW/1570715141521/7/" UUID), &id),
        VG_EVENT_ID_FORM_OK);
    struct vg_key key;
    vg_event_id_key(&id, &key);
    assert_false(key.failed);
    struct vg_event_id back = { 0 };
    assert_true(vg_event_id_from_key(vg_key_bytes(&key), &back));
    assert_int_equal(back.type, id.type);
    assert_true(back.timestamp == id.timestamp && back.customer_id == id.customer_id);
    assert_memory_equal(back.uuid.bytes, id.uuid.bytes, sizeof(id.uuid.bytes));

    struct vg_key payload;
    vg_event_id_payload_key(&id, &payload);
    assert_false(vg_bytes_equal(vg_key_bytes(&key), vg_key_bytes(&payload)));
    assert_false(vg_event_id_from_key(vg_key_bytes(&payload), &back));
    assert_false(vg_event_id_from_key(vg_bytes(key.data, (size_t)key.size - 1), &back));

    struct vg_event_identity foreign = { .timestamp = 1, .customer = 1, .type = 3 };
    vg_key_event(&key, &foreign);
    assert_false(vg_event_id_from_key(vg_key_bytes(&key), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_longest_text_fits),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
