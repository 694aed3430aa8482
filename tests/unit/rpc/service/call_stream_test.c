/*
 * A call whose request is a stream: what it takes, in what order things are decided, and that its
 * intake is closed exactly once, however it ends. The face and the handler are this test's; the
 * executor is real, the worker is the test's own thread.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/settings.h"
#include "proto/contract_json.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#include "vigil/sampledb/v2/sample.pb-c.h"

#define PERMISSION 9u
#define LIMIT      1000u

struct world {
    struct vg_settings settings;
    struct vg_service service;
    struct vg_mailbox home;
    sem_t posted;
    struct vg_method method;
    struct vg_principal principal;
    struct vg_call call;

    struct vg_intake intake;
    uint8_t received[4 * LIMIT];
    size_t received_size;
    sem_t may_take; /* taken at each take, if `gated` */
    sem_t takes;    /* one has begun */
    bool gated;
    enum vg_reason take_reason;
    int handled;
    int finished;
    _Atomic int closed;
    int ready;
    size_t taken;
};

static struct world *world; /* callbacks of the call have no owner of ours */

/* In the place of the key table. */
enum vg_reason vg_access_authenticate(
    struct vg_access *access,
    struct vg_bytes credential,
    const struct vg_peer_identity *identity,
    const struct vg_network *peer,
    vg_time now,
    const struct vg_principal **out_principal,
    struct vg_error *error)
{
    (void)access;
    (void)credential;
    (void)identity;
    (void)peer;
    (void)now;
    (void)error;
    *out_principal = vg_principal_ref(&world->principal);
    return VG_OK;
}

static enum vg_reason find(struct vg_call *call)
{
    call->method = &world->method;
    return VG_OK;
}

static enum vg_reason read_request(struct vg_call *call)
{
    static Vigil__Sampledb__V2__UploadSampleRequest request =
        VIGIL__SAMPLEDB__V2__UPLOAD_SAMPLE_REQUEST__INIT;
    assert_int_equal(call->body.size, 0);
    call->request = &request.base;
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

static void taken(struct vg_call *call, size_t size)
{
    (void)call;
    world->taken += size;
}

static const struct vg_face face = {
    .name = "test",
    .find = find,
    .read = read_request,
    .write = write_answer,
    .ready = ready,
    .taken = taken,
};

static void wait_for(sem_t *semaphore)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static enum vg_reason take(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error)
{
    VG_ASSERT(intake == &world->intake && part.size > 0);
    (void)sem_post(&world->takes);
    if (world->gated) {
        while (sem_wait(&world->may_take) != 0) {
        }
    }
    memcpy(world->received + world->received_size, part.data, part.size);
    world->received_size += part.size;
    return world->take_reason == VG_OK ? VG_OK : vg_error_set(error, world->take_reason, NULL);
}

static int finish(struct vg_intake *intake, struct vg_call *call)
{
    VG_ASSERT(intake == &world->intake && call == &world->call);
    world->finished++;
    return VG_OK;
}

static void close_intake(struct vg_intake *intake)
{
    VG_ASSERT(intake == &world->intake);
    atomic_fetch_add(&world->closed, 1);
}

static const struct vg_intake_class intake_class = { .take = take,
                                                     .finish = finish,
                                                     .close = close_intake };

static int handle(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    world->handled++;
    world->intake.class = &intake_class;
    return vg_call_receive(call, &world->intake, LIMIT);
}

static void wake(struct vg_mailbox *mailbox)
{
    (void)mailbox;
    (void)sem_post(&world->posted);
}

static int set_up(void **state)
{
    world = calloc(1, sizeof(*world));
    assert_non_null(world);
    vg_settings_init(&world->settings);
    world->settings.access_log = 0;
    assert_int_equal(sem_init(&world->posted, 0, 0), 0);
    assert_int_equal(sem_init(&world->may_take, 0, 0), 0);
    assert_int_equal(sem_init(&world->takes, 0, 0), 0);
    vg_mailbox_init(&world->home, wake);
    world->service.settings = &world->settings;
    world->service.clock = &vg_clock_real;
    assert_int_equal(vg_executor_create("test", 1, 1, &world->service.executor, NULL), VG_OK);
    world->principal.references = 1;
    world->principal.functions = UINT64_C(1) << PERMISSION;
    world->method = (struct vg_method){
        .path = "/test/Upload",
        .service = "test",
        .name = "Upload",
        .request = &vg_table_vigil_sampledb_v2_upload_sample_request,
        .answer = &vg_table_vigil_sampledb_v2_uploaded_sample,
        .handler = handle,
        .permissions = UINT64_C(1) << PERMISSION,
        .envelope = VG_ENVELOPE_OBJECT,
        .flags = VG_METHOD_CLIENT_STREAMS,
    };
    vg_call_init(&world->call, &face, &world->service, &world->home);
    assert_int_equal(vg_call_begin(&world->call), VG_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vg_executor_destroy(world->service.executor);
    vg_call_dispose(&world->call);
    vg_mailbox_dispose(&world->home);
    (void)sem_destroy(&world->posted);
    (void)sem_destroy(&world->may_take);
    (void)sem_destroy(&world->takes);
    free(world);
    return 0;
}

/* Run the worker's mailbox until `ready` has been called. */
static void run_until_ready(void)
{
    while (world->ready == 0) {
        wait_for(&world->posted);
        (void)vg_mailbox_run(&world->home);
    }
}

static bool feed(const char *text)
{
    return vg_call_feed(&world->call, vg_bytes_text(text));
}

static void assert_ended(enum vg_reason reason)
{
    assert_int_equal(world->call.reason, reason);
    assert_int_equal(world->call.stage, VG_CALL_STAGE_ENDED);
    assert_int_equal(atomic_load(&world->closed), 1);
}

static void test_call_stream__takes_all_in_order(void **state)
{
    (void)state;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed("one "));
    assert_true(feed("two "));
    assert_true(feed("three"));
    (void)vg_call_fed(&world->call);
    run_until_ready();
    assert_ended(VG_OK);
    assert_int_equal(world->finished, 1);
    assert_int_equal(world->received_size, 13);
    assert_memory_equal(world->received, "one two three", 13);
    assert_int_equal(world->taken, 13);
    assert_int_equal(world->ready, 1);
}

static void test_call_stream__of_nothing_is_finished_too(void **state)
{
    (void)state;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    (void)vg_call_fed(&world->call);
    run_until_ready();
    assert_ended(VG_OK);
    assert_int_equal(world->finished, 1);
}

static void test_call_stream__without_permission_no_handler_runs(void **state)
{
    (void)state;
    world->principal.functions = 0;
    assert_int_equal(vg_call_open(&world->call), VG_ACCESS_DENIED);
    assert_int_equal(world->handled, 0);
    assert_int_equal(world->ready, 0);
    assert_false(feed("x"));
}

static void test_call_stream__ends_past_its_limit(void **state)
{
    (void)state;
    static char text[LIMIT + 1];
    memset(text, 'x', LIMIT);
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed(text));
    assert_false(feed("y"));
    assert_false(feed("z"));
    (void)vg_call_fed(&world->call);
    run_until_ready();
    assert_ended(VG_REQUEST_TOO_LARGE);
    assert_int_equal(world->call.error.reason, VG_REQUEST_TOO_LARGE);
    assert_int_equal(world->finished, 0);
    assert_int_equal(world->ready, 1);
}

