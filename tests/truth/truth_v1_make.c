/* Random requests of v1. */
#include <stdio.h>

#include "tests/truth/truth_make.h"
#include "tests/truth/truth_v1.h"

typedef Vigil__Events__V1__SubCriteria criteria_v1;

struct making {
    struct truth_random *random;
    const struct truth_events *events;
    const struct truth_event *near; /* the event the members are taken from */
    struct vg_arena *arena;
    int type; /* of the events that can be found */
};

static unsigned below(struct making *m, unsigned bound)
{
    return truth_random_below(m->random, bound);
}

static bool once(struct making *m, unsigned of)
{
    return truth_random_once(m->random, of);
}

/* Mostly one that can be found. */
static const struct truth_event *any_event(struct making *m)
{
    const struct truth_event *event = NULL;
    for (unsigned i = 0; i < 8 && (event == NULL || event->type != m->type); i++) {
        event = &m->events->items[below(m, (unsigned)m->events->count)];
    }
    return event;
}

static char *text(struct making *m, const char *from)
{
    return truth_make_text(m->arena, from);
}

static char *time_near(struct making *m, int64_t at)
{
    return truth_make_time(m->arena, m->random, at);
}

/* ------------------------------------------------------------------------------------- members */

static void make_times(struct making *m, criteria_v1 *c)
{
    if (!once(m, 3)) {
        c->start_timestamp = time_near(m, m->near->first);
    }
    if (!once(m, 3)) {
        c->end_timestamp = time_near(m, m->near->last);
    }
    if (once(m, 2)) {
        for (unsigned i = 0; i <= below(m, 5); i++) {
            TRUTH_ADD(
                m->arena,
                c,
                time_field_strategy,
                (Vigil__Events__V1__TimeField)(1 + below(m, 5)));
        }
        if (once(m, 3)) {
            c->start_timestamp = time_near(m, m->near->published);
        }
    }
}

static void make_updated(struct making *m, criteria_v1 *c)
{
    c->last_updated_timestamp = time_near(m, m->near->updated);
    if (!once(m, 20)) {
        c->n_time_field_strategy = 0; /* together they are refused */
    }
}

static void make_days(struct making *m, criteria_v1 *c)
{
    if (!once(m, 3)) {
        c->index_start_time = time_near(m, m->near->persisted);
    }
    if (!once(m, 3)) {
        c->index_end_time = time_near(m, m->near->persisted);
    }
}

static void make_now(struct making *m, criteria_v1 *c)
{
    if (once(m, 2)) {
        TRUTH_SET(c, skip_future_events, !once(m, 4));
    } else {
        TRUTH_SET(c, include_unpublished, once(m, 4));
    }
}

static void make_customer(struct making *m, criteria_v1 *c)
{
    static const char *const odd[] = { "123", "nobody", "idle", "4" };
    for (unsigned i = 0; i <= below(m, 5); i++) {
        const struct truth_customer *customer =
            &truth_customers[below(m, (unsigned)truth_customer_count)];
        int64_t id = once(m, 2) ? m->near->customer : customer->id;
        switch (below(m, 5)) {
        case 0:
            TRUTH_ADD(m->arena, c, customer, truth_make_number(m->arena, id));
            break;
        case 1:
            TRUTH_ADD(m->arena, c, customer, truth_make_loud(text(m, customer->name)));
            break;
        case 2:
            TRUTH_ADD(m->arena, c, customer, text(m, truth_customers[id - 1].name));
            break;
        case 3:
            TRUTH_ADD(m->arena, c, customer, text(m, odd[below(m, 4)]));
            break;
        default:
            TRUTH_ADD(m->arena, c, customer_id, id);
            break;
        }
    }
}

static void make_production(struct making *m, criteria_v1 *c)
{
    TRUTH_SET(c, production_customers, once(m, 2));
}

