#include "rpc/http2/http2_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "rpc/net/tls.h"

#define VG_HTTP2_CLIENT_WINDOW       (16u << 20)
#define VG_HTTP2_CLIENT_STREAMS_MAX  1000u
#define VG_HTTP2_CLIENT_OUT_BYTES    (256u * 1024u)
#define VG_HTTP2_CLIENT_OUT_MAX      (1u << 20)
#define VG_HTTP2_CLIENT_READ_BYTES   (64u * 1024u)
#define VG_HTTP2_CLIENT_HEADERS_MAX  24u
#define VG_HTTP2_CLIENT_ADDRESS_SIZE 300u
#define VG_HTTP2_CLIENT_NS_PER_MS    UINT64_C(1000000)
/* Seconds of silence after which TCP asks whether there is still somebody, how often, and how often
 * it asks. */
#define VG_HTTP2_CLIENT_SILENCE_S 30
#define VG_HTTP2_CLIENT_PROBE_S   10
#define VG_HTTP2_CLIENT_PROBES    3

struct vg_http2_client {
    int socket;
    bool lost;
    bool sent_away; /* GOAWAY has arrived */
    bool ended;     /* a call has, in this turn */
    nghttp2_session *session;
    struct vg_http2_client_call *calls;
    struct vg_buffer out;
    struct vg_tls *tls;      /* NULL = plain text */
    struct vg_buffer sealed; /* with TLS: `out` as it goes over the wire */
    char authority[VG_HTTP2_CLIENT_ADDRESS_SIZE];
    uint8_t read_bytes[VG_HTTP2_CLIENT_READ_BYTES];
    uint8_t plain[VG_HTTP2_CLIENT_READ_BYTES]; /* what TLS makes of them */
};

/* --- Calls -------------------------------------------------------------------------------------
 */

static void call_end(struct vg_http2_client_call *call, uint32_t code)
{
    struct vg_http2_client *client = call->client;
    if (call->next != NULL) {
        call->next->back = call->back;
    }
    if (call->back != NULL) {
        call->back->next = call->next;
    } else {
        client->calls = call->next;
    }
    if (call->id > 0 && client->session != NULL) {
        (void)nghttp2_session_set_stream_user_data(client->session, call->id, NULL);
    }
    call->client = NULL;
    client->ended = true;
    call->closed(call, code);
}

static void client_lose(struct vg_http2_client *client)
{
    client->lost = true;
    while (client->calls != NULL) {
        call_end(client->calls, VG_HTTP2_CLIENT_LOST);
    }
}

/* nghttp2's signature. */
static int client_on_header( // NOLINT(readability-function-size)
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
    (void)owner;
    struct vg_http2_client_call *call =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call != NULL) {
        call->header(call, vg_bytes(name, name_size), vg_bytes(value, value_size));
    }
    return 0;
}

static int client_on_data(
    nghttp2_session *session,
    uint8_t flags,
    int32_t id,
    const uint8_t *data,
    size_t size,
    void *owner)
{
    (void)flags;
    (void)owner;
    struct vg_http2_client_call *call = nghttp2_session_get_stream_user_data(session, id);
    if (call != NULL && !call->data(call, vg_bytes(data, size))) {
        vg_http2_client_cancel(call);
    }
    return 0;
}

static int client_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    (void)session;
    struct vg_http2_client *client = owner;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->sent_away = true;
    }
    return 0;
}

static int client_on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *owner)
{
    (void)owner;
    struct vg_http2_client_call *call = nghttp2_session_get_stream_user_data(session, id);
    if (call != NULL) {
        call_end(call, code);
    }
    return 0;
}

static bool client_read_kept(
    struct vg_http2_client_call *call,
    uint8_t *out,
    size_t room,
    size_t *out_size,
    bool *out_end)
{
    size_t left = call->kept_body.size - call->sent;
    size_t size = left < room ? left : room;
    if (size > 0) {
        memcpy(out, call->kept_body.data + call->sent, size);
    }
    call->sent += size;
    *out_size = size;
    *out_end = call->sent == call->kept_body.size;
    return true;
}

