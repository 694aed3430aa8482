/*
 * A whole HTTP/2 session, without a socket: what a client sends after the preface, in slices, to an
 * application that answers in every way there is. The first byte says how to cut the rest, and how
 * it ends: the connection is drained, for any reason there is, or time passes until the client is
 * asked whether it is there and does not answer. At the end every exchange must have been closed
 * once.
 */
#include "rpc/http2/http2_session.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "rpc/net/conn.h"
#include "rpc/net/exchange.h"
#include "rpc/net/server.h"
#include "rpc/net/worker.h"

#define PREFACE      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define ANSWER_BYTES 70000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_exchanges;
static struct vg_exchange *waiting; /* told to resume after the next slice */

struct state {
    uint8_t kind;
    size_t left;
    size_t unconsumed;
    bool responded;
    bool waited;
};

static const struct vg_http_header answer_headers[] = {
    { { (const uint8_t *)"content-type", 12 }, { (const uint8_t *)"text/plain", 10 } },
};

static void respond(struct vg_exchange *exchange)
{
    struct state *state = exchange->state;
    if (state->responded) {
        return;
    }
    state->responded = true;
    exchange->carrier->respond(
        exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = answer_headers,
                                    .header_count = 1,
                                    .content_length = -1,
                                    .no_body = state->kind == 1 });
}

static void app_headers(struct vg_exchange *exchange)
{
    struct state *state = calloc(1, sizeof(*state));
    VG_ASSERT(state != NULL);
    VG_ASSERT(exchange->request.method.size > 0);
    open_exchanges++;
    exchange->state = state;
    /* The second character of the path chooses: early, no body, wait, fail, abort, late; all others
     * echo a length. */
    if (exchange->request.target.size > 1) {
        state->kind = exchange->request.target.data[1] & 7;
    }
    state->left = ANSWER_BYTES;
    if (state->kind == 0 || state->kind == 1) {
        respond(exchange);
    } else if (state->kind == 4) {
        exchange->carrier->abort(exchange, VG_CANCELLED);
    }
}

static void app_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    struct state *state = exchange->state;
    state->unconsumed += part.size;
    if (state->kind != 5) { /* that one never gives the window back */
        exchange->carrier->consume(exchange, state->unconsumed);
        state->unconsumed = 0;
    }
}

static void app_end(struct vg_exchange *exchange)
{
    respond(exchange);
}

static enum vg_pull app_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    struct state *state = exchange->state;
    if (state->kind == 3) {
        return VG_PULL_FAILED;
    }
    if (state->kind == 2 && !state->waited) {
        state->waited = true;
        waiting = exchange;
        return VG_PULL_WAIT;
    }
    *out_size = state->left < size ? state->left : size;
    memset(out, 'a', *out_size);
    state->left -= *out_size;
    if (state->left > 0) {
        return VG_PULL_MORE;
    }
    exchange->trailers = answer_headers;
    exchange->trailer_count = 1;
    return state->kind == 6 ? VG_PULL_END : VG_PULL_TRAILERS;
}

static void app_closed(struct vg_exchange *exchange, bool answered)
{
    (void)answered;
    if (waiting == exchange) {
        waiting = NULL;
    }
    open_exchanges--;
    free(exchange->state);
}

static const struct vg_exchange_app app = {
    .headers = app_headers,
    .body = app_body,
    .end = app_end,
    .pull = app_pull,
    .closed = app_closed,
};

static const struct vg_exchange_app *select_app(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    (void)selector;
    return exchange->request.target.size > 20 ? NULL : &app;
}

static void flush(struct vg_conn *conn)
{
    struct vg_buffer out;
    vg_buffer_init(&out, VG_CONN_OUT_BYTES_MAX);
    do {
        vg_buffer_clear(&out);
        conn->protocol->fill(conn, &out, VG_CONN_FILL_BYTES);
    } while (out.size > 0);
    vg_buffer_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    static struct vg_worker worker;
    static const struct vg_conn_limits limits = { .body_timeout_ns = 1,
                                                  .keepalive_ns = 1,
                                                  .keepalive_timeout_ns = 1 };
    struct vg_exchange_selector selector = { .select = select_app };
    struct vg_http2_limits http2_limits = VG_HTTP2_LIMITS_DEFAULT;
    http2_limits.streams_max = 20;
    struct vg_http2_protocol http2;
    memset(&worker, 0, offsetof(struct vg_worker, read_bytes));
    vg_http2_protocol_init(&http2, &selector, &http2_limits);
    static struct vg_server server; /* which peers it blames */
    vg_peer_blame_init(&server.blame, 1);
    worker.server = &server;
    struct vg_conn conn = { .protocol = &http2.protocol, .limits = &limits, .worker = &worker };
    VG_ASSERT(conn.protocol->open(&conn));
    conn.protocol->read(&conn, vg_bytes_text(PREFACE));
    size_t slice = data[0] == 0 ? size : data[0];
    for (size_t at = 1; at < size && !conn.protocol->wants_close(&conn); at += slice) {
        conn.protocol->read(&conn, vg_bytes(data + at, size - at < slice ? size - at : slice));
        flush(&conn);
        if (waiting != NULL) {
            waiting->carrier->resume(waiting);
        }
    }
    if ((data[0] & 1) != 0) {
        conn.end = (enum vg_conn_end)(1 + data[0] / 2 % VG_CONN_END_SHUTDOWN);
        conn.protocol->drain(&conn);
    } else {
        conn.protocol->tick(&conn, UINT64_MAX / 2);
        flush(&conn);
        conn.protocol->tick(&conn, UINT64_MAX / 2 + 10);
    }
    flush(&conn);
    conn.protocol->closed(&conn);
    vg_block_pool_dispose(&worker.blocks);
    VG_ASSERT(open_exchanges == 0 && conn.streams_open == 0);
    vg_http2_protocol_dispose(&http2);
    vg_peer_blame_dispose(&server.blame);
    return 0;
}
