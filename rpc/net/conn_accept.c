#include "rpc/net/conn_accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "rpc/net/conn.h"
#include "rpc/net/conn_turn.h"
#include "rpc/net/listener.h"
#include "rpc/net/server.h"
#include "rpc/net/worker.h"

#define VG_CONN_ACCEPT_BACKLOG 1024

/* Count the peer; false when it is one too many, or has misbehaved too often. */
static bool accept_admits(struct vg_worker *worker, const struct vg_network *peer)
{
    struct vg_server *server = worker->server;
    if (vg_peer_blame_is_barred(&server->blame, peer, vg_worker_now_ns(worker))) {
        vg_metrics_add(VG_METRIC_connections_barred_total, 1);
        return false;
    }
    return vg_peer_quota_take(&server->quota, peer);
}

/* Nobody is charged for that. */
static void accept_refuse(struct vg_worker *worker, int handle)
{
    vg_metrics_add(VG_METRIC_connections_refused_total, 1);
    worker->turns.now_ns = uv_hrtime();
    vg_peer_refusals_add(&worker->refusals, handle, worker->turns.now_ns);
}

static struct vg_conn *accept_create(struct vg_worker_listener *listener)
{
    struct vg_worker *worker = listener->worker;
    struct vg_conn *conn = calloc(1, sizeof(*conn));
    VG_ASSERT(conn != NULL);
    conn->magic = VG_CONN_MAGIC;
    conn->worker = worker;
    conn->limits = &worker->server->options.limits;
    vg_buffer_init(&conn->written, VG_CONN_OUT_BYTES_MAX);
    vg_buffer_init(&conn->queued, VG_CONN_OUT_BYTES_MAX);
    vg_buffer_count(&conn->written);
    vg_buffer_count(&conn->queued);
    conn->tls_first = listener->is_tls;
    conn->share = VG_CONN_SHARE_FIRST;
    VG_ASSERT(uv_tcp_init(&worker->loop, &conn->socket) == 0);
    return conn;
}

static void accept_on_dropped(uv_handle_t *handle)
{
    struct vg_conn *conn = VG_CONTAINER_OF(handle, struct vg_conn, socket);
    struct vg_worker *worker = conn->worker;
    free(conn);
    worker->conn_count--;
    vg_worker_end_if_done(worker);
}

/* The loop does not take the socket. */
static void accept_drop(struct vg_conn *conn, int handle)
{
    struct vg_worker *worker = conn->worker;
    worker->conn_count++;
    vg_peer_turn_leave(conn->turns, vg_worker_now_ns(worker));
    vg_peer_quota_give(&worker->server->quota, &conn->peer);
    accept_refuse(worker, handle);
    uv_close((uv_handle_t *)&conn->socket, accept_on_dropped);
}

static void accept_begin(
    struct vg_worker_listener *listener,
    int handle,
    const struct sockaddr_storage *from)
{
    struct vg_worker *worker = listener->worker;
    struct vg_network peer;
    if (!vg_network_from_sockaddr((const struct sockaddr *)from, &peer) ||
        !accept_admits(worker, &peer)) {
        accept_refuse(worker, handle);
        return;
    }
    struct vg_peer_turn *turns =
        vg_peer_turns_enter(&worker->turns, &peer, vg_worker_now_ns(worker));
    if (turns == NULL) {
        vg_peer_quota_give(&worker->server->quota, &peer);
        accept_refuse(worker, handle);
        return;
    }
    struct vg_conn *conn = accept_create(listener);
    conn->peer = peer;
    conn->peer_port = vg_listener_port(from);
    conn->turns = turns;
    if (uv_tcp_open(&conn->socket, handle) != 0) {
        accept_drop(conn, handle);
        return;
    }
    vg_conn_begin(conn);
    vg_conn_turn_charge(conn);
}

/* Take in up to `most`. False when that was not possible for now. */
static bool accept_some(struct vg_worker_listener *listener, size_t most)
{
    listener->worker->turns.now_ns = vg_worker_now_ns(listener->worker);
    for (size_t i = 0; i < most; i++) {
        struct sockaddr_storage from;
        socklen_t size = sizeof(from);
        const int handle = accept4(
            listener->handle,
            (struct sockaddr *)&from,
            &size,
            SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (handle >= 0) {
            accept_begin(listener, handle, &from);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return true;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return false;
        } /* else that one has gone already, accept(2) */
    }
    return true;
}

static void accept_on_ready(uv_poll_t *poll, int status, int events);

static void accept_on_pause_over(struct vg_timer *timer)
{
    struct vg_worker_listener *listener = VG_CONTAINER_OF(timer, struct vg_worker_listener, pause);
    (void)uv_poll_start(&listener->poll, UV_READABLE, accept_on_ready);
}

static void accept_on_ready(uv_poll_t *poll, int status, int events)
{
    struct vg_worker_listener *listener = VG_CONTAINER_OF(poll, struct vg_worker_listener, poll);
    struct vg_worker *worker = listener->worker;
    (void)events;
    if (status == 0 && accept_some(listener, VG_CONN_ACCEPTS)) {
        return;
    }
    (void)uv_poll_stop(poll);
    listener->pause.fire = accept_on_pause_over;
    vg_worker_set_timer(worker, &listener->pause, uv_hrtime() + VG_CONN_ACCEPT_PAUSE_NS);
}

/*
 * What every connection is to have is said once: on Linux sockets have the options of the one they
 * are accepted from. Answers go out as they are written; and the kernel would take megabytes for a
 * peer that does not read, which cost us their making.
 */
static void accept_prepare(int handle)
{
    const int on = 1;
    const int most = VG_CONN_FILL_BYTES;
    (void)setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(handle, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
}

int vg_conn_accept_open(struct vg_worker_listener *listener)
{
    accept_prepare(listener->handle);
    if (listen(listener->handle, VG_CONN_ACCEPT_BACKLOG) != 0) {
        const int failed = uv_translate_sys_error(errno);
        (void)close(listener->handle);
        return failed;
    }
    const int status = uv_poll_init(&listener->worker->loop, &listener->poll, listener->handle);
    if (status != 0) {
        (void)close(listener->handle);
        return status;
    }
    listener->is_open = true;
    return uv_poll_start(&listener->poll, UV_READABLE, accept_on_ready);
}

void vg_conn_accept_close(struct vg_worker_listener *listener)
{
    if (!listener->is_open) {
        return;
    }
    (void)accept_some(listener, SIZE_MAX);
    vg_worker_clear_timer(listener->worker, &listener->pause);
    listener->is_open = false;
    uv_close((uv_handle_t *)&listener->poll, NULL);
    (void)close(listener->handle);
}
