/* Networks: text, containment, and the whole table of matching with min bits. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/network.h"

static struct vg_network parsed(const char *text)
{
    struct vg_network network = { .family = VG_NETWORK_NONE };
    if (text[0] != '\0' && !vg_network_parse(vg_bytes_text(text), &network)) {
        fail_msg("not a network: %s", text);
    }
    return network;
}

static const struct {
    const char *text;
    const char *printed; /* NULL = refused */
} text_cases[] = {
    // clang-format off
    { "10.1.2.3", "10.1.2.3" },
    { "10.1.2.3/32", "10.1.2.3" },
    { "10.1.2.3/24", "10.1.2.0/24" },
    { "10.255.255.255/9", "10.128.0.0/9" },
    { "255.255.255.255/1", "128.0.0.0/1" },
    { "1.2.3.4/0", "0.0.0.0/0" },
    { "::ffff:10.0.0.1", "10.0.0.1" },
    { "::FFFF:0a00:0001", "10.0.0.1" },
    { "::ffff:10.1.2.3/120", "10.1.2.0/24" },
    { "::ffff:10.1.2.3/96", "0.0.0.0/0" },
    { "::ffff:10.1.2.3/95", "::fffe:0:0/95" },
    { "2001:DB8::1", "2001:db8::1" },
    { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
    { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
    { "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
    { "0:0:0:0:0:0:0:0", "::" },
    { "0:0:0:0:0:0:0:1", "::1" },
    { "1:0:0:0:0:0:0:0", "1::" },
    { "::1234:5678", "::1234:5678" },
    { "0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7" },
    { "2001:db8::ff/120", "2001:db8::/120" },
    { "2001:db8::/128", "2001:db8::" },
    { "::/0", "::/0" },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
    { "", NULL },
    { "/8", NULL },
    { "10.0.0.0/", NULL },
    { "10.0.0.0/33", NULL },
    { "10.0.0.0/08", NULL },
    { "10.0.0.0/-1", NULL },
    { "10.0.0.0/+8", NULL },
    { "10.0.0.0/8/8", NULL },
    { "10.0.0.0/255.0.0.0", NULL },
    { "10.0.0", NULL },
    { "10.0.0.256", NULL },
    { "10.0.0.01", NULL },
    { "10.0.0.00", NULL },
    { "010.0.0.1", NULL },
    { "10.0.0.1 ", NULL },
    { " 10.0.0.1", NULL },
    { "10.0.0.1.", NULL },
    { "0x0a.0.0.1", NULL },
    { "2001:db8::/129", NULL },
    { "2001:db8:::1", NULL },
    { "2001::db8::1", NULL },
    { "1:2:3:4:5:6:7", NULL },
    { "1:2:3:4:5:6:7:8:9", NULL },
    { "12345::", NULL },
    { "fe80::1%eth0", NULL },
    { "[::1]", NULL },
    { "::ffff:10.0.0.01", NULL },
    { "localhost", NULL },
    // clang-format on
};

static void test_network__text_is_read_masked_and_written_by_rfc_5952(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(text_cases); i++) {
        struct vg_network network;
        memset(&network, 0x5A, sizeof(network));
        bool ok = vg_network_parse(vg_bytes_text(text_cases[i].text), &network);
        if (ok != (text_cases[i].printed != NULL)) {
            fail_msg("%s", text_cases[i].text);
        }
        if (!ok) {
            assert_int_equal(network.bits, 0x5A);
            continue;
        }
        char text[VG_NETWORK_TEXT_SIZE];
        assert_int_equal(vg_network_print(&network, text), strlen(text_cases[i].printed));
        assert_string_equal(text, text_cases[i].printed);
        struct vg_network again = parsed(text);
        assert_true(vg_network_equal(&network, &again));
    }
    struct vg_network network;
    assert_false(vg_network_parse(vg_bytes("10.0.0.1\0x", 10), &network));
    assert_false(vg_network_parse(vg_bytes("10.0.0.1\0", 9), &network));
}

static void test_network__address_alone_has_no_bits_and_none_is_empty(void **state)
{
    (void)state;
    char text[VG_NETWORK_TEXT_SIZE];
    struct vg_network network = parsed("10.1.2.0/24");
    assert_int_equal(vg_network_print_address(&network, text), 8);
    assert_string_equal(text, "10.1.2.0");
    struct vg_network none = { .family = VG_NETWORK_NONE };
    assert_int_equal(vg_network_print(&none, text), 0);
    assert_string_equal(text, "");
    assert_false(vg_network_is_host(&none));
    assert_false(vg_network_is_public(&none));
    assert_false(vg_network_contains(&none, &none));
}

static const struct {
    const char *criteria;
    int bits_min;
    const char *stored;
    bool match;
    const char *why;
} match_cases[] = {
    // clang-format off
    { "192.168.1.32/28", VG_NETWORK_BITS_ANY, "192.168.1.32/28", true, "same" },
    { "192.168.1.32/28", VG_NETWORK_BITS_ANY, "192.168.1.33", true, "inside" },
    { "192.168.1.32/28", VG_NETWORK_BITS_ANY, "192.168.1.40/29", true, "inside" },
    { "192.168.1.32/28", VG_NETWORK_BITS_ANY, "192.168.1.0/24", true, "covers" },
    { "192.168.1.32/28", VG_NETWORK_BITS_ANY, "0.0.0.0/0", true, "covers" },
    { "192.168.1.32/28", VG_NETWORK_BITS_ANY, "192.168.1.48/28", false, "disjoint" },
    { "192.168.1.0/24", 20, "192.168.0.0/20", true, "covers, 20 >= 20" },
    { "192.168.1.0/24", 20, "192.168.0.0/19", false, "wider than b" },
    { "192.168.1.0/24", 20, "192.168.1.77", true, "host" },
    { "10.0.0.0/8", 20, "10.0.0.0/8", true, "named in the criteria, even if wider" },
    { "10.0.0.0/8", 20, "10.1.0.0/16", false, "inside, but wider than b" },
    { "10.0.0.0/8", 20, "10.1.2.0/24", true, "inside, 24 >= 20" },
    { "10.1.2.3", 32, "10.1.2.0/24", false, "wider than b" },
    { "0.0.0.0/0", VG_NETWORK_BITS_ANY, "1.2.3.4", true, "any IPv4" },
    { "0.0.0.0/0", VG_NETWORK_BITS_ANY, "200.0.0.0/8", true, "any IPv4" },
    { "0.0.0.0/0", VG_NETWORK_BITS_ANY, "2001:db8::1", false, "other family" },
    { "::/0", VG_NETWORK_BITS_ANY, "2001:db8::1", true, "any IPv6" },
    { "::/0", VG_NETWORK_BITS_ANY, "ff02::/16", true, "any IPv6" },
    { "::/0", VG_NETWORK_BITS_ANY, "10.0.0.1", false, "other family" },
    { "2001:db8::/32", 20, "2001:d00::/24", true, "24 >= 20 in its own family" },
    { "2001:db8::/32", 33, "2001:db8::/32", true, "same" },
    { "::ffff:10.0.0.1", VG_NETWORK_BITS_ANY, "10.0.0.1", true, "mapped addresses are IPv4" },
    { "10.0.0.1", VG_NETWORK_BITS_ANY, "", false, "no address" },
    { "0.0.0.0/0", 0, "", false, "no address" },
    { "::/0", VG_NETWORK_BITS_ANY, "", false, "no address" },
    /* beyond the table */
    { "10.0.0.1", 128, "10.0.0.1", true, "b above the family's length, but the same" },
    { "10.0.0.0/8", 33, "10.0.0.1", false, "no IPv4 network has 33 bits" },
    { "10.0.0.0/8", 0, "0.0.0.0/0", true, "0 restricts nothing" },
    // clang-format on
};

static void test_network__matching_with_min_bits_follows_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(match_cases); i++) {
        struct vg_network criteria = parsed(match_cases[i].criteria);
        struct vg_network stored = parsed(match_cases[i].stored);
        if (vg_network_matches(&criteria, match_cases[i].bits_min, &stored) !=
            match_cases[i].match) {
            fail_msg("%s: %s", match_cases[i].criteria, match_cases[i].why);
        }
    }
}

