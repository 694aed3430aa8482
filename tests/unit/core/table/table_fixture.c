#include "tests/unit/core/table/table_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/table/chunk.h"

/* Distinct hashes of FIX_PROPERTIES. */
#define PROPERTY_WORDS 12u

/* clang-format off */
static const struct vg_column columns[FIX_COLUMNS] = {
    [FIX_TIME]        = { "timestamp",   VG_COLUMN_TIME,     0,  VG_COLUMN_ID },
    [FIX_CUSTOMER]    = { "customer",    VG_COLUMN_SUBJECTS, 0,  VG_COLUMN_ID },
    [FIX_TYPE]        = { "type",        VG_COLUMN_NUMBER,   1,  VG_COLUMN_ID },
    [FIX_UUID]        = { "uuid",        VG_COLUMN_FIXED,    16, VG_COLUMN_ID },
    [FIX_UPDATED]     = { "updated",     VG_COLUMN_TIME,     0,  0 },
    [FIX_ASSESSED]    = { "assessed",    VG_COLUMN_TIME,     0,  0 },
    [FIX_SEVERITY]    = { "severity",    VG_COLUMN_NUMBER,   1,  0 },
    [FIX_PORT]        = { "port",        VG_COLUMN_NUMBER,   4,  0 },
    [FIX_COUNT]       = { "count",       VG_COLUMN_NUMBER,   2,  0 },
    [FIX_AMOUNT]      = { "amount",      VG_COLUMN_NUMBER,   8,  0 },
    [FIX_FLAGS]       = { "flags",       VG_COLUMN_FLAGS,    0,  0 },
    [FIX_SIGNATURE]   = { "signature",   VG_COLUMN_TEXT,     0,  VG_COLUMN_FOLDED },
    [FIX_SOURCE]      = { "source",      VG_COLUMN_NETWORK,  0,  0 },
    [FIX_DESTINATION] = { "destination", VG_COLUMN_NETWORK,  0,  0 },
    [FIX_DIGEST]      = { "digest",      VG_COLUMN_FIXED,    32, 0 },
    [FIX_CASES]       = { "cases",       VG_COLUMN_NUMBERS,  0,  0 },
    [FIX_PROPERTIES]  = { "properties",  VG_COLUMN_HASHES,   0,  0 },
    [FIX_WORDS]       = { "words",       VG_COLUMN_TOKENS,   0,  0 },
    [FIX_TAGS]        = { "tags",        VG_COLUMN_TEXTS,    0,  VG_COLUMN_FOLDED },
};
/* clang-format on */

const struct fixture_tag fixture_tags[FIXTURE_TAGS] = {
    { "host\xFFWeb-01", "host\xFFweb-01" },
    { "host\xFFWeb-02", "host\xFFweb-02" },
    { "host\xFF\u00C4pfel", "host\xFF\u00E4pfel" },
    { "hosts\xFFWeb-01", "hosts\xFFweb-01" },
    { "Sender\xFF\u03A3\u0399\u03C3\u03C5\u03C6\u03BF\u03C2",
      "sender\xFF\u03C3\u03B9\u03C3\u03C5\u03C6\u03BF\u03C3" },
    { "Sender\xFF\u023Aa\u212A", "sender\xFF\u2C65ak" },
    { "empty\xFF", "empty\xFF" },
};

const struct vg_table_schema fixture_schema = {
    .name = "things",
    .columns = columns,
    .column_count = FIX_COLUMNS,
    .version = 1,
};

