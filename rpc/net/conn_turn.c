#include "rpc/net/conn_turn.h"

#include <time.h>

#include <uv.h>

#include "core/base/compiler.h"
#include "core/base/metrics.h"
#include "rpc/net/conn.h"
#include "rpc/net/peer_turn.h"
#include "rpc/net/worker.h"

/* The CPU time that is known is not older, in a turn that begins. */
#define VG_CONN_TURN_CPU_AGE_NS UINT64_C(1000000)

/* --- The clock ---------------------------------------------------------------------------------
 */

/* Pieces of work follow each other within a turn: the end of one is the begin of the next, and a
 * reading of the clock is a hundredth of a call. */
static uint64_t turn_now_ns(struct vg_worker *worker)
{
    if (worker->turns.now_ns == 0) {
        worker->turns.now_ns = uv_hrtime();
    }
    return worker->turns.now_ns;
}

uint64_t vg_conn_turn_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool vg_conn_turn_is_over(struct vg_conn *conn)
{
    return vg_peer_turn_is_over(conn->turns, !conn->is_proven, turn_now_ns(conn->worker));
}

/* The clock of CPU time costs ten times as much as the other: it is looked at once in a while, and
 * when a piece of work seems to have been long. */
static void turn_look_at_cpu(struct vg_peer_turns *turns)
{
    turns->cpu_ns = vg_conn_turn_cpu_ns();
    turns->cpu_at_ns = turns->now_ns;
}

/* `took_ns`, or what this thread can have worked at most, if somebody else had the core. */
static uint64_t turn_worked_ns(struct vg_peer_turns *turns, uint64_t took_ns)
{
    if (took_ns <= VG_PEER_TURN_NS) {
        return took_ns;
    }
    const uint64_t cpu_ns = turns->cpu_ns;
    turn_look_at_cpu(turns);
    return took_ns < turns->cpu_ns - cpu_ns ? took_ns : turns->cpu_ns - cpu_ns;
}

void vg_conn_turn_charge(struct vg_conn *conn)
{
    struct vg_peer_turns *turns = &conn->worker->turns;
    const uint64_t begun_ns = turn_now_ns(conn->worker);
    turns->now_ns = uv_hrtime();
    const uint64_t took_ns = turn_worked_ns(turns, turns->now_ns - begun_ns);
    vg_peer_turn_charge(conn->turns, !conn->is_proven, took_ns, turns->now_ns);
    if (!conn->is_proven) {
        vg_metrics_add(VG_METRIC_strangers_nanoseconds_total, took_ns);
    }
}

/* --- Waiting -----------------------------------------------------------------------------------
 */

static void turn_put_off(struct vg_conn *conn, enum vg_peer_line line, struct vg_turn_link *link)
{
    if (!conn->is_proven) {
        line = line == VG_PEER_READ ? VG_PEER_STRANGERS_READ : VG_PEER_STRANGERS_FLUSH;
    }
    vg_peer_turn_wait(conn->turns, line, link, turn_now_ns(conn->worker));
}

void vg_conn_turn_put_off_read(struct vg_conn *conn)
{
    if (conn->read_link.line == NULL) {
        turn_put_off(conn, VG_PEER_READ, &conn->read_link);
    }
}

void vg_conn_turn_put_off_flush(struct vg_conn *conn)
{
    turn_put_off(conn, VG_PEER_FLUSH, &conn->flush_link);
}

void vg_conn_turn_forget_read(struct vg_conn *conn)
{
    if (conn->read_link.line != NULL) {
        vg_peer_turn_forget(conn->turns, &conn->read_link);
    }
}

/* Out of the line for a flush, whoever's it is. */
static void turn_forget_flush(struct vg_conn *conn)
{
    if (conn->flush_link.line == &conn->worker->flushes) {
        vg_turn_line_remove(&conn->flush_link);
    } else if (conn->flush_link.line != NULL) {
        vg_peer_turn_forget(conn->turns, &conn->flush_link);
    }
}

void vg_conn_turn_leave(struct vg_conn *conn)
{
    vg_conn_turn_forget_read(conn);
    turn_forget_flush(conn);
}

void vg_conn_turn_flush_soon(struct vg_conn *conn)
{
    turn_forget_flush(conn);
    vg_turn_line_add(&conn->worker->flushes, &conn->flush_link);
}

void vg_conn_prove(struct vg_conn *conn)
{
    if (conn->is_proven) {
        return;
    }
    conn->is_proven = true;
    if (conn->read_link.line != NULL) {
        vg_conn_turn_forget_read(conn);
        vg_conn_turn_put_off_read(conn);
    }
    if (conn->flush_link.line != NULL && conn->flush_link.line != &conn->worker->flushes) {
        turn_forget_flush(conn);
        vg_conn_turn_put_off_flush(conn);
    }
}

/* --- Serving -----------------------------------------------------------------------------------
 */

static void turn_flush(struct vg_conn *conn)
{
    (void)turn_now_ns(conn->worker);
    vg_conn_flush(conn);
    vg_conn_turn_charge(conn);
}

/* Who waited has the first word in a turn. */
void vg_conn_turns_serve(struct vg_worker *worker)
{
    struct vg_peer_turns *turns = &worker->turns;
    turns->now_ns = uv_hrtime();
    if (turns->now_ns - turns->cpu_at_ns > VG_CONN_TURN_CPU_AGE_NS) {
        turn_look_at_cpu(turns);
    }
    vg_peer_turns_next(turns);
    struct vg_peer_turn *peer;
    for (size_t left = turns->ready.count; left > 0 && (peer = vg_peer_turns_first(turns)) != NULL;
         left--) {
        enum vg_peer_line line;
        struct vg_turn_link *link;
        while ((link = vg_peer_turn_take(peer, &line, turn_now_ns(worker))) != NULL) {
            if (line == VG_PEER_READ || line == VG_PEER_STRANGERS_READ) {
                vg_conn_read_now(VG_CONTAINER_OF(link, struct vg_conn, read_link));
            } else {
                turn_flush(VG_CONTAINER_OF(link, struct vg_conn, flush_link));
            }
        }
        vg_peer_turn_settle(peer, turn_now_ns(worker));
    }
}

void vg_conn_turns_flush(struct vg_worker *worker)
{
    for (size_t left = worker->flushes.count; left > 0; left--) {
        struct vg_turn_link *link = vg_turn_line_take(&worker->flushes);
        struct vg_conn *conn = VG_CONTAINER_OF(link, struct vg_conn, flush_link);
        if (vg_conn_may_wait(conn, turn_now_ns(worker))) {
            vg_turn_line_add(&worker->flushes, link);
        } else if (!conn->close_wanted && vg_conn_turn_is_over(conn)) {
            vg_metrics_add(VG_METRIC_turns_put_off_total, 1);
            vg_conn_turn_put_off_flush(conn);
        } else {
            turn_flush(conn);
        }
    }
}
