/* The client against a real server on loopback whose application answers by the path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/grpc/grpc_client.h"
#include "rpc/http2/http2_protocol.h"
#include "rpc/net/server.h"

/* --- The application ----------------------------------------------------------------------------
 */

#define VG_TEST_ROWS 100000u

struct canned {
    struct vg_buffer body;
    size_t at;
    struct vg_arena arena;
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS + 1];
};

static bool is(const struct vg_exchange *exchange, const char *path)
{
    return vg_bytes_equal(exchange->request.target, vg_bytes_text(path));
}

static void canned_headers(struct vg_exchange *exchange)
{
    struct canned *canned = calloc(1, sizeof(*canned));
    assert_non_null(canned);
    exchange->state = canned;
    vg_buffer_init(&canned->body, 8u << 20);
    vg_arena_init(&canned->arena, 100000);
}

static void canned_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    struct canned *canned = exchange->state;
    vg_buffer_append(&canned->body, part.data, part.size);
    exchange->carrier->consume(exchange, part.size);
}

static void canned_fail(struct vg_exchange *exchange)
{
    struct canned *canned = exchange->state;
    struct vg_error error;
    vg_error_init(&error, &canned->arena);
    vg_violations_init(&error.violations, &canned->arena);
    (void)vg_error_set(&error, VG_INVALID_REFERENCE, "no location \xE2\x82\xAC is 100%% known");
    error.retry_after_ms = 1234;
    vg_violations_add(
        &error.violations,
        &(struct vg_violation){ .reason = VG_INVALID_REFERENCE, .field = "location" });
    canned->trailers[0] = (struct vg_http_header){ .name = vg_bytes_text("content-type"),
                                                   .value = vg_bytes_text("application/grpc") };
    size_t count =
        vg_grpc_status_trailers(VG_INVALID_REFERENCE, &error, &canned->arena, canned->trailers + 1);
    exchange->carrier->respond(
        exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = canned->trailers,
                                    .header_count = count + 1,
                                    .content_length = -1,
                                    .no_body = true });
}

/* The message of the request once compressed and once as it is, or half of it compressed. */
static void canned_pack(struct vg_exchange *exchange, bool is_cut)
{
    struct canned *canned = exchange->state;
    struct vg_grpc_encoding_pool pool = { 0 };
    struct vg_buffer packed;
    vg_buffer_init(&packed, 8u << 20);
    vg_buffer_append(&packed, canned->body.data, canned->body.size);
    assert_true(
        vg_grpc_encoding_deflate(&pool, VG_GRPC_ENCODING_GZIP, &packed, VG_GRPC_PREFIX_SIZE));
    packed.size -= is_cut ? 1 : 0;
    vg_grpc_frame_put_prefix(packed.data, true, (uint32_t)(packed.size - VG_GRPC_PREFIX_SIZE));
    if (is(exchange, "/packed_rows")) {
        const size_t one = packed.size;
        vg_buffer_append(&packed, canned->body.data, canned->body.size);
        assert_true(vg_buffer_reserve(&packed, one));
        vg_buffer_append(&packed, packed.data, one);
    }
    vg_buffer_dispose(&canned->body);
    canned->body = packed;
    vg_grpc_encoding_pool_dispose(&pool);
    static const struct vg_http_header encoding = { .name = { (const uint8_t *)"grpc-encoding",
                                                              13 },
                                                    .value = { (const uint8_t *)"gzip", 4 } };
    exchange->carrier->respond(
        exchange,
        &(struct vg_http_response){ .status = 200,
                                    .headers = &encoding,
                                    .header_count = is(exchange, "/packed_unsaid") ? 0 : 1,
                                    .content_length = -1 });
}

