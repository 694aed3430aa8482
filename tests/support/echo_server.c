/*
 * A gRPC server of its own small contract, through the real dispatch: what the gRPC conformance
 * scripts and the official interoperability client talk to.
 *
 *   grpc.testing.TestService  EmptyCall, UnaryCall, CacheableUnaryCall, StreamingOutputCall,
 *                             StreamingInputCall, FullDuplexCall, HalfDuplexCall, with sizes,
 *                             intervals, statuses and compression as the requests want them;
 *                             UnimplementedCall and UnimplementedService are what their names say
 *   vigil.test.Echo           Wire           as UnaryCall, answered from ready bytes
 *                             Sleep          comes back from an executor after response_size ms, or
 * when told to stop Fail           response_size violations, or the status asked for Small
 * UnaryCall with a request limit of 1000 bytes Strict         UnaryCall that refuses unknown fields
 *                             ListCustomers  `limit` made rows of vigil.admin.v1.Customer, every
 * other one as ready bytes; that of number `offset`, if not 0, fails, and there is no other end
 * when that is beyond the limit StreamListCustomers  its twin State          username says "calls=N
 * sleeping=N"
 *                             Upload         bytes of a file: their number and checksum; takes
 * them only as slowly as metadata x-interval-us says
 *                             Live           a conversation of one request: payloads of the sizes
 * asked for, then silence until the client or the server goes
 *
 * Metadata x-grpc-test-echo-initial and x-grpc-test-echo-trailing-bin come back with the answer.
 * The key "wrong" is refused, any other accepted and said back as username. Options: NAME=VALUE of
 * core/base's settings. Prints "ready on HOST:PORT"; SIGTERM drains.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/wire/wire_encode.h"
#include "gateway/http1/http1.h"
#include "gateway/rpcweb/rpcweb.h"
#include "proto/contract_json.h"
#include "rpc/grpc/grpc_headers.h"
#include "rpc/grpc/grpc_server.h"
#include "rpc/http2/http2_protocol.h"
#include "rpc/net/server.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"
#include "tests/support/echo_conversations.h"

#include "echo/echo.pb-c.h"
#include "vigil/admin/v1/customer.pb-c.h"

typedef Vigil__Echo__SimpleRequest echo_request;
typedef Vigil__Echo__SimpleResponse echo_answer;
typedef Vigil__Echo__StreamingRequest echo_streaming;

/* --- The contract, as the generator would write it ----------------------------------------------
 */

// clang-format off
#define FIELD(type, member, has, number_, kind_, wire, sub_) \
    { .piece = ",\"" #member "\":", .piece_size = sizeof(",\"" #member "\":") - 1, .sub = (sub_), \
      .offset = (uint16_t)offsetof(type, member), .quantifier = (has), .number = (number_), .kind = (kind_), \
      .key = { (uint8_t)((number_) << 3 | (wire)), 0, 1, (wire) } }
