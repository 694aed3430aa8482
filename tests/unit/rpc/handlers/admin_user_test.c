/* Users and groups: the things that get their ids from the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "proto/contract_handlers.h"
#include "tests/support/handler_fixture.h"

#include "vigil/options.pb-c.h"
#include "vigil/record/v1/words.pb-c.h"

#define ROOT  VG_FIXTURE_ROOT
#define LOCAL VG_FIXTURE_LOCAL

enum { ADMINISTER = VIGIL__PERMISSION__PERMISSION_ADMINISTER_DIRECTORY };

static int open_fixture(void **state)
{
    static struct vg_handler_fixture fixture;
    struct vg_directory_fixture *directory = &fixture.directory;
    vg_handler_fixture_open(&fixture);
    vg_directory_fixture_administrators(directory);
    vg_directory_fixture_group(directory, 3, "soc", 10);
    vg_directory_fixture_group(directory, 4, "foreign", 20);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_handler_fixture_close(*state);
    return 0;
}

struct ask {
    const char *short_name;
    const char *customer;
    const char *groups[2];
    const char *time_zone;
};

static char *keep(char kept[64], const char *text)
{
    (void)snprintf(kept, 64, "%s", text == NULL ? "" : text);
    return text == NULL ? NULL : kept;
}

static enum vg_reason add_user(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const struct ask *ask,
    Vigil__Admin__V1__User *answer)
{
    static char texts[5][64];
    static char *groups[2];
    static Vigil__Admin__V1__AddUserRequest request;
    vigil__admin__v1__add_user_request__init(&request);
    vigil__admin__v1__user__init(answer);
    request.short_name = keep(texts[0], ask->short_name);
    request.customer = keep(texts[1], ask->customer);
    request.time_zone = keep(texts[2], ask->time_zone);
    for (size_t i = 0; i < 2 && ask->groups[i] != NULL; i++) {
        groups[request.n_group++] = keep(texts[3 + i], ask->groups[i]);
    }
    request.group = groups;
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_add_user,
        &request,
        answer);
}

static enum vg_reason add_group(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const char *short_name,
    const char *customer,
    Vigil__Admin__V1__Group *answer)
{
    static char texts[2][64];
    static Vigil__Admin__V1__AddGroupRequest request;
    vigil__admin__v1__add_group_request__init(&request);
    vigil__admin__v1__group__init(answer);
    request.short_name = keep(texts[0], short_name);
    request.customer = keep(texts[1], customer);
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_add_group,
        &request,
        answer);
}

static void test_admin_user__ids_come_one_after_another(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__User user;
    Vigil__Admin__V1__Group group;
    const struct ask jane = { "jane", "ACME", { "soc" }, "Europe/Oslo" };
    assert_int_equal(add_user(fixture, LOCAL, &jane, &user), VG_OK);
    assert_int_equal(user.id, 5);
    assert_string_equal(user.name, "jane"); /* by default the short name */
    assert_string_equal(user.time_zone, "Europe/Oslo");
    assert_string_equal(user.customer->short_name, "acme");
    assert_int_equal(user.n_groups, 1);
    assert_int_equal(user.groups[0]->id, 3);
    assert_false(user.disabled);
    assert_int_equal(add_group(fixture, LOCAL, "ir", "10", &group), VG_OK);
    assert_int_equal(group.id, 6);
    assert_string_equal(group.name, "ir");
    const struct ask joe = { "joe", "10", { NULL }, NULL };
    assert_int_equal(add_user(fixture, LOCAL, &joe, &user), VG_OK);
    assert_int_equal(user.id, 7);
    assert_string_equal(user.time_zone, "UTC");
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(fixture->directory.directory);
    assert_int_equal(vg_directory_user(snapshot, 7)->created_by, 2);
    vg_directory_snapshot_unref(snapshot);
}

static void add_rival_group(struct vg_handler_fixture *fixture)
{
    vg_directory_fixture_group(&fixture->directory, 5, "rival", 10);
}

/* A group takes the id between look and commit: the user gets the next. */
static void test_admin_user__a_taken_id_is_passed_over(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__User user;
    const struct ask jane = { "jane", "acme", { NULL }, NULL };
    fixture->before_commit = add_rival_group;
    assert_int_equal(add_user(fixture, LOCAL, &jane, &user), VG_OK);
    assert_int_equal(user.id, 6);
    assert_int_equal(fixture->commits, 2);
}

