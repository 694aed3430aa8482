#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contract_handlers.h"
#include "tests/support/handler_fixture.h"

#include "vigil/options.pb-c.h"
#include "vigil/record/v1/words.pb-c.h"

#define ROOT  VG_FIXTURE_ROOT
#define LOCAL VG_FIXTURE_LOCAL

enum { ADMINISTER = VIGIL__PERMISSION__PERMISSION_ADMINISTER_DIRECTORY };
enum { VIEW = VIGIL__PERMISSION__PERMISSION_VIEW_DIRECTORY };

static int open_fixture(void **state)
{
    static struct vg_handler_fixture fixture;
    struct vg_directory_fixture *directory = &fixture.directory;
    vg_handler_fixture_open(&fixture);
    vg_directory_fixture_administrators(directory);
    vg_directory_fixture_customer(directory, 11, "acme-sub", 10);
    vg_directory_fixture_user(directory, 3, "sub", 11);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_handler_fixture_close(*state);
    return 0;
}

static char *keep(char kept[64], const char *text)
{
    (void)snprintf(kept, 64, "%s", text == NULL ? "" : text);
    return text == NULL ? NULL : kept;
}

struct ask_case {
    int64_t id;
    const char *customer;
    const char *readers[2];
    int64_t merged_into; /* 0 = not said */
};

static Vigil__Admin__V1__AddCaseRequest *case_request(const struct ask_case *ask)
{
    static char texts[4][64];
    static char *readers[2];
    static Vigil__Admin__V1__AddCaseRequest request;
    vigil__admin__v1__add_case_request__init(&request);
    request.has_id = true;
    request.id = ask->id;
    request.customer = keep(texts[0], ask->customer);
    request.subject = keep(texts[1], "A subject");
    request.reader = readers;
    for (size_t i = 0; i < 2 && ask->readers[i] != NULL; i++) {
        readers[request.n_reader++] = keep(texts[2 + i], ask->readers[i]);
    }
    request.has_merged_into = ask->merged_into != 0;
    request.merged_into = ask->merged_into;
    return &request;
}

static enum vg_reason run_case(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const Vigil__Admin__V1__AddCaseRequest *request,
    Vigil__Admin__V1__Case *answer)
{
    static Vigil__Admin__V1__AddCaseRequest kept;
    kept = *request;
    vigil__admin__v1__case__init(answer);
    return VG_HANDLER_RUN(fixture, credential, ADMINISTER, NULL, admin_v1_add_case, &kept, answer);
}

static void test_admin_case__a_case_with_everything(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static char category[] = "Incident";
    static char service[] = "support";
    static char description[] = "What happened";
    const struct ask_case ask = { .id = 500, .customer = "ACME", .readers = { "SUB", "2" } };
    Vigil__Admin__V1__AddCaseRequest *request = case_request(&ask);
    request->has_status = true;
    request->status = VIGIL__ADMIN__V1__CASE_STATUS__CASE_STATUS_PENDING_CLOSE;
    request->has_priority = true;
    request->priority = VIGIL__ADMIN__V1__PRIORITY__PRIORITY_CRITICAL;
    request->has_category_id = true;
    request->category_id = 8;
    request->category_name = category;
    request->service = service;
    request->description = description;
    Vigil__Admin__V1__Case answer;
    assert_int_equal(run_case(fixture, LOCAL, request, &answer), VG_OK);
    assert_int_equal(answer.id, 500);
    assert_string_equal(answer.customer->short_name, "acme");
    assert_string_equal(answer.subject, "A subject");
    assert_int_equal(answer.n_readers, 2);
    assert_string_equal(answer.readers[0]->short_name, "local");
    assert_string_equal(answer.readers[1]->short_name, "sub");
    assert_int_equal(answer.status, VIGIL__ADMIN__V1__CASE_STATUS__CASE_STATUS_PENDING_CLOSE);
    assert_int_equal(answer.priority, VIGIL__ADMIN__V1__PRIORITY__PRIORITY_CRITICAL);
    assert_int_equal(answer.category_id, 8);
    assert_string_equal(answer.category_name, "Incident");
    assert_string_equal(answer.service, "support");
    assert_string_equal(answer.description, "What happened");
    assert_false(answer.has_merged_into);
}

