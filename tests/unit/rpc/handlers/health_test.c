/*
 * grpc.health.v1 through dispatch: what it says while the server starts, serves and leaves, to
 * whom, and that a watch hears of each change and ends exactly once. The face is this test's, the
 * worker its own thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/settings.h"
#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

#define SERVING         GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
#define SAID_MAX        8

static int check(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    return vg_grpc_health_v1_check(
        call,
        (const Grpc__Health__V1__HealthCheckRequest *)request,
        (Grpc__Health__V1__HealthCheckResponse *)answer);
}

static int list(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    return vg_grpc_health_v1_list(
        call,
        (const Grpc__Health__V1__HealthListRequest *)request,
        (Grpc__Health__V1__HealthListResponse *)answer);
}

static int watch(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    return vg_grpc_health_v1_watch(
        call,
        (const Grpc__Health__V1__HealthCheckRequest *)request,
        (Grpc__Health__V1__HealthCheckResponse *)answer);
}

enum { CHECK, LIST, WATCH, GET_EVENT };
static const struct vg_method methods[] = {
    { .path = "/grpc.health.v1.Health/Check",
      .service = "grpc.health.v1.Health",
      .request = &vg_table_grpc_health_v1_health_check_request,
      .answer = &vg_table_grpc_health_v1_health_check_response,
      .handler = check,
      .index = CHECK,
      .flags = VG_METHOD_PUBLIC },
    { .path = "/grpc.health.v1.Health/List",
      .service = "grpc.health.v1.Health",
      .request = &vg_table_grpc_health_v1_health_list_request,
      .answer = &vg_table_grpc_health_v1_health_list_response,
      .handler = list,
      .index = LIST,
      .flags = VG_METHOD_PUBLIC },
    { .path = "/grpc.health.v1.Health/Watch",
      .service = "grpc.health.v1.Health",
      .request = &vg_table_grpc_health_v1_health_check_request,
      .answer = &vg_table_grpc_health_v1_health_check_response,
      .handler = watch,
      .index = WATCH,
      .flags = VG_METHOD_PUBLIC | VG_METHOD_STREAMS },
    { .path = "/vigil.test.Service/GetEvent",
      .service = "vigil.test.Service",
      .request = &vg_table_grpc_health_v1_health_check_request,
      .answer = &vg_table_grpc_health_v1_health_check_response,
      .handler = check,
      .index = GET_EVENT },
};

struct world {
    struct vg_settings settings;
    struct vg_service service;
    struct vg_mailbox home;
    Grpc__Health__V1__HealthCheckRequest request;
    size_t method;
    int said[SAID_MAX];
    size_t said_count;
    int ready;
};

static struct world *world; /* callbacks of the call have no owner of ours */

static enum vg_reason find(struct vg_call *call)
{
    call->method = &methods[world->method];
    return VG_OK;
}

static enum vg_reason read_request(struct vg_call *call)
{
    call->request = &world->request.base;
    return VG_OK;
}

static enum vg_reason write_answer(struct vg_call *call)
{
    call->out_done = true;
    return VG_OK;
}

static void ready(struct vg_call *call)
{
    (void)call;
    world->ready++;
}

static bool say(struct vg_call *call, const struct vg_reply_row *row)
{
    const ProtobufCMessage *message = row->message;
    VG_ASSERT(message->descriptor == &grpc__health__v1__health_check_response__descriptor);
    assert_true(world->said_count < SAID_MAX);
    world->said[world->said_count++] =
        (int)((const Grpc__Health__V1__HealthCheckResponse *)message)->status;
    vg_buffer_append_text(&call->out, "said ");
    return true;
}

static const struct vg_face face = {
    .name = "test",
    .find = find,
    .read = read_request,
    .write = write_answer,
    .ready = ready,
    .say = say,
};

static int open_world(void **state)
{
    (void)state;
    world = calloc(1, sizeof(*world));
    assert_non_null(world);
    vg_settings_init(&world->settings);
    world->settings.access_log = VG_ACCESS_LOG_OFF;
    world->service.settings = &world->settings;
    world->service.clock = &vg_clock_real;
    world->service.methods = methods;
    world->service.method_count = VG_ARRAY_COUNT(methods);
    vg_readiness_init(&world->service.readiness, VG_READINESS_STARTING);
    vg_service_init(&world->service);
    vg_mailbox_init(&world->home, NULL);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    assert_int_equal(world->service.public_calls_in_flight, 0);
    assert_int_equal(world->service.calls_in_flight, 0);
    vg_readiness_dispose(&world->service.readiness);
    vg_mailbox_dispose(&world->home);
    free(world);
    return 0;
}

