/* Criteria against events in the table (events-api.md 4): who matches, in which order, who sees it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/events/property_match.h"
#include "tests/support/event_fixture.h"

#define UUID_OF(n) "1679fbfc-1792-4992-8428-3cb4df642f0" #n

#define ENDPOINT(ip_, port_)                                                                       \
    {                                                                                              \
        .ip = (ip_), .port = (port_)                                                               \
    }
#define NO_ENDPOINT ENDPOINT(NULL, VG_EVENT_NO_PORT)

static const int64_t case_31[] = { 31 };
static const int64_t case_33[] = { 33 };
static char *const value_x[] = { (char[]){ "x" }, (char[]){ "y" } };
static const struct vg_event_input_property property_k = { "k", value_x, 2 };
static char *const agents[] = { (char[]){ "Mozilla/5.0 (X11; Linux x86_64) Gecko" },
                                (char[]){ "Firefox \xC3\xA5se" } };
static char *const addresses_of_b[] = { (char[]){ "/index.html" }, (char[]){ "--" } };
static const struct vg_event_input_property properties_b[] = {
    { "http.uri", addresses_of_b, 2 },
    { "user.agent", agents, 2 },
};

/*
 * The events, by the letter the tests call them:
 *   a  plain                              1000
 *   b  10.1.2.3 → 10.9.0.1:443, high      2000, observed 1900 to 2500
 *   c  10.1.2.0/24 → none, tcp, KNOWN     3000
 *   d  IPv6, blocked, critical            4000
 *   e  of case 31 (readable), domain      5000
 *   f  of customer sub                    6000
 *   g  raw                                7000
 *   h  of case 33, not readable by name   8000
 */
static const struct vg_event_input events[] = {
    { .id_text = "AGGR/1000/1/" UUID_OF(1), .source = NO_ENDPOINT, .destination = NO_ENDPOINT },
    { .id_text = "AGGR/2000/1/" UUID_OF(2),
      .has_start = true,
      .start = 1900,
      .has_end = true,
      .end = 2500,
      .severity = VG_EVENT_SEVERITY_HIGH,
      .count = 7,
      .signature = "B",
      .properties = properties_b,
      .property_count = 2,
      .source = ENDPOINT("10.1.2.3", VG_EVENT_NO_PORT),
      .destination = ENDPOINT("10.9.0.1", 443) },
    { .id_text = "AGGR/3000/1/" UUID_OF(3),
      .signature = "KNOWN",
      .protocol = "tcp",
      .location = "oslo",
      .source = ENDPOINT("10.1.2.0/24", 1024),
      .destination = NO_ENDPOINT },
    { .id_text = "AGGR/4000/1/" UUID_OF(4),
      .severity = VG_EVENT_SEVERITY_CRITICAL,
      .flags = { { UINT64_C(1) << (VG_EVENT_FLAG_BLOCKED - 1),
                   UINT64_C(1) << (VG_EVENT_FLAG_FAILURE - 65) } },
      .source = { .ip = "2001:db8::1",
                  .port = 65535,
                  .geo = { .present = true, .country_code = "no" } },
      .destination = NO_ENDPOINT },
    { .id_text = "AGGR/5000/1/" UUID_OF(5),
      .case_ids = case_31,
      .case_count = 1,
      .fqdn = "WWW.Example.org.",
      .properties = &property_k,
      .property_count = 1,
      .source = NO_ENDPOINT,
      .destination = NO_ENDPOINT },
    { .id_text = "AGGR/6000/3/" UUID_OF(6), .source = NO_ENDPOINT, .destination = NO_ENDPOINT },
    { .id_text = "RAW/7000/1/" UUID_OF(7), .source = NO_ENDPOINT, .destination = NO_ENDPOINT },
    { .id_text = "AGGR/8000/1/" UUID_OF(8),
      .case_ids = case_33,
      .case_count = 1,
      .source = NO_ENDPOINT,
      .destination = NO_ENDPOINT },
};

/* All tests look at the same events and change none. */
static int set_up(void **state)
{
    struct vg_event_fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(f);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + (int64_t)i * 10);
        (void)vg_event_fixture_submit(f, &events[i]);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    vg_event_fixture_close(*state);
    free(*state);
    return 0;
}

/* --------------------------------------------------------------------------------- searching */

struct page {
    const struct vg_principal *principal; /* NULL = admin */
    enum vg_event_type type;
    struct vg_event_sort sort[10];
    size_t sort_count;
    int64_t limit;
    int64_t offset;
    uint32_t pass_rows;
    bool is_unlimited;
};

