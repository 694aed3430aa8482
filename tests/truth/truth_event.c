#include "tests/truth/truth_event.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ----------------------------------------------------------------------------------- the pools */

const struct truth_signature truth_signatures[] = {
    { "KNOWN", 41, "alarm", 42, "category" },
    { "SNORT-1:41336", 51, "Other-Alarm", 42, "category" },
    { "ET-9", 41, "alarm", 52, "Callback" },
    { "unmapped", 0, NULL, 0, NULL },
    { "known", 0, NULL, 0, NULL },
    { "\xc3\x9c 1", 0, NULL, 0, NULL },
};
const size_t truth_signature_count = COUNT(truth_signatures);

const struct truth_case truth_cases[] = {
    { 31, 1, 11, 0 }, { 32, 2, 0, 0 },  { 33, 1, 0, 31 },
    { 34, 3, 0, 0 },  { 35, 2, 11, 0 }, { 36, 1, 0, 33 },
};
const size_t truth_case_count = COUNT(truth_cases);

const struct truth_customer truth_customers[] = {
    { 1, "demo", 0, true },
    { 2, "other", 0, true },
    { 3, "sub", 1, false },
    { 4, "idle", 0, false },
};
const size_t truth_customer_count = COUNT(truth_customers);

static const char *const networks[] = {
    "10.0.0.0/8",         "10.1.0.0/16",
    "10.1.2.0/24",        "10.1.2.3",
    "10.1.2.4",           "10.1.2.128/25",
    "10.1.3.0/24",        "0.0.0.0/0",
    "192.168.1.32/28",    "192.168.1.33",
    "192.168.1.40/29",    "192.168.1.0/24",
    "192.168.0.0/20",     "192.168.0.0/19",
    "192.168.1.48/28",    "255.255.255.255",
    "2001:db8::/32",      "2001:d00::/24",
    "2001:db8::1",        "2001:db8:0:1::/64",
    "2001:db8:0:1::9/96", "::/0",
    "::ffff:10.1.2.3",    "::ffff:10.1.2.0/120",
    "10.1.2.77/24",       "2001:db8::1/128",
    "172.16.0.0/12",      "172.16.5.5/31",
};
const struct truth_texts truth_networks = { networks, COUNT(networks) };

static const char *const countries[] = { "NO", "se", "US", "dE" };
const struct truth_texts truth_countries = { countries, COUNT(countries) };

static const char *const domains[] = {
    "example.com", "mail.example.com", "Example.COM.", "a.test", "b.test.",
};
const struct truth_texts truth_domains = { domains, COUNT(domains) };

static const char *const keys[] = { "host.name", "url", "k", "K", "\xc3\xa9t\xc3\xa9" };
const struct truth_texts truth_keys = { keys, COUNT(keys) };

static const char *const values[] = {
    "alpha",
    "Alpha",
    "alpha beta",
    "beta-gamma/alpha",
    "GAMMA",
    "http://example.com/a?b=alpha",
    "x1 2y",
    "1",
    "\xc3\x84rger im B\xc3\xbcro",
    "b\xc3\xbcro",
    "a,b",
    "--",
};
const struct truth_texts truth_values = { values, COUNT(values) };

const int truth_ports[] = { 0, 22, 80, 443, 1000, 1500, 2000, 65535 };
const size_t truth_port_count = COUNT(truth_ports);

/* Those that a submission may carry, pairs among them; FINALIZED is rare and has its own place. */
const uint8_t truth_flags[] = { 1,  2,  3,  5,  6,  7,  8,  13, 14, 17, 18, 22,
                                23, 25, 31, 32, 45, 46, 55, 56, 64, 65, 66 };
const size_t truth_flag_count = COUNT(truth_flags);

static const char *const protocols[] = { "0", "ip", "tcp", "6", "UDP", "51", "99", "icmp" };

const char *truth_pick(struct truth_random *random, const struct truth_texts *texts)
{
    return texts->items[truth_random_below(random, (unsigned)texts->count)];
}

