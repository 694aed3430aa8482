/*
 * Keys of the directory: a record lies under its kind and id, or, where there is no id, under a
 * digest of its name, because names may be longer than a key. What else has to be unique is
 * reserved as a name whose value is the record's key: the short name, the id that users and groups
 * share, id and name of a domain.
 */
#include "core/directory/directory_change.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/base/text_number.h"
#include "core/directory/directory_state.h"
#include "core/keyspace/keyspace.h"
#include "core/store/store.h"
#include "core/wire/wire_decode.h"

/* Kind numbers of reservations that are no short names of enum vg_directory_kind. Part of the
 * stored keys. */
enum {
    RESERVED_SUBJECT_ID = 64,
    RESERVED_DOMAIN_ID = 65,
    RESERVED_DOMAIN_NAME = 66,
};

/* What a batch takes besides the record: keys and reservations. */
#define VG_DIRECTORY_BATCH_EXTRA_BYTES  ((size_t)8 * 1024)
#define VG_DIRECTORY_CHANGE_ARENA_BYTES ((size_t)64 * 1024 * 1024)

static void record_key(
    struct vg_key *key,
    enum vg_directory_kind kind,
    int64_t id,
    struct vg_bytes name)
{
    if (vg_directory_kinds[kind].by_id) {
        vg_key_directory(key, (uint32_t)kind, id, vg_bytes(NULL, 0));
        return;
    }
    uint8_t digest[VG_SHA256_SIZE];
    vg_digest_sha256(name, digest);
    vg_key_directory(key, (uint32_t)kind, 0, vg_bytes(digest, sizeof(digest)));
}

static void reserved_name(struct vg_key *key, uint32_t kind, struct vg_bytes name)
{
    uint8_t digest[VG_SHA256_SIZE];
    vg_digest_sha256(name, digest);
    vg_key_directory_name(key, kind, vg_bytes(digest, sizeof(digest)));
}

static void reserved_number(struct vg_key *key, uint32_t kind, int64_t number)
{
    char text[VG_TEXT_NUMBER_SIZE];
    size_t size = vg_text_number_print_int64(number, text);
    vg_key_directory_name(key, kind, vg_bytes(text, size));
}

/* `key` must be free, and is taken by what lies under `owner`. */
static void reserve(struct vg_batch *batch, const struct vg_key *key, const struct vg_key *owner)
{
    vg_batch_guard_absent(batch, vg_key_bytes(key));
    vg_batch_set(batch, vg_key_bytes(key), vg_key_bytes(owner));
}

static void put_reservations(
    struct vg_directory_change *change,
    const struct vg_directory_entry *entry,
    const struct vg_key *owner)
{
    const struct vg_directory_kind_row *row = &vg_directory_kinds[change->kind];
    struct vg_key key;
    if (row->by_id && row->by_name) {
        reserved_name(&key, (uint32_t)change->kind, entry->name);
        reserve(&change->batch, &key, owner);
    }
    if (row->is_subject) {
        reserved_number(&key, RESERVED_SUBJECT_ID, entry->id);
        reserve(&change->batch, &key, owner);
    }
}

/* Neither name nor id of what is added may be taken. */
static enum vg_reason check_free(
    struct vg_directory_change *change,
    const struct vg_directory_entry *entry,
    struct vg_error *error)
{
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(change->directory);
    enum vg_directory_taken taken = vg_directory_find_taken(snapshot, change->kind, entry);
    vg_directory_snapshot_unref(snapshot);
    if (taken == VG_DIRECTORY_TAKEN_NOTHING) {
        return VG_OK;
    }
    bool is_name = taken == VG_DIRECTORY_TAKEN_NAME;
    char id[VG_TEXT_NUMBER_SIZE];
    (void)vg_text_number_print_int64(entry->id, id);
    (void)vg_error_set(
        error,
        VG_OBJECT_EXISTS,
        "An object with this %s exists already",
        is_name ? "name" : "id");
    /* Names of entries are texts of an arena, so they have their NUL. */
    (void)vg_error_field(error, NULL, is_name ? (const char *)entry->name.data : id);
    return VG_OBJECT_EXISTS;
}

