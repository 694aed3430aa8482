/* The evaluator of v1 criteria. */
#include "tests/truth/truth_v1.h"

#include <stdlib.h>
#include <string.h>

#include "tests/truth/truth_order.h"

typedef Vigil__Events__V1__SubCriteria criteria_v1;

#define DEPTH_MAX 8

struct question {
    const struct truth_event *event;
    const struct truth_caller *caller;
    int64_t now;
    bool raw;
};

/* ------------------------------------------------------------------------------------- members */

static bool has_number(const int64_t *items, size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i] == number) {
            return true;
        }
    }
    return false;
}

static bool field_in_range(
    const struct truth_event *event,
    Vigil__Events__V1__TimeField field,
    const struct truth_range *range)
{
    bool every = field == VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_ALL;
    bool any = false;
    if (every || field == VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_TIMESTAMP) {
        any = any || truth_in_range(range, event->timestamp);
    }
    if (every || field == VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_START_TIMESTAMP) {
        any = any || truth_in_range(range, event->first);
    }
    if (every || field == VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_END_TIMESTAMP) {
        any = any || truth_in_range(range, event->last);
    }
    if (every || field == VIGIL__EVENTS__V1__TIME_FIELD__TIME_FIELD_PUBLICATION_TIMESTAMP) {
        any = any || truth_in_range(range, event->published);
    }
    return any;
}

static void check_range(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    struct truth_range range = truth_range_make(c->start_timestamp, c->end_timestamp, q->now);
    if (c->has_skip_future_events && c->skip_future_events) {
        range.given = true;
        range.end = range.end < q->now ? range.end : q->now;
    }
    if (!range.given) {
        return;
    }
    bool matches = false;
    if (range.start > range.end) {
        matches = false;
    } else if (c->n_time_field_strategy != 0) {
        for (size_t i = 0; i < c->n_time_field_strategy; i++) {
            matches = matches || field_in_range(q->event, c->time_field_strategy[i], &range);
        }
    } else if (q->raw) {
        matches = truth_in_range(&range, q->event->timestamp);
    } else {
        matches = q->event->last >= range.start && q->event->first <= range.end;
    }
    truth_also(all, matches);
}

static void check_times(const criteria_v1 *c, const struct question *q, bool top, enum truth *all)
{
    check_range(c, q, all);
    if (c->last_updated_timestamp != NULL) {
        truth_also(all, q->event->updated >= truth_time(c->last_updated_timestamp, q->now));
    }
    struct truth_range days = truth_range_make(c->index_start_time, c->index_end_time, q->now);
    if (top && days.given) {
        truth_also(all, truth_in_days(&days, q->event->persisted));
    }
    if (c->has_include_unpublished && !c->include_unpublished) {
        truth_also(all, q->event->published <= q->now);
    }
}

static void check_customers(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    if (c->n_customer + c->n_customer_id != 0) {
        bool any = has_number(c->customer_id, c->n_customer_id, q->event->customer);
        for (size_t i = 0; i < c->n_customer; i++) {
            any = any || truth_customer_matches(c->customer[i], q->event->customer);
        }
        truth_also(all, any);
    }
    if (c->has_production_customers) {
        truth_also(all, truth_in_production(q->event->customer) == (c->production_customers != 0));
    }
}

static bool id_matches(
    const Vigil__Events__V1__EventIdentifier *id,
    const struct truth_event *event)
{
    if (id->parts == NULL) {
        return id->text == NULL || truth_id_matches(id->text, event);
    }
    const Vigil__Events__V1__EventIdentifierParts *parts = id->parts;
    return (!parts->has_type || (int)parts->type == event->type) &&
           (parts->timestamp == NULL || strtoll(parts->timestamp, NULL, 10) == event->timestamp) &&
           (!parts->has_customer_id || parts->customer_id == event->customer) &&
           (parts->event_id == NULL || truth_same_uuid(parts->event_id, event->uuid));
}

