#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
#include "tests/support/handler_fixture.h"

#include "vigil/record/v1/directory.pb-c.h"

#define NOW     VG_DIRECTORY_FIXTURE_TIME
#define VIEWER  "viewer/2/" VG_DIRECTORY_FIXTURE_SECRET
#define WRITER  "writer/2/" VG_DIRECTORY_FIXTURE_SECRET
#define ANYBODY 0 /* no function is needed */

static int open_fixture(void **state)
{
    static struct vg_handler_fixture fixture;
    struct vg_directory_fixture *directory = &fixture.directory;
    vg_handler_fixture_open(&fixture);
    vg_directory_fixture_customer(directory, 10, "acme", 0);
    vg_directory_fixture_user(directory, 1, "maker", 10);
    vg_directory_fixture_group(directory, 3, "soc", 10);
    vg_directory_fixture_group(directory, 4, "ir", 10);
    static char short_name[] = "jane";
    static char name[] = "Jane Doe";
    static char zone[] = "Europe/Oslo";
    static int64_t groups[] = { 4, 3 };
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 2;
    user.short_name = short_name;
    user.name = name;
    user.has_customer_id = true;
    user.customer_id = 10;
    user.n_group_ids = 2;
    user.group_ids = groups;
    user.time_zone = zone;
    user.has_created_timestamp = true;
    user.created_timestamp = NOW - 100;
    user.has_created_by_user_id = true;
    user.created_by_user_id = 1;
    assert_int_equal(vg_directory_fixture_add(directory, VG_DIRECTORY_USER, &user.base), VG_OK);
    vg_directory_fixture_key(
        directory,
        &(struct vg_fixture_key){ .id = "viewer",
                                  .user = 2,
                                  .role = VIGIL__RECORD__V1__ROLE__ROLE_EVENT_VIEWER,
                                  .expires = NOW + 1000 });
    vg_directory_fixture_key(
        directory,
        &(struct vg_fixture_key){ .id = "writer",
                                  .user = 2,
                                  .role = VIGIL__RECORD__V1__ROLE__ROLE_EVENT_SUBMITTER });
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_handler_fixture_close(*state);
    return 0;
}

static enum vg_reason get_session(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const char *domain,
    Vigil__Account__V1__Session *answer)
{
    static char kept[32];
    static Vigil__Account__V1__GetSessionRequest request;
    vigil__account__v1__get_session_request__init(&request);
    vigil__account__v1__session__init(answer);
    (void)snprintf(kept, sizeof(kept), "%s", domain == NULL ? "" : domain);
    request.domain = domain == NULL ? NULL : kept;
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ANYBODY,
        NULL,
        account_v1_get_session,
        &request,
        answer);
}

static void test_account__a_session_as_documented(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Account__V1__Session answer;
    vg_clock_manual_set(&fixture->clock, NOW + 5);
    assert_int_equal(get_session(fixture, VIEWER, NULL, &answer), VG_OK);
    const struct vg_word *method = vg_contract_word(
        &vg_words_vigil_account_v1_authentication_method,
        (int32_t)answer.authentication_method);
    const struct vg_word *level =
        vg_contract_word(&vg_words_vigil_account_v1_security_level, (int32_t)answer.security_level);
    assert_string_equal(method->text, "APIKEY");
    assert_string_equal(level->text, "DEFAULT");
    assert_string_equal(answer.client_ip, "192.0.2.1");
    assert_int_equal(answer.created_timestamp, NOW);
    assert_true(answer.has_password_not_set);
    assert_false(answer.password_not_set);
    assert_true(answer.read_only);
    assert_null(answer.session_key);
    assert_int_equal(answer.timestamp, NOW + 5);
    assert_int_equal(answer.valid_until_timestamp, NOW + 1000);
    assert_int_equal(get_session(fixture, WRITER, NULL, &answer), VG_OK);
    assert_true(answer.has_read_only);
    assert_false(answer.read_only);
    assert_true(answer.has_valid_until_timestamp);
    assert_int_equal(answer.valid_until_timestamp, 0); /* never ends */
}

static void test_account__a_session_is_of_the_users_domain(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        const char *domain;
        enum vg_reason reason;
    } rows[] = {
        { VG_DIRECTORY_DOMAIN_NAME, VG_OK },  { "VIGIL", VG_OK },
        { "vigi", VG_AUTHENTICATION_FAILED }, { "vigil2", VG_AUTHENTICATION_FAILED },
        { "", VG_AUTHENTICATION_FAILED },     { "acme", VG_AUTHENTICATION_FAILED },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Account__V1__Session answer;
        if (get_session(fixture, VIEWER, rows[i].domain, &answer) != rows[i].reason) {
            fail_msg("%s", rows[i].domain);
        }
    }
}

static void test_account__the_current_user_as_documented(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Account__V1__GetCurrentUserRequest request =
        VIGIL__ACCOUNT__V1__GET_CURRENT_USER_REQUEST__INIT;
    Vigil__Account__V1__CurrentUser answer = VIGIL__ACCOUNT__V1__CURRENT_USER__INIT;
    assert_int_equal(
        VG_HANDLER_RUN(
            fixture,
            VIEWER,
            ANYBODY,
            NULL,
            account_v1_get_current_user,
            &request,
            &answer),
        VG_OK);
    assert_int_equal(answer.id, 2);
    assert_string_equal(answer.user_name, "jane");
    assert_string_equal(answer.name, "Jane Doe");
    assert_int_equal(answer.customer->id, 10);
    assert_string_equal(answer.customer->short_name, "acme");
    assert_string_equal(answer.customer->domain->name, VG_DIRECTORY_DOMAIN_NAME);
    assert_int_equal(answer.domain->id, VG_DIRECTORY_DOMAIN_ID);
    assert_int_equal(answer.created_timestamp, NOW - 100);
    assert_true(answer.has_last_updated_timestamp);
    assert_int_equal(answer.last_updated_timestamp, 0);
    assert_true(answer.has_last_login_timestamp && answer.has_last_impersonation_timestamp);
    assert_int_equal(answer.last_login_timestamp, 0);
    assert_int_equal(answer.created_by_user->id, 1);
    assert_string_equal(answer.created_by_user->user_name, "maker");
    assert_int_equal(answer.created_by_user->customer_id, 10);
    const struct vg_word *type = vg_contract_word(
        &vg_words_vigil_account_v1_subject_type,
        (int32_t)answer.created_by_user->type);
    assert_string_equal(type->text, "user");
    assert_null(answer.last_updated_by_user);
    assert_int_equal(answer.n_properties, 0);
    assert_true(answer.image_url == NULL && answer.mobile == NULL && answer.email == NULL);
    assert_true(answer.last_login_ip == NULL && answer.public_key == NULL);
    assert_string_equal(answer.time_zone->description, "Europe/Oslo");
    assert_int_equal(answer.language, VIGIL__ACCOUNT__V1__LANGUAGE__LANGUAGE_ENGLISH);
    assert_int_equal(answer.n_ascendant_ids, 2);
    assert_int_equal(answer.ascendant_ids[0], 3);
    assert_int_equal(answer.ascendant_ids[1], 4);
    assert_int_equal(answer.n_flags, 1);
    assert_int_equal(answer.flags[0], VIGIL__ACCOUNT__V1__USER_FLAG__USER_FLAG_AUTH_APIKEY);
    assert_true(protobuf_c_message_check(&answer.base));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_account__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_as_documented),
        TEST(a_session_is_of_the_users_domain),
        TEST(the_current_user_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
