/*
 * Message encodings: gzip, deflate (RFC 1950, as gRPC means it) and identity (grpc compression.md).
 *
 * A message is inflated and deflated as a whole, within one call of a function here. So zlib's
 * memory is needed only there, not by a stream that waits: a pool keeps a few states for the next
 * message, and there are never more than there are threads.
 *
 * Inflating stops at its limit, whatever the message would become (a zip bomb).
 *
 * Threads: a pool may be used from any thread, without a lock; the rest is pure.
 */
#ifndef VG_RPC_GRPC_GRPC_ENCODING_H
#define VG_RPC_GRPC_GRPC_ENCODING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

enum vg_grpc_encoding {
    VG_GRPC_ENCODING_IDENTITY,
    VG_GRPC_ENCODING_DEFLATE,
    VG_GRPC_ENCODING_GZIP,
    VG_GRPC_ENCODING_UNKNOWN,
};

/* What grpc-accept-encoding says. */
#define VG_GRPC_ENCODING_ACCEPTED "identity,deflate,gzip"

/* Idle states that are kept; of each up to 300 KiB, if it has deflated. */
#define VG_GRPC_ENCODING_IDLE 8u

struct vg_grpc_encoding_state;

/* Zeroed = empty. */
struct vg_grpc_encoding_pool {
    _Atomic(struct vg_grpc_encoding_state *) idle[VG_GRPC_ENCODING_IDLE];
};

/* Give back what is kept; nobody uses the pool any more. */
void vg_grpc_encoding_pool_dispose(struct vg_grpc_encoding_pool *pool);

/* The encoding of that name; no name is identity. Names do not care about case. */
enum vg_grpc_encoding vg_grpc_encoding_find(struct vg_bytes name);
const char *vg_grpc_encoding_name(enum vg_grpc_encoding encoding);

/* The encodings of a list such as "identity, gzip": bit 1 << encoding of each that we know. */
unsigned vg_grpc_encoding_list(struct vg_bytes list);

/* Of those, the one to answer with: gzip, else deflate, else identity. */
enum vg_grpc_encoding vg_grpc_encoding_choose(unsigned list);

/*
 * Append what `message` inflates to, at most `bytes_max` bytes of it.
 *
 * Fails with: BAD_FRAME (it is not what it says, ends too soon or goes on behind its end),
 * REQUEST_TOO_LARGE (past the limit), REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_grpc_encoding_inflate(
    struct vg_grpc_encoding_pool *pool,
    enum vg_grpc_encoding encoding,
    struct vg_bytes message,
    size_t bytes_max,
    struct vg_buffer *out,
    struct vg_error *error);

/* Replace the bytes of `buffer` from `start` on by their deflated form, if that is shorter; false,
 * and nothing is changed, if not. */
VG_MUST_USE bool vg_grpc_encoding_deflate(
    struct vg_grpc_encoding_pool *pool,
    enum vg_grpc_encoding encoding,
    struct vg_buffer *buffer,
    size_t start);

#endif
