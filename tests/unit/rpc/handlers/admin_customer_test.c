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

#define ROOT  VG_FIXTURE_ROOT  /* covers all */
#define LOCAL VG_FIXTURE_LOCAL /* covers customer 10 and those below */

enum { ADMINISTER = VIGIL__PERMISSION__PERMISSION_ADMINISTER_DIRECTORY };

static int open_fixture(void **state)
{
    static struct vg_handler_fixture fixture;
    vg_handler_fixture_open(&fixture);
    vg_directory_fixture_administrators(&fixture.directory);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_handler_fixture_close(*state);
    return 0;
}

/* What a request says; texts are copied because members are not const. */
struct ask {
    int64_t id;
    char short_name[32];
    char parent[32];
    char domain[300];
};

static enum vg_reason add(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const struct ask *ask,
    Vigil__Admin__V1__Customer *answer)
{
    static struct ask kept;
    static char name[] = "A name";
    static Vigil__Admin__V1__AddCustomerRequest request;
    kept = *ask;
    vigil__admin__v1__add_customer_request__init(&request);
    vigil__admin__v1__customer__init(answer);
    request.has_id = true;
    request.id = kept.id;
    request.short_name = kept.short_name;
    request.name = name;
    request.parent = kept.parent[0] == '\0' ? NULL : kept.parent;
    request.domain = kept.domain[0] == '\0' ? NULL : kept.domain;
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_add_customer,
        &request,
        answer);
}

static void test_admin_customer__an_added_customer_is_answered_and_found(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Customer answer;
    const struct ask ask = { .id = 11, .short_name = "Sub", .parent = "ACME" };
    assert_int_equal(add(fixture, LOCAL, &ask, &answer), VG_OK);
    assert_int_equal(answer.id, 11);
    assert_string_equal(answer.short_name, "Sub");
    assert_string_equal(answer.name, "A name");
    assert_int_equal(answer.parent->id, 10);
    assert_string_equal(answer.parent->short_name, "acme");
    assert_int_equal(answer.domain->id, VG_DIRECTORY_DOMAIN_ID);
    assert_true(answer.in_production);
    assert_int_equal(answer.created_timestamp, VG_DIRECTORY_FIXTURE_TIME);
    /* The same key covers it at once. */
    Vigil__Admin__V1__GetCustomerRequest request = VIGIL__ADMIN__V1__GET_CUSTOMER_REQUEST__INIT;
    char name[] = "sub";
    request.customer = name;
    vigil__admin__v1__customer__init(&answer);
    assert_int_equal(
        VG_HANDLER_RUN(
            fixture,
            LOCAL,
            VIGIL__PERMISSION__PERMISSION_VIEW_DIRECTORY,
            NULL,
            admin_v1_get_customer,
            &request,
            &answer),
        VG_OK);
    assert_int_equal(answer.id, 11);
}

static void test_admin_customer__refusals(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        const char *name;
        const char *credential;
        struct ask ask;
        enum vg_reason reason;
        const char *field;
        const char *parameter;
    } rows[] = {
        { "id taken", ROOT, { 10, "new", "", "" }, VG_OBJECT_EXISTS, "", "10" },
        { "name taken", ROOT, { 30, "ACME", "", "" }, VG_OBJECT_EXISTS, "", "acme" },
        { "digits", ROOT, { 30, "123", "", "" }, VG_INVALID_FIELD_VALUE, "shortName", "123" },
        { "empty", ROOT, { 30, "", "", "" }, VG_INVALID_FIELD_VALUE, "shortName", "" },
        { "blank", ROOT, { 30, "a b", "", "" }, VG_INVALID_FIELD_VALUE, "shortName", "a b" },
        { "accent",
          ROOT,
          { 30, "\xc3\xa6", "", "" },
          VG_INVALID_FIELD_VALUE,
          "shortName",
          "\xc3\xa6" },
        { "unknown parent",
          ROOT,
          { 30, "new", "nobody", "" },
          VG_INVALID_REFERENCE,
          "parent",
          "nobody" },
        { "own parent", ROOT, { 30, "new", "30", "" }, VG_INVALID_REFERENCE, "parent", "30" },
        { "bad domain", ROOT, { 30, "new", "", "a b" }, VG_INVALID_FIELD_VALUE, "domain", "a b" },
        { "top without all",
          LOCAL,
          { 30, "new", "", "" },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "foreign parent",
          LOCAL,
          { 30, "new", "other", "" },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "denied before anything else",
          LOCAL,
          { 30, "a b", "other", "" },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__Customer answer;
        enum vg_reason reason = add(fixture, rows[i].credential, &rows[i].ask, &answer);
        const struct vg_error *error = &fixture->call.error;
        if (reason != rows[i].reason || strcmp(error->field, rows[i].field) != 0 ||
            strcmp(error->parameter, rows[i].parameter) != 0) {
            fail_msg(
                "%s: %s %s %s",
                rows[i].name,
                vg_reason_row(reason)->name,
                error->field,
                error->parameter);
        }
        if (reason == VG_ACCESS_DENIED) {
            assert_int_equal(error->violations.found, 0);
        }
    }
    assert_int_equal(fixture->commits, 0);
}

