#include "core/base/network_set.h"

#include <stdlib.h>
#include <string.h>

/* Addresses of one family as numbers; IPv4 has `high` 0. */
struct number {
    uint64_t high;
    uint64_t low;
};

struct range {
    struct number first;
    struct number last;
};

struct family {
    const struct vg_network *networks; /* sorted: by address, then by bits */
    size_t network_count;
    const struct range *ranges; /* sorted, disjoint */
    size_t range_count;
};

struct vg_network_set {
    struct family v4;
    struct family v6;
};

static int compare_numbers(const struct number *a, const struct number *b)
{
    return a->high != b->high ? (a->high > b->high) - (a->high < b->high)
                              : (a->low > b->low) - (a->low < b->low);
}

static uint64_t read_word(const uint8_t *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++) {
        word = word << 8 | bytes[i];
    }
    return word;
}

static struct range range_v4(uint32_t address, uint8_t bits)
{
    uint32_t hosts = bits == 0 ? UINT32_MAX : (uint32_t)((UINT64_C(1) << (32 - bits)) - 1);
    return (struct range){ { 0, address }, { 0, address | hosts } };
}

static struct range range_of(const struct vg_network *network)
{
    if (network->family == VG_NETWORK_IPV4) {
        return range_v4((uint32_t)read_word(network->address, 4), network->bits);
    }
    unsigned bits = network->bits;
    uint64_t high = bits >= 64 ? 0 : bits == 0 ? UINT64_MAX : UINT64_MAX >> bits;
    uint64_t low = bits <= 64 ? UINT64_MAX : bits == 128 ? 0 : UINT64_MAX >> (bits - 64);
    struct number first = { read_word(network->address, 8), read_word(network->address + 8, 8) };
    return (struct range){ first, { first.high | high, first.low | low } };
}

static int compare_networks(const void *left, const void *right)
{
    const struct vg_network *a = left;
    const struct vg_network *b = right;
    int order = memcmp(a->address, b->address, sizeof(a->address));
    return order != 0 ? order : (a->bits > b->bits) - (a->bits < b->bits);
}

/* Sorted, a network that holds others comes before them: those are left out. */
static size_t merge(const struct vg_network *networks, size_t count, struct range *out_ranges)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct range range = range_of(&networks[i]);
        if (kept == 0 || compare_numbers(&range.first, &out_ranges[kept - 1].last) > 0) {
            out_ranges[kept++] = range;
        }
    }
    return kept;
}

static bool fill(
    struct family *family,
    uint8_t number,
    struct vg_arena *arena,
    const struct vg_network *networks,
    size_t count)
{
    struct vg_network *sorted = vg_arena_calloc(arena, count + 1, sizeof(*sorted));
    struct range *ranges = vg_arena_calloc(arena, count + 1, sizeof(*ranges));
    if (sorted == NULL || ranges == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (networks[i].family == number) {
            sorted[family->network_count++] = networks[i];
        }
    }
    qsort(sorted, family->network_count, sizeof(*sorted), compare_networks);
    family->range_count = merge(sorted, family->network_count, ranges);
    family->networks = sorted;
    family->ranges = ranges;
    return true;
}

const struct vg_network_set *vg_network_set_create(
    struct vg_arena *arena,
    const struct vg_network *networks,
    size_t count)
{
    struct vg_network_set *set = vg_arena_calloc(arena, 1, sizeof(*set));
    bool made = set != NULL && fill(&set->v4, VG_NETWORK_IPV4, arena, networks, count) &&
                fill(&set->v6, VG_NETWORK_IPV6, arena, networks, count);
    return made ? set : NULL;
}

/* Does the range meet one of the family's? */
static bool meets(const struct family *family, const struct range *range)
{
    size_t low = 0;
    size_t high = family->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_numbers(&family->ranges[middle].last, &range->first) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < family->range_count &&
           compare_numbers(&family->ranges[low].first, &range->last) <= 0;
}

static bool is_member(const struct family *family, const struct vg_network *stored)
{
    return bsearch(
               stored,
               family->networks,
               family->network_count,
               sizeof(*family->networks),
               compare_networks) != NULL;
}

bool vg_network_set_matches(
    const struct vg_network_set *set,
    int bits_min,
    const struct vg_network *stored)
{
    if (stored->family == VG_NETWORK_NONE) {
        return false;
    }
    const struct family *family = stored->family == VG_NETWORK_IPV4 ? &set->v4 : &set->v6;
    if (bits_min > (int)stored->bits) {
        return is_member(family, stored);
    }
    struct range range = range_of(stored);
    return meets(family, &range);
}

bool vg_network_set_matches_v4(
    const struct vg_network_set *set,
    int bits_min,
    uint32_t address,
    uint8_t bits)
{
    if (bits_min > (int)bits) {
        struct vg_network stored = { .bits = bits, .family = VG_NETWORK_IPV4 };
        for (unsigned i = 0; i < 4; i++) {
            stored.address[i] = (uint8_t)(address >> (24 - 8 * i));
        }
        return is_member(&set->v4, &stored);
    }
    struct range range = range_v4(address, bits);
    return meets(&set->v4, &range);
}
