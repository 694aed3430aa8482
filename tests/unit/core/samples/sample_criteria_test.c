/*
 * Criteria about samples, asked of five of them: A and B, whose submissions the agent sees, C that
 * only a stranger sees, D that has no submission, and E, deleted. The truth about many samples at
 * random is tests/scenario/sample_search_test.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/ingest/ingest_wait.h"
#include "core/samples/sample_ingest.h"
#include "core/samples/sample_search.h"
#include "tests/unit/core/samples/samples_fixture.h"

#define DAY_MS        (24 * 60 * 60 * INT64_C(1000))
#define NOW           SAMPLES_FIXTURE_NOW
#define BIT(number)   (1u << (number))
#define DIGESTS_BYTES 64
/* When B and C came, and E: A came now. */
#define B_CAME (NOW + DAY_MS)
#define C_CAME (NOW + 2 * DAY_MS)

static const uint8_t secret[16];

struct world {
    struct samples_fixture base;
    struct vg_principal administrator;
    struct vg_error error;
};

/* ---- five samples */

/* A sample all of whose digests are of one byte; it is the fixture's from now on. */
static void upload(struct samples_fixture *f, uint8_t byte)
{
    struct vg_sample_upload upload = { .record = { .size = 4096 } };
    struct vg_ingest_wait wait;
    bool refused;
    memset(upload.record.sha256, byte, sizeof(upload.record.sha256));
    memset(upload.record.sha512, byte, sizeof(upload.record.sha512));
    memset(upload.record.sha1, byte, sizeof(upload.record.sha1));
    memset(upload.record.md5, byte, sizeof(upload.record.md5));
    memcpy(f->sample, upload.record.sha256, sizeof(f->sample));
    vg_ingest_wait_init(&wait);
    vg_sample_ingest_upload(&wait.group, &upload);
    assert_int_equal(vg_ingest_wait_run(f->ingest, &wait, &refused, NULL), VG_OK);
    assert_int_equal(upload.item.reason, VG_OK);
    vg_ingest_wait_dispose(&wait);
}

static void submit(
    struct samples_fixture *f,
    const struct vg_principal *principal,
    const struct vg_submission_input *input)
{
    struct vg_submission_adding adding;
    struct vg_principal adds = *principal;
    struct vg_uuid id;
    adds.functions |= VG_FUNCTION_ADD_SAMPLE_SUBMISSION;
    assert_int_equal(samples_fixture_issue(f, adds.user_id, 1, &id), VG_OK);
    samples_fixture_prepare(f, input, &adds, &id, 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_STORED);
}

static void fill(struct samples_fixture *f)
{
    upload(f, 0xa1);
    struct vg_submission_input input = samples_fixture_input(f);
    input.tlp = VG_TLP_AMBER;
    input.has_observed = true;
    input.observed = NOW - 10 * DAY_MS;
    submit(f, &f->agent, &input);
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_MALICIOUS, "a Trojan horse"), VG_OK);

    samples_fixture_later(f, DAY_MS);
    upload(f, 0xb2);
    input = samples_fixture_input(f);
    input.file_name = "report.pdf";
    input.customer = "sub";
    input.tlp = VG_TLP_GREEN;
    input.has_retention = true;
    input.retention = NOW + 30 * DAY_MS;
    submit(f, &f->agent, &input);
    input.file_name = "second.pdf";
    input.agent_version = "2.0";
    submit(f, &f->agent, &input);
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_BENIGN, "harmless"), VG_OK);
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_BENIGN, "clean"), VG_OK);

    samples_fixture_later(f, DAY_MS);
    upload(f, 0xc3);
    input = samples_fixture_input(f);
    submit(f, &f->stranger, &input);

    samples_fixture_later(f, DAY_MS);
    upload(f, 0xd4);
    upload(f, 0xe5);
    input = samples_fixture_input(f);
    submit(f, &f->agent, &input);
    assert_int_equal(samples_fixture_delete(f), VG_OK);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    samples_fixture_open(&world->base);
    fill(&world->base);
    world->administrator = world->base.agent;
    world->administrator.functions |= VG_FUNCTION_DELETE_SAMPLE_COMPLETELY;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    samples_fixture_close(&world->base);
    free(world);
    return 0;
}

