/*
 * The simple lists of both versions (events-api.md 1.3). What one of their parameters asks is what
 * the member of the same name asks in the search of the same version; bounds of time, order and
 * what is not there are theirs.
 */
#include <string.h>

#include "core/base/assert.h"
#include "proto/contract_json.h"
#include "tests/truth/truth_make.h"
#include "tests/truth/truth_v1.h"
#include "tests/truth/truth_v2.h"
#include "tests/truth/truth_version.h"

#include "vigil/events/v1/service.pb-c.h"

typedef Vigil__Events__V1__ListAggregatedRequest list_v1;
typedef Vigil__Events__V1__ListNidsRequest list_nids;
typedef Vigil__Events__V2__ListEventsRequest list_v2;

/* Of the cases of a run, one in so many: their parameters are few. */
#define SHARE 4

/* The request that is evaluated, as criteria of a search. */
static Vigil__Events__V1__SearchCriteria search_v1;
static Vigil__Events__V2__SearchRequest search_v2;
static Vigil__Events__V2__AttackCriteria attack_v2;
static Vigil__Events__V2__AttackCriteria *attacks_v2[1];

/* Mostly one of class `type`; 0 = any. */
static const struct truth_event *any_event(
    struct truth_random *random,
    const struct truth_events *events,
    int type)
{
    const struct truth_event *event = NULL;
    for (unsigned i = 0; i < 8 && (event == NULL || (type != 0 && event->type != type)); i++) {
        event = &events->items[truth_random_below(random, (unsigned)events->count)];
    }
    return event;
}

static char *some_signature(
    struct truth_random *random,
    const struct truth_event *near,
    struct vg_arena *arena)
{
    const struct truth_signature *any =
        &truth_signatures[truth_random_below(random, (unsigned)truth_signature_count)];
    bool own = near->signature != NULL && !truth_random_once(random, 3);
    return truth_make_text(
        arena,
        truth_random_once(random, 12) ? "none" : (own ? near->signature : any)->name);
}

static int64_t some_customer(struct truth_random *random, const struct truth_event *near)
{
    return truth_random_once(random, 2)
               ? near->customer
               : truth_customers[truth_random_below(random, (unsigned)truth_customer_count)].id;
}

/* ------------------------------------------------------------------------------------------ v1 */

static char *some_network(
    struct truth_random *random,
    const struct truth_event *near,
    struct vg_arena *arena)
{
    const char *own = near->side[truth_random_below(random, 2)].network;
    return truth_random_once(random, 40) ? truth_make_text(arena, "10.0.0.0/33")
                                         : truth_make_near(arena, random, own, &truth_networks);
}

/* The members that both lists of v1 have, in the same order. */
#define MAKE_V1(request, random, near, arena)                                                      \
    do {                                                                                           \
        for (unsigned i = truth_random_below(random, 3); i > 0; i--) {                             \
            TRUTH_ADD(arena, request, customer_id, some_customer(random, near));                   \
        }                                                                                          \
        for (unsigned i = truth_random_below(random, 3); i > 0; i--) {                             \
            TRUTH_ADD(arena, request, signature, some_signature(random, near, arena));             \
        }                                                                                          \
        for (unsigned i = truth_random_once(random, 3) ? 1 + truth_random_below(random, 8) : 0;    \
             i > 0;                                                                                \
             i--) {                                                                                \
            TRUTH_ADD(arena, request, ip, some_network(random, near, arena));                      \
        }                                                                                          \
        if (!truth_random_once(random, 3)) {                                                       \
            (request)->start_timestamp = truth_make_time(arena, random, (near)->first);            \
        }                                                                                          \
        if (truth_random_once(random, 2)) {                                                        \
            (request)->end_timestamp = truth_make_time(arena, random, (near)->last);               \
        }                                                                                          \
        if (truth_random_once(random, 2)) {                                                        \
            TRUTH_SET(request, limit, (int32_t)truth_random_below(random, 6));                     \
            TRUTH_SET(request, offset, (int32_t)truth_random_below(random, 4));                    \
        }                                                                                          \
    } while (0)

