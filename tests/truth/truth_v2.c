/* The evaluator of v2 criteria. */
#include "tests/truth/truth_v2.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/truth/truth_order.h"

typedef Vigil__Events__V2__SubCriteria criteria_v2;

struct question {
    const struct truth_event *event;
    const struct truth_caller *caller;
    int64_t now;
};

/* --------------------------------------------------------------------------------------- times */

/* The event's time of a field; false when it has none. */
static bool time_of(
    const struct truth_event *event,
    Vigil__Events__V2__TimeField field,
    int64_t *out_time)
{
    switch ((int)field) {
    case VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_CREATED:
        *out_time = event->timestamp;
        return true;
    case VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_LAST_UPDATED:
        *out_time = event->updated;
        return true;
    case VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_FIRST_ASSESSMENT:
        *out_time = event->assessed;
        return event->assessed != 0;
    case VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_ENGINE_PERSISTED:
        *out_time = event->persisted;
        return true;
    case VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_FIRST_EVENT:
        *out_time = event->first;
        return true;
    case VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_LAST_EVENT:
        *out_time = event->last;
        return true;
    default:
        *out_time = event->published;
        return true;
    }
}

static bool is_picked(const criteria_v2 *c, Vigil__Events__V2__TimeField field)
{
    if (c->n_time_field_strategy == 0) {
        return field == VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_CREATED;
    }
    for (size_t i = 0; i < c->n_time_field_strategy; i++) {
        if (c->time_field_strategy[i] == field ||
            c->time_field_strategy[i] == VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_ALL) {
            return true;
        }
    }
    return false;
}

static void check_times(const criteria_v2 *c, const struct question *q, enum truth *all)
{
    struct truth_range range = truth_range_make(c->start_timestamp, c->end_timestamp, q->now);
    if (range.given) {
        unsigned known = 0;
        unsigned hit = 0;
        for (int field = 1; field < VIGIL__EVENTS__V2__TIME_FIELD__TIME_FIELD_ALL; field++) {
            int64_t time;
            if (is_picked(c, (Vigil__Events__V2__TimeField)field) &&
                time_of(q->event, (Vigil__Events__V2__TimeField)field, &time)) {
                known++;
                hit += truth_in_range(&range, time);
            }
        }
        bool every = c->has_time_match_strategy &&
                     c->time_match_strategy == VIGIL__EVENTS__V2__TIME_MATCH__TIME_MATCH_ALL;
        truth_also(all, hit != 0 && (!every || hit == known));
    }
    if (c->has_include_unpublished && !c->include_unpublished) {
        truth_also(all, q->event->published <= q->now);
    }
}

/* ------------------------------------------------------------------------------------- members */

static void check_identity(const criteria_v2 *c, const struct question *q, enum truth *all)
{
    if (c->n_type != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_type; i++) {
            any = any || (int)c->type[i] == q->event->type;
        }
        truth_also(all, any);
    }
    if (c->n_customer != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_customer; i++) {
            any = any || truth_customer_matches(c->customer[i], q->event->customer);
        }
        truth_also(all, any);
    }
    if (c->has_production_customers) {
        truth_also(all, truth_in_production(q->event->customer) == (c->production_customers != 0));
    }
    if (c->n_event_identifier != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_event_identifier; i++) {
            any = any || truth_id_matches(c->event_identifier[i], q->event);
        }
        truth_also(all, any);
    }
}

static void check_lists(const criteria_v2 *c, const struct question *q, enum truth *all)
{
    if (c->n_severity != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_severity; i++) {
            any = any || (int)c->severity[i] == q->event->severity;
        }
        truth_also(all, any);
    }
    if (c->n_associated_case != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_associated_case; i++) {
            any = any || truth_case_matches(q->caller, c->associated_case[i], q->event);
        }
        truth_also(all, any);
    }
    if (c->n_domain != 0) {
        bool any = false;
        for (size_t i = 0; i < c->n_domain; i++) {
            any = any || truth_domain_matches(c->domain[i], q->event->domain);
        }
        truth_also(all, any);
    }
    for (size_t i = 0; i < c->n_include_flag; i++) {
        truth_also(all, q->event->flags[c->include_flag[i]]);
    }
    for (size_t i = 0; i < c->n_exclude_flag; i++) {
        truth_also(all, !q->event->flags[c->exclude_flag[i]]);
    }
}

