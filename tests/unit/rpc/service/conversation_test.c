/*
 * Conversations: what is said when, what holds back the client, and that one ends exactly once,
 * however it ends. The face and the handler are this test's; the executor is real, the worker is
 * the test's own thread.
 */
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
#include "core/base/memory_budget.h"
#include "core/base/settings.h"
#include "proto/contract_json.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

#include "vigil/events/v2/stream.pb-c.h"

struct world {
    struct vg_settings settings;
    struct vg_service service;
    struct vg_mailbox home;
    sem_t posted;
    struct vg_method method;
    struct vg_principal principal;
    struct vg_call call;

    struct vg_intake intake;
    sem_t takes;    /* one has begun */
    sem_t may_take; /* taken at each take, if `gated` */
    bool gated;
    int messages;     /* taken */
    size_t last_size; /* of the last one */
    bool refuses;     /* no message is wanted now */
    int rooms;        /* times there was room */
    int to_say;       /* at the next room */
    bool finishes;    /* `finish` ends it */
    int finished;
    int drained;
    _Atomic int closed;
    int said;
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
    static Vigil__Events__V2__StreamSubmitRequest request =
        VIGIL__EVENTS__V2__STREAM_SUBMIT_REQUEST__INIT;
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

static bool say(struct vg_call *call, const struct vg_reply_row *row)
{
    VG_ASSERT(
        row->wire.data != NULL ||
        row->message->descriptor == &vigil__events__v2__stream_submit_status__descriptor);
    vg_buffer_append_text(&call->out, "said ");
    world->said++;
    return true;
}

static const struct vg_face face = {
    .name = "test",
    .find = find,
    .read = read_request,
    .write = write_answer,
    .ready = ready,
    .taken = taken,
    .say = say,
};

static const struct vg_face mute_face = {
    .name = "mute",
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
    struct vg_bytes message;
    (void)intake;
    (void)error;
    (void)sem_post(&world->takes);
    if (world->gated) {
        while (sem_wait(&world->may_take) != 0) {
        }
    }
    while (vg_intake_next_message(&part, &message)) {
        world->messages++;
        world->last_size = message.size;
    }
    return VG_OK;
}

static int finish(struct vg_intake *intake, struct vg_call *call)
{
    (void)intake;
    (void)call;
    world->finished++;
    return world->finishes ? VG_OK : VG_CALL_CONVERSING;
}

static void room(struct vg_intake *intake)
{
    (void)intake;
    world->rooms++;
    while (world->to_say > 0) {
        Vigil__Events__V2__StreamSubmitStatus status =
            VIGIL__EVENTS__V2__STREAM_SUBMIT_STATUS__INIT;
        world->to_say--;
        assert_true(vg_call_say(&world->call, &status.base));
    }
}

static bool wants(struct vg_intake *intake)
{
    (void)intake;
    return !world->refuses;
}

static void close_intake(struct vg_intake *intake)
{
    VG_ASSERT(intake == &world->intake);
    atomic_fetch_add(&world->closed, 1);
}

static void drain(struct vg_intake *intake)
{
    (void)intake;
    world->drained++;
}

static const struct vg_intake_class intake_class = { .take = take,
                                                     .finish = finish,
                                                     .close = close_intake,
                                                     .room = room,
                                                     .wants = wants };
static const struct vg_intake_class draining_class = { .take = take,
                                                       .finish = finish,
                                                       .close = close_intake,
                                                       .drain = drain };

static int handle(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    if (world->intake.class == NULL) {
        world->intake.class = &intake_class;
    }
    return vg_call_converse(call, &world->intake);
}

static void wake(struct vg_mailbox *mailbox)
{
    (void)mailbox;
    (void)sem_post(&world->posted);
}

static void begin(const struct vg_face *with)
{
    vg_call_init(&world->call, with, &world->service, &world->home);
    assert_int_equal(vg_call_begin(&world->call), VG_OK);
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
    assert_int_equal(vg_executor_create("test", 1, 4, &world->service.executor, NULL), VG_OK);
    world->principal.references = 1;
    world->method = (struct vg_method){
        .path = "/test/Talk",
        .service = "test",
        .name = "Talk",
        .request = &vg_table_vigil_events_v2_stream_submit_request,
        .answer = &vg_table_vigil_events_v2_stream_submit_status,
        .handler = handle,
        .envelope = VG_ENVELOPE_OBJECT,
        .flags = VG_METHOD_CLIENT_STREAMS | VG_METHOD_STREAMS,
    };
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

/* Run the worker's mailbox once something is in it. */
static void run_home(void)
{
    wait_for(&world->posted);
    (void)vg_mailbox_run(&world->home);
}

static bool feed(const char *text)
{
    return vg_call_feed_message(&world->call, vg_bytes_text(text));
}

static void assert_ended(enum vg_reason reason)
{
    assert_int_equal(world->call.reason, reason);
    assert_int_equal(world->call.stage, VG_CALL_STAGE_ENDED);
    assert_int_equal(atomic_load(&world->closed), 1);
    assert_int_equal(world->ready, 1);
}

static void test_conversation__says_as_soon_as_it_is_open(void **state)
{
    (void)state;
    begin(&face);
    world->to_say = 2;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_int_equal(world->said, 2);
    assert_int_equal(vg_call_unsaid(&world->call), strlen("said said "));
    vg_call_hang_up(&world->call, VG_OK);
    assert_true(world->call.out_done);
    assert_int_equal(vg_call_unsaid(&world->call), strlen("said said "));
    assert_ended(VG_OK);
}

static void test_conversation__of_one_request_goes_on_after_it(void **state)
{
    (void)state;
    world->method.flags = VG_METHOD_STREAMS;
    begin(&face);
    world->to_say = 1;
    vg_call_run(&world->call);
    assert_int_equal(world->call.stage, VG_CALL_STAGE_CONVERSING);
    assert_int_equal(world->said, 1);
    assert_int_equal(world->ready, 0);
    assert_true(world->call.deadline_ns == UINT64_MAX);
    world->to_say = 1;
    vg_call_room(&world->call);
    assert_int_equal(world->said, 2);
    assert_true(vg_call_cancel(&world->call, VG_CANCELLED));
    assert_int_equal(world->call.stage, VG_CALL_STAGE_ENDED);
    assert_int_equal(atomic_load(&world->closed), 1);
    assert_int_equal(world->ready, 0);
}

static void test_conversation__hears_whole_messages_and_answers_after_them(void **state)
{
    (void)state;
    begin(&face);
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    world->to_say = 1;
    world->finishes = true;
    assert_true(feed("one"));
    run_home();
    assert_int_equal(world->messages, 1);
    assert_int_equal(world->last_size, 3);
    assert_int_equal(world->taken, vg_intake_message_bytes(3));
    assert_int_equal(world->said, 1);
    assert_true(feed(""));
    run_home();
    assert_int_equal(world->messages, 2);
    assert_int_equal(world->last_size, 0);
    (void)vg_call_fed(&world->call);
    run_home();
    assert_int_equal(world->finished, 1);
    assert_ended(VG_OK);
}

static void test_conversation__what_is_not_wanted_waits(void **state)
{
    (void)state;
    begin(&face);
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    world->refuses = true;
    assert_true(feed("one"));
    assert_true(feed("two"));
    assert_int_equal(world->messages, 0);
    (void)vg_call_fed(&world->call); /* the end waits behind */
    world->refuses = false;
    vg_call_room(&world->call);
    run_home();
    assert_int_equal(world->messages, 2);
    while (world->call.stage != VG_CALL_STAGE_CONVERSING) {
        run_home();
    }
    vg_call_hang_up(&world->call, VG_OK);
    assert_ended(VG_OK);
}

static void test_conversation__hung_up_while_it_hears_ends_after_that(void **state)
{
    (void)state;
    begin(&face);
    world->gated = true;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    assert_true(feed("one"));
    wait_for(&world->takes);
    vg_call_hang_up(&world->call, VG_STORE_FULL);
    Vigil__Events__V2__StreamSubmitStatus status = VIGIL__EVENTS__V2__STREAM_SUBMIT_STATUS__INIT;
    assert_false(vg_call_say(&world->call, &status.base));
    assert_false(feed("two"));
    assert_int_equal(world->ready, 0);
    (void)sem_post(&world->may_take);
    run_home();
    assert_ended(VG_STORE_FULL);
    assert_int_equal(world->call.error.reason, VG_STORE_FULL);
}

static void test_conversation__stays_until_nothing_is_owed(void **state)
{
    (void)state;
    begin(&face);
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    vg_call_owe(&world->call);
    vg_call_owe(&world->call);
    assert_false(vg_call_cancel(&world->call, VG_CANCELLED));
    assert_true(vg_call_repay(&world->call));
    assert_int_equal(world->ready, 0);
    assert_int_equal(atomic_load(&world->closed), 0);
    assert_false(vg_call_repay(&world->call));
    assert_ended(VG_CANCELLED);
}

static void test_conversation__a_failure_waits_for_what_is_owed(void **state)
{
    (void)state;
    begin(&face);
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    vg_call_owe(&world->call);
    vg_call_break(&world->call, VG_BAD_FRAME);
    assert_int_equal(world->ready, 0);
    assert_false(vg_call_repay(&world->call));
    assert_ended(VG_BAD_FRAME);
}

/* The memory of all calls is used up: that is not the fault of who needed the last of it. */
static void test_conversation__without_memory_says_whose_fault_it_is(void **state)
{
    (void)state;
    static const uint8_t message[300u * 1024u];
    const size_t held = 940u * 1024u;
    for (int is_short = 0; is_short < 2; is_short++) {
        begin(&face);
        assert_int_equal(vg_call_open(&world->call), VG_OK);
        vg_memory_budget_configure(is_short ? 1024u * 1024u : 200u * 1024u);
        assert_true(!is_short || vg_memory_budget_take(held));
        assert_false(vg_call_feed_message(&world->call, vg_bytes(message, sizeof(message))));
        assert_ended(is_short ? VG_RESOURCE_LIMIT : VG_REQUEST_MEMORY);
        vg_memory_budget_give(is_short ? held : 0);
        vg_memory_budget_configure(0);
        vg_call_dispose(&world->call);
        atomic_store(&world->closed, 0);
        world->ready = 0;
    }
    begin(&face); /* for tear_down */
}

static void test_conversation__is_drained_by_its_handler_or_at_once(void **state)
{
    (void)state;
    begin(&face);
    world->intake.class = &draining_class;
    assert_int_equal(vg_call_open(&world->call), VG_OK);
    vg_call_drain(&world->call);
    assert_int_equal(world->drained, 1);
    assert_int_equal(world->ready, 0);
    world->intake.class = &intake_class;
    vg_call_drain(&world->call);
    assert_ended(VG_DRAINING);
}

static void test_conversation__is_refused_where_the_face_cannot_say(void **state)
{
    (void)state;
    begin(&mute_face);
    assert_int_equal(vg_call_open(&world->call), VG_METHOD_NOT_ALLOWED);
    assert_int_equal(world->call.stage, VG_CALL_STAGE_ENDED);
    assert_int_equal(atomic_load(&world->closed), 1);
    assert_int_equal(world->ready, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_conversation__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(says_as_soon_as_it_is_open),
        TEST(of_one_request_goes_on_after_it),
        TEST(hears_whole_messages_and_answers_after_them),
        TEST(what_is_not_wanted_waits),
        TEST(hung_up_while_it_hears_ends_after_that),
        TEST(stays_until_nothing_is_owed),
        TEST(a_failure_waits_for_what_is_owed),
        TEST(without_memory_says_whose_fault_it_is),
        TEST(is_drained_by_its_handler_or_at_once),
        TEST(is_refused_where_the_face_cannot_say),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
