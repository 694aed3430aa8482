#include "rpc/grpc/grpc_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/text_number.h"
#include "rpc/grpc/grpc_timeout.h"
#include "rpc/service/metadata.h"

#define VG_GRPC_CLIENT_CONNECT_NS  UINT64_C(10000000000)
#define VG_GRPC_CLIENT_ADDRESS_MAX 300u
#define VG_GRPC_CLIENT_ARENA_BYTES (256u * 1024u)
#define VG_GRPC_CLIENT_NS_PER_MS   UINT64_C(1000000)
#define VG_GRPC_CLIENT_TURN_MS     UINT64_C(60000)

struct vg_grpc_client {
    struct vg_http2_client *http;
    struct vg_tls_client *tls;         /* NULL = plain text */
    struct vg_grpc_client_call *calls; /* under way, newest first */
    struct vg_grpc_client_call *done_first;
    struct vg_grpc_client_call *done_last;
    size_t under_way; /* both lists */
    struct vg_grpc_encoding_pool encodings;
    char address[VG_GRPC_CLIENT_ADDRESS_MAX];
    char credential[VG_GRPC_CLIENT_CREDENTIAL_MAX];
};

const char *vg_grpc_client_code_name(enum vg_grpc_code code)
{
    static const char *const names[VG_GRPC_STATUS_CODE_MAX + 1] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    return (unsigned)code <= VG_GRPC_STATUS_CODE_MAX ? names[code] : "UNKNOWN";
}

/* --- The end of a call -------------------------------------------------------------------------
 */

static void call_set(struct vg_grpc_client_call *call, enum vg_grpc_code code, const char *message)
{
    call->code = code;
    (void)snprintf(call->message, sizeof(call->message), "%s", message);
}

/* From an HTTP status, when the answer was not gRPC. grpc http-grpc-status-mapping. */
static enum vg_grpc_code code_of_http(unsigned status)
{
    switch (status) {
    case 400:
        return VG_GRPC_INTERNAL;
    case 401:
        return VG_GRPC_UNAUTHENTICATED;
    case 403:
        return VG_GRPC_PERMISSION_DENIED;
    case 404:
        return VG_GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return VG_GRPC_UNAVAILABLE;
    default:
        return VG_GRPC_UNKNOWN;
    }
}

/* From a stream that was reset. grpc PROTOCOL-HTTP2, "Errors". */
static void call_set_reset(struct vg_grpc_client_call *call, uint32_t code)
{
    char text[80];
    enum vg_grpc_code status = VG_GRPC_INTERNAL;
    if (code == VG_HTTP2_CLIENT_LOST) {
        const char *failure = vg_http2_client_failure(call->client->http);
        (void)snprintf(
            text,
            sizeof(text),
            "the connection to the server was lost%s%s",
            failure == NULL ? "" : ": ",
            failure == NULL ? "" : failure);
        call_set(call, VG_GRPC_UNAVAILABLE, text);
        return;
    }
    if (code == 7) { /* REFUSED_STREAM */
        status = VG_GRPC_UNAVAILABLE;
    } else if (code == 8) { /* CANCEL */
        status = VG_GRPC_CANCELLED;
    } else if (code == 11) { /* ENHANCE_YOUR_CALM */
        status = VG_GRPC_RESOURCE_EXHAUSTED;
    }
    (void)snprintf(text, sizeof(text), "the server ended the call with HTTP/2 error %u", code);
    call_set(call, status, text);
}

static void call_settle(struct vg_grpc_client_call *call, uint32_t code)
{
    if (call->failure != NULL) {
        /* Set by whoever gave up, with the code. */
        call_set(call, call->code, call->failure);
    } else if (call->has_status) {
        if (call->code == VG_GRPC_OK && !vg_grpc_frame_is_idle(&call->frame)) {
            call_set(call, VG_GRPC_INTERNAL, "the server's answer ends within a message");
        } else if (call->code == VG_GRPC_OK && call->row == NULL && call->frame.messages != 1) {
            call_set(call, VG_GRPC_INTERNAL, "the server's answer is not one message");
        }
    } else if (call->http_status != 0 && call->http_status != 200) {
        char text[48];
        (void)snprintf(text, sizeof(text), "the server answered HTTP %u", call->http_status);
        call_set(call, code_of_http(call->http_status), text);
    } else if (code == 0) {
        call_set(call, VG_GRPC_UNKNOWN, "the server's answer has no status");
    } else {
        call_set_reset(call, code);
    }
    if (call->retry_after_ms == 0) {
        call->retry_after_ms = call->details.retry_after_ms;
    }
    if (call->code == VG_GRPC_OK) {
        call->answer = vg_buffer_bytes(&call->answer_bytes);
    }
}

