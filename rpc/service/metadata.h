/*
 * Metadata: names and values that go with a call, beside its messages. On gRPC they are headers and
 * trailers of HTTP/2, on REST the headers that gateway/web lets pass.
 *
 * A name that ends with "-bin" has bytes as its value. As text they are base64, padded or not, and
 * one line may hold several, separated by commas (grpc PROTOCOL-HTTP2, "Custom-Metadata").
 *
 * Threads: a value; memory is the arena's.
 */
#ifndef VG_RPC_SERVICE_METADATA_H
#define VG_RPC_SERVICE_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_metadata_item {
    struct vg_bytes name;  /* lower case */
    struct vg_bytes value; /* as text on the wire: of "-bin" base64 */
};

/* In order of arrival; a name may be there several times. Zeroed = none. */
struct vg_metadata {
    struct vg_metadata_item *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t bytes; /* of names and values together */
};

/*
 * Room for `count` items whose names and values have `text_bytes` bytes together, in one piece of
 * `arena`, for vg_metadata_put. False past its cap.
 */
VG_MUST_USE bool vg_metadata_reserve(
    struct vg_metadata *metadata,
    uint32_t count,
    size_t text_bytes,
    struct vg_arena *arena);

/* Copy one item of what was reserved. */
void vg_metadata_put(struct vg_metadata *metadata, struct vg_bytes name, struct vg_bytes value);

/*
 * Add one item to those of an answer: copied to `arena`, bytes of a "-bin" name as base64.
 * False, and nothing is added: the name is none (small letters, digits, '-', '_', '.'), belongs to
 * gRPC ("grpc-…") or to HTTP, the value of another name than "-bin" is no visible ASCII, or there
 * would be more than VG_LIMIT_ANSWER_METADATA items or VG_LIMIT_ANSWER_METADATA_BYTES of them.
 */
VG_MUST_USE bool vg_metadata_add(
    struct vg_metadata *metadata,
    const char *name,
    struct vg_bytes value,
    struct vg_arena *arena);

/*
 * The value number `index` of `name`, in order of arrival; of a "-bin" name the bytes, decoded into
 * `arena`. What is no base64 is no value. False = there are not so many.
 */
VG_MUST_USE bool vg_metadata_find(
    const struct vg_metadata *metadata,
    const char *name,
    size_t index,
    struct vg_arena *arena,
    struct vg_bytes *out_value);

/* Does the name end with "-bin"? */
bool vg_metadata_is_binary(struct vg_bytes name);

/*
 * Take the next value off *rest, the text of a "-bin" name, and decode it into `arena`. Call while
 * rest->size > 0.
 *
 * Fails with: BAD_HTTP (no base64; *rest is behind it), REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_metadata_next_binary(
    struct vg_bytes *rest,
    struct vg_arena *arena,
    struct vg_bytes *out_value,
    struct vg_error *error);

#endif
