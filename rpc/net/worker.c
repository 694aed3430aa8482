#include "rpc/net/worker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/net/conn.h"
#include "rpc/net/conn_accept.h"
#include "rpc/net/conn_turn.h"
#include "rpc/net/server.h"

#define VG_WORKER_NS_PER_MS UINT64_C(1000000)

uint64_t vg_worker_now_ns(const struct vg_worker *worker)
{
    return worker->turns.now_ns != 0 ? worker->turns.now_ns : uv_hrtime();
}

void vg_worker_set_timer(struct vg_worker *worker, struct vg_timer *timer, uint64_t due_ns)
{
    vg_timers_set(&worker->timers, timer, due_ns);
}

void vg_worker_clear_timer(struct vg_worker *worker, struct vg_timer *timer)
{
    vg_timers_clear(&worker->timers, timer);
}

void vg_worker_hold(struct vg_worker *worker)
{
    worker->holds++;
}

void vg_worker_release(struct vg_worker *worker)
{
    VG_ASSERT_ON_WORKER(worker);
    VG_ASSERT(worker->holds > 0);
    worker->holds--;
    vg_worker_end_if_done(worker);
}

static void worker_wake(struct vg_mailbox *mailbox)
{
    struct vg_worker *worker = VG_CONTAINER_OF(mailbox, struct vg_worker, mailbox);
    (void)uv_async_send(&worker->wake);
}

static void worker_on_wake(uv_async_t *wake)
{
    struct vg_worker *worker = VG_CONTAINER_OF(wake, struct vg_worker, wake);
    (void)vg_mailbox_run(&worker->mailbox);
    worker->turns.now_ns = 0; /* that was nobody's piece of work */
}

static void worker_on_alarm(uv_timer_t *alarm)
{
    struct vg_worker *worker = VG_CONTAINER_OF(alarm, struct vg_worker, alarm);
    worker->alarm_ns = UINT64_MAX;
    worker->turns.now_ns = 0;
    (void)vg_timers_run(&worker->timers, uv_hrtime());
    worker->turns.now_ns = 0;
}

/* While a flush is due within microseconds the loop must not sleep: it counts milliseconds. Nor
 * while somebody waits for his next turn. An active idle handle does that, and each turn takes in
 * what has arrived meanwhile. */
static void worker_on_spin(uv_idle_t *spin)
{
    (void)spin;
}

void vg_worker_flush_early(struct vg_worker *worker)
{
    if (worker->flushes.count >= VG_WORKER_FLUSH_CONNS) {
        vg_conn_turns_flush(worker);
    }
}

/* The last step before the loop sleeps. */
static void worker_on_prepare(uv_prepare_t *prepare)
{
    struct vg_worker *worker = VG_CONTAINER_OF(prepare, struct vg_worker, prepare);
    vg_conn_turns_serve(worker);
    vg_conn_turns_flush(worker);
    worker->turns.now_ns = 0;
    if (worker->stopping) {
        return;
    }
    if (worker->flushes.count > 0 || worker->turns.ready.count > 0) {
        (void)uv_idle_start(&worker->spin, worker_on_spin);
    } else {
        (void)uv_idle_stop(&worker->spin);
    }
    uint64_t next_ns = vg_timers_next_ns(&worker->timers);
    if (next_ns == worker->alarm_ns) {
        return;
    }
    worker->alarm_ns = next_ns;
    if (next_ns == UINT64_MAX) {
        (void)uv_timer_stop(&worker->alarm);
        return;
    }
    uint64_t now_ns = uv_hrtime();
    uint64_t wait_ms =
        next_ns <= now_ns ? 0 : (next_ns - now_ns + VG_WORKER_NS_PER_MS - 1) / VG_WORKER_NS_PER_MS;
    uv_update_time(&worker->loop);
    (void)uv_timer_start(&worker->alarm, worker_on_alarm, wait_ms, 0);
}

void vg_worker_end_if_done(struct vg_worker *worker)
{
    if (!worker->draining || worker->stopping || worker->conn_count > 0 || worker->holds > 0) {
        return;
    }
    worker->stopping = true;
    vg_timers_clear(&worker->timers, &worker->drain_timer);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->prepare, NULL);
    uv_close((uv_handle_t *)&worker->spin, NULL);
    uv_close((uv_handle_t *)&worker->alarm, NULL);
}

static void worker_cut(struct vg_timer *timer)
{
    struct vg_worker *worker = VG_CONTAINER_OF(timer, struct vg_worker, drain_timer);
    for (struct vg_conn *conn = worker->conns; conn != NULL; conn = conn->next) {
        vg_conn_close(conn);
    }
}

static void worker_begin_drain(struct vg_task *task)
{
    struct vg_worker *worker = VG_CONTAINER_OF(task, struct vg_worker, drain_task);
    if (worker->draining) {
        return;
    }
    worker->draining = true;
    for (size_t i = 0; i < VG_SERVER_ADDRESSES; i++) {
        /* Those who are already in line are served: they were told the connection stands. */
        vg_conn_accept_close(&worker->listeners[i]);
    }
    vg_peer_refusals_dispose(&worker->refusals);
    for (struct vg_conn *conn = worker->conns; conn != NULL; conn = conn->next) {
        vg_conn_drain(conn, VG_CONN_END_SHUTDOWN);
    }
    worker->drain_timer.fire = worker_cut;
    vg_worker_set_timer(
        worker,
        &worker->drain_timer,
        uv_hrtime() + worker->server->options.drain_timeout_ns);
    vg_worker_end_if_done(worker);
}

