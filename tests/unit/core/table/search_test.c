/*
 * Truth: random predicates over random rows against an evaluator that shares no code with the
 * table, on tails, closed and sealed chunks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/table/search.h"
#include "tests/unit/core/table/table_fixture.h"

#define IDS_MAX 700u

struct truth {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct fixture_row *rows; /* by id; live when is_live */
    bool is_live[IDS_MAX];
    uint64_t random;
    struct vg_arena arena;
    uint32_t records_read;
};

static void truth_setup(struct truth *truth, uint32_t chunk_rows, uint64_t seed)
{
    memset(truth, 0, sizeof(*truth));
    truth->random = seed;
    truth->rows = calloc(IDS_MAX, sizeof(*truth->rows));
    assert_non_null(truth->rows);
    fixture_make_folder(truth->path);
    truth->config = fixture_config(truth->path, &vg_clock_real, chunk_rows);
    truth->config.limits.closed_chunks = 1000;
    truth->config.limits.settle_batch = 1;
    truth->table = fixture_open(&truth->config);
    vg_arena_init(&truth->arena, 64u << 20);
}

static void truth_teardown(struct truth *truth)
{
    fixture_close(truth->table);
    fixture_remove_folder(truth->path);
    vg_arena_dispose(&truth->arena);
    free(truth->rows);
}

/* Insert, update or delete some random records in one batch. */
static void truth_change(struct truth *truth, uint32_t count)
{
    struct vg_table_change changes[64];
    struct fixture_row keys[64];
    bool taken[IDS_MAX] = { false };
    uint32_t made = 0;
    assert_true(count <= 64);
    while (made < count) {
        uint32_t id = fixture_below(&truth->random, IDS_MAX);
        if (taken[id]) {
            continue;
        }
        taken[id] = true;
        bool removes = truth->is_live[id] && fixture_below(&truth->random, 5) == 0;
        vg_time updated = 1800000000000 + (vg_time)vg_table_sequence(truth->table);
        fixture_fill(&keys[made], id, fixture_random(&truth->random), updated);
        if (!removes) {
            fixture_fill(&truth->rows[id], id, fixture_random(&truth->random), updated);
        }
        changes[made] = (struct vg_table_change){
            .removes = removes,
            .row = removes ? &keys[made].row : &truth->rows[id].row,
        };
        truth->is_live[id] = !removes;
        made++;
    }
    assert_int_equal(vg_table_prepare(truth->table, changes, count, NULL), VG_OK);
    vg_table_publish(truth->table, vg_table_sequence(truth->table) + 1, NULL);
    vg_table_maintain(truth->table);
}

/* --- the other evaluator: straight from the definitions, one row at a time --- */

