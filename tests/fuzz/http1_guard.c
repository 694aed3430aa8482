/*
 * Heads of strangers: however the bytes are cut, the guard says the same; and a head that it lets
 * pass has no line end but CR LF.
 *
 * Input: one byte for the size of pieces, then the bytes of a connection.
 *
 * Threads: one.
 */
#include "gateway/http1/http1_guard.h"

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *take(struct vg_http1_guard *guard, struct vg_bytes bytes, size_t piece)
{
    const char *words = NULL;
    while (words == NULL && bytes.size > 0) {
        size_t part = bytes.size < piece ? bytes.size : piece;
        words = vg_http1_guard_take(guard, vg_bytes(bytes.data, part));
        bytes = vg_bytes(bytes.data + part, bytes.size - part);
    }
    return words;
}

static void check_lines(struct vg_bytes head)
{
    for (size_t i = 0; i < head.size; i++) {
        bool is_cr = head.data[i] == '\r';
        bool is_lf = head.data[i] == '\n';
        VG_ASSERT(!is_cr || (i + 1 < head.size && head.data[i + 1] == '\n'));
        VG_ASSERT(!is_lf || (i > 0 && head.data[i - 1] == '\r'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct vg_bytes bytes = vg_bytes(data + 1, size - 1);
    for (int trailers = 0; trailers < 2; trailers++) {
        struct vg_http1_guard whole;
        struct vg_http1_guard pieces;
        vg_http1_guard_init(&whole);
        vg_http1_guard_init(&pieces);
        if (trailers == 1) {
            vg_http1_guard_begin_trailers(&whole);
            vg_http1_guard_begin_trailers(&pieces);
        }
        const char *words = vg_http1_guard_take(&whole, bytes);
        VG_ASSERT(words == take(&pieces, bytes, data[0] == 0 ? 1 : data[0]));
        if (words == NULL) {
            VG_ASSERT(whole.stage == pieces.stage && whole.bytes == pieces.bytes);
            VG_ASSERT(whole.bytes <= bytes.size);
        }
        if (words == NULL && whole.stage == VG_HTTP1_GUARD_DONE) {
            check_lines(vg_bytes(bytes.data, whole.bytes));
        }
    }
    return 0;
}
