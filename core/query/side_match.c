#include "core/query/side_match.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/network.h"
#include "core/base/text_number.h"

#define VG_PORT_MAX 65535u

static void add_any(
    struct vg_term_list *terms,
    const struct vg_predicate *const *questions,
    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (questions[i] == NULL) {
            terms->failed = true;
            return;
        }
    }
    vg_term_list_add(
        terms,
        count == 1 ? questions[0] : vg_predicate_or(terms->arena, questions, count));
}

/* Up to so many networks, or ranges of ports, are a question each: loops answer those, and so few
 * are the rule. More are one question that is answered by searching. */
#define VG_SIDE_FEW 4u

/* What is asked of one side. */
static const struct vg_predicate *match_networks(
    struct vg_arena *arena,
    const struct vg_side_networks *networks,
    const struct vg_network *parsed,
    size_t side)
{
    const struct vg_predicate *each[VG_SIDE_FEW];
    uint32_t column = networks->columns[side];
    int min_bits = networks->min_bits[side];
    if (networks->count > VG_SIDE_FEW) {
        return vg_predicate_networks(arena, column, parsed, (uint32_t)networks->count, min_bits);
    }
    for (size_t i = 0; i < networks->count; i++) {
        each[i] = vg_predicate_network(arena, column, &parsed[i], min_bits);
    }
    return networks->count == 1 ? each[0] : vg_predicate_or(arena, each, (uint32_t)networks->count);
}

size_t vg_side_match_networks(struct vg_term_list *terms, const struct vg_side_networks *networks)
{
    const struct vg_predicate *questions[VG_SIDE_COUNT];
    if (networks->count == 0) {
        return SIZE_MAX;
    }
    struct vg_network *parsed = vg_arena_alloc(terms->arena, networks->count * sizeof(*parsed));
    if (parsed == NULL) {
        terms->failed = true;
        return SIZE_MAX;
    }
    for (size_t i = 0; i < networks->count; i++) {
        if (!vg_network_parse(vg_bytes_text(networks->texts[i]), &parsed[i])) {
            return i;
        }
    }
    uint32_t asked = 0;
    for (size_t side = 0; side < VG_SIDE_COUNT; side++) {
        if (networks->columns[side] != VG_SIDE_NOT_ASKED) {
            questions[asked++] = match_networks(terms->arena, networks, parsed, side);
        }
    }
    add_any(terms, questions, asked);
    return SIZE_MAX;
}

/* "443" or "1000-2000". A range that ends before it starts matches nothing. */
static bool parse_ports(struct vg_bytes text, uint64_t *out_first, uint64_t *out_last)
{
    const uint8_t *dash = text.size == 0 ? NULL : memchr(text.data, '-', text.size);
    struct vg_bytes first = text;
    struct vg_bytes last = text;
    if (dash != NULL) {
        first.size = (size_t)(dash - text.data);
        last = vg_bytes(dash + 1, text.size - first.size - 1);
    }
    return vg_text_number_parse_uint64(first, out_first) && *out_first <= VG_PORT_MAX &&
           vg_text_number_parse_uint64(last, out_last) && *out_last <= VG_PORT_MAX;
}

struct port_range {
    uint16_t first;
    uint16_t last;
};

static int compare_ranges(const void *left, const void *right)
{
    const struct port_range *a = left;
    const struct port_range *b = right;
    return a->first - b->first;
}

/* Make ranges that touch one another one. They are sorted by their beginning. */
static uint32_t join_ranges(struct port_range *ranges, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || ranges[i].first > (uint32_t)ranges[kept - 1].last + 1) {
            ranges[kept++] = ranges[i];
        } else if (ranges[i].last > ranges[kept - 1].last) {
            ranges[kept - 1].last = ranges[i].last;
        }
    }
    return kept;
}

