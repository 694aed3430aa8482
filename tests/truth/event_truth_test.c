/*
 * The truth about searches: random requests of both API versions, put to the handlers, against an
 * evaluator written from the reference (events-api.md 4, conventions.md 6 and 7) that looks at one
 * event after another and shares no code with the engine.
 *
 * VIGIL_TEST_SEED=N repeats a run, VIGIL_TRUTH_CASES=N says how long it is for each version.
 */
#include <stdio.h>
#include <string.h>

#include "proto/contract_json.h"
#include "tests/truth/truth_run.h"
#include "tests/truth/truth_v1.h"
#include "tests/truth/truth_v2.h"

/* ------------------------------------------------------------------------------------------ v1 */

static const Vigil__Events__V1__SearchCriteria *as_v1(const ProtobufCMessage *request)
{
    return (const Vigil__Events__V1__SearchCriteria *)request;
}

static ProtobufCMessage *make_v1(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    return &truth_v1_make(random, events, arena)->base;
}

static bool is_refused_v1(const ProtobufCMessage *request)
{
    return truth_v1_is_refused(as_v1(request));
}

static bool is_seen_v1(const struct truth_event *event, const struct truth_caller *caller)
{
    return event->type == TRUTH_AGGREGATED && truth_caller_sees(caller, event->customer);
}

static bool matches_v1(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    return truth_v1_matches(as_v1(request), event, caller, now, false);
}

static int compare_v1(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    return truth_v1_compare(as_v1(request), a, b);
}

static struct truth_page page_v1(const ProtobufCMessage *request)
{
    const Vigil__Events__V1__SearchCriteria *asked = as_v1(request);
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

static void search_v1(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    truth_world_search_v1(world, as_v1(request), caller, now, answer);
}

static const struct truth_version version_1 = {
    .name = "v1 aggregated/search",
    .table = &vg_table_vigil_events_v1_search_criteria,
    .make = make_v1,
    .is_refused = is_refused_v1,
    .is_seen = is_seen_v1,
    .matches = matches_v1,
    .compare = compare_v1,
    .page = page_v1,
    .search = search_v1,
};

/* ---------------------------------------------------------------------------------------- nids */

/* The request that is evaluated, as criteria of aggregated events. */
static struct {
    struct vg_arena arena;
    Vigil__Events__V1__SearchCriteria *criteria;
    bool names_sensor;
} nids;

static const Vigil__Events__V1__NidsSearchCriteria *as_nids(const ProtobufCMessage *request)
{
    return (const Vigil__Events__V1__NidsSearchCriteria *)request;
}

static ProtobufCMessage *make_nids(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    return &truth_v1_make_nids(random, events, arena)->base;
}

static void prepare_nids(const ProtobufCMessage *request)
{
    vg_arena_reset(&nids.arena);
    nids.criteria = truth_v1_from_nids(as_nids(request), &nids.arena);
    nids.names_sensor = as_nids(request)->n_sensor_id != 0;
}

static bool is_refused_nids(const ProtobufCMessage *request)
{
    const Vigil__Events__V1__NidsSearchCriteria *asked = as_nids(request);
    for (size_t i = 1; i < asked->n_sort_by; i++) {
        if ((unsigned)asked->sort_by[i] >> 1 == (unsigned)asked->sort_by[i - 1] >> 1) {
            return true;
        }
    }
    return truth_v1_is_refused(nids.criteria);
}

static bool is_seen_nids(const struct truth_event *event, const struct truth_caller *caller)
{
    return event->type == TRUTH_RAW && truth_caller_sees(caller, event->customer);
}

static bool matches_nids(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    (void)request;
    return !nids.names_sensor && truth_v1_matches(nids.criteria, event, caller, now, true);
}

static int compare_nids(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    return truth_v1_compare_nids(as_nids(request), a, b);
}

static struct truth_page page_nids(const ProtobufCMessage *request)
{
    const Vigil__Events__V1__NidsSearchCriteria *asked = as_nids(request);
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

static void search_nids(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    truth_world_search_nids(world, as_nids(request), caller, now, answer);
}

static const struct truth_version version_1_nids = {
    .name = "v1 nids/search",
    .table = &vg_table_vigil_events_v1_nids_search_criteria,
    .make = make_nids,
    .prepare = prepare_nids,
    .is_refused = is_refused_nids,
    .is_seen = is_seen_nids,
    .matches = matches_nids,
    .compare = compare_nids,
    .page = page_nids,
    .search = search_nids,
};

/* ------------------------------------------------------------------------------------------ v2 */

static const Vigil__Events__V2__SearchRequest *as_v2(const ProtobufCMessage *request)
{
    return (const Vigil__Events__V2__SearchRequest *)request;
}

static ProtobufCMessage *make_v2(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    return &truth_v2_make(random, events, arena)->base;
}

static bool is_refused_v2(const ProtobufCMessage *request)
{
    return truth_v2_is_refused(as_v2(request));
}

static bool is_seen_v2(const struct truth_event *event, const struct truth_caller *caller)
{
    return truth_caller_sees(caller, event->customer);
}

static bool matches_v2(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    return truth_v2_matches(as_v2(request), event, caller, now);
}

static int compare_v2(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    return truth_v2_compare(as_v2(request), a, b);
}

static struct truth_page page_v2(const ProtobufCMessage *request)
{
    const Vigil__Events__V2__SearchRequest *asked = as_v2(request);
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

static void search_v2(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    truth_world_search_v2(world, as_v2(request), caller, now, answer);
}

static const struct truth_version version_2 = {
    .name = "v2 event/search",
    .table = &vg_table_vigil_events_v2_search_request,
    .make = make_v2,
    .is_refused = is_refused_v2,
    .is_seen = is_seen_v2,
    .matches = matches_v2,
    .compare = compare_v2,
    .page = page_v2,
    .search = search_v2,
};

int main(void)
{
    uint64_t seed = truth_run_seed();
    vg_arena_init(&nids.arena, 16u << 20);
    bool good = truth_run(&version_1, seed);
    good = truth_run(&version_1_nids, seed) && good;
    good = truth_run(&version_2, seed) && good;
    vg_arena_dispose(&nids.arena);
    return good ? 0 : 1;
}
