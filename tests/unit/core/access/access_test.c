#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/access/access.h"
#include "core/access/role.h"
#include "tests/support/directory_fixture.h"

#include "vigil/record/v1/directory.pb-c.h"

#define NOW    VG_DIRECTORY_FIXTURE_TIME
#define SECRET VG_DIRECTORY_FIXTURE_SECRET

enum { VIEWER = VIGIL__RECORD__V1__ROLE__ROLE_EVENT_VIEWER };

struct setting {
    struct vg_directory_fixture fixture;
    struct vg_access *access;
};

/* Customers 1 > 2 > 3 (4 beside 2), 9 apart; user 10 of 2, user 11 of 9 is disabled. */
static int open_setting(void **state)
{
    static struct setting setting;
    struct vg_directory_fixture *fixture = &setting.fixture;
    vg_directory_fixture_open(fixture);
    vg_directory_fixture_customer(fixture, 1, "top", 0);
    vg_directory_fixture_customer(fixture, 2, "middle", 1);
    vg_directory_fixture_customer(fixture, 3, "low", 2);
    vg_directory_fixture_customer(fixture, 4, "beside", 1);
    vg_directory_fixture_customer(fixture, 9, "apart", 0);
    vg_directory_fixture_user(fixture, 10, "jane", 2);
    char name[] = "gone";
    Vigil__Record__V1__User user = VIGIL__RECORD__V1__USER__INIT;
    user.has_id = true;
    user.id = 11;
    user.short_name = name;
    user.has_customer_id = true;
    user.customer_id = 9;
    user.has_disabled = true;
    user.disabled = true;
    assert_int_equal(vg_directory_fixture_add(fixture, VG_DIRECTORY_USER, &user.base), VG_OK);
    assert_int_equal(vg_access_create(fixture->directory, &setting.access, NULL), VG_OK);
    *state = &setting;
    return 0;
}

static int close_setting(void **state)
{
    struct setting *setting = *state;
    vg_access_destroy(setting->access);
    vg_directory_fixture_close(&setting->fixture);
    return 0;
}

static void add_key(struct setting *setting, const struct vg_fixture_key *key)
{
    vg_directory_fixture_key(&setting->fixture, key);
}

static enum vg_reason ask(
    struct setting *setting,
    const char *credential,
    const char *peer,
    vg_time now,
    const struct vg_principal **out_principal)
{
    struct vg_network network;
    assert_true(vg_network_parse(vg_bytes_text(peer), &network));
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason = vg_access_authenticate(
        setting->access,
        vg_bytes_text(credential),
        NULL,
        &network,
        now,
        out_principal,
        &error);
    assert_int_equal(error.reason, reason);
    return reason;
}

/* The certificate's names stand in `names`, separated by lines; it ends at NOW + 100. */
static enum vg_reason ask_certificate(
    struct setting *setting,
    const char *names,
    const char *credential,
    const char *peer,
    vg_time now,
    const struct vg_principal **out_principal)
{
    struct vg_network network;
    struct vg_peer_name list[4];
    size_t count = 0;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_true(vg_network_parse(vg_bytes_text(peer), &network));
    for (const char *at = names; *at != '\0';) {
        size_t size = strcspn(at, "\n");
        assert_true(vg_peer_name_parse(vg_bytes(at, size), &list[count++]));
        at += size + (at[size] == '\n' ? 1 : 0);
    }
    struct vg_peer_identity *identity = vg_peer_identity_create(list, count, NOW + 100);
    assert_non_null(identity);
    enum vg_reason reason = vg_access_authenticate(
        setting->access,
        credential == NULL ? vg_bytes(NULL, 0) : vg_bytes_text(credential),
        identity,
        &network,
        now,
        out_principal,
        &error);
    assert_int_equal(error.reason, reason);
    vg_peer_identity_unref(identity);
    return reason;
}

