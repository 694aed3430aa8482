/* What the members of a criteria object ask of the columns. */
#include "core/events/criteria_term.h"

#include <string.h>

#include "core/base/digest.h"
#include "core/base/network.h"
#include "core/events/criteria_id.h"
#include "core/events/event_access.h"
#include "core/events/event_table.h"
#include "core/events/property_match.h"
#include "core/query/side_match.h"

#define VG_DOMAIN_SIZE_MAX 1024u

/* Where one looks: 0 either side, 1 source, 2 destination. */
#define VG_SIDES 3

void vg_criteria_term_blame_text(
    struct vg_criteria_term *at,
    const char *field,
    const struct vg_text_list *list,
    size_t index)
{
    if (index != SIZE_MAX) {
        vg_criteria_term_blame(
            at,
            &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                         .field = field,
                                         .index = index,
                                         .parameter = list->items[index] });
    }
}

void vg_criteria_term_add_from(struct vg_criteria_term *at, uint32_t column, int64_t least)
{
    vg_term_list_add(&at->terms, vg_predicate_range(at->context->arena, column, least, INT64_MAX));
}

/* ----------------------------------------------------------------------------------- customers */

static void add_numbers(
    struct vg_criteria_term *at,
    uint32_t column,
    const int64_t *numbers,
    size_t count)
{
    vg_term_list_add(
        &at->terms,
        count == 0 ? vg_predicate_none(at->context->arena)
                   : vg_predicate_number_in(at->context->arena, column, numbers, (uint32_t)count));
}

void vg_criteria_term_add_ids(
    struct vg_criteria_term *at,
    uint32_t column,
    const struct vg_number_list *list)
{
    if (list->count != 0) {
        add_numbers(at, column, list->items, list->count);
    }
}

/* The union of ids and names. A name nobody has is left out, and so matches nothing. */
static void add_customers(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    size_t most = criteria->customers.count + criteria->customer_ids.count;
    if (most == 0) {
        return;
    }
    int64_t *ids = vg_criteria_term_take(at, most, sizeof(*ids));
    if (ids == NULL) {
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < criteria->customers.count; i++) {
        const struct vg_customer *customer = vg_directory_customer_named(
            at->context->directory,
            vg_bytes_text(criteria->customers.items[i]));
        if (customer != NULL) {
            ids[count++] = customer->id;
        }
    }
    for (size_t i = 0; i < criteria->customer_ids.count; i++) {
        ids[count++] = criteria->customer_ids.items[i];
    }
    add_numbers(at, VG_EVENT_COLUMN_CUSTOMER, ids, count);
}

static void add_production(struct vg_criteria_term *at)
{
    if (!at->criteria->has_production) {
        return;
    }
    const struct vg_directory_snapshot *directory = at->context->directory;
    size_t most = vg_directory_count(directory, VG_DIRECTORY_CUSTOMER);
    int64_t *ids = vg_criteria_term_take(at, most, sizeof(*ids));
    if (ids == NULL) {
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < most; i++) {
        const struct vg_customer *customer = vg_directory_at(directory, VG_DIRECTORY_CUSTOMER, i);
        if (customer->in_production == at->criteria->production) {
            ids[count++] = customer->id;
        }
    }
    add_numbers(at, VG_EVENT_COLUMN_CUSTOMER, ids, count);
}

/* --------------------------------------------------------------------------- attack, severity */

void vg_criteria_term_add_signatures(struct vg_criteria_term *at, const struct vg_text_list *list)
{
    if (list->count == 0) {
        return;
    }
    struct vg_bytes *values = vg_criteria_term_take(at, list->count, sizeof(*values));
    if (values == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        values[i] = vg_bytes_text(list->items[i]);
    }
    vg_term_list_add(
        &at->terms,
        vg_predicate_bytes_in(
            at->context->arena,
            VG_EVENT_COLUMN_SIGNATURE,
            values,
            (uint32_t)list->count));
}

