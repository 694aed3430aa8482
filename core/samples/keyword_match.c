#include "core/samples/keyword_match.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/case_fold.h"
#include "core/record/submission_record.h"
#include "core/samples/submission_criteria.h"
#include "core/samples/submission_table.h"

/* Folded keywords and what of a record they are looked for in. */
struct keyword_match {
    const struct vg_bytes *folded;
    uint32_t count;
    uint32_t column;
};

/* ------------------------------------------------------------------------- asked of the record */

/* False without memory. */
static bool holds_any(const struct keyword_match *match, struct vg_bytes text, bool *out_holds)
{
    uint8_t *folded = malloc(vg_case_fold_room(text.size));
    if (folded == NULL) {
        return false;
    }
    size_t size = vg_case_fold(text, folded);
    for (uint32_t i = 0; i < match->count && !*out_holds; i++) {
        *out_holds = memmem(folded, size, match->folded[i].data, match->folded[i].size) != NULL;
    }
    free(folded);
    return true;
}

static enum vg_reason confirm_text(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    const struct keyword_match *match = owner;
    const struct vg_submission_record *submission = record;
    bool holds = false;
    bool had_memory = true;
    switch (match->column) {
    case VG_SUBMISSION_COLUMN_FILE_NAME:
        had_memory = holds_any(match, submission->file_name, &holds);
        break;
    case VG_SUBMISSION_COLUMN_MIME_TYPE:
        had_memory = holds_any(match, submission->mime_type, &holds);
        break;
    case VG_SUBMISSION_COLUMN_AGENT_NAME:
        had_memory = holds_any(match, submission->agent_name, &holds);
        break;
    case VG_SUBMISSION_COLUMN_AGENT_VERSION:
        had_memory = holds_any(match, submission->agent_version, &holds);
        break;
    default:
        for (size_t i = 0; had_memory && !holds && i < submission->meta_count; i++) {
            had_memory = holds_any(match, submission->meta[i].key, &holds) &&
                         holds_any(match, submission->meta[i].value, &holds);
        }
        break;
    }
    *out_matches = holds;
    return had_memory ? VG_OK : vg_error_set(error, VG_REQUEST_MEMORY, NULL);
}

static enum vg_reason confirm_key(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    (void)error;
    const struct vg_bytes *key = owner;
    const struct vg_submission_record *submission = record;
    bool has = false;
    for (size_t i = 0; i < submission->meta_count; i++) {
        has = has || vg_bytes_equal(submission->meta[i].key, *key);
    }
    *out_matches = has;
    return VG_OK;
}

/* -------------------------------------------------------------------------- asked of the table */

/* What is needed to make the questions of one search. */
struct making {
    struct vg_arena *arena;
    struct vg_bytes *keywords;
    struct vg_bytes *folded;
    uint32_t count;
};

static const struct vg_predicate *match_text(const struct making *making, uint32_t column)
{
    struct keyword_match *match = vg_arena_alloc(making->arena, sizeof(*match));
    if (match == NULL) {
        return NULL;
    }
    *match = (struct keyword_match){ making->folded, making->count, column };
    return vg_predicate_contains(
        making->arena,
        column,
        making->keywords,
        making->count,
        confirm_text,
        match);
}

static const struct vg_predicate *match_digits(const struct making *making, uint32_t column)
{
    return vg_predicate_contains(
        making->arena,
        column,
        making->keywords,
        making->count,
        NULL,
        NULL);
}

/* Colours whose name holds a keyword; clear has two names. */
static const struct vg_predicate *match_tlp(const struct making *making)
{
    static const struct {
        const char *name;
        int64_t number;
    } colours[] = {
        { "red", VG_TLP_RED },     { "amber", VG_TLP_AMBER }, { "green", VG_TLP_GREEN },
        { "clear", VG_TLP_CLEAR }, { "white", VG_TLP_CLEAR },
    };
    int64_t numbers[VG_ARRAY_COUNT(colours)];
    uint32_t count = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(colours); i++) {
        bool holds = false;
        for (uint32_t k = 0; k < making->count && !holds; k++) {
            holds = memmem(
                        colours[i].name,
                        strlen(colours[i].name),
                        making->folded[k].data,
                        making->folded[k].size) != NULL;
        }
        if (holds) {
            numbers[count++] = colours[i].number;
        }
    }
    return vg_predicate_number_in(making->arena, VG_SUBMISSION_COLUMN_TLP, numbers, count);
}

