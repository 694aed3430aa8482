#include "core/samples/submission_criteria.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/hex.h"
#include "core/base/limits.h"
#include "core/query/criteria_path.h"
#include "core/query/sub_criteria.h"
#include "core/query/time_match.h"
#include "core/samples/keyword_match.h"
#include "core/samples/submission_table.h"

/* A criteria object on its way to a predicate. */
struct term {
    const struct vg_submission_criteria_context *context;
    const struct vg_submission_criteria *criteria;
    struct vg_criteria_path path;
    unsigned depth;
    struct vg_violations *violations;
    struct vg_term_list terms;
};

/* ---------------------------------------------------------------------------------- violations */

static void blame(struct term *at, const char *field, size_t index, const char *message)
{
    vg_criteria_path_blame(
        &at->path,
        &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                     .field = field,
                                     .index = index,
                                     .message = message },
        at->violations);
}

static void *take(struct term *at, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(at->context->arena, count, size);
    if (memory == NULL) {
        at->terms.failed = true;
    }
    return memory;
}

/* ---------------------------------------------------------------------------- keywords and time */

static void add_keywords(struct term *at)
{
    const struct vg_submission_criteria *criteria = at->criteria;
    const struct vg_text_list *keywords = &criteria->keywords;
    bool is_empty = false;
    for (size_t i = 0; i < keywords->count; i++) {
        if (keywords->items[i][0] == '\0') {
            blame(at, "keywords", i, "A keyword must not be empty");
            is_empty = true;
        }
    }
    if (keywords->count == 0 || is_empty) {
        return;
    }
    vg_term_list_add(
        &at->terms,
        vg_keyword_match_predicate(
            at->context->arena,
            keywords,
            criteria->keyword_fields,
            criteria->keywords_all));
}

static void add_times(struct term *at)
{
    static const uint32_t columns[] = {
        [VG_SUBMISSION_TIME_SUBMITTED] = VG_SUBMISSION_COLUMN_SUBMITTED,
        [VG_SUBMISSION_TIME_OBSERVED] = VG_SUBMISSION_COLUMN_OBSERVED,
        [VG_SUBMISSION_TIME_EXPIRY] = VG_SUBMISSION_COLUMN_EXPIRY,
    };
    const struct vg_submission_criteria *criteria = at->criteria;
    const struct vg_time_range range = {
        .start = criteria->has_start ? criteria->start : VG_TIME_UNBOUNDED_START,
        .end = criteria->has_end ? criteria->end : VG_TIME_UNBOUNDED_END,
    };
    bool all =
        criteria->time_fields == 0 || (criteria->time_fields >> VG_SUBMISSION_TIME_ALL & 1) != 0;
    uint32_t wanted[VG_ARRAY_COUNT(columns)];
    uint32_t count = 0;
    for (uint32_t field = VG_SUBMISSION_TIME_SUBMITTED; field < VG_SUBMISSION_TIME_ALL; field++) {
        if (all || (criteria->time_fields >> field & 1) != 0) {
            wanted[count++] = columns[field];
        }
    }
    (criteria->times_all ? vg_time_match_all
                         : vg_time_match_any)(&at->terms, &range, wanted, count);
}

/* -------------------------------------------------------------------------------------- members */

static void add_texts(struct term *at, uint32_t column, const struct vg_text_list *list)
{
    struct vg_bytes *values = list->count == 0 ? NULL : take(at, list->count, sizeof(*values));
    if (values == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        values[i] = vg_bytes_text(list->items[i]);
    }
    vg_term_list_add(
        &at->terms,
        vg_predicate_bytes_in(at->context->arena, column, values, (uint32_t)list->count));
}

/* Ids and digests as bytes; what is none of them matches nothing. */
static void add_fixed(
    struct term *at,
    uint32_t column,
    const struct vg_text_list *list,
    bool (*parse)(const char *text, uint8_t *out_bytes),
    size_t size)
{
    struct vg_bytes *values = list->count == 0 ? NULL : take(at, list->count, sizeof(*values));
    uint8_t *bytes = values == NULL ? NULL : take(at, list->count, size);
    uint32_t count = 0;
    for (size_t i = 0; bytes != NULL && i < list->count; i++) {
        if (parse(list->items[i], bytes + count * size)) {
            values[count] = vg_bytes(bytes + count * size, size);
            count++;
        }
    }
    if (bytes != NULL) {
        vg_term_list_add(
            &at->terms,
            vg_predicate_bytes_in(at->context->arena, column, values, count));
    }
}