static void check_attack(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    const struct truth_signature *signature = q->event->signature;
    if (c->n_event_identifier != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_event_identifier; i++) {
            any = any || id_matches(c->event_identifier[i], q->event);
        }
        truth_also(all, any);
    }
    if (c->n_signature != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_signature; i++) {
            any = any || (signature != NULL && strcmp(c->signature[i], signature->name) == 0);
        }
        truth_also(all, any);
    }
    bool mapped = signature != NULL && signature->alarm != 0;
    if (c->n_alarm_id != 0) {
        truth_also(all, mapped && has_number(c->alarm_id, c->n_alarm_id, signature->alarm));
    }
    if (c->n_attack_category_id != 0) {
        truth_also(
            all,
            mapped &&
                has_number(c->attack_category_id, c->n_attack_category_id, signature->category));
    }
    if (c->n_location_id != 0) {
        truth_also(
            all,
            q->event->location != 0 &&
                has_number(c->location_id, c->n_location_id, q->event->location));
    }
}

static void check_severity(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    if (c->n_severity != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_severity; i++) {
            any = any || (int)c->severity[i] == q->event->severity;
        }
        truth_also(all, any);
    }
    if (c->has_min_severity) {
        truth_also(all, q->event->severity >= (int)c->min_severity);
    }
    if (c->has_max_severity) {
        truth_also(all, q->event->severity <= (int)c->max_severity);
    }
    if (c->has_min_count) {
        truth_also(all, q->event->count >= c->min_count);
    }
}

/* ------------------------------------------------------------------------------ the two sides */

/* A list of texts of which one has to match one of the sides from `first` to `last`. */
struct side_list {
    char *const *items;
    size_t count;
    size_t first;
    size_t last;
};

typedef bool side_matches(
    const criteria_v1 *c,
    const char *text,
    const struct truth_side *side,
    size_t which);

static bool network_matches(
    const criteria_v1 *c,
    const char *text,
    const struct truth_side *side,
    size_t which)
{
    int min_bits = -1;
    if (which == 0 && c->has_source_ip_min_bits) {
        min_bits = c->source_ip_min_bits;
    }
    if (which == 1 && c->has_destination_ip_min_bits) {
        min_bits = c->destination_ip_min_bits;
    }
    return truth_network_matches(text, min_bits, side->network);
}

static bool port_matches(
    const criteria_v1 *c,
    const char *text,
    const struct truth_side *side,
    size_t which)
{
    (void)c;
    (void)which;
    return truth_ports_match(text, side->port);
}

static bool country_matches(
    const criteria_v1 *c,
    const char *text,
    const struct truth_side *side,
    size_t which)
{
    (void)c;
    (void)which;
    return truth_country_matches(text, side->country);
}

static void check_side_list(
    const criteria_v1 *c,
    const struct question *q,
    const struct side_list *list,
    side_matches *matches,
    enum truth *all)
{
    bool any = false;
    for (size_t i = 0; i < list->count; i++) {
        for (size_t side = list->first; side <= list->last; side++) {
            any = any || matches(c, list->items[i], &q->event->side[side], side);
        }
    }
    if (list->count != 0) {
        truth_also(all, any);
    }
}

static void check_sides(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    const struct {
        struct side_list list;
        side_matches *matches;
    } lists[] = {
        { { c->ip, c->n_ip, 0, 1 }, network_matches },
        { { c->source_ip, c->n_source_ip, 0, 0 }, network_matches },
        { { c->destination_ip, c->n_destination_ip, 1, 1 }, network_matches },
        { { c->port, c->n_port, 0, 1 }, port_matches },
        { { c->source_port, c->n_source_port, 0, 0 }, port_matches },
        { { c->destination_port, c->n_destination_port, 1, 1 }, port_matches },
        { { c->geo_country, c->n_geo_country, 0, 1 }, country_matches },
        { { c->source_geo_country, c->n_source_geo_country, 0, 0 }, country_matches },
        { { c->destination_geo_country, c->n_destination_geo_country, 1, 1 }, country_matches },
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        check_side_list(c, q, &lists[i].list, lists[i].matches, all);
    }
}

/* -------------------------------------------------------------------- domain, properties, flags */

static const char *key_of(const Vigil__Events__V1__TextEntry *entry)
{
    return entry->key == NULL ? "" : entry->key;
}

