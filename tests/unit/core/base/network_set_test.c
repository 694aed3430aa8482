/* Sets of networks: what they say is what asking each of their networks says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/network_set.h"

#define NETWORKS_MAX 40u
#define ROUNDS       2000u
#define ASKED        60u

static uint64_t random_state = 20261122;

static unsigned below(unsigned bound)
{
    uint64_t value = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((value ^ (value >> 31)) % bound);
}

/* Few addresses, so that networks hold each other, are equal, or lie side by side. */
static struct vg_network random_network(void)
{
    if (below(20) == 0) {
        return (struct vg_network){ .family = VG_NETWORK_NONE };
    }
    bool is_v4 = below(2) == 0;
    struct vg_network network = { .family = is_v4 ? VG_NETWORK_IPV4 : VG_NETWORK_IPV6 };
    unsigned size = is_v4 ? 4 : 16;
    static const uint8_t bytes[] = { 0, 1, 127, 128, 255 };
    for (unsigned i = 0; i < size; i++) {
        network.address[i] = i < 1 || i + 1 == size ? bytes[below(sizeof(bytes))] : 0;
    }
    network.bits = (uint8_t)below(size * 8 + 1);
    for (unsigned bit = network.bits; bit < size * 8; bit++) {
        network.address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    }
    return network;
}

static bool any_matches(
    const struct vg_network *networks,
    size_t count,
    int bits_min,
    const struct vg_network *stored)
{
    for (size_t i = 0; i < count; i++) {
        if (vg_network_matches(&networks[i], bits_min, stored)) {
            return true;
        }
    }
    return false;
}

static void test_network_set__says_what_each_says(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    unsigned matched = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct vg_network networks[NETWORKS_MAX];
        size_t count = below(round % 2 == 0 ? 4 : NETWORKS_MAX);
        for (size_t i = 0; i < count; i++) {
            networks[i] = random_network();
        }
        vg_arena_reset(&arena);
        const struct vg_network_set *set = vg_network_set_create(&arena, networks, count);
        assert_non_null(set);
        for (unsigned asked = 0; asked < ASKED; asked++) {
            struct vg_network stored =
                count > 0 && below(4) == 0 ? networks[below((unsigned)count)] : random_network();
            int bits_min = below(3) == 0 ? VG_NETWORK_BITS_ANY : (int)below(130);
            bool expected = any_matches(networks, count, bits_min, &stored);
            matched += expected;
            assert_int_equal(vg_network_set_matches(set, bits_min, &stored), expected);
            if (stored.family == VG_NETWORK_IPV4) {
                const uint8_t *a = stored.address;
                uint32_t number =
                    (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
                assert_int_equal(
                    vg_network_set_matches_v4(set, bits_min, number, stored.bits),
                    expected);
            }
        }
    }
    /* Neither all nor none, or nothing was tested. */
    assert_in_range(matched, ROUNDS * ASKED / 10, ROUNDS * ASKED * 9 / 10);
    vg_arena_dispose(&arena);
}

static void test_network_set__of_no_networks_matches_nothing(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 4096);
    const struct vg_network_set *set = vg_network_set_create(&arena, NULL, 0);
    struct vg_network host = { .bits = 32, .family = VG_NETWORK_IPV4 };
    assert_non_null(set);
    assert_false(vg_network_set_matches(set, VG_NETWORK_BITS_ANY, &host));
    vg_arena_dispose(&arena);
}

static void test_network_set__needs_memory(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_network networks[NETWORKS_MAX] = { 0 };
    vg_arena_init(&arena, 512);
    assert_null(vg_network_set_create(&arena, networks, NETWORKS_MAX));
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_set__says_what_each_says),
        cmocka_unit_test(test_network_set__of_no_networks_matches_nothing),
        cmocka_unit_test(test_network_set__needs_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