/* The letters of the events that `where` wants. */
static enum vg_reason find(
    struct vg_event_fixture *f,
    const struct vg_predicate *where,
    const struct page *page,
    char found[32],
    uint64_t *out_count,
    struct vg_error *error)
{
    struct vg_event_search asked = {
        .where = where,
        .sort = page->sort,
        .sort_count = page->sort_count,
        .limit = page->limit,
        .offset = page->offset,
        .pass_rows = page->pass_rows,
        .is_unlimited = page->is_unlimited,
    };
    struct vg_event_cursor cursor;
    enum vg_reason reason = vg_event_search_run(&f->source, &asked, &f->arena, &cursor, error);
    if (reason != VG_OK) {
        return reason;
    }
    size_t used = 0;
    bool end = false;
    while (!end) {
        struct vg_event_id id;
        struct vg_bytes record;
        assert_int_equal(vg_event_cursor_next(&cursor, &id, &record, &end, error), VG_OK);
        if (!end) {
            struct vg_event_record unpacked;
            assert_int_equal(
                vg_event_record_unpack(&id, record, &f->arena, &unpacked, NULL),
                VG_OK);
            found[used++] = (char)('a' + (id.uuid.bytes[15] & 0xF) - 1);
        }
    }
    found[used] = 0;
    *out_count = cursor.match_count;
    vg_event_cursor_close(&cursor);
    return VG_OK;
}

static enum vg_reason search(
    struct vg_event_fixture *f,
    const struct vg_event_criteria *criteria,
    const struct page *page,
    char found[32],
    uint64_t *out_count,
    struct vg_error *error)
{
    struct vg_event_criteria_context context = {
        .directory = f->snapshot,
        .principal = page->principal != NULL ? page->principal : &f->admin,
        .secret = f->rules.secret,
        .now = vg_clock_now(&f->clock.clock),
        .function = UINT64_C(1) << 1,
        .type = page->type,
        .arena = &f->arena,
    };
    const struct vg_predicate *where;
    vg_error_init(error, &f->arena);
    enum vg_reason reason = vg_event_criteria_compile(criteria, &context, &where, error);
    return reason == VG_OK ? find(f, where, page, found, out_count, error) : reason;
}

static const struct page oldest_first = { .sort = { { VG_EVENT_SORT_TIMESTAMP, false } },
                                          .sort_count = 1,
                                          .limit = 25 };

static void assert_found(
    struct vg_event_fixture *f,
    const char *what,
    const struct vg_event_criteria *criteria,
    const struct page *page,
    const char *expected)
{
    char found[32];
    uint64_t count = 0;
    struct vg_error error;
    enum vg_reason reason = search(f, criteria, page, found, &count, &error);
    if (reason != VG_OK) {
        fail_msg("%s: reason %d, %s", what, reason, error.message);
    }
    if (strcmp(found, expected) != 0) {
        fail_msg("%s: found %s, expected %s", what, found, expected);
    }
    if (page->limit >= 8 && page->offset == 0) {
        assert_int_equal(count, strlen(expected));
    }
}

#define TEXTS(...)                                                                                 \
    {                                                                                              \
        (char *const[]){ __VA_ARGS__ },                                                            \
            sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)                          \
    }
#define S(text) ((char[]){ text })
#define NUMBERS(...)                                                                               \
    {                                                                                              \
        (const int64_t[]){ __VA_ARGS__ },                                                          \
            sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)                             \
    }
#define CODES(...)                                                                                 \
    {                                                                                              \
        (const int32_t[]){ __VA_ARGS__ },                                                          \
            sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t)                             \
    }
#define CRITERIA(...)                                                                              \
    {                                                                                              \
        .min_bits = { -1, -1 }, __VA_ARGS__                                                        \
    }

