#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/directory_fixture.h"

#include "vigil/record/v1/directory.pb-c.h"

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

/* Make the change that adds a customer, without committing it. */
static enum vg_reason prepare_customer(
    struct vg_directory_fixture *fixture,
    int64_t id,
    char *short_name,
    struct vg_directory_change *change)
{
    Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = short_name;
    return vg_directory_change_add(
        change,
        fixture->directory,
        VG_DIRECTORY_CUSTOMER,
        &record.base,
        NULL);
}

static enum vg_reason prepare_subject(
    struct vg_directory_fixture *fixture,
    enum vg_directory_kind kind,
    char *short_name,
    struct vg_directory_change *change)
{
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 5;
    user.short_name = short_name;
    Vigil__Record__V1__Group group = VIGIL__RECORD__V1__GROUP__INIT;
    group.has_id = true;
    group.id = 5;
    group.short_name = short_name;
    return vg_directory_change_add(
        change,
        fixture->directory,
        kind,
        kind == VG_DIRECTORY_USER ? &user.base : &group.base,
        NULL);
}

static void test_directory_change__what_is_taken_is_refused(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_customer(fixture, 1, "Acme", 0);
    char acme[] = "ACME";
    char other[] = "other";
    struct vg_directory_change change;
    assert_int_equal(prepare_customer(fixture, 2, acme, &change), VG_OBJECT_EXISTS);
    vg_directory_change_dispose(&change);
    assert_int_equal(prepare_customer(fixture, 1, other, &change), VG_OBJECT_EXISTS);
    vg_directory_change_dispose(&change);
    assert_int_equal(prepare_customer(fixture, 2, other, &change), VG_OK);
    assert_int_equal(vg_directory_fixture_commit(fixture, &change), VG_OK);
}

static void test_directory_change__the_error_says_what_is_taken(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    vg_directory_fixture_customer(fixture, 1, "Acme", 0);
    char acme[] = "acme";
    char other[] = "other";
    const struct {
        int64_t id;
        char *short_name;
        const char *words;
    } rows[] = { { 2, acme, "this name" }, { 1, other, "this id" }, { 1, acme, "this name" } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
        record.has_id = true;
        record.id = rows[i].id;
        record.short_name = rows[i].short_name;
        struct vg_directory_change change;
        struct vg_error error;
        vg_error_init(&error, NULL);
        assert_int_equal(
            vg_directory_change_add(
                &change,
                fixture->directory,
                VG_DIRECTORY_CUSTOMER,
                &record.base,
                &error),
            VG_OBJECT_EXISTS);
        assert_non_null(strstr(error.message, rows[i].words));
        vg_directory_change_dispose(&change);
    }
}

/* Two that were prepared before either was committed: the store lets one in. */
static void test_directory_change__of_two_at_once_one_wins(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    static const struct {
        const char *name;
        int64_t ids[2];
        const char *short_names[2];
    } rows[] = {
        { "one name", { 1, 2 }, { "acme", "ACME" } },
        { "one id", { 3, 3 }, { "three", "drei" } },
        { "both", { 4, 4 }, { "four", "four" } },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_directory_change changes[2];
        for (size_t k = 0; k < 2; k++) {
            char name[16];
            (void)snprintf(name, sizeof(name), "%s", rows[i].short_names[k]);
            assert_int_equal(prepare_customer(fixture, rows[i].ids[k], name, &changes[k]), VG_OK);
        }
        assert_int_equal(vg_directory_fixture_commit(fixture, &changes[0]), VG_OK);
        enum vg_reason second = vg_directory_fixture_commit(fixture, &changes[1]);
        if (second != VG_STORE_CONFLICT) {
            fail_msg("%s: %s", rows[i].name, vg_reason_row(second)->name);
        }
    }
    vg_directory_fixture_reload(fixture);
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
    assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER), VG_ARRAY_COUNT(rows));
    vg_directory_snapshot_unref(snapshot);
}

static void test_directory_change__a_user_and_a_group_cannot_get_one_id(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    struct vg_directory_change user;
    struct vg_directory_change group;
    char name[] = "same"; /* names of users and groups are apart */
    assert_int_equal(prepare_subject(fixture, VG_DIRECTORY_USER, name, &user), VG_OK);
    assert_int_equal(prepare_subject(fixture, VG_DIRECTORY_GROUP, name, &group), VG_OK);
    assert_int_equal(vg_directory_fixture_commit(fixture, &group), VG_OK);
    assert_int_equal(vg_directory_fixture_commit(fixture, &user), VG_STORE_CONFLICT);
}