uint64_t fixture_random(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

/* Few distinct networks, of all lengths, so that searches hit, cover and miss. */
static struct vg_network make_network(uint64_t *state)
{
    struct vg_network network = { 0 };
    static const uint8_t bits_4[] = { 32, 32, 32, 24, 28, 20, 16, 8, 0 };
    static const uint8_t bits_6[] = { 128, 128, 64, 48, 32, 24, 0 };
    uint32_t choice = fixture_below(state, 10);
    if (choice == 0) {
        return network;
    }
    uint32_t whole;
    if (choice < 8) {
        network.family = VG_NETWORK_IPV4;
        network.bits = bits_4[fixture_below(state, sizeof(bits_4))];
        network.address[0] = 10;
        network.address[1] = (uint8_t)fixture_below(state, 2);
        network.address[2] = (uint8_t)(fixture_below(state, 3) * 16);
        network.address[3] = (uint8_t)(fixture_below(state, 8) * 9);
        whole = 4;
    } else {
        network.family = VG_NETWORK_IPV6;
        network.bits = bits_6[fixture_below(state, sizeof(bits_6))];
        network.address[0] = 0x20;
        network.address[1] = 0x01;
        network.address[3] = (uint8_t)fixture_below(state, 2);
        network.address[7] = (uint8_t)fixture_below(state, 2);
        network.address[15] = (uint8_t)fixture_below(state, 3);
        whole = 16;
    }
    for (uint32_t bit = network.bits; bit < whole * 8; bit++) {
        network.address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    }
    return network;
}

static void fill_lists(struct fixture_row *row, uint64_t *state)
{
    uint32_t count = fixture_below(state, 4);
    for (uint32_t i = 0; i < count; i++) {
        row->cases[i] = (int64_t)fixture_below(state, 6) + 1;
    }
    row->values[FIX_CASES].numbers.items = row->cases;
    row->values[FIX_CASES].numbers.count = count;
    count = fixture_below(state, 8);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = fixture_below(state, PROPERTY_WORDS);
        row->properties[i] = fixture_random(&word);
    }
    row->values[FIX_PROPERTIES].hashes.items = row->properties;
    row->values[FIX_PROPERTIES].hashes.count = count;
}

uint64_t fixture_word_hash(char letter)
{
    uint64_t state = letter == 'j' ? 'i' : (uint64_t)letter;
    return (fixture_random(&state) & ~(uint64_t)255) | (uint64_t)letter;
}

/* Up to three texts of up to seven words; now and then the list that stands for too many words, and
 * texts that are the 64th and 65th of the row. */
static void fill_words(struct fixture_row *row, uint64_t *state)
{
    uint32_t texts = fixture_below(state, FIXTURE_TEXTS + 1);
    uint32_t first = fixture_below(state, 4) == 0 ? VG_TOKEN_ORDINAL_MAX - 1 : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < texts; i++) {
        uint32_t words = fixture_below(state, 8);
        for (uint32_t w = 0; w < words; w++) {
            row->texts[i][w] = (char)('a' + fixture_below(state, 10));
            row->tokens[count++] = vg_token_element(fixture_word_hash(row->texts[i][w]), first + i);
        }
    }
    if (fixture_below(state, 10) == 0) {
        row->tokens[0] = VG_TOKEN_ANY;
        count = 1;
    }
    row->values[FIX_WORDS].tokens.items = row->tokens;
    row->values[FIX_WORDS].tokens.count = count;
}

static void fill_tags(struct fixture_row *row, uint64_t *state)
{
    uint32_t count = fixture_below(state, FIXTURE_TAGS_OF_ROW + 1);
    for (uint32_t i = 0; i < count; i++) {
        row->tag_numbers[i] = fixture_below(state, FIXTURE_TAGS);
        row->tags[i] = vg_bytes_text(fixture_tags[row->tag_numbers[i]].text);
    }
    row->values[FIX_TAGS].texts.items = row->tags;
    row->values[FIX_TAGS].texts.count = count;
}