/* Of equal keys the last one counts. */
static bool is_last_of_key(const criteria_v1 *c, size_t index)
{
    for (size_t i = index + 1; i < c->n_properties; i++) {
        if (strcmp(key_of(c->properties[i]), key_of(c->properties[index])) == 0) {
            return false;
        }
    }
    return true;
}

static void check_properties(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    bool tokenized = c->has_exact_match_properties && !c->exact_match_properties;
    for (size_t i = 0; i < c->n_properties; i++) {
        const Vigil__Events__V1__TextEntry *entry = c->properties[i];
        if (entry->n_values == 0 || !is_last_of_key(c, i)) {
            continue;
        }
        bool any = false;
        for (size_t v = 0; v < entry->n_values; v++) {
            any =
                any || truth_property_matches(q->event, key_of(entry), entry->values[v], tokenized);
        }
        truth_also(all, any);
    }
}

static void check_flag_list(
    const Vigil__Events__V1__EventFlag *items,
    size_t count,
    bool wanted,
    const struct question *q,
    enum truth *all)
{
    for (size_t i = 0; i < count; i++) {
        truth_also(all, q->event->flags[items[i]] == wanted);
    }
}

static void check_rest(const criteria_v1 *c, const struct question *q, enum truth *all)
{
    if (c->n_domain != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_domain; i++) {
            any = any || truth_domain_matches(c->domain[i], q->event->domain);
        }
        truth_also(all, any);
    }
    if (c->n_associated_case_id != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_associated_case_id; i++) {
            any = any || truth_case_matches(q->caller, c->associated_case_id[i], q->event);
        }
        truth_also(all, any);
    }
    check_flag_list(c->include_flags, c->n_include_flags, true, q, all);
    check_flag_list(c->exclude_flags, c->n_exclude_flags, false, q, all);
    if (c->include_flag != NULL) {
        check_flag_list(c->include_flag->flag, c->include_flag->n_flag, true, q, all);
    }
    if (c->exclude_flag != NULL) {
        check_flag_list(c->exclude_flag->flag, c->exclude_flag->n_flag, false, q, all);
    }
}

/* --------------------------------------------------------------------------------- the whole */

static enum truth evaluate(const criteria_v1 *c, const struct question *q, bool top)
{
    enum truth all = TRUTH_FREE;
    check_times(c, q, top, &all);
    check_customers(c, q, &all);
    check_attack(c, q, &all);
    check_severity(c, q, &all);
    check_sides(c, q, &all);
    check_properties(c, q, &all);
    check_rest(c, q, &all);
    struct truth_rule rule = { 0 };
    for (size_t i = 0; i < c->n_sub_criteria; i++) {
        const criteria_v1 *inner = c->sub_criteria[i];
        truth_rule_add(
            &rule,
            evaluate(inner, q, false),
            inner->has_exclude && inner->exclude,
            inner->has_required && inner->required);
    }
    if (c->include_flag != NULL && c->include_flag->criteria != NULL) {
        truth_rule_add(&rule, evaluate(c->include_flag->criteria, q, false), false, true);
    }
    if (c->exclude_flag != NULL && c->exclude_flag->criteria != NULL) {
        truth_rule_add(&rule, evaluate(c->exclude_flag->criteria, q, false), true, false);
    }
    enum truth ruled = truth_rule_result(&rule);
    if (ruled != TRUTH_FREE) {
        truth_also(&all, ruled == TRUTH_YES);
    }
    return all;
}

/* Both messages have the same members in the same order. */
static criteria_v1 common(const Vigil__Events__V1__SearchCriteria *request)
{
    criteria_v1 criteria;
    memcpy(&criteria, request, sizeof(criteria));
    return criteria;
}

bool truth_v1_matches(
    const Vigil__Events__V1__SearchCriteria *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now,
    bool raw)
{
    criteria_v1 criteria = common(request);
    struct question question = { event, caller, now, raw };
    return event->type == (raw ? TRUTH_RAW : TRUTH_AGGREGATED) &&
           truth_caller_sees(caller, event->customer) &&
           evaluate(&criteria, &question, true) != TRUTH_NO;
}

