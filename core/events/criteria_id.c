/*
 * A few identities are an OR of what each says. Of many that are whole, the columns are asked for
 * each part of any of them, and the record for whether all parts are those of one: a question for
 * each would be too many.
 */
#include "core/events/criteria_id.h"

#include <stdlib.h>
#include <string.h>

#include "core/events/event_table.h"
#include "core/record/event_record.h"

/* What one identity of the criteria names. */
struct parts {
    struct vg_event_id id;
    bool has_timestamp;
    bool has_customer;
    bool has_uuid;
    bool foreign; /* no event can have it */
};

static bool is_whole(const struct parts *parts)
{
    return parts->has_timestamp && parts->has_customer && parts->has_uuid &&
           parts->id.type != VG_EVENT_TYPE_UNSET;
}

static void read_text(struct vg_criteria_term *at, size_t index, struct parts *parts)
{
    const char *text = at->criteria->ids[index].text;
    enum vg_event_id_form form = vg_event_id_parse(vg_bytes_text(text), &parts->id);
    parts->foreign = form != VG_EVENT_ID_FORM_OK;
    parts->has_timestamp = parts->has_customer = parts->has_uuid = true;
    if (form == VG_EVENT_ID_FORM_WRONG) {
        vg_criteria_term_blame(
            at,
            &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                         .field = "eventIdentifier",
                                         .index = index,
                                         .parameter = text });
    }
}

/* A wrong text is blamed. */
static void read_parts(struct vg_criteria_term *at, size_t index, struct parts *out_parts)
{
    const struct vg_event_criteria_id *asked = &at->criteria->ids[index];
    *out_parts = (struct parts){ .foreign = false };
    if (asked->text != NULL) {
        read_text(at, index, out_parts);
        return;
    }
    out_parts->id.type = asked->type;
    out_parts->id.timestamp = asked->timestamp;
    out_parts->id.customer_id = asked->customer_id;
    out_parts->has_timestamp = asked->has_timestamp;
    out_parts->has_customer = asked->has_customer;
    out_parts->has_uuid = asked->uuid != NULL;
    out_parts->foreign =
        asked->uuid != NULL && !vg_uuid_parse(vg_bytes_text(asked->uuid), &out_parts->id.uuid);
}

/* ------------------------------------------------------------------------------------ one by one
 */

static void add_number(struct vg_term_list *terms, uint32_t column, int64_t number)
{
    vg_term_list_add(terms, vg_predicate_number_in(terms->arena, column, &number, 1));
}

/* NULL when the arena is full. */
static const struct vg_predicate *match_parts(struct vg_arena *arena, const struct parts *parts)
{
    if (parts->foreign) {
        return vg_predicate_none(arena);
    }
    struct vg_term_list terms;
    vg_term_list_init(&terms, arena);
    if (parts->has_timestamp) {
        add_number(&terms, VG_EVENT_COLUMN_TIMESTAMP, parts->id.timestamp);
    }
    if (parts->has_customer) {
        add_number(&terms, VG_EVENT_COLUMN_CUSTOMER, parts->id.customer_id);
    }
    if (parts->id.type != VG_EVENT_TYPE_UNSET) {
        add_number(&terms, VG_EVENT_COLUMN_TYPE, parts->id.type);
    }
    if (parts->has_uuid) {
        struct vg_bytes bytes = vg_bytes(parts->id.uuid.bytes, sizeof(parts->id.uuid.bytes));
        vg_term_list_add(&terms, vg_predicate_bytes_in(arena, VG_EVENT_COLUMN_UUID, &bytes, 1));
    }
    return terms.count == 0 && !terms.failed ? vg_predicate_all(arena) : vg_term_list_and(&terms);
}

/* ----------------------------------------------------------------------------------- all in a set
 */

/* Whole identities, sorted. Lives in the arena of the predicate. */
struct id_set {
    struct vg_event_id *ids;
    size_t count;
};

