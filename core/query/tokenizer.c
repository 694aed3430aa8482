#include "core/query/tokenizer.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unicode/uversion.h>

#include "core/base/utf8.h"

/* To be raised with every change of what is a word. */
#define RULES_VERSION 1u

/* Letters and digits of ASCII in lower case; 0 separates, and stands for all that is not ASCII. */
static const uint8_t fold_ascii[256] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6',
    ['7'] = '7', ['8'] = '8', ['9'] = '9', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
    ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
    ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
    ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f',
    ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm',
    ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

/* The folded form of the code point at `position`, which moves behind it; its size, 0 separates. */
static size_t fold_wide(struct vg_bytes text, size_t *position, uint8_t out_bytes[4])
{
    int64_t at = (int64_t)*position;
    UChar32 point;
    U8_NEXT(text.data, at, (int64_t)text.size, point);
    *position = (size_t)at;
    if (point < 0 || !u_isalnum(point)) {
        return 0;
    }
    return vg_utf8_encode((uint32_t)u_foldCase(point, U_FOLD_CASE_DEFAULT), out_bytes);
}

void vg_tokenizer_init(struct vg_tokenizer *tokenizer, struct vg_bytes text)
{
    tokenizer->text = text;
    tokenizer->position = 0;
}

bool vg_tokenizer_next(struct vg_tokenizer *tokenizer, struct vg_bytes *out_word)
{
    struct vg_bytes text = tokenizer->text;
    size_t position = tokenizer->position;
    size_t used = 0;
    while (position < text.size) {
        uint8_t byte = text.data[position];
        uint8_t folded = fold_ascii[byte];
        if (folded != 0 && used < sizeof(tokenizer->word)) {
            tokenizer->word[used++] = folded;
            position++;
            continue;
        }
        uint8_t wide[4];
        size_t size = folded != 0;
        if (byte < 0x80) {
            position++;
        } else {
            size = fold_wide(text, &position, wide);
        }
        if (size == 0 && used > 0) {
            break;
        }
        if (byte >= 0x80 && size <= sizeof(tokenizer->word) - used) {
            memcpy(tokenizer->word + used, wide, size);
            used += size;
        }
    }
    tokenizer->position = position;
    if (used == 0) {
        return false;
    }
    *out_word = vg_bytes(tokenizer->word, used);
    return true;
}

uint64_t vg_tokenizer_fingerprint(void)
{
    UVersionInfo unicode;
    u_getUnicodeVersion(unicode);
    uint64_t sum = RULES_VERSION;
    for (unsigned i = 0; i < U_MAX_VERSION_LENGTH; i++) {
        sum = sum << 8 | unicode[i];
    }
    return sum << 16 | (uint64_t)U_ICU_VERSION_MAJOR_NUM;
}