static const struct vg_principal *must_ask(struct setting *setting, const char *credential)
{
    const struct vg_principal *principal = NULL;
    assert_int_equal(ask(setting, credential, "192.0.2.1", NOW, &principal), VG_OK);
    return principal;
}

static void test_access__every_refusal(void **state)
{
    struct setting *setting = *state;
    add_key(setting, &(struct vg_fixture_key){ .id = "good", .user = 10, .role = VIEWER });
    add_key(setting, &(struct vg_fixture_key){ .id = "gone", .user = 11, .role = VIEWER });
    add_key(setting, &(struct vg_fixture_key){ .id = "none", .user = 99, .role = VIEWER });
    add_key(
        setting,
        &(struct vg_fixture_key){ .id = "past", .user = 10, .role = VIEWER, .revoked = NOW - 1 });
    add_key(
        setting,
        &(struct vg_fixture_key){ .id = "ends", .user = 10, .role = VIEWER, .expires = NOW + 10 });
    add_key(
        setting,
        &(struct vg_fixture_key){ .id = "from",
                                  .user = 10,
                                  .role = VIEWER,
                                  .expires = NOW + 10,
                                  .sources = { "10.0.0.0/8", "2001:db8::/32", "192.0.2.7" } });
    static const struct {
        const char *name;
        const char *credential;
        const char *peer;
        int64_t later;
        enum vg_reason reason;
    } rows[] = {
        { "nothing", "", "192.0.2.1", 0, VG_NOT_AUTHENTICATED },
        { "good", "good/10/" SECRET, "192.0.2.1", 0, VG_OK },
        { "no key", "my/api/key", "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "unknown", "bad/10/" SECRET, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "id in capitals", "GOOD/10/" SECRET, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "other user", "good/11/" SECRET, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "no secret", "good/10/", "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "more secret", "good/10/" SECRET "0", "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "disabled user", "gone/11/" SECRET, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "no such user", "none/99/" SECRET, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "revoked", "past/10/" SECRET, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED },
        { "before its end", "ends/10/" SECRET, "192.0.2.1", 9, VG_OK },
        { "at its end", "ends/10/" SECRET, "192.0.2.1", 10, VG_KEY_EXPIRED },
        { "past its end", "ends/10/" SECRET, "192.0.2.1", 11, VG_KEY_EXPIRED },
        { "ended, but not proved", "ends/10/x", "192.0.2.1", 11, VG_AUTHENTICATION_FAILED },
        { "from a network", "from/10/" SECRET, "10.255.0.1", 0, VG_OK },
        { "from an address", "from/10/" SECRET, "192.0.2.7", 0, VG_OK },
        { "from a network of IPv6", "from/10/" SECRET, "2001:db8:1::5", 0, VG_OK },
        { "from elsewhere", "from/10/" SECRET, "192.0.2.8", 0, VG_KEY_SOURCE_REFUSED },
        { "from another IPv6", "from/10/" SECRET, "2001:db9::1", 0, VG_KEY_SOURCE_REFUSED },
        { "elsewhere, ended", "from/10/" SECRET, "192.0.2.8", 10, VG_KEY_EXPIRED },
        { "elsewhere, not proved", "from/10/x", "192.0.2.8", 0, VG_AUTHENTICATION_FAILED },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const struct vg_principal *principal = NULL;
        enum vg_reason reason =
            ask(setting, rows[i].credential, rows[i].peer, NOW + rows[i].later, &principal);
        if (reason != rows[i].reason) {
            fail_msg("%s: %s", rows[i].name, vg_reason_row(reason)->name);
        }
        assert_int_equal(principal != NULL, reason == VG_OK); /* untouched on failure */
        vg_principal_unref(principal);
    }
}

static const struct vg_fixture_key certificate_keys[] = {
    { .id = "own", .user = 10, .role = VIEWER },
    { .id = "DNS:host.example",
      .user = 10,
      .role = VIEWER,
      .is_certificate = true,
      .customers = { 3 },
      .sources = { "192.0.2.0/24" },
      .expires = NOW + 50 },
    { .id = "URI:long", .user = 10, .role = VIEWER, .is_certificate = true },
    { .id = "CN:gone", .user = 11, .role = VIEWER, .is_certificate = true },
    { .id = "CN:past", .user = 10, .role = VIEWER, .is_certificate = true, .revoked = NOW - 1 },
    { .id = "CN:secret", .user = 10, .role = VIEWER },
};

static const struct {
    const char *name;
    const char *names;
    const char *credential; /* NULL = none */
    const char *peer;
    int64_t later;
    enum vg_reason reason;
    const char *key;
} certificate_rows[] = {
    { "its name", "DNS:host.example", NULL, "192.0.2.1", 0, VG_OK, "DNS:host.example" },
    { "one of its names",
      "URI:x\nDNS:host.example",
      NULL,
      "192.0.2.1",
      0,
      VG_OK,
      "DNS:host.example" },
    { "the first decides", "URI:long\nDNS:host.example", NULL, "192.0.2.1", 0, VG_OK, "URI:long" },
    { "also when it is revoked",
      "CN:past\nDNS:host.example",
      NULL,
      "192.0.2.1",
      0,
      VG_AUTHENTICATION_FAILED,
      NULL },
    { "no name", "", NULL, "192.0.2.1", 0, VG_NOT_AUTHENTICATED, NULL },
    { "another name", "DNS:other.example", NULL, "192.0.2.1", 0, VG_NOT_AUTHENTICATED, NULL },
    { "the same of another kind",
      "CN:host.example",
      NULL,
      "192.0.2.1",
      0,
      VG_NOT_AUTHENTICATED,
      NULL },
    { "disabled user", "CN:gone", NULL, "192.0.2.1", 0, VG_AUTHENTICATION_FAILED, NULL },
    { "from elsewhere", "DNS:host.example", NULL, "198.51.100.1", 0, VG_KEY_SOURCE_REFUSED, NULL },
    { "at the end of the key", "DNS:host.example", NULL, "192.0.2.1", 50, VG_KEY_EXPIRED, NULL },
    { "before the certificate's", "URI:long", NULL, "192.0.2.1", 99, VG_OK, "URI:long" },
    { "at the end of the certificate",
      "URI:long",
      NULL,
      "192.0.2.1",
      100,
      VG_AUTHENTICATION_FAILED,
      NULL },
    { "a key decides", "DNS:host.example", "own/10/" SECRET, "192.0.2.1", 0, VG_OK, "own" },
    { "a bad one too",
      "DNS:host.example",
      "own/10/x",
      "192.0.2.1",
      0,
      VG_AUTHENTICATION_FAILED,
      NULL },
    { "its id is no credential",
      "DNS:x",
      "DNS:host.example/10/" SECRET,
      "192.0.2.1",
      0,
      VG_AUTHENTICATION_FAILED,
      NULL },
    { "a key with a secret is not had by name",
      "CN:secret",
      NULL,
      "192.0.2.1",
      0,
      VG_NOT_AUTHENTICATED,
      NULL },
};

static void test_access__a_certificate_stands_for_a_key(void **state)
{
    struct setting *setting = *state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(certificate_keys); i++) {
        add_key(setting, &certificate_keys[i]);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(certificate_rows); i++) {
        const struct vg_principal *principal = NULL;
        enum vg_reason reason = ask_certificate(
            setting,
            certificate_rows[i].names,
            certificate_rows[i].credential,
            certificate_rows[i].peer,
            NOW + certificate_rows[i].later,
            &principal);
        if (reason != certificate_rows[i].reason) {
            fail_msg("%s: %s", certificate_rows[i].name, vg_reason_row(reason)->name);
        }
        if (reason == VG_OK) {
            assert_string_equal(principal->key_id, certificate_rows[i].key);
        }
        vg_principal_unref(principal);
    }
}