/* ---- asking */

static struct vg_text_list texts(struct world *world, const char *first, const char *second)
{
    const char *const both[] = { first, second };
    size_t count = second == NULL ? 1 : 2;
    char **items = vg_arena_alloc(&world->base.arena, sizeof(both));
    assert_non_null(items);
    for (size_t i = 0; i < count; i++) {
        items[i] = vg_arena_text(&world->base.arena, vg_bytes_text(both[i]));
    }
    return (struct vg_text_list){ items, count };
}

/* A digest of `size` bytes, each of which is written as `digits`. */
static struct vg_text_list digest(struct world *world, const char *digits, size_t size)
{
    char text[2 * DIGESTS_BYTES + 1] = "";
    for (size_t i = 0; i < size; i++) {
        memcpy(text + 2 * i, digits, 2);
    }
    return texts(world, text, NULL);
}

static struct vg_sample_search search_of(
    struct world *world,
    const struct vg_principal *principal,
    const struct vg_sample_criteria *criteria)
{
    static const struct vg_sample_sort oldest = { VG_SAMPLE_SORT_CREATED, false };
    return (struct vg_sample_search){
        .criteria = criteria,
        .viewer = { .principal = principal,
                    .directory = world->base.snapshot,
                    .now = vg_clock_now(&world->base.clock.clock) },
        .index_end = NOW + 100 * DAY_MS,
        .sort = &oldest,
        .sort_count = 1,
        .secret = secret,
    };
}

static enum vg_reason run(
    struct world *world,
    const struct vg_sample_search *search,
    struct vg_sample_cursor *cursor)
{
    const struct vg_sample_store store = { .table = world->base.table,
                                           .store = world->base.base.store,
                                           .snapshot_age_ms = 10000 };
    vg_error_init(&world->error, &world->base.arena);
    return vg_sample_search_run(&store, search, &world->base.arena, cursor, &world->error);
}

/* The letters of the samples found, oldest first. */
static void find_by(struct world *world, const struct vg_sample_search *search, char out[8])
{
    struct vg_sample_cursor cursor;
    bool is_end = false;
    size_t count = 0;
    assert_int_equal(run(world, search, &cursor), VG_OK);
    for (;;) {
        struct vg_sample_record record;
        assert_int_equal(
            vg_sample_cursor_next(&cursor, &world->base.arena, &record, &is_end, NULL),
            VG_OK);
        if (is_end) {
            break;
        }
        assert_true(count < 7);
        out[count++] = (char)('A' + (record.sha256[0] >> 4) - 0xa);
    }
    out[count] = '\0';
    assert_int_equal(cursor.match_count, count);
    vg_sample_cursor_close(&cursor);
}

struct question {
    const char *name;
    struct vg_sample_criteria criteria;
    const char *expected;
};

static void check(
    struct world *world,
    const struct vg_principal *principal,
    const struct question *questions,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char found[8];
        struct vg_sample_search search = search_of(world, principal, &questions[i].criteria);
        find_by(world, &search, found);
        if (strcmp(found, questions[i].expected) != 0) {
            fail_msg("%s: %s, not %s", questions[i].name, found, questions[i].expected);
        }
    }
}
#define CHECK(questions) check(world, &world->base.agent, questions, VG_ARRAY_COUNT(questions))

/* ---- the rules */

static void test_sample_criteria__a_sample_is_seen_through_a_submission(void **state)
{
    struct world *world = *state;
    const struct question agent[] = { { "all", { .sha256 = { 0 } }, "AB" } };
    const struct question stranger[] = { { "all", { .sha256 = { 0 } }, "C" } };
    const struct question administrator[] = {
        { "all", { .sha256 = { 0 } }, "ABE" },
        { "what is left of one that is deleted", { .md5 = digest(world, "e5", 16) }, "E" },
        { "it has no submission", { .customers = texts(world, "demo", NULL) }, "A" },
    };
    CHECK(agent);
    check(world, &world->base.stranger, stranger, VG_ARRAY_COUNT(stranger));
    check(world, &world->administrator, administrator, VG_ARRAY_COUNT(administrator));
}

