/*
 * Criteria of v1 (events-api.md 4.1): made at random from the events there are, and evaluated one
 * event at a time on the request message itself.
 *
 * Threads: the caller's.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_V1_H
#define VG_TESTS_TRUTH_TRUTH_V1_H

#include "core/base/arena.h"
#include "tests/truth/truth_event.h"
#include "tests/truth/truth_match.h"

#include "vigil/events/v1/criteria.pb-c.h"
#include "vigil/events/v1/nids.pb-c.h"

/* Must the request be refused, whatever is stored? */
bool truth_v1_is_refused(const Vigil__Events__V1__SearchCriteria *request);

/* Does the event match? `raw`: it is a search for raw events (nids), else for aggregated ones. */
bool truth_v1_matches(
    const Vigil__Events__V1__SearchCriteria *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now,
    bool raw);

/* Order of two events by the request's sort keys and, in the end, by identity. */
int truth_v1_compare(
    const Vigil__Events__V1__SearchCriteria *request,
    const struct truth_event *a,
    const struct truth_event *b);

/* A request about those of `events` that are of class `type`; there is at least one event. */
Vigil__Events__V1__SearchCriteria *truth_v1_make(
    struct truth_random *random,
    const struct truth_events *events,
    int type,
    struct vg_arena *arena);

/*
 * Searches for raw events (nids) have the same members by number, without those only aggregated
 * events have; sensors are named by numbers no event of these tests has.
 */
Vigil__Events__V1__NidsSearchCriteria *truth_v1_make_nids(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena);

/* The criteria of such a request, for truth_v1_matches; without its sort keys. */
Vigil__Events__V1__SearchCriteria *truth_v1_from_nids(
    const Vigil__Events__V1__NidsSearchCriteria *request,
    struct vg_arena *arena);

int truth_v1_compare_nids(
    const Vigil__Events__V1__NidsSearchCriteria *request,
    const struct truth_event *a,
    const struct truth_event *b);

#endif