static const struct vg_predicate *match_agent(const struct making *making)
{
    const struct vg_predicate *either[] = {
        match_text(making, VG_SUBMISSION_COLUMN_AGENT_NAME),
        match_text(making, VG_SUBMISSION_COLUMN_AGENT_VERSION),
    };
    return vg_predicate_or(making->arena, either, VG_ARRAY_COUNT(either));
}

static const struct vg_predicate *match_field(const struct making *making, uint32_t field)
{
    switch (field) {
    case VG_SUBMISSION_KEYWORD_ID:
        return match_digits(making, VG_SUBMISSION_COLUMN_UUID);
    case VG_SUBMISSION_KEYWORD_SAMPLE:
        return match_digits(making, VG_SUBMISSION_COLUMN_SAMPLE);
    case VG_SUBMISSION_KEYWORD_FILE_NAME:
        return match_text(making, VG_SUBMISSION_COLUMN_FILE_NAME);
    case VG_SUBMISSION_KEYWORD_MIME_TYPE:
        return match_text(making, VG_SUBMISSION_COLUMN_MIME_TYPE);
    case VG_SUBMISSION_KEYWORD_META_DATA:
        return match_text(making, VG_SUBMISSION_COLUMN_META_DATA);
    case VG_SUBMISSION_KEYWORD_TLP:
        return match_tlp(making);
    default:
        return match_agent(making);
    }
}

static bool prepare(
    struct making *making,
    struct vg_arena *arena,
    const struct vg_text_list *keywords)
{
    making->arena = arena;
    making->keywords = vg_arena_alloc(arena, keywords->count * sizeof(*making->keywords));
    making->folded = vg_arena_alloc(arena, keywords->count * sizeof(*making->folded));
    bool has_memory = making->keywords != NULL && making->folded != NULL;
    for (size_t i = 0; has_memory && i < keywords->count; i++) {
        struct vg_bytes text = vg_bytes_text(keywords->items[i]);
        uint8_t *folded = vg_arena_alloc(arena, vg_case_fold_room(text.size));
        has_memory = folded != NULL;
        if (has_memory) {
            making->keywords[i] = text;
            making->folded[i] = vg_bytes(folded, vg_case_fold(text, folded));
        }
    }
    making->count = (uint32_t)keywords->count;
    return has_memory;
}

const struct vg_predicate *vg_keyword_match_predicate(
    struct vg_arena *arena,
    const struct vg_text_list *keywords,
    uint32_t fields,
    bool all)
{
    struct making making;
    if (!prepare(&making, arena, keywords)) {
        return NULL;
    }
    bool as_one = fields == 0 || (fields >> VG_SUBMISSION_KEYWORD_ALL & 1) != 0;
    const struct vg_predicate *each[VG_SUBMISSION_KEYWORD_FIELD_COUNT];
    uint32_t count = 0;
    for (uint32_t field = VG_SUBMISSION_KEYWORD_ID; field < VG_SUBMISSION_KEYWORD_FIELD_COUNT;
         field++) {
        if (as_one || (fields >> field & 1) != 0) {
            each[count++] = match_field(&making, field);
        }
    }
    return all && !as_one ? vg_predicate_and(arena, each, count)
                          : vg_predicate_or(arena, each, count);
}

const struct vg_predicate *vg_keyword_match_key(struct vg_arena *arena, struct vg_bytes key)
{
    struct vg_bytes *kept = vg_arena_alloc(arena, sizeof(*kept));
    struct vg_bytes prefix = vg_submission_meta_text(key, vg_bytes(NULL, 0), arena);
    if (kept == NULL || prefix.data == NULL) {
        return NULL;
    }
    *kept = key;
    return vg_predicate_prefix(arena, VG_SUBMISSION_COLUMN_META_DATA, prefix, confirm_key, kept);
}
