/*
 * Fixed text: digests and UUIDs as the texts people know them by (hexadecimal digits; of a UUID
 * 8-4-4-4-12 of them with hyphens), and whether such a text holds a substring, without writing the
 * text of every row.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_TABLE_FIXED_TEXT_H
#define VG_CORE_TABLE_FIXED_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define VG_FIXED_TEXT_MAX 128u

/* Two bytes side by side that the stored bytes must have, in some bits. */
struct vg_fixed_pair {
    uint8_t masks[2];
    uint8_t values[2];
};

/* What a value is. */
enum vg_fixed_form {
    VG_FIXED_DIGEST,
    VG_FIXED_UUID, /* of 16 bytes */
};

struct vg_fixed_needle {
    enum vg_fixed_form form;
    struct vg_bytes text;          /* lower case */
    struct vg_fixed_pair pairs[2]; /* for a needle that begins in the first digit of a byte, and in
                                      the second */
    uint64_t sure; /* of 64 bytes of values side by side: where a pair that agrees is the needle
                      itself, which then is not longer than that */
};

/* Prepare to look for `text`, which is folded, in values of `width` bytes, at most half of
 * VG_FIXED_TEXT_MAX. False when no value can hold it. */
bool vg_fixed_needle_init(
    struct vg_fixed_needle *needle,
    enum vg_fixed_form form,
    uint32_t width,
    struct vg_bytes text);

/* Does the text of the value hold the needle? */
bool vg_fixed_needle_matches(
    const struct vg_fixed_needle *needle,
    uint32_t width,
    const uint8_t *value);

/* Write the text of a value, without an end; returns its size. */
uint32_t vg_fixed_text(
    enum vg_fixed_form form,
    uint32_t width,
    const uint8_t *value,
    char out_text[VG_FIXED_TEXT_MAX]);

#endif
