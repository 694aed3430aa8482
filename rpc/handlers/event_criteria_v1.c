#include "rpc/handlers/event_criteria_v1.h"

#include <string.h>

#include "core/wire/validate.h"
#include "proto/contract_json.h"

/* Nesting that is told apart; what lies deeper is refused by the criteria themselves. */
#define VG_DEPTH_MAX 16u

/* The criteria of a request and those within them have one layout, so one function reads both. */
_Static_assert(
    sizeof(Vigil__Events__V1__SearchCriteria) == sizeof(Vigil__Events__V1__SubCriteria) &&
        offsetof(Vigil__Events__V1__SearchCriteria, domain) ==
            offsetof(Vigil__Events__V1__SubCriteria, domain) &&
        offsetof(Vigil__Events__V1__SearchCriteria, sort_by) ==
            offsetof(Vigil__Events__V1__SubCriteria, sort_by),
    "SearchCriteria and SubCriteria declare the same members in the same order");

static bool read_criteria(
    const Vigil__Events__V1__SubCriteria *from,
    unsigned depth,
    struct vg_arena *arena,
    struct vg_event_criteria *to);

static void read_time(const char *text, bool *out_has, vg_time *out_time)
{
    *out_has = text != NULL;
    *out_time = text == NULL ? 0 : vg_wire_time(text);
}

static struct vg_text_list texts(char *const *items, size_t count)
{
    return (struct vg_text_list){ .items = items, .count = count };
}

static struct vg_number_list numbers(const int64_t *items, size_t count)
{
    return (struct vg_number_list){ .items = items, .count = count };
}

/* protoc-c makes every enumeration as wide as an int; its numbers are small. */
static struct vg_code_list codes(const void *items, size_t count)
{
    return (struct vg_code_list){ .items = items, .count = count };
}

static void add_flags(
    const Vigil__Events__V1__EventFlag *items,
    size_t count,
    struct vg_event_flags *flags)
{
    for (size_t i = 0; i < count; i++) {
        vg_event_flags_set(flags, (unsigned)items[i]);
    }
}

/* The fields that the numbers of a strategy stand for. */
static uint32_t time_fields(const Vigil__Events__V1__TimeField *items, size_t count)
{
    static const uint32_t bits[] = {
        [VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_TIMESTAMP] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP),
        [VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_START_TIMESTAMP] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_FIRST),
        [VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_END_TIMESTAMP] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_LAST),
        [VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_PUBLICATION_TIMESTAMP] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_PUBLISHED),
        [VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_ALL] =
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP) | VG_EVENT_TIME_BIT(VG_EVENT_TIME_FIRST) |
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_LAST) | VG_EVENT_TIME_BIT(VG_EVENT_TIME_PUBLISHED),
    };
    uint32_t fields = 0;
    for (size_t i = 0; i < count; i++) {
        fields |= bits[items[i]];
    }
    return fields;
}

static void read_times(const Vigil__Events__V1__SubCriteria *from, struct vg_event_criteria *to)
{
    read_time(from->start_timestamp, &to->has_start, &to->start);
    read_time(from->end_timestamp, &to->has_end, &to->end);
    read_time(from->last_updated_timestamp, &to->has_last_updated, &to->last_updated);
    read_time(from->index_start_time, &to->has_index_start, &to->index_start);
    read_time(from->index_end_time, &to->has_index_end, &to->index_end);
    to->skip_future = from->has_skip_future_events && from->skip_future_events;
    to->time_fields = time_fields(from->time_field_strategy, from->n_time_field_strategy);
}

static bool read_ids(
    const Vigil__Events__V1__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct vg_event_criteria_id *ids =
        vg_arena_calloc(arena, from->n_event_identifier, sizeof(*ids));
    if (ids == NULL) {
        return false;
    }
    for (size_t i = 0; i < from->n_event_identifier; i++) {
        const Vigil__Events__V1__EventIdentifier *id = from->event_identifier[i];
        const Vigil__Events__V1__EventIdentifierParts *parts = id->parts;
        ids[i].text = id->text;
        if (parts != NULL) {
            ids[i].type = parts->has_type ? (enum vg_event_type)parts->type : VG_EVENT_TYPE_UNSET;
            read_time(parts->timestamp, &ids[i].has_timestamp, &ids[i].timestamp);
            ids[i].has_customer = parts->has_customer_id != 0;
            ids[i].customer_id = parts->customer_id;
            ids[i].uuid = parts->event_id;
        }
    }
    to->ids = ids;
    to->id_count = from->n_event_identifier;
    return true;
}

