/*
 * The truth about searches for submissions: random criteria, sorts and pages, and random
 * statistics, against answers worked out here by the rules of sampledb-api.md 4 and 5 from plain
 * structs; nothing is shared with the way through predicates and columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/samples/submission_criteria.h"
#include "core/samples/submission_search.h"
#include "core/samples/submission_statistics.h"
#include "tests/truth/submission_world.h"

#define WORLDS       12u
#define ROUNDS       6u
#define CASES        160u
#define STATISTICS   25u
#define KEYWORDS_MAX 3u
#define VALUES_MAX   3u
#define SUBS_MAX     3u

struct run {
    struct submission_world world;
    struct truth_random random;
    struct vg_principal principal;
    bool is_beyond; /* dictionaries are too small */
    uint64_t cases;
    uint64_t partial; /* some match, some do not */
};

/* --------------------------------------------------------------------- criteria, made at random */

static const struct submission_text needles[] = {
    { "EVIL", "evil" },       { "exe", "exe" },         { ".", "." },
    { "\u00E4", "\u00E4" },   { "\u00C4R", "\u00E4r" }, { "\u00DFe", "\u00DFe" },
    { "\u03C2", "\u03C3" },   { "kElv", "kelv" },       { "Amb", "amb" },
    { "WHITE", "white" },     { "ear", "ear" },         { "apex", "apex" },
    { "host", "host" },       { "web-0", "web-0" },     { "pdf", "pdf" },
    { "hostweb", "hostweb" }, { "no such", "no such" }, { "n/p", "n/p" },
    { "1.0", "1.0" },         { "passwd", "passwd" },
};

static char *take(struct run *run, size_t size)
{
    char *memory = vg_arena_calloc(&run->world.arena, 1, size);
    assert_non_null(memory);
    return memory;
}

/* Some digits of an id or a digest there is, in upper case now and then. */
static char *some_digits(struct run *run)
{
    const struct plain_submission *plain =
        &run->world.plain[truth_random_below(&run->random, SUBMISSIONS_MAX)];
    const char *text = truth_random_once(&run->random, 2) ? plain->id_text : plain->sample_text;
    size_t length = strlen(text);
    if (length == 0) {
        text = "0";
        length = 1;
    }
    size_t first = truth_random_below(&run->random, (unsigned)length);
    size_t count = 1 + truth_random_below(&run->random, 5);
    char *digits = take(run, count + 1);
    bool upper = truth_random_once(&run->random, 2);
    for (size_t i = 0; i < count && first + i < length; i++) {
        char letter = text[first + i];
        digits[i] = (char)(upper && letter >= 'a' ? letter - 32 : letter);
    }
    return digits;
}

static struct vg_text_list pick_list(
    struct run *run,
    const struct submission_text *pool,
    uint32_t count,
    const char *stranger)
{
    uint32_t wanted = 1 + truth_random_below(&run->random, VALUES_MAX);
    char **items = (char **)(void *)take(run, wanted * sizeof(*items));
    for (uint32_t i = 0; i < wanted; i++) {
        const char *text = truth_random_once(&run->random, 8)
                               ? stranger
                               : pool[truth_random_below(&run->random, count)].text;
        items[i] = vg_arena_text(&run->world.arena, vg_bytes_text(text));
    }
    return (struct vg_text_list){ items, wanted };
}

static void make_keywords(struct run *run, struct vg_submission_criteria *criteria)
{
    uint32_t count = 1 + truth_random_below(&run->random, KEYWORDS_MAX);
    char **items = (char **)(void *)take(run, count * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        items[i] =
            truth_random_once(&run->random, 5)
                ? some_digits(run)
                : vg_arena_text(
                      &run->world.arena,
                      vg_bytes_text(
                          needles[truth_random_below(&run->random, VG_ARRAY_COUNT(needles))].text));
    }
    criteria->keywords = (struct vg_text_list){ items, count };
    for (uint32_t i = truth_random_below(&run->random, 4); i > 0; i--) {
        criteria->keyword_fields |= 1u << (2 + truth_random_below(&run->random, 7));
    }
    if (truth_random_once(&run->random, 6)) {
        criteria->keyword_fields |= 1u << VG_SUBMISSION_KEYWORD_ALL;
    }
    criteria->keywords_all = truth_random_once(&run->random, 2);
}