void vg_worker_drain(struct vg_worker *worker)
{
    if (worker->started) {
        vg_mailbox_post(&worker->mailbox, &worker->drain_task);
    }
}

static enum vg_reason worker_failed(int status, struct vg_error *error)
{
    return vg_error_set(error, VG_RESOURCE_LIMIT, "cannot start a worker: %s", uv_strerror(status));
}

static int worker_listen(struct vg_worker *worker, int socket, bool is_tls)
{
    struct vg_worker_listener *listener = &worker->listeners[is_tls];
    listener->worker = worker;
    listener->is_tls = is_tls;
    listener->handle = socket;
    return vg_conn_accept_open(listener);
}

static void close_sockets(const int sockets[VG_SERVER_ADDRESSES])
{
    for (size_t i = 0; i < VG_SERVER_ADDRESSES; i++) {
        if (sockets[i] >= 0) {
            (void)close(sockets[i]);
        }
    }
}

enum vg_reason vg_worker_open(
    struct vg_worker *worker,
    struct vg_server *server,
    unsigned index,
    const int sockets[VG_SERVER_ADDRESSES],
    struct vg_error *error)
{
    *worker = (struct vg_worker){ .magic = VG_WORKER_MAGIC, .index = index, .server = server };
    worker->alarm_ns = UINT64_MAX;
    worker->drain_task.run = worker_begin_drain;
    vg_peer_turns_init(&worker->turns, server->options.limits.stranger_share, &worker->timers);
    vg_peer_refusals_init(&worker->refusals, &worker->timers);
    int status = uv_loop_init(&worker->loop);
    if (status != 0) {
        close_sockets(sockets);
        return worker_failed(status, error);
    }
    status = uv_async_init(&worker->loop, &worker->wake, worker_on_wake);
    if (status != 0) {
        close_sockets(sockets);
        (void)uv_loop_close(&worker->loop);
        return worker_failed(status, error);
    }
    /* From here on dispose undoes everything; these cannot fail. */
    worker->opened = true;
    vg_mailbox_init(&worker->mailbox, worker_wake);
    vg_buffer_init(&worker->scratch, VG_CONN_OUT_BYTES_MAX);
    vg_buffer_init(&worker->sealed, VG_CONN_OUT_BYTES_MAX);
    (void)uv_prepare_init(&worker->loop, &worker->prepare);
    (void)uv_prepare_start(&worker->prepare, worker_on_prepare);
    (void)uv_idle_init(&worker->loop, &worker->spin);
    (void)uv_timer_init(&worker->loop, &worker->alarm);
    /* libuv takes a spare descriptor with the first socket of a loop: now, while there are some. */
    (void)uv_tcp_init(&worker->loop, &worker->first);
    uv_close((uv_handle_t *)&worker->first, NULL);
    for (size_t i = 0; i < VG_SERVER_ADDRESSES; i++) {
        if (sockets[i] < 0) {
            continue;
        }
        if (status != 0) {
            (void)close(sockets[i]);
        } else {
            status = worker_listen(worker, sockets[i], i == VG_SERVER_TLS);
        }
    }
    return status != 0 ? worker_failed(status, error) : VG_OK;
}

static void *worker_main(void *owner)
{
    struct vg_worker *worker = owner;
    /* pthread_create may write it later than this thread first asks for it. */
    worker->self = pthread_self();
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    return NULL;
}

enum vg_reason vg_worker_start(struct vg_worker *worker, struct vg_error *error)
{
    int failed = pthread_create(&worker->thread, NULL, worker_main, worker);
    if (failed != 0) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "cannot start a worker: %s",
            strerrordesc_np(failed));
    }
    worker->started = true;
    char name[16];
    (void)snprintf(name, sizeof(name), "vg-worker-%u", worker->index);
    (void)pthread_setname_np(worker->thread, name);
    return VG_OK;
}

void vg_worker_join(struct vg_worker *worker)
{
    if (worker->started) {
        (void)pthread_join(worker->thread, NULL);
        worker->started = false;
    }
}

void vg_worker_dispose(struct vg_worker *worker)
{
    if (worker == NULL || !worker->opened) {
        return;
    }
    VG_ASSERT(!worker->started);
    worker->self = pthread_self();
    if (!worker->draining) {
        worker_begin_drain(&worker->drain_task);
        (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    }
    VG_ASSERT(uv_loop_close(&worker->loop) == 0);
    vg_mailbox_dispose(&worker->mailbox);
    vg_peer_turns_dispose(&worker->turns);
    vg_block_pool_dispose(&worker->blocks);
    vg_buffer_dispose(&worker->scratch);
    vg_buffer_dispose(&worker->sealed);
    worker->opened = false;
}
