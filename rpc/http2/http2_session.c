#include "rpc/http2/http2_session.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/metrics.h"
#include "rpc/http2/http2_guard.h"
#include "rpc/http2/http2_stream.h"
#include "rpc/net/worker.h"

#define VG_HTTP2_DRAIN_WAIT_NS UINT64_C(1000000000)
/* Memory of nghttp2 from this size on is its frame buffer. */
#define VG_HTTP2_SPARSE_BYTES 16384u
/* Of a connection, packed before its flush: so much, and what the last frame has beyond. */
#define VG_HTTP2_EARLY_BYTES     16384u
#define VG_HTTP2_EARLY_BYTES_MAX (3 * VG_HTTP2_EARLY_BYTES)

/* Opaque bytes of the PING that follows the first GOAWAY: its answer proves that the peer has read
 * it. */
static const uint8_t session_drain_ping[8] = { 'v', 'i', 'g', 'i', 'l', 'd', 'r', 'n' };
/* Of the PING that asks whether the peer is there; any byte of it is an answer. */
static const uint8_t session_keepalive_ping[8] = { 'v', 'i', 'g', 'i', 'l', 'k', 'a', 'p' };

static struct vg_http2_session *session_of(const struct vg_conn *conn)
{
    return conn->protocol_state;
}

/* The stream of a frame: mostly that of the frame before, for which no table is searched. */
static struct vg_http2_stream *session_stream(struct vg_http2_session *own, int32_t id)
{
    if (own->latest != NULL && own->latest->id == id) {
        return own->latest;
    }
    struct vg_http2_stream *stream =
        id == 0 ? NULL : nghttp2_session_get_stream_user_data(own->session, id);
    own->latest = stream;
    return stream;
}

uint64_t vg_http2_session_now_ns(const struct vg_http2_session *session)
{
    return session->reading ? session->now_ns : vg_worker_now_ns(session->conn->worker);
}

void vg_http2_session_fail(
    struct vg_http2_session *session,
    enum vg_http2_cause cause,
    uint32_t code,
    const char *text)
{
    if (session->failed) {
        return;
    }
    session->failed = true;
    session->cause = cause;
    if (code == NGHTTP2_ENHANCE_YOUR_CALM) {
        vg_conn_blame(session->conn);
    }
    (void)nghttp2_submit_goaway(
        session->session,
        NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(session->session),
        code,
        (const uint8_t *)text,
        strlen(text));
    vg_conn_wake(session->conn);
}

void vg_http2_session_charge(struct vg_http2_session *session, enum vg_http2_fault fault)
{
    if (!vg_http2_budget_charge(&session->budget, fault, session->now_ns)) {
        vg_http2_session_fail(
            session,
            VG_HTTP2_CAUSE_ERRORS,
            NGHTTP2_ENHANCE_YOUR_CALM,
            "too_many_errors");
    }
}

/* --- Draining ----------------------------------------------------------------------------------
 */

/* What the second GOAWAY says: the words that gRPC servers use. */
static const char *session_drain_text(const struct vg_http2_session *session)
{
    static const char *const texts[] = {
        [VG_CONN_END_NONE] = "",
        [VG_CONN_END_AGE] = "max_age",
        [VG_CONN_END_IDLE] = "max_idle",
        [VG_CONN_END_SHUTDOWN] = "",
    };
    return texts[session->conn->end];
}

/* The second GOAWAY: names the last stream that will be answered. RFC 9113 section 6.8. */
static void session_drain_final(struct vg_http2_session *session)
{
    if (session->drain != VG_HTTP2_DRAIN_NOTICED) {
        return;
    }
    session->drain = VG_HTTP2_DRAIN_FINAL;
    vg_worker_clear_timer(session->conn->worker, &session->drain_timer);
    const char *text = session_drain_text(session);
    (void)nghttp2_submit_goaway(
        session->session,
        NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(session->session),
        NGHTTP2_NO_ERROR,
        (const uint8_t *)text,
        strlen(text));
    vg_conn_wake(session->conn);
}

