#include "core/keyspace/keyspace.h"

#include "core/base/assert.h"

static const struct vg_key_family_row family_rows[VG_KEY_FAMILY_COUNT] = {
#define X(family, first, name, parts, value)                                                       \
    [VG_KEY_FAMILY_##family] = { first, name, parts, value },
#include "core/keyspace/keyspace.def"
#undef X
};

const struct vg_key_family_row *vg_key_family_row(enum vg_key_family family)
{
    VG_ASSERT((unsigned)family < VG_KEY_FAMILY_COUNT);
    return &family_rows[family];
}

bool vg_key_family_find(struct vg_bytes key, enum vg_key_family *out_family)
{
    for (unsigned family = 0; family < VG_KEY_FAMILY_COUNT && key.size > 0; family++) {
        if (family_rows[family].first == key.data[0]) {
            *out_family = (enum vg_key_family)family;
            return true;
        }
    }
    return false;
}

struct vg_bytes vg_key_family_prefix(enum vg_key_family family)
{
    return vg_bytes(&vg_key_family_row(family)->first, 1);
}

static uint8_t first_of(enum vg_key_family family)
{
    return family_rows[family].first;
}

/* ---- building */

static void put_event(
    struct vg_key *key,
    enum vg_key_family family,
    const struct vg_event_identity *event)
{
    vg_key_codec_begin(key, first_of(family));
    vg_key_codec_put_time(key, event->timestamp);
    vg_key_codec_put_number(key, event->customer);
    vg_key_codec_put_number(key, event->type);
    vg_key_codec_put_bytes(key, vg_bytes(event->uuid, sizeof(event->uuid)));
}

void vg_key_event(struct vg_key *key, const struct vg_event_identity *event)
{
    put_event(key, VG_KEY_FAMILY_EVENT, event);
}

void vg_key_event_payload(struct vg_key *key, const struct vg_event_identity *event)
{
    put_event(key, VG_KEY_FAMILY_EVENT_PAYLOAD, event);
}

void vg_key_lineage_prefix(struct vg_key *key, const struct vg_event_identity *event)
{
    put_event(key, VG_KEY_FAMILY_LINEAGE, event);
}

void vg_key_lineage(
    struct vg_key *key,
    const struct vg_event_identity *event,
    uint64_t revision,
    uint32_t number)
{
    vg_key_lineage_prefix(key, event);
    vg_key_codec_put_number(key, revision);
    vg_key_codec_put_number(key, number);
}

void vg_key_state(struct vg_key *key)
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_STATE));
}

void vg_key_format(struct vg_key *key)
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_FORMAT));
}

void vg_key_change_log(struct vg_key *key, uint64_t sequence)
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_CHANGE_LOG));
    vg_key_codec_put_number(key, sequence);
}

void vg_key_idempotency(struct vg_key *key, const uint8_t hash[VG_KEY_HASH_SIZE])
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_IDEMPOTENCY));
    vg_key_codec_put_bytes(key, vg_bytes(hash, VG_KEY_HASH_SIZE));
}

void vg_key_stream(struct vg_key *key, const uint8_t hash[VG_KEY_HASH_SIZE])
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_STREAM));
    vg_key_codec_put_bytes(key, vg_bytes(hash, VG_KEY_HASH_SIZE));
}

void vg_key_sample(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE])
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_SAMPLE));
    vg_key_codec_put_bytes(key, vg_bytes(sha256, VG_KEY_HASH_SIZE));
}

void vg_key_verdict_prefix(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE])
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_VERDICT));
    vg_key_codec_put_bytes(key, vg_bytes(sha256, VG_KEY_HASH_SIZE));
}

void vg_key_verdict(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    uint64_t revision,
    uint32_t number)
{
    vg_key_verdict_prefix(key, sha256);
    vg_key_codec_put_number(key, revision);
    vg_key_codec_put_number(key, number);
}

void vg_key_sample_prefix(
    struct vg_key *key,
    enum vg_key_family family,
    const uint8_t sha256[VG_KEY_HASH_SIZE])
{
    vg_key_codec_begin(key, first_of(family));
    vg_key_codec_put_bytes(key, vg_bytes(sha256, VG_KEY_HASH_SIZE));
}

void vg_key_submission_prefix(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE])
{
    vg_key_sample_prefix(key, VG_KEY_FAMILY_SUBMISSION, sha256);
}

void vg_key_challenge(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    const uint8_t uuid[VG_KEY_UUID_SIZE])
{
    vg_key_sample_prefix(key, VG_KEY_FAMILY_CHALLENGE, sha256);
    vg_key_codec_put_bytes(key, vg_bytes(uuid, VG_KEY_UUID_SIZE));
}