int truth_protocol_number(const char *protocol)
{
    static const struct {
        const char *name;
        int number;
    } names[] = { { "ip", 0 }, { "icmp", 1 }, { "tcp", 6 }, { "UDP", 17 } };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(protocol, names[i].name) == 0) {
            return names[i].number;
        }
    }
    return (int)strtol(protocol, NULL, 10);
}

/* ---------------------------------------------------------------------------- rules of storing */

void truth_events_init(struct truth_events *events)
{
    *events = (struct truth_events){ 0 };
}

void truth_events_dispose(struct truth_events *events)
{
    free(events->items);
    *events = (struct truth_events){ 0 };
}

/* The table of events-api.md 3.5. */
static void apply_flags(struct truth_event *event, const struct truth_submission *from, bool is_new)
{
    static const uint8_t pairs[][2] = { { 5, 7 },   { 6, 8 },   { 2, 13 },
                                        { 17, 18 }, { 22, 23 }, { 46, 45 } };
    bool given[TRUTH_FLAGS] = { false };
    for (size_t i = 0; i < from->flag_count; i++) {
        given[from->flags[i]] = true;
    }
    given[TRUTH_FLAG_FINALIZED] = from->finalized;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        unsigned base = pairs[i][0];
        unsigned part = pairs[i][1];
        if (given[base] && (is_new || event->flags[part] || event->flags[base])) {
            event->flags[base] = true;
            event->flags[part] = false;
        } else if ((given[base] || given[part]) && !event->flags[base]) {
            event->flags[part] = true;
        }
        given[base] = given[part] = false;
    }
    for (unsigned flag = 1; flag < TRUTH_FLAGS; flag++) {
        event->flags[flag] = event->flags[flag] || given[flag];
    }
}

static void apply_times(struct truth_event *event, const struct truth_submission *from, bool is_new)
{
    if (event->type == TRUTH_RAW) {
        event->first = event->last = event->timestamp; /* of a raw event they are no members */
        return;
    }
    if (is_new) {
        event->first = from->start != 0 ? from->start : from->timestamp;
        event->last = from->end != 0 ? from->end : from->timestamp;
        if (from->start == 0 && from->end != 0 && from->end < event->first) {
            event->first = from->end;
        }
        if (from->end == 0 && from->start != 0 && from->start > event->last) {
            event->last = from->start;
        }
        return;
    }
    event->first = from->start != 0 ? from->start : event->first;
    event->last = from->end != 0 ? from->end : event->last;
    if (event->first > event->last) {
        if (from->start == 0) {
            event->first = event->last;
        } else {
            event->last = event->first;
        }
    }
}

static void set_property(struct truth_event *event, const struct truth_property *property)
{
    for (size_t i = 0; i < event->property_count; i++) {
        if (strcmp(event->properties[i].key, property->key) == 0) {
            event->properties[i] = *property;
            return;
        }
    }
    assert(event->property_count < TRUTH_PROPERTIES_MAX);
    event->properties[event->property_count++] = *property;
}

static void set_default(struct truth_event *event, const char *key, const char *value)
{
    struct truth_property property = { .value_count = 1 };
    (void)snprintf(property.key, sizeof(property.key), "%s", key);
    (void)snprintf(property.number, sizeof(property.number), "%s", value);
    set_property(event, &property);
}

static void apply_cases(struct truth_event *event, const struct truth_submission *from)
{
    bool more = false;
    for (size_t i = 0; i < from->case_count; i++) {
        bool known = false;
        for (size_t k = 0; k < event->case_count; k++) {
            known = known || event->cases[k] == from->cases[i];
        }
        if (!known) {
            assert(event->case_count < TRUTH_CASES_MAX);
            event->cases[event->case_count++] = from->cases[i];
            more = true;
        }
    }
    if (more && !event->notified) {
        event->notified = true;
        event->flags[TRUTH_FLAG_NOTIFIED] = true;
        event->flags[TRUTH_FLAG_PARTIALLY_NOTIFIED] = false;
    }
}