void fixture_fill(struct fixture_row *row, uint32_t id, uint64_t seed, vg_time updated)
{
    memset(row, 0, sizeof(*row));
    struct vg_value *values = row->values;
    row->row.values = values;
    uint64_t state = id;
    values[FIX_TIME].number = INT64_C(1700000000000) + (int64_t)(id / 2) * 1000;
    row->customer = 1 + (int64_t)(fixture_random(&state) % 5);
    values[FIX_CUSTOMER].numbers.items = &row->customer;
    values[FIX_CUSTOMER].numbers.count = 1;
    values[FIX_TYPE].number = id % 2;
    for (uint32_t i = 0; i < 16; i++) {
        row->uuid[i] = (uint8_t)fixture_random(&state);
    }
    memcpy(row->uuid, &id, sizeof(id));
    values[FIX_UUID].bytes = vg_bytes(row->uuid, 16);
    values[FIX_UPDATED].number = updated;

    state = seed;
    bool absent = fixture_below(&state, 3) == 0;
    values[FIX_ASSESSED].number =
        absent ? VG_ABSENT : INT64_C(1600000000000) + fixture_below(&state, 100);
    values[FIX_SEVERITY].number = fixture_below(&state, 4);
    absent = fixture_below(&state, 4) == 0;
    values[FIX_PORT].number = absent ? VG_ABSENT : (int64_t)fixture_below(&state, 6) * 13107;
    values[FIX_COUNT].number = fixture_below(&state, 10);
    values[FIX_AMOUNT].number = (int64_t)fixture_below(&state, 10) - 5;
    values[FIX_FLAGS].number = vg_flags_number(
        (UINT64_C(1) << fixture_below(&state, 64)) | (UINT64_C(1) << fixture_below(&state, 4)));
    absent = fixture_below(&state, 8) == 0;
    (void)snprintf(
        row->signature,
        sizeof(row->signature),
        "signature %u",
        (unsigned)fixture_below(&state, 12));
    values[FIX_SIGNATURE].bytes = absent ? vg_bytes(NULL, 0) : vg_bytes_text(row->signature);
    values[FIX_SOURCE].network = make_network(&state);
    values[FIX_DESTINATION].network = make_network(&state);
    absent = fixture_below(&state, 3) == 0;
    row->digest[31] = (uint8_t)(1 + fixture_below(&state, 3));
    values[FIX_DIGEST].bytes = absent ? vg_bytes(NULL, 0) : vg_bytes(row->digest, 32);
    fill_lists(row, &state);
    fill_words(row, &state);
    fill_tags(row, &state);
}

bool fixture_equal(uint32_t column, const struct vg_value *a, const struct vg_value *b)
{
    switch (columns[column].kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_FLAGS:
        return a->number == b->number;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_FIXED:
        return (a->bytes.data == NULL) == (b->bytes.data == NULL) &&
               vg_bytes_equal(a->bytes, b->bytes);
    case VG_COLUMN_NETWORK:
        return vg_network_equal(&a->network, &b->network);
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_NUMBERS:
        return a->numbers.count == b->numbers.count &&
               (a->numbers.count == 0 ||
                memcmp(a->numbers.items, b->numbers.items, a->numbers.count * sizeof(int64_t)) ==
                    0);
    case VG_COLUMN_HASHES:
        return a->hashes.count == b->hashes.count &&
               (a->hashes.count == 0 ||
                memcmp(a->hashes.items, b->hashes.items, a->hashes.count * sizeof(uint64_t)) == 0);
    case VG_COLUMN_TEXTS: {
        bool same = a->texts.count == b->texts.count;
        for (uint32_t i = 0; same && i < a->texts.count; i++) {
            same = vg_bytes_equal(a->texts.items[i], b->texts.items[i]);
        }
        return same;
    }
    case VG_COLUMN_TOKENS:
        return a->tokens.count == b->tokens.count &&
               (a->tokens.count == 0 ||
                memcmp(a->tokens.items, b->tokens.items, a->tokens.count * sizeof(uint32_t)) == 0);
    }
    return false;
}

/* Hashes of sealed rows cannot be read back, so each one there is is asked for. */
static bool has_hashes(const struct vg_hit *hit, uint32_t column, const struct vg_value *expected)
{
    for (uint64_t word = 0; word < PROPERTY_WORDS; word++) {
        uint64_t state = word;
        uint64_t hash = fixture_random(&state);
        bool wanted = false;
        for (uint32_t i = 0; i < expected->hashes.count; i++) {
            wanted |= expected->hashes.items[i] == hash;
        }
        if (vg_chunk_has_hash(hit->chunk, column, hit->position, hash) != wanted) {
            return false;
        }
    }
    return true;
}