static void test_members(void **state)
{
    static const struct vg_event_criteria_id full = { .text = "NIDS/7000/1/" UUID_OF(7) };
    static const struct vg_event_criteria_id parts = { .has_timestamp = true, .timestamp = 5000 };
    static const struct vg_event_criteria_id foreign = { .text = "AGGR/1/1/abc" };
    const struct vg_event_criteria_property x = { "k", TEXTS(S("x")) };
    const struct vg_event_criteria_property z = { "k", TEXTS(S("z"), S("y")) };
    const struct vg_event_criteria_property no = { "k", TEXTS(S("no")) };
    const struct vg_event_criteria_property no_then_x[] = { no, x };
    const struct vg_event_criteria_property no_then_all[] = { no, { .key = "k" } };
    const struct {
        const char *what;
        struct vg_event_criteria criteria;
        const char *expected;
    } rows[] = {
        { "nothing", CRITERIA(.has_start = false), "abcdefgh" },
        { "signature", CRITERIA(.signatures = TEXTS(S("KNOWN"), S("B"))), "bc" },
        { "signature exactly", CRITERIA(.signatures = TEXTS(S("known"))), "" },
        { "alarm", CRITERIA(.alarms = NUMBERS(41)), "c" },
        { "category", CRITERIA(.categories = NUMBERS(42, 7)), "c" },
        { "location", CRITERIA(.locations = NUMBERS(21)), "c" },
        { "severity", CRITERIA(.severities = CODES(3, 4)), "bd" },
        { "severity from", CRITERIA(.min_severity = 4), "d" },
        { "severity to", CRITERIA(.max_severity = 1), "acefgh" },
        { "severity none", CRITERIA(.min_severity = 3, .max_severity = 2), "" },
        { "customer name", CRITERIA(.customers = TEXTS(S("SUB"))), "f" },
        { "customer id text", CRITERIA(.customers = TEXTS(S("3"))), "f" },
        { "customer unknown", CRITERIA(.customers = TEXTS(S("nobody"))), "" },
        { "customer union",
          CRITERIA(.customers = TEXTS(S("nobody")), .customer_ids = NUMBERS(3, 99)),
          "f" },
        { "any port", CRITERIA(.ports = { TEXTS(S("443")) }), "b" },
        { "port range", CRITERIA(.ports = { TEXTS(S("1000-2000"), S("65535")) }), "cd" },
        { "source port", CRITERIA(.ports = { [1] = TEXTS(S("443")) }), "" },
        { "destination port", CRITERIA(.ports = { [2] = TEXTS(S("443")) }), "b" },
        { "range backwards", CRITERIA(.ports = { TEXTS(S("500-1")) }), "" },
        { "country", CRITERIA(.countries = { TEXTS(S("No")) }), "d" },
        { "destination country", CRITERIA(.countries = { [2] = TEXTS(S("NO")) }), "" },
        { "domain", CRITERIA(.domains = TEXTS(S("www.EXAMPLE.org."))), "e" },
        { "no sub-domain", CRITERIA(.domains = TEXTS(S("example.org"))), "" },
        { "property", CRITERIA(.properties = &x, .property_count = 1), "e" },
        { "property any of", CRITERIA(.properties = &z, .property_count = 1), "e" },
        { "property other", CRITERIA(.properties = &no, .property_count = 1), "" },
        { "property twice", CRITERIA(.properties = no_then_x, .property_count = 2), "e" },
        { "property taken back",
          CRITERIA(.properties = no_then_all, .property_count = 2),
          "abcdefgh" },
        { "case", CRITERIA(.cases = NUMBERS(31, 32)), "e" },
        { "no case", CRITERIA(.cases = NUMBERS(0)), "abcdfg" },
        { "case or none", CRITERIA(.cases = NUMBERS(0, 33)), "abcdfgh" },
        { "count", CRITERIA(.has_min_count = true, .min_count = 2), "b" },
        { "count of nothing", CRITERIA(.has_min_count = true, .min_count = -3), "abcdefgh" },
        { "flag low",
          CRITERIA(.flags_all = { { UINT64_C(1) << (VG_EVENT_FLAG_BLOCKED - 1), 0 } }),
          "d" },
        { "flag high",
          CRITERIA(.flags_all = { { 0, UINT64_C(1) << (VG_EVENT_FLAG_FAILURE - 65) } }),
          "d" },
        { "flag set by the server",
          CRITERIA(.flags_all = { { UINT64_C(1) << (VG_EVENT_FLAG_NOTIFIED - 1), 0 } }),
          "eh" },
        { "no flag",
          CRITERIA(
                  .flags_none = { { UINT64_C(1) << (VG_EVENT_FLAG_NOTIFIED - 1),
                                    UINT64_C(1) << (VG_EVENT_FLAG_FAILURE - 65) } }),
          "abcfg" },
        { "identity", CRITERIA(.ids = &full, .id_count = 1), "g" },
        { "identity in part", CRITERIA(.ids = &parts, .id_count = 1), "e" },
        { "identity of nobody", CRITERIA(.ids = &foreign, .id_count = 1), "" },
        { "and", CRITERIA(.severities = CODES(3, 4), .signatures = TEXTS(S("B"))), "b" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_found(*state, rows[i].what, &rows[i].criteria, &oldest_first, rows[i].expected);
    }
}

/* By words: all of one value, in any order and case; exactly, and without a key. */
static void test_property_words(void **state)
{
    static const struct {
        const char *key; /* NULL = any */
        const char *value;
        bool tokenized;
        const char *expected;
    } rows[] = {
        { "user.agent", "mozilla", true, "b" },
        { "user.agent", "GECKO linux-x86_64", true, "b" },
        { "user.agent", "mozilla firefox", true, "" }, /* words of two values */
        { "user.agent", "mozill", true, "" },          /* a word, not its beginning */
        { "http.uri", "mozilla", true, "" },           /* another key */
        { "no.key", "mozilla", true, "" },
        { "user.agent", "", true, "" },
        { "user.agent", "-- / --", true, "" }, /* no words */
        { "user.agent", "\xC3\x85SE", true, "b" },
        { NULL, "mozilla", true, "b" },
        { NULL, "index html", true, "b" },
        { NULL, "x", true, "e" },
        { NULL, "X", true, "e" },
        { NULL, "x", false, "e" },
        { NULL, "X", false, "" },
        { NULL, "/index.html", false, "b" },
        { NULL, "--", false, "b" }, /* exactly, though it has no words */
        { NULL, "--", true, "" },
        { "user.agent", NULL, false, "b" },
        { "user", NULL, true, "" },
        { NULL, NULL, false, "abcdefgh" }, /* every new event gets some */
    };
    struct vg_event_fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vg_property_match match = { .key = vg_bytes_text(rows[i].key),
                                                 .value = vg_bytes_text(rows[i].value),
                                                 .tokenized = rows[i].tokenized };
        for (int negated = 0; negated < 2; negated++) {
            char found[32];
            uint64_t count = 0;
            struct vg_error error;
            const struct vg_predicate *where =
                vg_property_match_predicate(&f->arena, f->rules.secret, &match);
            if (negated != 0) {
                where = vg_predicate_not(&f->arena, where);
            }
            vg_error_init(&error, &f->arena);
            assert_int_equal(find(f, where, &oldest_first, found, &count, &error), VG_OK);
            char expected[32];
            size_t used = 0;
            for (char letter = 'a'; letter <= 'h'; letter++) {
                if ((strchr(rows[i].expected, letter) != NULL) != (negated != 0)) {
                    expected[used++] = letter;
                }
            }
            expected[used] = 0;
            assert_string_equal(found, expected);
        }
        if (rows[i].key != NULL && rows[i].value != NULL) {
            char *value = vg_arena_text(&f->arena, vg_bytes_text(rows[i].value));
            const struct vg_event_criteria_property property = {
                rows[i].key,
                { (char *const[]){ (char[]){ "nothing else" }, value }, 2 }
            };
            const struct vg_event_criteria criteria = CRITERIA(
                    .properties = &property,
                    .property_count = 1,
                    .properties_tokenized = rows[i]
                    .tokenized);
            assert_found(f, rows[i].value, &criteria, &oldest_first, rows[i].expected);
        }
    }
}

