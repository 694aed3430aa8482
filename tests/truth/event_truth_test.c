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

int main(void)
{
    uint64_t seed = truth_run_seed();
    return truth_run(&version_1, seed) ? 0 : 1;
}
