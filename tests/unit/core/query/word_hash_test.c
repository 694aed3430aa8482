/* Hashes of words: all at once they are those of the tokenizer's words one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/query/tokenizer.h"
#include "core/query/word_hash.h"

#define ROOM 4096u

static const uint8_t secret[16] = "fifteen letters";

static void expect_same(struct vg_bytes text)
{
    static uint64_t hashes[ROOM];
    struct vg_word_key key = vg_word_key(secret);
    struct vg_tokenizer tokenizer;
    struct vg_bytes word;
    /* At its exact size, so that reading past the end is seen. */
    uint8_t *exact = malloc(text.size + 1);
    assert_non_null(exact);
    memcpy(exact, text.data, text.size);
    struct vg_bytes copy = vg_bytes(exact, text.size);
    uint32_t count = vg_word_hashes(&key, copy, hashes, ROOM);
    uint32_t met = 0;
    vg_tokenizer_init(&tokenizer, copy);
    while (vg_tokenizer_next(&tokenizer, &word)) {
        assert_true(met < count);
        assert_true(hashes[met++] == vg_word_hash(&key, word));
    }
    assert_int_equal(met, count);
    /* With less room: the same, up to there. */
    for (uint32_t room = 0; room < count; room += 1 + count / 5) {
        uint64_t some[ROOM];
        assert_int_equal(vg_word_hashes(&key, copy, some, room), room);
        assert_memory_equal(some, hashes, room * sizeof(some[0]));
    }
    free(exact);
}

static void test_word_hash__each_byte_alone_and_between(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t text[] = { (uint8_t)byte, 'a', (uint8_t)byte, 'Z', (uint8_t)byte, (uint8_t)byte };
        expect_same(vg_bytes(text, 1));
        expect_same(vg_bytes(text, sizeof(text)));
    }
}

static void test_word_hash__texts_of_every_length(void **state)
{
    (void)state;
    static uint8_t text[1030];
    uint32_t random = 1;
    for (size_t size = 0; size <= sizeof(text); size++) {
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525u + 1013904223u;
            text[i] = (uint8_t)(random >> 24) & 0x7F;
        }
        expect_same(vg_bytes(text, size));
    }
    memset(text, 'x', sizeof(text)); /* one word over all of the bitmap */
    for (size_t size = 0; size <= sizeof(text); size++) {
        expect_same(vg_bytes(text, size));
    }
}

static void test_word_hash__what_is_not_ascii(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Stra\xC3\x9F"
        "e-42 \xC3\x86rlig",
        "\xCE\xA3\xCE\xAF\xCF\x83\xCF\x85\xCF\x86\xCE\xBF\xCF\x82",
        "broken \xFF\xFE utf-8 \xC3",
        "a long text of ASCII only, of more than sixty-four bytes, with one letter \xC3\xA5 at the "
        "end",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_same(vg_bytes_text(texts[i]));
    }
}

static uint64_t hash_of(const uint8_t bytes[16], const char *word)
{
    struct vg_word_key key = vg_word_key(bytes);
    return vg_word_hash(&key, vg_bytes_text(word));
}

/* Lower case letters by size, content and secret. */
static void test_word_hash__tells_words_apart(void **state)
{
    (void)state;
    uint8_t other[16];
    memcpy(other, secret, sizeof(other));
    other[15] ^= 1;
    assert_true(hash_of(secret, "word") == hash_of(secret, "word"));
    assert_true(hash_of(secret, "word") != hash_of(other, "word"));
    assert_true(hash_of(secret, "words") != hash_of(secret, "word"));
    assert_true(hash_of(secret, "abcdefgh") != hash_of(secret, "abcdefghi"));
    assert_true(hash_of(secret, "aaaaaaaabbbbbbbb") != hash_of(secret, "bbbbbbbbaaaaaaaa"));
    /* Ten thousand numbers share few of the 26 bits that are kept: 0.7 pairs are expected. */
    static uint8_t seen[1u << 23];
    struct vg_word_key key = vg_word_key(secret);
    uint32_t repeated = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        char digits[5] = { (char)('0' + i / 1000),
                           (char)('0' + i / 100 % 10),
                           (char)('0' + i / 10 % 10),
                           (char)('0' + i % 10),
                           0 };
        uint32_t kept = (uint32_t)(vg_word_hash(&key, vg_bytes_text(digits)) >> 38);
        repeated += seen[kept / 8] >> kept % 8 & 1;
        seen[kept / 8] |= (uint8_t)(1u << kept % 8);
    }
    assert_true(repeated < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word_hash__each_byte_alone_and_between),
        cmocka_unit_test(test_word_hash__texts_of_every_length),
        cmocka_unit_test(test_word_hash__what_is_not_ascii),
        cmocka_unit_test(test_word_hash__tells_words_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