static int compare_numbers(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

static int compare_ids(const void *left, const void *right)
{
    const struct vg_event_id *a = left;
    const struct vg_event_id *b = right;
    int order = compare_numbers(a->timestamp, b->timestamp);
    order = order != 0 ? order : compare_numbers(a->customer_id, b->customer_id);
    order = order != 0 ? order : compare_numbers(a->type, b->type);
    return order != 0 ? order : memcmp(a->uuid.bytes, b->uuid.bytes, sizeof(a->uuid.bytes));
}

static enum vg_reason confirm(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    const struct id_set *set = owner;
    const struct vg_event_record *event = record;
    (void)error;
    *out_matches =
        bsearch(&event->id, set->ids, set->count, sizeof(*set->ids), compare_ids) != NULL;
    return VG_OK;
}

const struct vg_predicate *vg_criteria_id_any(
    struct vg_arena *arena,
    struct vg_event_id *ids,
    size_t count)
{
    struct id_set *set = vg_arena_alloc(arena, sizeof(*set));
    int64_t *timestamps = vg_arena_calloc(arena, count, sizeof(*timestamps));
    int64_t *customers = vg_arena_calloc(arena, count, sizeof(*customers));
    int64_t *types = vg_arena_calloc(arena, count, sizeof(*types));
    struct vg_bytes *uuids = vg_arena_calloc(arena, count, sizeof(*uuids));
    if (set == NULL || timestamps == NULL || customers == NULL || types == NULL || uuids == NULL) {
        return NULL;
    }
    if (count == 0) {
        return vg_predicate_none(arena);
    }
    qsort(ids, count, sizeof(*ids), compare_ids);
    *set = (struct id_set){ .ids = ids, .count = count };
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = ids[i].timestamp;
        customers[i] = ids[i].customer_id;
        types[i] = ids[i].type;
        uuids[i] = vg_bytes(ids[i].uuid.bytes, sizeof(ids[i].uuid.bytes));
    }
    uint32_t used = (uint32_t)count;
    const struct vg_predicate *all[] = {
        vg_predicate_number_in(arena, VG_EVENT_COLUMN_TIMESTAMP, timestamps, used),
        vg_predicate_number_in(arena, VG_EVENT_COLUMN_CUSTOMER, customers, used),
        vg_predicate_number_in(arena, VG_EVENT_COLUMN_TYPE, types, used),
        vg_predicate_bytes_in(arena, VG_EVENT_COLUMN_UUID, uuids, used),
        vg_predicate_tokens(arena, VG_EVENT_COLUMN_PROPERTY_TOKENS, NULL, 0, confirm, set),
    };
    return vg_predicate_and(arena, all, VG_ARRAY_COUNT(all));
}

/* Take the whole identities out of `parts`; how many that are, SIZE_MAX when the arena is full. */
static size_t take_whole(
    struct vg_criteria_term *at,
    struct parts *parts,
    size_t *count,
    struct vg_event_id **out_ids)
{
    struct vg_event_id *ids = vg_criteria_term_take(at, *count, sizeof(*ids));
    size_t taken = 0;
    size_t left = 0;
    for (size_t i = 0; ids != NULL && i < *count; i++) {
        if (parts[i].foreign) {
            continue; /* it adds nothing to the others */
        }
        if (is_whole(&parts[i])) {
            ids[taken++] = parts[i].id;
        } else {
            parts[left++] = parts[i];
        }
    }
    *count = left;
    *out_ids = ids;
    return ids == NULL ? SIZE_MAX : taken;
}

/* ----------------------------------------------------------------------------------- the whole */

void vg_criteria_id_add(struct vg_criteria_term *at)
{
    size_t count = at->criteria->id_count;
    struct vg_arena *arena = at->context->arena;
    if (count == 0) {
        return;
    }
    struct parts *parts = vg_criteria_term_take(at, count, sizeof(*parts));
    const struct vg_predicate **any = vg_criteria_term_take(at, count + 1, sizeof(*any));
    if (parts == NULL || any == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_parts(at, i, &parts[i]);
    }
    uint32_t used = 0;
    if (count > VG_CRITERIA_ID_FEW) {
        struct vg_event_id *ids = NULL;
        size_t taken = take_whole(at, parts, &count, &ids);
        if (taken == SIZE_MAX) {
            return;
        }
        if (taken != 0) {
            any[used++] = vg_criteria_id_any(arena, ids, taken);
        }
    }
    for (size_t i = 0; i < count; i++) {
        any[used++] = match_parts(arena, &parts[i]);
    }
    vg_term_list_add(&at->terms, vg_predicate_or(arena, any, used));
}
