/*
 * IP addresses and networks of both families, as one value: a host is a network of full length.
 *
 * Host bits are always zero and IPv4 in IPv6 clothes (::ffff:a.b.c.d) is IPv4, so equal networks
 * are equal bytes.
 *
 * Threads: values.
 */
#ifndef VG_CORE_BASE_NETWORK_H
#define VG_CORE_BASE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

struct sockaddr;

#define VG_NETWORK_NONE 0
#define VG_NETWORK_IPV4 4
#define VG_NETWORK_IPV6 6

struct vg_network {
    uint8_t address[16]; /* network order; IPv4 takes the first 4, the rest are zero */
    uint8_t bits;        /* prefix length, at most 32 or 128 */
    uint8_t family;      /* VG_NETWORK_*; NONE = no address, all other members zero */
};

/* Longest text: eight groups of four, "/128" and a NUL. */
#define VG_NETWORK_TEXT_SIZE 44

/* The value of `bits_min` when none was given. */
#define VG_NETWORK_BITS_ANY (-1)

/*
 * Read a host ("10.1.2.3", "2001:db8::1") or a network ("10.0.0.0/8"). Host bits are masked off.
 * Leading zeros, zone ids, blanks and prefixes longer than the address are refused: false, and
 * *out_network is left alone.
 */
VG_MUST_USE bool vg_network_parse(struct vg_bytes text, struct vg_network *out_network);

/* Write the text, IPv6 by RFC 5952, with /bits only for what is no host; "" for none. Returns its
 * length. */
size_t vg_network_print(const struct vg_network *network, char out_text[VG_NETWORK_TEXT_SIZE]);

/* The same without /bits, also for networks. */
size_t vg_network_print_address(
    const struct vg_network *network,
    char out_text[VG_NETWORK_TEXT_SIZE]);

/* The peer of a socket; false for families other than IPv4 and IPv6. */
VG_MUST_USE bool vg_network_from_sockaddr(
    const struct sockaddr *address,
    struct vg_network *out_network);

/* Whether `inner` lies in `outer` (or is the same). None lies in nothing and holds nothing. */
bool vg_network_contains(const struct vg_network *outer, const struct vg_network *inner);

bool vg_network_equal(const struct vg_network *a, const struct vg_network *b);

/*
 * Whether the stored network matches the one in the criteria: it lies in it or covers it, and, with
 * `bits_min` given, has at least so many bits or is the very same.
 */
bool vg_network_matches(
    const struct vg_network *criteria,
    int bits_min,
    const struct vg_network *stored);

/* A single address: prefix length 32 or 128. */
bool vg_network_is_host(const struct vg_network *network);

/* Within 224.0.0.0/4 or ff00::/8. */
bool vg_network_is_multicast(const struct vg_network *network);

/* Within loopback: 127.0.0.0/8 or ::1. */
bool vg_network_is_loopback(const struct vg_network *network);

/* Not within a private, loopback, link-local, shared, documentation, multicast, unspecified or
 * unique-local range. None is not public. */
bool vg_network_is_public(const struct vg_network *network);

#endif
