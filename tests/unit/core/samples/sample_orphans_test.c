/* Files that no record knows of: which go, and which stay. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hex.h"
#include "core/ingest/ingest_wait.h"
#include "core/samples/sample_change.h"
#include "core/samples/sample_orphans.h"
#include "tests/unit/core/samples/samples_fixture.h"

struct world {
    struct samples_fixture fixture;
    char root[64];
    struct vg_blob_files *blobs;
    struct vg_sample_orphans orphans;
    unsigned asked; /* how often it was asked whether to go on */
    unsigned asked_max;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    samples_fixture_open(&world->fixture);
    (void)snprintf(world->root, sizeof(world->root), "/tmp/vigil-orphans-XXXXXX");
    assert_non_null(mkdtemp(world->root));
    assert_int_equal(vg_blob_files_open(world->root, &world->blobs, NULL), VG_OK);
    world->orphans = (struct vg_sample_orphans){ .store = world->fixture.base.store,
                                                 .ingest = world->fixture.ingest,
                                                 .blobs = world->blobs };
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
    vg_blob_files_close(world->blobs);
    (void)nftw(world->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    samples_fixture_close(&world->fixture);
    free(world);
    return 0;
}

/* A file under `digest`, whatever its bytes are. */
static void put_file(struct world *world, const uint8_t *digest)
{
    struct vg_blob_writer writer;
    bool is_new = false;
    assert_int_equal(vg_blob_writer_begin(world->blobs, 100, &writer, NULL), VG_OK);
    assert_int_equal(vg_blob_writer_append(&writer, vg_bytes_text("file"), NULL), VG_OK);
    vg_blob_files_lock(world->blobs, digest);
    assert_int_equal(vg_blob_writer_commit(&writer, digest, &is_new, NULL), VG_OK);
    vg_blob_files_unlock(world->blobs, digest);
    assert_true(is_new);
}

static bool is_there(struct world *world, const uint8_t *digest)
{
    struct vg_blob_reader reader = { .open = false };
    bool found = false;
    assert_int_equal(vg_blob_reader_open(world->blobs, digest, &reader, &found, NULL), VG_OK);
    vg_blob_reader_close(&reader);
    return found;
}

/* A whole walk; how many files it has removed. */
static uint32_t walk(struct world *world)
{
    uint32_t all = 0;
    bool is_end = false;
    while (!is_end) {
        uint32_t removed = 0;
        assert_int_equal(vg_sample_orphans_run(&world->orphans, &removed, &is_end, NULL), VG_OK);
        all += removed;
    }
    return all;
}

static void test_orphans__go_and_files_with_a_record_stay(void **state)
{
    struct world *world = *state;
    uint8_t first[VG_SHA256_SIZE] = { 0x00 };
    uint8_t last[VG_SHA256_SIZE] = { 0xff, 1 };
    put_file(world, world->fixture.sample);
    put_file(world, first);
    put_file(world, last);
    assert_int_equal(walk(world), 2);
    assert_false(is_there(world, first));
    assert_false(is_there(world, last));
    assert_true(is_there(world, world->fixture.sample));
    assert_int_equal(walk(world), 0);
    /* It may be uploaded as if it had never been. */
    put_file(world, last);
    samples_fixture_upload(&world->fixture, last);
    assert_int_equal(walk(world), 0);
    assert_true(is_there(world, last));
}

/* Commit `change`, of whichever kind. */
static void commit(struct world *world, struct vg_ingest_wait *wait)
{
    bool refused;
    assert_int_equal(vg_ingest_wait_run(world->fixture.ingest, wait, &refused, NULL), VG_OK);
    vg_ingest_wait_dispose(wait);
}

static uint64_t purged_until(struct world *world)
{
    struct vg_key key;
    struct vg_store_value value;
    struct vg_sample_record record;
    vg_key_sample(&key, world->fixture.sample);
    assert_int_equal(
        vg_store_get_one(world->fixture.base.store, NULL, 0, vg_key_bytes(&key), &value, NULL),
        VG_OK);
    assert_true(value.found);
    assert_int_equal(
        vg_sample_record_unpack(
            world->fixture.sample,
            value.bytes,
            &world->fixture.arena,
            &record,
            NULL),
        VG_OK);
    vg_store_value_release(&value);
    return record.purged_until;
}

