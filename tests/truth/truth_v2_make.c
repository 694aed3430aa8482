/* Random requests of v2. */
#include <stdio.h>

#include "tests/truth/truth_make.h"
#include "tests/truth/truth_v2.h"

typedef Vigil__Events__V2__SubCriteria criteria_v2;

struct making {
    struct truth_random *random;
    const struct truth_events *events;
    const struct truth_event *near; /* the event the members are taken from */
    struct vg_arena *arena;
};

static unsigned below(struct making *m, unsigned bound)
{
    return truth_random_below(m->random, bound);
}

static bool once(struct making *m, unsigned of)
{
    return truth_random_once(m->random, of);
}

static char *text(struct making *m, const char *from)
{
    return truth_make_text(m->arena, from);
}

static char *time_near(struct making *m, int64_t at)
{
    return truth_make_time(m->arena, m->random, at);
}

static const struct truth_event *any_event(struct making *m)
{
    return &m->events->items[below(m, (unsigned)m->events->count)];
}

/* ------------------------------------------------------------------------------------- members */

static void make_times(struct making *m, criteria_v2 *c)
{
    const int64_t times[] = { m->near->timestamp, m->near->first,     m->near->last,
                              m->near->updated,   m->near->persisted, m->near->timestamp };
    if (!once(m, 3)) {
        c->start_timestamp = time_near(m, times[below(m, 6)] - below(m, 3) * INT64_C(10000));
    }
    if (!once(m, 3)) {
        c->end_timestamp = time_near(m, times[below(m, 6)] + below(m, 3) * INT64_C(10000));
    }
    if (!once(m, 3)) {
        for (unsigned i = 0; i <= below(m, 4); i++) {
            TRUTH_ADD(
                m->arena,
                c,
                time_field_strategy,
                (Vigil__Events__V2__TimeField)(1 + below(m, 8)));
        }
    }
    if (once(m, 2)) {
        TRUTH_SET(c, time_match_strategy, (Vigil__Events__V2__TimeMatch)(1 + below(m, 2)));
    }
}

static void make_unpublished(struct making *m, criteria_v2 *c)
{
    TRUTH_SET(c, include_unpublished, once(m, 4));
}

static void make_type(struct making *m, criteria_v2 *c)
{
    TRUTH_ADD(m->arena, c, type, (Vigil__Events__V2__EventType)(1 + below(m, 2)));
    if (once(m, 5)) {
        TRUTH_ADD(m->arena, c, type, (Vigil__Events__V2__EventType)(1 + below(m, 2)));
    }
}

static void make_customer(struct making *m, criteria_v2 *c)
{
    static const char *const odd[] = { "123", "nobody", "idle", "4" };
    for (unsigned i = 0; i <= below(m, 3); i++) {
        const struct truth_customer *customer =
            once(m, 2) ? &truth_customers[m->near->customer - 1]
                       : &truth_customers[below(m, (unsigned)truth_customer_count)];
        char *name =
            once(m, 2) ? truth_make_number(m->arena, customer->id) : text(m, customer->name);
        TRUTH_ADD(m->arena, c, customer, once(m, 3) ? truth_make_loud(name) : name);
    }
    if (once(m, 4)) {
        TRUTH_ADD(m->arena, c, customer, text(m, odd[below(m, 4)]));
    }
}

static void make_production(struct making *m, criteria_v2 *c)
{
    TRUTH_SET(c, production_customers, once(m, 2));
}

static void make_ids(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 5); i++) {
        static const char *const prefixes[] = { "AGGR", "AGGRATTACK", "RAW", "NIDS" };
        const struct truth_event *event = once(m, 2) ? any_event(m) : m->near;
        char *rest = text(m, strchr(event->id, '/'));
        const char *own =
            event->type == TRUTH_RAW ? prefixes[2 + below(m, 2)] : prefixes[below(m, 2)];
        char *id = vg_arena_printf(
            m->arena,
            "%s%s",
            once(m, 6) ? prefixes[below(m, 4)] : own,
            once(m, 2) ? truth_make_loud(rest) : rest);
        TRUTH_ADD(m->arena, c, event_identifier, id);
    }
}

static void make_severity(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 3); i++) {
        unsigned severity = once(m, 2) ? (unsigned)m->near->severity : 1 + below(m, 4);
        TRUTH_ADD(m->arena, c, severity, (Vigil__Events__V2__Severity)severity);
    }
}