/* More words than a row keeps: the record is asked all the same. */
static void test_more_words_than_a_row_keeps(void **state)
{
    (void)state;
    struct vg_event_fixture f;
    vg_event_fixture_open(&f);
    char *texts[200];
    for (uint32_t v = 0; v < 200; v++) {
        char *text = vg_arena_alloc(&f.arena, 1021);
        assert_non_null(text);
        for (uint32_t w = 0; w < 170; w++) {
            (void)snprintf(text + w * 6, 7, "%05u ", v * 170 + w);
        }
        texts[v] = text;
    }
    const struct vg_event_input_property property = { "k", texts, 200 };
    const struct vg_event_input event = { .id_text = "AGGR/1000/1/" UUID_OF(1),
                                          .properties = &property,
                                          .property_count = 1,
                                          .source = NO_ENDPOINT,
                                          .destination = NO_ENDPOINT };
    (void)vg_event_fixture_submit(&f, &event);
    static const struct {
        const char *value;
        const char *expected;
    } rows[] = { { "00000 00169", "a" }, { "33830 33999", "a" }, { "00169 00170", "" } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vg_property_match match = { .key = vg_bytes_text("k"),
                                                 .value = vg_bytes_text(rows[i].value),
                                                 .tokenized = true };
        char found[32];
        uint64_t count = 0;
        struct vg_error error;
        const struct vg_predicate *where =
            vg_property_match_predicate(&f.arena, f.rules.secret, &match);
        vg_error_init(&error, &f.arena);
        assert_int_equal(find(&f, where, &oldest_first, found, &count, &error), VG_OK);
        assert_string_equal(found, rows[i].expected);
    }
    vg_event_fixture_close(&f);
}

