/*
 * The keys of the store: one builder and one parser for each family of keyspace.def. An event's own
 * records (event, payload, lineage) share what identifies it: timestamp first, then customer, type
 * and uuid, so that the store is in order of time.
 *
 * Threads: values.
 */
#ifndef VG_CORE_KEYSPACE_KEYSPACE_H
#define VG_CORE_KEYSPACE_KEYSPACE_H

#include "core/keyspace/key_codec.h"

enum vg_key_family {
#define X(family, first, name, parts, value) VG_KEY_FAMILY_##family,
#include "core/keyspace/keyspace.def"
#undef X
    VG_KEY_FAMILY_COUNT,
};

/* A row of keyspace.def. */
struct vg_key_family_row {
    uint8_t first;
    const char *name;
    const char *parts;
    const char *value;
};

const struct vg_key_family_row *vg_key_family_row(enum vg_key_family family);

/* The family of `key`; false for an empty or foreign key. */
VG_MUST_USE bool vg_key_family_find(struct vg_bytes key, enum vg_key_family *out_family);

/* What begins every key of `family`: the prefix to scan. */
struct vg_bytes vg_key_family_prefix(enum vg_key_family family);

/* What identifies an event. */
struct vg_event_identity {
    vg_time timestamp;
    uint64_t customer;
    uint32_t type;
    uint8_t uuid[16];
};

/* Names in directory keys are at most this long, so that every key fits. */
#define VG_KEY_NAME_BYTES_MAX 200
#define VG_KEY_HASH_SIZE      32
#define VG_KEY_UUID_SIZE      16

void vg_key_event(struct vg_key *key, const struct vg_event_identity *event);
void vg_key_event_payload(struct vg_key *key, const struct vg_event_identity *event);

/* `number` = which change of the record within the batch that made it `revision`. */
void vg_key_lineage(
    struct vg_key *key,
    const struct vg_event_identity *event,
    uint64_t revision,
    uint32_t number);

/* What begins all lineage of an event: a prefix to scan. */
void vg_key_lineage_prefix(struct vg_key *key, const struct vg_event_identity *event);

void vg_key_state(struct vg_key *key);
void vg_key_format(struct vg_key *key);
void vg_key_change_log(struct vg_key *key, uint64_t sequence);
void vg_key_idempotency(struct vg_key *key, const uint8_t hash[VG_KEY_HASH_SIZE]);
void vg_key_stream(struct vg_key *key, const uint8_t hash[VG_KEY_HASH_SIZE]);

/* A sample, by the SHA-256 of its file; a submission of it. */
void vg_key_sample(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE]);
void vg_key_submission(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    const uint8_t uuid[VG_KEY_UUID_SIZE]);

/* A verdict about a sample, in the order in which they were added: `revision` of the sample's
 * change it came with, and `number` of that change within its batch. */
void vg_key_verdict(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    uint64_t revision,
    uint32_t number);
VG_MUST_USE bool vg_key_parse_verdict(
    struct vg_bytes key,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint64_t *out_revision,
    uint32_t *out_number);

/* What begins all verdicts about a sample: a prefix to scan. */
void vg_key_verdict_prefix(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE]);

/* What begins all submissions of a sample: a prefix to scan. */
void vg_key_submission_prefix(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE]);

/* A challenge about a sample, the open ones of a user, and what submissions that are alike share.
 */
void vg_key_challenge(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    const uint8_t uuid[VG_KEY_UUID_SIZE]);
void vg_key_challenge_open(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    int64_t user_id);
void vg_key_similar(
    struct vg_key *key,
    const uint8_t sha256[VG_KEY_HASH_SIZE],
    const uint8_t hash[VG_KEY_HASH_SIZE]);

/* That the submissions of a sample have to be looked at. */
void vg_key_review(struct vg_key *key, const uint8_t sha256[VG_KEY_HASH_SIZE]);

/* What begins everything of `family` about a sample: SUBMISSION, CHALLENGE, CHALLENGE_OPEN,
 * SIMILAR.
 */
void vg_key_sample_prefix(
    struct vg_key *key,
    enum vg_key_family family,
    const uint8_t sha256[VG_KEY_HASH_SIZE]);

/* A directory record: `id` (0 for kinds named only) and `name` (empty for kinds known by id), which
 * is at most VG_KEY_NAME_BYTES_MAX bytes. */
void vg_key_directory(struct vg_key *key, uint32_t kind, int64_t id, struct vg_bytes name);

/* The reservation of a name for a record that is kept under its id. */
void vg_key_directory_name(struct vg_key *key, uint32_t kind, struct vg_bytes name);

/* What begins all keys of a directory kind. */
void vg_key_directory_prefix(struct vg_key *key, uint32_t kind);

/* The parsers return false, and leave the output untouched, for anything the builder above would
 * not have made. */
VG_MUST_USE bool vg_key_parse_event(struct vg_bytes key, struct vg_event_identity *out_event);
VG_MUST_USE bool vg_key_parse_event_payload(
    struct vg_bytes key,
    struct vg_event_identity *out_event);
VG_MUST_USE bool vg_key_parse_lineage(
    struct vg_bytes key,
    struct vg_event_identity *out_event,
    uint64_t *out_revision,
    uint32_t *out_number);
VG_MUST_USE bool vg_key_parse_change_log(struct vg_bytes key, uint64_t *out_sequence);
VG_MUST_USE bool vg_key_parse_idempotency(struct vg_bytes key, uint8_t out_hash[VG_KEY_HASH_SIZE]);
VG_MUST_USE bool vg_key_parse_stream(struct vg_bytes key, uint8_t out_hash[VG_KEY_HASH_SIZE]);

VG_MUST_USE bool vg_key_parse_sample(struct vg_bytes key, uint8_t out_sha256[VG_KEY_HASH_SIZE]);
VG_MUST_USE bool vg_key_parse_review(struct vg_bytes key, uint8_t out_sha256[VG_KEY_HASH_SIZE]);
VG_MUST_USE bool vg_key_parse_submission(
    struct vg_bytes key,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint8_t out_uuid[VG_KEY_UUID_SIZE]);
VG_MUST_USE bool vg_key_parse_challenge(
    struct vg_bytes key,
    uint8_t out_sha256[VG_KEY_HASH_SIZE],
    uint8_t out_uuid[VG_KEY_UUID_SIZE]);

/* out_name: room for VG_KEY_NAME_BYTES_MAX bytes. */
VG_MUST_USE bool vg_key_parse_directory(
    struct vg_bytes key,
    uint32_t *out_kind,
    int64_t *out_id,
    uint8_t *out_name,
    size_t *out_name_size);

#endif
