#include "core/query/side_match.h"

#include <string.h>

#include "core/base/network.h"
#include "core/base/text_number.h"

#define VG_PORT_MAX 65535u

/* Room for one question per text and side asked; NULL when the arena is full. */
static const struct vg_predicate **take_questions(struct vg_term_list *terms, size_t count)
{
    const struct vg_predicate **questions =
        vg_arena_alloc(terms->arena, VG_SIDE_COUNT * count * sizeof(*questions));
    if (questions == NULL) {
        terms->failed = true;
    }
    return questions;
}

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

size_t vg_side_match_networks(struct vg_term_list *terms, const struct vg_side_networks *networks)
{
    const struct vg_predicate **questions =
        networks->count == 0 ? NULL : take_questions(terms, networks->count);
    if (questions == NULL) {
        return SIZE_MAX;
    }
    uint32_t asked = 0;
    for (size_t i = 0; i < networks->count; i++) {
        struct vg_network network;
        if (!vg_network_parse(vg_bytes_text(networks->texts[i]), &network)) {
            return i;
        }
        for (size_t side = 0; side < VG_SIDE_COUNT; side++) {
            if (networks->columns[side] != VG_SIDE_NOT_ASKED) {
                questions[asked++] = vg_predicate_network(
                    terms->arena,
                    networks->columns[side],
                    &network,
                    networks->min_bits[side]);
            }
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

size_t vg_side_match_ports(struct vg_term_list *terms, const struct vg_side_texts *ports)
{
    const struct vg_predicate **questions =
        ports->count == 0 ? NULL : take_questions(terms, ports->count);
    if (questions == NULL) {
        return SIZE_MAX;
    }
    uint32_t asked = 0;
    for (size_t i = 0; i < ports->count; i++) {
        uint64_t first;
        uint64_t last;
        if (!parse_ports(vg_bytes_text(ports->texts[i]), &first, &last)) {
            return i;
        }
        for (size_t side = 0; side < VG_SIDE_COUNT; side++) {
            if (ports->columns[side] != VG_SIDE_NOT_ASKED) {
                questions[asked++] = first > last ? vg_predicate_none(terms->arena)
                                                  : vg_predicate_range(
                                                        terms->arena,
                                                        ports->columns[side],
                                                        (int64_t)first,
                                                        (int64_t)last);
            }
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