static void session_on_drain_timer(struct vg_timer *timer)
{
    session_drain_final(VG_CONTAINER_OF(timer, struct vg_http2_session, drain_timer));
}

void vg_http2_session_drain(struct vg_conn *conn)
{
    struct vg_http2_session *session = session_of(conn);
    if (session->drain != VG_HTTP2_DRAIN_NONE || session->failed) {
        return;
    }
    session->drain = VG_HTTP2_DRAIN_NOTICED;
    (void)nghttp2_submit_shutdown_notice(session->session);
    (void)nghttp2_submit_ping(session->session, NGHTTP2_FLAG_NONE, session_drain_ping);
    session->drain_timer.fire = session_on_drain_timer;
    vg_worker_set_timer(
        conn->worker,
        &session->drain_timer,
        vg_worker_now_ns(conn->worker) + VG_HTTP2_DRAIN_WAIT_NS);
    for (struct vg_http2_stream *stream = session->streams; stream != NULL; stream = stream->next) {
        const struct vg_exchange_app *app = stream->exchange.app;
        if (app != NULL && app->drain != NULL) {
            app->drain(&stream->exchange); /* no stream is freed here, only in on_stream_close */
        }
    }
    vg_conn_wake(conn);
}

/* --- Callbacks of nghttp2 ----------------------------------------------------------------------
 */

