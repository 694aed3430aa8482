#include "core/record/challenge_record.h"

#include <string.h>

#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/record/v1/submission.pb-c.h"

static enum vg_reason pack(
    const ProtobufCMessage *message,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes)
{
    uint8_t *bytes = vg_arena_alloc(arena, protobuf_c_message_get_packed_size(message) + 1);
    if (bytes == NULL) {
        return VG_REQUEST_MEMORY;
    }
    *out_bytes = vg_bytes(bytes, protobuf_c_message_pack(message, bytes));
    return VG_OK;
}

/* The record's bytes are ours: what is wrong with them is corruption. */
static enum vg_reason unpack(
    const struct vg_table *table,
    struct vg_bytes bytes,
    struct vg_arena *arena,
    ProtobufCMessage **out_message)
{
    enum vg_reason reason =
        vg_wire_decode(table, bytes, &vg_wire_policy_record, arena, out_message, NULL);
    return reason == VG_OK || reason == VG_REQUEST_MEMORY ? reason : VG_STORE_CORRUPT;
}

/* Bytes that the record borrows from the struct; protobuf-c has no const. */
static ProtobufCBinaryData borrow(const uint8_t *data, size_t size)
{
    ProtobufCBinaryData bytes = { .len = size };
    memcpy(&bytes.data, &data, sizeof(data));
    return bytes;
}

static bool take(bool has, const ProtobufCBinaryData *bytes, uint8_t *out, size_t size)
{
    if (!has || bytes->len != size) {
        return false;
    }
    memcpy(out, bytes->data, size);
    return true;
}

enum vg_reason vg_challenge_record_pack(
    const struct vg_challenge *challenge,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes)
{
    bool spent = challenge->state == VG_CHALLENGE_SPENT;
    Vigil__Record__V1__Challenge message = VIGIL__RECORD__V1__CHALLENGE__INIT;
    message.has_state = true;
    message.state = (Vigil__Record__V1__ChallengeState)challenge->state;
    message.has_user_id = true;
    message.user_id = challenge->user_id;
    message.has_offset = message.has_length = true;
    message.offset = challenge->offset;
    message.length = challenge->length;
    message.has_proof = true;
    message.proof = borrow(challenge->proof, sizeof(challenge->proof));
    message.has_expires = true;
    message.expires = challenge->expires;
    message.has_sent = message.has_meant = spent;
    message.sent = borrow(challenge->sent, sizeof(challenge->sent));
    message.meant = borrow(challenge->meant, sizeof(challenge->meant));
    message.has_submission = spent && challenge->stored;
    message.submission = borrow(challenge->submission.bytes, sizeof(challenge->submission.bytes));
    return pack(&message.base, arena, out_bytes);
}

enum vg_reason vg_challenge_record_unpack(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_challenge *out_challenge)
{
    ProtobufCMessage *base = NULL;
    enum vg_reason reason = unpack(&vg_table_vigil_record_v1_challenge, bytes, arena, &base);
    if (reason != VG_OK) {
        return reason;
    }
    const Vigil__Record__V1__Challenge *message = (const Vigil__Record__V1__Challenge *)base;
    struct vg_challenge challenge = {
        .state = (enum vg_challenge_state)message->state,
        .user_id = message->user_id,
        .offset = message->offset,
        .length = message->length,
        .expires = message->expires,
        .stored = message->has_submission,
    };
    bool spent = challenge.state == VG_CHALLENGE_SPENT;
    bool good =
        challenge.state >= VG_CHALLENGE_ISSUED && challenge.state <= VG_CHALLENGE_SPENT &&
        take(message->has_proof, &message->proof, challenge.proof, VG_SHA256_SIZE) &&
        (!spent || (take(message->has_sent, &message->sent, challenge.sent, VG_SHA256_SIZE) &&
                    take(message->has_meant, &message->meant, challenge.meant, VG_SHA256_SIZE)));
    if (good && challenge.stored) {
        good = take(
            true,
            &message->submission,
            challenge.submission.bytes,
            sizeof(challenge.submission.bytes));
    }
    if (!good) {
        return VG_STORE_CORRUPT;
    }
    *out_challenge = challenge;
    return VG_OK;
}

enum vg_reason vg_challenge_open_pack(
    const struct vg_challenge_open *open,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes)
{
    Vigil__Record__V1__OpenChallenge items[VG_CHALLENGE_OPEN_MAX];
    Vigil__Record__V1__OpenChallenge *list[VG_CHALLENGE_OPEN_MAX];
    for (size_t i = 0; i < open->count; i++) {
        vigil__record__v1__open_challenge__init(&items[i]);
        items[i].has_id = items[i].has_expires = true;
        items[i].id = borrow(open->items[i].id.bytes, sizeof(open->items[i].id.bytes));
        items[i].expires = open->items[i].expires;
        list[i] = &items[i];
    }
    Vigil__Record__V1__OpenChallenges message = VIGIL__RECORD__V1__OPEN_CHALLENGES__INIT;
    message.n_challenges = open->count;
    message.challenges = list;
    return pack(&message.base, arena, out_bytes);
}

enum vg_reason vg_challenge_open_unpack(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_challenge_open *out_open)
{
    ProtobufCMessage *base = NULL;
    enum vg_reason reason = unpack(&vg_table_vigil_record_v1_open_challenges, bytes, arena, &base);
    if (reason != VG_OK) {
        return reason;
    }
    const Vigil__Record__V1__OpenChallenges *message =
        (const Vigil__Record__V1__OpenChallenges *)base;
    if (message->n_challenges > VG_CHALLENGE_OPEN_MAX) {
        return VG_STORE_CORRUPT;
    }
    for (size_t i = 0; i < message->n_challenges; i++) {
        const Vigil__Record__V1__OpenChallenge *item = message->challenges[i];
        out_open->items[i].expires = item->expires;
        if (!take(
                item->has_id,
                &item->id,
                out_open->items[i].id.bytes,
                sizeof(out_open->items[i].id.bytes))) {
            return VG_STORE_CORRUPT;
        }
    }
    out_open->count = message->n_challenges;
    return VG_OK;
}
