#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/access/access.h"
#include "core/access/api_key.h"
#include "core/access/principal.h"
#include "proto/contract_handlers.h"
#include "tests/support/handler_fixture.h"

#include "vigil/options.pb-c.h"
#include "vigil/record/v1/words.pb-c.h"

#define NOW    VG_DIRECTORY_FIXTURE_TIME
#define SECRET VG_DIRECTORY_FIXTURE_SECRET
#define ROOT   "root/1/" SECRET  /* covers all */
#define LOCAL  "local/2/" SECRET /* covers customers 10 and 11 */
#define BOUND  "bound/2/" SECRET /* the same, ends at NOW + 1000, from two networks */
#define SMALL  "small/2/" SECRET /* covers customer 11 */
#define VIEWER "viewer/2/" SECRET

enum { ADMINISTER = VIGIL__PERMISSION__PERMISSION_ADMINISTER_DIRECTORY };
enum {
    ADMIN = VIGIL__RECORD__V1__ROLE__ROLE_ADMIN,
    EVENT_VIEWER = VIGIL__RECORD__V1__ROLE__ROLE_EVENT_VIEWER,
    EVENT_ANALYST = VIGIL__RECORD__V1__ROLE__ROLE_EVENT_ANALYST,
    CASE_VIEWER = VIGIL__RECORD__V1__ROLE__ROLE_CASE_VIEWER,
};

static int open_fixture(void **state)
{
    static struct vg_handler_fixture fixture;
    struct vg_directory_fixture *directory = &fixture.directory;
    vg_handler_fixture_open(&fixture);
    vg_directory_fixture_customer(directory, 10, "acme", 0);
    vg_directory_fixture_customer(directory, 11, "acme-sub", 10);
    vg_directory_fixture_customer(directory, 20, "other", 0);
    vg_directory_fixture_user(directory, 1, "root", 20);
    vg_directory_fixture_user(directory, 2, "local", 10);
    vg_directory_fixture_user(directory, 3, "sub", 11);
    const struct vg_fixture_key keys[] = {
        { .id = "root", .user = 1, .role = ADMIN, .all_customers = true },
        { .id = "local", .user = 2, .role = ADMIN },
        { .id = "bound",
          .user = 2,
          .role = ADMIN,
          .expires = NOW + 1000,
          .sources = { "192.0.2.0/24", "10.0.0.0/8" } },
        { .id = "small", .user = 2, .role = ADMIN, .customers = { 11 } },
        { .id = "viewer", .user = 2, .role = EVENT_VIEWER },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(keys); i++) {
        vg_directory_fixture_key(directory, &keys[i]);
    }
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_handler_fixture_close(*state);
    return 0;
}

struct ask {
    const char *user;
    int roles[3];
    const char *customers[3];
    int64_t expires; /* 0 = not said */
    const char *sources[3];
};

static char *keep(char kept[64], const char *text)
{
    (void)snprintf(kept, 64, "%s", text);
    return kept;
}

static enum vg_reason add_with_quota(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const struct ask *ask,
    const struct vg_key_quota *quota,
    Vigil__Admin__V1__IssuedKey *answer)
{
    static char texts[8][64];
    static char *customers[3];
    static char *sources[3];
    static Vigil__Admin__V1__Role roles[3];
    static Vigil__Admin__V1__AddKeyRequest request;
    vigil__admin__v1__add_key_request__init(&request);
    vigil__admin__v1__issued_key__init(answer);
    request.user = keep(texts[0], ask->user);
    request.role = roles;
    request.customer = customers;
    request.source = sources;
    for (size_t i = 0; i < 3; i++) {
        if (ask->roles[i] != 0) {
            roles[request.n_role++] = (Vigil__Admin__V1__Role)ask->roles[i];
        }
        if (ask->customers[i] != NULL) {
            customers[request.n_customer++] = keep(texts[1 + i], ask->customers[i]);
        }
        if (ask->sources[i] != NULL) {
            sources[request.n_source++] = keep(texts[4 + i], ask->sources[i]);
        }
    }
    if (ask->expires != 0) {
        char number[32];
        (void)snprintf(number, sizeof(number), "%" PRId64, ask->expires);
        request.expires = keep(texts[7], number);
    }
    if (quota != NULL) {
        request.has_requests_per_second = quota->requests_per_second >= 0;
        request.requests_per_second = quota->requests_per_second;
        request.has_request_burst = quota->request_burst >= 0;
        request.request_burst = quota->request_burst;
        request.has_requests_at_once = quota->requests_at_once >= 0;
        request.requests_at_once = quota->requests_at_once;
        request.has_events_per_second = quota->events_per_second >= 0;
        request.events_per_second = quota->events_per_second;
    }
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_add_key,
        &request,
        answer);
}

