/* The four digests together are those computed one by one, however the bytes are split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/digest_set.h"
#include "core/base/hex.h"

static void test_digest_set__knows_the_vectors_of_abc(void **state)
{
    (void)state;
    struct vg_digest_set *set = vg_digest_set_create();
    struct vg_digests digests;
    char text[2 * VG_DIGEST_SIZE_MAX + 1];
    assert_non_null(set);
    vg_digest_set_add(set, vg_bytes_text("abc"), NULL);
    vg_digest_set_finish(set, &digests);
    vg_digest_set_destroy(set);
    vg_hex_encode(vg_bytes(digests.sha256, sizeof(digests.sha256)), text); /* FIPS 180-2 */
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    vg_hex_encode(vg_bytes(digests.sha1, sizeof(digests.sha1)), text);
    assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
    vg_hex_encode(vg_bytes(digests.md5, sizeof(digests.md5)), text); /* RFC 1321 */
    assert_string_equal(text, "900150983cd24fb0d6963f7d28e17f72");
    vg_hex_encode(vg_bytes(digests.sha512, sizeof(digests.sha512)), text);
    assert_memory_equal(text, "ddaf35a193617abacc417349ae204131", 32);
}

static void test_digest_set__does_not_depend_on_the_split(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 253);
    }
    uint8_t sha256[VG_SHA256_SIZE];
    uint8_t sha512[VG_SHA512_SIZE];
    vg_digest_sha256(vg_bytes(bytes, sizeof(bytes)), sha256);
    vg_digest_sha512(vg_bytes(bytes, sizeof(bytes)), sha512);
    const size_t parts[] = { 1, 63, 65535, 65536, sizeof(bytes) };
    struct vg_executor *helpers = NULL;
    assert_int_equal(vg_executor_create("test", 2, 4, &helpers, NULL), VG_OK);
    struct vg_digest_set *set = vg_digest_set_create();
    assert_non_null(set);
    for (size_t i = 0; i < 5; i++) {
        struct vg_digests digests;
        for (size_t at = 0; at < sizeof(bytes); at += parts[i]) {
            size_t left = sizeof(bytes) - at;
            vg_digest_set_add(
                set,
                vg_bytes(bytes + at, left < parts[i] ? left : parts[i]),
                helpers);
        }
        vg_digest_set_finish(set, &digests);
        assert_memory_equal(digests.sha256, sha256, sizeof(sha256));
        assert_memory_equal(digests.sha512, sha512, sizeof(sha512));
    }
    vg_digest_set_destroy(set);
    vg_digest_set_destroy(NULL);
    vg_executor_destroy(helpers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_set__knows_the_vectors_of_abc),
        cmocka_unit_test(test_digest_set__does_not_depend_on_the_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