static bool read_properties(
    const Vigil__Events__V1__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct vg_event_criteria_property *properties =
        vg_arena_calloc(arena, from->n_properties, sizeof(*properties));
    if (properties == NULL) {
        return false;
    }
    for (size_t i = 0; i < from->n_properties; i++) {
        const Vigil__Events__V1__TextEntry *entry = from->properties[i];
        properties[i].key = entry->key;
        properties[i].values = texts(entry->values, entry->n_values);
    }
    to->properties = properties;
    to->property_count = from->n_properties;
    to->properties_tokenized = from->has_exact_match_properties && !from->exact_match_properties;
    return true;
}

static void read_sides(const Vigil__Events__V1__SubCriteria *from, struct vg_event_criteria *to)
{
    to->networks[0] = texts(from->ip, from->n_ip);
    to->networks[1] = texts(from->source_ip, from->n_source_ip);
    to->networks[2] = texts(from->destination_ip, from->n_destination_ip);
    if (from->has_source_ip_min_bits) {
        to->min_bits[0] = from->source_ip_min_bits;
    }
    if (from->has_destination_ip_min_bits) {
        to->min_bits[1] = from->destination_ip_min_bits;
    }
    to->ports[0] = texts(from->port, from->n_port);
    to->ports[1] = texts(from->source_port, from->n_source_port);
    to->ports[2] = texts(from->destination_port, from->n_destination_port);
    to->countries[0] = texts(from->geo_country, from->n_geo_country);
    to->countries[1] = texts(from->source_geo_country, from->n_source_geo_country);
    to->countries[2] = texts(from->destination_geo_country, from->n_destination_geo_country);
}

static void read_lists(const Vigil__Events__V1__SubCriteria *from, struct vg_event_criteria *to)
{
    to->customers = texts(from->customer, from->n_customer);
    to->customer_ids = numbers(from->customer_id, from->n_customer_id);
    to->has_production = from->has_production_customers != 0;
    to->production = from->production_customers != 0;
    to->signatures = texts(from->signature, from->n_signature);
    to->alarms = numbers(from->alarm_id, from->n_alarm_id);
    to->categories = numbers(from->attack_category_id, from->n_attack_category_id);
    to->locations = numbers(from->location_id, from->n_location_id);
    to->severities = codes(from->severity, from->n_severity);
    to->min_severity = from->has_min_severity ? (int32_t)from->min_severity : 0;
    to->max_severity = from->has_max_severity ? (int32_t)from->max_severity : 0;
    to->domains = texts(from->domain, from->n_domain);
    to->cases = numbers(from->associated_case_id, from->n_associated_case_id);
    to->has_min_count = from->has_min_count != 0;
    to->min_count = from->min_count;
    to->unpublished_excluded = from->has_include_unpublished && !from->include_unpublished;
    add_flags(from->include_flags, from->n_include_flags, &to->flags_all);
    add_flags(from->exclude_flags, from->n_exclude_flags, &to->flags_none);
    if (from->include_flag != NULL) {
        add_flags(from->include_flag->flag, from->include_flag->n_flag, &to->flags_all);
    }
    if (from->exclude_flag != NULL) {
        add_flags(from->exclude_flag->flag, from->exclude_flag->n_flag, &to->flags_none);
    }
}

/* ------------------------------------------------------------------------------- sub-criteria */

/* Where the elements of one criteria object are put. */
struct elements {
    struct vg_event_sub_criteria *list;
    size_t count;
    struct vg_arena *arena;
};

/* Room for `count` elements and the two that flags may be. */
static bool init_elements(struct elements *elements, size_t count, struct vg_arena *arena)
{
    *elements = (struct elements){
        .list = vg_arena_calloc(arena, count + 2, sizeof(*elements->list)),
        .arena = arena,
    };
    return elements->list != NULL;
}

