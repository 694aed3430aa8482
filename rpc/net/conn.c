#include "rpc/net/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/metrics.h"
#include "rpc/net/conn_tls.h"
#include "rpc/net/conn_turn.h"
#include "rpc/net/peer_turn.h"
#include "rpc/net/server.h"
#include "rpc/net/tls.h"
#include "rpc/net/worker.h"

#define VG_CONN_ROUNDS_MAX   8u
#define VG_CONN_WATCH_NS_MAX UINT64_C(5000000000)
#define VG_CONN_WATCH_NS_MIN UINT64_C(10000000)
/* A connection that had several streams open is expected to have so again for this long. */
#define VG_CONN_CROWDED_NS   UINT64_C(1000000)
#define VG_CONN_LINGER_NS    UINT64_C(1000000000)
#define VG_CONN_LINGER_BYTES (4u * 1024u * 1024u)
/* How long one connection may keep the loop from the others, and bytes that are read from it at a
 * time: at least. */
#define VG_CONN_TURN_NS   UINT64_C(100000)
#define VG_CONN_SHARE_MIN 256u
#define VG_CONN_PREFACE   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_Static_assert(sizeof(VG_CONN_PREFACE) - 1 == VG_CONN_SNIFF_BYTES, "the preface has 24 bytes");

/* --- Waking and closing ------------------------------------------------------------------------
 */

void vg_conn_wake(struct vg_conn *conn)
{
    if (conn->flush_link.line != NULL || conn->closing) {
        return;
    }
    conn->woken_ns = conn->limits->flush_delay_ns > 0 ? uv_hrtime() : 0;
    vg_turn_line_add(&conn->worker->flushes, &conn->flush_link);
}

/*
 * Decided when the input has been taken, because the first of ten requests that came together is
 * answered before the second is looked at. Answers that are flushed leave no stream open, so the
 * next request of a busy client finds none either: what counts is whether several were open a short
 * while ago.
 */
bool vg_conn_may_wait(struct vg_conn *conn, uint64_t now_ns)
{
    if (conn->streams_open > 1) {
        conn->crowded_ns = now_ns;
    }
    return now_ns - conn->woken_ns < conn->limits->flush_delay_ns && !conn->close_wanted &&
           conn->crowded_ns != 0 && now_ns - conn->crowded_ns < VG_CONN_CROWDED_NS;
}

void vg_conn_close(struct vg_conn *conn)
{
    conn->close_wanted = true;
    if (!conn->closing) {
        vg_conn_turn_flush_soon(conn); /* to close waits for nobody */
    }
}

static void conn_on_closed(uv_handle_t *handle)
{
    struct vg_conn *conn = VG_CONTAINER_OF(handle, struct vg_conn, socket);
    struct vg_worker *worker = conn->worker;
    vg_metrics_move(VG_METRIC_connections_open, -1);
    vg_peer_quota_give(&worker->server->quota, &conn->peer);
    vg_peer_turn_leave(conn->turns, vg_worker_now_ns(worker));
    if (conn->next != NULL) {
        conn->next->back = conn->back;
    }
    if (conn->back != NULL) {
        conn->back->next = conn->next;
    } else {
        worker->conns = conn->next;
    }
    worker->conn_count--;
    vg_buffer_dispose(&conn->written);
    vg_buffer_dispose(&conn->queued);
    vg_conn_tls_dispose(conn);
    conn->magic = 0;
    free(conn);
    vg_worker_end_if_done(worker);
}

static void conn_finish(struct vg_conn *conn)
{
    if (conn->closing) {
        return;
    }
    conn->closing = true;
    vg_conn_turn_leave(conn);
    if (conn->protocol != NULL) {
        conn->protocol->closed(conn);
        conn->protocol = NULL;
    }
    vg_worker_clear_timer(conn->worker, &conn->watch);
    uv_close((uv_handle_t *)&conn->socket, conn_on_closed);
}

void vg_conn_part(struct vg_conn *conn)
{
    if (conn->protocol != NULL) {
        conn->protocol->closed(conn);
        conn->protocol = NULL;
    }
    conn->streams_open = 0;
    conn->parting = true;
    vg_conn_wake(conn);
}

static void conn_on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status;
}

/*
 * All is said. Closing at once would make the kernel answer what the peer has still under way with
 * a reset, which may destroy our last words before they are read (RFC 9112 section 9.6): so only
 * our side is closed, and what arrives is dropped until the peer closes, for a short while.
 */