static void test_networks(void **state)
{
    const struct {
        const char *what;
        struct vg_event_criteria criteria;
        const char *expected;
    } rows[] = {
        { "host", CRITERIA(.networks = { TEXTS(S("10.1.2.3")) }), "bc" },
        { "inside", CRITERIA(.networks = { TEXTS(S("10.0.0.0/8")) }), "bc" },
        { "covers", CRITERIA(.networks = { TEXTS(S("10.1.2.77")) }), "c" },
        { "everything", CRITERIA(.networks = { TEXTS(S("0.0.0.0/0")) }), "bc" },
        { "other family", CRITERIA(.networks = { TEXTS(S("::/0")) }), "d" },
        { "source", CRITERIA(.networks = { [1] = TEXTS(S("10.9.0.0/16")) }), "" },
        { "destination", CRITERIA(.networks = { [2] = TEXTS(S("10.9.0.0/16")) }), "b" },
        { "one of", CRITERIA(.networks = { TEXTS(S("1.1.1.1"), S("2001:db8::/32")) }), "d" },
        { "min bits", { .min_bits = { 25, -1 }, .networks = { TEXTS(S("10.1.2.3")) } }, "b" },
        { "min bits of the other side",
          { .min_bits = { -1, 25 }, .networks = { TEXTS(S("10.1.2.3")) } },
          "bc" },
        { "the network itself",
          { .min_bits = { 25, 25 }, .networks = { TEXTS(S("10.1.2.0/24")) } },
          "bc" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_found(*state, rows[i].what, &rows[i].criteria, &oldest_first, rows[i].expected);
    }
}

#define RANGE(from, to) .has_start = true, .start = (from), .has_end = true, .end = (to)

static void test_times(void **state)
{
    const vg_time day = VG_EVENT_FIXTURE_NOW;
    const struct {
        const char *what;
        struct vg_event_criteria criteria;
        const char *expected;
    } rows[] = {
        { "overlap", CRITERIA(RANGE(2400, 3000)), "bc" },
        { "overlap at the bounds", CRITERIA(RANGE(2500, 2500)), "b" },
        { "before", CRITERIA(RANGE(2501, 2999)), "" },
        { "from", CRITERIA(.has_start = true, .start = 6000), "fgh" },
        { "to", CRITERIA(.has_end = true, .end = 1999), "ab" },
        { "inverted", CRITERIA(RANGE(3000, 2000)), "" },
        { "timestamp", CRITERIA(RANGE(2400, 3000), .time_fields = VG_EVENT_TIME_BIT(1)), "c" },
        { "start", CRITERIA(RANGE(1900, 1999), .time_fields = VG_EVENT_TIME_BIT(2)), "b" },
        { "end or timestamp",
          CRITERIA(RANGE(2400, 3000), .time_fields = VG_EVENT_TIME_BIT(1) | VG_EVENT_TIME_BIT(3)),
          "bc" },
        { "publication",
          CRITERIA(RANGE(day, day + 15), .time_fields = VG_EVENT_TIME_BIT(4)),
          "ab" },
        { "all", CRITERIA(RANGE(1900, day + 5), .time_fields = 30), "abcdefgh" },
        { "all without range", CRITERIA(.time_fields = 30), "abcdefgh" },
        { "last updated", CRITERIA(.has_last_updated = true, .last_updated = day + 60), "gh" },
        { "skip future",
          CRITERIA(.has_end = true, .end = INT64_MAX, .skip_future = true),
          "abcdefgh" },
        { "index day",
          CRITERIA(.has_index_start = true, .index_start = day + 3600000),
          "abcdefgh" },
        { "index next day", CRITERIA(.has_index_start = true, .index_start = day + 86400000), "" },
        { "index day before", CRITERIA(.has_index_end = true, .index_end = day - 86400000), "" },
        { "unpublished", CRITERIA(.unpublished_excluded = true), "abcdefgh" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_found(*state, rows[i].what, &rows[i].criteria, &oldest_first, rows[i].expected);
    }
}

/* Table of conventions.md 7.1: elements that match b and others that match nothing. */
static void test_sub_criteria(void **state)
{
    const struct vg_event_criteria yes = CRITERIA(.signatures = TEXTS(S("B")));
    const struct vg_event_criteria high = CRITERIA(.severities = CODES(3));
    const struct vg_event_criteria no = CRITERIA(.signatures = TEXTS(S("nothing")));
    static const struct vg_event_criteria empty = CRITERIA(.has_start = false);
    static const struct vg_event_criteria both =
        CRITERIA(.types = 1u << VG_EVENT_TYPE_AGGREGATED | 1u << VG_EVENT_TYPE_RAW);
    const struct {
        const char *what;
        struct vg_event_sub_criteria elements[4];
        size_t count;
        const char *expected;
    } rows[] = {
        { "2 plain, none", { { .criteria = &no }, { .criteria = &no } }, 2, "" },
        { "2 plain, one", { { .criteria = &yes }, { .criteria = &no } }, 2, "b" },
        { "one plain, one required not",
          { { .criteria = &yes },
            { .criteria = &yes, .required = true },
            { .criteria = &no, .required = true } },
          3,
          "" },
        { "2 required",
          { { .criteria = &yes, .required = true }, { .criteria = &high, .required = true } },
          2,
          "b" },
        { "plain, required and excluded",
          { { .criteria = &yes },
            { .criteria = &yes, .required = true },
            { .criteria = &high, .exclude = true } },
          3,
          "" },
        { "only exclusion", { { .criteria = &yes, .exclude = true } }, 1, "acdefgh" },
        { "plain not, required",
          { { .criteria = &no }, { .criteria = &yes, .required = true } },
          2,
          "" },
        { "exclude wins over required",
          { { .criteria = &yes, .exclude = true, .required = true } },
          1,
          "acdefgh" },
        { "an empty one is dropped",
          { { .criteria = &empty, .exclude = true }, { .criteria = &empty } },
          2,
          "abcdefgh" },
        { "what every event has is asked for all the same",
          { { .criteria = &both, .exclude = true } },
          1,
          "" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_criteria criteria =
            CRITERIA(.sub_criteria = rows[i].elements, .sub_criteria_count = rows[i].count);
        assert_found(*state, rows[i].what, &criteria, &oldest_first, rows[i].expected);
    }
}

static void test_violations(void **state)
{
    struct vg_event_fixture *f = *state;
    const struct vg_event_criteria bad_ip =
        CRITERIA(.networks = { [1] = TEXTS(S("10.0.0.0/8"), S("10.1.2")) });
    const struct vg_event_sub_criteria inner[] = {
        { .criteria = &bad_ip, .name = "subCriteria", .index = 0 },
    };
    const struct {
        struct vg_event_criteria criteria;
        enum vg_reason reason;
        const char *field;
    } rows[] = {
        { CRITERIA(.networks = { TEXTS(S("nonsense")) }), VG_INVALID_FIELD_VALUE, "ip[0]" },
        { CRITERIA(.networks = { [2] = TEXTS(S("10.0.0.0/33")) }),
          VG_INVALID_FIELD_VALUE,
          "destinationIP[0]" },
        { CRITERIA(.sub_criteria = inner, .sub_criteria_count = 1),
          VG_INVALID_FIELD_VALUE,
          "subCriteria[0].sourceIP[1]" },
        { CRITERIA(.ports = { TEXTS(S("65536")) }), VG_INVALID_FIELD_VALUE, "port[0]" },
        { CRITERIA(.ports = { [1] = TEXTS(S("1"), S("a-b")) }),
          VG_INVALID_FIELD_VALUE,
          "sourcePort[1]" },
        { CRITERIA(.countries = { TEXTS(S("NOR")) }), VG_INVALID_FIELD_VALUE, "geoCountry[0]" },
        { CRITERIA(.severities = CODES(1), .min_severity = 1), VG_CONFLICTING_FIELDS, "severity" },
        { CRITERIA(.has_last_updated = true, .time_fields = VG_EVENT_TIME_BIT(1)),
          VG_CONFLICTING_FIELDS,
          "timeFieldStrategy" },
        { CRITERIA(.ids = (const struct vg_event_criteria_id[]){ { .text = "x" } }, .id_count = 1),
          VG_INVALID_FIELD_VALUE,
          "eventIdentifier[0]" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char found[32];
        uint64_t count;
        struct vg_error error;
        enum vg_reason reason = search(f, &rows[i].criteria, &oldest_first, found, &count, &error);
        assert_int_equal(reason, rows[i].reason);
        assert_int_equal(error.violations.count, 1);
        assert_string_equal(error.violations.items[0].field, rows[i].field);
    }
}

static enum vg_reason nest(struct vg_event_fixture *f, unsigned depth)
{
    struct vg_event_criteria levels[16];
    struct vg_event_sub_criteria elements[16];
    for (unsigned i = 0; i <= depth; i++) {
        vg_event_criteria_init(&levels[i]);
        if (i > 0) {
            elements[i] =
                (struct vg_event_sub_criteria){ .criteria = &levels[i - 1], .name = "subCriteria" };
            levels[i].sub_criteria = &elements[i];
            levels[i].sub_criteria_count = 1;
        }
    }
    char found[32];
    uint64_t count;
    struct vg_error error;
    return search(f, &levels[depth], &oldest_first, found, &count, &error);
}

static void test_limit_of_nesting(void **state)
{
    assert_int_equal(nest(*state, VG_LIMIT_CRITERIA_DEPTH), VG_OK);
    assert_int_equal(nest(*state, VG_LIMIT_CRITERIA_DEPTH + 1), VG_INVALID_FIELD_VALUE);
}

/* Sub-criteria are a question each. */
static void test_limit_of_questions(void **state)
{
    struct vg_event_fixture *f = *state;
    static struct vg_event_sub_criteria elements[VG_PREDICATE_NODES_MAX];
    const struct vg_event_criteria each = CRITERIA(.signatures = TEXTS(S("nobody has it")));
    for (size_t i = 0; i < VG_PREDICATE_NODES_MAX; i++) {
        elements[i] = (struct vg_event_sub_criteria){ .criteria = &each, .name = "subCriteria" };
    }
    char found[32];
    uint64_t count;
    struct vg_error error;
    struct vg_event_criteria criteria =
        CRITERIA(.sub_criteria = elements, .sub_criteria_count = VG_PREDICATE_NODES_MAX - 1);
    assert_int_equal(search(f, &criteria, &oldest_first, found, &count, &error), VG_OK);
    criteria.sub_criteria_count++;
    assert_int_equal(
        search(f, &criteria, &oldest_first, found, &count, &error),
        VG_INVALID_FIELD_VALUE);
}

/* Values are not questions: the longest list of the interface is one, in every member that has
 * one. What is behind many others is found as if it were alone. */
static void test_long_lists(void **state)
{
    enum { MANY = 10000 };
    struct vg_event_fixture *f = *state;
    static char *addresses[MANY];
    static char *ports[MANY];
    static char *names[MANY];
    static struct vg_event_criteria_id ids[MANY];
    struct vg_arena arena;
    vg_arena_init(&arena, 16u << 20);
    assert_true(MANY > VG_PREDICATE_NODES_MAX);
    for (size_t i = 0; i < MANY; i++) {
        addresses[i] = vg_arena_printf(&arena, "172.%zu.%zu.0/24", 16 + i / 256, i % 256);
        ports[i] = vg_arena_printf(&arena, "%zu", 20000 + 4 * i);
        names[i] = vg_arena_printf(&arena, "nobody has %zu", i);
        ids[i] = (struct vg_event_criteria_id){ .uuid = "00000000-0000-4000-8000-000000000000",
                                                .has_customer = i % 2 == 0,
                                                .customer_id = 4711,
                                                .has_timestamp = i % 4 == 0,
                                                .timestamp = (vg_time)i };
    }
    addresses[MANY - 1] = S("10.1.2.3");
    struct vg_event_criteria narrow = CRITERIA(.networks = { [1] = { addresses, MANY } });
    narrow.min_bits[0] = 25;
    ports[MANY - 1] = S("443");
    names[MANY - 2] = S("www.example.org.");
    names[MANY - 1] = S("B");
    /* One whole event, and parts that no event has together. */
    ids[MANY - 2] =
        (struct vg_event_criteria_id){ .uuid = UUID_OF(7), .has_customer = true, .customer_id = 3 };
    ids[MANY - 1] =
        (struct vg_event_criteria_id){ .uuid = UUID_OF(5), .has_customer = true, .customer_id = 1 };
    const struct {
        struct vg_event_criteria criteria;
        const char *found;
    } lists[] = {
        { CRITERIA(.networks = { { addresses, MANY } }), "bc" },
        { CRITERIA(.networks = { { addresses, MANY - 1 } }), "" },
        { CRITERIA(.networks = { [1] = { addresses, MANY } }), "bc" },
        { narrow, "b" },
        { CRITERIA(.networks = { [2] = { addresses, MANY } }), "" },
        { CRITERIA(.ports = { { ports, MANY } }), "b" },
        { CRITERIA(.ports = { [1] = { ports, MANY } }), "" },
        { CRITERIA(.signatures = { names, MANY }), "b" },
        { CRITERIA(.domains = { names, MANY }), "e" },
        { CRITERIA(.customers = { names, MANY }), "" },
        { CRITERIA(.ids = ids, .id_count = MANY), "e" },
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        char found[32];
        uint64_t count;
        struct vg_error error;
        assert_int_equal(
            search(f, &lists[i].criteria, &oldest_first, found, &count, &error),
            VG_OK);
        assert_string_equal(found, lists[i].found);
    }
    vg_arena_dispose(&arena);
}

/* ------------------------------------------------------------------------------------ access */

static void test_who_sees_what(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_principal nobody = f->viewer;
    nobody.customer_count = 0;
    struct vg_principal submitter = f->agent;
    submitter.functions = UINT64_C(1) << 3;
    const struct {
        const char *what;
        const struct vg_principal *principal;
        struct vg_event_criteria criteria;
        const char *expected;
    } rows[] = {
        { "agent", &f->agent, CRITERIA(.has_start = false), "abcdefgh" },
        { "viewer", &f->viewer, CRITERIA(.has_start = false), "abcdegh" },
        { "viewer names sub", &f->viewer, CRITERIA(.customer_ids = NUMBERS(3)), "" },
        { "without customers", &nobody, CRITERIA(.has_start = false), "" },
        { "without the function", &submitter, CRITERIA(.has_start = false), "" },
        { "case by reader", &f->viewer, CRITERIA(.cases = NUMBERS(31)), "e" },
        { "case not readable", &f->viewer, CRITERIA(.cases = NUMBERS(33)), "" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct page page = oldest_first;
        page.principal = rows[i].principal;
        assert_found(f, rows[i].what, &rows[i].criteria, &page, rows[i].expected);
    }
    struct page page = oldest_first;
    page.type = VG_EVENT_TYPE_AGGREGATED;
    assert_found(
        f,
        "aggregated",
        &(struct vg_event_criteria)CRITERIA(.has_start = false),
        &page,
        "abcdefh");
}

/* -------------------------------------------------------------------------------------- pages */

static void test_sorting(void **state)
{
    static const struct {
        const char *what;
        struct vg_event_sort sort[3];
        size_t count;
        const char *expected;
    } rows[] = {
        { "default", { { 0 } }, 0, "hgfedcba" },
        { "newest first", { { VG_EVENT_SORT_TIMESTAMP, true } }, 1, "hgfedcba" },
        { "last updated", { { VG_EVENT_SORT_LAST_UPDATED, false } }, 1, "abcdefgh" },
        { "severity, ties by identity", { { VG_EVENT_SORT_SEVERITY, true } }, 1, "dbacefhg" },
        { "severity up", { { VG_EVENT_SORT_SEVERITY, false } }, 1, "acefhgbd" },
        { "severity, then newest",
          { { VG_EVENT_SORT_SEVERITY, true }, { VG_EVENT_SORT_TIMESTAMP, true } },
          2,
          "dbhgfeca" },
        { "customer", { { VG_EVENT_SORT_CUSTOMER, true } }, 1, "fabcdehg" },
        { "count", { { VG_EVENT_SORT_COUNT, true }, { VG_EVENT_SORT_ID, false } }, 2, "bacdefhg" },
        { "absent last, up", { { VG_EVENT_SORT_SIGNATURE, false } }, 1, "bcadefhg" },
        { "absent last, down", { { VG_EVENT_SORT_SIGNATURE, true } }, 1, "cbadefhg" },
        { "protocol up", { { VG_EVENT_SORT_PROTOCOL, false } }, 1, "cabdefhg" },
        { "protocol down", { { VG_EVENT_SORT_PROTOCOL, true } }, 1, "cabdefhg" },
        { "identity down", { { VG_EVENT_SORT_ID, true } }, 1, "ghfedcba" },
    };
    static const struct vg_event_criteria all = CRITERIA(.has_start = false);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct page page = { .sort_count = rows[i].count, .limit = 25 };
        memcpy(page.sort, rows[i].sort, sizeof(rows[i].sort));
        assert_found(*state, rows[i].what, &all, &page, rows[i].expected);
    }
}

static void test_pages(void **state)
{
    static const struct {
        int64_t limit, offset;
        const char *expected;
    } rows[] = {
        { 3, 0, "abc" },    { 3, 3, "def" },          { 3, 6, "gh" },
        { 3, 8, "" },       { 0, 0, "abcdefgh" },     { 0, 6, "gh" },
        { 25, 200000, "" }, { 100000, 1, "bcdefgh" }, { 200000, 0, "abcdefgh" },
    };
    static const struct vg_event_criteria all = CRITERIA(.has_start = false);
    struct vg_event_fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct page page = oldest_first;
        page.limit = rows[i].limit;
        page.offset = rows[i].offset;
        for (page.pass_rows = 0; page.pass_rows < 10; page.pass_rows++) {
            char found[32];
            uint64_t count = 0;
            struct vg_error error;
            page.is_unlimited = page.pass_rows % 2 == 0;
            assert_int_equal(search(f, &all, &page, found, &count, &error), VG_OK);
            assert_string_equal(found, rows[i].expected);
            assert_int_equal(count, 8);
        }
    }
}

static void test_a_sort_key_twice_is_refused(void **state)
{
    struct page page = { .sort = { { VG_EVENT_SORT_COUNT, true }, { VG_EVENT_SORT_COUNT, false } },
                         .sort_count = 2,
                         .limit = 25 };
    static const struct vg_event_criteria all = CRITERIA(.has_start = false);
    char found[32];
    uint64_t count;
    struct vg_error error;
    assert_int_equal(search(*state, &all, &page, found, &count, &error), VG_INVALID_FIELD_VALUE);
    assert_string_equal(error.field, "sortBy");
}

static void test_limit_of_sort_keys(void **state)
{
    static const enum vg_event_sort_field fields[] = {
        VG_EVENT_SORT_CUSTOMER,    VG_EVENT_SORT_SEVERITY,     VG_EVENT_SORT_COUNT,
        VG_EVENT_SORT_LAST_EVENT,  VG_EVENT_SORT_LAST_UPDATED, VG_EVENT_SORT_TIMESTAMP,
        VG_EVENT_SORT_FIRST_EVENT, VG_EVENT_SORT_PROTOCOL,
    };
    static const struct vg_event_criteria all = CRITERIA(.has_start = false);
    struct page page = { .limit = 25, .sort_count = 7 };
    for (size_t i = 0; i < 8; i++) {
        page.sort[i] = (struct vg_event_sort){ fields[i], true };
    }
    char found[32];
    uint64_t count;
    struct vg_error error;
    assert_int_equal(search(*state, &all, &page, found, &count, &error), VG_OK);
    page.sort_count = 8;
    assert_int_equal(search(*state, &all, &page, found, &count, &error), VG_INVALID_FIELD_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_property_words),
        cmocka_unit_test(test_more_words_than_a_row_keeps),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_sub_criteria),
        cmocka_unit_test(test_violations),
        cmocka_unit_test(test_limit_of_nesting),
        cmocka_unit_test(test_limit_of_questions),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_who_sees_what),
        cmocka_unit_test(test_sorting),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_a_sort_key_twice_is_refused),
        cmocka_unit_test(test_limit_of_sort_keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
