#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/keyspace/keyspace.h"
#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
#include "rpc/handlers/admin_view.h"
#include "tests/support/handler_fixture.h"

#include "vigil/options.pb-c.h"
#include "vigil/record/v1/directory.pb-c.h"

#define ROOT  VG_FIXTURE_ROOT  /* covers all */
#define LOCAL VG_FIXTURE_LOCAL /* covers customers 10 and 11 */

enum { VIEW = VIGIL__PERMISSION__PERMISSION_VIEW_DIRECTORY };

/* Customers 10 > 11, and 20; in each a user and a group. */
static int open_fixture(void **state)
{
    static struct vg_handler_fixture fixture;
    struct vg_directory_fixture *directory = &fixture.directory;
    vg_handler_fixture_open(&fixture);
    vg_directory_fixture_administrators(directory);
    vg_directory_fixture_customer(directory, 11, "acme-sub", 10);
    vg_directory_fixture_user(directory, 3, "sub", 11);
    vg_directory_fixture_group(directory, 4, "acme-soc", 10);
    vg_directory_fixture_group(directory, 5, "other-soc", 20);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_handler_fixture_close(*state);
    return 0;
}

/* A limit of -1 is none. */
static enum vg_reason list_users(
    struct vg_handler_fixture *fixture,
    const char *credential,
    int32_t limit,
    int32_t offset)
{
    static Vigil__Admin__V1__ListUsersRequest request;
    static Vigil__Admin__V1__UserList answer;
    vigil__admin__v1__list_users_request__init(&request);
    vigil__admin__v1__user_list__init(&answer);
    request.has_limit = limit >= 0;
    request.limit = limit >= 0 ? limit : 0;
    request.has_offset = offset > 0;
    request.offset = offset;
    return VG_HANDLER_RUN(
        fixture,
        credential,
        VIEW,
        &vg_table_vigil_admin_v1_user,
        admin_v1_list_users,
        &request,
        &answer);
}

/* The ids of all rows that are left, as "1 2 3". */
static const char *ids_of_users(struct vg_handler_fixture *fixture)
{
    static char ids[4096];
    size_t size = 0;
    ids[0] = '\0';
    for (const ProtobufCMessage *row; (row = vg_handler_fixture_next(fixture)) != NULL;) {
        const Vigil__Admin__V1__User *user = (const Vigil__Admin__V1__User *)row;
        size += (size_t)
            snprintf(ids + size, sizeof(ids) - size, "%s%d", size == 0 ? "" : " ", (int)user->id);
    }
    return ids;
}

static void test_admin_view__lists_show_what_the_key_covers(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    assert_int_equal(list_users(fixture, ROOT, -1, 0), VG_OK);
    assert_int_equal(fixture->call.reply.count, 3);
    assert_string_equal(ids_of_users(fixture), "1 2 3");
    assert_int_equal(list_users(fixture, LOCAL, -1, 0), VG_OK);
    assert_int_equal(fixture->call.reply.count, 2);
    assert_string_equal(ids_of_users(fixture), "2 3");
}

