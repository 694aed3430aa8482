/*
 * Criteria of v2 (events-api.md 4.3): made at random from the events there are, and evaluated one
 * event at a time on the request message itself.
 *
 * Threads: the caller's.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_V2_H
#define VG_TESTS_TRUTH_TRUTH_V2_H

#include "core/base/arena.h"
#include "tests/truth/truth_event.h"
#include "tests/truth/truth_match.h"

#include "vigil/events/v2/criteria.pb-c.h"

/* Must the request be refused, whatever is stored? */
bool truth_v2_is_refused(const Vigil__Events__V2__SearchRequest *request);

bool truth_v2_matches(
    const Vigil__Events__V2__SearchRequest *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now);

/* Order of two events by the request's sort keys and, in the end, by identity. */
int truth_v2_compare(
    const Vigil__Events__V2__SearchRequest *request,
    const struct truth_event *a,
    const struct truth_event *b);

/* A request about `events`, of which there is at least one. */
Vigil__Events__V2__SearchRequest *truth_v2_make(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena);

#endif
