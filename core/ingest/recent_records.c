#include "core/ingest/recent_records.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((VG_RECENT_RECORDS & (VG_RECENT_RECORDS - 1)) == 0, "a power of two");
_Static_assert(VG_RECENT_BYTES_MAX <= UINT16_MAX, "sizes fit");

void vg_recent_records_clear(struct vg_recent_records *recent)
{
    for (uint32_t i = 0; i < VG_RECENT_RECORDS; i++) {
        free(recent->places[i]);
        recent->places[i] = NULL;
    }
}

const struct vg_recent_record *vg_recent_records_find(
    const struct vg_recent_records *recent,
    uint64_t hash,
    struct vg_bytes key)
{
    const struct vg_recent_record *record = recent->places[hash & (VG_RECENT_RECORDS - 1)];
    bool same = record != NULL && record->hash == hash &&
                vg_bytes_equal(vg_bytes(record->bytes, record->key_size), key);
    return same ? record : NULL;
}

struct vg_bytes vg_recent_record_bytes(const struct vg_recent_record *record)
{
    return record->exists ? vg_bytes(record->bytes + record->key_size, record->record_size)
                          : vg_bytes(NULL, 0);
}

void vg_recent_records_put(
    struct vg_recent_records *recent,
    uint64_t hash,
    struct vg_bytes key,
    bool exists,
    struct vg_bytes value)
{
    struct vg_recent_record **place = &recent->places[hash & (VG_RECENT_RECORDS - 1)];
    size_t size = key.size + (exists ? value.size : 0);
    free(*place);
    *place = size > VG_RECENT_BYTES_MAX ? NULL : malloc(sizeof(**place) + size);
    struct vg_recent_record *record = *place;
    if (record == NULL) {
        return;
    }
    *record = (struct vg_recent_record){
        .hash = hash,
        .key_size = (uint16_t)key.size,
        .record_size = (uint16_t)(size - key.size),
        .exists = exists,
    };
    memcpy(record->bytes, key.data, key.size);
    if (record->record_size > 0) {
        memcpy(record->bytes + key.size, value.data, value.size);
    }
}
