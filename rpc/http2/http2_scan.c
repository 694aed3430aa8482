#include "rpc/http2/http2_scan.h"

#include <string.h>

bool vg_http2_scan_next(
    struct vg_http2_scan *scan,
    struct vg_bytes part,
    size_t *at,
    struct vg_http2_scan_frame *out_frame)
{
    size_t next = *at;
    const size_t skipped = part.size - next < scan->left ? part.size - next : scan->left;
    scan->left -= (uint32_t)skipped;
    next += skipped;
    size_t size = VG_HTTP2_SCAN_HEAD_BYTES - scan->have;
    size = part.size - next < size ? part.size - next : size;
    if (size > 0) {
        memcpy(scan->head + scan->have, part.data + next, size);
    }
    out_frame->begins = scan->have == 0 ? next : 0;
    scan->have = (uint8_t)(scan->have + size);
    *at = next + size;
    if (scan->have < VG_HTTP2_SCAN_HEAD_BYTES) {
        return false;
    }
    const uint8_t *head = scan->head;
    scan->have = 0;
    scan->left = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    out_frame->type = head[3];
    out_frame->flags = head[4];
    out_frame->stream =
        (int32_t)((uint32_t)(head[5] & 0x7f) << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]);
    return true;
}
