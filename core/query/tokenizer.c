#include "core/query/tokenizer.h"

#include <string.h>

#include "core/base/letter.h"
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

/* The folded form of the character at `position`, which moves behind it; its size, 0 separates. */
static size_t fold_wide(struct vg_bytes text, size_t *position, uint8_t out_bytes[4])
{
    uint32_t folded = vg_letter_next(text, position);
    return folded == 0 ? 0 : vg_utf8_encode(folded, out_bytes);
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
    return (uint64_t)RULES_VERSION << 48 ^ vg_letter_version();
}
