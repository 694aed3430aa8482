/*
 * The Connect protocol's own texts: the query of a GET, and the JSON of an error, whose strings and
 * brackets have to balance whatever the trailers are. The first byte says which.
 */
#include "core/base/assert.h"
#include "gateway/rpcweb/connect_error.h"
#include "gateway/rpcweb/connect_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_query(struct vg_bytes text)
{
    struct vg_arena arena;
    struct vg_connect_query query;
    vg_arena_init(&arena, 1u << 20);
    if (vg_connect_query_read(text, &arena, &query, NULL) == VG_OK) {
        VG_ASSERT(query.message.size <= text.size);
        VG_ASSERT(query.encoding.size <= text.size);
    }
    vg_arena_dispose(&arena);
}

/* Is it one object, as far as strings and brackets tell? */
static bool is_object(struct vg_bytes json)
{
    unsigned depth = 0;
    bool within = false;
    for (size_t i = 0; i < json.size; i++) {
        const uint8_t letter = json.data[i];
        if (within) {
            i += letter == '\\';
            within = letter != '"';
        } else if (letter == '"') {
            within = true;
        } else if (letter == '{' || letter == '[') {
            depth++;
        } else if (letter == '}' || letter == ']') {
            depth--;
            if (depth == 0 && i + 1 < json.size) {
                return false;
            }
        }
    }
    return depth == 0 && !within;
}

static void write_error(struct vg_bytes details)
{
    const struct vg_http_header trailers[] = {
        { vg_bytes_text("grpc-status"),
          vg_bytes(details.data, details.size < 2 ? details.size : 2) },
        { vg_bytes_text("grpc-status-details-bin"), details },
    };
    struct vg_buffer out;
    vg_buffer_init(&out, 1u << 20);
    vg_connect_error_write(trailers, VG_ARRAY_COUNT(trailers), &out);
    VG_ASSERT(out.failed || is_object(vg_buffer_bytes(&out)));
    vg_buffer_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct vg_bytes rest = vg_bytes(data + 1, size - 1);
    if ((data[0] & 1) == 0) {
        read_query(rest);
    } else {
        write_error(rest);
    }
    return 0;
}
