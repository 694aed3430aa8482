/*
 * vigil.events.v2.EventStream.Submit: events without end, for agents.
 *
 *     messages → take (executor): decoded, checked, resolved → batches → writer → answers (worker)
 *
 * The position of a stream is stored in the batch of the events it covers, and each batch must
 * continue where the one before has ended (vg_ingest_submission.continues). So after a broken
 * connection, a crash or with two connections of the same name, what is stored is always a prefix
 * of the stream, once.
 */
#include <stdlib.h>
#include <string.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/base/settings.h"
#include "core/events/event_ingest.h"
#include "core/keyspace/keyspace.h"
#include "core/node/node.h"
#include "core/store/store.h"
#include "core/wire/validate.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_input.h"
#include "rpc/service/admission.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

/* A batch is handed over when it has so many events, or so many bytes as received or to be stored.
 */
#define VG_STREAM_BATCH_EVENTS 1000u
#define VG_STREAM_BATCH_BYTES  (1024u * 1024u)
/* Batches of one stream with the writer: enough that one is prepared while another is stored. */
#define VG_STREAM_BATCHES_MAX 4u
/* Memory of one batch: its events as received, decoded, and packed. */
#define VG_STREAM_ARENA_BYTES (64u * 1024u * 1024u)

struct rejection {
    struct rejection *next;
    Vigil__Events__V2__StreamRejection message;
};

struct stream_event {
    struct vg_event_submission event;
    int64_t position;
};

struct stream_batch {
    struct vg_ingest_submission group;
    struct stream *stream;
    struct vg_arena arena;
    struct vg_event_submit_frame frame;
    const struct vg_principal *principal;
    struct vg_key key;
    int64_t first; /* positions; last = first - 1 while it is empty */
    int64_t last;
    size_t received; /* bytes, of messages */
    size_t bytes;    /* of events to be stored */
    struct rejection *rejected;
    size_t rejected_count;
};

struct stream {
    struct vg_intake intake;
    struct vg_call *call;
    struct vg_key key;
    bool named;
    bool is_new;      /* nothing of it is stored: it may begin anywhere */
    bool greeted;     /* the first answer has been given */
    bool complete;    /* the client has said all */
    bool draining;    /* the server is going down */
    int64_t expected; /* position of the next event */
    int64_t durable;  /* as last told */
    /* Filled by take, handed over by take or, while no take runs, by the worker. */
    struct stream_batch *open;
    _Atomic unsigned flying;
};

static struct stream *stream_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct stream, intake);
}

/* ---- batches */

static void batch_destroy(struct stream_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    if (batch->frame.context.directory != NULL) {
        vg_event_calls_end_submit(&batch->frame);
    }
    vg_principal_unref(batch->principal);
    vg_arena_dispose(&batch->arena);
    free(batch);
}

/* A new batch of what the caller may do now: keys are revoked and expire while streams go on. */
static enum vg_reason batch_create(struct stream *stream, struct vg_error *error)
{
    struct vg_call *call = stream->call;
    struct stream_batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    vg_arena_init(&batch->arena, VG_STREAM_ARENA_BYTES);
    vg_arena_count(&batch->arena);
    vg_ingest_submission_init(&batch->group);
    vg_time now = vg_clock_now(call->service->clock);
    enum vg_reason reason = vg_access_authenticate(
        call->service->access,
        call->credential,
        call->identity,
        &call->peer,
        now,
        &batch->principal,
        error);
    if (reason == VG_OK && !vg_principal_has(batch->principal, call->method->permissions)) {
        reason = vg_error_set(error, VG_ACCESS_DENIED, NULL);
    }
    if (reason != VG_OK) {
        batch_destroy(batch);
        return reason;
    }
    vg_event_calls_begin_submit(call, &batch->arena, now, &batch->frame);
    batch->frame.context.principal = batch->principal;
    batch->stream = stream;
    batch->key = stream->key;
    batch->first = stream->expected;
    batch->last = stream->expected - 1;
    stream->open = batch;
    return VG_OK;
}

static void put_position(uint8_t out[8], int64_t position)
{
    for (unsigned i = 0; i < 8; i++) {
        out[i] = (uint8_t)((uint64_t)position >> (56 - 8 * i));
    }
}