static void test_admin_user__refusals(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        struct ask ask;
        enum vg_reason reason;
        const char *field;
        const char *message;
    } rows[] = {
        { { "LOCAL", "acme", { NULL }, NULL },
          VG_OBJECT_EXISTS,
          "",
          "An object with this name exists already" },
        { { "42", "acme", { NULL }, NULL },
          VG_INVALID_FIELD_VALUE,
          "shortName",
          "A short name of digits only would be an id" },
        { { "jane", "nobody", { NULL }, NULL },
          VG_INVALID_REFERENCE,
          "customer",
          "Invalid customer: nobody" },
        { { "jane", "acme", { "soc", "x" }, NULL },
          VG_INVALID_REFERENCE,
          "group[1]",
          "Invalid group: x" },
        { { "jane", "acme", { "local" }, NULL },
          VG_INVALID_REFERENCE,
          "group[0]",
          "Invalid group: local" }, /* a user */
        { { "jane", "acme", { NULL }, "Mars/Base" },
          VG_INVALID_REFERENCE,
          "timeZone",
          "Invalid time zone: Mars/Base" },
        { { "jane", "other", { NULL }, NULL },
          VG_ACCESS_DENIED,
          "",
          "Access denied: the key does not cover the customer" },
        { { "jane", "acme", { "foreign" }, NULL },
          VG_ACCESS_DENIED,
          "",
          "Access denied: the key does not cover the customer" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__User user;
        enum vg_reason reason = add_user(fixture, LOCAL, &rows[i].ask, &user);
        const struct vg_error *error = &fixture->call.error;
        if (reason != rows[i].reason || strcmp(error->field, rows[i].field) != 0 ||
            strcmp(error->message, rows[i].message) != 0) {
            fail_msg(
                "%d: %s %s %s",
                (int)i,
                vg_reason_row(reason)->name,
                error->field,
                error->message);
        }
    }
    Vigil__Admin__V1__Group group;
    assert_int_equal(add_group(fixture, LOCAL, "new", "other", &group), VG_ACCESS_DENIED);
    assert_int_equal(add_group(fixture, LOCAL, "SOC", "acme", &group), VG_OBJECT_EXISTS);
    assert_int_equal(add_group(fixture, LOCAL, "7", "acme", &group), VG_INVALID_FIELD_VALUE);
}

static enum vg_reason disable(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const char *name,
    Vigil__Admin__V1__User *answer)
{
    static char text[64];
    static Vigil__Admin__V1__DisableUserRequest request;
    vigil__admin__v1__disable_user_request__init(&request);
    vigil__admin__v1__user__init(answer);
    request.user = keep(text, name);
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_disable_user,
        &request,
        answer);
}

static enum vg_reason authenticate(struct vg_handler_fixture *fixture, const char *credential)
{
    const struct vg_principal *principal = NULL;
    struct vg_network peer;
    assert_true(vg_network_parse(vg_bytes_text("192.0.2.1"), &peer));
    enum vg_reason reason = vg_access_authenticate(
        fixture->access,
        vg_bytes_text(credential),
        NULL,
        &peer,
        VG_DIRECTORY_FIXTURE_TIME,
        &principal,
        NULL);
    vg_principal_unref(principal);
    return reason;
}

static void test_admin_user__a_disabled_user_is_locked_out_at_once(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__User user;
    assert_int_equal(disable(fixture, LOCAL, "root", &user), VG_ACCESS_DENIED);
    assert_int_equal(disable(fixture, ROOT, "nobody", &user), VG_OBJECT_NOT_FOUND);
    assert_int_equal(authenticate(fixture, LOCAL), VG_OK);
    vg_clock_manual_set(&fixture->clock, VG_DIRECTORY_FIXTURE_TIME + 5);
    assert_int_equal(disable(fixture, ROOT, "Local", &user), VG_OK);
    assert_true(user.disabled);
    assert_string_equal(user.short_name, "local");
    assert_int_equal(authenticate(fixture, LOCAL), VG_AUTHENTICATION_FAILED);
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(fixture->directory.directory);
    assert_int_equal(vg_directory_user(snapshot, 2)->last_updated, VG_DIRECTORY_FIXTURE_TIME + 5);
    assert_int_equal(vg_directory_user(snapshot, 2)->last_updated_by, 1);
    vg_directory_snapshot_unref(snapshot);
    /* Again is no change. */
    unsigned commits = fixture->commits;
    assert_int_equal(disable(fixture, ROOT, "2", &user), VG_OK);
    assert_true(user.disabled);
    assert_int_equal(fixture->commits, commits);
}

static void edit_meanwhile(struct vg_handler_fixture *fixture)
{
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_directory_record record;
    struct vg_directory_change change;
    assert_int_equal(
        vg_directory_record_read(
            fixture->directory.directory,
            &(struct vg_directory_name){ .kind = VG_DIRECTORY_USER, .id = 2 },
            &arena,
            &record,
            NULL),
        VG_OK);
    ProtobufCMessageUnknownField mark = { 0 };
    uint8_t data[] = { 1 };
    mark.tag = 99;
    mark.wire_type = PROTOBUF_C_WIRE_TYPE_VARINT;
    mark.len = sizeof(data);
    mark.data = data;
    record.message->n_unknown_fields = 1;
    record.message->unknown_fields = &mark;
    assert_int_equal(
        vg_directory_change_replace(
            &change,
            fixture->directory.directory,
            VG_DIRECTORY_USER,
            &record,
            NULL),
        VG_OK);
    assert_int_equal(vg_directory_fixture_commit(&fixture->directory, &change), VG_OK);
    vg_arena_dispose(&arena);
}

/* Another change of the same record in between is neither lost nor undone. */
static void test_admin_user__a_change_in_between_is_kept(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__User user;
    fixture->before_commit = edit_meanwhile;
    assert_int_equal(disable(fixture, ROOT, "local", &user), VG_OK);
    assert_int_equal(fixture->commits, 2);
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_directory_record record;
    assert_int_equal(
        vg_directory_record_read(
            fixture->directory.directory,
            &(struct vg_directory_name){ .kind = VG_DIRECTORY_USER, .id = 2 },
            &arena,
            &record,
            NULL),
        VG_OK);
    assert_int_equal(record.message->n_unknown_fields, 1);
    vg_arena_dispose(&arena);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_admin_user__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_come_one_after_another),
        TEST(a_taken_id_is_passed_over),
        TEST(refusals),
        TEST(a_disabled_user_is_locked_out_at_once),
        TEST(a_change_in_between_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