static bool bit_of(const uint8_t *address, uint32_t bit)
{
    return (address[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static bool truth_network_is(
    const struct vg_network *wanted,
    int min_bits,
    const struct vg_network *stored)
{
    if (stored->family != wanted->family) {
        return false;
    }
    bool same = stored->bits == wanted->bits;
    for (uint32_t bit = 0; bit < stored->bits && bit < wanted->bits; bit++) {
        if (bit_of(stored->address, bit) != bit_of(wanted->address, bit)) {
            return false;
        }
    }
    return min_bits < 0 || stored->bits >= min_bits || same;
}

static bool truth_network(const struct vg_predicate *question, const struct vg_network *stored)
{
    return truth_network_is(&question->network.network, question->network.min_bits, stored);
}

/* What was asked of sets of networks, which do not tell it. Questions of one tree at a time. */
#define SETS_MAX    4096u
#define SET_MEMBERS 12u

static struct asked_set {
    const struct vg_network_set *set;
    struct vg_network members[SET_MEMBERS];
    uint32_t count;
} asked_sets[SETS_MAX];
static uint32_t asked_set_count;

static bool truth_networks(const struct vg_predicate *question, const struct vg_network *stored)
{
    const struct asked_set *asked = NULL;
    for (uint32_t i = 0; i < SETS_MAX && i < asked_set_count; i++) {
        const struct asked_set *one = &asked_sets[(asked_set_count - 1 - i) % SETS_MAX];
        if (one->set == question->networks.set) {
            asked = one;
            break;
        }
    }
    assert_non_null(asked);
    for (uint32_t i = 0; stored->family != 0 && i < asked->count; i++) {
        if (truth_network_is(&asked->members[i], question->networks.min_bits, stored)) {
            return true;
        }
    }
    return false;
}

static bool truth_list(const struct vg_predicate *question, const struct vg_value *value)
{
    for (uint32_t i = 0; i < value->numbers.count; i++) {
        for (uint32_t w = 0; w < question->count; w++) {
            if (value->numbers.items[i] == question->numbers[w]) {
                return true;
            }
        }
    }
    return false;
}

static bool truth_hashes(const struct vg_predicate *question, const struct vg_value *value)
{
    for (uint32_t i = 0; i < value->hashes.count; i++) {
        for (uint32_t w = 0; w < question->count; w++) {
            if (value->hashes.items[i] == question->hashes[w]) {
                return true;
            }
        }
    }
    return false;
}

static bool truth_number(const struct vg_predicate *question, const struct vg_value *value)
{
    for (uint32_t w = 0; w < question->count; w++) {
        if (value->number != VG_ABSENT && value->number == question->numbers[w]) {
            return true;
        }
    }
    return false;
}

static bool truth_bytes(const struct vg_predicate *question, const struct vg_value *value)
{
    for (uint32_t w = 0; w < question->count; w++) {
        if (value->bytes.data != NULL && vg_bytes_equal(value->bytes, question->bytes[w])) {
            return true;
        }
    }
    return false;
}

static bool truth_tags_in(const struct vg_predicate *question, const struct vg_value *value)
{
    for (uint32_t i = 0; i < value->texts.count; i++) {
        for (uint32_t w = 0; w < question->count; w++) {
            if (vg_bytes_equal(value->texts.items[i], question->bytes[w])) {
                return true;
            }
        }
    }
    return false;
}

/* What a question about the text of a column is made of; `texts` are folded by hand. */
struct asked_texts {
    uint32_t column;
    const char *texts[3];
    uint32_t count;
    bool is_prefix;
};

static bool truth_text(const struct asked_texts *asked, const char *folded)
{
    for (uint32_t i = 0; i < asked->count; i++) {
        if (strstr(folded, asked->texts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool truth_texts(const struct asked_texts *asked, const struct fixture_row *row)
{
    char text[80] = "";
    size_t used = 0;
    const struct vg_value *value = &row->values[asked->column];
    if (asked->column == FIX_SIGNATURE) {
        bool starts = strncmp(row->signature, asked->texts[0], strlen(asked->texts[0])) == 0;
        return value->bytes.data != NULL &&
               (asked->is_prefix ? starts : truth_text(asked, row->signature));
    }
    for (uint32_t i = 0; asked->column == FIX_TAGS && i < value->texts.count; i++) {
        const struct fixture_tag *tag = &fixture_tags[row->tag_numbers[i]];
        bool starts = strncmp(tag->text, asked->texts[0], strlen(asked->texts[0])) == 0;
        if (asked->is_prefix ? starts : truth_text(asked, tag->folded)) {
            return true;
        }
    }
    if (asked->column == FIX_TAGS) {
        return false;
    }
    const uint8_t *bytes = asked->column == FIX_UUID ? row->uuid : row->digest;
    uint32_t width = asked->column == FIX_UUID ? 16 : 32;
    for (uint32_t i = 0; i < width; i++) {
        bool hyphen = width == 16 && (i == 4 || i == 6 || i == 8 || i == 10);
        used += (size_t)snprintf(
            text + used,
            sizeof(text) - used,
            hyphen ? "-%02x" : "%02x",
            (unsigned)(value->bytes.data == NULL ? 0 : bytes[i]));
    }
    return truth_text(asked, text);
}

static enum vg_reason confirm_texts(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    (void)error;
    *out_matches = truth_texts(owner, record);
    return VG_OK;
}

/* Does one text of the row hold all letters of `words`? */
static bool truth_words(const char *words, const struct fixture_row *row)
{
    for (uint32_t i = 0; i < FIXTURE_TEXTS; i++) {
        bool all = true;
        for (const char *word = words; *word != 0; word++) {
            all = all && strchr(row->texts[i], *word) != NULL;
        }
        if (all) {
            return true;
        }
    }
    return false;
}

static enum vg_reason confirm_words(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    (void)error;
    *out_matches = truth_words(owner, record);
    return VG_OK;
}

/* The record of a hit: a row that is dead has none. */
static enum vg_reason read_record(
    void *owner,
    const struct vg_hit *hit,
    const void **out_record,
    struct vg_error *error)
{
    struct truth *truth = owner;
    struct vg_value uuid;
    struct vg_value updated;
    uint32_t id;
    vg_hit_read(hit, FIX_UUID, &uuid);
    vg_hit_read(hit, FIX_UPDATED, &updated);
    memcpy(&id, uuid.bytes.data, sizeof(id));
    assert_true(id < IDS_MAX && truth->is_live[id]);
    assert_int_equal(updated.number, truth->rows[id].values[FIX_UPDATED].number);
    truth->records_read++;
    *out_record = &truth->rows[id];
    return id == UINT32_MAX ? vg_error_set(error, VG_STORE_CORRUPT, NULL) : VG_OK;
}

static bool truth_absent(enum vg_column_kind kind, const struct vg_value *value)
{
    switch (kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
        return value->number == VG_ABSENT;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_FIXED:
        return value->bytes.data == NULL;
    case VG_COLUMN_NETWORK:
        return value->network.family == 0;
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_NUMBERS:
        return value->numbers.count == 0;
    case VG_COLUMN_HASHES:
        return value->hashes.count == 0;
    case VG_COLUMN_TOKENS:
        return value->tokens.count == 0;
    case VG_COLUMN_TEXTS:
        return value->texts.count == 0;
    case VG_COLUMN_FLAGS:
        break;
    }
    return false;
}

static bool truth_matches(const struct vg_predicate *node, const struct fixture_row *row)
{
    const struct vg_value *value = &row->values[node->column];
    enum vg_column_kind kind = fixture_schema.columns[node->column].kind;
    bool any = false;
    bool all = true;
    switch (node->kind) {
    case VG_PREDICATE_ALL:
        return true;
    case VG_PREDICATE_NONE:
        return false;
    case VG_PREDICATE_AND:
    case VG_PREDICATE_OR:
        for (uint32_t i = 0; i < node->count; i++) {
            bool child = truth_matches(node->children[i], row);
            any = any || child;
            all = all && child;
        }
        return node->kind == VG_PREDICATE_AND ? all : any;
    case VG_PREDICATE_NOT:
        return !truth_matches(node->children[0], row);
    case VG_PREDICATE_RANGE:
        return value->number != VG_ABSENT && value->number >= node->range.min &&
               value->number <= node->range.max;
    case VG_PREDICATE_NUMBER_IN:
        return kind == VG_COLUMN_NUMBERS || kind == VG_COLUMN_SUBJECTS ? truth_list(node, value)
                                                                       : truth_number(node, value);
    case VG_PREDICATE_FLAGS_ALL:
        return (vg_flags_bits(value->number) & node->mask) == node->mask;
    case VG_PREDICATE_FLAGS_ANY:
        return (vg_flags_bits(value->number) & node->mask) != 0;
    case VG_PREDICATE_BYTES_IN:
        return kind == VG_COLUMN_TEXTS ? truth_tags_in(node, value) : truth_bytes(node, value);
    case VG_PREDICATE_PREFIX:
    case VG_PREDICATE_CONTAINS:
        return truth_texts(node->texts.owner, row);
    case VG_PREDICATE_NETWORK:
        return truth_network(node, &value->network);
    case VG_PREDICATE_NETWORKS:
        return truth_networks(node, &value->network);
    case VG_PREDICATE_HASH_IN:
        return truth_hashes(node, value);
    case VG_PREDICATE_TOKENS:
        return truth_words(node->tokens.owner, row);
    case VG_PREDICATE_ABSENT:
        return truth_absent(kind, value);
    case VG_PREDICATE_MARKED:
        break; /* join_test.c */
    }
    return false;
}

/* --- random questions, about values that occur --- */

static const struct vg_predicate *random_number_leaf(struct truth *truth, uint32_t column)
{
    uint64_t *random = &truth->random;
    int64_t numbers[12];
    uint32_t count = 1 + fixture_below(random, 12);
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = truth->rows[fixture_below(random, IDS_MAX)].values[column].number;
    }
    if (fixture_below(random, 3) == 0) {
        return vg_predicate_number_in(&truth->arena, column, numbers, count);
    }
    int64_t min = fixture_below(random, 6) == 0 ? INT64_MIN : numbers[0];
    int64_t max = fixture_below(random, 6) == 0 ? INT64_MAX : numbers[count - 1];
    return vg_predicate_range(&truth->arena, column, min, max);
}

static const struct vg_predicate *random_bytes_leaf(struct truth *truth, uint32_t column)
{
    struct vg_bytes values[10];
    uint32_t count = fixture_below(&truth->random, 10);
    for (uint32_t i = 0; i < count; i++) {
        const struct fixture_row *row = &truth->rows[fixture_below(&truth->random, IDS_MAX)];
        values[i] = row->values[column].bytes.data == NULL ? vg_bytes_text("no such value")
                                                           : row->values[column].bytes;
    }
    return vg_predicate_bytes_in(&truth->arena, column, values, count);
}

static const struct vg_predicate *random_list_leaf(struct truth *truth, uint32_t column)
{
    int64_t numbers[3];
    uint64_t hashes[3];
    uint32_t count = 1 + fixture_below(&truth->random, 3);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = fixture_below(&truth->random, 12);
        numbers[i] = (int64_t)fixture_below(&truth->random, 8);
        hashes[i] = fixture_random(&word);
    }
    return column == FIX_PROPERTIES ? vg_predicate_hash_in(&truth->arena, column, hashes, count)
                                    : vg_predicate_number_in(&truth->arena, column, numbers, count);
}

/* What is asked for, as it is written and folded by hand. */
static const struct fixture_tag wanted_texts[] = {
    { "WEB", "web" },
    { "web-02", "web-02" },
    { "\u00E4P", "\u00E4p" },
    { "\u03C2", "\u03C3" },
    { "aK", "ak" },
    { "\u023A", "\u2C65" },
    { "HOST", "host" },
    { "nature 1", "nature 1" },
    { "E 1", "e 1" },
    { "no such", "no such" },
    { "0", "0" },
    { "0-0", "0-0" },
    { "00", "00" },
};

static const struct vg_predicate *random_contains_leaf(struct truth *truth, uint32_t column)
{
    struct asked_texts *asked = vg_arena_calloc(&truth->arena, 1, sizeof(*asked));
    assert_non_null(asked);
    struct vg_bytes wanted[3];
    char(*pieces)[40] = vg_arena_calloc(&truth->arena, 3, sizeof(*pieces));
    assert_non_null(pieces);
    asked->column = column;
    asked->count = 1 + fixture_below(&truth->random, 3);
    for (uint32_t i = 0; i < asked->count; i++) {
        const struct fixture_tag *text =
            &wanted_texts[fixture_below(&truth->random, VG_ARRAY_COUNT(wanted_texts))];
        wanted[i] = vg_bytes_text(text->text);
        asked->texts[i] = text->folded;
        if (column != FIX_UUID && column != FIX_DIGEST) {
            continue;
        }
        /* Some digits of a row that there is. */
        const uint8_t *uuid = truth->rows[fixture_below(&truth->random, IDS_MAX)].uuid;
        uint32_t first = fixture_below(&truth->random, 10);
        (void)snprintf(
            pieces[i],
            sizeof(pieces[i]),
            "%x%02x-%02x%02x-%02x%02x",
            (unsigned)(uuid[2] & 15),
            (unsigned)uuid[3],
            (unsigned)uuid[4],
            (unsigned)uuid[5],
            (unsigned)uuid[6],
            (unsigned)uuid[7]);
        memmove(pieces[i], pieces[i] + first, strlen(pieces[i]) - first + 1);
        pieces[i][1 + fixture_below(&truth->random, 6)] = '\0';
        asked->texts[i] = pieces[i];
        wanted[i] = vg_bytes_text(pieces[i]);
    }
    return vg_predicate_contains(&truth->arena, column, wanted, asked->count, confirm_texts, asked);
}

static const struct vg_predicate *random_prefix_leaf(struct truth *truth, uint32_t column)
{
    static const char *const prefixes[] = { "host\xFF", "host",        "Sender\xFF",
                                            "sender",   "signature 1", "" };
    struct asked_texts *asked = vg_arena_calloc(&truth->arena, 1, sizeof(*asked));
    assert_non_null(asked);
    *asked = (struct asked_texts){
        .column = column,
        .texts = { prefixes[fixture_below(&truth->random, VG_ARRAY_COUNT(prefixes))] },
        .count = 1,
        .is_prefix = true,
    };
    return vg_predicate_prefix(
        &truth->arena,
        column,
        vg_bytes_text(asked->texts[0]),
        confirm_texts,
        asked);
}

static const struct vg_predicate *random_tags_leaf(struct truth *truth)
{
    struct vg_bytes values[10];
    uint32_t count = fixture_below(&truth->random, 10);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = fixture_below(&truth->random, FIXTURE_TAGS + 1);
        values[i] = vg_bytes_text(number == FIXTURE_TAGS ? "host" : fixture_tags[number].text);
    }
    return vg_predicate_bytes_in(&truth->arena, FIX_TAGS, values, count);
}

static const struct vg_predicate *random_text_leaf(struct truth *truth, uint32_t column)
{
    uint32_t choice = fixture_below(&truth->random, 3);
    if (choice == 0) {
        return random_contains_leaf(truth, column);
    }
    return choice == 1          ? random_prefix_leaf(truth, column)
           : column == FIX_TAGS ? random_tags_leaf(truth)
                                : random_bytes_leaf(truth, column);
}

static const struct vg_predicate *random_words_leaf(struct truth *truth)
{
    char *words = vg_arena_calloc(&truth->arena, 1, 5);
    uint64_t hashes[4];
    uint32_t count = fixture_below(&truth->random, 5);
    assert_non_null(words);
    for (uint32_t i = 0; i < count; i++) {
        words[i] = (char)('a' + fixture_below(&truth->random, 10));
        hashes[i] = fixture_word_hash(words[i]);
    }
    return vg_predicate_tokens(&truth->arena, FIX_WORDS, hashes, count, confirm_words, words);
}

static const struct vg_predicate *random_networks_leaf(
    struct truth *truth,
    uint32_t column,
    int min_bits)
{
    struct asked_set *asked = &asked_sets[asked_set_count++ % SETS_MAX];
    uint32_t count = fixture_below(&truth->random, SET_MEMBERS + 1);
    asked->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct fixture_row *row = &truth->rows[fixture_below(&truth->random, IDS_MAX)];
        if (row->values[column].network.family != 0) {
            asked->members[asked->count++] = row->values[column].network;
        }
    }
    const struct vg_predicate *question =
        vg_predicate_networks(&truth->arena, column, asked->members, asked->count, min_bits);
    assert_non_null(question);
    asked->set = question->networks.set;
    return question;
}

static const struct vg_predicate *random_leaf(struct truth *truth)
{
    uint64_t *random = &truth->random;
    struct vg_arena *arena = &truth->arena;
    uint32_t column = fixture_below(random, FIX_COLUMNS);
    enum vg_column_kind kind = fixture_schema.columns[column].kind;
    if (fixture_below(random, 12) == 0) {
        return fixture_below(random, 2) == 0 ? vg_predicate_all(arena) : vg_predicate_none(arena);
    }
    if (kind != VG_COLUMN_FLAGS && fixture_below(random, 8) == 0) {
        return vg_predicate_absent(arena, column);
    }
    const struct fixture_row *row = &truth->rows[fixture_below(random, IDS_MAX)];
    switch (kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
        return random_number_leaf(truth, column);
    case VG_COLUMN_FLAGS: {
        uint64_t mask = vg_flags_bits(row->values[column].number) | fixture_below(random, 4);
        return fixture_below(random, 2) == 0 ? vg_predicate_flags_all(arena, column, mask)
                                             : vg_predicate_flags_any(arena, column, mask);
    }
    case VG_COLUMN_FIXED:
        return fixture_below(random, 2) == 0 ? random_bytes_leaf(truth, column)
                                             : random_contains_leaf(truth, column);
    case VG_COLUMN_TEXT:
    case VG_COLUMN_TEXTS:
        return random_text_leaf(truth, column);
    case VG_COLUMN_NETWORK: {
        struct vg_network network = row->values[column].network;
        if (network.family == 0) {
            return vg_predicate_absent(arena, column);
        }
        int min_bits = fixture_below(random, 2) == 0 ? -1 : (int)fixture_below(random, 34);
        if (fixture_below(random, 2) == 0) {
            return random_networks_leaf(truth, column, min_bits);
        }
        return vg_predicate_network(arena, column, &network, min_bits);
    }
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_HASHES:
        return random_list_leaf(truth, column);
    case VG_COLUMN_TOKENS:
        return random_words_leaf(truth);
    }
    return NULL;
}

static const struct vg_predicate *random_tree(struct truth *truth, uint32_t depth)
{
    uint32_t choice = fixture_below(&truth->random, depth == 0 ? 1 : 4);
    if (choice == 0) {
        return random_leaf(truth);
    }
    if (choice == 1) {
        return vg_predicate_not(&truth->arena, random_tree(truth, depth - 1));
    }
    const struct vg_predicate *children[4];
    uint32_t count = fixture_below(&truth->random, 5);
    for (uint32_t i = 0; i < count; i++) {
        children[i] = random_tree(truth, depth - 1);
    }
    return choice == 2 ? vg_predicate_and(&truth->arena, children, count)
                       : vg_predicate_or(&truth->arena, children, count);
}

/* --- sorting, again straight from the definition --- */

static const struct vg_sort_key *sort_keys;
static uint32_t sort_key_count;

static int truth_compare_value(uint32_t column, const struct vg_value *a, const struct vg_value *b)
{
    enum vg_column_kind kind = fixture_schema.columns[column].kind;
    if (kind == VG_COLUMN_TEXT || kind == VG_COLUMN_FIXED) {
        if (a->bytes.data == NULL || b->bytes.data == NULL) {
            return (a->bytes.data != NULL) - (b->bytes.data != NULL);
        }
        return vg_bytes_compare(a->bytes, b->bytes);
    }
    if (kind == VG_COLUMN_SUBJECTS) {
        return (a->numbers.items[0] > b->numbers.items[0]) -
               (a->numbers.items[0] < b->numbers.items[0]);
    }
    return (a->number > b->number) - (a->number < b->number);
}

static int truth_compare(const void *left, const void *right)
{
    static const uint32_t id_columns[] = { FIX_TIME, FIX_CUSTOMER, FIX_TYPE, FIX_UUID };
    const struct fixture_row *a = *(const struct fixture_row *const *)left;
    const struct fixture_row *b = *(const struct fixture_row *const *)right;
    bool descending = false;
    for (uint32_t i = 0; i < sort_key_count + 4; i++) {
        uint32_t column = i < sort_key_count ? sort_keys[i].column : id_columns[i - sort_key_count];
        descending = i < sort_key_count ? sort_keys[i].descending : descending;
        int order = truth_compare_value(column, &a->values[column], &b->values[column]);
        if (order != 0) {
            return descending ? -order : order;
        }
    }
    return 0;
}

static void check_hit(const struct vg_hit *hit, const struct fixture_row *row)
{
    for (uint32_t column = 0; column < FIX_COLUMNS; column++) {
        assert_true(fixture_hit_equal(hit, column, &row->values[column]));
    }
}

static uint32_t truth_collect(
    struct truth *truth,
    const struct vg_predicate *where,
    struct fixture_row **out_rows)
{
    uint32_t count = 0;
    for (uint32_t id = 0; id < IDS_MAX; id++) {
        if (truth->is_live[id] && truth_matches(where, &truth->rows[id])) {
            out_rows[count++] = &truth->rows[id];
        }
    }
    return count;
}

/* So that a failure can be understood. */
static void print_tree(const struct vg_predicate *node, int depth)
{
    print_message(
        "%*squestion %d, column %u, %u values\n",
        depth * 2,
        "",
        (int)node->kind,
        (unsigned)node->column,
        (unsigned)node->count);
    bool is_branch = node->kind == VG_PREDICATE_AND || node->kind == VG_PREDICATE_OR ||
                     node->kind == VG_PREDICATE_NOT;
    for (uint32_t i = 0; is_branch && i < node->count; i++) {
        print_tree(node->children[i], depth + 1);
    }
}

static void truth_check_one(struct truth *truth, const struct vg_snapshot *snapshot)
{
    static const uint32_t sortable[] = { FIX_TIME,     FIX_UPDATED,   FIX_ASSESSED, FIX_SEVERITY,
                                         FIX_CUSTOMER, FIX_SIGNATURE, FIX_AMOUNT,   FIX_DIGEST };
    struct vg_sort_key keys[2];
    const struct vg_record_reader reader = { .read = read_record, .owner = truth };
    struct vg_search search = { .sort = keys, .reader = &reader };
    search.where = random_tree(truth, 4);
    search.sort_count = fixture_below(&truth->random, 3);
    for (uint32_t i = 0; i < search.sort_count; i++) {
        keys[i].column = sortable[fixture_below(&truth->random, 8)];
        keys[i].descending = fixture_below(&truth->random, 2) == 0;
    }
    search.limit = fixture_below(&truth->random, 40);
    search.offset = fixture_below(&truth->random, 3) == 0 ? fixture_below(&truth->random, 60) : 0;
    struct vg_search_result result;
    assert_int_equal(vg_search_run(snapshot, &search, &truth->arena, &result, NULL), VG_OK);

    struct fixture_row *expected[IDS_MAX];
    uint32_t count = truth_collect(truth, search.where, expected);
    sort_keys = keys;
    sort_key_count = search.sort_count;
    qsort(expected, count, sizeof(expected[0]), truth_compare);
    if (result.match_count != count) {
        print_tree(search.where, 0);
    }
    assert_int_equal(result.match_count, count);
    uint32_t rest = count > search.offset ? count - (uint32_t)search.offset : 0;
    assert_int_equal(result.hit_count, rest < search.limit ? rest : search.limit);
    for (uint32_t i = 0; i < result.hit_count; i++) {
        check_hit(&result.hits[i], expected[search.offset + i]);
    }
}

/* All rows in passes of a few, none of which counts: they are those of one search, in order. */
static void truth_check_passes(struct truth *truth, const struct vg_snapshot *snapshot)
{
    static const uint32_t sortable[] = { FIX_TYPE,     FIX_UPDATED,   FIX_ASSESSED, FIX_SEVERITY,
                                         FIX_CUSTOMER, FIX_SIGNATURE, FIX_PORT,     FIX_SIGNATURE };
    struct vg_sort_key keys[2];
    const struct vg_record_reader reader = { .read = read_record, .owner = truth };
    struct vg_search search = { .sort = keys, .reader = &reader, .uncounted = true };
    search.where = random_tree(truth, 3);
    search.sort_count = fixture_below(&truth->random, 3);
    for (uint32_t i = 0; i < search.sort_count; i++) {
        keys[i].column = sortable[fixture_below(&truth->random, 8)];
        keys[i].descending = fixture_below(&truth->random, 2) == 0;
    }
    search.limit = 1 + fixture_below(&truth->random, 60);
    struct fixture_row *expected[IDS_MAX];
    uint32_t count = truth_collect(truth, search.where, expected);
    sort_keys = keys;
    sort_key_count = search.sort_count;
    qsort(expected, count, sizeof(expected[0]), truth_compare);
    struct vg_search_result result;
    struct vg_hit last;
    uint32_t seen = 0;
    do {
        assert_int_equal(vg_search_run(snapshot, &search, &truth->arena, &result, NULL), VG_OK);
        assert_true(result.hit_count == search.limit || seen + result.hit_count == count);
        for (uint32_t i = 0; i < result.hit_count; i++) {
            check_hit(&result.hits[i], expected[seen++]);
        }
        if (result.hit_count > 0) {
            last = result.hits[result.hit_count - 1];
            search.after = &last;
        }
    } while (result.hit_count == search.limit);
    assert_int_equal(seen, count);
}

static void truth_check(struct truth *truth, uint32_t searches)
{
    struct vg_snapshot snapshot;
    assert_int_equal(vg_snapshot_acquire(truth->table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    for (uint32_t i = 0; i < searches; i++) {
        truth_check_one(truth, &snapshot);
        vg_arena_reset(&truth->arena);
        if (i % 4 == 0) {
            truth_check_passes(truth, &snapshot);
            vg_arena_reset(&truth->arena);
        }
    }
    vg_snapshot_release(&snapshot);
}

static void run_truth(uint32_t chunk_rows, uint64_t seed)
{
    struct truth truth;
    print_message("seed %llu, chunks of %u\n", (unsigned long long)seed, (unsigned)chunk_rows);
    truth_setup(&truth, chunk_rows, seed);
    for (uint32_t id = 0; id < IDS_MAX; id++) {
        fixture_fill(&truth.rows[id], id, fixture_random(&truth.random), 1800000000000);
    }
    for (uint32_t round = 0; round < 6; round++) {
        for (uint32_t batch = 0; batch < 4; batch++) {
            truth_change(&truth, 1 + fixture_below(&truth.random, 60));
        }
        truth_check(&truth, 120);
        if (round % 2 == 1) {
            (void)fixture_checkpoint(truth.table, round == 3);
            truth_check(&truth, 120);
        }
    }
    truth_teardown(&truth);
}

static void test_search__agrees_with_brute_force_on_small_chunks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run_truth(5, seed);
        run_truth(64, seed + 100);
    }
}

static void test_search__agrees_with_brute_force_on_large_chunks(void **state)
{
    (void)state;
    run_truth(130, 21);
    run_truth(VG_TABLE_CHUNK_ROWS_MAX, 22);
}

/* --- networks: the table of events-api.md 4.2 --- */

static void test_search__networks_match_as_documented(void **state)
{
    (void)state;
    static const struct {
        const char *wanted;
        int min_bits;
        const char *stored;
        bool matches;
    } cases[] = {
        { "192.168.1.32/28", -1, "192.168.1.32/28", true },
        { "192.168.1.32/28", -1, "192.168.1.33", true },
        { "192.168.1.32/28", -1, "192.168.1.40/29", true },
        { "192.168.1.32/28", -1, "192.168.1.0/24", true },
        { "192.168.1.32/28", -1, "0.0.0.0/0", true },
        { "192.168.1.32/28", -1, "192.168.1.48/28", false },
        { "192.168.1.0/24", 20, "192.168.0.0/20", true },
        { "192.168.1.0/24", 20, "192.168.0.0/19", false },
        { "192.168.1.0/24", 20, "192.168.1.77", true },
        { "10.0.0.0/8", 20, "10.0.0.0/8", true },
        { "10.0.0.0/8", 20, "10.1.0.0/16", false },
        { "10.0.0.0/8", 20, "10.1.2.0/24", true },
        { "10.1.2.3", 32, "10.1.2.0/24", false },
        { "10.0.0.0/8", 33, "10.1.2.3", false }, /* no address of IPv4 has so many bits */
        { "10.1.2.3", 33, "10.1.2.3", true },
        { "0.0.0.0/0", -1, "1.2.3.4", true },
        { "0.0.0.0/0", -1, "2001:db8::1", false },
        { "::/0", -1, "2001:db8::1", true },
        { "::/0", -1, "1.2.3.4", false },
        { "2001:db8::/32", 20, "2001:d00::/24", true },
        { "2001:db8::/32", 33, "2001:db8::/32", true },
        { "::ffff:10.0.0.1", -1, "10.0.0.1", true },
        { "10.0.0.1", -1, NULL, false },
        { "::/0", -1, NULL, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[64];
        fixture_make_folder(path);
        struct vg_table_config config = fixture_config(path, &vg_clock_real, 8);
        struct vg_table *table = fixture_open(&config);
        struct fixture_row row;
        fixture_fill(&row, 1, 1, 1);
        memset(&row.values[FIX_SOURCE].network, 0, sizeof(struct vg_network));
        if (cases[i].stored != NULL) {
            assert_true(
                vg_network_parse(vg_bytes_text(cases[i].stored), &row.values[FIX_SOURCE].network));
        }
        fixture_put(table, &row, 1);
        for (int sealed = 0; sealed < 2; sealed++) {
            struct vg_arena arena;
            struct vg_network wanted;
            struct vg_snapshot snapshot;
            struct vg_search_result result;
            vg_arena_init(&arena, 1u << 20);
            assert_true(vg_network_parse(vg_bytes_text(cases[i].wanted), &wanted));
            struct vg_search search = { 0 };
            search.where = vg_predicate_network(&arena, FIX_SOURCE, &wanted, cases[i].min_bits);
            assert_int_equal(
                vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL),
                VG_OK);
            assert_int_equal(vg_search_run(&snapshot, &search, &arena, &result, NULL), VG_OK);
            assert_int_equal(result.match_count, cases[i].matches);
            vg_snapshot_release(&snapshot);
            vg_arena_dispose(&arena);
            (void)fixture_checkpoint(table, true);
        }
        fixture_close(table);
        fixture_remove_folder(path);
    }
}

/* --- passes, limits, cancelling --- */

static void test_search__after_continues_where_a_page_ended(void **state)
{
    (void)state;
    struct truth truth;
    truth_setup(&truth, 7, 5);
    for (uint32_t batch = 0; batch < 12; batch++) {
        truth_change(&truth, 40);
    }
    struct vg_snapshot snapshot;
    const struct vg_sort_key key = { .column = FIX_SEVERITY, .descending = true };
    struct vg_search search = { .sort = &key, .sort_count = 1, .limit = 100000 };
    struct vg_search_result all;
    struct vg_search_result page;
    assert_int_equal(vg_snapshot_acquire(truth.table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    search.where = vg_predicate_all(&truth.arena);
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &all, NULL), VG_OK);
    assert_true(all.hit_count > 50);
    search.limit = 17;
    uint32_t seen = 0;
    struct vg_hit last;
    do {
        assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &page, NULL), VG_OK);
        assert_int_equal(page.match_count, all.match_count);
        for (uint32_t i = 0; i < page.hit_count; i++) {
            assert_ptr_equal(page.hits[i].chunk, all.hits[seen].chunk);
            assert_int_equal(page.hits[i].position, all.hits[seen].position);
            seen++;
        }
        if (page.hit_count > 0) {
            last = page.hits[page.hit_count - 1];
            search.after = &last;
        }
    } while (page.hit_count > 0);
    assert_int_equal(seen, all.hit_count);
    vg_snapshot_release(&snapshot);
    truth_teardown(&truth);
}

/* --- words: narrowed by hashes, decided by records --- */

static enum vg_reason fail_to_confirm(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    (void)owner;
    (void)record;
    *out_matches = true;
    return vg_error_set(error, VG_STORE_CORRUPT, NULL);
}

static enum vg_reason stop_later(void *owner, struct vg_error *error)
{
    uint32_t *left = owner;
    return (*left)-- == 0 ? vg_error_set(error, VG_DEADLINE_EXCEEDED, NULL) : VG_OK;
}

static void test_search__words_are_confirmed_last_and_may_fail(void **state)
{
    (void)state;
    struct truth truth;
    truth_setup(&truth, 64, 5);
    for (uint32_t batch = 0; batch < 8; batch++) {
        truth_change(&truth, 50);
    }
    struct vg_snapshot snapshot;
    struct vg_search_result result;
    assert_int_equal(vg_snapshot_acquire(truth.table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    const uint64_t hash = fixture_word_hash('i');
    const struct vg_predicate *word =
        vg_predicate_tokens(&truth.arena, FIX_WORDS, &hash, 1, confirm_words, "i");
    const struct vg_predicate *both[] = { word,
                                          vg_predicate_range(&truth.arena, FIX_SEVERITY, 2, 2) };
    const struct vg_record_reader reader = { .read = read_record, .owner = &truth };
    struct vg_search search = { .where = word };
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_INTERNAL);

    /* Only rows the hashes leave over are read, and j shares the hash of i. */
    search.reader = &reader;
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_OK);
    uint32_t alone = truth.records_read;
    assert_true(result.match_count < alone);
    assert_true(alone < vg_snapshot_row_count(&snapshot, 0));
    truth.records_read = 0;
    search.where = vg_predicate_and(&truth.arena, both, 2);
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_OK);
    assert_true(truth.records_read > 0 && truth.records_read < alone / 2);

    search.where = vg_predicate_not(
        &truth.arena,
        vg_predicate_tokens(&truth.arena, FIX_WORDS, &hash, 1, fail_to_confirm, NULL));
    assert_int_equal(
        vg_search_run(&snapshot, &search, &truth.arena, &result, NULL),
        VG_STORE_CORRUPT);

    /* Within one chunk: the first question is the chunk's, the second the first record's. */
    uint32_t left = 1;
    search.where = word;
    search.check = stop_later;
    search.owner = &left;
    assert_int_equal(
        vg_search_run(&snapshot, &search, &truth.arena, &result, NULL),
        VG_DEADLINE_EXCEEDED);
    vg_snapshot_release(&snapshot);
    truth_teardown(&truth);
}