static void canned_end(struct vg_exchange *exchange)
{
    struct canned *canned = exchange->state;
    if (is(exchange, "/hang")) {
        return;
    }
    if (is(exchange, "/abort")) {
        exchange->carrier->abort(exchange, VG_INTERNAL);
        return;
    }
    if (is(exchange, "/fail")) {
        canned_fail(exchange);
        return;
    }
    if (is(exchange, "/packed") || is(exchange, "/packed_cut") || is(exchange, "/packed_unsaid") ||
        is(exchange, "/packed_rows")) {
        canned_pack(exchange, is(exchange, "/packed_cut"));
        return;
    }
    if (is(exchange, "/key")) {
        const struct vg_http_header *key =
            vg_http_request_header(&exchange->request, "argus-api-key");
        vg_buffer_clear(&canned->body);
        uint8_t prefix[VG_GRPC_PREFIX_SIZE];
        vg_grpc_frame_put_prefix(prefix, false, key == NULL ? 0 : (uint32_t)key->value.size);
        vg_buffer_append(&canned->body, prefix, sizeof(prefix));
        vg_buffer_append(
            &canned->body,
            key == NULL ? NULL : key->value.data,
            key == NULL ? 0 : key->value.size);
    } else if (is(exchange, "/twice")) {
        struct vg_buffer once = canned->body;
        uint8_t copy[100];
        assert_true(once.size <= sizeof(copy));
        memcpy(copy, once.data, once.size);
        vg_buffer_append(&canned->body, copy, once.size);
    } else if (is(exchange, "/many")) {
        struct vg_bytes once = vg_bytes(canned->body.data, canned->body.size);
        struct vg_buffer all;
        vg_buffer_init(&all, 8u << 20);
        for (unsigned i = 0; i < VG_TEST_ROWS; i++) {
            vg_buffer_append(&all, once.data, once.size);
        }
        vg_buffer_dispose(&canned->body);
        canned->body = all;
    } else if (is(exchange, "/cut")) {
        const uint8_t start[] = { 0, 0, 0, 0, 9, 'x' };
        vg_buffer_append(&canned->body, start, sizeof(start));
    } else if (is(exchange, "/broken")) {
        canned->body.data[0] = 9;
    } else if (is(exchange, "/none")) {
        vg_buffer_clear(&canned->body);
    }
    exchange->carrier->respond(
        exchange,
        &(struct vg_http_response){ .status = is(exchange, "/503") ? 503 : 200,
                                    .content_length = -1 });
}

static enum vg_pull canned_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    struct canned *canned = exchange->state;
    size_t left = canned->body.size - canned->at;
    *out_size = left < size ? left : size;
    if (*out_size > 0) {
        memcpy(out, canned->body.data + canned->at, *out_size);
    }
    canned->at += *out_size;
    if (canned->at < canned->body.size) {
        return VG_PULL_MORE;
    }
    if (is(exchange, "/503") || is(exchange, "/statusless")) {
        return VG_PULL_END;
    }
    exchange->trailer_count =
        vg_grpc_status_trailers(VG_OK, NULL, &canned->arena, canned->trailers);
    exchange->trailers = canned->trailers;
    return VG_PULL_TRAILERS;
}

static void canned_closed(struct vg_exchange *exchange, bool answered)
{
    (void)answered;
    struct canned *canned = exchange->state;
    vg_buffer_dispose(&canned->body);
    vg_arena_dispose(&canned->arena);
    free(canned);
}

static const struct vg_exchange_app canned_app = {
    .headers = canned_headers,
    .body = canned_body,
    .end = canned_end,
    .pull = canned_pull,
    .closed = canned_closed,
};

static const struct vg_exchange_app *canned_select(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    (void)selector;
    (void)exchange;
    return &canned_app;
}

/* --- The server ---------------------------------------------------------------------------------
 */

struct fixture {
    struct vg_exchange_selector selector;
    struct vg_http2_protocol http2;
    struct vg_server *server;
    char address[64];
};

