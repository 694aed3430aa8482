/*
 * Criteria of a search for events, as values of the domain, and what they ask of the table
 * (events-api.md 4). Both API versions translate theirs into these.
 *
 * Members are AND-ed, elements of one list are OR-ed, an empty list is no restriction.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_EVENTS_EVENT_CRITERIA_H
#define VG_CORE_EVENTS_EVENT_CRITERIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/directory/directory.h"
#include "core/query/value_list.h"
#include "core/record/event_flags.h"
#include "core/record/event_id.h"
#include "core/table/predicate.h"

/* Times that a range is compared with. */
enum vg_event_time_field {
    VG_EVENT_TIME_TIMESTAMP = 1,
    VG_EVENT_TIME_FIRST = 2,
    VG_EVENT_TIME_LAST = 3,
    VG_EVENT_TIME_PUBLISHED = 4,
    VG_EVENT_TIME_LAST_UPDATED = 5,
    VG_EVENT_TIME_FIRST_ASSESSED = 6, /* an event may not have it */
    VG_EVENT_TIME_ENGINE_PERSISTED = 7,
    VG_EVENT_TIME_FIELD_COUNT,
};
#define VG_EVENT_TIME_BIT(field) (UINT32_C(1) << (field))

/* An identity; in the parts, what is absent is not compared. */
struct vg_event_criteria_id {
    const char *text; /* instead of the parts */
    enum vg_event_type type;
    bool has_timestamp;
    bool has_customer;
    vg_time timestamp;
    int64_t customer_id;
    const char *uuid;
};

/* A property key and the values of which one must be there. */
struct vg_event_criteria_property {
    const char *key;
    struct vg_text_list values;
};

/* What triggered an event. */
struct vg_event_attack_criteria {
    struct vg_text_list signatures;
    struct vg_text_list alarms; /* ids or short names, as the next */
    struct vg_text_list categories;
    bool exclude;
    bool required;
};

/* Which endpoint is looked at. */
enum vg_event_side { VG_EVENT_SIDE_EITHER, VG_EVENT_SIDE_SOURCE, VG_EVENT_SIDE_DESTINATION };

/* One endpoint has to match all members together. */
struct vg_event_endpoint_criteria {
    enum vg_event_side side;
    struct vg_text_list networks;
    int min_bits; /* VG_NETWORK_BITS_ANY = none */
    struct vg_code_list ports;
    struct vg_text_list countries;
    uint32_t flags_all; /* bits by number of the endpoint flag */
    uint32_t flags_none;
    bool exclude;
    bool required;
};

/* A property, by key, values or both. */
struct vg_event_property_criteria {
    const char *key;            /* NULL = any */
    struct vg_text_list values; /* none: the key is there */
    bool all_values;            /* each of them, not one */
    bool tokenized;             /* by words */
    bool exclude;
    bool required;
};

struct vg_event_criteria;

/* One of the sub-criteria, and what it is called in the request. */
struct vg_event_sub_criteria {
    const struct vg_event_criteria *criteria;
    const char *name; /* "subCriteria" */
    size_t index;     /* SIZE_MAX = it is no list */
    bool exclude;
    bool required;
};

struct vg_event_criteria {
    bool has_start;
    bool has_end;
    bool has_last_updated;
    bool has_index_start;
    bool has_index_end;
    bool skip_future;
    bool has_production;
    bool production;
    bool has_min_count;
    bool unpublished_excluded;
    bool properties_tokenized;
    vg_time start;
    vg_time end;
    vg_time last_updated; /* at least */
    vg_time index_start;
    vg_time index_end;
    uint32_t time_fields;  /* VG_EVENT_TIME_BITs that the client picked */
    uint32_t time_default; /* if none: these; 0 = the interval from first to last overlaps */
    bool times_all;        /* all that the event has, not any */
    bool matches_nothing;  /* it asks for what no event has */
    uint32_t types;        /* bits by enum vg_event_type; 0 = any */
    struct vg_text_list customers; /* ids or short names */
    struct vg_number_list customer_ids;
    const struct vg_event_criteria_id *ids;
    size_t id_count;
    struct vg_text_list signatures;
    struct vg_number_list alarms;
    struct vg_number_list categories;
    struct vg_number_list locations;
    struct vg_code_list severities;
    int32_t min_severity; /* 0 = none */
    int32_t max_severity;
    struct vg_text_list networks[3]; /* either side, source, destination */
    struct vg_text_list ports[3];
    struct vg_text_list countries[3];
    int min_bits[2]; /* source, destination; VG_NETWORK_BITS_ANY = none */
    struct vg_text_list domains;
    const struct vg_event_criteria_property *properties;
    size_t property_count;
    struct vg_number_list cases; /* 0 = of no case */
    int32_t min_count;
    struct vg_event_flags flags_all;
    struct vg_event_flags flags_none;
    /* Elements of one list go by the rule of sub-criteria (conventions.md 7.1). */
    const struct vg_event_attack_criteria *attacks;
    size_t attack_count;
    const struct vg_event_endpoint_criteria *endpoints;
    size_t endpoint_count;
    const struct vg_event_property_criteria *property_parts;
    size_t property_part_count;
    const struct vg_event_sub_criteria *sub_criteria;
    size_t sub_criteria_count;
};

/* Criteria without any restriction. */
void vg_event_criteria_init(struct vg_event_criteria *criteria);

struct vg_event_criteria_context {
    const struct vg_directory_snapshot *directory;
    const struct vg_principal *principal;
    const uint8_t *secret; /* 16 bytes */
    vg_time now;
    uint64_t function;       /* the caller must hold it on the customer of an event */
    enum vg_event_type type; /* UNSET = both classes */
    /* The events of a case: only those of any of these; NULL = no case. */
    const struct vg_number_list *of_cases;
    bool every_customer; /* `function` is not needed: the caller may read the case asked for */
    struct vg_arena *arena;
};

/*
 * What the criteria ask, with what the caller may see first. Unknown customers, names and cases
 * that may not be read match nothing.
 *
 * Fails with: the first violation, all of them in error->violations: INVALID_FIELD_VALUE,
 * CONFLICTING_FIELDS, REQUIRED_FIELD; REQUEST_MEMORY when the arena is full.
 */
VG_MUST_USE enum vg_reason vg_event_criteria_compile(
    const struct vg_event_criteria *criteria,
    const struct vg_event_criteria_context *context,
    const struct vg_predicate **out_predicate,
    struct vg_error *error);

#endif