/* From the list of calls under way to the end of the done ones. */
static void call_move_to_done(struct vg_grpc_client_call *call)
{
    struct vg_grpc_client *client = call->client;
    if (call->next != NULL) {
        call->next->back = call->back;
    }
    if (call->back != NULL) {
        call->back->next = call->next;
    } else {
        client->calls = call->next;
    }
    call->next = NULL;
    call->back = client->done_last;
    if (client->done_last != NULL) {
        client->done_last->next = call;
    } else {
        client->done_first = call;
    }
    client->done_last = call;
}

static void client_take_done(struct vg_grpc_client_call *call)
{
    struct vg_grpc_client *client = call->client;
    if (call->next != NULL) {
        call->next->back = call->back;
    } else {
        client->done_last = call->back;
    }
    if (call->back != NULL) {
        call->back->next = call->next;
    } else {
        client->done_first = call->next;
    }
    client->under_way--;
    call->client = NULL;
}

/* --- What HTTP/2 tells -------------------------------------------------------------------------
 */

static struct vg_grpc_client_call *call_of(struct vg_http2_client_call *http)
{
    return VG_CONTAINER_OF(http, struct vg_grpc_client_call, http);
}

static unsigned small_number(struct vg_bytes text)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.size && i < 4 && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    return value;
}

static void call_on_details(struct vg_grpc_client_call *call, struct vg_bytes value)
{
    struct vg_bytes bytes;
    if (value.size == 0 || vg_metadata_next_binary(&value, &call->arena, &bytes, NULL) != VG_OK ||
        !vg_grpc_status_read_details(bytes, &call->arena, &call->details)) {
        call->details = (struct vg_grpc_details){ .reason = NULL }; /* words are enough */
    }
}

/* gRFC A6: milliseconds; what is negative or no number asks for no other try, and is left to who
 * calls. */
static uint32_t read_pushback(struct vg_bytes value)
{
    int64_t ms = 0;
    const bool good = vg_text_number_parse_int64(value, &ms) && ms > 0 && ms < UINT32_MAX;
    return good ? (uint32_t)ms : 0;
}

static void call_on_header(
    struct vg_http2_client_call *http,
    struct vg_bytes name,
    struct vg_bytes value)
{
    struct vg_grpc_client_call *call = call_of(http);
    if (vg_bytes_equal(name, vg_bytes_text(":status"))) {
        call->http_status = small_number(value);
    } else if (vg_bytes_equal(name, vg_bytes_text("grpc-status"))) {
        unsigned code = small_number(value);
        call->has_status = true;
        call->code = code <= VG_GRPC_STATUS_CODE_MAX ? (enum vg_grpc_code)code : VG_GRPC_UNKNOWN;
    } else if (vg_bytes_equal(name, vg_bytes_text("grpc-encoding"))) {
        call->frame.coding = vg_grpc_encoding_find(value);
    } else if (vg_bytes_equal(name, vg_bytes_text("grpc-message"))) {
        vg_grpc_status_decode_message(value, call->message, sizeof(call->message));
    } else if (vg_bytes_equal(name, vg_bytes_text("grpc-status-details-bin"))) {
        call_on_details(call, value);
    } else if (vg_bytes_equal(name, vg_bytes_text("grpc-retry-pushback-ms"))) {
        call->retry_after_ms = read_pushback(value);
    } else if (vg_bytes_equal(name, vg_bytes_text("vigil-count"))) {
        int64_t count;
        call->row_count = vg_text_number_parse_int64(value, &count) ? count : -1;
    }
}

static bool call_give_up(
    struct vg_grpc_client_call *call,
    enum vg_grpc_code code,
    const char *failure)
{
    call->code = code;
    call->failure = failure;
    return false;
}

