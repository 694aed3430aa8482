/*
 * A place is two bits and a number: a list begins there among the positions, a row is that one, a
 * bitmap has that number. A list is kept as long as it is not larger than a bitmap.
 *
 * Hashes that many rows have are taken out first (frequent_hashes.h). The other pairs are sorted by
 * radix: hashes are keyed and so evenly spread, and two passes over their 22 highest bits bring all
 * but a handful into order.
 */
#include "core/table/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/frequent_hashes.h"

#define PLACE_LIST   0u
#define PLACE_ROW    1u
#define PLACE_BITMAP 2u
#define PLACE_SHIFT  30u
#define PLACE_NUMBER ((UINT32_C(1) << PLACE_SHIFT) - 1)

#define RADIX_BITS   11u
#define RADIX_SIZE   (1u << RADIX_BITS)
#define RADIX_PASSES 2u
#define RADIX_SHIFT  (64u - RADIX_BITS * RADIX_PASSES)

/* The first words of a block; arrays of words, of 32 bits and of 16 bits follow. */
struct header {
    uint32_t rows;
    uint32_t hash_count;
    uint32_t position_count;
    uint32_t bitmap_count;
};
#define HEADER_WORDS (sizeof(struct header) / sizeof(uint64_t))

static uint32_t bitmap_words(uint32_t rows)
{
    return (rows + 63) / 64;
}

bool vg_hash_pairs_init(struct vg_hash_pairs *pairs, uint32_t capacity)
{
    *pairs = (struct vg_hash_pairs){ .capacity = capacity };
    pairs->hashes = malloc(((size_t)capacity + 1) * sizeof(*pairs->hashes));
    pairs->rows = malloc(((size_t)capacity + 1) * sizeof(*pairs->rows));
    if (pairs->hashes == NULL || pairs->rows == NULL) {
        vg_hash_pairs_dispose(pairs);
        return false;
    }
    return true;
}

bool vg_hash_pairs_reserve(struct vg_hash_pairs *pairs, uint32_t more)
{
    uint64_t wanted = (uint64_t)pairs->count + more;
    if (wanted <= pairs->capacity) {
        return true;
    }
    wanted += wanted / 2;
    if (wanted > UINT32_MAX) {
        return false;
    }
    uint64_t *hashes = realloc(pairs->hashes, (size_t)wanted * sizeof(*hashes));
    if (hashes == NULL) {
        return false;
    }
    pairs->hashes = hashes;
    uint16_t *rows = realloc(pairs->rows, (size_t)wanted * sizeof(*rows));
    if (rows == NULL) {
        return false;
    }
    pairs->rows = rows;
    pairs->capacity = (uint32_t)wanted;
    return true;
}

void vg_hash_pairs_dispose(struct vg_hash_pairs *pairs)
{
    free(pairs->hashes);
    free(pairs->rows);
    *pairs = (struct vg_hash_pairs){ 0 };
}

/* ---- making one */

static void radix_pass(
    const struct vg_hash_pairs *from,
    const struct vg_hash_pairs *to,
    unsigned shift)
{
    uint32_t starts[RADIX_SIZE] = { 0 };
    for (uint32_t i = 0; i < from->count; i++) {
        starts[from->hashes[i] >> shift & (RADIX_SIZE - 1)]++;
    }
    uint32_t sum = 0;
    for (uint32_t bucket = 0; bucket < RADIX_SIZE; bucket++) {
        uint32_t count = starts[bucket];
        starts[bucket] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t at = starts[from->hashes[i] >> shift & (RADIX_SIZE - 1)]++;
        to->hashes[at] = from->hashes[i];
        to->rows[at] = from->rows[i];
    }
}

struct pair {
    uint64_t hash;
    uint16_t row;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return (a->row > b->row) - (a->row < b->row);
}

/* A run up to here is sorted where it is. */
#define SHORT_RUN 24u

