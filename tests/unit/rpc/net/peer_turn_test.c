#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/net/peer_turn.h"

#define SHARE 25u
/* Long after the machine was started. */
#define NOW       UINT64_C(1000000000000)
#define BURST     ((uint64_t)VG_PEER_BURST_NS)
#define CONNS     20u
#define WORK_NS   (VG_PEER_TURN_NS / 4)
#define ADDRESSES 3u

static struct vg_timers timers;
static struct vg_peer_turns turns;

static void begin(unsigned share)
{
    timers = (struct vg_timers){ 0 };
    vg_peer_turns_init(&turns, share, &timers);
}

static struct vg_peer_turn *enter(uint8_t last, uint64_t now_ns)
{
    struct vg_network address = { .family = VG_NETWORK_IPV4 };
    const uint8_t bytes[4] = { 10, 0, 0, last };
    memcpy(address.address, bytes, sizeof(bytes));
    struct vg_peer_turn *peer = vg_peer_turns_enter(&turns, &address, now_ns);
    assert_non_null(peer);
    return peer;
}

static void end(struct vg_peer_turn *peer)
{
    for (size_t left = peer->conns; left > 0; left--) {
        vg_peer_turn_leave(peer, NOW * 2);
    }
}

/* --- The budget of a turn ----------------------------------------------------------------------
 */

/* Two addresses with work, so that the budget is the small one. */
static void mix(struct vg_peer_turn *one, struct vg_peer_turn *other)
{
    vg_peer_turn_charge(one, false, 0, NOW);
    vg_peer_turn_charge(other, false, 0, NOW);
}

