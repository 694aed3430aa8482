/*
 * Dispatch: the one list of steps every call goes through, whichever face it came by.
 *
 * A step returns VG_OK (go on), a reason (the call has failed) or VG_CALL_PENDING (somebody else
 * will go on with it). Up to QUOTA only headers are looked at: no body byte of a stranger is
 * buffered or parsed. READ and what follows move to an executor thread when the body is large, so
 * that one bulk request does not hold up the other connections of its worker. Whoever finishes a
 * stage away from the worker posts the call to its home mailbox.
 */
#include "rpc/service/dispatch.h"

#include <string.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/memory_budget.h"
#include "core/base/settings.h"
#include "core/wire/validate.h"
#include "core/wire/wire_encode.h"
#include "proto/contract_json.h"
#include "rpc/service/admission.h"
#include "rpc/service/audit_log.h"
#include "rpc/service/call.h"
#include "rpc/service/call_log.h"
#include "rpc/service/call_trace.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"
#include "rpc/service/slow_log.h"

/* A body larger than this is read on an executor thread: reading costs the worker about 1.5 us per
 * KiB. */
#define VG_CALL_INLINE_BODY_BYTES (32u * 1024u)
/* What answers may take from the call's arena besides what the request needed. */
#define VG_CALL_ANSWER_BYTES (16u * 1024u * 1024u)
#define VG_CALL_HEAD_BYTES   (64u * 1024u)
/* The caller of all calls that have shown no key. */
#define VG_CALL_STRANGER UINT64_C(1)

static int step_find(struct vg_call *call)
{
    enum vg_reason reason = call->face->find(call);
    vg_call_log_begin(call);
    return (int)reason;
}

static bool is_public(const struct vg_call *call)
{
    return (call->method->flags & VG_METHOD_PUBLIC) != 0;
}

static int step_authenticate(struct vg_call *call)
{
    if (is_public(call)) { /* whatever key comes with it */
        call->principal = vg_principal_nobody();
        return VG_OK;
    }
    const enum vg_reason reason = vg_access_authenticate(
        call->service->access,
        call->credential,
        call->identity,
        &call->peer,
        call->now,
        &call->principal,
        &call->error);
    call->is_proven = reason == VG_OK;
    return (int)reason;
}

/* Who waits for a thread: calls of one key stand in one line, those without a key in another. */
uint64_t vg_call_caller(const struct vg_call *call)
{
    const struct vg_quota *quota = call->principal == NULL ? NULL : call->principal->quota;
    return quota == NULL ? VG_CALL_STRANGER : (uint64_t)(uintptr_t)quota;
}

static int step_quota(struct vg_call *call)
{
    return (int)vg_admission_enter(call);
}

/* A key is opaque: 1 to VG_LIMIT_IDEMPOTENCY_KEY_BYTES characters of visible ASCII. */
static bool is_idempotency_key(struct vg_bytes key)
{
    bool good = key.size > 0 && key.size <= VG_LIMIT_IDEMPOTENCY_KEY_BYTES;
    for (size_t i = 0; good && i < key.size; i++) {
        good = key.data[i] > ' ' && key.data[i] <= '~';
    }
    return good;
}

/* What tells this request from another one under the same key. It is of the message before
 * VALIDATE, which makes moments out of relative times: sent again, the request is the same. */
