#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/calendar.h"
#include "core/keyspace/keyspace.h"
#include "tests/support/directory_fixture.h"

#include "vigil/record/v1/directory.pb-c.h"

static struct vg_bytes text(const char *chars)
{
    return vg_bytes_text(chars);
}

static int open_fixture(void **state)
{
    static struct vg_directory_fixture fixture;
    vg_directory_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    vg_directory_fixture_close(*state);
    return 0;
}

static void test_directory__things_are_found_by_id_and_by_name_without_case(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_customer(fixture, 42, "Acme", 0);
    vg_directory_fixture_user(fixture, 7, "Jane.Doe", 42);
    vg_directory_fixture_group(fixture, 8, "SOC", 42);
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
    const struct vg_customer *acme = vg_directory_customer(snapshot, 42);
    assert_non_null(acme);
    assert_string_equal(acme->short_name, "Acme");
    assert_int_equal(acme->created, VG_DIRECTORY_FIXTURE_TIME);
    assert_true(acme->info_wire.size > 0);
    assert_ptr_equal(vg_directory_customer_named(snapshot, text("aCME")), acme);
    assert_ptr_equal(vg_directory_customer_named(snapshot, text("42")), acme);
    assert_null(vg_directory_customer_named(snapshot, text("acme2")));
    assert_null(vg_directory_customer_named(snapshot, text("acm")));
    assert_null(vg_directory_customer_named(snapshot, text("")));
    assert_null(vg_directory_customer_named(snapshot, text("43")));
    assert_null(vg_directory_customer(snapshot, 0));
    assert_int_equal(vg_directory_user_named(snapshot, text("JANE.DOE"))->id, 7);
    assert_int_equal(vg_directory_group_named(snapshot, text("soc"))->id, 8);
    assert_int_equal(vg_directory_group(snapshot, 8)->customer_id, 42);
    vg_directory_snapshot_unref(snapshot);
}

static void test_directory__a_name_longer_than_any_is_not_found(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    static char name[300];
    memset(name, 'x', sizeof(name));
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
    for (size_t size = 255; size < 259; size++) {
        assert_null(vg_directory_customer_named(snapshot, vg_bytes(name, size)));
    }
    /* More digits than an id has are a name. */
    assert_null(vg_directory_customer_named(snapshot, text("1234567890123456789012345")));
    vg_directory_snapshot_unref(snapshot);
}

static void test_directory__a_snapshot_never_changes(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_customer(fixture, 1, "one", 0);
    const struct vg_directory_snapshot *before = vg_directory_snapshot(fixture->directory);
    const struct vg_customer *one = vg_directory_customer(before, 1);
    vg_directory_fixture_customer(fixture, 2, "two", 0);
    vg_directory_fixture_user(fixture, 5, "five", 2);
    const struct vg_directory_snapshot *after = vg_directory_snapshot(fixture->directory);
    assert_null(vg_directory_customer(before, 2));
    assert_null(vg_directory_user(before, 5));
    assert_int_equal(vg_directory_count(before, VG_DIRECTORY_CUSTOMER), 1);
    assert_int_equal(vg_directory_count(after, VG_DIRECTORY_CUSTOMER), 2);
    assert_true(vg_directory_snapshot_version(after) > vg_directory_snapshot_version(before));
    vg_directory_snapshot_unref(before);
    assert_ptr_equal(vg_directory_customer(after, 1), one); /* shared by snapshots */
    vg_directory_snapshot_unref(after);
}

