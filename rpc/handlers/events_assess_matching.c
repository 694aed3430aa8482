/*
 * Assessment of what a search finds: first all that it finds is noted, while a snapshot is held,
 * then it is changed portion by portion, which may take much longer than a snapshot may be held.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/events/event_ingest.h"
#include "core/events/event_table.h"
#include "core/ingest/ingest_wait.h"
#include "core/node/node.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/events_assess.h"
#include "rpc/service/service.h"

/* How long to wait before the writer's full queue is asked again. */
#define VG_QUEUE_WAIT_NS 5000000

/* Memory of what a portion holds beside its items. */
#define VG_PORTION_BYTES (VG_EVENTS_ASSESS_PORTION * (sizeof(struct vg_event_assessment_item) + 64))

/* Events on their way to the writer. */
struct portion {
    struct vg_event_assessment_item *items;
    bool *is_found; /* the search has found it; else it is a sub-event */
    const char **messages;
    enum vg_reason *refused; /* before it came to the writer */
    size_t count;
};

/* Events that are to be a portion. */
struct noted {
    struct noted *next;
    size_t count;
    bool is_found[VG_EVENTS_ASSESS_PORTION];
    struct vg_event_id ids[VG_EVENTS_ASSESS_PORTION];
};

struct matching {
    struct vg_events_assess *assess;
    const struct vg_events_assess_search *search;
    struct portion portion;
    struct vg_arena scratch; /* sub-events of one event */
    struct noted *first;
    struct noted *last;
    uint64_t noted; /* events in all */
    uint64_t found;
    uint64_t assessed;
};

static bool make_portion(struct vg_arena *arena, struct portion *portion)
{
    size_t room = VG_EVENTS_ASSESS_PORTION;
    portion->items = vg_arena_alloc(arena, room * sizeof(*portion->items));
    portion->is_found = vg_arena_alloc(arena, room * sizeof(*portion->is_found));
    portion->messages = vg_arena_alloc(arena, room * sizeof(*portion->messages));
    portion->refused = vg_arena_alloc(arena, room * sizeof(*portion->refused));
    portion->count = 0;
    return portion->items != NULL && portion->is_found != NULL && portion->messages != NULL &&
           portion->refused != NULL;
}

/* The writer's queue is bounded, and there is time until the deadline. */
static enum vg_reason store_portion(struct vg_call *call, struct vg_ingest_wait *wait)
{
    for (;;) {
        bool refused = true;
        enum vg_reason reason = vg_call_check(call);
        if (reason == VG_OK) {
            reason = vg_ingest_wait_run(call->service->node->ingest, wait, &refused, &call->error);
        }
        if (!refused || reason != VG_OVERLOADED) {
            return reason;
        }
        const struct timespec pause = { .tv_nsec = VG_QUEUE_WAIT_NS };
        (void)nanosleep(&pause, NULL);
    }
}

static enum vg_reason tell_portion(struct matching *matching)
{
    const struct vg_events_assess_search *search = matching->search;
    const struct portion *portion = &matching->portion;
    for (size_t i = 0; i < portion->count; i++) {
        if (!portion->is_found[i]) {
            continue;
        }
        enum vg_reason why =
            portion->refused[i] != VG_OK ? portion->refused[i] : portion->items[i].item.reason;
        matching->assessed += why == VG_OK ? 1 : 0;
        if (search->told != NULL) {
            enum vg_reason reason = search->told(
                search->owner,
                &portion->items[i].identity.id,
                why,
                portion->messages[i]);
            if (reason != VG_OK) {
                return reason;
            }
        }
    }
    return VG_OK;
}

static enum vg_reason flush(struct matching *matching)
{
    struct vg_call *call = matching->assess->call;
    struct portion *portion = &matching->portion;
    if (portion->count == 0) {
        return VG_OK;
    }
    struct vg_ingest_wait wait;
    vg_ingest_wait_init(&wait);
    for (size_t i = 0; i < portion->count; i++) {
        if (portion->refused[i] == VG_OK) {
            struct vg_event_id id = portion->items[i].identity.id;
            vg_event_ingest_assess(
                &wait.group,
                &portion->items[i],
                &matching->assess->what,
                &id,
                !portion->is_found[i]);
        }
    }
    enum vg_reason reason = VG_OK;
    if (wait.group.first != NULL) {
        reason = store_portion(call, &wait);
    }
    vg_ingest_wait_dispose(&wait);
    if (reason == VG_OK) {
        reason = tell_portion(matching);
    }
    portion->count = 0;
    return reason;
}