static void test_admin_case__defaults(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    const struct ask_case ask = { .id = 500, .customer = "acme" };
    Vigil__Admin__V1__Case answer;
    assert_int_equal(run_case(fixture, LOCAL, case_request(&ask), &answer), VG_OK);
    assert_int_equal(answer.status, VIGIL__ADMIN__V1__CASE_STATUS__CASE_STATUS_PENDING_SOC);
    assert_int_equal(answer.priority, VIGIL__ADMIN__V1__PRIORITY__PRIORITY_MEDIUM);
    assert_false(answer.has_category_id);
    assert_null(answer.description);
    assert_int_equal(answer.n_readers, 0);
    Vigil__Admin__V1__GetCaseRequest request = VIGIL__ADMIN__V1__GET_CASE_REQUEST__INIT;
    request.has_case_id = true;
    for (int64_t id = 500; id <= 501; id++) {
        request.case_id = id;
        vigil__admin__v1__case__init(&answer);
        assert_int_equal(
            VG_HANDLER_RUN(fixture, LOCAL, VIEW, NULL, admin_v1_get_case, &request, &answer),
            id == 500 ? VG_OK : VG_OBJECT_NOT_FOUND);
    }
    assert_string_equal(fixture->call.error.parameter, "501");
}

static void test_admin_case__merging_and_refusals(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        const char *name;
        const char *credential;
        struct ask_case ask;
        enum vg_reason reason;
        const char *field;
        const char *message;
    } rows[] = {
        { "first", LOCAL, { 1, "acme", { NULL }, 0 }, VG_OK, "", "" },
        { "other", ROOT, { 2, "other", { NULL }, 0 }, VG_OK, "", "" },
        { "merged", LOCAL, { 3, "acme", { NULL }, 1 }, VG_OK, "", "" },
        { "merged into a merged one", LOCAL, { 4, "acme", { NULL }, 3 }, VG_OK, "", "" },
        { "id taken",
          LOCAL,
          { 1, "acme", { NULL }, 0 },
          VG_OBJECT_EXISTS,
          "",
          "An object with this id exists already" },
        { "into itself",
          LOCAL,
          { 5, "acme", { NULL }, 5 },
          VG_INVALID_REFERENCE,
          "mergedInto",
          "Invalid case: 5" },
        { "into none",
          LOCAL,
          { 5, "acme", { NULL }, 77 },
          VG_INVALID_REFERENCE,
          "mergedInto",
          "Invalid case: 77" },
        { "of another customer",
          ROOT,
          { 5, "acme", { NULL }, 2 },
          VG_INVALID_REFERENCE,
          "mergedInto",
          "Invalid case: 2" },
        { "of a sub-customer",
          LOCAL,
          { 5, "acme-sub", { NULL }, 1 },
          VG_INVALID_REFERENCE,
          "mergedInto",
          "Invalid case: 1" },
        { "no reader",
          LOCAL,
          { 5, "acme", { "local", "x" }, 0 },
          VG_INVALID_REFERENCE,
          "reader[1]",
          "Invalid reader: x" },
        { "no customer",
          LOCAL,
          { 5, "nobody", { NULL }, 0 },
          VG_INVALID_REFERENCE,
          "customer",
          "Invalid customer: nobody" },
        { "foreign reader",
          LOCAL,
          { 5, "acme", { "root" }, 0 },
          VG_ACCESS_DENIED,
          "",
          "Access denied: the key does not cover the customer" },
        { "foreign customer",
          LOCAL,
          { 5, "other", { NULL }, 0 },
          VG_ACCESS_DENIED,
          "",
          "Access denied: the key does not cover the customer" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__Case answer;
        enum vg_reason reason =
            run_case(fixture, rows[i].credential, case_request(&rows[i].ask), &answer);
        const struct vg_error *error = &fixture->call.error;
        if (reason != rows[i].reason || strcmp(error->field, rows[i].field) != 0 ||
            strcmp(error->message, rows[i].message) != 0) {
            fail_msg(
                "%s: %s %s %s",
                rows[i].name,
                vg_reason_row(reason)->name,
                error->field,
                error->message);
        }
        if (reason == VG_OK) {
            assert_int_equal(answer.merged_into, rows[i].ask.merged_into);
        }
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_admin_case__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_case_with_everything),
        TEST(defaults),
        TEST(merging_and_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
