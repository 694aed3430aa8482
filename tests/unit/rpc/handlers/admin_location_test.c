/* Locations and signatures: what may belong to all customers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
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

static char *keep(char kept[64], const char *text)
{
    (void)snprintf(kept, 64, "%s", text == NULL ? "" : text);
    return text == NULL ? NULL : kept;
}

struct ask {
    int64_t id;
    const char *short_name;
    const char *customer;
    const char *time_zone;
};

static enum vg_reason add(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const struct ask *ask,
    Vigil__Admin__V1__Location *answer)
{
    static char texts[4][64];
    static Vigil__Admin__V1__AddLocationRequest request;
    vigil__admin__v1__add_location_request__init(&request);
    vigil__admin__v1__location__init(answer);
    request.has_id = true;
    request.id = ask->id;
    request.short_name = keep(texts[0], ask->short_name);
    request.name = keep(texts[1], "A location");
    request.customer = keep(texts[2], ask->customer);
    request.time_zone = keep(texts[3], ask->time_zone);
    return VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_add_location,
        &request,
        answer);
}

static void test_admin_location__adding(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        const char *credential;
        struct ask ask;
        enum vg_reason reason;
        const char *message;
    } rows[] = {
        { LOCAL, { 1, "oslo", "acme", "Europe/Oslo" }, VG_OK, "" },
        { LOCAL, { 2, "lan", "acme", NULL }, VG_OK, "" },
        { ROOT, { 3, "all", NULL, "UTC" }, VG_OK, "" },
        { ROOT,
          { 4, "OSLO", NULL, NULL },
          VG_OBJECT_EXISTS,
          "An object with this name exists already" },
        { ROOT,
          { 3, "new", NULL, NULL },
          VG_OBJECT_EXISTS,
          "An object with this id exists already" },
        { ROOT,
          { 4, "44", NULL, NULL },
          VG_INVALID_FIELD_VALUE,
          "A short name of digits only would be an id" },
        { ROOT, { 4, "new", NULL, "Oslo" }, VG_INVALID_REFERENCE, "Invalid time zone: Oslo" },
        { ROOT, { 4, "new", "x", NULL }, VG_INVALID_REFERENCE, "Invalid customer: x" },
        { LOCAL,
          { 4, "new", NULL, NULL },
          VG_ACCESS_DENIED,
          "Access denied: the key does not cover the customer" },
        { LOCAL,
          { 4, "new", "other", NULL },
          VG_ACCESS_DENIED,
          "Access denied: the key does not cover the customer" },
        { ROOT, { 5, "there", "other", NULL }, VG_OK, "" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__Location answer;
        enum vg_reason reason = add(fixture, rows[i].credential, &rows[i].ask, &answer);
        if (reason != rows[i].reason || strcmp(fixture->call.error.message, rows[i].message) != 0) {
            fail_msg("%d: %s", (int)i, fixture->call.error.message);
        }
        if (reason != VG_OK) {
            continue;
        }
        const struct ask *ask = &rows[i].ask;
        assert_string_equal(answer.short_name, ask->short_name);
        assert_string_equal(answer.time_zone, ask->time_zone == NULL ? "UTC" : ask->time_zone);
        assert_int_equal(answer.customer != NULL, ask->customer != NULL);
    }
    /* Of all customers, and those of its own, but not of others. */
    static Vigil__Admin__V1__ListLocationsRequest request;
    static Vigil__Admin__V1__LocationList list;
    vigil__admin__v1__list_locations_request__init(&request);
    assert_int_equal(
        VG_HANDLER_RUN(
            fixture,
            LOCAL,
            VIEW,
            &vg_table_vigil_admin_v1_location,
            admin_v1_list_locations,
            &request,
            &list),
        VG_OK);
    assert_int_equal(fixture->call.reply.count, 3);
    for (int64_t id = 1; id <= 3; id++) {
        const ProtobufCMessage *row = vg_handler_fixture_next(fixture);
        assert_int_equal(((const Vigil__Admin__V1__Location *)row)->id, id);
    }
    assert_null(vg_handler_fixture_next(fixture));
}

static enum vg_reason add_signature(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const char *name)
{
    static char texts[3][64];
    static Vigil__Admin__V1__AddSignatureRequest request;
    static Vigil__Admin__V1__Signature answer;
    vigil__admin__v1__add_signature_request__init(&request);
    vigil__admin__v1__signature__init(&answer);
    request.name = keep(texts[0], name);
    request.has_alarm_id = true;
    request.alarm_id = 7;
    request.alarm_description = keep(texts[1], "A scan");
    request.has_category_id = true;
    request.category_id = 8;
    request.category_name = keep(texts[2], "Reconnaissance");
    enum vg_reason reason = VG_HANDLER_RUN(
        fixture,
        credential,
        ADMINISTER,
        NULL,
        admin_v1_add_signature,
        &request,
        &answer);
    if (reason == VG_OK) {
        assert_string_equal(answer.name, name);
        assert_int_equal(answer.alarm_id, 7);
        assert_string_equal(answer.alarm_description, "A scan");
        assert_int_equal(answer.category_id, 8);
        assert_string_equal(answer.category_name, "Reconnaissance");
        assert_int_equal(answer.created_timestamp, VG_DIRECTORY_FIXTURE_TIME);
    }
    return reason;
}

static void test_admin_location__signatures_belong_to_nobody(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    assert_int_equal(add_signature(fixture, LOCAL, "ET SCAN"), VG_ACCESS_DENIED);
    assert_int_equal(add_signature(fixture, ROOT, "ET SCAN"), VG_OK);
    assert_int_equal(add_signature(fixture, ROOT, "ET SCAN"), VG_OBJECT_EXISTS);
    assert_int_equal(add_signature(fixture, ROOT, "et scan"), VG_OK);
    assert_int_equal(add_signature(fixture, ROOT, ""), VG_INVALID_FIELD_VALUE);
    char name[] = "ET SCAN";
    Vigil__Admin__V1__GetSignatureRequest request = VIGIL__ADMIN__V1__GET_SIGNATURE_REQUEST__INIT;
    Vigil__Admin__V1__Signature answer = VIGIL__ADMIN__V1__SIGNATURE__INIT;
    request.signature = name;
    assert_int_equal(
        VG_HANDLER_RUN(fixture, LOCAL, VIEW, NULL, admin_v1_get_signature, &request, &answer),
        VG_OK);
    assert_string_equal(answer.name, "ET SCAN");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_admin_location__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(adding),
        TEST(signatures_belong_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
