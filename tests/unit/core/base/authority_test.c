/* Host names with ports: what is one, which are nobody's but ours, and lists of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/authority.h"

static void test_authority__names_addresses_and_ports(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name; /* NULL = it is none */
        int32_t port;
        uint8_t family;
        bool is_local;
    } rows[] = {
        { "localhost", "localhost", -1, VG_NETWORK_NONE, true },
        { "LOCALHOST:80", "LOCALHOST", 80, VG_NETWORK_NONE, true },
        { "localhost.", "localhost.", -1, VG_NETWORK_NONE, true },
        { "a.localhost", "a.localhost", -1, VG_NETWORK_NONE, true },
        { "vigil:", "vigil", -1, VG_NETWORK_NONE, true },
        { "vigil:65535", "vigil", 65535, VG_NETWORK_NONE, true },
        { "127.0.0.1:8080", "127.0.0.1", 8080, VG_NETWORK_IPV4, true },
        { "192.0.2.1", "192.0.2.1", -1, VG_NETWORK_IPV4, true },
        { "[2001:db8::1]", "2001:db8::1", -1, VG_NETWORK_IPV6, true },
        { "[::1]:1", "::1", 1, VG_NETWORK_IPV6, true },
        { "example.org", "example.org", -1, VG_NETWORK_NONE, false },
        { "localhost.example.org:1", "localhost.example.org", 1, VG_NETWORK_NONE, false },
        { "notlocalhost.org", "notlocalhost.org", -1, VG_NETWORK_NONE, false },
        { "127.0.0.1.example.org", "127.0.0.1.example.org", -1, VG_NETWORK_NONE, false },
        { "127.1.", "127.1.", -1, VG_NETWORK_NONE, false },
        { "", NULL, 0, 0, false },
        { ":80", NULL, 0, 0, false },
        { "a:65536", NULL, 0, 0, false },
        { "a:99999999999999999999", NULL, 0, 0, false },
        { "a:8x", NULL, 0, 0, false },
        { "a:-1", NULL, 0, 0, false },
        { "a:1:2", NULL, 0, 0, false },
        { "a b", NULL, 0, 0, false },
        { "a,b", NULL, 0, 0, false },
        { "a@b", NULL, 0, 0, false },
        { "a/b", NULL, 0, 0, false },
        { "a?b", NULL, 0, 0, false },
        { "a#b", NULL, 0, 0, false },
        { "[::1", NULL, 0, 0, false },
        { "[::1]x", NULL, 0, 0, false },
        { "[::1]:x", NULL, 0, 0, false },
        { "[]", NULL, 0, 0, false },
        { "[127.0.0.1]", NULL, 0, 0, false },
        { "[::/8]", NULL, 0, 0, false },
        { "::1", NULL, 0, 0, false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_authority authority;
        bool parsed = vg_authority_parse(vg_bytes_text(rows[i].text), &authority);
        assert_int_equal(parsed, rows[i].name != NULL);
        if (parsed) {
            assert_true(vg_bytes_equal(authority.name, vg_bytes_text(rows[i].name)));
            assert_int_equal(authority.port, rows[i].port);
            assert_int_equal(authority.address.family, rows[i].family);
            assert_int_equal(vg_authority_is_local(&authority), rows[i].is_local);
        }
    }
}

static void test_authority__lists(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *list;
        bool is_listed;
    } rows[] = {
        { "a.org", "", false },        { "a.org", " , ", false },
        { "a.org", "a.org", true },    { "A.Org", "b.org, a.ORG", true },
        { "a.org.", "a.org", true },   { "a.org", "aa.org a.or a.orga", false },
        { "x.a.org", ".a.org", true }, { "x.y.a.org", ".a.org", true },
        { "a.org", ".a.org", false },  { "xa.org", ".a.org", false },
        { "a.org", "b.org *", true },  { "a.org", "**", false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        assert_int_equal(
            vg_authority_is_listed(vg_bytes_text(rows[i].name), rows[i].list),
            rows[i].is_listed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_authority__names_addresses_and_ports),
        cmocka_unit_test(test_authority__lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