static void test_admin_view__pages(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    for (int id = 10; id < 40; id++) { /* with root, local and sub: 33 */
        char name[16];
        (void)snprintf(name, sizeof(name), "u%d", id);
        vg_directory_fixture_user(&fixture->directory, id, name, id % 2 == 0 ? 10 : 20);
    }
    static const struct {
        const char *name;
        const char *credential;
        int32_t limit;
        int32_t offset;
        int64_t shown_limit;
        int64_t count;
        const char *ids;
    } rows[] = {
        { "default",
          ROOT,
          -1,
          0,
          25,
          33,
          "1 2 3 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31" },
        { "default, next", ROOT, -1, 25, 25, 33, "32 33 34 35 36 37 38 39" },
        { "three", ROOT, 3, 2, 3, 33, "3 10 11" },
        { "all",
          ROOT,
          0,
          0,
          0,
          33,
          "1 2 3 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 "
          "37 38 39" },
        { "all but some", ROOT, 0, 31, 0, 33, "38 39" },
        { "last", ROOT, 10, 32, 10, 33, "39" },
        { "behind the last", ROOT, 10, 33, 10, 33, "" },
        { "far behind", ROOT, 10, 2000000000, 10, 33, "" },
        { "only what is covered", LOCAL, 4, 1, 4, 17, "3 10 12 14" },
        { "most", ROOT, VG_ADMIN_LIMIT_MAX, 30, VG_ADMIN_LIMIT_MAX, 33, "37 38 39" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        assert_int_equal(
            list_users(fixture, rows[i].credential, rows[i].limit, rows[i].offset),
            VG_OK);
        const struct vg_reply *reply = &fixture->call.reply;
        const char *ids = ids_of_users(fixture);
        if (strcmp(ids, rows[i].ids) != 0) {
            fail_msg("%s: %s", rows[i].name, ids);
        }
        assert_int_equal(reply->limit, rows[i].shown_limit);
        assert_int_equal(reply->offset, rows[i].offset);
        assert_int_equal(reply->count, rows[i].count);
    }
}

/* What is added while a page is read is not on it. */
static void test_admin_view__a_page_is_of_one_moment(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    assert_int_equal(list_users(fixture, ROOT, -1, 0), VG_OK);
    assert_non_null(vg_handler_fixture_next(fixture));
    vg_directory_fixture_user(&fixture->directory, 30, "late", 10);
    assert_string_equal(ids_of_users(fixture), "2 3");
}

static enum vg_reason get_user(
    struct vg_handler_fixture *fixture,
    const char *credential,
    const char *name,
    Vigil__Admin__V1__User *answer)
{
    static char kept[32];
    static Vigil__Admin__V1__GetUserRequest request;
    (void)snprintf(kept, sizeof(kept), "%s", name);
    vigil__admin__v1__get_user_request__init(&request);
    vigil__admin__v1__user__init(answer);
    request.user = kept;
    return VG_HANDLER_RUN(fixture, credential, VIEW, NULL, admin_v1_get_user, &request, answer);
}

static void test_admin_view__one_thing(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        const char *credential;
        const char *name;
        enum vg_reason reason;
        int64_t id;
        const char *parameter;
    } rows[] = {
        { ROOT, "SUB", VG_OK, 3, "" },
        { ROOT, "3", VG_OK, 3, "" },
        { LOCAL, "sub", VG_OK, 3, "" },
        { ROOT, "nobody", VG_OBJECT_NOT_FOUND, 0, "nobody" },
        { ROOT, "4", VG_OBJECT_NOT_FOUND, 0, "4" }, /* a group */
        { LOCAL, "root", VG_ACCESS_DENIED, 0, "viewDirectory" },
        { LOCAL, "1", VG_ACCESS_DENIED, 0, "viewDirectory" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Admin__V1__User answer;
        enum vg_reason reason = get_user(fixture, rows[i].credential, rows[i].name, &answer);
        if (reason != rows[i].reason) {
            fail_msg("%s: %s", rows[i].name, vg_reason_row(reason)->name);
        }
        assert_int_equal(answer.id, rows[i].id);
        assert_string_equal(fixture->call.error.parameter, rows[i].parameter);
    }
}

/* A visible thing that refers to something of another customer tells its id and nothing more. */
static void test_admin_view__foreign_references_have_no_name(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    char name[] = "mixed";
    int64_t groups[] = { 4, 5 };
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 9;
    user.short_name = name;
    user.has_customer_id = true;
    user.customer_id = 10;
    user.n_group_ids = 2;
    user.group_ids = groups;
    assert_int_equal(
        vg_directory_fixture_add(&fixture->directory, VG_DIRECTORY_USER, &user.base),
        VG_OK);
    Vigil__Admin__V1__User answer;
    assert_int_equal(get_user(fixture, LOCAL, "mixed", &answer), VG_OK);
    assert_int_equal(answer.n_groups, 2);
    assert_string_equal(answer.groups[0]->short_name, "acme-soc");
    assert_int_equal(answer.groups[1]->id, 5);
    assert_null(answer.groups[1]->short_name);
    assert_int_equal(get_user(fixture, ROOT, "mixed", &answer), VG_OK);
    assert_string_equal(answer.groups[1]->short_name, "other-soc");
}

/* Every kind has its list, and each shows its own things. */
static void test_admin_view__every_kind_is_listed(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    static const struct {
        const struct vg_admin_kind *kind;
        const struct vg_table *element;
        int64_t count;
    } rows[] = {
        { &vg_admin_case_kind, &vg_table_vigil_admin_v1_case, 0 },
        { &vg_admin_customer_kind, &vg_table_vigil_admin_v1_customer, 3 },
        { &vg_admin_group_kind, &vg_table_vigil_admin_v1_group, 2 },
        { &vg_admin_key_kind, &vg_table_vigil_admin_v1_key, 2 },
        { &vg_admin_location_kind, &vg_table_vigil_admin_v1_location, 0 },
        { &vg_admin_signature_kind, &vg_table_vigil_admin_v1_signature, 0 },
        { &vg_admin_user_kind, &vg_table_vigil_admin_v1_user, 3 },
    };
    assert_int_equal(VG_ARRAY_COUNT(rows), VG_DIRECTORY_KIND_COUNT);
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_call *call = vg_handler_fixture_begin(fixture, ROOT, VIEW, rows[i].element);
        int result = vg_admin_view_list(call, rows[i].kind, 25, 0);
        assert_int_equal(vg_handler_fixture_end(fixture, result), VG_OK);
        assert_int_equal(call->reply.count, rows[i].count);
        int64_t seen = 0;
        for (const ProtobufCMessage *row; (row = vg_handler_fixture_next(fixture)) != NULL;) {
            assert_ptr_equal(row->descriptor, rows[i].element->descriptor);
            assert_true(protobuf_c_message_check(row));
            seen++;
        }
        assert_int_equal(seen, rows[i].count);
    }
}

