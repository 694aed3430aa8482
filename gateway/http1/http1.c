/*
 * One connection: bytes → parser → exchange, and the exchange's answer → bytes.
 *
 * Requests are answered in order, one at a time: when a request is complete the parser pauses, and
 * what the client has sent ahead waits, bounded, until the answer is out. Everything an exchange
 * has to say is pulled in `fill`, so nothing is buffered for a client that does not read.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "gateway/http1/http1_conn.h"
#include "rpc/net/worker.h"

/* `%08zx\r\n`: leading zeros are allowed (RFC 9112 §7.1), and a fixed size lets the data be pulled
 * right behind it. */
#define CHUNK_HEAD_SIZE 10u

static struct vg_http1_conn *of_parser(llhttp_t *parser)
{
    return parser->data;
}

/* ---- parser callbacks: they note what they find; applications are called from them, but never the
 * parser again */

static int on_message_begin(llhttp_t *parser)
{
    struct vg_http1_conn *state = of_parser(parser);
    vg_http1_head_clear(&state->head);
    state->framing_bytes = 0;
    state->in_trailers = false;
    state->body_bytes = 0;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    vg_http1_head_add_target(&of_parser(parser)->head, vg_bytes(at, length));
    return of_parser(parser)->head.refusal != VG_OK ? HPE_USER : 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    vg_http1_head_add_name(&of_parser(parser)->head, vg_bytes(at, length));
    return of_parser(parser)->head.refusal != VG_OK ? HPE_USER : 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    vg_http1_head_add_value(&of_parser(parser)->head, vg_bytes(at, length));
    return of_parser(parser)->head.refusal != VG_OK ? HPE_USER : 0;
}

/* An empty value has no piece of its own, but the next name must not be joined to this one. */
static int on_header_value_complete(llhttp_t *parser)
{
    of_parser(parser)->head.in_value = true;
    return 0;
}

static void open_exchange(struct vg_http1_conn *state)
{
    const struct vg_exchange_selector *selector = state->http1->selector;
    vg_metrics_add(VG_METRIC_http1_requests_total, 1);
    state->open = true;
    state->body_comes =
        (state->parser.flags & F_CHUNKED) != 0 || state->exchange.request.content_length > 0;
    state->complete = false;
    state->responded = false;
    state->resumed = false;
    state->body_waiting = 0;
    state->body_full = false;
    state->last = state->peer_ended || state->conn->end != VG_CONN_END_NONE ||
                  !llhttp_should_keep_alive(&state->parser);
    state->body_ns = vg_worker_now_ns(state->conn->worker);
    state->conn->streams_open = 1;
    state->exchange.endless = false;
    state->exchange.app = selector->select(selector, &state->exchange);
    state->exchange.app->headers(&state->exchange);
    if (state->exchange.is_proven) {
        vg_conn_prove(state->conn);
    }
}

