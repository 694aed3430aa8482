#include "core/record/sample_record.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/record/v1/sample.pb-c.h"

#define HEX_SIZE(size) (2 * (size) + 1)

/* The score of a verdict from which on the sample is malicious, unless it says otherwise. */
#define MALICIOUS_SCORE_MIN  80
#define STATUS_MALICIOUS     1 /* of vigil.sampledb.v2.StatusOverride */
#define STATUS_OVERRIDE_LAST 2

/* sampledb-api.md 3.8: the newest verdict says so, or its score is high. */
bool vg_sample_is_malicious(const struct vg_sample_record *record)
{
    const struct vg_sample_verdict *verdict = &record->latest_verdict;
    return record->verdict_count != 0 &&
           (verdict->status_override == STATUS_MALICIOUS || verdict->score >= MALICIOUS_SCORE_MIN);
}

/* ------------------------------------------------------------------------------------ verdicts */

/* A verdict as a message, and the flags it points at. */
struct verdict_message {
    Vigil__Record__V1__SampleVerdict message;
    int32_t flags[VG_VERDICT_FLAGS_MAX];
};

/* The message borrows the comment, which has NUL behind it. */
static void fill_verdict(const struct vg_sample_verdict *verdict, struct verdict_message *made)
{
    vigil__record__v1__sample_verdict__init(&made->message);
    made->message.has_created_timestamp = true;
    made->message.created_timestamp = verdict->created;
    made->message.has_score = true;
    made->message.score = verdict->score;
    made->message.has_status_override = verdict->status_override != 0;
    made->message.status_override = verdict->status_override;
    made->message.comment = (char *)(uintptr_t)verdict->comment.data;
    made->message.has_user_id = true;
    made->message.user_id = verdict->user_id;
    made->message.flags = made->flags;
    for (int32_t flag = 1; flag < (int32_t)VG_VERDICT_FLAGS_MAX; flag++) {
        if ((verdict->flags >> flag & 1) != 0) {
            made->flags[made->message.n_flags++] = flag;
        }
    }
}

static bool read_verdict(
    const Vigil__Record__V1__SampleVerdict *message,
    struct vg_sample_verdict *out_verdict)
{
    if (message->score < VG_VERDICT_SCORE_MIN || message->score > VG_VERDICT_SCORE_MAX ||
        message->status_override < 0 || message->status_override > STATUS_OVERRIDE_LAST ||
        message->comment == NULL) {
        return false;
    }
    struct vg_sample_verdict verdict = {
        .created = message->created_timestamp,
        .score = message->score,
        .status_override = message->status_override,
        .comment = vg_bytes_text(message->comment),
        .user_id = message->user_id,
    };
    for (size_t i = 0; i < message->n_flags; i++) {
        if (message->flags[i] < 1 || message->flags[i] >= (int32_t)VG_VERDICT_FLAGS_MAX) {
            return false;
        }
        verdict.flags |= 1u << message->flags[i];
    }
    *out_verdict = verdict;
    return true;
}

static enum vg_reason pack(
    const ProtobufCMessage *message,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes,
    struct vg_error *error)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_bytes = vg_bytes(bytes, protobuf_c_message_pack(message, bytes));
    return VG_OK;
}

enum vg_reason vg_sample_verdict_pack(
    const struct vg_sample_verdict *verdict,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes,
    struct vg_error *error)
{
    struct verdict_message made;
    fill_verdict(verdict, &made);
    return pack(&made.message.base, arena, out_bytes, error);
}

enum vg_reason vg_sample_verdict_unpack(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_sample_verdict *out_verdict,
    struct vg_error *error)
{
    ProtobufCMessage *base = NULL;
    enum vg_reason reason = vg_wire_decode(
        &vg_table_vigil_record_v1_sample_verdict,
        bytes,
        &vg_wire_policy_record,
        arena,
        &base,
        NULL);
    if (reason == VG_OK &&
        !read_verdict((const Vigil__Record__V1__SampleVerdict *)base, out_verdict)) {
        reason = VG_STORE_CORRUPT;
    }
    return reason == VG_OK || reason == VG_REQUEST_MEMORY
               ? (reason == VG_OK ? VG_OK : vg_error_set(error, reason, NULL))
               : vg_error_set(error, VG_STORE_CORRUPT, "a verdict cannot be read");
}

/* ------------------------------------------------------------------------------------- samples */

static void fill_times(const struct vg_sample_record *record, Vigil__Record__V1__Sample *message)
{
    bool has = record->first_submitted != 0;
    message->has_first_submitted_timestamp = has;
    message->first_submitted_timestamp = record->first_submitted;
    message->has_last_submitted_timestamp = has;
    message->last_submitted_timestamp = record->last_submitted;
    message->has_first_observed_timestamp = has;
    message->first_observed_timestamp = record->first_observed;
    message->has_last_observed_timestamp = has;
    message->last_observed_timestamp = record->last_observed;
}

