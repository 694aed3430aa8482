/*
 * Predicate: what rows a search wants, as a tree of AND, OR and NOT over questions about one
 * column. core/query builds it from criteria; the table evaluates it. Nodes live in an arena, are
 * never changed after they are made and may be shared.
 *
 * A question about an absent value is answered with no (so NOT of it is yes); only
 * vg_predicate_absent says yes.
 *
 * A constructor returns NULL when the arena is full, and passes a NULL child on: build the whole
 * tree and check once. vg_search_run checks the limits, and that each question fits its column.
 *
 * Threads: a tree is constant once built.
 */
#ifndef VG_CORE_TABLE_PREDICATE_H
#define VG_CORE_TABLE_PREDICATE_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/network_set.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

#define VG_PREDICATE_NODES_MAX 1000u
#define VG_PREDICATE_DEPTH_MAX 32u

enum vg_predicate_kind {
    VG_PREDICATE_ALL,       /* every row */
    VG_PREDICATE_NONE,      /* no row */
    VG_PREDICATE_AND,       /* of no children: every row */
    VG_PREDICATE_OR,        /* of no children: no row */
    VG_PREDICATE_NOT,       /* one child */
    VG_PREDICATE_RANGE,     /* TIME, NUMBER: min <= value <= max */
    VG_PREDICATE_NUMBER_IN, /* TIME, NUMBER: one of; NUMBERS, SUBJECTS: any element is one of */
    VG_PREDICATE_FLAGS_ALL, /* every bit of the mask is set */
    VG_PREDICATE_FLAGS_ANY, /* at least one bit of the mask is set */
    VG_PREDICATE_BYTES_IN,  /* TEXT, FIXED, TEXTS: one of (any element is), byte for byte */
    VG_PREDICATE_NETWORK,   /* NETWORK: inside or covering, events-api.md 4.2 */
    VG_PREDICATE_NETWORKS,  /* NETWORK: the same of any of a set */
    VG_PREDICATE_HASH_IN,   /* HASHES: any element is one of */
    VG_PREDICATE_TOKENS,    /* TOKENS: what the record says of rows the words do not rule out */
    VG_PREDICATE_MARKED,    /* FIXED: the value is among the ids that have the mark */
    VG_PREDICATE_PREFIX,    /* TEXT, TEXTS: it (any element) begins with these bytes */
    VG_PREDICATE_CONTAINS,  /* TEXT, TEXTS: it (any element) holds one of, whatever the case; FIXED:
                               the hexadecimal text does */
    VG_PREDICATE_ABSENT,    /* the row has no value in this column; not for FLAGS */
};

/*
 * Says of one record whether a TOKENS question is answered with yes. `owner` is the question's,
 * `record` what the search's vg_record_reader made of the row.
 *
 * Fails with: what the evaluation is to end with.
 */
typedef enum vg_reason (*vg_predicate_confirm)(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error);

/* Reads the record a row stands for, for those who confirm; it stays until the next call. One
 * search uses a reader from one thread. */
struct vg_record_reader {
    enum vg_reason (*read)(
        void *owner,
        const struct vg_hit *hit,
        const void **out_record,
        struct vg_error *error);
    /* NULL, or told which rows are about to be read, in that order, so that they can be read
     * ahead. `hits` stays until it is told of others, or of none. */
    void (*expect)(void *owner, const struct vg_hit *hits, uint32_t count);
    void *owner;
};

/* What a kind of question is called when a search is explained: "range", "network". */
const char *vg_predicate_kind_name(enum vg_predicate_kind kind);

struct vg_id_marks; /* core/table/id_marks.h */

struct vg_predicate {
    enum vg_predicate_kind kind;
    uint32_t column;
    uint32_t count; /* children or values */
    union {
        const struct vg_predicate *const *children;
        struct {
            int64_t min;
            int64_t max;
        } range;
        const int64_t *numbers;       /* rising, no duplicates */
        const uint64_t *hashes;       /* rising */
        const struct vg_bytes *bytes; /* shorter ones first, equal ones in order */
        uint64_t mask;
        struct {
            struct vg_network network;
            int16_t min_bits; /* -1 = none */
        } network;
        struct {
            const struct vg_network_set *set;
            int16_t min_bits; /* -1 = none */
        } networks;
        struct {
            const uint32_t *hashes; /* 26 bits each, shifted as in vg_token_element */
            vg_predicate_confirm confirm;
            const void *owner;
        } tokens;
        struct {
            const struct vg_id_marks *ids;
            uint32_t mark;
        } marked;
        struct {
            const struct vg_bytes *values; /* the prefix; or substrings, folded */
            vg_predicate_confirm confirm;
            const void *owner;
        } texts;
    };
};