static void make_times(struct run *run, struct vg_submission_criteria *criteria)
{
    struct truth_random *random = &run->random;
    criteria->has_start = truth_random_once(random, 2);
    criteria->has_end = truth_random_once(random, 2);
    criteria->start = SUBMISSION_NOW - (vg_time)truth_random_below(random, 50) * SUBMISSION_DAY_MS;
    criteria->end = criteria->start + (vg_time)truth_random_below(random, 40) * SUBMISSION_DAY_MS;
    for (uint32_t i = truth_random_below(random, 3); i > 0; i--) {
        criteria->time_fields |= 1u << (1 + truth_random_below(random, 4));
    }
    criteria->times_all = truth_random_once(random, 2);
}

static struct vg_text_list some_ids(struct run *run, bool samples)
{
    uint32_t count = 1 + truth_random_below(&run->random, samples ? 3 : 40);
    char **items = (char **)(void *)take(run, count * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        const struct plain_submission *plain =
            &run->world.plain[truth_random_below(&run->random, SUBMISSIONS_MAX)];
        const char *text = samples ? plain->sample_text : plain->id_text;
        items[i] = vg_arena_text(&run->world.arena, vg_bytes_text(text));
        for (char *at = items[i]; truth_random_once(&run->random, 2) && *at != '\0'; at++) {
            *at = (char)(*at >= 'a' ? *at - 32 : *at);
        }
    }
    return (struct vg_text_list){ items, count };
}

static void make_meta(struct run *run, struct vg_submission_criteria *criteria)
{
    size_t count = 1 + truth_random_below(&run->random, 3);
    struct vg_submission_meta_criteria *meta = (void *)take(run, count * sizeof(*meta));
    for (size_t i = 0; i < count; i++) {
        meta[i].path =
            truth_random_once(&run->random, 10)
                ? "metaData.host"
                : submission_keys[truth_random_below(&run->random, SUBMISSION_KEYS)].text;
        if (!truth_random_once(&run->random, 3)) {
            meta[i].values = pick_list(run, submission_values, SUBMISSION_VALUES, "stranger");
        }
        meta[i].exclude = truth_random_once(&run->random, 4);
        meta[i].required = truth_random_once(&run->random, 3);
    }
    criteria->meta = meta;
    criteria->meta_count = count;
}

static void make_agents(struct run *run, struct vg_submission_criteria *criteria)
{
    size_t count = 1 + truth_random_below(&run->random, 2);
    struct vg_submission_agent_criteria *agents = (void *)take(run, count * sizeof(*agents));
    for (size_t i = 0; i < count; i++) {
        if (!truth_random_once(&run->random, 3)) {
            agents[i].names = pick_list(run, submission_agents, SUBMISSION_AGENTS, "APEX");
        }
        if (truth_random_once(&run->random, 2)) {
            agents[i].versions = pick_list(run, submission_versions, SUBMISSION_VERSIONS, "9");
        }
    }
    criteria->agents = agents;
    criteria->agent_count = count;
}

static void make_direct(struct run *run, struct vg_submission_criteria *criteria)
{
    static const struct submission_text customers[] = {
        { "acme", "" },
        { "ACME-North", "" },
        { "20", "" },
        { "11", "" },
    };
    struct truth_random *random = &run->random;
    switch (truth_random_below(random, 8)) {
    case 0:
        criteria->ids = some_ids(run, false);
        break;
    case 1:
        criteria->samples = some_ids(run, true);
        break;
    case 2:
        criteria->mime_types = pick_list(run, submission_types, SUBMISSION_TYPES, "text/PLAIN");
        break;
    case 3:
        criteria->file_names = pick_list(run, submission_names, SUBMISSION_NAMES, "EVIL.exe");
        break;
    case 4:
        criteria->customers = pick_list(run, customers, VG_ARRAY_COUNT(customers), "nobody");
        break;
    case 5: {
        int32_t *tlp = (void *)take(run, 2 * sizeof(*tlp));
        tlp[0] = 1 + (int32_t)truth_random_below(random, 4);
        tlp[1] = 1 + (int32_t)truth_random_below(random, 4);
        criteria->tlp = (struct vg_code_list){ tlp, 1 + truth_random_below(random, 2) };
        break;
    }
    case 6:
        criteria->include_flags = truth_random_below(random, 16) << 1;
        break;
    default:
        criteria->exclude_flags = truth_random_below(random, 16) << 1;
        break;
    }
}