static enum vg_reason take_request_digest(struct vg_call *call)
{
    struct vg_buffer bytes;
    if (!is_idempotency_key(call->idempotency_key)) {
        (void)vg_error_set(
            &call->error,
            VG_INVALID_FIELD_VALUE,
            "An idempotency key has 1 to %u visible characters",
            VG_LIMIT_IDEMPOTENCY_KEY_BYTES);
        return vg_error_field(&call->error, "Idempotency-Key", "");
    }
    vg_buffer_init(&bytes, vg_limit_arena_bytes(call->body.size));
    bool encoded = vg_wire_encode(call->method->request, call->request, &bytes);
    if (encoded) {
        vg_digest_sha256(vg_buffer_bytes(&bytes), call->request_sha256);
    }
    vg_buffer_dispose(&bytes);
    return encoded ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static int step_read(struct vg_call *call)
{
    vg_arena_set_max(&call->arena, vg_limit_arena_bytes(call->body.size));
    enum vg_reason reason = call->face->read(call);
    call->messages_in += vg_call_is_streamed(call) ? 0 : 1;
    if (reason == VG_OK) {
        reason = vg_error_from_violations(&call->error);
    }
    if (reason == VG_OK && call->idempotency_key.data != NULL) {
        reason = take_request_digest(call);
    }
    return (int)reason;
}

static int step_validate(struct vg_call *call)
{
    if (vg_call_is_streamed(call) && !vg_call_takes_content(call)) {
        return VG_OK; /* its messages come one by one: vg_call_understand */
    }
    struct vg_validation validation = {
        .now = call->now,
        .zone = call->principal->zone,
        .arena = &call->arena,
    };
    return (int)vg_validate(call->method->request, call->request, &validation, &call->error);
}

static int step_allow(struct vg_call *call)
{
    uint64_t needed = call->method->permissions;
    if (vg_principal_has(call->principal, needed)) {
        return VG_OK;
    }
    int32_t first = __builtin_ctzll(needed);
    const struct vg_word *word = vg_contract_word(&vg_words_vigil_permission, first);
    (void)vg_error_set(
        &call->error,
        VG_ACCESS_DENIED,
        "Access denied: the key does not hold %s",
        word->text);
    return (int)vg_error_field(&call->error, NULL, word->text);
}

static int step_run(struct vg_call *call)
{
    const struct vg_table *table = call->method->answer;
    vg_arena_set_max(&call->arena, call->arena.used + VG_CALL_ANSWER_BYTES);
    ProtobufCMessage *answer = vg_arena_calloc(&call->arena, 1, table->size);
    if (answer == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    answer->descriptor = table->descriptor;
    call->reply.answer = answer;
    return call->method->handler(call, call->request, answer);
}

static int step_reply(struct vg_call *call)
{
    size_t before = call->out.size;
    enum vg_reason reason = call->face->write(call);
    call->bytes_out += call->out.size - before;
    if (call->messages_out == 0 && reason == VG_OK && call->out_done &&
        (call->method->flags & VG_METHOD_STREAMS) == 0) {
        call->messages_out = 1; /* of a stream the face counts */
    }
    return (int)reason;
}

static const struct vg_dispatch_step {
    const char *name;
    int (*run)(struct vg_call *call);
} steps[] = {
    { "FIND", step_find },         { "AUTHENTICATE", step_authenticate },
    { "QUOTA", step_quota },       { "READ", step_read },
    { "VALIDATE", step_validate }, { "ALLOW", step_allow },
    { "RUN", step_run },           { "REPLY", step_reply },
};
enum { STEP_READ = 3, STEP_REPLY = 7, STEP_COUNT = 8 };
_Static_assert(VG_ARRAY_COUNT(steps) == STEP_COUNT, "the list of steps and its marks agree");

/* Run steps up to `end`. VG_OK: all done. */
static int drive(struct vg_call *call, uint8_t end)
{
    while (call->step < end) {
        VG_ASSERT(call->magic == VG_CALL_MAGIC);
        int result = steps[call->step++].run(call);
        if (result != VG_OK) {
            return result; /* after VG_CALL_PENDING the call may already be on another thread: not
                              touched again */
        }
    }
    return VG_OK;
}

void vg_call_init(
    struct vg_call *call,
    const struct vg_face *face,
    struct vg_service *service,
    struct vg_mailbox *home)
{
    memset(call, 0, offsetof(struct vg_call, error));
    call->magic = VG_CALL_MAGIC;
    call->face = face;
    call->service = service;
    call->home = home;
    call->now = vg_clock_now(service->clock);
    call->started_ns = vg_clock_monotonic_ns(service->clock);
    vg_arena_init(&call->arena, VG_CALL_HEAD_BYTES);
    vg_arena_count(&call->arena);
    vg_error_init(&call->error, &call->arena);
    vg_buffer_init(&call->body, 0);
    vg_buffer_init(&call->taking, VG_CALL_FEED_BYTES_MAX);
    vg_buffer_init(&call->out, service->settings->request_bytes_max);
    vg_buffer_count(&call->body);
    vg_buffer_count(&call->taking);
    vg_buffer_count(&call->out);
}

/* The call is over: give back what it holds of others and say so once. */
static void end(struct vg_call *call)
{
    if (call->intake != NULL) {
        call->intake->class->close(call->intake);
        call->intake = NULL;
    }
    if (call->reply.rows != NULL) {
        call->reply.rows->class->close(call->reply.rows);
        call->reply.rows = NULL;
    }
    vg_admission_leave(call);
    if (call->reason != VG_OK && call->face->takes_wire) {
        vg_call_trace_say_failed(call);
    }
    if (!call->logged) {
        call->logged = true;
        vg_call_log_end(call);
        vg_slow_log_end(call);
        if (call->service->audit != NULL) {
            vg_audit_log_call(call->service->audit, call);
        }
    }
    call->stage = VG_CALL_STAGE_ENDED;
}

void vg_call_dispose(struct vg_call *call)
{
    VG_ASSERT(!call->away && call->stage != VG_CALL_STAGE_RUNNING);
    if (call->stage == VG_CALL_STAGE_BEGUN || call->stage == VG_CALL_STAGE_RECEIVING ||
        call->stage == VG_CALL_STAGE_CONVERSING || call->stage == VG_CALL_STAGE_REPLYING) {
        if (call->reason == VG_OK) {
            call->reason = VG_CANCELLED;
        }
        end(call);
    }
    vg_principal_unref(call->principal);
    call->principal = NULL;
    vg_peer_identity_unref(call->identity);
    call->identity = NULL;
    vg_buffer_dispose(&call->body);
    vg_buffer_dispose(&call->taking);
    vg_buffer_dispose(&call->out);
    vg_arena_dispose(&call->arena);
    call->magic = 0;
}

static void set_deadline(struct vg_call *call)
{
    uint64_t most = (uint64_t)call->service->settings->deadline_max_ms * 1000000u;
    uint64_t wanted = call->timeout_ns != 0
                          ? call->timeout_ns
                          : (uint64_t)call->service->settings->deadline_default_ms * 1000000u;
    call->deadline_ns = call->started_ns + (wanted < most ? wanted : most);
}

/* A conversation has no deadline but the client's: it goes on as long as both like. */
static uint64_t conversation_deadline_ns(const struct vg_call *call)
{
    const uint64_t most = UINT64_MAX - call->started_ns;
    return call->timeout_ns == 0 || call->timeout_ns > most ? UINT64_MAX
                                                            : call->started_ns + call->timeout_ns;
}

enum vg_reason vg_call_begin(struct vg_call *call)
{
    VG_ASSERT(call->stage == VG_CALL_STAGE_NEW);
    set_deadline(call);
    vg_call_trace_read(call);
    if (call->face->takes_wire) { /* REST writes them itself, into every answer */
        vg_call_trace_say(call);
    }
    int result = drive(call, STEP_READ);
    if (result != VG_OK) {
        call->reason = (enum vg_reason)result;
        end(call);
        return call->reason;
    }
    call->stage = VG_CALL_STAGE_BEGUN;
    size_t most = call->request_bytes_max;
    if (call->method->request_bytes_max != 0 && call->method->request_bytes_max < most) {
        most = call->method->request_bytes_max;
    }
    if (is_public(call) && most > VG_LIMIT_PUBLIC_REQUEST_BYTES) {
        most = VG_LIMIT_PUBLIC_REQUEST_BYTES;
    }
    call->request_bytes_max = most;
    call->body.bytes_max = most;
    return VG_OK;
}

void vg_call_fail(struct vg_call *call, enum vg_reason reason)
{
    VG_ASSERT(!call->away && reason != VG_OK);
    call->reason = reason;
    end(call);
}

/* An answer of many parts may take as long as its snapshot may be held, unless the client has said
 * otherwise: what it waits for is the first part. */
static void extend_deadline(struct vg_call *call)
{
    const struct vg_settings *settings = call->service->settings;
    /* A file is no snapshot: it may be held as long as any call may take. */
    bool is_raw = call->method->envelope == VG_ENVELOPE_RAW;
    uint64_t age_ns =
        (uint64_t)(is_raw ? settings->deadline_max_ms : settings->stream_snapshot_age_ms) *
        1000000u;
    uint64_t later = call->started_ns + age_ns;
    if (call->timeout_ns == 0 && call->stage == VG_CALL_STAGE_RUNNING &&
        later > call->deadline_ns) {
        call->deadline_ns = later;
    }
}

/* On the worker: the call is back with a part of its answer, or has failed. */
void vg_dispatch_arrive(struct vg_call *call)
{
    call->away = false;
    if (call->owed > 0) { /* it comes again with the last of it */
        if (!atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
            VG_ASSERT(call->reason != VG_OK);
            call->cancel_reason = call->reason;
            atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
        }
        return;
    }
    if (atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        call->reason = call->cancel_reason;
        if (call->error.reason != call->reason) {
            (void)vg_error_set(&call->error, call->reason, NULL);
        }
    }
    if (call->reason == VG_REQUEST_MEMORY && vg_memory_budget_is_short()) {
        /* It is not this request that is too large: all of them together are. */
        call->reason = vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    vg_slow_log_answered(call);
    if (call->reason != VG_OK || call->out_done) {
        end(call);
    } else {
        extend_deadline(call);
        call->stage = VG_CALL_STAGE_REPLYING;
    }
    call->face->ready(call); /* may dispose */
}

/* On the worker: the request of a conversation is complete, or never was a stream. */
static void begin_conversing(struct vg_call *call)
{
    call->away = false;
    if (atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        vg_dispatch_arrive(call);
        return;
    }
    call->stage = VG_CALL_STAGE_CONVERSING;
    call->deadline_ns = conversation_deadline_ns(call);
    vg_call_room(call); /* may end it */
}

static void converse_task(struct vg_task *task)
{
    begin_conversing(VG_CONTAINER_OF(task, struct vg_call, task));
}

static void arrive_task(struct vg_task *task)
{
    vg_dispatch_arrive(VG_CONTAINER_OF(task, struct vg_call, task));
}

static void post_home(struct vg_call *call)
{
    call->task.run = arrive_task;
    vg_mailbox_post(call->home, &call->task);
}

/* Finish the steps with `result` of one of them; then the first part is made, here. */
static void settle(struct vg_call *call, int result, bool on_worker)
{
    if (result == VG_CALL_PENDING) {
        return;
    }
    if (result == VG_CALL_CONVERSING) {
        if (on_worker) {
            begin_conversing(call);
        } else {
            call->task.run = converse_task;
            vg_mailbox_post(call->home, &call->task);
        }
        return;
    }
    if (call->converses && !on_worker) {
        /* What has been said is the worker's. */
        vg_call_complete(call, (enum vg_reason)result);
        return;
    }
    if (result == VG_OK) {
        call->step = STEP_REPLY;
        result = drive(call, STEP_COUNT);
    }
    call->reason = (enum vg_reason)result;
    if (on_worker) {
        vg_dispatch_arrive(call);
    } else {
        post_home(call);
    }
}

static void run_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    settle(call, drive(call, STEP_REPLY), false);
}

void vg_call_run(struct vg_call *call)
{
    VG_ASSERT(call->stage == VG_CALL_STAGE_BEGUN);
    call->stage = VG_CALL_STAGE_RUNNING;
    call->away = true; /* a handler may complete it from anywhere */
    if (call->body.size <= VG_CALL_INLINE_BODY_BYTES && !call->is_heavy) {
        settle(call, drive(call, STEP_REPLY), true);
        return;
    }
    call->task.run = run_task;
    if (!vg_executor_post_for(call->service->executor, vg_call_caller(call), &call->task)) {
        settle(call, (int)vg_error_set(&call->error, VG_OVERLOADED, NULL), true);
    }
}

static void part_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    enum vg_reason reason = vg_call_check(call);
    call->reason = reason != VG_OK ? reason : (enum vg_reason)step_reply(call);
    post_home(call);
}

void vg_call_more(struct vg_call *call)
{
    VG_ASSERT(call->stage == VG_CALL_STAGE_REPLYING && !call->away && !call->out_done);
    call->away = true;
    call->task.run = part_task;
    if (!vg_executor_resume_for(call->service->executor, vg_call_caller(call), &call->task)) {
        /* The server stops: rather make this part here than cut an answer that has begun. */
        part_task(&call->task);
    }
}

bool vg_call_cancel(struct vg_call *call, enum vg_reason reason)
{
    VG_ASSERT(reason != VG_OK);
    if (!atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        /* The first reason stays: whose time was up is answered, and then his exchange closes. */
        call->cancel_reason = reason;
        atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
    }
    if (call->away || call->owed > 0) {
        return false;
    }
    if (call->stage != VG_CALL_STAGE_ENDED) {
        call->reason = reason;
        end(call);
    }
    return true;
}

enum vg_reason vg_call_check(struct vg_call *call)
{
    if (atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        return vg_error_set(&call->error, VG_CANCELLED, NULL);
    }
    if (vg_clock_monotonic_ns(call->service->clock) >= call->deadline_ns) {
        return vg_error_set(&call->error, VG_DEADLINE_EXCEEDED, NULL);
    }
    return VG_OK;
}

static void deferred_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    enum vg_reason reason = vg_call_check(call);
    settle(call, reason != VG_OK ? (int)reason : call->deferred(call), false);
}

