/* vigil.sampledb.v2.SampleService: verdicts and classifications of one sample. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/keyspace/keyspace.h"
#include "core/node/node.h"
#include "core/samples/sample_change.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/sample_calls.h"
#include "rpc/handlers/sample_view.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#define LIMIT_DEFAULT 25

/* ---------------------------------------------------------------------------------------- list */

/* What tells a verdict from others of the same sample. */
struct verdict_place {
    uint64_t revision;
    uint32_t number;
};

/* The verdicts of one answer. Lives in the arena of its call. */
struct verdict_rows {
    struct vg_rows rows;
    const struct vg_node *node;
    struct vg_sample_reading reading;
    const struct vg_directory_snapshot *directory;
    struct verdict_place *places; /* in the order of their making */
    uint32_t count;
    uint32_t room;
    bool is_broken;
    bool ascending;
    uint32_t next; /* in the order of the answer */
    uint32_t end;
};

static bool take_place(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)value;
    struct verdict_rows *verdicts = owner;
    uint8_t sha256[VG_SHA256_SIZE];
    struct verdict_place place;
    if (!vg_key_parse_verdict(key, sha256, &place.revision, &place.number)) {
        verdicts->is_broken = true;
        return false;
    }
    /* Those of a sample that was deleted, and uploaded again, are about to go. */
    if (place.revision > verdicts->reading.record.purged_until &&
        verdicts->count < verdicts->room) {
        verdicts->places[verdicts->count++] = place;
    }
    return true;
}

