#include "rpc/net/peer_turn.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/digest.h"
#include "core/base/metrics.h"
#include "core/base/random.h"

#define VG_PEER_SHARE_ALL 100u

void vg_peer_turns_init(struct vg_peer_turns *turns, unsigned share, struct vg_timers *timers)
{
    VG_ASSERT(share <= VG_PEER_SHARE_ALL);
    *turns =
        (struct vg_peer_turns){ .timers = timers, .share = share == VG_PEER_SHARE_ALL ? 0 : share };
    vg_random_bytes(vg_random_real(), turns->secret, sizeof(turns->secret));
}

/* --- The table ---------------------------------------------------------------------------------
 */

static struct vg_peer_turn **turns_row(struct vg_peer_turns *turns, const uint8_t *key)
{
    const uint64_t hash = vg_siphash(turns->secret, vg_bytes(key, VG_PEER_KEY_BYTES));
    return &turns->rows[hash % VG_PEER_TURN_ROWS];
}

static void peer_free(struct vg_peer_turn *peer)
{
    struct vg_peer_turns *turns = peer->turns;
    struct vg_peer_turn **at = turns_row(turns, peer->key);
    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    vg_turn_line_remove(&peer->link);
    vg_timers_clear(turns->timers, &peer->refill);
    if (turns->last == peer) {
        turns->last = NULL;
    }
    turns->count--;
    free(peer);
}

static struct vg_peer_turn *peer_of(struct vg_turn_link *link)
{
    return link == NULL ? NULL : VG_CONTAINER_OF(link, struct vg_peer_turn, link);
}

void vg_peer_turns_dispose(struct vg_peer_turns *turns)
{
    while (turns->debtors.count > 0) {
        peer_free(peer_of(vg_turn_line_take(&turns->debtors)));
    }
    VG_ASSERT(turns->count == 0);
}

static void peer_fill(struct vg_peer_turn *peer, uint64_t now_ns)
{
    const uint64_t passed_ns = now_ns > peer->filled_ns ? now_ns - peer->filled_ns : 0;
    const int64_t lacks_ns = VG_PEER_BURST_NS - peer->credit_ns;
    const unsigned share = peer->turns->share;
    if (share == 0 || passed_ns >= (uint64_t)lacks_ns * VG_PEER_SHARE_ALL / share) {
        peer->credit_ns = VG_PEER_BURST_NS;
    } else {
        peer->credit_ns += (int64_t)(passed_ns * share / VG_PEER_SHARE_ALL);
    }
    peer->filled_ns = now_ns;
    peer->is_held = peer->is_held && peer->credit_ns < VG_PEER_RESUME_NS;
}

/* Those that owe nothing any more are forgotten; those that left first are looked at first. */
static void turns_forget(struct vg_peer_turns *turns, uint64_t now_ns)
{
    while (turns->debtors.count > 0) {
        struct vg_peer_turn *first = peer_of(turns->debtors.first);
        peer_fill(first, now_ns);
        if (first->credit_ns < VG_PEER_BURST_NS && turns->debtors.count <= VG_PEER_DEBTORS_MAX) {
            return;
        }
        peer_free(peer_of(vg_turn_line_take(&turns->debtors)));
    }
}

static void peer_on_refill(struct vg_timer *timer)
{
    struct vg_peer_turn *peer = VG_CONTAINER_OF(timer, struct vg_peer_turn, refill);
    vg_peer_turn_settle(peer, timer->due_ns);
}

static struct vg_peer_turn *peer_create(
    struct vg_peer_turns *turns,
    const uint8_t key[VG_PEER_KEY_BYTES],
    uint64_t now_ns)
{
    struct vg_peer_turn *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    struct vg_peer_turn **row = turns_row(turns, key);
    peer->turns = turns;
    memcpy(peer->key, key, VG_PEER_KEY_BYTES);
    peer->turn = turns->turn;
    peer->credit_ns = VG_PEER_BURST_NS;
    peer->filled_ns = now_ns;
    peer->refill.fire = peer_on_refill;
    peer->next = *row;
    *row = peer;
    turns->count++;
    return peer;
}

struct vg_peer_turn *vg_peer_turns_enter(
    struct vg_peer_turns *turns,
    const struct vg_network *address,
    uint64_t now_ns)
{
    uint8_t key[VG_PEER_KEY_BYTES];
    turns_forget(turns, now_ns);
    vg_peer_quota_key(address, key);
    struct vg_peer_turn *peer = *turns_row(turns, key);
    while (peer != NULL && memcmp(peer->key, key, VG_PEER_KEY_BYTES) != 0) {
        peer = peer->next;
    }
    if (peer == NULL) {
        peer = peer_create(turns, key, now_ns);
    } else if (peer->conns == 0) {
        vg_turn_line_remove(&peer->link); /* no debtor any more */
    }
    if (peer != NULL) {
        peer->conns++;
    }
    return peer;
}

void vg_peer_turn_leave(struct vg_peer_turn *peer, uint64_t now_ns)
{
    VG_ASSERT(peer->conns > 0);
    if (--peer->conns > 0) {
        return;
    }
    vg_turn_line_remove(&peer->link);
    vg_timers_clear(peer->turns->timers, &peer->refill);
    peer_fill(peer, now_ns);
    if (peer->credit_ns == VG_PEER_BURST_NS) {
        peer_free(peer);
        return;
    }
    struct vg_peer_turns *turns = peer->turns;
    vg_turn_line_add(&turns->debtors, &peer->link);
    turns_forget(turns, now_ns);
}

/* --- The budget --------------------------------------------------------------------------------
 */

