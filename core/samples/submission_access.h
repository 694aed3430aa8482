/*
 * Who may see a submission: who holds viewSampleSubmission on its customer (also through a parent
 * of it), or is in its acl, himself or by one of his groups. Nobody sees one that has expired,
 * unless it is held because its sample is malicious. A sample is seen through its submissions.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_ACCESS_H
#define VG_CORE_SAMPLES_SUBMISSION_ACCESS_H

#include <stdbool.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/directory/directory.h"
#include "core/record/submission_record.h"
#include "core/table/predicate.h"

/* Functions of the access model as bits of a principal: numbers of vigil.Permission. */
#define VG_FUNCTION_ADD_SAMPLE_SUBMISSION  (UINT64_C(1) << 10)
#define VG_FUNCTION_VIEW_SAMPLE_SUBMISSION (UINT64_C(1) << 11)

/* Who looks, and when. Borrows. */
struct vg_submission_viewer {
    const struct vg_principal *principal;
    const struct vg_directory_snapshot *directory;
    vg_time now;
};

/* May he see `record`? */
bool vg_submission_access_sees(
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_record *record);

/* The same of the rows of the table of submissions. NULL when the arena is full. */
const struct vg_predicate *vg_submission_access_predicate(
    const struct vg_submission_viewer *viewer,
    struct vg_arena *arena);

#endif