/* The one expectation there is (RFC 9110 §10.1.1). */
static bool is_continue(struct vg_bytes value)
{
    static const char word[] = "100-continue";
    return value.size == sizeof(word) - 1 &&
           strncasecmp((const char *)value.data, word, value.size) == 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct vg_http1_conn *state = of_parser(parser);
    parser->upgrade = 0; /* an offer to upgrade (h2c among them) is ignored, RFC 9110 §7.8 */
    struct vg_http_request *request = &state->exchange.request;
    *request = (struct vg_http_request){
        .method = vg_bytes_text(llhttp_method_name((llhttp_method_t)parser->method)),
        .peer = state->conn->peer,
        .peer_port = state->conn->peer_port,
        .identity = state->conn->identity,
        .is_secure = state->conn->tls != NULL,
        .version = (uint8_t)(parser->http_major * 10 + parser->http_minor),
        .content_length =
            (parser->flags & F_CONTENT_LENGTH) != 0 ? (int64_t)parser->content_length : -1,
    };
    state->exchange = (struct vg_exchange){ .carrier = &vg_http1_carrier,
                                            .worker = state->conn->worker,
                                            .request = *request };
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason = vg_http1_head_finish(
        &state->head,
        request->version == 10,
        &state->exchange.request,
        &error);
    if (reason != VG_OK) {
        vg_http1_refuse(state, &error);
        return HPE_USER;
    }
    const struct vg_http_header *expect =
        vg_http_request_header(&state->exchange.request, "expect");
    if (expect != NULL && !is_continue(expect->value)) {
        vg_http1_refuse_with(state, VG_EXPECTATION_FAILED, NULL);
        return HPE_USER;
    }
    open_exchange(state);
    if (expect != NULL && !state->responded && state->exchange.request.version != 10) {
        vg_buffer_append_text(&state->out, "HTTP/1.1 100 Continue\r\n\r\n");
        vg_conn_wake(state->conn);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct vg_http1_conn *state = of_parser(parser);
    state->body_ns = vg_worker_now_ns(state->conn->worker);
    state->body_bytes += length;
    if (state->open) {
        state->body_waiting += length;
        state->exchange.app->body(&state->exchange, vg_bytes(at, length));
        if (state->body_waiting > VG_HTTP1_BODY_WAITING_MAX && !state->responded) {
            state->body_full = true;
            vg_http1_pace(state);
        }
    }
    return 0;
}

/* The size of a chunk has been read. The parser knows no more of the lines behind the last one than
 * of a head's: they are looked at before it goes on. */
static int on_chunk_header(llhttp_t *parser)
{
    struct vg_http1_conn *state = of_parser(parser);
    if (parser->content_length != 0) {
        return 0;
    }
    state->in_trailers = true;
    vg_http1_guard_begin_trailers(&state->guard);
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *parser)
{
    struct vg_http1_conn *state = of_parser(parser);
    state->in_trailers = false;
    state->complete = true;
    state->request_ns = 0;
    vg_http1_guard_init(&state->guard);
    if (state->open) {
        state->exchange.app->end(&state->exchange);
    }
    return HPE_PAUSED; /* the next request waits for this one's answer */
}

static const llhttp_settings_t parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

/* ---- bytes in */

void vg_http1_pace(struct vg_http1_conn *state)
{
    const bool is_ahead = state->open && state->complete && !state->exchange.endless &&
                          !state->last &&
                          state->ahead.size - state->ahead_at > VG_HTTP1_AHEAD_BYTES_LOW;
    vg_conn_pause(state->conn, state->body_full || is_ahead);
}

static void keep_ahead(struct vg_http1_conn *state, const char *at, size_t size)
{
    struct vg_buffer *ahead = &state->ahead;
    if (state->ahead_at > 0) { /* what is taken of it makes room */
        memmove(ahead->data, ahead->data + state->ahead_at, ahead->size - state->ahead_at);
        ahead->size -= state->ahead_at;
        state->ahead_at = 0;
    }
    vg_buffer_append(&state->ahead, at, size);
    if (state->ahead.failed) {
        vg_buffer_clear(&state->ahead);
        state->last = true;
    }
    vg_http1_pace(state);
}

/* The request at hand will not be complete: the application forgets it. */
static void give_up_exchange(struct vg_http1_conn *state)
{
    state->open = false;
    state->body_full = false;
    vg_http1_pace(state);
    state->conn->streams_open = 0;
    state->exchange.app->closed(&state->exchange, false);
}

/* The parser, or what stands before it, has stopped for good. */
static void refuse_rest(struct vg_http1_conn *state, const char *words)
{
    if (state->stop) {
        return; /* refused in a callback */
    }
    if (state->open && state->responded) {
        state->broken = true; /* the answer stands; what still comes of its request is dropped */
        state->last = true;
    } else if (state->open) {
        /* A broken body: nobody can tell where the next request begins. */
        give_up_exchange(state);
        vg_http1_refuse_with(state, VG_BAD_HTTP, words);
    } else if (state->head.refusal != VG_OK) {
        vg_http1_refuse_with(state, state->head.refusal, NULL);
    } else {
        vg_http1_refuse_with(state, VG_BAD_HTTP, words);
    }
}

/* Chunks whose sizes, extensions and trailers outweigh what they carry are no body but a way to
 * keep the server busy: the parser itself would read them for ever. */
static bool is_wasteful(struct vg_http1_conn *state, size_t fed, uint64_t body_before)
{
    state->framing_bytes += fed - (size_t)(state->body_bytes - body_before);
    return state->framing_bytes >
           state->http1->header_bytes_max + VG_HTTP1_FRAMING_FACTOR * state->body_bytes;
}

/* Feed the parser, which stops before trailers and where a request is complete. False = it is
 * refused, or all is taken; else *part is what is left. */
static bool feed(struct vg_http1_conn *state, struct vg_bytes *part)
{
    const char *words = vg_http1_guard_take(&state->guard, *part);
    if (words == NULL && state->in_trailers &&
        state->guard.bytes > state->http1->header_bytes_max) {
        words = "The trailers are too large";
    }
    if (words != NULL) {
        refuse_rest(state, words);
        return false;
    }
    const char *start = (const char *)part->data;
    const bool in_body = state->open;
    const uint64_t body_before = state->body_bytes;
    llhttp_errno_t result = llhttp_execute(&state->parser, start, part->size);
    if (result == HPE_OK) {
        if (in_body && is_wasteful(state, part->size, body_before)) {
            refuse_rest(state, "The chunks carry too little");
        }
        return false;
    }
    if (result != HPE_PAUSED) {
        refuse_rest(state, llhttp_get_error_reason(&state->parser));
        return false;
    }
    size_t used = (size_t)(llhttp_get_error_pos(&state->parser) - start);
    llhttp_resume(&state->parser);
    *part = vg_bytes(part->data + used, part->size - used);
    return part->size > 0;
}

/* Parse until the bytes end or a request is complete. True = *part is left. */
static bool parse_one(struct vg_http1_conn *state, struct vg_bytes *part)
{
    if (state->request_ns == 0) {
        state->request_ns = vg_worker_now_ns(state->conn->worker);
    }
    bool more = feed(state, part);
    if (more && state->in_trailers) {
        more = feed(state, part);
    }
    return more && !state->last;
}

/* What is left waits in `ahead`. */
static void parse(struct vg_http1_conn *state, struct vg_bytes part)
{
    if (parse_one(state, &part)) {
        keep_ahead(state, (const char *)part.data, part.size);
    }
}

/* The next of the requests that were sent ahead. Thousands may wait: the rest stays where it is. */
static void parse_ahead(struct vg_http1_conn *state)
{
    struct vg_bytes part =
        vg_bytes(state->ahead.data + state->ahead_at, state->ahead.size - state->ahead_at);
    if (parse_one(state, &part)) {
        state->ahead_at = (size_t)(part.data - state->ahead.data);
        return;
    }
    vg_buffer_dispose(&state->ahead);
    vg_buffer_init(&state->ahead, VG_HTTP1_AHEAD_BYTES_MAX);
    vg_buffer_count(&state->ahead);
    state->ahead_at = 0;
}

static void protocol_read(struct vg_conn *conn, struct vg_bytes part)
{
    struct vg_http1_conn *state = conn->protocol_state;
    if (state->stop || state->broken || part.size == 0) {
        return;
    }
    if (state->open && state->complete) {
        if (!state->last) {
            keep_ahead(state, (const char *)part.data, part.size);
        }
        return;
    }
    parse(state, part);
}

/* ---- bytes out */

/* The answer is out: tell the application, then take up the request that was sent ahead. */
static void finish_exchange(struct vg_http1_conn *state)
{
    state->open = false;
    state->finished++;
    state->body_full = false;
    state->conn->streams_open = 0;
    state->conn->active_ns = vg_worker_now_ns(state->conn->worker);
    state->exchange.app->closed(&state->exchange, true);
    const bool has_more = state->ahead.size > 0 || !state->peer_ended;
    state->stop = state->stop || state->last || !has_more;
    if (!state->stop && state->ahead.size > 0) {
        parse_ahead(state);
    }
    vg_http1_pace(state);
}

/* Pull one piece of the answer's body into `out`. False = nothing more for now. */
static bool fill_body(struct vg_http1_conn *state, struct vg_buffer *out, size_t room)
{
    size_t before = state->chunked ? CHUNK_HEAD_SIZE : 0;
    size_t behind = state->chunked ? 2 + 5 : 0; /* CRLF, and the last chunk */
    if (room <= before + behind || !vg_buffer_reserve(out, room)) {
        return false;
    }
    size_t given = 0;
    uint8_t *at = out->data + out->size;
    enum vg_pull pull =
        state->exchange.app->pull(&state->exchange, at + before, room - before - behind, &given);
    if (given > 0 && state->chunked) {
        char head[2 * sizeof(size_t) + 3]; /* of any size */
        (void)snprintf(head, sizeof(head), "%08zx\r\n", given);
        memcpy(at, head, CHUNK_HEAD_SIZE);
        memcpy(at + before + given, "\r\n", 2);
        given += CHUNK_HEAD_SIZE + 2;
    }
    out->size += given;
    switch (pull) {
    case VG_PULL_MORE:
        return true;
    case VG_PULL_WAIT:
        state->resumed = false;
        return false;
    case VG_PULL_END:
    case VG_PULL_TRAILERS: /* not promised to this client by a Trailer header: left out, RFC 9110
                              §6.5.1 */
        if (state->chunked) {
            vg_buffer_append_text(out, "0\r\n\r\n");
        }
        finish_exchange(state);
        return true;
    case VG_PULL_FAILED:
        state->stop = true; /* no last chunk: the client sees that the answer is cut */
        state->last = true;
        return false;
    }
    VG_UNREACHABLE();
}

static void protocol_fill(struct vg_conn *conn, struct vg_buffer *out, size_t room)
{
    struct vg_http1_conn *state = conn->protocol_state;
    size_t end = out->size + room;
    state->finished = 0;
    for (;;) {
        if (state->out.size > 0) {
            vg_buffer_append(out, state->out.data, state->out.size);
            vg_buffer_clear(&state->out);
        }
        if (out->size >= end || !state->open || !state->responded || state->stop) {
            return;
        }
        if (state->finished >= VG_HTTP1_TURN_REQUESTS) {
            conn->yields = true;
            return;
        }
        if (!state->body_follows) {
            finish_exchange(state);
        } else if (!state->resumed || !fill_body(state, out, end - out->size)) {
            return;
        }
    }
}

/* ---- the connection's life */

static bool protocol_open(struct vg_conn *conn)
{
    struct vg_http1_conn *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return false;
    }
    state->conn = conn;
    state->http1 = VG_CONTAINER_OF_CONST(conn->protocol, struct vg_http1, protocol);
    vg_http1_head_init(&state->head, state->http1->header_bytes_max);
    vg_http1_guard_init(&state->guard);
    vg_buffer_init(&state->ahead, VG_HTTP1_AHEAD_BYTES_MAX);
    vg_buffer_count(&state->ahead);
    vg_buffer_init(&state->out, 4 * VG_HTTP1_ANSWER_HEAD_BYTES_MAX);
    llhttp_init(&state->parser, HTTP_REQUEST, &parser_settings);
    state->parser.data = state;
    conn->protocol_state = state;
    return true;
}