static void test_network__containment_at_every_prefix_length(void **state)
{
    (void)state;
    struct vg_network host = parsed("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    for (unsigned bits = 0; bits <= 128; bits++) {
        struct vg_network outer = host;
        char text[VG_NETWORK_TEXT_SIZE + 8];
        size_t size = vg_network_print_address(&host, text);
        (void)snprintf(text + size, sizeof(text) - size, "/%u", bits);
        outer = parsed(text);
        assert_int_equal(outer.bits, bits);
        assert_true(vg_network_contains(&outer, &host));
        assert_true(vg_network_contains(&host, &outer) == (bits == 128));
        if (bits > 0) { /* flip the last bit of the prefix: outside */
            struct vg_network other = host;
            other.address[(bits - 1) / 8] ^= (uint8_t)(0x80u >> ((bits - 1) % 8));
            assert_false(vg_network_contains(&outer, &other));
        }
    }
}

static const struct {
    const char *text;
    bool is_public;
    bool multicast;
    bool host;
} kind_cases[] = {
    // clang-format off
    { "8.8.8.8", true, false, true },
    { "8.8.8.0/24", true, false, false },
    { "9.255.255.255", true, false, true },
    { "10.0.0.0", false, false, true },
    { "10.255.255.255", false, false, true },
    { "11.0.0.0", true, false, true },
    { "10.0.0.0/8", false, false, false },
    { "10.0.0.0/7", true, false, false },
    { "172.15.255.255", true, false, true },
    { "172.16.0.0", false, false, true },
    { "172.31.255.255", false, false, true },
    { "172.32.0.0", true, false, true },
    { "192.168.0.1", false, false, true },
    { "192.169.0.1", true, false, true },
    { "127.0.0.1", false, false, true },
    { "169.254.1.1", false, false, true },
    { "100.63.255.255", true, false, true },
    { "100.64.0.0", false, false, true },
    { "100.127.255.255", false, false, true },
    { "100.128.0.0", true, false, true },
    { "192.0.2.1", false, false, true },
    { "198.51.100.1", false, false, true },
    { "203.0.113.255", false, false, true },
    { "203.0.114.0", true, false, true },
    { "223.255.255.255", true, false, true },
    { "224.0.0.1", false, true, true },
    { "239.255.255.255", false, true, true },
    { "240.0.0.0", true, false, true },
    { "0.0.0.0", false, false, true },
    { "0.0.0.0/0", true, false, false },
    { "2a00:1450::1", true, false, true },
    { "::", false, false, true },
    { "::1", false, false, true },
    { "::2", true, false, true },
    { "fe80::1", false, false, true },
    { "febf::1", false, false, true },
    { "fec0::1", true, false, true },
    { "fc00::1", false, false, true },
    { "fdff::1", false, false, true },
    { "2001:db8::1", false, false, true },
    { "2001:db9::1", true, false, true },
    { "ff02::1", false, true, true },
    { "ff00::/8", false, true, false },
    // clang-format on
};