static void add_severity(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    bool has_bounds = criteria->min_severity != 0 || criteria->max_severity != 0;
    if (criteria->severities.count != 0 && has_bounds) {
        vg_criteria_term_blame(
            at,
            &(struct vg_criteria_blame){ .reason = VG_CONFLICTING_FIELDS,
                                         .field = "severity",
                                         .index = SIZE_MAX,
                                         .message = "severity cannot be used with minSeverity or "
                                                    "maxSeverity" });
        return;
    }
    if (criteria->severities.count != 0) {
        int64_t *numbers = vg_criteria_term_take(at, criteria->severities.count, sizeof(*numbers));
        for (size_t i = 0; numbers != NULL && i < criteria->severities.count; i++) {
            numbers[i] = criteria->severities.items[i];
        }
        if (numbers != NULL) {
            add_numbers(at, VG_EVENT_COLUMN_SEVERITY, numbers, criteria->severities.count);
        }
    }
    if (!has_bounds) {
        return;
    }
    int32_t least = criteria->min_severity != 0 ? criteria->min_severity : VG_EVENT_SEVERITY_LOW;
    int32_t most =
        criteria->max_severity != 0 ? criteria->max_severity : VG_EVENT_SEVERITY_CRITICAL;
    vg_term_list_add(
        &at->terms,
        least > most
            ? vg_predicate_none(at->context->arena)
            : vg_predicate_range(at->context->arena, VG_EVENT_COLUMN_SEVERITY, least, most));
}

/* --------------------------------------------------------------------------------------- sides */

/* The columns that are asked for a member: 0 = either side, 1 = source, 2 = destination. */
static void set_sides(int member, uint32_t source, uint32_t destination, uint32_t out_columns[2])
{
    out_columns[VG_SIDE_SOURCE] = member == 2 ? VG_SIDE_NOT_ASKED : source;
    out_columns[VG_SIDE_DESTINATION] = member == 1 ? VG_SIDE_NOT_ASKED : destination;
}

static void add_networks(struct vg_criteria_term *at, int member)
{
    static const char *const names[VG_SIDES] = { "ip", "sourceIP", "destinationIP" };
    const struct vg_text_list *list = &at->criteria->networks[member];
    struct vg_side_networks networks = {
        .texts = list->items,
        .count = list->count,
        .min_bits = { at->criteria->min_bits[0], at->criteria->min_bits[1] },
    };
    set_sides(member, VG_EVENT_COLUMN_SOURCE, VG_EVENT_COLUMN_DESTINATION, networks.columns);
    vg_criteria_term_blame_text(
        at,
        names[member],
        list,
        vg_side_match_networks(&at->terms, &networks));
}

static void add_ports(struct vg_criteria_term *at, int member)
{
    static const char *const names[VG_SIDES] = { "port", "sourcePort", "destinationPort" };
    const struct vg_text_list *list = &at->criteria->ports[member];
    struct vg_side_texts ports = { .texts = list->items, .count = list->count };
    set_sides(member, VG_EVENT_COLUMN_SOURCE_PORT, VG_EVENT_COLUMN_DESTINATION_PORT, ports.columns);
    vg_criteria_term_blame_text(at, names[member], list, vg_side_match_ports(&at->terms, &ports));
}

static void add_countries(struct vg_criteria_term *at, int member)
{
    static const char *const names[VG_SIDES] = { "geoCountry",
                                                 "sourceGeoCountry",
                                                 "destinationGeoCountry" };
    const struct vg_text_list *list = &at->criteria->countries[member];
    struct vg_side_texts countries = { .texts = list->items, .count = list->count };
    set_sides(
        member,
        VG_EVENT_COLUMN_SOURCE_COUNTRY,
        VG_EVENT_COLUMN_DESTINATION_COUNTRY,
        countries.columns);
    vg_criteria_term_blame_text(
        at,
        names[member],
        list,
        vg_side_match_countries(&at->terms, &countries));
}

/* ------------------------------------------------------------------------- domain, properties */

/* As it is stored: lower case, without the dot at the end. */
static bool hash_domain(const struct vg_criteria_term *at, const char *text, uint64_t *out_hash)
{
    uint8_t lower[VG_DOMAIN_SIZE_MAX];
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '.') {
        size--;
    }
    if (size > sizeof(lower)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t letter = (uint8_t)text[i];
        lower[i] = letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter - 'A' + 'a') : letter;
    }
    *out_hash = vg_event_table_domain_hash(at->context->secret, vg_bytes(lower, size));
    return true;
}

