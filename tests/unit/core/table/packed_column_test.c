/*
 * Packed columns: how few bytes each column of a sealed chunk takes, at the limit of every form and
 * one past it; that rows read the same and questions are answered the same as before they were
 * packed; and that files of another version are not believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/chunk_file.h"
#include "tests/unit/core/table/table_fixture.h"

/* Two chunks: what the second one holds does not begin where dictionaries do. */
#define CHUNK_ROWS 700u
#define ROWS       (2 * CHUNK_ROWS)

static int64_t many_cases[VG_ROW_LIST_MAX];

/* One form of one column. */
struct form {
    const char *name;
    uint32_t column;
    void (*fill)(struct fixture_row *row, uint32_t id);
    uint8_t value_size;
    bool one_value;
    bool one_code;
    enum { LISTS_NONE, LISTS_STEPS, LISTS_WIDE } lists;
};

struct packed {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct fixture_row *rows;
    struct vg_arena arena;
    struct vg_snapshot snapshot;
    struct vg_search_result result;
};

static void acquire(struct packed *packed)
{
    const struct vg_search all = {
        .where = vg_predicate_all(&packed->arena),
        .limit = ROWS,
    };
    assert_int_equal(vg_snapshot_acquire(packed->table, 60000, &packed->snapshot, NULL), VG_OK);
    assert_int_equal(
        vg_search_run(&packed->snapshot, &all, &packed->arena, &packed->result, NULL),
        VG_OK);
    assert_int_equal(packed->result.hit_count, ROWS);
}

static void open_rows(struct packed *packed, const struct form *form)
{
    *packed = (struct packed){ 0 };
    packed->rows = calloc(ROWS, sizeof(*packed->rows));
    assert_non_null(packed->rows);
    vg_arena_init(&packed->arena, 64u << 20);
    fixture_make_folder(packed->path);
    packed->config = fixture_config(packed->path, &vg_clock_real, CHUNK_ROWS);
    packed->table = fixture_open(&packed->config);
    for (uint32_t id = 0; id < ROWS; id++) {
        fixture_fill(&packed->rows[id], id, id, 1800000000000);
        if (form != NULL) {
            form->fill(&packed->rows[id], id);
        }
        fixture_put(packed->table, &packed->rows[id], 1);
    }
}

static void close_rows(struct packed *packed)
{
    vg_snapshot_release(&packed->snapshot);
    fixture_close(packed->table);
    fixture_remove_folder(packed->path);
    vg_arena_dispose(&packed->arena);
    free(packed->rows);
}

/* --- forms --- */

static void set_amount(struct fixture_row *row, int64_t number)
{
    row->values[FIX_AMOUNT].number = number;
}

static void set_signature(struct fixture_row *row, uint32_t number)
{
    (void)snprintf(row->signature, sizeof(row->signature), "signature %u", (unsigned)number);
    row->values[FIX_SIGNATURE].bytes = vg_bytes_text(row->signature);
}

static void set_cases(struct fixture_row *row, uint32_t count)
{
    row->values[FIX_CASES].numbers.items = many_cases;
    row->values[FIX_CASES].numbers.count = count;
}

/* The n-th of up to 64 flags, far apart. */
static void set_flag(struct fixture_row *row, uint32_t id, uint32_t flags)
{
    row->values[FIX_FLAGS].number = vg_flags_number(UINT64_C(1) << (id % flags) * 29 % 64);
}

static void set_host(struct fixture_row *row, uint32_t host)
{
    row->values[FIX_SOURCE].network = (struct vg_network){
        .family = VG_NETWORK_IPV4,
        .bits = 32,
        .address = { 10, 0, (uint8_t)(host >> 8), (uint8_t)host },
    };
}

static void set_host_6(struct fixture_row *row, uint32_t host)
{
    row->values[FIX_SOURCE].network = (struct vg_network){
        .family = VG_NETWORK_IPV6,
        .bits = 128,
        .address = { 0xFD, [14] = (uint8_t)(host >> 8), [15] = (uint8_t)host },
    };
}

#define FORM(name, statement)                                                                      \
    static void name(struct fixture_row *row, uint32_t id)                                         \
    {                                                                                              \
        (void)id;                                                                                  \
        statement;                                                                                 \
    }