static void test_call_stream__at_its_limit_is_taken(void **state)
{
    (void)state;
    static char text[LIMIT + 1];
    memset(text, 'x', LIMIT);
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed(text));
    (void)vg_call_fed(&world->call);
    run_until_ready();
    assert_ended(VG_OK);
    assert_int_equal(world->received_size, LIMIT);
}

static void test_call_stream__a_failure_of_taking_ends_it(void **state)
{
    (void)state;
    world->take_reason = VG_STORE_FULL;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed("one"));
    run_until_ready();
    assert_ended(VG_STORE_FULL);
    assert_int_equal(world->call.error.reason, VG_STORE_FULL);
    assert_false(feed("two"));
    (void)vg_call_fed(&world->call);
    assert_int_equal(world->received_size, 3);
    assert_int_equal(world->ready, 1);
}

static void test_call_stream__broken_while_bytes_are_taken_ends_when_they_are(void **state)
{
    (void)state;
    world->gated = true;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed("one"));
    wait_for(&world->takes);
    vg_call_break(&world->call, VG_BAD_FRAME);
    assert_int_equal(world->ready, 0);
    assert_int_equal(atomic_load(&world->closed), 0);
    (void)sem_post(&world->may_take);
    run_until_ready();
    assert_ended(VG_BAD_FRAME);
}

static void test_call_stream__cancelled_between_two_parts_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(vg_call_cancel(&world->call, VG_CANCELLED));
    assert_ended(VG_CANCELLED);
    assert_int_equal(world->ready, 0);
}

static void test_call_stream__cancelled_while_bytes_are_taken_comes_back_once(void **state)
{
    (void)state;
    world->gated = true;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed("one"));
    wait_for(&world->takes);
    assert_true(feed("two")); /* waits behind */
    assert_false(vg_call_cancel(&world->call, VG_CANCELLED));
    (void)sem_post(&world->may_take);
    run_until_ready();
    assert_ended(VG_CANCELLED);
    assert_int_equal(world->received_size, 3);
    assert_int_equal(world->ready, 1);
}

static void occupy_run(struct vg_task *task)
{
    (void)task;
    (void)sem_post(&world->takes);
    while (sem_wait(&world->may_take) != 0) {
    }
}

static void nothing_run(struct vg_task *task)
{
    (void)task;
}

static void test_call_stream__a_full_executor_is_an_answer(void **state)
{
    (void)state;
    static struct vg_task occupied = { .run = occupy_run };
    static struct vg_task waiting = { .run = nothing_run }; /* run when the executor ends */
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(vg_executor_post(world->service.executor, &occupied));
    wait_for(&world->takes);
    assert_true(vg_executor_post(world->service.executor, &waiting));
    (void)feed("one");
    assert_int_equal(world->ready, 1);
    assert_ended(VG_OVERLOADED);
    (void)sem_post(&world->may_take);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_call_stream__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_all_in_order),
        TEST(of_nothing_is_finished_too),
        TEST(without_permission_no_handler_runs),
        TEST(ends_past_its_limit),
        TEST(at_its_limit_is_taken),
        TEST(a_failure_of_taking_ends_it),
        TEST(broken_while_bytes_are_taken_ends_when_they_are),
        TEST(cancelled_between_two_parts_ends_at_once),
        TEST(cancelled_while_bytes_are_taken_comes_back_once),
        TEST(a_full_executor_is_an_answer),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
