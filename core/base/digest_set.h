/*
 * The four digests of one file, computed together while its bytes pass by, by the caller and, of
 * larger parts, by a thread of an executor that has nothing else to do.
 *
 * Threads: one at a time.
 */
#ifndef VG_CORE_BASE_DIGEST_SET_H
#define VG_CORE_BASE_DIGEST_SET_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/digest.h"
#include "core/base/task.h"

struct vg_digest_set;

struct vg_digests {
    uint8_t sha256[VG_SHA256_SIZE];
    uint8_t sha512[VG_SHA512_SIZE];
    uint8_t sha1[VG_SHA1_SIZE];
    uint8_t md5[VG_MD5_SIZE];
};

/* NULL without memory. */
VG_MUST_USE struct vg_digest_set *vg_digest_set_create(void);
void vg_digest_set_destroy(struct vg_digest_set *set); /* accepts NULL */

/* `helpers` may be NULL; the caller may be one of its threads. */
void vg_digest_set_add(
    struct vg_digest_set *set,
    struct vg_bytes bytes,
    struct vg_executor *helpers);

/* The digests of all that was added; then the set starts again from nothing. */
void vg_digest_set_finish(struct vg_digest_set *set, struct vg_digests *out_digests);

#endif
