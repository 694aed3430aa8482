#include "tests/conformance/store/store_backends.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/store/store_fault.h"
#include "core/store/store_leveldb.h"
#include "core/store/store_memory.h"

static struct vg_store *open_memory(struct vg_store_fixture *fixture)
{
    (void)fixture;
    return vg_store_memory_open(VG_STORE_FIXTURE_SHARDS);
}

static struct vg_store *open_fault(struct vg_store_fixture *fixture)
{
    return vg_store_fault_open(open_memory(fixture));
}

static struct vg_store *open_leveldb_with(
    struct vg_store_fixture *fixture,
    size_t write_buffer_bytes)
{
    if (fixture->directory[0] == '\0') {
        (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/vigil-store-XXXXXX");
        VG_ASSERT(mkdtemp(fixture->directory) != NULL);
    }
    struct vg_store_leveldb_options options = vg_store_leveldb_options_default();
    options.directory = fixture->directory;
    options.write_buffer_bytes = write_buffer_bytes;
    options.shard_count = VG_STORE_FIXTURE_SHARDS;
    struct vg_store *store = NULL;
    VG_ASSERT(vg_store_leveldb_open(&options, &store, NULL) == VG_OK);
    return store;
}

static struct vg_store *open_leveldb(struct vg_store_fixture *fixture)
{
    return open_leveldb_with(fixture, 4u * 1024 * 1024);
}

/* So small a buffer that tables are written and compacted under the tests. */
static struct vg_store *open_leveldb_small(struct vg_store_fixture *fixture)
{
    return open_leveldb_with(fixture, 64u * 1024);
}

const struct vg_store_fixture vg_store_fixtures[] = {
    { .name = "memory", .open = open_memory },
    { .name = "fault(memory)", .open = open_fault },
    { .name = "leveldb", .outlives_process = true, .open = open_leveldb },
    { .name = "leveldb, small buffer", .outlives_process = true, .open = open_leveldb_small },
};
const size_t vg_store_fixture_count = VG_ARRAY_COUNT(vg_store_fixtures);

void vg_store_fixture_setup(struct vg_store_fixture *fixture)
{
    fixture->store = fixture->open(fixture);
}

void vg_store_fixture_restart(struct vg_store_fixture *fixture)
{
    if (fixture->outlives_process) {
        vg_store_close(fixture->store);
        fixture->store = fixture->open(fixture);
    } else {
        VG_ASSERT(vg_store_reopen(fixture->store, NULL) == VG_OK);
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void vg_store_fixture_teardown(struct vg_store_fixture *fixture)
{
    vg_store_close(fixture->store);
    fixture->store = NULL;
    if (fixture->directory[0] != '\0') {
        (void)nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        fixture->directory[0] = '\0';
    }
}
