/* What attack, endpoint and property criteria ask of the columns. */
#include "core/events/criteria_part.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/network.h"
#include "core/base/text_number.h"
#include "core/events/event_table.h"
#include "core/events/property_match.h"
#include "core/query/side_match.h"
#include "core/query/sub_criteria.h"

/* Bits that no stored network has: such a question is answered by the network itself only. */
#define VG_BITS_BEYOND 129

/* An element of a list of parts on its way to a predicate: its violations are named after it. */
static void init_element(
    struct vg_criteria_term *element,
    struct vg_criteria_term *at,
    const char *name,
    size_t index)
{
    *element = (struct vg_criteria_term){
        .context = at->context,
        .parent = at,
        .path = { .parent = &at->path, .name = name, .index = index },
        .criteria = at->criteria,
        .violations = at->violations,
        .depth = at->depth,
    };
    vg_term_list_init(&element->terms, at->context->arena);
}

/* -------------------------------------------------------------------------------------- attack */

static int compare_names(const void *left, const void *right)
{
    return strcasecmp(*(char *const *)left, *(char *const *)right);
}

struct names {
    char **items; /* sorted, without case */
    size_t count;
};

static bool has_name(const struct names *names, const char *name)
{
    return name != NULL &&
           bsearch(&name, names->items, names->count, sizeof(*names->items), compare_names) != NULL;
}

/* Ids, and names of those whose signatures the directory knows. One nobody has matches nothing. */
static void add_named(struct vg_criteria_term *at, const struct vg_text_list *list, bool category)
{
    if (list->count == 0) {
        return;
    }
    const struct vg_directory_snapshot *directory = at->context->directory;
    size_t signature_count = vg_directory_count(directory, VG_DIRECTORY_SIGNATURE);
    struct names names = { vg_criteria_term_take(at, list->count, sizeof(*names.items)), 0 };
    int64_t *ids = vg_criteria_term_take(at, list->count + signature_count, sizeof(*ids));
    size_t count = 0;
    if (names.items == NULL || ids == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (vg_text_number_parse_int64(vg_bytes_text(list->items[i]), &ids[count])) {
            count++;
        } else {
            names.items[names.count++] = list->items[i];
        }
    }
    qsort(names.items, names.count, sizeof(*names.items), compare_names);
    for (size_t i = 0; names.count != 0 && i < signature_count; i++) {
        const struct vg_signature *signature =
            vg_directory_at(directory, VG_DIRECTORY_SIGNATURE, i);
        if (has_name(
                &names,
                category ? signature->category_short_name : signature->alarm_short_name)) {
            ids[count++] = category ? signature->category_id : signature->alarm_id;
        }
    }
    if (count == 0) {
        vg_term_list_add(&at->terms, vg_predicate_none(at->context->arena));
        return;
    }
    const struct vg_number_list found = { ids, count };
    vg_criteria_term_add_ids(
        at,
        category ? VG_EVENT_COLUMN_CATEGORY : VG_EVENT_COLUMN_ALARM,
        &found);
}

static void add_attacks(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    struct vg_sub_criteria *parts =
        vg_criteria_term_take(at, criteria->attack_count, sizeof(*parts));
    for (size_t i = 0; parts != NULL && i < criteria->attack_count; i++) {
        const struct vg_event_attack_criteria *attack = &criteria->attacks[i];
        struct vg_criteria_term element;
        init_element(&element, at, "attack", i);
        vg_criteria_term_add_signatures(&element, &attack->signatures);
        add_named(&element, &attack->alarms, false);
        add_named(&element, &attack->categories, true);
        parts[i].predicate = vg_term_list_and(&element.terms);
        parts[i].exclude = attack->exclude;
        parts[i].required = attack->required;
        at->terms.failed = at->terms.failed || element.terms.failed;
    }
    if (parts != NULL) {
        vg_sub_criteria_add(&at->terms, parts, (uint32_t)criteria->attack_count);
    }
}

/* ------------------------------------------------------------------------------------ endpoint */

/* Columns and flags of one side. */
struct side {
    uint32_t address;
    uint32_t port;
    uint32_t country;
    bool destination;
};

static const struct side sides[VG_SIDE_COUNT] = {
    [VG_SIDE_SOURCE] = { VG_EVENT_COLUMN_SOURCE,
                         VG_EVENT_COLUMN_SOURCE_PORT,
                         VG_EVENT_COLUMN_SOURCE_COUNTRY,
                         false },
    [VG_SIDE_DESTINATION] = { VG_EVENT_COLUMN_DESTINATION,
                              VG_EVENT_COLUMN_DESTINATION_PORT,
                              VG_EVENT_COLUMN_DESTINATION_COUNTRY,
                              true },
};

