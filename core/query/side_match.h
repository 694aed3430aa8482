/*
 * Questions about the two sides of a connection, source and destination: addresses and networks
 * (events-api.md 4.2), ports and ranges of ports, countries.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_QUERY_SIDE_MATCH_H
#define VG_CORE_QUERY_SIDE_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/query/term_list.h"
#include "core/table/predicate.h"

enum { VG_SIDE_SOURCE, VG_SIDE_DESTINATION, VG_SIDE_COUNT };

/* A column on either side; UINT32_MAX = that side is not asked. */
#define VG_SIDE_NOT_ASKED UINT32_MAX

struct vg_side_networks {
    char *const *texts;
    size_t count;
    uint32_t columns[VG_SIDE_COUNT];
    int min_bits[VG_SIDE_COUNT]; /* VG_NETWORK_BITS_ANY = none */
};

struct vg_side_texts {
    char *const *texts;
    size_t count;
    uint32_t columns[VG_SIDE_COUNT];
};

/*
 * Add a term: one of the sides asked lies in one of the networks, or covers it. No texts add
 * nothing. Returns the index of the first text that is no address or network, or SIZE_MAX.
 */
VG_MUST_USE size_t
vg_side_match_networks(struct vg_term_list *terms, const struct vg_side_networks *networks);

/* The same with decimal ports and inclusive ranges ("443", "1000-2000"). */
VG_MUST_USE size_t
vg_side_match_ports(struct vg_term_list *terms, const struct vg_side_texts *ports);

/* The same with two-letter country codes, in either case. */
VG_MUST_USE size_t
vg_side_match_countries(struct vg_term_list *terms, const struct vg_side_texts *countries);

#endif
