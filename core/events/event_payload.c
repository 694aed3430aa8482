#include "core/events/event_payload.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/base64.h"
#include "core/wire/wire_field.h"

/* Fields of vigil.record.v1.EventPayload. */
enum vg_payload_field {
    VG_PAYLOAD_FIELD_TYPE = 1,
    VG_PAYLOAD_FIELD_DATA = 2,
};

/* ------------------------------------------------------------------------------------- reading */

static enum vg_reason unpack(
    struct vg_bytes bytes,
    struct vg_event_payload *payload,
    struct vg_error *error)
{
    struct vg_wire_field field;
    enum vg_wire_step step;
    payload->data = vg_bytes("", 0);
    while ((step = vg_wire_next(&bytes, &field)) == VG_WIRE_STEP_FIELD) {
        if (field.number == VG_PAYLOAD_FIELD_TYPE) {
            payload->type = (enum vg_event_payload_type)field.value;
        } else if (field.number == VG_PAYLOAD_FIELD_DATA) {
            payload->data = field.bytes;
        }
    }
    return step == VG_WIRE_STEP_BROKEN ? vg_error_set(error, VG_STORE_CORRUPT, NULL) : VG_OK;
}

static enum vg_reason read_payload(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_id *id,
    struct vg_event_payload *out_payload,
    bool *out_found,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_event_payload payload = { .timestamp = id->timestamp };
    vg_event_id_payload_key(id, &key);
    enum vg_reason reason = vg_store_get_one(
        source->store,
        vg_snapshot_view(snapshot),
        source->shard,
        vg_key_bytes(&key),
        &payload.value,
        error);
    if (reason != VG_OK || !payload.value.found) {
        return reason;
    }
    reason = unpack(payload.value.bytes, &payload, error);
    if (reason != VG_OK) {
        vg_store_value_release(&payload.value);
        return reason;
    }
    *out_payload = payload;
    *out_found = true;
    return VG_OK;
}

/* A sub-event and its place in the list, which decides between equal times. */
struct candidate {
    struct vg_event_id id;
    uint32_t place;
};

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *one = a;
    const struct candidate *other = b;
    if (one->id.timestamp != other->id.timestamp) {
        return one->id.timestamp < other->id.timestamp ? -1 : 1;
    }
    return one->place < other->place ? -1 : 1;
}

static enum vg_reason find_in_sub_events(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_payload *out_payload,
    bool *out_found,
    struct vg_error *error)
{
    struct candidate *candidates =
        vg_arena_alloc(arena, record->sub_event_count * sizeof(*candidates));
    if (candidates == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < record->sub_event_count; i++) {
        candidates[i].place = i;
        if (vg_event_id_parse(record->sub_events[i], &candidates[i].id) != VG_EVENT_ID_FORM_OK) {
            return vg_error_set(error, VG_STORE_CORRUPT, NULL);
        }
    }
    qsort(candidates, record->sub_event_count, sizeof(*candidates), compare_candidates);
    enum vg_reason reason = VG_OK;
    for (uint32_t i = 0; i < record->sub_event_count && reason == VG_OK && !*out_found; i++) {
        reason = read_payload(source, snapshot, &candidates[i].id, out_payload, out_found, error);
    }
    return reason;
}

enum vg_reason vg_event_payload_find(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_payload *out_payload,
    bool *out_found,
    struct vg_error *error)
{
    bool found = false;
    enum vg_reason reason = VG_OK;
    if (record->payload_type != VG_EVENT_PAYLOAD_NONE) {
        reason = read_payload(source, snapshot, &record->id, out_payload, &found, error);
    }
    if (reason == VG_OK && !found && record->sub_event_count != 0) {
        reason = find_in_sub_events(source, snapshot, record, arena, out_payload, &found, error);
    }
    if (reason == VG_OK) {
        *out_found = found;
    }
    return reason;
}

void vg_event_payload_release(struct vg_event_payload *payload)
{
    vg_store_value_release(&payload->value);
}

/* ------------------------------------------------------------------------------------- showing */

char *vg_event_payload_text(const struct vg_event_payload *payload, struct vg_arena *arena)
{
    if (payload->type == VG_EVENT_PAYLOAD_STRING) {
        return vg_arena_text(arena, payload->data);
    }
    size_t size = vg_base64_encoded_size(payload->data.size, VG_BASE64_STANDARD);
    char *text = vg_arena_alloc(arena, size + 1);
    if (text != NULL) {
        vg_base64_encode(payload->data, VG_BASE64_STANDARD, text);
    }
    return text;
}

/* The classic capture file (draft-ietf-opsawg-pcap): all numbers little endian. */
#define VG_PCAP_HEADER_SIZE   24u
#define VG_PCAP_PACKET_SIZE   16u
#define VG_PCAP_MAGIC         0xa1b2c3d4u
#define VG_PCAP_LINK_ETHERNET 1u

static uint8_t *put_number(uint8_t *at, uint32_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        *at++ = (uint8_t)(number >> (8 * i));
    }
    return at;
}

struct vg_bytes vg_event_payload_capture(
    const struct vg_event_payload *payload,
    struct vg_arena *arena)
{
    VG_ASSERT(vg_event_payload_is_capture(payload));
    struct vg_bytes data = payload->data;
    if (payload->type == VG_EVENT_PAYLOAD_PCAP) {
        uint8_t *copy = vg_arena_alloc(arena, data.size);
        if (copy != NULL && data.size != 0) {
            memcpy(copy, data.data, data.size);
        }
        return vg_bytes(copy, copy == NULL ? 0 : data.size);
    }
    size_t kept = data.size < VG_EVENT_PAYLOAD_SNAPLEN ? data.size : VG_EVENT_PAYLOAD_SNAPLEN;
    size_t size = VG_PCAP_HEADER_SIZE + VG_PCAP_PACKET_SIZE + kept;
    uint8_t *file = vg_arena_alloc(arena, size);
    if (file == NULL) {
        return vg_bytes(NULL, 0);
    }
    /* The format's seconds have 32 bits; later times stand still at the last of them. */
    vg_time seconds = payload->timestamp / 1000;
    uint32_t micros = (uint32_t)(payload->timestamp % 1000) * 1000;
    uint8_t *at = put_number(file, VG_PCAP_MAGIC, 4);
    at = put_number(at, 2, 2); /* version 2.4 */
    at = put_number(at, 4, 2);
    at = put_number(at, 0, 4); /* reserved, once the time zone */
    at = put_number(at, 0, 4); /* reserved, once the accuracy */
    at = put_number(at, VG_EVENT_PAYLOAD_SNAPLEN, 4);
    at = put_number(at, VG_PCAP_LINK_ETHERNET, 4);
    at = put_number(at, seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds, 4);
    at = put_number(at, micros, 4);
    at = put_number(at, (uint32_t)kept, 4);
    at = put_number(at, (uint32_t)data.size, 4);
    if (kept != 0) {
        memcpy(at, data.data, kept);
    }
    return vg_bytes(file, size);
}
