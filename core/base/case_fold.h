/*
 * Case folding: a text in the form in which texts are compared without regard to case. Simple
 * folding of Unicode (CaseFolding.txt, statuses C and S), one code point at a time: nothing is
 * normalised, and "ß" stays what it is.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_BASE_CASE_FOLD_H
#define VG_CORE_BASE_CASE_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Room that the folded form of `size` bytes needs at most: two bytes become three now and then. */
static inline size_t vg_case_fold_room(size_t size)
{
    return size + size / 2 + 1;
}

/* Write the folded form of `text` to `out`, which has vg_case_fold_room(text.size) bytes; returns
 * its size. Bytes that are not UTF-8 stay as they are. */
size_t vg_case_fold(struct vg_bytes text, uint8_t *out);

#endif
