#include "core/base/uuid.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/base/hex.h"

/* A dash stands before the bytes 4, 6, 8 and 10. */
static bool dash_before(size_t index)
{
    return index == 4 || index == 6 || index == 8 || index == 10;
}

/* RFC 4122 §4.1.1 and §4.1.3: variant 10 and the version in the high bits of byte 6. */
static void set_version(struct vg_uuid *uuid, unsigned version)
{
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0Fu) | (version << 4));
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3Fu) | 0x80u);
}

struct vg_uuid vg_uuid_make(struct vg_random *random)
{
    struct vg_uuid uuid;
    vg_random_bytes(random, uuid.bytes, sizeof(uuid.bytes));
    set_version(&uuid, 4);
    return uuid;
}

struct vg_uuid vg_uuid_from_name(const struct vg_uuid *name_space, struct vg_bytes name)
{
    struct vg_digest *digest = vg_digest_create(VG_DIGEST_KIND_SHA1);
    VG_ASSERT(digest != NULL);
    uint8_t sha1[VG_SHA1_SIZE];
    vg_digest_add(digest, vg_bytes(name_space->bytes, sizeof(name_space->bytes)));
    vg_digest_add(digest, name);
    vg_digest_finish(digest, sha1);
    vg_digest_destroy(digest);
    struct vg_uuid uuid;
    memcpy(uuid.bytes, sha1, sizeof(uuid.bytes));
    set_version(&uuid, 5);
    return uuid;
}

bool vg_uuid_parse(struct vg_bytes text, struct vg_uuid *out_uuid)
{
    if (text.size != VG_UUID_TEXT_SIZE - 1) {
        return false;
    }
    struct vg_uuid uuid;
    const uint8_t *at = text.data;
    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        if (dash_before(i) && *at++ != '-') {
            return false;
        }
        if (!vg_hex_decode(vg_bytes(at, 2), &uuid.bytes[i])) {
            return false;
        }
        at += 2;
    }
    *out_uuid = uuid;
    return true;
}

void vg_uuid_print(const struct vg_uuid *uuid, char out_text[VG_UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *to = out_text;
    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        if (dash_before(i)) {
            *to++ = '-';
        }
        *to++ = digits[uuid->bytes[i] >> 4];
        *to++ = digits[uuid->bytes[i] & 0x0F];
    }
    *to = '\0';
}
