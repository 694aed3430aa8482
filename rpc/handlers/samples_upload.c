/*
 * vigil.sampledb.v2.SampleService.UploadSample: the bytes go to a file and through four digests as
 * they arrive; when all are there the file is made durable, then recorded, together with a
 * challenge that is solved already: who has sent the file need not prove again that he holds it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/digest_set.h"
#include "core/base/hex.h"
#include "core/base/settings.h"
#include "core/ingest/ingest_wait.h"
#include "core/node/node.h"
#include "core/samples/challenge_ingest.h"
#include "core/samples/sample_ingest.h"
#include "core/store/blob_files.h"
#include "proto/contract_handlers.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* Outlives its call when that is broken off: then it is given back by an executor thread. */
struct upload {
    struct vg_intake intake;
    struct vg_task closing;
    struct vg_service *service;
    struct vg_blob_writer writer;
    struct vg_digest_set *digests; /* NULL before the first bytes */
};

static struct upload *upload_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct upload, intake);
}

/* ---- taking */

/* The file is made with the first bytes: not on the worker, which has accepted the request. */
static enum vg_reason begin(struct upload *upload, struct vg_error *error)
{
    upload->digests = vg_digest_set_create();
    if (upload->digests == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    return vg_blob_writer_begin(
        upload->service->node->blobs,
        upload->service->settings->sample_bytes_max,
        &upload->writer,
        error);
}

static enum vg_reason take(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error)
{
    struct upload *upload = upload_of(intake);
    enum vg_reason reason = upload->digests == NULL ? begin(upload, error) : VG_OK;
    if (reason == VG_OK) {
        vg_digest_set_add(upload->digests, part, upload->service->executor);
        reason = vg_blob_writer_append(&upload->writer, part, error);
    }
    return reason;
}

static void close_upload(struct vg_task *task)
{
    struct upload *upload = VG_CONTAINER_OF(task, struct upload, closing);
    vg_blob_writer_abort(&upload->writer);
    vg_digest_set_destroy(upload->digests);
    free(upload);
}

/* Removing a large file takes its time, which no worker has. */
static void close_later(struct vg_intake *intake)
{
    struct upload *upload = upload_of(intake);
    upload->closing.run = close_upload;
    if (upload->writer.files == NULL ||
        !vg_executor_post(upload->service->executor, &upload->closing)) {
        close_upload(&upload->closing);
    }
}

/* ---- storing */

/* What is recorded of one upload, in one batch: the sample, and a challenge that is solved. */
struct recorded {
    struct vg_sample_upload sample;
    struct vg_challenge_issue challenge;
};

/* A range of the file and its digest: what a client would have to answer. */
static enum vg_reason solve(
    struct upload *upload,
    struct recorded *recorded,
    struct vg_error *error)
{
    const struct vg_node *node = upload->service->node;
    struct vg_challenge_issue *challenge = &recorded->challenge;
    struct vg_blob_reader reader = { .open = false };
    bool found = false;
    int64_t size = recorded->sample.record.size;
    /* Of a smaller file all of it: no challenge is issued for one, but this token holds. */
    challenge->range = size < (int64_t)VG_CHALLENGE_LENGTH_MIN
                           ? (struct vg_challenge_range){ .length = (uint32_t)size }
                           : vg_challenge_draw(node->random, size);
    enum vg_reason reason =
        vg_blob_reader_open(node->blobs, challenge->sample, &reader, &found, error);
    if (reason == VG_OK && !found) {
        reason = vg_error_set(error, VG_STORE_IO, NULL);
    }
    uint8_t *bytes = reason == VG_OK ? malloc(challenge->range.length) : NULL;
    if (reason == VG_OK && bytes == NULL) {
        reason = vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    if (reason == VG_OK) {
        reason = vg_blob_reader_read(
            &reader,
            challenge->range.offset,
            bytes,
            challenge->range.length,
            error);
    }
    if (reason == VG_OK) {
        vg_digest_sha256(vg_bytes(bytes, challenge->range.length), challenge->proof);
    }
    free(bytes);
    vg_blob_reader_close(&reader);
    return reason;
}

static enum vg_reason record(
    const struct vg_node *node,
    struct recorded *recorded,
    bool *out_refused,
    struct vg_error *error)
{
    struct vg_ingest_wait wait;
    vg_ingest_wait_init(&wait);
    wait.group.all_or_nothing = true;
    vg_sample_ingest_upload(&wait.group, &recorded->sample);
    vg_challenge_ingest_issue(&wait.group, &recorded->challenge);
    enum vg_reason reason = vg_ingest_wait_run(node->ingest, &wait, out_refused, error);
    vg_ingest_wait_dispose(&wait);
    return reason;
}

/* The file first, then the record that says it is there. Nobody else decides about this digest
 * meanwhile. */
static enum vg_reason store(
    struct upload *upload,
    struct recorded *recorded,
    struct vg_error *error)
{
    struct vg_node *node = upload->service->node;
    const uint8_t *sha256 = recorded->sample.record.sha256;
    bool is_new_file = false;
    bool is_refused = true;
    vg_blob_files_lock(node->blobs, sha256);
    enum vg_reason reason = vg_blob_writer_commit(&upload->writer, sha256, &is_new_file, error);
    if (reason == VG_OK) {
        reason = solve(upload, recorded, error);
    }
    if (reason == VG_OK) {
        reason = record(node, recorded, &is_refused, error);
    }
    if (reason != VG_OK && is_refused && is_new_file) {
        bool found = false;
        (void)!vg_blob_files_remove(node->blobs, sha256, &found, NULL);
    }
    vg_blob_files_unlock(node->blobs, sha256);
    return reason;
}

/* ---- answering */

static char *hex_text(struct vg_arena *arena, const uint8_t *digest)
{
    char text[2 * VG_SHA256_SIZE + 1];
    vg_hex_encode(vg_bytes(digest, VG_SHA256_SIZE), text);
    return vg_arena_text(arena, vg_bytes_text(text));
}

static enum vg_reason set_answer(struct vg_call *call, const struct recorded *recorded)
{
    const struct vg_sample_upload *sample = &recorded->sample;
    Vigil__Sampledb__V2__UploadedSample *answer =
        (Vigil__Sampledb__V2__UploadedSample *)call->reply.answer;
    Vigil__Sampledb__V2__SampleInfo *info = vg_arena_alloc(&call->arena, sizeof(*info));
    Vigil__Sampledb__V2__ChallengeToken *token = vg_arena_alloc(&call->arena, sizeof(*token));
    if (info == NULL || token == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    char id[VG_UUID_TEXT_SIZE];
    vg_uuid_print(&recorded->challenge.id, id);
    vigil__sampledb__v2__sample_info__init(info);
    info->id = hex_text(&call->arena, sample->record.sha256);
    info->has_size = true;
    info->size = sample->record.size;
    vigil__sampledb__v2__challenge_token__init(token);
    token->id = vg_arena_text(&call->arena, vg_bytes_text(id));
    token->sha256 = hex_text(&call->arena, recorded->challenge.proof);
    answer->sample = info;
    answer->challenge = token;
    answer->has_exists = true;
    answer->exists = !sample->is_new;
    call->reply.status = sample->is_new ? 0 : 200;
    return info->id != NULL && token->id != NULL && token->sha256 != NULL
               ? VG_OK
               : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static void fill(const struct upload *upload, const struct vg_call *call, struct recorded *recorded)
{
    struct vg_sample_record *sample = &recorded->sample.record;
    struct vg_challenge_issue *challenge = &recorded->challenge;
    struct vg_digests digests;
    vg_digest_set_finish(upload->digests, &digests);
    memcpy(sample->sha256, digests.sha256, sizeof(digests.sha256));
    memcpy(sample->sha512, digests.sha512, sizeof(digests.sha512));
    memcpy(sample->sha1, digests.sha1, sizeof(digests.sha1));
    memcpy(sample->md5, digests.md5, sizeof(digests.md5));
    sample->size = (int64_t)upload->writer.size;
    memcpy(challenge->sample, digests.sha256, sizeof(digests.sha256));
    challenge->user_id = call->principal->user_id;
    challenge->lifetime_ms = upload->service->settings->challenge_lifetime_ms;
    challenge->solved = true;
    challenge->id = vg_uuid_make(upload->service->node->random);
}

static int finish(struct vg_intake *intake, struct vg_call *call)
{
    struct upload *upload = upload_of(intake);
    if (upload->writer.size == 0) {
        (void)vg_error_set(&call->error, VG_REQUIRED_FIELD, "The file is empty");
        return (int)vg_error_field(&call->error, "data", NULL);
    }
    struct recorded recorded = { .sample = { .is_new = false } };
    fill(upload, call, &recorded);
    enum vg_reason reason = vg_blob_writer_sync(&upload->writer, &call->error);
    if (reason == VG_OK) {
        reason = vg_call_check(call); /* before the commit, not after */
    }
    if (reason == VG_OK) {
        reason = store(upload, &recorded, &call->error);
    }
    return (int)(reason == VG_OK ? set_answer(call, &recorded) : reason);
}

static const struct vg_intake_class upload_class = {
    .take = take,
    .finish = finish,
    .close = close_later,
};

int vg_sampledb_v2_upload_sample(
    struct vg_call *call,
    const Vigil__Sampledb__V2__UploadSampleRequest *request,
    Vigil__Sampledb__V2__UploadedSample *answer)
{
    (void)request;
    (void)answer;
    struct upload *upload = calloc(1, sizeof(*upload));
    if (upload == NULL) {
        return (int)vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    upload->intake.class = &upload_class;
    upload->service = call->service;
    return vg_call_receive(call, &upload->intake, call->service->settings->sample_bytes_max);
}