/* Every port of the ranges, which are at most VG_PORT_MAX + 1. */
static const struct vg_predicate *match_port_numbers(
    struct vg_arena *arena,
    uint32_t column,
    const struct port_range *ranges,
    uint32_t count)
{
    uint32_t port_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        port_count += ranges[i].last - ranges[i].first + 1u;
    }
    int64_t *ports = vg_arena_alloc(arena, port_count * sizeof(*ports));
    uint32_t used = 0;
    for (uint32_t i = 0; ports != NULL && i < count; i++) {
        for (uint32_t port = ranges[i].first; port <= ranges[i].last; port++) {
            ports[used++] = port;
        }
    }
    return ports == NULL ? NULL : vg_predicate_number_in(arena, column, ports, port_count);
}

/* What is asked of one side. */
static const struct vg_predicate *match_ports(
    struct vg_arena *arena,
    uint32_t column,
    const struct port_range *ranges,
    uint32_t count)
{
    const struct vg_predicate *each[VG_SIDE_FEW];
    if (count > VG_SIDE_FEW) {
        return match_port_numbers(arena, column, ranges, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        each[i] = vg_predicate_range(arena, column, ranges[i].first, ranges[i].last);
    }
    return count == 0   ? vg_predicate_none(arena)
           : count == 1 ? each[0]
                        : vg_predicate_or(arena, each, count);
}

size_t vg_side_match_ports(struct vg_term_list *terms, const struct vg_side_texts *ports)
{
    const struct vg_predicate *questions[VG_SIDE_COUNT];
    if (ports->count == 0) {
        return SIZE_MAX;
    }
    struct port_range *ranges = vg_arena_alloc(terms->arena, ports->count * sizeof(*ranges));
    if (ranges == NULL) {
        terms->failed = true;
        return SIZE_MAX;
    }
    uint32_t count = 0;
    for (size_t i = 0; i < ports->count; i++) {
        uint64_t first;
        uint64_t last;
        if (!parse_ports(vg_bytes_text(ports->texts[i]), &first, &last)) {
            return i;
        }
        if (first <= last) {
            ranges[count++] = (struct port_range){ (uint16_t)first, (uint16_t)last };
        }
    }
    qsort(ranges, count, sizeof(*ranges), compare_ranges);
    count = join_ranges(ranges, count);
    uint32_t asked = 0;
    for (size_t side = 0; side < VG_SIDE_COUNT; side++) {
        if (ports->columns[side] != VG_SIDE_NOT_ASKED) {
            questions[asked++] = match_ports(terms->arena, ports->columns[side], ranges, count);
        }
    }
    add_any(terms, questions, asked);
    return SIZE_MAX;
}

static bool parse_country(const char *text, uint8_t out_code[2])
{
    for (size_t i = 0; i < 2; i++) {
        uint8_t letter = (uint8_t)text[i];
        if (letter >= 'a' && letter <= 'z') {
            letter = (uint8_t)(letter - 'a' + 'A');
        }
        if (letter < 'A' || letter > 'Z') {
            return false;
        }
        out_code[i] = letter;
    }
    return text[2] == 0;
}

size_t vg_side_match_countries(struct vg_term_list *terms, const struct vg_side_texts *countries)
{
    if (countries->count == 0) {
        return SIZE_MAX;
    }
    struct vg_bytes *values = vg_arena_alloc(terms->arena, countries->count * sizeof(*values));
    uint8_t *codes = vg_arena_alloc(terms->arena, countries->count * 2);
    const struct vg_predicate *questions[VG_SIDE_COUNT];
    if (values == NULL || codes == NULL) {
        terms->failed = true;
        return SIZE_MAX;
    }
    for (size_t i = 0; i < countries->count; i++) {
        if (!parse_country(countries->texts[i], codes + 2 * i)) {
            return i;
        }
        values[i] = vg_bytes(codes + 2 * i, 2);
    }
    uint32_t asked = 0;
    for (size_t side = 0; side < VG_SIDE_COUNT; side++) {
        if (countries->columns[side] != VG_SIDE_NOT_ASKED) {
            questions[asked++] = vg_predicate_bytes_in(
                terms->arena,
                countries->columns[side],
                values,
                (uint32_t)countries->count);
        }
    }
    add_any(terms, questions, asked);
    return SIZE_MAX;
}