static void test_admin_customer__an_unknown_parent_is_named_as_documented(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Customer answer;
    const struct ask ask = { .id = 11, .short_name = "7", .parent = "nobody" };
    assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_INVALID_FIELD_VALUE);
    const struct vg_violations *violations = &fixture->call.error.violations;
    assert_int_equal(violations->count, 2); /* all that is wrong in one answer */
    assert_string_equal(violations->items[1].message, "Invalid parent: nobody");
    assert_string_equal(violations->items[1].field, "parent");
    assert_string_equal(violations->items[1].parameter, "nobody");
}

static void test_admin_customer__domains(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        struct ask ask;
        int32_t domain_id;
        const char *domain;
    } rows[] = {
        { { 31, "c31", "", "" }, 1, "vigil" },
        { { 32, "c32", "", "VIGIL" }, 1, "vigil" },
        { { 33, "c33", "", "a.example" }, 2, "a.example" },
        { { 34, "c34", "", "A.Example" }, 2, "a.example" },
        { { 35, "c35", "", "b.example" }, 3, "b.example" },
        { { 36, "c36", "c35", "" }, 3, "b.example" }, /* the parent's */
        { { 37, "c37", "c35", "vigil" }, 1, "vigil" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__Customer answer;
        assert_int_equal(add(fixture, ROOT, &rows[i].ask, &answer), VG_OK);
        assert_int_equal(answer.domain->id, rows[i].domain_id);
        assert_string_equal(answer.domain->name, rows[i].domain);
    }
}

static void add_rival(struct vg_handler_fixture *fixture)
{
    vg_directory_fixture_customer(&fixture->directory, 40, "rival", 0);
}

/* Somebody adds the same between look and commit. */
static void test_admin_customer__who_comes_second_is_told(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Customer answer;
    const struct ask ask = { .id = 41, .short_name = "rival" };
    fixture->before_commit = add_rival;
    assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_OBJECT_EXISTS);
    assert_int_equal(fixture->commits, 1);
}

static void test_admin_customer__conflicts_are_tried_again_a_few_times(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Customer answer;
    const struct ask first = { .id = 41, .short_name = "first" };
    fixture->commits_refused = 7;
    assert_int_equal(add(fixture, ROOT, &first, &answer), VG_OK);
    assert_int_equal(fixture->commits, 8);
    const struct ask second = { .id = 42, .short_name = "second" };
    fixture->commits_refused = 8;
    assert_int_equal(add(fixture, ROOT, &second, &answer), VG_STORE_CONFLICT);
    assert_int_equal(fixture->commits, 16);
}

static void test_admin_customer__a_full_queue_is_an_answer(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Customer answer;
    const struct ask ask = { .id = 41, .short_name = "late" };
    fixture->queue_reason = VG_OVERLOADED;
    assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_OVERLOADED);
    fixture->queue_reason = VG_OK;
    assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_OK); /* nothing was left behind */
}

static void test_admin_customer__customers_are_at_most_so_deep(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Customer answer;
    struct ask ask = { .id = 100 };
    for (int depth = 1; depth <= VG_DIRECTORY_CUSTOMER_DEPTH_MAX; depth++) {
        ask.id = 100 + depth;
        (void)snprintf(ask.short_name, sizeof(ask.short_name), "c%d", depth);
        assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_OK);
        (void)snprintf(ask.parent, sizeof(ask.parent), "%d", 100 + depth);
    }
    ask.id = 300;
    (void)snprintf(ask.short_name, sizeof(ask.short_name), "deep");
    assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_INVALID_FIELD_VALUE);
    assert_string_equal(fixture->call.error.field, "parent");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_admin_customer__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_added_customer_is_answered_and_found),
        TEST(refusals),
        TEST(an_unknown_parent_is_named_as_documented),
        TEST(domains),
        TEST(who_comes_second_is_told),
        TEST(conflicts_are_tried_again_a_few_times),
        TEST(a_full_queue_is_an_answer),
        TEST(customers_are_at_most_so_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