static int64_t get_position(struct vg_bytes value)
{
    uint64_t position = 0;
    for (size_t i = 0; i < value.size && i < 8; i++) {
        position = position << 8 | value.data[i];
    }
    return (int64_t)position;
}

/* On the writer: the batch must continue what is stored. */
static enum vg_reason continue_stream(
    struct vg_ingest_submission *submission,
    struct vg_bytes value)
{
    const struct stream_batch *batch = VG_CONTAINER_OF(submission, struct stream_batch, group);
    return value.size == 8 && get_position(value) == batch->first - 1 ? VG_OK : VG_STORE_CONFLICT;
}

static struct vg_bytes remember_position(
    struct vg_ingest_submission *submission,
    struct vg_arena *arena)
{
    const struct stream_batch *batch = VG_CONTAINER_OF(submission, struct stream_batch, group);
    uint8_t *value = vg_arena_alloc(arena, 8);
    if (value == NULL) {
        return vg_bytes(NULL, 0);
    }
    put_position(value, batch->last);
    return vg_bytes(value, 8);
}

static void stored(struct vg_task *task);

/* Hand the open batch to the writer. */
static enum vg_reason hand_over(struct stream *stream, struct vg_error *error)
{
    struct vg_call *call = stream->call;
    struct stream_batch *batch = stream->open;
    stream->open = NULL;
    batch->group.done.run = stored;
    batch->group.mailbox = call->home;
    batch->group.idempotency_key = vg_key_bytes(&batch->key);
    batch->group.continues = true;
    batch->group.recall = continue_stream;
    batch->group.remember = remember_position;
    atomic_fetch_add(&stream->flying, 1);
    vg_call_owe(call);
    enum vg_reason reason = vg_ingest_submit(call->service->node->ingest, &batch->group, error);
    if (reason != VG_OK) {
        /* It is answered as if the writer had refused it: the worker counts. */
        batch->group.reason = reason;
        vg_mailbox_post(call->home, &batch->group.done);
    }
    return reason;
}

/* ---- taking, on an executor thread */

static enum vg_reason reject(
    struct stream_batch *batch,
    int64_t position,
    const char *field,
    const char *message)
{
    struct rejection *rejection = vg_arena_calloc(&batch->arena, 1, sizeof(*rejection));
    if (rejection == NULL) {
        return VG_REQUEST_MEMORY;
    }
    vigil__events__v2__stream_rejection__init(&rejection->message);
    rejection->message.has_position = true;
    rejection->message.position = position;
    rejection->message.field = field == NULL || field[0] == '\0'
                                   ? NULL
                                   : vg_arena_text(&batch->arena, vg_bytes_text(field));
    rejection->message.message = vg_arena_text(&batch->arena, vg_bytes_text(message));
    rejection->next = batch->rejected;
    batch->rejected = rejection;
    batch->rejected_count++;
    return VG_OK;
}

/* Reject an event by the first thing that is wrong with it. */
static enum vg_reason reject_by(
    struct stream_batch *batch,
    int64_t position,
    const struct vg_error *error)
{
    const struct vg_violations *found = &error->violations;
    if (found->count == 0) {
        return reject(batch, position, error->field, error->message);
    }
    const struct vg_violation *first = &found->items[0];
    const char *message =
        first->message != NULL ? first->message : vg_reason_row(first->reason)->text;
    return reject(batch, position, first->field, message);
}

/* Check and resolve one event and add it to the batch, or to its rejections. Fails only for want of
 * memory. */
static enum vg_reason add_event(
    struct stream_batch *batch,
    int64_t position,
    Vigil__Events__V2__SubmitRequest *request)
{
    struct vg_arena *arena = &batch->arena;
    struct stream_event *own = vg_arena_alloc(arena, sizeof(*own));
    struct vg_event_input input;
    struct vg_error error;
    vg_error_init(&error, arena);
    if (own == NULL) {
        return VG_REQUEST_MEMORY;
    }
    struct vg_event_submission *event = &own->event;
    own->position = position;
    struct vg_validation validation = {
        .now = batch->frame.context.accepted,
        .zone = batch->principal->zone,
        .arena = arena,
    };
    if (vg_validate(
            &vg_table_vigil_events_v2_submit_request,
            &request->base,
            &validation,
            &error) != VG_OK) {
        return reject_by(batch, position, &error);
    }
    if (!vg_event_input_read(request, arena, &input)) {
        return VG_REQUEST_MEMORY;
    }
    if (!vg_event_submission_read(
            event,
            &input,
            &batch->frame.context,
            VG_EVENT_SUBMISSION_ALONE,
            &error.violations)) {
        return reject_by(batch, position, &error);
    }
    enum vg_reason reason = vg_event_submission_resolve(event, &input, &batch->frame.context);
    if (reason == VG_OK) {
        reason = vg_event_submission_prepare(event, &batch->frame.context);
    }
    if (reason == VG_REQUEST_MEMORY) {
        return reason;
    }
    if (reason != VG_OK) {
        const char *text = event->message != NULL ? event->message : vg_reason_row(reason)->text;
        return reject(batch, position, event->field, text);
    }
    vg_event_ingest_add(&batch->group, event);
    batch->bytes += event->item.bytes;
    return VG_OK;
}

