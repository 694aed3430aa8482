/*
 * Samples and verdicts as answers show them (sampledb-api.md 2.2, 3.6).
 *
 * Threads: pure; everything made is in the arena, texts of the record are borrowed.
 */
#ifndef VG_RPC_HANDLERS_SAMPLE_VIEW_H
#define VG_RPC_HANDLERS_SAMPLE_VIEW_H

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/directory/directory.h"
#include "core/record/sample_record.h"

#include "vigil/sampledb/v2/sample.pb-c.h"

/* Fill `answer`, initialised. False when the arena is full. */
VG_MUST_USE bool vg_sample_view_fill(
    const struct vg_directory_snapshot *directory,
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__SampleMetaData *answer);

VG_MUST_USE bool vg_sample_view_fill_verdict(
    const struct vg_directory_snapshot *directory,
    const uint8_t sha256[VG_SHA256_SIZE],
    const struct vg_sample_verdict *verdict,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__Verdict *answer);

#endif
