#include "core/samples/sample_criteria.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/hex.h"
#include "core/base/limits.h"
#include "core/base/text_number.h"
#include "core/query/criteria_path.h"
#include "core/query/sub_criteria.h"
#include "core/query/time_match.h"
#include "core/record/sample_record.h"
#include "core/samples/sample_access.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_table.h"

/* A criteria object on its way to a predicate. */
struct term {
    const struct vg_sample_criteria_context *context;
    const struct vg_sample_criteria *criteria;
    struct vg_criteria_path path;
    unsigned depth;
    struct vg_sample_questions *questions;
    struct vg_error *error;
    struct vg_term_list terms;
};

static void blame(struct term *at, const char *field, size_t index, const char *message)
{
    vg_criteria_path_blame(
        &at->path,
        &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                     .field = field,
                                     .index = index,
                                     .message = message },
        &at->error->violations);
}

static void *take(struct term *at, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(at->context->arena, count, size);
    if (memory == NULL) {
        at->terms.failed = true;
    }
    return memory;
}

/* --------------------------------------------------------------------------- asking submissions */

/* A question about the sample: is there a submission that answers `where` with yes? Of a deleted
 * one there is none, also while some of them are still to be removed. */
static const struct vg_predicate *ask(struct term *at, const struct vg_predicate *where)
{
    struct vg_sample_questions *questions = at->questions;
    if (where == NULL) {
        at->terms.failed = true;
        return NULL;
    }
    if (questions->count == VG_ID_MARKS_MAX) {
        blame(at, "submission", SIZE_MAX, "The criteria ask too much about submissions");
        return vg_predicate_none(at->context->arena);
    }
    uint32_t mark = questions->count++;
    questions->items[mark] = where;
    struct vg_arena *arena = at->context->arena;
    const struct vg_predicate *both[] = {
        vg_predicate_absent(arena, VG_SAMPLE_COLUMN_DELETED),
        vg_predicate_marked(arena, VG_SAMPLE_COLUMN_SHA256, at->context->ids, mark),
    };
    return vg_predicate_and(arena, both, VG_ARRAY_COUNT(both));
}

/* The same of criteria about submissions, of those the caller sees. */
static const struct vg_predicate *ask_criteria(
    struct term *at,
    const struct vg_submission_criteria *criteria)
{
    const struct vg_submission_criteria_context context = {
        .viewer = at->context->viewer,
        .index_start = VG_TIME_UNBOUNDED_START,
        .index_end = VG_TIME_UNBOUNDED_END,
        .arena = at->context->arena,
    };
    const struct vg_predicate *where = NULL;
    if (criteria == NULL) {
        return NULL;
    }
    if (vg_submission_criteria_compile(criteria, &context, &where, at->error) != VG_OK) {
        at->terms.failed = true;
        return NULL;
    }
    return ask(at, where);
}

/* Criteria as long-lived as the predicates made of them; NULL when the arena is full. */
static struct vg_submission_criteria *new_criteria(struct term *at)
{
    return take(at, 1, sizeof(struct vg_submission_criteria));
}

/* The same of one question. */
static const struct vg_predicate *ask_visible(struct term *at, const struct vg_predicate *question)
{
    const struct vg_predicate *both[] = {
        vg_submission_access_predicate(&at->context->viewer, at->context->arena),
        question,
    };
    return ask(at, vg_predicate_and(at->context->arena, both, VG_ARRAY_COUNT(both)));
}

/* ------------------------------------------------------------------------------------- digests */