static void apply_members(struct truth_event *event, const struct truth_submission *from)
{
    if (from->signature != NULL) {
        event->signature = from->signature;
    }
    event->severity = from->severity != 0 ? from->severity : event->severity;
    if (from->count != 0 && event->type == TRUTH_AGGREGATED) {
        event->count = from->count;
    }
    event->location = from->location != 0 ? from->location : event->location;
    event->protocol =
        from->protocol != NULL ? truth_protocol_number(from->protocol) : event->protocol;
    event->domain = from->domain != NULL ? from->domain : event->domain;
    for (size_t side = 0; side < 2; side++) {
        const struct truth_side *given = &from->side[side];
        struct truth_side *stored = &event->side[side];
        stored->network = given->network != NULL ? given->network : stored->network;
        stored->port = given->port >= 0 ? given->port : stored->port;
        stored->country = given->country != NULL ? given->country : stored->country;
    }
    for (size_t i = 0; i < from->property_count; i++) {
        set_property(event, &from->properties[i]);
    }
}

static struct truth_event *find(const struct truth_events *events, const char *id)
{
    for (size_t i = 0; i < events->count; i++) {
        if (strcmp(events->items[i].id, id) == 0) {
            return &events->items[i];
        }
    }
    return NULL;
}

static struct truth_event *create(
    struct truth_events *events,
    const struct truth_submission *from,
    const char *user)
{
    if (events->count == events->max) {
        events->max = events->max == 0 ? 64 : 2 * events->max;
        events->items = realloc(events->items, events->max * sizeof(*events->items));
        assert(events->items != NULL);
    }
    struct truth_event *event = &events->items[events->count++];
    *event = (struct truth_event){
        .type = from->type,
        .timestamp = from->timestamp,
        .customer = from->customer,
        .severity = 1,
        .count = 1,
        .protocol = -1,
        .side = { { .port = -1 }, { .port = -1 } },
    };
    memcpy(event->id, from->id, sizeof(event->id));
    memcpy(event->uuid, from->uuid, sizeof(event->uuid));
    char now[24];
    (void)snprintf(now, sizeof(now), "%" PRId64, from->now);
    set_default(event, "agent.id", user);
    set_default(event, "agent.timestamp", now);
    set_default(event, "engine.timestamp", now);
    return event;
}

#define SHARED_MAX 200u

void truth_events_restart(struct truth_events *events)
{
    events->shared = SHARED_MAX;
}

/* Values rise, and at most 200 changes share one; a batch changes an event once. */
static int64_t issue_time(struct truth_events *events, int64_t now)
{
    if (now > events->last_updated) {
        events->last_updated = now;
        events->shared = 0;
    } else if (events->shared == SHARED_MAX) {
        events->last_updated++;
        events->shared = 0;
    }
    events->shared++;
    return events->last_updated;
}

void truth_events_apply(
    struct truth_events *events,
    const struct truth_submission *submission,
    const char *user)
{
    struct truth_event *event = find(events, submission->id);
    bool is_new = event == NULL;
    if (!is_new && event->flags[TRUTH_FLAG_FINALIZED]) {
        return;
    }
    if (is_new) {
        event = create(events, submission, user);
    }
    if (is_new || event->batch != submission->batch) {
        event->updated = issue_time(events, submission->now);
        event->batch = submission->batch;
    }
    if (is_new) {
        event->persisted = event->published = submission->now;
    }
    apply_times(event, submission, is_new);
    apply_members(event, submission);
    apply_flags(event, submission, is_new);
    apply_cases(event, submission);
}

const struct truth_event *truth_events_find(const struct truth_events *events, const char *id)
{
    return find(events, id);
}

/* -------------------------------------------------------------------------- rules of assessing */

static void dissociate(struct truth_event *event, const struct truth_submission *from)
{
    size_t kept = 0;
    for (size_t i = 0; i < event->case_count; i++) {
        if (!from->dissociates_all && event->cases[i] != from->dissociated) {
            event->cases[kept++] = event->cases[i];
        }
    }
    event->case_count = kept;
}

