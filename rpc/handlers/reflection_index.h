/*
 * Reflection index: which file of the contract declares what. Look-ups in the tables that
 * protoc-gen-vigil makes of the descriptors; nothing is parsed at run time.
 *
 * Names are full names without a leading dot. Values of an enum stand beside it, as in C++:
 * `grpc.health.v1.HealthCheckResponse.SERVING`.
 *
 * Threads: pure functions over constant tables.
 */
#ifndef VG_RPC_HANDLERS_REFLECTION_INDEX_H
#define VG_RPC_HANDLERS_REFLECTION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/descriptors.h"

/* Position of the file in vg_descriptor_files. False = there is none; also in those below. */
bool vg_reflection_index_file(const char *name, size_t *out_file);

/* The file that declares a service, method, message, field, oneof, enum, value or extension. */
bool vg_reflection_index_symbol(const char *name, size_t *out_file);

/* The file with the extension `number` of the message `extended`. */
bool vg_reflection_index_extension(const char *extended, int32_t number, size_t *out_file);

/* The extensions of a message: *out_count rows of vg_descriptor_extensions from the returned one
 * on. NULL = no such message. */
const struct vg_descriptor_extension *vg_reflection_index_extensions(
    const char *extended,
    size_t *out_count);

/*
 * The file and, behind it, what it imports, directly or not, as far as it has not been `sent`
 * before. Both arrays have vg_descriptor_file_count elements; what is listed counts as sent.
 * Returns how many are listed.
 */
size_t vg_reflection_index_closure(size_t file, bool *sent, size_t *out_files);

#endif