static ssize_t client_read_body(
    nghttp2_session *session,
    int32_t id,
    uint8_t *out,
    size_t room,
    uint32_t *data_flags,
    nghttp2_data_source *source,
    void *owner)
{
    (void)source;
    (void)owner;
    struct vg_http2_client_call *call = nghttp2_session_get_stream_user_data(session, id);
    if (call == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* given up meanwhile */
    }
    size_t size = 0;
    bool end = false;
    bool good = call->body == NULL ? client_read_kept(call, out, room, &size, &end)
                                   : call->body(call, out, room, &size, &end);
    if (!good) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (end) {
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)size;
}

static nghttp2_nv client_field(struct vg_bytes name, struct vg_bytes value)
{
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name.data,
                         .value = (uint8_t *)(uintptr_t)value.data,
                         .namelen = name.size,
                         .valuelen = value.size };
}

void vg_http2_client_start(struct vg_http2_client *client, struct vg_http2_client_call *call)
{
    call->client = client;
    call->id = 0;
    call->sent = 0;
    call->back = NULL;
    call->next = client->calls;
    if (call->next != NULL) {
        call->next->back = call;
    }
    client->calls = call;
    if (!vg_http2_client_is_usable(client)) {
        call_end(call, VG_HTTP2_CLIENT_LOST);
        return;
    }
    VG_ASSERT(call->header_count + 4 <= VG_HTTP2_CLIENT_HEADERS_MAX);
    nghttp2_nv fields[VG_HTTP2_CLIENT_HEADERS_MAX] = {
        client_field(vg_bytes_text(":method"), vg_bytes_text("POST")),
        client_field(
            vg_bytes_text(":scheme"),
            vg_bytes_text(client->tls == NULL ? "http" : "https")),
        client_field(vg_bytes_text(":path"), vg_bytes_text(call->path)),
        client_field(vg_bytes_text(":authority"), vg_bytes_text(client->authority)),
    };
    for (size_t i = 0; i < call->header_count; i++) {
        fields[4 + i] = client_field(call->headers[i].name, call->headers[i].value);
    }
    nghttp2_data_provider body = { .read_callback = client_read_body };
    call->id =
        nghttp2_submit_request(client->session, NULL, fields, 4 + call->header_count, &body, call);
    if (call->id < 0) {
        call_end(call, VG_HTTP2_CLIENT_LOST);
    }
}

void vg_http2_client_cancel(struct vg_http2_client_call *call)
{
    if (call->client == NULL) {
        return;
    }
    if (call->id > 0 && !call->client->lost) {
        (void)nghttp2_submit_rst_stream(
            call->client->session,
            NGHTTP2_FLAG_NONE,
            call->id,
            NGHTTP2_CANCEL);
    }
    call_end(call, NGHTTP2_CANCEL);
}

/* --- The connection ----------------------------------------------------------------------------
 */

static int client_session(struct vg_http2_client *client)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return -1;
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, client_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, client_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, client_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, client_on_stream_close);
    int status = nghttp2_session_client_new(&client->session, callbacks, client);
    nghttp2_session_callbacks_del(callbacks);
    if (status != 0) {
        return status;
    }
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, VG_HTTP2_CLIENT_WINDOW },
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, VG_HTTP2_CLIENT_STREAMS_MAX },
    };
    status = nghttp2_submit_settings(
        client->session,
        NGHTTP2_FLAG_NONE,
        settings,
        VG_ARRAY_COUNT(settings));
    return status != 0 ? status
                       : nghttp2_session_set_local_window_size(
                             client->session,
                             NGHTTP2_FLAG_NONE,
                             0,
                             VG_HTTP2_CLIENT_WINDOW);
}

