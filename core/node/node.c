#include "core/node/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/access/access.h"
#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/directory/directory.h"
#include "core/events/event_link.h"
#include "core/events/event_table.h"
#include "core/events/event_watches.h"
#include "core/events/record_cache.h"
#include "core/keyspace/keyspace.h"
#include "core/node/keeper.h"
#include "core/node/record_kind.h"
#include "core/node/sweeper.h"
#include "core/store/blob_files.h"
#include "core/store/store_leveldb.h"
#include "core/table/table.h"

#define PATH_SIZE (VG_SETTING_TEXT_SIZE + 32)

static enum vg_reason make_directory(const char *path, struct vg_error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        int number = errno;
        (void)vg_error_set(error, VG_STORE_IO, "cannot make the data directory %s", path);
        return vg_error_detail(error, "%s", strerror(number));
    }
    return VG_OK;
}

static enum vg_reason open_store(struct vg_node *node, struct vg_error *error)
{
    const struct vg_settings *settings = node->settings;
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/store", settings->data);
    struct vg_store_leveldb_options options = vg_store_leveldb_options_default();
    options.directory = path;
    options.write_buffer_bytes = settings->write_buffer_bytes;
    options.cache_bytes = settings->block_cache_bytes;
    options.bloom_bits = settings->bloom_bits;
    options.max_open_files = settings->open_files_max;
    options.compression = settings->compression;
    return vg_store_leveldb_open(&options, &node->store, error);
}

/* After the store, whose lock keeps a second process away. */
static enum vg_reason open_blobs(struct vg_node *node, struct vg_error *error)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/blobs", node->settings->data);
    return vg_blob_files_open(path, &node->blobs, error);
}

/* A store without `format` is new: its id and secret are drawn now, before anything else is in it.
 */
static enum vg_reason make_format(struct vg_node *node, struct vg_error *error)
{
    node->format.version = VG_FORMAT_VERSION;
    vg_random_bytes(node->random, node->format.store_id, sizeof(node->format.store_id));
    vg_random_bytes(node->random, node->format.secret, sizeof(node->format.secret));
    uint8_t value[VG_FORMAT_SIZE];
    vg_format_version_encode(&node->format, value);
    struct vg_key key;
    vg_key_format(&key);
    struct vg_batch batch;
    vg_batch_init(&batch, 4096);
    vg_batch_guard_absent(&batch, vg_key_bytes(&key));
    vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes(value, sizeof(value)));
    enum vg_reason reason = vg_store_apply(node->store, VG_NODE_SHARD, &batch, error);
    vg_batch_dispose(&batch);
    return reason;
}

static enum vg_reason read_format(struct vg_node *node, struct vg_error *error)
{
    struct vg_key key;
    vg_key_format(&key);
    struct vg_store_value value;
    enum vg_reason reason =
        vg_store_get_one(node->store, NULL, VG_NODE_SHARD, vg_key_bytes(&key), &value, error);
    if (reason != VG_OK) {
        return reason;
    }
    bool found = value.found;
    if (found) {
        reason = vg_format_version_decode(value.bytes, VG_FORMAT_VERSION, &node->format, error);
    }
    vg_store_value_release(&value);
    return found ? reason : make_format(node, error);
}

static enum vg_reason open_table(struct vg_node *node, struct vg_error *error)
{
    for (uint32_t kind = 0; kind < VG_INGEST_KIND_COUNT; kind++) {
        node->schemas[kind] = vg_record_kinds[kind].schema;
    }
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/table", node->settings->data);
    struct vg_table_config config = {
        .path = path,
        .schemas = node->schemas,
        .kind_count = VG_INGEST_KIND_COUNT,
        .clock = node->clock,
        .fingerprint = vg_event_table_fingerprint(),
        .limits = { .chunk_rows = node->settings->table_chunk_rows },
    };
    memcpy(config.store_id, node->format.store_id, sizeof(config.store_id));
    memcpy(config.secret, node->format.secret, sizeof(config.secret));
    return vg_table_open(&config, &node->table, error);
}

static enum vg_reason open_all(struct vg_node *node, struct vg_error *error)
{
    enum vg_reason reason = make_directory(node->settings->data, error);
    if (reason == VG_OK) {
        reason = open_store(node, error);
    }
    if (reason == VG_OK) {
        reason = read_format(node, error);
    }
    if (reason == VG_OK) {
        reason = open_blobs(node, error);
    }
    if (reason == VG_OK) {
        reason = vg_directory_create(node->store, &node->directory, error);
    }
    if (reason == VG_OK) {
        reason = vg_access_create(node->directory, &node->access, error);
    }
    if (reason == VG_OK) {
        vg_access_set_quota(
            node->access,
            &(struct vg_quota_limits){
                .calls_per_second = node->settings->quota_requests_per_second,
                .call_burst = node->settings->quota_request_burst,
                .calls_at_once = node->settings->quota_requests_at_once,
                .events_per_second = node->settings->quota_events_per_second });
    }
    node->record_cache = vg_record_cache_create(node->settings->record_cache_bytes);
    return reason == VG_OK ? open_table(node, error) : reason;
}