static enum vg_reason add(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const struct ask *ask,
    Vigil__Admin__V1__IssuedKey *answer)
{
    return add_with_quota(fixture, credential, ask, NULL, answer);
}

static enum vg_reason authenticate(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const struct vg_principal **out_principal)
{
    struct vg_network peer;
    assert_true(vg_network_parse(vg_bytes_text("192.0.2.1"), &peer));
    return vg_access_authenticate(
        fixture->access,
        vg_bytes_text(credential),
        NULL,
        &peer,
        NOW,
        out_principal,
        NULL);
}

static void test_admin_key__the_key_that_is_told_opens_what_it_says(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__IssuedKey answer;
    const struct ask ask = { "Sub",
                             { EVENT_VIEWER, CASE_VIEWER },
                             { "acme-sub" },
                             NOW + 5000,
                             { "192.0.2.0/28", "::ffff:10.1.2.3" } };
    assert_int_equal(add(fixture, LOCAL, &ask, &answer), VG_OK);
    const Vigil__Admin__V1__Key *details = answer.details;
    assert_int_equal(strlen(details->id), VG_API_KEY_ID_SIZE);
    assert_memory_equal(answer.key, details->id, VG_API_KEY_ID_SIZE);
    assert_int_equal(details->user->id, 3);
    assert_string_equal(details->user->short_name, "sub");
    assert_int_equal(details->n_roles, 2);
    assert_int_equal(details->roles[0], EVENT_VIEWER);
    assert_int_equal(details->roles[1], CASE_VIEWER);
    assert_int_equal(details->n_customers, 1);
    assert_int_equal(details->customers[0]->id, 11);
    assert_false(details->all_customers);
    assert_int_equal(details->expires_timestamp, NOW + 5000);
    assert_int_equal(details->n_sources, 2);
    assert_string_equal(details->sources[0], "192.0.2.0/28");
    assert_string_equal(details->sources[1], "10.1.2.3"); /* one way to write it */
    assert_int_equal(details->created_timestamp, NOW);
    assert_false(details->has_revoked_timestamp);
    const struct vg_principal *principal = NULL;
    assert_int_equal(authenticate(fixture, answer.key, &principal), VG_OK);
    assert_int_equal(principal->user_id, 3);
    assert_true(vg_principal_covers(principal, 11));
    assert_false(vg_principal_covers(principal, 10));
    assert_int_equal(principal->roles, (1u << EVENT_VIEWER) | (1u << CASE_VIEWER));
    vg_principal_unref(principal);
}

/* What is not said stays the server's; what is said holds for the principal at once. */
static void test_admin_key__quota_is_kept_with_the_key(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__IssuedKey answer;
    const struct vg_quota_limits usual = { 100, 200, 300, 400 };
    const struct vg_key_quota quota = { 7, -1, 0, -1 };
    vg_access_set_quota(fixture->access, &usual);
    const struct ask ask = { .user = "sub", .roles = { EVENT_VIEWER } };
    assert_int_equal(add_with_quota(fixture, LOCAL, &ask, &quota, &answer), VG_OK);
    const Vigil__Admin__V1__Key *details = answer.details;
    assert_true(details->has_requests_per_second);
    assert_int_equal(details->requests_per_second, 7);
    assert_false(details->has_request_burst);
    assert_true(details->has_requests_at_once);
    assert_int_equal(details->requests_at_once, 0);
    assert_false(details->has_events_per_second);
    const struct vg_principal *principal = NULL;
    assert_int_equal(authenticate(fixture, answer.key, &principal), VG_OK);
    assert_int_equal(principal->limits.calls_per_second, 7);
    assert_int_equal(principal->limits.call_burst, 0); /* 200 belongs to the server's rate */
    assert_int_equal(principal->limits.calls_at_once, 0);
    assert_int_equal(principal->limits.events_per_second, 400);
    /* After a change of the directory it is another principal and the same quota. */
    struct vg_quota *shared = principal->quota;
    vg_principal_unref(principal);
    char key[VG_API_KEY_TEXT_SIZE];
    (void)snprintf(key, sizeof(key), "%s", answer.key);
    assert_int_equal(add(fixture, LOCAL, &ask, &answer), VG_OK);
    assert_int_equal(authenticate(fixture, key, &principal), VG_OK);
    assert_ptr_equal(principal->quota, shared);
    vg_principal_unref(principal);
    assert_int_equal(authenticate(fixture, answer.key, &principal), VG_OK);
    assert_ptr_not_equal(principal->quota, shared);
    assert_int_equal(principal->limits.calls_per_second, 100);
    assert_int_equal(principal->limits.call_burst, 200);
    vg_principal_unref(principal);
}