static void conn_linger(struct vg_conn *conn)
{
    const struct vg_conn_protocol *protocol = conn->protocol;
    if (conn->read_ended) {
        vg_conn_close(conn); /* the peer has closed already: nothing is under way */
        return;
    }
    if (protocol != NULL) {
        protocol->closed(conn);
        conn->protocol = NULL;
    }
    conn->lingering = true;
    vg_conn_pause(conn, false);
    conn->streams_open = 0;
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->socket, conn_on_shutdown) != 0) {
        vg_conn_close(conn);
        return;
    }
    vg_worker_set_timer(conn->worker, &conn->watch, uv_hrtime() + VG_CONN_LINGER_NS);
}

/* --- Reading -----------------------------------------------------------------------------------
 */

void vg_conn_speak(struct vg_conn *conn, const struct vg_conn_protocol *protocol)
{
    if (protocol == NULL) {
        vg_conn_close(conn);
        return;
    }
    conn->protocol = protocol;
    if (!protocol->open(conn)) {
        conn->protocol = NULL;
        vg_conn_close(conn);
        return;
    }
    if (conn->sniffed_size > 0) {
        protocol->read(conn, vg_bytes(conn->sniffed, conn->sniffed_size));
    }
    if (conn->end != VG_CONN_END_NONE) {
        protocol->drain(conn);
    }
    vg_conn_wake(conn);
}

/* Decide by the first bytes, which are kept until they differ from the preface or are all of it.
 * Returns how many of `part` were kept. */
static size_t conn_sniff(struct vg_conn *conn, struct vg_bytes part)
{
    const struct vg_server_options *options = &conn->worker->server->options;
    size_t size = VG_CONN_SNIFF_BYTES - conn->sniffed_size;
    if (size > part.size) {
        size = part.size;
    }
    memcpy(conn->sniffed + conn->sniffed_size, part.data, size);
    conn->sniffed_size = (uint8_t)(conn->sniffed_size + size);
    if (memcmp(conn->sniffed, VG_CONN_PREFACE, conn->sniffed_size) != 0) {
        vg_conn_speak(conn, options->http1);
    } else if (conn->sniffed_size == VG_CONN_SNIFF_BYTES) {
        vg_conn_speak(conn, options->http2);
    }
    return size;
}

static void conn_take_bytes(struct vg_conn *conn, struct vg_bytes part)
{
    if (conn->lingering) {
        conn->lingered_bytes += part.size;
        if (conn->lingered_bytes > VG_CONN_LINGER_BYTES) {
            vg_conn_close(conn);
        }
        return;
    }
    if (conn->tls_first && conn->tls == NULL && !vg_conn_tls_open(conn)) {
        vg_conn_close(conn);
        return;
    }
    if (conn->tls != NULL) {
        vg_conn_tls_take(conn, part);
        return;
    }
    if (conn->protocol == NULL && !conn->close_wanted) {
        size_t kept = conn_sniff(conn, part);
        part = vg_bytes(part.data + kept, part.size - kept);
    }
    if (part.size > 0 && conn->protocol != NULL && !conn->close_wanted) {
        conn->protocol->read(conn, part);
    }
}

static void conn_read_on(struct vg_conn *conn, bool on);

/* No room = it has to wait: libuv says UV_ENOBUFS then. */
static void conn_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct vg_conn *conn = VG_CONTAINER_OF(handle, struct vg_conn, socket);
    if (vg_conn_turn_is_over(conn)) {
        *buffer = uv_buf_init(NULL, 0);
        return;
    }
    *buffer = uv_buf_init((char *)conn->worker->read_bytes, (unsigned)conn->share);
}

void vg_conn_blame(struct vg_conn *conn)
{
    vg_peer_blame_add(&conn->worker->server->blame, &conn->peer, uv_hrtime());
}

/*
 * The share of a connection in a turn of the loop is what it can send that is dealt with in about
 * VG_CONN_TURN_NS: much of a body, few calls, very little of what unpacks to a
 * thousand times as much.
 */
static void conn_weigh_turn(struct vg_conn *conn, uint64_t took_ns)
{
    if (took_ns > VG_CONN_TURN_NS && conn->share > VG_CONN_SHARE_MIN) {
        conn->share /= 2;
    } else if (took_ns < VG_CONN_TURN_NS / 4 && conn->share < VG_WORKER_READ_BYTES) {
        conn->share *= 2;
    }
}