int vg_call_defer(struct vg_call *call, int (*run)(struct vg_call *call))
{
    call->deferred = run;
    call->task.run = deferred_task;
    if (!vg_executor_post_for(call->service->executor, vg_call_caller(call), &call->task)) {
        return (int)vg_error_set(&call->error, VG_OVERLOADED, NULL);
    }
    return VG_CALL_PENDING;
}

static void completed_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    settle(call, (int)call->reason, true);
}

void vg_call_complete(struct vg_call *call, enum vg_reason reason)
{
    call->reason = reason;
    call->task.run = completed_task;
    vg_mailbox_post(call->home, &call->task);
}

/* ---- streamed requests */

int vg_call_receive(struct vg_call *call, struct vg_intake *intake, uint64_t bytes_max)
{
    VG_ASSERT(vg_call_is_streamed(call) && call->intake == NULL);
    call->intake = intake;
    call->intake_bytes_max = bytes_max;
    return VG_CALL_PENDING;
}

enum vg_reason vg_call_open(struct vg_call *call)
{
    VG_ASSERT(call->stage == VG_CALL_STAGE_BEGUN && vg_call_is_streamed(call));
    int result = drive(call, STEP_REPLY);
    VG_ASSERT(result != VG_OK); /* such a handler answers when it has taken the request */
    if (result != VG_CALL_PENDING && result != VG_CALL_CONVERSING) {
        call->reason = (enum vg_reason)result;
        end(call);
        return call->reason;
    }
    VG_ASSERT(call->intake != NULL);
    call->stage = VG_CALL_STAGE_RECEIVING;
    call->body.bytes_max = VG_CALL_FEED_BYTES_MAX;
    if (call->converses) {
        call->deadline_ns = conversation_deadline_ns(call);
        vg_call_room(call);
    } else if (call->timeout_ns == 0) {
        /* How long it may take depends on the client's line; that it goes on at all is the
         * carrier's to watch. */
        call->deadline_ns =
            call->started_ns + (uint64_t)call->service->settings->deadline_max_ms * 1000000u;
    }
    return VG_OK;
}