static struct vg_submission_criteria *make_criteria(struct run *run, uint32_t depth)
{
    struct vg_submission_criteria *criteria = (void *)take(run, sizeof(*criteria));
    uint32_t parts = truth_random_below(&run->random, 3) + (depth == 0);
    for (uint32_t i = 0; i < parts; i++) {
        switch (truth_random_below(&run->random, 6)) {
        case 0:
        case 1:
            make_keywords(run, criteria);
            break;
        case 2:
            make_times(run, criteria);
            break;
        case 3:
            make_meta(run, criteria);
            break;
        case 4:
            make_agents(run, criteria);
            break;
        default:
            make_direct(run, criteria);
            break;
        }
    }
    if (depth < 2 && truth_random_once(&run->random, 3)) {
        size_t count = 1 + truth_random_below(&run->random, SUBS_MAX);
        struct vg_submission_sub_criteria *subs = (void *)take(run, count * sizeof(*subs));
        for (size_t i = 0; i < count; i++) {
            subs[i].criteria = make_criteria(run, depth + 1);
            subs[i].exclude = truth_random_once(&run->random, 4);
            subs[i].required = truth_random_once(&run->random, 4);
        }
        criteria->sub_criteria = subs;
        criteria->sub_criteria_count = count;
    }
    return criteria;
}

/* ------------------------------------------------------------------------ what criteria mean */

static const char *folded_by_hand(struct run *run, const char *keyword)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(needles); i++) {
        if (strcmp(needles[i].text, keyword) == 0) {
            return needles[i].folded;
        }
    }
    char *lower = take(run, strlen(keyword) + 1);
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
    struct run *run,
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
            const char *keyword = folded_by_hand(run, criteria->keywords.items[i]);
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

static bool criteria_match(
    struct run *run,
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
            vote(&votes, criteria_match(run, sub->criteria, plain), sub->exclude, sub->required);
        }
    }
    return (criteria->keywords.count == 0 || keywords_match(run, criteria, plain)) &&
           times_match(criteria, plain) && is_listed(&criteria->ids, plain->id_text, true) &&
           is_listed(&criteria->samples, plain->sample_text, true) &&
           is_listed(&criteria->mime_types, plain->type->text, false) &&
           is_listed(&criteria->file_names, plain->name->text, false) &&
           customer_matches(&criteria->customers, plain->customer) && has_tlp &&
           (criteria->include_flags == 0 || (plain->flags & criteria->include_flags) != 0) &&
           (plain->flags & criteria->exclude_flags) == 0 && meta_matches(criteria, plain) &&
           agents_match(criteria, plain) && is_elected(&votes);
}

/* ---------------------------------------------------------------------------------- sort, page */

static const struct vg_submission_sort *order;
static size_t order_count;

static int compare_times(vg_time left, vg_time right, bool descending)
{
    int way = (left > right) - (left < right);
    return descending ? -way : way;
}

static int compare_by(
    const struct vg_submission_sort *sort,
    const struct plain_submission *a,
    const struct plain_submission *b)
{
    int texts;
    switch (sort->field) {
    case VG_SUBMISSION_SORT_FILE_NAME:
        texts = strcmp(a->name->text, b->name->text);
        return sort->descending ? -texts : texts;
    case VG_SUBMISSION_SORT_MIME_TYPE:
        texts = strcmp(a->type->text, b->type->text);
        return sort->descending ? -texts : texts;
    case VG_SUBMISSION_SORT_EXPIRY:
        if (a->expiry == 0 || b->expiry == 0) {
            return (a->expiry == 0) - (b->expiry == 0); /* none is last, in both directions */
        }
        return compare_times(a->expiry, b->expiry, sort->descending);
    case VG_SUBMISSION_SORT_OBSERVED:
        return compare_times(a->observed, b->observed, sort->descending);
    case VG_SUBMISSION_SORT_SUBMITTED:
    case VG_SUBMISSION_SORT_FIELD_COUNT:
        break;
    }
    return compare_times(a->submitted, b->submitted, sort->descending);
}