/* ------------------------------------------------------------------------------------- the attack
 */

/* An id, or a short name. */
static bool is_named(const char *text, int64_t id, const char *name)
{
    if (text[0] != 0 && strspn(text, "0123456789") == strlen(text)) {
        return strtoll(text, NULL, 10) == id;
    }
    return strcasecmp(text, name) == 0;
}

static enum truth evaluate_attack(
    const Vigil__Events__V2__AttackCriteria *c,
    const struct truth_signature *has)
{
    enum truth all = TRUTH_FREE;
    bool mapped = has != NULL && has->alarm != 0;
    bool any = false;
    for (size_t i = 0; i < c->n_signature; i++) {
        any = any || (has != NULL && strcmp(c->signature[i], has->name) == 0);
    }
    if (c->n_signature != 0) {
        truth_also(&all, any);
    }
    any = false;
    for (size_t i = 0; i < c->n_alarm; i++) {
        any = any || (mapped && is_named(c->alarm[i], has->alarm, has->alarm_name));
    }
    if (c->n_alarm != 0) {
        truth_also(&all, any);
    }
    any = false;
    for (size_t i = 0; i < c->n_attack_category; i++) {
        any = any || (mapped && is_named(c->attack_category[i], has->category, has->category_name));
    }
    if (c->n_attack_category != 0) {
        truth_also(&all, any);
    }
    return all;
}

/* ---------------------------------------------------------------------------------- an endpoint */

/* The event's flag that stands for an endpoint's. */
static unsigned flag_of(Vigil__Events__V2__EndpointFlag flag, size_t side)
{
    static const uint8_t flags[][2] = {
        [VIGIL__EVENTS__V2__ENDPOINT_FLAG__ENDPOINT_FLAG_IS_CUSTOMER_NET] = { 5, 6 },
        [VIGIL__EVENTS__V2__ENDPOINT_FLAG__ENDPOINT_FLAG_IS_PARTIAL_CUSTOMER_NET] = { 7, 8 },
        [VIGIL__EVENTS__V2__ENDPOINT_FLAG__ENDPOINT_FLAG_CUSTOM_AGGREGATION] = { 31, 32 },
        [VIGIL__EVENTS__V2__ENDPOINT_FLAG__ENDPOINT_FLAG_IS_MANAGED_BY_SOC] = { 55, 56 },
    };
    return flags[flag][side];
}

static enum truth evaluate_side(
    const Vigil__Events__V2__EndpointCriteria *c,
    const struct truth_event *event,
    size_t which)
{
    const struct truth_side *side = &event->side[which];
    int min_bits = c->has_min_mask_bits ? c->min_mask_bits : -1;
    enum truth all = TRUTH_FREE;
    bool any = false;
    for (size_t i = 0; i < c->n_ip; i++) {
        any = any || truth_network_matches(c->ip[i], min_bits, side->network);
    }
    if (c->n_ip != 0) {
        truth_also(&all, any);
    }
    any = false;
    for (size_t i = 0; i < c->n_port; i++) {
        any = any || c->port[i] == side->port;
    }
    if (c->n_port != 0) {
        truth_also(&all, any);
    }
    any = false;
    for (size_t i = 0; i < c->n_country_code; i++) {
        any = any || truth_country_matches(c->country_code[i], side->country);
    }
    if (c->n_country_code != 0) {
        truth_also(&all, any);
    }
    for (size_t i = 0; i < c->n_include_flag; i++) {
        truth_also(&all, event->flags[flag_of(c->include_flag[i], which)]);
    }
    for (size_t i = 0; i < c->n_exclude_flag; i++) {
        truth_also(&all, !event->flags[flag_of(c->exclude_flag[i], which)]);
    }
    return all;
}

