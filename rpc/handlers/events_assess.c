#include "rpc/handlers/events_assess.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/events/event_ingest.h"
#include "core/events/event_table.h"
#include "core/node/node.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_user.h"
#include "rpc/service/service.h"

/* How long to wait before the writer's full queue is asked again. */
#define VG_QUEUE_WAIT_NS 5000000

/* Memory that a target of a list takes. */
#define VG_TARGET_BYTES (sizeof(struct vg_event_assessment_item) + 64)

/* ------------------------------------------------------------------------------------- reading */

void vg_events_assess_blame(
    struct vg_call *call,
    enum vg_reason reason,
    const char *prefix,
    const char *path,
    const char *message)
{
    char whole[160];
    (void)snprintf(whole, sizeof(whole), "%s%s", prefix, path);
    const struct vg_violation violation = { .reason = reason, .field = whole, .message = message };
    vg_violations_add(&call->error.violations, &violation);
}

/* A flag that is both set and cleared. */
static void check_flags(struct vg_events_assess *assess, const struct vg_events_assess_input *input)
{
    for (unsigned i = 0; i < 2; i++) {
        if ((input->enable.bits[i] & input->disable.bits[i]) != 0) {
            vg_events_assess_blame(
                assess->call,
                VG_CONFLICTING_FIELDS,
                assess->prefix,
                input->disable_name,
                "A flag is both enabled and disabled");
            return;
        }
    }
}

