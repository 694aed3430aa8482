/*
 * Short texts of ASCII, which nearly all are, are folded eight or sixteen bytes at a time, and
 * where words begin and end is found in a bitmap; the tokenizer is asked about all others.
 */
#include "core/query/word_hash.h"

#include <endian.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/digest.h"
#include "core/query/tokenizer.h"

#define STEP          16u /* bytes of a word that are mixed in at a time */
#define TEXT_SIZE_MAX 1024u
#define MASK_BITS     64u
#define MASKS_MAX     (TEXT_SIZE_MAX / MASK_BITS + 1)

/* A byte in each of eight. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (uint64_t)(byte))
#define TOP_BITS   EACH(0x80)

struct word_map {
    uint64_t masks[MASKS_MAX]; /* a bit for each byte of a word; the last is 0 */
    uint8_t folded[TEXT_SIZE_MAX + STEP];
    uint32_t mask_count;
};

struct vg_word_key vg_word_key(const uint8_t secret[16])
{
    return (struct vg_word_key){
        .start = vg_siphash(secret, vg_bytes_text("words, start")),
        .factor = vg_siphash(secret, vg_bytes_text("words, factor")) | 1,
    };
}

/* ---- one word */

static inline uint64_t load(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

static inline uint64_t multiply_mix(uint64_t left, uint64_t right)
{
    unsigned __int128 product = (unsigned __int128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_step(
    const struct vg_word_key *key,
    uint64_t hash,
    uint64_t low,
    uint64_t high)
{
    return multiply_mix(low ^ hash, high ^ key->factor);
}

/* All of a word but its last bytes, 16 of them at most. */
static inline uint64_t hash_long(const struct vg_word_key *key, const uint8_t **word, size_t *size)
{
    uint64_t hash = key->start;
    for (; *size > STEP; *size -= STEP, *word += STEP) {
        hash = hash_step(key, hash, load(*word), load(*word + STEP / 2));
    }
    return hash;
}

static inline uint64_t hash_end(
    const struct vg_word_key *key,
    uint64_t hash,
    const uint8_t *last,
    size_t size)
{
    /* As many bytes of the sixteen are kept as the word has: no branch hangs on its size. */
    static const uint8_t kept[2 * STEP] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    const uint8_t *mask = kept + STEP - size;
    hash = hash_step(
        key,
        hash,
        load(last) & load(mask),
        load(last + STEP / 2) & load(mask + STEP / 2));
    return multiply_mix(hash ^ size, key->factor);
}

uint64_t vg_word_hash(const struct vg_word_key *key, struct vg_bytes word)
{
    const uint8_t *at = word.data;
    size_t size = word.size;
    uint64_t hash = hash_long(key, &at, &size);
    uint8_t last[STEP] = { 0 };
    if (size != 0) {
        memcpy(last, at, size);
    }
    return hash_end(key, hash, last, size);
}

/* Of a word behind which 16 bytes may be read. */
static inline uint64_t hash_padded(const struct vg_word_key *key, const uint8_t *word, size_t size)
{
    uint64_t hash = hash_long(key, &word, &size);
    return hash_end(key, hash, word, size);
}

/* ---- all words of a text */

/* For bytes below 0x80: the top bit of each that is at least `least`, below 0x80 too. */
static inline uint64_t at_least(uint64_t bytes, uint8_t least)
{
    return bytes + EACH(0x80u - least);
}

/* The top bit of each byte that is a letter (`lower`: in lower case) or a digit. */
static inline uint64_t word_bytes(uint64_t bytes, uint64_t lower)
{
    uint64_t letters = at_least(lower, 'a') & ~at_least(lower, 'z' + 1);
    uint64_t digits = at_least(bytes, '0') & ~at_least(bytes, '9' + 1);
    return (letters | digits) & TOP_BITS;
}

/* The top bits of eight bytes side by side, the first byte's lowest. */
static inline uint64_t gather(uint64_t top_bits)
{
    return (top_bits >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

#ifdef __SSE2__
/* Fold the sixteen bytes at `at` and mark which are of words; true when all are ASCII. Bytes may be
 * mapped twice. */
static inline bool map_block(struct vg_bytes text, size_t at, struct word_map *map)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text.data + at));
    __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* leaves digits as they are */
    _mm_storeu_si128((__m128i *)(void *)(map->folded + at), lower);
    __m128i letters = _mm_and_si128(
        _mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
        _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
    __m128i digits = _mm_and_si128(
        _mm_cmpgt_epi8(bytes, _mm_set1_epi8('0' - 1)),
        _mm_cmplt_epi8(bytes, _mm_set1_epi8('9' + 1)));
    uint64_t mask = (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(letters, digits));
    size_t shift = at % MASK_BITS;
    map->masks[at / MASK_BITS] |= mask << shift;
    if (shift > MASK_BITS - STEP) {
        map->masks[at / MASK_BITS + 1] |= mask >> (MASK_BITS - shift);
    }
    return _mm_movemask_epi8(bytes) == 0;
}

/* The same of a whole text of sixteen bytes and more; its last block may overlap the one before. */
static inline bool map_blocks(struct vg_bytes text, struct word_map *map)
{
    bool is_ascii = map_block(text, text.size - STEP, map);
    for (size_t at = 0; at + STEP < text.size; at += STEP) {
        is_ascii &= map_block(text, at, map);
    }
    return is_ascii;
}
#endif

/* False when there is more than ASCII in `text`, or too much of it. */
static bool map_words(struct vg_bytes text, struct word_map *map)
{
    if (text.size > TEXT_SIZE_MAX) {
        return false;
    }
    map->mask_count = (uint32_t)(text.size / MASK_BITS + 1);
    memset(map->masks, 0, map->mask_count * sizeof(map->masks[0]));
#ifdef __SSE2__
    if (text.size >= STEP) {
        return map_blocks(text, map);
    }
#endif
    uint64_t seen = 0;
    for (size_t i = 0; i < text.size; i += sizeof(uint64_t)) {
        uint64_t bytes = 0;
        if (text.size - i >= sizeof(bytes)) {
            memcpy(&bytes, text.data + i, sizeof(bytes));
        } else {
            memcpy(&bytes, text.data + i, text.size - i);
        }
        bytes = le64toh(bytes);
        seen |= bytes;
        uint64_t lower = bytes | EACH(0x20); /* leaves digits as they are */
        map->masks[i / MASK_BITS] |= gather(word_bytes(bytes, lower)) << i % MASK_BITS;
        lower = htole64(lower);
        memcpy(map->folded + i, &lower, sizeof(lower));
    }
    return (seen & TOP_BITS) == 0;
}

static uint32_t hash_mapped(
    const struct vg_word_key *key,
    const struct word_map *map,
    uint64_t *out_hashes,
    uint32_t room)
{
    uint32_t count = 0;
    uint32_t begin = 0;
    bool inside = false;
    uint64_t before = 0; /* the last bit of the mask before */
    for (uint32_t number = 0; number < map->mask_count; number++) {
        uint64_t mask = map->masks[number];
        uint64_t edges = mask ^ (mask << 1 | before);
        before = mask >> (MASK_BITS - 1);
        for (; edges != 0 && count < room; edges &= edges - 1) {
            uint32_t at = number * MASK_BITS + (uint32_t)__builtin_ctzll(edges);
            if (inside) {
                out_hashes[count++] = hash_padded(key, map->folded + begin, at - begin);
            }
            begin = at;
            inside = !inside;
        }
    }
    return count;
}

static uint32_t hash_each(
    const struct vg_word_key *key,
    struct vg_bytes text,
    uint64_t *out_hashes,
    uint32_t room)
{
    struct vg_tokenizer tokenizer;
    struct vg_bytes word;
    uint32_t count = 0;
    vg_tokenizer_init(&tokenizer, text);
    while (count < room && vg_tokenizer_next(&tokenizer, &word)) {
        out_hashes[count++] = vg_word_hash(key, word);
    }
    return count;
}

uint32_t vg_word_hashes(
    const struct vg_word_key *key,
    struct vg_bytes text,
    uint64_t *out_hashes,
    uint32_t room)
{
    struct word_map map;
    return map_words(text, &map) ? hash_mapped(key, &map, out_hashes, room)
                                 : hash_each(key, text, out_hashes, room);
}