static int session_on_begin_headers(
    nghttp2_session *session,
    const nghttp2_frame *frame,
    void *owner)
{
    struct vg_http2_session *own = owner;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    if (!vg_http2_budget_open(
            &own->budget,
            own->now_ns,
            own->protocol->limits.streams_per_second)) {
        vg_metrics_add(VG_METRIC_http2_streams_too_fast_total, 1);
        vg_http2_seen_cut(&own->seen, frame->hd.stream_id);
        (void)nghttp2_submit_rst_stream(
            session,
            NGHTTP2_FLAG_NONE,
            frame->hd.stream_id,
            NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    struct vg_http2_stream *stream = vg_http2_stream_create(own, frame->hd.stream_id);
    if (stream == NULL) {
        vg_http2_seen_cut(&own->seen, frame->hd.stream_id);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    vg_metrics_add(VG_METRIC_http2_streams_total, 1);
    (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

/* nghttp2's signature. */
static int session_on_header( // NOLINT(readability-function-size)
    nghttp2_session *session,
    const nghttp2_frame *frame,
    const uint8_t *name,
    size_t name_size,
    const uint8_t *value,
    size_t value_size,
    uint8_t flags,
    void *owner)
{
    (void)flags;
    (void)session;
    struct vg_http2_session *own = owner;
    struct vg_http2_stream *stream = session_stream(own, frame->hd.stream_id);
    if (stream == NULL || frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    if (!vg_http2_stream_add_header(
            stream,
            vg_bytes(name, name_size),
            vg_bytes(value, value_size))) {
        vg_http2_session_charge(own, VG_HTTP2_FAULT_HEAVY);
        vg_http2_stream_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (stream->malformed) {
        vg_http2_stream_reset(stream, NGHTTP2_PROTOCOL_ERROR);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return 0;
}

static void session_on_ping(struct vg_http2_session *own, const nghttp2_ping *ping)
{
    const struct vg_http2_limits *limits = &own->protocol->limits;
    const uint64_t interval_ns =
        own->conn->streams_open > 0 ? limits->ping_interval_ns : limits->ping_idle_interval_ns;
    bool ack = (ping->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (ack && memcmp(ping->opaque_data, session_drain_ping, sizeof(session_drain_ping)) == 0) {
        session_drain_final(own);
    } else if (ack) {
        vg_http2_session_charge(own, VG_HTTP2_FAULT_REFUSED);
    } else if (!ack && !vg_http2_budget_ping(&own->budget, own->now_ns, interval_ns)) {
        /* The words that gRPC clients look for, grpc proposal A8. */
        vg_http2_session_fail(
            own,
            VG_HTTP2_CAUSE_PINGS,
            NGHTTP2_ENHANCE_YOUR_CALM,
            "too_many_pings");
    }
}

static int session_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct vg_http2_session *own = owner;
    struct vg_http2_stream *stream = session_stream(own, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_SETTINGS) {
        vg_http2_session_charge(own, VG_HTTP2_FAULT_REFUSED);
        return vg_http2_guard_on_settings(session, &frame->settings, own);
    }
    if (frame->hd.type == NGHTTP2_PING) {
        session_on_ping(own, &frame->ping);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM && stream != NULL && !stream->answered) {
        vg_metrics_add(VG_METRIC_http2_reset_received_total, 1);
        vg_http2_session_charge(own, VG_HTTP2_FAULT_REFUSED);
    } else if (
        frame->hd.type == NGHTTP2_PRIORITY ||
        (frame->hd.type == NGHTTP2_DATA && frame->hd.length == 0 &&
         (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)) {
        vg_http2_session_charge(own, VG_HTTP2_FAULT_REFUSED);
    }
    bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (stream == NULL || !carries) {
        return 0;
    }
    if (!stream->head_done) {
        vg_http2_stream_begin(stream);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        vg_http2_stream_end(stream);
    }
    return 0;
}

static int session_on_data(
    nghttp2_session *session,
    uint8_t flags,
    int32_t id,
    const uint8_t *data,
    size_t size,
    void *owner)
{
    (void)flags;
    struct vg_http2_session *own = owner;
    struct vg_http2_stream *stream = session_stream(own, id);
    if (stream != NULL) {
        vg_http2_stream_take(stream, vg_bytes(data, size));
    } else {
        (void)nghttp2_session_consume_connection(session, size);
    }
    return 0;
}

static int session_on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *owner)
{
    struct vg_http2_session *own = owner;
    struct vg_http2_stream *stream = session_stream(own, id);
    if (stream == NULL) {
        return 0;
    }
    if (stream->unconsumed > 0) {
        /* Or the window of the connection leaks away (libevpl PR 140, nghttp2 issue 253). */
        (void)nghttp2_session_consume_connection(session, stream->unconsumed);
    }
    if (stream->answered && code == NGHTTP2_NO_ERROR) {
        vg_http2_budget_earn(&own->budget);
    }
    vg_http2_stream_destroy(stream);
    return 0;
}

static void session_sent_goaway(struct vg_http2_session *own, const nghttp2_goaway *goaway)
{
    static const enum vg_metric ends[] = {
        [VG_CONN_END_NONE] = VG_METRIC_http2_goaway_shutdown_total,
        [VG_CONN_END_AGE] = VG_METRIC_http2_goaway_age_total,
        [VG_CONN_END_IDLE] = VG_METRIC_http2_goaway_idle_total,
        [VG_CONN_END_SHUTDOWN] = VG_METRIC_http2_goaway_shutdown_total,
    };
    static const enum vg_metric causes[] = {
        [VG_HTTP2_CAUSE_PROTOCOL] = VG_METRIC_http2_goaway_protocol_total,
        [VG_HTTP2_CAUSE_ERRORS] = VG_METRIC_http2_goaway_errors_total,
        [VG_HTTP2_CAUSE_PINGS] = VG_METRIC_http2_goaway_pings_total,
        [VG_HTTP2_CAUSE_TIMEOUT] = VG_METRIC_http2_goaway_timeout_total,
    };
    vg_metrics_add(VG_METRIC_http2_goaway_total, 1);
    if (goaway->error_code != NGHTTP2_NO_ERROR) {
        vg_metrics_add(causes[own->cause], 1);
    } else if (goaway->last_stream_id != INT32_MAX) { /* the notice before it counts once */
        vg_metrics_add(ends[own->conn->end], 1);
    }
}

static void session_sent_reset(struct vg_http2_session *own, uint32_t code)
{
    static const enum vg_metric codes[] = {
        [NGHTTP2_NO_ERROR] = VG_METRIC_http2_reset_no_error_total,
        [NGHTTP2_PROTOCOL_ERROR] = VG_METRIC_http2_reset_protocol_error_total,
        [NGHTTP2_INTERNAL_ERROR] = VG_METRIC_http2_reset_internal_error_total,
        [NGHTTP2_FLOW_CONTROL_ERROR] = VG_METRIC_http2_reset_flow_control_error_total,
        [NGHTTP2_SETTINGS_TIMEOUT] = VG_METRIC_http2_reset_protocol_error_total,
        [NGHTTP2_STREAM_CLOSED] = VG_METRIC_http2_reset_stream_closed_total,
        [NGHTTP2_FRAME_SIZE_ERROR] = VG_METRIC_http2_reset_protocol_error_total,
        [NGHTTP2_REFUSED_STREAM] = VG_METRIC_http2_reset_refused_stream_total,
        [NGHTTP2_CANCEL] = VG_METRIC_http2_reset_cancel_total,
        [NGHTTP2_COMPRESSION_ERROR] = VG_METRIC_http2_reset_protocol_error_total,
        [NGHTTP2_CONNECT_ERROR] = VG_METRIC_http2_reset_protocol_error_total,
        [NGHTTP2_ENHANCE_YOUR_CALM] = VG_METRIC_http2_reset_enhance_your_calm_total,
    };
    VG_ASSERT(code < VG_ARRAY_COUNT(codes)); /* all are codes of ours or of nghttp2 */
    vg_metrics_add(codes[code], 1);
    if (code == NGHTTP2_REFUSED_STREAM) {
        vg_http2_session_charge(own, VG_HTTP2_FAULT_REFUSED);
    } else if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL) {
        vg_http2_session_charge(own, VG_HTTP2_FAULT_FRAME);
    }
}

static int session_on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    (void)session;
    struct vg_http2_session *own = owner;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        vg_http2_budget_sent(&own->budget);
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            struct vg_http2_stream *stream = session_stream(own, frame->hd.stream_id);
            if (stream != NULL) {
                vg_http2_stream_sent_end(stream);
            }
        }
        break;
    case NGHTTP2_GOAWAY:
        session_sent_goaway(own, &frame->goaway);
        break;
    case NGHTTP2_RST_STREAM:
        session_sent_reset(own, frame->rst_stream.error_code);
        vg_http2_seen_cut(&own->seen, frame->hd.stream_id);
        break;
    default:
        break;
    }
    return 0;
}

static int session_on_invalid_frame(
    nghttp2_session *session,
    const nghttp2_frame *frame,
    int code,
    void *owner)
{
    (void)session;
    struct vg_http2_session *own = owner;
    vg_http2_seen_cut(&own->seen, frame->hd.stream_id); /* refused: more of it may be under way */
    if (code != NGHTTP2_ERR_REFUSED_STREAM) {           /* that one costs when its reset is sent */
        vg_http2_session_charge(own, VG_HTTP2_FAULT_FRAME);
    }
    return 0;
}

nghttp2_session_callbacks *vg_http2_session_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;
    VG_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, vg_http2_guard_on_begin);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, session_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, session_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, session_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, session_on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, session_on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, session_on_frame_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
        callbacks,
        session_on_invalid_frame);
    return callbacks;
}

/* --- The protocol of the connection ------------------------------------------------------------
 */

/*
 * The frame buffer of a session has 16 KB, of which a connection that is mostly idle never uses
 * more than the beginning. Where malloc has it from, somebody has been before: with TLS the
 * handshake. So its pages are given back, and come again, one by one, when frames reach them.
 */
static void session_forget_pages(uint8_t *block, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)block + page - 1) & ~(uintptr_t)(page - 1);
    const uintptr_t end = ((uintptr_t)block + size) & ~(uintptr_t)(page - 1);
    if (first < end) {
        (void)madvise(block + (first - (uintptr_t)block), end - first, MADV_DONTNEED);
    }
}