static bool has_tags(const struct vg_hit *hit, uint32_t column, const struct vg_value *expected)
{
    struct vg_value stored;
    vg_hit_read(hit, column, &stored);
    bool same = stored.text_ids.count == expected->texts.count;
    for (uint32_t i = 0; same && i < expected->texts.count; i++) {
        same = vg_bytes_equal(
            vg_chunk_text(hit->chunk, column, stored.text_ids.items[i]),
            expected->texts.items[i]);
    }
    return same;
}

bool fixture_hit_equal(const struct vg_hit *hit, uint32_t column, const struct vg_value *expected)
{
    struct vg_value value;
    if (columns[column].kind == VG_COLUMN_HASHES) {
        return has_hashes(hit, column, expected);
    }
    if (columns[column].kind == VG_COLUMN_TEXTS) {
        return has_tags(hit, column, expected);
    }
    vg_hit_read(hit, column, &value);
    return fixture_equal(column, &value, expected);
}

void fixture_make_folder(char path[64])
{
    (void)snprintf(path, 64, "/tmp/vigil-table-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void fixture_remove_folder(const char *path)
{
    (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

struct vg_table_config fixture_config(
    const char *path,
    const struct vg_clock *clock,
    uint32_t chunk_rows)
{
    static const struct vg_table_schema *const schemas[] = { &fixture_schema };
    struct vg_table_config config = {
        .path = path,
        .schemas = schemas,
        .kind_count = 1,
        .clock = clock,
        .limits = { .chunk_rows = chunk_rows },
    };
    memset(config.store_id, 7, sizeof(config.store_id));
    memset(config.secret, 9, sizeof(config.secret));
    return config;
}

static enum vg_reason replay_nothing(
    void *owner,
    uint64_t after,
    struct vg_table_replay *replay,
    struct vg_error *error)
{
    (void)owner;
    (void)after;
    (void)replay;
    (void)error;
    return VG_OK;
}

static enum vg_reason load_nothing(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists,
    struct vg_error *error)
{
    (void)owner;
    (void)kind;
    (void)id;
    (void)row;
    (void)out_exists;
    return vg_error_set(error, VG_INTERNAL, "there is nothing to load");
}

static enum vg_reason scan_nothing(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    (void)owner;
    (void)rebuild;
    (void)error;
    return VG_OK;
}

const struct vg_table_source fixture_nothing = {
    .replay = replay_nothing,
    .load = load_nothing,
    .scan = scan_nothing,
};

struct vg_table *fixture_open(const struct vg_table_config *config)
{
    struct vg_table *table;
    struct vg_table_started started;
    const struct vg_table_start start = { .source = &fixture_nothing };
    assert_int_equal(vg_table_open(config, &table, NULL), VG_OK);
    assert_int_equal(vg_table_start(table, &start, &started, NULL), VG_OK);
    return table;
}

void fixture_close(struct vg_table *table)
{
    vg_table_stop(table);
    assert_true(vg_table_is_drained(table));
    vg_table_close(table);
}

void fixture_put(struct vg_table *table, const struct fixture_row *rows, uint32_t count)
{
    struct vg_table_change *changes = calloc(count, sizeof(*changes));
    assert_non_null(changes);
    for (uint32_t i = 0; i < count; i++) {
        changes[i].row = &rows[i].row;
    }
    assert_int_equal(vg_table_prepare(table, changes, count, NULL), VG_OK);
    vg_table_publish(table, vg_table_sequence(table) + 1, NULL);
    vg_table_maintain(table);
    free(changes);
}

uint64_t fixture_checkpoint(struct vg_table *table, bool close_tail)
{
    struct vg_checkpoint *checkpoint;
    assert_int_equal(vg_table_checkpoint_begin(table, close_tail, &checkpoint, NULL), VG_OK);
    assert_int_equal(vg_checkpoint_run(checkpoint, NULL), VG_OK);
    return vg_table_checkpoint_finish(table, checkpoint);
}