static void test_admin_key__quota_is_never_more_than_the_makers(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__IssuedKey answer;
    char maker[VG_API_KEY_TEXT_SIZE];
    const struct vg_key_quota makers = { 10, -1, 3, 0 };
    const struct ask limited = { .user = "local", .roles = { ADMIN } };
    assert_int_equal(add_with_quota(fixture, LOCAL, &limited, &makers, &answer), VG_OK);
    (void)snprintf(maker, sizeof(maker), "%s", answer.key);
    static const struct {
        const char *name;
        struct vg_key_quota quota;
        enum vg_reason reason;
    } rows[] = {
        { "nothing said", { -1, -1, -1, -1 }, VG_OK },
        { "as much", { 10, 10, 3, 0 }, VG_OK },
        { "a faster rate", { 11, -1, -1, -1 }, VG_ACCESS_DENIED },
        { "no rate", { 0, -1, -1, -1 }, VG_ACCESS_DENIED },
        { "a larger burst", { 1, 11, -1, -1 }, VG_ACCESS_DENIED },
        { "more at once", { -1, -1, 4, -1 }, VG_ACCESS_DENIED },
        { "any number at once", { -1, -1, 0, -1 }, VG_ACCESS_DENIED },
        { "events, of which the maker has no limit", { -1, -1, -1, 1000000 }, VG_OK },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const struct ask ask = { .user = "sub", .roles = { ADMIN } };
        enum vg_reason reason = add_with_quota(fixture, maker, &ask, &rows[i].quota, &answer);
        if (reason != rows[i].reason) {
            fail_msg("%s: %s", rows[i].name, vg_reason_row(reason)->name);
        }
        if (i == 0) { /* what is open is taken from the maker */
            assert_int_equal(answer.details->requests_per_second, 10);
            assert_int_equal(answer.details->requests_at_once, 3);
        }
    }
}

/* Nothing in the store or the directory is the secret. */
static void test_admin_key__the_secret_is_kept_nowhere(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__IssuedKey answer;
    const struct ask ask = { .user = "sub", .roles = { EVENT_VIEWER } };
    assert_int_equal(add(fixture, LOCAL, &ask, &answer), VG_OK);
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_directory_record record;
    assert_int_equal(
        vg_directory_record_read(
            fixture->directory.directory,
            &(struct vg_directory_name){ .kind = VG_DIRECTORY_KEY,
                                         .name = vg_bytes_text(answer.details->id) },
            &arena,
            &record,
            NULL),
        VG_OK);
    const char *secret = strrchr(answer.key, '/') + 1;
    assert_int_equal(strlen(secret), VG_API_KEY_SECRET_SIZE);
    assert_null(memmem(record.stored.data, record.stored.size, secret, 8));
    vg_arena_dispose(&arena);
}