/* nghttp2's memory comes from the worker's blocks too. */
static void *session_malloc(size_t size, void *owner)
{
    void *block = vg_block_pool_alloc(owner, size);
    if (block != NULL && size >= VG_HTTP2_SPARSE_BYTES) {
        session_forget_pages(block, size);
    }
    return block;
}

static void session_free(void *block, void *owner)
{
    vg_block_pool_free(owner, block);
}

static void *session_calloc(size_t count, size_t size, void *owner)
{
    return vg_block_pool_calloc(owner, count, size);
}

static void *session_realloc(void *block, size_t size, void *owner)
{
    return block == NULL ? session_malloc(size, owner) : vg_block_pool_realloc(owner, block, size);
}

bool vg_http2_session_open(struct vg_conn *conn)
{
    struct vg_block_pool *blocks = &conn->worker->blocks;
    struct vg_http2_session *session = vg_block_pool_calloc(blocks, 1, sizeof(*session));
    if (session == NULL) {
        return false;
    }
    nghttp2_mem memory = { .mem_user_data = blocks,
                           .malloc = session_malloc,
                           .free = session_free,
                           .calloc = session_calloc,
                           .realloc = session_realloc };
    session->conn = conn;
    session->heard_ns = conn->opened_ns;
    session->window_initial = NGHTTP2_INITIAL_WINDOW_SIZE;
    vg_buffer_init(&session->early, VG_HTTP2_EARLY_BYTES_MAX);
    vg_buffer_count(&session->early);
    session->scan.left = VG_CONN_SNIFF_BYTES; /* the preface comes first */
    session->protocol = VG_CONTAINER_OF_CONST(conn->protocol, struct vg_http2_protocol, protocol);
    vg_http2_budget_init(&session->budget);
    if (nghttp2_session_server_new3(
            &session->session,
            session->protocol->callbacks,
            session,
            session->protocol->option,
            &memory) != 0) {
        vg_block_pool_free(blocks, session);
        return false;
    }
    const struct vg_http2_limits *limits = &session->protocol->limits;
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams_max },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits->stream_window },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits->header_bytes_max },
    };
    (void)nghttp2_submit_settings(
        session->session,
        NGHTTP2_FLAG_NONE,
        settings,
        VG_ARRAY_COUNT(settings));
    (void)nghttp2_session_set_local_window_size(
        session->session,
        NGHTTP2_FLAG_NONE,
        0,
        (int32_t)limits->conn_window);
    conn->protocol_state = session;
    return true;
}