static void test_orphans__of_a_deleted_sample_go_when_its_purge_is_over(void **state)
{
    struct world *world = *state;
    struct vg_ingest_wait wait;
    struct vg_sample_change deletion;
    put_file(world, world->fixture.sample);
    vg_ingest_wait_init(&wait);
    vg_sample_change_delete(&wait.group, &deletion, world->fixture.sample);
    commit(world, &wait);
    assert_int_equal(walk(world), 0); /* the purge's own */
    struct vg_sample_purged purged;
    vg_ingest_wait_init(&wait);
    vg_sample_change_purged(&wait.group, &purged, world->fixture.sample, purged_until(world));
    commit(world, &wait);
    assert_int_equal(purged_until(world), 0);
    assert_int_equal(walk(world), 1);
    assert_false(is_there(world, world->fixture.sample));
}

/* What the store does not show is not removed unless the writer confirms it. */
static void test_orphans__stay_while_nothing_can_be_committed(void **state)
{
    struct world *world = *state;
    uint8_t orphan[VG_SHA256_SIZE] = { 0x10 };
    uint32_t removed = 7;
    bool is_end = true;
    put_file(world, orphan);
    vg_ingest_drain(world->fixture.ingest);
    assert_int_equal(vg_sample_orphans_run(&world->orphans, &removed, &is_end, NULL), VG_DRAINING);
    assert_int_equal(removed, 0);
    assert_false(is_end);
    assert_true(is_there(world, orphan));
    assert_int_equal(world->orphans.next, 0x10); /* the next portion tries again */
}

static bool goes_on(void *owner)
{
    struct world *world = owner;
    return ++world->asked <= world->asked_max;
}

static void test_orphans__a_walk_that_is_stopped_goes_on_where_it_was(void **state)
{
    struct world *world = *state;
    uint32_t removed = 0;
    bool is_end = true;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t orphan[VG_SHA256_SIZE] = { (uint8_t)(i * 0x40) };
        put_file(world, orphan);
    }
    world->orphans.goes_on = goes_on;
    world->orphans.owner = world;
    world->asked_max = 2;
    assert_int_equal(vg_sample_orphans_run(&world->orphans, &removed, &is_end, NULL), VG_OK);
    assert_int_equal(removed, 2);
    assert_false(is_end);
    world->asked_max = 100;
    assert_int_equal(vg_sample_orphans_run(&world->orphans, &removed, &is_end, NULL), VG_OK);
    assert_int_equal(removed, 2);
    assert_true(is_end);
}

/* As put_file, but not made durable: for many. */
static void touch(struct world *world, const uint8_t *digest)
{
    char name[2 * VG_SHA256_SIZE + 1];
    char path[256];
    vg_hex_encode(vg_bytes(digest, VG_SHA256_SIZE), name);
    (void)snprintf(path, sizeof(path), "%s/%.2s/%s", world->root, name, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
}

static void test_orphans__a_portion_ends_with_its_folder(void **state)
{
    struct world *world = *state;
    uint32_t removed = 7;
    bool is_end = true;
    uint8_t digest[VG_SHA256_SIZE] = { 1 };
    const uint8_t orphan[VG_SHA256_SIZE] = { 2 };
    put_file(world, digest);
    for (unsigned i = 0; i < VG_SAMPLE_ORPHANS_PORTION; i++) {
        digest[1] = (uint8_t)(i >> 8);
        digest[2] = (uint8_t)i;
        samples_fixture_upload(&world->fixture, digest);
        touch(world, digest);
    }
    put_file(world, orphan);
    assert_int_equal(vg_sample_orphans_run(&world->orphans, &removed, &is_end, NULL), VG_OK);
    assert_int_equal(removed, 0);
    assert_false(is_end);
    assert_int_equal(world->orphans.next, 2);
    assert_int_equal(walk(world), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_orphans__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(go_and_files_with_a_record_stay),
        TEST(of_a_deleted_sample_go_when_its_purge_is_over),
        TEST(stay_while_nothing_can_be_committed),
        TEST(a_walk_that_is_stopped_goes_on_where_it_was),
        TEST(a_portion_ends_with_its_folder),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