static void finish_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    enum vg_reason reason = vg_call_check(call);
    settle(
        call,
        reason != VG_OK ? (int)reason : call->intake->class->finish(call->intake, call),
        false);
}

static void take_task(struct vg_task *task);

/* The call is here: have what has been fed taken, or finish. */
void vg_dispatch_take_more(struct vg_call *call)
{
    const struct vg_intake_class *class = call->intake->class;
    if (call->away || (call->body.size == 0 && !call->is_fed) ||
        (call->body.size > 0 && class->wants != NULL && !class->wants(call->intake))) {
        return;
    }
    if (call->body.size > 0) {
        struct vg_buffer taken = call->taking;
        call->taking = call->body;
        call->body = taken;
        call->task.run = take_task;
    } else {
        call->stage = VG_CALL_STAGE_RUNNING;
        call->deadline_ns = call->fed_deadline_ns;
        call->task.run = finish_task;
    }
    call->away = true;
    if (!vg_executor_post_for(call->service->executor, vg_call_caller(call), &call->task)) {
        call->reason = vg_error_set(&call->error, VG_OVERLOADED, NULL);
        vg_dispatch_arrive(call);
    }
}

static void taken_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    if (call->reason != VG_OK || atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        vg_dispatch_arrive(call);
        return;
    }
    size_t size = call->taking.size;
    vg_buffer_clear(&call->taking);
    call->away = false;
    call->face->taken(call, size);
    if (call->converses) {
        vg_call_room(call); /* what it has been told may be answered */
    } else {
        vg_dispatch_take_more(call); /* may end it */
    }
}

