/*
 * A batch is kept as the bytes of its events, one behind the other, with the end and the line of
 * each. So any range of it is a request: when the server refuses a request for what is in it, the
 * range is halved until the event to blame is alone, and the others are taken.
 */
#include "tools/suricata/eve_import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/wire/wire_field.h"
#include "tools/suricata/eve_read.h"
#include "tools/suricata/eve_tally.h"

#include "contract_json.h"

#define BATCHES 4u /* calls under way */

/* A batch is sent when it is this large, however few events it has. One event more fits. */
#define BATCH_BYTES_FULL (2u << 20)
#define BATCH_BYTES_MAX  (BATCH_BYTES_FULL + 4u * VG_EVE_RECORD_BYTES_MAX)

#define EVENT_ARENA_MAX  (16u << 20)
#define ANSWER_ARENA_MAX (64u << 20)

/* Field numbers of BulkSubmitRequest and SubmitRequestList. */
#define BULK_EVENTS_FIELD   1
#define BULK_ON_ERROR_FIELD 2
#define LIST_ITEMS_FIELD    1

struct batch_event {
    size_t end; /* in the batch's bytes */
    uint64_t line;
};

struct batch {
    struct vg_buffer bytes;
    struct batch_event *events;
    uint32_t count;
    uint32_t from; /* the range that is under way */
    uint32_t to;
    bool sent;
    struct vg_buffer request;
    struct vg_connection_call call;
};

struct vg_eve_import {
    struct vg_connection *connection; /* NULL = dry run */
    struct vg_eve_import_options options;
    struct vg_eve_import_observer *observer;
    struct vg_eve_import_counts counts;
    enum vg_eve_import_end end;
    struct batch batches[BATCHES];
    struct batch *filling;          /* NULL = none yet */
    struct vg_eve_tally identities; /* of the file */
    struct vg_eve_tally signatures; /* of the import */
    struct vg_arena arena;          /* of one event */
    struct vg_arena answers;        /* of one answer */
};

struct vg_eve_import *vg_eve_import_create(
    struct vg_connection *connection,
    const struct vg_eve_import_options *options,
    struct vg_eve_import_observer *observer)
{
    VG_ASSERT(options->batch_size >= 1 && options->batch_size <= VG_EVE_IMPORT_BATCH_MAX);
    struct vg_eve_import *import = calloc(1, sizeof(*import));
    bool complete = import != NULL;
    if (import != NULL) {
        import->connection = connection;
        import->options = *options;
        import->observer = observer;
        vg_eve_tally_init(&import->identities);
        vg_eve_tally_init(&import->signatures);
        vg_arena_init(&import->arena, EVENT_ARENA_MAX);
        vg_arena_init(&import->answers, ANSWER_ARENA_MAX);
        for (size_t i = 0; i < BATCHES; i++) {
            struct batch *batch = &import->batches[i];
            vg_buffer_init(&batch->bytes, BATCH_BYTES_MAX);
            vg_buffer_init(&batch->request, BATCH_BYTES_MAX + 64);
            batch->events = calloc(options->batch_size, sizeof(*batch->events));
            complete = complete && batch->events != NULL;
        }
    }
    if (!complete) {
        vg_eve_import_destroy(import);
        return NULL;
    }
    return import;
}

void vg_eve_import_destroy(struct vg_eve_import *import)
{
    if (import == NULL) {
        return;
    }
    for (size_t i = 0; i < BATCHES; i++) {
        struct batch *batch = &import->batches[i];
        VG_ASSERT(!batch->sent);
        vg_buffer_dispose(&batch->bytes);
        vg_buffer_dispose(&batch->request);
        free(batch->events);
    }
    vg_eve_tally_dispose(&import->identities);
    vg_eve_tally_dispose(&import->signatures);
    vg_arena_dispose(&import->arena);
    vg_arena_dispose(&import->answers);
    free(import);
}

const struct vg_eve_import_counts *vg_eve_import_counts(const struct vg_eve_import *import)
{
    return &import->counts;
}

static void tell(struct vg_eve_import *import, uint64_t line, const char *message)
{
    import->observer->problem(import->observer, line, message);
}

/* Send the events from `from` on, up to `to`. */
static void send_range(
    struct vg_eve_import *import,
    struct batch *batch,
    uint32_t from,
    uint32_t to)
{
    size_t start = from == 0 ? 0 : batch->events[from - 1].end;
    struct vg_bytes items = vg_bytes(batch->bytes.data + start, batch->events[to - 1].end - start);
    vg_buffer_clear(&batch->request);
    vg_wire_put_bytes(&batch->request, BULK_EVENTS_FIELD, items);
    vg_wire_put_varint(
        &batch->request,
        BULK_ON_ERROR_FIELD,
        VIGIL__EVENTS__V2__ON_ERROR__ON_ERROR_DROP_INVALID);
    VG_ASSERT(!batch->request.failed);
    batch->from = from;
    batch->to = to;
    batch->sent = true;
    batch->call = (struct vg_connection_call){
        .method = VG_CLIENT_METHOD_IMPORT_EVENTS,
        .kept_request = vg_buffer_bytes(&batch->request),
        .owner = batch,
    };
    vg_connection_start(import->connection, &batch->call);
}