static void fixture_start(struct fixture *fixture, unsigned port)
{
    struct vg_http2_limits limits = VG_HTTP2_LIMITS_DEFAULT;
    struct vg_error error;
    char listen[64];
    vg_error_init(&error, NULL);
    fixture->selector.select = canned_select;
    vg_http2_protocol_init(&fixture->http2, &fixture->selector, &limits);
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
    struct vg_server_options options = { .listen = listen,
                                         .worker_count = 1,
                                         .drain_timeout_ns = 100000000,
                                         .http2 = &fixture->http2.protocol };
    assert_int_equal(vg_server_create(&options, &fixture->server, &error), VG_OK);
    assert_int_equal(vg_server_start(fixture->server, &error), VG_OK);
    (void)
        snprintf(fixture->address, sizeof(fixture->address), "127.0.0.1:%u", fixture->server->port);
}

static void fixture_stop(struct fixture *fixture)
{
    vg_server_drain(fixture->server);
    vg_server_join(fixture->server);
    vg_server_destroy(fixture->server);
    vg_http2_protocol_dispose(&fixture->http2);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture_start(fixture, 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_stop(*state);
    free(*state);
    return 0;
}

static struct vg_grpc_client *open_client(const struct fixture *fixture, const char *key)
{
    struct vg_grpc_client *client = NULL;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(vg_grpc_client_open(fixture->address, key, &client, &error), VG_OK);
    return client;
}

/* --- The tests ----------------------------------------------------------------------------------
 */

static void test_grpc_client__gets_an_answer(void **state)
{
    struct vg_grpc_client *client = open_client(*state, NULL);
    struct vg_grpc_client_call call = { .path = "/echo", .kept_request = vg_bytes_text("hello") };
    for (int i = 0; i < 3; i++) {
        vg_grpc_client_start(client, &call);
        vg_grpc_client_wait(client, &call);
        assert_int_equal(call.code, VG_GRPC_OK);
        assert_true(vg_bytes_equal(call.answer, vg_bytes_text("hello")));
        vg_grpc_client_call_dispose(&call);
    }
    vg_grpc_client_close(client);
}

static void test_grpc_client__carries_large_messages(void **state)
{
    struct vg_grpc_client *client = open_client(*state, NULL);
    const size_t size = 5u << 20; /* beyond every window */
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    struct vg_grpc_client_call call = { .path = "/echo", .kept_request = vg_bytes(bytes, size) };
    vg_grpc_client_start(client, &call);
    vg_grpc_client_wait(client, &call);
    assert_int_equal(call.code, VG_GRPC_OK);
    assert_true(vg_bytes_equal(call.answer, call.kept_request));
    vg_grpc_client_call_dispose(&call);
    free(bytes);
    vg_grpc_client_close(client);
}

static bool take_same(struct vg_grpc_client_call *call, struct vg_bytes message)
{
    assert_true(vg_bytes_equal(message, call->kept_request));
    (*(unsigned *)call->owner)++;
    return true;
}

static void test_grpc_client__understands_compressed_answers(void **state)
{
    struct vg_grpc_client *client = open_client(*state, NULL);
    const size_t size = 1u << 20;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    const struct {
        const char *path;
        enum vg_grpc_code code;
    } rows[] = { { "/packed", VG_GRPC_OK },
                 { "/packed_cut", VG_GRPC_INTERNAL },
                 { "/packed_unsaid", VG_GRPC_INTERNAL } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_grpc_client_call call = { .path = rows[i].path,
                                            .kept_request = vg_bytes(bytes, size) };
        vg_grpc_client_start(client, &call);
        vg_grpc_client_wait(client, &call);
        if (call.code != rows[i].code) {
            fail_msg("%s: %d %s", rows[i].path, call.code, call.message);
        }
        assert_true(call.code != VG_GRPC_OK || vg_bytes_equal(call.answer, call.kept_request));
        vg_grpc_client_call_dispose(&call);
    }
    unsigned count = 0;
    struct vg_grpc_client_call call = { .path = "/packed_rows",
                                        .kept_request = vg_bytes(bytes, size),
                                        .owner = &count,
                                        .row = take_same };
    vg_grpc_client_start(client, &call);
    vg_grpc_client_wait(client, &call);
    assert_int_equal(call.code, VG_GRPC_OK);
    assert_int_equal(count, 3);
    vg_grpc_client_call_dispose(&call);
    free(bytes);
    vg_grpc_client_close(client);
}

static void test_grpc_client__sends_its_key(void **state)
{
    struct vg_grpc_client *client = open_client(*state, "id/user/secret");
    struct vg_grpc_client_call call = { .path = "/key" };
    vg_grpc_client_start(client, &call);
    vg_grpc_client_wait(client, &call);
    assert_true(vg_bytes_equal(call.answer, vg_bytes_text("id/user/secret")));
    vg_grpc_client_call_dispose(&call);
    vg_grpc_client_close(client);
}

/* What the rows of a stream were. */
struct taken {
    struct vg_grpc_client_call call;
    unsigned count;
    unsigned wanted;
    size_t size;
};

static bool take_row(struct vg_grpc_client_call *call, struct vg_bytes message)
{
    struct taken *taken = VG_CONTAINER_OF(call, struct taken, call);
    assert_true(vg_bytes_equal(message, call->kept_request));
    taken->count++;
    taken->size += message.size;
    return taken->count < taken->wanted;
}

static void check_rows(
    struct vg_grpc_client *client,
    const char *path,
    unsigned wanted,
    enum vg_grpc_code code,
    unsigned count)
{
    struct taken taken = {
        .call = { .path = path, .kept_request = vg_bytes_text("a row"), .row = take_row },
        .wanted = wanted,
    };
    vg_grpc_client_start(client, &taken.call);
    vg_grpc_client_wait(client, &taken.call);
    if (taken.call.code != code || taken.count != count) {
        fail_msg("%s: %d %s, %u rows", path, taken.call.code, taken.call.message, taken.count);
    }
    vg_grpc_client_call_dispose(&taken.call);
}

static void test_grpc_client__takes_rows_one_by_one(void **state)
{
    struct vg_grpc_client *client = open_client(*state, NULL);
    check_rows(client, "/none", 100, VG_GRPC_OK, 0);
    check_rows(client, "/echo", 100, VG_GRPC_OK, 1);
    check_rows(client, "/twice", 100, VG_GRPC_OK, 2);
    check_rows(client, "/many", UINT32_MAX, VG_GRPC_OK, VG_TEST_ROWS); /* some cut by frames */
    check_rows(client, "/many", 1000, VG_GRPC_CANCELLED, 1000);
    check_rows(client, "/cut", 100, VG_GRPC_INTERNAL, 1);
    check_rows(client, "/fail", 100, VG_GRPC_INVALID_ARGUMENT, 0);
    check_rows(client, "/statusless", 100, VG_GRPC_UNKNOWN, 1);
    check_rows(client, "/echo", 100, VG_GRPC_OK, 1); /* the connection is as good as before */
    vg_grpc_client_close(client);
}

/* A stream of messages, which come back as rows. */
struct given {
    struct vg_grpc_client_call call;
    uint32_t count; /* messages there are */
    uint32_t at;
    size_t size; /* of each */
    bool breaks; /* instead of ending */
    uint32_t rows;
    uint8_t message[100000];
};

static enum vg_grpc_client_next give_message(
    struct vg_grpc_client_call *call,
    struct vg_bytes *out_message)
{
    struct given *given = VG_CONTAINER_OF(call, struct given, call);
    if (given->at == given->count) {
        return given->breaks ? VG_GRPC_CLIENT_NEXT_FAILED : VG_GRPC_CLIENT_NEXT_END;
    }
    memset(given->message, (int)(given->at++ & 0xFFu), given->size);
    *out_message = vg_bytes(given->message, given->size);
    return VG_GRPC_CLIENT_NEXT_MESSAGE;
}

static bool check_row(struct vg_grpc_client_call *call, struct vg_bytes message)
{
    struct given *given = VG_CONTAINER_OF(call, struct given, call);
    assert_int_equal(message.size, given->size);
    if (message.size > 0) {
        assert_int_equal(message.data[0], given->rows & 0xFFu);
        assert_int_equal(message.data[message.size - 1], given->rows & 0xFFu);
    }
    given->rows++;
    return true;
}

static void check_given(
    struct vg_grpc_client *client,
    uint32_t count,
    size_t size,
    bool breaks,
    enum vg_grpc_code code)
{
    struct given *given = calloc(1, sizeof(*given));
    assert_non_null(given);
    given->call = (struct vg_grpc_client_call){ .path = "/echo",
                                                .row = check_row,
                                                .next_message = give_message };
    given->count = count;
    given->size = size;
    given->breaks = breaks;
    vg_grpc_client_start(client, &given->call);
    vg_grpc_client_wait(client, &given->call);
    if (given->call.code != code || (code == VG_GRPC_OK && given->rows != count)) {
        fail_msg("%u x %zu: %d %s", count, size, given->call.code, given->call.message);
    }
    vg_grpc_client_call_dispose(&given->call);
    free(given);
}

static void test_grpc_client__gives_messages_one_by_one(void **state)
{
    struct vg_grpc_client *client = open_client(*state, NULL);
    check_given(client, 0, 1, false, VG_GRPC_OK);
    check_given(client, 1, 0, false, VG_GRPC_OK); /* an empty message is one */
    check_given(client, 3, 1, false, VG_GRPC_OK);
    check_given(client, 60, 100000, false, VG_GRPC_OK); /* beyond every window */
    check_given(client, 0, 1, true, VG_GRPC_CANCELLED);
    check_given(client, 60, 100000, true, VG_GRPC_CANCELLED);
    check_given(client, 3, 1, false, VG_GRPC_OK); /* the connection is as good as before */
    vg_grpc_client_close(client);
}

static void test_grpc_client__understands_failures(void **state)
{
    const struct {
        const char *path;
        enum vg_grpc_code code;
        const char *words;
    } rows[] = {
        { "/fail", VG_GRPC_INVALID_ARGUMENT, "no location \xE2\x82\xAC is 100% known" },
        { "/abort", VG_GRPC_INTERNAL, "HTTP/2 error 2" },
        { "/503", VG_GRPC_UNAVAILABLE, "HTTP 503" },
        { "/twice", VG_GRPC_INTERNAL, "not one message" },
        { "/none", VG_GRPC_INTERNAL, "not one message" },
        { "/broken", VG_GRPC_INTERNAL, "malformed" },
        { "/statusless", VG_GRPC_UNKNOWN, "no status" },
    };
    struct vg_grpc_client *client = open_client(*state, NULL);
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_grpc_client_call call = { .path = rows[i].path,
                                            .kept_request = vg_bytes_text("x") };
        vg_grpc_client_start(client, &call);
        vg_grpc_client_wait(client, &call);
        if (call.code != rows[i].code || strstr(call.message, rows[i].words) == NULL) {
            fail_msg("%s: %d %s", rows[i].path, call.code, call.message);
        }
        if (i == 0) {
            assert_string_equal(call.details.reason, "INVALID_REFERENCE");
            assert_int_equal(call.details.violation_count, 1);
            assert_string_equal(call.details.violations[0].field, "location");
            assert_int_equal(call.retry_after_ms, 1234);
        } else {
            assert_int_equal(call.retry_after_ms, 0);
        }
        vg_grpc_client_call_dispose(&call);
    }
    vg_grpc_client_close(client);
}

