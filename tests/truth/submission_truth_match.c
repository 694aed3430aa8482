/* What criteria for submissions mean, one plain submission at a time (sampledb-api.md 4.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "tests/truth/submission_truth.h"

static const char *folded_by_hand(struct vg_arena *arena, const char *keyword)
{
    for (size_t i = 0; i < SUBMISSION_NEEDLES; i++) {
        if (strcmp(submission_needles[i].text, keyword) == 0) {
            return submission_needles[i].folded;
        }
    }
    char *lower = vg_arena_calloc(arena, 1, strlen(keyword) + 1);
    assert_non_null(lower);
    for (size_t i = 0; keyword[i] != '\0'; i++) {
        lower[i] = (char)(keyword[i] >= 'A' && keyword[i] <= 'Z' ? keyword[i] + 32 : keyword[i]);
    }
    return lower;
}

static bool field_holds(const struct plain_submission *plain, uint32_t field, const char *keyword)
{
    static const char *const colours[] = { "", "red", "amber", "green", "clear" };
    bool holds = false;
    switch (field) {
    case VG_SUBMISSION_KEYWORD_ID:
        return strstr(plain->id_text, keyword) != NULL;
    case VG_SUBMISSION_KEYWORD_SAMPLE:
        return strstr(plain->sample_text, keyword) != NULL;
    case VG_SUBMISSION_KEYWORD_FILE_NAME:
        return strstr(plain->name->folded, keyword) != NULL;
    case VG_SUBMISSION_KEYWORD_MIME_TYPE:
        return strstr(plain->type->folded, keyword) != NULL;
    case VG_SUBMISSION_KEYWORD_META_DATA:
        for (size_t i = 0; i < plain->meta_count; i++) {
            holds = holds || strstr(plain->meta[i].key->folded, keyword) != NULL ||
                    strstr(plain->meta[i].value->folded, keyword) != NULL;
        }
        return holds;
    case VG_SUBMISSION_KEYWORD_TLP:
        return strstr(colours[plain->tlp], keyword) != NULL ||
               (plain->tlp == 4 && strstr("white", keyword) != NULL);
    default:
        return strstr(plain->agent->folded, keyword) != NULL ||
               strstr(plain->version->folded, keyword) != NULL;
    }
}

static bool keywords_match(
    struct vg_arena *arena,
    const struct vg_submission_criteria *criteria,
    const struct plain_submission *plain)
{
    bool any = false;
    bool all = true;
    bool is_union = criteria->keyword_fields == 0 ||
                    (criteria->keyword_fields & 1u << VG_SUBMISSION_KEYWORD_ALL) != 0;
    for (uint32_t field = 2; field <= 8; field++) {
        if (!is_union && (criteria->keyword_fields >> field & 1) == 0) {
            continue;
        }
        bool holds = false;
        for (size_t i = 0; i < criteria->keywords.count; i++) {
            const char *keyword = folded_by_hand(arena, criteria->keywords.items[i]);
            holds = holds || field_holds(plain, field, keyword);
        }
        any = any || holds;
        all = all && holds;
    }
    return is_union || !criteria->keywords_all ? any : all;
}

static bool times_match(
    const struct vg_submission_criteria *criteria,
    const struct plain_submission *plain)
{
    const vg_time times[] = { 0, plain->submitted, plain->observed, plain->expiry };
    bool any = false;
    bool all = true;
    bool has_value = false;
    if (!criteria->has_start && !criteria->has_end) {
        return true;
    }
    for (uint32_t field = 1; field <= 3; field++) {
        bool picked = criteria->time_fields == 0 || (criteria->time_fields & 1u << 4) != 0 ||
                      (criteria->time_fields & 1u << field) != 0;
        if (!picked || times[field] == 0) {
            continue;
        }
        bool lies = (!criteria->has_start || times[field] >= criteria->start) &&
                    (!criteria->has_end || times[field] <= criteria->end);
        has_value = true;
        any = any || lies;
        all = all && lies;
    }
    return criteria->times_all ? has_value && all : any;
}

static bool is_listed(const struct vg_text_list *list, const char *text, bool any_case)
{
    bool found = list->count == 0;
    for (size_t i = 0; i < list->count; i++) {
        found = found ||
                (any_case ? strcasecmp(list->items[i], text) : strcmp(list->items[i], text)) == 0;
    }
    return found;
}

static bool customer_matches(const struct vg_text_list *list, int64_t customer)
{
    const char *name = customer == 10 ? "acme" : customer == 11 ? "acme-north" : "other";
    char number[8];
    (void)snprintf(number, sizeof(number), "%d", (int)customer);
    return list->count == 0 || is_listed(list, name, true) || is_listed(list, number, false);
}

/* The rule of lists with exclude and required: 1 = matches, 0 = not, of each kind of element. */
struct votes {
    bool fails;
    bool has_plain;
    bool plain_matches;
};

