#include "rpc/grpc/grpc_encoding.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/base/assert.h"

/* Records shrink to about a third at this level as at the highest, at several times the speed. */
#define VG_GRPC_ENCODING_LEVEL  3
#define VG_GRPC_ENCODING_MEMORY 8 /* zlib's default */
#define VG_GRPC_ENCODING_WINDOW 15
/* Added to the window, so that zlib reads and writes the format of gzip (RFC 1952). */
#define VG_GRPC_ENCODING_GZIP_WINDOW (VG_GRPC_ENCODING_WINDOW + 16)
/* What a message is first taken to inflate to. */
#define VG_GRPC_ENCODING_GUESS 4u
#define VG_GRPC_ENCODING_STEP  4096u
/* Scratch larger than this is not kept. */
#define VG_GRPC_ENCODING_SCRATCH_BYTES (256u * 1024u)

struct vg_grpc_encoding_state {
    z_stream in;
    z_stream out[VG_GRPC_ENCODING_UNKNOWN]; /* by encoding */
    bool has_in;
    bool has_out[VG_GRPC_ENCODING_UNKNOWN];
    struct vg_buffer scratch;
};

/* --- Names -------------------------------------------------------------------------------------
 */

static const char *const encoding_names[] = { "identity", "deflate", "gzip" };

