/* Blob files: whole under their name or not there at all. */
#include <dirent.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/hex.h"
#include "core/store/blob_files.h"

#define LIMIT 100000u

struct world {
    char root[64]; /* of the test */
    char directory[96];
    struct vg_blob_files *files;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)snprintf(world->root, sizeof(world->root), "/tmp/vigil-blobs-XXXXXX");
    assert_non_null(mkdtemp(world->root));
    (void)snprintf(world->directory, sizeof(world->directory), "%s/blobs", world->root);
    assert_int_equal(vg_blob_files_open(world->directory, &world->files, NULL), VG_OK);
    *state = world;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    vg_blob_files_close(world->files);
    (void)nftw(world->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

/* Files below DIR/`folder`; -1 = no such folder. */
static int count_files(const struct world *world, const char *folder)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", world->directory, folder);
    DIR *opened = opendir(path);
    if (opened == NULL) {
        return -1;
    }
    int count = -2; /* . and .. */
    while (readdir(opened) != NULL) {
        count++;
    }
    (void)closedir(opened);
    return count;
}

static void digest_of(struct vg_bytes bytes, uint8_t digest[VG_SHA256_SIZE])
{
    vg_digest_sha256(bytes, digest);
}

/* Store `bytes` in parts of `part` bytes. */
static bool store(struct world *world, struct vg_bytes bytes, size_t part, uint8_t *out_digest)
{
    struct vg_blob_writer writer;
    bool is_new = false;
    digest_of(bytes, out_digest);
    assert_int_equal(vg_blob_writer_begin(world->files, LIMIT, &writer, NULL), VG_OK);
    for (size_t at = 0; at < bytes.size; at += part) {
        size_t size = bytes.size - at < part ? bytes.size - at : part;
        assert_int_equal(
            vg_blob_writer_append(&writer, vg_bytes(bytes.data + at, size), NULL),
            VG_OK);
    }
    vg_blob_files_lock(world->files, out_digest);
    assert_int_equal(vg_blob_writer_commit(&writer, out_digest, &is_new, NULL), VG_OK);
    vg_blob_files_unlock(world->files, out_digest);
    return is_new;
}

static void assert_file(struct world *world, const uint8_t *digest, struct vg_bytes bytes)
{
    struct vg_blob_reader reader = { .open = false };
    bool found = false;
    uint8_t *read = malloc(bytes.size + 1);
    assert_non_null(read);
    assert_int_equal(vg_blob_reader_open(world->files, digest, &reader, &found, NULL), VG_OK);
    assert_true(found);
    assert_int_equal(reader.size, bytes.size);
    assert_int_equal(vg_blob_reader_read(&reader, 0, read, bytes.size, NULL), VG_OK);
    assert_memory_equal(read, bytes.data, bytes.size);
    if (bytes.size > 10) {
        assert_int_equal(vg_blob_reader_read(&reader, 10, read, bytes.size - 10, NULL), VG_OK);
        assert_memory_equal(read, bytes.data + 10, bytes.size - 10);
    }
    assert_int_equal(vg_blob_reader_read(&reader, 0, read, bytes.size + 1, NULL), VG_STORE_IO);
    vg_blob_reader_close(&reader);
    free(read);
}

static bool is_there(struct world *world, const uint8_t *digest)
{
    struct vg_blob_reader reader = { .open = false };
    bool found = false;
    assert_int_equal(vg_blob_reader_open(world->files, digest, &reader, &found, NULL), VG_OK);
    vg_blob_reader_close(&reader);
    return found;
}

static void test_blob_files__what_is_stored_is_read_back(void **state)
{
    struct world *world = *state;
    static uint8_t bytes[LIMIT];
    uint8_t digest[VG_SHA256_SIZE];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    }
    const size_t sizes[] = { 0, 1, 4096, LIMIT - 1, LIMIT };
    for (size_t i = 0; i < 5; i++) {
        assert_true(store(world, vg_bytes(bytes, sizes[i]), 1000, digest));
        assert_file(world, digest, vg_bytes(bytes, sizes[i]));
        assert_false(store(world, vg_bytes(bytes, sizes[i]), 777, digest));
    }
    assert_int_equal(count_files(world, "tmp"), 0);
}