/* A call as far as QUOTA. */
static enum vg_reason begin(struct vg_call *call, size_t method, const char *service)
{
    char *name = NULL;
    world->method = method;
    vg_call_init(call, &face, &world->service, &world->home);
    call->request_bytes_max = 1 << 20;
    if (service != NULL) {
        name = vg_arena_text(&call->arena, vg_bytes_text(service));
        assert_non_null(name);
    }
    grpc__health__v1__health_check_request__init(&world->request);
    world->request.service = name;
    return vg_call_begin(call);
}

/* What Check answers, or 100 + the reason. */
static int checked(const char *service)
{
    struct vg_call call;
    int answer = 100 + (int)begin(&call, CHECK, service);
    if (answer == 100) {
        vg_call_run(&call);
        answer = call.reason == VG_OK
                     ? (int)((Grpc__Health__V1__HealthCheckResponse *)call.reply.answer)->status
                     : 100 + (int)call.reason;
    }
    vg_call_dispose(&call);
    return answer;
}

static void become(enum vg_readiness_state state)
{
    vg_readiness_become(&world->service.readiness, state);
}

static void test_health__the_server_serves_between_start_and_end(void **state)
{
    (void)state;
    assert_int_equal(checked(""), NOT_SERVING);
    assert_int_equal(checked(NULL), NOT_SERVING); /* left out on the wire */
    assert_int_equal(checked("vigil.test.Service"), NOT_SERVING);
    become(VG_READINESS_READY);
    assert_int_equal(checked(""), SERVING);
    assert_int_equal(checked("vigil.test.Service"), SERVING);
    assert_int_equal(checked("vigil.test.service"), 100 + VG_OBJECT_NOT_FOUND);
    become(VG_READINESS_LEAVING);
    assert_int_equal(checked("vigil.test.Service"), NOT_SERVING);
    assert_int_equal(checked("vigil.test"), 100 + VG_OBJECT_NOT_FOUND);
}

static void test_health__a_list_has_every_service_once_and_the_whole(void **state)
{
    struct vg_call call;
    (void)state;
    become(VG_READINESS_READY);
    assert_int_equal(begin(&call, LIST, NULL), VG_OK);
    vg_call_run(&call);
    assert_int_equal(call.reason, VG_OK);
    const Grpc__Health__V1__HealthListResponse *answer =
        (const Grpc__Health__V1__HealthListResponse *)call.reply.answer;
    static const char *const names[] = { "", "grpc.health.v1.Health", "vigil.test.Service" };
    assert_int_equal(answer->n_statuses, VG_ARRAY_COUNT(names));
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        assert_string_equal(answer->statuses[i]->key, names[i]);
        assert_int_equal(answer->statuses[i]->value->status, SERVING);
    }
    vg_call_dispose(&call);
}

static void test_health__only_public_methods_are_answered_while_starting_and_without_a_key(
    void **state)
{
    struct vg_call call;
    (void)state;
    assert_int_equal(begin(&call, CHECK, ""), VG_OK);
    assert_int_equal(call.principal->user_id, 0);
    assert_int_equal(call.principal->functions, 0);
    assert_false(vg_principal_covers(call.principal, 1));
    vg_call_dispose(&call);
    assert_int_equal(begin(&call, GET_EVENT, ""), VG_NOT_AUTHENTICATED);
    vg_call_dispose(&call);
}

static void test_health__a_public_request_is_bounded(void **state)
{
    struct vg_call call;
    (void)state;
    assert_int_equal(begin(&call, CHECK, ""), VG_OK);
    assert_int_equal(call.request_bytes_max, VG_LIMIT_PUBLIC_REQUEST_BYTES);
    vg_call_dispose(&call);
}

