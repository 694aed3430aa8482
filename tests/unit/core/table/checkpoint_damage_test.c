/*
 * Damage (table-engine.md section 9, 3): every file of a checkpoint truncated, flipped, missing, or
 * of another store: rebuilt, never believed.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/table/checksum.h"
#include "core/table/manifest.h"
#include "tests/unit/core/table/table_fixture.h"

#define ROWS      60u
#define FILES_MAX 64u

struct stored_file {
    char name[VG_DISK_NAME_SIZE];
    uint8_t *data;
    size_t size;
};

struct damage {
    char path[64];
    struct vg_table_config config;
    struct fixture_row rows[ROWS];
    uint64_t sequence;
    struct stored_file files[FILES_MAX];
    uint32_t file_count;
};

static enum vg_reason scan_rows(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    struct damage *damage = owner;
    enum vg_reason reason = VG_OK;
    for (uint32_t i = 0; i < ROWS && reason == VG_OK; i++) {
        reason = vg_table_rebuild_add(rebuild, 0, &damage->rows[i].row, error);
    }
    return reason;
}

static void read_files(struct damage *damage)
{
    DIR *folder = opendir(damage->path);
    assert_non_null(folder);
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        struct stored_file *stored = &damage->files[damage->file_count++];
        char path[400];
        (void)snprintf(stored->name, sizeof(stored->name), "%.79s", entry->d_name);
        (void)snprintf(path, sizeof(path), "%s/%s", damage->path, entry->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        (void)fseek(file, 0, SEEK_END);
        stored->size = (size_t)ftell(file);
        rewind(file);
        stored->data = malloc(stored->size);
        assert_non_null(stored->data);
        assert_int_equal(fread(stored->data, 1, stored->size, file), stored->size);
        (void)fclose(file);
    }
    (void)closedir(folder);
}

static void write_file(const struct damage *damage, const char *name, const void *data, size_t size)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", damage->path, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    (void)fclose(file);
}

/* The folder as the checkpoint left it, and nothing else. */
static void put_back(const struct damage *damage)
{
    fixture_remove_folder(damage->path);
    struct vg_disk *disk;
    assert_int_equal(vg_disk_open(damage->path, NULL, &disk, NULL), VG_OK);
    vg_disk_close(disk);
    for (uint32_t i = 0; i < damage->file_count; i++) {
        write_file(damage, damage->files[i].name, damage->files[i].data, damage->files[i].size);
    }
}

/* Start; says whether it was rebuilt. All rows must be there either way. */
static bool start_rebuilds(struct damage *damage, const struct vg_table_config *config)
{
    struct vg_table *table;
    struct vg_table_started started;
    struct vg_table_source source = fixture_nothing;
    source.owner = damage;
    source.scan = scan_rows;
    const struct vg_table_start start = { .source = &source, .sequence = damage->sequence };
    assert_int_equal(vg_table_open(config, &table, NULL), VG_OK);
    assert_int_equal(vg_table_start(table, &start, &started, NULL), VG_OK);
    assert_int_equal(started.rows, ROWS);
    assert_int_equal(started.rebuilt, started.reason[0] != '\0');

    struct vg_arena arena;
    struct vg_snapshot snapshot;
    struct vg_search_result result;
    vg_arena_init(&arena, 16u << 20);
    const struct vg_search search = { .where = vg_predicate_all(&arena), .limit = ROWS };
    assert_int_equal(vg_snapshot_acquire(table, 1000, &snapshot, NULL), VG_OK);
    assert_int_equal(vg_search_run(&snapshot, &search, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.hit_count, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        struct vg_value value;
        uint32_t id;
        vg_hit_read(&result.hits[i], FIX_UUID, &value);
        memcpy(&id, value.bytes.data, sizeof(id));
        assert_true(id < ROWS);
        for (uint32_t column = 0; column < FIX_COLUMNS; column++) {
            assert_true(
                fixture_hit_equal(&result.hits[i], column, &damage->rows[id].values[column]));
        }
    }
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    return started.rebuilt;
}

static int setup(void **state)
{
    struct damage *damage = calloc(1, sizeof(*damage));
    assert_non_null(damage);
    fixture_make_folder(damage->path);
    damage->config = fixture_config(damage->path, &vg_clock_real, 16);
    struct vg_table *table = fixture_open(&damage->config);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t id = 0; id < ROWS; id++) {
            fixture_fill(&damage->rows[id], id, id + 1000 * round, 5 + round);
            if (round == 0 || id % 3 == 0) {
                fixture_put(table, &damage->rows[id], 1);
            }
        }
    }
    for (uint32_t id = 0; id < ROWS; id++) {
        if (id % 3 != 0) {
            fixture_fill(&damage->rows[id], id, id, 5);
        }
    }
    damage->sequence = vg_table_sequence(table);
    assert_int_equal(fixture_checkpoint(table, true), damage->sequence);
    fixture_close(table);
    read_files(damage);
    *state = damage;
    return 0;
}

static int teardown(void **state)
{
    struct damage *damage = *state;
    for (uint32_t i = 0; i < damage->file_count; i++) {
        free(damage->files[i].data);
    }
    fixture_remove_folder(damage->path);
    free(damage);
    return 0;
}

