/*
 * LevelDB through its C interface. Errors come back as text and are mapped here, and only here, to
 * reasons. The front lets one write through at a time, so guards can be checked against current
 * values and the batch written after: nothing comes between.
 */
#include "core/store/store_leveldb.h"

#include <stdio.h>
#include <stdlib.h>

#include <leveldb/c.h>

#include "core/base/assert.h"
#include "core/store/store_backend.h"

#define SHARD_PREFIX_SIZE 2
#define SHARD_COUNT_MAX   1024

struct store_leveldb {
    struct vg_store store;
    struct vg_store_leveldb_options settings;
    char *directory;
    leveldb_t *db; /* NULL after a failed reopen */
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_readoptions_t *read_now;
    leveldb_readoptions_t *scan_now; /* long walks do not displace what gets have cached */
    leveldb_writeoptions_t *write_synced;
    leveldb_writeoptions_t *write_unsynced;
    leveldb_writebatch_t *batch; /* used again by each write */
};

/* A view: LevelDB's snapshot with the options that name it. */
struct pinned_snapshot {
    const leveldb_snapshot_t *snapshot;
    leveldb_readoptions_t *read;
    leveldb_readoptions_t *scan;
};

/* A key as LevelDB has it: with the shard in front if there are several. */
struct full_key {
    const char *data;
    size_t size;
    char bytes[SHARD_PREFIX_SIZE + VG_STORE_KEY_BYTES_MAX];
};

static struct store_leveldb *leveldb_of(struct vg_store *store)
{
    return VG_CONTAINER_OF(store, struct store_leveldb, store);
}

static size_t prefix_size(const struct store_leveldb *self)
{
    return self->settings.shard_count > 1 ? SHARD_PREFIX_SIZE : 0;
}

static void full_key_set(
    const struct store_leveldb *self,
    struct full_key *full,
    uint32_t shard,
    struct vg_bytes key)
{
    size_t front = prefix_size(self);
    if (front == 0) {
        full->data = (const char *)key.data;
        full->size = key.size;
        return;
    }
    VG_ASSERT(key.size <= VG_STORE_KEY_BYTES_MAX);
    full->bytes[0] = (char)(shard >> 8);
    full->bytes[1] = (char)shard;
    if (key.size > 0) {
        memcpy(full->bytes + front, key.data, key.size);
    }
    full->data = full->bytes;
    full->size = front + key.size;
}

/* ---- errors */

enum vg_leveldb_operation { OPERATION_OPEN, OPERATION_READ, OPERATION_WRITE };

/* LevelDB's words that tell more than "it failed"; the first that occurs decides. */
static const struct {
    const char *words;
    enum vg_reason reason;
} known_errors[] = {
    { "No space left on device", VG_STORE_FULL },
    { "Disk quota exceeded", VG_STORE_FULL },
    { "Corruption", VG_STORE_CORRUPT },
};

static enum vg_reason reason_of(const char *text, enum vg_leveldb_operation operation)
{
    if (operation == OPERATION_OPEN && (strstr(text, "IO error: lock ") != NULL ||
                                        strstr(text, "already held by process") != NULL)) {
        return VG_STORE_LOCKED;
    }
    for (size_t index = 0; index < VG_ARRAY_COUNT(known_errors); index++) {
        bool known = strstr(text, known_errors[index].words) != NULL;
        /* A corrupt file met by a write leaves it unknown what was written. */
        if (known &&
            (operation != OPERATION_WRITE || known_errors[index].reason == VG_STORE_FULL)) {
            return known_errors[index].reason;
        }
    }
    return operation == OPERATION_WRITE ? VG_STORE_UNKNOWN : VG_STORE_IO;
}

/* Turn LevelDB's text into an error and free it. */
static enum vg_reason take_error(
    const struct store_leveldb *self,
    char *taken_text,
    enum vg_leveldb_operation operation,
    struct vg_error *error)
{
    enum vg_reason reason = reason_of(taken_text, operation);
    if (reason == VG_STORE_LOCKED) {
        (void)vg_error_set(
            error,
            reason,
            "another process uses the data directory %s",
            self->directory);
    } else {
        (void)vg_error_set(error, reason, NULL);
    }
    (void)vg_error_detail(error, "leveldb: %s", taken_text);
    leveldb_free(taken_text);
    return reason;
}

static enum vg_reason not_open(struct vg_error *error)
{
    return vg_error_set(error, VG_STORE_UNAVAILABLE, "the store could not be opened again");
}

/* ---- reading */

static void free_value(void *owner)
{
    leveldb_free(owner);
}