static void test_directory_change__a_new_domain_is_made_once(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    static const struct {
        const char *name;
        int32_t ids[2];
        const char *domains[2];
        enum vg_reason second;
    } rows[] = {
        { "one name", { 2, 3 }, { "example.com", "EXAMPLE.com" }, VG_STORE_CONFLICT },
        { "one id", { 4, 4 }, { "a.example", "b.example" }, VG_STORE_CONFLICT },
        { "two domains", { 5, 6 }, { "c.example", "d.example" }, VG_OK },
    };
    int64_t id = 1;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_directory_change changes[2];
        for (size_t k = 0; k < 2; k++) {
            char name[8] = "c0";
            name[1] = (char)('0' + id);
            assert_int_equal(prepare_customer(fixture, id++, name, &changes[k]), VG_OK);
            vg_directory_change_reserve_domain(
                &changes[k],
                rows[i].ids[k],
                vg_bytes_text(rows[i].domains[k]));
        }
        assert_int_equal(vg_directory_fixture_commit(fixture, &changes[0]), VG_OK);
        enum vg_reason second = vg_directory_fixture_commit(fixture, &changes[1]);
        if (second != rows[i].second) {
            fail_msg("%s: %s", rows[i].name, vg_reason_row(second)->name);
        }
    }
}

static void test_directory_change__names_longer_than_a_store_key_are_kept(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    static char names[2][1025];
    for (size_t i = 0; i < 2; i++) {
        memset(names[i], 'x', 1024);
        names[i][1023] = (char)('a' + i); /* they differ at the very end */
        Vigil__Record__V1__Signature record = VIGIL__RECORD__V1__SIGNATURE__INIT;
        record.name = names[i];
        assert_int_equal(
            vg_directory_fixture_add(fixture, VG_DIRECTORY_SIGNATURE, &record.base),
            VG_OK);
        assert_int_equal(
            vg_directory_fixture_add(fixture, VG_DIRECTORY_SIGNATURE, &record.base),
            VG_OBJECT_EXISTS);
    }
    vg_directory_fixture_reload(fixture);
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(fixture->directory);
    assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_SIGNATURE), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(
            vg_directory_signature(snapshot, vg_bytes_text(names[i]))->name,
            names[i]);
    }
    vg_directory_snapshot_unref(snapshot);
}

static void test_directory_change__signatures_compare_with_case(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    char upper[] = "ET SCAN";
    char lower[] = "et scan";
    Vigil__Record__V1__Signature record = VIGIL__RECORD__V1__SIGNATURE__INIT;
    record.name = upper;
    assert_int_equal(
        vg_directory_fixture_add(fixture, VG_DIRECTORY_SIGNATURE, &record.base),
        VG_OK);
    record.name = lower;
    assert_int_equal(
        vg_directory_fixture_add(fixture, VG_DIRECTORY_SIGNATURE, &record.base),
        VG_OK);
}

static enum vg_reason read_user(
    struct vg_directory_fixture *fixture,
    struct vg_arena *arena,
    struct vg_directory_record *record)
{
    return vg_directory_record_read(
        fixture->directory,
        &(struct vg_directory_name){ .kind = VG_DIRECTORY_USER, .id = 5 },
        arena,
        record,
        NULL);
}

static void disable(struct vg_directory_record *record)
{
    Vigil__Record__V1__User *user = (Vigil__Record__V1__User *)record->message;
    user->has_disabled = true;
    user->disabled = true;
}

