/*
 * Events as the truth tests know them: plain values, made by the tests, changed by the rules of
 * submission (events-api.md 3) in a few lines of their own. Nothing here uses core.
 *
 *   customers   1 demo, 2 other, 3 sub (of 1, not in production), 4 idle (no events)
 *   users       10 agent (1), 11 analyst (1)
 *   locations   21 oslo (of 1), 22 everywhere (global), 23 elsewhere (of 2)
 *   cases       31 (of 1, read by 11), 32 (of 2), 33 (of 1, merged into 31), 34 (of 3),
 *               35 (of 2, read by 11), 36 (of 1, merged into 33)
 *   signatures  see truth_signatures
 *
 * Threads: values.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_EVENT_H
#define VG_TESTS_TRUTH_TRUTH_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/truth/truth_random.h"

#define TRUTH_AGGREGATED 1
#define TRUTH_RAW        2

#define TRUTH_ID_SIZE        80
#define TRUTH_VALUES_MAX     3
#define TRUTH_PROPERTIES_MAX 12
#define TRUTH_CASES_MAX      6
#define TRUTH_FLAGS          67 /* numbers 1 to 66 */

/* Flags that the server itself has to do with. */
#define TRUTH_FLAG_FINALIZED          4
#define TRUTH_FLAG_NOTIFIED           17
#define TRUTH_FLAG_PARTIALLY_NOTIFIED 18
#define TRUTH_FLAG_SEVERITY_ADJUSTED  24
#define TRUTH_FLAG_COMMENTED          25
#define TRUTH_FLAG_HANDLED_BY_ANALYST 57
#define TRUTH_FLAG_REASSESSED         61

struct truth_signature {
    const char *name;
    int64_t alarm; /* 0 = not mapped */
    const char *alarm_name;
    int64_t category;
    const char *category_name;
};

struct truth_case {
    int64_t id;
    int64_t customer;
    int64_t reader; /* 0 = nobody by name */
    int64_t merged; /* into this one; 0 = into none */
};

struct truth_customer {
    int64_t id;
    const char *name;
    int64_t parent;
    bool production;
};

struct truth_texts {
    const char *const *items;
    size_t count;
};

/* What events and criteria are made of. */
extern const struct truth_signature truth_signatures[];
extern const size_t truth_signature_count;
extern const struct truth_case truth_cases[];
extern const size_t truth_case_count;
extern const struct truth_customer truth_customers[];
extern const size_t truth_customer_count;
extern const struct truth_texts truth_networks;
extern const struct truth_texts truth_countries;
extern const struct truth_texts truth_domains;
extern const struct truth_texts truth_keys;
extern const struct truth_texts truth_values;
extern const int truth_ports[];
extern const size_t truth_port_count;
extern const uint8_t truth_flags[];
extern const size_t truth_flag_count;

const char *truth_pick(struct truth_random *random, const struct truth_texts *texts);

struct truth_property {
    char key[32];
    const char *values[TRUTH_VALUES_MAX];
    size_t value_count;
    char number[24]; /* a value of the server's own making */
};

struct truth_side {
    const char *network; /* as submitted; NULL = none */
    int port;            /* -1 = none */
    const char *country; /* as submitted; NULL = none */
};

/* What a client submits; what is absent is 0, NULL or -1. */
struct truth_submission {
    char id[TRUTH_ID_SIZE];
    int type;
    int64_t timestamp;
    int64_t customer;
    char uuid[37];
    int64_t start;
    int64_t end;
    const struct truth_signature *signature;
    int severity;
    int count;
    int64_t location;
    const char *protocol;
    struct truth_side side[2];
    const char *domain;
    uint8_t flags[4];
    size_t flag_count;
    struct truth_property properties[2];
    size_t property_count;
    int64_t cases[2];
    size_t case_count;
    bool finalized;

    /* An assessment of v1 in place of a submission (events-api.md 3.8): `id` is the event's,
     * `flags` are enabled, `severity` and `cases` are the new ones. */
    bool assesses;
    uint8_t disabled[2];
    size_t disabled_count;
    int64_t dissociated; /* from this case; 0 = from none */
    bool dissociates_all;
    bool comments;
    bool handles;

    /* How it is sent. */
    unsigned batch;
    int64_t now;
};

/* The event that is stored. */
struct truth_event {
    char id[TRUTH_ID_SIZE];
    int type;
    int64_t timestamp;
    int64_t customer;
    char uuid[37];
    int64_t first;
    int64_t last;
    int64_t updated;
    int64_t persisted;
    int64_t published;
    int64_t assessed; /* 0 = never */
    bool notified;    /* it has been associated with a case once */
    const struct truth_signature *signature;
    int severity;
    int count;
    int protocol; /* -1 = none */
    int64_t location;
    struct truth_side side[2];
    const char *domain;
    bool flags[TRUTH_FLAGS];
    struct truth_property properties[TRUTH_PROPERTIES_MAX];
    size_t property_count;
    int64_t cases[TRUTH_CASES_MAX];
    size_t case_count;

    unsigned batch; /* that changed it last, counted from 1 */
};

/* The events of one store, and the server's clock of changes (events-api.md 3.6). */
struct truth_events {
    struct truth_event *items;
    size_t count;
    size_t max;
    int64_t last_updated;
    unsigned shared; /* changes that have that value */
};

void truth_events_init(struct truth_events *events);
void truth_events_dispose(struct truth_events *events);

/* Number of a protocol's name. */
int truth_protocol_number(const char *protocol);

/* Apply a submission. `user` is the short name of who sends it. */
void truth_events_apply(
    struct truth_events *events,
    const struct truth_submission *submission,
    const char *user);

const struct truth_event *truth_events_find(const struct truth_events *events, const char *id);

/* The assessment of an event that is there. `user` is the id of who assesses. */
void truth_events_assess(
    struct truth_events *events,
    const struct truth_submission *assessment,
    int64_t user);

/* An assessment of one of `events` at `now`. */
void truth_assessment_make(
    struct truth_random *random,
    const struct truth_events *events,
    int64_t now,
    struct truth_submission *out_assessment);

/* The server was restarted: its next change is later than all before (table-engine.md 2). */
void truth_events_restart(struct truth_events *events);

/* Something to submit at `now`: mostly a change of one of `events`. */
void truth_submission_make(
    struct truth_random *random,
    const struct truth_events *events,
    int64_t now,
    struct truth_submission *out_submission);

#endif