static void test_blob_files__lie_in_folders_named_by_their_digest(void **state)
{
    struct world *world = *state;
    uint8_t digest[VG_SHA256_SIZE];
    (void)store(world, vg_bytes_text("abc"), 3, digest); /* FIPS 180-2: ba7816bf… */
    char path[256];
    (void)snprintf(
        path,
        sizeof(path),
        "%s/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        world->directory);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 3);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_blob_files__stop_at_their_maximum(void **state)
{
    struct world *world = *state;
    static const uint8_t bytes[LIMIT + 1];
    struct vg_blob_writer writer;
    assert_int_equal(vg_blob_writer_begin(world->files, LIMIT, &writer, NULL), VG_OK);
    assert_int_equal(vg_blob_writer_append(&writer, vg_bytes(bytes, LIMIT), NULL), VG_OK);
    assert_int_equal(
        vg_blob_writer_append(&writer, vg_bytes(bytes, 1), NULL),
        VG_REQUEST_TOO_LARGE);
    vg_blob_writer_abort(&writer);
    vg_blob_writer_abort(&writer);
    assert_int_equal(count_files(world, "tmp"), 0);
}

static void test_blob_files__an_aborted_one_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct vg_blob_writer writer;
    uint8_t digest[VG_SHA256_SIZE];
    digest_of(vg_bytes_text("abort"), digest);
    assert_int_equal(vg_blob_writer_begin(world->files, LIMIT, &writer, NULL), VG_OK);
    assert_int_equal(vg_blob_writer_append(&writer, vg_bytes_text("abort"), NULL), VG_OK);
    assert_int_equal(count_files(world, "tmp"), 1);
    assert_false(is_there(world, digest));
    vg_blob_writer_abort(&writer);
    assert_int_equal(count_files(world, "tmp"), 0);
    assert_false(is_there(world, digest));
}

static void test_blob_files__leftovers_go_at_the_next_start(void **state)
{
    struct world *world = *state;
    struct vg_blob_writer cut;
    uint8_t digest[VG_SHA256_SIZE];
    (void)store(world, vg_bytes_text("kept"), 4, digest);
    assert_int_equal(vg_blob_writer_begin(world->files, LIMIT, &cut, NULL), VG_OK);
    assert_int_equal(vg_blob_writer_append(&cut, vg_bytes_text("cut off"), NULL), VG_OK);
    (void)close(cut.handle); /* as a crash would */
    vg_blob_files_close(world->files);
    assert_int_equal(count_files(world, "tmp"), 1);
    assert_int_equal(vg_blob_files_open(world->directory, &world->files, NULL), VG_OK);
    assert_int_equal(count_files(world, "tmp"), 0);
    assert_file(world, digest, vg_bytes_text("kept"));
}

static void test_blob_files__a_removed_one_is_read_on_by_who_has_it(void **state)
{
    struct world *world = *state;
    struct vg_blob_reader reader;
    uint8_t digest[VG_SHA256_SIZE];
    uint8_t read[7];
    bool found = false;
    (void)store(world, vg_bytes_text("removed"), 7, digest);
    assert_int_equal(vg_blob_reader_open(world->files, digest, &reader, &found, NULL), VG_OK);
    assert_true(found);
    vg_blob_files_lock(world->files, digest);
    assert_int_equal(vg_blob_files_remove(world->files, digest, &found, NULL), VG_OK);
    assert_true(found);
    assert_int_equal(vg_blob_files_remove(world->files, digest, &found, NULL), VG_OK);
    assert_false(found);
    vg_blob_files_unlock(world->files, digest);
    assert_false(is_there(world, digest));
    assert_int_equal(vg_blob_reader_read(&reader, 0, read, sizeof(read), NULL), VG_OK);
    assert_memory_equal(read, "removed", sizeof(read));
    vg_blob_reader_close(&reader);
    assert_true(store(world, vg_bytes_text("removed"), 7, digest));
}

struct listed {
    unsigned count;
    unsigned max;
    uint8_t digest[VG_SHA256_SIZE];
};

static bool note_listed(void *owner, const uint8_t digest[VG_SHA256_SIZE])
{
    struct listed *listed = owner;
    memcpy(listed->digest, digest, VG_SHA256_SIZE);
    return ++listed->count < listed->max;
}

static void test_blob_files__are_listed_by_their_first_byte(void **state)
{
    struct world *world = *state;
    uint8_t digest[VG_SHA256_SIZE];
    char path[256];
    (void)store(world, vg_bytes_text("listed"), 6, digest);
    (void)snprintf(path, sizeof(path), "%s/%02x/no-digest", world->directory, digest[0]);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    struct listed listed = { .max = 10 };
    for (unsigned first = 0; first < 256; first++) {
        assert_int_equal(
            vg_blob_files_list(world->files, (uint8_t)first, note_listed, &listed, NULL),
            VG_OK);
        assert_int_equal(listed.count, first >= digest[0]);
    }
    assert_memory_equal(listed.digest, digest, sizeof(digest));
    /* Any other whole name in that folder, and whoever has enough is not asked again. */
    for (unsigned i = 1; i <= 3; i++) {
        char name[2 * VG_SHA256_SIZE + 1];
        uint8_t other[VG_SHA256_SIZE] = { digest[0], (uint8_t)i };
        vg_hex_encode(vg_bytes(other, sizeof(other)), name);
        (void)snprintf(path, sizeof(path), "%s/%02x/%s", world->directory, digest[0], name);
        file = fopen(path, "w");
        assert_non_null(file);
        (void)fclose(file);
    }
    listed = (struct listed){ .max = 2 };
    assert_int_equal(
        vg_blob_files_list(world->files, digest[0], note_listed, &listed, NULL),
        VG_OK);
    assert_int_equal(listed.count, 2);
}

static void test_blob_files__a_damaged_one_is_replaced(void **state)
{
    struct world *world = *state;
    uint8_t digest[VG_SHA256_SIZE];
    (void)store(world, vg_bytes_text("abc"), 3, digest);
    char path[256];
    (void)snprintf(
        path,
        sizeof(path),
        "%s/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        world->directory);
    assert_int_equal(truncate(path, 1), 0);
    assert_true(store(world, vg_bytes_text("abc"), 3, digest));
    assert_file(world, digest, vg_bytes_text("abc"));
}

/* The limit of file sizes is a full disk: the write fails midway. */
static void test_blob_files__a_full_disk_is_told_and_leaves_nothing(void **state)
{
    struct world *world = *state;
    static const uint8_t bytes[LIMIT];
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = { .rlim_cur = LIMIT / 2, .rlim_max = before.rlim_max };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct vg_blob_writer writer;
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(vg_blob_writer_begin(world->files, LIMIT, &writer, &error), VG_OK);
    enum vg_reason reason = vg_blob_writer_append(&writer, vg_bytes(bytes, LIMIT), &error);
    vg_blob_writer_abort(&writer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(reason, VG_STORE_FULL);
    assert_int_equal(error.reason, VG_STORE_FULL);
    assert_int_equal(count_files(world, "tmp"), 0);
}

struct racer {
    struct world *world;
    pthread_t thread;
    bool is_new;
};

static void *race(void *argument)
{
    struct racer *racer = argument;
    uint8_t digest[VG_SHA256_SIZE];
    racer->is_new = store(racer->world, vg_bytes_text("the same file"), 5, digest);
    return NULL;
}

static void test_blob_files__of_the_same_one_at_once_exactly_one_is_new(void **state)
{
    struct world *world = *state;
    struct racer racers[8];
    for (size_t i = 0; i < 8; i++) {
        racers[i].world = world;
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    int new_ones = 0;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        new_ones += racers[i].is_new;
    }
    assert_int_equal(new_ones, 1);
    assert_int_equal(count_files(world, "tmp"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_blob_files__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_stored_is_read_back),
        TEST(lie_in_folders_named_by_their_digest),
        TEST(stop_at_their_maximum),
        TEST(an_aborted_one_leaves_nothing),
        TEST(leftovers_go_at_the_next_start),
        TEST(a_removed_one_is_read_on_by_who_has_it),
        TEST(are_listed_by_their_first_byte),
        TEST(a_damaged_one_is_replaced),
        TEST(a_full_disk_is_told_and_leaves_nothing),
        TEST(of_the_same_one_at_once_exactly_one_is_new),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