void vg_key_challenge_open(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    int64_t user_id)
{
    vg_key_sample_prefix(key, VG_KEY_FAMILY_CHALLENGE_OPEN, sha256);
    vg_key_codec_put_number(key, (uint64_t)user_id);
}

void vg_key_review(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE])
{
    vg_key_sample_prefix(key, VG_KEY_FAMILY_REVIEW, sha256);
}

void vg_key_similar(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    const uint8_t hash[VG_KEY_HASH_SIZE])
{
    vg_key_sample_prefix(key, VG_KEY_FAMILY_SIMILAR, sha256);
    vg_key_codec_put_bytes(key, vg_bytes(hash, VG_KEY_HASH_SIZE));
}

void vg_key_submission(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    const uint8_t uuid[VG_KEY_UUID_SIZE])
{
    vg_key_submission_prefix(key, sha256);
    vg_key_codec_put_bytes(key, vg_bytes(uuid, VG_KEY_UUID_SIZE));
}

void vg_key_directory_prefix(struct vg_key *key, uint32_t kind)
{
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_DIRECTORY));
    vg_key_codec_put_number(key, kind);
}

void vg_key_directory(struct vg_key *key, uint32_t kind, int64_t id, struct vg_bytes name)
{
    VG_ASSERT(name.size <= VG_KEY_NAME_BYTES_MAX);
    vg_key_directory_prefix(key, kind);
    vg_key_codec_put_number(key, (uint64_t)id);
    vg_key_codec_put_bytes(key, name);
}

void vg_key_directory_name(struct vg_key *key, uint32_t kind, struct vg_bytes name)
{
    VG_ASSERT(name.size <= VG_KEY_NAME_BYTES_MAX);
    vg_key_codec_begin(key, first_of(VG_KEY_FAMILY_DIRECTORY_NAME));
    vg_key_codec_put_number(key, kind);
    vg_key_codec_put_bytes(key, name);
}

/* ---- parsing */

static void get_event(
    struct vg_key_cursor *cursor,
    struct vg_bytes key,
    enum vg_key_family family,
    struct vg_event_identity *event)
{
    vg_key_cursor_init(cursor, key, first_of(family));
    event->timestamp = vg_key_cursor_get_time(cursor);
    event->customer = vg_key_cursor_get_number(cursor);
    uint64_t type = vg_key_cursor_get_number(cursor);
    event->type = (uint32_t)type;
    size_t size = vg_key_cursor_get_bytes(cursor, event->uuid, sizeof(event->uuid));
    cursor->failed = cursor->failed || type > UINT32_MAX || size != sizeof(event->uuid);
}

static bool parse_event(
    struct vg_bytes key,
    enum vg_key_family family,
    struct vg_event_identity *out_event)
{
    struct vg_key_cursor cursor;
    struct vg_event_identity event;
    get_event(&cursor, key, family, &event);
    if (!vg_key_cursor_finished(&cursor)) {
        return false;
    }
    *out_event = event;
    return true;
}

bool vg_key_parse_event(struct vg_bytes key, struct vg_event_identity *out_event)
{
    return parse_event(key, VG_KEY_FAMILY_EVENT, out_event);
}

bool vg_key_parse_event_payload(struct vg_bytes key, struct vg_event_identity *out_event)
{
    return parse_event(key, VG_KEY_FAMILY_EVENT_PAYLOAD, out_event);
}

bool vg_key_parse_lineage(
    struct vg_bytes key,
    struct vg_event_identity *out_event,
    uint64_t *out_revision,
    uint32_t *out_number)
{
    struct vg_key_cursor cursor;
    struct vg_event_identity event;
    get_event(&cursor, key, VG_KEY_FAMILY_LINEAGE, &event);
    uint64_t revision = vg_key_cursor_get_number(&cursor);
    uint64_t number = vg_key_cursor_get_number(&cursor);
    if (!vg_key_cursor_finished(&cursor) || number > UINT32_MAX) {
        return false;
    }
    *out_event = event;
    *out_revision = revision;
    *out_number = (uint32_t)number;
    return true;
}

bool vg_key_parse_change_log(struct vg_bytes key, uint64_t *out_sequence)
{
    struct vg_key_cursor cursor;
    vg_key_cursor_init(&cursor, key, first_of(VG_KEY_FAMILY_CHANGE_LOG));
    uint64_t sequence = vg_key_cursor_get_number(&cursor);
    if (!vg_key_cursor_finished(&cursor)) {
        return false;
    }
    *out_sequence = sequence;
    return true;
}

