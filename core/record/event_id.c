#include "core/record/event_id.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"

static const struct vg_event_prefix {
    const char *text;
    enum vg_event_type type;
} vg_event_prefixes[] = {
    { "AGGR", VG_EVENT_TYPE_AGGREGATED },
    { "RAW", VG_EVENT_TYPE_RAW },
    { "AGGRATTACK", VG_EVENT_TYPE_AGGREGATED },
    { "NIDS", VG_EVENT_TYPE_RAW },
};

#define VG_FOREIGN_SIZE_MAX 64u /* characters of the last part of an id text */

enum vg_event_type vg_event_id_parse_type(struct vg_bytes prefix)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(vg_event_prefixes); i++) {
        if (vg_bytes_equal(prefix, vg_bytes_text(vg_event_prefixes[i].text))) {
            return vg_event_prefixes[i].type;
        }
    }
    return VG_EVENT_TYPE_UNSET;
}

const char *vg_event_type_prefix(enum vg_event_type type)
{
    return type == VG_EVENT_TYPE_RAW ? "RAW" : "AGGR";
}

/* Take what stands before the next slash off the front of `rest`; false when there is no slash. */
static bool take_part(struct vg_bytes *rest, struct vg_bytes *out_part)
{
    const uint8_t *slash = rest->size == 0 ? NULL : memchr(rest->data, '/', rest->size);
    if (slash == NULL) {
        return false;
    }
    *out_part = vg_bytes(rest->data, (size_t)(slash - rest->data));
    *rest = vg_bytes(slash + 1, rest->size - out_part->size - 1);
    return true;
}

static bool parse_digits(struct vg_bytes text, int64_t least, int64_t most, int64_t *out_value)
{
    uint64_t value;
    if (!vg_text_number_parse_uint64(text, &value) || value < (uint64_t)least ||
        value > (uint64_t)most) {
        return false;
    }
    *out_value = (int64_t)value;
    return true;
}

static bool is_foreign(struct vg_bytes text)
{
    if (text.size == 0 || text.size > VG_FOREIGN_SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-')) {
            return false;
        }
    }
    return true;
}

enum vg_event_id_form vg_event_id_parse(struct vg_bytes text, struct vg_event_id *out_id)
{
    struct vg_event_id id = { 0 };
    struct vg_bytes part;
    if (!take_part(&text, &part)) {
        return VG_EVENT_ID_FORM_WRONG;
    }
    id.type = vg_event_id_parse_type(part);
    if (id.type == VG_EVENT_TYPE_UNSET || !take_part(&text, &part) ||
        !parse_digits(part, 0, VG_TIME_MAX, &id.timestamp) || !take_part(&text, &part) ||
        !parse_digits(part, 1, INT64_MAX, &id.customer_id)) {
        return VG_EVENT_ID_FORM_WRONG;
    }
    if (!vg_uuid_parse(text, &id.uuid)) {
        return is_foreign(text) ? VG_EVENT_ID_FORM_FOREIGN : VG_EVENT_ID_FORM_WRONG;
    }
    *out_id = id;
    return VG_EVENT_ID_FORM_OK;
}

size_t vg_event_id_print(const struct vg_event_id *id, char out_text[VG_EVENT_ID_TEXT_SIZE])
{
    VG_ASSERT(id->type == VG_EVENT_TYPE_AGGREGATED || id->type == VG_EVENT_TYPE_RAW);
    const char *prefix = vg_event_type_prefix(id->type);
    size_t size = strlen(prefix);
    memcpy(out_text, prefix, size);
    out_text[size++] = '/';
    char number[VG_TEXT_NUMBER_SIZE];
    size_t number_size = vg_text_number_print_int64(id->timestamp, number);
    memcpy(out_text + size, number, number_size);
    size += number_size;
    out_text[size++] = '/';
    number_size = vg_text_number_print_int64(id->customer_id, number);
    memcpy(out_text + size, number, number_size);
    size += number_size;
    out_text[size++] = '/';
    vg_uuid_print(&id->uuid, out_text + size);
    return size + VG_UUID_TEXT_SIZE - 1;
}

static struct vg_event_identity identity_of(const struct vg_event_id *id)
{
    struct vg_event_identity identity = {
        .timestamp = id->timestamp,
        .customer = (uint64_t)id->customer_id,
        .type = (uint32_t)id->type,
    };
    memcpy(identity.uuid, id->uuid.bytes, sizeof(identity.uuid));
    return identity;
}

void vg_event_id_key(const struct vg_event_id *id, struct vg_key *out_key)
{
    struct vg_event_identity identity = identity_of(id);
    vg_key_event(out_key, &identity);
}

void vg_event_id_payload_key(const struct vg_event_id *id, struct vg_key *out_key)
{
    struct vg_event_identity identity = identity_of(id);
    vg_key_event_payload(out_key, &identity);
}

void vg_event_id_lineage_key(
    const struct vg_event_id *id,
    uint64_t revision,
    uint32_t number,
    struct vg_key *out_key)
{
    struct vg_event_identity identity = identity_of(id);
    vg_key_lineage(out_key, &identity, revision, number);
}

void vg_event_id_lineage_prefix(const struct vg_event_id *id, struct vg_key *out_key)
{
    struct vg_event_identity identity = identity_of(id);
    vg_key_lineage_prefix(out_key, &identity);
}

bool vg_event_id_from_key(struct vg_bytes key, struct vg_event_id *out_id)
{
    struct vg_event_identity identity;
    if (!vg_key_parse_event(key, &identity) || identity.customer > INT64_MAX ||
        (identity.type != VG_EVENT_TYPE_AGGREGATED && identity.type != VG_EVENT_TYPE_RAW)) {
        return false;
    }
    struct vg_event_id id = {
        .timestamp = identity.timestamp,
        .customer_id = (int64_t)identity.customer,
        .type = (enum vg_event_type)identity.type,
    };
    memcpy(id.uuid.bytes, identity.uuid, sizeof(id.uuid.bytes));
    *out_id = id;
    return true;
}
