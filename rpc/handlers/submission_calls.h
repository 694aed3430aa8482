/*
 * What the handlers of submissions share.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_HANDLERS_SUBMISSION_CALLS_H
#define VG_RPC_HANDLERS_SUBMISSION_CALLS_H

#include "core/samples/submission_reader.h"
#include "rpc/service/call.h"

/* The bytes of a digest or id that validation has let pass. */
void vg_submission_calls_digest(const char *text, uint8_t out_digest[VG_SHA256_SIZE]);
void vg_submission_calls_uuid(const char *text, struct vg_uuid *out_uuid);

/* Set the call's error: there is no such sample. */
enum vg_reason vg_submission_calls_no_sample(
    struct vg_call *call,
    const uint8_t sample[VG_SHA256_SIZE]);

/* Where submissions are read from, for an answer that may take `age_ms`. */
struct vg_submission_store vg_submission_calls_store(const struct vg_call *call, uint32_t age_ms);

#endif