/* Has the key a quota left for the events of a message that are not yet stored? If not, what was
 * taken before is stored, so that the stream gets on however large its messages are. */
static enum vg_reason take_quota(
    struct stream *stream,
    const Vigil__Events__V2__StreamSubmitRequest *request,
    struct vg_error *error)
{
    int64_t end = request->position + (int64_t)request->n_events;
    if (end <= stream->expected) {
        return VG_OK;
    }
    struct stream_batch *batch = stream->open;
    enum vg_reason reason = vg_admission_take_events(
        stream->call,
        batch->principal,
        (uint64_t)(end - stream->expected),
        error);
    if (reason != VG_OK && batch->last >= batch->first) {
        struct vg_error ignored; /* a batch that is refused is told with the stream's position */
        vg_error_init(&ignored, NULL);
        (void)!hand_over(stream, &ignored);
    }
    return reason;
}

/* The events of one message; a full batch is handed over. */
static enum vg_reason take_events(
    struct stream *stream,
    const Vigil__Events__V2__StreamSubmitRequest *request,
    struct vg_error *error)
{
    enum vg_reason reason = take_quota(stream, request, error);
    for (size_t i = 0; i < request->n_events && reason == VG_OK; i++) {
        struct stream_batch *batch = stream->open;
        if (request->position + (int64_t)i < stream->expected) {
            continue; /* stored already */
        }
        reason = add_event(batch, stream->expected, request->events[i]);
        if (reason != VG_OK) {
            return vg_error_set(error, reason, NULL);
        }
        batch->last = stream->expected++;
    }
    return reason;
}

static enum vg_reason name_stream(
    struct stream *stream,
    const Vigil__Events__V2__StreamSubmitRequest *request,
    struct vg_error *error)
{
    struct vg_call *call = stream->call;
    struct vg_buffer name;
    uint8_t hash[VG_SHA256_SIZE];
    if (request->stream == NULL || request->stream[0] == '\0') {
        (void)vg_error_set(error, VG_REQUIRED_FIELD, "The first message names the stream");
        return vg_error_field(error, "stream", "");
    }
    vg_buffer_init(&name, 4096);
    vg_buffer_append(&name, &call->principal->user_id, sizeof(call->principal->user_id));
    vg_buffer_append_text(&name, request->stream);
    vg_digest_sha256(vg_buffer_bytes(&name), hash);
    vg_buffer_dispose(&name);
    vg_key_stream(&stream->key, hash);