#define HAS(type, member) (uint16_t)offsetof(type, has_##member)
#define TABLE(type, low, numbers) \
    { .descriptor = &vigil__echo__##low##__descriptor, .fields = fields_##low, .by_number = numbers, \
      .size = sizeof(type), .number_max = sizeof(numbers) - 1, .field_count = sizeof(fields_##low) / sizeof(fields_##low[0]), \
      .bare_scalar = VG_ROW_NONE, .bare_list = VG_ROW_NONE, .bare_object = VG_ROW_NONE }

static const struct vg_field fields_bool_value[] = {
    FIELD(Vigil__Echo__BoolValue, value, HAS(Vigil__Echo__BoolValue, value), 1, VG_KIND_BOOL, VG_WIRE_VARINT, NULL),
};
static const uint8_t one[] = { 0, 1 };
static const struct vg_table table_bool = TABLE(Vigil__Echo__BoolValue, bool_value, one);
static const struct vg_field fields_payload[] = {
    FIELD(Vigil__Echo__Payload, type, HAS(Vigil__Echo__Payload, type), 1, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(Vigil__Echo__Payload, body, HAS(Vigil__Echo__Payload, body), 2, VG_KIND_BYTES, VG_WIRE_BYTES, NULL),
};
static const uint8_t two[] = { 0, 1, 2 };
static const struct vg_table table_payload = TABLE(Vigil__Echo__Payload, payload, two);
static const struct vg_field fields_echo_status[] = {
    FIELD(Vigil__Echo__EchoStatus, code, HAS(Vigil__Echo__EchoStatus, code), 1, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(Vigil__Echo__EchoStatus, message, 0, 2, VG_KIND_STRING, VG_WIRE_BYTES, NULL),
};
static const struct vg_table table_status = TABLE(Vigil__Echo__EchoStatus, echo_status, two);
static const struct vg_field fields_simple_request[] = {
    FIELD(echo_request, response_type, HAS(echo_request, response_type), 1, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(echo_request, response_size, HAS(echo_request, response_size), 2, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(echo_request, payload, 0, 3, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_payload),
    FIELD(echo_request, response_compressed, 0, 6, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_bool),
    FIELD(echo_request, response_status, 0, 7, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_status),
    FIELD(echo_request, expect_compressed, 0, 8, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_bool),
    FIELD(echo_request, fill_server_id, HAS(echo_request, fill_server_id), 9, VG_KIND_BOOL, VG_WIRE_VARINT, NULL),
};
static const uint8_t request_numbers[] = { 0, 1, 2, 3, 0, 0, 4, 5, 6, 7 };
static const struct vg_table table_request = TABLE(echo_request, simple_request, request_numbers);
static const struct vg_field fields_simple_response[] = {
    FIELD(echo_answer, payload, 0, 1, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_payload),
    FIELD(echo_answer, username, 0, 2, VG_KIND_STRING, VG_WIRE_BYTES, NULL),
    FIELD(echo_answer, server_id, 0, 4, VG_KIND_STRING, VG_WIRE_BYTES, NULL),
};
static const uint8_t answer_numbers[] = { 0, 1, 2, 0, 3 };
static const struct vg_table table_answer = TABLE(echo_answer, simple_response, answer_numbers);
static const struct vg_field fields_input_request[] = {
    FIELD(Vigil__Echo__InputRequest, payload, 0, 1, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_payload),
    FIELD(Vigil__Echo__InputRequest, expect_compressed, 0, 2, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_bool),
};
static const struct vg_table table_input = TABLE(Vigil__Echo__InputRequest, input_request, two);
static const struct vg_field fields_upload[] = {
    FIELD(Vigil__Echo__Upload, data, HAS(Vigil__Echo__Upload, data), 1, VG_KIND_BYTES, VG_WIRE_BYTES, NULL),
};
static const struct vg_table table_upload = TABLE(Vigil__Echo__Upload, upload, one);
static const struct vg_field fields_input_response[] = {
    FIELD(Vigil__Echo__InputResponse, aggregated_payload_size, HAS(Vigil__Echo__InputResponse, aggregated_payload_size), 1,
        VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(Vigil__Echo__InputResponse, checksum, HAS(Vigil__Echo__InputResponse, checksum), 2, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
};
static const struct vg_table table_collected = TABLE(Vigil__Echo__InputResponse, input_response, two);
static const struct vg_field fields_response_parameters[] = {
    FIELD(Vigil__Echo__ResponseParameters, size, HAS(Vigil__Echo__ResponseParameters, size), 1, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(Vigil__Echo__ResponseParameters, interval_us, HAS(Vigil__Echo__ResponseParameters, interval_us), 2, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    FIELD(Vigil__Echo__ResponseParameters, compressed, 0, 3, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_bool),
};
static const uint8_t three[] = { 0, 1, 2, 3 };
static const struct vg_table table_parameters = TABLE(Vigil__Echo__ResponseParameters, response_parameters, three);
static const struct vg_field fields_streaming_request[] = {
    FIELD(echo_streaming, response_type, HAS(echo_streaming, response_type), 1, VG_KIND_INT32, VG_WIRE_VARINT, NULL),
    { .piece = ",\"response_parameters\":", .piece_size = 23, .sub = &table_parameters,
      .offset = (uint16_t)offsetof(echo_streaming, response_parameters),
      .quantifier = (uint16_t)offsetof(echo_streaming, n_response_parameters), .number = 2, .kind = VG_KIND_MESSAGE,
      .flags = VG_FIELD_REPEATED, .key = { 2 << 3 | VG_WIRE_BYTES, 0, 1, VG_WIRE_BYTES } },
    FIELD(echo_streaming, payload, 0, 3, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_payload),
    FIELD(echo_streaming, response_status, 0, 7, VG_KIND_MESSAGE, VG_WIRE_BYTES, &table_status),
};
static const uint8_t streaming_numbers[] = { 0, 1, 2, 3, 0, 0, 0, 4 };
static const struct vg_table table_streaming = TABLE(echo_streaming, streaming_request, streaming_numbers);
static const uint8_t none[] = { 0 };
static const struct vg_table table_empty = {
    .descriptor = &vigil__echo__empty__descriptor, .fields = fields_payload, .by_number = none,
    .size = sizeof(Vigil__Echo__Empty), .bare_scalar = VG_ROW_NONE, .bare_list = VG_ROW_NONE, .bare_object = VG_ROW_NONE };
// clang-format on

/* --- Handlers -----------------------------------------------------------------------------------
 */

static _Atomic int sleeping;

static int empty_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)call;
    (void)request;
    (void)answer;
    return VG_OK;
}

static int answer_payload(struct vg_call *call, const echo_request *in, echo_answer *out)
{
    Vigil__Echo__Payload *payload = vg_arena_calloc(&call->arena, 1, sizeof(*payload));
    VG_ASSERT(payload != NULL);
    payload->base.descriptor = &vigil__echo__payload__descriptor;
    payload->has_body = true;
    if (in->response_size > 0) {
        payload->body.len = (size_t)in->response_size;
        payload->body.data = vg_arena_calloc(&call->arena, 1, payload->body.len);
        if (payload->body.data == NULL) {
            return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
    } else if (in->payload != NULL) {
        payload->body = in->payload->body;
    }
    out->payload = payload;
    out->server_id = in->fill_server_id ? vg_arena_text(&call->arena, vg_bytes_text("echo")) : NULL;
    out->username =
        call->credential.data == NULL ? NULL : vg_arena_text(&call->arena, call->credential);
    return VG_OK;
}

static int unary_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    const echo_request *in = (const echo_request *)request;
    vg_echo_metadata(call);
    enum vg_reason reason = vg_echo_status(in->response_status, &call->error);
    if (reason == VG_OK) {
        reason = vg_echo_check_packed(in->expect_compressed, call->was_packed, &call->error);
    }
    call->reply.is_plain = vg_echo_is_plain(in->response_compressed);
    return reason != VG_OK ? (int)reason : answer_payload(call, in, (echo_answer *)answer);
}

static int wire_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    int result = unary_call(call, request, answer);
    if (result != VG_OK) {
        return result;
    }
    struct vg_buffer bytes;
    vg_buffer_init(&bytes, 16u << 20);
    VG_ASSERT(vg_wire_encode(&table_answer, answer, &bytes));
    uint8_t *copy = vg_arena_alloc(&call->arena, bytes.size + 1);
    VG_ASSERT(copy != NULL);
    memcpy(copy, bytes.data, bytes.size);
    call->reply.wire = vg_bytes(copy, bytes.size);
    vg_buffer_dispose(&bytes);
    return VG_OK;
}

static int sleep_on(struct vg_call *call)
{
    const echo_request *in = (const echo_request *)call->request;
    const struct timespec turn = { .tv_nsec = 1000000 };
    enum vg_reason reason = VG_OK;
    atomic_fetch_add(&sleeping, 1);
    for (int32_t i = 0; i < in->response_size && reason == VG_OK; i++) {
        (void)nanosleep(&turn, NULL);
        reason = vg_call_check(call);
    }
    atomic_fetch_sub(&sleeping, 1);
    return (int)reason;
}

static int sleep_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, sleep_on);
}

static int fail_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)answer;
    const echo_request *in = (const echo_request *)request;
    for (int32_t i = 0; i < in->response_size; i++) {
        char field[64];
        (void)snprintf(field, sizeof(field), "events[%d].location", i);
        vg_violations_add(
            &call->error.violations,
            &(struct vg_violation){ .reason = VG_INVALID_REFERENCE,
                                    .field = field,
                                    .parameter = "x" });
    }
    return (int)vg_error_from_violations(&call->error);
}

static int state_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)request;
    ((echo_answer *)answer)->username = vg_arena_printf(
        &call->arena,
        "calls=%u sleeping=%d",
        atomic_load(&call->service->calls_in_flight),
        atomic_load(&sleeping));
    return VG_OK;
}

