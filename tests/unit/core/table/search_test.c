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
#include "tests/unit/core/table/search_truth.h"
#include "tests/unit/core/table/table_fixture.h"

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
    const struct vg_record_reader reader = { .read = truth_read_record, .owner = truth };
    struct vg_search search = { .sort = keys, .reader = &reader };
    search.where = truth_random_tree(truth, 4);
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
    const struct vg_record_reader reader = { .read = truth_read_record, .owner = truth };
    struct vg_search search = { .sort = keys, .reader = &reader, .uncounted = true };
    search.where = truth_random_tree(truth, 3);
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
        vg_predicate_tokens(&truth.arena, FIX_WORDS, &hash, 1, truth_confirm_words, "i");
    const struct vg_predicate *both[] = { word,
                                          vg_predicate_range(&truth.arena, FIX_SEVERITY, 2, 2) };
    const struct vg_record_reader reader = { .read = truth_read_record, .owner = &truth };
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