/* One wrong character anywhere is as wrong as all of them. */
static void test_access__every_character_of_the_secret_counts(void **state)
{
    struct setting *setting = *state;
    add_key(setting, &(struct vg_fixture_key){ .id = "good", .user = 10, .role = VIEWER });
    char credential[] = "good/10/" SECRET;
    for (size_t i = sizeof("good/10/") - 1; credential[i] != '\0'; i++) {
        char right = credential[i];
        credential[i] = right == 'x' ? 'y' : 'x';
        const struct vg_principal *principal = NULL;
        assert_int_equal(
            ask(setting, credential, "192.0.2.1", NOW, &principal),
            VG_AUTHENTICATION_FAILED);
        credential[i] = right;
    }
}

static void test_access__a_key_covers_customers_and_those_below(void **state)
{
    struct setting *setting = *state;
    static const struct {
        struct vg_fixture_key key;
        const char *credential;
        const char *covered; /* of 1, 2, 3, 4, 9 */
    } rows[] = {
        { { .id = "own", .user = 10 }, "own/10/" SECRET, "23" },
        { { .id = "low", .user = 10, .customers = { 3 } }, "low/10/" SECRET, "3" },
        { { .id = "top", .user = 10, .customers = { 1 } }, "top/10/" SECRET, "1234" },
        { { .id = "two", .user = 10, .customers = { 9, 4 } }, "two/10/" SECRET, "49" },
        { { .id = "all", .user = 10, .all_customers = true }, "all/10/" SECRET, "12349" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_fixture_key key = rows[i].key;
        key.role = VIEWER;
        add_key(setting, &key);
        const struct vg_principal *principal = must_ask(setting, rows[i].credential);
        char covered[8] = "";
        size_t size = 0;
        for (int64_t id = 1; id <= 9; id++) {
            if (id <= 4 || id == 9) {
                covered[size] = (char)('0' + id);
                size += vg_principal_covers(principal, id) ? 1 : 0;
            }
        }
        covered[size] = '\0';
        assert_string_equal(covered, rows[i].covered);
        assert_int_equal(vg_principal_covers(principal, 1234), principal->all_customers);
        vg_principal_unref(principal);
    }
}

static void test_access__a_new_sub_customer_is_covered_at_once(void **state)
{
    struct setting *setting = *state;
    add_key(setting, &(struct vg_fixture_key){ .id = "own", .user = 10, .role = VIEWER });
    const struct vg_principal *before = must_ask(setting, "own/10/" SECRET);
    const struct vg_principal *again = must_ask(setting, "own/10/" SECRET);
    assert_ptr_equal(before, again); /* kept while the directory is the same */
    vg_directory_fixture_customer(&setting->fixture, 5, "new", 3);
    const struct vg_principal *after = must_ask(setting, "own/10/" SECRET);
    assert_false(vg_principal_covers(before, 5));
    assert_true(vg_principal_covers(after, 5));
    vg_principal_unref(before);
    vg_principal_unref(again);
    vg_principal_unref(after);
}

/* Nothing takes a customer from a key but a change of its record: whoever asks again, as a watch
 * does before it tells anything, is covered no more. */
static void test_access__a_customer_that_is_taken_away_is_covered_no_more(void **state)
{
    struct setting *setting = *state;
    add_key(
        setting,
        &(struct vg_fixture_key){ .id = "two", .user = 10, .role = VIEWER, .customers = { 9, 4 } });
    const struct vg_principal *before = must_ask(setting, "two/10/" SECRET);
    struct vg_directory_record record;
    struct vg_directory_change change;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    assert_int_equal(
        vg_directory_record_read(
            setting->fixture.directory,
            &(struct vg_directory_name){ .kind = VG_DIRECTORY_KEY, .name = vg_bytes_text("two") },
            &arena,
            &record,
            NULL),
        VG_OK);
    Vigil__Record__V1__ApiKey *key = (Vigil__Record__V1__ApiKey *)record.message;
    assert_int_equal(key->n_customer_ids, 2);
    assert_int_equal(key->customer_ids[0], 9);
    key->n_customer_ids = 1;
    assert_int_equal(
        vg_directory_change_replace(
            &change,
            setting->fixture.directory,
            VG_DIRECTORY_KEY,
            &record,
            NULL),
        VG_OK);
    assert_int_equal(vg_directory_fixture_commit(&setting->fixture, &change), VG_OK);
    const struct vg_principal *after = must_ask(setting, "two/10/" SECRET);
    assert_true(vg_principal_covers(before, 4));
    assert_false(vg_principal_covers(after, 4));
    assert_true(vg_principal_covers(after, 9));
    vg_principal_unref(before);
    vg_principal_unref(after);
    vg_arena_dispose(&arena);
}

static void test_access__the_principal_says_who_calls(void **state)
{
    struct setting *setting = *state;
    add_key(
        setting,
        &(struct vg_fixture_key){ .id = "own", .user = 10, .role = VIEWER, .expires = NOW + 5 });
    const struct vg_principal *principal = must_ask(setting, "own/10/" SECRET);
    assert_int_equal(principal->user_id, 10);
    assert_string_equal(principal->user_name, "jane");
    assert_int_equal(principal->customer_id, 2);
    assert_string_equal(principal->key_id, "own");
    assert_int_equal(principal->roles, 1u << VIEWER);
    assert_int_equal(principal->functions, vg_role_functions(1u << VIEWER));
    assert_int_equal(principal->key_created, VG_DIRECTORY_FIXTURE_TIME);
    assert_int_equal(principal->key_expires, NOW + 5);
    assert_non_null(principal->zone);
    assert_true(vg_principal_has(principal, 0));
    assert_true(vg_principal_may(principal, principal->functions, 3));
    assert_false(vg_principal_may(principal, principal->functions, 4));
    assert_false(vg_principal_may(principal, ~principal->functions, 3));
    vg_principal_unref(principal);
}

/* More keys than the cache has places: they push each other out, and each stays itself. */
static void test_access__many_keys_do_not_mix(void **state)
{
    struct setting *setting = *state;
    enum { KEYS = 1500 };
    for (int i = 0; i < KEYS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "k%d", i);
        add_key(
            setting,
            &(struct vg_fixture_key){ .id = id,
                                      .user = 10,
                                      .role = VIEWER,
                                      .customers = { i % 2 == 0 ? 3 : 4 } });
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < KEYS; i++) {
            char credential[80];
            (void)snprintf(credential, sizeof(credential), "k%d/10/" SECRET, i);
            const struct vg_principal *principal = must_ask(setting, credential);
            assert_int_equal(vg_principal_covers(principal, 3), i % 2 == 0);
            assert_int_equal(vg_principal_covers(principal, 4), i % 2 != 0);
            vg_principal_unref(principal);
        }
    }
}

/* A loop among customers cannot be added, but a damaged store must not hang a request. */
static void test_access__a_loop_of_customers_ends(void **state)
{
    struct setting *setting = *state;
    vg_directory_fixture_customer(&setting->fixture, 20, "a", 21);
    vg_directory_fixture_customer(&setting->fixture, 21, "b", 20);
    add_key(
        setting,
        &(struct vg_fixture_key){ .id = "loop", .user = 10, .role = VIEWER, .customers = { 20 } });
    const struct vg_principal *principal = must_ask(setting, "loop/10/" SECRET);
    assert_true(vg_principal_covers(principal, 20));
    assert_true(vg_principal_covers(principal, 21));
    assert_false(vg_principal_covers(principal, 1));
    vg_principal_unref(principal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_access__##name, open_setting, close_setting)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_refusal),
        TEST(a_certificate_stands_for_a_key),
        TEST(every_character_of_the_secret_counts),
        TEST(a_key_covers_customers_and_those_below),
        TEST(a_new_sub_customer_is_covered_at_once),
        TEST(a_customer_that_is_taken_away_is_covered_no_more),
        TEST(the_principal_says_who_calls),
        TEST(many_keys_do_not_mix),
        TEST(a_loop_of_customers_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