void vg_http2_session_read(struct vg_conn *conn, struct vg_bytes part)
{
    struct vg_http2_session *session = session_of(conn);
    if (session->failed) {
        return;
    }
    session->now_ns = vg_worker_now_ns(conn->worker);
    session->heard_ns = session->now_ns;
    session->reading = true;
    bool good = vg_http2_guard_read(session, part);
    session->reading = false;
    if (!good) {
        /* Unless the GOAWAY that fits is queued already, it was a flood: of frames that want an
         * acknowledgement, of CONTINUATION, of resets. */
        vg_http2_session_fail(session, VG_HTTP2_CAUSE_ERRORS, NGHTTP2_ENHANCE_YOUR_CALM, "flooded");
    }
    vg_conn_wake(conn);
}

void vg_http2_session_ended(struct vg_conn *conn)
{
    /* HTTP/2 knows no half-closed connection: the client is gone, and its calls with it. */
    vg_conn_close(conn);
}

static void session_fill(struct vg_http2_session *session, struct vg_buffer *out, size_t room)
{
    struct vg_conn *conn = session->conn;
    size_t before = out->size;
    while (out->size - before < room) {
        const uint8_t *frame;
        ssize_t size = nghttp2_session_mem_send(session->session, &frame);
        if (size < 0) {
            session->failed = true;
            vg_conn_close(conn);
        }
        if (size <= 0) {
            return;
        }
        vg_buffer_append(out, frame, (size_t)size);
    }
}

