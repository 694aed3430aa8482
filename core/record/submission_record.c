#include "core/record/submission_record.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/record/v1/submission.pb-c.h"

/* A text that the message borrows; protobuf-c has no const. */
static char *borrow_text(struct vg_bytes text)
{
    char *borrowed;
    memcpy(&borrowed, &text.data, sizeof(borrowed));
    return borrowed;
}

/* The entries of the map, borrowed from the record; false when the arena is full. */
static bool set_meta(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    Vigil__Record__V1__Submission *message)
{
    size_t count = record->meta_count;
    Vigil__Record__V1__Submission__MetaDataEntry *entries =
        vg_arena_alloc(arena, (count + 1) * sizeof(*entries));
    Vigil__Record__V1__Submission__MetaDataEntry **list =
        vg_arena_alloc(arena, (count + 1) * sizeof(*list));
    if (entries == NULL || list == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        vigil__record__v1__submission__meta_data_entry__init(&entries[i]);
        entries[i].key = borrow_text(record->meta[i].key);
        entries[i].value = borrow_text(record->meta[i].value);
        list[i] = &entries[i];
    }
    message->n_meta_data = count;
    message->meta_data = list;
    return true;
}

static void set_flags(
    const struct vg_submission_record *record,
    int32_t flags[VG_SUBMISSION_FLAG_MAX],
    Vigil__Record__V1__Submission *message)
{
    message->flags = flags;
    for (int32_t flag = 1; flag <= (int32_t)VG_SUBMISSION_FLAG_MAX; flag++) {
        if ((record->flags >> flag & 1) != 0) {
            flags[message->n_flags++] = flag;
        }
    }
}

static void set_numbers(
    const struct vg_submission_record *record,
    Vigil__Record__V1__Submission *message)
{
    message->has_observed_timestamp = message->has_submitted_timestamp = true;
    message->observed_timestamp = record->observed;
    message->submitted_timestamp = record->submitted;
    message->has_expiry_timestamp = record->expiry != 0;
    message->expiry_timestamp = record->expiry;
    message->has_tlp = true;
    message->tlp = (int32_t)record->tlp;
    message->has_customer_id = message->has_user_id = message->has_revision = true;
    message->customer_id = record->customer_id;
    message->user_id = record->user_id;
    message->revision = record->revision;
    message->has_held = record->held;
    message->held = record->held;
    message->n_acl = record->acl_count;
    memcpy(&message->acl, &record->acl, sizeof(message->acl));
}

enum vg_reason vg_submission_record_pack(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes)
{
    char id[VG_UUID_TEXT_SIZE];
    char sample[2 * VG_SHA256_SIZE + 1];
    int32_t flags[VG_SUBMISSION_FLAG_MAX];
    vg_uuid_print(&record->id, id);
    vg_hex_encode(vg_bytes(record->sample, VG_SHA256_SIZE), sample);
    Vigil__Record__V1__SubmissionUserAgent agent = VIGIL__RECORD__V1__SUBMISSION_USER_AGENT__INIT;
    agent.name = borrow_text(record->agent_name);
    agent.version = borrow_text(record->agent_version);
    Vigil__Record__V1__Submission message = VIGIL__RECORD__V1__SUBMISSION__INIT;
    message.id = id;
    message.sample_sha256 = sample;
    message.file_name = borrow_text(record->file_name);
    message.mime_type = borrow_text(record->mime_type);
    message.user_agent = &agent;
    set_numbers(record, &message);
    set_flags(record, flags, &message);
    if (!set_meta(record, arena, &message)) {
        return VG_REQUEST_MEMORY;
    }
    uint8_t *bytes = vg_arena_alloc(arena, protobuf_c_message_get_packed_size(&message.base));
    if (bytes == NULL) {
        return VG_REQUEST_MEMORY;
    }
    *out_bytes = vg_bytes(bytes, protobuf_c_message_pack(&message.base, bytes));
    return VG_OK;
}