/* The addresses of a whole family that are no wider than `bits`. The family's whole network is
 * exempt as the network asked for, but nobody has asked for it. */
static const struct vg_predicate *no_wider(
    struct vg_criteria_term *at,
    uint32_t column,
    const char *family,
    int bits)
{
    struct vg_arena *arena = at->context->arena;
    struct vg_network whole;
    bool parsed = vg_network_parse(vg_bytes_text(family), &whole);
    VG_ASSERT(parsed);
    const struct vg_predicate *inside = vg_predicate_network(arena, column, &whole, bits);
    if (bits == 0) {
        return inside;
    }
    const struct vg_predicate *both[] = {
        inside,
        vg_predicate_not(arena, vg_predicate_network(arena, column, &whole, VG_BITS_BEYOND)),
    };
    return vg_predicate_and(arena, both, VG_ARRAY_COUNT(both));
}

static void add_networks(
    struct vg_criteria_term *at,
    const struct vg_event_endpoint_criteria *endpoint,
    const struct side *side)
{
    if (endpoint->networks.count == 0) {
        if (endpoint->min_bits != VG_NETWORK_BITS_ANY) {
            const struct vg_predicate *families[] = {
                no_wider(at, side->address, "0.0.0.0/0", endpoint->min_bits),
                no_wider(at, side->address, "::/0", endpoint->min_bits),
            };
            vg_term_list_add(
                &at->terms,
                vg_predicate_or(at->context->arena, families, VG_ARRAY_COUNT(families)));
        }
        return;
    }
    const struct vg_side_networks networks = {
        .texts = endpoint->networks.items,
        .count = endpoint->networks.count,
        .columns = { side->address, VG_SIDE_NOT_ASKED },
        .min_bits = { endpoint->min_bits },
    };
    vg_criteria_term_blame_text(
        at,
        "ip",
        &endpoint->networks,
        vg_side_match_networks(&at->terms, &networks));
}

static void add_ports(
    struct vg_criteria_term *at,
    const struct vg_code_list *ports,
    const struct side *side)
{
    if (ports->count == 0) {
        return;
    }
    int64_t *numbers = vg_criteria_term_take(at, ports->count, sizeof(*numbers));
    for (size_t i = 0; numbers != NULL && i < ports->count; i++) {
        numbers[i] = ports->items[i];
    }
    if (numbers != NULL) {
        const struct vg_number_list list = { numbers, ports->count };
        vg_criteria_term_add_ids(at, side->port, &list);
    }
}

/* The flags of the event that say of this side what the bits by number of endpoint flags say. */
static struct vg_event_flags flags_of(uint32_t bits, const struct side *side)
{
    struct vg_event_flags flags = { { 0 } };
    for (size_t i = 0; i < VG_EVENT_ENDPOINT_FLAG_COUNT; i++) {
        const struct vg_event_endpoint_flag *row = &vg_event_endpoint_flags[i];
        if (row->destination == side->destination && (bits >> row->endpoint_flag & 1) != 0) {
            vg_event_flags_set(&flags, row->flag);
        }
    }
    return flags;
}

/* What one side must be; NULL = no restriction, or a failure noted in `element`. */
static const struct vg_predicate *match_side(
    struct vg_criteria_term *element,
    const struct vg_event_endpoint_criteria *endpoint,
    const struct side *side)
{
    vg_term_list_init(&element->terms, element->context->arena);
    add_networks(element, endpoint, side);
    add_ports(element, &endpoint->ports, side);
    const struct vg_side_texts countries = {
        .texts = endpoint->countries.items,
        .count = endpoint->countries.count,
        .columns = { side->country, VG_SIDE_NOT_ASKED },
    };
    vg_criteria_term_blame_text(
        element,
        "countryCode",
        &endpoint->countries,
        vg_side_match_countries(&element->terms, &countries));
    const struct vg_event_flags all = flags_of(endpoint->flags_all, side);
    const struct vg_event_flags none = flags_of(endpoint->flags_none, side);
    vg_criteria_term_add_flags(element, &all, &none);
    return vg_term_list_and(&element->terms);
}

/* One endpoint matches all members together: so sides are matched whole, then OR-ed. */
static const struct vg_predicate *match_endpoint(
    struct vg_criteria_term *element,
    const struct vg_event_endpoint_criteria *endpoint)
{
    const struct vg_predicate *matches[VG_SIDE_COUNT];
    uint32_t violations = element->violations->found;
    bool failed = false;
    uint32_t count = 0;
    for (int side = VG_SIDE_SOURCE; side < VG_SIDE_COUNT; side++) {
        bool wanted =
            endpoint->side == VG_EVENT_SIDE_EITHER ||
            (endpoint->side == VG_EVENT_SIDE_DESTINATION) == (side == VG_SIDE_DESTINATION);
        /* What is wrong on one side is wrong on the other; it is said once. */
        if (wanted && element->violations->found == violations) {
            matches[count] = match_side(element, endpoint, &sides[side]);
            failed = failed || element->terms.failed;
            count += matches[count] != NULL;
        }
    }
    element->terms.failed = failed;
    return count == 0 ? NULL : vg_predicate_or(element->context->arena, matches, count);
}

