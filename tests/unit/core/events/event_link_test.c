/* Links from templates: what the event has, percent-encoded; what it lacks, left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_link.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define T(text) vg_bytes_text(text)

static void test_templates_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *templates;
        enum vg_reason reason;
    } rows[] = {
        { "", VG_OK },
        { "  \n\t ", VG_OK },
        { "a=generic=https://x/", VG_OK },
        { "a=specific=https://x/{id}?s={signature} b=generic=https://y/", VG_OK },
        { "a=generic=https://x/?q=1&r=2", VG_OK },
        { "a", VG_CONFIG },
        { "a=generic", VG_CONFIG },
        { "a=generic=", VG_CONFIG },
        { "=generic=https://x/", VG_CONFIG },
        { "a=Generic=https://x/", VG_CONFIG },
        { "a=special=https://x/", VG_CONFIG },
        { "a=generic=https://x/{unknown}", VG_CONFIG },
        { "a=generic=https://x/{}", VG_CONFIG },
        { "a=generic=https://x/{id", VG_CONFIG },
        { "a=generic=https://x/ b", VG_CONFIG },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_error error;
        vg_error_init(&error, NULL);
        assert_int_equal(vg_event_link_check(rows[i].templates, &error), rows[i].reason);
    }
}

static struct vg_event_record make_record(void)
{
    struct vg_event_record record;
    vg_event_record_init(&record);
    assert_int_equal(vg_event_id_parse(T("RAW/1570/7/" UUID), &record.id), VG_EVENT_ID_FORM_OK);
    record.signature = T("SIG 1/\xc3\xb8&~");
    assert_true(vg_network_parse(T("10.1.0.0/16"), &record.source.network));
    return record;
}

static void test_links_of_an_event(void **state)
{
    (void)state;
    static const struct {
        const char *templates;
        const char *uri; /* NULL = no link */
        enum vg_event_link_type type;
    } rows[] = {
        { "n=generic=https://x/", "https://x/", VG_EVENT_LINK_GENERIC },
        { "n=specific=h://{id}/", "h://RAW%2F1570%2F7%2F" UUID "/", VG_EVENT_LINK_SPECIFIC },
        { "n=specific={type}-{timestamp}-{customerID}", "RAW-1570-7", VG_EVENT_LINK_SPECIFIC },
        { "n=specific={eventID}", UUID, VG_EVENT_LINK_SPECIFIC },
        { "n=specific=?{signature}", "?SIG%201%2F%C3%B8%26~", VG_EVENT_LINK_SPECIFIC },
        { "n=specific={sourceAddress}", "10.1.0.0%2F16", VG_EVENT_LINK_SPECIFIC },
        { "n=specific={destinationAddress}", NULL, VG_EVENT_LINK_SPECIFIC },
        { "n=specific={domain}", NULL, VG_EVENT_LINK_SPECIFIC },
    };
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_event_record record = make_record();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_link *links = NULL;
        size_t count = 9;
        assert_int_equal(
            vg_event_link_make(rows[i].templates, &record, &arena, &links, &count),
            VG_OK);
        assert_int_equal(count, rows[i].uri != NULL);
        if (rows[i].uri != NULL) {
            assert_string_equal(links[0].uri, rows[i].uri);
            assert_int_equal(links[0].type, rows[i].type);
            assert_true(vg_bytes_equal(links[0].name, T("n")));
        }
    }
    vg_arena_dispose(&arena);
}

static void test_links_keep_the_order_of_the_templates(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_event_record record = make_record();
    struct vg_event_link *links = NULL;
    size_t count = 0;
    assert_int_equal(
        vg_event_link_make(
            " b=generic=1 gone=generic={domain}\n a=specific=2",
            &record,
            &arena,
            &links,
            &count),
        VG_OK);
    assert_int_equal(count, 2);
    assert_string_equal(links[0].uri, "1");
    assert_string_equal(links[1].uri, "2");
    assert_true(vg_bytes_equal(links[1].name, T("a")));
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates_are_checked),
        cmocka_unit_test(test_links_of_an_event),
        cmocka_unit_test(test_links_keep_the_order_of_the_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