/* One endpoint has to satisfy all members together. */
static enum truth evaluate_endpoint(
    const Vigil__Events__V2__EndpointCriteria *c,
    const struct truth_event *event)
{
    Vigil__Events__V2__EndpointField field =
        c->has_endpoint_field_strategy ? c->endpoint_field_strategy
                                       : VIGIL__EVENTS__V2__ENDPOINT_FIELD__ENDPOINT_FIELD_ALL;
    enum truth source = evaluate_side(c, event, 0);
    enum truth destination = evaluate_side(c, event, 1);
    if (field == VIGIL__EVENTS__V2__ENDPOINT_FIELD__ENDPOINT_FIELD_SOURCE) {
        return source;
    }
    if (field == VIGIL__EVENTS__V2__ENDPOINT_FIELD__ENDPOINT_FIELD_DESTINATION) {
        return destination;
    }
    return source == TRUTH_YES ? source : destination;
}

/* ------------------------------------------------------------------------------------ a property
 */

static enum truth evaluate_property(
    const Vigil__Events__V2__PropertyCriteria *c,
    const struct truth_event *event)
{
    if (c->n_value == 0) {
        return c->key != NULL && truth_has_key(event, c->key) ? TRUTH_YES : TRUTH_NO;
    }
    bool tokenized =
        c->has_value_search_strategy &&
        c->value_search_strategy == VIGIL__EVENTS__V2__VALUE_SEARCH__VALUE_SEARCH_TOKENIZED;
    bool every = c->has_value_match_strategy &&
                 c->value_match_strategy == VIGIL__EVENTS__V2__VALUE_MATCH__VALUE_MATCH_ALL;
    size_t hit = 0;
    for (size_t i = 0; i < c->n_value; i++) {
        hit += truth_property_matches(event, c->key, c->value[i], tokenized);
    }
    return hit == c->n_value || (hit != 0 && !every) ? TRUTH_YES : TRUTH_NO;
}

/* --------------------------------------------------------------------------------- the whole */

static void also_rule(enum truth *all, const struct truth_rule *rule)
{
    enum truth ruled = truth_rule_result(rule);
    if (ruled != TRUTH_FREE) {
        truth_also(all, ruled == TRUTH_YES);
    }
}

static enum truth evaluate(const criteria_v2 *c, const struct question *q)
{
    enum truth all = TRUTH_FREE;
    check_times(c, q, &all);
    check_identity(c, q, &all);
    check_lists(c, q, &all);
    struct truth_rule attacks = { 0 };
    for (size_t i = 0; i < c->n_attack; i++) {
        const Vigil__Events__V2__AttackCriteria *part = c->attack[i];
        truth_rule_add(
            &attacks,
            evaluate_attack(part, q->event->signature),
            part->has_exclude && part->exclude,
            part->has_required && part->required);
    }
    also_rule(&all, &attacks);
    struct truth_rule endpoints = { 0 };
    for (size_t i = 0; i < c->n_endpoint; i++) {
        const Vigil__Events__V2__EndpointCriteria *part = c->endpoint[i];
        truth_rule_add(
            &endpoints,
            evaluate_endpoint(part, q->event),
            part->has_exclude && part->exclude,
            part->has_required && part->required);
    }
    also_rule(&all, &endpoints);
    struct truth_rule properties = { 0 };
    for (size_t i = 0; i < c->n_property; i++) {
        const Vigil__Events__V2__PropertyCriteria *part = c->property[i];
        truth_rule_add(
            &properties,
            evaluate_property(part, q->event),
            part->has_exclude && part->exclude,
            part->has_required && part->required);
    }
    also_rule(&all, &properties);
    return all;
}

/* The members that requests and sub-criteria share, one by one: nothing is assumed of layouts. */
static criteria_v2 common(const Vigil__Events__V2__SearchRequest *request)
{
    criteria_v2 c = VIGIL__EVENTS__V2__SUB_CRITERIA__INIT;
#define SAME(member) c.member = request->member
#define SAME_LIST(member)                                                                          \
    c.n_##member = request->n_##member;                                                            \
    c.member = request->member
#define SAME_NUMBER(member)                                                                        \
    c.has_##member = request->has_##member;                                                        \
    c.member = request->member
    SAME_LIST(type);
    SAME_LIST(customer);
    SAME_NUMBER(production_customers);
    SAME_LIST(event_identifier);
    SAME(start_timestamp);
    SAME(end_timestamp);
    SAME_LIST(time_field_strategy);
    SAME_NUMBER(time_match_strategy);
    SAME_LIST(severity);
    SAME_LIST(associated_case);
    SAME_LIST(domain);
    SAME_LIST(include_flag);
    SAME_LIST(exclude_flag);
    SAME_NUMBER(include_unpublished);
    SAME_LIST(attack);
    SAME_LIST(endpoint);
    SAME_LIST(property);
    return c;
}

