#include "tests/unit/core/table/search_truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"

void truth_setup(struct truth *truth, uint32_t chunk_rows, uint64_t seed)
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

void truth_teardown(struct truth *truth)
{
    fixture_close(truth->table);
    fixture_remove_folder(truth->path);
    vg_arena_dispose(&truth->arena);
    free(truth->rows);
}

void truth_change(struct truth *truth, uint32_t count)
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

enum vg_reason truth_confirm_words(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error)
{
    (void)error;
    *out_matches = truth_words(owner, record);
    return VG_OK;
}

enum vg_reason truth_read_record(
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

bool truth_matches(const struct vg_predicate *node, const struct fixture_row *row)
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
    return vg_predicate_tokens(&truth->arena, FIX_WORDS, hashes, count, truth_confirm_words, words);
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

const struct vg_predicate *truth_random_tree(struct truth *truth, uint32_t depth)
{
    uint32_t choice = fixture_below(&truth->random, depth == 0 ? 1 : 4);
    if (choice == 0) {
        return random_leaf(truth);
    }
    if (choice == 1) {
        return vg_predicate_not(&truth->arena, truth_random_tree(truth, depth - 1));
    }
    const struct vg_predicate *children[4];
    uint32_t count = fixture_below(&truth->random, 5);
    for (uint32_t i = 0; i < count; i++) {
        children[i] = truth_random_tree(truth, depth - 1);
    }
    return choice == 2 ? vg_predicate_and(&truth->arena, children, count)
                       : vg_predicate_or(&truth->arena, children, count);
}
