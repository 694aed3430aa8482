/* Criteria for submissions at random, from the world's texts, ids and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/truth/submission_truth.h"

#define KEYWORDS_MAX 3u
#define VALUES_MAX   3u
#define SUBS_MAX     3u

struct maker {
    struct submission_world *world;
    struct truth_random *random;
};

const struct submission_text submission_needles[SUBMISSION_NEEDLES] = {
    { "EVIL", "evil" },       { "exe", "exe" },         { ".", "." },
    { "\u00E4", "\u00E4" },   { "\u00C4R", "\u00E4r" }, { "\u00DFe", "\u00DFe" },
    { "\u03C2", "\u03C3" },   { "kElv", "kelv" },       { "Amb", "amb" },
    { "WHITE", "white" },     { "ear", "ear" },         { "apex", "apex" },
    { "host", "host" },       { "web-0", "web-0" },     { "pdf", "pdf" },
    { "hostweb", "hostweb" }, { "no such", "no such" }, { "n/p", "n/p" },
    { "1.0", "1.0" },         { "passwd", "passwd" },
};

static char *take(struct maker *maker, size_t size)
{
    char *memory = vg_arena_calloc(&maker->world->arena, 1, size);
    assert_non_null(memory);
    return memory;
}

/* Some digits of an id or a digest there is, in upper case now and then. */
static char *some_digits(struct maker *maker)
{
    const struct plain_submission *plain =
        &maker->world->plain[truth_random_below(maker->random, SUBMISSIONS_MAX)];
    const char *text = truth_random_once(maker->random, 2) ? plain->id_text : plain->sample_text;
    size_t length = strlen(text);
    if (length == 0) {
        text = "0";
        length = 1;
    }
    size_t first = truth_random_below(maker->random, (unsigned)length);
    size_t count = 1 + truth_random_below(maker->random, 5);
    char *digits = take(maker, count + 1);
    bool upper = truth_random_once(maker->random, 2);
    for (size_t i = 0; i < count && first + i < length; i++) {
        char letter = text[first + i];
        digits[i] = (char)(upper && letter >= 'a' ? letter - 32 : letter);
    }
    return digits;
}

static struct vg_text_list pick_list(
    struct maker *maker,
    const struct submission_text *pool,
    uint32_t count,
    const char *stranger)
{
    uint32_t wanted = 1 + truth_random_below(maker->random, VALUES_MAX);
    char **items = (char **)(void *)take(maker, wanted * sizeof(*items));
    for (uint32_t i = 0; i < wanted; i++) {
        const char *text = truth_random_once(maker->random, 8)
                               ? stranger
                               : pool[truth_random_below(maker->random, count)].text;
        items[i] = vg_arena_text(&maker->world->arena, vg_bytes_text(text));
    }
    return (struct vg_text_list){ items, wanted };
}

static void make_keywords(struct maker *maker, struct vg_submission_criteria *criteria)
{
    uint32_t count = 1 + truth_random_below(maker->random, KEYWORDS_MAX);
    char **items = (char **)(void *)take(maker, count * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        items[i] =
            truth_random_once(maker->random, 5)
                ? some_digits(maker)
                : vg_arena_text(
                      &maker->world->arena,
                      vg_bytes_text(
                          submission_needles[truth_random_below(maker->random, SUBMISSION_NEEDLES)]
                              .text));
    }
    criteria->keywords = (struct vg_text_list){ items, count };
    for (uint32_t i = truth_random_below(maker->random, 4); i > 0; i--) {
        criteria->keyword_fields |= 1u << (2 + truth_random_below(maker->random, 7));
    }
    if (truth_random_once(maker->random, 6)) {
        criteria->keyword_fields |= 1u << VG_SUBMISSION_KEYWORD_ALL;
    }
    criteria->keywords_all = truth_random_once(maker->random, 2);
}

static void make_times(struct maker *maker, struct vg_submission_criteria *criteria)
{
    struct truth_random *random = maker->random;
    criteria->has_start = truth_random_once(random, 2);
    criteria->has_end = truth_random_once(random, 2);
    criteria->start = SUBMISSION_NOW - (vg_time)truth_random_below(random, 50) * SUBMISSION_DAY_MS;
    criteria->end = criteria->start + (vg_time)truth_random_below(random, 40) * SUBMISSION_DAY_MS;
    for (uint32_t i = truth_random_below(random, 3); i > 0; i--) {
        criteria->time_fields |= 1u << (1 + truth_random_below(random, 4));
    }
    criteria->times_all = truth_random_once(random, 2);
}

