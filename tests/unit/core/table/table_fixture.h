/*
 * What the tests of core/table share: a schema with every kind of column, rows made from a seed,
 * and a table in a folder of its own.
 *
 * Threads: the test's.
 */
#ifndef VG_TESTS_UNIT_CORE_TABLE_TABLE_FIXTURE_H
#define VG_TESTS_UNIT_CORE_TABLE_TABLE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/table/search.h"
#include "core/table/table.h"

enum {
    FIX_TIME,     /* id */
    FIX_CUSTOMER, /* id */
    FIX_TYPE,     /* id */
    FIX_UUID,     /* id */
    FIX_UPDATED,
    FIX_ASSESSED, /* may be absent */
    FIX_SEVERITY,
    FIX_PORT,
    FIX_COUNT,
    FIX_AMOUNT,
    FIX_FLAGS,
    FIX_SIGNATURE,
    FIX_SOURCE,
    FIX_DESTINATION,
    FIX_DIGEST,
    FIX_CASES,
    FIX_PROPERTIES,
    FIX_WORDS,
    FIX_TAGS,
    FIX_COLUMNS,
};

extern const struct vg_table_schema fixture_schema;

#define FIXTURE_TEXTS 3u

/* A text of FIX_TAGS: a key, a byte that is none of UTF-8, and a value; and the same folded, by
 * hand.
 */
struct fixture_tag {
    const char *text;
    const char *folded;
};
#define FIXTURE_TAGS 7u
extern const struct fixture_tag fixture_tags[FIXTURE_TAGS];
#define FIXTURE_TAGS_OF_ROW 4u

/* A row with the memory its values point at. */
struct fixture_row {
    struct vg_value values[FIX_COLUMNS];
    struct vg_row row;
    int64_t customer;
    uint8_t uuid[16];
    uint8_t digest[32];
    char signature[64];
    int64_t cases[8];
    uint64_t properties[8];
    char texts[FIXTURE_TEXTS][8]; /* of FIX_WORDS: each letter is a word */
    uint32_t tokens[FIXTURE_TEXTS * 8];
    uint32_t tag_numbers[FIXTURE_TAGS_OF_ROW];
    struct vg_bytes tags[FIXTURE_TAGS_OF_ROW];
};

/* A small generator of our own, so that a seed gives the same run everywhere (splitmix64). */
uint64_t fixture_random(uint64_t *state);
static inline uint32_t fixture_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(fixture_random(state) % bound);
}

/* The record number `id` with content from `seed`; id columns depend on `id` alone. */
void fixture_fill(struct fixture_row *row, uint32_t id, uint64_t seed, vg_time updated);

/* The hash of the word `letter`, a to j; i and j share the bits a column keeps. */
uint64_t fixture_word_hash(char letter);

/* Are the values of one column the same? */
bool fixture_equal(uint32_t column, const struct vg_value *a, const struct vg_value *b);

/* Is this what the hit shows in one column? */
bool fixture_hit_equal(const struct vg_hit *hit, uint32_t column, const struct vg_value *expected);

/* A fresh folder below /tmp, and its removal with everything in it. */
void fixture_make_folder(char path[64]);
void fixture_remove_folder(const char *path);

/* A configuration for `path`: one kind, fixture_schema, a fixed store id and secret. */
struct vg_table_config fixture_config(
    const char *path,
    const struct vg_clock *clock,
    uint32_t chunk_rows);

/* Open and start an empty table. */
struct vg_table *fixture_open(const struct vg_table_config *config);

/* Stop and close. */
void fixture_close(struct vg_table *table);

/* A source without records and with an empty log. */
extern const struct vg_table_source fixture_nothing;

/* Put `count` rows in one batch, sequence following. */
void fixture_put(struct vg_table *table, const struct fixture_row *rows, uint32_t count);

/* A whole checkpoint; returns where the log may be trimmed. */
uint64_t fixture_checkpoint(struct vg_table *table, bool close_tail);

#endif
