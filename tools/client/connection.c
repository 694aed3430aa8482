#include "tools/client/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "rpc/net/tls_client.h"

/* The first pause; each further one is twice as long. Up to a quarter is added at random, so that
 * many importers do not come back at once. */
#define PAUSE_FIRST_NS UINT64_C(100000000)

/* A name has at most 255 characters (RFC 1035). */
#define ADDRESS_SIZE 300u

struct vg_connection {
    struct vg_grpc_client *client;
    struct vg_tls_client *tls;          /* NULL = plain text */
    struct vg_connection_call *waiting; /* to be repeated */
};

static bool take_scheme(const char **server, const char *scheme)
{
    size_t size = strlen(scheme);
    bool is_there = strncasecmp(*server, scheme, size) == 0;
    *server += is_there ? size : 0;
    return is_there;
}

/* Whether a port stands behind the host: the colons within the brackets of IPv6 are none. */
static bool has_port(const char *host)
{
    const char *bracket = strrchr(host, ']');
    return strchr(bracket == NULL ? host : bracket, ':') != NULL;
}

/* "HOST:PORT" from what stands for the server; *out_tls: its scheme asks for TLS. */
static enum vg_reason read_server(
    const struct vg_connection_options *options,
    char out_address[ADDRESS_SIZE],
    bool *out_tls,
    struct vg_error *error)
{
    const char *host = options->server;
    bool is_secure = take_scheme(&host, "https://");
    bool is_plain = !is_secure && take_scheme(&host, "http://");
    size_t size = strlen(host);
    size -= (is_secure || is_plain) && size > 0 && host[size - 1] == '/' ? 1 : 0;
    const char *port = is_secure ? ":443" : is_plain ? ":80" : "";
    int written =
        snprintf(out_address, ADDRESS_SIZE, "%.*s%s", (int)size, host, has_port(host) ? "" : port);
    bool wants_tls = options->with_tls || options->ca != NULL || options->certificate != NULL;
    if (written >= (int)ADDRESS_SIZE || strchr(out_address, '/') != NULL) {
        return vg_error_set(error, VG_CONFIG, "\"%s\" is not HOST:PORT", options->server);
    }
    if (is_plain && wants_tls) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "%s asks for plain text, and another option for TLS",
            options->server);
    }
    *out_tls = is_secure || wants_tls;
    return VG_OK;
}