static void test_directory__lists_are_in_order_of_id_or_name(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    static const int64_t ids[] = { 30, 10, 20, 5, 25 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(ids); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "c%d", (int)(100 - ids[i]));
        vg_directory_fixture_customer(fixture, ids[i], name, 0);
    }
    vg_directory_fixture_user(fixture, 1, "user", 5);
    vg_directory_fixture_key(fixture, &(struct vg_fixture_key){ .id = "b", .user = 1, .role = 1 });
    vg_directory_fixture_key(fixture, &(struct vg_fixture_key){ .id = "a", .user = 1, .role = 1 });
    static const int64_t sorted[] = { 5, 10, 20, 25, 30 };
    for (int round = 0; round < 2; round++) {
        const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
        assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER), 5);
        for (size_t i = 0; i < VG_ARRAY_COUNT(sorted); i++) {
            const struct vg_customer *customer =
                vg_directory_at(snapshot, VG_DIRECTORY_CUSTOMER, i);
            assert_int_equal(customer->id, sorted[i]);
        }
        const struct vg_api_key *key = vg_directory_at(snapshot, VG_DIRECTORY_KEY, 0);
        assert_string_equal(key->key_id, "a");
        vg_directory_snapshot_unref(snapshot);
        vg_directory_fixture_reload(fixture); /* the same after a start */
    }
}

static void test_directory__users_and_groups_share_one_range_of_ids(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_customer(fixture, 1000, "c", 0); /* of another range */
    assert_int_equal(vg_directory_take_subject_id(fixture->directory), 1);
    assert_int_equal(vg_directory_take_subject_id(fixture->directory), 2); /* 1 may be on its way */
    vg_directory_fixture_user(fixture, 5, "u", 1000);
    vg_directory_fixture_group(fixture, 2, "g", 1000); /* less than the largest */
    assert_int_equal(vg_directory_take_subject_id(fixture->directory), 6);
    vg_directory_fixture_reload(fixture);
    assert_int_equal(vg_directory_take_subject_id(fixture->directory), 6); /* it was not used */
    vg_directory_fixture_group(fixture, 9, "h", 1000);
    assert_int_equal(vg_directory_take_subject_id(fixture->directory), 10);
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    char name[] = "other";
    user.has_id = true;
    user.id = 2;
    user.short_name = name;
    assert_int_equal(
        vg_directory_fixture_add(fixture, VG_DIRECTORY_USER, &user.base),
        VG_OBJECT_EXISTS);
}

/* Everything a record holds is there again after a start. */
static void test_directory__a_start_reads_what_was_stored(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_customer(fixture, 1, "one", 0);
    vg_directory_fixture_customer(fixture, 2, "two", 1);
    int64_t groups[] = { 9, 4 };
    char zone[] = "Europe/Oslo";
    char name[] = "Kari";
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 3;
    user.short_name = name;
    user.time_zone = zone;
    user.n_group_ids = 2;
    user.group_ids = groups;
    user.has_customer_id = true;
    user.customer_id = 2;
    assert_int_equal(vg_directory_fixture_add(fixture, VG_DIRECTORY_USER, &user.base), VG_OK);
    int64_t readers[] = { 8, 3 };
    Vigil__Record__V1__Case item = VIGIL__RECORD__V1__CASE__INIT;
    item.has_id = true;
    item.id = 77;
    item.subject = name;
    item.n_reader_ids = 2;
    item.reader_ids = readers;
    assert_int_equal(vg_directory_fixture_add(fixture, VG_DIRECTORY_CASE, &item.base), VG_OK);
    vg_directory_fixture_key(
        fixture,
        &(struct vg_fixture_key){ .id = "k",
                                  .user = 3,
                                  .role = VIGIL__RECORD__V1__ROLE__ROLE_EVENT_VIEWER,
                                  .customers = { 2, 1 },
                                  .sources = { "10.0.0.0/8" },
                                  .expires = 99 });
    vg_directory_fixture_reload(fixture);
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
    assert_int_equal(vg_directory_customer_named(snapshot, text("TWO"))->parent_id, 1);
    const struct vg_user *kari = vg_directory_user(snapshot, 3);
    assert_string_equal(kari->time_zone, "Europe/Oslo");
    assert_string_equal(vg_zone_name(kari->zone), "Europe/Oslo");
    assert_int_equal(kari->group_count, 2);
    assert_int_equal(kari->group_ids[0], 4); /* sorted */
    assert_int_equal(kari->group_ids[1], 9);
    const struct vg_case *found = vg_directory_case(snapshot, 77);
    assert_int_equal(found->reader_count, 2);
    assert_int_equal(found->readers[0], 3);
    const struct vg_api_key *key = vg_directory_key(snapshot, text("k"));
    assert_int_equal(key->roles, 1u << VIGIL__RECORD__V1__ROLE__ROLE_EVENT_VIEWER);
    assert_int_equal(key->customers[0], 1);
    assert_int_equal(key->expires, 99);
    assert_int_equal(key->source_count, 1);
    vg_directory_snapshot_unref(snapshot);
}

