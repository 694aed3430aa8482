/* Base64 in pieces: cut differently, the same characters give the same bytes. The first byte says
 * how to cut. */
#include "gateway/rpcweb/base64_stream.h"

#include <stdlib.h>

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    bool is_text;
    bool is_idle;
    size_t size;
    uint64_t hash;
};

static struct outcome decode(struct vg_bytes text, size_t slice)
{
    struct vg_base64_stream stream = { .count = 0 };
    struct outcome outcome = { .is_text = true };
    uint8_t *out = malloc(vg_base64_stream_decoded_max(slice));
    VG_ASSERT(out != NULL);
    for (size_t at = 0; at < text.size && outcome.is_text; at += slice) {
        size_t count = 0;
        struct vg_bytes part =
            vg_bytes(text.data + at, text.size - at < slice ? text.size - at : slice);
        outcome.is_text = vg_base64_stream_decode(&stream, part, out, &count);
        for (size_t i = 0; i < count && outcome.is_text; i++) {
            outcome.hash = outcome.hash * 31 + out[i];
        }
        outcome.size += count;
    }
    outcome.is_idle = vg_base64_stream_is_idle(&stream);
    free(out);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct vg_bytes text = vg_bytes(data + 1, size - 1);
    struct outcome whole = decode(text, text.size);
    struct outcome cut = decode(text, data[0] == 0 ? 1 : data[0]);
    VG_ASSERT(whole.is_text == cut.is_text);
    if (whole.is_text) {
        VG_ASSERT(whole.size == cut.size && whole.hash == cut.hash);
        VG_ASSERT(whole.is_idle == cut.is_idle);
    }
    return 0;
}
