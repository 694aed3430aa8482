#include "core/events/event_criteria.h"

#include "core/base/limits.h"
#include "core/base/network.h"
#include "core/events/criteria_part.h"
#include "core/events/criteria_term.h"
#include "core/events/event_table.h"
#include "core/query/sub_criteria.h"
#include "core/query/time_match.h"

void vg_event_criteria_init(struct vg_event_criteria *criteria)
{
    *criteria = (struct vg_event_criteria){
        .min_bits = { VG_NETWORK_BITS_ANY, VG_NETWORK_BITS_ANY },
    };
}

/* ---------------------------------------------------------------------------------- violations */

void vg_criteria_term_blame(struct vg_criteria_term *at, const struct vg_criteria_blame *blame)
{
    vg_criteria_path_blame(&at->path, blame, at->violations);
}

void *vg_criteria_term_take(struct vg_criteria_term *at, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(at->context->arena, count, size);
    if (memory == NULL) {
        at->terms.failed = true;
    }
    return memory;
}

/* --------------------------------------------------------------------------------------- times */

static void add_time_fields(
    struct vg_criteria_term *at,
    const struct vg_time_range *range,
    uint32_t fields)
{
    static const uint32_t columns[] = {
        [VG_EVENT_TIME_TIMESTAMP] = VG_EVENT_COLUMN_TIMESTAMP,
        [VG_EVENT_TIME_FIRST] = VG_EVENT_COLUMN_FIRST_EVENT,
        [VG_EVENT_TIME_LAST] = VG_EVENT_COLUMN_LAST_EVENT,
        [VG_EVENT_TIME_PUBLISHED] = VG_EVENT_COLUMN_PUBLISHED,
        [VG_EVENT_TIME_LAST_UPDATED] = VG_EVENT_COLUMN_LAST_UPDATED,
        [VG_EVENT_TIME_FIRST_ASSESSED] = VG_EVENT_COLUMN_FIRST_ASSESSED,
        [VG_EVENT_TIME_ENGINE_PERSISTED] = VG_EVENT_COLUMN_ENGINE_PERSISTED,
    };
    uint32_t wanted[VG_EVENT_TIME_FIELD_COUNT];
    uint32_t count = 0;
    for (int field = VG_EVENT_TIME_TIMESTAMP; field < VG_EVENT_TIME_FIELD_COUNT; field++) {
        if ((fields & VG_EVENT_TIME_BIT(field)) != 0) {
            wanted[count++] = columns[field];
        }
    }
    (at->criteria->times_all ? vg_time_match_all
                             : vg_time_match_any)(&at->terms, range, wanted, count);
}

static void add_time_range(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    struct vg_time_range range = {
        .start = criteria->has_start ? criteria->start : VG_TIME_UNBOUNDED_START,
        .end = criteria->has_end ? criteria->end : VG_TIME_UNBOUNDED_END,
    };
    if (criteria->skip_future && range.end > at->context->now) {
        range.end = at->context->now;
    }
    uint32_t fields = criteria->time_fields != 0 ? criteria->time_fields : criteria->time_default;
    if (fields == 0) {
        vg_time_match_overlap(
            &at->terms,
            &range,
            VG_EVENT_COLUMN_FIRST_EVENT,
            VG_EVENT_COLUMN_LAST_EVENT);
        return;
    }
    if (criteria->time_fields != 0 && criteria->has_last_updated) {
        vg_criteria_term_blame(
            at,
            &(struct vg_criteria_blame){ .reason = VG_CONFLICTING_FIELDS,
                                         .field = "timeFieldStrategy",
                                         .index = SIZE_MAX,
                                         .message = "timeFieldStrategy cannot be used with "
                                                    "lastUpdatedTimestamp" });
        return;
    }
    add_time_fields(at, &range, fields);
}

static void add_times(struct vg_criteria_term *at)
{
    const struct vg_event_criteria *criteria = at->criteria;
    add_time_range(at);
    if (criteria->has_last_updated) {
        vg_criteria_term_add_from(at, VG_EVENT_COLUMN_LAST_UPDATED, criteria->last_updated);
    }
    /* The window of days of first storage belongs to the whole search only. */
    if (at->parent == NULL && (criteria->has_index_start || criteria->has_index_end)) {
        struct vg_time_range days = {
            .start = criteria->has_index_start ? vg_time_match_day_start(criteria->index_start)
                                               : VG_TIME_UNBOUNDED_START,
            .end = criteria->has_index_end ? vg_time_match_day_end(criteria->index_end)
                                           : VG_TIME_UNBOUNDED_END,
        };
        static const uint32_t column = VG_EVENT_COLUMN_ENGINE_PERSISTED;
        vg_time_match_any(&at->terms, &days, &column, 1);
    }
    if (criteria->unpublished_excluded) {
        vg_term_list_add(
            &at->terms,
            vg_predicate_range(
                at->context->arena,
                VG_EVENT_COLUMN_PUBLISHED,
                VG_TIME_UNBOUNDED_START,
                at->context->now));
    }
}