static void protocol_ended(struct vg_conn *conn)
{
    struct vg_http1_conn *state = conn->protocol_state;
    state->peer_ended = true;
    if (!state->open) {
        state->stop = true;
    } else if (state->exchange.endless || (!state->complete && !state->responded)) {
        vg_conn_close(conn); /* half a request, then nothing; or nobody to go on for */
        return;
    } else {
        state->last = true;
    }
    vg_conn_wake(conn);
}

static bool protocol_wants_close(const struct vg_conn *conn)
{
    const struct vg_http1_conn *state = conn->protocol_state;
    return state->stop && state->out.size == 0;
}

static void protocol_drain(struct vg_conn *conn)
{
    struct vg_http1_conn *state = conn->protocol_state;
    /* The client learns it by `connection: close`. One that is only too old is told with its next
     * answer when the head of this one is out, or when there is none: a request may be under way.
     */
    const bool is_old = conn->end == VG_CONN_END_AGE;
    if (state->open) {
        state->last = state->last || !is_old || !state->responded;
        if (state->exchange.app->drain != NULL) {
            state->exchange.app->drain(&state->exchange);
        }
    } else if (state->request_ns == 0 && !is_old) {
        state->stop = true;
    }
    vg_conn_wake(conn);
}

static void protocol_tick(struct vg_conn *conn, uint64_t now_ns)
{
    struct vg_http1_conn *state = conn->protocol_state;
    const struct vg_conn_limits *limits = conn->limits;
    if (state->stop) {
        return;
    }
    if (state->open) {
        bool reading = !state->complete && !state->responded;
        bool is_ours =
            state->body_waiting > VG_HTTP1_BODY_WAITING_LOW; /* it is we who do not go on */
        if (reading && !is_ours && limits->body_timeout_ns != 0 &&
            now_ns - state->body_ns > limits->body_timeout_ns) {
            give_up_exchange(state);
            vg_http1_refuse_with(state, VG_REQUEST_TIMEOUT, NULL);
        }
    } else if (state->request_ns != 0) {
        if (limits->header_timeout_ns != 0 &&
            now_ns - state->request_ns > limits->header_timeout_ns) {
            vg_http1_refuse_with(state, VG_REQUEST_TIMEOUT, NULL);
        }
    } else if (limits->idle_timeout_ns != 0 && now_ns - conn->active_ns > limits->idle_timeout_ns) {
        state->stop = true;
        vg_conn_wake(conn);
    }
}

static void protocol_closed(struct vg_conn *conn)
{
    struct vg_http1_conn *state = conn->protocol_state;
    if (state->open) {
        state->open = false;
        state->exchange.app->closed(&state->exchange, false);
    }
    vg_http1_head_dispose(&state->head);
    vg_buffer_dispose(&state->ahead);
    vg_buffer_dispose(&state->out);
    free(state);
}

void vg_http1_init(
    struct vg_http1 *http1,
    const struct vg_exchange_selector *selector,
    size_t header_bytes_max,
    void (*refuse_body)(const struct vg_error *error, struct vg_buffer *out_body))
{
    *http1 = (struct vg_http1){
        .protocol = { .name = "http/1.1",
                      .open = protocol_open,
                      .read = protocol_read,
                      .ended = protocol_ended,
                      .fill = protocol_fill,
                      .wants_close = protocol_wants_close,
                      .drain = protocol_drain,
                      .tick = protocol_tick,
                      .closed = protocol_closed },
        .selector = selector,
        .header_bytes_max = header_bytes_max,
        .refuse = refuse_body,
    };
}