static void add_hashes(
    struct vg_criteria_term *at,
    uint32_t column,
    const uint64_t *hashes,
    uint32_t count)
{
    vg_term_list_add(
        &at->terms,
        count == 0 ? vg_predicate_none(at->context->arena)
                   : vg_predicate_hash_in(at->context->arena, column, hashes, count));
}

/* Domains are not validated: what cannot be stored matches nothing. */
static void add_domains(struct vg_criteria_term *at)
{
    const struct vg_text_list *list = &at->criteria->domains;
    if (list->count == 0) {
        return;
    }
    uint64_t *hashes = vg_criteria_term_take(at, list->count, sizeof(*hashes));
    uint32_t count = 0;
    for (size_t i = 0; hashes != NULL && i < list->count; i++) {
        count += hash_domain(at, list->items[i], &hashes[count]);
    }
    if (hashes != NULL) {
        add_hashes(at, VG_EVENT_COLUMN_DOMAIN, hashes, count);
    }
}

/* One of the values, byte for byte: one question for all of them. */
static void add_exact_property(
    struct vg_criteria_term *at,
    struct vg_bytes key,
    const struct vg_text_list *values)
{
    uint64_t *hashes = vg_criteria_term_take(at, values->count, sizeof(*hashes));
    uint64_t key_hash = vg_event_table_key_hash(at->context->secret, key);
    uint32_t count = 0;
    for (size_t i = 0; hashes != NULL && i < values->count; i++) {
        hashes[count++] = vg_event_table_value_hash(
            at->context->secret,
            key_hash,
            vg_bytes_text(values->items[i]));
    }
    if (hashes != NULL) {
        add_hashes(at, VG_EVENT_COLUMN_PROPERTIES, hashes, count);
    }
}

/* One of the values, by its words. */
static void add_tokenized_property(
    struct vg_criteria_term *at,
    struct vg_bytes key,
    const struct vg_text_list *values)
{
    struct vg_arena *arena = at->context->arena;
    const struct vg_predicate **any = vg_criteria_term_take(at, values->count, sizeof(*any));
    for (size_t i = 0; any != NULL && i < values->count; i++) {
        const struct vg_property_match match = { .key = key,
                                                 .value = vg_bytes_text(values->items[i]),
                                                 .tokenized = true };
        any[i] = vg_property_match_predicate(arena, at->context->secret, &match);
    }
    if (any != NULL) {
        vg_term_list_add(&at->terms, vg_predicate_or(arena, any, (uint32_t)values->count));
    }
}

static void add_property(
    struct vg_criteria_term *at,
    const struct vg_event_criteria_property *property)
{
    struct vg_bytes key = vg_bytes_text(property->key == NULL ? "" : property->key);
    if (property->values.count != 0) {
        (at->criteria->properties_tokenized ? add_tokenized_property
                                            : add_exact_property)(at, key, &property->values);
    }
}

/* Of equal keys the last one counts, as in any object of JSON (conventions.md 8). */
static bool is_last_of_key(const struct vg_event_criteria *criteria, size_t index)
{
    const char *key = criteria->properties[index].key;
    for (size_t i = index + 1; i < criteria->property_count; i++) {
        const char *later = criteria->properties[i].key;
        if (strcmp(key == NULL ? "" : key, later == NULL ? "" : later) == 0) {
            return false;
        }
    }
    return true;
}

static void add_properties(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    if (criteria->property_count > VG_TERM_LIST_MAX / 2) {
        vg_criteria_term_blame(
            at,
            &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                         .field = "properties",
                                         .index = SIZE_MAX,
                                         .message = "More than 32 properties" });
        return;
    }
    for (size_t i = 0; i < criteria->property_count; i++) {
        if (is_last_of_key(criteria, i)) {
            add_property(at, &criteria->properties[i]);
        }
    }
}

/* ------------------------------------------------------------------------------- cases, flags */

