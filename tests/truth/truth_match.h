/*
 * What both API versions say about matching, in plain words (events-api.md 4, conventions.md 6, 7):
 * one event against one criterion. Nothing here uses core.
 *
 * Threads: pure.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_MATCH_H
#define VG_TESTS_TRUTH_TRUTH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/truth/truth_event.h"

/* What criteria say of an event; FREE: they say nothing, of any event. */
enum truth { TRUTH_FREE, TRUTH_NO, TRUTH_YES };

/* One more member of criteria, AND-ed. */
void truth_also(enum truth *all, bool matches);

/* The sub-criteria rule (conventions.md 7.1), element by element. */
struct truth_rule {
    size_t plain;
    size_t plain_hit;
    size_t required;
    size_t required_hit;
    size_t excluding;
    size_t excluding_hit;
};

void truth_rule_add(struct truth_rule *rule, enum truth element, bool exclude, bool required);
enum truth truth_rule_result(const struct truth_rule *rule);

/* Who asks, and when. */
struct truth_caller {
    const char *name;
    int64_t user;
    int64_t customers[4]; /* that he may look at */
    size_t customer_count;
    bool all_customers;
    bool reads_cases; /* holds viewEventsByCase on those customers */
};

/* The case with this id; NULL when there is none. */
const struct truth_case *truth_case_of(int64_t id);

bool truth_caller_sees(const struct truth_caller *caller, int64_t customer);
bool truth_caller_reads(const struct truth_caller *caller, int64_t case_id);

/* A time range; what is not given is open. */
struct truth_range {
    bool given;
    int64_t start;
    int64_t end;
};

/* The milliseconds a text of a request stands for (conventions.md 6) when it arrives at `now` from
 * a caller in UTC: decimal milliseconds, ISO-8601, or steps from now. */
int64_t truth_time(const char *text, int64_t now);

struct truth_range truth_range_make(const char *start, const char *end, int64_t now);
bool truth_in_range(const struct truth_range *range, int64_t time);

/* Do the days (UTC) of the range hold the day of `time`? */
bool truth_in_days(const struct truth_range *days, int64_t time);

/* Can a text of the criteria be read as an address or network? */
bool truth_is_network(const char *text);
/* events-api.md 4.2; min_bits -1 = none; stored NULL = no address. */
bool truth_network_matches(const char *criterion, int min_bits, const char *stored);

bool truth_is_ports(const char *text);
bool truth_ports_match(const char *criterion, int port);
bool truth_country_matches(const char *criterion, const char *stored);
bool truth_domain_matches(const char *criterion, const char *stored);

/* Is `text` (id or short name) this customer? */
bool truth_customer_matches(const char *text, int64_t customer);
bool truth_in_production(int64_t customer);

/* The text of an identity, any of the four prefixes, any case of the UUID. */
bool truth_id_matches(const char *text, const struct truth_event *event);
bool truth_same_uuid(const char *text, const char *uuid);

/* Does the event have the case? 0 = does it have none? Cases the caller may not read do not count
 * as asked for. */
bool truth_case_matches(
    const struct truth_caller *caller,
    int64_t asked,
    const struct truth_event *event);

/* Does some value of the key (NULL = of any key) match? */
bool truth_property_matches(
    const struct truth_event *event,
    const char *key,
    const char *value,
    bool tokenized);
bool truth_has_key(const struct truth_event *event, const char *key);

#endif