static int compare_plain(const void *left, const void *right)
{
    const struct plain_submission *a = *(const struct plain_submission *const *)left;
    const struct plain_submission *b = *(const struct plain_submission *const *)right;
    for (size_t i = 0; i < order_count; i++) {
        int way = compare_by(&order[i], a, b);
        if (way != 0) {
            return way;
        }
    }
    return strcmp(a->id_text, b->id_text);
}

/* ------------------------------------------------------------------------------------ one case */

struct asked {
    struct vg_submission_criteria *criteria;
    struct vg_submission_criteria_context context;
    const struct vg_predicate *where;
    const struct plain_submission *expected[SUBMISSIONS_MAX];
    size_t count;
};

static void ask(struct run *run, struct asked *asked)
{
    struct truth_random *random = &run->random;
    static const int64_t covered[] = { 10, 11 };
    run->principal = (struct vg_principal){
        .user_id = 1 + (int64_t)truth_random_below(random, 3),
        .functions = UINT64_MAX,
        .all_customers = truth_random_once(random, 3),
        .customers = covered,
        .customer_count = truth_random_once(random, 4) ? 0 : 2,
    };
    asked->criteria = make_criteria(run, 0);
    asked->context = (struct vg_submission_criteria_context){
        .viewer = { .principal = &run->principal,
                    .directory = run->world.snapshot,
                    .now = SUBMISSION_NOW },
        .index_start = SUBMISSION_NOW - (vg_time)truth_random_below(random, 80) * SUBMISSION_DAY_MS,
        .index_end = SUBMISSION_NOW - (vg_time)truth_random_below(random, 5) * SUBMISSION_DAY_MS,
        .arena = &run->world.arena,
    };
    struct vg_error error;
    vg_error_init(&error, &run->world.arena);
    assert_int_equal(
        vg_submission_criteria_compile(asked->criteria, &asked->context, &asked->where, &error),
        VG_OK);
    size_t visible = 0;
    asked->count = 0;
    for (uint32_t i = 0; i < SUBMISSIONS_MAX; i++) {
        const struct plain_submission *plain = &run->world.plain[i];
        bool is_visible = submission_world_shows(plain, &run->principal) &&
                          plain->submitted >= asked->context.index_start &&
                          plain->submitted <= asked->context.index_end;
        visible += is_visible;
        if (is_visible && criteria_match(run, asked->criteria, plain)) {
            asked->expected[asked->count++] = plain;
        }
    }
    run->cases++;
    run->partial += asked->count > 0 && asked->count < visible;
}

static void check_search(struct run *run)
{
    struct truth_random *random = &run->random;
    struct vg_submission_sort sort[3];
    struct asked asked;
    uint32_t taken = 0;
    size_t sort_count = 0;
    ask(run, &asked);
    for (uint32_t i = truth_random_below(random, 4); i > 0; i--) {
        uint32_t field = 1 + truth_random_below(random, 5);
        bool is_lost = run->is_beyond && field == VG_SUBMISSION_SORT_FILE_NAME;
        if ((taken >> field & 1) == 0 && !is_lost) {
            taken |= 1u << field;
            sort[sort_count++] = (struct vg_submission_sort){
                (enum vg_submission_sort_field)field,
                truth_random_once(random, 2),
            };
        }
    }
    static const struct vg_submission_sort newest = { VG_SUBMISSION_SORT_SUBMITTED, true };
    order = sort_count == 0 ? &newest : sort;
    order_count = sort_count == 0 ? 1 : sort_count;
    qsort(asked.expected, asked.count, sizeof(asked.expected[0]), compare_plain);
    const struct vg_submission_search search = {
        .where = asked.where,
        .sort = sort,
        .sort_count = sort_count,
        .limit = truth_random_below(random, 3) == 0 ? 0 : 1 + truth_random_below(random, 60),
        .offset = truth_random_once(random, 2) ? 0 : truth_random_below(random, 40),
    };
    struct vg_submission_store source = submission_world_source(&run->world);
    struct vg_submission_cursor cursor;
    struct vg_error error;
    vg_error_init(&error, &run->world.arena);
    assert_int_equal(
        vg_submission_search_run(&source, &search, &run->world.arena, &cursor, &error),
        VG_OK);
    assert_int_equal(cursor.match_count, asked.count);
    size_t at = (size_t)search.offset;
    size_t end = search.limit == 0 ? SIZE_MAX : at + (size_t)search.limit;
    for (;; at++) {
        struct vg_submission_record record;
        bool is_end = false;
        assert_int_equal(
            vg_submission_cursor_next(&cursor, &run->world.arena, &record, &is_end, &error),
            VG_OK);
        assert_int_equal(is_end, at >= asked.count || at >= end);
        if (is_end) {
            break;
        }
        assert_memory_equal(record.id.bytes, asked.expected[at]->id.bytes, 16);
        assert_string_equal(record.file_name.data, asked.expected[at]->name->text);
    }
    vg_submission_cursor_close(&cursor);
    vg_arena_reset(&run->world.arena);
}