/* With limit 0 the maximum is answered and one more is not. Signatures are quickest to make. */
static void test_admin_view__everything_up_to_the_maximum(void **state)
{
    struct vg_handler_fixture *fixture = *state;
    char name[16];
    Vigil__Record__V1__Signature record = VIGIL__RECORD__V1__SIGNATURE__INIT;
    record.name = name;
    struct vg_batch batch;
    vg_batch_init(&batch, VG_STORE_BATCH_BYTES_MAX);
    for (int i = 0; i <= VG_ADMIN_LIMIT_MAX; i++) {
        (void)snprintf(name, sizeof(name), "s%06d", i);
        struct vg_key key;
        uint8_t packed[32];
        size_t size = vigil__record__v1__signature__pack(&record, packed);
        vg_key_directory(&key, VG_DIRECTORY_SIGNATURE, 0, vg_bytes_text(name));
        vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes(packed, size));
        if (i < VG_ADMIN_LIMIT_MAX - 1) {
            continue;
        }
        /* Now there are as many as the maximum, then one more. */
        assert_int_equal(vg_store_apply(fixture->directory.store, 0, &batch, NULL), VG_OK);
        vg_batch_clear(&batch);
        struct vg_directory *directory = NULL;
        assert_int_equal(vg_directory_create(fixture->directory.store, &directory, NULL), VG_OK);
        fixture->node.directory = directory;
        struct vg_call *call =
            vg_handler_fixture_begin(fixture, ROOT, VIEW, &vg_table_vigil_admin_v1_signature);
        enum vg_reason reason = vg_handler_fixture_end(
            fixture,
            vg_admin_view_list(call, &vg_admin_signature_kind, 0, 0));
        assert_int_equal(reason, i < VG_ADMIN_LIMIT_MAX ? VG_OK : VG_RESULTSET_TOO_LARGE);
        assert_string_equal(call->error.parameter, reason == VG_OK ? "" : "100000");
        assert_int_equal(call->reply.count, reason == VG_OK ? VG_ADMIN_LIMIT_MAX : 0);
        (void)vg_handler_fixture_begin(fixture, ROOT, VIEW, NULL); /* gives the snapshot back */
        fixture->node.directory = fixture->directory.directory;
        vg_directory_destroy(directory);
    }
    vg_batch_dispose(&batch);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_admin_view__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_show_what_the_key_covers),  TEST(pages),
        TEST(a_page_is_of_one_moment),         TEST(one_thing),
        TEST(foreign_references_have_no_name), TEST(every_kind_is_listed),
        TEST(everything_up_to_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
