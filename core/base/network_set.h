/*
 * A set of networks, made once and asked often: whether a stored network matches any of them, as
 * vg_network_matches says of one, in a time that grows with the logarithm of their number.
 *
 * Networks hold one another or have nothing in common. So one that is stored lies in a network of
 * the set or covers one just when it meets one of the disjoint ranges that they make together.
 *
 * Threads: constant once made.
 */
#ifndef VG_CORE_BASE_NETWORK_SET_H
#define VG_CORE_BASE_NETWORK_SET_H

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/network.h"

struct vg_network_set;

/* A set of `count` networks, which are copied into `arena`; NULL when it is full. Those of no
 * family match nothing. */
const struct vg_network_set *vg_network_set_create(
    struct vg_arena *arena,
    const struct vg_network *networks,
    size_t count);

/* Whether the stored network matches one of the set: it lies in it or covers it, and, with
 * `bits_min` given, has at least so many bits or is the very same. */
bool vg_network_set_matches(
    const struct vg_network_set *set,
    int bits_min,
    const struct vg_network *stored);

/* The same for an IPv4 network as a number, `bits` long. */
bool vg_network_set_matches_v4(
    const struct vg_network_set *set,
    int bits_min,
    uint32_t address,
    uint8_t bits);

#endif