static void fill_verdicts(
    const struct vg_sample_record *record,
    Vigil__Record__V1__Sample *message,
    struct verdict_message *latest)
{
    message->has_verdict_count = record->verdict_count != 0;
    message->verdict_count = record->verdict_count;
    message->verdict_marks = (uint32_t *)(uintptr_t)record->verdict_marks;
    message->n_verdict_marks = record->verdict_mark_count;
    if (record->verdict_count != 0) {
        fill_verdict(&record->latest_verdict, latest);
        message->latest_verdict = &latest->message;
    }
}

enum vg_reason vg_sample_record_pack(
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    struct vg_bytes *out_bytes,
    struct vg_error *error)
{
    char sha256[HEX_SIZE(VG_SHA256_SIZE)];
    char sha512[HEX_SIZE(VG_SHA512_SIZE)];
    char sha1[HEX_SIZE(VG_SHA1_SIZE)];
    char md5[HEX_SIZE(VG_MD5_SIZE)];
    vg_hex_encode(vg_bytes(record->sha256, VG_SHA256_SIZE), sha256);
    vg_hex_encode(vg_bytes(record->sha512, VG_SHA512_SIZE), sha512);
    vg_hex_encode(vg_bytes(record->sha1, VG_SHA1_SIZE), sha1);
    vg_hex_encode(vg_bytes(record->md5, VG_MD5_SIZE), md5);
    Vigil__Record__V1__Sample message = VIGIL__RECORD__V1__SAMPLE__INIT;
    message.sha256 = sha256;
    message.sha512 = sha512;
    message.sha1 = sha1;
    message.md5 = md5;
    message.has_size = true;
    message.size = record->size;
    message.has_created_timestamp = true;
    message.created_timestamp = record->created;
    message.has_deleted_timestamp = record->deleted != 0;
    message.deleted_timestamp = record->deleted;
    message.has_revision = true;
    message.revision = record->revision;
    message.has_purged_until = record->purged_until != 0;
    message.purged_until = record->purged_until;
    struct verdict_message latest;
    fill_times(record, &message);
    fill_verdicts(record, &message, &latest);
    return pack(&message.base, arena, out_bytes, error);
}

static bool read_verdicts(const Vigil__Record__V1__Sample *message, struct vg_sample_record *record)
{
    record->verdict_count = message->verdict_count;
    record->verdict_marks = message->verdict_marks;
    record->verdict_mark_count = (uint32_t)message->n_verdict_marks;
    if (record->verdict_count == 0) {
        return true;
    }
    return message->latest_verdict != NULL && message->n_verdict_marks <= VG_VERDICT_MARKS_MAX &&
           read_verdict(message->latest_verdict, &record->latest_verdict);
}

static bool read_digest(const char *text, size_t size, uint8_t *out_digest)
{
    return text != NULL && strlen(text) == 2 * size &&
           vg_hex_decode(vg_bytes(text, 2 * size), out_digest);
}

enum vg_reason vg_sample_record_unpack(
    const uint8_t sha256[VG_SHA256_SIZE],
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_sample_record *out_record,
    struct vg_error *error)
{
    ProtobufCMessage *base = NULL;
    enum vg_reason reason = vg_wire_decode(
        &vg_table_vigil_record_v1_sample,
        bytes,
        &vg_wire_policy_record,
        arena,
        &base,
        NULL);
    if (reason == VG_REQUEST_MEMORY) {
        return vg_error_set(error, reason, NULL);
    }
    const Vigil__Record__V1__Sample *message = (const Vigil__Record__V1__Sample *)base;
    struct vg_sample_record record = { .size = 0 };
    if (reason != VG_OK || !read_digest(message->sha256, VG_SHA256_SIZE, record.sha256) ||
        !read_digest(message->sha512, VG_SHA512_SIZE, record.sha512) ||
        !read_digest(message->sha1, VG_SHA1_SIZE, record.sha1) ||
        !read_digest(message->md5, VG_MD5_SIZE, record.md5) || message->size < 0 ||
        !read_verdicts(message, &record) || memcmp(record.sha256, sha256, VG_SHA256_SIZE) != 0) {
        return vg_error_set(error, VG_STORE_CORRUPT, "the record of a sample cannot be read");
    }
    record.size = message->size;
    record.created = message->created_timestamp;
    record.deleted = message->deleted_timestamp;
    record.revision = message->revision;
    record.first_submitted = message->first_submitted_timestamp;
    record.last_submitted = message->last_submitted_timestamp;
    record.first_observed = message->first_observed_timestamp;
    record.last_observed = message->last_observed_timestamp;
    record.purged_until = message->purged_until;
    *out_record = record;
    return VG_OK;
}