/* ------------------------------------------------------------------------------------- refusals */

static bool all_are(char *const *items, size_t count, bool (*is)(const char *text))
{
    for (size_t i = 0; i < count; i++) {
        if (!is(items[i])) {
            return false;
        }
    }
    return true;
}

static bool is_refused(const criteria_v1 *c, unsigned depth)
{
    if ((c->last_updated_timestamp != NULL && c->n_time_field_strategy != 0) ||
        (c->n_severity != 0 && (c->has_min_severity || c->has_max_severity))) {
        return true;
    }
    if (!all_are(c->ip, c->n_ip, truth_is_network) ||
        !all_are(c->source_ip, c->n_source_ip, truth_is_network) ||
        !all_are(c->destination_ip, c->n_destination_ip, truth_is_network) ||
        !all_are(c->port, c->n_port, truth_is_ports) ||
        !all_are(c->source_port, c->n_source_port, truth_is_ports) ||
        !all_are(c->destination_port, c->n_destination_port, truth_is_ports)) {
        return true;
    }
    const criteria_v1 *include = c->include_flag == NULL ? NULL : c->include_flag->criteria;
    const criteria_v1 *exclude = c->exclude_flag == NULL ? NULL : c->exclude_flag->criteria;
    if (depth == DEPTH_MAX && (c->n_sub_criteria != 0 || include != NULL || exclude != NULL)) {
        return true;
    }
    for (size_t i = 0; i < c->n_sub_criteria; i++) {
        if (is_refused(c->sub_criteria[i], depth + 1)) {
            return true;
        }
    }
    return (include != NULL && is_refused(include, depth + 1)) ||
           (exclude != NULL && is_refused(exclude, depth + 1));
}

bool truth_v1_is_refused(const Vigil__Events__V1__SearchCriteria *request)
{
    criteria_v1 criteria = common(request);
    if (request->start_timestamp == NULL) {
        return true;
    }
    for (size_t i = 0; i < request->n_sort_by; i++) {
        for (size_t k = 0; k < i; k++) {
            if ((unsigned)request->sort_by[i] >> 1 == (unsigned)request->sort_by[k] >> 1) {
                return true;
            }
        }
    }
    return is_refused(&criteria, 0);
}

/* ---------------------------------------------------------------------------------------- order */

static int compare_key(
    Vigil__Events__V1__SortBy key,
    const struct truth_event *a,
    const struct truth_event *b)
{
    bool down = ((unsigned)key & 1u) != 0;
    int order = 0;
    switch ((unsigned)key & ~1u) {
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_TIMESTAMP:
        order = truth_order_numbers(a->timestamp, b->timestamp);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_START_TIMESTAMP:
        order = truth_order_numbers(a->first, b->first);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_END_TIMESTAMP:
        order = truth_order_numbers(a->last, b->last);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP:
        order = truth_order_numbers(a->updated, b->updated);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_SEVERITY:
        order = truth_order_numbers(a->severity, b->severity);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_COUNT:
        order = truth_order_numbers(a->count, b->count);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_CUSTOMER:
        order = truth_order_numbers(a->customer, b->customer);
        break;
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_SIGNATURE:
        return truth_order_signatures(a, b, down);
    case VIGIL__EVENTS__V1__SORT_BY__SORT_BY_PROTOCOL:
        return truth_order_protocols(a, b, down);
    default:
        order = truth_order_ids(a, b);
        break;
    }
    return down ? -order : order;
}

int truth_v1_compare(
    const Vigil__Events__V1__SearchCriteria *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    static const Vigil__Events__V1__SortBy newest[] = {
        VIGIL__EVENTS__V1__SORT_BY__SORT_BY_TIMESTAMP_DESC,
    };
    const Vigil__Events__V1__SortBy *keys = request->n_sort_by == 0 ? newest : request->sort_by;
    size_t count = request->n_sort_by == 0 ? 1 : request->n_sort_by;
    int order = 0;
    for (size_t i = 0; i < count && order == 0; i++) {
        order = compare_key(keys[i], a, b);
    }
    return order != 0 ? order : truth_order_ids(a, b);
}
