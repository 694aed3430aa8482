#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/peer_identity.h"

static void test_peer_name__reads_what_people_write(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name; /* NULL = none */
    } rows[] = {
        { "URI:spiffe://Example/Collector", "URI:spiffe://Example/Collector" },
        { "uri:x", "URI:x" },
        { "DNS:Host.Example", "DNS:host.example" },
        { "dns:*.example", "DNS:*.example" },
        { "Email:Jane.Doe@Example.COM", "email:Jane.Doe@example.com" },
        { "email:no-host", "email:no-host" },
        { "cn:Collector 7", "CN:Collector 7" },
        { "CN:H\xC3\xA9l\xC3\xA8ne", "CN:H\xC3\xA9l\xC3\xA8ne" },
        { "", NULL },
        { "URI:", NULL },
        { "host.example", NULL },
        { "IP:10.0.0.1", NULL },
        { "CN=Collector", NULL },
        { "DNS:two words", NULL },
        { "DNS:h\xC3\xA9.example", NULL },
        { "URI:a\tb", NULL },
        { "URI:a\x7F", NULL },
        { "CN: blank", NULL },
        { "CN:blank ", NULL },
        { "CN:line\nfeed", NULL },
        { "CN:c1\xC2\x85", NULL },
        { "CN:\xC3", NULL },
        { "CN:\xFF\xFE", NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_peer_name name;
        bool good = vg_peer_name_parse(vg_bytes_text(rows[i].text), &name);
        if (good != (rows[i].name != NULL)) {
            fail_msg("\"%s\" is %s", rows[i].text, good ? "a name" : "none");
        }
        if (good) {
            assert_string_equal(name.text, rows[i].name);
            assert_int_equal(name.size, strlen(rows[i].name));
        }
    }
}

/* What two programs could read differently is no name for either. */
static void test_peer_name__a_nul_within_is_none(void **state)
{
    (void)state;
    static const char text[] = "admin.example\0.evil.example";
    struct vg_bytes value = vg_bytes(text, sizeof(text) - 1);
    for (unsigned kind = 0; kind < VG_PEER_NAME_KIND_COUNT; kind++) {
        struct vg_peer_name name;
        assert_false(vg_peer_name_make((enum vg_peer_name_kind)kind, value, &name));
    }
}

static void test_peer_name__has_a_limit(void **state)
{
    (void)state;
    char text[VG_LIMIT_CERTIFICATE_NAME_BYTES + 2];
    struct vg_peer_name name;
    memset(text, 'a', sizeof(text));
    memcpy(text, "URI:", 4);
    assert_true(vg_peer_name_parse(vg_bytes(text, VG_LIMIT_CERTIFICATE_NAME_BYTES), &name));
    assert_int_equal(name.size, VG_LIMIT_CERTIFICATE_NAME_BYTES);
    assert_int_equal(strlen(name.text), VG_LIMIT_CERTIFICATE_NAME_BYTES);
    assert_false(vg_peer_name_parse(vg_bytes(text, VG_LIMIT_CERTIFICATE_NAME_BYTES + 1), &name));
}

static void test_peer_identity__keeps_its_own_texts(void **state)
{
    (void)state;
    struct vg_peer_name names[2];
    assert_true(vg_peer_name_parse(vg_bytes_text("DNS:a"), &names[0]));
    assert_true(vg_peer_name_parse(vg_bytes_text("CN:b c"), &names[1]));
    struct vg_peer_identity *identity = vg_peer_identity_create(names, 2, 7);
    assert_non_null(identity);
    memset(names, 0, sizeof(names));
    assert_ptr_equal(vg_peer_identity_ref(identity), identity);
    vg_peer_identity_unref(identity);
    assert_int_equal(identity->name_count, 2);
    assert_int_equal(identity->expires, 7);
    assert_true(vg_bytes_equal(identity->names[0], vg_bytes_text("DNS:a")));
    assert_true(vg_bytes_equal(identity->names[1], vg_bytes_text("CN:b c")));
    vg_peer_identity_unref(identity);
    vg_peer_identity_unref(NULL);
    assert_null(vg_peer_identity_ref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_name__reads_what_people_write),
        cmocka_unit_test(test_peer_name__a_nul_within_is_none),
        cmocka_unit_test(test_peer_name__has_a_limit),
        cmocka_unit_test(test_peer_identity__keeps_its_own_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
