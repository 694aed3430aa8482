/*
 * Tokenizer: the words of a text, for criteria that are compared by words (events-api.md 4.3). A
 * text is split at every code point that is neither letter nor digit, and folded to lower case one
 * code point at a time. So "Straße-42" has the words "straße" and "42"; nothing is normalised, and
 * a combining mark separates. A text of other characters only has no words.
 *
 * Threads: pure; a struct vg_tokenizer belongs to one thread.
 */
#ifndef VG_CORE_QUERY_TOKENIZER_H
#define VG_CORE_QUERY_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* A word keeps so many bytes: more than the 1,024 characters a stored value may have, so that what
 * is cut off never makes two stored words equal. */
#define VG_TOKENIZER_WORD_MAX 4104u

struct vg_tokenizer {
    struct vg_bytes text;
    size_t position;
    uint8_t word[VG_TOKENIZER_WORD_MAX];
};

/* Start at the beginning of `text`, which is borrowed. What is not UTF-8 separates. */
void vg_tokenizer_init(struct vg_tokenizer *tokenizer, struct vg_bytes text);

/* The next word, which stays until the next call; false when there is none. */
VG_MUST_USE bool vg_tokenizer_next(struct vg_tokenizer *tokenizer, struct vg_bytes *out_word);

/* A number that changes whenever the same text could have other words: our rules and the tables of
 * Unicode that ICU brings. */
uint64_t vg_tokenizer_fingerprint(void);

#endif