/* The same as criteria: the last 24 hours unless the request says otherwise. */
#define PREPARE_V1(request)                                                                        \
    do {                                                                                           \
        static char day[] = "-24hours";                                                            \
        static char now[] = "now";                                                                 \
        vigil__events__v1__search_criteria__init(&search_v1);                                      \
        search_v1.n_customer_id = (request)->n_customer_id;                                        \
        search_v1.customer_id = (request)->customer_id;                                            \
        search_v1.n_signature = (request)->n_signature;                                            \
        search_v1.signature = (request)->signature;                                                \
        search_v1.n_ip = (request)->n_ip;                                                          \
        search_v1.ip = (request)->ip;                                                              \
        search_v1.start_timestamp =                                                                \
            (request)->start_timestamp != NULL ? (request)->start_timestamp : day;                 \
        search_v1.end_timestamp =                                                                  \
            (request)->end_timestamp != NULL ? (request)->end_timestamp : now;                     \
    } while (0)

static ProtobufCMessage *make_v1(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    const struct truth_event *near = any_event(random, events, TRUTH_AGGREGATED);
    list_v1 *request = vg_arena_alloc(arena, sizeof(*request));
    VG_ASSERT(request != NULL);
    vigil__events__v1__list_aggregated_request__init(request);
    MAKE_V1(request, random, near, arena);
    return &request->base;
}

static ProtobufCMessage *make_nids(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    const struct truth_event *near = any_event(random, events, TRUTH_RAW);
    list_nids *request = vg_arena_alloc(arena, sizeof(*request));
    VG_ASSERT(request != NULL);
    vigil__events__v1__list_nids_request__init(request);
    MAKE_V1(request, random, near, arena);
    return &request->base;
}

static void prepare_v1(const ProtobufCMessage *request)
{
    const list_v1 *asked = (const list_v1 *)request;
    PREPARE_V1(asked);
}

static void prepare_nids(const ProtobufCMessage *request)
{
    const list_nids *asked = (const list_nids *)request;
    PREPARE_V1(asked);
}

static bool is_refused_v1(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    (void)request;
    (void)caller;
    return truth_v1_is_refused(&search_v1);
}

static bool is_seen_v1(const struct truth_event *event, const struct truth_caller *caller)
{
    return event->type == TRUTH_AGGREGATED && truth_caller_sees(caller, event->customer);
}

static bool is_seen_nids(const struct truth_event *event, const struct truth_caller *caller)
{
    return event->type == TRUTH_RAW && truth_caller_sees(caller, event->customer);
}

static bool matches_v1(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    (void)request;
    return truth_v1_matches(&search_v1, event, caller, now, false);
}

static bool matches_nids(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    (void)request;
    return truth_v1_matches(&search_v1, event, caller, now, true);
}

static int compare_v1(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    (void)request;
    return truth_v1_compare(&search_v1, a, b);
}

static int compare_nids(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    const Vigil__Events__V1__NidsSearchCriteria unsorted =
        VIGIL__EVENTS__V1__NIDS_SEARCH_CRITERIA__INIT;
    (void)request;
    return truth_v1_compare_nids(&unsorted, a, b);
}

