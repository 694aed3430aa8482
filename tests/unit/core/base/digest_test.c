/* Digests against the vectors of their standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/digest.h"
#include "core/base/hex.h"

static const struct {
    const char *name;
    enum vg_digest_kind kind;
    const char *text;
    const char *digest;
} digest_cases[] = {
    // clang-format off
    { "sha256 empty", VG_DIGEST_KIND_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "sha256 abc", VG_DIGEST_KIND_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "sha256 two blocks", VG_DIGEST_KIND_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "sha512 abc", VG_DIGEST_KIND_SHA512, "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
    { "sha1 abc", VG_DIGEST_KIND_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { "md5 abc", VG_DIGEST_KIND_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
    // clang-format on
};

static void whole(enum vg_digest_kind kind, struct vg_bytes bytes, uint8_t *out)
{
    switch (kind) {
    case VG_DIGEST_KIND_SHA256:
        vg_digest_sha256(bytes, out);
        return;
    case VG_DIGEST_KIND_SHA512:
        vg_digest_sha512(bytes, out);
        return;
    case VG_DIGEST_KIND_SHA1:
        vg_digest_sha1(bytes, out);
        return;
    case VG_DIGEST_KIND_MD5:
        vg_digest_md5(bytes, out);
        return;
    }
}

static void test_digest__whole_and_in_parts_give_the_published_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(digest_cases); i++) {
        uint8_t out[VG_DIGEST_SIZE_MAX];
        char text[2 * VG_DIGEST_SIZE_MAX + 1];
        struct vg_bytes bytes = vg_bytes_text(digest_cases[i].text);
        size_t size = vg_digest_size(digest_cases[i].kind);
        whole(digest_cases[i].kind, bytes, out);
        vg_hex_encode(vg_bytes(out, size), text);
        assert_string_equal(text, digest_cases[i].digest);

        struct vg_digest *digest = vg_digest_create(digest_cases[i].kind);
        assert_non_null(digest);
        for (int round = 0; round < 2; round++) { /* the second: finish starts anew */
            for (size_t at = 0; at < bytes.size; at++) {
                vg_digest_add(digest, vg_bytes(bytes.data + at, 1));
            }
            vg_digest_finish(digest, out);
            vg_hex_encode(vg_bytes(out, size), text);
            assert_string_equal(text, digest_cases[i].digest);
        }
        vg_digest_destroy(digest);
    }
    vg_digest_destroy(NULL);
}

static void test_digest__a_million_bytes_in_parts(void **state)
{
    (void)state;
    uint8_t part[1000];
    memset(part, 'a', sizeof(part));
    struct vg_digest *digest = vg_digest_create(VG_DIGEST_KIND_SHA256);
    for (int i = 0; i < 1000; i++) {
        vg_digest_add(digest, vg_bytes(part, sizeof(part)));
    }
    uint8_t out[VG_SHA256_SIZE];
    char text[2 * VG_SHA256_SIZE + 1];
    vg_digest_finish(digest, out);
    vg_digest_destroy(digest);
    vg_hex_encode(vg_bytes(out, sizeof(out)), text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_digest__equal_sees_a_difference_in_each_byte(void **state)
{
    (void)state;
    uint8_t a[32] = { 0 };
    uint8_t b[32] = { 0 };
    assert_true(vg_digest_equal(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] = 1;
        assert_false(vg_digest_equal(a, b, sizeof(a)));
        b[i] = 0;
    }
    assert_true(vg_digest_equal(a, b, 0));
}

static void test_digest__siphash_gives_the_vectors_of_the_paper(void **state)
{
    (void)state;
    /* vectors.h of the reference implementation: key 00..0f, input 00, 00 01, ...; the first rows,
     * one around each word border, and the row printed in appendix A of the paper (15 bytes). */
    static const struct {
        size_t size;
        uint64_t hash;
    } cases[] = {
        { 0, UINT64_C(0x726fdb47dd0e0e31) },  { 1, UINT64_C(0x74f839c593dc67fd) },
        { 2, UINT64_C(0x0d6c8009d9a94f5a) },  { 3, UINT64_C(0x85676696d7fb7e2d) },
        { 7, UINT64_C(0xab0200f58b01d137) },  { 8, UINT64_C(0x93f5f5799a932462) },
        { 15, UINT64_C(0xa129ca6149be45e5) }, { 63, UINT64_C(0x958a324ceb064572) },
    };
    uint8_t key[16];
    uint8_t input[64];
    for (size_t i = 0; i < sizeof(input); i++) {
        input[i] = (uint8_t)i;
    }
    memcpy(key, input, sizeof(key));
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        assert_true(vg_siphash(key, vg_bytes(input, cases[i].size)) == cases[i].hash);
    }
    key[15] ^= 1;
    assert_false(vg_siphash(key, vg_bytes(input, 15)) == UINT64_C(0xa129ca6149be45e5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest__whole_and_in_parts_give_the_published_digests),
        cmocka_unit_test(test_digest__a_million_bytes_in_parts),
        cmocka_unit_test(test_digest__equal_sees_a_difference_in_each_byte),
        cmocka_unit_test(test_digest__siphash_gives_the_vectors_of_the_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
