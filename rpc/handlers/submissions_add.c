/*
 * vigil.sampledb.v2.SubmissionService.AddSubmission.
 *
 * A call is read and resolved on the worker, queued with the sample's own change, and completed by
 * the writer, which decides about sample, token and what is similar. Everything of it is in the
 * call's arena; the directory is held until it is answered.
 */
#include <string.h>

#include "core/base/settings.h"
#include "core/node/node.h"
#include "core/samples/sample_ingest.h"
#include "core/samples/submission.h"
#include "core/samples/submission_ingest.h"
#include "core/wire/validate.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/submission_calls.h"
#include "rpc/handlers/submission_view.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* Memory that resolving, packing and answering take beside the texts, and how often texts are
 * copied. */
#define VG_ADD_BYTES       (256u * 1024u)
#define VG_ADD_TEXT_FACTOR 4u

#define VG_STATUS_RATE_LIMITED 220u

struct adding_work {
    struct vg_ingest_submission group;
    struct vg_call *call;
    struct vg_submission_context context;
    struct vg_submission_adding adding;
    struct vg_sample_submitted submitted;
};

/* --------------------------------------------------------------------------------- completion */

static enum vg_reason show(struct adding_work *work)
{
    struct vg_call *call = work->call;
    Vigil__Sampledb__V2__AddSubmissionAnswer *answer =
        (Vigil__Sampledb__V2__AddSubmissionAnswer *)call->reply.answer;
    answer->submission =
        vg_submission_view_make(work->context.directory, &work->adding.stored, &call->arena);
    return answer->submission != NULL ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static enum vg_reason show_similar(struct adding_work *work)
{
    const Vigil__Sampledb__V2__AddSubmissionRequest *request =
        (const Vigil__Sampledb__V2__AddSubmissionRequest *)work->call->request;
    struct vg_call *call = work->call;
    Vigil__Sampledb__V2__AddSubmissionAnswer *answer =
        (Vigil__Sampledb__V2__AddSubmissionAnswer *)call->reply.answer;
    Vigil__Sampledb__V2__SubmissionRateLimited *limited =
        vg_arena_alloc(&call->arena, sizeof(*limited));
    if (limited == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__sampledb__v2__submission_rate_limited__init(limited);
    limited->sample_sha256 = request->sha256;
    for (char *digit = limited->sample_sha256; *digit != '\0'; digit++) {
        *digit = (char)(*digit >= 'A' && *digit <= 'F' ? *digit - 'A' + 'a' : *digit);
    }
    answer->rate_limited = limited;
    call->reply.status = VG_STATUS_RATE_LIMITED;
    call->reply.notice = VG_SUBMISSION_RATE_LIMITED;
    return VG_OK;
}

/* One answer for every token that is not good. */
static enum vg_reason refuse_token(struct vg_call *call)
{
    (void)vg_error_set(&call->error, VG_INVALID_CHALLENGE, NULL);
    return vg_error_field(&call->error, "challengeToken", "");
}

static enum vg_reason settle(struct adding_work *work)
{
    struct vg_call *call = work->call;
    if (work->group.reason == VG_SAMPLE_NOT_FOUND) {
        return vg_submission_calls_no_sample(call, work->adding.record.sample);
    }
    if (work->group.reason != VG_OK) {
        return vg_error_set(&call->error, work->group.reason, "%s", work->group.message);
    }
    switch (work->adding.answer) {
    case VG_SUBMISSION_STORED:
    case VG_SUBMISSION_REPEATED:
        return show(work);
    case VG_SUBMISSION_SIMILAR:
        return show_similar(work);
    case VG_SUBMISSION_UNPROVEN:
        break;
    }
    return refuse_token(call);
}

static void release(struct adding_work *work)
{
    vg_directory_snapshot_unref(work->context.directory);
    work->context.directory = NULL;
}

/* On the writer thread: the submission is durable and visible, or not stored. */
static void complete(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct adding_work *work = VG_CONTAINER_OF(group, struct adding_work, group);
    struct vg_call *call = work->call;
    enum vg_reason reason = settle(work);
    release(work);
    vg_call_complete(call, reason);
}

/* -------------------------------------------------------------------------------------- stages */

/* The request's metadata as the core takes it; false when the arena is full. */
static bool read_meta(
    const Vigil__Sampledb__V2__AddSubmissionRequest *request,
    struct vg_arena *arena,
    struct vg_submission_input *input)
{
    struct vg_submission_meta *meta =
        vg_arena_alloc(arena, (request->n_meta_data + 1) * sizeof(*meta));
    if (meta == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->n_meta_data; i++) {
        const char *key = request->meta_data[i]->key;
        const char *value = request->meta_data[i]->value;
        meta[i].key = vg_bytes_text(key == NULL ? "" : key);
        meta[i].value = vg_bytes_text(value == NULL ? "" : value);
    }
    input->meta = meta;
    input->meta_count = request->n_meta_data;
    return true;
}

static bool read_input(
    const Vigil__Sampledb__V2__AddSubmissionRequest *request,
    struct vg_arena *arena,
    struct vg_submission_input *input)
{
    *input = (struct vg_submission_input){
        .file_name = request->file_name,
        .customer = request->customer,
        .has_observed = request->observed_timestamp != NULL,
        .timestamp = request->timestamp,
        .mime_type = request->mime_type,
        .tlp = request->has_tlp ? (enum vg_tlp)request->tlp : 0,
        .acl = request->acl,
        .acl_count = request->n_acl,
        .agent_name = request->user_agent->name,
        .agent_version = request->user_agent->version,
        .has_retention = request->retention != NULL,
    };
    vg_submission_calls_digest(request->sha256, input->sample);
    if (input->has_observed) {
        input->observed = vg_wire_time(request->observed_timestamp);
    }
    if (input->has_retention) {
        input->retention = vg_wire_time(request->retention);
    }
    return read_meta(request, arena, input);
}

/* What the writer needs to know of the token, and of requests that are the same or similar. */
static bool read_attempt(
    const struct vg_call *call,
    const Vigil__Sampledb__V2__AddSubmissionRequest *request,
    bool has_observed,
    struct vg_submission_adding *adding)
{
    struct vg_arena *arena = adding->arena;
    vg_submission_calls_uuid(request->challenge_token->id, &adding->challenge);
    vg_submission_calls_digest(request->challenge_token->sha256, adding->attempt.proof);
    adding->attempt.user_id = call->principal->user_id;
    vg_digest_sha256(vg_buffer_bytes(&call->body), adding->attempt.sent);
    adding->similar_window_ms = call->service->settings->sampledb_similar_window_ms;
    return vg_submission_meant(&adding->record, has_observed, arena, adding->attempt.meant) &&
           vg_submission_similar(&adding->record, arena, adding->similar);
}

static enum vg_reason prepare(
    struct adding_work *work,
    const Vigil__Sampledb__V2__AddSubmissionRequest *request)
{
    struct vg_call *call = work->call;
    struct vg_submission_input input;
    bool has_observed = false;
    if (!read_input(request, &call->arena, &input)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    if (!vg_submission_read(
            &input,
            &work->context,
            &work->adding.record,
            &has_observed,
            &call->error.violations)) {
        return vg_error_from_violations(&call->error);
    }
    enum vg_reason reason =
        vg_submission_resolve(&input, &work->context, &work->adding.record, &call->error);
    if (reason == VG_OK && !read_attempt(call, request, has_observed, &work->adding)) {
        reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return reason;
}

static enum vg_reason queue(struct adding_work *work)
{
    struct vg_call *call = work->call;
    struct vg_submission_adding *adding = &work->adding;
    adding->record.id = vg_uuid_make(call->service->node->random);
    vg_ingest_submission_init(&work->group);
    work->group.all_or_nothing = true;
    work->group.done.run = complete;
    vg_submission_ingest_add(&work->group, adding);
    work->submitted = (struct vg_sample_submitted){
        .observed = adding->record.observed,
        .submission = &adding->item,
    };
    vg_sample_ingest_submitted(&work->group, &work->submitted, adding->record.sample);
    return vg_ingest_submit(call->service->node->ingest, &work->group, &call->error);
}

int vg_sampledb_v2_add_submission(
    struct vg_call *call,
    const Vigil__Sampledb__V2__AddSubmissionRequest *request,
    Vigil__Sampledb__V2__AddSubmissionAnswer *answer)
{
    (void)answer;
    struct vg_node *node = call->service->node;
    vg_arena_set_max(
        &call->arena,
        call->arena.bytes_max + VG_ADD_BYTES + call->body.size * VG_ADD_TEXT_FACTOR);
    struct adding_work *work = vg_arena_calloc(&call->arena, 1, sizeof(*work));
    if (work == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    work->call = call;
    work->adding.arena = &call->arena;
    work->context = (struct vg_submission_context){
        .directory = vg_directory_snapshot(node->directory),
        .principal = call->principal,
        .arena = &call->arena,
        .now = call->now,
        .trusted_agents = node->settings->sampledb_trusted_agents,
    };
    enum vg_reason reason = prepare(work, request);
    if (reason == VG_OK) {
        reason = queue(work);
    }
    if (reason != VG_OK) {
        release(work);
        return (int)reason;
    }
    return VG_CALL_PENDING; /* the call is the writer's now */
}
