/*
 * Bytes as pairs of hexadecimal digits.
 *
 * Threads: values.
 */
#ifndef VG_CORE_BASE_HEX_H
#define VG_CORE_BASE_HEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* Write 2 x bytes.size lower case digits and a NUL. */
void vg_hex_encode(struct vg_bytes bytes, char *out_text);

/* Write text.size / 2 bytes. False when the size is odd or a character is no digit (of either
 * case); out_bytes may then be partly written. */
VG_MUST_USE bool vg_hex_decode(struct vg_bytes text, uint8_t *out_bytes);

/* The value of a digit, or -1. */
int vg_hex_digit(uint8_t character);

#endif