static void test_sample_criteria__the_window_is_about_the_last_change(void **state)
{
    struct world *world = *state;
    static const struct {
        vg_time start;
        vg_time end;
        const char *expected;
    } windows[] = {
        { NOW, NOW, "A" },        { NOW, B_CAME, "AB" },      { NOW + 1, B_CAME, "B" },
        { NOW, B_CAME - 1, "A" }, { B_CAME + 1, C_CAME, "" }, { B_CAME, NOW, "" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(windows); i++) {
        char found[8];
        const struct vg_sample_criteria none = { .sha256 = { 0 } };
        struct vg_sample_search search = search_of(world, &world->base.agent, &none);
        search.index_start = windows[i].start;
        search.index_end = windows[i].end;
        find_by(world, &search, found);
        assert_string_equal(found, windows[i].expected);
    }
}

static void test_sample_criteria__digests(void **state)
{
    struct world *world = *state;
    const struct question questions[] = {
        { "in lower case", { .sha256 = digest(world, "a1", 32) }, "A" },
        { "in upper case", { .sha256 = digest(world, "B2", 32) }, "B" },
        { "not seen", { .sha256 = digest(world, "c3", 32) }, "" },
        { "too short", { .sha256 = digest(world, "a1", 31) }, "" },
        { "no digits", { .sha256 = digest(world, "zz", 32) }, "" },
        { "SHA-512", { .sha512 = digest(world, "b2", 64) }, "B" },
        { "SHA-1", { .sha1 = digest(world, "b2", 20) }, "B" },
        { "MD5", { .md5 = digest(world, "b2", 16) }, "B" },
        { "of two kinds", { .md5 = digest(world, "b2", 16), .sha1 = digest(world, "a1", 20) }, "" },
    };
    CHECK(questions);
}

static void test_sample_criteria__keywords(void **state)
{
    struct world *world = *state;
    const uint32_t verdict = BIT(VG_SAMPLE_KEYWORD_VERDICT);
    const uint32_t submission = BIT(VG_SAMPLE_KEYWORD_SUBMISSION);
    const uint32_t analysis = BIT(VG_SAMPLE_KEYWORD_ANALYSIS);
    const uint32_t all = BIT(VG_SAMPLE_KEYWORD_ALL);
    const struct vg_text_list trojan = texts(world, "TROJAN", NULL);
    const struct vg_text_list both = texts(world, "trojan", "Invoice");
    const struct question questions[] = {
        { "of a submission", { .keywords = texts(world, "INVOICE", NULL) }, "A" },
        { "of a digest", { .keywords = texts(world, "b2B2", NULL) }, "B" },
        { "any of them", { .keywords = texts(world, "invoice", "second") }, "AB" },
        { "the newest verdict", { .keywords = trojan, .keyword_fields = verdict }, "A" },
        { "not the one before", { .keywords = texts(world, "harmless", NULL) }, "" },
        { "another field", { .keywords = trojan, .keyword_fields = submission }, "" },
        { "any field", { .keywords = trojan, .keyword_fields = submission | verdict }, "A" },
        { "all fields, one lacks",
          { .keywords = trojan, .keyword_fields = submission | verdict, .keywords_all = true },
          "" },
        { "all fields have one",
          { .keywords = both, .keyword_fields = submission | verdict, .keywords_all = true },
          "A" },
        { "what is not stored", { .keywords = both, .keyword_fields = analysis }, "" },
        { "all, of which one is not stored",
          { .keywords = both, .keyword_fields = verdict | analysis, .keywords_all = true },
          "" },
        { "the union is one field",
          { .keywords = trojan, .keyword_fields = all | analysis, .keywords_all = true },
          "A" },
    };
    CHECK(questions);
}

static void test_sample_criteria__times(void **state)
{
    struct world *world = *state;
    const uint32_t created = BIT(VG_SAMPLE_TIME_CREATED);
    const uint32_t observed = BIT(VG_SAMPLE_TIME_SUBMISSION_OBSERVED);
    const uint32_t expiry = BIT(VG_SAMPLE_TIME_SUBMISSION_EXPIRY);
    const uint32_t analysis = BIT(VG_SAMPLE_TIME_ANALYSIS);
#define BETWEEN(from, to, fields, is_all)                                                          \
    {                                                                                              \
        .has_start = true, .has_end = true, .start = (from), .end = (to), .time_fields = (fields), \
        .times_all = (is_all)                                                                      \
    }
    const struct question questions[] = {
        { "no range", { .time_fields = analysis, .times_all = true }, "AB" },
        { "created", BETWEEN(NOW, NOW, created, false), "A" },
        { "the ends are in", BETWEEN(NOW, B_CAME, created, false), "AB" },
        { "before its end", BETWEEN(NOW, B_CAME - 1, created, false), "A" },
        { "open at the end", { .has_start = true, .start = NOW + 1, .time_fields = created }, "B" },
        { "observed", BETWEEN(NOW - 11 * DAY_MS, NOW - 9 * DAY_MS, observed, false), "A" },
        { "any of all", BETWEEN(NOW - 11 * DAY_MS, NOW - 9 * DAY_MS, 0, false), "A" },
        { "expires", BETWEEN(NOW + 30 * DAY_MS, NOW + 30 * DAY_MS, expiry, false), "B" },
        { "all, one is absent", BETWEEN(0, NOW + 40 * DAY_MS, created | expiry, true), "AB" },
        { "all, one is beyond", BETWEEN(0, NOW + 20 * DAY_MS, created | expiry, true), "A" },
        { "all, none is there", BETWEEN(0, NOW + 40 * DAY_MS, analysis, true), "" },
        { "all, of what is there", BETWEEN(0, NOW + 40 * DAY_MS, expiry, true), "B" },
        { "an empty range", BETWEEN(B_CAME, NOW, created, false), "" },
    };
#undef BETWEEN
    CHECK(questions);
}

static void test_sample_criteria__customers_colours_and_users(void **state)
{
    struct world *world = *state;
    static const int32_t green[] = { VG_TLP_GREEN };
    const uint32_t submitted = BIT(VG_SAMPLE_USER_SUBMITTED);
    const uint32_t analysed = BIT(VG_SAMPLE_USER_ANALYSED);
    const uint32_t all = BIT(VG_SAMPLE_USER_ALL);
    const struct vg_text_list agent = texts(world, "agent", NULL);
    const struct question questions[] = {
        { "a customer", { .customers = texts(world, "demo", NULL) }, "A" },
        { "by id", { .customers = texts(world, "3", NULL) }, "B" },
        { "one of two", { .customers = texts(world, "demo", "sub") }, "AB" },
        { "not seen", { .customers = texts(world, "other", NULL) }, "" },
        { "unknown", { .customers = texts(world, "nobody", NULL) }, "" },
        { "a colour", { .tlp = { green, 1 } }, "B" },
        { "a user", { .users = agent }, "AB" },
        { "by its id", { .users = texts(world, "10", NULL) }, "AB" },
        { "another", { .users = texts(world, "stranger", "noone") }, "" },
        { "submitted", { .users = agent, .user_fields = submitted }, "AB" },
        { "analysed", { .users = agent, .user_fields = analysed }, "" },
        { "any", { .users = agent, .user_fields = submitted | analysed }, "AB" },
        { "all", { .users = agent, .user_fields = submitted | analysed, .users_all = true }, "" },
        { "one field", { .users = agent, .user_fields = all | analysed, .users_all = true }, "AB" },
    };
    CHECK(questions);
}

static void test_sample_criteria__one_submission_answers_all_of_an_entry(void **state)
{
    struct world *world = *state;
    const struct vg_submission_agent_criteria second = { .versions = texts(world, "2.0", NULL) };
    const struct vg_submission_criteria none = { .tlp = { 0 } };
    const struct vg_submission_criteria invoice = { .file_names =
                                                        texts(world, "invoice.exe", NULL) };
    const struct vg_submission_criteria apart = { .file_names = texts(world, "report.pdf", NULL),
                                                  .agents = &second,
                                                  .agent_count = 1 };
    const struct vg_submission_criteria together = { .file_names = texts(world, "second.pdf", NULL),
                                                     .agents = &second,
                                                     .agent_count = 1 };
    const struct vg_sample_submission_criteria entries[] = {
        { .criteria = none },
        { .criteria = apart },
        { .criteria = together },
        { .criteria = invoice, .exclude = true },
        { .criteria = invoice, .required = true },
        { .criteria = invoice },
    };
    const struct question questions[] = {
        { "an entry that asks nothing",
          { .submissions = &entries[0], .submission_count = 1 },
          "AB" },
        { "two submissions have it", { .submissions = &entries[1], .submission_count = 1 }, "" },
        { "one has it", { .submissions = &entries[2], .submission_count = 1 }, "B" },
        { "one of the entries", { .submissions = &entries[0], .submission_count = 3 }, "B" },
        { "excluded", { .submissions = &entries[3], .submission_count = 1 }, "B" },
        { "required besides", { .submissions = &entries[4], .submission_count = 2 }, "A" },
    };
    CHECK(questions);
}

static void test_sample_criteria__verdicts_and_what_is_not_stored(void **state)
{
    struct world *world = *state;
    const struct vg_sample_verdict_criteria verdicts[] = {
        { .has_minimum = true, .minimum = 50 },
        { .has_maximum = true, .maximum = 10 },
        { .has_minimum = true, .has_maximum = true, .minimum = 1, .maximum = 99 },
        { .include_flags = BIT(1) },
        { .exclude_flags = BIT(1) },
        { .has_tags = true },
        { .has_minimum = true, .minimum = 50, .exclude = true },
        { .has_minimum = false },
    };
    static const char *const expected[] = { "A", "B", "", "AB", "", "", "B", "AB" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(verdicts); i++) {
        const struct question question[] = {
            { "a verdict", { .verdicts = &verdicts[i], .verdict_count = 1 }, expected[i] },
        };
        CHECK(question);
    }
    static const struct vg_sample_absent_criteria asks = { .is_restricting = true };
    static const struct vg_sample_absent_criteria excludes = { .is_restricting = true,
                                                               .exclude = true };
    static const struct vg_sample_absent_criteria nothing = { .is_restricting = false };
    for (size_t kind = 0; kind < 4; kind++) {
        struct question questions[] = {
            { "asked for", { .sha256 = { 0 } }, "" },
            { "excluded", { .sha256 = { 0 } }, "AB" },
            { "nothing", { .sha256 = { 0 } }, "AB" },
        };
        const struct vg_sample_absent_criteria *const entries[] = { &asks, &excludes, &nothing };
        for (size_t i = 0; i < VG_ARRAY_COUNT(questions); i++) {
            questions[i].criteria.absent[kind] = entries[i];
            questions[i].criteria.absent_count[kind] = 1;
        }
        CHECK(questions);
    }
}

static void test_sample_criteria__sub_criteria(void **state)
{
    struct world *world = *state;
    const struct vg_sample_criteria a = { .md5 = digest(world, "a1", 16) };
    const struct vg_sample_criteria b = { .customers = texts(world, "sub", NULL) };
    const struct vg_sample_sub_criteria either[] = { { .criteria = &a }, { .criteria = &b } };
    const struct vg_sample_sub_criteria without[] = { { .criteria = &a, .exclude = true } };
    const struct vg_sample_criteria inner = { .sub_criteria = either, .sub_criteria_count = 2 };
    const struct vg_sample_sub_criteria nested[] = { { .criteria = &inner, .required = true },
                                                     { .criteria = &b } };
    const struct question questions[] = {
        { "either", { .sub_criteria = either, .sub_criteria_count = 2 }, "AB" },
        { "excluded", { .sub_criteria = without, .sub_criteria_count = 1 }, "B" },
        { "nested", { .sub_criteria = nested, .sub_criteria_count = 2 }, "B" },
    };
    CHECK(questions);
}

/* ---- what is refused */

static void assert_refused(
    struct world *world,
    const struct vg_sample_criteria *criteria,
    const char *field)
{
    struct vg_sample_cursor cursor;
    struct vg_sample_search search = search_of(world, &world->base.agent, criteria);
    assert_int_equal(run(world, &search, &cursor), VG_INVALID_FIELD_VALUE);
    /* The error keeps the beginning of a long path. */
    size_t kept = sizeof(world->error.field) - 1;
    assert_int_equal(strncmp(world->error.field, field, kept), 0);
    assert_true(strlen(field) > kept || strlen(world->error.field) == strlen(field));
}

static void test_sample_criteria__an_empty_keyword_is_named(void **state)
{
    struct world *world = *state;
    const struct vg_sample_criteria top = { .keywords = texts(world, "word", "") };
    const struct vg_sample_sub_criteria subs[] = { { .criteria = &top } };
    const struct vg_sample_criteria outer = { .sub_criteria = subs, .sub_criteria_count = 1 };
    assert_refused(world, &top, "keywords[1]");
    assert_refused(world, &outer, "subCriteria[0].keywords[1]");
}

/* Criteria that nest `depth` times, the innermost of which want A. */
static const struct vg_sample_criteria *nest(struct world *world, unsigned depth)
{
    struct vg_arena *arena = &world->base.arena;
    struct vg_sample_criteria *criteria = vg_arena_calloc(arena, 1, sizeof(*criteria));
    assert_non_null(criteria);
    if (depth == 0) {
        criteria->md5 = digest(world, "a1", 16);
        return criteria;
    }
    struct vg_sample_sub_criteria *sub = vg_arena_calloc(arena, 1, sizeof(*sub));
    assert_non_null(sub);
    sub->criteria = nest(world, depth - 1);
    criteria->sub_criteria = sub;
    criteria->sub_criteria_count = 1;
    return criteria;
}

static void test_sample_criteria__nest_so_deep_and_no_deeper(void **state)
{
    struct world *world = *state;
    const struct question deep[] = { { "deep", *nest(world, VG_LIMIT_CRITERIA_DEPTH), "A" } };
    CHECK(deep);
    char path[256] = "";
    for (unsigned i = 0; i < VG_LIMIT_CRITERIA_DEPTH; i++) {
        strncat(path, "subCriteria[0].", sizeof(path) - strlen(path) - 1);
    }
    strncat(path, "subCriteria", sizeof(path) - strlen(path) - 1);
    assert_refused(world, nest(world, VG_LIMIT_CRITERIA_DEPTH + 1), path);
}

static void test_sample_criteria__ask_so_much_and_no_more(void **state)
{
    struct world *world = *state;
    /* One question is who sees the sample. */
    struct vg_sample_sub_criteria subs[VG_ID_MARKS_MAX];
    const struct vg_sample_criteria demo = { .customers = texts(world, "demo", NULL) };
    const struct vg_sample_criteria sub = { .customers = texts(world, "sub", NULL) };
    for (size_t i = 0; i < VG_ARRAY_COUNT(subs); i++) {
        subs[i] = (struct vg_sample_sub_criteria){ .criteria = i == 0 ? &demo : &sub };
    }
    const struct question most[] = {
        { "most", { .sub_criteria = subs, .sub_criteria_count = VG_ID_MARKS_MAX - 1 }, "AB" },
    };
    const struct vg_sample_criteria more = { .sub_criteria = subs,
                                             .sub_criteria_count = VG_ID_MARKS_MAX };
    CHECK(most);
    assert_refused(world, &more, "subCriteria[63].submission");
}

static void test_sample_criteria__a_join_takes_so_many_samples_and_no_more(void **state)
{
    struct world *world = *state;
    const struct vg_sample_criteria none = { .sha256 = { 0 } };
    struct vg_sample_search search = search_of(world, &world->base.agent, &none);
    struct vg_sample_cursor cursor;
    char found[8];
    search.ids_max = 3; /* A, B, and E, whose submission has not gone yet */
    find_by(world, &search, found);
    assert_string_equal(found, "AB");
    search.ids_max = 2;
    assert_int_equal(run(world, &search, &cursor), VG_RESULTSET_TOO_LARGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_sample_criteria__##name)
    const struct CMUnitTest tests[] = {
        TEST(a_sample_is_seen_through_a_submission),
        TEST(the_window_is_about_the_last_change),
        TEST(digests),
        TEST(keywords),
        TEST(times),
        TEST(customers_colours_and_users),
        TEST(one_submission_answers_all_of_an_entry),
        TEST(verdicts_and_what_is_not_stored),
        TEST(sub_criteria),
        TEST(an_empty_keyword_is_named),
        TEST(nest_so_deep_and_no_deeper),
        TEST(ask_so_much_and_no_more),
        TEST(a_join_takes_so_many_samples_and_no_more),
    };
#undef TEST
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
