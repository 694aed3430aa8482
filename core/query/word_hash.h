/*
 * Hashes of words, for lists of words in the table. A hash only narrows: two words that share one
 * cost the reading of a record, never a wrong answer. So it is a short mix with a secret instead of
 * SipHash: fast on words of a few bytes, and what words collide is known to nobody outside. Tables
 * keep these hashes: another one is a new version of their schemas.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_QUERY_WORD_HASH_H
#define VG_CORE_QUERY_WORD_HASH_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* Made from the secret of the store; kept by whoever hashes many words. */
struct vg_word_key {
    uint64_t start;
    uint64_t factor;
};

struct vg_word_key vg_word_key(const uint8_t secret[16]);

/* The hash of one word as vg_tokenizer_next gives it. */
uint64_t vg_word_hash(const struct vg_word_key *key, struct vg_bytes word);

/*
 * The hashes of all words of `text` in their order, repetitions too, as vg_tokenizer_next would
 * give the words one by one: their number, at most `room`. Words past `room` are left out.
 */
uint32_t vg_word_hashes(
    const struct vg_word_key *key,
    struct vg_bytes text,
    uint64_t *out_hashes,
    uint32_t room);

#endif
