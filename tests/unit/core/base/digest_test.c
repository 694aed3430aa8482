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

static void test_digest__short_siphash_and_pairs(void **state)
{
    (void)state;
    /* SipHash-1-3 with the key and input of above; the first is known from other programs, all of
     * them, and those behind a first hash, were computed by another implementation. */
    static const struct {
        size_t size;
        uint64_t hash;
        uint64_t behind;
    } cases[] = {
        { 0, UINT64_C(0xabac0158050fc4dc), UINT64_C(0x32b275e2b985a453) },
        { 1, UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x45bfab5a3470dac9) },
        { 7, UINT64_C(0xd3927d989bb11140), UINT64_C(0xe5c3f153b467624d) },
        { 8, UINT64_C(0x369095118d299a8e), UINT64_C(0x4aef54fee2a62000) },
        { 9, UINT64_C(0x25a48eb36c063de4), UINT64_C(0xe4196428817a9021) },
        { 15, UINT64_C(0xd320d86d2a519956), UINT64_C(0x472bda1829be01fa) },
        { 63, UINT64_C(0x9d199062b7bbb3a8), UINT64_C(0xc922ee72e5d3bdf3) },
    };
    uint8_t key[16];
    uint8_t input[64];
    for (size_t i = 0; i < sizeof(input); i++) {
        input[i] = (uint8_t)i;
    }
    memcpy(key, input, sizeof(key));
    const uint64_t first = UINT64_C(0x0706050403020100);
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        struct vg_bytes bytes = vg_bytes(input, cases[i].size);
        assert_true(vg_siphash_short(key, bytes) == cases[i].hash);
        assert_true(vg_siphash_behind(key, first, bytes) == cases[i].behind);
        assert_false(vg_siphash_behind(key, first ^ 1, bytes) == cases[i].behind);
    }
    /* The bytes of the first hash in front of the text are another text. */
    assert_false(
        vg_siphash_short(key, vg_bytes(input, 15)) ==
        vg_siphash_behind(key, first, vg_bytes(input + 8, 7)));
    key[0] ^= 1;
    assert_false(vg_siphash_short(key, vg_bytes(input, 15)) == cases[5].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest__whole_and_in_parts_give_the_published_digests),
        cmocka_unit_test(test_digest__a_million_bytes_in_parts),
        cmocka_unit_test(test_digest__equal_sees_a_difference_in_each_byte),
        cmocka_unit_test(test_digest__siphash_gives_the_vectors_of_the_paper),
        cmocka_unit_test(test_digest__short_siphash_and_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