static enum vg_reason cancel(void *owner, struct vg_error *error)
{
    uint32_t *left = owner;
    return (*left)-- == 0 ? vg_error_set(error, VG_CANCELLED, NULL) : VG_OK;
}

static void test_search__limits_and_cancelling(void **state)
{
    (void)state;
    struct truth truth;
    truth_setup(&truth, 7, 5);
    truth_change(&truth, 40);
    struct vg_snapshot snapshot;
    struct vg_search_result result;
    assert_int_equal(vg_snapshot_acquire(truth.table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    struct vg_search search = { .where = vg_predicate_all(&truth.arena) };
    search.limit = VG_LIMIT_SEARCH_ROWS;
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_OK);
    search.offset = 1;
    assert_int_equal(
        vg_search_run(&snapshot, &search, &truth.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    search.limit = 10;
    search.offset = VG_LIMIT_SEARCH_ROWS - 10;
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_OK);
    assert_int_equal(result.hit_count, 0);
    search.offset++;
    assert_int_equal(
        vg_search_run(&snapshot, &search, &truth.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    /* Only the count: the offset does not matter. */
    search.limit = 0;
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_OK);
    assert_true(result.match_count > 0);

    uint32_t left = 2;
    search.check = cancel;
    search.owner = &left;
    assert_int_equal(vg_search_run(&snapshot, &search, &truth.arena, &result, NULL), VG_CANCELLED);
    search.check = NULL;

    struct vg_arena tiny;
    vg_arena_init(&tiny, 4096);
    assert_int_equal(vg_search_run(&snapshot, &search, &tiny, &result, NULL), VG_REQUEST_MEMORY);
    vg_arena_dispose(&tiny);
    vg_snapshot_release(&snapshot);
    truth_teardown(&truth);
}

static void test_predicate__limits_of_nodes_and_depth(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 8u << 20);
    const struct vg_predicate *leaf = vg_predicate_all(&arena);
    const struct vg_predicate *children[VG_PREDICATE_NODES_MAX];
    for (uint32_t i = 0; i < VG_PREDICATE_NODES_MAX; i++) {
        children[i] = leaf;
    }
    const struct vg_predicate *wide = vg_predicate_or(&arena, children, VG_PREDICATE_NODES_MAX - 1);
    assert_int_equal(vg_predicate_check(wide, &fixture_schema, NULL), VG_OK);
    wide = vg_predicate_or(&arena, children, VG_PREDICATE_NODES_MAX);
    assert_int_equal(vg_predicate_check(wide, &fixture_schema, NULL), VG_RESOURCE_LIMIT);

    const struct vg_predicate *deep = leaf;
    for (uint32_t i = 1; i < VG_PREDICATE_DEPTH_MAX; i++) {
        deep = vg_predicate_not(&arena, deep);
    }
    assert_int_equal(vg_predicate_check(deep, &fixture_schema, NULL), VG_OK);
    deep = vg_predicate_not(&arena, deep);
    assert_int_equal(vg_predicate_check(deep, &fixture_schema, NULL), VG_RESOURCE_LIMIT);

    assert_int_equal(
        vg_predicate_check(vg_predicate_flags_any(&arena, FIX_SIGNATURE, 1), &fixture_schema, NULL),
        VG_INTERNAL);
    assert_int_equal(
        vg_predicate_check(vg_predicate_range(&arena, FIX_COLUMNS, 0, 1), &fixture_schema, NULL),
        VG_INTERNAL);
    assert_null(vg_predicate_not(&arena, NULL));
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search__agrees_with_brute_force_on_small_chunks),
        cmocka_unit_test(test_search__agrees_with_brute_force_on_large_chunks),
        cmocka_unit_test(test_search__networks_match_as_documented),
        cmocka_unit_test(test_search__after_continues_where_a_page_ended),
        cmocka_unit_test(test_search__words_are_confirmed_last_and_may_fail),
        cmocka_unit_test(test_search__limits_and_cancelling),
        cmocka_unit_test(test_predicate__limits_of_nodes_and_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
