/*
 * A call that may be sent again: with an idempotency key, what was answered to it is stored in the
 * same batch as what it changed, and the same request gets that answer again.
 *
 *     vg_idempotent_call_begin   before anything is made of the request: it may have been answered
 *     vg_idempotent_call_protect what is submitted
 *     vg_idempotent_call_finish  when the writer has answered
 *
 * Threads: as the call; `remember` and `recall` of the submission run on the writer thread.
 */
#ifndef VG_RPC_HANDLERS_IDEMPOTENT_CALL_H
#define VG_RPC_HANDLERS_IDEMPOTENT_CALL_H

#include "core/ingest/ingest.h"
#include "core/record/idempotent_answer.h"
#include "rpc/service/call.h"

struct vg_idempotent_call {
    struct vg_call *call;
    struct vg_idempotent_request request;
    struct vg_key key;
    struct vg_ingest_submission *submission; /* protected; NULL before */
    /* Complete call->reply.answer on the writer thread: everything is merged, nothing is stored
     * yet. */
    void (*complete)(struct vg_ingest_submission *submission);
    struct vg_bytes answer; /* what was answered before; in the call's arena */
};

/*
 * Begin `idempotent`, which is in the call's arena. *out_answered tells that the request had been
 * answered before: the call has its answer. A call without a key never was.
 *
 * Fails with: IDEMPOTENCY_KEY_REUSED, REQUEST_MEMORY, what the store fails with.
 */
VG_MUST_USE enum vg_reason vg_idempotent_call_begin(
    struct vg_call *call,
    struct vg_idempotent_call *idempotent,
    bool *out_answered);

/* Protect what `submission` changes, if the call has a key. */
void vg_idempotent_call_protect(
    struct vg_idempotent_call *idempotent,
    struct vg_ingest_submission *submission,
    void (*complete)(struct vg_ingest_submission *submission));

/* Give the call the answer of before, if the submission was recalled. */
VG_MUST_USE enum vg_reason vg_idempotent_call_finish(struct vg_idempotent_call *idempotent);

#endif