static enum vg_reason too_many(struct vg_error *error, uint64_t most)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRIu64, most);
    (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
    return vg_error_field(error, NULL, text);
}

/* Note an event. */
static enum vg_reason add_event(
    struct matching *matching,
    const struct vg_event_id *id,
    bool is_found)
{
    struct vg_error *error = &matching->assess->call->error;
    struct noted *last = matching->last;
    if (matching->noted == VG_LIMIT_ASSESSED_EVENTS) {
        return too_many(error, VG_LIMIT_ASSESSED_EVENTS);
    }
    if (last == NULL || last->count == VG_EVENTS_ASSESS_PORTION) {
        struct noted *next = malloc(sizeof(*next));
        if (next == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        next->next = NULL;
        next->count = 0;
        *(last == NULL ? &matching->first : &last->next) = next;
        matching->last = last = next;
    }
    last->ids[last->count] = *id;
    last->is_found[last->count] = is_found;
    last->count++;
    matching->noted++;
    return VG_OK;
}

/* Make a portion of what was noted. */
static void take_noted(struct matching *matching, const struct noted *noted)
{
    struct portion *portion = &matching->portion;
    for (size_t i = 0; i < noted->count; i++) {
        const struct vg_event_id *id = &noted->ids[i];
        const struct vg_events_assess_case *wrong =
            noted->is_found[i] ? vg_events_assess_wrong_case(matching->assess, id) : NULL;
        portion->items[i].identity.id = *id;
        portion->is_found[i] = noted->is_found[i];
        portion->refused[i] = wrong == NULL ? VG_OK : VG_INVALID_REFERENCE;
        portion->messages[i] = wrong == NULL ? NULL : wrong->message;
    }
    portion->count = noted->count;
}

/* Change all that was noted. */
static enum vg_reason assess_noted(struct matching *matching)
{
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && matching->first != NULL) {
        struct noted *noted = matching->first;
        take_noted(matching, noted);
        reason = flush(matching);
        matching->first = noted->next;
        free(noted);
    }
    return reason;
}

static void forget_noted(struct matching *matching)
{
    while (matching->first != NULL) {
        struct noted *next = matching->first->next;
        free(matching->first);
        matching->first = next;
    }
}

/* The sub-events of an event that was found; those that are not there are passed over later. */
static enum vg_reason add_sub_events(
    struct matching *matching,
    const struct vg_event_id *id,
    struct vg_bytes bytes)
{
    struct vg_event_record record;
    struct vg_error *error = &matching->assess->call->error;
    vg_arena_reset(&matching->scratch);
    enum vg_reason reason = vg_event_record_unpack(id, bytes, &matching->scratch, &record, error);
    for (uint32_t i = 0; reason == VG_OK && i < record.sub_event_count; i++) {
        struct vg_event_id sub;
        if (vg_event_id_parse(record.sub_events[i], &sub) == VG_EVENT_ID_FORM_OK &&
            sub.customer_id == id->customer_id) {
            reason = add_event(matching, &sub, false);
        }
    }
    return reason;
}

static enum vg_reason check_call(void *owner, struct vg_error *error)
{
    struct vg_call *call = owner;
    VG_ASSERT(error == &call->error);
    return vg_call_check(call);
}

/* Does any event found belong to another customer than a case that is named? Counted before
 * anything is changed. */
static enum vg_reason check_customers(
    struct matching *matching,
    const struct vg_event_store *source,
    const struct vg_event_search *asked,
    uint64_t match_count)
{
    struct vg_events_assess *assess = matching->assess;
    struct vg_arena *arena = &assess->call->arena;
    for (size_t i = 0; i < assess->case_count && match_count != 0; i++) {
        const struct vg_case *subject = vg_directory_case(assess->directory, assess->cases[i].id);
        const struct vg_predicate *both[] = {
            asked->where,
            vg_predicate_number_in(arena, VG_EVENT_COLUMN_CUSTOMER, &subject->customer_id, 1),
        };
        struct vg_event_search counted = *asked;
        counted.where = vg_predicate_and(arena, both, 2);
        counted.limit = 1;
        counted.offset = 0;
        struct vg_event_cursor cursor = { 0 };
        if (counted.where == NULL) {
            return vg_error_set(&assess->call->error, VG_REQUEST_MEMORY, NULL);
        }
        enum vg_reason reason =
            vg_event_search_run(source, &counted, arena, &cursor, &assess->call->error);
        uint64_t own = reason == VG_OK ? cursor.match_count : 0;
        vg_event_cursor_close(&cursor);
        if (reason != VG_OK) {
            return reason;
        }
        if (own < match_count) {
            return vg_events_assess_refuse_case(assess, &assess->cases[i]);
        }
    }
    return VG_OK;
}

