#include "gateway/rpcweb/base64_stream.h"

#include <string.h>

#include "core/base/base64.h"

/* One whole group, which may be padded. */
static bool stream_decode_group(const void *group, uint8_t *out, size_t *size)
{
    uint8_t bytes[4];
    size_t count = 0;
    if (!vg_base64_decode(vg_bytes(group, 4), VG_BASE64_STANDARD, bytes, &count)) {
        return false;
    }
    memcpy(out + *size, bytes, count);
    *size += count;
    return true;
}

/* Characters of `text` up to its first padding, in whole groups. */
static size_t stream_plain_size(struct vg_bytes text)
{
    const uint8_t *pad = text.size == 0 ? NULL : memchr(text.data, '=', text.size);
    size_t size = pad == NULL ? text.size : (size_t)(pad - text.data);
    return size / 4 * 4;
}

bool vg_base64_stream_decode(
    struct vg_base64_stream *stream,
    struct vg_bytes text,
    uint8_t *out,
    size_t *out_size)
{
    *out_size = 0;
    while (text.size > 0) {
        size_t plain = stream->count == 0 ? stream_plain_size(text) : 0;
        if (plain > 0) {
            size_t count = 0;
            if (!vg_base64_decode(
                    vg_bytes(text.data, plain),
                    VG_BASE64_UNPADDED,
                    out + *out_size,
                    &count)) {
                return false;
            }
            *out_size += count;
            text = vg_bytes(text.data + plain, text.size - plain);
            continue;
        }
        stream->group[stream->count++] = (char)text.data[0];
        text = vg_bytes(text.data + 1, text.size - 1);
        if (stream->count == sizeof(stream->group)) {
            stream->count = 0;
            if (!stream_decode_group(stream->group, out, out_size)) {
                return false;
            }
        }
    }
    return true;
}
