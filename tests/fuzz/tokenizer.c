/* Any text has words that are UTF-8, are no longer than a word may be, and are their own words. */
#include "core/query/tokenizer.h"

#include <stddef.h>
#include <stdint.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_tokenizer words;
    struct vg_bytes word;
    size_t rest = size;
    vg_tokenizer_init(&words, vg_bytes(data, size));
    while (vg_tokenizer_next(&words, &word)) {
        VG_ASSERT(word.size > 0 && word.size <= VG_TOKENIZER_WORD_MAX);
        VG_ASSERT(vg_utf8_is_valid(word));
        VG_ASSERT(rest-- > 0); /* never more words than bytes */
        struct vg_tokenizer again;
        struct vg_bytes same;
        vg_tokenizer_init(&again, word);
        VG_ASSERT(vg_tokenizer_next(&again, &same) && vg_bytes_equal(word, same));
        VG_ASSERT(!vg_tokenizer_next(&again, &same));
    }
    return 0;
}