/* ---------------------------------------------------------------------------------- statistics */

struct members {
    const struct plain_submission *list[SUBMISSIONS_MAX];
    size_t count;
};

static vg_time time_of(const struct plain_submission *plain, enum vg_submission_metric_field field)
{
    return field == VG_SUBMISSION_METRIC_SUBMITTED  ? plain->submitted
           : field == VG_SUBMISSION_METRIC_OBSERVED ? plain->observed
                                                    : plain->expiry;
}

/* What tells its group; NULL = it is in none. */
static const char *identifier_of(
    const struct plain_submission *plain,
    const struct vg_submission_group_by *group_by)
{
    static const char *const colours[] = { "", "red", "amber", "green", "clear" };
    switch (group_by->field) {
    case VG_SUBMISSION_GROUP_CUSTOMER:
        return plain->customer == 10 ? "10" : plain->customer == 11 ? "11" : "20";
    case VG_SUBMISSION_GROUP_FILE_NAME:
        return plain->name->text;
    case VG_SUBMISSION_GROUP_SAMPLE:
        return plain->sample_text;
    case VG_SUBMISSION_GROUP_MIME_TYPE:
        return plain->type->text;
    case VG_SUBMISSION_GROUP_TLP:
        return colours[plain->tlp];
    case VG_SUBMISSION_GROUP_META_DATA:
    case VG_SUBMISSION_GROUP_FIELD_COUNT:
        break;
    }
    for (size_t i = 0; i < plain->meta_count; i++) {
        if (strcmp(plain->meta[i].key->text, group_by->meta_key) == 0) {
            return plain->meta[i].value->text;
        }
    }
    return NULL;
}

/* Monday, or the first of a month or quarter, by counting days. */
static vg_time bucket_of(vg_time time, enum vg_time_unit unit)
{
    const vg_time hour = 60 * 60 * INT64_C(1000);
    if (unit == VG_TIME_UNIT_HOUR) {
        return time / hour * hour;
    }
    vg_time day = time / SUBMISSION_DAY_MS;
    if (unit == VG_TIME_UNIT_WEEK) {
        day -= (day + 3) % 7; /* the first day of 1970 was a Thursday */
    } else if (unit == VG_TIME_UNIT_MONTH || unit == VG_TIME_UNIT_QUARTER) {
        time_t seconds = (time_t)(day * 24 * 60 * 60);
        struct tm date;
        assert_non_null(gmtime_r(&seconds, &date));
        int months = unit == VG_TIME_UNIT_QUARTER ? date.tm_mon % 3 : 0;
        day -= date.tm_mday - 1;
        for (; months > 0; months--) {
            seconds = (time_t)((day - 1) * 24 * 60 * 60);
            assert_non_null(gmtime_r(&seconds, &date));
            day -= date.tm_mday;
        }
    }
    return day * SUBMISSION_DAY_MS;
}

static size_t count_in(
    const struct members *members,
    const struct vg_submission_timeline_request *timeline,
    vg_time bucket)
{
    size_t count = 0;
    for (size_t i = 0; i < members->count; i++) {
        vg_time time = time_of(members->list[i], timeline->field);
        count += time != 0 && bucket_of(time, timeline->unit) == bucket;
    }
    return count;
}

