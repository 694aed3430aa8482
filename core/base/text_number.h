/*
 * Numbers as decimal text, exactly: the whole text must be the number, nothing is rounded, cut or
 * dependent on a locale.
 *
 * Threads: any. Parsers return false and leave the output alone when the text is not such a number
 * or does not fit.
 */
#ifndef VG_CORE_BASE_TEXT_NUMBER_H
#define VG_CORE_BASE_TEXT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* [-]digits; leading zeros are allowed, a plus sign and blanks are not. */
VG_MUST_USE bool vg_text_number_parse_int64(struct vg_bytes text, int64_t *out_value);

/* digits */
VG_MUST_USE bool vg_text_number_parse_uint64(struct vg_bytes text, uint64_t *out_value);

/* A number as JSON writes it (RFC 8259 §6); what is too large for a double is refused. */
VG_MUST_USE bool vg_text_number_parse_double(struct vg_bytes text, double *out_value);

#define VG_TEXT_NUMBER_SIZE 32 /* room for any number printed below, with its NUL */

/* Write the decimal text and a NUL; returns the length. Several times as fast as printf. */
size_t vg_text_number_print_int64(int64_t value, char *out_text);
size_t vg_text_number_print_uint64(uint64_t value, char *out_text);

/*
 * Write the shorter of 15 and 17 digits that reads back as the same double, as JSON takes it;
 * returns the length. A whole number has no fraction ("5"). `value` must be finite: JSON knows
 * nothing else.
 */
size_t vg_text_number_print_double(double value, char *out_text);

#endif
