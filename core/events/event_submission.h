/*
 * A submitted event on its way from the request to the writer:
 *
 *     read      the request's members are well-formed, alone and together   all violations are told
 *     resolve   customer, access, location, cases, sub-events               the first is told
 *     prepare   the record it makes if there is none yet: packed, with its row
 *     merge     (event_merge.h) into what exists, by the writer
 *
 * All but the merge happens on the threads of the caller; everything lives in the call's arena.
 *
 * Threads: a submission belongs to one thread at a time.
 */
#ifndef VG_CORE_EVENTS_EVENT_SUBMISSION_H
#define VG_CORE_EVENTS_EVENT_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/directory/directory.h"
#include "core/ingest/ingest.h"
#include "core/record/event_record.h"
#include "core/table/row.h"

/* ------------------------------------------------------------------------ what was asked for */

#define VG_EVENT_KEY_LENGTH_MAX   50u   /* characters kept of a property's key */
#define VG_EVENT_VALUE_LENGTH_MAX 1024u /* and of a value */

struct vg_event_input_geo {
    bool present;
    bool has_geo_location_id;
    bool has_latitude;
    bool has_longitude;
    const char *country_code; /* NULL = absent, as all texts here */
    int64_t geo_location_id;
    double latitude;
    double longitude;
};

struct vg_event_input_endpoint {
    const char *ip;
    const char *host;
    const char *user;
    int32_t port; /* VG_EVENT_NO_PORT = absent */
    struct vg_event_input_geo geo;
};

struct vg_event_input_property {
    const char *key; /* NULL is an empty one */
    char *const *values;
    size_t value_count;
};

/* One submitted event, as the request has it. Borrows from the request. */
struct vg_event_input {
    const char *id_text; /* instead of the parts below */
    enum vg_event_type id_type;
    const char *id_customer;
    const char *id_customer_domain;
    const char *id_uuid;
    bool has_timestamp;
    bool has_start;
    bool has_end;
    bool finalized;
    vg_time timestamp;
    vg_time start;
    vg_time end;
    int32_t severity; /* 0 = absent */
    int32_t count;    /* 0 = absent */
    const char *signature;
    const char *location;
    const char *protocol;
    const char *uri;
    const char *fqdn;
    const char *aggregation_key;
    struct vg_event_input_endpoint source;
    struct vg_event_input_endpoint destination;
    struct vg_event_flags flags;
    const struct vg_event_input_property *properties;
    size_t property_count;
    char *const *sub_events;
    size_t sub_event_count;
    bool has_case;
    int64_t case_id;
    const int64_t *case_ids;
    size_t case_count;
    const char *payload; /* NULL = no payload */
    int32_t payload_type;
};

/* ---------------------------------------------------------------------------- what comes of it */

/* What holds for all events of a server. */
struct vg_event_rules {
    uint8_t secret[16]; /* of the hash lists of the table */
    struct vg_event_limits limits;
    struct vg_bytes data_center; /* as lineage tells it */
    int32_t data_center_place;   /* among the words of its setting */
};

/* Everything a submission depends on besides its input. */
struct vg_event_submit_context {
    const struct vg_directory_snapshot *directory;
    const struct vg_principal *principal;
    struct vg_random *random;
    const struct vg_event_rules *rules;
    struct vg_arena *arena;
    vg_time arrived;          /* the request */
    vg_time accepted;         /* now */
    const char *arrived_text; /* both as decimal milliseconds */
    const char *accepted_text;
};

struct vg_event_submission {
    struct vg_ingest_item item;

    /* What was submitted. What is absent is as vg_event_record_init leaves it; counts and severity
     * 0. Resolved, its id is complete and alarm and category are those of the signature. */
    struct vg_event_record part;
    bool has_start;
    bool has_end;
    bool has_timestamp;
    bool has_uuid;

    /* The record it makes where there is none. */
    struct vg_event_head head;
    struct vg_event_times times; /* first and last event; the rest is the writer's */
    bool notified;               /* it is associated with a case */
    struct vg_row row;
    struct vg_bytes payload_key; /* size 0 = no payload */
    struct vg_bytes payload;     /* packed vigil.record.v1.EventPayload */

    const struct vg_event_rules *rules;
    int64_t user_id; /* who submits */

    /* Why it was refused by resolve or prepare; VG_OK otherwise. Texts in the arena. */
    enum vg_reason reason;
    const char *message;
    const char *field; /* path within the event: "location" */
    const char *parameter;
};

/* Place of the only event of a request. */
#define VG_EVENT_SUBMISSION_ALONE SIZE_MAX

/*
 * Check the form of `input` and take over its members. Every violation is added to `violations`,
 * its path behind "events[index]." unless the event is alone. Returns false when there was one, or
 * when the arena is full (the violation is then REQUEST_MEMORY).
 */
VG_MUST_USE bool vg_event_submission_read(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context,
    size_t index,
    struct vg_violations *violations);

/*
 * Resolve what the event refers to and complete its identity. The first problem in the order of the
 * interface is told: INVALID_REFERENCE, ACCESS_DENIED or REQUEST_MEMORY, also in submission->reason
 * with message and field.
 */
VG_MUST_USE enum vg_reason vg_event_submission_resolve(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context);

/*
 * Make the record, the row and the queue item (its domain is set by vg_event_ingest_attach).
 * Fails with: EVENT_TOO_LARGE, REQUEST_MEMORY; also in submission->reason.
 */
VG_MUST_USE enum vg_reason vg_event_submission_prepare(
    struct vg_event_submission *submission,
    const struct vg_event_submit_context *context);

#endif