    struct vg_store_value value;
    enum vg_reason reason = vg_store_get_one(
        call->service->node->store,
        NULL,
        VG_NODE_SHARD,
        vg_key_bytes(&stream->key),
        &value,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    stream->durable = value.found ? get_position(value.bytes) : 0;
    stream->is_new = !value.found;
    stream->expected = stream->durable + 1;
    stream->named = true;
    vg_store_value_release(&value);
    return VG_OK;
}

/* Where the events of a message stand. */
static enum vg_reason check_position(
    struct stream *stream,
    const Vigil__Events__V2__StreamSubmitRequest *request,
    struct vg_error *error)
{
    if (request->n_events == 0) {
        return VG_OK;
    }
    if (!request->has_position) {
        (void)vg_error_set(error, VG_REQUIRED_FIELD, "Events have a position");
        return vg_error_field(error, "position", "");
    }
    if (stream->is_new && request->position > 0) {
        stream->is_new = false;
        stream->expected = request->position;
    }
    if (request->position < 1 || request->position > stream->expected ||
        request->position > INT64_MAX - (int64_t)request->n_events) {
        (void)vg_error_set(
            error,
            VG_INVALID_FIELD_VALUE,
            "The stream goes on at position %lld",
            (long long)stream->expected);
        return vg_error_field(error, "position", "");
    }
    return VG_OK;
}

/* The rules of the contract for a message but its events, which are judged one by one. */
static enum vg_reason check_head(
    struct stream *stream,
    Vigil__Events__V2__StreamSubmitRequest *request,
    struct vg_arena *arena,
    struct vg_error *error)
{
    const struct vg_call *call = stream->call;
    struct vg_validation validation = {
        .now = vg_clock_now(call->service->clock),
        .zone = call->principal->zone,
        .arena = arena,
    };
    const size_t count = request->n_events;
    request->n_events = 0;
    enum vg_reason reason = vg_validate(call->method->request, &request->base, &validation, error);
    request->n_events = count;
    return reason;
}

static enum vg_reason take_message(
    struct stream *stream,
    struct vg_bytes message,
    struct vg_error *error)
{
    ProtobufCMessage *decoded = NULL;
    enum vg_reason reason = VG_OK;
    struct vg_arena head;
    struct vg_arena *arena = &head;
    vg_arena_init(&head, VG_STREAM_ARENA_BYTES);
    vg_arena_count(&head);
    if (stream->named) {
        reason = stream->open == NULL ? batch_create(stream, error) : VG_OK;
        arena = reason == VG_OK ? &stream->open->arena : &head;
    }
    if (reason == VG_OK) {
        reason = vg_wire_decode(
            stream->call->method->request,
            message,
            &vg_wire_policy_request,
            arena,
            &decoded,
            error);
    }
    Vigil__Events__V2__StreamSubmitRequest *request =
        (Vigil__Events__V2__StreamSubmitRequest *)decoded;
    if (reason == VG_OK) {
        reason = check_head(stream, request, arena, error);
    }
    if (reason == VG_OK && !stream->named) {
        reason = name_stream(stream, request, error);
        if (reason == VG_OK && request->n_events > 0) {
            /* Once more, into the memory of a batch. */
            vg_arena_dispose(&head);
            return take_message(stream, message, error);
        }
    } else if (reason == VG_OK) {
        reason = check_position(stream, request, error);
        if (reason == VG_OK && stream->open->group.first == NULL &&
            stream->open->rejected == NULL) {
            stream->open->first = stream->expected;
            stream->open->last = stream->expected - 1;
        }
        if (reason == VG_OK) {
            stream->open->received += message.size;
            reason = take_events(stream, request, error);
        }
    }
    vg_arena_dispose(&head);
    return reason;
}

static bool is_full(const struct stream_batch *batch)
{
    return batch->bytes >= VG_STREAM_BATCH_BYTES || batch->received >= VG_STREAM_BATCH_BYTES ||
           batch->last - batch->first + 1 >= (int64_t)VG_STREAM_BATCH_EVENTS;
}

static bool is_empty(const struct stream_batch *batch)
{
    return batch == NULL || batch->last < batch->first;
}

static enum vg_reason take(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error)
{
    struct stream *stream = stream_of(intake);
    struct vg_bytes message;
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && vg_intake_next_message(&part, &message)) {
        reason = take_message(stream, message, error);
        if (reason == VG_OK && !is_empty(stream->open) && is_full(stream->open)) {
            reason = hand_over(stream, error);
        }
    }
    /* The rest goes at once if the writer is not busy with us; else more may join it. */
    if (reason == VG_OK && !is_empty(stream->open) &&
        atomic_load(&stream->flying) < VG_STREAM_BATCHES_MAX / 2) {
        reason = hand_over(stream, error);
    }
    return reason;
}

static int finish(struct vg_intake *intake, struct vg_call *call)
{
    (void)call;
    stream_of(intake)->complete = true;
    return VG_CALL_CONVERSING;
}

/* ---- answering, on the worker */

static int compare_rejections(const void *one, const void *two)
{
    const Vigil__Events__V2__StreamRejection *const *first = one;
    const Vigil__Events__V2__StreamRejection *const *second = two;
    return ((*first)->position > (*second)->position) - ((*first)->position < (*second)->position);
}