static void make_cases(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 4); i++) {
        int64_t id = m->near->case_count != 0 && once(m, 2)
                         ? m->near->cases[below(m, (unsigned)m->near->case_count)]
                         : 30 + below(m, 7);
        TRUTH_ADD(m->arena, c, associated_case, once(m, 4) ? 0 : id);
    }
}

static void make_domains(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 4); i++) {
        char *domain = truth_make_near(m->arena, m->random, m->near->domain, &truth_domains);
        TRUTH_ADD(m->arena, c, domain, once(m, 3) ? truth_make_loud(domain) : domain);
    }
}

/* Flags of endpoints are no event flags of v2. */
static bool is_event_flag(unsigned flag)
{
    return !((flag >= 5 && flag <= 12) || (flag >= 31 && flag <= 34) || flag == 55 || flag == 56);
}

static void make_flags(struct making *m, criteria_v2 *c)
{
    uint8_t set[TRUTH_FLAGS];
    unsigned count = 0;
    for (unsigned flag = 1; flag < TRUTH_FLAGS; flag++) {
        if (m->near->flags[flag] && is_event_flag(flag)) {
            set[count++] = (uint8_t)flag;
        }
    }
    unsigned flag = 0;
    do {
        flag = count != 0 && !once(m, 3) ? set[below(m, count)]
                                         : truth_flags[below(m, (unsigned)truth_flag_count)];
    } while (!is_event_flag(flag));
    if (once(m, 2)) {
        TRUTH_ADD(m->arena, c, include_flag, (Vigil__Events__V2__EventFlag)flag);
    } else {
        TRUTH_ADD(m->arena, c, exclude_flag, (Vigil__Events__V2__EventFlag)flag);
    }
}

/* ---------------------------------------------------------------------------------------- parts */

static void make_kind(
    struct making *m,
    protobuf_c_boolean *out_exclude,
    protobuf_c_boolean *out_required)
{
    *out_exclude = once(m, 4);
    *out_required = once(m, 4);
}

static char *name_near(struct making *m, int64_t id, const char *name)
{
    if (once(m, 8) || id == 0) {
        return text(m, once(m, 2) ? "999" : "none");
    }
    if (once(m, 2)) {
        return truth_make_number(m->arena, id);
    }
    char *copy = text(m, name);
    return once(m, 3) ? truth_make_loud(copy) : copy;
}

static void fill_attack(struct making *m, Vigil__Events__V2__AttackCriteria *part)
{
    unsigned kinds = once(m, 8) ? 0 : 1 + below(m, 7); /* none is an element that is dropped */
    for (unsigned i = 0; i <= below(m, 4); i++) {
        const struct truth_signature *signature =
            m->near->signature != NULL && !once(m, 3)
                ? m->near->signature
                : &truth_signatures[below(m, (unsigned)truth_signature_count)];
        if ((kinds & 1) != 0) {
            TRUTH_ADD(m->arena, part, signature, text(m, signature->name));
        }
        if ((kinds & 2) != 0) {
            TRUTH_ADD(m->arena, part, alarm, name_near(m, signature->alarm, signature->alarm_name));
        }
        if (kinds == 4 || kinds == 7) {
            TRUTH_ADD(
                m->arena,
                part,
                attack_category,
                name_near(m, signature->category, signature->category_name));
        }
    }
}

static void make_attacks(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 3); i++) {
        Vigil__Events__V2__AttackCriteria *part = vg_arena_alloc(m->arena, sizeof(*part));
        vigil__events__v2__attack_criteria__init(part);
        fill_attack(m, part);
        part->has_exclude = part->has_required = true;
        make_kind(m, &part->exclude, &part->required);
        TRUTH_ADD(m->arena, c, attack, part);
    }
}

static void fill_addresses(
    struct making *m,
    Vigil__Events__V2__EndpointCriteria *part,
    const struct truth_side *side)
{
    static const int bits[] = { 0, 8, 16, 19, 20, 24, 25, 28, 32, 33, 64, 128 };
    for (unsigned i = 0; i <= below(m, 4); i++) {
        char *network = truth_make_near(m->arena, m->random, side->network, &truth_networks);
        TRUTH_ADD(m->arena, part, ip, once(m, 300) ? text(m, "10.0.0/8") : network);
    }
    if (once(m, 3)) {
        TRUTH_SET(part, min_mask_bits, bits[below(m, 12)]);
    }
}