void truth_events_assess(
    struct truth_events *events,
    const struct truth_submission *assessment,
    int64_t user)
{
    struct truth_event *event = find(events, assessment->id);
    assert(event != NULL);
    char text[24];
    event->updated = issue_time(events, assessment->now);
    event->batch = assessment->batch;
    for (size_t i = 0; i < assessment->flag_count; i++) {
        event->flags[assessment->flags[i]] = true;
    }
    for (size_t i = 0; i < assessment->disabled_count; i++) {
        event->flags[assessment->disabled[i]] = false;
    }
    if (assessment->severity != 0 && assessment->severity != event->severity) {
        event->severity = assessment->severity;
        event->flags[TRUTH_FLAG_SEVERITY_ADJUSTED] = true;
    }
    event->flags[TRUTH_FLAG_COMMENTED] |= assessment->comments;
    event->flags[TRUTH_FLAG_HANDLED_BY_ANALYST] |= assessment->handles;
    event->flags[TRUTH_FLAG_REASSESSED] |= event->assessed != 0;
    event->assessed = event->assessed != 0 ? event->assessed : assessment->now;
    dissociate(event, assessment);
    apply_cases(event, assessment);
    (void)snprintf(text, sizeof(text), "%" PRId64, user);
    set_default(event, "argus.assessed.by.userid", text);
    (void)snprintf(text, sizeof(text), "%" PRId64, assessment->now);
    set_default(event, "argus.assessed.timestamp", text);
}

/* -------------------------------------------------------------------------- what is submitted */

static void make_identity(
    struct truth_random *random,
    const struct truth_events *events,
    int64_t now,
    struct truth_submission *to)
{
    if (events->count != 0 && !truth_random_once(random, 3)) {
        const struct truth_event *event =
            &events->items[truth_random_below(random, (unsigned)events->count)];
        to->type = event->type;
        to->timestamp = event->timestamp;
        to->customer = event->customer;
        memcpy(to->uuid, event->uuid, sizeof(to->uuid));
    } else {
        static const int64_t owners[] = { 1, 1, 1, 2, 2, 3 };
        to->type = truth_random_once(random, 3) ? TRUTH_RAW : TRUTH_AGGREGATED;
        to->timestamp = now - 1000 * (int64_t)truth_random_below(random, 40);
        to->customer = owners[truth_random_below(random, COUNT(owners))];
        uint64_t high = truth_random_next(random);
        uint64_t low = truth_random_next(random);
        (void)snprintf(
            to->uuid,
            sizeof(to->uuid),
            "%08" PRIx32 "-%04x-4%03x-a%03x-%012" PRIx64,
            (uint32_t)high,
            (unsigned)(high >> 48) & 0xffffu,
            (unsigned)(high >> 36) & 0xfffu,
            (unsigned)(low >> 50) & 0xfffu,
            low & UINT64_C(0xffffffffffff));
    }
    (void)snprintf(
        to->id,
        sizeof(to->id),
        "%s/%" PRId64 "/%" PRId64 "/%s",
        to->type == TRUTH_RAW ? "RAW" : "AGGR",
        to->timestamp,
        to->customer,
        to->uuid);
}

static void make_side(struct truth_random *random, struct truth_side *side)
{
    if (!truth_random_once(random, 3)) {
        side->network = truth_pick(random, &truth_networks);
    }
    if (truth_random_once(random, 2)) {
        side->port = truth_ports[truth_random_below(random, (unsigned)truth_port_count)];
    }
    if (truth_random_once(random, 3)) {
        side->country = truth_pick(random, &truth_countries);
    }
}

static void make_properties(struct truth_random *random, struct truth_submission *to)
{
    to->property_count = truth_random_below(random, 3);
    for (size_t i = 0; i < to->property_count; i++) {
        struct truth_property *property = &to->properties[i];
        /* Two keys of one submission differ: what the later one does is another test's. */
        const char *key = truth_pick(random, &truth_keys);
        if (i == 1 && strcmp(key, to->properties[0].key) == 0) {
            to->property_count = 1;
            return;
        }
        (void)snprintf(property->key, sizeof(property->key), "%s", key);
        property->value_count = 1 + truth_random_below(random, TRUTH_VALUES_MAX);
        for (size_t v = 0; v < property->value_count; v++) {
            property->values[v] = truth_pick(random, &truth_values);
        }
    }
}