static bool parse_uuid(const char *text, uint8_t *out_bytes)
{
    struct vg_uuid uuid;
    bool is_one = vg_uuid_parse(vg_bytes_text(text), &uuid);
    if (is_one) {
        memcpy(out_bytes, uuid.bytes, sizeof(uuid.bytes));
    }
    return is_one;
}

static bool parse_digest(const char *text, uint8_t *out_bytes)
{
    struct vg_bytes digits = vg_bytes_text(text);
    return digits.size == (size_t)VG_SHA256_SIZE * 2 && vg_hex_decode(digits, out_bytes);
}

/* A name nobody has is left out, and so matches nothing. */
static void add_customers(struct term *at)
{
    const struct vg_text_list *list = &at->criteria->customers;
    int64_t *ids = list->count == 0 ? NULL : take(at, list->count, sizeof(*ids));
    uint32_t count = 0;
    for (size_t i = 0; ids != NULL && i < list->count; i++) {
        const struct vg_customer *customer = vg_directory_customer_named(
            at->context->viewer.directory,
            vg_bytes_text(list->items[i]));
        if (customer != NULL) {
            ids[count++] = customer->id;
        }
    }
    if (ids != NULL) {
        vg_term_list_add(
            &at->terms,
            vg_predicate_number_in(at->context->arena, VG_SUBMISSION_COLUMN_CUSTOMER, ids, count));
    }
}

static void add_codes(struct term *at)
{
    const struct vg_submission_criteria *criteria = at->criteria;
    struct vg_arena *arena = at->context->arena;
    int64_t *tlp = criteria->tlp.count == 0 ? NULL : take(at, criteria->tlp.count, sizeof(*tlp));
    for (size_t i = 0; tlp != NULL && i < criteria->tlp.count; i++) {
        tlp[i] = criteria->tlp.items[i];
    }
    if (tlp != NULL) {
        vg_term_list_add(
            &at->terms,
            vg_predicate_number_in(
                arena,
                VG_SUBMISSION_COLUMN_TLP,
                tlp,
                (uint32_t)criteria->tlp.count));
    }
    if (criteria->include_flags != 0) {
        vg_term_list_add(
            &at->terms,
            vg_predicate_flags_any(arena, VG_SUBMISSION_COLUMN_FLAGS, criteria->include_flags));
    }
    if (criteria->exclude_flags != 0) {
        const struct vg_predicate *any =
            vg_predicate_flags_any(arena, VG_SUBMISSION_COLUMN_FLAGS, criteria->exclude_flags);
        vg_term_list_add(&at->terms, any == NULL ? NULL : vg_predicate_not(arena, any));
    }
}

/* ------------------------------------------------------------------------ metadata, user agents */

static const struct vg_predicate *match_meta(
    struct term *at,
    const struct vg_submission_meta_criteria *meta)
{
    struct vg_arena *arena = at->context->arena;
    struct vg_bytes key = vg_bytes_text(meta->path);
    if (meta->values.count == 0) {
        return vg_keyword_match_key(arena, key);
    }
    struct vg_bytes *values = take(at, meta->values.count, sizeof(*values));
    for (size_t i = 0; values != NULL && i < meta->values.count; i++) {
        values[i] = vg_submission_meta_text(key, vg_bytes_text(meta->values.items[i]), arena);
        if (values[i].data == NULL) {
            return NULL;
        }
    }
    return values == NULL ? NULL
                          : vg_predicate_bytes_in(
                                arena,
                                VG_SUBMISSION_COLUMN_META_DATA,
                                values,
                                (uint32_t)meta->values.count);
}

static void add_meta(struct term *at)
{
    size_t count = at->criteria->meta_count;
    struct vg_sub_criteria *elements = count == 0 ? NULL : take(at, count, sizeof(*elements));
    for (size_t i = 0; elements != NULL && i < count; i++) {
        const struct vg_submission_meta_criteria *meta = &at->criteria->meta[i];
        elements[i] = (struct vg_sub_criteria){ .predicate = match_meta(at, meta),
                                                .exclude = meta->exclude,
                                                .required = meta->required };
        at->terms.failed = at->terms.failed || elements[i].predicate == NULL;
    }
    if (elements != NULL && !at->terms.failed) {
        vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
    }
}

