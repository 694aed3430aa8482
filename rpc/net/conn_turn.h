/*
 * The turns of connections: which of them the loop looks at, in which order, and what that is
 * charged to. peer_turn.h has the budgets; here is what a connection does about them.
 *
 * A connection that has to wait is not watched by the loop. When its turn has come its socket is
 * read directly; only one that has nothing to say then is watched again. So a thousand that wait
 * cost a turn no more than those it serves.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_CONN_TURN_H
#define VG_RPC_NET_CONN_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct vg_conn;
struct vg_worker;

/* Has it to wait, because its address has had its turn, or is one of strangers that are held? The
 * clock runs for its work from now on, or from the end of the work before. */
bool vg_conn_turn_is_over(struct vg_conn *conn);

/* A piece of work for `conn` is done: the time since the piece before is charged to its address, as
 * far as this thread had the core. */
void vg_conn_turn_charge(struct vg_conn *conn);

/* CPU time of this thread alone: that others have the core is not the connection's doing. */
uint64_t vg_conn_turn_cpu_ns(void);

/* It is in line to be read from; for a flush. */
void vg_conn_turn_put_off_read(struct vg_conn *conn);
void vg_conn_turn_put_off_flush(struct vg_conn *conn);

/* It waits no more to be read from; for anything. */
void vg_conn_turn_forget_read(struct vg_conn *conn);
void vg_conn_turn_leave(struct vg_conn *conn);

/* In line for a flush by the worker, wherever it has waited. */
void vg_conn_turn_flush_soon(struct vg_conn *conn);

/* For the worker, in each turn of the loop: serve those who wait, flush. */
void vg_conn_turns_serve(struct vg_worker *worker);
void vg_conn_turns_flush(struct vg_worker *worker);

#endif