static bool conn_may_read(const struct vg_conn *conn)
{
    return !conn->close_wanted && !conn->closing && !conn->read_ended && !conn->paused &&
           conn->queued.size < VG_CONN_FILL_BYTES;
}

/* It goes on to be read from when those before it have had their turn. libuv would read on, up to
 * 32 times. */
static void conn_end_turn(struct vg_conn *conn)
{
    conn_read_on(conn, false);
    if (conn_may_read(conn)) {
        vg_conn_turn_put_off_read(conn);
    }
}

void vg_conn_end_read(struct vg_conn *conn)
{
    conn_read_on(conn, false);
    conn->read_ended = true;
    conn->protocol->ended(conn);
    vg_conn_wake(conn);
}

static void conn_take_part(struct vg_conn *conn, struct vg_bytes part, bool is_full)
{
    const uint64_t begun_ns = is_full ? vg_conn_turn_cpu_ns() : 0;
    vg_metrics_add(VG_METRIC_bytes_received_total, part.size);
    conn_take_bytes(conn, part);
    if (is_full) {
        conn_weigh_turn(conn, vg_conn_turn_cpu_ns() - begun_ns);
    }
    vg_conn_turn_charge(conn);
    if (is_full) {
        conn_end_turn(conn);
    }
    vg_worker_flush_early(conn->worker);
}

static void conn_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct vg_conn *conn = VG_CONTAINER_OF(stream, struct vg_conn, socket);
    if (conn->close_wanted || conn->closing) {
        return;
    }
    if (size > 0) {
        const struct vg_bytes part = vg_bytes(buffer->base, (size_t)size);
        conn_take_part(conn, part, (size_t)size == buffer->len);
    } else if (size == UV_ENOBUFS) {
        vg_metrics_add(VG_METRIC_turns_put_off_total, 1);
        conn_end_turn(conn);
    } else if (size == UV_EOF && conn->protocol != NULL) {
        vg_conn_end_read(conn); /* with or without close_notify: HTTP knows where it ends */
    } else if (size < 0) {
        if (conn->tls != NULL) {
            vg_conn_tls_lost(conn, "the client went away");
        }
        vg_conn_close(conn);
    }
}

void vg_conn_read_now(struct vg_conn *conn)
{
    struct vg_worker *worker = conn->worker;
    const uv_buf_t room = uv_buf_init((char *)worker->read_bytes, (unsigned)conn->share);
    uv_os_fd_t handle;
    if (!conn_may_read(conn) || uv_fileno((const uv_handle_t *)&conn->socket, &handle) != 0) {
        return;
    }
    const ssize_t size = recv(handle, room.base, room.len, 0);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        conn_read_on(conn, true); /* the loop will say when there is something */
        vg_conn_turn_charge(conn);
        return;
    }
    conn_on_read(
        (uv_stream_t *)&conn->socket,
        size > 0    ? size
        : size == 0 ? UV_EOF
                    : uv_translate_sys_error(errno),
        &room);
    if (size <= 0) {
        vg_conn_turn_charge(conn);
    } else if (conn_may_read(conn)) {
        conn_read_on(conn, true); /* unless it is in line again */
    }
}

static void conn_read_on(struct vg_conn *conn, bool on)
{
    if (!on) {
        vg_conn_turn_forget_read(conn);
    }
    if (on == conn->reading || conn->read_ended ||
        (on && (conn->paused || conn->read_link.line != NULL))) {
        return;
    }
    conn->reading = on;
    if (!on) {
        (void)uv_read_stop((uv_stream_t *)&conn->socket);
    } else if (uv_read_start((uv_stream_t *)&conn->socket, conn_on_alloc, conn_on_read) != 0) {
        vg_conn_close(conn);
    }
}

void vg_conn_pause(struct vg_conn *conn, bool paused)
{
    if (paused == conn->paused || conn->closing) {
        return;
    }
    conn->paused = paused;
    conn_read_on(conn, !paused && conn->queued.size < VG_CONN_FILL_BYTES);
}

/* --- Writing -----------------------------------------------------------------------------------
 */

static void conn_on_written(uv_write_t *write, int status);

/* Hand conn->written to the loop, which writes as the socket takes it. */
static void conn_write_rest(struct vg_conn *conn)
{
    uv_buf_t part = uv_buf_init((char *)conn->written.data, (unsigned)conn->written.size);
    conn->write_ns = uv_hrtime();
    conn->write_left = conn->written.size;
    conn->writing = true;
    if (uv_write(&conn->write, (uv_stream_t *)&conn->socket, &part, 1, conn_on_written) != 0) {
        conn->writing = false;
        vg_conn_close(conn);
    }
}