/* A connected socket, or -1 with errno. */
static int client_connect(const struct addrinfo *address, int timeout_ms)
{
    int handle =
        socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (handle < 0) {
        return -1;
    }
    int failed = 0;
    if (connect(handle, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        failed = errno;
    } else {
        struct pollfd wait = { .fd = handle, .events = POLLOUT };
        socklen_t size = sizeof(failed);
        int ready = poll(&wait, 1, timeout_ms);
        if (ready == 0) {
            failed = ETIMEDOUT;
        } else if (ready < 0 || getsockopt(handle, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) {
            failed = errno;
        }
    }
    if (failed != 0) {
        (void)close(handle);
        errno = failed;
        return -1;
    }
    const struct {
        int level;
        int name;
        int value;
    } options[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1 },
        /* Whoever only listens would never learn that the other side has gone without a word. */
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, VG_HTTP2_CLIENT_SILENCE_S },
        { IPPROTO_TCP, TCP_KEEPINTVL, VG_HTTP2_CLIENT_PROBE_S },
        { IPPROTO_TCP, TCP_KEEPCNT, VG_HTTP2_CLIENT_PROBES },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(options); i++) {
        const int value = options[i].value;
        (void)setsockopt(handle, options[i].level, options[i].name, &value, sizeof(value));
    }
    return handle;
}

/* "HOST:PORT" or "[IPv6]:PORT" in two; false when it is neither. */
static bool client_split(const char *address, char *host, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || colon[1] == '\0') {
        return false;
    }
    size_t size = (size_t)(colon - address);
    if (address[0] == '[' && size > 2 && address[size - 1] == ']') {
        address++;
        size -= 2;
    }
    if (size >= VG_HTTP2_CLIENT_ADDRESS_SIZE) {
        return false;
    }
    memcpy(host, address, size);
    host[size] = '\0';
    *port = colon + 1;
    return true;
}