static struct truth_page page_v1(const ProtobufCMessage *request)
{
    const list_v1 *asked = (const list_v1 *)request;
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

static struct truth_page page_nids(const ProtobufCMessage *request)
{
    const list_nids *asked = (const list_nids *)request;
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

const struct truth_version truth_version_1_list = {
    .name = "v1 aggregated",
    .share = SHARE,
    .table = &vg_table_vigil_events_v1_list_aggregated_request,
    .make = make_v1,
    .prepare = prepare_v1,
    .is_refused = is_refused_v1,
    .is_seen = is_seen_v1,
    .matches = matches_v1,
    .compare = compare_v1,
    .page = page_v1,
    .search = truth_world_list_v1,
};

const struct truth_version truth_version_1_nids_list = {
    .name = "v1 nids",
    .share = SHARE,
    .table = &vg_table_vigil_events_v1_list_nids_request,
    .make = make_nids,
    .prepare = prepare_nids,
    .is_refused = is_refused_v1,
    .is_seen = is_seen_nids,
    .matches = matches_nids,
    .compare = compare_nids,
    .page = page_nids,
    .search = truth_world_list_nids,
};

/* ------------------------------------------------------------------------------------------ v2 */

static ProtobufCMessage *make_v2(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    const struct truth_event *near = any_event(random, events, 0);
    list_v2 *request = vg_arena_alloc(arena, sizeof(*request));
    VG_ASSERT(request != NULL);
    vigil__events__v2__list_events_request__init(request);
    for (unsigned i = truth_random_below(random, 3); i > 0; i--) {
        TRUTH_ADD(
            arena,
            request,
            type,
            (Vigil__Events__V2__EventType)(1 + truth_random_below(random, 2)));
    }
    for (unsigned i = truth_random_below(random, 3); i > 0; i--) {
        int64_t id = some_customer(random, near);
        char *name = truth_random_once(random, 2)
                         ? truth_make_number(arena, id)
                         : truth_make_text(arena, truth_customers[id - 1].name);
        TRUTH_ADD(
            arena,
            request,
            customer,
            truth_random_once(random, 3) ? truth_make_loud(name) : name);
    }
    for (unsigned i = truth_random_below(random, 3); i > 0; i--) {
        TRUTH_ADD(arena, request, signature, some_signature(random, near, arena));
    }
    if (truth_random_once(random, 2)) {
        request->start_timestamp = truth_make_time(arena, random, near->timestamp);
    }
    if (truth_random_once(random, 2)) {
        request->end_timestamp = truth_make_time(arena, random, near->timestamp);
    }
    if (truth_random_once(random, 2)) {
        TRUTH_SET(request, limit, (int32_t)truth_random_below(random, 6));
        TRUTH_SET(request, offset, (int32_t)truth_random_below(random, 4));
    }
    return &request->base;
}

static void prepare_v2(const ProtobufCMessage *request)
{
    const list_v2 *asked = (const list_v2 *)request;
    vigil__events__v2__search_request__init(&search_v2);
    vigil__events__v2__attack_criteria__init(&attack_v2);
    attack_v2.n_signature = asked->n_signature;
    attack_v2.signature = asked->signature;
    attacks_v2[0] = &attack_v2;
    search_v2.n_attack = asked->n_signature != 0 ? 1 : 0;
    search_v2.attack = attacks_v2;
    search_v2.n_type = asked->n_type;
    search_v2.type = asked->type;
    search_v2.n_customer = asked->n_customer;
    search_v2.customer = asked->customer;
    search_v2.start_timestamp = asked->start_timestamp;
    search_v2.end_timestamp = asked->end_timestamp;
}

static bool is_refused_v2(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    (void)request;
    (void)caller;
    return truth_v2_is_refused(&search_v2);
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
    (void)request;
    return truth_v2_matches(&search_v2, event, caller, now);
}

static int compare_v2(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    (void)request;
    return truth_v2_compare(&search_v2, a, b);
}

static struct truth_page page_v2(const ProtobufCMessage *request)
{
    const list_v2 *asked = (const list_v2 *)request;
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

const struct truth_version truth_version_2_list = {
    .name = "v2 event",
    .share = SHARE,
    .table = &vg_table_vigil_events_v2_list_events_request,
    .make = make_v2,
    .prepare = prepare_v2,
    .is_refused = is_refused_v2,
    .is_seen = is_seen_v2,
    .matches = matches_v2,
    .compare = compare_v2,
    .page = page_v2,
    .search = truth_world_list_v2,
};