static void test_health__strangers_are_counted_by_themselves(void **state)
{
    struct vg_call calls[3];
    (void)state;
    world->settings.public_calls_in_flight_max = 2;
    world->settings.calls_in_flight_max = 1;
    assert_int_equal(begin(&calls[0], CHECK, ""), VG_OK);
    assert_int_equal(begin(&calls[1], CHECK, ""), VG_OK);
    assert_int_equal(begin(&calls[2], CHECK, ""), VG_OVERLOADED);
    assert_int_equal(world->service.calls_in_flight, 0);
    vg_call_dispose(&calls[2]);
    vg_call_dispose(&calls[0]);
    assert_int_equal(begin(&calls[2], CHECK, ""), VG_OK);
    vg_call_dispose(&calls[1]);
    vg_call_dispose(&calls[2]);
}

static void start_watch(struct vg_call *call, const char *service)
{
    assert_int_equal(begin(call, WATCH, service), VG_OK);
    vg_call_run(call);
    assert_int_equal(call->stage, VG_CALL_STAGE_CONVERSING);
}

static void assert_said(const int *expected, size_t count)
{
    assert_int_equal(world->said_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(world->said[i], expected[i]);
    }
}

static void test_health__a_watch_hears_of_each_change(void **state)
{
    static const int all[] = { NOT_SERVING, SERVING, NOT_SERVING };
    struct vg_call call;
    (void)state;
    start_watch(&call, "vigil.test.Service");
    assert_said(all, 1);
    become(VG_READINESS_READY);
    (void)vg_mailbox_run(&world->home);
    assert_said(all, 2);
    become(VG_READINESS_READY);
    (void)vg_mailbox_run(&world->home);
    vg_call_room(&call);
    assert_said(all, 2); /* nothing has changed */
    become(VG_READINESS_LEAVING);
    (void)vg_mailbox_run(&world->home);
    assert_said(all, 3);
    assert_int_equal(world->ready, 0);
    vg_call_drain(&call);
    assert_int_equal(world->ready, 1);
    assert_int_equal(call.reason, VG_DRAINING);
    assert_said(all, 3);
    vg_call_dispose(&call);
}

static void test_health__a_drain_that_comes_first_is_told_before_the_end(void **state)
{
    static const int all[] = { SERVING, NOT_SERVING };
    struct vg_call call;
    (void)state;
    become(VG_READINESS_READY);
    start_watch(&call, "");
    become(VG_READINESS_LEAVING);
    vg_call_drain(&call); /* its task is still in the mailbox */
    assert_said(all, 2);
    assert_int_equal(call.reason, VG_DRAINING);
    vg_call_dispose(&call);
    (void)vg_mailbox_run(&world->home);
    assert_said(all, 2);
}

static void test_health__a_watch_of_the_unknown_says_so_once_and_stays(void **state)
{
    static const int all[] = { SERVICE_UNKNOWN };
    struct vg_call call;
    (void)state;
    start_watch(&call, "no.such.Service");
    become(VG_READINESS_READY);
    (void)vg_mailbox_run(&world->home);
    become(VG_READINESS_LEAVING);
    (void)vg_mailbox_run(&world->home);
    assert_said(all, 1);
    assert_int_equal(call.stage, VG_CALL_STAGE_CONVERSING);
    assert_true(vg_call_cancel(&call, VG_CANCELLED));
    vg_call_dispose(&call);
}

static void test_health__a_watcher_that_leaves_while_a_change_is_on_its_way(void **state)
{
    static const int all[] = { NOT_SERVING };
    struct vg_call call;
    (void)state;
    start_watch(&call, "");
    become(VG_READINESS_READY);
    assert_true(vg_call_cancel(&call, VG_CANCELLED));
    vg_call_dispose(&call);
    (void)vg_mailbox_run(&world->home);
    assert_said(all, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_health__##name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(the_server_serves_between_start_and_end),
        TEST(a_list_has_every_service_once_and_the_whole),
        TEST(only_public_methods_are_answered_while_starting_and_without_a_key),
        TEST(a_public_request_is_bounded),
        TEST(strangers_are_counted_by_themselves),
        TEST(a_watch_hears_of_each_change),
        TEST(a_drain_that_comes_first_is_told_before_the_end),
        TEST(a_watch_of_the_unknown_says_so_once_and_stays),
        TEST(a_watcher_that_leaves_while_a_change_is_on_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