static void conn_on_written(uv_write_t *write, int status)
{
    struct vg_conn *conn = VG_CONTAINER_OF(write, struct vg_conn, write);
    conn->writing = false;
    vg_buffer_dispose(&conn->written);
    if (conn->closing) {
        return;
    }
    if (status != 0) {
        vg_conn_close(conn);
        return;
    }
    if (conn->queued.size > 0) {
        struct vg_buffer empty = conn->written;
        conn->written = conn->queued;
        conn->queued = empty;
        conn_write_rest(conn);
    }
    conn_read_on(conn, true);
    vg_conn_wake(conn);
}

/* One round: gather and write. False when there is nothing more to do now. */
static bool conn_write_round(struct vg_conn *conn)
{
    struct vg_buffer *scratch = &conn->worker->scratch;
    struct vg_buffer *out = scratch;
    vg_buffer_clear(scratch);
    if (conn->protocol != NULL) {
        conn->protocol->fill(conn, scratch, VG_CONN_FILL_BYTES);
    }
    if (conn->tls != NULL) {
        out = scratch->failed ? NULL : vg_conn_tls_seal(conn, scratch);
    }
    if (out == NULL || out->failed) {
        vg_conn_close(conn);
        return false;
    }
    if (out->size == 0) {
        return false;
    }
    vg_metrics_add(VG_METRIC_bytes_sent_total, out->size);
    uv_buf_t part = uv_buf_init((char *)out->data, (unsigned)out->size);
    int size = uv_try_write((uv_stream_t *)&conn->socket, &part, 1);
    if (size < 0 && size != UV_EAGAIN) {
        vg_conn_close(conn);
        return false;
    }
    size_t done = size < 0 ? 0 : (size_t)size;
    if (done == out->size) {
        return true;
    }
    vg_buffer_append(&conn->written, out->data + done, out->size - done);
    if (conn->written.failed) {
        vg_conn_close(conn);
        return false;
    }
    conn_write_rest(conn);
    return false;
}

/* A write is stuck: let the protocol's queue run into `queued` up to one share, then stop reading,
 * so that what a peer sends cannot make answers pile up that it does not read. */
static void conn_fill_behind(struct vg_conn *conn)
{
    if (conn->queued.size < VG_CONN_FILL_BYTES) {
        size_t room = VG_CONN_FILL_BYTES - conn->queued.size;
        struct vg_buffer *plain = conn->tls == NULL ? &conn->queued : &conn->worker->scratch;
        if (conn->tls != NULL) {
            vg_buffer_clear(plain);
        }
        conn->protocol->fill(conn, plain, room);
        if (conn->tls != NULL && !plain->failed) {
            vg_conn_tls_queue(conn, plain);
        }
    }
    if (conn->queued.failed) {
        vg_conn_close(conn);
    } else if (conn->queued.size >= VG_CONN_FILL_BYTES) {
        conn_read_on(conn, false);
    }
}

/* Without a protocol there is only what TLS has to say. */
static void conn_flush_bare(struct vg_conn *conn)
{
    if (!conn->writing && conn->queued.size > 0) {
        (void)conn_write_round(conn);
    }
    if (conn->parting && !conn->writing && !conn->close_wanted) {
        conn_linger(conn);
    }
}

/* Everything is flushed. With TLS close_notify is the last word: without it the peer could not tell
 * the end from a cut (RFC 8446 section 6.1). */
static void conn_say_goodbye(struct vg_conn *conn)
{
    if (conn->tls != NULL && vg_tls_end(conn->tls, &conn->queued)) {
        (void)conn_write_round(conn);
    }
    if (!conn->writing && !conn->close_wanted) {
        conn_linger(conn);
    }
}

void vg_conn_flush(struct vg_conn *conn)
{
    if (conn->close_wanted) {
        conn_finish(conn);
        return;
    }
    if (conn->lingering) {
        return;
    }
    if (conn->protocol == NULL) {
        conn_flush_bare(conn);
        return;
    }
    if (conn->writing) {
        conn_fill_behind(conn);
        return;
    }
    unsigned rounds = 0;
    conn->yields = false;
    while (rounds < VG_CONN_ROUNDS_MAX && conn_write_round(conn)) {
        /* A large one is made of much, and that takes its time. */
        const bool is_large = conn->worker->scratch.size >= VG_CONN_FILL_BYTES / 2;
        rounds = is_large || conn->yields ? VG_CONN_ROUNDS_MAX : rounds + 1;
    }
    if (rounds == VG_CONN_ROUNDS_MAX) {
        vg_conn_wake(conn); /* others first */
    } else if (!conn->writing && !conn->close_wanted && conn->protocol->wants_close(conn)) {
        conn_say_goodbye(conn);
    }
}