static enum vg_reason leveldb_backend_get(
    struct vg_store *store,
    void *pinned,
    uint32_t shard,
    struct vg_bytes key,
    struct vg_store_value *out_value,
    struct vg_error *error)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db == NULL) {
        return not_open(error);
    }
    const leveldb_readoptions_t *options =
        pinned == NULL ? self->read_now : ((const struct pinned_snapshot *)pinned)->read;
    struct full_key full;
    full_key_set(self, &full, shard, key);
    char *text = NULL;
    size_t size = 0;
    char *data = leveldb_get(self->db, options, full.data, full.size, &size, &text);
    if (text != NULL) {
        return take_error(self, text, OPERATION_READ, error);
    }
    if (data != NULL) {
        *out_value = (struct vg_store_value){
            .bytes = vg_bytes(data, size),
            .found = true,
            .owner = data,
            .release = free_value,
        };
    }
    return VG_OK;
}

/* The key the iterator stands on, if it is valid and begins with `prefix`. */
static bool iterator_key(
    const leveldb_iterator_t *iterator,
    const struct full_key *prefix,
    struct vg_bytes *out_key)
{
    if (!leveldb_iter_valid(iterator)) {
        return false;
    }
    size_t size = 0;
    const char *data = leveldb_iter_key(iterator, &size);
    *out_key = vg_bytes(data, size);
    return vg_bytes_begins_with(*out_key, vg_bytes(prefix->data, prefix->size));
}

/* Stand on the first key of `range`; false when there is none. */
static bool seek_range(
    const struct store_leveldb *self,
    leveldb_iterator_t *iterator,
    const struct vg_store_range *range,
    const struct full_key *prefix,
    struct vg_bytes *out_key)
{
    bool resumed =
        range->start_after.size > 0 && vg_bytes_compare(range->start_after, range->prefix) >= 0;
    struct full_key from;
    full_key_set(self, &from, range->shard, resumed ? range->start_after : range->prefix);
    leveldb_iter_seek(iterator, from.data, from.size);
    bool found = iterator_key(iterator, prefix, out_key);
    if (found && resumed && vg_bytes_equal(*out_key, vg_bytes(from.data, from.size))) {
        leveldb_iter_next(iterator);
        found = iterator_key(iterator, prefix, out_key);
    }
    return found;
}

static enum vg_reason leveldb_backend_scan(
    struct vg_store *store,
    const struct vg_store_range *range,
    vg_store_visit visit,
    void *owner,
    bool *out_more,
    struct vg_error *error)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db == NULL) {
        return not_open(error);
    }
    const struct pinned_snapshot *pinned = vg_store_pinned(range->view);
    leveldb_iterator_t *iterator =
        leveldb_create_iterator(self->db, pinned == NULL ? self->scan_now : pinned->scan);
    struct full_key prefix;
    full_key_set(self, &prefix, range->shard, range->prefix);
    struct vg_bytes key;
    bool found = seek_range(self, iterator, range, &prefix, &key);
    size_t front = prefix_size(self);
    bool stopped = false;
    for (size_t visited = 0; found && !stopped;) {
        size_t size = 0;
        const char *value = leveldb_iter_value(iterator, &size);
        stopped =
            !visit(owner, vg_bytes(key.data + front, key.size - front), vg_bytes(value, size));
        stopped = ++visited == range->limit || stopped;
        leveldb_iter_next(iterator);
        found = iterator_key(iterator, &prefix, &key);
    }
    char *text = NULL;
    leveldb_iter_get_error(iterator, &text);
    leveldb_iter_destroy(iterator);
    if (text != NULL) {
        return take_error(self, text, OPERATION_READ, error);
    }
    *out_more = found;
    return VG_OK;
}

static leveldb_readoptions_t *create_read_options(const struct store_leveldb *self, bool caches)
{
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_readoptions_set_fill_cache(options, caches);
    leveldb_readoptions_set_verify_checksums(options, self->settings.verify_reads);
    return options;
}

static enum vg_reason leveldb_backend_view_pin(
    struct vg_store *store,
    uint32_t shard,
    void **out_pinned,
    struct vg_error *error)
{
    (void)shard;
    struct store_leveldb *self = leveldb_of(store);
    if (self->db == NULL) {
        return not_open(error);
    }
    struct pinned_snapshot *view = malloc(sizeof(*view));
    if (view == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a view of the store");
    }
    view->snapshot = leveldb_create_snapshot(self->db);
    view->read = create_read_options(self, true);
    leveldb_readoptions_set_snapshot(view->read, view->snapshot);
    view->scan = create_read_options(self, false);
    leveldb_readoptions_set_snapshot(view->scan, view->snapshot);
    *out_pinned = view;
    return VG_OK;
}

