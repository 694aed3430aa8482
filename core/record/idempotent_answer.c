#include "core/record/idempotent_answer.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/record/v1/log.pb-c.h"

/* Memory to look at a record: more than any that the store holds. */
#define LOOK_BYTES_MAX (64u * 1024 * 1024)

/* Bytes that the record borrows; protobuf-c has no const. */
static ProtobufCBinaryData borrow(struct vg_bytes from)
{
    ProtobufCBinaryData bytes = { .len = from.size };
    memcpy(&bytes.data, &from.data, sizeof(from.data));
    return bytes;
}

void vg_idempotent_answer_key(struct vg_key *key, int64_t user_id, struct vg_bytes text)
{
    uint8_t whole[sizeof(user_id) + VG_LIMIT_IDEMPOTENCY_KEY_BYTES];
    uint8_t hash[VG_KEY_HASH_SIZE];
    VG_ASSERT(text.size > 0 && text.size <= VG_LIMIT_IDEMPOTENCY_KEY_BYTES);
    memcpy(whole, &user_id, sizeof(user_id));
    memcpy(whole + sizeof(user_id), text.data, text.size);
    vg_digest_sha256(vg_bytes(whole, sizeof(user_id) + text.size), hash);
    vg_key_idempotency(key, hash);
}

enum vg_reason vg_idempotent_answer_pack(
    const struct vg_idempotent_request *request,
    struct vg_bytes answer,
    struct vg_arena *arena,
    struct vg_bytes *out_record)
{
    Vigil__Record__V1__IdempotentAnswer message = VIGIL__RECORD__V1__IDEMPOTENT_ANSWER__INIT;
    message.method = vg_arena_text(arena, request->method);
    message.has_request_sha256 = message.has_answer = true;
    message.request_sha256 = borrow(vg_bytes(request->sha256, sizeof(request->sha256)));
    message.answer = borrow(answer);
    message.has_created_timestamp = message.has_user_id = true;
    message.created_timestamp = request->now;
    message.user_id = request->user_id;
    uint8_t *bytes = vg_arena_alloc(arena, protobuf_c_message_get_packed_size(&message.base) + 1);
    if (message.method == NULL || bytes == NULL) {
        return VG_REQUEST_MEMORY;
    }
    *out_record = vg_bytes(bytes, protobuf_c_message_pack(&message.base, bytes));
    return VG_OK;
}

static enum vg_reason unpack(
    struct vg_bytes record,
    struct vg_arena *arena,
    const Vigil__Record__V1__IdempotentAnswer **out_message)
{
    ProtobufCMessage *base = NULL;
    enum vg_reason reason = vg_wire_decode(
        &vg_table_vigil_record_v1_idempotent_answer,
        record,
        &vg_wire_policy_record,
        arena,
        &base,
        NULL);
    if (reason != VG_OK) {
        return reason == VG_REQUEST_MEMORY ? reason : VG_STORE_CORRUPT;
    }
    const Vigil__Record__V1__IdempotentAnswer *message =
        (const Vigil__Record__V1__IdempotentAnswer *)(const void *)base;
    if (message->method == NULL || message->request_sha256.len != VG_SHA256_SIZE ||
        !message->has_answer || !message->has_created_timestamp) {
        return VG_STORE_CORRUPT;
    }
    *out_message = message;
    return VG_OK;
}

static bool is_outdated(const Vigil__Record__V1__IdempotentAnswer *message, vg_time now)
{
    return now - message->created_timestamp >= VG_IDEMPOTENT_ANSWER_KEPT_MS;
}

enum vg_reason vg_idempotent_answer_recall(
    const struct vg_idempotent_request *request,
    struct vg_bytes record,
    struct vg_arena *arena,
    struct vg_bytes *out_answer,
    bool *out_outdated)
{
    const Vigil__Record__V1__IdempotentAnswer *message = NULL;
    enum vg_reason reason = unpack(record, arena, &message);
    if (reason != VG_OK) {
        return reason;
    }
    if (is_outdated(message, request->now)) {
        *out_outdated = true;
        return VG_OK;
    }
    if (!vg_bytes_equal(vg_bytes_text(message->method), request->method) ||
        memcmp(message->request_sha256.data, request->sha256, VG_SHA256_SIZE) != 0) {
        return VG_IDEMPOTENCY_KEY_REUSED;
    }
    *out_outdated = false;
    *out_answer = vg_bytes(message->answer.data, message->answer.len);
    return VG_OK;
}

bool vg_idempotent_answer_is_outdated(struct vg_bytes record, vg_time now)
{
    const Vigil__Record__V1__IdempotentAnswer *message = NULL;
    struct vg_arena arena;
    vg_arena_init(&arena, LOOK_BYTES_MAX);
    bool outdated = unpack(record, &arena, &message) == VG_OK && is_outdated(message, now);
    vg_arena_dispose(&arena);
    return outdated;
}
