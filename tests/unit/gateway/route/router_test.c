/* Which route a path leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/route/router.h"

#define LITERAL(text)                                                                              \
    {                                                                                              \
        .literal = text                                                                            \
    }
#define VARIABLE                                                                                   \
    {                                                                                              \
        .literal = NULL, .row_count = 1                                                            \
    }

static const struct vg_route_segment search[] = { LITERAL("v2"),
                                                  LITERAL("event"),
                                                  LITERAL("search") };
static const struct vg_route_segment three[] = { LITERAL("v2"), LITERAL("event"), VARIABLE };
static const struct vg_route_segment action[] = { LITERAL("v2"), VARIABLE, LITERAL("payload") };
static const struct vg_route_segment any[] = { LITERAL("v2"), VARIABLE, VARIABLE };
static const struct vg_route_segment list[] = { LITERAL("v2"), LITERAL("event") };

static const struct vg_route routes[] = {
    { .pattern = "any", .segments = any, .segment_count = 3, .verb = VG_VERB_GET },
    { .pattern = "three", .segments = three, .segment_count = 3, .verb = VG_VERB_GET },
    { .pattern = "search", .segments = search, .segment_count = 3, .verb = VG_VERB_POST },
    { .pattern = "action", .segments = action, .segment_count = 3, .verb = VG_VERB_GET },
    { .pattern = "list", .segments = list, .segment_count = 2, .verb = VG_VERB_GET },
    { .pattern = "add", .segments = list, .segment_count = 2, .verb = VG_VERB_POST },
};

static const struct row {
    const char *name;
    int verb;
    const char *path;
    enum vg_reason reason;
    const char *pattern; /* of the route found */
    const char *value;   /* of its first variable */
    uint32_t allowed;
} rows[] = {
    // clang-format off
    { "a literal path",                      VG_VERB_GET,    "/v2/event",           VG_OK,                 "list",   NULL,     0 },
    { "one trailing slash",                  VG_VERB_GET,    "/v2/event/",          VG_OK,                 "list",   NULL,     0 },
    { "another verb of the same path",       VG_VERB_POST,   "/v2/event",           VG_OK,                 "add",    NULL,     0 },
    { "a literal wins over a variable",      VG_VERB_POST,   "/v2/event/search",    VG_OK,                 "search", NULL,     0 },
    { "a literal wins, whatever its verb",   VG_VERB_GET,    "/v2/event/search",    VG_METHOD_NOT_ALLOWED, NULL,     NULL,     1u << VG_VERB_POST },
    { "the more literal of two",             VG_VERB_GET,    "/v2/event/payload",   VG_OK,                 "three",  "payload", 0 },
    { "a literal behind a variable",         VG_VERB_GET,    "/v2/x/payload",       VG_OK,                 "action", "x",      0 },
    { "a variable is decoded once",          VG_VERB_GET,    "/v2/event/a%2Fb%25",  VG_OK,                 "three",  "a/b%",   0 },
    { "plus is no blank in a path",          VG_VERB_GET,    "/v2/event/a+b",       VG_OK,                 "three",  "a+b",    0 },
    { "wrong verb",                          VG_VERB_DELETE, "/v2/event",           VG_METHOD_NOT_ALLOWED, NULL,     NULL,     1u << VG_VERB_GET | 1u << VG_VERB_POST },
    { "no verb of ours",                     -1,             "/v2/event",           VG_METHOD_NOT_ALLOWED, NULL,     NULL,     1u << VG_VERB_GET | 1u << VG_VERB_POST },
    { "unknown path",                        VG_VERB_GET,    "/v3/event",           VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "case matters",                        VG_VERB_GET,    "/V2/event",           VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "doubled slash",                       VG_VERB_GET,    "/v2//event",          VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "two trailing slashes",                VG_VERB_GET,    "/v2/event//",         VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "a dot",                               VG_VERB_GET,    "/v2/./event",         VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "two dots",                            VG_VERB_GET,    "/v2/x/../event",      VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "the root",                            VG_VERB_GET,    "/",                   VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "nothing",                             VG_VERB_GET,    "",                    VG_URL_NOT_FOUND,      NULL,     NULL,     0 },
    { "too many segments",                   VG_VERB_GET,    "/1/2/3/4/5/6/7/8/9/10/11/12/13", VG_URL_NOT_FOUND, NULL, NULL,   0 },
    { "a cut escape",                        VG_VERB_GET,    "/v2/event/%2",        VG_INVALID_URL_PARAMETER, NULL,  NULL,     0 },
    { "a bad escape",                        VG_VERB_GET,    "/v2/event/%zz",       VG_INVALID_URL_PARAMETER, NULL,  NULL,     0 },
    { "NUL",                                 VG_VERB_GET,    "/v2/event/%00",       VG_INVALID_URL_PARAMETER, NULL,  NULL,     0 },
    { "bytes that are no UTF-8",             VG_VERB_GET,    "/v2/event/%ff",       VG_INVALID_URL_PARAMETER, NULL,  NULL,     0 },
    // clang-format on
};

static void test_router__each_path_leads_to_its_route(void **state)
{
    (void)state;
    struct vg_router *router = vg_router_create(routes, VG_ARRAY_COUNT(routes));
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct vg_arena arena;
        vg_arena_init(&arena, 65536);
        struct vg_error error;
        vg_error_init(&error, &arena);
        struct vg_route_match match;
        memset(&match, 0, sizeof(match));
        enum vg_reason reason =
            vg_router_match(router, row->verb, vg_bytes_text(row->path), &arena, &match, &error);
        if (reason != row->reason) {
            fail_msg("%s: %s", row->name, vg_reason_row(reason)->name);
        }
        if (row->pattern != NULL) {
            assert_string_equal(match.route->pattern, row->pattern);
        }
        if (row->value != NULL) {
            assert_true(vg_bytes_equal(match.variables[0].value, vg_bytes_text(row->value)));
        }
        if (row->allowed != 0) {
            assert_int_equal(match.verbs_allowed, row->allowed);
        }
        vg_arena_dispose(&arena);
    }
    vg_router_destroy(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        test_router__each_path_leads_to_its_route) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
