/*
 * The header grpc-timeout: 1 to 8 digits and a unit (grpc PROTOCOL-HTTP2).
 *
 * Threads: pure.
 */
#ifndef VG_RPC_GRPC_GRPC_TIMEOUT_H
#define VG_RPC_GRPC_GRPC_TIMEOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

#define VG_GRPC_TIMEOUT_SIZE 12u

/* Read "100m" as nanoseconds; what does not fit is UINT64_MAX. False when it is no timeout. */
VG_MUST_USE bool vg_grpc_timeout_parse(struct vg_bytes text, uint64_t *out_ns);

/* Write `ns` in the finest unit that fits 8 digits, rounded up; returns the length. */
size_t vg_grpc_timeout_print(uint64_t ns, char out_text[VG_GRPC_TIMEOUT_SIZE]);

#endif