static void make_cases(struct truth_random *random, struct truth_submission *to)
{
    if (to->type == TRUTH_RAW || !truth_random_once(random, 4)) {
        return;
    }
    const struct truth_case *one =
        &truth_cases[truth_random_below(random, (unsigned)truth_case_count)];
    if (one->customer == to->customer) {
        to->cases[to->case_count++] = one->id;
    }
}

static void make_location(struct truth_random *random, struct truth_submission *to)
{
    if (truth_random_once(random, 3)) {
        to->location = 22;
    } else if (to->customer != 3 && truth_random_once(random, 3)) {
        to->location = to->customer == 1 ? 21 : 23;
    }
}

static void make_times(struct truth_random *random, struct truth_submission *to)
{
    if (truth_random_once(random, 3)) {
        to->start = to->timestamp - 1000 * (int64_t)truth_random_below(random, 10);
    }
    if (truth_random_once(random, 3)) {
        int64_t least = to->start != 0 ? to->start : to->timestamp - 5000;
        to->end = least + 1000 * (int64_t)truth_random_below(random, 10);
    }
}

void truth_submission_make(
    struct truth_random *random,
    const struct truth_events *events,
    int64_t now,
    struct truth_submission *out_submission)
{
    struct truth_submission *to = out_submission;
    *to = (struct truth_submission){ .side = { { .port = -1 }, { .port = -1 } }, .now = now };
    make_identity(random, events, now, to);
    make_times(random, to);
    make_location(random, to);
    if (!truth_random_once(random, 3)) {
        to->signature =
            &truth_signatures[truth_random_below(random, (unsigned)truth_signature_count)];
    }
    to->severity = (int)truth_random_below(random, 5);
    to->count = (int)truth_random_below(random, 6);
    if (truth_random_once(random, 2)) {
        to->protocol = protocols[truth_random_below(random, COUNT(protocols))];
    }
    if (truth_random_once(random, 2)) {
        to->domain = truth_pick(random, &truth_domains);
    }
    make_side(random, &to->side[0]);
    make_side(random, &to->side[1]);
    to->flag_count = truth_random_below(random, 4);
    for (size_t i = 0; i < to->flag_count; i++) {
        to->flags[i] = truth_flags[truth_random_below(random, (unsigned)truth_flag_count)];
    }
    make_properties(random, to);
    make_cases(random, to);
    to->finalized = truth_random_once(random, 30);
}

/* Flags that nothing else sets, so that it is the assessment that is tested; pairs are left to
 * submissions. */
static void make_assessed_flags(struct truth_random *random, struct truth_submission *to)
{
    static const uint8_t flags[] = { 1, 3, 4, 9, 14, 15, 19, 20, 34, 62, 64, 65 };
    to->flag_count = truth_random_below(random, 3);
    for (size_t i = 0; i < to->flag_count; i++) {
        to->flags[i] = flags[truth_random_below(random, COUNT(flags))];
    }
    if (to->flag_count == 0 && truth_random_once(random, 2)) {
        to->disabled[to->disabled_count++] = flags[truth_random_below(random, COUNT(flags))];
    }
}

void truth_assessment_make(
    struct truth_random *random,
    const struct truth_events *events,
    int64_t now,
    struct truth_submission *out_assessment)
{
    struct truth_submission *to = out_assessment;
    const struct truth_event *event =
        &events->items[truth_random_below(random, (unsigned)events->count)];
    *to = (struct truth_submission){ .assesses = true, .type = event->type, .now = now };
    memcpy(to->id, event->id, sizeof(to->id));
    to->customer = event->customer;
    make_assessed_flags(random, to);
    to->severity = truth_random_once(random, 2) ? (int)truth_random_below(random, 5) : 0;
    to->comments = truth_random_once(random, 3);
    to->handles = truth_random_once(random, 4);
    if (event->type == TRUTH_RAW) {
        return;
    }
    if (truth_random_once(random, 4)) {
        to->dissociates_all = true;
    } else if (event->case_count != 0 && truth_random_once(random, 2)) {
        to->dissociated = event->cases[0];
    } else {
        make_cases(random, to);
    }
}
