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

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/error.h"

struct vg_sample_record {
    uint8_t sha256[VG_SHA256_SIZE];
    uint8_t sha512[VG_SHA512_SIZE];
    uint8_t sha1[VG_SHA1_SIZE];
    uint8_t md5[VG_MD5_SIZE];
    int64_t size; /* bytes */
    vg_time created;
    vg_time deleted; /* 0 = the file is there */
    uint64_t revision;
};

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
 * Unpack what lies under the key of `sha256`. `arena` is needed meanwhile only.
 *
 * Fails with: STORE_CORRUPT, also for a record of another sample; REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_record_unpack(
    const uint8_t sha256[VG_SHA256_SIZE],
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_sample_record *out_record,
    struct vg_error *error);

#endif
