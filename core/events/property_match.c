#include "core/events/property_match.h"

#include <stdlib.h>
#include <string.h>

#include "core/events/event_table.h"
#include "core/query/tokenizer.h"
#include "core/query/word_hash.h"
#include "core/record/event_record.h"

/* More words than these do not narrow any further; the record is asked for all. */
#define HASHES_MAX 8u

/* What the record is asked. Lives in the arena of the predicate. */
struct question {
    struct vg_property_match match;
    struct vg_bytes *words; /* distinct, in the order of vg_bytes_compare */
    uint32_t word_count;
};

/* ------------------------------------------------------------------------------------- words */

static int compare_words(const void *left, const void *right)
{
    return vg_bytes_compare(*(const struct vg_bytes *)left, *(const struct vg_bytes *)right);
}

static bool add_word(struct question *question, struct vg_bytes word, struct vg_arena *arena)
{
    const char *copy = vg_arena_text(arena, word);
    if (copy == NULL) {
        return false;
    }
    question->words[question->word_count++] = vg_bytes(copy, word.size);
    return true;
}

/* The distinct words of the wanted value. False when the arena is full. */
static bool take_words(struct question *question, struct vg_arena *arena)
{
    struct vg_tokenizer tokenizer;
    struct vg_bytes word;
    /* Two words have at least one byte between them. */
    size_t most = question->match.value.size / 2 + 1;
    question->words = vg_arena_calloc(arena, most, sizeof(*question->words));
    if (question->words == NULL) {
        return false;
    }
    vg_tokenizer_init(&tokenizer, question->match.value);
    while (vg_tokenizer_next(&tokenizer, &word)) {
        if (!add_word(question, word, arena)) {
            return false;
        }
    }
    qsort(question->words, question->word_count, sizeof(*question->words), compare_words);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < question->word_count; i++) {
        if (distinct == 0 || !vg_bytes_equal(question->words[distinct - 1], question->words[i])) {
            question->words[distinct++] = question->words[i];
        }
    }
    question->word_count = distinct;
    return true;
}

static bool is_wanted(const struct question *question, struct vg_bytes word, uint32_t *out_index)
{
    const struct vg_bytes *found = bsearch(
        &word,
        question->words,
        question->word_count,
        sizeof(*question->words),
        compare_words);
    if (found != NULL) {
        *out_index = (uint32_t)(found - question->words);
    }
    return found != NULL;
}

/* Does the value have every word? As many are missing as have not been met for the first time. */
static bool has_words(const struct question *question, struct vg_bytes value)
{
    uint64_t met[16] = { 0 };
    uint32_t missing = question->word_count;
    struct vg_tokenizer tokenizer;
    struct vg_bytes word;
    uint32_t index;
    if (question->word_count > sizeof(met) * 8) {
        return false; /* more than a value of 1,024 characters can have */
    }
    vg_tokenizer_init(&tokenizer, value);
    while (missing > 0 && vg_tokenizer_next(&tokenizer, &word)) {
        if (is_wanted(question, word, &index) && (met[index / 64] >> index % 64 & 1) == 0) {
            met[index / 64] |= UINT64_C(1) << index % 64;
            missing--;
        }
    }
    return missing == 0;
}

/* ----------------------------------------------------------------------------------- questions */

static enum vg_reason confirm(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    const struct question *question = owner;
    const struct vg_event_record *event = record;
    (void)error;
    *out_matches = false;
    for (uint32_t i = 0; i < event->property_count && !*out_matches; i++) {
        const struct vg_event_property *property = &event->properties[i];
        if (question->match.key.data != NULL &&
            !vg_bytes_equal(property->key, question->match.key)) {
            continue;
        }
        for (uint32_t v = 0; v < property->value_count && !*out_matches; v++) {
            *out_matches = question->match.tokenized
                               ? has_words(question, property->values[v])
                               : vg_bytes_equal(property->values[v], question->match.value);
        }
    }
    return VG_OK;
}

/* Rows whose record has to be asked. */
static const struct vg_predicate *ask_record(
    struct vg_arena *arena,
    const uint8_t secret[16],
    const struct vg_property_match *match)
{
    struct question *question = vg_arena_calloc(arena, 1, sizeof(*question));
    if (question == NULL) {
        return NULL;
    }
    question->match = *match;
    const char *key = match->key.data == NULL ? "" : vg_arena_text(arena, match->key);
    const char *value = vg_arena_text(arena, match->value);
    if (key == NULL || value == NULL || !take_words(question, arena)) {
        return NULL;
    }
    question->match.value = vg_bytes(value, match->value.size);
    question->match.key =
        match->key.data == NULL ? vg_bytes(NULL, 0) : vg_bytes(key, match->key.size);
    if (match->tokenized && question->word_count == 0) {
        return vg_predicate_none(arena);
    }
    uint64_t hashes[HASHES_MAX];
    uint32_t count = question->word_count < HASHES_MAX ? question->word_count : HASHES_MAX;
    struct vg_word_key word_key = vg_word_key(secret);
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = vg_word_hash(&word_key, question->words[i]);
    }
    return vg_predicate_tokens(
        arena,
        VG_EVENT_COLUMN_PROPERTY_TOKENS,
        hashes,
        count,
        confirm,
        question);
}

static const struct vg_predicate *has_any(struct vg_arena *arena)
{
    const struct vg_predicate *absent = vg_predicate_absent(arena, VG_EVENT_COLUMN_PROPERTIES);
    return absent == NULL ? NULL : vg_predicate_not(arena, absent);
}

static const struct vg_predicate *has_hash(struct vg_arena *arena, uint64_t hash)
{
    return vg_predicate_hash_in(arena, VG_EVENT_COLUMN_PROPERTIES, &hash, 1);
}

const struct vg_predicate *vg_property_match_predicate(
    struct vg_arena *arena,
    const uint8_t secret[16],
    const struct vg_property_match *match)
{
    uint64_t key_hash = match->key.data == NULL ? 0 : vg_event_table_key_hash(secret, match->key);
    if (match->value.data == NULL) {
        return match->key.data == NULL ? has_any(arena) : has_hash(arena, key_hash);
    }
    if (match->key.data != NULL && !match->tokenized) {
        return has_hash(arena, vg_event_table_value_hash(secret, key_hash, match->value));
    }
    const struct vg_predicate *both[] = {
        match->key.data == NULL ? has_any(arena) : has_hash(arena, key_hash),
        ask_record(arena, secret, match),
    };
    return vg_predicate_and(arena, both, 2);
}
