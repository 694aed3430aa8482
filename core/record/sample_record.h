/*
 * The stored sample: what is known of a file, whose SHA-256 is the key of the record.
 *
 * The packed form, vigil.record.v1.Sample, is answer-ready: digests are hexadecimal text, and
 * fields below 100 are those of vigil.sampledb.v2.SampleMetaData.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_SAMPLE_RECORD_H
#define VG_CORE_RECORD_SAMPLE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/error.h"

/* A manual verdict says one or the other; the scores that go with them. */
#define VG_VERDICT_SCORE_MALICIOUS 100
#define VG_VERDICT_SCORE_BENIGN    0

struct vg_sample_verdict {
    vg_time created;
    int32_t score;           /* -1 = none, 0 to 100 */
    int32_t status_override; /* number of vigil.sampledb.v2.StatusOverride; 0 = none */
    uint32_t flags;          /* bit = number of vigil.sampledb.v2.VerdictFlag */
    struct vg_bytes comment; /* UTF-8, NUL behind it */
    int64_t user_id;
};

/* What a search can ask of a verdict, as a number: score and flags. */
#define VG_VERDICT_SCORE_MIN (-1)
#define VG_VERDICT_SCORE_MAX 100
#define VG_VERDICT_FLAGS_MAX 4u /* numbers of flags are below */
static inline uint32_t vg_sample_verdict_mark(int32_t score, uint32_t flags)
{
    return (uint32_t)(score - VG_VERDICT_SCORE_MIN) | flags << 8;
}

/* Distinct marks there can be. */
#define VG_VERDICT_MARKS_MAX                                                                       \
    ((VG_VERDICT_SCORE_MAX - VG_VERDICT_SCORE_MIN + 1u) << VG_VERDICT_FLAGS_MAX)

struct vg_sample_record {
    uint8_t sha256[VG_SHA256_SIZE];
    uint8_t sha512[VG_SHA512_SIZE];
    uint8_t sha1[VG_SHA1_SIZE];
    uint8_t md5[VG_MD5_SIZE];
    int64_t size; /* bytes */
    vg_time created;
    vg_time deleted; /* 0 = the file is there */
    uint64_t revision;
    vg_time
        first_submitted; /* 0 = there never was a submission; then the other three mean nothing */
    vg_time last_submitted;
    vg_time first_observed;
    vg_time last_observed;
    uint64_t purged_until; /* what batches up to this one stored is being deleted; 0 = nothing is */
    uint32_t verdict_count;
    struct vg_sample_verdict latest_verdict; /* if verdict_count is not 0 */
    const uint32_t *verdict_marks;           /* each once */
    uint32_t verdict_mark_count;
};

/* Is the sample malicious? Then its submissions are kept past their expiry. */
bool vg_sample_is_malicious(const struct vg_sample_record *record);

/*
 * Pack `record` into `arena`.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_record_pack(
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes,
    struct vg_error *error);

/*
 * Unpack what lies under the key of `sha256`. Comment and marks of verdicts are in `arena`.
 *
 * Fails with: STORE_CORRUPT, also for a record of another sample; REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_record_unpack(
    const uint8_t sha256[VG_SHA256_SIZE],
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_sample_record *out_record,
    struct vg_error *error);

/*
 * The same for a verdict, vigil.record.v1.SampleVerdict; its comment is in `arena`.
 *
 * Fail with: REQUEST_MEMORY; the second one STORE_CORRUPT.
 */
VG_MUST_USE enum vg_reason vg_sample_verdict_pack(
    const struct vg_sample_verdict *verdict,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes,
    struct vg_error *error);
VG_MUST_USE enum vg_reason vg_sample_verdict_unpack(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_sample_verdict *out_verdict,
    struct vg_error *error);

#endif
