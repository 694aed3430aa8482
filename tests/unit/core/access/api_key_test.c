#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/access/api_key.h"

static void test_api_key__what_is_made_can_be_read(void **state)
{
    (void)state;
    static const int64_t users[] = { 1, 42, INT64_MAX };
    struct vg_random_seeded seeded;
    vg_random_seeded_init(&seeded, 1);
    for (size_t i = 0; i < VG_ARRAY_COUNT(users); i++) {
        char text[VG_API_KEY_TEXT_SIZE];
        char id[VG_API_KEY_ID_SIZE + 1];
        uint8_t digest[VG_SHA256_SIZE];
        uint8_t again[VG_SHA256_SIZE];
        vg_api_key_make(&seeded.random, users[i], text, id, digest);
        struct vg_api_key_parts parts;
        assert_true(vg_api_key_parse(vg_bytes_text(text), &parts));
        assert_true(vg_bytes_equal(parts.key_id, vg_bytes_text(id)));
        assert_int_equal(parts.key_id.size, VG_API_KEY_ID_SIZE);
        assert_int_equal(parts.user_id, users[i]);
        assert_int_equal(parts.secret.size, VG_API_KEY_SECRET_SIZE);
        vg_digest_sha256(parts.secret, again);
        assert_memory_equal(again, digest, sizeof(digest));
    }
    vg_random_seeded_dispose(&seeded);
}

static void test_api_key__no_two_are_alike(void **state)
{
    (void)state;
    char first[VG_API_KEY_TEXT_SIZE];
    char second[VG_API_KEY_TEXT_SIZE];
    char id[VG_API_KEY_ID_SIZE + 1];
    uint8_t digest[VG_SHA256_SIZE];
    vg_api_key_make(vg_random_real(), 1, first, id, digest);
    vg_api_key_make(vg_random_real(), 1, second, id, digest);
    assert_string_not_equal(first, second);
    assert_memory_not_equal(first, second, VG_API_KEY_ID_SIZE);
    assert_string_not_equal(
        first + strlen(first) - VG_API_KEY_SECRET_SIZE,
        second + strlen(second) - VG_API_KEY_SECRET_SIZE);
}

static void test_api_key__forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool taken;
        const char *key_id;
        int64_t user_id;
        const char *secret;
    } rows[] = {
        { "abc/12/secret", true, "abc", 12, "secret" },
        { "abc/12/se/cr/et", true, "abc", 12, "se/cr/et" }, /* a secret may hold slashes */
        { "abc/12/", true, "abc", 12, "" },
        { "/12/secret", true, "", 12, "secret" },
        { "", false, NULL, 0, NULL },
        { "abc", false, NULL, 0, NULL },
        { "abc/12", false, NULL, 0, NULL },
        { "abc//secret", false, NULL, 0, NULL },
        { "abc/x/secret", false, NULL, 0, NULL },
        { "abc/ 12/secret", false, NULL, 0, NULL },
        { "abc/9223372036854775808/secret", false, NULL, 0, NULL },
        { "my/api/key", false, NULL, 0, NULL },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_api_key_parts parts = { .user_id = -7 };
        if (vg_api_key_parse(vg_bytes_text(rows[i].text), &parts) != rows[i].taken) {
            fail_msg("%s", rows[i].text);
        }
        if (!rows[i].taken) {
            assert_int_equal(parts.user_id, -7); /* left alone */
            continue;
        }
        assert_true(vg_bytes_equal(parts.key_id, vg_bytes_text(rows[i].key_id)));
        assert_int_equal(parts.user_id, rows[i].user_id);
        assert_true(vg_bytes_equal(parts.secret, vg_bytes_text(rows[i].secret)));
    }
}

static void test_api_key__longest_and_one_more(void **state)
{
    (void)state;
    static char text[VG_API_KEY_CREDENTIAL_MAX + 1];
    memset(text, 's', sizeof(text));
    memcpy(text, "id/1/", 5);
    struct vg_api_key_parts parts;
    assert_true(vg_api_key_parse(vg_bytes(text, VG_API_KEY_CREDENTIAL_MAX), &parts));
    assert_int_equal(parts.secret.size, VG_API_KEY_CREDENTIAL_MAX - 5);
    assert_false(vg_api_key_parse(vg_bytes(text, VG_API_KEY_CREDENTIAL_MAX + 1), &parts));
}

static void test_api_key__secrets_are_hidden_wherever_they_stand(void **state)
{
    (void)state;
#define SECRET "0123456789abcdef0123456789ABCDEF01234567"
#define STARS  "****************************************"
    static const struct {
        const char *text;
        const char *hidden;
    } rows[] = {
        { "", "" },
        { "/", "/" },
        { "7b1c90ee0a12/1/" SECRET, "7b1c90ee0a12/1/" STARS },
        { "/9223372036854775807/" SECRET, "/9223372036854775807/" STARS },
        { "{\"key\":\"a/42/" SECRET "\"}", "{\"key\":\"a/42/" STARS "\"}" },
        { "/admin/a%2F42%2f" SECRET "/revoke", "/admin/a%2F42%2f" STARS "/revoke" },
        { "a/1/" SECRET " b/2/" SECRET, "a/1/" STARS " b/2/" STARS },
        { "a/1/" SECRET "89", "a/1/" STARS "89" },
        { "a/1/0123456789abcdef0123456789abcdef0123456",
          "a/1/0123456789abcdef0123456789abcdef0123456" },
        { "a//" SECRET, "a//" SECRET },
        { "a/b/" SECRET, "a/b/" SECRET },
        { SECRET, SECRET },
        { "/1", "/1" },
        { "/1%2", "/1%2" },
        { "/1/", "/1/" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const size_t size = strlen(rows[i].text);
        uint8_t *text = malloc(size == 0 ? 1 : size); /* what is read behind it is found */
        assert_non_null(text);
        memcpy(text, rows[i].text, size);
        vg_api_key_hide(text, size);
        assert_memory_equal(text, rows[i].hidden, size);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_key__what_is_made_can_be_read),
        cmocka_unit_test(test_api_key__no_two_are_alike),
        cmocka_unit_test(test_api_key__forms),
        cmocka_unit_test(test_api_key__longest_and_one_more),
        cmocka_unit_test(test_api_key__secrets_are_hidden_wherever_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
