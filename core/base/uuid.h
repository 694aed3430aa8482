/*
 * UUIDs (RFC 4122): made at random or from a name, read from and written to their 36 characters.
 *
 * Threads: values.
 */
#ifndef VG_CORE_BASE_UUID_H
#define VG_CORE_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/random.h"

struct vg_uuid {
    uint8_t bytes[16];
};

#define VG_UUID_TEXT_SIZE 37 /* 36 characters and a NUL */

/* Version 4: random. */
struct vg_uuid vg_uuid_make(struct vg_random *random);

/* Version 5: always the same for one name in one name space (RFC 4122 §4.3). */
struct vg_uuid vg_uuid_from_name(const struct vg_uuid *name_space, struct vg_bytes name);

/* Read the form 8-4-4-4-12, in either case and nothing around it. False leaves *out_uuid alone. Any
 * version and variant is taken: identities come from outside. */
VG_MUST_USE bool vg_uuid_parse(struct vg_bytes text, struct vg_uuid *out_uuid);

/* Write 36 lower case characters and a NUL. */
void vg_uuid_print(const struct vg_uuid *uuid, char out_text[VG_UUID_TEXT_SIZE]);

#endif
