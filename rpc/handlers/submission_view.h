/*
 * Submissions as answers show them.
 *
 * Threads: pure; everything made is in the arena.
 */
#ifndef VG_RPC_HANDLERS_SUBMISSION_VIEW_H
#define VG_RPC_HANDLERS_SUBMISSION_VIEW_H

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/directory/directory.h"
#include "core/record/submission_record.h"

#include "vigil/sampledb/v2/submission.pb-c.h"

/* The answer for `record`. Texts of the record are borrowed; those of the directory are copied.
 * NULL when the arena is full. */
VG_MUST_USE Vigil__Sampledb__V2__Submission *vg_submission_view_make(
    const struct vg_directory_snapshot *directory,
    const struct vg_submission_record *record,
    struct vg_arena *arena);

#endif