/* `stored`: what is replaced; data NULL = the record is added. */
static enum vg_reason prepare(
    struct vg_directory_change *change,
    const ProtobufCMessage *record,
    struct vg_bytes stored,
    struct vg_arena *arena,
    struct vg_error *error)
{
    struct vg_directory *directory = change->directory;
    size_t size = protobuf_c_message_get_packed_size(record);
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    struct vg_bytes packed = vg_bytes(bytes, protobuf_c_message_pack(record, bytes));
    struct vg_directory_entry *entry = NULL;
    struct vg_directory_memory memory = { arena, &directory->zones };
    enum vg_reason reason = vg_directory_entry_make(change->kind, packed, &memory, &entry, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_key key;
    record_key(&key, change->kind, entry->id, entry->name);
    vg_batch_init(&change->batch, size + stored.size + VG_DIRECTORY_BATCH_EXTRA_BYTES);
    if (stored.data != NULL) {
        vg_batch_guard_value(&change->batch, vg_key_bytes(&key), stored);
        vg_batch_set(&change->batch, vg_key_bytes(&key), packed);
        return VG_OK;
    }
    reason = check_free(change, entry, error);
    if (reason != VG_OK) {
        return reason;
    }
    vg_batch_guard_absent(&change->batch, vg_key_bytes(&key));
    vg_batch_set(&change->batch, vg_key_bytes(&key), packed);
    put_reservations(change, entry, &key);
    return VG_OK;
}

static enum vg_reason prepare_in_scratch(
    struct vg_directory_change *change,
    const ProtobufCMessage *record,
    struct vg_bytes stored,
    struct vg_error *error)
{
    struct vg_arena arena;
    vg_arena_init(&arena, VG_DIRECTORY_CHANGE_ARENA_BYTES);
    enum vg_reason reason = prepare(change, record, stored, &arena, error);
    vg_arena_dispose(&arena);
    return reason;
}

enum vg_reason vg_directory_change_add(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record,
    struct vg_error *error)
{
    *change = (struct vg_directory_change){ .directory = directory, .kind = kind };
    return prepare_in_scratch(change, record, vg_bytes(NULL, 0), error);
}

enum vg_reason vg_directory_change_replace(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const struct vg_directory_record *record,
    struct vg_error *error)
{
    *change = (struct vg_directory_change){ .directory = directory, .kind = kind };
    return prepare_in_scratch(change, record->message, record->stored, error);
}

/* Copy what was found out of the store's memory and decode the copy. */
static enum vg_reason decode_value(
    const struct vg_store_value *value,
    enum vg_directory_kind kind,
    struct vg_arena *arena,
    struct vg_directory_record *out_record,
    struct vg_error *error)
{
    uint8_t *copy = vg_arena_alloc(arena, value->bytes.size);
    if (copy == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    memcpy(copy, value->bytes.data, value->bytes.size);
    struct vg_directory_record record = { .stored = vg_bytes(copy, value->bytes.size) };
    if (vg_wire_decode(
            vg_directory_kinds[kind].table,
            record.stored,
            &vg_wire_policy_record,
            arena,
            &record.message,
            NULL) != VG_OK) {
        return vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    *out_record = record;
    return VG_OK;
}

enum vg_reason vg_directory_record_read(
    struct vg_directory *directory,
    const struct vg_directory_name *name,
    struct vg_arena *arena,
    struct vg_directory_record *out_record,
    struct vg_error *error)
{
    struct vg_key key;
    record_key(&key, name->kind, name->id, name->name);
    struct vg_store_value value;
    enum vg_reason reason =
        vg_store_get_one(directory->store, NULL, 0, vg_key_bytes(&key), &value, error);
    if (reason != VG_OK) {
        return reason;
    }
    reason = value.found ? decode_value(&value, name->kind, arena, out_record, error)
                         : vg_error_set(error, VG_OBJECT_NOT_FOUND, NULL);
    vg_store_value_release(&value);
    return reason;
}

void vg_directory_change_reserve_domain(
    struct vg_directory_change *change,
    int32_t id,
    struct vg_bytes name)
{
    struct vg_key key;
    struct vg_key owner;
    reserved_number(&owner, RESERVED_DOMAIN_ID, id);
    uint8_t folded[VG_DIRECTORY_SHORT_NAME_BYTES_MAX];
    bool fits = vg_directory_entry_fold(VG_DIRECTORY_CUSTOMER, name, folded, &name);
    VG_ASSERT(fits); /* VG_DIRECTORY_DOMAIN_NAME_MAX is less */
    reserved_name(&key, RESERVED_DOMAIN_NAME, name);
    reserve(&change->batch, &owner, &key);
    reserve(&change->batch, &key, &owner);
}

void vg_directory_change_dispose(struct vg_directory_change *change)
{
    vg_batch_dispose(&change->batch);
}

void vg_directory_change_install(struct vg_directory_change *change)
{
    struct vg_directory *directory = change->directory;
    size_t at = 0;
    struct vg_batch_entry item = { .operation = VG_BATCH_GUARD_ABSENT };
    while (vg_batch_next(&change->batch, &at, &item) && item.operation != VG_BATCH_SET) {
        /* The first set is the record; the others are reservations. */
    }
    VG_ASSERT(item.operation == VG_BATCH_SET);
    struct vg_directory_entry *entry = NULL;
    struct vg_directory_memory memory = { &directory->arena, &directory->zones };
    enum vg_reason reason =
        vg_directory_entry_make(change->kind, item.value, &memory, &entry, NULL);
    VG_ASSERT(reason == VG_OK); /* it was read when the change was made */
    vg_directory_put(directory, change->kind, entry);
}