static enum vg_reason find_places(struct vg_call *call, struct verdict_rows *verdicts)
{
    struct vg_key prefix;
    vg_key_verdict_prefix(&prefix, verdicts->reading.record.sha256);
    const struct vg_store_range range = { .view = vg_snapshot_view(&verdicts->reading.snapshot),
                                          .shard = VG_NODE_SHARD,
                                          .prefix = vg_key_bytes(&prefix) };
    verdicts->room = verdicts->reading.record.verdict_count;
    verdicts->places = vg_arena_alloc(&call->arena, verdicts->room * sizeof(*verdicts->places));
    if (verdicts->places == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason =
        vg_store_scan(verdicts->node->store, &range, take_place, verdicts, NULL, &call->error);
    if (reason == VG_OK && (verdicts->is_broken || verdicts->count != verdicts->room)) {
        reason = vg_error_set(&call->error, VG_STORE_CORRUPT, NULL);
    }
    return reason;
}

static enum vg_reason read_verdict(
    const struct verdict_rows *verdicts,
    const struct verdict_place *place,
    struct vg_arena *arena,
    struct vg_sample_verdict *out_verdict,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    vg_key_verdict(&key, verdicts->reading.record.sha256, place->revision, place->number);
    enum vg_reason reason = vg_store_get_one(
        verdicts->node->store,
        vg_snapshot_view(&verdicts->reading.snapshot),
        VG_NODE_SHARD,
        vg_key_bytes(&key),
        &value,
        error);
    if (reason == VG_OK) {
        reason = value.found ? vg_sample_verdict_unpack(value.bytes, arena, out_verdict, error)
                             : vg_error_set(error, VG_STORE_CORRUPT, NULL);
        vg_store_value_release(&value);
    }
    return reason;
}

static enum vg_reason next_verdict(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct verdict_rows *verdicts = VG_CONTAINER_OF(rows, struct verdict_rows, rows);
    enum vg_reason reason = vg_snapshot_check(&verdicts->reading.snapshot, error);
    *out_end = verdicts->next == verdicts->end;
    if (reason != VG_OK || *out_end) {
        return reason;
    }
    uint32_t at = verdicts->next++;
    const struct verdict_place *place =
        &verdicts->places[verdicts->ascending ? at : verdicts->count - 1 - at];
    struct vg_sample_verdict verdict;
    reason = read_verdict(verdicts, place, arena, &verdict, error);
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Sampledb__V2__Verdict *shown = vg_arena_alloc(arena, sizeof(*shown));
    if (shown == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__sampledb__v2__verdict__init(shown);
    *out_row = (struct vg_reply_row){ .message = &shown->base };
    return vg_sample_view_fill_verdict(
               verdicts->directory,
               verdicts->reading.record.sha256,
               &verdict,
               arena,
               shown)
               ? VG_OK
               : vg_error_set(error, VG_REQUEST_MEMORY, NULL);
}

static void close_verdicts(struct vg_rows *rows)
{
    struct verdict_rows *verdicts = VG_CONTAINER_OF(rows, struct verdict_rows, rows);
    vg_sample_reading_release(&verdicts->reading);
    vg_directory_snapshot_unref(verdicts->directory);
}

static const struct vg_rows_class verdict_rows_class = { .next = next_verdict,
                                                         .close = close_verdicts };

/* A key named twice is refused, also the one in both directions. */
static enum vg_reason read_sort(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSamplePartsRequest *request,
    bool *out_ascending)
{
    if (request->n_sort_by > 1) {
        (void)vg_error_set(&call->error, VG_INVALID_FIELD_VALUE, "sortBy names a key twice");
        return vg_error_field(&call->error, "sortBy", "");
    }
    *out_ascending = request->n_sort_by == 1 &&
                     request->sort_by[0] ==
                         VIGIL__SAMPLEDB__V2__CREATED_SORT_BY__CREATED_SORT_BY_CREATED_TIMESTAMP;
    return VG_OK;
}

static void set_page(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSamplePartsRequest *request,
    int64_t count)
{
    call->reply.limit = request->has_limit ? request->limit : LIMIT_DEFAULT;
    call->reply.offset = request->offset;
    call->reply.count = count;
}

static int list_verdicts(struct vg_call *call)
{
    const Vigil__Sampledb__V2__ListSamplePartsRequest *request =
        (const Vigil__Sampledb__V2__ListSamplePartsRequest *)call->request;
    struct verdict_rows *verdicts = vg_arena_calloc(&call->arena, 1, sizeof(*verdicts));
    if (verdicts == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    verdicts->rows.class = &verdict_rows_class;
    verdicts->node = call->service->node;
    enum vg_reason reason = read_sort(call, request, &verdicts->ascending);
    if (reason == VG_OK) {
        reason = vg_sample_calls_read(call, request->sha256, &verdicts->reading);
    }
    if (reason == VG_OK && verdicts->reading.record.verdict_count != 0) {
        reason = find_places(call, verdicts);
    }
    if (reason != VG_OK) {
        vg_sample_reading_release(&verdicts->reading);
        return (int)reason;
    }
    verdicts->directory = vg_directory_snapshot(call->service->node->directory);
    set_page(call, request, verdicts->count);
    uint32_t offset = (uint32_t)request->offset;
    uint32_t limit = (uint32_t)call->reply.limit;
    verdicts->next = offset < verdicts->count ? offset : verdicts->count;
    verdicts->end = limit == 0 || limit > verdicts->count - verdicts->next ? verdicts->count
                                                                           : verdicts->next + limit;
    call->reply.rows = &verdicts->rows;
    return VG_OK;
}

int vg_sampledb_v2_list_verdicts(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSamplePartsRequest *request,
    Vigil__Sampledb__V2__VerdictList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_verdicts);
}

/* ----------------------------------------------------------------------------- classifications */

static enum vg_reason next_classification(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)rows;
    (void)arena;
    (void)takes_wire;
    (void)out_row;
    (void)error;
    *out_end = true; /* vigil runs no classifier, and nothing imports what another one found */
    return VG_OK;
}

static void close_classifications(struct vg_rows *rows)
{
    (void)rows;
}

static int list_classifications(struct vg_call *call)
{
    static const struct vg_rows_class class = { .next = next_classification,
                                                .close = close_classifications };
    static struct vg_rows none = { .class = &class };
    const Vigil__Sampledb__V2__ListSamplePartsRequest *request =
        (const Vigil__Sampledb__V2__ListSamplePartsRequest *)call->request;
    struct vg_sample_reading reading = { .exists = false };
    bool ascending;
    enum vg_reason reason = read_sort(call, request, &ascending);
    if (reason == VG_OK) {
        reason = vg_sample_calls_read(call, request->sha256, &reading);
    }
    vg_sample_reading_release(&reading);
    if (reason == VG_OK) {
        set_page(call, request, 0);
        call->reply.rows = &none;
    }
    return (int)reason;
}

int vg_sampledb_v2_list_classifications(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSamplePartsRequest *request,
    Vigil__Sampledb__V2__ClassificationList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_classifications);
}