enum vg_reason vg_connection_open(
    const struct vg_connection_options *options,
    struct vg_connection **out_connection,
    struct vg_error *error)
{
    char address[ADDRESS_SIZE];
    bool with_tls = false;
    enum vg_reason reason = read_server(options, address, &with_tls, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    if (with_tls) {
        const struct vg_tls_client_options tls = { .ca = options->ca,
                                                   .certificate = options->certificate,
                                                   .key = options->certificate_key };
        reason = vg_tls_client_create(&tls, &connection->tls, error);
    }
    if (reason == VG_OK) {
        reason = vg_grpc_client_open_tls(
            address,
            connection->tls,
            options->key,
            &connection->client,
            error);
    }
    if (reason != VG_OK) {
        vg_connection_close(connection);
        return reason;
    }
    *out_connection = connection;
    return VG_OK;
}

void vg_connection_close(struct vg_connection *connection)
{
    if (connection != NULL) {
        vg_grpc_client_close(connection->client);
        vg_tls_client_destroy(connection->tls);
        free(connection);
    }
}

static bool take_row(struct vg_grpc_client_call *grpc, struct vg_bytes message)
{
    struct vg_connection_call *call = VG_CONTAINER_OF(grpc, struct vg_connection_call, grpc);
    call->rows++;
    return call->row(call, message);
}

static enum vg_grpc_client_next give_piece(
    struct vg_grpc_client_call *grpc,
    struct vg_bytes *out_message)
{
    struct vg_connection_call *call = VG_CONTAINER_OF(grpc, struct vg_connection_call, grpc);
    enum vg_grpc_client_next next = call->piece(call, out_message);
    call->pieces++;
    return next;
}

static void start_now(struct vg_connection *connection, struct vg_connection_call *call)
{
    call->tries++;
    call->pieces = 0;
    call->grpc = (struct vg_grpc_client_call){
        .path = vg_client_method_row(call->method)->path,
        .kept_request = call->kept_request,
        .owner = call,
        .row = call->row == NULL ? NULL : take_row,
        .next_message = call->piece == NULL ? NULL : give_piece,
        .timeout_ns = call->timeout_ns,
    };
    vg_grpc_client_start(connection->client, &call->grpc);
}

void vg_connection_start(struct vg_connection *connection, struct vg_connection_call *call)
{
    call->tries = 0;
    start_now(connection, call);
}

bool vg_connection_is_unreachable(const struct vg_connection_call *call)
{
    return call->grpc.code == VG_GRPC_UNAVAILABLE || call->grpc.code == VG_GRPC_DEADLINE_EXCEEDED;
}

/* Put the call aside until its pause is over. False when it is not to be repeated. */
static bool put_aside(struct vg_connection *connection, struct vg_connection_call *call)
{
    if (!vg_connection_is_unreachable(call) || !vg_client_method_row(call->method)->repeatable ||
        call->tries >= VG_CONNECTION_TRIES_MAX || call->rows > 0 ||
        call->grpc.retry_after_ms > VG_CONNECTION_PAUSE_MAX_MS) {
        return false;
    }
    uint64_t pause = PAUSE_FIRST_NS << (call->tries - 1);
    if (call->grpc.retry_after_ms != 0) {
        pause = (uint64_t)call->grpc.retry_after_ms * 1000000u; /* the server knows better */
    }
    pause += vg_random_below(vg_random_real(), pause / 4);
    vg_grpc_client_call_dispose(&call->grpc);
    call->repeat_at_ns = vg_clock_monotonic_ns(&vg_clock_real) + pause;
    call->next = connection->waiting;
    connection->waiting = call;
    return true;
}

static void sleep_until(uint64_t time_ns)
{
    uint64_t now = vg_clock_monotonic_ns(&vg_clock_real);
    if (time_ns <= now) {
        return;
    }
    uint64_t left = time_ns - now;
    struct timespec rest = { .tv_sec = (time_t)(left / 1000000000u),
                             .tv_nsec = (long)(left % 1000000000u) };
    bool rested = nanosleep(&rest, &rest) == 0;
    while (!rested && errno == EINTR) {
        rested = nanosleep(&rest, &rest) == 0;
    }
}

/* Repeat the calls whose pause is over. With nothing under way the earliest is waited for: there is
 * nothing else to do meanwhile. */
static void repeat_waiting(struct vg_connection *connection)
{
    if (vg_grpc_client_under_way(connection->client) == 0 && connection->waiting != NULL) {
        uint64_t earliest = UINT64_MAX;
        for (const struct vg_connection_call *call = connection->waiting; call != NULL;
             call = call->next) {
            earliest = call->repeat_at_ns < earliest ? call->repeat_at_ns : earliest;
        }
        sleep_until(earliest);
    }
    uint64_t now = vg_clock_monotonic_ns(&vg_clock_real);
    struct vg_connection_call **link = &connection->waiting;
    while (*link != NULL) {
        struct vg_connection_call *call = *link;
        if (call->repeat_at_ns <= now) {
            *link = call->next;
            start_now(connection, call);
        } else {
            link = &call->next;
        }
    }
}

struct vg_connection_call *vg_connection_wait_any(struct vg_connection *connection)
{
    for (;;) {
        repeat_waiting(connection);
        struct vg_grpc_client_call *done = vg_grpc_client_wait_any(connection->client);
        if (done == NULL) {
            if (connection->waiting == NULL) {
                return NULL;
            }
            continue;
        }
        struct vg_connection_call *call = VG_CONTAINER_OF(done, struct vg_connection_call, grpc);
        if (!put_aside(connection, call)) {
            return call;
        }
    }
}

size_t vg_connection_under_way(const struct vg_connection *connection)
{
    size_t count = vg_grpc_client_under_way(connection->client);
    for (const struct vg_connection_call *call = connection->waiting; call != NULL;
         call = call->next) {
        count++;
    }
    return count;
}

void vg_connection_call_dispose(struct vg_connection_call *call)
{
    vg_grpc_client_call_dispose(&call->grpc);
}

const ProtobufCMessage *vg_connection_answer(
    const struct vg_connection_call *call,
    struct vg_arena *arena)
{
    ProtobufCMessage *answer = NULL;
    if (call->grpc.code != VG_GRPC_OK || vg_wire_decode(
                                             vg_client_method_row(call->method)->answer,
                                             call->grpc.answer,
                                             &vg_wire_policy_record,
                                             arena,
                                             &answer,
                                             NULL) != VG_OK) {
        return NULL;
    }
    return answer;
}

/* Make the call and wait for its end. */
static void make_call(
    struct vg_connection *connection,
    const ProtobufCMessage *request,
    struct vg_connection_call *call)
{
    struct vg_buffer bytes;
    VG_ASSERT(vg_connection_under_way(connection) == 0);
    vg_buffer_init(&bytes, VG_CONNECTION_REQUEST_BYTES_MAX);
    if (!vg_wire_encode(vg_client_method_row(call->method)->request, request, &bytes)) {
        call->grpc.code = VG_GRPC_RESOURCE_EXHAUSTED;
        (void)snprintf(
            call->grpc.message,
            sizeof(call->grpc.message),
            "the request is larger than %u bytes",
            VG_CONNECTION_REQUEST_BYTES_MAX);
    } else {
        call->kept_request = vg_buffer_bytes(&bytes);
        vg_connection_start(connection, call);
        (void)vg_connection_wait_any(connection);
    }
    vg_buffer_dispose(&bytes);
    call->kept_request = vg_bytes(NULL, 0);
}

bool vg_connection_stream(
    struct vg_connection *connection,
    const ProtobufCMessage *request,
    struct vg_connection_call *call)
{
    VG_ASSERT(call->row != NULL);
    make_call(connection, request, call);
    return call->grpc.code == VG_GRPC_OK;
}

const ProtobufCMessage *vg_connection_ask(
    struct vg_connection *connection,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_connection_call *out_call)
{
    *out_call = (struct vg_connection_call){ .method = method };
    make_call(connection, request, out_call);
    const ProtobufCMessage *answer = vg_connection_answer(out_call, arena);
    if (answer == NULL && out_call->grpc.code == VG_GRPC_OK) {
        out_call->grpc.code = VG_GRPC_INTERNAL;
        (void)snprintf(
            out_call->grpc.message,
            sizeof(out_call->grpc.message),
            "the answer cannot be read");
    }
    return answer;
}
