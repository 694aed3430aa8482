/*
 * The authority of a URL as Host, :authority and Origin name it: a host and maybe a port (RFC 3986
 * §3.2.2, RFC 9110 §4.2). User information is none of ours, and refused.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_BASE_AUTHORITY_H
#define VG_CORE_BASE_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/network.h"

struct vg_authority {
    struct vg_bytes name;      /* without the brackets of IPv6; borrowed */
    struct vg_network address; /* family NONE when the name is no address */
    int32_t port;              /* -1 = not said */
};

/* Read "host", "host:port", "[2001:db8::1]:port". A name consists of letters, digits and "-._~%";
 * false for everything else, *out_authority is then left alone. */
VG_MUST_USE bool vg_authority_parse(struct vg_bytes text, struct vg_authority *out_authority);

/* Is `name` in `list`, names divided by commas or blanks? "*" is any name, ".example.org" any name
 * below that one. Case does not matter. */
bool vg_authority_is_listed(struct vg_bytes name, const char *list);

/* A name that an attacker cannot have: an address, "localhost" or below it, or a name without a
 * dot. Nobody outside can make one of these lead to two places. */
bool vg_authority_is_local(const struct vg_authority *authority);

#endif