struct customer_rows {
    struct vg_rows rows;
    int64_t next;
    int64_t end;
    int64_t fails;
};

static enum vg_reason customers_next(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    struct customer_rows *own = VG_CONTAINER_OF(rows, struct customer_rows, rows);
    if (own->next == own->end) {
        *out_end = true;
        return VG_OK;
    }
    if (own->next == own->fails && own->fails != 0) {
        return vg_error_set(error, VG_SNAPSHOT_EXPIRED, NULL);
    }
    Vigil__Admin__V1__Customer *customer = vg_arena_calloc(arena, 1, sizeof(*customer));
    VG_ASSERT(customer != NULL);
    vigil__admin__v1__customer__init(customer);
    customer->has_id = true;
    customer->id = own->next++;
    customer->name = vg_arena_printf(arena, "customer %lld", (long long)customer->id);
    out_row->message = &customer->base;
    if (takes_wire && customer->id % 2 == 1) {
        uint8_t *bytes = vg_arena_alloc(arena, protobuf_c_message_get_packed_size(&customer->base));
        VG_ASSERT(bytes != NULL);
        out_row->wire = vg_bytes(bytes, protobuf_c_message_pack(&customer->base, bytes));
    }
    return VG_OK;
}

static void customers_close(struct vg_rows *rows)
{
    free(VG_CONTAINER_OF(rows, struct customer_rows, rows));
}