void vg_http2_session_fill_early(struct vg_http2_session *session)
{
    if (session->conn->writing || session->failed || session->early.size >= VG_HTTP2_EARLY_BYTES) {
        return;
    }
    session->conn->crowded_ns = session->now_ns; /* their streams are not open any more to say so */
    session_fill(session, &session->early, VG_HTTP2_EARLY_BYTES - session->early.size);
}

void vg_http2_session_fill(struct vg_conn *conn, struct vg_buffer *out, size_t room)
{
    struct vg_http2_session *session = session_of(conn);
    size_t before = out->size;
    session->now_ns = vg_worker_now_ns(conn->worker);
    if (session->early.failed) {
        vg_conn_close(conn); /* without memory: frames are lost */
        return;
    }
    if (session->early.size > 0) {
        vg_buffer_append(out, session->early.data, session->early.size);
        vg_buffer_dispose(&session->early);
    }
    if (out->size - before < room) {
        session_fill(session, out, room - (out->size - before));
    }
}

bool vg_http2_session_wants_close(const struct vg_conn *conn)
{
    const struct vg_http2_session *session = session_of(conn);
    if (session->failed) {
        return true;
    }
    return nghttp2_session_want_read(session->session) == 0 &&
           nghttp2_session_want_write(session->session) == 0;
}

/*
 * Is the peer still there? One that has been silent for long is asked, and given up when it does
 * not answer (grpc proposal A8): a machine that was switched off sends no FIN.
 */
static void session_keep_alive(
    struct vg_http2_session *session,
    const struct vg_conn_limits *limits)
{
    if (limits->keepalive_ns == 0 || session->failed) {
        return;
    }
    if (session->keepalive_ns != 0 && session->heard_ns >= session->keepalive_ns) {
        session->keepalive_ns = 0;
    }
    if (session->keepalive_ns != 0) {
        if (session->now_ns - session->keepalive_ns >= limits->keepalive_timeout_ns) {
            vg_metrics_add(VG_METRIC_connections_unanswered_total, 1);
            vg_conn_close(session->conn);
        }
    } else if (session->now_ns - session->heard_ns >= limits->keepalive_ns) {
        session->keepalive_ns = session->now_ns;
        (void)nghttp2_submit_ping(session->session, NGHTTP2_FLAG_NONE, session_keepalive_ping);
        vg_conn_wake(session->conn);
    }
}

void vg_http2_session_tick(struct vg_conn *conn, uint64_t now_ns)
{
    struct vg_http2_session *session = session_of(conn);
    const struct vg_conn_limits *limits = conn->limits;
    session->now_ns = now_ns;
    session_keep_alive(session, limits);
    for (struct vg_http2_stream *stream = session->streams; stream != NULL; stream = stream->next) {
        if (!stream->head_done) {
            /* A header block that does not end blocks the whole connection. */
            if (limits->header_timeout_ns > 0 &&
                now_ns - stream->progress_ns >= limits->header_timeout_ns) {
                vg_http2_session_fail(
                    session,
                    VG_HTTP2_CAUSE_TIMEOUT,
                    NGHTTP2_PROTOCOL_ERROR,
                    "header_timeout");
            }
        } else if (vg_http2_stream_is_stuck(stream, now_ns, limits)) {
            vg_http2_stream_reset(stream, stream->answered ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
        }
    }
}

void vg_http2_session_closed(struct vg_conn *conn)
{
    struct vg_http2_session *session = session_of(conn);
    vg_worker_clear_timer(conn->worker, &session->drain_timer);
    while (session->streams != NULL) {
        vg_http2_stream_destroy(session->streams);
    }
    nghttp2_session_del(session->session);
    vg_buffer_dispose(&session->early);
    vg_block_pool_free(&conn->worker->blocks, session);
    conn->protocol_state = NULL;
}