static bool is_listed(const int64_t *numbers, size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

static void check_overlap(
    struct vg_events_assess *assess,
    const struct vg_events_assess_input *input)
{
    for (size_t i = 0; i < input->dissociate_count; i++) {
        int64_t id = input->dissociate[i];
        if (is_listed(input->associate, input->associate_count, id) ||
            (input->has_single && input->single != 0 && input->single == id)) {
            char path[64];
            (void)snprintf(path, sizeof(path), "%s[%zu]", input->dissociate_name, i);
            vg_events_assess_blame(
                assess->call,
                VG_CONFLICTING_FIELDS,
                assess->prefix,
                path,
                "The case is both associated and dissociated");
            return;
        }
    }
}

static void name_case(struct vg_events_assess *assess, const char *member, size_t index, int64_t id)
{
    const char *field =
        index == SIZE_MAX
            ? vg_arena_printf(&assess->call->arena, "%s%s", assess->prefix, member)
            : vg_arena_printf(&assess->call->arena, "%s%s[%zu]", assess->prefix, member, index);
    assess->cases[assess->case_count++] = (struct vg_events_assess_case){
        .id = id,
        .field = field == NULL ? member : field,
        .message = vg_arena_printf(&assess->call->arena, "Invalid case: %" PRId64, id),
    };
}

/* The newest association comes first: the single case, then the list. */
static enum vg_reason read_cases(
    struct vg_events_assess *assess,
    const struct vg_events_assess_input *input)
{
    struct vg_arena *arena = &assess->call->arena;
    size_t most = input->associate_count + input->dissociate_count + 1;
    int64_t *associate = vg_arena_alloc(arena, (input->associate_count + 1) * sizeof(*associate));
    assess->cases = vg_arena_alloc(arena, most * sizeof(*assess->cases));
    if (associate == NULL || assess->cases == NULL) {
        return vg_error_set(&assess->call->error, VG_REQUEST_MEMORY, NULL);
    }
    uint32_t count = 0;
    if (input->has_single && input->single != 0) {
        associate[count++] = input->single;
        name_case(assess, "associateToCase", SIZE_MAX, input->single);
    }
    for (size_t i = 0; i < input->associate_count; i++) {
        associate[count++] = input->associate[i];
        name_case(assess, input->associate_name, i, input->associate[i]);
    }
    for (size_t i = 0; i < input->dissociate_count; i++) {
        name_case(assess, input->dissociate_name, i, input->dissociate[i]);
    }
    assess->what.dissociate_all = input->has_single && input->single == 0;
    assess->what.associate = associate;
    assess->what.associate_count = count;
    assess->what.dissociate = input->dissociate;
    assess->what.dissociate_count = (uint32_t)input->dissociate_count;
    check_overlap(assess, input);
    return VG_OK;
}

/* What the lineage tells of it. */
static const char *describe(const struct vg_event_assessment *what, struct vg_arena *arena)
{
    static const char *const severities[] = { "", "low", "medium", "high", "critical" };
    const struct {
        bool is;
        const char *words;
    } parts[] = {
        { what->comment.size != 0, "comment" },
        { what->severity != VG_EVENT_SEVERITY_UNSET, "severity " },
        { (what->enable.bits[0] | what->enable.bits[1]) != 0, "flags enabled" },
        { (what->disable.bits[0] | what->disable.bits[1]) != 0, "flags disabled" },
        { what->acknowledge, "acknowledged" },
        { what->associate_count != 0, "cases associated" },
        { what->dissociate_count != 0 || what->dissociate_all, "cases dissociated" },
        { what->property_count != 0, "properties" },
        { what->handled_by_analyst, "handled by analyst" },
        { what->publish, "published" },
    };
    char text[256] = "Assessed";
    size_t size = strlen(text);
    const char *mark = ": ";
    for (size_t i = 0; i < VG_ARRAY_COUNT(parts); i++) {
        if (!parts[i].is) {
            continue;
        }
        const char *more =
            parts[i].words[strlen(parts[i].words) - 1] == ' ' ? severities[what->severity] : "";
        int written =
            snprintf(text + size, sizeof(text) - size, "%s%s%s", mark, parts[i].words, more);
        VG_ASSERT(written > 0 && size + (size_t)written < sizeof(text));
        size += (size_t)written;
        mark = ", ";
    }
    return vg_arena_text(arena, vg_bytes(text, size));
}

static enum vg_reason set_author(struct vg_events_assess *assess)
{
    struct vg_call *call = assess->call;
    int64_t user_id = call->principal->user_id;
    Vigil__Events__V2__UserInfo *user =
        vg_event_user_make(assess->directory, user_id, &call->arena);
    const char *description = describe(&assess->what, &call->arena);
    size_t size = user == NULL ? 0 : vigil__events__v2__user_info__get_packed_size(user);
    uint8_t *wire = user == NULL ? NULL : vg_arena_alloc(&call->arena, size);
    if (description == NULL || wire == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    assess->what.author = (struct vg_event_author){
        .user_id = user_id,
        .type = VG_EVENT_LINEAGE_ASSESSED,
        .description = vg_bytes_text(description),
        .data_center = assess->rules.data_center,
        .secret = assess->rules.secret,
    };
    assess->what.author_wire = vg_bytes(wire, vigil__events__v2__user_info__pack(user, wire));
    return VG_OK;
}

enum vg_reason vg_events_assess_begin(
    struct vg_call *call,
    const struct vg_events_assess_input *input,
    struct vg_events_assess *out_assess)
{
    const struct vg_node *node = call->service->node;
    *out_assess = (struct vg_events_assess){
        .call = call,
        .directory = vg_directory_snapshot(node->directory),
        .prefix = input->prefix,
    };
    memcpy(out_assess->rules.secret, node->format.secret, sizeof(out_assess->rules.secret));
    out_assess->rules.limits.record_bytes_max = node->settings->event_bytes_max;
    out_assess->rules.limits.property_bytes_max = node->settings->property_bytes_max;
    out_assess->rules.data_center = vg_event_calls_data_center(node->settings->data_center);
    out_assess->what = (struct vg_event_assessment){
        .comment = vg_bytes_text(input->comment),
        .enable = input->enable,
        .disable = input->disable,
        .acknowledge = input->acknowledge,
        .severity = input->severity,
        .handled_by_analyst = input->handled_by_analyst,
        .publish = input->publish,
        .properties = input->properties,
        .property_count = input->property_count,
        .rules = &out_assess->rules,
    };
    check_flags(out_assess, input);
    enum vg_reason reason = read_cases(out_assess, input);
    return reason == VG_OK ? set_author(out_assess) : reason;
}

void vg_events_assess_end(struct vg_events_assess *assess)
{
    vg_directory_snapshot_unref(assess->directory);
    assess->directory = NULL;
}

/* --------------------------------------------------------------------------------------- cases */

enum vg_reason vg_events_assess_refuse_case(
    struct vg_events_assess *assess,
    const struct vg_events_assess_case *named)
{
    struct vg_call *call = assess->call;
    char number[32];
    (void)snprintf(number, sizeof(number), "%" PRId64, named->id);
    const struct vg_violation violation = {
        .reason = VG_INVALID_REFERENCE,
        .field = named->field,
        .parameter = number,
        .message = named->message,
    };
    vg_violations_add(&call->error.violations, &violation);
    return vg_error_from_violations(&call->error);
}

enum vg_reason vg_events_assess_check_cases(struct vg_events_assess *assess, int64_t customer_id)
{
    for (size_t i = 0; i < assess->case_count; i++) {
        const struct vg_case *subject = vg_directory_case(assess->directory, assess->cases[i].id);
        if (subject == NULL || (customer_id != 0 && subject->customer_id != customer_id) ||
            !vg_event_access_reads_case(assess->call->principal, subject)) {
            return vg_events_assess_refuse_case(assess, &assess->cases[i]);
        }
    }
    return VG_OK;
}

const struct vg_events_assess_case *vg_events_assess_wrong_case(
    const struct vg_events_assess *assess,
    const struct vg_event_id *id)
{
    for (size_t i = 0; i < assess->case_count; i++) {
        const struct vg_case *subject = vg_directory_case(assess->directory, assess->cases[i].id);
        if (subject == NULL || subject->customer_id != id->customer_id ||
            id->type == VG_EVENT_TYPE_RAW) {
            return &assess->cases[i];
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- all, or none */

/* Nothing of it was stored. */
static enum vg_reason refuse_all(
    struct vg_call *call,
    const struct vg_event_batch *batch,
    const struct vg_event_assessment_item *items,
    size_t count)
{
    enum vg_reason reason = batch->group.reason;
    for (size_t i = 0; i < count && reason != VG_RESOURCE_LIMIT; i++) {
        if (items[i].item.reason == reason) {
            char text[VG_EVENT_ID_TEXT_SIZE];
            (void)vg_event_id_print(&items[i].identity.id, text);
            (void)vg_error_set(&call->error, reason, NULL);
            return vg_error_field(&call->error, NULL, text);
        }
    }
    /* What one change may hold is no matter of time. */
    return reason == VG_RESOURCE_LIMIT
               ? vg_error_set(
                     &call->error,
                     VG_REQUEST_TOO_LARGE,
                     "The events are too large to be changed together; name fewer")
               : vg_error_set(
                     &call->error,
                     reason,
                     batch->group.message[0] == '\0' ? NULL : "%s",
                     batch->group.message);
}

enum vg_reason vg_events_assess_all(
    struct vg_events_assess *assess,
    const struct vg_events_assess_target *targets,
    size_t count)
{
    struct vg_call *call = assess->call;
    const struct vg_node *node = call->service->node;
    size_t weight = VG_EVENT_ASSESSMENT_WEIGHT + assess->what.comment.size;
    if (count > node->settings->ingest_queue_max || count > VG_INGEST_SUBMISSION_ITEMS_MAX ||
        count * weight > node->settings->ingest_queue_bytes_max) {
        return vg_error_set(
            &call->error,
            VG_REQUEST_TOO_LARGE,
            "The events are too many to be changed together; name fewer");
    }
    vg_arena_set_max(&call->arena, call->arena.bytes_max + count * VG_TARGET_BYTES);
    struct vg_event_assessment_item *items = vg_arena_alloc(&call->arena, count * sizeof(*items));
    if (items == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_event_batch batch;
    vg_event_batch_init(&batch);
    batch.group.all_or_nothing = true;
    for (size_t i = 0; i < count; i++) {
        vg_event_ingest_assess(
            &batch.group,
            &items[i],
            &assess->what,
            &targets[i].id,
            targets[i].is_optional);
    }
    enum vg_reason reason = vg_call_check(call);
    if (reason == VG_OK) {
        reason = vg_event_batch_store(node->ingest, &batch, &call->error);
        if (reason == VG_OK && batch.group.reason != VG_OK) {
            reason = refuse_all(call, &batch, items, count);
        }
    }
    vg_event_batch_dispose(&batch);
    return reason;
}

/* --------------------------------------------------------------------------- what a search finds
 */

/* Events on their way to the writer. */
struct portion {
    struct vg_event_assessment_item *items;
    bool *is_found; /* the search has found it; else it is a sub-event */
    const char **messages;
    enum vg_reason *refused; /* before it came to the writer */
    size_t count;
};

struct matching {
    struct vg_events_assess *assess;
    const struct vg_events_assess_search *search;
    struct portion portion;
    struct vg_arena scratch; /* sub-events of one event */
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
static enum vg_reason store_portion(struct vg_call *call, struct vg_event_batch *batch)
{
    for (;;) {
        enum vg_reason reason = vg_call_check(call);
        if (reason == VG_OK) {
            reason = vg_event_batch_store(call->service->node->ingest, batch, &call->error);
        }
        if (reason != VG_OVERLOADED) {
            return reason;
        }
        const struct timespec wait = { .tv_nsec = VG_QUEUE_WAIT_NS };
        (void)nanosleep(&wait, NULL);
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
    struct vg_event_batch batch;
    vg_event_batch_init(&batch);
    for (size_t i = 0; i < portion->count; i++) {
        if (portion->refused[i] == VG_OK) {
            struct vg_event_id id = portion->items[i].identity.id;
            vg_event_ingest_assess(
                &batch.group,
                &portion->items[i],
                &matching->assess->what,
                &id,
                !portion->is_found[i]);
        }
    }
    enum vg_reason reason = VG_OK;
    if (batch.group.first != NULL) {
        reason = store_portion(call, &batch);
        if (reason == VG_OK && batch.group.reason != VG_OK) {
            reason = vg_error_set(
                &call->error,
                batch.group.reason,
                batch.group.message[0] == '\0' ? NULL : "%s",
                batch.group.message);
        }
    }
    vg_event_batch_dispose(&batch);
    if (reason == VG_OK) {
        reason = tell_portion(matching);
    }
    portion->count = 0;
    return reason;
}

static enum vg_reason add_event(
    struct matching *matching,
    const struct vg_event_id *id,
    bool is_found)
{
    struct portion *portion = &matching->portion;
    if (portion->count == VG_EVENTS_ASSESS_PORTION) {
        enum vg_reason reason = flush(matching);
        if (reason != VG_OK) {
            return reason;
        }
    }
    size_t at = portion->count++;
    portion->items[at].identity.id = *id;
    portion->is_found[at] = is_found;
    portion->refused[at] = VG_OK;
    portion->messages[at] = NULL;
    const struct vg_events_assess_case *wrong =
        is_found ? vg_events_assess_wrong_case(matching->assess, id) : NULL;
    if (wrong != NULL) {
        portion->refused[at] = VG_INVALID_REFERENCE;
        portion->messages[at] = wrong->message;
    }
    return VG_OK;
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

static enum vg_reason assess_cursor(struct matching *matching, struct vg_event_cursor *cursor)
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
    return reason == VG_OK ? flush(matching) : reason;
}

static enum vg_reason check_count(struct matching *matching, const struct vg_event_cursor *cursor)
{
    const struct vg_events_assess_search *search = matching->search;
    struct vg_error *error = &matching->assess->call->error;
    uint64_t count = cursor->match_count;
    if (search->limit != 0 && count > (uint64_t)search->limit) {
        count = (uint64_t)search->limit;
    }
    if (search->match_max == 0 || count <= search->match_max) {
        return VG_OK;
    }
    char most[32];
    (void)snprintf(most, sizeof(most), "%" PRIu64, search->match_max);
    (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
    return vg_error_field(error, NULL, most);
}

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
        reason = assess_cursor(matching, &cursor);
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
    vg_arena_set_max(
        &call->arena,
        call->arena.bytes_max + VG_EVENTS_ASSESS_PORTION * VG_TARGET_BYTES);
    if (!make_portion(&call->arena, &matching.portion)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_arena_init(&matching.scratch, call->arena.bytes_max);
    reason = run_search(&matching);
    vg_arena_dispose(&matching.scratch);
    if (reason == VG_OK) {
        *out_found = matching.found;
        *out_assessed = matching.assessed;
    }
    return reason;
}
