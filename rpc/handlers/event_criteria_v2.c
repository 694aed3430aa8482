#include "rpc/handlers/event_criteria_v2.h"

#include <string.h>

#include "core/base/network.h"
#include "core/wire/validate.h"

/* What a sub-criteria has before its own members, every message with criteria has too. */
#define VG_COMMON_SIZE offsetof(Vigil__Events__V2__SubCriteria, has_exclude)
_Static_assert(
    offsetof(Vigil__Events__V2__SearchRequest, n_property) ==
            offsetof(Vigil__Events__V2__SubCriteria, n_property) &&
        offsetof(Vigil__Events__V2__SearchRequest, property) ==
            offsetof(Vigil__Events__V2__SubCriteria, property) &&
        offsetof(Vigil__Events__V2__SearchRequest, n_sub_criteria) >= VG_COMMON_SIZE,
    "SearchRequest and SubCriteria declare the same criteria in the same order");

static void read_time(const char *text, bool *out_has, vg_time *out_time)
{
    *out_has = text != NULL;
    *out_time = text == NULL ? 0 : vg_wire_time(text);
}

static struct vg_text_list texts(char *const *items, size_t count)
{
    return (struct vg_text_list){ .items = items, .count = count };
}

/* protoc-c makes every enumeration as wide as an int; its numbers are small. */
static struct vg_code_list codes(const void *items, size_t count)
{
    return (struct vg_code_list){ .items = items, .count = count };
}

uint32_t vg_event_criteria_v2_types(const Vigil__Events__V2__EventType *items, size_t count)
{
    uint32_t types = 0;
    for (size_t i = 0; i < count; i++) {
        types |= UINT32_C(1) << items[i];
    }
    return types;
}

/* --------------------------------------------------------------------------------------- times */

static void read_times(const Vigil__Events__V2__SubCriteria *from, struct vg_event_criteria *to)
{
    static const uint32_t bits[] = {
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_CREATED] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_LAST_UPDATED] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_LAST_UPDATED),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_FIRST_ASSESSMENT] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_FIRST_ASSESSED),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_ENGINE_PERSISTED] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_ENGINE_PERSISTED),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_FIRST_EVENT] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_FIRST),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_LAST_EVENT] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_LAST),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_PUBLISHED] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_PUBLISHED),
        [VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_ALL] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_FIELD_COUNT) -
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP),
    };
    read_time(from->start_timestamp, &to->has_start, &to->start);
    read_time(from->end_timestamp, &to->has_end, &to->end);
    for (size_t i = 0; i < from->n_time_field_strategy; i++) {
        to->time_fields |= bits[from->time_field_strategy[i]];
    }
    to->time_default = VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP);
    to->times_all = from->has_time_match_strategy &&
                    from->time_match_strategy == VIGIL__EVENTS__V2__TIME_MATCH__TIME_MATCH_ALL;
    to->unpublished_excluded = from->has_include_unpublished && !from->include_unpublished;
}

void vg_event_criteria_v2_read_index(
    const ProtobufCMessage *request,
    struct vg_event_criteria *criteria)
{
    const Vigil__Events__V2__SearchRequest *from =
        (const Vigil__Events__V2__SearchRequest *)request;
    read_time(from->index_start_timestamp, &criteria->has_index_start, &criteria->index_start);
    read_time(from->index_end_timestamp, &criteria->has_index_end, &criteria->index_end);
}

/* --------------------------------------------------------------------------------------- parts */

static bool read_attacks(
    const Vigil__Events__V2__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct vg_event_attack_criteria *parts = vg_arena_calloc(arena, from->n_attack, sizeof(*parts));
    for (size_t i = 0; parts != NULL && i < from->n_attack; i++) {
        const Vigil__Events__V2__AttackCriteria *attack = from->attack[i];
        parts[i] = (struct vg_event_attack_criteria){
            .signatures = texts(attack->signature, attack->n_signature),
            .alarms = texts(attack->alarm, attack->n_alarm),
            .categories = texts(attack->attack_category, attack->n_attack_category),
            .exclude = attack->has_exclude && attack->exclude,
            .required = attack->has_required && attack->required,
        };
    }
    to->attacks = parts;
    to->attack_count = from->n_attack;
    return parts != NULL;
}

static uint32_t endpoint_flags(const Vigil__Events__V2__EndpointFlag *items, size_t count)
{
    uint32_t flags = 0;
    for (size_t i = 0; i < count; i++) {
        flags |= UINT32_C(1) << items[i];
    }
    return flags;
}

static enum vg_event_side side_of(const Vigil__Events__V2__EndpointCriteria *endpoint)
{
    static const enum vg_event_side sides[] = {
        [VIGIL__EVENTS__V2__ENDPOINT_FIELD__ENDPOINT_FIELD_SOURCE] = VG_EVENT_SIDE_SOURCE,
        [VIGIL__EVENTS__V2__ENDPOINT_FIELD__ENDPOINT_FIELD_DESTINATION] = VG_EVENT_SIDE_DESTINATION,
        [VIGIL__EVENTS__V2__ENDPOINT_FIELD__ENDPOINT_FIELD_ALL] = VG_EVENT_SIDE_EITHER,
    };
    return endpoint->has_endpoint_field_strategy ? sides[endpoint->endpoint_field_strategy]
                                                 : VG_EVENT_SIDE_EITHER;
}