static uint64_t turns_budget(const struct vg_peer_turns *turns, uint64_t now_ns)
{
    const bool is_mixed = now_ns - turns->mixed_ns < VG_PEER_MIXED_NS;
    return is_mixed ? VG_PEER_TURN_NS : VG_PEER_TURN_ALONE_NS;
}

void vg_peer_turns_next(struct vg_peer_turns *turns)
{
    turns->turn++;
}

/* What was used too much in one turn is taken off the next. */
static void peer_renew(struct vg_peer_turn *peer, uint64_t budget_ns)
{
    const uint64_t passed = peer->turns->turn - peer->turn;
    if (passed == 0) {
        return;
    }
    const uint64_t most = VG_PEER_TURNS_OWED_MAX * budget_ns;
    const uint64_t spent_ns = peer->spent_ns < most ? peer->spent_ns : most;
    const uint64_t given_ns = passed >= VG_PEER_TURNS_OWED_MAX ? most : passed * budget_ns;
    peer->spent_ns = spent_ns > given_ns ? spent_ns - given_ns : 0;
    peer->turn = peer->turns->turn;
}

static bool peer_is_held(struct vg_peer_turn *peer, uint64_t now_ns)
{
    if (peer->is_held) {
        peer_fill(peer, now_ns);
    }
    return peer->is_held;
}

static bool peer_is_spent(struct vg_peer_turn *peer, uint64_t now_ns)
{
    const uint64_t budget_ns = turns_budget(peer->turns, now_ns);
    peer_renew(peer, budget_ns);
    return peer->spent_ns >= budget_ns;
}

bool vg_peer_turn_is_over(struct vg_peer_turn *peer, bool is_stranger, uint64_t now_ns)
{
    return peer_is_spent(peer, now_ns) || (is_stranger && peer_is_held(peer, now_ns));
}

void vg_peer_turn_charge(
    struct vg_peer_turn *peer,
    bool is_stranger,
    uint64_t took_ns,
    uint64_t now_ns)
{
    struct vg_peer_turns *turns = peer->turns;
    if (turns->last != peer) {
        turns->mixed_ns = turns->last != NULL ? now_ns : turns->mixed_ns;
        turns->last = peer;
    }
    peer_renew(peer, turns_budget(turns, now_ns));
    peer->spent_ns += took_ns;
    if (!is_stranger || turns->share == 0) {
        return;
    }
    peer_fill(peer, now_ns);
    peer->credit_ns -= took_ns < (uint64_t)VG_PEER_DEBT_NS ? (int64_t)took_ns : VG_PEER_DEBT_NS;
    if (peer->credit_ns < -VG_PEER_DEBT_NS) {
        peer->credit_ns = -VG_PEER_DEBT_NS;
    }
    if (!peer->is_held && peer->credit_ns <= 0) {
        peer->is_held = true;
        vg_metrics_add(VG_METRIC_strangers_held_total, 1);
    }
}

/* --- Who waits ---------------------------------------------------------------------------------
 */

static bool line_is_of_strangers(size_t line)
{
    return line >= VG_PEER_STRANGERS_READ;
}

void vg_peer_turn_settle(struct vg_peer_turn *peer, uint64_t now_ns)
{
    struct vg_peer_turns *turns = peer->turns;
    const bool has_known =
        peer->lines[VG_PEER_READ].count > 0 || peer->lines[VG_PEER_FLUSH].count > 0;
    const bool has_strangers = peer->lines[VG_PEER_STRANGERS_READ].count > 0 ||
                               peer->lines[VG_PEER_STRANGERS_FLUSH].count > 0;
    const bool is_held = has_strangers && peer_is_held(peer, now_ns);
    vg_turn_line_remove(&peer->link);
    if (has_known || (has_strangers && !is_held)) {
        vg_turn_line_add(&turns->ready, &peer->link);
    }
    if (!is_held) {
        vg_timers_clear(turns->timers, &peer->refill);
    } else if (!peer->refill.is_set) {
        const uint64_t lacks_ns = (uint64_t)(VG_PEER_RESUME_NS - peer->credit_ns);
        const uint64_t wait_ns = lacks_ns * VG_PEER_SHARE_ALL / turns->share + 1;
        vg_timers_set(turns->timers, &peer->refill, now_ns + wait_ns);
    }
}

void vg_peer_turn_wait(
    struct vg_peer_turn *peer,
    enum vg_peer_line line,
    struct vg_turn_link *link,
    uint64_t now_ns)
{
    vg_turn_line_add(&peer->lines[line], link);
    if (peer->lines[line].count == 1) {
        vg_peer_turn_settle(peer, now_ns);
    }
}

void vg_peer_turn_forget(struct vg_peer_turn *peer, struct vg_turn_link *link)
{
    const struct vg_turn_line *line = link->line;
    vg_turn_line_remove(link);
    if (line != NULL && line->count == 0) {
        vg_peer_turn_settle(peer, peer->filled_ns);
    }
}

struct vg_peer_turn *vg_peer_turns_first(struct vg_peer_turns *turns)
{
    return peer_of(vg_turn_line_take(&turns->ready));
}

struct vg_turn_link *vg_peer_turn_take(
    struct vg_peer_turn *peer,
    enum vg_peer_line *out_line,
    uint64_t now_ns)
{
    if (peer_is_spent(peer, now_ns)) {
        return NULL;
    }
    for (unsigned i = 1; i <= VG_PEER_LINES; i++) {
        const unsigned line = (peer->last_line + i) % VG_PEER_LINES;
        if (peer->lines[line].count > 0 &&
            (!line_is_of_strangers(line) || !peer_is_held(peer, now_ns))) {
            peer->last_line = line;
            *out_line = (enum vg_peer_line)line;
            return vg_turn_line_take(&peer->lines[line]);
        }
    }
    return NULL;
}