static void test_checkpoint__is_believed_when_whole(void **state)
{
    struct damage *damage = *state;
    put_back(damage);
    assert_true(damage->file_count >= 8); /* manifest, deaths, dictionaries, chunks */
    assert_false(start_rebuilds(damage, &damage->config));
    assert_false(start_rebuilds(damage, &damage->config));
}

static void test_checkpoint__with_a_missing_file_is_rebuilt(void **state)
{
    struct damage *damage = *state;
    for (uint32_t i = 0; i < damage->file_count; i++) {
        put_back(damage);
        char path[400];
        (void)snprintf(path, sizeof(path), "%s/%s", damage->path, damage->files[i].name);
        assert_int_equal(unlink(path), 0);
        assert_true(start_rebuilds(damage, &damage->config));
    }
}

static void test_checkpoint__with_a_truncated_file_is_rebuilt(void **state)
{
    struct damage *damage = *state;
    for (uint32_t i = 0; i < damage->file_count; i++) {
        const struct stored_file *file = &damage->files[i];
        const size_t sizes[] = { 0, 1, file->size / 2, file->size - 1, file->size + 1 };
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            put_back(damage);
            uint8_t *data = calloc(1, file->size + 1);
            assert_non_null(data);
            memcpy(data, file->data, file->size);
            write_file(damage, file->name, data, sizes[s]);
            free(data);
            assert_true(start_rebuilds(damage, &damage->config));
        }
    }
}

static void test_checkpoint__with_a_flipped_bit_is_rebuilt(void **state)
{
    struct damage *damage = *state;
    uint64_t random = 3;
    for (uint32_t i = 0; i < damage->file_count; i++) {
        struct stored_file *file = &damage->files[i];
        for (uint32_t round = 0; round < 12; round++) {
            size_t at = round == 0   ? 0
                        : round == 1 ? file->size - 1
                                     : fixture_below(&random, (uint32_t)file->size);
            uint8_t bit = (uint8_t)(1u << fixture_below(&random, 8));
            put_back(damage);
            file->data[at] ^= bit;
            write_file(damage, file->name, file->data, file->size);
            file->data[at] ^= bit;
            assert_true(start_rebuilds(damage, &damage->config));
        }
    }
}

static void test_checkpoint__of_another_store_or_rule_is_rebuilt(void **state)
{
    struct damage *damage = *state;
    struct vg_table_config config = damage->config;
    config.store_id[3] ^= 1;
    put_back(damage);
    assert_true(start_rebuilds(damage, &config));

    config = damage->config;
    config.secret[15] ^= 1;
    put_back(damage);
    assert_true(start_rebuilds(damage, &config));

    config = damage->config;
    config.fingerprint++;
    put_back(damage);
    assert_true(start_rebuilds(damage, &config));

    struct vg_table_schema changed = fixture_schema;
    changed.version++;
    const struct vg_table_schema *const schemas[] = { &changed };
    config = damage->config;
    config.schemas = schemas;
    put_back(damage);
    assert_true(start_rebuilds(damage, &config));
    /* What was written by that is whole, but not ours any more. */
    assert_true(start_rebuilds(damage, &damage->config));
}

static struct stored_file *find_manifest(struct damage *damage)
{
    for (uint32_t i = 0; i < damage->file_count; i++) {
        if (strcmp(damage->files[i].name, VG_MANIFEST_NAME) == 0) {
            return &damage->files[i];
        }
    }
    fail_msg("there is no manifest");
    return NULL;
}

static void test_checkpoint__of_a_newer_program_or_ahead_of_the_store_is_rebuilt(void **state)
{
    struct damage *damage = *state;
    struct stored_file *manifest = find_manifest(damage);
    put_back(damage);
    uint8_t *data = calloc(1, manifest->size);
    assert_non_null(data);
    memcpy(data, manifest->data, manifest->size);
    data[8]++; /* the version stands behind the magic number */
    uint64_t checksum = vg_checksum_add(0, vg_bytes(data, manifest->size - sizeof(checksum)));
    memcpy(data + manifest->size - sizeof(checksum), &checksum, sizeof(checksum));
    write_file(damage, VG_MANIFEST_NAME, data, manifest->size);
    free(data);
    assert_true(start_rebuilds(damage, &damage->config));

    put_back(damage);
    damage->sequence--;
    assert_true(start_rebuilds(damage, &damage->config));
    /* The rejected manifest is gone, also when the store has caught up. */
    damage->sequence++;
    assert_true(start_rebuilds(damage, &damage->config));

    /* The change log lacks the batch behind the checkpoint. */
    put_back(damage);
    damage->sequence++;
    assert_true(start_rebuilds(damage, &damage->config));
    damage->sequence--;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint__is_believed_when_whole),
        cmocka_unit_test(test_checkpoint__with_a_missing_file_is_rebuilt),
        cmocka_unit_test(test_checkpoint__with_a_truncated_file_is_rebuilt),
        cmocka_unit_test(test_checkpoint__with_a_flipped_bit_is_rebuilt),
        cmocka_unit_test(test_checkpoint__of_another_store_or_rule_is_rebuilt),
        cmocka_unit_test(test_checkpoint__of_a_newer_program_or_ahead_of_the_store_is_rebuilt),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