static enum vg_reason note_cursor(struct matching *matching, struct vg_event_cursor *cursor)
{
    enum vg_reason reason;
    for (;;) {
        struct vg_event_id id;
        struct vg_bytes bytes;
        bool at_end = false;
        reason = vg_event_cursor_next(cursor, &id, &bytes, &at_end, &matching->assess->call->error);
        if (reason != VG_OK || at_end) {
            break;
        }
        matching->found++;
        reason = add_event(matching, &id, true);
        if (reason == VG_OK && matching->assess->recursive) {
            reason = add_sub_events(matching, &id, bytes);
        }
        if (reason != VG_OK) {
            break;
        }
    }
    return reason;
}

static enum vg_reason check_count(struct matching *matching, const struct vg_event_cursor *cursor)
{
    const struct vg_events_assess_search *search = matching->search;
    struct vg_error *error = &matching->assess->call->error;
    uint64_t count = cursor->match_count;
    uint64_t most = search->match_max != 0 ? search->match_max : VG_LIMIT_ASSESSED_EVENTS;
    if (search->limit != 0 && count > (uint64_t)search->limit) {
        count = (uint64_t)search->limit;
    }
    return count <= most ? VG_OK : too_many(error, most);
}

/* Note what the search finds; afterwards no snapshot is held. */
static enum vg_reason run_search(struct matching *matching)
{
    struct vg_events_assess *assess = matching->assess;
    struct vg_call *call = assess->call;
    const struct vg_node *node = call->service->node;
    const struct vg_events_assess_search *search = matching->search;
    const struct vg_event_criteria_context context = {
        .directory = assess->directory,
        .principal = call->principal,
        .secret = node->format.secret,
        .now = call->now,
        .function = VG_FUNCTION_ASSESS_EVENTS,
        .type = search->type,
        .arena = &call->arena,
    };
    struct vg_event_search asked = {
        .sort = search->sort,
        .sort_count = search->sort_count,
        .limit = search->limit,
        .offset = search->offset,
        .is_unlimited = true,
        .check = check_call,
        .owner = call,
    };
    struct vg_event_store source =
        vg_event_calls_store(call, node->settings->stream_snapshot_age_ms);
    struct vg_event_cursor cursor = { 0 };
    enum vg_reason reason =
        vg_event_criteria_compile(search->criteria, &context, &asked.where, &call->error);
    if (reason == VG_OK) {
        reason = vg_event_search_run(&source, &asked, &call->arena, &cursor, &call->error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    reason = check_count(matching, &cursor);
    if (reason == VG_OK && search->one_customer) {
        reason = check_customers(matching, &source, &asked, cursor.match_count);
    }
    if (reason == VG_OK) {
        reason = note_cursor(matching, &cursor);
    }
    vg_event_cursor_close(&cursor);
    return reason;
}

enum vg_reason vg_events_assess_matching(
    struct vg_events_assess *assess,
    const struct vg_events_assess_search *search,
    uint64_t *out_found,
    uint64_t *out_assessed)
{
    struct vg_call *call = assess->call;
    struct matching matching = { .assess = assess, .search = search };
    enum vg_reason reason = vg_events_assess_check_cases(assess, 0);
    if (reason != VG_OK) {
        return reason;
    }
    vg_arena_set_max(&call->arena, call->arena.bytes_max + VG_PORTION_BYTES);
    if (!make_portion(&call->arena, &matching.portion)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_arena_init(&matching.scratch, call->arena.bytes_max);
    reason = run_search(&matching);
    if (reason == VG_OK) {
        reason = assess_noted(&matching);
    }
    forget_noted(&matching);
    vg_arena_dispose(&matching.scratch);
    if (reason == VG_OK) {
        *out_found = matching.found;
        *out_assessed = matching.assessed;
    }
    return reason;
}
