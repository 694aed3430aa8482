#include "core/events/event_reader.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/events/event_table.h"
#include "core/events/record_fetch.h"
#include "core/table/search.h"

/* A stored event takes at most 4 MiB, and its lists as much again. */
#define READER_BYTES_MAX (16u * 1024u * 1024u)

void vg_event_hit_id(const struct vg_hit *hit, struct vg_event_id *out_id)
{
    struct vg_value value;
    vg_hit_read(hit, VG_EVENT_COLUMN_TIMESTAMP, &value);
    out_id->timestamp = value.number;
    vg_hit_read(hit, VG_EVENT_COLUMN_CUSTOMER, &value);
    VG_ASSERT(value.numbers.count == 1);
    out_id->customer_id = value.numbers.items[0];
    vg_hit_read(hit, VG_EVENT_COLUMN_TYPE, &value);
    out_id->type = (enum vg_event_type)value.number;
    vg_hit_read(hit, VG_EVENT_COLUMN_UUID, &value);
    VG_ASSERT(value.bytes.size == sizeof(out_id->uuid.bytes));
    memcpy(out_id->uuid.bytes, value.bytes.data, sizeof(out_id->uuid.bytes));
}

enum vg_reason vg_event_read_packed(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_id *id,
    struct vg_store_value *out_value,
    struct vg_error *error)
{
    struct vg_key key;
    vg_event_id_key(id, &key);
    return vg_store_get_one(
        source->store,
        vg_snapshot_view(snapshot),
        source->shard,
        vg_key_bytes(&key),
        out_value,
        error);
}

/* ----------------------------------------------------------------------------- records of rows */

static bool is_same(const struct vg_hit *a, const struct vg_hit *b)
{
    return a->chunk == b->chunk && a->position == b->position;
}

/* Without memory nothing is read ahead. */
static void expect_rows(void *owner, const struct vg_hit *hits, uint32_t count)
{
    struct vg_event_reader *reader = owner;
    if (reader->fetch == NULL && count >= VG_RECORD_FETCH_LEAST) {
        reader->fetch = malloc(sizeof(*reader->fetch));
        if (reader->fetch != NULL) {
            vg_record_fetch_init(reader->fetch, reader->source, reader->snapshot);
        }
    }
    if (reader->fetch != NULL) {
        vg_record_fetch_set(reader->fetch, hits, count);
    }
}

/* Is the row the next one that is expected? Rows passed over are given up. */
static bool is_expected(struct vg_event_reader *reader, const struct vg_hit *hit)
{
    struct vg_record_fetch *fetch = reader->fetch;
    while (fetch != NULL && fetch->count > 0 && !is_same(fetch->hits, hit)) {
        vg_record_fetch_skip(fetch);
    }
    return fetch != NULL && fetch->count > 0;
}

static enum vg_reason read_packed(
    struct vg_event_reader *reader,
    const struct vg_hit *hit,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    struct vg_error *error)
{
    if (is_expected(reader, hit)) {
        return vg_record_fetch_next(reader->fetch, out_id, out_record, error);
    }
    vg_event_hit_id(hit, out_id);
    enum vg_reason reason =
        vg_event_read_packed(reader->source, reader->snapshot, out_id, &reader->value, error);
    if (reason == VG_OK && !reader->value.found) {
        return vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    if (reason == VG_OK) {
        *out_record = reader->value.bytes;
    }
    return reason;
}

static enum vg_reason read_row(
    void *owner,
    const struct vg_hit *hit,
    const void **out_record,
    struct vg_error *error)
{
    struct vg_event_reader *reader = owner;
    if (is_same(&reader->hit, hit)) {
        *out_record = &reader->record;
        return VG_OK;
    }
    reader->hit.chunk = NULL;
    vg_store_value_release(&reader->value);
    vg_arena_reset(&reader->arena);
    struct vg_event_id id;
    struct vg_bytes packed;
    enum vg_reason reason = read_packed(reader, hit, &id, &packed, error);
    if (reason == VG_OK) {
        reason = vg_event_record_unpack(&id, packed, &reader->arena, &reader->record, error);
    }
    if (reason == VG_OK) {
        reader->hit = *hit;
        *out_record = &reader->record;
    }
    return reason;
}

void vg_event_reader_init(
    struct vg_event_reader *reader,
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot)
{
    *reader = (struct vg_event_reader){
        .reader = { .read = read_row, .expect = expect_rows, .owner = reader },
        .source = source,
        .snapshot = snapshot,
    };
    vg_arena_init(&reader->arena, READER_BYTES_MAX);
}

void vg_event_reader_dispose(struct vg_event_reader *reader)
{
    if (reader->fetch != NULL) {
        vg_record_fetch_dispose(reader->fetch);
        free(reader->fetch);
    }
    vg_store_value_release(&reader->value);
    vg_arena_dispose(&reader->arena);
}

/* ----------------------------------------------------------------------------------- one event */
enum vg_reason vg_event_read(
    const struct vg_event_store *source,
    const struct vg_event_id *id,
    struct vg_event_reading *out_reading,
    bool *out_found,
    struct vg_error *error)
{
    *out_reading = (struct vg_event_reading){ 0 };
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &out_reading->snapshot, error);
    if (reason == VG_OK) {
        reason =
            vg_event_read_packed(source, &out_reading->snapshot, id, &out_reading->value, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    out_reading->record = out_reading->value.bytes;
    *out_found = out_reading->value.found;
    return VG_OK;
}

void vg_event_reading_release(struct vg_event_reading *reading)
{
    vg_store_value_release(&reading->value);
    vg_snapshot_release(&reading->snapshot);
}