static struct vg_text_list some_ids(struct maker *maker, bool samples)
{
    uint32_t count = 1 + truth_random_below(maker->random, samples ? 3 : 40);
    char **items = (char **)(void *)take(maker, count * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        const struct plain_submission *plain =
            &maker->world->plain[truth_random_below(maker->random, SUBMISSIONS_MAX)];
        const char *text = samples ? plain->sample_text : plain->id_text;
        items[i] = vg_arena_text(&maker->world->arena, vg_bytes_text(text));
        for (char *at = items[i]; truth_random_once(maker->random, 2) && *at != '\0'; at++) {
            *at = (char)(*at >= 'a' ? *at - 32 : *at);
        }
    }
    return (struct vg_text_list){ items, count };
}

static void make_meta(struct maker *maker, struct vg_submission_criteria *criteria)
{
    size_t count = 1 + truth_random_below(maker->random, 3);
    struct vg_submission_meta_criteria *meta = (void *)take(maker, count * sizeof(*meta));
    for (size_t i = 0; i < count; i++) {
        meta[i].path =
            truth_random_once(maker->random, 10)
                ? "metaData.host"
                : submission_keys[truth_random_below(maker->random, SUBMISSION_KEYS)].text;
        if (!truth_random_once(maker->random, 3)) {
            meta[i].values = pick_list(maker, submission_values, SUBMISSION_VALUES, "stranger");
        }
        meta[i].exclude = truth_random_once(maker->random, 4);
        meta[i].required = truth_random_once(maker->random, 3);
    }
    criteria->meta = meta;
    criteria->meta_count = count;
}

static void make_agents(struct maker *maker, struct vg_submission_criteria *criteria)
{
    size_t count = 1 + truth_random_below(maker->random, 2);
    struct vg_submission_agent_criteria *agents = (void *)take(maker, count * sizeof(*agents));
    for (size_t i = 0; i < count; i++) {
        if (!truth_random_once(maker->random, 3)) {
            agents[i].names = pick_list(maker, submission_agents, SUBMISSION_AGENTS, "APEX");
        }
        if (truth_random_once(maker->random, 2)) {
            agents[i].versions = pick_list(maker, submission_versions, SUBMISSION_VERSIONS, "9");
        }
    }
    criteria->agents = agents;
    criteria->agent_count = count;
}

static void make_direct(struct maker *maker, struct vg_submission_criteria *criteria)
{
    static const struct submission_text customers[] = {
        { "acme", "" },
        { "ACME-North", "" },
        { "20", "" },
        { "11", "" },
    };
    struct truth_random *random = maker->random;
    switch (truth_random_below(random, 8)) {
    case 0:
        criteria->ids = some_ids(maker, false);
        break;
    case 1:
        criteria->samples = some_ids(maker, true);
        break;
    case 2:
        criteria->mime_types = pick_list(maker, submission_types, SUBMISSION_TYPES, "text/PLAIN");
        break;
    case 3:
        criteria->file_names = pick_list(maker, submission_names, SUBMISSION_NAMES, "EVIL.exe");
        break;
    case 4:
        criteria->customers = pick_list(maker, customers, VG_ARRAY_COUNT(customers), "nobody");
        break;
    case 5: {
        int32_t *tlp = (void *)take(maker, 2 * sizeof(*tlp));
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

static struct vg_submission_criteria *make_criteria(struct maker *maker, uint32_t depth)
{
    struct vg_submission_criteria *criteria = (void *)take(maker, sizeof(*criteria));
    uint32_t parts = truth_random_below(maker->random, 3) + (depth == 0);
    for (uint32_t i = 0; i < parts; i++) {
        switch (truth_random_below(maker->random, 6)) {
        case 0:
        case 1:
            make_keywords(maker, criteria);
            break;
        case 2:
            make_times(maker, criteria);
            break;
        case 3:
            make_meta(maker, criteria);
            break;
        case 4:
            make_agents(maker, criteria);
            break;
        default:
            make_direct(maker, criteria);
            break;
        }
    }
    if (depth < 2 && truth_random_once(maker->random, 3)) {
        size_t count = 1 + truth_random_below(maker->random, SUBS_MAX);
        struct vg_submission_sub_criteria *subs = (void *)take(maker, count * sizeof(*subs));
        for (size_t i = 0; i < count; i++) {
            subs[i].criteria = make_criteria(maker, depth + 1);
            subs[i].exclude = truth_random_once(maker->random, 4);
            subs[i].required = truth_random_once(maker->random, 4);
        }
        criteria->sub_criteria = subs;
        criteria->sub_criteria_count = count;
    }
    return criteria;
}

struct vg_submission_criteria *submission_truth_make(
    struct submission_world *world,
    struct truth_random *random)
{
    struct maker maker = { world, random };
    return make_criteria(&maker, 0);
}
