#include "core/table/frequent_hashes.h"

#include <stdlib.h>
#include <string.h>

/* The sample: runs of pairs that stand together, so that it sees whole rows whatever their length.
 */
#define SAMPLE_RUNS  32u
#define SAMPLE_RUN   64u
#define SAMPLE_SIZE  (SAMPLE_RUNS * SAMPLE_RUN)
#define SAMPLE_OFTEN 8u /* a hash met so often is looked for */
#define SLOTS        256u
#define MARK_NOT_ONE UINT8_MAX

_Static_assert(VG_FREQUENT_HASHES_MAX <= SLOTS / 4, "chains of slots stay short");

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* The hashes that are often met in a sample of the pairs, rising. */
static void sample(const struct vg_hash_pairs *pairs, struct vg_frequent_hashes *frequent)
{
    uint64_t seen[SAMPLE_SIZE];
    uint32_t stride = (pairs->count - SAMPLE_RUN) / (SAMPLE_RUNS - 1);
    for (uint32_t run = 0; run < SAMPLE_RUNS; run++) {
        memcpy(
            seen + (size_t)run * SAMPLE_RUN,
            pairs->hashes + (size_t)run * stride,
            SAMPLE_RUN * sizeof(seen[0]));
    }
    qsort(seen, SAMPLE_SIZE, sizeof(seen[0]), compare_hashes);
    uint32_t first = 0;
    for (uint32_t i = 1; i <= SAMPLE_SIZE && frequent->count < VG_FREQUENT_HASHES_MAX; i++) {
        if (i < SAMPLE_SIZE && seen[i] == seen[first]) {
            continue;
        }
        if (i - first >= SAMPLE_OFTEN) {
            frequent->hashes[frequent->count++] = seen[first];
        }
        first = i;
    }
}

/* Of each hash its number; the lowest bits of keyed hashes spread evenly. */
static void fill_slots(const struct vg_frequent_hashes *frequent, uint8_t slots[SLOTS])
{
    memset(slots, MARK_NOT_ONE, SLOTS);
    for (uint32_t number = 0; number < frequent->count; number++) {
        uint32_t at = frequent->hashes[number] % SLOTS;
        while (slots[at] != MARK_NOT_ONE) {
            at = (at + 1) % SLOTS;
        }
        slots[at] = (uint8_t)number;
    }
}

static inline uint8_t find(
    const struct vg_frequent_hashes *frequent,
    const uint8_t slots[SLOTS],
    uint64_t hash)
{
    uint32_t at = hash % SLOTS;
    while (slots[at] != MARK_NOT_ONE && frequent->hashes[slots[at]] != hash) {
        at = (at + 1) % SLOTS;
    }
    return slots[at];
}

/* Pairs of frequent hashes become bits, the others move together. */
static void take_out(struct vg_frequent_hashes *frequent, struct vg_hash_pairs *pairs)
{
    uint8_t slots[SLOTS];
    uint32_t kept = 0;
    fill_slots(frequent, slots);
    for (uint32_t i = 0; i < pairs->count; i++) {
        const uint64_t hash = pairs->hashes[i];
        const uint16_t row = pairs->rows[i];
        const uint8_t number = find(frequent, slots, hash);
        if (number != MARK_NOT_ONE) {
            frequent->bitmaps[(size_t)number * frequent->words + row / 64] |= UINT64_C(1)
                                                                              << row % 64;
        } else {
            pairs->hashes[kept] = hash;
            pairs->rows[kept++] = row;
        }
    }
    pairs->count = kept;
}

static uint32_t count_rows(const uint64_t *bitmap, uint32_t words)
{
    uint32_t count = 0;
    for (uint32_t word = 0; word < words; word++) {
        count += (uint32_t)__builtin_popcountll(bitmap[word]);
    }
    return count;
}

/* There is room: these pairs have stood there. */
static void give_back(
    struct vg_hash_pairs *pairs,
    uint64_t hash,
    const uint64_t *bitmap,
    uint32_t words)
{
    for (uint32_t word = 0; word < words; word++) {
        for (uint64_t rest = bitmap[word]; rest != 0; rest &= rest - 1) {
            vg_hash_pairs_add(pairs, hash, (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(rest)));
        }
    }
}

/* What was frequent in the sample and is not in the whole goes back to the pairs. */
static void keep_frequent(
    struct vg_frequent_hashes *frequent,
    struct vg_hash_pairs *pairs,
    uint32_t rows_least)
{
    const uint32_t words = frequent->words;
    uint32_t kept = 0;
    for (uint32_t number = 0; number < frequent->count; number++) {
        const uint64_t *bitmap = vg_frequent_hashes_bitmap(frequent, number);
        if (count_rows(bitmap, words) < rows_least) {
            give_back(pairs, frequent->hashes[number], bitmap, words);
            continue;
        }
        if (kept != number) {
            memcpy(frequent->bitmaps + (size_t)kept * words, bitmap, words * sizeof(*bitmap));
            frequent->hashes[kept] = frequent->hashes[number];
        }
        kept++;
    }
    frequent->count = kept;
}

bool vg_frequent_hashes_take(
    struct vg_frequent_hashes *frequent,
    struct vg_hash_pairs *pairs,
    uint32_t rows,
    uint32_t rows_least)
{
    frequent->count = 0;
    frequent->words = (rows + 63) / 64;
    frequent->bitmaps = NULL;
    if (pairs->count < SAMPLE_SIZE) {
        return true;
    }
    sample(pairs, frequent);
    if (frequent->count == 0) {
        return true;
    }
    frequent->bitmaps = calloc((size_t)frequent->count * frequent->words, sizeof(uint64_t));
    if (frequent->bitmaps == NULL) {
        return false;
    }
    take_out(frequent, pairs);
    keep_frequent(frequent, pairs, rows_least);
    return true;
}

void vg_frequent_hashes_dispose(struct vg_frequent_hashes *frequent)
{
    free(frequent->bitmaps);
    frequent->bitmaps = NULL;
    frequent->count = 0;
}