/* The statuses of the range's events, in their order. False when the answer is not that. */
static bool take_answer(struct vg_eve_import *import, const struct batch *batch)
{
    const Vigil__Events__V2__BulkSubmitStatus *status =
        (const Vigil__Events__V2__BulkSubmitStatus *)(const void *)
            vg_connection_answer(&batch->call, &import->answers);
    bool good = status != NULL && status->n_events == batch->to - batch->from;
    for (size_t i = 0; good && i < status->n_events; i++) {
        const Vigil__Events__V2__SubmitStatus *one = status->events[i];
        if (one->status == VIGIL__EVENTS__V2__SUBMIT_OUTCOME__SUBMIT_OUTCOME_ACCEPTED) {
            import->counts.accepted++;
        } else {
            import->counts.rejected++;
            tell(
                import,
                batch->events[batch->from + i].line,
                one->message == NULL ? "rejected" : one->message);
        }
    }
    vg_arena_reset(&import->answers);
    return good;
}

/* Whether the server refused the request for what is in it, so that a part of it may be taken. */
static bool is_content_refused(const struct vg_grpc_client_call *call)
{
    switch ((int)call->code) {
    case VG_GRPC_INVALID_ARGUMENT:
    case VG_GRPC_FAILED_PRECONDITION:
    case VG_GRPC_OUT_OF_RANGE:
    case VG_GRPC_RESOURCE_EXHAUSTED:
        return true;
    default:
        return false;
    }
}

static void stop(struct vg_eve_import *import, enum vg_eve_import_end end, const char *message)
{
    if (import->end == VG_EVE_IMPORT_END_DONE) {
        import->end = end;
        tell(import, 0, message);
    }
}

/* What became of the range under way; sends the next one of the batch, if there is one. */
static void take_done(struct vg_eve_import *import, struct batch *batch)
{
    const struct vg_grpc_client_call *call = &batch->call.grpc;
    uint32_t from = batch->from;
    uint32_t to = batch->to;
    uint32_t next_from = to;
    uint32_t next_to = batch->count;
    if (call->code == VG_GRPC_OK) {
        if (!take_answer(import, batch)) {
            stop(import, VG_EVE_IMPORT_END_REFUSED, "the server's answer cannot be read");
        }
    } else if (is_content_refused(call) && to - from > 1) {
        next_from = from;
        next_to = from + (to - from) / 2;
    } else if (is_content_refused(call)) {
        import->counts.rejected++;
        tell(import, batch->events[from].line, call->message);
    } else {
        stop(
            import,
            vg_connection_is_unreachable(&batch->call) ? VG_EVE_IMPORT_END_UNREACHABLE
                                                       : VG_EVE_IMPORT_END_REFUSED,
            call->message);
    }
    vg_connection_call_dispose(&batch->call);
    batch->sent = false;
    if (import->end == VG_EVE_IMPORT_END_DONE && next_from < next_to) {
        send_range(import, batch, next_from, next_to);
        return;
    }
    import->observer->progress(import->observer);
}

/* Wait for one answer; false when nothing is under way. */
static bool wait_one(struct vg_eve_import *import)
{
    struct vg_connection_call *call = vg_connection_wait_any(import->connection);
    if (call == NULL) {
        return false;
    }
    take_done(import, call->owner);
    return true;
}

static void wait_all(struct vg_eve_import *import)
{
    bool more = import->connection != NULL;
    while (more) {
        more = wait_one(import);
    }
}

static void send_filling(struct vg_eve_import *import)
{
    struct batch *batch = import->filling;
    import->filling = NULL;
    if (batch != NULL && batch->count > 0 && import->connection != NULL &&
        import->end == VG_EVE_IMPORT_END_DONE) {
        send_range(import, batch, 0, batch->count);
    }
}

/* A batch with room: the one being filled, or a free one, which may have to be waited for. */
static struct batch *batch_with_room(struct vg_eve_import *import)
{
    if (import->filling != NULL && (import->filling->count == import->options.batch_size ||
                                    import->filling->bytes.size >= BATCH_BYTES_FULL)) {
        send_filling(import);
    }
    while (import->filling == NULL) {
        for (size_t i = 0; i < BATCHES && import->filling == NULL; i++) {
            if (!import->batches[i].sent) {
                import->filling = &import->batches[i];
                import->filling->count = 0;
                vg_buffer_clear(&import->filling->bytes);
            }
        }
        if (import->filling == NULL) {
            (void)wait_one(import);
        }
    }
    return import->filling;
}

