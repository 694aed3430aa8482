/* Substrings of texts so many that only those of the window are looked at, against a plain look at
 * each row. Old texts come back in later rows, so some are looked at alone, others with their
 * block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/search.h"
#include "tests/unit/core/table/table_fixture.h"

#define ROWS  12000u
#define BATCH 500u

struct many {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct fixture_row *rows;
    char (*tags)[2][32];
    uint64_t random;
    struct vg_arena arena;
};

/* Of ten rows, nine have a new text and new tags, and one those of an older row. */
static void fill_row(struct many *many, uint32_t id)
{
    struct fixture_row *row = &many->rows[id];
    bool again = id > 0 && fixture_below(&many->random, 10) == 0;
    uint32_t from = again ? fixture_below(&many->random, id) : id;
    fixture_fill(row, id, fixture_random(&many->random), 1800000000000);
    (void)snprintf(row->signature, sizeof(row->signature), "Text %x of %u", from * 7919, from);
    row->values[FIX_SIGNATURE].bytes = vg_bytes_text(row->signature);
    for (uint32_t i = 0; i < 2; i++) {
        (void)snprintf(many->tags[id][i], sizeof(many->tags[id][i]), "tag-%u-%X", i, from * 31);
        row->tags[i] = vg_bytes_text(many->tags[id][i]);
    }
    row->values[FIX_TAGS].texts.items = row->tags;
    row->values[FIX_TAGS].texts.count = id % 5 == 0 ? 0 : 2;
}

static void many_setup(struct many *many, uint32_t chunk_rows)
{
    *many = (struct many){ .random = chunk_rows };
    many->rows = calloc(ROWS, sizeof(*many->rows));
    many->tags = calloc(ROWS, sizeof(*many->tags));
    assert_true(many->rows != NULL && many->tags != NULL);
    vg_arena_init(&many->arena, 64u << 20);
    fixture_make_folder(many->path);
    many->config = fixture_config(many->path, &vg_clock_real, chunk_rows);
    many->config.limits.closed_chunks = 1000;
    many->table = fixture_open(&many->config);
    for (uint32_t id = 0; id < ROWS; id++) {
        fill_row(many, id);
    }
    for (uint32_t id = 0; id < ROWS; id += BATCH) {
        fixture_put(many->table, &many->rows[id], BATCH);
    }
}

static void many_teardown(struct many *many)
{
    fixture_close(many->table);
    fixture_remove_folder(many->path);
    vg_arena_dispose(&many->arena);
    free(many->rows);
    free(many->tags);
}

/* Digits and letters only differ in case here. */
static bool holds(struct vg_bytes text, struct vg_bytes wanted)
{
    char folded[64] = { 0 };
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        folded[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    }
    return memmem(folded, text.size, wanted.data, wanted.size) != NULL;
}

static bool row_holds(const struct fixture_row *row, uint32_t column, struct vg_bytes wanted)
{
    const struct vg_value *value = &row->values[column];
    if (column == FIX_SIGNATURE) {
        return holds(value->bytes, wanted);
    }
    bool found = false;
    for (uint32_t i = 0; i < value->texts.count; i++) {
        found = found || holds(value->texts.items[i], wanted);
    }
    return found;
}

static void check_window(struct many *many, const struct vg_snapshot *snapshot)
{
    static const char *const needles[] = {
        "7", "a1", "tag-1-3", "text 1f", "99", "of 11", "-", "zz"
    };
    uint32_t column = fixture_below(&many->random, 2) == 0 ? FIX_SIGNATURE : FIX_TAGS;
    struct vg_bytes wanted[2];
    uint32_t count = 1 + fixture_below(&many->random, 2);
    for (uint32_t i = 0; i < count; i++) {
        wanted[i] = vg_bytes_text(needles[fixture_below(&many->random, VG_ARRAY_COUNT(needles))]);
    }
    uint32_t rows =
        fixture_below(&many->random, 3) == 0 ? ROWS : 1 + fixture_below(&many->random, ROWS);
    uint32_t first = fixture_below(&many->random, ROWS - rows + 1);
    const struct vg_predicate *both[] = {
        vg_predicate_range(
            &many->arena,
            FIX_TIME,
            many->rows[first].values[FIX_TIME].number,
            many->rows[first + rows - 1].values[FIX_TIME].number),
        vg_predicate_contains(&many->arena, column, wanted, count, NULL, NULL),
        fixture_below(&many->random, 2) == 0
            ? vg_predicate_all(&many->arena)
            : vg_predicate_range(&many->arena, FIX_COUNT, 3, 3), /* few rows are left */
    };
    bool few = both[2]->kind == VG_PREDICATE_RANGE;
    static const struct vg_record_reader reader;
    struct vg_search search = { .where = vg_predicate_and(&many->arena, both, 3),
                                .reader = &reader };
    struct vg_search_result result;
    assert_int_equal(vg_search_run(snapshot, &search, &many->arena, &result, NULL), VG_OK);
    uint64_t expected = 0;
    for (uint32_t id = 0; id < ROWS; id++) {
        const struct fixture_row *row = &many->rows[id];
        int64_t time = row->values[FIX_TIME].number;
        bool matches =
            row_holds(row, column, wanted[0]) || row_holds(row, column, wanted[count - 1]);
        expected += matches && time >= both[0]->range.min && time <= both[0]->range.max &&
                    (!few || row->values[FIX_COUNT].number == 3);
    }
    assert_int_equal(result.match_count, expected);
    vg_arena_reset(&many->arena);
}

static void test_evaluate_texts__windows_of_many_texts(void **state)
{
    (void)state;
    static const uint32_t chunk_rows[] = { 700, VG_TABLE_CHUNK_ROWS_MAX };
    for (size_t c = 0; c < VG_ARRAY_COUNT(chunk_rows); c++) {
        struct many many;
        many_setup(&many, chunk_rows[c]);
        for (uint32_t sealed = 0; sealed < 2; sealed++) {
            struct vg_snapshot snapshot;
            assert_int_equal(
                vg_snapshot_acquire(many.table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL),
                VG_OK);
            for (uint32_t i = 0; i < 60; i++) {
                check_window(&many, &snapshot);
            }
            vg_snapshot_release(&snapshot);
            (void)fixture_checkpoint(many.table, true);
        }
        many_teardown(&many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluate_texts__windows_of_many_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
