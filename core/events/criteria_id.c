/*
 * A few identities are an OR of what each says. Of many that name the same parts, the columns are
 * asked for each part of any of them, and the record for whether all parts are those of one: a
 * question for each would be too many.
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

/* Which parts are named, as bits. */
#define NAMES_TIMESTAMP 1u
#define NAMES_CUSTOMER  2u
#define NAMES_TYPE      4u
#define NAMES_UUID      8u
#define NAMES_ALL       15u

static unsigned names_of(const struct parts *parts)
{
    return (parts->has_timestamp ? NAMES_TIMESTAMP : 0) |
           (parts->has_customer ? NAMES_CUSTOMER : 0) |
           (parts->id.type != VG_EVENT_TYPE_UNSET ? NAMES_TYPE : 0) |
           (parts->has_uuid ? NAMES_UUID : 0);
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

/* Identities, sorted; parts that are not named are zero. Lives in the arena of the predicate. */
struct id_set {
    struct vg_event_id *ids;
    size_t count;
    unsigned names;
};

/* The id with the parts that are named. */
static struct vg_event_id cut_to(const struct vg_event_id *id, unsigned names)
{
    struct vg_event_id cut = { .timestamp = 0 };
    cut.timestamp = (names & NAMES_TIMESTAMP) != 0 ? id->timestamp : 0;
    cut.customer_id = (names & NAMES_CUSTOMER) != 0 ? id->customer_id : 0;
    cut.type = (names & NAMES_TYPE) != 0 ? id->type : VG_EVENT_TYPE_UNSET;
    if ((names & NAMES_UUID) != 0) {
        cut.uuid = id->uuid;
    }
    return cut;
}

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
    const struct vg_event_id id = cut_to(&event->id, set->names);
    (void)error;
    *out_matches = bsearch(&id, set->ids, set->count, sizeof(*set->ids), compare_ids) != NULL;
    return VG_OK;
}

/* What a column is asked for: the numbers of one part of any identity. */
static void add_part(
    struct vg_term_list *terms,
    uint32_t column,
    const struct id_set *set,
    int64_t (*part)(const struct vg_event_id *id))
{
    int64_t *numbers = vg_arena_calloc(terms->arena, set->count, sizeof(*numbers));
    for (size_t i = 0; numbers != NULL && i < set->count; i++) {
        numbers[i] = part(&set->ids[i]);
    }
    vg_term_list_add(
        terms,
        numbers == NULL
            ? NULL
            : vg_predicate_number_in(terms->arena, column, numbers, (uint32_t)set->count));
}

static int64_t timestamp_of(const struct vg_event_id *id)
{
    return id->timestamp;
}

static int64_t customer_of(const struct vg_event_id *id)
{
    return id->customer_id;
}

static int64_t type_of(const struct vg_event_id *id)
{
    return id->type;
}

static void add_uuids(struct vg_term_list *terms, const struct id_set *set)
{
    struct vg_bytes *uuids = vg_arena_calloc(terms->arena, set->count, sizeof(*uuids));
    for (size_t i = 0; uuids != NULL && i < set->count; i++) {
        uuids[i] = vg_bytes(set->ids[i].uuid.bytes, sizeof(set->ids[i].uuid.bytes));
    }
    vg_term_list_add(
        terms,
        uuids == NULL ? NULL
                      : vg_predicate_bytes_in(
                            terms->arena,
                            VG_EVENT_COLUMN_UUID,
                            uuids,
                            (uint32_t)set->count));
}

/* The events whose parts `names` are those of one of the identities, which are `names` cut out. */
static const struct vg_predicate *match_set(
    struct vg_arena *arena,
    struct vg_event_id *ids,
    size_t count,
    unsigned names)
{
    struct id_set *set = vg_arena_alloc(arena, sizeof(*set));
    struct vg_term_list terms;
    if (set == NULL) {
        return NULL;
    }
    if (names == 0) {
        return vg_predicate_all(arena);
    }
    qsort(ids, count, sizeof(*ids), compare_ids);
    *set = (struct id_set){ .ids = ids, .count = count, .names = names };
    vg_term_list_init(&terms, arena);
    if ((names & NAMES_TIMESTAMP) != 0) {
        add_part(&terms, VG_EVENT_COLUMN_TIMESTAMP, set, timestamp_of);
    }
    if ((names & NAMES_CUSTOMER) != 0) {
        add_part(&terms, VG_EVENT_COLUMN_CUSTOMER, set, customer_of);
    }
    if ((names & NAMES_TYPE) != 0) {
        add_part(&terms, VG_EVENT_COLUMN_TYPE, set, type_of);
    }
    if ((names & NAMES_UUID) != 0) {
        add_uuids(&terms, set);
    }
    if (terms.count > 1) {
        /* Each part is that of some identity: of the same one, tells the record. */
        vg_term_list_add(
            &terms,
            vg_predicate_tokens(arena, VG_EVENT_COLUMN_PROPERTY_TOKENS, NULL, 0, confirm, set));
    }
    return vg_term_list_and(&terms);
}

const struct vg_predicate *vg_criteria_id_any(
    struct vg_arena *arena,
    struct vg_event_id *ids,
    size_t count)
{
    return count == 0 ? vg_predicate_none(arena) : match_set(arena, ids, count, NAMES_ALL);
}

/* One question for all identities that name the same parts; how many questions that are. */
static uint32_t match_sets(
    struct vg_criteria_term *at,
    const struct parts *parts,
    size_t count,
    const struct vg_predicate **out_any)
{
    uint32_t used = 0;
    for (unsigned names = 0; names <= NAMES_ALL; names++) {
        struct vg_event_id *ids = NULL;
        size_t taken = 0;
        for (size_t i = 0; i < count; i++) {
            if (parts[i].foreign || names_of(&parts[i]) != names) {
                continue; /* a foreign one adds nothing to the others */
            }
            if (ids == NULL) {
                ids = vg_criteria_term_take(at, count, sizeof(*ids));
            }
            if (ids == NULL) {
                return used;
            }
            ids[taken++] = cut_to(&parts[i].id, names);
        }
        if (taken != 0) {
            out_any[used++] = match_set(at->context->arena, ids, taken, names);
        }
    }
    return used;
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
    const struct vg_predicate **any =
        vg_criteria_term_take(at, count + NAMES_ALL + 1, sizeof(*any));
    if (parts == NULL || any == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_parts(at, i, &parts[i]);
    }
    if (count > VG_CRITERIA_ID_FEW) {
        uint32_t used = match_sets(at, parts, count, any);
        vg_term_list_add(&at->terms, vg_predicate_or(arena, any, used));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        any[i] = match_parts(arena, &parts[i]);
    }
    vg_term_list_add(&at->terms, vg_predicate_or(arena, any, (uint32_t)count));
}