/* One of the programs: inside each entry both have to match. An entry without either is none. */
static void add_agents(struct term *at)
{
    size_t count = at->criteria->agent_count;
    const struct vg_predicate **any = count == 0 ? NULL : take(at, count, sizeof(*any));
    uint32_t found = 0;
    for (size_t i = 0; any != NULL && i < count; i++) {
        const struct vg_submission_agent_criteria *agent = &at->criteria->agents[i];
        struct term entry = { .context = at->context };
        vg_term_list_init(&entry.terms, at->context->arena);
        add_texts(&entry, VG_SUBMISSION_COLUMN_AGENT_NAME, &agent->names);
        add_texts(&entry, VG_SUBMISSION_COLUMN_AGENT_VERSION, &agent->versions);
        any[found] = vg_term_list_and(&entry.terms);
        found += any[found] != NULL;
        at->terms.failed = at->terms.failed || entry.terms.failed;
    }
    if (found != 0) {
        vg_term_list_add(&at->terms, vg_predicate_or(at->context->arena, any, found));
    }
}

/* ----------------------------------------------------------------------------------- the whole */

static const struct vg_predicate *compile(struct term *at);

static void add_sub_criteria(struct term *at)
{
    size_t count = at->criteria->sub_criteria_count;
    if (count == 0) {
        return;
    }
    if (at->depth >= VG_LIMIT_CRITERIA_DEPTH) {
        blame(at, "subCriteria", SIZE_MAX, "Sub-criteria are nested too deeply");
        return;
    }
    struct vg_sub_criteria *elements = take(at, count, sizeof(*elements));
    for (size_t i = 0; elements != NULL && i < count; i++) {
        const struct vg_submission_sub_criteria *element = &at->criteria->sub_criteria[i];
        struct term inner = {
            .context = at->context,
            .criteria = element->criteria,
            .path = { .parent = &at->path, .name = "subCriteria", .index = i },
            .depth = at->depth + 1,
            .violations = at->violations,
        };
        elements[i] = (struct vg_sub_criteria){ .predicate = compile(&inner),
                                                .exclude = element->exclude,
                                                .required = element->required };
        at->terms.failed = at->terms.failed || inner.terms.failed;
    }
    if (elements != NULL) {
        vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
    }
}

/* NULL: no restriction, or the arena is full (terms.failed). */
static const struct vg_predicate *compile(struct term *at)
{
    const struct vg_submission_criteria *criteria = at->criteria;
    vg_term_list_init(&at->terms, at->context->arena);
    add_times(at);
    add_customers(at);
    add_codes(at);
    add_fixed(at, VG_SUBMISSION_COLUMN_UUID, &criteria->ids, parse_uuid, sizeof(struct vg_uuid));
    add_fixed(at, VG_SUBMISSION_COLUMN_SAMPLE, &criteria->samples, parse_digest, VG_SHA256_SIZE);
    add_texts(at, VG_SUBMISSION_COLUMN_MIME_TYPE, &criteria->mime_types);
    add_texts(at, VG_SUBMISSION_COLUMN_FILE_NAME, &criteria->file_names);
    add_agents(at);
    add_meta(at);
    add_keywords(at);
    add_sub_criteria(at);
    return vg_term_list_and(&at->terms);
}

enum vg_reason vg_submission_criteria_compile(
    const struct vg_submission_criteria *criteria,
    const struct vg_submission_criteria_context *context,
    const struct vg_predicate **out_predicate,
    struct vg_error *error)
{
    static const uint32_t submitted = VG_SUBMISSION_COLUMN_SUBMITTED;
    const struct vg_time_range window = { context->index_start, context->index_end };
    struct term at = {
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
    vg_term_list_add(&terms, vg_submission_access_predicate(&context->viewer, context->arena));
    vg_time_match_any(&terms, &window, &submitted, 1);
    if (asked != NULL) {
        vg_term_list_add(&terms, asked);
    }
    const struct vg_predicate *whole = vg_term_list_and(&terms);
    if (whole == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_predicate = whole;
    return VG_OK;
}
