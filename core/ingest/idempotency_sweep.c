#include "core/ingest/idempotency_sweep.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/ingest/ingest_wait.h"
#include "core/record/idempotent_answer.h"

/* What one part may remove, in bytes of answers. */
#define PART_BYTES_MAX (8u * 1024 * 1024)

struct part {
    struct vg_batch batch;
    struct vg_key after;
    vg_time now;
    uint32_t removed;
    bool is_full; /* one that is due was left */
};

static bool visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct part *part = owner;
    if (vg_idempotent_answer_is_outdated(value, part->now)) {
        if (part->removed > 0 && vg_batch_size(&part->batch) + value.size > PART_BYTES_MAX) {
            part->is_full = true;
            return false;
        }
        /* Unless the key has been used again since. */
        vg_batch_guard_value(&part->batch, key, value);
        vg_batch_delete(&part->batch, key);
        part->removed++;
    }
    VG_ASSERT(key.size <= sizeof(part->after.data));
    memcpy(part->after.data, key.data, key.size);
    part->after.size = (uint16_t)key.size;
    return true;
}

enum vg_reason vg_idempotency_sweep_part(
    struct vg_idempotency_sweep *sweep,
    struct vg_store *store,
    uint32_t shard,
    struct vg_ingest *ingest,
    vg_time now,
    bool *out_done,
    struct vg_error *error)
{
    struct part part = { .after = sweep->after, .now = now };
    const struct vg_store_range range = {
        .shard = shard,
        .prefix = vg_key_family_prefix(VG_KEY_FAMILY_IDEMPOTENCY),
        .start_after = vg_key_bytes(&sweep->after),
        .limit = VG_IDEMPOTENCY_SWEEP_PART,
    };
    bool more = false;
    vg_batch_init(&part.batch, VG_STORE_BATCH_BYTES_MAX);
    enum vg_reason reason = vg_store_scan(store, &range, visit, &part, &more, error);
    if (reason == VG_OK && part.removed > 0) {
        reason = vg_ingest_wait_apply(ingest, &part.batch, error);
    }
    vg_batch_dispose(&part.batch);
    if (reason == VG_STORE_CONFLICT) {
        reason = VG_OK; /* a key is in use again: what else is due is found the next time */
    }
    if (reason == VG_OK) {
        more = more || part.is_full;
        sweep->after = more ? part.after : (struct vg_key){ .size = 0 };
        *out_done = !more;
    }
    return reason;
}
