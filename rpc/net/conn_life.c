#include "rpc/net/conn_life.h"

#include "core/base/metrics.h"
#include "core/base/random.h"
#include "rpc/net/conn.h"

/* An age is moved by up to one part in so many. */
#define VG_CONN_LIFE_JITTER 10u

uint64_t vg_conn_life_age(uint64_t age_ns, uint64_t random)
{
    const uint64_t most = age_ns / VG_CONN_LIFE_JITTER;
    return age_ns - most + random % (2 * most + 1);
}

void vg_conn_life_begin(struct vg_conn *conn)
{
    const uint64_t age_ns = conn->limits->age_ns;
    conn->age_due_ns =
        age_ns == 0 ? UINT64_MAX
                    : conn->opened_ns + vg_conn_life_age(age_ns, vg_random_u64(vg_random_real()));
}

static void life_check_idle(struct vg_conn *conn, uint64_t now_ns)
{
    const uint64_t limit_ns = conn->limits->idle_timeout_ns;
    if (conn->streams_open > 0 || limit_ns == 0 || now_ns < conn->active_ns ||
        now_ns - conn->active_ns < limit_ns) {
        return;
    }
    conn->active_ns = now_ns; /* a drained one gets the same time once more */
    if (conn->end >= VG_CONN_END_IDLE) {
        vg_conn_close(conn);
        return;
    }
    vg_metrics_add(VG_METRIC_connections_idle_total, 1);
    vg_conn_drain(conn, VG_CONN_END_IDLE);
}

void vg_conn_life_check(struct vg_conn *conn, uint64_t now_ns)
{
    const uint64_t grace_ns = conn->limits->age_grace_ns;
    if (conn->end == VG_CONN_END_NONE && now_ns >= conn->age_due_ns) {
        vg_metrics_add(VG_METRIC_connections_aged_total, 1);
        vg_conn_drain(conn, VG_CONN_END_AGE);
        conn->age_due_ns = grace_ns == 0 ? UINT64_MAX : now_ns + grace_ns;
    } else if (conn->end == VG_CONN_END_AGE && now_ns >= conn->age_due_ns) {
        vg_metrics_add(VG_METRIC_connections_cut_total, conn->streams_open > 0 ? 1 : 0);
        vg_conn_close(conn);
        return;
    }
    life_check_idle(conn, now_ns);
}