static void insert_run(struct vg_hash_pairs *pairs, uint32_t first, uint32_t end)
{
    for (uint32_t i = first + 1; i < end; i++) {
        uint64_t hash = pairs->hashes[i];
        uint16_t row = pairs->rows[i];
        uint32_t at = i;
        for (; at > first && (pairs->hashes[at - 1] > hash ||
                              (pairs->hashes[at - 1] == hash && pairs->rows[at - 1] > row));
             at--) {
            pairs->hashes[at] = pairs->hashes[at - 1];
            pairs->rows[at] = pairs->rows[at - 1];
        }
        pairs->hashes[at] = hash;
        pairs->rows[at] = row;
    }
}

/* All of one hash: its rows in order by a bitmap, which knows each once; the last fills what is
 * left over. */
static void mark_run(struct vg_hash_pairs *pairs, uint32_t first, uint32_t end)
{
    uint64_t bitmap[(UINT16_MAX + 1) / 64] = { 0 };
    for (uint32_t i = first; i < end; i++) {
        bitmap[pairs->rows[i] / 64] |= UINT64_C(1) << pairs->rows[i] % 64;
    }
    uint32_t at = first;
    for (uint32_t word = 0; word < VG_ARRAY_COUNT(bitmap); word++) {
        for (uint64_t rest = bitmap[word]; rest != 0; rest &= rest - 1) {
            pairs->rows[at++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(rest));
        }
    }
    for (; at < end; at++) {
        pairs->rows[at] = pairs->rows[at - 1];
    }
}

static bool has_one_hash(const struct vg_hash_pairs *pairs, uint32_t first, uint32_t end)
{
    uint64_t different = 0;
    for (uint32_t i = first; i < end; i++) {
        different |= pairs->hashes[i] ^ pairs->hashes[first];
    }
    return different == 0;
}

/* Order pairs `first` to `end`, whose hashes begin with the same bits. */
static bool sort_run(struct vg_hash_pairs *pairs, uint32_t first, uint32_t end)
{
    if (end - first <= SHORT_RUN) {
        insert_run(pairs, first, end);
        return true;
    }
    if (has_one_hash(pairs, first, end)) {
        mark_run(pairs, first, end);
        return true;
    }
    struct pair *run = malloc((size_t)(end - first) * sizeof(*run));
    if (run == NULL) {
        return false;
    }
    for (uint32_t i = first; i < end; i++) {
        run[i - first] = (struct pair){ .hash = pairs->hashes[i], .row = pairs->rows[i] };
    }
    qsort(run, end - first, sizeof(*run), compare_pairs);
    for (uint32_t i = first; i < end; i++) {
        pairs->hashes[i] = run[i - first].hash;
        pairs->rows[i] = run[i - first].row;
    }
    free(run);
    return true;
}

static bool is_in_order(const struct vg_hash_pairs *pairs, uint32_t at)
{
    return pairs->hashes[at - 1] < pairs->hashes[at] ||
           (pairs->hashes[at - 1] == pairs->hashes[at] && pairs->rows[at - 1] <= pairs->rows[at]);
}

/* By hash, then by row. */
static bool sort_pairs(struct vg_hash_pairs *pairs)
{
    struct vg_hash_pairs other;
    if (!vg_hash_pairs_init(&other, pairs->count)) {
        return false;
    }
    other.count = pairs->count;
    for (unsigned pass = 0; pass < RADIX_PASSES; pass++) {
        radix_pass(pairs, &other, RADIX_SHIFT + pass * RADIX_BITS);
        struct vg_hash_pairs swapped = *pairs;
        *pairs = other;
        other = swapped;
    }
    vg_hash_pairs_dispose(&other);
    bool sorted = true;
    for (uint32_t i = 1; i < pairs->count && sorted; i++) {
        if (is_in_order(pairs, i)) {
            continue;
        }
        uint64_t prefix = pairs->hashes[i] >> RADIX_SHIFT;
        uint32_t first = i;
        uint32_t end = i;
        while (first > 0 && pairs->hashes[first - 1] >> RADIX_SHIFT == prefix) {
            first--;
        }
        while (end < pairs->count && pairs->hashes[end] >> RADIX_SHIFT == prefix) {
            end++;
        }
        sorted = sort_run(pairs, first, end);
    }
    return sorted;
}

