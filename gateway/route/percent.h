/*
 * Percent-encoding of URLs (RFC 3986 §2.1).
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_ROUTE_PERCENT_H
#define VG_GATEWAY_ROUTE_PERCENT_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

/*
 * Decode `text` once; `plus_is_blank` for queries. Without anything to decode *out_decoded is
 * `text` itself, else a copy in the arena. The result is valid UTF-8 without NUL.
 *
 * Fails with: INVALID_URL_PARAMETER; REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_percent_decode(
    struct vg_bytes text,
    bool plus_is_blank,
    struct vg_arena *arena,
    struct vg_bytes *out_decoded,
    struct vg_error *error);

#endif
