/*
 * Criteria of searches for submissions and of statistics, read from their messages.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_HANDLERS_SUBMISSION_CRITERIA_READ_H
#define VG_RPC_HANDLERS_SUBMISSION_CRITERIA_READ_H

#include <stdbool.h>

#include "core/samples/submission_criteria.h"
#include "rpc/service/call.h"

#include "vigil/sampledb/v2/criteria.pb-c.h"

/* Read the criteria of a SubmissionSearchRequest, or of a message that has the same. Borrows its
 * texts. False when the arena is full. */
VG_MUST_USE bool vg_submission_criteria_read(
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_submission_criteria *out_criteria);

/* Keywords alone, as the simple search has them. */
void vg_submission_criteria_read_list(
    const Vigil__Sampledb__V2__ListSubmissionsRequest *request,
    struct vg_submission_criteria *out_criteria);

/* The bounds of the index window, `NULL` = the last month until now. */
void vg_submission_criteria_read_window(
    const struct vg_call *call,
    const char *start,
    const char *end,
    struct vg_submission_criteria_context *context);

#endif