/* A whole message of the answer, which was compressed: to answer_bytes. */
static bool call_inflate(struct vg_grpc_client_call *call, struct vg_bytes packed)
{
    vg_buffer_clear(&call->answer_bytes);
    enum vg_reason reason = vg_grpc_encoding_inflate(
        &call->client->encodings,
        call->frame.coding,
        packed,
        VG_GRPC_CLIENT_ANSWER_BYTES,
        &call->answer_bytes,
        NULL);
    return reason == VG_OK || call_give_up(
                                  call,
                                  VG_GRPC_INTERNAL,
                                  "the server's answer cannot be inflated, or is too large");
}

/* A message is complete, in `whole` or, if it was collected or inflated, in answer_bytes. */
static bool call_on_message(struct vg_grpc_client_call *call, struct vg_bytes whole)
{
    if (call->row == NULL) {
        return true;
    }
    bool wanted = call->row(call, whole);
    vg_buffer_clear(&call->answer_bytes);
    return wanted || call_give_up(call, VG_GRPC_CANCELLED, "no more rows are wanted");
}

static bool call_on_piece(struct vg_grpc_client_call *call, const struct vg_grpc_piece *piece)
{
    struct vg_buffer *kept = piece->compressed ? &call->packed : &call->answer_bytes;
    if (call->row != NULL && piece->begins && piece->complete && !piece->compressed) {
        return call_on_message(call, piece->part);
    }
    if (piece->begins && piece->compressed) {
        vg_buffer_clear(kept);
    }
    if (piece->begins && !vg_buffer_reserve(kept, piece->size)) {
        return call_give_up(call, VG_GRPC_RESOURCE_EXHAUSTED, "no memory for the answer");
    }
    vg_buffer_append(kept, piece->part.data, piece->part.size);
    if (!piece->complete) {
        return true;
    }
    if (piece->compressed && !call_inflate(call, vg_buffer_bytes(kept))) {
        return false;
    }
    return call_on_message(call, vg_buffer_bytes(&call->answer_bytes));
}

static bool call_on_data(struct vg_http2_client_call *http, struct vg_bytes part)
{
    struct vg_grpc_client_call *call = call_of(http);
    if (call->http_status != 200) {
        return true; /* words of something that is not gRPC */
    }
    while (part.size > 0) {
        struct vg_grpc_piece piece;
        if (vg_grpc_frame_next(&call->frame, &part, &piece, NULL) != VG_OK) {
            return call_give_up(
                call,
                VG_GRPC_INTERNAL,
                "the server's answer is too large or malformed");
        }
        if (!call_on_piece(call, &piece)) {
            return false;
        }
    }
    return true;
}

static void call_put_message(struct vg_grpc_client_call *call, struct vg_bytes message)
{
    uint8_t prefix[VG_GRPC_PREFIX_SIZE];
    vg_grpc_frame_put_prefix(prefix, false, (uint32_t)message.size);
    vg_buffer_append(&call->body, prefix, sizeof(prefix));
    vg_buffer_append(&call->body, message.data, message.size);
}

/* The bytes of a stream of messages. */
static bool call_on_body(
    struct vg_http2_client_call *http,
    uint8_t *out,
    size_t room,
    size_t *out_size,
    bool *out_end)
{
    struct vg_grpc_client_call *call = call_of(http);
    if (call->body_sent == call->body.size) {
        struct vg_bytes message = vg_bytes(NULL, 0);
        enum vg_grpc_client_next next = call->next_message(call, &message);
        vg_buffer_clear(&call->body);
        call->body_sent = 0;
        if (next == VG_GRPC_CLIENT_NEXT_END) {
            *out_size = 0;
            *out_end = true;
            return true;
        }
        if (next == VG_GRPC_CLIENT_NEXT_FAILED) {
            return call_give_up(call, VG_GRPC_CANCELLED, "the request could not be had to its end");
        }
        call_put_message(call, message);
        if (call->body.failed) {
            return call_give_up(call, VG_GRPC_RESOURCE_EXHAUSTED, "no memory for the request");
        }
    }
    size_t left = call->body.size - call->body_sent;
    *out_size = left < room ? left : room;
    *out_end = false;
    memcpy(out, call->body.data + call->body_sent, *out_size);
    call->body_sent += *out_size;
    return true;
}

static void call_on_closed(struct vg_http2_client_call *http, uint32_t code)
{
    struct vg_grpc_client_call *call = call_of(http);
    call_settle(call, code);
    call->done = true;
    call_move_to_done(call);
}