static void leveldb_backend_view_unpin(struct vg_store *store, void *pinned)
{
    struct store_leveldb *self = leveldb_of(store);
    struct pinned_snapshot *view = pinned;
    leveldb_release_snapshot(self->db, view->snapshot);
    leveldb_readoptions_destroy(view->read);
    leveldb_readoptions_destroy(view->scan);
    free(view);
}

/* ---- writing */

static enum vg_reason check_guard(
    struct store_leveldb *self,
    uint32_t shard,
    const struct vg_batch_entry *guard,
    struct vg_error *error)
{
    struct vg_store_value value = { .found = false };
    enum vg_reason reason =
        leveldb_backend_get(&self->store, NULL, shard, guard->key, &value, error);
    if (reason != VG_OK) {
        return reason;
    }
    bool holds = guard->operation == VG_BATCH_GUARD_ABSENT
                     ? !value.found
                     : value.found && vg_bytes_equal(value.bytes, guard->value);
    vg_store_value_release(&value);
    return holds ? VG_OK : vg_error_set(error, VG_STORE_CONFLICT, NULL);
}

static enum vg_reason check_guards(
    struct store_leveldb *self,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    struct vg_batch_entry entry;
    uint32_t left = batch->guard_count;
    enum vg_reason reason = VG_OK;
    for (size_t position = 0; left > 0 && reason == VG_OK;) {
        VG_ASSERT(vg_batch_next(batch, &position, &entry));
        if (entry.operation == VG_BATCH_GUARD_VALUE || entry.operation == VG_BATCH_GUARD_ABSENT) {
            reason = check_guard(self, shard, &entry, error);
            left--;
        }
    }
    return reason;
}

static void fill_batch(struct store_leveldb *self, uint32_t shard, const struct vg_batch *batch)
{
    struct vg_batch_entry entry;
    struct full_key full;
    leveldb_writebatch_clear(self->batch);
    for (size_t position = 0; vg_batch_next(batch, &position, &entry);) {
        full_key_set(self, &full, shard, entry.key);
        if (entry.operation == VG_BATCH_SET) {
            leveldb_writebatch_put(
                self->batch,
                full.data,
                full.size,
                (const char *)entry.value.data,
                entry.value.size);
        } else if (entry.operation == VG_BATCH_DELETE) {
            leveldb_writebatch_delete(self->batch, full.data, full.size);
        }
    }
}

static enum vg_reason leveldb_backend_apply(
    struct vg_store *store,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db == NULL) {
        return not_open(error);
    }
    enum vg_reason reason = check_guards(self, shard, batch, error);
    if (reason != VG_OK) {
        return reason;
    }
    fill_batch(self, shard, batch);
    bool synced = batch->synced && self->settings.sync;
    char *text = NULL;
    leveldb_write(self->db, synced ? self->write_synced : self->write_unsynced, self->batch, &text);
    return text == NULL ? VG_OK : take_error(self, text, OPERATION_WRITE, error);
}

static unsigned leveldb_backend_level0_files(struct vg_store *store)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db == NULL) {
        return 0;
    }
    char *text = leveldb_property_value(self->db, "leveldb.num-files-at-level0");
    if (text == NULL) {
        return 0;
    }
    unsigned long files = strtoul(text, NULL, 10);
    leveldb_free(text);
    return (unsigned)files;
}

#define BYTES_PER_MIB (1024u * 1024u)

/* The lines of "leveldb.stats" below its head: level, files, MiB, seconds, MiB read, MiB written.
 */
static void read_levels(const char *text, struct vg_store_usage *usage)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        unsigned level;
        unsigned long long files;
        unsigned long long size;
        unsigned long long seconds;
        unsigned long long read_size;
        unsigned long long written;
        line += *line == '\n';
        /* NOLINTNEXTLINE(cert-err34-c): LevelDB's own numbers */
        int found = sscanf(
            line,
            "%u %llu %llu %llu %llu %llu",
            &level,
            &files,
            &size,
            &seconds,
            &read_size,
            &written);
        if (found == 6 && level < VG_STORE_LEVELS) {
            usage->levels[level] =
                (struct vg_store_level){ .files = files,
                                         .bytes = size * BYTES_PER_MIB,
                                         .compaction_s = seconds,
                                         .read_bytes = read_size * BYTES_PER_MIB,
                                         .written_bytes = written * BYTES_PER_MIB };
        }
    }
}

static bool leveldb_backend_usage(struct vg_store *store, struct vg_store_usage *out_usage)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db == NULL) {
        return false;
    }
    char *memory = leveldb_property_value(self->db, "leveldb.approximate-memory-usage");
    char *stats = leveldb_property_value(self->db, "leveldb.stats");
    if (memory != NULL) {
        out_usage->memory_bytes = strtoull(memory, NULL, 10);
        leveldb_free(memory);
    }
    if (stats != NULL) {
        read_levels(stats, out_usage);
        leveldb_free(stats);
    }
    return true;
}