static void test_peer_turn__is_over_when_the_budget_is_used(void **state)
{
    (void)state;
    begin(0);
    struct vg_peer_turn *peer = enter(1, NOW);
    struct vg_peer_turn *other = enter(2, NOW);
    mix(peer, other);
    vg_peer_turn_charge(peer, false, VG_PEER_TURN_NS - 1, NOW);
    assert_false(vg_peer_turn_is_over(peer, false, NOW));
    vg_peer_turn_charge(peer, false, 1, NOW);
    assert_true(vg_peer_turn_is_over(peer, false, NOW));
    assert_true(vg_peer_turn_is_over(peer, true, NOW)); /* whoever it is for */
    assert_false(vg_peer_turn_is_over(other, false, NOW));
    vg_peer_turns_next(&turns);
    assert_false(vg_peer_turn_is_over(peer, false, NOW));
    end(peer);
    end(other);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__takes_off_later_turns_what_was_too_much(void **state)
{
    (void)state;
    begin(0);
    struct vg_peer_turn *peer = enter(1, NOW);
    struct vg_peer_turn *other = enter(2, NOW);
    mix(peer, other);
    vg_peer_turn_charge(peer, false, 3 * VG_PEER_TURN_NS, NOW);
    for (unsigned turn = 1; turn <= 2; turn++) {
        vg_peer_turns_next(&turns);
        assert_true(vg_peer_turn_is_over(peer, false, NOW));
    }
    vg_peer_turns_next(&turns);
    assert_false(vg_peer_turn_is_over(peer, false, NOW));
    /* But nobody waits for ever. */
    vg_peer_turn_charge(peer, false, 1000 * VG_PEER_TURN_NS, NOW);
    for (unsigned turn = 1; turn < VG_PEER_TURNS_OWED_MAX; turn++) {
        vg_peer_turns_next(&turns);
        assert_true(vg_peer_turn_is_over(peer, false, NOW));
    }
    vg_peer_turns_next(&turns);
    assert_false(vg_peer_turn_is_over(peer, false, NOW));
    end(peer);
    end(other);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__gives_more_to_who_is_alone(void **state)
{
    (void)state;
    begin(0);
    struct vg_peer_turn *peer = enter(1, NOW);
    struct vg_peer_turn *other = enter(2, NOW);
    vg_peer_turn_charge(peer, false, VG_PEER_TURN_ALONE_NS - 1, NOW);
    assert_false(vg_peer_turn_is_over(peer, false, NOW));
    vg_peer_turn_charge(other, false, 1, NOW); /* not alone any more */
    assert_true(vg_peer_turn_is_over(peer, false, NOW));
    assert_true(vg_peer_turn_is_over(peer, false, NOW + VG_PEER_MIXED_NS - 1));
    assert_false(vg_peer_turn_is_over(peer, false, NOW + VG_PEER_MIXED_NS));
    end(peer);
    end(other);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__takes_a_64_of_ipv6_together(void **state)
{
    (void)state;
    begin(0);
    struct vg_network address = { .family = VG_NETWORK_IPV6, .address = { 0x20, 1, 0xd, 0xb8 } };
    struct vg_peer_turn *one = vg_peer_turns_enter(&turns, &address, NOW);
    address.address[15] = 7;
    assert_ptr_equal(vg_peer_turns_enter(&turns, &address, NOW), one);
    address.address[7] = 7;
    struct vg_peer_turn *other = vg_peer_turns_enter(&turns, &address, NOW);
    assert_ptr_not_equal(other, one);
    assert_int_equal(turns.count, 2);
    end(one);
    end(other);
    assert_int_equal(turns.count, 0);
    vg_peer_turns_dispose(&turns);
}

/* --- Who waits ---------------------------------------------------------------------------------
 */

/* A turn of the loop in which every connection takes WORK_NS; how many of each address were
 * served. */
static void serve(size_t served[ADDRESSES], struct vg_turn_link links[ADDRESSES][CONNS])
{
    vg_peer_turns_next(&turns);
    for (size_t left = turns.ready.count; left > 0; left--) {
        struct vg_peer_turn *peer = vg_peer_turns_first(&turns);
        enum vg_peer_line line;
        const struct vg_turn_link *link;
        while ((link = vg_peer_turn_take(peer, &line, NOW)) != NULL) {
            const size_t address = (size_t)(peer->key[4] - 1);
            assert_ptr_equal(link, &links[address][served[address]]); /* in the order they came */
            served[address]++;
            vg_peer_turn_charge(peer, false, WORK_NS, NOW);
        }
        vg_peer_turn_settle(peer, NOW);
    }
}

static void test_peer_turn__serves_every_address_in_each_turn(void **state)
{
    (void)state;
    begin(0);
    static struct vg_turn_link links[ADDRESSES][CONNS];
    memset(links, 0, sizeof(links));
    const size_t waiting[ADDRESSES] = { CONNS, 1, 6 };
    struct vg_peer_turn *peers[ADDRESSES];
    for (uint8_t i = 0; i < ADDRESSES; i++) {
        peers[i] = enter((uint8_t)(i + 1), NOW);
        vg_peer_turn_charge(peers[i], false, 0, NOW);
        for (size_t j = 0; j < waiting[i]; j++) {
            vg_peer_turn_wait(peers[i], VG_PEER_READ, &links[i][j], NOW);
        }
    }
    assert_int_equal(turns.ready.count, ADDRESSES);
    size_t served[ADDRESSES] = { 0 };
    serve(served, links);
    assert_int_equal(served[0], 4); /* as many as its budget lets, of all that wait */
    assert_int_equal(served[1], 1);
    assert_int_equal(served[2], 4);
    serve(served, links);
    assert_int_equal(served[0], 8);
    assert_int_equal(served[2], 6);
    assert_int_equal(turns.ready.count, 1);
    for (unsigned turn = 0; turn < 3; turn++) {
        serve(served, links);
    }
    assert_int_equal(served[0], CONNS);
    assert_int_equal(turns.ready.count, 0);
    for (size_t i = 0; i < ADDRESSES; i++) {
        end(peers[i]);
    }
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__serves_its_lines_in_turn(void **state)
{
    (void)state;
    begin(SHARE);
    struct vg_turn_link links[VG_PEER_LINES][2] = { 0 };
    struct vg_peer_turn *peer = enter(1, NOW);
    for (unsigned line = 0; line < VG_PEER_LINES; line++) {
        vg_peer_turn_wait(peer, (enum vg_peer_line)line, &links[line][0], NOW);
        vg_peer_turn_wait(peer, (enum vg_peer_line)line, &links[line][1], NOW);
    }
    size_t served[VG_PEER_LINES] = { 0 };
    enum vg_peer_line line;
    for (unsigned i = 1; i <= 2 * VG_PEER_LINES; i++) {
        assert_non_null(vg_peer_turn_take(peer, &line, NOW));
        served[line]++;
        assert_true(served[line] <= (i + VG_PEER_LINES - 1) / VG_PEER_LINES);
    }
    assert_null(vg_peer_turn_take(peer, &line, NOW));
    end(peer);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__forgets_who_leaves_the_line(void **state)
{
    (void)state;
    begin(SHARE);
    struct vg_turn_link link = { 0 };
    struct vg_peer_turn *peer = enter(1, NOW);
    vg_peer_turn_wait(peer, VG_PEER_FLUSH, &link, NOW);
    assert_int_equal(turns.ready.count, 1);
    vg_peer_turn_forget(peer, &link);
    assert_int_equal(turns.ready.count, 0);
    assert_null(vg_peer_turns_first(&turns));
    end(peer);
    vg_peer_turns_dispose(&turns);
}

/* --- Strangers ---------------------------------------------------------------------------------
 */

static void test_peer_turn__holds_strangers_when_their_bucket_is_empty(void **state)
{
    (void)state;
    begin(SHARE);
    struct vg_peer_turn *peer = enter(1, NOW);
    vg_peer_turn_charge(peer, true, BURST - 1, NOW);
    vg_peer_turns_next(&turns);
    turns.turn += VG_PEER_TURNS_OWED_MAX; /* it is not the turn that is over */
    assert_false(vg_peer_turn_is_over(peer, true, NOW));
    vg_peer_turn_charge(peer, true, 1, NOW);
    assert_true(vg_peer_turn_is_over(peer, true, NOW));
    assert_false(vg_peer_turn_is_over(peer, false, NOW)); /* who is known is never held */
    /* It fills by a quarter of the time that passes. */
    const uint64_t wait_ns = (uint64_t)VG_PEER_RESUME_NS * 100 / SHARE;
    assert_true(vg_peer_turn_is_over(peer, true, NOW + wait_ns - 4));
    assert_false(vg_peer_turn_is_over(peer, true, NOW + wait_ns));
    assert_int_equal(peer->credit_ns, VG_PEER_RESUME_NS);
    assert_false(vg_peer_turn_is_over(peer, true, NOW + 1000 * wait_ns));
    vg_peer_turn_charge(peer, true, 0, NOW + 1000 * wait_ns);
    assert_int_equal(peer->credit_ns, VG_PEER_BURST_NS); /* and no more */
    end(peer);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__does_not_charge_strangers_for_who_is_known(void **state)
{
    (void)state;
    begin(SHARE);
    struct vg_peer_turn *peer = enter(1, NOW);
    vg_peer_turn_charge(peer, false, 100 * BURST, NOW);
    turns.turn += 2 * VG_PEER_TURNS_OWED_MAX;
    assert_false(vg_peer_turn_is_over(peer, true, NOW));
    assert_int_equal(peer->credit_ns, VG_PEER_BURST_NS);
    end(peer);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__holds_nobody_without_a_bound(void **state)
{
    (void)state;
    const unsigned shares[] = { 0, 100 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(shares); i++) {
        begin(shares[i]);
        struct vg_peer_turn *peer = enter(1, NOW);
        vg_peer_turn_charge(peer, true, 100 * BURST, NOW);
        turns.turn += 2 * VG_PEER_TURNS_OWED_MAX;
        assert_false(vg_peer_turn_is_over(peer, true, NOW));
        vg_peer_turn_leave(peer, NOW);
        assert_int_equal(turns.count, 0);
        vg_peer_turns_dispose(&turns);
    }
}

static void test_peer_turn__goes_on_with_strangers_when_there_is_credit(void **state)
{
    (void)state;
    begin(SHARE);
    struct vg_turn_link strange = { 0 };
    struct vg_turn_link known = { 0 };
    enum vg_peer_line line;
    struct vg_peer_turn *peer = enter(1, NOW);
    vg_peer_turn_charge(peer, true, BURST, NOW);
    turns.turn += 2 * VG_PEER_TURNS_OWED_MAX;
    vg_peer_turn_wait(peer, VG_PEER_STRANGERS_READ, &strange, NOW);
    assert_int_equal(turns.ready.count, 0); /* the loop may sleep */
    vg_peer_turn_wait(peer, VG_PEER_READ, &known, NOW);
    assert_int_equal(turns.ready.count, 1);
    assert_ptr_equal(vg_peer_turns_first(&turns), peer);
    assert_ptr_equal(vg_peer_turn_take(peer, &line, NOW), &known);
    assert_null(vg_peer_turn_take(peer, &line, NOW));
    vg_peer_turn_settle(peer, NOW);
    assert_int_equal(turns.ready.count, 0);
    const uint64_t due_ns = vg_timers_next_ns(&timers);
    assert_true(due_ns > NOW && due_ns <= NOW + (uint64_t)VG_PEER_RESUME_NS * 100 / SHARE + 1);
    assert_int_equal(vg_timers_run(&timers, due_ns), 1);
    assert_int_equal(turns.ready.count, 1);
    assert_ptr_equal(vg_peer_turns_first(&turns), peer);
    assert_ptr_equal(vg_peer_turn_take(peer, &line, due_ns), &strange);
    assert_int_equal(line, VG_PEER_STRANGERS_READ);
    end(peer);
    vg_peer_turns_dispose(&turns);
}

/* Else whoever connects again would begin with a full bucket. */
static void test_peer_turn__remembers_a_debt_until_it_is_paid(void **state)
{
    (void)state;
    begin(SHARE);
    struct vg_peer_turn *peer = enter(1, NOW);
    vg_peer_turn_charge(peer, true, 2 * BURST, NOW);
    turns.turn += 2 * VG_PEER_TURNS_OWED_MAX;
    vg_peer_turn_leave(peer, NOW);
    assert_int_equal(turns.count, 1);
    assert_ptr_equal(enter(1, NOW + 1), peer);
    assert_true(vg_peer_turn_is_over(peer, true, NOW + 1));
    vg_peer_turn_leave(peer, NOW + 1);
    const uint64_t paid_ns = 2 * BURST * 100 / SHARE;
    struct vg_peer_turn *other = enter(2, NOW + paid_ns - 10);
    assert_int_equal(turns.count, 2);
    vg_peer_turn_leave(other, NOW + paid_ns + 10);
    struct vg_peer_turn *third = enter(3, NOW + paid_ns + 10);
    assert_int_equal(turns.count, 1); /* forgotten with the next one that comes */
    end(third);
    vg_peer_turns_dispose(&turns);
}

static void test_peer_turn__remembers_a_bounded_number_of_debts(void **state)
{
    (void)state;
    begin(SHARE);
    for (unsigned i = 0; i <= VG_PEER_DEBTORS_MAX; i++) {
        struct vg_network address = { .family = VG_NETWORK_IPV4,
                                      .address = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i } };
        struct vg_peer_turn *peer = vg_peer_turns_enter(&turns, &address, NOW);
        vg_peer_turn_charge(peer, true, BURST, NOW);
        vg_peer_turn_leave(peer, NOW);
        assert_int_equal(turns.count, i < VG_PEER_DEBTORS_MAX ? i + 1 : VG_PEER_DEBTORS_MAX);
    }
    vg_peer_turns_dispose(&turns);
    assert_int_equal(turns.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_turn__is_over_when_the_budget_is_used),
        cmocka_unit_test(test_peer_turn__takes_off_later_turns_what_was_too_much),
        cmocka_unit_test(test_peer_turn__gives_more_to_who_is_alone),
        cmocka_unit_test(test_peer_turn__takes_a_64_of_ipv6_together),
        cmocka_unit_test(test_peer_turn__serves_every_address_in_each_turn),
        cmocka_unit_test(test_peer_turn__serves_its_lines_in_turn),
        cmocka_unit_test(test_peer_turn__forgets_who_leaves_the_line),
        cmocka_unit_test(test_peer_turn__holds_strangers_when_their_bucket_is_empty),
        cmocka_unit_test(test_peer_turn__does_not_charge_strangers_for_who_is_known),
        cmocka_unit_test(test_peer_turn__holds_nobody_without_a_bound),
        cmocka_unit_test(test_peer_turn__goes_on_with_strangers_when_there_is_credit),
        cmocka_unit_test(test_peer_turn__remembers_a_debt_until_it_is_paid),
        cmocka_unit_test(test_peer_turn__remembers_a_bounded_number_of_debts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
