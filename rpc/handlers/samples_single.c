/* vigil.sampledb.v2.SampleService: one sample: what is known of it, and its deletion. */
#include <string.h>

#include "core/base/uuid.h"
#include "core/node/node.h"
#include "core/samples/sample_change.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/sample_calls.h"
#include "rpc/handlers/sample_view.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

static int get_sample(struct vg_call *call)
{
    const Vigil__Sampledb__V2__GetSampleRequest *request =
        (const Vigil__Sampledb__V2__GetSampleRequest *)call->request;
    struct vg_sample_reading reading;
    enum vg_reason reason = vg_sample_calls_read(call, request->sha256, &reading);
    if (reason == VG_OK) {
        const struct vg_directory_snapshot *directory =
            vg_directory_snapshot(call->service->node->directory);
        if (!vg_sample_view_fill(
                directory,
                &reading.record,
                &call->arena,
                (Vigil__Sampledb__V2__SampleMetaData *)call->reply.answer)) {
            reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
        vg_directory_snapshot_unref(directory);
    }
    vg_sample_reading_release(&reading);
    return (int)reason;
}

int vg_sampledb_v2_get_sample(
    struct vg_call *call,
    const Vigil__Sampledb__V2__GetSampleRequest *request,
    Vigil__Sampledb__V2__SampleMetaData *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, get_sample);
}

/* ------------------------------------------------------------------------------------ deletion */

/* A deletion that the writer is asked for. Lives in the arena of its call. */
struct deletion {
    struct vg_ingest_submission group;
    struct vg_sample_change change;
    struct vg_call *call;
};

static void complete(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct deletion *deletion = VG_CONTAINER_OF(group, struct deletion, group);
    struct vg_call *call = deletion->call;
    const Vigil__Sampledb__V2__GetSampleRequest *request =
        (const Vigil__Sampledb__V2__GetSampleRequest *)call->request;
    enum vg_reason reason = VG_OK;
    if (group->reason != VG_OK) {
        reason = vg_error_set(&call->error, group->reason, "%s", group->message);
    } else if (deletion->change.item.reason == VG_SAMPLE_NOT_FOUND) {
        reason = vg_sample_calls_not_found(call, request->sha256);
    } else if (deletion->change.item.reason != VG_OK) {
        reason = vg_error_set(&call->error, deletion->change.item.reason, NULL);
    }
    vg_node_purge_soon(call->service->node);
    vg_call_complete(call, reason);
}

/* Who may delete samples of all customers need not see one to delete it. */
static enum vg_reason find_deletable(
    struct vg_call *call,
    const char *text,
    uint8_t out_sha256[VG_SHA256_SIZE])
{
    struct vg_sample_reading reading;
    enum vg_reason reason = vg_sample_calls_look(call, text, &reading);
    bool may = reading.visible || (reading.exists && vg_sample_access_is_operator(call->principal));
    if (reason == VG_OK && !may) {
        reason = vg_sample_calls_not_found(call, text);
    }
    if (reason == VG_OK) {
        memcpy(out_sha256, reading.record.sha256, VG_SHA256_SIZE);
    }
    vg_sample_reading_release(&reading);
    return reason;
}

static int delete_sample(struct vg_call *call)
{
    const Vigil__Sampledb__V2__GetSampleRequest *request =
        (const Vigil__Sampledb__V2__GetSampleRequest *)call->request;
    Vigil__Sampledb__V2__SampleTask *answer = (Vigil__Sampledb__V2__SampleTask *)call->reply.answer;
    struct vg_node *node = call->service->node;
    uint8_t sha256[VG_SHA256_SIZE];
    enum vg_reason reason = find_deletable(call, request->sha256, sha256);
    if (reason != VG_OK) {
        return (int)reason;
    }
    struct deletion *deletion = vg_arena_calloc(&call->arena, 1, sizeof(*deletion));
    answer->correlation_id = vg_arena_alloc(&call->arena, VG_UUID_TEXT_SIZE);
    if (deletion == NULL || answer->correlation_id == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_uuid id = vg_uuid_make(node->random);
    vg_uuid_print(&id, answer->correlation_id);
    deletion->call = call;
    vg_ingest_submission_init(&deletion->group);
    deletion->group.done.run = complete;
    vg_sample_change_delete(&deletion->group, &deletion->change, sha256);
    reason = vg_ingest_submit(node->ingest, &deletion->group, &call->error);
    return reason == VG_OK ? VG_CALL_PENDING : (int)reason;
}

int vg_sampledb_v2_delete_sample(
    struct vg_call *call,
    const Vigil__Sampledb__V2__GetSampleRequest *request,
    Vigil__Sampledb__V2__SampleTask *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, delete_sample);
}