/* Leave each pair once. */
static void drop_repetitions(struct vg_hash_pairs *pairs)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (kept == 0 || pairs->hashes[i] != pairs->hashes[kept - 1] ||
            pairs->rows[i] != pairs->rows[kept - 1]) {
            pairs->hashes[kept] = pairs->hashes[i];
            pairs->rows[kept] = pairs->rows[i];
            kept++;
        }
    }
    pairs->count = kept;
}

/* Behind the last pair that has the hash of pair `first`. */
static uint32_t run_end(const struct vg_hash_pairs *pairs, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < pairs->count && pairs->hashes[end] == pairs->hashes[first]) {
        end++;
    }
    return end;
}

static unsigned kind_of(uint32_t count, uint32_t rows)
{
    if (count == 1) {
        return PLACE_ROW;
    }
    size_t list_bytes = ((size_t)count + 1) * sizeof(uint16_t);
    return list_bytes <= bitmap_words(rows) * sizeof(uint64_t) ? PLACE_LIST : PLACE_BITMAP;
}

/* So many rows of a hash are kept as a bitmap: see kind_of. */
static uint32_t bitmap_rows(uint32_t rows)
{
    return bitmap_words(rows) * (uint32_t)(sizeof(uint64_t) / sizeof(uint16_t));
}

static struct header count_parts(
    const struct vg_hash_pairs *pairs,
    const struct vg_frequent_hashes *frequent,
    uint32_t rows)
{
    struct header header = { .rows = rows,
                             .hash_count = frequent->count,
                             .bitmap_count = 1 + frequent->count };
    for (uint32_t first = 0; first < pairs->count;) {
        uint32_t end = run_end(pairs, first);
        unsigned kind = kind_of(end - first, rows);
        header.hash_count++;
        header.position_count += kind == PLACE_LIST ? end - first + 1 : 0;
        header.bitmap_count += kind == PLACE_BITMAP;
        first = end;
    }
    return header;
}

