#include "core/record/sample_record.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/record/v1/sample.pb-c.h"

#define HEX_SIZE(size) (2 * (size) + 1)

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
    size_t size = protobuf_c_message_get_packed_size(&message.base);
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_bytes = vg_bytes(bytes, protobuf_c_message_pack(&message.base, bytes));
    return VG_OK;
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
        memcmp(record.sha256, sha256, VG_SHA256_SIZE) != 0) {
        return vg_error_set(error, VG_STORE_CORRUPT, "the record of a sample cannot be read");
    }
    record.size = message->size;
    record.created = message->created_timestamp;
    record.deleted = message->deleted_timestamp;
    record.revision = message->revision;
    *out_record = record;
    return VG_OK;
}
