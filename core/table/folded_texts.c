#include "core/table/folded_texts.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/case_fold.h"
#include "core/table/column_loops.h"
#include "core/table/dictionary.h"

/* The longest folded form and its separator fit into a block. */
_Static_assert(
    VG_DICTIONARY_TEXT_MAX + VG_DICTIONARY_TEXT_MAX / 2 + 2 <= VG_FOLDED_BLOCK_SIZE,
    "a text fits into a block");

struct vg_folded_texts *vg_folded_texts_create(uint32_t entries_max, uint64_t bytes_max)
{
    struct vg_folded_texts *texts = calloc(1, sizeof(*texts));
    if (texts == NULL) {
        return NULL;
    }
    /* Folding adds half at most, a separator each, and of two blocks side by side one is more than
     * half full. */
    uint64_t bytes = bytes_max + bytes_max / 2 + 2 * (uint64_t)entries_max;
    uint64_t blocks = bytes / (VG_FOLDED_BLOCK_SIZE / 2) + 2;
    texts->blocks_max = blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks;
    texts->segment_count = entries_max / VG_DICTIONARY_SEGMENT + 1;
    texts->blocks = calloc(texts->blocks_max, sizeof(struct vg_folded_block *));
    texts->segments = calloc(texts->segment_count, sizeof(struct vg_folded_text *));
    if (texts->blocks == NULL || texts->segments == NULL) {
        vg_folded_texts_destroy(texts);
        return NULL;
    }
    return texts;
}

void vg_folded_texts_destroy(struct vg_folded_texts *texts)
{
    if (texts == NULL) {
        return;
    }
    for (uint32_t i = 0; i < texts->block_count; i++) {
        free(texts->blocks[i]);
    }
    for (uint32_t i = 0; texts->segments != NULL && i < texts->segment_count; i++) {
        free(texts->segments[i]);
    }
    free(texts->blocks);
    free(texts->segments);
    free(texts);
}

/* A block with room for `size` more bytes, of which `id` would be the first if it is a new one. */
static struct vg_folded_block *take_block(struct vg_folded_texts *texts, uint32_t id, size_t size)
{
    if (texts->block_count > 0) {
        struct vg_folded_block *last = texts->blocks[texts->block_count - 1];
        if (VG_FOLDED_BLOCK_SIZE - last->used >= size) {
            return last;
        }
    }
    if (texts->block_count == texts->blocks_max) {
        return NULL;
    }
    struct vg_folded_block *block = malloc(sizeof(*block));
    if (block != NULL) {
        block->first_id = id;
        block->used = 0;
        texts->blocks[texts->block_count++] = block;
    }
    return block;
}

bool vg_folded_texts_add(struct vg_folded_texts *texts, uint32_t id, struct vg_bytes text)
{
    struct vg_folded_text **segment = &texts->segments[id / VG_DICTIONARY_SEGMENT];
    if (*segment == NULL) {
        *segment = calloc(VG_DICTIONARY_SEGMENT, sizeof(**segment));
    }
    struct vg_folded_block *block =
        *segment == NULL ? NULL : take_block(texts, id, vg_case_fold_room(text.size) + 1);
    if (block == NULL) {
        return false;
    }
    size_t size = vg_case_fold(text, block->data + block->used);
    (*segment)[id % VG_DICTIONARY_SEGMENT] = (struct vg_folded_text){
        .block = texts->block_count - 1,
        .start = block->used,
        .size = (uint32_t)size,
    };
    block->used += (uint32_t)size;
    block->data[block->used++] = VG_FOLDED_SEPARATOR;
    return true;
}

static const struct vg_folded_text *text_at(const struct vg_folded_texts *texts, uint32_t id)
{
    return &texts->segments[id / VG_DICTIONARY_SEGMENT][id % VG_DICTIONARY_SEGMENT];
}

uint32_t vg_folded_texts_block(const struct vg_folded_texts *texts, uint32_t id)
{
    return text_at(texts, id)->block;
}

uint32_t vg_folded_texts_last(const struct vg_folded_texts *texts, uint32_t block, uint32_t count)
{
    /* The next block is there if one of its entries is counted. */
    return text_at(texts, count)->block == block ? count : texts->blocks[block + 1]->first_id - 1;
}

