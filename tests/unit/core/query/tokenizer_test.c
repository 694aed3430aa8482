/* Words of texts: where they are split, how they are folded, what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/letter.h"
#include "core/query/tokenizer.h"

/* The words of `text` with a bar behind each. */
static void join_words(struct vg_bytes text, char *out_words, size_t size)
{
    struct vg_tokenizer tokenizer;
    struct vg_bytes word;
    size_t used = 0;
    vg_tokenizer_init(&tokenizer, text);
    while (vg_tokenizer_next(&tokenizer, &word)) {
        assert_true(used + word.size + 2 < size);
        memcpy(out_words + used, word.data, word.size);
        used += word.size;
        out_words[used++] = '|';
    }
    assert_false(vg_tokenizer_next(&tokenizer, &word));
    out_words[used] = 0;
}

static void test_tokenizer__splits_and_folds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        { "", "" },
        { "word", "word|" },
        { "GET /index.html?a=1&B=2 HTTP/1.1", "get|index|html|a|1|b|2|http|1|1|" },
        { "  -- \t\n !\"#$%&'()*+,./:;<=>?@[\\]^_`{|}~\x7F ", "" },
        { "snake_case", "snake|case|" },
        { "az AZ 09 @[ `{ /:", "az|az|09|" },
        /* Letters and digits of other scripts, folded one by one. */
        { "BL\xC3\x85"
          "B\xC3\x86"
          "R-Sylte",
          "bl\xC3\xA5"
          "b\xC3\xA6r|sylte|" },
        { "Stra\xC3\x9F"
          "e 42",
          "stra\xC3\x9F"
          "e|42|" },
        { "\xD0\x9C\xD0\xBE\xD1\x81\xD0\xBA\xD0\xB2\xD0\xB0",
          "\xD0\xBC\xD0\xBE\xD1\x81\xD0\xBA"
          "\xD0\xB2\xD0\xB0|" },
        { "\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x80\x81\xE4\xBA\xAC",
          "\xE6\x9D\xB1\xE4\xBA\xAC|"
          "\xE4\xBA\xAC|" },
        { "\xF0\x90\x90\x80", "\xF0\x90\x90\xA8|" }, /* Deseret, four bytes */
        { "\xC8\xBA", "\xE2\xB1\xA5|" },             /* grows when folded */
        { "a\xC2\xA0"
          "b\xE2\x80\x93"
          "c\xF0\x9F\x98\x80"
          "d",
          "a|b|c|d|" },
        { "e\xCC\x81t", "e|t|" }, /* a combining mark separates */
        { "a\xFF"
          "b\xC3"
          "c\xED\xA0\x80"
          "d\xC0\xAF"
          "e\xC3",
          "a|b|c|d|e|" }, /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char words[256];
        join_words(vg_bytes_text(rows[i].text), words, sizeof(words));
        assert_string_equal(words, rows[i].words);
    }
    char words[16];
    join_words(vg_bytes("a\0b", 3), words, sizeof(words));
    assert_string_equal(words, "a|b|");
}

/* Folding a text that is folded changes nothing, for every code point. */
static void test_tokenizer__is_idempotent(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        if (point >= 0xD800 && point <= 0xDFFF) {
            continue;
        }
        uint8_t bytes[4];
        size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const uint8_t marks[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
        for (size_t i = 0; i < size; i++) {
            uint32_t part = point >> (6 * (size - 1 - i));
            bytes[i] = (uint8_t)(i == 0 ? part | marks[size] : (part & 0x3F) | 0x80);
        }
        struct vg_tokenizer first;
        struct vg_tokenizer second;
        struct vg_bytes once;
        struct vg_bytes twice;
        vg_tokenizer_init(&first, vg_bytes(bytes, size));
        if (vg_tokenizer_next(&first, &once)) {
            vg_tokenizer_init(&second, once);
            assert_true(vg_tokenizer_next(&second, &twice));
            assert_true(vg_bytes_equal(once, twice));
        }
    }
}

static void test_tokenizer__limit_of_a_word(void **state)
{
    (void)state;
    static uint8_t text[VG_TOKENIZER_WORD_MAX + 3];
    struct vg_tokenizer tokenizer;
    struct vg_bytes word;
    memset(text, 'X', sizeof(text));
    vg_tokenizer_init(&tokenizer, vg_bytes(text, VG_TOKENIZER_WORD_MAX));
    assert_true(vg_tokenizer_next(&tokenizer, &word));
    assert_int_equal(word.size, VG_TOKENIZER_WORD_MAX);
    text[sizeof(text) - 2] = ' ';
    vg_tokenizer_init(&tokenizer, vg_bytes(text, sizeof(text)));
    assert_true(vg_tokenizer_next(&tokenizer, &word));
    assert_int_equal(word.size, VG_TOKENIZER_WORD_MAX);
    assert_true(vg_tokenizer_next(&tokenizer, &word));
    assert_int_equal(word.size, 1);
    assert_false(vg_tokenizer_next(&tokenizer, &word));
}

static void test_tokenizer__fingerprint_holds_the_versions(void **state)
{
    (void)state;
    assert_int_equal(vg_tokenizer_fingerprint() >> 48, 1);
    assert_int_equal(vg_tokenizer_fingerprint() & 0xFFFFFFFFFFFF, vg_letter_version());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokenizer__splits_and_folds),
        cmocka_unit_test(test_tokenizer__is_idempotent),
        cmocka_unit_test(test_tokenizer__limit_of_a_word),
        cmocka_unit_test(test_tokenizer__fingerprint_holds_the_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
