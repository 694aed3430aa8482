/*
 * What the handlers of assessment share: the assessment as it is read from either version, the
 * cases it names, and the two ways it is done: to a list of events, all or none, and to what a
 * search finds, portion by portion.
 *
 * Threads: an executor's, with the call. Storing waits for the writer.
 */
#ifndef VG_RPC_HANDLERS_EVENTS_ASSESS_H
#define VG_RPC_HANDLERS_EVENTS_ASSESS_H

#include "core/events/event_assessment.h"
#include "core/events/event_search.h"
#include "rpc/service/call.h"

/* Events of one portion of a search: those that the writer takes at once. */
#define VG_EVENTS_ASSESS_PORTION 1000u

/* A case that is named, and where. */
struct vg_events_assess_case {
    int64_t id;
    const char *field;
    const char *message; /* for an event that cannot have it */
};

/* An assessment of one call. */
struct vg_events_assess {
    struct vg_call *call;
    const struct vg_directory_snapshot *directory;
    struct vg_event_rules rules;
    struct vg_event_assessment what;
    const char *prefix; /* of paths of its members: "update.", "assessment.", "" */
    struct vg_events_assess_case *cases;
    size_t case_count;
    bool recursive; /* sub-events too */
};

/* What has come by either version, as values. Lists are borrowed from the request. */
struct vg_events_assess_input {
    const char *prefix;
    const char *comment;
    struct vg_event_flags enable;
    struct vg_event_flags disable;
    const char *disable_name; /* members, for paths */
    const char *associate_name;
    const char *dissociate_name;
    bool has_single; /* v1: one more case to associate with; 0 = dissociate from all */
    int64_t single;
    const int64_t *associate;
    size_t associate_count;
    const int64_t *dissociate;
    size_t dissociate_count;
    int32_t severity;
    bool acknowledge;
    bool handled_by_analyst;
    bool publish;
    const struct vg_event_property *properties; /* as struct vg_event_assessment has them */
    uint32_t property_count;
};

/*
 * Begin: read `input`, find out who assesses. Violations are added to the call's error, and are not
 * a failure of this function. To be ended in any case; an assess of zero bytes may be.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_events_assess_begin(
    struct vg_call *call,
    const struct vg_events_assess_input *input,
    struct vg_events_assess *out_assess);
void vg_events_assess_end(struct vg_events_assess *assess);

/* Note that what stands at `path`, below `prefix`, is wrong. */
void vg_events_assess_blame(
    struct vg_call *call,
    enum vg_reason reason,
    const char *prefix,
    const char *path,
    const char *message);

/*
 * Are all cases named known to the caller, and, with customer_id not 0, of that customer? The first
 * that is not becomes a violation.
 *
 * Fails with: INVALID_REFERENCE.
 */
VG_MUST_USE enum vg_reason vg_events_assess_check_cases(
    struct vg_events_assess *assess,
    int64_t customer_id);

/* The first case that an event of this id cannot have; NULL when there is none. Raw events have no
 * cases at all. */
const struct vg_events_assess_case *vg_events_assess_wrong_case(
    const struct vg_events_assess *assess,
    const struct vg_event_id *id);

/* Refuse the call for it. */
enum vg_reason vg_events_assess_refuse_case(
    struct vg_events_assess *assess,
    const struct vg_events_assess_case *named);

/* An event to be assessed. */
struct vg_events_assess_target {
    struct vg_event_id id;
    const uint64_t *revisions; /* it has to have one of these, if there are any */
    uint32_t revision_count;
    bool is_optional;
};

/*
 * Assess all of `targets`, or none, each of which is there once.
 *
 * Fails with: EVENT_NOT_FOUND, EVENT_TOO_LARGE, PRECONDITION_FAILED (error->parameter is the id);
 * REQUEST_TOO_LARGE (too many for one change); CANCELLED, DEADLINE_EXCEEDED (before anything is
 * stored); what the writer fails with.
 */
VG_MUST_USE enum vg_reason vg_events_assess_all(
    struct vg_events_assess *assess,
    const struct vg_events_assess_target *targets,
    size_t count);

/* What happens to the events of a search. */
struct vg_events_assess_search {
    const struct vg_event_criteria *criteria;
    enum vg_event_type type; /* UNSET = as the criteria say */
    const struct vg_event_sort *sort;
    size_t sort_count;
    int64_t limit; /* 0 = all */
    int64_t offset;
    bool one_customer;  /* a case of another customer than that of any event refuses all */
    uint64_t match_max; /* more are refused before anything is done; 0 = any number */
    /* Told of each event found, after its portion was stored. `reason` VG_OK, or why it was not
     * assessed, with words. May be NULL. */
    enum vg_reason (*told)(
        void *owner,
        const struct vg_event_id *id,
        enum vg_reason reason,
        const char *message);
    void *owner;
};

/*
 * Assess what the caller may assess of what a search finds, each event on its own. Which these are
 * is noted when the call begins, before anything is changed; then no snapshot is held. Between
 * portions the call may end; what was assessed until then stays.
 *
 * Fails with: what vg_event_criteria_compile, vg_event_search_run and the writer fail with;
 * INVALID_REFERENCE (a case); RESULTSET_TOO_LARGE (also past VG_LIMIT_ASSESSED_EVENTS); what `told`
 * returned.
 */
VG_MUST_USE enum vg_reason vg_events_assess_matching(
    struct vg_events_assess *assess,
    const struct vg_events_assess_search *search,
    uint64_t *out_found,
    uint64_t *out_assessed);

#endif