static uint64_t block_words(const struct header *header)
{
    uint64_t small = (uint64_t)header->hash_count * sizeof(uint32_t) +
                     (uint64_t)header->position_count * sizeof(uint16_t);
    return HEADER_WORDS + header->hash_count +
           (uint64_t)header->bitmap_count * bitmap_words(header->rows) +
           (small + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

static void set_bit(uint64_t *bitmap, uint32_t row)
{
    bitmap[row / 64] |= UINT64_C(1) << row % 64;
}

/* A block being filled, hash by hash. */
struct filling {
    uint32_t words; /* of a bitmap */
    uint64_t *hashes;
    uint64_t *bitmaps;
    uint32_t *places;
    uint16_t *positions;
    uint32_t number; /* of the next hash */
    uint32_t used;   /* positions */
    uint32_t bitmap; /* number of the next */
};

/* Behind the hashes. */
static void place_arrays(struct filling *filling, const struct header *header)
{
    filling->words = bitmap_words(header->rows);
    filling->bitmaps = filling->hashes + header->hash_count;
    filling->places =
        (uint32_t *)(void *)(filling->bitmaps + (size_t)header->bitmap_count * filling->words);
    filling->positions = (uint16_t *)(void *)(filling->places + header->hash_count);
}

static void put_frequent(
    struct filling *filling,
    const struct vg_frequent_hashes *frequent,
    uint32_t number)
{
    const uint64_t *bitmap = vg_frequent_hashes_bitmap(frequent, number);
    uint64_t *own = filling->bitmaps + (size_t)filling->bitmap * filling->words;
    for (uint32_t word = 0; word < filling->words; word++) {
        own[word] = bitmap[word];
        filling->bitmaps[word] |= bitmap[word];
    }
    filling->hashes[filling->number] = frequent->hashes[number];
    filling->places[filling->number++] = PLACE_BITMAP << PLACE_SHIFT | filling->bitmap++;
}

/* The pairs `first` to `end`, which have one hash. */
static void put_run(
    struct filling *filling,
    const struct vg_hash_pairs *pairs,
    uint32_t first,
    uint32_t end,
    uint32_t rows)
{
    unsigned kind = kind_of(end - first, rows);
    uint32_t value = kind == PLACE_ROW    ? pairs->rows[first]
                     : kind == PLACE_LIST ? filling->used
                                          : filling->bitmap;
    filling->hashes[filling->number] = pairs->hashes[first];
    filling->places[filling->number++] = kind << PLACE_SHIFT | value;
    if (kind == PLACE_LIST) {
        uint16_t *list = filling->positions + filling->used;
        list[0] = (uint16_t)(end - first - 1);
        memcpy(list + 1, &pairs->rows[first], (end - first) * sizeof(uint16_t));
        filling->used += end - first + 1;
    }
    for (uint32_t i = first; i < end; i++) {
        set_bit(filling->bitmaps, pairs->rows[i]);
        if (kind == PLACE_BITMAP) {
            set_bit(filling->bitmaps + (size_t)filling->bitmap * filling->words, pairs->rows[i]);
        }
    }
    filling->bitmap += kind == PLACE_BITMAP;
}

/* Both kinds of hashes, in one rising order. */
static void fill_block(
    const struct vg_hash_pairs *pairs,
    const struct vg_frequent_hashes *frequent,
    const struct header *header,
    uint64_t *block)
{
    uint64_t *hashes = block + HEADER_WORDS;
    struct filling filling = { .hashes = hashes, .bitmap = 1 };
    place_arrays(&filling, header);
    uint32_t next = 0;
    for (uint32_t first = 0; first < pairs->count;) {
        uint32_t end = run_end(pairs, first);
        for (; next < frequent->count && frequent->hashes[next] < pairs->hashes[first]; next++) {
            put_frequent(&filling, frequent, next);
        }
        put_run(&filling, pairs, first, end, header->rows);
        first = end;
    }
    for (; next < frequent->count; next++) {
        put_frequent(&filling, frequent, next);
    }
}

static uint64_t *make_block(
    struct vg_hash_pairs *pairs,
    const struct vg_frequent_hashes *frequent,
    uint32_t rows,
    uint32_t *out_words)
{
    if (!sort_pairs(pairs)) {
        return NULL;
    }
    drop_repetitions(pairs);
    struct header header = count_parts(pairs, frequent, rows);
    uint64_t words = block_words(&header);
    if (header.position_count > PLACE_NUMBER || words > UINT32_MAX) {
        return NULL;
    }
    uint64_t *block = calloc(words, sizeof(*block));
    if (block != NULL) {
        memcpy(block, &header, sizeof(header));
        fill_block(pairs, frequent, &header, block);
        *out_words = (uint32_t)words;
    }
    return block;
}

uint64_t *vg_hash_index_make(struct vg_hash_pairs *pairs, uint32_t rows, uint32_t *out_words)
{
    struct vg_frequent_hashes frequent;
    if (!vg_frequent_hashes_take(&frequent, pairs, rows, bitmap_rows(rows))) {
        return NULL;
    }
    uint64_t *block = make_block(pairs, &frequent, rows, out_words);
    vg_frequent_hashes_dispose(&frequent);
    return block;
}

/* ---- asking one */

/* No place may lead out of the arrays: it is from a file. */
static bool places_fit(const struct vg_hash_index *index)
{
    bool fit = true;
    for (uint32_t i = 0; i < index->hash_count; i++) {
        uint32_t value = index->places[i] & PLACE_NUMBER;
        switch (index->places[i] >> PLACE_SHIFT) {
        case PLACE_LIST:
            fit = fit && value < index->position_count &&
                  index->position_count - value > (uint32_t)index->positions[value] + 1;
            break;
        case PLACE_ROW:
            fit = fit && value < index->rows;
            break;
        case PLACE_BITMAP:
            fit = fit && value < index->bitmap_count;
            break;
        default:
            fit = false;
        }
    }
    return fit;
}

bool vg_hash_index_open(
    const uint64_t *block,
    uint64_t words,
    uint32_t rows,
    struct vg_hash_index *out_index)
{
    struct header header;
    if (words < HEADER_WORDS) {
        return false;
    }
    memcpy(&header, block, sizeof(header));
    if (header.rows != rows || header.bitmap_count == 0 || words != block_words(&header)) {
        return false;
    }
    struct vg_hash_index index = {
        .rows = rows,
        .hash_count = header.hash_count,
        .position_count = header.position_count,
        .bitmap_count = header.bitmap_count,
        .hashes = block + HEADER_WORDS,
    };
    index.bitmaps = index.hashes + index.hash_count;
    index.places =
        (const uint32_t *)(const void
                               *)(index.bitmaps + (size_t)index.bitmap_count * bitmap_words(rows));
    index.positions = (const uint16_t *)(const void *)(index.places + index.hash_count);
    if (!places_fit(&index)) {
        return false;
    }
    *out_index = index;
    return true;
}

uint32_t vg_hash_index_find(const struct vg_hash_index *index, uint64_t hash)
{
    uint32_t low = 0;
    uint32_t high = index->hash_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->hashes[middle] < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < index->hash_count && index->hashes[low] == hash ? low : VG_HASH_INDEX_NONE;
}

/* The list of a place, and how long it is. */
static const uint16_t *list_of(
    const struct vg_hash_index *index,
    uint32_t place,
    uint32_t *out_count)
{
    const uint16_t *list = &index->positions[place & PLACE_NUMBER];
    *out_count = (uint32_t)list[0] + 1;
    return list + 1;
}

static const uint64_t *bitmap_of(const struct vg_hash_index *index, uint32_t place)
{
    return index->bitmaps + (size_t)(place & PLACE_NUMBER) * bitmap_words(index->rows);
}

uint32_t vg_hash_index_count(const struct vg_hash_index *index, uint32_t number)
{
    uint32_t place = index->places[number];
    uint32_t count = 1;
    if (place >> PLACE_SHIFT == PLACE_LIST) {
        (void)list_of(index, place, &count);
    } else if (place >> PLACE_SHIFT == PLACE_BITMAP) {
        const uint64_t *bitmap = bitmap_of(index, place);
        count = 0;
        for (uint32_t word = 0; word < bitmap_words(index->rows); word++) {
            count += (uint32_t)__builtin_popcountll(bitmap[word]);
        }
    }
    return count;
}

static void mark_list(
    const uint16_t *list,
    uint32_t count,
    uint32_t first,
    uint32_t end,
    uint64_t *out)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list[middle] < first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < count && list[low] < end; low++) {
        set_bit(out, list[low] - first);
    }
}

