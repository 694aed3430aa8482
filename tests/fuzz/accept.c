/*
 * The header Accept of strangers: whatever it is, a form that is offered comes out, qualities stay
 * in their range, and saying the same twice changes nothing.
 *
 * Input: one byte for what is offered, then the value; a NUL divides it into two headers.
 *
 * Threads: one.
 */
#include "gateway/envelope/accept.h"

#include <string.h>

#include "core/base/assert.h"
#include "gateway/envelope/header_list.h"
#include "proto/contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_all(struct vg_accept *accept, struct vg_bytes text)
{
    const uint8_t *middle = text.size == 0 ? NULL : memchr(text.data, 0, text.size);
    size_t first = middle == NULL ? text.size : (size_t)(middle - text.data);
    vg_accept_add(accept, vg_bytes(text.data, first));
    if (middle != NULL) {
        vg_accept_add(accept, vg_bytes(middle + 1, text.size - first - 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned products[VG_FORMAT_COUNT] = { 0,
                                                        VG_PRODUCT_CSV,
                                                        VG_PRODUCT_JSONL,
                                                        VG_PRODUCT_XLSX };
    if (size == 0) {
        return 0;
    }
    const unsigned produces = data[0];
    struct vg_accept accept;
    vg_accept_init(&accept);
    add_all(&accept, vg_bytes(data + 1, size - 1));
    enum vg_format format = vg_accept_choose(&accept, produces);
    VG_ASSERT(format == VG_FORMAT_JSON || (produces & products[format]) != 0);
    for (int i = 0; i < VG_FORMAT_COUNT; i++) {
        VG_ASSERT(accept.quality[i] <= VG_HEADER_QUALITY_MAX);
        VG_ASSERT(accept.rank[i] > 0 || accept.quality[i] == 0);
    }
    struct vg_accept twice = accept;
    add_all(&twice, vg_bytes(data + 1, size - 1));
    VG_ASSERT(vg_accept_choose(&twice, produces) == format);
    return 0;
}
