/*
 * The stored submission: that a customer saw a file. Its key is the SHA-256 of the sample and its
 * own id.
 *
 * The packed form is vigil.record.v1.Submission: fields below 100 are those of the answer, which is
 * read from the same bytes; customer, acl and submitter are ids.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_SUBMISSION_RECORD_H
#define VG_CORE_RECORD_SUBMISSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/uuid.h"

/* Numbers of vigil.sampledb.v2.Tlp. */
enum vg_tlp { VG_TLP_RED = 1, VG_TLP_AMBER = 2, VG_TLP_GREEN = 3, VG_TLP_CLEAR = 4 };

/* Numbers of vigil.sampledb.v2.SubmissionFlag; in sets, bits of these numbers. */
enum vg_submission_flag {
    VG_SUBMISSION_TRUSTED_AGENT = 1,
    VG_SUBMISSION_EVENT_GENERATED_NORMAL = 2,
    VG_SUBMISSION_EVENT_GENERATED_ALERTED = 3,
    VG_SUBMISSION_EVENT_GENERATED_ALERTED_FLOOD = 4,
};
#define VG_SUBMISSION_FLAG_MAX 4u

/* One of the metadata. */
struct vg_submission_meta {
    struct vg_bytes key;
    struct vg_bytes value;
};

/* Texts are NUL-terminated behind their size. */
struct vg_submission_record {
    uint8_t sample[VG_SHA256_SIZE];
    struct vg_uuid id;
    struct vg_bytes file_name;
    struct vg_bytes mime_type;
    struct vg_bytes agent_name;
    struct vg_bytes agent_version;
    vg_time observed;
    vg_time submitted;
    vg_time expiry;                        /* 0 = never */
    const struct vg_submission_meta *meta; /* rising by key, no key twice */
    size_t meta_count;
    enum vg_tlp tlp;
    uint32_t flags; /* bits of enum vg_submission_flag */
    int64_t customer_id;
    const int64_t *acl; /* rising, no id twice */
    size_t acl_count;
    int64_t user_id; /* who submitted */
    uint64_t revision;
    bool held; /* kept past its expiry: the sample is malicious */
};

/*
 * Pack `record` into `arena`.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_record_pack(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes);

/*
 * Unpack what lies under the key of `sample` and `id`. Everything is copied into `arena`.
 *
 * Fails with: STORE_CORRUPT, also for a record of another submission; REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_record_unpack(
    const uint8_t sample[VG_SHA256_SIZE],
    const struct vg_uuid *id,
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    struct vg_error *error);

#endif
