/*
 * Checksum of the table's files: the 64-bit mixing of XXH64 (Collet), fast enough to read gigabytes
 * at start. It finds damage; it is no defence against forgery.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_TABLE_CHECKSUM_H
#define VG_CORE_TABLE_CHECKSUM_H

#include <stdint.h>

#include "core/base/bytes.h"

/* The checksum of `bytes`, continued from `seed` (0, or the checksum of what stands before). */
uint64_t vg_checksum_add(uint64_t seed, struct vg_bytes bytes);

#endif