FORM(amounts_255, set_amount(row, (int64_t)(id % 255) - 100))
FORM(amounts_256, set_amount(row, (int64_t)(id % 256) - 100))
FORM(amounts_16, set_amount(row, id % 2 == 0 ? -9 : -9 + UINT16_MAX - 1))
FORM(amounts_17, set_amount(row, id % 2 == 0 ? -9 : -9 + UINT16_MAX))
FORM(amounts_32, set_amount(row, id % 2 == 0 ? -9 : -9 + (int64_t)UINT32_MAX - 1))
FORM(amounts_33, set_amount(row, id % 2 == 0 ? -9 : -9 + (int64_t)UINT32_MAX))
FORM(amounts_64, set_amount(row, id % 2 == 0 ? INT64_MIN + 1 : INT64_MAX))
FORM(amounts_some, set_amount(row, id % 3 == 0 ? VG_ABSENT : 7))
FORM(amounts_none, set_amount(row, VG_ABSENT))
FORM(amounts_same, set_amount(row, 7))
FORM(times_same, row->values[FIX_ASSESSED].number = INT64_C(1700000000000))
FORM(counts_same, row->values[FIX_COUNT].number = 65534)
FORM(texts_255, set_signature(row, id < CHUNK_ROWS ? id : 100000 + id % 255))
FORM(texts_256, set_signature(row, id < CHUNK_ROWS ? id : 100000 + id % 256))
FORM(texts_some, {
    set_signature(row, id < CHUNK_ROWS ? id : 100000 + id % 255);
    if (id >= CHUNK_ROWS && id % 3 == 0) {
        row->values[FIX_SIGNATURE].bytes = vg_bytes(NULL, 0);
    }
})
FORM(texts_same, set_signature(row, id < CHUNK_ROWS ? id : 100000))
FORM(texts_none, row->values[FIX_SIGNATURE].bytes = vg_bytes(NULL, 0))
FORM(flags_8, set_flag(row, id, 8))
FORM(flags_9, set_flag(row, id, 9))
FORM(flags_16, set_flag(row, id, 16))
FORM(flags_17, set_flag(row, id, 17))
FORM(flags_32, set_flag(row, id, 32))
FORM(flags_33, set_flag(row, id, 33))
FORM(flags_same, set_flag(row, 63, 64))
FORM(flags_none, row->values[FIX_FLAGS].number = 0)
FORM(hosts, set_host(row, id))
FORM(hosts_same, set_host(row, 9))
FORM(hosts_none, memset(&row->values[FIX_SOURCE].network, 0, sizeof(struct vg_network)))
FORM(hosts_6, set_host_6(row, id))
FORM(hosts_both, id % 2 == 0 ? set_host(row, id) : set_host_6(row, id))
FORM(digests_none, row->values[FIX_DIGEST].bytes = vg_bytes(NULL, 0))
FORM(digests_same, {
    row->digest[0] = 1;
    row->digest[31] = 0;
    row->values[FIX_DIGEST].bytes = vg_bytes(row->digest, 32);
})
FORM(cases_none, set_cases(row, 0))
FORM(cases_some, set_cases(row, id % 4))
/* Row 62 of a chunk and the four before it: the lists of 64 rows begin 65,535 elements apart, and
 * then one more. */
FORM(
    cases_near,
    set_cases(
        row,
        id % CHUNK_ROWS - 58 < 3 ? VG_ROW_LIST_MAX
        : id % CHUNK_ROWS == 61  ? VG_ROW_LIST_MAX - 1
        : id % CHUNK_ROWS == 63  ? 5
                                 : 0))
FORM(
    cases_far,
    set_cases(
        row,
        id % CHUNK_ROWS - 58 < 4 ? VG_ROW_LIST_MAX
        : id % CHUNK_ROWS == 63  ? 5
                                 : 0))