/* --- Time --------------------------------------------------------------------------------------
 */

static uint64_t conn_watch_ns(const struct vg_conn_limits *limits)
{
    const uint64_t all[] = { limits->handshake_timeout_ns, limits->header_timeout_ns,
                             limits->body_timeout_ns,      limits->idle_timeout_ns,
                             limits->write_timeout_ns,     limits->age_ns,
                             limits->age_grace_ns,         limits->keepalive_ns,
                             limits->keepalive_timeout_ns };
    uint64_t period = VG_CONN_WATCH_NS_MAX;
    for (size_t i = 0; i < VG_ARRAY_COUNT(all); i++) {
        if (all[i] > 0 && all[i] / 4 < period) {
            period = all[i] / 4;
        }
    }
    return period < VG_CONN_WATCH_NS_MIN ? VG_CONN_WATCH_NS_MIN : period;
}

static bool conn_past(uint64_t limit_ns, uint64_t since_ns, uint64_t now_ns)
{
    return limit_ns > 0 && now_ns > since_ns && now_ns - since_ns >= limit_ns;
}

static bool conn_write_stuck(struct vg_conn *conn, uint64_t now_ns)
{
    size_t left = uv_stream_get_write_queue_size((const uv_stream_t *)&conn->socket);
    if (!conn->writing || left < conn->write_left) {
        conn->write_left = left;
        conn->write_ns = now_ns;
    }
    return conn->writing && conn_past(conn->limits->write_timeout_ns, conn->write_ns, now_ns);
}

static void conn_on_watch(struct vg_timer *timer)
{
    struct vg_conn *conn = VG_CONTAINER_OF(timer, struct vg_conn, watch);
    const struct vg_conn_limits *limits = conn->limits;
    uint64_t now_ns = uv_hrtime();
    if (conn->lingering) {
        vg_conn_close(conn);
        return;
    }
    bool sniffing = conn->protocol == NULL;
    uint64_t first_ns = limits->header_timeout_ns;
    if (conn->tls != NULL) {
        vg_tls_calm(conn->tls);
    }
    if (conn->tls_first || conn->tls != NULL) {
        first_ns = limits->handshake_timeout_ns;
    }
    if (conn_write_stuck(conn, now_ns) ||
        (sniffing && conn_past(first_ns, conn->opened_ns, now_ns))) {
        if (conn->tls != NULL) {
            vg_conn_tls_lost(conn, "the handshake took too long");
        }
        vg_metrics_add(VG_METRIC_connections_timed_out_total, 1);
        vg_conn_close(conn);
        return;
    }
    if (!sniffing) {
        conn->protocol->tick(conn, now_ns);
        vg_conn_life_check(conn, now_ns);
    }
    vg_worker_set_timer(conn->worker, timer, now_ns + conn_watch_ns(limits));
}

void vg_conn_drain(struct vg_conn *conn, enum vg_conn_end end)
{
    if (conn->end >= end || conn->closing || conn->lingering) {
        return;
    }
    conn->end = end;
    if (conn->protocol != NULL) {
        conn->protocol->drain(conn);
        vg_conn_wake(conn);
    }
}

/* --- The beginning -----------------------------------------------------------------------------
 */

void vg_conn_begin(struct vg_conn *conn)
{
    struct vg_worker *worker = conn->worker;
    worker->conn_count++;
    vg_metrics_add(VG_METRIC_connections_accepted_total, 1);
    vg_metrics_move(VG_METRIC_connections_open, 1);
    conn->opened_ns = uv_hrtime();
    conn->active_ns = conn->opened_ns;
    vg_conn_life_begin(conn);
    conn->next = worker->conns;
    if (conn->next != NULL) {
        conn->next->back = conn;
    }
    worker->conns = conn;
    conn->watch.fire = conn_on_watch;
    vg_worker_set_timer(worker, &conn->watch, conn->opened_ns + conn_watch_ns(conn->limits));
    /* What it has to say has often come with it. TLS takes memory then, not before. */
    vg_conn_turn_put_off_read(conn);
}
