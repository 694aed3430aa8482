#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/network.h"
#include "rpc/net/peer_blame.h"

#define MOST 3u

static struct vg_network address(const char *text)
{
    struct vg_network network;
    assert_true(vg_network_parse(vg_bytes_text(text), &network));
    return network;
}

static void blame_often(struct vg_peer_blame *blame, const char *text, size_t often, uint64_t now)
{
    const struct vg_network peer = address(text);
    for (size_t i = 0; i < often; i++) {
        vg_peer_blame_add(blame, &peer, now);
    }
}

static bool is_barred(struct vg_peer_blame *blame, const char *text, uint64_t now)
{
    const struct vg_network peer = address(text);
    return vg_peer_blame_is_barred(blame, &peer, now);
}

static void test_peer_blame__bars_beyond_the_limit_until_the_minute_is_over(void **state)
{
    (void)state;
    static struct vg_peer_blame blame;
    const uint64_t begun = 7;
    vg_peer_blame_init(&blame, MOST);
    blame_often(&blame, "10.0.0.1", MOST, begun);
    assert_false(is_barred(&blame, "10.0.0.1", begun));
    blame_often(&blame, "10.0.0.1", 1, begun + 1);
    assert_true(is_barred(&blame, "10.0.0.1", begun + 1));
    assert_false(is_barred(&blame, "10.0.0.2", begun + 1));
    assert_true(is_barred(&blame, "10.0.0.1", begun + VG_PEER_BLAME_NS - 1));
    assert_false(is_barred(&blame, "10.0.0.1", begun + VG_PEER_BLAME_NS));
    blame_often(&blame, "10.0.0.1", MOST, begun + VG_PEER_BLAME_NS); /* counted from the start */
    assert_false(is_barred(&blame, "10.0.0.1", begun + VG_PEER_BLAME_NS));
    vg_peer_blame_dispose(&blame);
}

static void test_peer_blame__counts_ipv6_by_its_64(void **state)
{
    (void)state;
    static struct vg_peer_blame blame;
    vg_peer_blame_init(&blame, MOST);
    blame_often(&blame, "2001:db8:0:1::1", MOST, 1);
    blame_often(&blame, "2001:db8:0:1:ffff::2", 1, 1);
    assert_true(is_barred(&blame, "2001:db8:0:1::3", 1));
    assert_false(is_barred(&blame, "2001:db8:0:2::1", 1));
    vg_peer_blame_dispose(&blame);
}

static void test_peer_blame__of_zero_forgives_everything(void **state)
{
    (void)state;
    static struct vg_peer_blame blame;
    vg_peer_blame_init(&blame, 0);
    blame_often(&blame, "10.0.0.1", 1000, 1);
    assert_false(is_barred(&blame, "10.0.0.1", 1));
    vg_peer_blame_dispose(&blame);
}

/* Far more addresses than there are places do not set the barred one free. */
static void test_peer_blame__keeps_who_is_barred(void **state)
{
    (void)state;
    static struct vg_peer_blame blame;
    vg_peer_blame_init(&blame, MOST);
    blame_often(&blame, "192.0.2.1", MOST + 1, 1);
    for (unsigned i = 0; i < 4 * VG_PEER_BLAME_ROWS * VG_PEER_BLAME_COLUMNS; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "10.%u.%u.1", i >> 8, i & 255u);
        blame_often(&blame, text, 1 + i % MOST, 2);
    }
    assert_true(is_barred(&blame, "192.0.2.1", 2));
    vg_peer_blame_dispose(&blame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_blame__bars_beyond_the_limit_until_the_minute_is_over),
        cmocka_unit_test(test_peer_blame__counts_ipv6_by_its_64),
        cmocka_unit_test(test_peer_blame__of_zero_forgives_everything),
        cmocka_unit_test(test_peer_blame__keeps_who_is_barred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