/* As the second chunk looks. */
static const struct form forms[] = {
    { "amounts_255", FIX_AMOUNT, amounts_255, 1, false, false, LISTS_NONE },
    { "amounts_256", FIX_AMOUNT, amounts_256, 2, false, false, LISTS_NONE },
    { "amounts_16", FIX_AMOUNT, amounts_16, 2, false, false, LISTS_NONE },
    { "amounts_17", FIX_AMOUNT, amounts_17, 4, false, false, LISTS_NONE },
    { "amounts_32", FIX_AMOUNT, amounts_32, 4, false, false, LISTS_NONE },
    { "amounts_33", FIX_AMOUNT, amounts_33, 8, false, false, LISTS_NONE },
    { "amounts_64", FIX_AMOUNT, amounts_64, 8, false, false, LISTS_NONE },
    { "amounts_some", FIX_AMOUNT, amounts_some, 1, false, false, LISTS_NONE },
    { "amounts_none", FIX_AMOUNT, amounts_none, 1, true, false, LISTS_NONE },
    { "amounts_same", FIX_AMOUNT, amounts_same, 1, true, false, LISTS_NONE },
    { "times_same", FIX_ASSESSED, times_same, 1, true, false, LISTS_NONE },
    { "counts_same", FIX_COUNT, counts_same, 1, true, false, LISTS_NONE },
    { "texts_255", FIX_SIGNATURE, texts_255, 1, false, false, LISTS_NONE },
    { "texts_256", FIX_SIGNATURE, texts_256, 2, false, false, LISTS_NONE },
    { "texts_some", FIX_SIGNATURE, texts_some, 1, false, false, LISTS_NONE },
    { "texts_same", FIX_SIGNATURE, texts_same, 1, true, false, LISTS_NONE },
    { "texts_none", FIX_SIGNATURE, texts_none, 1, true, false, LISTS_NONE },
    { "flags_8", FIX_FLAGS, flags_8, 1, false, false, LISTS_NONE },
    { "flags_9", FIX_FLAGS, flags_9, 2, false, false, LISTS_NONE },
    { "flags_16", FIX_FLAGS, flags_16, 2, false, false, LISTS_NONE },
    { "flags_17", FIX_FLAGS, flags_17, 4, false, false, LISTS_NONE },
    { "flags_32", FIX_FLAGS, flags_32, 4, false, false, LISTS_NONE },
    { "flags_33", FIX_FLAGS, flags_33, 8, false, false, LISTS_NONE },
    { "flags_same", FIX_FLAGS, flags_same, 1, true, false, LISTS_NONE },
    { "flags_none", FIX_FLAGS, flags_none, 1, true, false, LISTS_NONE },
    { "hosts", FIX_SOURCE, hosts, 4, false, true, LISTS_NONE },
    { "hosts_same", FIX_SOURCE, hosts_same, 4, true, true, LISTS_NONE },
    { "hosts_none", FIX_SOURCE, hosts_none, 4, true, true, LISTS_NONE },
    { "hosts_6", FIX_SOURCE, hosts_6, 4, false, true, LISTS_NONE },
    { "hosts_both", FIX_SOURCE, hosts_both, 4, false, false, LISTS_NONE },
    { "digests_none", FIX_DIGEST, digests_none, 32, true, false, LISTS_NONE },
    { "digests_same", FIX_DIGEST, digests_same, 32, true, false, LISTS_NONE },
    { "cases_none", FIX_CASES, cases_none, 0, false, false, LISTS_NONE },
    { "cases_some", FIX_CASES, cases_some, 0, false, false, LISTS_STEPS },
    { "cases_near", FIX_CASES, cases_near, 0, false, false, LISTS_STEPS },
    { "cases_far", FIX_CASES, cases_far, 0, false, false, LISTS_WIDE },
};

/* --- questions --- */

#define QUESTIONS 32u

