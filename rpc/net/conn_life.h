/*
 * How long a connection lives: without requests (idle), in all (age), and after it was sent away
 * (grace). Nothing here knows a protocol; a connection that is to end is told to drain.
 *
 * Everybody who connected at the same moment, after a restart for example, would come back at the
 * same moment as well: so the age of each connection is stretched or shortened by up to a tenth.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_CONN_LIFE_H
#define VG_RPC_NET_CONN_LIFE_H

#include <stdint.h>

struct vg_conn;

/* Why a connection takes no new requests; a later one outranks those before it. */
enum vg_conn_end {
    VG_CONN_END_NONE,
    VG_CONN_END_AGE,
    VG_CONN_END_IDLE,
    VG_CONN_END_SHUTDOWN,
};

/* `age_ns` and at most a tenth of it more or less, by `random`. 0 stays 0: no limit. */
uint64_t vg_conn_life_age(uint64_t age_ns, uint64_t random);

/* The connection begins: when will it be too old? */
void vg_conn_life_begin(struct vg_conn *conn);

/* Look at the clock: send the connection away when it is idle or too old, cut it when it was sent
 * away and its grace is over. */
void vg_conn_life_check(struct vg_conn *conn, uint64_t now_ns);

#endif