/* The criteria of a new element, to be read; NULL when the arena is full. */
static struct vg_event_criteria *add_element(
    struct elements *elements,
    const struct vg_event_sub_criteria *named)
{
    struct vg_event_criteria *criteria = vg_arena_alloc(elements->arena, sizeof(*criteria));
    if (criteria != NULL) {
        struct vg_event_sub_criteria *element = &elements->list[elements->count++];
        *element = *named;
        element->criteria = criteria;
    }
    return criteria;
}

/* includeFlag and excludeFlag may be criteria too: one more that is required, or excludes. */
static const struct vg_event_sub_criteria by_include_flag = {
    .name = "includeFlag",
    .index = SIZE_MAX,
    .required = true,
};
static const struct vg_event_sub_criteria by_exclude_flag = {
    .name = "excludeFlag",
    .index = SIZE_MAX,
    .exclude = true,
};

static bool read_element(
    struct elements *elements,
    const Vigil__Events__V1__SubCriteria *from,
    unsigned depth,
    const struct vg_event_sub_criteria *named)
{
    struct vg_event_criteria *criteria = add_element(elements, named);
    return criteria != NULL && read_criteria(from, depth + 1, elements->arena, criteria);
}

static bool read_flag_criteria(
    struct elements *elements,
    const Vigil__Events__V1__FlagCriteria *from,
    unsigned depth,
    const struct vg_event_sub_criteria *named)
{
    return from == NULL || from->criteria == NULL ||
           read_element(elements, from->criteria, depth, named);
}

static bool read_sub_criteria(
    const Vigil__Events__V1__SubCriteria *from,
    unsigned depth,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    struct elements elements;
    if (!init_elements(&elements, from->n_sub_criteria, arena)) {
        return false;
    }
    for (size_t i = 0; i < from->n_sub_criteria && depth < VG_DEPTH_MAX; i++) {
        const Vigil__Events__V1__SubCriteria *inner = from->sub_criteria[i];
        const struct vg_event_sub_criteria named = {
            .name = "subCriteria",
            .index = i,
            .exclude = inner->has_exclude && inner->exclude,
            .required = inner->has_required && inner->required,
        };
        if (!read_element(&elements, inner, depth, &named)) {
            return false;
        }
    }
    if (depth < VG_DEPTH_MAX &&
        !(read_flag_criteria(&elements, from->include_flag, depth, &by_include_flag) &&
          read_flag_criteria(&elements, from->exclude_flag, depth, &by_exclude_flag))) {
        return false;
    }
    to->sub_criteria = elements.list;
    to->sub_criteria_count = elements.count;
    return true;
}

/* Everything but what is within. */
static bool read_members(
    const Vigil__Events__V1__SubCriteria *from,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    vg_event_criteria_init(to);
    read_times(from, to);
    read_lists(from, to);
    read_sides(from, to);
    return read_ids(from, arena, to) && read_properties(from, arena, to);
}

static bool read_criteria(
    const Vigil__Events__V1__SubCriteria *from,
    unsigned depth,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    return read_members(from, arena, to) && read_sub_criteria(from, depth, arena, to);
}

bool vg_event_criteria_v1_read(
    const Vigil__Events__V1__SearchCriteria *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria)
{
    Vigil__Events__V1__SubCriteria common;
    memcpy(&common, request, sizeof(common));
    return read_criteria(&common, 0, arena, out_criteria);
}

/* ------------------------------------------------------------------------------------ raw events
 */

_Static_assert(
    sizeof(Vigil__Events__V1__NidsSearchCriteria) == sizeof(Vigil__Events__V1__NidsSubCriteria) &&
        offsetof(Vigil__Events__V1__NidsSearchCriteria, domain) ==
            offsetof(Vigil__Events__V1__NidsSubCriteria, domain) &&
        offsetof(Vigil__Events__V1__NidsSearchCriteria, sort_by) ==
            offsetof(Vigil__Events__V1__NidsSubCriteria, sort_by),
    "NidsSearchCriteria and NidsSubCriteria declare the same members in the same order");

