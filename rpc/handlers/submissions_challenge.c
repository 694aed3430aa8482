/*
 * vigil.sampledb.v2.SubmissionService.GetChallenge: a part of the file to be hashed.
 *
 * The part is hashed here, before the challenge is stored, so that whoever answers it later is
 * compared with a digest and nothing else: that takes no time that tells something.
 */
#include <string.h>

#include "core/base/settings.h"
#include "core/ingest/ingest.h"
#include "core/node/node.h"
#include "core/record/sample_record.h"
#include "core/samples/challenge_ingest.h"
#include "core/store/blob_files.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/submission_calls.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* Bytes of the file hashed at a time: they stay in the nearest cache, on the stack. */
#define VG_CHALLENGE_PART_BYTES (16u * 1024u)

struct challenge_work {
    struct vg_ingest_submission group;
    struct vg_call *call;
    struct vg_challenge_issue issue;
};

/* --------------------------------------------------------------------------------- completion */

static enum vg_reason set_answer(struct challenge_work *work)
{
    struct vg_call *call = work->call;
    Vigil__Sampledb__V2__Challenge *answer = (Vigil__Sampledb__V2__Challenge *)call->reply.answer;
    char *id = vg_arena_alloc(&call->arena, VG_UUID_TEXT_SIZE);
    if (id == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_uuid_print(&work->issue.id, id);
    answer->id = id;
    answer->has_offset = answer->has_length = true;
    answer->offset = (int32_t)work->issue.range.offset;
    answer->length = (int32_t)work->issue.range.length;
    return VG_OK;
}

/* On the writer thread: the challenge is durable, or not stored. */
static void complete(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct challenge_work *work = VG_CONTAINER_OF(group, struct challenge_work, group);
    struct vg_call *call = work->call;
    enum vg_reason reason = group->reason;
    if (reason != VG_OK) {
        reason = vg_error_set(&call->error, reason, "%s", group->message);
    } else if (work->issue.item.reason == VG_SAMPLE_NOT_FOUND) {
        reason = vg_submission_calls_no_sample(call, work->issue.sample);
    } else if (work->issue.item.reason != VG_OK) {
        reason = vg_error_set(&call->error, work->issue.item.reason, NULL);
    } else {
        reason = set_answer(work);
    }
    vg_call_complete(call, reason);
}

/* -------------------------------------------------------------------------------------- stages */

static enum vg_reason hash_range(
    const struct vg_blob_reader *reader,
    struct vg_challenge_range range,
    uint8_t out_digest[VG_SHA256_SIZE],
    struct vg_error *error)
{
    uint8_t part[VG_CHALLENGE_PART_BYTES];
    struct vg_digest *digest = vg_digest_create(VG_DIGEST_KIND_SHA256);
    enum vg_reason reason = VG_OK;
    if (digest == NULL) {
        reason = vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t done = 0; reason == VG_OK && done < range.length;) {
        size_t size = range.length - done;
        size = size < VG_CHALLENGE_PART_BYTES ? size : VG_CHALLENGE_PART_BYTES;
        reason = vg_blob_reader_read(reader, range.offset + done, part, size, error);
        if (reason == VG_OK) {
            vg_digest_add(digest, vg_bytes(part, size));
        }
        done += size;
    }
    if (reason == VG_OK) {
        vg_digest_finish(digest, out_digest);
    }
    vg_digest_destroy(digest);
    return reason;
}

/* Draw a range of the file and hash it. */
static enum vg_reason prepare(struct challenge_work *work)
{
    struct vg_call *call = work->call;
    struct vg_node *node = call->service->node;
    struct vg_blob_reader reader;
    bool found = false;
    enum vg_reason reason =
        vg_blob_reader_open(node->blobs, work->issue.sample, &reader, &found, &call->error);
    if (reason != VG_OK || !found) {
        return reason != VG_OK ? reason : vg_submission_calls_no_sample(call, work->issue.sample);
    }
    if (reader.size < node->settings->challenge_file_bytes_min) {
        reason = vg_error_set(&call->error, VG_SAMPLE_TOO_SMALL, NULL);
    } else {
        work->issue.range = vg_challenge_draw(node->random, (int64_t)reader.size);
        reason = hash_range(&reader, work->issue.range, work->issue.proof, &call->error);
    }
    vg_blob_reader_close(&reader);
    return reason;
}

/* On an executor thread. */
static int issue_challenge(struct vg_call *call)
{
    const Vigil__Sampledb__V2__GetChallengeRequest *request =
        (const Vigil__Sampledb__V2__GetChallengeRequest *)call->request;
    struct vg_node *node = call->service->node;
    struct challenge_work *work = vg_arena_calloc(&call->arena, 1, sizeof(*work));
    if (work == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    work->call = call;
    work->issue.user_id = call->principal->user_id;
    work->issue.lifetime_ms = node->settings->challenge_lifetime_ms;
    work->issue.id = vg_uuid_make(node->random);
    vg_submission_calls_digest(request->sha256, work->issue.sample);
    enum vg_reason reason = prepare(work);
    if (reason == VG_OK) {
        reason = vg_call_check(call);
    }
    if (reason != VG_OK) {
        return (int)reason;
    }
    vg_ingest_submission_init(&work->group);
    vg_challenge_ingest_issue(&work->group, &work->issue);
    work->group.done.run = complete;
    reason = vg_ingest_submit(node->ingest, &work->group, &call->error);
    return reason == VG_OK ? VG_CALL_PENDING : (int)reason; /* the call is the writer's now */
}

int vg_sampledb_v2_get_challenge(
    struct vg_call *call,
    const Vigil__Sampledb__V2__GetChallengeRequest *request,
    Vigil__Sampledb__V2__Challenge *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, issue_challenge);
}