static void test_admin_key__never_more_than_its_maker(void **state)
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
        { "own customer", LOCAL, { "sub", { ADMIN }, { NULL }, 0, { NULL } }, VG_OK, "", "" },
        { "foreign user",
          LOCAL,
          { "root", { ADMIN }, { NULL }, 0, { NULL } },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "foreign customer",
          LOCAL,
          { "sub", { ADMIN }, { "other" }, 0, { NULL } },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "customer above",
          SMALL,
          { "sub", { ADMIN }, { "acme" }, 0, { NULL } },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "user above",
          SMALL,
          { "local", { ADMIN }, { "11" }, 0, { NULL } },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "foreign by the root",
          ROOT,
          { "sub", { ADMIN }, { "other" }, 0, { NULL } },
          VG_OK,
          "",
          "" },
        { "more functions",
          VIEWER,
          { "sub", { EVENT_ANALYST }, { NULL }, 0, { NULL } },
          VG_ACCESS_DENIED,
          "",
          "assessEvents" },
        { "fewer functions",
          VIEWER,
          { "sub", { CASE_VIEWER }, { NULL }, 0, { NULL } },
          VG_OK,
          "",
          "" },
        { "as many functions",
          VIEWER,
          { "sub", { EVENT_VIEWER }, { NULL }, 0, { NULL } },
          VG_OK,
          "",
          "" },
        { "admin from a viewer",
          VIEWER,
          { "sub", { CASE_VIEWER, ADMIN }, { NULL }, 0, { NULL } },
          VG_ACCESS_DENIED,
          "",
          "submitEvent" },
        { "as long", BOUND, { "sub", { ADMIN }, { NULL }, NOW + 1000, { NULL } }, VG_OK, "", "" },
        { "longer",
          BOUND,
          { "sub", { ADMIN }, { NULL }, NOW + 1001, { NULL } },
          VG_INVALID_FIELD_VALUE,
          "expires",
          "1755000001001" },
        { "over at once",
          LOCAL,
          { "sub", { ADMIN }, { NULL }, NOW, { NULL } },
          VG_INVALID_FIELD_VALUE,
          "expires",
          "1755000000000" },
        { "source within",
          BOUND,
          { "sub", { ADMIN }, { NULL }, 0, { "10.1.0.0/16" } },
          VG_OK,
          "",
          "" },
        { "source around",
          BOUND,
          { "sub", { ADMIN }, { NULL }, 0, { "10.0.0.0/7" } },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "source elsewhere",
          BOUND,
          { "sub", { ADMIN }, { NULL }, 0, { "10.0.0.1", "::1" } },
          VG_ACCESS_DENIED,
          "",
          "administerDirectory" },
        { "no source",
          LOCAL,
          { "sub", { ADMIN }, { NULL }, 0, { "10.0.0.1", "10.0.0.1/33" } },
          VG_INVALID_REFERENCE,
          "source[1]",
          "10.0.0.1/33" },
        { "no user",
          LOCAL,
          { "nobody", { ADMIN }, { NULL }, 0, { NULL } },
          VG_INVALID_REFERENCE,
          "user",
          "nobody" },
        { "no customer",
          LOCAL,
          { "sub", { ADMIN }, { "acme", "x" }, 0, { NULL } },
          VG_INVALID_REFERENCE,
          "customer[1]",
          "x" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__IssuedKey answer;
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
        if (reason != VG_OK) {
            assert_null(answer.key); /* a refused request tells no secret */
        }
    }
}

/* What is left open is never wider than what the maker has. */
static void test_admin_key__defaults_are_the_makers(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__IssuedKey answer;
    const struct ask ask = { .user = "local", .roles = { EVENT_VIEWER } };
    assert_int_equal(add(fixture, BOUND, &ask, &answer), VG_OK);
    assert_int_equal(answer.details->expires_timestamp, NOW + 1000);
    assert_int_equal(answer.details->n_sources, 2);
    assert_string_equal(answer.details->sources[0], "192.0.2.0/24");
    assert_string_equal(answer.details->sources[1], "10.0.0.0/8");
    assert_int_equal(answer.details->n_customers, 0);
    assert_int_equal(add(fixture, LOCAL, &ask, &answer), VG_OK);
    assert_false(answer.details->has_expires_timestamp);
    assert_int_equal(answer.details->n_sources, 0);
    const struct vg_principal *principal = NULL;
    assert_int_equal(authenticate(fixture, answer.key, &principal), VG_OK);
    assert_true(vg_principal_covers(principal, 10)); /* the user's own customer */
    assert_true(vg_principal_covers(principal, 11)); /* and those below */
    assert_false(vg_principal_covers(principal, 20));
    vg_principal_unref(principal);
    /* Not even the root's keys hand on all customers. */
    assert_int_equal(add(fixture, ROOT, &ask, &answer), VG_OK);
    assert_false(answer.details->all_customers);
}

static enum vg_reason revoke(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const char *id,
    Vigil__Admin__V1__Key *answer)
{
    static char text[64];
    static Vigil__Admin__V1__RevokeKeyRequest request;
    vigil__admin__v1__revoke_key_request__init(&request);
    vigil__admin__v1__key__init(answer);
    request.key = keep(text, id);
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_revoke_key,
        &request,
        answer);
}