static void check_timeline(
    const struct members *members,
    const struct vg_submission_timeline_request *timeline,
    const struct vg_submission_timeline_metric *metric)
{
    vg_time first = INT64_MAX;
    vg_time last = -1;
    size_t total = 0;
    size_t counted = 0;
    for (size_t i = 0; i < members->count; i++) {
        vg_time time = time_of(members->list[i], timeline->field);
        if (time != 0) {
            vg_time bucket = bucket_of(time, timeline->unit);
            first = bucket < first ? bucket : first;
            last = bucket > last ? bucket : last;
            total++;
        }
    }
    for (size_t i = 0; i < metric->bucket_count; i++) {
        vg_time bucket = metric->buckets[i].timestamp;
        assert_int_equal(bucket_of(bucket, timeline->unit), bucket);
        assert_int_equal(metric->buckets[i].count, count_in(members, timeline, bucket));
        assert_true(timeline->includes_empty || metric->buckets[i].count > 0);
        counted += metric->buckets[i].count;
        if (i > 0) {
            vg_time before = metric->buckets[i - 1].timestamp;
            assert_true(bucket > before);
            /* No bucket is left out: the moment before this one is in the one before. */
            assert_true(
                !timeline->includes_empty || bucket_of(bucket - 1, timeline->unit) == before);
        }
    }
    assert_int_equal(counted, total);
    if (total > 0) {
        assert_int_equal(metric->buckets[0].timestamp, first);
        assert_int_equal(metric->buckets[metric->bucket_count - 1].timestamp, last);
    } else {
        assert_int_equal(metric->bucket_count, 0);
    }
}

static void check_leaf(
    const struct vg_submission_statistics *statistics,
    const struct members *members,
    const struct vg_submission_statistics_record *record)
{
    for (size_t i = 0; i < statistics->value_count; i++) {
        vg_time min = VG_ABSENT;
        vg_time max = VG_ABSENT;
        for (size_t k = 0; k < members->count; k++) {
            vg_time time = time_of(members->list[k], statistics->values[i]);
            min = time != 0 && (min == VG_ABSENT || time < min) ? time : min;
            max = time != 0 && (max == VG_ABSENT || time > max) ? time : max;
        }
        assert_int_equal(record->values[i].min, min);
        assert_int_equal(record->values[i].max, max);
    }
    for (size_t i = 0; i < statistics->timeline_count; i++) {
        check_timeline(members, &statistics->timelines[i], &record->timelines[i]);
    }
}

static void pick_members(
    const struct members *all,
    const struct vg_submission_group_by *group_by,
    const char *identifier,
    struct members *out_members)
{
    out_members->count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const char *own = identifier_of(all->list[i], group_by);
        if (own != NULL && strcmp(own, identifier) == 0) {
            out_members->list[out_members->count++] = all->list[i];
        }
    }
}

static void check_records(
    const struct vg_submission_statistics *statistics,
    size_t level,
    const struct members *members,
    const struct vg_submission_statistics_record *records,
    size_t count)
{
    const struct vg_submission_group_by *group_by = &statistics->group_by[level];
    struct members *own = calloc(1, sizeof(*own));
    assert_non_null(own);
    /* How many groups there are, and that those shown are the first of them. */
    size_t groups = 0;
    for (size_t i = 0; i < members->count; i++) {
        const char *identifier = identifier_of(members->list[i], group_by);
        bool is_first = identifier != NULL;
        for (size_t k = 0; k < i && is_first; k++) {
            const char *other = identifier_of(members->list[k], group_by);
            is_first = other == NULL || strcmp(other, identifier) != 0;
        }
        if (!is_first) {
            continue;
        }
        groups++;
        pick_members(members, group_by, identifier, own);
        bool is_shown = false;
        for (size_t k = 0; k < count; k++) {
            is_shown = is_shown || strcmp(records[k].identifier, identifier) == 0;
        }
        if (!is_shown) {
            assert_true(count > 0 && group_by->limit == count);
            const struct vg_submission_statistics_record *last = &records[count - 1];
            assert_true(
                last->count > own->count ||
                (last->count == own->count && strcmp(last->identifier, identifier) < 0));
        }
    }
    assert_int_equal(
        count,
        group_by->limit != 0 && groups > group_by->limit ? group_by->limit : groups);
    for (size_t i = 0; i < count; i++) {
        pick_members(members, group_by, records[i].identifier, own);
        assert_int_equal(records[i].count, own->count);
        if (i > 0) {
            assert_true(
                records[i - 1].count > records[i].count ||
                (records[i - 1].count == records[i].count &&
                 strcmp(records[i - 1].identifier, records[i].identifier) < 0));
        }
        if (level + 1 == statistics->level_count) {
            check_leaf(statistics, own, &records[i]);
        } else {
            check_records(statistics, level + 1, own, records[i].children, records[i].child_count);
        }
    }
    free(own);
}

