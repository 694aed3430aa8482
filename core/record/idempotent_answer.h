/*
 * What was answered to a request with an idempotency key: vigil.record.v1.IdempotentAnswer under
 * the key's hash. It is kept for VG_IDEMPOTENT_ANSWER_KEPT_MS; the key belongs to one user.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_IDEMPOTENT_ANSWER_H
#define VG_CORE_RECORD_IDEMPOTENT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/keyspace/keyspace.h"

#define VG_IDEMPOTENT_ANSWER_KEPT_MS (INT64_C(24) * 60 * 60 * 1000)

/* A request under a key. */
struct vg_idempotent_request {
    int64_t user_id;
    struct vg_bytes method; /* its gRPC path, whichever face it came by */
    uint8_t sha256[VG_SHA256_SIZE];
    vg_time now;
};

/* The key under which the answer to `text` of this user is kept. */
void vg_idempotent_answer_key(struct vg_key *key, int64_t user_id, struct vg_bytes text);

/* Fails with: REQUEST_MEMORY. */
VG_MUST_USE enum vg_reason vg_idempotent_answer_pack(
    const struct vg_idempotent_request *request,
    struct vg_bytes answer,
    struct vg_arena *arena,
    struct vg_bytes *out_record);

/*
 * What was answered to `request` before: the answer message, in `arena`. *out_outdated says that it
 * is kept no longer: it counts as never given, and *out_answer is untouched.
 *
 * Fails with: IDEMPOTENCY_KEY_REUSED (it was another request), STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_idempotent_answer_recall(
    const struct vg_idempotent_request *request,
    struct vg_bytes record,
    struct vg_arena *arena,
    struct vg_bytes *out_answer,
    bool *out_outdated);

/* Is the answer kept no longer at `now`? One that cannot be read is not. */
bool vg_idempotent_answer_is_outdated(struct vg_bytes record, vg_time now);

#endif
