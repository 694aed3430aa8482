#include "core/events/event_lineage.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/keyspace/keyspace.h"
#include "core/record/record_writer.h"

/* Fields of vigil.record.v1.LineageEntry. */
enum vg_lineage_field {
    VG_LINEAGE_FIELD_ID = 1,
    VG_LINEAGE_FIELD_TYPE = 2,
    VG_LINEAGE_FIELD_CREATED = 3,
    VG_LINEAGE_FIELD_USER = 4,
    VG_LINEAGE_FIELD_LAST_UPDATED = 5,
    VG_LINEAGE_FIELD_DESCRIPTION = 6,
    VG_LINEAGE_FIELD_DATA_CENTER = 7,
    VG_LINEAGE_FIELD_PREVIOUS = 8,
};

/*
 * The id of an entry is a keyed hash of its place, so that a merge, which may depend on nothing but
 * its arguments, needs no random numbers. Form: UUID version 8 (RFC 9562 §5.8).
 */
static struct vg_uuid make_id(const uint8_t secret[16], const struct vg_key *key)
{
    uint8_t place[VG_KEY_BYTES_MAX + 1];
    memcpy(place + 1, key->data, key->size);
    struct vg_uuid id;
    for (uint8_t half = 0; half < 2; half++) {
        place[0] = half;
        uint64_t hash = vg_siphash(secret, vg_bytes(place, key->size + 1u));
        memcpy(id.bytes + 8u * half, &hash, sizeof(hash));
    }
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

static struct vg_bytes pack(const struct vg_event_lineage *entry, uint8_t *memory, size_t bound)
{
    struct vg_record_writer writer = { .floor = memory, .next = memory + bound };
    vg_record_write_number(&writer, VG_LINEAGE_FIELD_PREVIOUS, entry->previous_updated);
    vg_record_write_bytes(&writer, VG_LINEAGE_FIELD_DATA_CENTER, entry->data_center);
    vg_record_write_bytes(&writer, VG_LINEAGE_FIELD_DESCRIPTION, entry->description);
    vg_record_write_number(&writer, VG_LINEAGE_FIELD_LAST_UPDATED, entry->last_updated);
    vg_record_write_number(&writer, VG_LINEAGE_FIELD_USER, entry->user_id);
    vg_record_write_number(&writer, VG_LINEAGE_FIELD_CREATED, entry->created);
    vg_record_write_number(&writer, VG_LINEAGE_FIELD_TYPE, entry->type);
    vg_record_write_bytes(
        &writer,
        VG_LINEAGE_FIELD_ID,
        vg_bytes(entry->id.bytes, sizeof(entry->id.bytes)));
    return vg_bytes(writer.next, (size_t)(memory + bound - writer.next));
}

enum vg_reason vg_event_lineage_put(
    struct vg_ingest_change *change,
    const struct vg_event_id *id,
    const struct vg_event_author *author,
    vg_time previous_updated)
{
    struct vg_key key;
    vg_event_id_lineage_key(id, change->revision, change->number, &key);
    const struct vg_event_lineage entry = {
        .id = make_id(author->secret, &key),
        .type = author->type,
        .created = change->now,
        .user_id = author->user_id,
        .last_updated = change->last_updated,
        .previous_updated = previous_updated,
        .description = author->description,
        .data_center = author->data_center,
    };
    size_t bound = 5 * VG_RECORD_NUMBER_MAX + VG_RECORD_BYTES_MAX(sizeof(entry.id.bytes)) +
                   VG_RECORD_BYTES_MAX(entry.description.size) +
                   VG_RECORD_BYTES_MAX(entry.data_center.size);
    uint8_t *memory = vg_arena_alloc(change->arena, bound);
    if (memory == NULL) {
        return VG_REQUEST_MEMORY;
    }
    vg_ingest_put(change, vg_key_bytes(&key), pack(&entry, memory, bound));
    return VG_OK;
}

static bool take_field(const struct vg_wire_field *field, struct vg_event_lineage *entry)
{
    switch (field->number) {
    case VG_LINEAGE_FIELD_ID:
        if (field->bytes.size != sizeof(entry->id.bytes)) {
            return false;
        }
        memcpy(entry->id.bytes, field->bytes.data, sizeof(entry->id.bytes));
        return true;
    case VG_LINEAGE_FIELD_TYPE:
        entry->type = (enum vg_event_lineage_type)field->value;
        return true;
    case VG_LINEAGE_FIELD_CREATED:
        entry->created = (vg_time)field->value;
        return true;
    case VG_LINEAGE_FIELD_USER:
        entry->user_id = (int64_t)field->value;
        return true;
    case VG_LINEAGE_FIELD_LAST_UPDATED:
        entry->last_updated = (vg_time)field->value;
        return true;
    case VG_LINEAGE_FIELD_DESCRIPTION:
        entry->description = field->bytes;
        return true;
    case VG_LINEAGE_FIELD_DATA_CENTER:
        entry->data_center = field->bytes;
        return true;
    case VG_LINEAGE_FIELD_PREVIOUS:
        entry->previous_updated = (vg_time)field->value;
        return true;
    default: /* of a newer program */
        return true;
    }
}

enum vg_reason vg_event_lineage_unpack(
    struct vg_bytes bytes,
    struct vg_event_lineage *out_entry,
    struct vg_error *error)
{
    struct vg_event_lineage entry = { .type = VG_EVENT_LINEAGE_UPDATED };
    struct vg_wire_field field;
    enum vg_wire_step step;
    while ((step = vg_wire_next(&bytes, &field)) == VG_WIRE_STEP_FIELD) {
        if (!take_field(&field, &entry)) {
            return vg_error_set(error, VG_STORE_CORRUPT, NULL);
        }
    }
    if (step == VG_WIRE_STEP_BROKEN) {
        return vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    *out_entry = entry;
    return VG_OK;
}

struct vg_event_lineage vg_event_lineage_creation(
    const struct vg_event_record *record,
    vg_time last_updated,
    const uint8_t secret[16],
    struct vg_bytes data_center)
{
    /* No stored entry has revision 0. */
    struct vg_key key;
    vg_event_id_lineage_key(&record->id, 0, 0, &key);
    return (struct vg_event_lineage){
        .id = make_id(secret, &key),
        .type = VG_EVENT_LINEAGE_CREATED,
        .created = record->times.engine_persisted,
        .user_id = record->created_by_user_id,
        .last_updated = last_updated,
        .description = vg_bytes_text("Created by submission"),
        .data_center = data_center,
    };
}

/* ------------------------------------------------------------------------------------- reading */

struct walk {
    struct vg_event_lineage_list *list;
    size_t room;
    struct vg_arena *arena;
    enum vg_reason reason;
};

static bool make_room(struct walk *walk)
{
    if (walk->list->count < walk->room) {
        return true;
    }
    size_t room = walk->room * 2;
    struct vg_event_lineage_place *places = vg_arena_alloc(walk->arena, room * sizeof(*places));
    if (places == NULL) {
        return false;
    }
    memcpy(places, walk->list->places, walk->list->count * sizeof(*places));
    walk->list->places = places;
    walk->room = room;
    return true;
}

static bool note_entry(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct walk *walk = owner;
    struct vg_event_lineage_list *list = walk->list;
    struct vg_event_identity identity;
    struct vg_event_lineage_place place;
    struct vg_event_lineage entry;
    if (list->count > VG_EVENT_LINEAGE_ENTRIES_MAX) {
        walk->reason = VG_RESULTSET_TOO_LARGE;
    } else if (
        !vg_key_parse_lineage(key, &identity, &place.revision, &place.number) ||
        vg_event_lineage_unpack(value, &entry, NULL) != VG_OK) {
        walk->reason = VG_STORE_CORRUPT;
    } else if (!make_room(walk)) {
        walk->reason = VG_REQUEST_MEMORY;
    } else {
        if (list->count == 1) {
            list->created_updated = entry.previous_updated;
        }
        place.created = entry.created;
        list->places[list->count++] = place;
    }
    return walk->reason == VG_OK;
}

/* By time; where the clock stood still, or went back, by the order of the changes. */
static int compare_places(const void *a, const void *b)
{
    const struct vg_event_lineage_place *one = a;
    const struct vg_event_lineage_place *other = b;
    if (one->created != other->created) {
        return one->created < other->created ? -1 : 1;
    }
    if (one->revision != other->revision) {
        return one->revision < other->revision ? -1 : 1;
    }
    return one->number < other->number ? -1 : 1;
}

enum vg_reason vg_event_lineage_find(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_lineage_list *out_list,
    struct vg_error *error)
{
    struct vg_event_lineage_list list = { .created_updated = record->times.last_updated };
    struct walk walk = { .list = &list, .room = 64, .arena = arena };
    list.places = vg_arena_alloc(arena, walk.room * sizeof(*list.places));
    if (list.places == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    list.places[list.count++] =
        (struct vg_event_lineage_place){ .created = record->times.engine_persisted };
    struct vg_key prefix;
    vg_event_id_lineage_prefix(&record->id, &prefix);
    const struct vg_store_range range = {
        .view = vg_snapshot_view(snapshot),
        .shard = source->shard,
        .prefix = vg_key_bytes(&prefix),
    };
    enum vg_reason reason = vg_store_scan(source->store, &range, note_entry, &walk, NULL, error);
    if (reason == VG_OK && walk.reason != VG_OK) {
        reason = vg_error_set(error, walk.reason, NULL);
    }
    if (reason != VG_OK) {
        return reason;
    }
    qsort(list.places, list.count, sizeof(*list.places), compare_places);
    *out_list = list;
    return VG_OK;
}

enum vg_reason vg_event_lineage_read(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_id *id,
    const struct vg_event_lineage_place *place,
    struct vg_store_value *out_value,
    struct vg_event_lineage *out_entry,
    struct vg_error *error)
{
    struct vg_key key;
    vg_event_id_lineage_key(id, place->revision, place->number, &key);
    enum vg_reason reason = vg_store_get_one(
        source->store,
        vg_snapshot_view(snapshot),
        source->shard,
        vg_key_bytes(&key),
        out_value,
        error);
    if (reason == VG_OK && !out_value->found) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    return reason == VG_OK ? vg_event_lineage_unpack(out_value->bytes, out_entry, error) : reason;
}
