#include "core/samples/challenge.h"

#include <string.h>

#include "core/base/assert.h"

struct vg_challenge_range vg_challenge_draw(struct vg_random *random, int64_t size)
{
    VG_ASSERT(size >= (int64_t)VG_CHALLENGE_LENGTH_MIN);
    uint64_t longest =
        (uint64_t)size < VG_CHALLENGE_LENGTH_MAX ? (uint64_t)size : VG_CHALLENGE_LENGTH_MAX;
    uint64_t length =
        VG_CHALLENGE_LENGTH_MIN + vg_random_below(random, longest - VG_CHALLENGE_LENGTH_MIN + 1);
    uint64_t last = (uint64_t)size - length;
    last = last < VG_CHALLENGE_OFFSET_MAX ? last : VG_CHALLENGE_OFFSET_MAX;
    return (struct vg_challenge_range){
        .offset = (uint32_t)vg_random_below(random, last + 1),
        .length = (uint32_t)length,
    };
}

struct vg_challenge vg_challenge_make(
    int64_t user_id,
    struct vg_challenge_range range,
    const uint8_t proof[VG_SHA256_SIZE],
    vg_time now,
    uint32_t lifetime_ms)
{
    struct vg_challenge challenge = {
        .state = VG_CHALLENGE_ISSUED,
        .user_id = user_id,
        .offset = range.offset,
        .length = range.length,
        .expires = now + (vg_time)lifetime_ms,
    };
    memcpy(challenge.proof, proof, sizeof(challenge.proof));
    return challenge;
}

bool vg_challenge_is_live(const struct vg_challenge *challenge, vg_time now)
{
    return now < challenge->expires;
}

enum vg_challenge_outcome vg_challenge_try(
    const struct vg_challenge *challenge,
    const struct vg_challenge_attempt *attempt,
    vg_time now)
{
    if (challenge->user_id != attempt->user_id || !vg_challenge_is_live(challenge, now)) {
        return VG_CHALLENGE_REFUSE;
    }
    bool proven = vg_digest_equal(challenge->proof, attempt->proof, VG_SHA256_SIZE);
    if (challenge->state != VG_CHALLENGE_SPENT) {
        return proven ? VG_CHALLENGE_ACCEPT : VG_CHALLENGE_BURN;
    }
    bool same = vg_digest_equal(challenge->sent, attempt->sent, VG_SHA256_SIZE) ||
                vg_digest_equal(challenge->meant, attempt->meant, VG_SHA256_SIZE);
    return proven && same ? VG_CHALLENGE_REPLAY : VG_CHALLENGE_REFUSE;
}

void vg_challenge_spend(
    struct vg_challenge *challenge,
    const struct vg_challenge_attempt *attempt,
    const struct vg_uuid *submission)
{
    VG_ASSERT(challenge->state != VG_CHALLENGE_SPENT);
    challenge->state = VG_CHALLENGE_SPENT;
    memcpy(challenge->sent, attempt->sent, sizeof(challenge->sent));
    memcpy(challenge->meant, attempt->meant, sizeof(challenge->meant));
    challenge->stored = submission != NULL;
    if (submission != NULL) {
        challenge->submission = *submission;
    }
}

static void remove_at(struct vg_challenge_open *open, size_t at)
{
    open->count--;
    memmove(&open->items[at], &open->items[at + 1], (open->count - at) * sizeof(open->items[0]));
}

bool vg_challenge_open_add(
    struct vg_challenge_open *open,
    const struct vg_uuid *id,
    vg_time expires,
    vg_time now,
    struct vg_uuid *out_dropped)
{
    for (size_t i = open->count; i > 0; i--) {
        if (open->items[i - 1].expires <= now) {
            remove_at(open, i - 1);
        }
    }
    bool full = open->count == VG_CHALLENGE_OPEN_MAX;
    if (full) {
        *out_dropped = open->items[0].id;
        remove_at(open, 0);
    }
    open->items[open->count].id = *id;
    open->items[open->count++].expires = expires;
    return full;
}

void vg_challenge_open_remove(struct vg_challenge_open *open, const struct vg_uuid *id)
{
    for (size_t i = 0; i < open->count; i++) {
        if (memcmp(&open->items[i].id, id, sizeof(*id)) == 0) {
            remove_at(open, i);
            return;
        }
    }
}
