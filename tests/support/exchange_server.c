/*
 * A server with applications made for tests, straight on the exchange seam: what the conformance
 * scripts of HTTP/2 talk to. No gRPC, no JSON.
 *
 *   /echo      the request body, then the trailer x-size
 *   /early     an answer with trailers before the request is complete
 *   /bytes/N   N bytes, pulled as the client reads
 *   /wait      no answer, ever
 *   /hold      no answer, and no octet of the body is used: the windows stay as they are
 *   /cut       begins an answer that cannot be completed
 *   /head      the number of request headers and their bytes
 *   /state     "open=N closed=N answered=N": exchanges of all kinds, without this one
 *   else       no application
 *
 * Options: --workers N, --idle-ms N, --header-ms N, --body-ms N, --write-ms N, --drain-ms N,
 * --connections N,
 * --per-address N, --streams N. Prints "ready on HOST:PORT"; SIGTERM drains.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "rpc/http2/http2_protocol.h"
#include "rpc/net/server.h"

#define BODY_BYTES_MAX (4u << 20)

static _Atomic int exchanges_open;
static _Atomic int exchanges_closed;
static _Atomic int exchanges_answered;

struct echo_state {
    struct vg_buffer body;
    size_t at;
    size_t left;
    bool early;
    bool done; /* the whole body is there */
    char size_text[24];
    struct vg_http_header trailer;
};

static bool path_is(const struct vg_exchange *exchange, const char *path)
{
    return vg_bytes_begins_with(exchange->request.target, vg_bytes_text(path));
}

static struct vg_http_header field(const char *name, const char *value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = vg_bytes_text(value) };
}

static void echo_respond(struct vg_exchange *exchange)
{
    struct vg_http_header headers[] = { field("content-type", "application/octet-stream") };
    exchange->carrier->respond(
        exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = headers,
                                    .header_count = 1,
                                    .content_length = -1 });
}

static void echo_say_head(struct vg_exchange *exchange, struct echo_state *state)
{
    size_t bytes = 0;
    for (size_t i = 0; i < exchange->request.header_count; i++) {
        bytes += exchange->request.headers[i].name.size + exchange->request.headers[i].value.size;
    }
    vg_buffer_printf(&state->body, "%zu %zu\n", exchange->request.header_count, bytes);
}

static void echo_headers(struct vg_exchange *exchange)
{
    struct echo_state *state = calloc(1, sizeof(*state));
    VG_ASSERT(state != NULL);
    exchange->state = state;
    vg_buffer_init(&state->body, BODY_BYTES_MAX);
    if (path_is(exchange, "/state")) {
        vg_buffer_printf(
            &state->body,
            "open=%d closed=%d answered=%d\n",
            atomic_load(&exchanges_open),
            atomic_load(&exchanges_closed),
            atomic_load(&exchanges_answered));
    }
    atomic_fetch_add(&exchanges_open, 1);
    if (path_is(exchange, "/early")) {
        state->early = true;
        state->done = true;
        vg_buffer_append_text(&state->body, "early");
        echo_respond(exchange);
    } else if (path_is(exchange, "/head")) {
        echo_say_head(exchange, state);
    }
}

static void echo_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    struct echo_state *state = exchange->state;
    if (path_is(exchange, "/echo")) {
        vg_buffer_append(&state->body, part.data, part.size);
    }
    if (!path_is(exchange, "/hold")) {
        exchange->carrier->consume(exchange, part.size);
    }
}

static void echo_end(struct vg_exchange *exchange)
{
    struct echo_state *state = exchange->state;
    if (state->early || path_is(exchange, "/wait") || path_is(exchange, "/hold")) {
        return;
    }
    if (path_is(exchange, "/bytes/")) {
        struct vg_bytes target = exchange->request.target;
        char text[24] = "";
        size_t size = target.size - 7 < sizeof(text) - 1 ? target.size - 7 : sizeof(text) - 1;
        memcpy(text, target.data + 7, size);
        state->left = strtoul(text, NULL, 10);
    }
    state->done = true;
    echo_respond(exchange);
}

static enum vg_pull echo_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    struct echo_state *state = exchange->state;
    if (path_is(exchange, "/cut")) {
        return VG_PULL_FAILED;
    }
    if (state->left > 0) {
        *out_size = state->left < size ? state->left : size;
        memset(out, 'x', *out_size);
        state->left -= *out_size;
        return state->left == 0 ? VG_PULL_END : VG_PULL_MORE;
    }
    size_t left = state->body.size - state->at;
    *out_size = left < size ? left : size;
    memcpy(out, state->body.data + state->at, *out_size);
    state->at += *out_size;
    if (state->at < state->body.size) {
        return VG_PULL_MORE;
    }
    (void)snprintf(state->size_text, sizeof(state->size_text), "%zu", state->body.size);
    state->trailer = field("x-size", state->size_text);
    exchange->trailers = &state->trailer;
    exchange->trailer_count = 1;
    return VG_PULL_TRAILERS;
}