static void take_task(struct vg_task *task)
{
    struct vg_call *call = VG_CONTAINER_OF(task, struct vg_call, task);
    call->reason = vg_call_check(call);
    if (call->reason == VG_OK) {
        call->reason =
            call->intake->class->take(call->intake, vg_buffer_bytes(&call->taking), &call->error);
    }
    call->task.run = taken_task;
    vg_mailbox_post(call->home, &call->task);
}

void vg_call_break(struct vg_call *call, enum vg_reason reason)
{
    VG_ASSERT(reason != VG_OK);
    if (call->stage != VG_CALL_STAGE_RECEIVING || call->is_fed ||
        atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        return;
    }
    call->cancel_reason = reason;
    atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
    if (!call->away) {
        call->reason = reason;
        vg_dispatch_arrive(call);
    }
}

bool vg_call_feed(struct vg_call *call, struct vg_bytes part)
{
    if (call->stage != VG_CALL_STAGE_RECEIVING ||
        atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        return false;
    }
    VG_ASSERT(!call->is_fed && !call->converses);
    if (part.size > call->intake_bytes_max - call->bytes_fed) {
        vg_call_break(call, VG_REQUEST_TOO_LARGE);
        return false;
    }
    call->bytes_fed += part.size;
    vg_buffer_append(&call->body, part.data, part.size);
    if (call->body.failed) {
        vg_call_break(call, VG_REQUEST_MEMORY);
        return false;
    }
    vg_dispatch_take_more(call);
    return true;
}

uint64_t vg_call_fed(struct vg_call *call)
{
    if (call->stage != VG_CALL_STAGE_RECEIVING) {
        return call->deadline_ns;
    }
    const struct vg_settings *settings = call->service->settings;
    uint64_t deadline_ns = call->fed_deadline_ns = call->deadline_ns;
    if (call->timeout_ns == 0) {
        uint64_t now_ns = vg_clock_monotonic_ns(call->service->clock);
        uint64_t due_ns = now_ns + (uint64_t)settings->deadline_default_ms * 1000000u;
        deadline_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
        call->fed_deadline_ns = deadline_ns;
    }
    call->is_fed = true;
    vg_dispatch_take_more(call);
    return deadline_ns;
}