/* --- Calls -------------------------------------------------------------------------------------
 */

/* One turn of the connection, no longer than to the next deadline; give up what is past its own. */
static void client_turn(struct vg_grpc_client *client)
{
    uint64_t now_ns = vg_clock_monotonic_ns(&vg_clock_real);
    uint64_t next_ns = UINT64_MAX;
    struct vg_grpc_client_call *call = client->calls;
    while (call != NULL) {
        struct vg_grpc_client_call *next = call->next;
        if (call->deadline_ns <= now_ns) {
            (void)
                call_give_up(call, VG_GRPC_DEADLINE_EXCEEDED, "the server did not answer in time");
            vg_http2_client_cancel(&call->http);
        } else if (call->deadline_ns < next_ns) {
            next_ns = call->deadline_ns;
        }
        call = next;
    }
    if (client->calls == NULL) {
        return;
    }
    uint64_t wait_ms = (next_ns - now_ns) / VG_GRPC_CLIENT_NS_PER_MS + 1;
    vg_http2_client_turn(
        client->http,
        wait_ms > VG_GRPC_CLIENT_TURN_MS ? (int)VG_GRPC_CLIENT_TURN_MS : (int)wait_ms);
}

/* Connect again when the connection is of no more use. */
static bool client_ready(struct vg_grpc_client *client, struct vg_error *error)
{
    if (client->http != NULL && client->calls == NULL) {
        vg_http2_client_turn(client->http, 0); /* it may have been closed while nobody looked */
    }
    if (client->http != NULL && vg_http2_client_is_usable(client->http)) {
        return true;
    }
    while (client->calls != NULL) {
        client_turn(client); /* those under way still get their answers after a GOAWAY */
    }
    vg_http2_client_close(client->http);
    client->http = NULL;
    return vg_http2_client_open(
               client->address,
               client->tls,
               VG_GRPC_CLIENT_CONNECT_NS,
               &client->http,
               error) == VG_OK;
}

static void call_send(struct vg_grpc_client *client, struct vg_grpc_client_call *call)
{
    char timeout[VG_GRPC_TIMEOUT_SIZE];
    size_t timeout_size = vg_grpc_timeout_print(call->timeout_ns, timeout);
    const struct vg_http_header headers[] = {
        { vg_bytes_text("te"), vg_bytes_text("trailers") },
        { vg_bytes_text("content-type"), vg_bytes_text("application/grpc") },
        { vg_bytes_text("user-agent"), vg_bytes_text("vigil") },
        { vg_bytes_text("grpc-accept-encoding"), vg_bytes_text(VG_GRPC_ENCODING_ACCEPTED) },
        { vg_bytes_text("grpc-timeout"), vg_bytes(timeout, timeout_size) },
        { vg_bytes_text("argus-api-key"), vg_bytes_text(client->credential) },
    };
    call->http = (struct vg_http2_client_call){
        .path = call->path,
        .headers = headers,
        .header_count = VG_ARRAY_COUNT(headers) - (client->credential[0] == '\0' ? 1 : 0),
        .kept_body = vg_buffer_bytes(&call->body),
        .body = call->next_message == NULL ? NULL : call_on_body,
        .header = call_on_header,
        .data = call_on_data,
        .closed = call_on_closed,
    };
    vg_http2_client_start(client->http, &call->http);
}