enum vg_reason vg_node_open(
    struct vg_node *node,
    const struct vg_settings *settings,
    const struct vg_clock *clock,
    struct vg_random *random,
    struct vg_error *error)
{
    *node = (struct vg_node){ .settings = settings, .clock = clock, .random = random };
    VG_ASSERT(pthread_mutex_init(&node->lock, NULL) == 0);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    VG_ASSERT(pthread_cond_init(&node->wake, &attributes) == 0);
    VG_ASSERT(pthread_mutex_init(&node->sweep_lock, NULL) == 0);
    VG_ASSERT(pthread_cond_init(&node->sweep_wake, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    enum vg_reason reason = vg_event_link_check(settings->event_links, error);
    if (reason == VG_OK) {
        reason = open_all(node, error);
    }
    if (reason != VG_OK) {
        vg_node_close(node);
    }
    return reason;
}

/* As many as there are cores besides the one that reads the records. */
static unsigned loader_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 3 ? 1 : (unsigned)cores - 1;
}

static enum vg_reason start_watches(struct vg_node *node, struct vg_error *error)
{
    const struct vg_event_watches_options options = {
        .table = node->table,
        .kind = VG_INGEST_KIND_EVENT,
        .directory = node->directory,
        .clock = node->clock,
        .interval_ms = node->settings->watch_interval_ms,
        .watches_max = node->settings->watchers_max,
        .per_key_max = node->settings->watchers_per_key_max,
    };
    return vg_event_watches_create(&options, &node->watches, error);
}

static void tell_watches(void *owner, uint64_t sequence, vg_time last_updated)
{
    const struct vg_node *node = owner;
    vg_event_watches_notify(node->watches, sequence, last_updated);
}

static enum vg_reason start_writer(struct vg_node *node, struct vg_error *error)
{
    const struct vg_settings *settings = node->settings;
    vg_ingest_columns_init(&node->columns, node->table);
    struct vg_ingest_options options = {
        .store = node->store,
        .shard = VG_NODE_SHARD,
        .clock = node->clock,
        .table = &node->columns.self,
        .settings = vg_ingest_settings_default(),
        .failed = vg_keeper_failed,
        .published = tell_watches,
        .recover = vg_keeper_recover,
        .between = vg_keeper_between,
        .owner = node,
    };
    options.settings.queue_items_max = settings->ingest_queue_max;
    options.settings.queue_bytes_max = settings->ingest_queue_bytes_max;
    options.settings.group_items_max = settings->ingest_batch_events;
    options.settings.group_bytes_max = settings->ingest_batch_bytes;
    return vg_ingest_create(&options, &node->ingest, error);
}

enum vg_reason vg_node_start(struct vg_node *node, struct vg_error *error)
{
    node->loader_threads = loader_threads();
    enum vg_reason reason = vg_keeper_start_table(node, error);
    node->gives_up = NULL; /* a recovery does not */
    if (reason == VG_OK) {
        reason = start_watches(node, error);
    }
    if (reason == VG_OK) {
        reason = start_writer(node, error);
    }
    if (reason == VG_OK) {
        reason = vg_keeper_start(node, error);
    }
    return reason == VG_OK ? vg_sweeper_start(node, error) : reason;
}

void vg_node_stop(struct vg_node *node)
{
    vg_sweeper_stop(node);
    vg_keeper_stop(node);
    if (node->ingest != NULL) {
        struct vg_ingest_figures figures;
        vg_ingest_read_figures(node->ingest, &figures);
        if (!figures.failed) {
            vg_keeper_checkpoint(node);
        }
        vg_ingest_destroy(node->ingest);
        node->ingest = NULL;
    }
    vg_event_watches_destroy(node->watches);
    node->watches = NULL;
    if (node->table != NULL) {
        vg_table_stop(node->table);
        VG_ASSERT(vg_table_is_drained(
            node->table)); /* every call has ended and given its snapshot back */
    }
}

void vg_node_close(struct vg_node *node)
{
    vg_table_close(node->table);
    vg_record_cache_destroy(node->record_cache);
    vg_access_destroy(node->access);
    vg_directory_destroy(node->directory);
    vg_blob_files_close(node->blobs);
    vg_store_close(node->store);
    (void)pthread_cond_destroy(&node->sweep_wake);
    (void)pthread_mutex_destroy(&node->sweep_lock);
    (void)pthread_cond_destroy(&node->wake);
    (void)pthread_mutex_destroy(&node->lock);
    memset(node, 0, sizeof(*node));
}