/* ----------------------------------------------------------------------------------------- add */

/* A verdict that the writer is asked for. Lives in the arena of its call. */
struct verdict_work {
    struct vg_ingest_submission group;
    struct vg_sample_judgement judgement;
    struct vg_call *call;
};

static enum vg_reason show_added(struct verdict_work *work)
{
    struct vg_call *call = work->call;
    const struct vg_directory_snapshot *directory =
        vg_directory_snapshot(call->service->node->directory);
    bool shown = vg_sample_view_fill_verdict(
        directory,
        work->judgement.change.identity.sha256,
        &work->judgement.verdict,
        &call->arena,
        (Vigil__Sampledb__V2__Verdict *)call->reply.answer);
    vg_directory_snapshot_unref(directory);
    return shown ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static void complete(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct verdict_work *work = VG_CONTAINER_OF(group, struct verdict_work, group);
    struct vg_call *call = work->call;
    const Vigil__Sampledb__V2__AddVerdictRequest *request =
        (const Vigil__Sampledb__V2__AddVerdictRequest *)call->request;
    enum vg_reason refused = work->judgement.change.item.reason;
    enum vg_reason reason = VG_OK;
    if (group->reason != VG_OK) {
        reason = vg_error_set(&call->error, group->reason, "%s", group->message);
    } else if (refused == VG_SAMPLE_NOT_FOUND) {
        reason = vg_sample_calls_not_found(call, request->sha256);
    } else if (refused != VG_OK) {
        reason = vg_error_set(&call->error, refused, NULL);
    } else {
        reason = show_added(work);
    }
    vg_call_complete(call, reason);
}

static int add_verdict(struct vg_call *call)
{
    const Vigil__Sampledb__V2__AddVerdictRequest *request =
        (const Vigil__Sampledb__V2__AddVerdictRequest *)call->request;
    struct vg_sample_reading reading;
    uint8_t sha256[VG_SHA256_SIZE];
    enum vg_reason reason = vg_sample_calls_read(call, request->sha256, &reading);
    memcpy(sha256, reading.record.sha256, sizeof(sha256));
    vg_sample_reading_release(&reading);
    if (reason != VG_OK) {
        return (int)reason;
    }
    struct verdict_work *work = vg_arena_calloc(&call->arena, 1, sizeof(*work));
    if (work == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    work->call = call;
    work->judgement.verdict = (struct vg_sample_verdict){
        .status_override = (int32_t)request->status_override,
        .comment = vg_bytes_text(request->comment),
        .user_id = call->principal->user_id,
    };
    vg_ingest_submission_init(&work->group);
    work->group.done.run = complete;
    vg_sample_change_judge(&work->group, &work->judgement, sha256);
    reason = vg_ingest_submit(call->service->node->ingest, &work->group, &call->error);
    return reason == VG_OK ? VG_CALL_PENDING : (int)reason;
}

int vg_sampledb_v2_add_verdict(
    struct vg_call *call,
    const Vigil__Sampledb__V2__AddVerdictRequest *request,
    Vigil__Sampledb__V2__Verdict *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, add_verdict);
}