static bool answer(struct stream *stream, const struct stream_batch *batch)
{
    Vigil__Events__V2__StreamSubmitStatus status = VIGIL__EVENTS__V2__STREAM_SUBMIT_STATUS__INIT;
    Vigil__Events__V2__StreamRejection **list = NULL;
    if (batch != NULL && batch->rejected_count > 0) {
        list = calloc(batch->rejected_count, sizeof(*list));
        if (list == NULL) {
            return false;
        }
        size_t count = 0;
        for (struct rejection *each = batch->rejected; each != NULL; each = each->next) {
            list[count++] = &each->message;
        }
        qsort(list, batch->rejected_count, sizeof(*list), compare_rejections);
        status.n_rejected = batch->rejected_count;
        status.rejected = list;
    }
    status.has_position = true;
    status.position = stream->durable;
    bool said = vg_call_say(stream->call, &status.base);
    free(list);
    return said;
}

/* Where to go on is told before anything else. */
static void greet(struct stream *stream)
{
    if (!stream->greeted) {
        stream->greeted = true;
        (void)answer(stream, NULL);
    }
}

/* What the writer has refused of a batch that is stored. Mostly nothing: then its events, long out
 * of this thread's cache, are not looked at. */
static enum vg_reason note_refusals(struct stream_batch *batch)
{
    enum vg_reason reason = VG_OK;
    uint32_t left = batch->group.refused;
    for (struct vg_ingest_item *item = batch->group.first; left > 0 && reason == VG_OK;
         item = item->next) {
        const struct stream_event *own = VG_CONTAINER_OF(item, struct stream_event, event.item);
        if (item->reason != VG_OK) {
            reason = reject(batch, own->position, NULL, vg_reason_row(item->reason)->text);
            left--;
        }
    }
    return reason;
}

/* The writer has answered. */
static void stored(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct stream_batch *batch = VG_CONTAINER_OF(group, struct stream_batch, group);
    struct stream *stream = batch->stream;
    struct vg_call *call = stream->call;
    enum vg_reason reason = group->reason == VG_OK ? note_refusals(batch) : group->reason;
    if (reason == VG_OK) {
        greet(stream);
        stream->durable = batch->last;
        (void)answer(stream, batch);
    } else {
        vg_call_hang_up(call, reason);
    }
    atomic_fetch_sub(&stream->flying, 1);
    batch_destroy(batch);
    if (vg_call_repay(call)) {
        vg_call_room(call);
    }
}

static void room(struct vg_intake *intake)
{
    struct stream *stream = stream_of(intake);
    struct vg_call *call = stream->call;
    if (call->away) {
        return; /* take has the stream, and room comes after it */
    }
    if (stream->named) {
        greet(stream);
    }
    if (!is_empty(stream->open) && atomic_load(&stream->flying) < VG_STREAM_BATCHES_MAX) {
        (void)hand_over(stream, NULL);
    }
    bool idle = is_empty(stream->open) && atomic_load(&stream->flying) == 0;
    if (idle && stream->draining) {
        vg_call_hang_up(call, VG_DRAINING);
    } else if (idle && stream->complete) {
        vg_call_hang_up(call, VG_OK);
    }
}

static bool wants(struct vg_intake *intake)
{
    const struct stream *stream = stream_of(intake);
    return !stream->draining && atomic_load(&stream->flying) < VG_STREAM_BATCHES_MAX;
}

static void drain(struct vg_intake *intake)
{
    stream_of(intake)->draining = true;
    room(intake);
}

static void close_stream(struct vg_intake *intake)
{
    struct stream *stream = stream_of(intake);
    VG_ASSERT(atomic_load(&stream->flying) == 0);
    batch_destroy(stream->open);
    free(stream);
}

static const struct vg_intake_class stream_class = { .take = take,
                                                     .finish = finish,
                                                     .close = close_stream,
                                                     .room = room,
                                                     .wants = wants,
                                                     .drain = drain };

int vg_events_v2_submit(
    struct vg_call *call,
    const Vigil__Events__V2__StreamSubmitRequest *request,
    Vigil__Events__V2__StreamSubmitStatus *answer)
{
    (void)request;
    (void)answer;
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return (int)vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    stream->intake.class = &stream_class;
    stream->call = call;
    return vg_call_converse(call, &stream->intake);
}