static bool is_word(struct vg_bytes text, const char *word)
{
    size_t size = strlen(word);
    if (text.size != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t letter = text.data[i];
        if (letter >= 'A' && letter <= 'Z') {
            letter = (uint8_t)(letter + ('a' - 'A'));
        }
        if (letter != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

enum vg_grpc_encoding vg_grpc_encoding_find(struct vg_bytes name)
{
    if (name.data == NULL) {
        return VG_GRPC_ENCODING_IDENTITY;
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(encoding_names); i++) {
        if (is_word(name, encoding_names[i])) {
            return (enum vg_grpc_encoding)i;
        }
    }
    return VG_GRPC_ENCODING_UNKNOWN;
}

const char *vg_grpc_encoding_name(enum vg_grpc_encoding encoding)
{
    VG_ASSERT(encoding < VG_GRPC_ENCODING_UNKNOWN);
    return encoding_names[encoding];
}

static bool is_blank(uint8_t letter)
{
    return letter == ' ' || letter == '\t';
}

unsigned vg_grpc_encoding_list(struct vg_bytes list)
{
    unsigned found = 0;
    size_t at = 0;
    while (at < list.size) {
        while (at < list.size && (list.data[at] == ',' || is_blank(list.data[at]))) {
            at++;
        }
        size_t end = at;
        while (end < list.size && list.data[end] != ',' && !is_blank(list.data[end])) {
            end++;
        }
        if (end > at) {
            found |= 1u << vg_grpc_encoding_find(vg_bytes(list.data + at, end - at));
        }
        at = end;
    }
    return found & ~(1u << VG_GRPC_ENCODING_UNKNOWN);
}

enum vg_grpc_encoding vg_grpc_encoding_choose(unsigned list)
{
    if ((list & 1u << VG_GRPC_ENCODING_GZIP) != 0) {
        return VG_GRPC_ENCODING_GZIP;
    }
    return (list & 1u << VG_GRPC_ENCODING_DEFLATE) != 0 ? VG_GRPC_ENCODING_DEFLATE
                                                        : VG_GRPC_ENCODING_IDENTITY;
}

/* --- States ------------------------------------------------------------------------------------
 */

static void state_destroy(struct vg_grpc_encoding_state *state)
{
    if (state == NULL) {
        return;
    }
    if (state->has_in) {
        (void)inflateEnd(&state->in);
    }
    for (size_t i = 0; i < VG_GRPC_ENCODING_UNKNOWN; i++) {
        if (state->has_out[i]) {
            (void)deflateEnd(&state->out[i]);
        }
    }
    vg_buffer_dispose(&state->scratch);
    free(state);
}

void vg_grpc_encoding_pool_dispose(struct vg_grpc_encoding_pool *pool)
{
    for (size_t i = 0; i < VG_GRPC_ENCODING_IDLE; i++) {
        state_destroy(atomic_exchange(&pool->idle[i], NULL));
    }
}

/* One that is idle, or a new one; NULL without memory. */
static struct vg_grpc_encoding_state *pool_take(struct vg_grpc_encoding_pool *pool)
{
    for (size_t i = 0; i < VG_GRPC_ENCODING_IDLE; i++) {
        struct vg_grpc_encoding_state *state = atomic_exchange(&pool->idle[i], NULL);
        if (state != NULL) {
            return state;
        }
    }
    struct vg_grpc_encoding_state *state = calloc(1, sizeof(*state));
    if (state != NULL) {
        vg_buffer_init(&state->scratch, SIZE_MAX / 2);
    }
    return state;
}

static void pool_give(struct vg_grpc_encoding_pool *pool, struct vg_grpc_encoding_state *state)
{
    if (state->scratch.capacity > VG_GRPC_ENCODING_SCRATCH_BYTES) {
        vg_buffer_dispose(&state->scratch);
    }
    for (size_t i = 0; i < VG_GRPC_ENCODING_IDLE; i++) {
        struct vg_grpc_encoding_state *none = NULL;
        if (atomic_compare_exchange_strong(&pool->idle[i], &none, state)) {
            return;
        }
    }
    state_destroy(state);
}

/* --- Inflating ---------------------------------------------------------------------------------
 */

static bool state_begin_inflate(
    struct vg_grpc_encoding_state *state,
    enum vg_grpc_encoding encoding)
{
    const int window =
        encoding == VG_GRPC_ENCODING_GZIP ? VG_GRPC_ENCODING_GZIP_WINDOW : VG_GRPC_ENCODING_WINDOW;
    if (state->has_in) {
        return inflateReset2(&state->in, window) == Z_OK;
    }
    state->has_in = inflateInit2(&state->in, window) == Z_OK;
    return state->has_in;
}

static enum vg_reason refuse(struct vg_error *error, const char *words)
{
    return vg_error_set(error, VG_BAD_FRAME, "a compressed message %s", words);
}

static enum vg_reason refuse_size(struct vg_error *error, size_t bytes_max)
{
    return vg_error_set(
        error,
        VG_REQUEST_TOO_LARGE,
        "a compressed message is larger than the limit of %zu bytes",
        bytes_max);
}

/* Where the next bytes go: to `out`, or, when it is full, to one byte that must not come. */
static size_t make_room(z_stream *stream, struct vg_buffer *out, size_t left, uint8_t *beyond)
{
    size_t room = out->capacity - out->size;
    if (left == 0) {
        stream->next_out = beyond;
        stream->avail_out = 1;
        return 1;
    }
    if (room == 0) {
        room = left < VG_GRPC_ENCODING_STEP ? left : VG_GRPC_ENCODING_STEP;
        if (!vg_buffer_reserve(out, room)) {
            return 0;
        }
        room = out->capacity - out->size;
    }
    room = room < left ? room : left;
    room = room < UINT_MAX ? room : UINT_MAX;
    stream->next_out = out->data + out->size;
    stream->avail_out = (uInt)room;
    return room;
}

/* Inflate what `stream` has as input, to its end. */
static enum vg_reason inflate_all(
    z_stream *stream,
    bool has_members,
    size_t bytes_max,
    struct vg_buffer *out,
    struct vg_error *error)
{
    size_t left = bytes_max;
    for (;;) {
        uint8_t beyond;
        size_t room = make_room(stream, out, left, &beyond);
        if (room == 0) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        int result = inflate(stream, Z_NO_FLUSH);
        size_t size = room - stream->avail_out;
        if (left == 0 && size > 0) {
            return refuse_size(error, bytes_max);
        }
        out->size += size;
        left -= size;
        if (result == Z_STREAM_END && stream->avail_in == 0) {
            return VG_OK;
        }
        if (result == Z_STREAM_END) {
            /* RFC 1952 section 2.2: members follow each other. */
            if (!has_members || inflateReset(stream) != Z_OK) {
                return refuse(error, "goes on behind its end");
            }
        } else if (
            result == Z_BUF_ERROR || (result == Z_OK && stream->avail_in == 0 && size == 0)) {
            return refuse(error, "ends too soon");
        } else if (result != Z_OK) {
            return refuse(error, "is not what its encoding says");
        }
    }
}

enum vg_reason vg_grpc_encoding_inflate(
    struct vg_grpc_encoding_pool *pool,
    enum vg_grpc_encoding encoding,
    struct vg_bytes message,
    size_t bytes_max,
    struct vg_buffer *out,
    struct vg_error *error)
{
    VG_ASSERT(encoding == VG_GRPC_ENCODING_GZIP || encoding == VG_GRPC_ENCODING_DEFLATE);
    VG_ASSERT(message.size <= UINT_MAX);
    if (message.size == 0) {
        return refuse(error, "ends too soon");
    }
    struct vg_grpc_encoding_state *state = pool_take(pool);
    if (state == NULL || !state_begin_inflate(state, encoding)) {
        state_destroy(state);
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    size_t guess = message.size < bytes_max / VG_GRPC_ENCODING_GUESS
                       ? message.size * VG_GRPC_ENCODING_GUESS
                       : bytes_max;
    enum vg_reason reason = VG_REQUEST_MEMORY;
    if (guess == 0 || vg_buffer_reserve(out, guess)) {
        /* zlib declares input without const but does not write to it. */
        state->in.next_in = (uint8_t *)(uintptr_t)message.data;
        state->in.avail_in = (uInt)message.size;
        reason = inflate_all(&state->in, encoding == VG_GRPC_ENCODING_GZIP, bytes_max, out, error);
    } else {
        reason = vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    pool_give(pool, state);
    return reason;
}

/* --- Deflating ---------------------------------------------------------------------------------
 */

static bool state_begin_deflate(
    struct vg_grpc_encoding_state *state,
    enum vg_grpc_encoding encoding)
{
    if (state->has_out[encoding]) {
        return deflateReset(&state->out[encoding]) == Z_OK;
    }
    state->has_out[encoding] = deflateInit2(
                                   &state->out[encoding],
                                   VG_GRPC_ENCODING_LEVEL,
                                   Z_DEFLATED,
                                   encoding == VG_GRPC_ENCODING_GZIP ? VG_GRPC_ENCODING_GZIP_WINDOW
                                                                     : VG_GRPC_ENCODING_WINDOW,
                                   VG_GRPC_ENCODING_MEMORY,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
    return state->has_out[encoding];
}

bool vg_grpc_encoding_deflate(
    struct vg_grpc_encoding_pool *pool,
    enum vg_grpc_encoding encoding,
    struct vg_buffer *buffer,
    size_t start)
{
    VG_ASSERT(encoding == VG_GRPC_ENCODING_GZIP || encoding == VG_GRPC_ENCODING_DEFLATE);
    VG_ASSERT(start <= buffer->size);
    const size_t size = buffer->size - start;
    if (buffer->failed || size <= 1 || size > UINT_MAX) {
        return false;
    }
    struct vg_grpc_encoding_state *state = pool_take(pool);
    if (state == NULL || !state_begin_deflate(state, encoding)) {
        state_destroy(state);
        return false;
    }
    bool shorter = false;
    vg_buffer_clear(&state->scratch);
    if (vg_buffer_reserve(&state->scratch, size - 1)) {
        z_stream *stream = &state->out[encoding];
        stream->next_in = buffer->data + start;
        stream->avail_in = (uInt)size;
        stream->next_out = state->scratch.data;
        stream->avail_out = (uInt)(size - 1);
        shorter = deflate(stream, Z_FINISH) == Z_STREAM_END;
        if (shorter) {
            buffer->size = start + (size - 1 - stream->avail_out);
            memcpy(buffer->data + start, state->scratch.data, buffer->size - start);
        }
    }
    pool_give(pool, state);
    return shorter;
}