static bool read_endpoints(
    const Vigil__Events__V2__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct vg_event_endpoint_criteria *parts =
        vg_arena_calloc(arena, from->n_endpoint, sizeof(*parts));
    for (size_t i = 0; parts != NULL && i < from->n_endpoint; i++) {
        const Vigil__Events__V2__EndpointCriteria *endpoint = from->endpoint[i];
        parts[i] = (struct vg_event_endpoint_criteria){
            .side = side_of(endpoint),
            .networks = texts(endpoint->ip, endpoint->n_ip),
            .min_bits = endpoint->has_min_mask_bits ? endpoint->min_mask_bits : VG_NETWORK_BITS_ANY,
            .ports = codes(endpoint->port, endpoint->n_port),
            .countries = texts(endpoint->country_code, endpoint->n_country_code),
            .flags_all = endpoint_flags(endpoint->include_flag, endpoint->n_include_flag),
            .flags_none = endpoint_flags(endpoint->exclude_flag, endpoint->n_exclude_flag),
            .exclude = endpoint->has_exclude && endpoint->exclude,
            .required = endpoint->has_required && endpoint->required,
        };
    }
    to->endpoints = parts;
    to->endpoint_count = from->n_endpoint;
    return parts != NULL;
}

static bool read_properties(
    const Vigil__Events__V2__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct vg_event_property_criteria *parts =
        vg_arena_calloc(arena, from->n_property, sizeof(*parts));
    for (size_t i = 0; parts != NULL && i < from->n_property; i++) {
        const Vigil__Events__V2__PropertyCriteria *property = from->property[i];
        parts[i] = (struct vg_event_property_criteria){
            .key = property->key,
            .values = texts(property->value, property->n_value),
            .all_values =
                property->has_value_match_strategy &&
                property->value_match_strategy == VIGIL__EVENTS__V2__VALUE_MATCH__VALUE_MATCH_ALL,
            .tokenized = property->has_value_search_strategy &&
                         property->value_search_strategy ==
                             VIGIL__EVENTS__V2__VALUE_SEARCH__VALUE_SEARCH_TOKENIZED,
            .exclude = property->has_exclude && property->exclude,
            .required = property->has_required && property->required,
        };
    }
    to->property_parts = parts;
    to->property_part_count = from->n_property;
    return parts != NULL;
}

/* ----------------------------------------------------------------------------------- the whole */

static void add_flags(
    const Vigil__Events__V2__EventFlag *items,
    size_t count,
    struct vg_event_flags *flags)
{
    for (size_t i = 0; i < count; i++) {
        vg_event_flags_set(flags, (unsigned)items[i]);
    }
}

static void read_lists(const Vigil__Events__V2__SubCriteria *from, struct vg_event_criteria *to)
{
    to->types = vg_event_criteria_v2_types(from->type, from->n_type);
    to->customers = texts(from->customer, from->n_customer);
    to->has_production = from->has_production_customers != 0;
    to->production = from->production_customers != 0;
    to->severities = codes(from->severity, from->n_severity);
    to->cases = (struct vg_number_list){ from->associated_case, from->n_associated_case };
    to->domains = texts(from->domain, from->n_domain);
    add_flags(from->include_flag, from->n_include_flag, &to->flags_all);
    add_flags(from->exclude_flag, from->n_exclude_flag, &to->flags_none);
}

static bool read_ids(
    const Vigil__Events__V2__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct vg_event_criteria_id *ids =
        vg_arena_calloc(arena, from->n_event_identifier, sizeof(*ids));
    for (size_t i = 0; ids != NULL && i < from->n_event_identifier; i++) {
        ids[i].text = from->event_identifier[i];
    }
    to->ids = ids;
    to->id_count = from->n_event_identifier;
    return ids != NULL;
}

static bool read_common(
    const Vigil__Events__V2__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    vg_event_criteria_init(to);
    read_times(from, to);
    read_lists(from, to);
    return read_ids(from, arena, to) && read_attacks(from, arena, to) &&
           read_endpoints(from, arena, to) && read_properties(from, arena, to);
}

bool vg_event_criteria_v2_read(
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria)
{
    const Vigil__Events__V2__SearchRequest *search =
        (const Vigil__Events__V2__SearchRequest *)request;
    Vigil__Events__V2__SubCriteria common = VIGIL__EVENTS__V2__SUB_CRITERIA__INIT;
    memcpy(&common, request, VG_COMMON_SIZE);
    size_t count = search->n_sub_criteria;
    struct vg_event_sub_criteria *list = vg_arena_calloc(arena, count, sizeof(*list));
    struct vg_event_criteria *inner = vg_arena_calloc(arena, count, sizeof(*inner));
    if (list == NULL || inner == NULL || !read_common(&common, arena, out_criteria)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const Vigil__Events__V2__SubCriteria *from = search->sub_criteria[i];
        if (!read_common(from, arena, &inner[i])) {
            return false;
        }
        list[i] = (struct vg_event_sub_criteria){
            .criteria = &inner[i],
            .name = "subCriteria",
            .index = i,
            .exclude = from->has_exclude && from->exclude,
            .required = from->has_required && from->required,
        };
    }
    out_criteria->sub_criteria = list;
    out_criteria->sub_criteria_count = count;
    return true;
}
