#include "core/keyspace/format_version.h"

#include <string.h>

static const uint8_t magic[5] = { 'v', 'i', 'g', 'i', 'l' };

#define VERSION_AT sizeof(magic)
#define ID_AT      (VERSION_AT + 4)
#define SECRET_AT  (ID_AT + VG_FORMAT_ID_SIZE)

void vg_format_version_encode(const struct vg_format *format, uint8_t out[VG_FORMAT_SIZE])
{
    memcpy(out, magic, sizeof(magic));
    for (unsigned index = 0; index < 4; index++) {
        out[VERSION_AT + index] = (uint8_t)(format->version >> (24 - 8 * index));
    }
    memcpy(out + ID_AT, format->store_id, VG_FORMAT_ID_SIZE);
    memcpy(out + SECRET_AT, format->secret, VG_FORMAT_SECRET_SIZE);
}

enum vg_reason vg_format_version_decode(
    struct vg_bytes value,
    uint32_t version_max,
    struct vg_format *out_format,
    struct vg_error *error)
{
    if (value.size < ID_AT || memcmp(value.data, magic, sizeof(magic)) != 0) {
        return vg_error_set(error, VG_STORE_FORMAT, "the data directory was not written by vigil");
    }
    uint32_t version = 0;
    for (unsigned index = 0; index < 4; index++) {
        version = version << 8 | value.data[VERSION_AT + index];
    }
    /* A newer format may be longer: say that it is newer, not that it is broken. */
    if (version > version_max) {
        return vg_error_set(
            error,
            VG_STORE_FORMAT,
            "the data directory has format %u, this program reads up to %u: use a newer program",
            version,
            version_max);
    }
    if (version == 0 || value.size != VG_FORMAT_SIZE) {
        return vg_error_set(
            error,
            VG_STORE_FORMAT,
            "the format record of the data directory is broken");
    }
    out_format->version = version;
    memcpy(out_format->store_id, value.data + ID_AT, VG_FORMAT_ID_SIZE);
    memcpy(out_format->secret, value.data + SECRET_AT, VG_FORMAT_SECRET_SIZE);
    return VG_OK;
}
