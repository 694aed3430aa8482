#include "rpc/handlers/idempotent_call.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/node/node.h"
#include "core/wire/wire_encode.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/service/service.h"

static bool has_key(const struct vg_idempotent_call *idempotent)
{
    return idempotent->call->idempotency_key.data != NULL;
}

static struct vg_idempotent_call *of_submission(const struct vg_ingest_submission *submission)
{
    return submission->idempotency_owner;
}

/* Read what is stored under the key; it is copied, since the store's bytes are unpinned. */
static enum vg_reason look(struct vg_idempotent_call *idempotent, struct vg_bytes record)
{
    bool outdated = false;
    struct vg_call *call = idempotent->call;
    enum vg_reason reason = vg_idempotent_answer_recall(
        &idempotent->request,
        record,
        &call->arena,
        &idempotent->answer,
        &outdated);
    return reason == VG_OK ? VG_OK : vg_error_set(&call->error, reason, NULL);
}

enum vg_reason vg_idempotent_call_begin(
    struct vg_call *call,
    struct vg_idempotent_call *idempotent,
    bool *out_answered)
{
    const struct vg_node *node = call->service->node;
    *idempotent = (struct vg_idempotent_call){ .call = call };
    *out_answered = false;
    if (!has_key(idempotent)) {
        return VG_OK;
    }
    idempotent->request = (struct vg_idempotent_request){
        .user_id = call->principal->user_id,
        .method = vg_bytes_text(call->method->path),
        .now = call->now,
    };
    memcpy(idempotent->request.sha256, call->request_sha256, sizeof(idempotent->request.sha256));
    vg_idempotent_answer_key(&idempotent->key, call->principal->user_id, call->idempotency_key);
    struct vg_store_value value;
    enum vg_reason reason = vg_store_get_one(
        node->store,
        NULL,
        VG_NODE_SHARD,
        vg_key_bytes(&idempotent->key),
        &value,
        &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    if (value.found) {
        reason = look(idempotent, value.bytes);
    }
    vg_store_value_release(&value);
    if (reason == VG_OK && idempotent->answer.data != NULL) {
        *out_answered = true;
        reason = vg_event_calls_reply(call, idempotent->answer);
    }
    return reason;
}

/* ------------------------------------------------------------------------- on the writer thread */

static bool is_outdated(const struct vg_ingest_submission *submission, struct vg_bytes value)
{
    return vg_idempotent_answer_is_outdated(value, of_submission(submission)->request.now);
}

static enum vg_reason recall(struct vg_ingest_submission *submission, struct vg_bytes value)
{
    return look(of_submission(submission), value);
}

static struct vg_bytes remember(struct vg_ingest_submission *submission, struct vg_arena *arena)
{
    struct vg_idempotent_call *idempotent = of_submission(submission);
    const struct vg_call *call = idempotent->call;
    struct vg_bytes record = vg_bytes(NULL, 0);
    struct vg_buffer answer;
    idempotent->complete(submission);
    vg_buffer_init(&answer, VG_STORE_VALUE_BYTES_MAX / 2);
    if (!vg_wire_encode(call->method->answer, call->reply.answer, &answer) ||
        vg_idempotent_answer_pack(&idempotent->request, vg_buffer_bytes(&answer), arena, &record) !=
            VG_OK) {
        record = vg_bytes(NULL, 0);
    }
    vg_buffer_dispose(&answer);
    return record;
}

/* ---------------------------------------------------------------------------------------------- */

void vg_idempotent_call_protect(
    struct vg_idempotent_call *idempotent,
    struct vg_ingest_submission *submission,
    void (*complete)(struct vg_ingest_submission *submission))
{
    if (!has_key(idempotent)) {
        return;
    }
    idempotent->submission = submission;
    idempotent->complete = complete;
    submission->idempotency_key = vg_key_bytes(&idempotent->key);
    submission->idempotency_owner = idempotent;
    submission->outdated = is_outdated;
    submission->recall = recall;
    submission->remember = remember;
}

enum vg_reason vg_idempotent_call_finish(struct vg_idempotent_call *idempotent)
{
    if (idempotent->submission == NULL || !idempotent->submission->recalled) {
        return VG_OK;
    }
    return vg_event_calls_reply(idempotent->call, idempotent->answer);
}
