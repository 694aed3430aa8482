/*
 * Key codec: parts of a key as bytes that compare, by memcmp, as the values do, and never contain
 * NUL (RADOS resumes scans at a C string).
 *
 *   bytes   each 00, 01, 02 becomes 02 03, 02 04, 02 05; the part ends with 01. So a part that
 * begins another comes first, whatever follows. number  one byte 10 + n, then the n significant
 * bytes, big endian, escaped as above (0 has none). time    8 bytes, big endian, sign bit flipped
 * so that negative times come first, escaped.
 *
 * Numbers and times need no end: how long they are is known.
 *
 * Threads: values.
 */
#ifndef VG_CORE_KEYSPACE_KEY_CODEC_H
#define VG_CORE_KEYSPACE_KEY_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"

/* The longest key: what is appended beyond it makes the key `failed`. */
#define VG_KEY_BYTES_MAX 512

/* A key under construction, or built; a value, copied freely. */
struct vg_key {
    uint16_t size;
    bool failed; /* something did not fit */
    uint8_t data[VG_KEY_BYTES_MAX];
};

static inline struct vg_bytes vg_key_bytes(const struct vg_key *key)
{
    return vg_bytes(key->data, key->size);
}

/* An empty key that begins with `first`, the byte of its family. */
void vg_key_codec_begin(struct vg_key *key, uint8_t first);

void vg_key_codec_put_bytes(struct vg_key *key, struct vg_bytes bytes);
void vg_key_codec_put_number(struct vg_key *key, uint64_t number);
void vg_key_codec_put_time(struct vg_key *key, vg_time time);

/* Reads the parts of a key. The first part that is not what was written makes the cursor `failed`;
 * reads after that give zeros. */
struct vg_key_cursor {
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
};

/* Stand behind the first byte, which must be `first`. */
void vg_key_cursor_init(struct vg_key_cursor *cursor, struct vg_bytes key, uint8_t first);

/* Read a part of bytes into out[0..size_max); returns its size. Longer is a failure. */
size_t vg_key_cursor_get_bytes(struct vg_key_cursor *cursor, uint8_t *out, size_t size_max);
uint64_t vg_key_cursor_get_number(struct vg_key_cursor *cursor);
vg_time vg_key_cursor_get_time(struct vg_key_cursor *cursor);

/* True when all parts were read well and nothing is left. */
VG_MUST_USE bool vg_key_cursor_finished(const struct vg_key_cursor *cursor);

#endif