static bool read_identity(
    const Vigil__Record__V1__Submission *message,
    const uint8_t *sample,
    const struct vg_uuid *id,
    struct vg_submission_record *record)
{
    return message->id != NULL && vg_uuid_parse(vg_bytes_text(message->id), &record->id) &&
           memcmp(&record->id, id, sizeof(*id)) == 0 && message->sample_sha256 != NULL &&
           strlen(message->sample_sha256) == 2 * (size_t)VG_SHA256_SIZE &&
           vg_hex_decode(vg_bytes_text(message->sample_sha256), record->sample) &&
           memcmp(record->sample, sample, VG_SHA256_SIZE) == 0;
}

static bool read_texts(
    const Vigil__Record__V1__Submission *message,
    struct vg_submission_record *record)
{
    if (message->file_name == NULL || message->mime_type == NULL || message->user_agent == NULL ||
        message->user_agent->name == NULL || message->user_agent->version == NULL) {
        return false;
    }
    record->file_name = vg_bytes_text(message->file_name);
    record->mime_type = vg_bytes_text(message->mime_type);
    record->agent_name = vg_bytes_text(message->user_agent->name);
    record->agent_version = vg_bytes_text(message->user_agent->version);
    return true;
}

static void read_numbers(
    const Vigil__Record__V1__Submission *message,
    struct vg_submission_record *record)
{
    record->observed = message->observed_timestamp;
    record->submitted = message->submitted_timestamp;
    record->expiry = message->has_expiry_timestamp ? message->expiry_timestamp : 0;
    record->tlp = (enum vg_tlp)message->tlp;
    record->customer_id = message->customer_id;
    record->user_id = message->user_id;
    record->revision = message->revision;
    record->held = message->held;
    record->acl = message->acl;
    record->acl_count = message->n_acl;
    for (size_t i = 0; i < message->n_flags; i++) {
        if (message->flags[i] > 0 && message->flags[i] <= (int32_t)VG_SUBMISSION_FLAG_MAX) {
            record->flags |= 1u << message->flags[i];
        }
    }
}

static bool read_meta(
    const Vigil__Record__V1__Submission *message,
    struct vg_arena *arena,
    struct vg_submission_record *record)
{
    struct vg_submission_meta *meta =
        vg_arena_alloc(arena, (message->n_meta_data + 1) * sizeof(*meta));
    if (meta == NULL) {
        return false;
    }
    for (size_t i = 0; i < message->n_meta_data; i++) {
        const Vigil__Record__V1__Submission__MetaDataEntry *entry = message->meta_data[i];
        meta[i].key = vg_bytes_text(entry->key == NULL ? "" : entry->key);
        meta[i].value = vg_bytes_text(entry->value == NULL ? "" : entry->value);
    }
    record->meta = meta;
    record->meta_count = message->n_meta_data;
    return true;
}

enum vg_reason vg_submission_record_unpack(
    const uint8_t sample[VG_SHA256_SIZE],
    const struct vg_uuid *id,
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    struct vg_error *error)
{
    ProtobufCMessage *base = NULL;
    enum vg_reason reason = vg_wire_decode(
        &vg_table_vigil_record_v1_submission,
        bytes,
        &vg_wire_policy_record,
        arena,
        &base,
        NULL);
    if (reason == VG_REQUEST_MEMORY) {
        return vg_error_set(error, reason, NULL);
    }
    const Vigil__Record__V1__Submission *message = (const Vigil__Record__V1__Submission *)base;
    struct vg_submission_record record = { .expiry = 0 };
    if (reason != VG_OK || !read_identity(message, sample, id, &record) ||
        !read_texts(message, &record)) {
        return vg_error_set(error, VG_STORE_CORRUPT, "the record of a submission cannot be read");
    }
    read_numbers(message, &record);
    if (!read_meta(message, arena, &record)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_record = record;
    return VG_OK;
}
