/*
 * A whole node (store, directory, table, writer, checkpoints) with a table of a few rows per chunk,
 * and the calls that handlers are given, without transport: submissions and searches go through the
 * handlers themselves. In the place of dispatch stand three functions that do the same at once.
 *
 * Threads: one test's; truth_world_submit and searches may run on two threads.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_WORLD_H
#define VG_TESTS_TRUTH_TRUTH_WORLD_H

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/settings.h"
#include "core/node/node.h"
#include "rpc/service/service.h"
#include "tests/truth/truth_event.h"
#include "tests/truth/truth_match.h"

#include "vigil/events/v1/by_case.pb-c.h"
#include "vigil/events/v1/criteria.pb-c.h"
#include "vigil/events/v1/nids.pb-c.h"
#include "vigil/events/v2/criteria.pb-c.h"
#include "vigil/events/v2/search.pb-c.h"
#include "vigil/events/v2/submit.pb-c.h"

/* Where the clock stands at first: a day of UTC has begun an hour ago. */
#define TRUTH_WORLD_NOW INT64_C(1570752000000 + 3600000)

struct truth_world {
    char folder[64];
    struct vg_settings settings;
    struct vg_clock_manual clock;
    struct vg_random_seeded random;
    struct vg_node node;
    struct vg_service service;
    uint64_t restarts;
};

/* Who asks: an agent of demo and sub, an analyst of demo who reads two cases by name, one who may
 * everything, and one who may nothing. Submissions are the administrator's. */
#define TRUTH_CALLERS      4
#define TRUTH_CALLER_ADMIN 2
extern const struct truth_caller truth_callers[TRUTH_CALLERS];

void truth_world_open(struct truth_world *world, uint32_t chunk_rows, uint64_t seed);
void truth_world_close(struct truth_world *world);

/* Stop and start again, from the checkpoint or, when `rebuild`, from the records. */
void truth_world_restart(struct truth_world *world, bool rebuild);

/* The message that is sent for a submission. */
Vigil__Events__V2__SubmitRequest *truth_world_message(
    struct vg_arena *arena,
    const struct truth_submission *from);

/* Submit as one bulk, at the time of the first; all must be accepted. */
void truth_world_submit(
    struct truth_world *world,
    const struct truth_submission *submissions,
    size_t count);

/* Assess one event, by v1; it must be done. */
void truth_world_assess(struct truth_world *world, const struct truth_submission *assessment);

struct truth_row {
    char id[TRUTH_ID_SIZE];
    int64_t count;
};

/* What a search has answered. */
struct truth_answer {
    enum vg_reason reason;
    char message[200];
    int64_t limit;
    int64_t offset;
    int64_t count;
    struct truth_row *rows;
    size_t row_count;
    size_t row_max;

    /* May be set: called when the rows are found and before the first is read. */
    void (*found)(void *owner);
    void *owner;
};

void truth_answer_dispose(struct truth_answer *answer);

/* Ask as caller number `caller`, at `now`: the request is packed, decoded and validated, as
 * dispatch would, and handed to its handler. */
void truth_world_search_v1(
    struct truth_world *world,
    const Vigil__Events__V1__SearchCriteria *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);
void truth_world_search_nids(
    struct truth_world *world,
    const Vigil__Events__V1__NidsSearchCriteria *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);
void truth_world_search_v2(
    struct truth_world *world,
    const Vigil__Events__V2__SearchRequest *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);
void truth_world_case_v1(
    struct truth_world *world,
    const Vigil__Events__V1__ListEventsByCaseRequest *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);
void truth_world_case_v2(
    struct truth_world *world,
    const Vigil__Events__V2__ListEventsByCaseRequest *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);

/* The simple lists: requests of ListAggregated, ListNids and v2's ListEvents. */
void truth_world_list_v1(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);
void truth_world_list_nids(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);
void truth_world_list_v2(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer);

#endif
