/*
 * Requests that search for samples, as criteria of the domain.
 *
 * Threads: pure; everything made is in the arena, texts of the request are borrowed.
 */
#ifndef VG_RPC_HANDLERS_SAMPLE_CRITERIA_READ_H
#define VG_RPC_HANDLERS_SAMPLE_CRITERIA_READ_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/samples/sample_criteria.h"
#include "proto/contract.h"

#include "vigil/sampledb/v2/sample_criteria.pb-c.h"

/* Read the criteria of a SampleSearchRequest or SampleSubCriteria. False when the arena is full. */
VG_MUST_USE bool vg_sample_criteria_read(
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_sample_criteria *out_criteria);

/* Those of the simple list. */
void vg_sample_criteria_read_list(
    const Vigil__Sampledb__V2__ListSamplesRequest *request,
    struct vg_sample_criteria *out_criteria);

#endif