/* The entry that holds the byte at `position` of a block, of those from `low` to `high`. Matches
 * come in order, so it mostly is close to `low`. */
static uint32_t entry_at(
    const struct vg_folded_texts *texts,
    uint32_t low,
    uint32_t high,
    uint32_t position)
{
    uint32_t step = 1;
    while (step <= high - low && text_at(texts, low + step)->start <= position) {
        low += step;
        step *= 2;
    }
    high = step <= high - low ? low + step - 1 : high;
    while (low < high) {
        uint32_t middle = high - (high - low) / 2;
        if (text_at(texts, middle)->start <= position) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

/* A walk over a block. */
struct block_walk {
    const struct vg_folded_texts *texts;
    const uint8_t *data;
    struct vg_bytes needle;
    uint32_t first; /* the entry marked last, or the first of the block */
    uint32_t last;
    uint32_t next; /* positions before it belong to an entry that is marked */
    uint64_t *bitmap;
};

/* Mark the entry with the match at `position`, and go on behind it. */
static void mark(struct block_walk *walk, uint32_t position)
{
    uint32_t id = entry_at(walk->texts, walk->first, walk->last, position);
    const struct vg_folded_text *text = text_at(walk->texts, id);
    walk->bitmap[id / 64] |= UINT64_C(1) << id % 64;
    walk->first = id;
    walk->next = text->start + text->size + 1;
}

/* Look closer at the positions of `near`, from `from` on; first and last byte of the needle are
 * there. */
static inline void mark_near(struct block_walk *walk, uint64_t near, uint32_t from)
{
    for (; near != 0; near &= near - 1) {
        uint32_t position = from + (uint32_t)__builtin_ctzll(near);
        if (position >= walk->next &&
            (walk->needle.size <= 2 ||
             memcmp(walk->data + position, walk->needle.data, walk->needle.size) == 0)) {
            mark(walk, position);
        }
    }
}

/* Positions looked at by one call of the loop. */
#define SCAN_POSITIONS 1024u

void vg_folded_texts_scan(
    const struct vg_folded_texts *texts,
    uint32_t block_number,
    uint32_t count,
    struct vg_bytes needle,
    uint64_t *bitmap)
{
    VG_ASSERT(needle.size > 0);
    const struct vg_folded_block *block = texts->blocks[block_number];
    struct block_walk walk = {
        .texts = texts,
        .data = block->data,
        .needle = needle,
        .first = block->first_id,
        .last = vg_folded_texts_last(texts, block_number, count),
    };
    walk.bitmap = bitmap;
    uint32_t end = text_at(texts, walk.last)->start + text_at(texts, walk.last)->size;
    if (needle.size > end) {
        return;
    }
    uint32_t positions = end - (uint32_t)needle.size + 1;
    uint64_t near[SCAN_POSITIONS / 64];
    for (uint32_t from = 0; from < positions; from += SCAN_POSITIONS) {
        uint32_t rest = positions - from;
        uint32_t here = rest < SCAN_POSITIONS ? rest : SCAN_POSITIONS;
        if (from + here <= walk.next) {
            continue;
        }
        vg_loop_both_ends(block->data + from, here, needle, near);
        for (uint32_t word = 0; word < (here + 63) / 64; word++) {
            mark_near(&walk, near[word], from + word * 64);
        }
    }
}

bool vg_folded_texts_contains(
    const struct vg_folded_texts *texts,
    uint32_t id,
    struct vg_bytes needle)
{
    const struct vg_folded_text *text = text_at(texts, id);
    const uint8_t *data = texts->blocks[text->block]->data + text->start;
    return memmem(data, text->size, needle.data, needle.size) != NULL;
}

uint64_t vg_folded_texts_memory(const struct vg_folded_texts *texts, uint32_t count)
{
    return (uint64_t)texts->block_count * sizeof(struct vg_folded_block) +
           (uint64_t)(count / VG_DICTIONARY_SEGMENT + 1) * VG_DICTIONARY_SEGMENT *
               sizeof(struct vg_folded_text);
}
