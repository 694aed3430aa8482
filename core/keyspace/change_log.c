#include "core/keyspace/change_log.h"

#include "core/base/assert.h"

/* kind, key size (2 bytes, big endian), key */
#define RECORD_HEAD_SIZE 3

void vg_change_log_append(struct vg_buffer *entry, uint32_t kind, struct vg_bytes key)
{
    VG_ASSERT(kind <= UINT8_MAX && key.size > 0 && key.size <= UINT16_MAX);
    uint8_t head[RECORD_HEAD_SIZE] = {
        (uint8_t)kind,
        (uint8_t)(key.size >> 8),
        (uint8_t)key.size,
    };
    if (vg_buffer_reserve(entry, sizeof(head) + key.size)) {
        vg_buffer_append(entry, head, sizeof(head));
        vg_buffer_append(entry, key.data, key.size);
    }
}

enum vg_change_log_step vg_change_log_next(
    struct vg_bytes entry,
    size_t *position,
    uint32_t *out_kind,
    struct vg_bytes *out_key)
{
    size_t left = entry.size - *position;
    if (left == 0) {
        return VG_CHANGE_LOG_END;
    }
    if (left < RECORD_HEAD_SIZE) {
        return VG_CHANGE_LOG_CORRUPT;
    }
    const uint8_t *head = entry.data + *position;
    size_t size = (size_t)head[1] << 8 | head[2];
    if (size == 0 || size > left - RECORD_HEAD_SIZE) {
        return VG_CHANGE_LOG_CORRUPT;
    }
    *out_kind = head[0];
    *out_key = vg_bytes(head + RECORD_HEAD_SIZE, size);
    *position += RECORD_HEAD_SIZE + size;
    return VG_CHANGE_LOG_RECORD;
}

static void put_u64(uint8_t *out, uint64_t number)
{
    for (unsigned index = 0; index < 8; index++) {
        out[index] = (uint8_t)(number >> (56 - 8 * index));
    }
}

static uint64_t get_u64(const uint8_t *data)
{
    uint64_t number = 0;
    for (unsigned index = 0; index < 8; index++) {
        number = number << 8 | data[index];
    }
    return number;
}

void vg_shard_state_encode(const struct vg_shard_state *state, uint8_t out[VG_SHARD_STATE_SIZE])
{
    put_u64(out, state->sequence);
    put_u64(out + 8, (uint64_t)state->last_updated);
}

bool vg_shard_state_decode(struct vg_bytes value, struct vg_shard_state *out_state)
{
    if (value.size != VG_SHARD_STATE_SIZE) {
        return false;
    }
    out_state->sequence = get_u64(value.data);
    out_state->last_updated = (vg_time)get_u64(value.data + 8);
    return true;
}