static void test_network__public_multicast_and_host_at_the_borders(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(kind_cases); i++) {
        struct vg_network network = parsed(kind_cases[i].text);
        if (vg_network_is_public(&network) != kind_cases[i].is_public ||
            vg_network_is_multicast(&network) != kind_cases[i].multicast ||
            vg_network_is_host(&network) != kind_cases[i].host) {
            fail_msg("%s", kind_cases[i].text);
        }
    }
    struct vg_network loopback = parsed("127.9.9.9");
    assert_true(vg_network_is_loopback(&loopback));
    loopback = parsed("::1");
    assert_true(vg_network_is_loopback(&loopback));
    loopback = parsed("128.0.0.1");
    assert_false(vg_network_is_loopback(&loopback));
}

static void test_network__peers_of_sockets_are_unmapped(void **state)
{
    (void)state;
    struct vg_network network;
    char text[VG_NETWORK_TEXT_SIZE];
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(0x0A010203) } };
    assert_true(vg_network_from_sockaddr((const struct sockaddr *)&in, &network));
    (void)vg_network_print(&network, text);
    assert_string_equal(text, "10.1.2.3");

    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &in6.sin6_addr), 1);
    assert_true(vg_network_from_sockaddr((const struct sockaddr *)&in6, &network));
    (void)vg_network_print(&network, text);
    assert_string_equal(text, "10.1.2.3");
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &in6.sin6_addr), 1);
    assert_true(vg_network_from_sockaddr((const struct sockaddr *)&in6, &network));
    (void)vg_network_print(&network, text);
    assert_string_equal(text, "2001:db8::7");

    struct sockaddr other = { .sa_family = AF_UNIX };
    assert_false(vg_network_from_sockaddr(&other, &network));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network__text_is_read_masked_and_written_by_rfc_5952),
        cmocka_unit_test(test_network__address_alone_has_no_bits_and_none_is_empty),
        cmocka_unit_test(test_network__matching_with_min_bits_follows_the_table),
        cmocka_unit_test(test_network__containment_at_every_prefix_length),
        cmocka_unit_test(test_network__public_multicast_and_host_at_the_borders),
        cmocka_unit_test(test_network__peers_of_sockets_are_unmapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