static void make_id_parts(struct making *m, Vigil__Events__V1__EventIdentifier *id)
{
    const struct truth_event *event = once(m, 4) ? any_event(m) : m->near;
    Vigil__Events__V1__EventIdentifierParts *parts = vg_arena_alloc(m->arena, sizeof(*parts));
    vigil__events__v1__event_identifier_parts__init(parts);
    if (once(m, 2)) {
        TRUTH_SET(parts, type, (Vigil__Events__V1__EventType)event->type);
    }
    if (once(m, 2)) {
        parts->timestamp = truth_make_number(m->arena, event->timestamp);
    }
    if (once(m, 2)) {
        TRUTH_SET(parts, customer_id, event->customer);
    }
    if (once(m, 3)) {
        parts->event_id = text(m, once(m, 10) ? "no-uuid" : event->uuid);
        parts->event_id = once(m, 2) ? truth_make_loud(parts->event_id) : parts->event_id;
    }
    id->parts = parts;
}

static void make_ids(struct making *m, criteria_v1 *c)
{
    for (unsigned i = 0; i <= below(m, 5); i++) {
        const struct truth_event *event = once(m, 2) ? any_event(m) : m->near;
        Vigil__Events__V1__EventIdentifier *id = vg_arena_alloc(m->arena, sizeof(*id));
        vigil__events__v1__event_identifier__init(id);
        if (once(m, 2)) {
            make_id_parts(m, id);
        } else {
            static const char *const prefixes[] = { "AGGR", "AGGRATTACK", "RAW", "NIDS" };
            const char *prefix = once(m, 6)                 ? prefixes[below(m, 4)]
                                 : event->type == TRUTH_RAW ? "NIDS"
                                                            : "AGGR";
            char *rest = text(m, strchr(event->id, '/'));
            id->text = vg_arena_printf(
                m->arena,
                "%s%s",
                prefix,
                once(m, 2) ? truth_make_loud(rest) : rest);
        }
        TRUTH_ADD(m->arena, c, event_identifier, id);
    }
}

static const struct truth_signature *signature_near(struct making *m)
{
    bool own = m->near->signature != NULL && !once(m, 3);
    return own ? m->near->signature : &truth_signatures[below(m, (unsigned)truth_signature_count)];
}

static void make_attack(struct making *m, criteria_v1 *c)
{
    unsigned kind = below(m, 4);
    for (unsigned i = 0; i <= below(m, 5); i++) {
        const struct truth_signature *signature = signature_near(m);
        if (kind == 0) {
            TRUTH_ADD(m->arena, c, alarm_id, once(m, 8) ? 999 : signature->alarm);
        } else if (kind == 1) {
            TRUTH_ADD(m->arena, c, attack_category_id, signature->category);
        } else {
            TRUTH_ADD(m->arena, c, signature, text(m, once(m, 9) ? "none" : signature->name));
        }
    }
}

static void make_location(struct making *m, criteria_v1 *c)
{
    for (unsigned i = 0; i <= below(m, 5); i++) {
        TRUTH_ADD(m->arena, c, location_id, once(m, 2) ? m->near->location : 20 + below(m, 4));
    }
}

static void make_severity(struct making *m, criteria_v1 *c)
{
    if (once(m, 2)) {
        for (unsigned i = 0; i <= below(m, 5); i++) {
            unsigned severity = once(m, 2) ? (unsigned)m->near->severity : 1 + below(m, 4);
            TRUTH_ADD(m->arena, c, severity, (Vigil__Events__V1__Severity)severity);
        }
    }
    if (c->n_severity != 0 && !once(m, 30)) {
        return; /* together they are refused */
    }
    if (once(m, 2)) {
        TRUTH_SET(c, min_severity, (Vigil__Events__V1__Severity)(1 + below(m, 4)));
    }
    if (once(m, 2)) {
        TRUTH_SET(c, max_severity, (Vigil__Events__V1__Severity)(1 + below(m, 4)));
    }
}

