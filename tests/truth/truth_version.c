#include "tests/truth/truth_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "gateway/json/json_write.h"
#include "proto/contract_json.h"
#include "tests/truth/truth_make.h"
#include "tests/truth/truth_order.h"
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
    return &truth_v1_make(random, events, TRUTH_AGGREGATED, arena)->base;
}

static bool is_refused_v1(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    (void)caller;
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

const struct truth_version truth_version_1 = {
    .name = "v1 aggregated/search",
    .share = 1,
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
    if (nids.criteria == NULL) {
        vg_arena_init(&nids.arena, 16u << 20);
    }
    vg_arena_reset(&nids.arena);
    nids.criteria = truth_v1_from_nids(as_nids(request), &nids.arena);
    nids.names_sensor = as_nids(request)->n_sensor_id != 0;
}

static bool is_refused_nids(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    (void)caller;
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

const struct truth_version truth_version_1_nids = {
    .name = "v1 nids/search",
    .share = 1,
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

static bool is_refused_v2(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    (void)caller;
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

const struct truth_version truth_version_2 = {
    .name = "v2 event/search",
    .share = 1,
    .table = &vg_table_vigil_events_v2_search_request,
    .make = make_v2,
    .is_refused = is_refused_v2,
    .is_seen = is_seen_v2,
    .matches = matches_v2,
    .compare = compare_v2,
    .page = page_v2,
    .search = search_v2,
};

/* -------------------------------------------------------------------------------- by case */

/* Has the event a case that is, or is merged into, case `id`? */
static bool is_of_case(const struct truth_event *event, int64_t id)
{
    for (size_t i = 0; i < event->case_count; i++) {
        for (int64_t at = event->cases[i]; at != 0;) {
            if (at == id) {
                return true;
            }
            at = truth_case_of(at)->merged;
        }
    }
    return false;
}

static const Vigil__Events__V1__ListEventsByCaseRequest *as_v1_case(const ProtobufCMessage *request)
{
    return (const Vigil__Events__V1__ListEventsByCaseRequest *)request;
}

/* A case of the event, one merged with it, or any number. */
static int64_t case_near(struct truth_random *random, const struct truth_events *events)
{
    const struct truth_event *event =
        &events->items[truth_random_below(random, (unsigned)events->count)];
    return event->case_count != 0 && truth_random_once(random, 2)
               ? event->cases[truth_random_below(random, (unsigned)event->case_count)]
               : 30 + truth_random_below(random, 8);
}

static ProtobufCMessage *make_v1_case(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    Vigil__Events__V1__ListEventsByCaseRequest *request = vg_arena_alloc(arena, sizeof(*request));
    VG_ASSERT(request != NULL);
    vigil__events__v1__list_events_by_case_request__init(request);
    TRUTH_SET(request, case_id, case_near(random, events));
    if (truth_random_once(random, 2)) {
        TRUTH_SET(request, limit, (int32_t)truth_random_below(random, 6));
        TRUTH_SET(request, offset, (int32_t)truth_random_below(random, 4));
    }
    if (truth_random_once(random, 2)) {
        unsigned key = 2 + truth_random_below(random, 2);
        TRUTH_ADD(arena, request, sort_by, (Vigil__Events__V1__CaseSortBy)key);
    }
    if (truth_random_once(random, 3)) {
        TRUTH_SET(request, include_raw_events, true);
    }
    return &request->base;
}

static bool is_refused_v1_case(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    return !truth_caller_reads(caller, as_v1_case(request)->case_id);
}

/* Who reads the case sees its events, whatever else he may see. */
static bool is_seen_v1_case(const struct truth_event *event, const struct truth_caller *caller)
{
    (void)event;
    (void)caller;
    return true;
}

static bool matches_v1_case(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    (void)caller;
    (void)now;
    return is_of_case(event, as_v1_case(request)->case_id);
}

static int compare_v1_case(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    const Vigil__Events__V1__ListEventsByCaseRequest *asked = as_v1_case(request);
    bool up = asked->n_sort_by != 0 &&
              asked->sort_by[0] == VIGIL__EVENTS__V1__CASE_SORT_BY__CASE_SORT_BY_TIMESTAMP;
    int order = truth_order_numbers(a->timestamp, b->timestamp);
    order = up ? order : -order;
    return order != 0 ? order : truth_order_ids(a, b);
}

static struct truth_page page_v1_case(const ProtobufCMessage *request)
{
    const Vigil__Events__V1__ListEventsByCaseRequest *asked = as_v1_case(request);
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

static void search_v1_case(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    truth_world_case_v1(world, as_v1_case(request), caller, now, answer);
}

const struct truth_version truth_version_1_case = {
    .name = "v1 case",
    .share = 10,
    .table = &vg_table_vigil_events_v1_list_events_by_case_request,
    .make = make_v1_case,
    .is_refused = is_refused_v1_case,
    .is_seen = is_seen_v1_case,
    .matches = matches_v1_case,
    .compare = compare_v1_case,
    .page = page_v1_case,
    .search = search_v1_case,
};

static const Vigil__Events__V2__ListEventsByCaseRequest *as_v2_case(const ProtobufCMessage *request)
{
    return (const Vigil__Events__V2__ListEventsByCaseRequest *)request;
}

static ProtobufCMessage *make_v2_case(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    Vigil__Events__V2__ListEventsByCaseRequest *request = vg_arena_alloc(arena, sizeof(*request));
    VG_ASSERT(request != NULL);
    vigil__events__v2__list_events_by_case_request__init(request);
    TRUTH_SET(request, case_id, case_near(random, events));
    if (truth_random_once(random, 2)) {
        TRUTH_SET(request, limit, (int32_t)truth_random_below(random, 6));
        TRUTH_SET(request, offset, (int32_t)truth_random_below(random, 4));
    }
    if (truth_random_once(random, 2)) {
        unsigned key = 2 + truth_random_below(random, 12);
        TRUTH_ADD(arena, request, sort_by, (Vigil__Events__V2__SortBy)key);
    }
    return &request->base;
}

/* The customer of the case is to be seen, too. */
static bool is_refused_v2_case(const ProtobufCMessage *request, const struct truth_caller *caller)
{
    int64_t id = as_v2_case(request)->case_id;
    return !truth_caller_reads(caller, id) ||
           !truth_caller_sees(caller, truth_case_of(id)->customer);
}

static bool matches_v2_case(
    const ProtobufCMessage *request,
    const struct truth_event *event,
    const struct truth_caller *caller,
    int64_t now)
{
    (void)caller;
    (void)now;
    return is_of_case(event, as_v2_case(request)->case_id);
}

static int compare_v2_case(
    const ProtobufCMessage *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    Vigil__Events__V2__SearchRequest search = VIGIL__EVENTS__V2__SEARCH_REQUEST__INIT;
    search.n_sort_by = as_v2_case(request)->n_sort_by;
    search.sort_by = as_v2_case(request)->sort_by;
    return truth_v2_compare(&search, a, b);
}

static struct truth_page page_v2_case(const ProtobufCMessage *request)
{
    const Vigil__Events__V2__ListEventsByCaseRequest *asked = as_v2_case(request);
    return (struct truth_page){
        .limit = asked->has_limit ? asked->limit : 25,
        .offset = asked->has_offset ? asked->offset : 0,
    };
}

static void search_v2_case(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    truth_world_case_v2(world, as_v2_case(request), caller, now, answer);
}

const struct truth_version truth_version_2_case = {
    .name = "v2 case",
    .share = 10,
    .table = &vg_table_vigil_events_v2_list_events_by_case_request,
    .make = make_v2_case,
    .is_refused = is_refused_v2_case,
    .is_seen = is_seen_v1_case,
    .matches = matches_v2_case,
    .compare = compare_v2_case,
    .page = page_v2_case,
    .search = search_v2_case,
};

/* ------------------------------------------------------------------------------ one question */

static int compare_events(const void *a, const void *b, void *owner)
{
    const struct truth_question *question = owner;
    const struct truth_event *left;
    const struct truth_event *right;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return question->version->compare(question->request, left, right);
}

void truth_expect(
    const struct truth_events *events,
    struct truth_question *question,
    struct truth_expected *expected)
{
    if (question->version->prepare != NULL) {
        question->version->prepare(question->request);
    }
    free(expected->items);
    expected->items = calloc(events->count + 1, sizeof(*expected->items));
    VG_ASSERT(expected->items != NULL);
    expected->count = 0;
    for (size_t i = 0; i < events->count; i++) {
        const struct truth_event *event = &events->items[i];
        if (question->version->matches(
                question->request,
                event,
                &truth_callers[question->caller],
                question->now)) {
            expected->items[expected->count++] = event;
        }
    }
    qsort_r(expected->items, expected->count, sizeof(*expected->items), compare_events, question);
}

/* NULL when the answer is the expected one, else what is wrong with it. */
const char *truth_compare(
    const struct truth_question *question,
    const struct truth_expected *expected,
    const struct truth_answer *answer,
    char text[TRUTH_TEXT_SIZE])
{
    if (question->version->is_refused(question->request, &truth_callers[question->caller])) {
        return answer->reason == VG_OK ? "it has to be refused" : NULL;
    }
    if (answer->reason != VG_OK) {
        (void)snprintf(text, TRUTH_TEXT_SIZE, "it is refused: %s", answer->message);
        return text;
    }
    struct truth_page page = question->version->page(question->request);
    size_t rows =
        page.offset >= (int64_t)expected->count ? 0 : expected->count - (size_t)page.offset;
    if (page.limit != 0 && rows > (size_t)page.limit) {
        rows = (size_t)page.limit;
    }
    if (answer->count != (int64_t)expected->count || answer->row_count != rows ||
        answer->limit != page.limit || answer->offset != page.offset) {
        (void)snprintf(
            text,
            TRUTH_TEXT_SIZE,
            "%" PRId64 " match, %zu rows, limit %" PRId64 ", offset %" PRId64
            "; expected were %zu, %zu, %" PRId64 ", %" PRId64,
            answer->count,
            answer->row_count,
            answer->limit,
            answer->offset,
            expected->count,
            rows,
            page.limit,
            page.offset);
        return text;
    }
    for (size_t i = 0; i < rows; i++) {
        const struct truth_event *event = expected->items[(size_t)page.offset + i];
        const struct truth_row *row = &answer->rows[i];
        if (strcmp(event->id, row->id) != 0 || event->count != row->count) {
            (void)snprintf(
                text,
                TRUTH_TEXT_SIZE,
                "row %zu is %s (count %" PRId64 "), expected was %s (count %d)",
                i,
                row->id,
                row->count,
                event->id,
                event->count);
            return text;
        }
    }
    return NULL;
}

void truth_print(const struct vg_table *table, const ProtobufCMessage *message)
{
    struct vg_json_dialect dialect = vg_json_documented;
    dialect.unset_shown = false;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 1u << 20);
    if (vg_json_write(table, message, &dialect, &buffer)) {
        (void)fprintf(stderr, "  %.*s\n", (int)buffer.size, (const char *)buffer.data);
    }
    vg_buffer_dispose(&buffer);
}