static void test_grpc_client__gives_up_at_its_deadline(void **state)
{
    struct vg_grpc_client *client = open_client(*state, NULL);
    struct vg_grpc_client_call hang = { .path = "/hang", .timeout_ns = 20000000 };
    vg_grpc_client_start(client, &hang);
    vg_grpc_client_wait(client, &hang);
    assert_int_equal(hang.code, VG_GRPC_DEADLINE_EXCEEDED);
    vg_grpc_client_call_dispose(&hang);
    struct vg_grpc_client_call call = { .path = "/echo" };
    vg_grpc_client_start(client, &call);
    vg_grpc_client_wait(client, &call);
    assert_int_equal(call.code, VG_GRPC_OK);
    vg_grpc_client_call_dispose(&call);
    vg_grpc_client_close(client);
}

static void test_grpc_client__keeps_a_window_of_calls_under_way(void **state)
{
    enum { CALLS = 3000, WINDOW = 200 };
    struct vg_grpc_client *client = open_client(*state, NULL);
    static struct vg_grpc_client_call calls[WINDOW];
    static uint32_t numbers[WINDOW];
    static unsigned char seen[CALLS];
    uint32_t started = 0;
    size_t done = 0;
    for (size_t i = 0; i < WINDOW; i++) {
        numbers[i] = started++;
        calls[i] = (struct vg_grpc_client_call){ .path = "/echo",
                                                 .kept_request = vg_bytes(&numbers[i], 4) };
        vg_grpc_client_start(client, &calls[i]);
    }
    assert_int_equal(vg_grpc_client_under_way(client), WINDOW);
    struct vg_grpc_client_call *call;
    while ((call = vg_grpc_client_wait_any(client)) != NULL) {
        uint32_t number;
        assert_int_equal(call->code, VG_GRPC_OK);
        assert_int_equal(call->answer.size, 4);
        memcpy(&number, call->answer.data, 4);
        assert_int_equal(seen[number]++, 0);
        done++;
        vg_grpc_client_call_dispose(call);
        if (started < CALLS) {
            numbers[call - calls] = started++;
            vg_grpc_client_start(client, call);
        }
    }
    assert_int_equal(done, CALLS);
    vg_grpc_client_close(client);
}

