/* Substrings in blocks of folded texts, against a plain look at each text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/table/dictionary.h"
#include "core/table/folded_texts.h"

#define ENTRIES   9000u
#define TEXT_SIZE 40u

static uint64_t next(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *random >> 33;
}

struct texts {
    struct vg_folded_texts *folded;
    char (*plain)[TEXT_SIZE + 1]; /* by id */
    uint32_t sizes[ENTRIES + 1];
};

/* Few letters, so that needles are in many texts; some texts are empty. */
static void fill(struct texts *texts, unsigned letters, uint64_t seed)
{
    uint64_t random = seed;
    texts->folded = vg_folded_texts_create(ENTRIES, ENTRIES * TEXT_SIZE);
    texts->plain = calloc(ENTRIES + 1, sizeof(*texts->plain));
    assert_true(texts->folded != NULL && texts->plain != NULL);
    for (uint32_t id = 1; id <= ENTRIES; id++) {
        char written[TEXT_SIZE];
        texts->sizes[id] = (uint32_t)(next(&random) % TEXT_SIZE);
        for (uint32_t i = 0; i < texts->sizes[id]; i++) {
            unsigned letter = (unsigned)(next(&random) % letters);
            written[i] = (char)((next(&random) % 2 == 0 ? 'a' : 'A') + (int)letter);
            texts->plain[id][i] = (char)('a' + (int)letter);
        }
        assert_true(vg_folded_texts_add(texts->folded, id, vg_bytes(written, texts->sizes[id])));
    }
}

static void dispose(struct texts *texts)
{
    vg_folded_texts_destroy(texts->folded);
    free(texts->plain);
}

/* What `count` entries hold, by blocks and one by one. */
static void check_needle(const struct texts *texts, uint32_t count, struct vg_bytes needle)
{
    uint64_t bitmap[ENTRIES / 64 + 1] = { 0 };
    for (uint32_t id = 1; id <= count;) {
        uint32_t block = vg_folded_texts_block(texts->folded, id);
        vg_folded_texts_scan(texts->folded, block, count, needle, bitmap);
        id = vg_folded_texts_last(texts->folded, block, count) + 1;
    }
    for (uint32_t id = 1; id <= ENTRIES; id++) {
        bool holds = memmem(texts->plain[id], texts->sizes[id], needle.data, needle.size) != NULL;
        assert_int_equal(bitmap[id / 64] >> id % 64 & 1, id <= count && holds);
        assert_int_equal(vg_folded_texts_contains(texts->folded, id, needle), holds);
    }
}

static void test_folded_texts__find_what_each_text_holds(void **state)
{
    (void)state;
    static const char *const needles[] = { "a", "b", "ab", "ba", "aa", "abc", "bca", "aaaa", "z" };
    static const uint32_t counts[] = { 1, 2, 63, 64, 4095, 4096, 4097, ENTRIES - 1, ENTRIES };
    static const unsigned letters[] = { 1, 2, 3, 26 };
    for (size_t l = 0; l < VG_ARRAY_COUNT(letters); l++) {
        struct texts texts;
        fill(&texts, letters[l], 7 + l);
        assert_true(vg_folded_texts_block(texts.folded, ENTRIES) > 0); /* several blocks */
        for (size_t n = 0; n < VG_ARRAY_COUNT(needles); n++) {
            for (size_t c = 0; c < VG_ARRAY_COUNT(counts); c++) {
                check_needle(&texts, counts[c], vg_bytes_text(needles[n]));
            }
        }
        dispose(&texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folded_texts__find_what_each_text_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