/* Tell the server of the alert's signature, once an import. One that it knows is as good. */
static void add_signature(struct vg_eve_import *import, const struct vg_eve_alert *alert)
{
    static const struct vg_uuid name_space = { { 0 } };
    char name[VG_EVE_SIGNATURE_SIZE];
    uint32_t before = 0;
    Vigil__Admin__V1__AddSignatureRequest *request = NULL;
    vg_eve_event_signature(alert, name);
    struct vg_uuid key = vg_uuid_from_name(&name_space, vg_bytes_text(name));
    if (!vg_eve_tally_add(&import->signatures, &key, &before) || before > 0 ||
        vg_eve_event_make_signature(alert, &import->arena, &request, NULL) != VG_OK) {
        return;
    }
    wait_all(import);
    struct vg_connection_call call;
    if (vg_connection_ask(
            import->connection,
            VG_CLIENT_METHOD_ADD_SIGNATURE,
            &request->base,
            &import->answers,
            &call) != NULL) {
        import->counts.signatures++;
    } else if (vg_connection_is_unreachable(&call)) {
        stop(import, VG_EVE_IMPORT_END_UNREACHABLE, call.grpc.message);
    } else if (call.grpc.code == VG_GRPC_PERMISSION_DENIED) {
        import->options.with_signatures = false;
        tell(import, 0, "this key may not add signatures; going on without");
    } else if (call.grpc.code == VG_GRPC_UNAUTHENTICATED) {
        stop(import, VG_EVE_IMPORT_END_REFUSED, call.grpc.message);
    } else if (call.grpc.code != VG_GRPC_ALREADY_EXISTS) {
        tell(import, 0, call.grpc.message);
    }
    vg_arena_reset(&import->answers);
    vg_connection_call_dispose(&call);
}

static enum vg_reason add_alert(
    struct vg_eve_import *import,
    const cJSON *record,
    uint64_t line,
    struct vg_error *error)
{
    struct vg_eve_alert alert;
    Vigil__Events__V2__SubmitRequest *request = NULL;
    uint32_t occurrence = 0;
    enum vg_reason reason = vg_eve_alert_parse(record, &alert, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (!vg_eve_tally_add(&import->identities, &alert.identity, &occurrence)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "there is no memory to count duplicates");
    }
    reason = vg_eve_event_make(
        &alert,
        &import->options.event,
        occurrence,
        &import->arena,
        &request,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    if (import->options.with_signatures && import->connection != NULL) {
        add_signature(import, &alert);
    }
    struct batch *batch = batch_with_room(import);
    vg_wire_put_message(
        &batch->bytes,
        LIST_ITEMS_FIELD,
        &vg_table_vigil_events_v2_submit_request,
        &request->base);
    if (batch->bytes.failed) {
        /* The bytes are as before; the batch goes out without this event. */
        batch->bytes.failed = false;
        return vg_error_set(error, VG_REQUEST_TOO_LARGE, "the event is too large to be sent");
    }
    batch->events[batch->count++] = (struct batch_event){ .end = batch->bytes.size, .line = line };
    return VG_OK;
}

/* One step of reading. False at the end of what can be read. */
static bool take_record(struct vg_eve_import *import, struct vg_eve_reader *reader)
{
    cJSON *record = NULL;
    struct vg_error error;
    enum vg_reason reason = VG_OK;
    vg_error_init(&error, NULL);
    enum vg_eve_outcome outcome = vg_eve_read_next(reader, &record, &error);
    if (outcome == VG_EVE_OUTCOME_END) {
        return false;
    }
    if (outcome == VG_EVE_OUTCOME_RECORD) {
        import->counts.records++;
        if (vg_eve_alert_is(record)) {
            reason = add_alert(import, record, reader->at_line, &error);
            import->counts.alerts += reason == VG_OK ? 1u : 0u;
            vg_arena_reset(&import->arena);
        } else {
            import->counts.skipped++;
        }
        cJSON_Delete(record);
    }
    if (outcome != VG_EVE_OUTCOME_RECORD || reason != VG_OK) {
        import->counts.bad++;
        tell(import, reader->at_line, error.message);
    }
    return outcome != VG_EVE_OUTCOME_BROKEN;
}

enum vg_eve_import_end vg_eve_import_file(struct vg_eve_import *import, FILE *file)
{
    struct vg_eve_reader reader;
    vg_eve_tally_clear(&import->identities);
    vg_eve_read_init(&reader, file);
    bool more = true;
    while (more && import->end == VG_EVE_IMPORT_END_DONE) {
        more = take_record(import, &reader);
    }
    vg_eve_read_dispose(&reader);
    send_filling(import);
    wait_all(import);
    return import->end;
}
