#include "core/store/batch.h"

#include "core/base/assert.h"

/* An entry in the buffer: operation (1 byte), key size and value size (4 bytes each, in the order
 * of the machine: a batch never leaves the process), key, value. With BORROWED in the operation a
 * pointer to the value stands for it. */
#define ENTRY_HEAD_SIZE 9
#define BORROWED        0x80u

void vg_batch_init(struct vg_batch *batch, size_t bytes_max)
{
    *batch = (struct vg_batch){ .synced = true };
    vg_buffer_init(&batch->buffer, bytes_max);
}

void vg_batch_dispose(struct vg_batch *batch)
{
    vg_buffer_dispose(&batch->buffer);
}

void vg_batch_clear(struct vg_batch *batch)
{
    vg_buffer_clear(&batch->buffer);
    batch->borrowed = 0;
    batch->guard_count = 0;
    batch->change_count = 0;
    batch->synced = true;
}

static void append_entry(
    struct vg_batch *batch,
    enum vg_batch_operation operation,
    struct vg_bytes key,
    struct vg_bytes value,
    bool borrows)
{
    VG_ASSERT(key.size > 0 && key.size <= VG_STORE_KEY_BYTES_MAX);
    VG_ASSERT(memchr(key.data, 0, key.size) == NULL);
    VG_ASSERT(value.size <= VG_STORE_VALUE_BYTES_MAX);
    const uint8_t *place = value.data;
    struct vg_bytes stored = borrows ? vg_bytes(&place, sizeof(place)) : value;
    size_t borrowed = borrows ? value.size : 0;
    size_t size = ENTRY_HEAD_SIZE + key.size + stored.size;
    if (vg_batch_size(batch) + size + borrowed > batch->buffer.bytes_max) {
        batch->buffer.failed = true;
    }
    if (!vg_buffer_reserve(&batch->buffer, size)) {
        return;
    }
    uint32_t sizes[] = { (uint32_t)key.size, (uint32_t)value.size };
    uint8_t head[ENTRY_HEAD_SIZE] = { (uint8_t)(operation | (borrows ? BORROWED : 0)) };
    memcpy(head + 1, sizes, sizeof(sizes));
    vg_buffer_append(&batch->buffer, head, sizeof(head));
    vg_buffer_append(&batch->buffer, key.data, key.size);
    vg_buffer_append(&batch->buffer, stored.data, stored.size);
    batch->borrowed += borrowed;
}

void vg_batch_set(struct vg_batch *batch, struct vg_bytes key, struct vg_bytes value)
{
    append_entry(batch, VG_BATCH_SET, key, value, false);
    batch->change_count++;
}

void vg_batch_set_kept(struct vg_batch *batch, struct vg_bytes key, struct vg_bytes kept_value)
{
    append_entry(batch, VG_BATCH_SET, key, kept_value, true);
    batch->change_count++;
}

void vg_batch_delete(struct vg_batch *batch, struct vg_bytes key)
{
    append_entry(batch, VG_BATCH_DELETE, key, vg_bytes(NULL, 0), false);
    batch->change_count++;
}

void vg_batch_guard_value(struct vg_batch *batch, struct vg_bytes key, struct vg_bytes value)
{
    VG_ASSERT(value.size > 0);
    append_entry(batch, VG_BATCH_GUARD_VALUE, key, value, false);
    batch->guard_count++;
}

void vg_batch_guard_absent(struct vg_batch *batch, struct vg_bytes key)
{
    append_entry(batch, VG_BATCH_GUARD_ABSENT, key, vg_bytes(NULL, 0), false);
    batch->guard_count++;
}

struct vg_batch_mark vg_batch_mark(const struct vg_batch *batch)
{
    return (struct vg_batch_mark){
        .size = batch->buffer.size,
        .borrowed = batch->borrowed,
        .guard_count = batch->guard_count,
        .change_count = batch->change_count,
        .failed = batch->buffer.failed,
    };
}

void vg_batch_cut(struct vg_batch *batch, struct vg_batch_mark mark)
{
    VG_ASSERT(mark.size <= batch->buffer.size);
    batch->buffer.size = mark.size;
    batch->buffer.failed = mark.failed;
    batch->borrowed = mark.borrowed;
    batch->guard_count = mark.guard_count;
    batch->change_count = mark.change_count;
}

bool vg_batch_next(const struct vg_batch *batch, size_t *position, struct vg_batch_entry *out_entry)
{
    if (*position >= batch->buffer.size) {
        return false;
    }
    VG_ASSERT(batch->buffer.size - *position >= ENTRY_HEAD_SIZE);
    const uint8_t *head = batch->buffer.data + *position;
    uint32_t key_size;
    uint32_t value_size;
    memcpy(&key_size, head + 1, sizeof(key_size));
    memcpy(&value_size, head + 5, sizeof(value_size));
    const uint8_t *key = head + ENTRY_HEAD_SIZE;
    const uint8_t *value = key + key_size;
    size_t stored = value_size;
    if ((head[0] & BORROWED) != 0) {
        stored = sizeof(value);
        memcpy(&value, key + key_size, stored);
    }
    out_entry->operation = (enum vg_batch_operation)(head[0] & ~BORROWED);
    out_entry->key = vg_bytes(key, key_size);
    out_entry->value = vg_bytes(value, value_size);
    *position += ENTRY_HEAD_SIZE + (size_t)key_size + stored;
    VG_ASSERT(*position <= batch->buffer.size);
    return true;
}