bool truth_v2_matches(
    const Vigil__Events__V2__SearchRequest *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    criteria_v2 criteria = common(request);
    struct question question = { event, caller, now };
    enum truth all = evaluate(&criteria, &question);
    struct truth_rule rule = { 0 };
    for (size_t i = 0; i < request->n_sub_criteria; i++) {
        const criteria_v2 *inner = request->sub_criteria[i];
        truth_rule_add(
            &rule,
            evaluate(inner, &question),
            inner->has_exclude && inner->exclude,
            inner->has_required && inner->required);
    }
    also_rule(&all, &rule);
    struct truth_range days =
        truth_range_make(request->index_start_timestamp, request->index_end_timestamp, now);
    return truth_caller_sees(caller, event->customer) && all != TRUTH_NO &&
           truth_in_days(&days, event->persisted);
}

/* ------------------------------------------------------------------------------------- refusals */

static bool is_refused(const criteria_v2 *c)
{
    for (size_t i = 0; i < c->n_endpoint; i++) {
        for (size_t k = 0; k < c->endpoint[i]->n_ip; k++) {
            if (!truth_is_network(c->endpoint[i]->ip[k])) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < c->n_property; i++) {
        if (c->property[i]->key == NULL && c->property[i]->n_value == 0) {
            return true;
        }
    }
    return false;
}

bool truth_v2_is_refused(const Vigil__Events__V2__SearchRequest *request)
{
    for (size_t i = 0; i < request->n_sort_by; i++) {
        for (size_t k = 0; k < i; k++) {
            if ((unsigned)request->sort_by[i] >> 1 == (unsigned)request->sort_by[k] >> 1) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < request->n_sub_criteria; i++) {
        if (is_refused(request->sub_criteria[i])) {
            return true;
        }
    }
    criteria_v2 criteria = common(request);
    return is_refused(&criteria);
}

/* ---------------------------------------------------------------------------------------- order */

static int compare_key(
    Vigil__Events__V2__SortBy key,
    const struct truth_event *a,
    const struct truth_event *b)
{
    int order = 0;
    switch ((unsigned)key & ~1u) {
    case VIGIL__EVENTS__V2__SORT_BY__SORT_BY_CUSTOMER_ID:
        order = truth_order_numbers(a->customer, b->customer);
        break;
    case VIGIL__EVENTS__V2__SORT_BY__SORT_BY_EVENT_ID:
        order = strcmp(a->uuid, b->uuid);
        break;
    case VIGIL__EVENTS__V2__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP:
        order = truth_order_numbers(a->updated, b->updated);
        break;
    case VIGIL__EVENTS__V2__SORT_BY__SORT_BY_FIRST_EVENT_TIMESTAMP:
        order = truth_order_numbers(a->first, b->first);
        break;
    case VIGIL__EVENTS__V2__SORT_BY__SORT_BY_LAST_EVENT_TIMESTAMP:
        order = truth_order_numbers(a->last, b->last);
        break;
    default:
        order = truth_order_numbers(a->timestamp, b->timestamp);
        break;
    }
    return ((unsigned)key & 1u) != 0 ? -order : order;
}

int truth_v2_compare(
    const Vigil__Events__V2__SearchRequest *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    static const Vigil__Events__V2__SortBy newest[] = {
        VIGIL__EVENTS__V2__SORT_BY__SORT_BY_CREATED_TIMESTAMP_DESC,
    };
    const Vigil__Events__V2__SortBy *keys = request->n_sort_by == 0 ? newest : request->sort_by;
    size_t count = request->n_sort_by == 0 ? 1 : request->n_sort_by;
    int order = 0;
    for (size_t i = 0; i < count && order == 0; i++) {
        order = compare_key(keys[i], a, b);
    }
    return order != 0 ? order : truth_order_ids(a, b);
}
