/*
 * Turns of the loop, by peer address: how much of a loop's time the connections of one address get,
 * however many there are and however often they are made anew. IPv6 peers are taken together by
 * their /64, as everywhere.
 *
 * A turn is one round of the loop. An address that has used its budget of it (VG_PEER_TURN_NS)
 * waits until the next one, which begins at once: no time is lost, and everybody else is looked at
 * in between. What it used too much is taken off its next turns. While nobody else has work the
 * budget is larger, because then turns are only a cost.
 *
 * Strangers, connections on which no key has been shown, have a bucket of time besides, for all
 * those of an address together: it is filled at a share of the clock's pace, and when it is empty
 * they are held, even if the loop has nothing else to do. So the loop sleeps, and is quick to wake
 * when somebody else calls. What is done for a connection that has shown a key is never charged to
 * that bucket, nor held by it.
 *
 * Who waits stands in one of the four lines of his address; vg_peer_turns_take serves them in turn.
 *
 * Threads: the worker's. All time is handed in, as `now_ns`.
 */
#ifndef VG_RPC_NET_PEER_TURN_H
#define VG_RPC_NET_PEER_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/network.h"
#include "rpc/net/peer_quota.h"
#include "rpc/net/timer.h"
#include "rpc/net/turn_line.h"

/* Time of one address in a turn: while others have work too, and else. */
#define VG_PEER_TURN_NS       UINT64_C(100000)
#define VG_PEER_TURN_ALONE_NS UINT64_C(1000000)
/* Others have work if one of them had some so short a time ago. */
#define VG_PEER_MIXED_NS UINT64_C(10000000)
/* Nobody is made to wait for more turns than these, whatever he has used. */
#define VG_PEER_TURNS_OWED_MAX 32u
/* Strangers: what their bucket holds, what it may lack, and what is in it when they go on. */
#define VG_PEER_BURST_NS  INT64_C(10000000)
#define VG_PEER_DEBT_NS   INT64_C(50000000)
#define VG_PEER_RESUME_NS INT64_C(250000)
/* Addresses without a connection whose bucket is not full yet are remembered; no more of them. */
#define VG_PEER_DEBTORS_MAX 1024u
#define VG_PEER_TURN_ROWS   1024u

enum vg_peer_line {
    VG_PEER_READ, /* connections to be read from */
    VG_PEER_FLUSH,
    VG_PEER_STRANGERS_READ, /* the same of those that have shown no key */
    VG_PEER_STRANGERS_FLUSH,
    VG_PEER_LINES,
};

struct vg_peer_turn {
    struct vg_peer_turns *turns;
    struct vg_peer_turn *next; /* of its row */
    uint8_t key[VG_PEER_KEY_BYTES];
    size_t conns;
    uint64_t turn; /* that spent_ns is of */
    uint64_t spent_ns;
    int64_t credit_ns; /* of its strangers, at `filled_ns` */
    uint64_t filled_ns;
    bool is_held; /* its strangers wait until there is credit again */
    unsigned last_line;
    struct vg_turn_line lines[VG_PEER_LINES];
    struct vg_turn_link link; /* among those with work, or those without a connection */
    struct vg_timer refill;
};

struct vg_peer_turns {
    /* Set by the owner: when the last piece of work ended, 0 = not known; CPU time of the thread
     * when it was last looked at, and when that was. */
    uint64_t now_ns;
    uint64_t cpu_ns;
    uint64_t cpu_at_ns;
    uint64_t turn;
    unsigned share; /* of strangers, in percent; 0 = no bound */
    struct vg_timers *timers;
    const struct vg_peer_turn *last; /* that was served */
    uint64_t mixed_ns;               /* when it last was another one */
    struct vg_turn_line ready;       /* addresses that could be served if it were their turn */
    struct vg_turn_line debtors;     /* addresses without connections, by when the last one ended */
    size_t count;                    /* addresses */
    uint8_t secret[16];              /* chooses the row */
    struct vg_peer_turn *rows[VG_PEER_TURN_ROWS];
};

/* `share`: percent of the time that the strangers of an address may take; 0 and 100 = all. Timers
 * are set in `timers`. */
void vg_peer_turns_init(struct vg_peer_turns *turns, unsigned share, struct vg_timers *timers);

/* All connections must be gone. Accepts what was never initialised but zeroed. */
void vg_peer_turns_dispose(struct vg_peer_turns *turns);

/* One more connection of `address`; NULL = no memory. */
VG_MUST_USE struct vg_peer_turn *vg_peer_turns_enter(
    struct vg_peer_turns *turns,
    const struct vg_network *address,
    uint64_t now_ns);

/* A connection is gone, and waits nowhere. */
void vg_peer_turn_leave(struct vg_peer_turn *peer, uint64_t now_ns);

/* The next turn of the loop begins. */
void vg_peer_turns_next(struct vg_peer_turns *turns);

/* Has the address used its budget of this turn, or are these its strangers and they are held? */
bool vg_peer_turn_is_over(struct vg_peer_turn *peer, bool is_stranger, uint64_t now_ns);

/* `took_ns` of work have been done for a connection of the address, until `now_ns`. */
void vg_peer_turn_charge(
    struct vg_peer_turn *peer,
    bool is_stranger,
    uint64_t took_ns,
    uint64_t now_ns);

/* Put off `link` to a line of its address, for reading or flushing; or it waits no more. */
void vg_peer_turn_wait(
    struct vg_peer_turn *peer,
    enum vg_peer_line line,
    struct vg_turn_link *link,
    uint64_t now_ns);
void vg_peer_turn_forget(struct vg_peer_turn *peer, struct vg_turn_link *link);

/*
 * Serve who waits, each address within its budget:
 *
 *     for each of the turns->ready.count addresses that are ready now {
 *         peer = vg_peer_turns_first(turns);
 *         while ((link = vg_peer_turn_take(peer, &line, now_ns)) != NULL) { work; charge }
 *         vg_peer_turn_settle(peer, now_ns);
 *     }
 *
 * `first` gives one that is ready and takes it out, `settle` puts it back if it still is, or sets
 * the timer for its strangers. NULL = none.
 */
struct vg_peer_turn *vg_peer_turns_first(struct vg_peer_turns *turns);
struct vg_turn_link *vg_peer_turn_take(
    struct vg_peer_turn *peer,
    enum vg_peer_line *out_line,
    uint64_t now_ns);
void vg_peer_turn_settle(struct vg_peer_turn *peer, uint64_t now_ns);

#endif