static void fill_endpoint(struct making *m, Vigil__Events__V2__EndpointCriteria *part)
{
    const struct truth_side *side = &m->near->side[below(m, 2)];
    unsigned members = once(m, 8) ? 0 : 1 + below(m, 2);
    for (unsigned i = 0; i < members; i++) {
        unsigned flag = 1 + below(m, 4);
        switch (below(m, 5)) {
        case 0:
            for (unsigned k = 0; k <= below(m, 4); k++) {
                int port = side->port >= 0 && once(m, 2)
                               ? side->port
                               : truth_ports[below(m, (unsigned)truth_port_count)];
                TRUTH_ADD(m->arena, part, port, port);
            }
            break;
        case 1:
            for (unsigned k = 0; k <= below(m, 4); k++) {
                char *code = truth_make_near(m->arena, m->random, side->country, &truth_countries);
                TRUTH_ADD(m->arena, part, country_code, once(m, 2) ? truth_make_loud(code) : code);
            }
            break;
        case 2:
            if (once(m, 2)) {
                TRUTH_ADD(m->arena, part, include_flag, (Vigil__Events__V2__EndpointFlag)flag);
            } else {
                TRUTH_ADD(m->arena, part, exclude_flag, (Vigil__Events__V2__EndpointFlag)flag);
            }
            break;
        default:
            fill_addresses(m, part, side);
            break;
        }
    }
    if (once(m, 2)) {
        TRUTH_SET(
            part,
            endpoint_field_strategy,
            (Vigil__Events__V2__EndpointField)(1 + below(m, 3)));
    }
}

static void make_endpoints(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 3); i++) {
        Vigil__Events__V2__EndpointCriteria *part = vg_arena_alloc(m->arena, sizeof(*part));
        vigil__events__v2__endpoint_criteria__init(part);
        fill_endpoint(m, part);
        part->has_exclude = part->has_required = true;
        make_kind(m, &part->exclude, &part->required);
        TRUTH_ADD(m->arena, c, endpoint, part);
    }
}

static const char *value_near(struct making *m, const struct truth_property *property)
{
    static const char *const words[] = { "alpha", "ALPHA Beta", "example a", "1",  "\xc3\xa4rger",
                                         "gamma", "2y",         "-- ,",      "com" };
    if (once(m, 3)) {
        return words[below(m, 9)];
    }
    if (property == NULL || once(m, 3)) {
        return truth_pick(m->random, &truth_values);
    }
    const char *own = property->values[below(m, (unsigned)property->value_count)];
    return own != NULL ? own : property->number;
}

static void fill_property(struct making *m, Vigil__Events__V2__PropertyCriteria *part)
{
    const struct truth_property *own =
        once(m, 3) ? NULL : &m->near->properties[below(m, (unsigned)m->near->property_count)];
    unsigned kind = below(m, 8);
    if (kind != 0) {
        for (unsigned i = 0; i <= below(m, 3); i++) {
            TRUTH_ADD(m->arena, part, value, text(m, value_near(m, own)));
        }
    }
    if (kind < 6) {
        part->key = text(m, own != NULL ? own->key : truth_pick(m->random, &truth_keys));
    }
    if (once(m, 300)) {
        part->key = NULL; /* perhaps neither */
    }
    if (once(m, 2)) {
        TRUTH_SET(part, value_match_strategy, (Vigil__Events__V2__ValueMatch)(1 + below(m, 2)));
    }
    if (!once(m, 3)) {
        TRUTH_SET(part, value_search_strategy, (Vigil__Events__V2__ValueSearch)(1 + below(m, 2)));
    }
}

static void make_properties(struct making *m, criteria_v2 *c)
{
    for (unsigned i = 0; i <= below(m, 3); i++) {
        Vigil__Events__V2__PropertyCriteria *part = vg_arena_alloc(m->arena, sizeof(*part));
        vigil__events__v2__property_criteria__init(part);
        fill_property(m, part);
        part->has_exclude = part->has_required = true;
        make_kind(m, &part->exclude, &part->required);
        TRUTH_ADD(m->arena, c, property, part);
    }
}

/* --------------------------------------------------------------------------------- the whole */

