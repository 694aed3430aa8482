/*
 * UTF-8 (RFC 3629): checking, counting and cutting. Overlong forms, surrogates and code points
 * above U+10FFFF are not UTF-8.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_UTF8_H
#define VG_CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* Whether `text` is valid UTF-8. A NUL is valid UTF-8; see vg_utf8_has_nul. */
bool vg_utf8_is_valid(struct vg_bytes text);

/* How many bytes from the start are valid UTF-8 of whole characters. */
size_t vg_utf8_valid_size(struct vg_bytes text);

/* Code points of a valid text. Of an invalid one: the bytes that are no continuation bytes. */
size_t vg_utf8_count(struct vg_bytes text);

/* The start of a valid text that has at most `code_points_max` code points. */
struct vg_bytes vg_utf8_cut(struct vg_bytes text, size_t code_points_max);

/* The start of a valid text that takes at most `bytes_max` bytes, whole characters only. */
struct vg_bytes vg_utf8_cut_bytes(struct vg_bytes text, size_t bytes_max);

bool vg_utf8_has_nul(struct vg_bytes text);

/* Write `code_point`, which must not be a surrogate nor above U+10FFFF; returns the size, 1 to 4.
 */
size_t vg_utf8_encode(uint32_t code_point, uint8_t out_bytes[4]);

#endif