/* ---- opening and closing */

static enum vg_reason open_database(struct store_leveldb *self, struct vg_error *error)
{
    char *text = NULL;
    self->db = leveldb_open(self->options, self->directory, &text);
    if (text != NULL) {
        self->db = NULL;
        return take_error(self, text, OPERATION_OPEN, error);
    }
    return VG_OK;
}

static enum vg_reason leveldb_backend_reopen(struct vg_store *store, struct vg_error *error)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db != NULL) {
        leveldb_close(self->db);
        self->db = NULL;
    }
    return open_database(self, error);
}

static void leveldb_backend_close(struct vg_store *store)
{
    struct store_leveldb *self = leveldb_of(store);
    if (self->db != NULL) {
        leveldb_close(self->db);
    }
    leveldb_writebatch_destroy(self->batch);
    leveldb_writeoptions_destroy(self->write_unsynced);
    leveldb_writeoptions_destroy(self->write_synced);
    leveldb_readoptions_destroy(self->scan_now);
    leveldb_readoptions_destroy(self->read_now);
    leveldb_options_destroy(self->options);
    if (self->filter != NULL) {
        leveldb_filterpolicy_destroy(self->filter);
    }
    leveldb_cache_destroy(self->cache);
    free(self->directory);
    vg_store_dispose(store);
    free(self);
}

static const struct vg_store_backend leveldb_backend = {
    .name = "leveldb",
    .apply = leveldb_backend_apply,
    .get = leveldb_backend_get,
    .scan = leveldb_backend_scan,
    .view_pin = leveldb_backend_view_pin,
    .view_unpin = leveldb_backend_view_unpin,
    .level0_files = leveldb_backend_level0_files,
    .usage = leveldb_backend_usage,
    .reopen = leveldb_backend_reopen,
    .close = leveldb_backend_close,
};

struct vg_store_leveldb_options vg_store_leveldb_options_default(void)
{
    return (struct vg_store_leveldb_options){
        .write_buffer_bytes = 256u * 1024 * 1024,
        .block_bytes = 16u * 1024,
        .cache_bytes = 64u * 1024 * 1024,
        .bloom_bits = 10,
        .max_open_files = 4000,
        .compression = false,
        .sync = true,
        .paranoid = true,
        .verify_reads = false,
        .shard_count = 1,
    };
}

static void create_options(struct store_leveldb *self)
{
    const struct vg_store_leveldb_options *settings = &self->settings;
    self->cache = leveldb_cache_create_lru(settings->cache_bytes);
    self->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(self->options, 1);
    leveldb_options_set_write_buffer_size(self->options, settings->write_buffer_bytes);
    /* Each block is a write of its own, and pages it fills in part are zeroed first: with blocks
     * of a page that costs more than the writing. */
    leveldb_options_set_block_size(self->options, settings->block_bytes);
    leveldb_options_set_cache(self->options, self->cache);
    leveldb_options_set_max_open_files(self->options, (int)settings->max_open_files);
    leveldb_options_set_paranoid_checks(self->options, settings->paranoid);
    leveldb_options_set_compression(
        self->options,
        settings->compression ? leveldb_snappy_compression : leveldb_no_compression);
    if (settings->bloom_bits > 0) {
        self->filter = leveldb_filterpolicy_create_bloom((int)settings->bloom_bits);
        leveldb_options_set_filter_policy(self->options, self->filter);
    }
    self->read_now = create_read_options(self, true);
    self->scan_now = create_read_options(self, false);
    self->write_synced = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(self->write_synced, 1);
    self->write_unsynced = leveldb_writeoptions_create();
    self->batch = leveldb_writebatch_create();
}

enum vg_reason vg_store_leveldb_open(
    const struct vg_store_leveldb_options *options,
    struct vg_store **out_store,
    struct vg_error *error)
{
    VG_ASSERT(options->shard_count > 0 && options->shard_count <= SHARD_COUNT_MAX);
    VG_ASSERT(options->max_open_files <= INT32_MAX && options->bloom_bits <= 64);
    struct store_leveldb *self = calloc(1, sizeof(*self));
    VG_ASSERT(self != NULL);
    self->settings = *options;
    self->directory = strdup(options->directory);
    VG_ASSERT(self->directory != NULL);
    self->settings.directory = self->directory;
    vg_store_init(&self->store, &leveldb_backend, options->shard_count);
    create_options(self);
    enum vg_reason reason = open_database(self, error);
    if (reason != VG_OK) {
        vg_store_close(&self->store);
        return reason;
    }
    *out_store = &self->store;
    return VG_OK;
}