static void add_endpoints(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    struct vg_sub_criteria *parts =
        vg_criteria_term_take(at, criteria->endpoint_count, sizeof(*parts));
    for (size_t i = 0; parts != NULL && i < criteria->endpoint_count; i++) {
        struct vg_criteria_term element;
        init_element(&element, at, "endpoint", i);
        parts[i].predicate = match_endpoint(&element, &criteria->endpoints[i]);
        parts[i].exclude = criteria->endpoints[i].exclude;
        parts[i].required = criteria->endpoints[i].required;
        at->terms.failed = at->terms.failed || element.terms.failed;
    }
    if (parts != NULL) {
        vg_sub_criteria_add(&at->terms, parts, (uint32_t)criteria->endpoint_count);
    }
}

/* ------------------------------------------------------------------------------------ property */

/* The values of a key, byte for byte: one question for any of them. */
static const struct vg_predicate *match_exactly(
    struct vg_criteria_term *at,
    const struct vg_event_property_criteria *property)
{
    uint64_t *hashes = vg_criteria_term_take(at, property->values.count, sizeof(*hashes));
    uint64_t key_hash = vg_event_table_key_hash(at->context->secret, vg_bytes_text(property->key));
    uint32_t count = 0;
    for (size_t i = 0; hashes != NULL && i < property->values.count; i++) {
        hashes[count++] = vg_event_table_value_hash(
            at->context->secret,
            key_hash,
            vg_bytes_text(property->values.items[i]));
    }
    if (hashes == NULL || count == 0) {
        return hashes == NULL ? NULL : vg_predicate_none(at->context->arena);
    }
    return vg_predicate_hash_in(at->context->arena, VG_EVENT_COLUMN_PROPERTIES, hashes, count);
}

static const struct vg_predicate *match_property(
    struct vg_criteria_term *at,
    const struct vg_event_property_criteria *property)
{
    struct vg_arena *arena = at->context->arena;
    struct vg_property_match match = {
        .key = property->key == NULL ? vg_bytes(NULL, 0) : vg_bytes_text(property->key),
        .tokenized = property->tokenized,
    };
    if (property->values.count == 0) {
        return vg_property_match_predicate(arena, at->context->secret, &match);
    }
    if (property->key != NULL && !property->tokenized && !property->all_values) {
        return match_exactly(at, property);
    }
    uint32_t count = (uint32_t)property->values.count;
    const struct vg_predicate **each = vg_criteria_term_take(at, count, sizeof(*each));
    for (uint32_t i = 0; each != NULL && i < count; i++) {
        match.value = vg_bytes_text(property->values.items[i]);
        each[i] = vg_property_match_predicate(arena, at->context->secret, &match);
    }
    if (each == NULL) {
        return NULL;
    }
    return property->all_values ? vg_predicate_and(arena, each, count)
                                : vg_predicate_or(arena, each, count);
}

static void add_properties(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    struct vg_sub_criteria *parts =
        vg_criteria_term_take(at, criteria->property_part_count, sizeof(*parts));
    for (size_t i = 0; parts != NULL && i < criteria->property_part_count; i++) {
        const struct vg_event_property_criteria *property = &criteria->property_parts[i];
        struct vg_criteria_term element;
        init_element(&element, at, "property", i);
        if (property->key == NULL && property->values.count == 0) {
            vg_criteria_term_blame(
                &element,
                &(struct vg_criteria_blame){ .reason = VG_REQUIRED_FIELD,
                                             .field = "key",
                                             .index = SIZE_MAX,
                                             .message = "A key, a value or both are needed" });
            continue;
        }
        parts[i].predicate = match_property(&element, property);
        parts[i].exclude = property->exclude;
        parts[i].required = property->required;
        at->terms.failed = at->terms.failed || parts[i].predicate == NULL;
    }
    if (parts != NULL) {
        vg_sub_criteria_add(&at->terms, parts, (uint32_t)criteria->property_part_count);
    }
}

/* ----------------------------------------------------------------------------------- the whole */

void vg_criteria_part_add(struct vg_criteria_term *at)
{
    if (at->criteria->attack_count != 0) {
        add_attacks(at);
    }
    if (at->criteria->endpoint_count != 0) {
        add_endpoints(at);
    }
    if (at->criteria->property_part_count != 0) {
        add_properties(at);
    }
}