static void test_directory_change__a_record_is_replaced_in_place(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_directory_record record;
    assert_int_equal(read_user(fixture, &arena, &record), VG_OBJECT_NOT_FOUND);
    vg_directory_fixture_user(fixture, 5, "Jane", 1);
    const struct vg_directory_snapshot *before = vg_directory_snapshot(fixture->directory);
    assert_int_equal(read_user(fixture, &arena, &record), VG_OK);
    disable(&record);
    struct vg_directory_change change;
    assert_int_equal(
        vg_directory_change_replace(&change, fixture->directory, VG_DIRECTORY_USER, &record, NULL),
        VG_OK);
    assert_int_equal(vg_directory_fixture_commit(fixture, &change), VG_OK);
    for (int round = 0; round < 2; round++) {
        const struct vg_directory_snapshot *after = vg_directory_snapshot(fixture->directory);
        assert_int_equal(vg_directory_count(after, VG_DIRECTORY_USER), 1);
        assert_true(vg_directory_user(after, 5)->disabled);
        assert_true(vg_directory_user_named(after, vg_bytes_text("jane"))->disabled);
        vg_directory_snapshot_unref(after);
        if (round == 0) {
            assert_false(vg_directory_user(before, 5)->disabled);
            vg_directory_snapshot_unref(before);
            vg_directory_fixture_reload(fixture);
        }
    }
    vg_arena_dispose(&arena);
}

static void test_directory_change__of_two_replacements_at_once_one_wins(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    vg_directory_fixture_user(fixture, 5, "Jane", 1);
    struct vg_directory_change changes[2];
    for (size_t i = 0; i < 2; i++) {
        struct vg_directory_record record;
        assert_int_equal(read_user(fixture, &arena, &record), VG_OK);
        disable(&record);
        ((Vigil__Record__V1__User *)record.message)->has_last_updated_timestamp = true;
        ((Vigil__Record__V1__User *)record.message)->last_updated_timestamp = (int64_t)i;
        assert_int_equal(
            vg_directory_change_replace(
                &changes[i],
                fixture->directory,
                VG_DIRECTORY_USER,
                &record,
                NULL),
            VG_OK);
    }
    assert_int_equal(vg_directory_fixture_commit(fixture, &changes[0]), VG_OK);
    assert_int_equal(vg_directory_fixture_commit(fixture, &changes[1]), VG_STORE_CONFLICT);
    vg_arena_dispose(&arena);
}

/* What a newer program has stored in a record survives an edit by this one. */
static void test_directory_change__unknown_fields_are_kept(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    uint8_t data[] = { 4, 'n', 'e', 'w', '!' };
    ProtobufCMessageUnknownField unknown = { .tag = 90,
                                             .wire_type = 2,
                                             .len = sizeof(data),
                                             .data = data };
    char name[] = "jane";
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 5;
    user.short_name = name;
    user.base.n_unknown_fields = 1;
    user.base.unknown_fields = &unknown;
    assert_int_equal(vg_directory_fixture_add(fixture, VG_DIRECTORY_USER, &user.base), VG_OK);
    for (int round = 0; round < 2; round++) {
        struct vg_directory_record record;
        assert_int_equal(read_user(fixture, &arena, &record), VG_OK);
        assert_int_equal(record.message->n_unknown_fields, 1);
        assert_int_equal(record.message->unknown_fields[0].tag, 90);
        assert_int_equal(record.message->unknown_fields[0].len, sizeof(data));
        assert_memory_equal(record.message->unknown_fields[0].data, data, sizeof(data));
        if (round == 0) {
            struct vg_directory_change change;
            disable(&record);
            assert_int_equal(
                vg_directory_change_replace(
                    &change,
                    fixture->directory,
                    VG_DIRECTORY_USER,
                    &record,
                    NULL),
                VG_OK);
            assert_int_equal(vg_directory_fixture_commit(fixture, &change), VG_OK);
        }
    }
    vg_arena_dispose(&arena);
}

static void test_directory_change__a_record_that_could_not_be_read_back_is_not_stored(void **state)
{
    struct vg_directory_fixture *fixture = *state;
    char name[] = "jane";
    char zone[] = "Mars/Base";
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 5;
    user.short_name = name;
    user.time_zone = zone;
    assert_int_equal(
        vg_directory_fixture_add(fixture, VG_DIRECTORY_USER, &user.base),
        VG_STORE_CORRUPT);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_directory_change__##name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_taken_is_refused),
        TEST(the_error_says_what_is_taken),
        TEST(of_two_at_once_one_wins),
        TEST(a_user_and_a_group_cannot_get_one_id),
        TEST(a_new_domain_is_made_once),
        TEST(names_longer_than_a_store_key_are_kept),
        TEST(signatures_compare_with_case),
        TEST(a_record_is_replaced_in_place),
        TEST(of_two_replacements_at_once_one_wins),
        TEST(unknown_fields_are_kept),
        TEST(a_record_that_could_not_be_read_back_is_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
