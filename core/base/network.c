#include "core/base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

static unsigned family_bits(unsigned family)
{
    return family == VG_NETWORK_IPV4 ? 32 : family == VG_NETWORK_IPV6 ? 128 : 0;
}

/* Zero what is behind the prefix. */
static void mask_host_bits(struct vg_network *network)
{
    for (unsigned i = 0; i < sizeof(network->address); i++) {
        unsigned first = i * 8;
        if (first >= network->bits) {
            network->address[i] = 0;
        } else if (network->bits - first < 8) {
            network->address[i] &= (uint8_t)(0xFFu << (8 - (network->bits - first)));
        }
    }
}

/* ::ffff:0:0/96 and what lies in it is IPv4 (RFC 4291 §2.5.5.2). */
static void unmap_ipv4(struct vg_network *network)
{
    if (network->family != VG_NETWORK_IPV6 || network->bits < 96 ||
        memcmp(network->address, mapped_prefix, sizeof(mapped_prefix)) != 0) {
        return;
    }
    memmove(network->address, network->address + 12, 4);
    memset(network->address + 4, 0, 12);
    network->family = VG_NETWORK_IPV4;
    network->bits = (uint8_t)(network->bits - 96);
}

/* One to three digits without a leading zero. */
static bool parse_prefix(struct vg_bytes text, unsigned bits_max, uint8_t *out_bits)
{
    uint64_t bits;
    if (text.size > 3 || (text.size > 1 && text.data[0] == '0') ||
        !vg_text_number_parse_uint64(text, &bits) || bits > bits_max) {
        return false;
    }
    *out_bits = (uint8_t)bits;
    return true;
}

bool vg_network_parse(struct vg_bytes text, struct vg_network *out_network)
{
    if (text.size == 0 || text.size >= INET6_ADDRSTRLEN + 4) {
        return false;
    }
    const uint8_t *slash = memchr(text.data, '/', text.size);
    size_t address_size = slash == NULL ? text.size : (size_t)(slash - text.data);
    char address[INET6_ADDRSTRLEN];
    if (address_size >= sizeof(address)) {
        return false;
    }
    memcpy(address, text.data, address_size);
    address[address_size] = '\0';
    if (strlen(address) != address_size) {
        return false; /* a NUL would hide what follows from inet_pton */
    }
    struct vg_network network = { .family = VG_NETWORK_IPV6 };
    if (memchr(address, ':', address_size) == NULL) {
        network.family = VG_NETWORK_IPV4;
    }
    /* glibc's inet_pton refuses leading zeros in octets, short forms and zone ids. */
    int family = network.family == VG_NETWORK_IPV4 ? AF_INET : AF_INET6;
    if (inet_pton(family, address, network.address) != 1) {
        return false;
    }
    network.bits = (uint8_t)family_bits(network.family);
    if (slash != NULL) {
        struct vg_bytes prefix = vg_bytes(slash + 1, text.size - address_size - 1);
        if (!parse_prefix(prefix, network.bits, &network.bits)) {
            return false;
        }
    }
    unmap_ipv4(&network);
    mask_host_bits(&network);
    *out_network = network;
    return true;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 §4.2). */
static unsigned longest_zero_run(const uint16_t groups[8], unsigned *out_count)
{
    unsigned best = 8;
    unsigned best_count = 1;
    for (unsigned at = 0; at < 8;) {
        unsigned count = 0;
        while (at + count < 8 && groups[at + count] == 0) {
            count++;
        }
        if (count > best_count) {
            best = at;
            best_count = count;
        }
        at += count + 1;
    }
    *out_count = best == 8 ? 0 : best_count;
    return best;
}

/* inet_ntop writes ::1234:5678 as an IPv4-compatible address, so this is our own. */
static size_t print_ipv6(const uint8_t address[16], char *out_text)
{
    uint16_t groups[8];
    for (unsigned i = 0; i < 8; i++) {
        groups[i] = (uint16_t)(address[2 * i] << 8 | address[2 * i + 1]);
    }
    unsigned run_count;
    unsigned run = longest_zero_run(groups, &run_count);
    char *to = out_text;
    for (unsigned i = 0; i < 8;) {
        if (i == run) {
            *to++ = ':';
            *to++ = ':';
            i += run_count;
            continue;
        }
        if (i > 0 && i != run + run_count) {
            *to++ = ':';
        }
        to += snprintf(to, sizeof("ffff"), "%x", groups[i]);
        i++;
    }
    *to = '\0';
    return (size_t)(to - out_text);
}

/* Addresses are printed for every event: five times as fast as printf. */
static char *print_octet(unsigned octet, char *to)
{
    if (octet >= 100) {
        *to++ = (char)('0' + octet / 100);
    }
    if (octet >= 10) {
        *to++ = (char)('0' + octet / 10 % 10);
    }
    *to++ = (char)('0' + octet % 10);
    return to;
}

static size_t print_ipv4(const uint8_t address[16], char *out_text)
{
    char *to = out_text;
    for (unsigned i = 0; i < 4; i++) {
        to = print_octet(address[i], to);
        *to++ = i < 3 ? '.' : '\0';
    }
    return (size_t)(to - out_text) - 1;
}

size_t vg_network_print_address(
    const struct vg_network *network,
    char out_text[VG_NETWORK_TEXT_SIZE])
{
    const uint8_t *a = network->address;
    if (network->family == VG_NETWORK_IPV6) {
        return print_ipv6(a, out_text);
    }
    if (network->family == VG_NETWORK_IPV4) {
        return print_ipv4(a, out_text);
    }
    out_text[0] = '\0';
    return 0;
}

