/* vigil.sampledb.v2.SubmissionService: submissions of one sample, and one of them. */
#include <string.h>

#include "core/base/settings.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/submission_calls.h"
#include "rpc/handlers/submission_pages.h"
#include "rpc/handlers/submission_view.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* ---------------------------------------------------------------------------------------- list */

/* Newest first, as searches are. */
static enum vg_reason open_list(
    struct vg_call *call,
    const struct vg_submission_viewer *viewer,
    const uint8_t sample[VG_SHA256_SIZE],
    struct vg_submission_cursor *out_cursor)
{
    const struct vg_predicate *both[] = {
        vg_submission_of_sample(sample, &call->arena),
        vg_submission_access_predicate(viewer, &call->arena),
    };
    const struct vg_submission_store source = vg_submission_pages_store(call);
    const struct vg_submission_search search = {
        .where = vg_predicate_and(&call->arena, both, VG_ARRAY_COUNT(both)),
        .limit = call->reply.limit,
        .offset = call->reply.offset,
        .check = vg_submission_pages_check,
        .owner = call,
    };
    return vg_submission_search_run(&source, &search, &call->arena, out_cursor, &call->error);
}

static int list_submissions(struct vg_call *call)
{
    const Vigil__Sampledb__V2__ListSampleSubmissionsRequest *request =
        (const Vigil__Sampledb__V2__ListSampleSubmissionsRequest *)call->request;
    struct vg_submission_pages *pages = vg_submission_pages_begin(call);
    if (pages == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    uint8_t sample[VG_SHA256_SIZE];
    vg_submission_calls_digest(request->sha256, sample);
    call->reply.limit = request->has_limit ? request->limit : VG_SUBMISSION_LIMIT_DEFAULT;
    call->reply.offset = request->offset;
    const struct vg_submission_viewer viewer = vg_submission_pages_viewer(call, pages);
    enum vg_reason reason = open_list(call, &viewer, sample, &pages->cursor);
    if (reason == VG_OK && pages->cursor.match_count == 0) {
        reason = vg_submission_calls_no_sample(call, sample);
    }
    return (int)vg_submission_pages_end(call, pages, reason);
}

int vg_sampledb_v2_list_sample_submissions(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSampleSubmissionsRequest *request,
    Vigil__Sampledb__V2__SubmissionList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_submissions);
}

/* ----------------------------------------------------------------------------------------- one */

static enum vg_reason show_one(
    struct vg_call *call,
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_id *id)
{
    struct vg_submission_record record;
    const struct vg_submission_store source =
        vg_submission_calls_store(call, call->service->settings->snapshot_age_ms);
    enum vg_reason reason =
        vg_submission_find(&source, viewer, id, &call->arena, &record, &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    const Vigil__Sampledb__V2__Submission *shown =
        vg_submission_view_make(viewer->directory, &record, &call->arena);
    if (shown == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    *(Vigil__Sampledb__V2__Submission *)call->reply.answer = *shown;
    return VG_OK;
}

int vg_sampledb_v2_get_submission(
    struct vg_call *call,
    const Vigil__Sampledb__V2__GetSubmissionRequest *request,
    Vigil__Sampledb__V2__Submission *answer)
{
    (void)answer;
    struct vg_uuid uuid;
    struct vg_submission_id id;
    vg_submission_calls_digest(request->sha256, id.sample);
    vg_submission_calls_uuid(request->submission_id, &uuid);
    memcpy(id.uuid, uuid.bytes, sizeof(id.uuid));
    const struct vg_submission_viewer viewer = {
        .principal = call->principal,
        .directory = vg_directory_snapshot(call->service->node->directory),
        .now = call->now,
    };
    enum vg_reason reason = show_one(call, &viewer, &id);
    vg_directory_snapshot_unref(viewer.directory);
    return (int)reason;
}
