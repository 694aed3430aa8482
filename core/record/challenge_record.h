/*
 * The stored challenge, by which a user proves to hold a file: vigil.record.v1.Challenge under the
 * keys of sample and challenge; and the list of those that one user has open about one sample.
 *
 * What the states mean is core/samples/challenge.h.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_CHALLENGE_RECORD_H
#define VG_CORE_RECORD_CHALLENGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/uuid.h"

enum vg_challenge_state {
    VG_CHALLENGE_ISSUED = 1, /* waits for its proof */
    VG_CHALLENGE_SOLVED = 2, /* the same, the proof given away with it: that of an upload */
    VG_CHALLENGE_SPENT = 3,  /* a submission was answered for it */
};

struct vg_challenge {
    enum vg_challenge_state state;
    int64_t user_id;
    uint32_t offset; /* the range to be hashed */
    uint32_t length;
    uint8_t proof[VG_SHA256_SIZE]; /* of the range */
    vg_time expires;               /* from then on it is nothing */

    /* Of a spent one: digests of the request as it came and of what it meant, and what was
     * answered: the submission stored, or that a similar one was there. */
    uint8_t sent[VG_SHA256_SIZE];
    uint8_t meant[VG_SHA256_SIZE];
    bool stored;
    struct vg_uuid submission;
};

/* Fails with: REQUEST_MEMORY. */
VG_MUST_USE enum vg_reason vg_challenge_record_pack(
    const struct vg_challenge *challenge,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes);

/* Fails with: STORE_CORRUPT, REQUEST_MEMORY. `arena` is needed meanwhile only. */
VG_MUST_USE enum vg_reason vg_challenge_record_unpack(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_challenge *out_challenge);

/* Open challenges of one user about one sample; more are never open. */
#define VG_CHALLENGE_OPEN_MAX 100u

struct vg_challenge_open {
    struct {
        struct vg_uuid id;
        vg_time expires;
    } items[VG_CHALLENGE_OPEN_MAX]; /* oldest first */
    size_t count;
};

VG_MUST_USE enum vg_reason vg_challenge_open_pack(
    const struct vg_challenge_open *open,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes);
VG_MUST_USE enum vg_reason vg_challenge_open_unpack(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_challenge_open *out_open);

#endif