/* Questions about the form's column, whichever suit its kind. */
static uint32_t make_questions(
    const struct packed *packed,
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_predicate *out_questions[QUESTIONS])
{
    uint32_t count = 0;
    static const int64_t numbers[] = { 0, 1, 7, 30, 65534, 16000, 100 };
    struct vg_bytes texts[9];
    for (uint32_t i = 0; i < VG_ARRAY_COUNT(texts); i++) {
        texts[i] = packed->rows[CHUNK_ROWS + 3 + i * 50].values[column].bytes;
    }
    const struct vg_network *network = &packed->rows[CHUNK_ROWS + 9].values[column].network;
    struct vg_network wide = *network;
    switch (fixture_schema.columns[column].kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
        for (uint32_t i = 0; i + 1 < VG_ARRAY_COUNT(numbers); i++) {
            int64_t low = packed->rows[CHUNK_ROWS + i].values[column].number;
            out_questions[count++] = vg_predicate_range(arena, column, low, INT64_MAX);
            out_questions[count++] = vg_predicate_range(arena, column, INT64_MIN, low);
            out_questions[count++] = vg_predicate_number_in(arena, column, &numbers[i], 2);
        }
        break;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_FIXED:
        for (uint32_t i = 0; i < VG_ARRAY_COUNT(texts); i++) {
            bool is_absent = texts[i].data == NULL;
            texts[i] = is_absent ? vg_bytes_text("no such value") : texts[i];
            out_questions[count++] = vg_predicate_bytes_in(arena, column, &texts[i], 1);
        }
        out_questions[count++] = vg_predicate_bytes_in(arena, column, texts, 9);
        break;
    case VG_COLUMN_FLAGS:
        out_questions[count++] = vg_predicate_flags_all(arena, column, 0);
        for (uint32_t bit = 0; bit < 8; bit++) {
            uint64_t mask = bit == 0 ? vg_flags_bits(packed->rows[CHUNK_ROWS].values[column].number)
                                     : UINT64_C(1) << bit * 29 % 64;
            out_questions[count++] = vg_predicate_flags_all(arena, column, mask);
            out_questions[count++] = vg_predicate_flags_all(arena, column, mask | 1);
            out_questions[count++] = vg_predicate_flags_any(arena, column, mask | 1);
        }
        break;
    case VG_COLUMN_NETWORK:
        out_questions[count++] = vg_predicate_network(arena, column, network, -1);
        wide.bits = wide.bits > 32 ? 112 : 24;
        wide.family = wide.family == 0 ? VG_NETWORK_IPV4 : wide.family;
        wide.address[15] = 0;
        wide.address[3] = 0;
        out_questions[count++] = vg_predicate_network(arena, column, &wide, -1);
        out_questions[count++] = vg_predicate_networks(arena, column, &wide, 1, -1);
        wide = (struct vg_network){ .family = VG_NETWORK_IPV6, .address = { 0xFD }, .bits = 16 };
        out_questions[count++] = vg_predicate_network(arena, column, &wide, -1);
        break;
    case VG_COLUMN_NUMBERS:
        for (uint32_t i = 0; i < VG_ARRAY_COUNT(numbers); i++) {
            out_questions[count++] = vg_predicate_number_in(arena, column, &numbers[i], 1);
        }
        break;
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_HASHES:
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        fail();
    }
    if (fixture_schema.columns[column].kind != VG_COLUMN_FLAGS) {
        out_questions[count++] = vg_predicate_absent(arena, column);
    }
    return count;
}

/* How many rows each question finds, and all together. */
static uint64_t ask(struct packed *packed, uint32_t column, uint64_t counts[QUESTIONS])
{
    const struct vg_predicate *questions[QUESTIONS];
    uint32_t count = make_questions(packed, &packed->arena, column, questions);
    uint64_t all = 0;
    assert_true(count <= QUESTIONS);
    for (uint32_t i = 0; i < count; i++) {
        /* A network of no family is no question. */
        const struct vg_search search = { .where = questions[i] };
        struct vg_search_result result;
        assert_non_null(questions[i]);
        enum vg_reason reason =
            vg_search_run(&packed->snapshot, &search, &packed->arena, &result, NULL);
        counts[i] = reason == VG_OK ? result.match_count : UINT64_MAX;
        all += counts[i] == UINT64_MAX ? 0 : counts[i];
    }
    return all;
}