static const struct vg_rows_class customers_class = { .next = customers_next,
                                                      .close = customers_close };

static int list_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)answer;
    const Vigil__Admin__V1__ListCustomersRequest *in =
        (const Vigil__Admin__V1__ListCustomersRequest *)request;
    struct customer_rows *rows = calloc(1, sizeof(*rows));
    VG_ASSERT(rows != NULL);
    rows->rows.class = &customers_class;
    rows->end = in->offset > in->limit ? INT64_MAX : in->limit;
    rows->fails = in->offset;
    call->reply.rows = &rows->rows;
    call->reply.limit = in->limit;
    call->reply.count = in->limit;
    return VG_OK;
}

/* The answers of StreamingOutputCall: payloads of the sizes asked for. */
struct payload_rows {
    struct vg_rows rows;
    struct vg_call *call;
    const echo_streaming *request;
    size_t next;
};

static enum vg_reason payloads_next(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct payload_rows *own = VG_CONTAINER_OF(rows, struct payload_rows, rows);
    if (own->next == own->request->n_response_parameters) {
        *out_end = true;
        return VG_OK;
    }
    const Vigil__Echo__ResponseParameters *wanted = own->request->response_parameters[own->next++];
    enum vg_reason reason = vg_echo_wait(own->call, wanted->interval_us, error);
    if (reason != VG_OK) {
        return reason;
    }
    echo_answer *answer = vg_arena_calloc(arena, 1, sizeof(*answer));
    Vigil__Echo__Payload *payload = vg_arena_calloc(arena, 1, sizeof(*payload));
    VG_ASSERT(answer != NULL && payload != NULL);
    out_row->is_plain = vg_echo_is_plain(wanted->compressed);
    vigil__echo__simple_response__init(answer);
    vigil__echo__payload__init(payload);
    payload->has_body = true;
    payload->body.len = (size_t)wanted->size;
    payload->body.data = vg_arena_calloc(arena, 1, payload->body.len);
    VG_ASSERT(payload->body.data != NULL);
    answer->payload = payload;
    out_row->message = &answer->base;
    return VG_OK;
}

static void payloads_close(struct vg_rows *rows)
{
    free(VG_CONTAINER_OF(rows, struct payload_rows, rows));
}

static const struct vg_rows_class payloads_class = { .next = payloads_next,
                                                     .close = payloads_close };

static int streaming_call(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)answer;
    const echo_streaming *in = (const echo_streaming *)request;
    vg_echo_metadata(call);
    enum vg_reason reason = vg_echo_status(in->response_status, &call->error);
    if (reason != VG_OK) {
        return (int)reason;
    }
    struct payload_rows *rows = calloc(1, sizeof(*rows));
    VG_ASSERT(rows != NULL);
    rows->rows.class = &payloads_class;
    rows->call = call;
    rows->request = in;
    call->reply.rows = &rows->rows;
    call->reply.count = -1;
    return VG_OK;
}

#define METHOD(name_path, name_handler, name_in, name_out)                                         \
    .path = (name_path), .service = "", .name = "", .request = &(name_in), .answer = &(name_out),  \
    .handler = (name_handler), .success = 200

