#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/network.h"
#include "rpc/net/peer_quota.h"

static struct vg_network address(const char *text)
{
    struct vg_network network;
    assert_true(vg_network_parse(vg_bytes_text(text), &network));
    return network;
}

static void test_peer_quota__counts_in_total_and_per_address(void **state)
{
    (void)state;
    struct vg_peer_quota quota;
    vg_peer_quota_init(&quota, 5, 2);
    struct vg_network a = address("10.0.0.1");
    struct vg_network b = address("10.0.0.2");
    struct vg_network c = address("10.0.0.3");
    assert_true(vg_peer_quota_take(&quota, &a));
    assert_true(vg_peer_quota_take(&quota, &a));
    assert_false(vg_peer_quota_take(&quota, &a));
    assert_true(vg_peer_quota_take(&quota, &b));
    assert_true(vg_peer_quota_take(&quota, &b));
    assert_true(vg_peer_quota_take(&quota, &c));
    assert_false(vg_peer_quota_take(&quota, &c)); /* five are open */
    vg_peer_quota_give(&quota, &a);
    assert_true(vg_peer_quota_take(&quota, &a));
    assert_false(vg_peer_quota_take(&quota, &a));
    vg_peer_quota_dispose(&quota);
}

static void test_peer_quota__counts_ipv6_by_its_64(void **state)
{
    (void)state;
    struct vg_peer_quota quota;
    vg_peer_quota_init(&quota, 0, 1);
    struct vg_network a = address("2001:db8:0:1::1");
    struct vg_network same = address("2001:db8:0:1:ffff::2");
    struct vg_network other = address("2001:db8:0:2::1");
    assert_true(vg_peer_quota_take(&quota, &a));
    assert_false(vg_peer_quota_take(&quota, &same));
    assert_true(vg_peer_quota_take(&quota, &other));
    vg_peer_quota_dispose(&quota);
}

/* Against a plain array as the model, with enough addresses for collisions and growth. */
static void test_peer_quota__agrees_with_a_plain_count(void **state)
{
    (void)state;
    enum { PEERS = 300, STEPS = 20000, PER_PEER = 3 };
    struct vg_peer_quota quota;
    static unsigned model[PEERS];
    vg_peer_quota_init(&quota, 0, PER_PEER);
    srand(7);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned peer = (unsigned)rand() % PEERS;
        char text[32];
        (void)snprintf(text, sizeof(text), "10.%u.0.%u", peer / 200, peer % 200);
        struct vg_network network = address(text);
        if (rand() % 2 == 0) {
            bool taken = vg_peer_quota_take(&quota, &network);
            assert_int_equal(taken, model[peer] < PER_PEER);
            model[peer] += taken ? 1 : 0;
        } else if (model[peer] > 0) {
            vg_peer_quota_give(&quota, &network);
            model[peer]--;
        }
    }
    vg_peer_quota_dispose(&quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_quota__counts_in_total_and_per_address),
        cmocka_unit_test(test_peer_quota__counts_ipv6_by_its_64),
        cmocka_unit_test(test_peer_quota__agrees_with_a_plain_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