void vg_grpc_client_start(struct vg_grpc_client *client, struct vg_grpc_client_call *call)
{
    VG_ASSERT(call->client == NULL && call->path != NULL);
    struct vg_error error;
    vg_error_init(&error, NULL);
    bool ready = client_ready(client, &error);
    call->client = client;
    call->done = false;
    call->has_status = false;
    call->failure = NULL;
    call->http_status = 0;
    call->code = VG_GRPC_UNKNOWN;
    call->message[0] = '\0';
    call->details = (struct vg_grpc_details){ .reason = NULL };
    call->retry_after_ms = 0;
    call->answer = vg_bytes(NULL, 0);
    call->row_count = -1;
    if (call->timeout_ns == 0) {
        call->timeout_ns = call->row == NULL && call->next_message == NULL
                               ? VG_GRPC_CLIENT_TIMEOUT_NS
                               : VG_GRPC_CLIENT_STREAM_TIMEOUT_NS;
    }
    call->deadline_ns = vg_clock_monotonic_ns(&vg_clock_real) + call->timeout_ns;
    vg_arena_init(&call->arena, VG_GRPC_CLIENT_ARENA_BYTES);
    vg_buffer_init(&call->body, SIZE_MAX);
    vg_buffer_init(&call->answer_bytes, VG_GRPC_CLIENT_ANSWER_BYTES);
    vg_buffer_init(&call->packed, VG_GRPC_CLIENT_ANSWER_BYTES);
    vg_grpc_frame_init(&call->frame, VG_GRPC_CLIENT_ANSWER_BYTES, vg_bytes(NULL, 0));
    call->body_sent = 0;
    if (call->next_message == NULL) {
        call_put_message(call, call->kept_request);
    }
    call->back = NULL;
    call->next = client->calls;
    if (call->next != NULL) {
        call->next->back = call;
    }
    client->calls = call;
    client->under_way++;
    if (!ready || call->body.failed) {
        call_set(call, VG_GRPC_UNAVAILABLE, ready ? "no memory for the request" : error.message);
        call->done = true;
        call_move_to_done(call);
        return;
    }
    call_send(client, call);
}

void vg_grpc_client_wait(struct vg_grpc_client *client, struct vg_grpc_client_call *call)
{
    VG_ASSERT(call->client == client);
    while (!call->done) {
        client_turn(client);
    }
    client_take_done(call);
}

struct vg_grpc_client_call *vg_grpc_client_wait_any(struct vg_grpc_client *client)
{
    while (client->done_first == NULL && client->calls != NULL) {
        client_turn(client);
    }
    struct vg_grpc_client_call *call = client->done_first;
    if (call != NULL) {
        client_take_done(call);
    }
    return call;
}

size_t vg_grpc_client_under_way(const struct vg_grpc_client *client)
{
    return client->under_way;
}

void vg_grpc_client_call_dispose(struct vg_grpc_client_call *call)
{
    VG_ASSERT(call->client == NULL);
    vg_buffer_dispose(&call->body);
    vg_buffer_dispose(&call->answer_bytes);
    vg_buffer_dispose(&call->packed);
    vg_arena_dispose(&call->arena);
    call->answer = vg_bytes(NULL, 0);
    call->details = (struct vg_grpc_details){ .reason = NULL };
}

/* --- The client --------------------------------------------------------------------------------
 */

enum vg_reason vg_grpc_client_open(
    const char *address,
    const char *credential,
    struct vg_grpc_client **out_client,
    struct vg_error *error)
{
    return vg_grpc_client_open_tls(address, NULL, credential, out_client, error);
}

enum vg_reason vg_grpc_client_open_tls(
    const char *address,
    struct vg_tls_client *tls,
    const char *credential,
    struct vg_grpc_client **out_client,
    struct vg_error *error)
{
    if (strlen(address) >= VG_GRPC_CLIENT_ADDRESS_MAX) {
        return vg_error_set(error, VG_CONFIG, "the address of the server is too long");
    }
    if (credential != NULL && strlen(credential) >= VG_GRPC_CLIENT_CREDENTIAL_MAX) {
        return vg_error_set(error, VG_CONFIG, "this is no API key: it is too long");
    }
    struct vg_grpc_client *client = calloc(1, sizeof(*client));
    VG_ASSERT(client != NULL);
    client->tls = tls;
    (void)snprintf(client->address, sizeof(client->address), "%s", address);
    (void)snprintf(
        client->credential,
        sizeof(client->credential),
        "%s",
        credential == NULL ? "" : credential);
    enum vg_reason reason =
        vg_http2_client_open(address, tls, VG_GRPC_CLIENT_CONNECT_NS, &client->http, error);
    if (reason != VG_OK) {
        free(client);
        return reason;
    }
    *out_client = client;
    return VG_OK;
}

void vg_grpc_client_close(struct vg_grpc_client *client)
{
    if (client == NULL) {
        return;
    }
    vg_http2_client_close(client->http); /* calls under way are done now, as lost */
    while (client->done_first != NULL) {
        client_take_done(client->done_first);
    }
    vg_grpc_encoding_pool_dispose(&client->encodings);
    free(client);
}