static const struct vg_method stream_method;
static struct vg_method methods[] = {
    { METHOD("/grpc.testing.TestService/EmptyCall", empty_call, table_empty, table_empty) },
    { METHOD("/grpc.testing.TestService/UnaryCall", unary_call, table_request, table_answer) },
    { METHOD(
        "/grpc.testing.TestService/CacheableUnaryCall",
        unary_call,
        table_request,
        table_answer) },
    { METHOD("/vigil.test.Echo/Wire", wire_call, table_request, table_answer) },
    { METHOD("/vigil.test.Echo/Sleep", sleep_call, table_request, table_empty) },
    { METHOD("/vigil.test.Echo/Fail", fail_call, table_request, table_empty) },
    { METHOD("/vigil.test.Echo/Small", unary_call, table_request, table_answer),
      .request_bytes_max = 1000 },
    { METHOD("/vigil.test.Echo/Strict", unary_call, table_request, table_answer),
      .flags = VG_METHOD_REFUSE_UNKNOWN },
    { METHOD("/vigil.test.Echo/State", state_call, table_empty, table_answer) },
    { METHOD(
          "/grpc.testing.TestService/StreamingOutputCall",
          streaming_call,
          table_streaming,
          table_answer),
      .element = &table_answer,
      .flags = VG_METHOD_STREAMS },
    { METHOD(
          "/grpc.testing.TestService/StreamingInputCall",
          vg_echo_collect,
          table_input,
          table_collected),
      .flags = VG_METHOD_CLIENT_STREAMS },
    { METHOD(
          "/grpc.testing.TestService/FullDuplexCall",
          vg_echo_converse,
          table_streaming,
          table_answer),
      .flags = VG_METHOD_CLIENT_STREAMS | VG_METHOD_STREAMS },
    { METHOD(
          "/grpc.testing.TestService/HalfDuplexCall",
          vg_echo_converse_afterwards,
          table_streaming,
          table_answer),
      .flags = VG_METHOD_CLIENT_STREAMS | VG_METHOD_STREAMS },
    { METHOD("/vigil.test.Echo/Upload", vg_echo_upload, table_upload, table_collected),
      .flags = VG_METHOD_CLIENT_STREAMS },
    { METHOD("/vigil.test.Echo/Live", vg_echo_live, table_streaming, table_answer),
      .flags = VG_METHOD_STREAMS },
    { METHOD(
          "/vigil.test.Echo/ListCustomers",
          list_call,
          vg_table_vigil_admin_v1_list_customers_request,
          vg_table_vigil_admin_v1_customer_list),
      .envelope = VG_ENVELOPE_LIST,
      .element = &vg_table_vigil_admin_v1_customer,
      .twin = &stream_method },
    { METHOD(
          "/vigil.test.Echo/StreamListCustomers",
          list_call,
          vg_table_vigil_admin_v1_list_customers_request,
          vg_table_vigil_admin_v1_customer_list),
      .envelope = VG_ENVELOPE_LIST,
      .element = &vg_table_vigil_admin_v1_customer,
      .flags = VG_METHOD_STREAMS },
};
static const struct vg_method stream_method = { .path = "/vigil.test.Echo/StreamListCustomers" };

/* Tie the twins and find the field of the rows, as the generator would. */
static void finish_methods(void)
{
    const size_t list = VG_ARRAY_COUNT(methods) - 2;
    for (size_t i = 0; i < VG_ARRAY_COUNT(methods); i++) {
        methods[i].index = (uint16_t)i;
    }
    methods[list + 1].twin = &methods[list];
    const struct vg_table *table = methods[list].answer;
    for (size_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].sub == methods[list].element) {
            methods[list].rows = &table->fields[i];
        }
    }
    VG_ASSERT(methods[list].rows != NULL);
}

/* --- Access for everyone but one ----------------------------------------------------------------
 */

enum vg_reason vg_access_authenticate(
    struct vg_access *access,
    struct vg_bytes credential,
    const struct vg_peer_identity *identity,
    const struct vg_network *peer,
    vg_time now,
    const struct vg_principal **out_principal,
    struct vg_error *error)
{
    static struct vg_principal everyone = { .references = 1, .all_customers = true };
    (void)access;
    (void)identity;
    (void)peer;
    (void)now;
    if (vg_bytes_equal(credential, vg_bytes_text("wrong"))) {
        return vg_error_set(error, VG_AUTHENTICATION_FAILED, NULL);
    }
    *out_principal = vg_principal_ref(&everyone);
    return VG_OK;
}

/* --- The process --------------------------------------------------------------------------------
 */

static struct vg_grpc_server grpc;
static struct vg_rpcweb rpcweb;

