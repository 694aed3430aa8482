/*
 * The challenge protocol as a state machine: a user is given a random range of a file; who answers
 * with the SHA-256 of its bytes holds the file, and may add one submission for it.
 *
 *     issued ──right proof──► spent ──the same request again──► spent (the same answer)
 *     solved ─┘           │         └─another request──► refused, still spent
 *       │                 │
 *       ├──wrong proof──► burnt: gone
 *       └──lifetime──► expired: gone, spent ones too
 *
 * A solved one differs from an issued one only in that its proof went out with it, after an upload.
 * Another user's attempt is refused and changes nothing. All refusals are one and the same answer.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_SAMPLES_CHALLENGE_H
#define VG_CORE_SAMPLES_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/random.h"
#include "core/record/challenge_record.h"

/* Bytes of a range, unless the file has fewer. */
#define VG_CHALLENGE_LENGTH_MIN 512u
#define VG_CHALLENGE_LENGTH_MAX (1024u * 1024u)
/* Offsets are 32 bit signed numbers for clients. */
#define VG_CHALLENGE_OFFSET_MAX INT32_MAX

struct vg_challenge_range {
    uint32_t offset;
    uint32_t length;
};

/* A range inside a file of `size` bytes, at least VG_CHALLENGE_LENGTH_MIN, that nobody can foresee.
 */
struct vg_challenge_range vg_challenge_draw(struct vg_random *random, int64_t size);

/* A new challenge for `user_id`, nothing after `lifetime_ms`. */
struct vg_challenge vg_challenge_make(
    int64_t user_id,
    struct vg_challenge_range range,
    const uint8_t proof[VG_SHA256_SIZE],
    vg_time now,
    uint32_t lifetime_ms);

/* Is it one that can still be answered for? */
bool vg_challenge_is_live(const struct vg_challenge *challenge, vg_time now);

/* A request that comes with a proof. */
struct vg_challenge_attempt {
    int64_t user_id;
    uint8_t proof[VG_SHA256_SIZE];
    uint8_t sent[VG_SHA256_SIZE];  /* digest of the request as it came */
    uint8_t meant[VG_SHA256_SIZE]; /* digest of what it means */
};

enum vg_challenge_outcome {
    VG_CHALLENGE_REFUSE, /* nothing changes */
    VG_CHALLENGE_BURN,   /* refuse, and the challenge goes */
    VG_CHALLENGE_ACCEPT, /* spend it: vg_challenge_spend */
    VG_CHALLENGE_REPLAY, /* answer what was answered before */
};

/* What an attempt at `now` comes to. Proofs are compared in constant time. */
enum vg_challenge_outcome vg_challenge_try(
    const struct vg_challenge *challenge,
    const struct vg_challenge_attempt *attempt,
    vg_time now);

/* Make an accepted challenge spent; `submission` is what was stored, NULL = nothing. */
void vg_challenge_spend(
    struct vg_challenge *challenge,
    const struct vg_challenge_attempt *attempt,
    const struct vg_uuid *submission);

/*
 * Add `id` to the open challenges of a user. Those that have expired leave the list; if it is still
 * full, the oldest leaves too and goes to *out_dropped: it is to be deleted.
 * Returns whether one was dropped.
 */
bool vg_challenge_open_add(
    struct vg_challenge_open *open,
    const struct vg_uuid *id,
    vg_time expires,
    vg_time now,
    struct vg_uuid *out_dropped);

/* Take `id` out of the list, if it is there. */
void vg_challenge_open_remove(struct vg_challenge_open *open, const struct vg_uuid *id);

#endif