size_t vg_network_print(const struct vg_network *network, char out_text[VG_NETWORK_TEXT_SIZE])
{
    size_t size = vg_network_print_address(network, out_text);
    if (network->family == VG_NETWORK_NONE || vg_network_is_host(network)) {
        return size;
    }
    return size +
           (size_t)snprintf(out_text + size, VG_NETWORK_TEXT_SIZE - size, "/%u", network->bits);
}

bool vg_network_from_sockaddr(const struct sockaddr *address, struct vg_network *out_network)
{
    struct vg_network network = { .bits = 0 };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        memcpy(network.address, &in.sin_addr, 4);
        network.family = VG_NETWORK_IPV4;
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        memcpy(network.address, &in6.sin6_addr, 16);
        network.family = VG_NETWORK_IPV6;
    } else {
        return false;
    }
    network.bits = (uint8_t)family_bits(network.family);
    unmap_ipv4(&network);
    *out_network = network;
    return true;
}

bool vg_network_contains(const struct vg_network *outer, const struct vg_network *inner)
{
    if (outer->family != inner->family || outer->family == VG_NETWORK_NONE ||
        outer->bits > inner->bits) {
        return false;
    }
    unsigned whole = outer->bits / 8;
    unsigned rest = outer->bits % 8;
    if (memcmp(outer->address, inner->address, whole) != 0) {
        return false;
    }
    return rest == 0 || (outer->address[whole] ^ inner->address[whole]) >> (8 - rest) == 0;
}

bool vg_network_equal(const struct vg_network *a, const struct vg_network *b)
{
    return a->family == b->family && a->bits == b->bits &&
           memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

bool vg_network_matches(
    const struct vg_network *criteria,
    int bits_min,
    const struct vg_network *stored)
{
    if (!vg_network_contains(criteria, stored) && !vg_network_contains(stored, criteria)) {
        return false;
    }
    return bits_min <= (int)stored->bits || vg_network_equal(criteria, stored);
}

bool vg_network_is_host(const struct vg_network *network)
{
    return network->family != VG_NETWORK_NONE && network->bits == family_bits(network->family);
}

enum vg_range_kind {
    RANGE_OTHER, /* only not public */
    RANGE_LOOPBACK,
    RANGE_MULTICAST,
};

static const struct {
    enum vg_range_kind kind;
    struct vg_network network;
} special_ranges[] = {
    // clang-format off
    { RANGE_OTHER,     { { 10 },                     8, VG_NETWORK_IPV4 } }, /* private, RFC 1918 */
    { RANGE_OTHER,     { { 172, 16 },               12, VG_NETWORK_IPV4 } },
    { RANGE_OTHER,     { { 192, 168 },              16, VG_NETWORK_IPV4 } },
    { RANGE_LOOPBACK,  { { 127 },                    8, VG_NETWORK_IPV4 } }, /* RFC 1122 */
    { RANGE_OTHER,     { { 169, 254 },              16, VG_NETWORK_IPV4 } }, /* link-local, RFC 3927 */
    { RANGE_OTHER,     { { 100, 64 },               10, VG_NETWORK_IPV4 } }, /* shared, RFC 6598 */
    { RANGE_OTHER,     { { 192, 0, 2 },             24, VG_NETWORK_IPV4 } }, /* documentation, RFC 5737 */
    { RANGE_OTHER,     { { 198, 51, 100 },          24, VG_NETWORK_IPV4 } },
    { RANGE_OTHER,     { { 203, 0, 113 },           24, VG_NETWORK_IPV4 } },
    { RANGE_MULTICAST, { { 224 },                    4, VG_NETWORK_IPV4 } }, /* RFC 5771 */
    { RANGE_OTHER,     { { 0 },                     32, VG_NETWORK_IPV4 } }, /* unspecified */
    { RANGE_LOOPBACK,  { { [15] = 1 },             128, VG_NETWORK_IPV6 } }, /* RFC 4291 */
    { RANGE_OTHER,     { { 0 },                    128, VG_NETWORK_IPV6 } }, /* unspecified */
    { RANGE_OTHER,     { { 0xFE, 0x80 },            10, VG_NETWORK_IPV6 } }, /* link-local */
    { RANGE_OTHER,     { { 0xFC },                   7, VG_NETWORK_IPV6 } }, /* unique-local, RFC 4193 */
    { RANGE_OTHER,     { { 0x20, 0x01, 0x0D, 0xB8 }, 32, VG_NETWORK_IPV6 } }, /* documentation, RFC 3849 */
    { RANGE_OTHER,     { { 0x3F, 0xFF },            20, VG_NETWORK_IPV6 } }, /* documentation, RFC 9637 */
    { RANGE_MULTICAST, { { 0xFF },                   8, VG_NETWORK_IPV6 } },
    // clang-format on
};

static bool in_range_of(const struct vg_network *network, enum vg_range_kind kind)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(special_ranges); i++) {
        if (special_ranges[i].kind == kind &&
            vg_network_contains(&special_ranges[i].network, network)) {
            return true;
        }
    }
    return false;
}

bool vg_network_is_multicast(const struct vg_network *network)
{
    return in_range_of(network, RANGE_MULTICAST);
}

bool vg_network_is_loopback(const struct vg_network *network)
{
    return in_range_of(network, RANGE_LOOPBACK);
}

bool vg_network_is_public(const struct vg_network *network)
{
    return network->family != VG_NETWORK_NONE && !in_range_of(network, RANGE_OTHER) &&
           !in_range_of(network, RANGE_LOOPBACK) && !in_range_of(network, RANGE_MULTICAST);
}