static const struct vg_exchange_app *select_grpc(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    (void)selector;
    if (vg_grpc_headers_is_grpc(&exchange->request)) {
        return &grpc.app; /* the most common first, as vigild does */
    }
    const struct vg_exchange_app *form = vg_rpcweb_select(&rpcweb, &exchange->request);
    if (form != NULL) {
        return form;
    }
    return vg_grpc_server_takes(&grpc, &exchange->request) ? &grpc.app : NULL;
}

/* HTTP/1.1 has nothing for what is none of the forms of gRPC that it carries. */
static const struct vg_exchange_app *select_form(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    (void)selector;
    const struct vg_exchange_app *form = vg_rpcweb_select(&rpcweb, &exchange->request);
    return form != NULL ? form : &rpcweb.relay.app;
}

static void refuse(const struct vg_error *error, struct vg_buffer *out_body)
{
    vg_buffer_append_text(out_body, error->message);
}

static int fail(const struct vg_error *error)
{
    (void)fprintf(stderr, "echo_server: %s\n", error->message);
    return 1;
}

static struct vg_server_options options_of(const struct vg_settings *settings)
{
    const uint64_t ms = 1000000;
    return (struct vg_server_options){
        .listen = settings->listen,
        .worker_count = settings->workers == 0 ? 1 : settings->workers,
        .drain_timeout_ns = settings->drain_timeout_ms * ms,
        .limits = { .header_timeout_ns = settings->header_timeout_ms * ms,
                    .body_timeout_ns = settings->body_timeout_ms * ms,
                    .idle_timeout_ns = settings->idle_timeout_ms * ms,
                    .write_timeout_ns = settings->write_timeout_ms * ms,
                    .flush_delay_ns = settings->flush_delay_us * UINT64_C(1000),
                    .connections_max = settings->connections_max,
                    .connections_per_address_max = settings->connections_per_address_max },
    };
}

int main(int count, char **texts)
{
    static struct vg_settings settings;
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_settings_init(&settings);
    if (vg_settings_set(&settings, "listen=127.0.0.1:0", &error) != VG_OK ||
        vg_settings_set(&settings, "access_log=off", &error) != VG_OK) {
        return fail(&error);
    }
    for (int i = 1; i < count; i++) {
        if (vg_settings_set(&settings, texts[i], &error) != VG_OK) {
            return fail(&error);
        }
    }
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    finish_methods();
    static struct vg_service service;
    service.settings = &settings;
    service.clock = &vg_clock_real;
    service.methods = methods;
    service.method_count = VG_ARRAY_COUNT(methods);
    vg_service_init(&service);
    unsigned executors = settings.executors == 0 ? 4 : settings.executors;
    if (vg_executor_create(
            "executor",
            executors,
            settings.executor_queue,
            &service.executor,
            &error) != VG_OK) {
        return fail(&error);
    }
    vg_grpc_server_init(&grpc, &service);
    vg_rpcweb_init(&rpcweb, &service, &grpc.app);
    struct vg_exchange_selector selector = { .select = select_grpc };
    struct vg_exchange_selector http1_selector = { .select = select_form };
    struct vg_http2_limits limits = VG_HTTP2_LIMITS_DEFAULT;
    limits.streams_max = settings.streams_per_connection_max;
    struct vg_http2_protocol http2;
    vg_http2_protocol_init(&http2, &selector, &limits);

    struct vg_http1 http1;
    vg_http1_init(&http1, &http1_selector, settings.header_bytes_max, refuse);

    struct vg_server *server = NULL;
    struct vg_server_options options = options_of(&settings);
    options.http2 = &http2.protocol;
    options.http1 = &http1.protocol;
    if (vg_server_create(&options, &server, &error) != VG_OK ||
        vg_server_start(server, &error) != VG_OK) {
        return fail(&error);
    }
    (void)printf("ready on 127.0.0.1:%u\n", server->port);
    (void)fflush(stdout);
    int signal_number;
    (void)sigwait(&signals, &signal_number);
    vg_server_drain(server);
    vg_server_join(server);
    vg_executor_destroy(service.executor); /* its threads may still be in a worker's mailbox */
    vg_server_destroy(server);
    vg_http2_protocol_dispose(&http2);
    vg_grpc_server_dispose(&grpc);
    (void)printf("calls=%u\n", atomic_load(&service.calls_in_flight));
    return atomic_load(&service.calls_in_flight) == 0 ? 0 : 3;
}