void vg_hash_index_mark(
    const struct vg_hash_index *index,
    uint32_t number,
    uint32_t first,
    uint32_t count,
    uint64_t *out)
{
    VG_ASSERT(first % 64 == 0 && first + count <= index->rows);
    uint32_t place = index->places[number];
    uint32_t row = place & PLACE_NUMBER;
    if (place >> PLACE_SHIFT == PLACE_BITMAP) {
        const uint64_t *bitmap = bitmap_of(index, place) + first / 64;
        for (uint32_t word = 0; word < (count + 63) / 64; word++) {
            out[word] |= bitmap[word];
        }
    } else if (place >> PLACE_SHIFT == PLACE_LIST) {
        uint32_t length = 0;
        const uint16_t *list = list_of(index, place, &length);
        mark_list(list, length, first, first + count, out);
    } else if (row >= first && row < first + count) {
        set_bit(out, row - first);
    }
}

uint32_t vg_hash_index_rows(const struct vg_hash_index *index, uint32_t number, uint16_t *out_rows)
{
    uint32_t place = index->places[number];
    uint32_t count = 0;
    if (place >> PLACE_SHIFT == PLACE_LIST) {
        const uint16_t *list = list_of(index, place, &count);
        memcpy(out_rows, list, count * sizeof(*out_rows));
    } else if (place >> PLACE_SHIFT == PLACE_ROW) {
        out_rows[count++] = (uint16_t)(place & PLACE_NUMBER);
    } else {
        const uint64_t *bitmap = bitmap_of(index, place);
        for (uint32_t word = 0; word < bitmap_words(index->rows); word++) {
            for (uint64_t rest = bitmap[word]; rest != 0; rest &= rest - 1) {
                out_rows[count++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(rest));
            }
        }
    }
    return count;
}