static enum vg_reason client_dial(
    const char *address,
    uint64_t timeout_ns,
    char host[VG_HTTP2_CLIENT_ADDRESS_SIZE],
    int *out_socket,
    struct vg_error *error)
{
    const char *port;
    if (!client_split(address, host, &port)) {
        return vg_error_set(error, VG_CONFIG, "\"%s\" is not HOST:PORT", address);
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int status = getaddrinfo(host, port, &hints, &found);
    if (status != 0) {
        const bool is_name = status != EAI_AGAIN && status != EAI_MEMORY && status != EAI_SYSTEM;
        return vg_error_set(
            error,
            is_name ? VG_CONFIG : VG_OVERLOADED, /* else it may be another answer soon */
            "cannot connect to %s: %s",
            address,
            gai_strerror(status));
    }
    int handle = -1;
    int failed = 0;
    for (const struct addrinfo *one = found; one != NULL && handle < 0; one = one->ai_next) {
        handle = client_connect(one, (int)(timeout_ns / VG_HTTP2_CLIENT_NS_PER_MS));
        failed = errno;
    }
    freeaddrinfo(found);
    if (handle < 0) {
        return vg_error_set(
            error,
            VG_OVERLOADED,
            "cannot connect to %s: %s",
            address,
            strerrordesc_np(failed));
    }
    *out_socket = handle;
    return VG_OK;
}

static struct vg_buffer *client_wire(struct vg_http2_client *client)
{
    return client->tls == NULL ? &client->out : &client->sealed;
}

/* Write what is ready for the wire; false when the connection is lost. */
static bool client_write(struct vg_http2_client *client)
{
    struct vg_buffer *wire = client_wire(client);
    ssize_t size = send(client->socket, wire->data, wire->size, MSG_NOSIGNAL);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    vg_buffer_drop(wire, (size_t)size);
    return true;
}

/* One step of the handshake: send, wait, receive. */
static bool client_shake_once(struct vg_http2_client *client, int timeout_ms)
{
    struct pollfd wait = { .fd = client->socket, .events = POLLIN };
    if (client->sealed.size > 0 && !client_write(client)) {
        return false;
    }
    if (client->sealed.size > 0) {
        wait.events |= POLLOUT;
    }
    if (poll(&wait, 1, timeout_ms) < 0) {
        return errno == EINTR;
    }
    if ((wait.revents & (POLLIN | POLLERR | POLLHUP)) == 0) {
        return true;
    }
    ssize_t size = recv(client->socket, client->read_bytes, sizeof(client->read_bytes), 0);
    if (size <= 0) {
        return size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    vg_tls_feed(client->tls, vg_bytes(client->read_bytes, (size_t)size));
    return true;
}

/* The handshake, to its end; NULL, or what went wrong. */
static const char *client_shake(struct vg_http2_client *client, uint64_t timeout_ns)
{
    uint64_t end_ns = vg_clock_monotonic_ns(&vg_clock_real) + timeout_ns;
    while (vg_tls_shake(client->tls, &client->sealed) == VG_TLS_HANDSHAKE) {
        uint64_t now_ns = vg_clock_monotonic_ns(&vg_clock_real);
        if (now_ns >= end_ns) {
            return "the handshake took too long";
        }
        int wait_ms = (int)((end_ns - now_ns) / VG_HTTP2_CLIENT_NS_PER_MS) + 1;
        if (!client_shake_once(client, wait_ms)) {
            return "the server closed the connection";
        }
    }
    if (vg_tls_state(client->tls) == VG_TLS_FAILED) {
        (void)client_write(client); /* the alert that says why */
        return vg_tls_failure(client->tls);
    }
    return vg_tls_protocol(client->tls) == VG_TLS_PROTOCOL_H2 ? NULL
                                                              : "it does not speak HTTP/2 (ALPN)";
}

/* What came with the last of the handshake is the beginning of HTTP/2. */
static bool client_take_sealed(struct vg_http2_client *client)
{
    size_t size;
    while (
        (size = vg_tls_read(client->tls, client->plain, sizeof(client->plain), &client->sealed)) >
        0) {
        if (nghttp2_session_mem_recv(client->session, client->plain, size) < 0) {
            return false;
        }
    }
    return vg_tls_state(client->tls) == VG_TLS_OPEN;
}

static enum vg_reason client_begin_tls(
    struct vg_http2_client *client,
    struct vg_tls_client *tls,
    const char *host,
    uint64_t timeout_ns,
    struct vg_error *error)
{
    client->tls = vg_tls_connect(tls, host);
    const char *failure =
        client->tls == NULL ? "no memory for a connection" : client_shake(client, timeout_ns);
    if (failure == NULL && !client_take_sealed(client)) {
        failure = "the server closed the connection";
    }
    return failure == NULL ? VG_OK
                           : vg_error_set(
                                 error,
                                 VG_OVERLOADED,
                                 "cannot connect to %s by TLS: %s",
                                 client->authority,
                                 failure);
}

enum vg_reason vg_http2_client_open(
    const char *address,
    struct vg_tls_client *tls,
    uint64_t timeout_ns,
    struct vg_http2_client **out_client,
    struct vg_error *error)
{
    int handle = -1;
    char host[VG_HTTP2_CLIENT_ADDRESS_SIZE];
    enum vg_reason reason = client_dial(address, timeout_ns, host, &handle, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_http2_client *client = calloc(1, sizeof(*client));
    VG_ASSERT(client != NULL);
    client->socket = handle;
    vg_buffer_init(&client->out, VG_HTTP2_CLIENT_OUT_MAX);
    vg_buffer_init(&client->sealed, VG_HTTP2_CLIENT_OUT_MAX);
    memcpy(client->authority, address, strlen(address) + 1);
    if (client_session(client) != 0) {
        reason = vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a connection");
    } else if (tls != NULL) {
        reason = client_begin_tls(client, tls, host, timeout_ns, error);
    }
    if (reason != VG_OK) {
        vg_http2_client_close(client);
        return reason;
    }
    *out_client = client;
    return VG_OK;
}

void vg_http2_client_close(struct vg_http2_client *client)
{
    if (client == NULL) {
        return;
    }
    client_lose(client);
    nghttp2_session_del(client->session);
    if (client->tls != NULL && vg_tls_end(client->tls, &client->sealed)) {
        (void)client_write(client); /* close_notify, if the socket takes it */
    }
    vg_tls_destroy(client->tls);
    vg_buffer_dispose(&client->out);
    vg_buffer_dispose(&client->sealed);
    (void)close(client->socket);
    free(client);
}

const char *vg_http2_client_failure(const struct vg_http2_client *client)
{
    return client->tls == NULL ? NULL : vg_tls_failure(client->tls);
}

bool vg_http2_client_is_usable(const struct vg_http2_client *client)
{
    return !client->lost && !client->sent_away &&
           nghttp2_session_check_request_allowed(client->session) != 0;
}

/* Make records of what is to be said; at once, so that `out` is empty afterwards. */
static bool client_seal(struct vg_http2_client *client)
{
    uint64_t now_ns = vg_clock_monotonic_ns(&vg_clock_real);
    bool good = client->out.size == 0 ||
                vg_tls_seal(client->tls, vg_buffer_bytes(&client->out), now_ns, &client->sealed);
    vg_buffer_clear(&client->out);
    return good;
}

/* Write until nothing is left or the socket is full; false when the connection is lost. */
static bool client_send(struct vg_http2_client *client)
{
    struct vg_buffer *wire = client_wire(client);
    for (;;) {
        while (client->out.size + client->sealed.size < VG_HTTP2_CLIENT_OUT_BYTES) {
            const uint8_t *frame;
            ssize_t size = nghttp2_session_mem_send(client->session, &frame);
            if (size < 0) {
                return false;
            }
            if (size == 0) {
                break;
            }
            vg_buffer_append(&client->out, frame, (size_t)size);
        }
        if (client->tls != NULL && !client_seal(client)) {
            return false;
        }
        if (wire->size == 0) {
            return true;
        }
        size_t before = wire->size;
        if (!client_write(client)) {
            return false;
        }
        if (wire->size == before) {
            return true; /* the socket is full */
        }
    }
}

static bool client_take(struct vg_http2_client *client, struct vg_bytes part)
{
    if (client->tls == NULL) {
        return nghttp2_session_mem_recv(client->session, part.data, part.size) >= 0;
    }
    vg_tls_feed(client->tls, part);
    return client_take_sealed(client);
}

/* Read until the socket is empty; false when the connection is lost. */
static bool client_receive(struct vg_http2_client *client)
{
    for (;;) {
        ssize_t size = recv(client->socket, client->read_bytes, sizeof(client->read_bytes), 0);
        if (size < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (size == 0 || !client_take(client, vg_bytes(client->read_bytes, (size_t)size))) {
            return false;
        }
        if ((size_t)size < sizeof(client->read_bytes)) {
            return true;
        }
    }
}

void vg_http2_client_turn(struct vg_http2_client *client, int timeout_ms)
{
    if (client->lost) {
        return;
    }
    client->ended = false;
    if (!client_send(client)) {
        client_lose(client);
        return;
    }
    if (client->ended) {
        timeout_ms = 0; /* a body that could not be had: its caller waits for nothing else */
    }
    struct pollfd wait = { .fd = client->socket, .events = POLLIN };
    if (client_wire(client)->size > 0) {
        wait.events |= POLLOUT;
    }
    if (poll(&wait, 1, timeout_ms) < 0 && errno != EINTR) {
        client_lose(client);
        return;
    }
    bool alive = (wait.revents & (POLLIN | POLLERR | POLLHUP)) == 0 || client_receive(client);
    /* What the peer said before it went is taken first; what we answer may still go out. */
    if (!alive || !client_send(client)) {
        client_lose(client);
    }
}