static void test_directory__a_user_without_zone_is_in_utc(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_user(fixture, 1, "u", 1);
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
    const struct vg_user *user = vg_directory_user(snapshot, 1);
    assert_string_equal(user->time_zone, "UTC");
    assert_non_null(user->zone);
    vg_directory_snapshot_unref(snapshot);
}

static void test_directory__a_record_that_cannot_be_read_stops_the_start(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t bytes[8];
        size_t size;
    } rows[] = {
        { "no protobuf", { 0xff, 0xff, 0xff }, 3 },
        { "no short name", { 0x08, 0x01 }, 2 },
        { "cut off", { 0x08, 0x01, 0x12, 0x05, 'a' }, 5 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_directory_fixture fixture;
        vg_directory_fixture_open(&fixture);
        struct vg_key key;
        vg_key_directory(&key, VG_DIRECTORY_CUSTOMER, 1, vg_bytes(NULL, 0));
        struct vg_batch batch;
        vg_batch_init(&batch, 4096);
        vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes(rows[i].bytes, rows[i].size));
        assert_int_equal(vg_store_apply(fixture.store, 0, &batch, NULL), VG_OK);
        vg_batch_dispose(&batch);
        struct vg_directory *directory = NULL;
        enum vg_reason reason = vg_directory_create(fixture.store, &directory, NULL);
        if (reason != VG_STORE_CORRUPT) {
            fail_msg("%s: %s", rows[i].name, vg_reason_row(reason)->name);
        }
        assert_null(directory);
        vg_directory_fixture_close(&fixture);
    }
}

/* ---- readers beside the writer */

#define ADDED 300

struct readers {
    struct vg_directory_fixture *fixture;
    _Atomic bool done;
};

static void *read_all_the_time(void *owner)
{
    struct readers *readers = owner;
    size_t seen = 0;
    while (!readers->done) {
        const struct vg_directory_snapshot *snapshot =
            vg_directory_snapshot(readers->fixture->directory);
        size_t count = vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER);
        bool grows = count >= seen;
        for (size_t i = 0; i < count; i++) {
            const struct vg_customer *customer =
                vg_directory_at(snapshot, VG_DIRECTORY_CUSTOMER, i);
            grows = grows && customer->id == (int64_t)i + 1 &&
                    vg_directory_customer_named(snapshot, text(customer->short_name)) == customer;
        }
        seen = count;
        vg_directory_snapshot_unref(snapshot);
        if (!grows) {
            return readers;
        }
    }
    return NULL;
}

static void test_directory__readers_see_whole_snapshots_while_things_are_added(void **state)
{
    struct readers readers = { .fixture = *state };
    pthread_t threads[2];
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_all_the_time, &readers), 0);
    }
    for (int64_t id = 1; id <= ADDED; id++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "Customer-%d", (int)id);
        vg_directory_fixture_customer(readers.fixture, id, name, 0);
    }
    readers.done = true;
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_directory__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(things_are_found_by_id_and_by_name_without_case),
        TEST(a_name_longer_than_any_is_not_found),
        TEST(a_snapshot_never_changes),
        TEST(lists_are_in_order_of_id_or_name),
        TEST(users_and_groups_share_one_range_of_ids),
        TEST(a_start_reads_what_was_stored),
        TEST(a_user_without_zone_is_in_utc),
        cmocka_unit_test(test_directory__a_record_that_cannot_be_read_stops_the_start),
        TEST(readers_see_whole_snapshots_while_things_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