static size_t size_of_kind(const struct vg_field *field)
{
    switch (field->kind) {
    case VG_KIND_INT64:
    case VG_KIND_UINT64:
    case VG_KIND_DOUBLE:
    case VG_KIND_STRING:
    case VG_KIND_MESSAGE:
        return 8;
    default:
        return 4;
    }
}

/* Members of the same number and type are copied: the criteria of raw events as those of all. */
static void copy_members(
    const Vigil__Events__V1__NidsSubCriteria *from,
    Vigil__Events__V1__SubCriteria *to)
{
    const struct vg_table *table = &vg_table_vigil_events_v1_nids_sub_criteria;
    for (size_t row = 0; row < table->field_count; row++) {
        const struct vg_field *field = &table->fields[row];
        const struct vg_field *same =
            vg_contract_field(&vg_table_vigil_events_v1_sub_criteria, field->number);
        if (same == NULL || same->kind != field->kind ||
            (field->kind == VG_KIND_MESSAGE && field->sub != same->sub)) {
            continue;
        }
        bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
        memcpy(
            (uint8_t *)to + same->offset,
            (const uint8_t *)from + field->offset,
            repeated ? sizeof(void *) : size_of_kind(field));
        if (field->quantifier != 0) {
            memcpy(
                (uint8_t *)to + same->quantifier,
                (const uint8_t *)from + field->quantifier,
                repeated ? sizeof(size_t) : sizeof(protobuf_c_boolean));
        }
    }
}

static bool read_nids(
    const Vigil__Events__V1__NidsSubCriteria *from,
    unsigned depth,
    struct vg_arena *arena,
    struct vg_event_criteria *to);

static bool read_nids_element(
    struct elements *elements,
    const Vigil__Events__V1__NidsSubCriteria *from,
    unsigned depth,
    const struct vg_event_sub_criteria *named)
{
    struct vg_event_criteria *criteria = add_element(elements, named);
    return criteria != NULL && read_nids(from, depth + 1, elements->arena, criteria);
}

static bool read_nids_flag(
    struct elements *elements,
    const Vigil__Events__V1__NidsFlagCriteria *from,
    unsigned depth,
    const struct vg_event_sub_criteria *named,
    struct vg_event_flags *flags)
{
    if (from == NULL) {
        return true;
    }
    add_flags(from->flag, from->n_flag, flags);
    return from->criteria == NULL || depth >= VG_DEPTH_MAX ||
           read_nids_element(elements, from->criteria, depth, named);
}

static bool read_nids(
    const Vigil__Events__V1__NidsSubCriteria *from,
    unsigned depth,
    struct vg_arena *arena,
    struct vg_event_criteria *to)
{
    Vigil__Events__V1__SubCriteria members = VIGIL__EVENTS__V1__SUB_CRITERIA__INIT;
    struct elements elements;
    copy_members(from, &members);
    if (!read_members(&members, arena, to) ||
        !init_elements(&elements, from->n_sub_criteria, arena)) {
        return false;
    }
    to->time_default = VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP);
    to->matches_nothing = from->n_sensor_id != 0; /* no event has a sensor */
    for (size_t i = 0; i < from->n_sub_criteria && depth < VG_DEPTH_MAX; i++) {
        const Vigil__Events__V1__NidsSubCriteria *inner = from->sub_criteria[i];
        const struct vg_event_sub_criteria named = {
            .name = "subCriteria",
            .index = i,
            .exclude = inner->has_exclude && inner->exclude,
            .required = inner->has_required && inner->required,
        };
        if (!read_nids_element(&elements, inner, depth, &named)) {
            return false;
        }
    }
    if (!read_nids_flag(&elements, from->include_flag, depth, &by_include_flag, &to->flags_all) ||
        !read_nids_flag(&elements, from->exclude_flag, depth, &by_exclude_flag, &to->flags_none)) {
        return false;
    }
    to->sub_criteria = elements.list;
    to->sub_criteria_count = elements.count;
    return true;
}

bool vg_event_criteria_v1_read_nids(
    const Vigil__Events__V1__NidsSearchCriteria *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria)
{
    Vigil__Events__V1__NidsSubCriteria common;
    memcpy(&common, request, sizeof(common));
    return read_nids(&common, 0, arena, out_criteria);
}