static void make_networks(struct making *m, criteria_v1 *c)
{
    unsigned kind = below(m, 3);
    for (unsigned i = 0; i <= below(m, 5); i++) {
        size_t side = kind == 0 ? below(m, 2) : kind - 1;
        char *network =
            truth_make_near(m->arena, m->random, m->near->side[side].network, &truth_networks);
        network = once(m, 300) ? text(m, "10.0.0.0/33") : network;
        if (kind == 0) {
            TRUTH_ADD(m->arena, c, ip, network);
        } else if (kind == 1) {
            TRUTH_ADD(m->arena, c, source_ip, network);
        } else {
            TRUTH_ADD(m->arena, c, destination_ip, network);
        }
    }
}

static void make_min_bits(struct making *m, criteria_v1 *c)
{
    static const int bits[] = { 0, 8, 16, 19, 20, 24, 25, 28, 32, 33, 64, 128 };
    if (once(m, 2)) {
        TRUTH_SET(c, source_ip_min_bits, bits[below(m, 12)]);
    }
    if (once(m, 2)) {
        TRUTH_SET(c, destination_ip_min_bits, bits[below(m, 12)]);
    }
    make_networks(m, c);
}

static char *ports_near(struct making *m, size_t side)
{
    static const char *const ranges[] = { "1000-2000", "0-79", "443-443", "2000-1000", "80-65535" };
    int own = m->near->side[side].port;
    if (once(m, 3)) {
        return text(m, ranges[below(m, 5)]);
    }
    if (once(m, 300)) {
        return text(m, "65536");
    }
    bool takes_own = own >= 0 && !once(m, 3);
    return truth_make_number(
        m->arena,
        takes_own ? own : truth_ports[below(m, (unsigned)truth_port_count)]);
}

static void make_ports(struct making *m, criteria_v1 *c)
{
    unsigned kind = below(m, 3);
    for (unsigned i = 0; i <= below(m, 5); i++) {
        if (kind == 0) {
            TRUTH_ADD(m->arena, c, port, ports_near(m, below(m, 2)));
        } else if (kind == 1) {
            TRUTH_ADD(m->arena, c, source_port, ports_near(m, 0));
        } else {
            TRUTH_ADD(m->arena, c, destination_port, ports_near(m, 1));
        }
    }
}

static void make_countries(struct making *m, criteria_v1 *c)
{
    unsigned kind = below(m, 3);
    for (unsigned i = 0; i <= below(m, 5); i++) {
        size_t side = kind == 0 ? below(m, 2) : kind - 1;
        char *code =
            truth_make_near(m->arena, m->random, m->near->side[side].country, &truth_countries);
        code = once(m, 2) ? truth_make_loud(code) : code;
        if (kind == 0) {
            TRUTH_ADD(m->arena, c, geo_country, code);
        } else if (kind == 1) {
            TRUTH_ADD(m->arena, c, source_geo_country, code);
        } else {
            TRUTH_ADD(m->arena, c, destination_geo_country, code);
        }
    }
}

static void make_domains(struct making *m, criteria_v1 *c)
{
    for (unsigned i = 0; i <= below(m, 5); i++) {
        char *domain = truth_make_near(m->arena, m->random, m->near->domain, &truth_domains);
        TRUTH_ADD(m->arena, c, domain, once(m, 3) ? truth_make_loud(domain) : domain);
    }
}

static const char *value_near(struct making *m, const struct truth_property *property)
{
    if (property == NULL || once(m, 3)) {
        return truth_pick(m->random, &truth_values);
    }
    const char *own = property->values[below(m, (unsigned)property->value_count)];
    return own != NULL ? own : property->number;
}

static void make_properties(struct making *m, criteria_v1 *c)
{
    static const char *const words[] = { "alpha", "ALPHA Beta", "example a", "1",  "\xc3\xa4rger",
                                         "gamma", "2y",         "-- ,",      "com" };
    for (unsigned i = 0; i <= below(m, 5); i++) {
        const struct truth_property *own =
            once(m, 3) ? NULL : &m->near->properties[below(m, (unsigned)m->near->property_count)];
        Vigil__Events__V1__TextEntry *entry = vg_arena_alloc(m->arena, sizeof(*entry));
        vigil__events__v1__text_entry__init(entry);
        entry->key = text(m, own != NULL ? own->key : truth_pick(m->random, &truth_keys));
        unsigned count = once(m, 12) ? 0 : 1 + below(m, 2);
        for (unsigned v = 0; v < count; v++) {
            const char *value = once(m, 4) ? words[below(m, 9)] : value_near(m, own);
            TRUTH_ADD(m->arena, entry, values, text(m, value));
        }
        TRUTH_ADD(m->arena, c, properties, entry);
    }
    if (once(m, 2)) {
        TRUTH_SET(c, exact_match_properties, once(m, 4));
    }
}