/* Of any of the cases, as far as the caller may read them; 0 = of none. */
static void add_cases(struct vg_criteria_term *at)
{
    const struct vg_number_list *list = &at->criteria->cases;
    if (list->count == 0) {
        return;
    }
    struct vg_arena *arena = at->context->arena;
    int64_t *ids = vg_criteria_term_take(at, list->count, sizeof(*ids));
    size_t count = 0;
    bool none = false;
    for (size_t i = 0; ids != NULL && i < list->count; i++) {
        none = none || list->items[i] == 0;
        const struct vg_case *subject = vg_directory_case(at->context->directory, list->items[i]);
        if (subject != NULL && vg_event_access_reads_case(at->context->principal, subject)) {
            ids[count++] = subject->id;
        }
    }
    if (ids == NULL) {
        return;
    }
    const struct vg_predicate *any[2];
    uint32_t any_count = 0;
    if (count != 0) {
        any[any_count++] =
            vg_predicate_number_in(arena, VG_EVENT_COLUMN_CASES, ids, (uint32_t)count);
    }
    if (none) {
        any[any_count++] = vg_predicate_absent(arena, VG_EVENT_COLUMN_CASES);
    }
    for (uint32_t i = 0; i < any_count; i++) {
        if (any[i] == NULL) {
            at->terms.failed = true;
            return;
        }
    }
    vg_term_list_add(&at->terms, vg_predicate_or(arena, any, any_count));
}

/* Classes of events; more than these there are not. */
static void add_types(struct vg_criteria_term *at)
{
    static const enum vg_event_type types[] = { VG_EVENT_TYPE_AGGREGATED, VG_EVENT_TYPE_RAW };
    int64_t wanted[VG_ARRAY_COUNT(types)];
    size_t count = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(types); i++) {
        if ((at->criteria->types >> types[i] & 1) != 0) {
            wanted[count++] = types[i];
        }
    }
    if (count == 1) {
        add_numbers(at, VG_EVENT_COLUMN_TYPE, wanted, count);
    } else if (count != 0) {
        /* Every event has one of them. Yet something is asked: sub-criteria that exclude both
         * classes exclude everything, and are not dropped as empty ones are. */
        vg_term_list_add(&at->terms, vg_predicate_all(at->context->arena));
    }
}

void vg_criteria_term_add_flags(
    struct vg_criteria_term *at,
    const struct vg_event_flags *all,
    const struct vg_event_flags *none)
{
    static const uint32_t columns[] = { VG_EVENT_COLUMN_FLAGS_LOW, VG_EVENT_COLUMN_FLAGS_HIGH };
    struct vg_arena *arena = at->context->arena;
    for (size_t word = 0; word < VG_ARRAY_COUNT(columns); word++) {
        if (all->bits[word] != 0) {
            vg_term_list_add(
                &at->terms,
                vg_predicate_flags_all(arena, columns[word], all->bits[word]));
        }
        if (none->bits[word] != 0) {
            const struct vg_predicate *any =
                vg_predicate_flags_any(arena, columns[word], none->bits[word]);
            vg_term_list_add(&at->terms, any == NULL ? NULL : vg_predicate_not(arena, any));
        }
    }
}

/* ------------------------------------------------------------------------------------- all of it
 */

void vg_criteria_term_add_members(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    if (criteria->matches_nothing) {
        vg_term_list_add(&at->terms, vg_predicate_none(at->context->arena));
    }
    add_types(at);
    add_customers(at);
    add_production(at);
    vg_criteria_id_add(at);
    vg_criteria_term_add_signatures(at, &criteria->signatures);
    vg_criteria_term_add_ids(at, VG_EVENT_COLUMN_ALARM, &criteria->alarms);
    vg_criteria_term_add_ids(at, VG_EVENT_COLUMN_CATEGORY, &criteria->categories);
    vg_criteria_term_add_ids(at, VG_EVENT_COLUMN_LOCATION, &criteria->locations);
    add_severity(at);
    for (int member = 0; member < VG_SIDES; member++) {
        add_networks(at, member);
        add_ports(at, member);
        add_countries(at, member);
    }
    add_domains(at);
    add_properties(at);
    add_cases(at);
    if (criteria->has_min_count) {
        vg_criteria_term_add_from(
            at,
            VG_EVENT_COLUMN_COUNT,
            criteria->min_count < 0 ? 0 : criteria->min_count);
    }
    vg_criteria_term_add_flags(at, &criteria->flags_all, &criteria->flags_none);
}
