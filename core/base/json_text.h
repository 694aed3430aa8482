/*
 * Texts as they stand in JSON (RFC 8259 §7), for logs: invalid UTF-8 is replaced, never refused.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_BASE_JSON_TEXT_H
#define VG_CORE_BASE_JSON_TEXT_H

#include <stddef.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"

#define VG_JSON_TEXT_ESCAPED_MAX 8u

/* The character of `value` at `at`, escaped; *out_size says how long it is. Returns the bytes it
 * took of `value`. */
size_t vg_json_text_escape(
    struct vg_bytes value,
    size_t at,
    char out[VG_JSON_TEXT_ESCAPED_MAX],
    size_t *out_size);

/* Append `value` with its quotes; data NULL as null. */
void vg_json_text_append(struct vg_buffer *out, struct vg_bytes value);

#endif
