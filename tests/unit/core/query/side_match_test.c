/* Texts of addresses, ports and countries: what they ask, and which one is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/network.h"
#include "core/query/side_match.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_texts(void **state)
{
    (void)state;
    static char networks[][20] = { "10.0.0.1", "2001:db8::/32", "10.0.0.0/33" };
    static char ports[][12] = { "0", "65535", "1000-2000", "2000-1000", "65536" };
    static char countries[][4] = { "no", "SE", "NOR" };
    char *network_texts[COUNT(networks)];
    char *port_texts[COUNT(ports)];
    char *country_texts[COUNT(countries)];
    for (size_t i = 0; i < COUNT(networks); i++) {
        network_texts[i] = networks[i];
    }
    for (size_t i = 0; i < COUNT(ports); i++) {
        port_texts[i] = ports[i];
    }
    for (size_t i = 0; i < COUNT(countries); i++) {
        country_texts[i] = countries[i];
    }
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    for (size_t bad = 0; bad < 2; bad++) {
        struct vg_term_list terms;
        vg_term_list_init(&terms, &arena);
        struct vg_side_networks n = { .texts = network_texts,
                                      .count = COUNT(networks) - 1 + bad,
                                      .columns = { 1, 2 },
                                      .min_bits = { VG_NETWORK_BITS_ANY, 8 } };
        struct vg_side_texts p = { port_texts, COUNT(ports) - 1 + bad, { 3, VG_SIDE_NOT_ASKED } };
        struct vg_side_texts c = { country_texts, COUNT(countries) - 1 + bad, { 5, 6 } };
        assert_true(vg_side_match_networks(&terms, &n) == (bad ? COUNT(networks) - 1 : SIZE_MAX));
        assert_true(vg_side_match_ports(&terms, &p) == (bad ? COUNT(ports) - 1 : SIZE_MAX));
        assert_true(vg_side_match_countries(&terms, &c) == (bad ? COUNT(countries) - 1 : SIZE_MAX));
        assert_false(terms.failed);
        assert_int_equal(terms.count, bad ? 0 : 3);
        if (!bad) {
            assert_int_equal(terms.terms[0]->count, 2); /* two networks on two sides */
            assert_int_equal(terms.terms[0]->children[1]->count, 2);
            assert_int_equal(terms.terms[0]->children[1]->children[0]->network.min_bits, 8);
            /* Three ranges on one side; one that ends before it begins is none. */
            assert_int_equal(terms.terms[1]->count, 3);
            assert_int_equal(terms.terms[1]->children[1]->kind, VG_PREDICATE_RANGE);
            assert_int_equal(terms.terms[2]->count, 2); /* one question for each side */
        }
    }
    vg_arena_dispose(&arena);
}

/* However many there are, a list is as many questions as there are sides. */
static void test_many_are_one_question(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    struct vg_arena arena;
    vg_arena_init(&arena, 64u << 20);
    char **addresses = vg_arena_alloc(&arena, MANY * sizeof(*addresses));
    char **ports = vg_arena_alloc(&arena, MANY * sizeof(*ports));
    assert_non_null(addresses);
    assert_non_null(ports);
    for (size_t i = 0; i < MANY; i++) {
        addresses[i] = vg_arena_printf(&arena, "10.%zu.%zu.0/24", i / 256, i % 256);
        ports[i] = vg_arena_printf(&arena, "%zu-%zu", 6 * i, 6 * i + 2);
    }
    struct vg_term_list terms;
    vg_term_list_init(&terms, &arena);
    struct vg_side_networks n = { .texts = addresses,
                                  .count = MANY,
                                  .columns = { 1, 2 },
                                  .min_bits = { VG_NETWORK_BITS_ANY, 8 } };
    struct vg_side_texts p = { ports, MANY, { VG_SIDE_NOT_ASKED, 4 } };
    assert_true(vg_side_match_networks(&terms, &n) == SIZE_MAX);
    assert_true(vg_side_match_ports(&terms, &p) == SIZE_MAX);
    assert_false(terms.failed);
    assert_int_equal(terms.count, 2);
    assert_int_equal(terms.terms[0]->count, 2);
    assert_int_equal(terms.terms[0]->children[0]->kind, VG_PREDICATE_NETWORKS);
    assert_int_equal(terms.terms[0]->children[1]->networks.min_bits, 8);
    assert_int_equal(terms.terms[1]->kind, VG_PREDICATE_NUMBER_IN);
    assert_int_equal(terms.terms[1]->count, 3 * MANY);
    assert_true(vg_predicate_has_number(terms.terms[1], 6 * 77 + 2));
    assert_false(vg_predicate_has_number(terms.terms[1], 6 * 77 + 3));
    vg_arena_dispose(&arena);
}

/* Ports that touch are one range: a few ranges stay what loops answer. */
static void test_ports_that_touch_are_one_range(void **state)
{
    (void)state;
    static char texts[][12] = { "80", "443", "81-90", "79", "85-88", "444" };
    char *ports[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++) {
        ports[i] = texts[i];
    }
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_term_list terms;
    vg_term_list_init(&terms, &arena);
    struct vg_side_texts p = { ports, COUNT(ports), { 3, VG_SIDE_NOT_ASKED } };
    assert_true(vg_side_match_ports(&terms, &p) == SIZE_MAX);
    assert_int_equal(terms.terms[0]->kind, VG_PREDICATE_OR);
    assert_int_equal(terms.terms[0]->count, 2);
    assert_true(terms.terms[0]->children[0]->range.min == 79);
    assert_true(terms.terms[0]->children[0]->range.max == 90);
    assert_true(terms.terms[0]->children[1]->range.min == 443);
    assert_true(terms.terms[0]->children[1]->range.max == 444);
    vg_arena_dispose(&arena);
}

static void test_wrong_ports(void **state)
{
    (void)state;
    static const char *const rows[] = { "", "-", "1-", "-1", "a", "1-2-3", " 1", "70000-80000" };
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = vg_arena_text(&arena, vg_bytes_text(rows[i]));
        struct vg_term_list terms;
        vg_term_list_init(&terms, &arena);
        struct vg_side_texts ports = { &text, 1, { 3, 4 } };
        assert_int_equal(vg_side_match_ports(&terms, &ports), 0);
    }
    vg_arena_dispose(&arena);
}

static void test_nothing_asked_adds_nothing(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_term_list terms;
    vg_term_list_init(&terms, &arena);
    assert_true(vg_side_match_networks(&terms, &(struct vg_side_networks){ 0 }) == SIZE_MAX);
    assert_true(vg_side_match_ports(&terms, &(struct vg_side_texts){ 0 }) == SIZE_MAX);
    assert_true(vg_side_match_countries(&terms, &(struct vg_side_texts){ 0 }) == SIZE_MAX);
    assert_int_equal(terms.count, 0);
    assert_null(vg_term_list_and(&terms));
    assert_false(terms.failed);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_many_are_one_question),
        cmocka_unit_test(test_ports_that_touch_are_one_range),
        cmocka_unit_test(test_wrong_ports),
        cmocka_unit_test(test_nothing_asked_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