static void check_shape(const struct form *form, const struct vg_chunk *chunk)
{
    const struct vg_column_data *data = &chunk->columns[form->column];
    assert_int_equal(chunk->form, VG_CHUNK_SEALED);
    assert_int_equal(data->value_size, form->value_size);
    assert_int_equal(vg_column_has_one_value(data), form->one_value);
    assert_int_equal(data->code_mask == 0, form->one_code);
    if (fixture_schema.columns[form->column].kind == VG_COLUMN_NUMBERS) {
        assert_int_equal(data->starts == NULL, form->lists == LISTS_NONE);
        assert_int_equal(data->steps != NULL, form->lists == LISTS_STEPS);
    }
}

static void check_rows(const struct packed *packed)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        struct vg_value value;
        uint32_t id;
        vg_hit_read(&packed->result.hits[i], FIX_UUID, &value);
        memcpy(&id, value.bytes.data, sizeof(id));
        assert_true(id < ROWS);
        for (uint32_t column = 0; column < FIX_COLUMNS; column++) {
            const struct vg_value *expected = &packed->rows[id].values[column];
            assert_true(fixture_hit_equal(&packed->result.hits[i], column, expected));
        }
    }
}

static void test_forms(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VG_ROW_LIST_MAX; i++) {
        many_cases[i] = i;
    }
    for (uint32_t i = 0; i < VG_ARRAY_COUNT(forms); i++) {
        struct packed packed;
        uint64_t before[QUESTIONS] = { 0 };
        uint64_t after[QUESTIONS] = { 0 };
        print_message("%s\n", forms[i].name);
        open_rows(&packed, &forms[i]);
        acquire(&packed);
        uint64_t found = ask(&packed, forms[i].column, before);
        assert_true(found > 0);
        vg_snapshot_release(&packed.snapshot);
        (void)fixture_checkpoint(packed.table, true);
        vg_table_maintain(packed.table);

        acquire(&packed);
        const struct vg_hit *last = NULL;
        for (uint32_t hit = 0; hit < ROWS; hit++) {
            last = last == NULL || packed.result.hits[hit].chunk->number > last->chunk->number
                       ? &packed.result.hits[hit]
                       : last;
        }
        check_shape(&forms[i], last->chunk);
        check_rows(&packed);
        (void)ask(&packed, forms[i].column, after);
        assert_memory_equal(before, after, sizeof(before));
        close_rows(&packed);
    }
}

/* --- files --- */

static struct vg_chunk *open_copy(
    const struct vg_chunk *chunk,
    const char *path,
    uint32_t offset,
    uint8_t change)
{
    struct vg_disk *disk;
    char name[VG_DISK_NAME_SIZE];
    uint8_t *image = malloc(chunk->mapping_size);
    assert_non_null(image);
    memcpy(image, chunk->mapping, chunk->mapping_size);
    image[offset] = (uint8_t)(image[offset] + change);
    vg_chunk_file_name(name, chunk->schema, chunk->number, chunk->generation);
    assert_int_equal(vg_disk_open(path, NULL, &disk, NULL), VG_OK);
    assert_int_equal(vg_disk_write(disk, name, vg_bytes(image, chunk->mapping_size), NULL), VG_OK);
    const struct vg_chunk_file file = {
        .schema = chunk->schema,
        .dictionaries = chunk->dictionaries,
        .number = chunk->number,
        .rows = chunk->rows,
        .generation = chunk->generation,
        .mark = { .size = chunk->mapping_size },
        .is_ours = true, /* no checksum stands between the change and what looks for it */
    };
    struct vg_chunk *opened = vg_chunk_file_open(disk, &file, NULL);
    vg_disk_close(disk);
    free(image);
    return opened;
}

/* The version stands behind the magic number of eight bytes. */
static void test_other_version(void **state)
{
    (void)state;
    struct packed packed;
    char path[64];
    open_rows(&packed, NULL);
    (void)fixture_checkpoint(packed.table, true);
    vg_table_maintain(packed.table);
    acquire(&packed);
    fixture_make_folder(path);
    const struct vg_chunk *chunk = packed.result.hits[0].chunk;
    struct vg_chunk *same = open_copy(chunk, path, 8, 0);
    assert_non_null(same);
    vg_chunk_unref(same);
    assert_null(open_copy(chunk, path, 8, 1));
    assert_null(open_copy(chunk, path, 8, UINT8_MAX)); /* the one before */
    fixture_remove_folder(path);
    close_rows(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_other_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