static void test_admin_key__a_revoked_key_is_refused_at_once(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Key answer;
    const struct vg_principal *principal = NULL;
    assert_int_equal(revoke(fixture, LOCAL, "root", &answer), VG_ACCESS_DENIED);
    assert_int_equal(revoke(fixture, LOCAL, "nothing", &answer), VG_OBJECT_NOT_FOUND);
    assert_int_equal(revoke(fixture, LOCAL, "VIEWER", &answer), VG_OBJECT_NOT_FOUND);
    vg_clock_manual_set(&fixture->clock, NOW + 7);
    assert_int_equal(revoke(fixture, LOCAL, "viewer", &answer), VG_OK);
    assert_int_equal(answer.revoked_timestamp, NOW + 7);
    assert_int_equal(authenticate(fixture, VIEWER, &principal), VG_AUTHENTICATION_FAILED);
    assert_int_equal(authenticate(fixture, LOCAL, &principal), VG_OK); /* of the same user */
    vg_principal_unref(principal);
    /* Again is no change: the first time stays. */
    vg_clock_manual_set(&fixture->clock, NOW + 9);
    assert_int_equal(revoke(fixture, LOCAL, "viewer", &answer), VG_OK);
    assert_int_equal(answer.revoked_timestamp, NOW + 7);
    assert_int_equal(fixture->commits, 1);
    vg_directory_fixture_reload(&fixture->directory);
    fixture->node.directory = fixture->directory.directory;
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(fixture->directory.directory);
    assert_int_equal(vg_directory_key(snapshot, vg_bytes_text("viewer"))->revoked, NOW + 7);
    vg_directory_snapshot_unref(snapshot);
}

static enum vg_reason add_certificate(
    struct vg_handler_fixture *fixture,
    const char *user,
    const char *certificate,
    Vigil__Admin__V1__IssuedKey *answer)
{
    char texts[2][64];
    Vigil__Admin__V1__Role role = VIGIL__ADMIN__V1__ROLE__ROLE_EVENT_VIEWER;
    Vigil__Admin__V1__AddKeyRequest request = VIGIL__ADMIN__V1__ADD_KEY_REQUEST__INIT;
    vigil__admin__v1__issued_key__init(answer);
    request.user = keep(texts[0], user);
    request.certificate = keep(texts[1], certificate);
    request.n_role = 1;
    request.role = &role;
    return VG_HANDLER_RUN(fixture, LOCAL, ADMINISTER, NULL, admin_v1_add_key, &request, answer);
}

static void test_admin_key__a_certificate_names_its_key(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__IssuedKey answer;
    Vigil__Admin__V1__Key revoked;
    static const char id[] = "DNS:host.example";
    assert_int_equal(add_certificate(fixture, "local", "dns:Host.Example", &answer), VG_OK);
    assert_null(answer.key); /* there is no secret to tell */
    assert_string_equal(answer.details->id, id);
    assert_true(answer.details->is_certificate);
    assert_int_equal(add_certificate(fixture, "local", id, &answer), VG_OBJECT_EXISTS);
    /* Once revoked the name is free again. */
    assert_int_equal(revoke(fixture, LOCAL, id, &revoked), VG_OK);
    assert_int_equal(add_certificate(fixture, "local", id, &answer), VG_OK);
    assert_false(answer.details->has_revoked_timestamp);
}

static void test_admin_key__a_name_that_is_none_is_refused(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const char *const names[] = { "", "host.example", "DNS:", "DNS:two words", "CN:x\n" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        Vigil__Admin__V1__IssuedKey answer;
        assert_int_not_equal(add_certificate(fixture, "local", names[i], &answer), VG_OK);
    }
}

static void test_admin_key__a_key_may_revoke_itself(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    Vigil__Admin__V1__Key answer;
    const struct vg_principal *principal = NULL;
    assert_int_equal(revoke(fixture, LOCAL, "local", &answer), VG_OK);
    assert_int_equal(authenticate(fixture, LOCAL, &principal), VG_AUTHENTICATION_FAILED);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_admin_key__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_key_that_is_told_opens_what_it_says),
        TEST(the_secret_is_kept_nowhere),
        TEST(quota_is_kept_with_the_key),
        TEST(quota_is_never_more_than_the_makers),
        TEST(never_more_than_its_maker),
        TEST(defaults_are_the_makers),
        TEST(a_revoked_key_is_refused_at_once),
        TEST(a_certificate_names_its_key),
        TEST(a_name_that_is_none_is_refused),
        TEST(a_key_may_revoke_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