static void echo_closed(struct vg_exchange *exchange, bool answered)
{
    struct echo_state *state = exchange->state;
    atomic_fetch_sub(&exchanges_open, 1);
    atomic_fetch_add(&exchanges_closed, 1);
    atomic_fetch_add(&exchanges_answered, answered ? 1 : 0);
    vg_buffer_dispose(&state->body);
    free(state);
}

static const struct vg_exchange_app echo_app = {
    .headers = echo_headers,
    .body = echo_body,
    .end = echo_end,
    .pull = echo_pull,
    .closed = echo_closed,
};

static const struct vg_exchange_app *echo_select(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    (void)selector;
    const char *const known[] = { "/echo", "/early", "/bytes/", "/wait",
                                  "/hold", "/cut",   "/head",   "/state" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(known); i++) {
        if (path_is(exchange, known[i])) {
            return &echo_app;
        }
    }
    return NULL;
}

struct number_option {
    const char *name;
    uint64_t *place;
    uint64_t scale;
};

static bool read_options(int count, char **texts, const struct number_option *options, size_t known)
{
    for (int i = 1; i < count; i += 2) {
        size_t at = 0;
        while (at < known && strcmp(options[at].name, texts[i]) != 0) {
            at++;
        }
        if (at == known || i + 1 == count) {
            return false;
        }
        *options[at].place = strtoull(texts[i + 1], NULL, 10) * options[at].scale;
    }
    return true;
}

int main(int count, char **texts)
{
    uint64_t workers = 1;
    uint64_t port = 0;
    uint64_t streams = 100;
    uint64_t connections = 10000;
    uint64_t per_address = 1000;
    uint64_t idle = 600;
    uint64_t header = 10;
    uint64_t body = 30;
    uint64_t write = 60;
    uint64_t drain = 10;
    uint64_t delay = 20;
    uint64_t *seconds[] = { &idle, &header, &body, &write, &drain };
    for (size_t i = 0; i < VG_ARRAY_COUNT(seconds); i++) {
        *seconds[i] *= UINT64_C(1000000000);
    }
    delay *= 1000;
    const struct number_option options[] = {
        { "--workers", &workers, 1 },         { "--port", &port, 1 },
        { "--streams", &streams, 1 },         { "--connections", &connections, 1 },
        { "--per-address", &per_address, 1 }, { "--idle-ms", &idle, 1000000 },
        { "--header-ms", &header, 1000000 },  { "--body-ms", &body, 1000000 },
        { "--write-ms", &write, 1000000 },    { "--drain-ms", &drain, 1000000 },
        { "--flush-delay-us", &delay, 1000 },
    };
    if (!read_options(count, texts, options, VG_ARRAY_COUNT(options))) {
        (void)fprintf(stderr, "unknown option\n");
        return 2;
    }
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    struct vg_exchange_selector selector = { .select = echo_select };
    struct vg_http2_limits limits = VG_HTTP2_LIMITS_DEFAULT;
    limits.streams_max = (uint32_t)streams;
    struct vg_http2_protocol http2;
    vg_http2_protocol_init(&http2, &selector, &limits);

    char listen[64];
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", (unsigned)port);
    struct vg_server_options server_options = {
        .listen = listen,
        .worker_count = (unsigned)workers,
        .drain_timeout_ns = drain,
        .limits = { .header_timeout_ns = header,
                    .body_timeout_ns = body,
                    .idle_timeout_ns = idle,
                    .write_timeout_ns = write,
                    .flush_delay_ns = delay,
                    .connections_max = connections,
                    .connections_per_address_max = per_address },
        .http2 = &http2.protocol,
    };
    struct vg_server *server = NULL;
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_server_create(&server_options, &server, &error) != VG_OK ||
        vg_server_start(server, &error) != VG_OK) {
        (void)fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    (void)printf("ready on 127.0.0.1:%u\n", server->port);
    (void)fflush(stdout);
    int signal_number;
    (void)sigwait(&signals, &signal_number);
    vg_server_drain(server);
    vg_server_join(server);
    (void)printf(
        "open=%d closed=%d answered=%d\n",
        atomic_load(&exchanges_open),
        atomic_load(&exchanges_closed),
        atomic_load(&exchanges_answered));
    vg_server_destroy(server);
    vg_http2_protocol_dispose(&http2);
    return atomic_load(&exchanges_open) == 0 ? 0 : 3;
}