const struct vg_predicate *vg_predicate_all(struct vg_arena *arena);
const struct vg_predicate *vg_predicate_none(struct vg_arena *arena);

/* The array is copied, the children are not. */
const struct vg_predicate *vg_predicate_and(
    struct vg_arena *arena,
    const struct vg_predicate *const *children,
    uint32_t count);
const struct vg_predicate *vg_predicate_or(
    struct vg_arena *arena,
    const struct vg_predicate *const *children,
    uint32_t count);
const struct vg_predicate *vg_predicate_not(
    struct vg_arena *arena,
    const struct vg_predicate *child);

/* min <= value <= max, both inclusive. */
const struct vg_predicate *vg_predicate_range(
    struct vg_arena *arena,
    uint32_t column,
    int64_t min,
    int64_t max);

/* Value (or any element, of SUBJECTS and NUMBERS) is one of `numbers`; they are copied, sorted. */
const struct vg_predicate *vg_predicate_number_in(
    struct vg_arena *arena,
    uint32_t column,
    const int64_t *numbers,
    uint32_t count);

/* Is `number` one of those of a NUMBER_IN question? */
bool vg_predicate_has_number(const struct vg_predicate *question, int64_t number);

const struct vg_predicate *vg_predicate_flags_all(
    struct vg_arena *arena,
    uint32_t column,
    uint64_t mask);
const struct vg_predicate *vg_predicate_flags_any(
    struct vg_arena *arena,
    uint32_t column,
    uint64_t mask);

/* The value is one of `values`, byte for byte. The array and the bytes are copied. */
const struct vg_predicate *vg_predicate_bytes_in(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_bytes *values,
    uint32_t count);

/*
 * The stored network lies in `network` or covers it, and (`min_bits` is -1, or the stored one has
 * at least that many bits, or is `network` itself). Both sides of a connection are an OR of two.
 */
const struct vg_predicate *vg_predicate_network(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_network *network,
    int min_bits);

/* One of `networks` is answered with yes: one question for any number of them. They are copied;
 * none may be of no family. */
const struct vg_predicate *vg_predicate_networks(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_network *networks,
    uint32_t count,
    int min_bits);

/* Any element of the list is one of `hashes` (vg_siphash with the secret of the store); they are
 * copied. */
const struct vg_predicate *vg_predicate_hash_in(
    struct vg_arena *arena,
    uint32_t column,
    const uint64_t *hashes,
    uint32_t count);

/*
 * Rows of which `confirm` says yes. It is asked only about rows where all words stand in one value
 * (so it must say no to all others), after every cheaper question, and the answer is exact: right
 * under NOT and OR. `hashes` (vg_siphash of each word, copied) may be none: then every row is asked
 * about. `owner` is borrowed. A search with such a question needs a vg_record_reader.
 */
const struct vg_predicate *vg_predicate_tokens(
    struct vg_arena *arena,
    uint32_t column,
    const uint64_t *hashes,
    uint32_t count,
    vg_predicate_confirm confirm,
    const void *owner);

/* The value is one of `ids` with the mark `mark`: the second pass of a join (core/table/join.h).
 * `ids` is borrowed and may be filled later, until the search. */
const struct vg_predicate *vg_predicate_marked(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_id_marks *ids,
    uint32_t mark);

/*
 * The text, or an element of the list, begins with `prefix`, which is copied. Of rows whose text is
 * past the limit of the dictionary `confirm` is asked, which must answer the same question about
 * the record; NULL = they do not match. With it a search needs a vg_record_reader.
 */
const struct vg_predicate *vg_predicate_prefix(
    struct vg_arena *arena,
    uint32_t column,
    struct vg_bytes prefix,
    vg_predicate_confirm confirm,
    const void *owner);

/*
 * The text, or an element of the list, holds one of `texts`, without regard to case (case_fold.h);
 * of FIXED its text (fixed_text.h). They are copied; none may be empty. The column of texts must be
 * VG_COLUMN_FOLDED. `confirm` and `owner` are as above.
 */
const struct vg_predicate *vg_predicate_contains(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_bytes *texts,
    uint32_t count,
    vg_predicate_confirm confirm,
    const void *owner);

/* Must records be read to evaluate this tree? */
bool vg_predicate_reads_records(const struct vg_predicate *predicate);

const struct vg_predicate *vg_predicate_absent(struct vg_arena *arena, uint32_t column);

/*
 * Check that the tree obeys VG_PREDICATE_NODES_MAX and VG_PREDICATE_DEPTH_MAX and that every
 * question fits the kind of its column.
 *
 * Fails with: RESOURCE_LIMIT past a limit; INTERNAL when a question does not fit its column.
 */
VG_MUST_USE enum vg_reason vg_predicate_check(
    const struct vg_predicate *predicate,
    const struct vg_table_schema *schema,
    struct vg_error *error);

#endif