static void make_cases(struct making *m, criteria_v1 *c)
{
    for (unsigned i = 0; i <= below(m, 5); i++) {
        int64_t id = m->near->case_count != 0 && once(m, 2)
                         ? m->near->cases[below(m, (unsigned)m->near->case_count)]
                         : 30 + below(m, 7);
        TRUTH_ADD(m->arena, c, associated_case_id, once(m, 4) ? 0 : id);
    }
}

static void make_count(struct making *m, criteria_v1 *c)
{
    TRUTH_SET(c, min_count, (int32_t)below(m, 7) - 1);
}

static Vigil__Events__V1__EventFlag flag_near(struct making *m)
{
    uint8_t set[TRUTH_FLAGS];
    unsigned count = 0;
    for (unsigned flag = 1; flag < TRUTH_FLAGS; flag++) {
        if (m->near->flags[flag]) {
            set[count++] = (uint8_t)flag;
        }
    }
    unsigned flag = count != 0 && !once(m, 3) ? set[below(m, count)]
                    : once(m, 4)              ? 1 + below(m, TRUTH_FLAGS - 1)
                                              : truth_flags[below(m, (unsigned)truth_flag_count)];
    return (Vigil__Events__V1__EventFlag)flag;
}

static criteria_v1 *make_inner(struct making *m, unsigned depth);

static Vigil__Events__V1__FlagCriteria *make_flag_criteria(struct making *m)
{
    Vigil__Events__V1__FlagCriteria *both = vg_arena_alloc(m->arena, sizeof(*both));
    vigil__events__v1__flag_criteria__init(both);
    if (once(m, 2)) {
        TRUTH_ADD(m->arena, both, flag, flag_near(m));
    } else {
        both->criteria = make_inner(m, 2);
    }
    return both;
}

static void make_flags(struct making *m, criteria_v1 *c)
{
    switch (below(m, 4)) {
    case 0:
        c->include_flag = make_flag_criteria(m);
        break;
    case 1:
        c->exclude_flag = make_flag_criteria(m);
        break;
    case 2:
        TRUTH_ADD(m->arena, c, include_flags, flag_near(m));
        break;
    default:
        TRUTH_ADD(m->arena, c, exclude_flags, flag_near(m));
        break;
    }
}

/* What restricts nothing. */
static void make_idle(struct making *m, criteria_v1 *c)
{
    TRUTH_SET(c, include_deleted, once(m, 2));
    TRUTH_SET(c, exact_match_properties, true);
    if (once(m, 2)) {
        TRUTH_SET(
            c,
            multivalue_property_separator,
            VIGIL__EVENTS__V1__SEPARATOR__SEPARATOR_NEWLINE);
    }
}

/* --------------------------------------------------------------------------------- the whole */

static void make_members(struct making *m, criteria_v1 *c, unsigned count)
{
    static void (*const members[])(struct making *, criteria_v1 *) = {
        make_times,    make_times,    make_updated,    make_days,       make_now,
        make_customer, make_customer, make_ids,        make_attack,     make_attack,
        make_location, make_severity, make_networks,   make_networks,   make_min_bits,
        make_min_bits, make_ports,    make_ports,      make_countries,  make_domains,
        make_cases,    make_count,    make_flags,      make_properties, make_properties,
        make_flags,    make_idle,     make_production,
    };
    for (unsigned i = 0; i < count; i++) {
        members[below(m, sizeof(members) / sizeof(members[0]))](m, c);
    }
}