static void vote(struct votes *votes, bool matches, bool exclude, bool required)
{
    if (exclude) {
        votes->fails = votes->fails || matches;
    } else if (required) {
        votes->fails = votes->fails || !matches;
    } else {
        votes->has_plain = true;
        votes->plain_matches = votes->plain_matches || matches;
    }
}

static bool is_elected(const struct votes *votes)
{
    return !votes->fails && (!votes->has_plain || votes->plain_matches);
}

static bool meta_matches(
    const struct vg_submission_criteria *criteria,
    const struct plain_submission *plain)
{
    struct votes votes = { 0 };
    for (size_t i = 0; i < criteria->meta_count; i++) {
        const struct vg_submission_meta_criteria *meta = &criteria->meta[i];
        bool matches = false;
        for (size_t k = 0; k < plain->meta_count; k++) {
            matches = matches || (strcmp(plain->meta[k].key->text, meta->path) == 0 &&
                                  is_listed(&meta->values, plain->meta[k].value->text, false));
        }
        vote(&votes, matches, meta->exclude, meta->required);
    }
    return is_elected(&votes);
}

static bool agents_match(
    const struct vg_submission_criteria *criteria,
    const struct plain_submission *plain)
{
    bool restricts = false;
    bool any = false;
    for (size_t i = 0; i < criteria->agent_count; i++) {
        const struct vg_submission_agent_criteria *agent = &criteria->agents[i];
        if (agent->names.count == 0 && agent->versions.count == 0) {
            continue;
        }
        restricts = true;
        any = any || (is_listed(&agent->names, plain->agent->text, false) &&
                      is_listed(&agent->versions, plain->version->text, false));
    }
    return !restricts || any;
}

static bool is_bare(const struct vg_submission_criteria *criteria);

static bool has_sub(const struct vg_submission_criteria *criteria)
{
    bool has = false;
    for (size_t i = 0; i < criteria->sub_criteria_count; i++) {
        has = has || !is_bare(criteria->sub_criteria[i].criteria);
    }
    return has;
}

/* Does it restrict nothing at all? Then it is not there. */
static bool is_bare(const struct vg_submission_criteria *criteria)
{
    bool has_agent = false;
    for (size_t i = 0; i < criteria->agent_count; i++) {
        has_agent = has_agent || criteria->agents[i].names.count != 0 ||
                    criteria->agents[i].versions.count != 0;
    }
    return criteria->keywords.count == 0 && !criteria->has_start && !criteria->has_end &&
           criteria->ids.count == 0 && criteria->samples.count == 0 &&
           criteria->mime_types.count == 0 && criteria->file_names.count == 0 &&
           criteria->customers.count == 0 && criteria->tlp.count == 0 &&
           criteria->include_flags == 0 && criteria->exclude_flags == 0 &&
           criteria->meta_count == 0 && !has_agent && !has_sub(criteria);
}

bool submission_truth_matches(
    struct vg_arena *arena,
    const struct vg_submission_criteria *criteria,
    const struct plain_submission *plain)
{
    bool has_tlp = criteria->tlp.count == 0;
    for (size_t i = 0; i < criteria->tlp.count; i++) {
        has_tlp = has_tlp || criteria->tlp.items[i] == plain->tlp;
    }
    struct votes votes = { 0 };
    for (size_t i = 0; i < criteria->sub_criteria_count; i++) {
        const struct vg_submission_sub_criteria *sub = &criteria->sub_criteria[i];
        if (!is_bare(sub->criteria)) {
            vote(
                &votes,
                submission_truth_matches(arena, sub->criteria, plain),
                sub->exclude,
                sub->required);
        }
    }
    return (criteria->keywords.count == 0 || keywords_match(arena, criteria, plain)) &&
           times_match(criteria, plain) && is_listed(&criteria->ids, plain->id_text, true) &&
           is_listed(&criteria->samples, plain->sample_text, true) &&
           is_listed(&criteria->mime_types, plain->type->text, false) &&
           is_listed(&criteria->file_names, plain->name->text, false) &&
           customer_matches(&criteria->customers, plain->customer) && has_tlp &&
           (criteria->include_flags == 0 || (plain->flags & criteria->include_flags) != 0) &&
           (plain->flags & criteria->exclude_flags) == 0 && meta_matches(criteria, plain) &&
           agents_match(criteria, plain) && is_elected(&votes);
}
