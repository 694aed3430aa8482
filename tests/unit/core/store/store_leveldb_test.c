#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/store/store_leveldb.h"

struct fixture {
    char directory[64];
    struct vg_store *store;
};

static enum vg_reason open_store(
    struct fixture *fixture,
    struct vg_store **out,
    struct vg_error *error)
{
    struct vg_store_leveldb_options options = vg_store_leveldb_options_default();
    options.directory = fixture->directory;
    options.write_buffer_bytes = 1u << 20;
    return vg_store_leveldb_open(&options, out, error);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/vigil-leveldb-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(open_store(fixture, &fixture->store, NULL), VG_OK);
    *state = fixture;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    vg_store_close(fixture->store);
    (void)nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static enum vg_reason write_sized(struct vg_store *store, const char *key, size_t size)
{
    struct vg_batch batch;
    vg_batch_init(&batch, VG_STORE_BATCH_BYTES_MAX);
    uint8_t *value = malloc(size);
    assert_non_null(value);
    for (size_t index = 0; index < size; index++) {
        value[index] = (uint8_t)(index * 2654435761u >> 13); /* nothing to compress */
    }
    vg_batch_set(&batch, vg_bytes_text(key), vg_bytes(value, size));
    enum vg_reason reason = vg_store_apply(store, 0, &batch, NULL);
    free(value);
    vg_batch_dispose(&batch);
    return reason;
}

static bool has(struct vg_store *store, const char *key)
{
    struct vg_store_value value;
    assert_int_equal(vg_store_get_one(store, NULL, 0, vg_bytes_text(key), &value, NULL), VG_OK);
    bool found = value.found;
    vg_store_value_release(&value);
    return found;
}

static void test_store_leveldb__has_the_documented_defaults(void **state)
{
    (void)state;
    struct vg_store_leveldb_options options = vg_store_leveldb_options_default();
    assert_int_equal(options.write_buffer_bytes, 256u << 20);
    assert_int_equal(options.cache_bytes, 64u << 20);
    assert_int_equal(options.block_bytes, 16u << 10);
    assert_int_equal(options.bloom_bits, 10);
    assert_int_equal(options.max_open_files, 4000);
    assert_false(options.compression);
    assert_true(options.sync);
    assert_true(options.paranoid);
    assert_false(options.verify_reads);
    assert_int_equal(options.shard_count, 1);
}

static void test_store_leveldb__a_second_opening_is_refused_with_clear_words(void **state)
{
    struct fixture *fixture = *state;
    struct vg_store *second = NULL;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(open_store(fixture, &second, &error), VG_STORE_LOCKED);
    assert_non_null(strstr(error.message, "another process uses the data directory"));
    assert_non_null(strstr(error.message, fixture->directory));
    assert_null(second);
}

static void test_store_leveldb__a_second_process_is_refused_with_clear_words(void **state)
{
    struct fixture *fixture = *state;
    vg_store_close(fixture->store); /* its threads do not survive a fork: open after it */
    fixture->store = NULL;
    int held[2];
    int release[2];
    assert_int_equal(pipe(held), 0);
    assert_int_equal(pipe(release), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    char byte = 0;
    if (child == 0) {
        struct vg_store *store = NULL;
        byte = open_store(fixture, &store, NULL) == VG_OK;
        (void)!write(held[1], &byte, 1);
        (void)!read(release[0], &byte, 1);
        _exit(0);
    }
    assert_int_equal(read(held[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(open_store(fixture, &fixture->store, &error), VG_STORE_LOCKED);
    assert_non_null(strstr(error.message, "another process uses the data directory"));
    assert_int_equal(write(release[1], &byte, 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(open_store(fixture, &fixture->store, NULL), VG_OK);
    for (int end = 0; end < 2; end++) {
        (void)close(held[end]);
        (void)close(release[end]);
    }
}

static void test_store_leveldb__an_impossible_directory_is_an_io_error(void **state)
{
    (void)state;
    struct fixture nowhere = { .directory = "/proc/no/such/place" };
    struct vg_store *store = NULL;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(open_store(&nowhere, &store, &error), VG_STORE_IO);
    assert_non_null(strstr(error.detail, "leveldb:"));
    assert_null(strstr(error.message, "/proc")); /* paths are for the log */
}

static void test_store_leveldb__a_damaged_manifest_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(write_sized(fixture->store, "a", 100), VG_OK);
    vg_store_close(fixture->store);
    fixture->store = NULL;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/CURRENT", fixture->directory);
    FILE *current = fopen(path, "w");
    assert_non_null(current);
    assert_true(fputs("MANIFEST-999999\n", current) >= 0);
    assert_int_equal(fclose(current), 0);
    enum vg_reason reason = open_store(fixture, &fixture->store, NULL);
    assert_true(reason == VG_STORE_CORRUPT || reason == VG_STORE_IO);
    assert_null(fixture->store);
}

/* The only file of the store whose name ends like this. */
static void find_file(const struct fixture *fixture, const char *end, char *out_path, size_t size)
{
    char pattern[128];
    glob_t found;
    (void)snprintf(pattern, sizeof(pattern), "%s/*%s", fixture->directory, end);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    (void)snprintf(out_path, size, "%s", found.gl_pathv[0]);
    globfree(&found);
}

/* A kill in the middle of a write leaves half a record at the end of the log: it was never
 * acknowledged, and the store opens without it. */
static void test_store_leveldb__a_log_cut_at_its_end_loses_the_last_write_only(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(write_sized(fixture->store, "first", 5000), VG_OK);
    assert_int_equal(write_sized(fixture->store, "last", 5000), VG_OK);
    vg_store_close(fixture->store);
    fixture->store = NULL;
    char path[128];
    struct stat status;
    find_file(fixture, ".log", path, sizeof(path));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - 100), 0);
    assert_int_equal(open_store(fixture, &fixture->store, NULL), VG_OK);
    assert_true(has(fixture->store, "first"));
    assert_false(has(fixture->store, "last"));
}

/* Damage in the middle would silently take acknowledged writes with it: that is an error. */
static void test_store_leveldb__a_log_damaged_in_its_middle_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    for (int index = 0; index < 20; index++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%02d", index);
        assert_int_equal(write_sized(fixture->store, key, 5000), VG_OK);
    }
    vg_store_close(fixture->store);
    fixture->store = NULL;
    char path[128];
    find_file(fixture, ".log", path, sizeof(path));
    FILE *log = fopen(path, "r+");
    assert_non_null(log);
    assert_int_equal(fseek(log, 40000, SEEK_SET), 0);
    assert_true(fputs("damage", log) >= 0);
    assert_int_equal(fclose(log), 0);
    assert_int_equal(open_store(fixture, &fixture->store, NULL), VG_STORE_CORRUPT);
    assert_null(fixture->store);
}

/*
 * A real failed append: the file size limit of the process makes write() fail. LevelDB would go on
 * to acknowledge synced writes after this and lose them; the store must refuse them all, and after
 * reopening hold exactly what it acknowledged.
 */
static void test_store_leveldb__after_a_failed_append_nothing_is_acknowledged_and_lost(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(write_sized(fixture->store, "before", 100), VG_OK);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { .rlim_cur = 200000, .rlim_max = old.rlim_max };
    void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum vg_reason failed = write_sized(fixture->store, "too much", 400000);
    enum vg_reason after = write_sized(fixture->store, "after", 100);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, old_handler);
    assert_int_equal(failed, VG_STORE_UNKNOWN);
    assert_int_equal(after, VG_STORE_UNAVAILABLE);
    assert_int_equal(write_sized(fixture->store, "later", 100), VG_STORE_UNAVAILABLE);

    assert_int_equal(vg_store_reopen(fixture->store, NULL), VG_OK);
    assert_true(has(fixture->store, "before"));
    assert_false(has(fixture->store, "after"));
    assert_int_equal(write_sized(fixture->store, "again", 100), VG_OK);
    assert_int_equal(vg_store_reopen(fixture->store, NULL), VG_OK);
    assert_true(has(fixture->store, "again"));
}

static void test_store_leveldb__counts_its_level0_files(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(vg_store_level0_files(fixture->store), 0);
    /* Overlapping tables: each buffer of 1 MiB becomes one, until compaction takes some away. */
    unsigned most = 0;
    for (int round = 0; round < 40; round++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "%c%02d", 'a' + round % 2, round);
        assert_int_equal(write_sized(fixture->store, key, 300000), VG_OK);
        unsigned files = vg_store_level0_files(fixture->store);
        most = files > most ? files : most;
    }
    assert_true(most > 0 && most < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_leveldb__has_the_documented_defaults),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__a_second_opening_is_refused_with_clear_words,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__a_second_process_is_refused_with_clear_words,
            setup,
            teardown),
        cmocka_unit_test(test_store_leveldb__an_impossible_directory_is_an_io_error),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__a_damaged_manifest_is_not_opened,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__a_log_cut_at_its_end_loses_the_last_write_only,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__a_log_damaged_in_its_middle_is_not_opened,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__after_a_failed_append_nothing_is_acknowledged_and_lost,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_store_leveldb__counts_its_level0_files,
            setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