static void test_grpc_client__connects_again(void **state)
{
    struct fixture *fixture = *state;
    struct vg_grpc_client *client = open_client(fixture, NULL);
    unsigned port = fixture->server->port;
    struct vg_grpc_client_call call = { .path = "/hang" };
    vg_grpc_client_start(client, &call);
    fixture_stop(fixture); /* cuts the call after its drain timeout */
    vg_grpc_client_wait(client, &call);
    assert_int_equal(call.code, VG_GRPC_UNAVAILABLE);
    vg_grpc_client_call_dispose(&call);
    call.path = "/echo";
    vg_grpc_client_start(client, &call);
    vg_grpc_client_wait(client, &call);
    assert_int_equal(call.code, VG_GRPC_UNAVAILABLE);
    assert_non_null(strstr(call.message, "Connection refused"));
    vg_grpc_client_call_dispose(&call);
    fixture_start(fixture, port);
    vg_grpc_client_start(client, &call);
    vg_grpc_client_wait(client, &call);
    assert_int_equal(call.code, VG_GRPC_OK);
    vg_grpc_client_call_dispose(&call);
    vg_grpc_client_close(client);
}

static void test_grpc_client__says_why_it_cannot_connect(void **state)
{
    (void)state;
    struct vg_grpc_client *client = NULL;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(vg_grpc_client_open("127.0.0.1:1", NULL, &client, &error), VG_OVERLOADED);
    assert_non_null(strstr(error.message, "127.0.0.1:1"));
    assert_int_equal(vg_grpc_client_open("nowhere", NULL, &client, &error), VG_CONFIG);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_grpc_client__gets_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_grpc_client__carries_large_messages,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_grpc_client__understands_compressed_answers,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_grpc_client__sends_its_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grpc_client__takes_rows_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_grpc_client__gives_messages_one_by_one,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_grpc_client__understands_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_grpc_client__gives_up_at_its_deadline,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_grpc_client__keeps_a_window_of_calls_under_way,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_grpc_client__connects_again, set_up, tear_down),
        cmocka_unit_test(test_grpc_client__says_why_it_cannot_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