/* A key that is a hash and nothing else. */
static bool parse_hash(
    struct vg_bytes key,
    enum vg_key_family family,
    uint8_t out_hash[VG_KEY_HASH_SIZE])
{
    struct vg_key_cursor cursor;
    uint8_t hash[VG_KEY_HASH_SIZE];
    vg_key_cursor_init(&cursor, key, first_of(family));
    size_t size = vg_key_cursor_get_bytes(&cursor, hash, sizeof(hash));
    if (!vg_key_cursor_finished(&cursor) || size != sizeof(hash)) {
        return false;
    }
    memcpy(out_hash, hash, sizeof(hash));
    return true;
}

bool vg_key_parse_idempotency(struct vg_bytes key, uint8_t out_hash[VG_KEY_HASH_SIZE])
{
    return parse_hash(key, VG_KEY_FAMILY_IDEMPOTENCY, out_hash);
}

bool vg_key_parse_stream(struct vg_bytes key, uint8_t out_hash[VG_KEY_HASH_SIZE])
{
    return parse_hash(key, VG_KEY_FAMILY_STREAM, out_hash);
}

bool vg_key_parse_sample(struct vg_bytes key, uint8_t out_sha256[VG_KEY_HASH_SIZE])
{
    return parse_hash(key, VG_KEY_FAMILY_SAMPLE, out_sha256);
}

bool vg_key_parse_review(struct vg_bytes key, uint8_t out_sha256[VG_KEY_HASH_SIZE])
{
    return parse_hash(key, VG_KEY_FAMILY_REVIEW, out_sha256);
}

bool vg_key_parse_verdict(
    struct vg_bytes key,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint64_t *out_revision,
    uint32_t *out_number)
{
    struct vg_key_cursor cursor;
    uint8_t sha256[VG_KEY_HASH_SIZE];
    vg_key_cursor_init(&cursor, key, first_of(VG_KEY_FAMILY_VERDICT));
    size_t size = vg_key_cursor_get_bytes(&cursor, sha256, sizeof(sha256));
    uint64_t revision = vg_key_cursor_get_number(&cursor);
    uint64_t number = vg_key_cursor_get_number(&cursor);
    if (!vg_key_cursor_finished(&cursor) || size != sizeof(sha256) || number > UINT32_MAX) {
        return false;
    }
    memcpy(out_sha256, sha256, sizeof(sha256));
    *out_revision = revision;
    *out_number = (uint32_t)number;
    return true;
}

/* A key that is the hash of a sample and a UUID. */
static bool parse_of_sample(
    struct vg_bytes key,
    enum vg_key_family family,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint8_t out_uuid[VG_KEY_UUID_SIZE])
{
    struct vg_key_cursor cursor;
    uint8_t sha256[VG_KEY_HASH_SIZE];
    uint8_t uuid[VG_KEY_UUID_SIZE];
    vg_key_cursor_init(&cursor, key, first_of(family));
    size_t sha256_size = vg_key_cursor_get_bytes(&cursor, sha256, sizeof(sha256));
    size_t uuid_size = vg_key_cursor_get_bytes(&cursor, uuid, sizeof(uuid));
    if (!vg_key_cursor_finished(&cursor) || sha256_size != sizeof(sha256) ||
        uuid_size != sizeof(uuid)) {
        return false;
    }
    memcpy(out_sha256, sha256, sizeof(sha256));
    memcpy(out_uuid, uuid, sizeof(uuid));
    return true;
}

bool vg_key_parse_submission(
    struct vg_bytes key,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint8_t out_uuid[VG_KEY_UUID_SIZE])
{
    return parse_of_sample(key, VG_KEY_FAMILY_SUBMISSION, out_sha256, out_uuid);
}

bool vg_key_parse_challenge(
    struct vg_bytes key,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint8_t out_uuid[VG_KEY_UUID_SIZE])
{
    return parse_of_sample(key, VG_KEY_FAMILY_CHALLENGE, out_sha256, out_uuid);
}

bool vg_key_parse_directory(
    struct vg_bytes key,
    uint32_t *out_kind,
    int64_t *out_id,
    uint8_t *out_name,
    size_t *out_name_size)
{
    struct vg_key_cursor cursor;
    uint8_t name[VG_KEY_NAME_BYTES_MAX];
    vg_key_cursor_init(&cursor, key, first_of(VG_KEY_FAMILY_DIRECTORY));
    uint64_t kind = vg_key_cursor_get_number(&cursor);
    uint64_t id = vg_key_cursor_get_number(&cursor);
    size_t size = vg_key_cursor_get_bytes(&cursor, name, sizeof(name));
    if (!vg_key_cursor_finished(&cursor) || kind > UINT32_MAX) {
        return false;
    }
    *out_kind = (uint32_t)kind;
    *out_id = (int64_t)id;
    memcpy(out_name, name, size);
    *out_name_size = size;
    return true;
}