static void make_sub_criteria(struct making *m, criteria_v1 *c, unsigned depth)
{
    unsigned count = 1 + below(m, 3);
    for (unsigned i = 0; i < count; i++) {
        criteria_v1 *inner = make_inner(m, depth + 1);
        switch (below(m, 5)) {
        case 0:
            TRUTH_SET(inner, exclude, true);
            break;
        case 1:
            TRUTH_SET(inner, required, true);
            break;
        case 2:
            TRUTH_SET(inner, exclude, once(m, 4));
            TRUTH_SET(inner, required, once(m, 4));
            break;
        default:
            break;
        }
        TRUTH_ADD(m->arena, c, sub_criteria, inner);
    }
}

static criteria_v1 *make_inner(struct making *m, unsigned depth)
{
    criteria_v1 *c = vg_arena_alloc(m->arena, sizeof(*c));
    vigil__events__v1__sub_criteria__init(c);
    const struct truth_event *outer = m->near;
    m->near = once(m, 3) ? any_event(m) : m->near;
    /* Empty elements are part of the rule. */
    make_members(m, c, once(m, 8) ? 0 : 1 + below(m, 2));
    if (depth < 3 && once(m, 5)) {
        make_sub_criteria(m, c, depth);
    }
    m->near = outer;
    return c;
}

/* A chain of sub-criteria around the limit of nesting. */
static void make_deep(struct making *m, criteria_v1 *c)
{
    unsigned depth = 7 + below(m, 3);
    for (unsigned i = 0; i < depth; i++) {
        criteria_v1 *inner = make_inner(m, 9);
        TRUTH_ADD(m->arena, c, sub_criteria, inner);
        c = inner;
    }
}

static void make_page(struct making *m, Vigil__Events__V1__SearchCriteria *request)
{
    static const int32_t limits[] = { 0, 0, 1, 2, 3, 5, 10, 25, 1000, 100000 };
    if (!once(m, 3)) {
        TRUTH_SET(request, limit, limits[below(m, 10)]);
    }
    if (once(m, 3)) {
        TRUTH_SET(request, offset, (int32_t)below(m, once(m, 4) ? 200000 : 12));
    }
    unsigned keys = once(m, 3) ? 0 : 1 + below(m, 3);
    for (unsigned i = 0; i < keys; i++) {
        /* From 2 to 21; a key twice is refused, and meant to be rare. */
        unsigned key = 2 + below(m, 20);
        bool again = false;
        for (size_t k = 0; k < request->n_sort_by; k++) {
            again = again || (unsigned)request->sort_by[k] >> 1 == key >> 1;
        }
        if (!again || once(m, 40)) {
            TRUTH_ADD(m->arena, request, sort_by, (Vigil__Events__V1__SortBy)key);
        }
    }
}

Vigil__Events__V1__SearchCriteria *truth_v1_make(
    struct truth_random *random,
    const struct truth_events *events,
    int type,
    struct vg_arena *arena)
{
    struct making m = { .random = random, .events = events, .arena = arena, .type = type };
    m.near = any_event(&m);
    criteria_v1 common;
    vigil__events__v1__sub_criteria__init(&common);
    bool has_inner = once(&m, 3);
    make_members(&m, &common, has_inner ? below(&m, 2) : 1 + below(&m, 2));
    if (has_inner) {
        make_sub_criteria(&m, &common, 0);
    } else if (once(&m, 100)) {
        make_deep(&m, &common);
    }
    if (common.start_timestamp == NULL) {
        common.start_timestamp =
            once(&m, 5) ? time_near(&m, m.near->first) : truth_make_number(arena, 0);
    }
    if (once(&m, 20)) {
        TRUTH_SET(&common, exclude, true); /* ignored at the top */
    }
    /* Both messages have the same members in the same order. */
    Vigil__Events__V1__SearchCriteria *request = vg_arena_alloc(arena, sizeof(*request));
    Vigil__Events__V1__SearchCriteria empty;
    vigil__events__v1__search_criteria__init(&empty);
    memcpy(request, &common, sizeof(*request));
    request->base = empty.base;
    make_page(&m, request);
    return request;
}