/* ----------------------------------------------------------------------------------- the whole */

static const struct vg_predicate *compile(struct vg_criteria_term *at);

static void add_sub_criteria(struct vg_criteria_term *at)
{
    size_t count = at->criteria->sub_criteria_count;
    if (count == 0) {
        return;
    }
    if (at->depth >= VG_LIMIT_CRITERIA_DEPTH) {
        vg_criteria_term_blame(
            at,
            &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                         .field = at->criteria->sub_criteria[0].name,
                                         .index = SIZE_MAX,
                                         .message = "Sub-criteria are nested too deeply" });
        return;
    }
    struct vg_sub_criteria *elements = vg_criteria_term_take(at, count, sizeof(*elements));
    if (elements == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct vg_event_sub_criteria *element = &at->criteria->sub_criteria[i];
        struct vg_criteria_term inner = {
            .context = at->context,
            .parent = at,
            .path = { .parent = &at->path, .name = element->name, .index = element->index },
            .criteria = element->criteria,
            .violations = at->violations,
            .depth = at->depth + 1,
        };
        elements[i] = (struct vg_sub_criteria){
            .predicate = compile(&inner),
            .exclude = element->exclude,
            .required = element->required,
        };
        at->terms.failed = at->terms.failed || inner.terms.failed;
    }
    vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
}

/* NULL: no restriction, or the arena is full (terms.failed). */
static const struct vg_predicate *compile(struct vg_criteria_term *at)
{
    vg_term_list_init(&at->terms, at->context->arena);
    add_times(at);
    vg_criteria_term_add_members(at);
    vg_criteria_part_add(at);
    add_sub_criteria(at);
    return vg_term_list_and(&at->terms);
}

/* What the caller may see at all comes first, whatever is asked. */
static void add_access(const struct vg_event_criteria_context *context, struct vg_term_list *terms)
{
    const struct vg_principal *principal = context->principal;
    struct vg_arena *arena = context->arena;
    if (context->of_cases != NULL) {
        vg_term_list_add(
            terms,
            vg_predicate_number_in(
                arena,
                VG_EVENT_COLUMN_CASES,
                context->of_cases->items,
                (uint32_t)context->of_cases->count));
    }
    if (context->every_customer) {
        /* Whoever may read a case may see its events. */
    } else if (
        !vg_principal_has(principal, context->function) ||
        (!principal->all_customers && principal->customer_count == 0)) {
        vg_term_list_add(terms, vg_predicate_none(arena));
    } else if (!principal->all_customers) {
        vg_term_list_add(
            terms,
            vg_predicate_number_in(
                arena,
                VG_EVENT_COLUMN_CUSTOMER,
                principal->customers,
                (uint32_t)principal->customer_count));
    }
    if (context->type != VG_EVENT_TYPE_UNSET) {
        int64_t type = context->type;
        vg_term_list_add(terms, vg_predicate_number_in(arena, VG_EVENT_COLUMN_TYPE, &type, 1));
    }
}

enum vg_reason vg_event_criteria_compile(
    const struct vg_event_criteria *criteria,
    const struct vg_event_criteria_context *context,
    const struct vg_predicate **out_predicate,
    struct vg_error *error)
{
    struct vg_criteria_term at = {
        .context = context,
        .criteria = criteria,
        .violations = &error->violations,
    };
    const struct vg_predicate *asked = compile(&at);
    enum vg_reason reason = vg_error_from_violations(error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_term_list terms;
    vg_term_list_init(&terms, context->arena);
    terms.failed = at.terms.failed;
    add_access(context, &terms);
    if (asked != NULL) {
        vg_term_list_add(&terms, asked);
    }
    const struct vg_predicate *whole = vg_term_list_and(&terms);
    if (whole == NULL && !terms.failed) {
        whole = vg_predicate_all(context->arena);
    }
    if (whole == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_predicate = whole;
    return VG_OK;
}