static void add_digests(
    struct term *at,
    uint32_t column,
    const struct vg_text_list *list,
    size_t size)
{
    struct vg_bytes *values = list->count == 0 ? NULL : take(at, list->count, sizeof(*values));
    uint8_t *bytes = values == NULL ? NULL : take(at, list->count, size);
    uint32_t count = 0;
    for (size_t i = 0; bytes != NULL && i < list->count; i++) {
        struct vg_bytes digits = vg_bytes_text(list->items[i]);
        if (digits.size == 2 * size && vg_hex_decode(digits, bytes + count * size)) {
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

/* ------------------------------------------------------------------------------------ keywords */

static const struct vg_predicate *match_keyword_field(struct term *at, unsigned field)
{
    static const uint32_t columns[VG_SAMPLE_KEYWORD_FIELD_COUNT] = {
        [VG_SAMPLE_KEYWORD_SHA256] = VG_SAMPLE_COLUMN_SHA256,
        [VG_SAMPLE_KEYWORD_SHA512] = VG_SAMPLE_COLUMN_SHA512,
        [VG_SAMPLE_KEYWORD_SHA1] = VG_SAMPLE_COLUMN_SHA1,
        [VG_SAMPLE_KEYWORD_MD5] = VG_SAMPLE_COLUMN_MD5,
        [VG_SAMPLE_KEYWORD_VERDICT] = VG_SAMPLE_COLUMN_VERDICT_COMMENT,
    };
    const struct vg_text_list *keywords = &at->criteria->keywords;
    struct vg_arena *arena = at->context->arena;
    if (field == VG_SAMPLE_KEYWORD_SUBMISSION) {
        struct vg_submission_criteria *criteria = new_criteria(at);
        if (criteria != NULL) {
            criteria->keywords = *keywords;
        }
        return ask_criteria(at, criteria);
    }
    if (field >= VG_SAMPLE_KEYWORD_ANALYSIS && field != VG_SAMPLE_KEYWORD_VERDICT) {
        return vg_predicate_none(arena);
    }
    struct vg_bytes *texts = take(at, keywords->count, sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < keywords->count; i++) {
        texts[i] = vg_bytes_text(keywords->items[i]);
    }
    return texts == NULL ? NULL
                         : vg_predicate_contains(
                               arena,
                               columns[field],
                               texts,
                               (uint32_t)keywords->count,
                               NULL,
                               NULL);
}

static void add_keywords(struct term *at)
{
    const struct vg_sample_criteria *criteria = at->criteria;
    bool is_empty = false;
    for (size_t i = 0; i < criteria->keywords.count; i++) {
        if (criteria->keywords.items[i][0] == '\0') {
            blame(at, "keywords", i, "A keyword must not be empty");
            is_empty = true;
        }
    }
    if (criteria->keywords.count == 0 || is_empty) {
        return;
    }
    bool is_union = criteria->keyword_fields == 0 ||
                    (criteria->keyword_fields >> VG_SAMPLE_KEYWORD_ALL & 1) != 0;
    const struct vg_predicate *fields[VG_SAMPLE_KEYWORD_FIELD_COUNT];
    uint32_t count = 0;
    for (unsigned field = VG_SAMPLE_KEYWORD_SHA256; field < VG_SAMPLE_KEYWORD_FIELD_COUNT;
         field++) {
        if (is_union || (criteria->keyword_fields >> field & 1) != 0) {
            fields[count++] = match_keyword_field(at, field);
        }
    }
    vg_term_list_add(
        &at->terms,
        criteria->keywords_all && !is_union ? vg_predicate_and(at->context->arena, fields, count)
                                            : vg_predicate_or(at->context->arena, fields, count));
}

/* --------------------------------------------------------------------------------------- times */

/* A time that is compared: whether it lies in the range, and whether there is one. */
struct compared {
    const struct vg_predicate *within;
    const struct vg_predicate *there;
};

static struct compared compare_column(
    struct term *at,
    uint32_t column,
    const struct vg_time_range *range)
{
    struct vg_arena *arena = at->context->arena;
    return (struct compared){
        .within = range->start > range->end
                      ? vg_predicate_none(arena)
                      : vg_predicate_range(arena, column, range->start, range->end),
        .there = vg_predicate_not(arena, vg_predicate_absent(arena, column)),
    };
}

/* Of a submission one will do. */
static struct compared compare_submissions(
    struct term *at,
    uint32_t column,
    const struct vg_time_range *range)
{
    struct compared of_one = compare_column(at, column, range);
    return (struct compared){
        .within = ask_visible(at, of_one.within),
        /* Whoever is asked about all of them has to know which are there. */
        .there = at->criteria->times_all ? ask_visible(at, of_one.there) : of_one.there,
    };
}

static bool compare_field(
    struct term *at,
    unsigned field,
    const struct vg_time_range *range,
    struct compared *out_compared)
{
    switch ((enum vg_sample_time_field)field) {
    case VG_SAMPLE_TIME_CREATED:
        *out_compared = compare_column(at, VG_SAMPLE_COLUMN_CREATED, range);
        return true;
    case VG_SAMPLE_TIME_FIRST_SUBMITTED:
        *out_compared = compare_column(at, VG_SAMPLE_COLUMN_FIRST_SUBMITTED, range);
        return true;
    case VG_SAMPLE_TIME_LAST_SUBMITTED:
        *out_compared = compare_column(at, VG_SAMPLE_COLUMN_LAST_SUBMITTED, range);
        return true;
    case VG_SAMPLE_TIME_SUBMISSION_CREATED:
        *out_compared = compare_submissions(at, VG_SUBMISSION_COLUMN_SUBMITTED, range);
        return true;
    case VG_SAMPLE_TIME_SUBMISSION_OBSERVED:
        *out_compared = compare_submissions(at, VG_SUBMISSION_COLUMN_OBSERVED, range);
        return true;
    case VG_SAMPLE_TIME_SUBMISSION_EXPIRY:
        *out_compared = compare_submissions(at, VG_SUBMISSION_COLUMN_EXPIRY, range);
        return true;
    case VG_SAMPLE_TIME_ALL:
    case VG_SAMPLE_TIME_CLASSIFICATION:
    case VG_SAMPLE_TIME_ANALYSIS:
    case VG_SAMPLE_TIME_LINK:
    case VG_SAMPLE_TIME_FIELD_COUNT:
        break;
    }
    return false;
}

/* Any: one of the times lies in the range. All: each that is there does, and at least one is. */
static void add_times(struct term *at)
{
    const struct vg_sample_criteria *criteria = at->criteria;
    const struct vg_time_range range = {
        .start = criteria->has_start ? criteria->start : VG_TIME_UNBOUNDED_START,
        .end = criteria->has_end ? criteria->end : VG_TIME_UNBOUNDED_END,
    };
    if (!vg_time_range_is_bounded(&range)) {
        return;
    }
    bool all = criteria->time_fields == 0 || (criteria->time_fields >> VG_SAMPLE_TIME_ALL & 1) != 0;
    const struct vg_predicate *within[VG_SAMPLE_TIME_FIELD_COUNT];
    const struct vg_predicate *there[VG_SAMPLE_TIME_FIELD_COUNT];
    uint32_t count = 0;
    struct vg_arena *arena = at->context->arena;
    for (unsigned field = VG_SAMPLE_TIME_CREATED; field < VG_SAMPLE_TIME_FIELD_COUNT; field++) {
        struct compared compared;
        if ((all || (criteria->time_fields >> field & 1) != 0) &&
            compare_field(at, field, &range, &compared)) {
            within[count] = compared.within;
            there[count++] = compared.there;
        }
    }
    if (!criteria->times_all) {
        vg_term_list_add(&at->terms, vg_predicate_or(arena, within, count));
        return;
    }
    vg_term_list_add(&at->terms, vg_predicate_or(arena, there, count));
    for (uint32_t i = 0; i < count && !at->terms.failed; i++) {
        const struct vg_predicate *either[] = { vg_predicate_not(arena, there[i]), within[i] };
        vg_term_list_add(&at->terms, vg_predicate_or(arena, either, VG_ARRAY_COUNT(either)));
    }
}

/* ------------------------------------------------------------------- customers, colours, users */

static void add_customers(struct term *at)
{
    if (at->criteria->customers.count != 0) {
        struct vg_submission_criteria *criteria = new_criteria(at);
        if (criteria != NULL) {
            criteria->customers = at->criteria->customers;
        }
        vg_term_list_add(&at->terms, ask_criteria(at, criteria));
    }
}

static void add_tlp(struct term *at)
{
    if (at->criteria->tlp.count != 0) {
        struct vg_submission_criteria *criteria = new_criteria(at);
        if (criteria != NULL) {
            criteria->tlp = at->criteria->tlp;
        }
        vg_term_list_add(&at->terms, ask_criteria(at, criteria));
    }
}

/* An id, or a short name; what nobody is called matches nothing. */
static bool find_user(const struct term *at, const char *text, int64_t *out_id)
{
    if (vg_text_number_parse_int64(vg_bytes_text(text), out_id)) {
        return true;
    }
    const struct vg_user *user =
        vg_directory_user_named(at->context->viewer.directory, vg_bytes_text(text));
    if (user != NULL) {
        *out_id = user->id;
    }
    return user != NULL;
}

static const struct vg_predicate *match_users(struct term *at)
{
    const struct vg_text_list *list = &at->criteria->users;
    int64_t *ids = take(at, list->count, sizeof(*ids));
    uint32_t count = 0;
    for (size_t i = 0; ids != NULL && i < list->count; i++) {
        count += find_user(at, list->items[i], &ids[count]);
    }
    return ids == NULL ? NULL
                       : ask_visible(
                             at,
                             vg_predicate_number_in(
                                 at->context->arena,
                                 VG_SUBMISSION_COLUMN_USER,
                                 ids,
                                 count));
}

/* Nobody analysed or linked anything: asked for besides, it decides under `all`; ALL counts as one
 * field, as it does for keywords. */
static void add_users(struct term *at)
{
    const struct vg_sample_criteria *criteria = at->criteria;
    if (criteria->users.count == 0) {
        return;
    }
    bool is_union =
        criteria->user_fields == 0 || (criteria->user_fields >> VG_SAMPLE_USER_ALL & 1) != 0;
    bool submitted = is_union || (criteria->user_fields >> VG_SAMPLE_USER_SUBMITTED & 1) != 0;
    bool others = (criteria->user_fields >> VG_SAMPLE_USER_ANALYSED & 3) != 0;
    bool none = !submitted || (criteria->users_all && others && !is_union);
    vg_term_list_add(&at->terms, none ? vg_predicate_none(at->context->arena) : match_users(at));
}

/* ------------------------------------------------------------------------------- sub-resources */

static bool says_anything(const struct vg_submission_criteria *criteria)
{
    return criteria->file_names.count != 0 || criteria->mime_types.count != 0 ||
           criteria->meta_count != 0 || criteria->agent_count != 0 ||
           criteria->include_flags != 0 || criteria->exclude_flags != 0;
}

static void add_submissions(struct term *at)
{
    size_t count = at->criteria->submission_count;
    struct vg_sub_criteria *elements = count == 0 ? NULL : take(at, count, sizeof(*elements));
    for (size_t i = 0; elements != NULL && i < count && !at->terms.failed; i++) {
        const struct vg_sample_submission_criteria *entry = &at->criteria->submissions[i];
        elements[i] = (struct vg_sub_criteria){
            .predicate =
                says_anything(&entry->criteria) ? ask_criteria(at, &entry->criteria) : NULL,
            .exclude = entry->exclude,
            .required = entry->required,
        };
    }
    if (elements != NULL && !at->terms.failed) {
        vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
    }
}

static bool verdict_matches(
    const struct vg_sample_verdict_criteria *criteria,
    int32_t score,
    uint32_t flags)
{
    return (!criteria->has_minimum || score >= criteria->minimum) &&
           (!criteria->has_maximum || score <= criteria->maximum) &&
           (criteria->include_flags == 0 || (flags & criteria->include_flags) != 0) &&
           (flags & criteria->exclude_flags) == 0;
}

/* All marks that a verdict can have which matches. */
static const struct vg_predicate *match_verdict(
    struct term *at,
    const struct vg_sample_verdict_criteria *criteria)
{
    if (criteria->has_tags) {
        return vg_predicate_none(at->context->arena);
    }
    int64_t *marks = take(at, VG_VERDICT_MARKS_MAX, sizeof(*marks));
    uint32_t count = 0;
    for (int32_t score = VG_VERDICT_SCORE_MIN; marks != NULL && score <= VG_VERDICT_SCORE_MAX;
         score++) {
        for (uint32_t flags = 0; flags < 1u << VG_VERDICT_FLAGS_MAX; flags++) {
            if (verdict_matches(criteria, score, flags)) {
                marks[count++] = vg_sample_verdict_mark(score, flags);
            }
        }
    }
    return marks == NULL ? NULL
                         : vg_predicate_number_in(
                               at->context->arena,
                               VG_SAMPLE_COLUMN_VERDICTS,
                               marks,
                               count);
}

static void add_verdicts(struct term *at)
{
    size_t count = at->criteria->verdict_count;
    struct vg_sub_criteria *elements = count == 0 ? NULL : take(at, count, sizeof(*elements));
    for (size_t i = 0; elements != NULL && i < count && !at->terms.failed; i++) {
        const struct vg_sample_verdict_criteria *entry = &at->criteria->verdicts[i];
        bool says = entry->has_minimum || entry->has_maximum || entry->has_tags ||
                    entry->include_flags != 0 || entry->exclude_flags != 0;
        elements[i] = (struct vg_sub_criteria){
            .predicate = says ? match_verdict(at, entry) : NULL,
            .exclude = entry->exclude,
            .required = entry->required,
        };
        at->terms.failed = at->terms.failed || (says && elements[i].predicate == NULL);
    }
    if (elements != NULL && !at->terms.failed) {
        vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
    }
}

static void add_absent(struct term *at, size_t kind)
{
    size_t count = at->criteria->absent_count[kind];
    struct vg_sub_criteria *elements = count == 0 ? NULL : take(at, count, sizeof(*elements));
    for (size_t i = 0; elements != NULL && i < count; i++) {
        const struct vg_sample_absent_criteria *entry = &at->criteria->absent[kind][i];
        elements[i] = (struct vg_sub_criteria){
            .predicate = entry->is_restricting ? vg_predicate_none(at->context->arena) : NULL,
            .exclude = entry->exclude,
            .required = entry->required,
        };
    }
    if (elements != NULL) {
        vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
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
    for (size_t i = 0; elements != NULL && i < count && !at->terms.failed; i++) {
        const struct vg_sample_sub_criteria *element = &at->criteria->sub_criteria[i];
        struct term inner = *at;
        inner.criteria = element->criteria;
        inner.path =
            (struct vg_criteria_path){ .parent = &at->path, .name = "subCriteria", .index = i };
        inner.depth = at->depth + 1;
        elements[i] = (struct vg_sub_criteria){ .predicate = compile(&inner),
                                                .exclude = element->exclude,
                                                .required = element->required };
        at->terms.failed = at->terms.failed || inner.terms.failed;
    }
    if (elements != NULL && !at->terms.failed) {
        vg_sub_criteria_add(&at->terms, elements, (uint32_t)count);
    }
}

/* NULL: no restriction, or it went wrong (terms.failed). */
static const struct vg_predicate *compile(struct term *at)
{
    const struct vg_sample_criteria *criteria = at->criteria;
    vg_term_list_init(&at->terms, at->context->arena);
    add_digests(at, VG_SAMPLE_COLUMN_SHA256, &criteria->sha256, VG_SHA256_SIZE);
    add_digests(at, VG_SAMPLE_COLUMN_SHA512, &criteria->sha512, VG_SHA512_SIZE);
    add_digests(at, VG_SAMPLE_COLUMN_SHA1, &criteria->sha1, VG_SHA1_SIZE);
    add_digests(at, VG_SAMPLE_COLUMN_MD5, &criteria->md5, VG_MD5_SIZE);
    add_keywords(at);
    add_times(at);
    add_customers(at);
    add_tlp(at);
    add_users(at);
    add_submissions(at);
    add_verdicts(at);
    for (size_t kind = 0; kind < VG_ARRAY_COUNT(criteria->absent); kind++) {
        add_absent(at, kind);
    }
    add_sub_criteria(at);
    return vg_term_list_and(&at->terms);
}

/* A sample is seen through a submission; what is left of a deleted one by administrators alone. */
static const struct vg_predicate *seen(struct term *at)
{
    struct vg_arena *arena = at->context->arena;
    const struct vg_predicate *alive =
        ask(at, vg_submission_access_predicate(&at->context->viewer, arena));
    if (!vg_sample_access_sees_deleted(at->context->viewer.principal)) {
        return alive;
    }
    const struct vg_predicate *there = vg_predicate_absent(arena, VG_SAMPLE_COLUMN_DELETED);
    const struct vg_predicate *either[] = { alive, vg_predicate_not(arena, there) };
    return vg_predicate_or(arena, either, VG_ARRAY_COUNT(either));
}

enum vg_reason vg_sample_criteria_compile(
    const struct vg_sample_criteria *criteria,
    const struct vg_sample_criteria_context *context,
    const struct vg_predicate **out_predicate,
    struct vg_sample_questions *out_questions,
    struct vg_error *error)
{
    struct term top = {
        .context = context,
        .criteria = criteria,
        .depth = 0,
        .questions = out_questions,
        .error = error,
    };
    out_questions->count = 0;
    struct vg_term_list all;
    vg_term_list_init(&all, context->arena);
    vg_term_list_add(&all, seen(&top));
    VG_ASSERT(out_questions->count == VG_SAMPLE_MARK_VISIBLE + 1 || all.failed);
    vg_term_list_add(
        &all,
        context->index_start > context->index_end ? vg_predicate_none(context->arena)
                                                  : vg_predicate_range(
                                                        context->arena,
                                                        VG_SAMPLE_COLUMN_CHANGED,
                                                        context->index_start,
                                                        context->index_end));
    const struct vg_predicate *asked = compile(&top);
    enum vg_reason reason = vg_error_from_violations(error);
    if (reason != VG_OK) {
        return reason;
    }
    if (asked != NULL) {
        vg_term_list_add(&all, asked);
    }
    const struct vg_predicate *whole = vg_term_list_and(&all);
    if (whole == NULL || all.failed || top.terms.failed) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_predicate = whole;
    return VG_OK;
}
