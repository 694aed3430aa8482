#include "core/node/record_source.h"

#include "core/base/log.h"
#include "core/ingest/ingest.h"
#include "core/keyspace/change_log.h"
#include "core/keyspace/keyspace.h"
#include "core/node/record_kind.h"
#include "core/node/row_loader.h"

/* One stored event takes at most 4 MiB; its row needs little besides. */
#define ROW_BYTES_MAX (16u * 1024u * 1024u)

static struct vg_record_source *of(void *owner)
{
    return owner;
}

/* Records between two questions whether to give up. */
#define RECORDS_UNASKED 256u

static enum vg_reason check(struct vg_record_source *source, struct vg_error *error)
{
    bool asks = source->gives_up != NULL && source->visited++ % RECORDS_UNASKED == 0;
    return asks && source->gives_up(source->owner) ? vg_error_set(error, VG_CANCELLED, NULL)
                                                   : VG_OK;
}

/* ---- the change log behind a checkpoint */

struct replay_walk {
    struct vg_table_replay *replay;
    uint64_t after;
    enum vg_reason reason;
    struct vg_error *error;
};

static enum vg_reason replay_entry(
    struct replay_walk *walk,
    uint64_t sequence,
    struct vg_bytes entry)
{
    enum vg_reason reason = vg_table_replay_sequence(walk->replay, sequence, walk->error);
    size_t position = 0;
    while (reason == VG_OK) {
        uint32_t kind = 0;
        struct vg_bytes key;
        enum vg_change_log_step step = vg_change_log_next(entry, &position, &kind, &key);
        if (step == VG_CHANGE_LOG_END) {
            break;
        }
        if (step == VG_CHANGE_LOG_CORRUPT) {
            return vg_error_set(
                walk->error,
                VG_STORE_CORRUPT,
                "an entry of the change log cannot be read");
        }
        reason = vg_table_replay_id(walk->replay, kind, key, walk->error);
    }
    return reason;
}

static bool replay_visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct replay_walk *walk = owner;
    uint64_t sequence = 0;
    if (!vg_key_parse_change_log(key, &sequence)) {
        walk->reason =
            vg_error_set(walk->error, VG_STORE_CORRUPT, "a key of the change log cannot be read");
    } else if (sequence > walk->after) {
        walk->reason = replay_entry(walk, sequence, value);
    }
    return walk->reason == VG_OK;
}

static enum vg_reason source_replay(
    void *owner,
    uint64_t after,
    struct vg_table_replay *replay,
    struct vg_error *error)
{
    struct vg_record_source *source = of(owner);
    struct replay_walk walk = { .replay = replay, .after = after, .reason = VG_OK, .error = error };
    struct vg_key start;
    vg_key_change_log(&start, after);
    struct vg_store_range range = { .shard = source->shard,
                                    .prefix = vg_key_family_prefix(VG_KEY_FAMILY_CHANGE_LOG),
                                    .start_after = vg_key_bytes(&start) };
    enum vg_reason reason = vg_store_scan(source->store, &range, replay_visit, &walk, NULL, error);
    return reason != VG_OK ? reason : walk.reason;
}

/* ---- one record */

static enum vg_reason source_load(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists,
    struct vg_error *error)
{
    struct vg_record_source *source = of(owner);
    if (kind >= VG_INGEST_KIND_COUNT) {
        return vg_error_set(
            error,
            VG_STORE_CORRUPT,
            "the change log names a kind this program does not know");
    }
    vg_store_value_release(&source->value); /* of the row before, which is not used any more */
    vg_arena_reset(&source->arena);
    enum vg_reason reason = check(source, error);
    if (reason != VG_OK) {
        return reason;
    }
    reason = vg_store_get_one(source->store, NULL, source->shard, id, &source->value, error);
    if (reason != VG_OK) {
        return reason;
    }
    *out_exists = source->value.found;
    struct vg_bytes record = source->value.found ? source->value.bytes : vg_bytes(NULL, 0);
    return vg_record_kinds[kind].load(id, record, source->secret, &source->arena, row, error);
}

/* ---- all records */

struct scan_walk {
    struct vg_record_source *source;
    struct vg_row_loader *loader;
    enum vg_reason reason;
    struct vg_error *error;
};

static bool scan_visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct scan_walk *walk = owner;
    walk->reason = check(walk->source, walk->error);
    if (walk->reason == VG_OK) {
        walk->reason = vg_row_loader_add(walk->loader, key, value, walk->error);
    }
    return walk->reason == VG_OK;
}

static enum vg_reason scan_into(
    struct vg_record_source *source,
    uint32_t kind,
    struct vg_row_loader *loader,
    struct vg_error *error)
{
    struct scan_walk walk = { .source = source, .loader = loader, .reason = VG_OK, .error = error };
    struct vg_store_range range = { .shard = source->shard,
                                    .prefix = vg_key_family_prefix(vg_record_kinds[kind].family) };
    enum vg_reason reason = vg_store_scan(source->store, &range, scan_visit, &walk, NULL, error);
    if (reason == VG_OK) {
        reason = walk.reason;
    }
    return reason == VG_OK ? vg_row_loader_finish(loader, error) : reason;
}

static enum vg_reason scan_kind(
    struct vg_record_source *source,
    uint32_t kind,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    struct vg_row_loader *loader = NULL;
    enum vg_reason reason =
        vg_row_loader_create(rebuild, kind, source->secret, source->thread_count, &loader, error);
    if (reason == VG_OK) {
        reason = scan_into(source, kind, loader, error);
    }
    vg_row_loader_destroy(loader);
    return reason;
}

static enum vg_reason source_scan(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    struct vg_record_source *source = of(owner);
    enum vg_reason reason = VG_OK;
    for (uint32_t kind = 0; kind < VG_INGEST_KIND_COUNT && reason == VG_OK; kind++) {
        reason = scan_kind(source, kind, rebuild, error);
    }
    return reason;
}

static void source_progress(void *owner, uint64_t rows)
{
    (void)owner;
    struct vg_log_line line;
    if (vg_log_begin(&line, VG_LOG_INFO, "rebuild")) {
        vg_log_int(&line, "rows", (int64_t)rows);
        vg_log_end(&line);
    }
}

void vg_record_source_init(
    struct vg_record_source *source,
    struct vg_store *store,
    uint32_t shard,
    const uint8_t *secret,
    unsigned thread_count)
{
    *source = (struct vg_record_source){
        .source = { .owner = source,
                    .replay = source_replay,
                    .load = source_load,
                    .scan = source_scan,
                    .progress = source_progress },
        .store = store,
        .shard = shard,
        .secret = secret,
        .thread_count = thread_count,
    };
    vg_arena_init(&source->arena, ROW_BYTES_MAX);
}

void vg_record_source_dispose(struct vg_record_source *source)
{
    vg_store_value_release(&source->value);
    vg_arena_dispose(&source->arena);
}