static void check_statistics(struct run *run)
{
    static const enum vg_time_unit units[] = { VG_TIME_UNIT_HOUR,
                                               VG_TIME_UNIT_DAY,
                                               VG_TIME_UNIT_WEEK,
                                               VG_TIME_UNIT_MONTH,
                                               VG_TIME_UNIT_QUARTER };
    struct truth_random *random = &run->random;
    struct vg_submission_group_by levels[3];
    enum vg_submission_metric_field values[2];
    struct vg_submission_timeline_request timelines[2];
    struct asked asked;
    ask(run, &asked);
    struct vg_submission_statistics statistics = {
        .where = asked.where,
        .directory = run->world.snapshot,
        .group_by = levels,
        .level_count = truth_random_below(random, 4),
        .values = values,
        .value_count = truth_random_below(random, 3),
        .timelines = timelines,
        .timeline_count = truth_random_below(random, 3),
    };
    for (size_t i = 0; i < 3; i++) {
        levels[i] = (struct vg_submission_group_by){
            .field = (enum vg_submission_group_field)(
                1 + truth_random_below(random, run->is_beyond ? 5 : 6)),
            .limit = truth_random_below(random, 5),
            .meta_key = submission_keys[truth_random_below(random, SUBMISSION_KEYS)].text,
        };
    }
    for (size_t i = 0; i < 2; i++) {
        values[i] = (enum vg_submission_metric_field)(1 + truth_random_below(random, 3));
        timelines[i] = (struct vg_submission_timeline_request){
            .field = (enum vg_submission_metric_field)(1 + truth_random_below(random, 3)),
            .unit = units[truth_random_below(random, VG_ARRAY_COUNT(units))],
            .includes_empty = truth_random_once(random, 2),
        };
    }
    struct vg_submission_store source = submission_world_source(&run->world);
    const struct vg_submission_statistics_record *records;
    size_t count;
    assert_int_equal(
        vg_submission_statistics_run(
            &source,
            &statistics,
            &run->world.arena,
            &records,
            &count,
            NULL),
        VG_OK);
    struct members members = { .count = asked.count };
    memcpy(members.list, asked.expected, asked.count * sizeof(members.list[0]));
    if (statistics.level_count != 0) {
        check_records(&statistics, 0, &members, records, count);
    } else {
        assert_int_equal(count, 1);
        assert_null(records->identifier);
        assert_int_equal(records->count, asked.count);
        check_leaf(&statistics, &members, records);
    }
    vg_arena_reset(&run->world.arena);
}

/* --------------------------------------------------------------------------------------- tests */

static void test_searches_and_statistics__are_the_truth(void **state)
{
    (void)state;
    const char *text = getenv("VIGIL_TEST_SEED");
    uint64_t first = text == NULL ? 1 : strtoull(text, NULL, 10);
    struct run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    for (uint64_t seed = first; seed < first + WORLDS; seed++) {
        submission_world_open(&run->world, seed);
        run->random.state = seed * 1000;
        run->is_beyond = seed % 3 == 0;
        print_message("seed %llu\n", (unsigned long long)seed);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            submission_world_change(&run->world, 20 + 60 * (round % 3));
            if (round % 2 == 1) {
                submission_world_checkpoint(&run->world);
            }
            for (uint32_t i = 0; i < CASES; i++) {
                check_search(run);
            }
            for (uint32_t i = 0; i < STATISTICS; i++) {
                check_statistics(run);
            }
        }
        submission_world_close(&run->world);
    }
    print_message(
        "%llu cases, of which %llu match some and not others\n",
        (unsigned long long)run->cases,
        (unsigned long long)run->partial);
    assert_true(run->cases >= 10000);
    assert_true(run->partial * 3 >= run->cases);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_searches_and_statistics__are_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