static void make_members(struct making *m, criteria_v2 *c, unsigned count)
{
    static void (*const members[])(struct making *, criteria_v2 *) = {
        make_times,      make_times,   make_times,      make_unpublished, make_type,
        make_customer,   make_ids,     make_severity,   make_cases,       make_domains,
        make_flags,      make_attacks, make_attacks,    make_endpoints,   make_endpoints,
        make_endpoints,  make_flags,   make_properties, make_properties,  make_properties,
        make_production,
    };
    for (unsigned i = 0; i < count; i++) {
        members[below(m, sizeof(members) / sizeof(members[0]))](m, c);
    }
}

static void make_sub_criteria(struct making *m, Vigil__Events__V2__SearchRequest *request)
{
    for (unsigned i = 0; i <= below(m, 4); i++) {
        criteria_v2 *inner = vg_arena_alloc(m->arena, sizeof(*inner));
        vigil__events__v2__sub_criteria__init(inner);
        const struct truth_event *outer = m->near;
        m->near = once(m, 3) ? any_event(m) : m->near;
        make_members(m, inner, once(m, 8) ? 0 : 1 + below(m, 2));
        m->near = outer;
        inner->has_exclude = inner->has_required = true;
        make_kind(m, &inner->exclude, &inner->required);
        TRUTH_ADD(m->arena, request, sub_criteria, inner);
    }
}

static void make_page(struct making *m, Vigil__Events__V2__SearchRequest *request)
{
    static const int32_t limits[] = { 0, 0, 1, 2, 3, 5, 10, 25, 1000, 200000 };
    if (!once(m, 3)) {
        TRUTH_SET(request, limit, limits[below(m, 10)]);
    }
    if (once(m, 3)) {
        TRUTH_SET(request, offset, (int32_t)below(m, once(m, 4) ? 200000 : 12));
    }
    unsigned keys = once(m, 3) ? 0 : 1 + below(m, 3);
    for (unsigned i = 0; i < keys; i++) {
        /* From 2 to 13; a key twice is refused, and meant to be rare. */
        unsigned key = 2 + below(m, 12);
        bool again = false;
        for (size_t k = 0; k < request->n_sort_by; k++) {
            again = again || (unsigned)request->sort_by[k] >> 1 == key >> 1;
        }
        if (!again || once(m, 40)) {
            TRUTH_ADD(m->arena, request, sort_by, (Vigil__Events__V2__SortBy)key);
        }
    }
}

static void make_days(struct making *m, Vigil__Events__V2__SearchRequest *request)
{
    if (!once(m, 3)) {
        request->index_start_timestamp = time_near(m, m->near->persisted);
    }
    if (!once(m, 3)) {
        request->index_end_timestamp = time_near(m, m->near->persisted);
    }
}

/* Members of sub-criteria by number in the place of the request's own: they are the same. */
static void take_over(Vigil__Events__V2__SearchRequest *request, const criteria_v2 *from)
{
#define TAKE(member) request->member = from->member
#define TAKE_LIST(member)                                                                          \
    request->n_##member = from->n_##member;                                                        \
    request->member = from->member
#define TAKE_NUMBER(member)                                                                        \
    request->has_##member = from->has_##member;                                                    \
    request->member = from->member
    TAKE_LIST(type);
    TAKE_LIST(customer);
    TAKE_NUMBER(production_customers);
    TAKE_LIST(event_identifier);
    TAKE(start_timestamp);
    TAKE(end_timestamp);
    TAKE_LIST(time_field_strategy);
    TAKE_NUMBER(time_match_strategy);
    TAKE_LIST(severity);
    TAKE_LIST(associated_case);
    TAKE_LIST(domain);
    TAKE_LIST(include_flag);
    TAKE_LIST(exclude_flag);
    TAKE_NUMBER(include_unpublished);
    TAKE_LIST(attack);
    TAKE_LIST(endpoint);
    TAKE_LIST(property);
}

Vigil__Events__V2__SearchRequest *truth_v2_make(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    struct making m = { .random = random, .events = events, .arena = arena };
    m.near = any_event(&m);
    Vigil__Events__V2__SearchRequest *request = vg_arena_alloc(arena, sizeof(*request));
    vigil__events__v2__search_request__init(request);
    bool has_inner = once(&m, 3);
    criteria_v2 members = VIGIL__EVENTS__V2__SUB_CRITERIA__INIT;
    make_members(&m, &members, has_inner ? below(&m, 2) : 1 + below(&m, 2));
    take_over(request, &members);
    if (has_inner) {
        make_sub_criteria(&m, request);
    }
    if (once(&m, 10)) {
        make_days(&m, request);
    }
    make_page(&m, request);
    return request;
}
