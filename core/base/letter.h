/*
 * Letters and digits of all scripts, by the tables of Unicode that ICU brings.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_LETTER_H
#define VG_CORE_BASE_LETTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

/*
 * The character of the UTF-8 text at *position, which must be below text.size and moves behind it:
 * folded to lower case (one code point to one, without regard to language) if it is a letter or a
 * digit, else 0. What is not UTF-8 is 0 as well.
 */
uint32_t vg_letter_next(struct vg_bytes text, size_t *position);

/* A number that changes with the tables. */
uint64_t vg_letter_version(void);

#endif
