/*
 * Table: the columns of one shard, over which every search, count and statistic runs; the writer's
 * side. Readers use snapshot.h and search.h. The protocol is table-engine.md; docs/table.md is its
 * map.
 *
 * The records in the store are the truth. Rows are derived from them, are versions, and are never
 * changed: an update appends a row and notes the death of the old one; vg_table_publish makes both
 * visible at once by storing one pointer.
 *
 * One batch of the writer:
 *
 *     vg_table_has …                 which records exist (only those are read from the store)
 *     vg_table_prepare               fills invisible rows, reserves all that publishing needs
 *     commit the store batch         synced; records, one change-log entry, `state`
 *       failed or unknown            vg_table_stop, release what you hold, reopen the store, start
 *     take the view
 *     vg_table_publish               cannot fail
 *     answer the callers
 *
 * Threads: all functions here belong to the one writer thread of the shard, except vg_table_open
 * and vg_table_close (nobody else may use the table then) and vg_checkpoint_run (any thread).
 */
#ifndef VG_CORE_TABLE_TABLE_H
#define VG_CORE_TABLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

struct vg_table;
struct vg_disk_hooks;
struct vg_store_view; /* core/store/store.h; released by the table when the last reader is done */

/* Rows of a chunk, and chunks of a kind, at most. */
#define VG_TABLE_CHUNK_ROWS_MAX 65536u
#define VG_TABLE_CHUNKS_MAX     65000u

/* Every limit of a table; 0 takes the default behind it. docs/table.md explains them. */
struct vg_table_limits {
    uint32_t chunk_rows;         /* 65,536: rows of a chunk */
    uint32_t chunks;             /* 16,384 per kind, so 2^30 rows */
    uint32_t closed_chunks;      /* 16: full chunks in memory that no file holds yet */
    uint32_t dictionary_entries; /* 4,194,304 per column; below 2^31 */
    uint64_t dictionary_bytes;   /* 256 MiB per column */
    uint64_t log_sequences;      /* 100,000: a longer change log closes the tail early */
    uint32_t log_ids;            /* 1,000,000: a replay of more ids becomes a rebuild */
    uint32_t snapshots;          /* 10,000 open at a time */
    uint32_t settle_batch;       /* 4,096: deaths are moved to bitmaps so many at a time */
    uint64_t unsettled_deaths;   /* 4,000,000: past it the oldest snapshot is ended */
    uint64_t
        obsolete_bytes; /* 4 GiB: mapped for old snapshots alone; past it no compaction begins */
};

struct vg_table_config {
    const char
        *path; /* folder of the table's files, made if missing; nothing else may live there */
    const struct vg_table_schema *const *schemas; /* by kind; borrowed for the table's life */
    uint32_t kind_count;
    uint8_t store_id[16]; /* drawn when the store was made; a foreign checkpoint is rebuilt */
    uint8_t
        secret[16]; /* of the store, drawn with the id; hash lists are made with it: vg_siphash */
    uint64_t fingerprint; /* of what rows depend on besides the schema (tokenizer, ICU) */
    const struct vg_clock *clock;
    struct vg_table_limits limits;
    struct vg_disk_hooks *disk_hooks; /* NULL; tests step between the table and its files */
};

/*
 * Make a table without content: snapshots answer STARTING until vg_table_start.
 *
 * Fails with: CONFIG; STORE_IO when the folder cannot be made; RESOURCE_LIMIT without memory.
 */
VG_MUST_USE enum vg_reason vg_table_open(
    const struct vg_table_config *config,
    struct vg_table **out_table,
    struct vg_error *error);

/* No snapshot may be open. Accepts NULL and a table that never started. */
void vg_table_close(struct vg_table *table);

struct vg_table_replay;
struct vg_table_rebuild;

/* Where a start gets its rows from: the store, through whoever knows records and keys. */
struct vg_table_source {
    void *owner;

    /*
     * Must tell every change-log entry behind `after`, in order: vg_table_replay_sequence, then
     * vg_table_replay_id for each id in it. An error of either is passed on.
     */
    enum vg_reason (*replay)(
        void *owner,
        uint64_t after,
        struct vg_table_replay *replay,
        struct vg_error *error);

    /*
     * Must load the record with the store key `id`. Sets the id columns of `row` in any case, and
     * when the record exists *out_exists and all the others. What the row points at must stay until
     * the next call.
     */
    enum vg_reason (*load)(
        void *owner,
        uint32_t kind,
        struct vg_bytes id,
        struct vg_row *row,
        bool *out_exists,
        struct vg_error *error);

    /*
     * Must hand over every record once with vg_table_rebuild_add, in any order; in order of
     * timestamp, as the keys are, time ranges stay sharp. An error of it is passed on.
     */
    enum vg_reason (*scan)(void *owner, struct vg_table_rebuild *rebuild, struct vg_error *error);

    /* May be NULL: told now and then how many rows a rebuild has read. */
    void (*progress)(void *owner, uint64_t rows);
};

struct vg_table_start {
    const struct vg_table_source *source;
    uint64_t sequence;          /* of `state`; 0 = no batch was ever committed */
    struct vg_store_view *view; /* the store as it is now; owned by the table from here on, also
                                   when the start fails. NULL for a store without views */
};

/* Told once a start is done, for the log. */
struct vg_table_started {
    bool rebuilt;
    char reason[160];      /* why it was rebuilt: "" when the checkpoint was believed */
    uint64_t rows;         /* live */
    uint64_t replayed_ids; /* of the change log */
};

/*
 * Load the checkpoint and replay the change log behind it, or rebuild from the records when there
 * is no checkpoint or it cannot be believed; then publish. Damage is never an error, it is a
 * rebuild. Nobody may write to the store meanwhile.
 *
 * Fails with: what the source returned; STORE_IO and STORE_FULL from the table's files;
 * RESOURCE_LIMIT. The table is then as before the call.
 */
VG_MUST_USE enum vg_reason vg_table_start(
    struct vg_table *table,
    const struct vg_table_start *start,
    struct vg_table_started *out_started,
    struct vg_error *error);

/* For source->replay. Fails with: RESOURCE_LIMIT past limits.log_ids; then stop and pass it on. */
VG_MUST_USE enum vg_reason vg_table_replay_sequence(
    struct vg_table_replay *replay,
    uint64_t sequence,
    struct vg_error *error);
VG_MUST_USE enum vg_reason vg_table_replay_id(
    struct vg_table_replay *replay,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_error *error);

/* For source->scan; the row is copied. Fails with: RESOURCE_LIMIT, STORE_IO, STORE_FULL. */
VG_MUST_USE enum vg_reason vg_table_rebuild_add(
    struct vg_table_rebuild *rebuild,
    uint32_t kind,
    const struct vg_row *row,
    struct vg_error *error);

/*
 * Stop: new snapshots and running searches are answered STORE_UNAVAILABLE. Used when a commit
 * failed or its outcome is unknown, and at shutdown. Then wait until vg_table_is_drained (every
 * snapshot is released and so every view), close or reopen the store, and start again or close.
 */
void vg_table_stop(struct vg_table *table);

/* Frees what nobody uses any more; true when a stopped table has no snapshot open, no checkpoint
 * and no compaction unfinished. */
bool vg_table_is_drained(struct vg_table *table);

/* The hash of a record's id columns, made once for vg_table_has and vg_table_prepare (0 = not
 * made). Begins to fetch from memory what they look at: foresee a whole batch, then ask. */
uint64_t vg_table_foresee(struct vg_table *table, uint32_t kind, const struct vg_row *row);

/* Is there a live record with these id columns? Only they are read. Counts what is published and
 * not what is prepared. */
bool vg_table_has(
    struct vg_table *table,
    uint32_t kind,
    const struct vg_row *row,
    uint64_t id_hash);

/* One change of a batch; at most one per record. */
struct vg_table_change {
    uint32_t kind;
    bool removes;             /* the record is deleted: only the id columns of `row` are read */
    bool is_new;              /* vg_table_has knew of none since the last batch */
    uint64_t id_hash;         /* of vg_table_foresee, or 0 */
    const struct vg_row *row; /* the new version, complete, lastUpdatedTimestamp included */
};

/*
 * Do all that can fail for a batch that is about to be committed. The rows are copied. Must be
 * followed by exactly one of vg_table_publish, vg_table_cancel and vg_table_stop.
 *
 * Fails with: RESOURCE_LIMIT (rows, chunks, memory, a list past VG_ROW_LIST_MAX); OVERLOADED when
 * full chunks wait for their files (limits.closed_chunks) or too many deaths cannot settle: then
 * the batch may be tried again later; STORE_UNAVAILABLE unless started. Nothing is prepared then.
 */
VG_MUST_USE enum vg_reason vg_table_prepare(
    struct vg_table *table,
    const struct vg_table_change *changes,
    uint32_t change_count,
    struct vg_error *error);

/*
 * Do full chunks pile up in memory, half as many as may, because no checkpoint has made files of
 * them yet? A writer that then waits for one is never answered OVERLOADED by vg_table_prepare.
 */
bool vg_table_is_behind(const struct vg_table *table);

/* Forget what is prepared: the batch was not committed, and it is certain that it was not. */
void vg_table_cancel(struct vg_table *table);

/*
 * The prepared batch has been committed as `sequence`, one more than the last; `view` is the store
 * right after it, owned by the table from here on. Everything acquired later sees it.
 */
void vg_table_publish(struct vg_table *table, uint64_t sequence, struct vg_store_view *view);

/* Sequence of the newest published batch. */
uint64_t vg_table_sequence(const struct vg_table *table);

/* To be called after a batch and, when there is none, about once a second: frees what is past its
 * last reader, settles deaths, ends snapshots past a limit. */
void vg_table_maintain(struct vg_table *table);

/*
 * Checkpoint: makes files of full chunks and names them in a manifest, so that a start need not
 * rebuild and the change log can be trimmed. Begin and finish belong to the writer's thread,
 * between batches; the run in the middle, which writes and syncs, to any thread.
 */
struct vg_checkpoint;

/* Is there enough to do for one? */
bool vg_table_wants_checkpoint(const struct vg_table *table);

/*
 * Collect the work. `close_tail` makes the rows in memory part of it (shutdown). At most one
 * checkpoint at a time.
 *
 * Fails with: RESOURCE_LIMIT; STORE_UNAVAILABLE unless started.
 */
VG_MUST_USE enum vg_reason vg_table_checkpoint_begin(
    struct vg_table *table,
    bool close_tail,
    struct vg_checkpoint **out_checkpoint,
    struct vg_error *error);

/*
 * Write and sync everything.
 *
 * Fails with: STORE_FULL, STORE_IO. The checkpoint on disk is then the one before, or this one;
 * vg_table_checkpoint_finish must be called all the same.
 */
VG_MUST_USE enum vg_reason vg_checkpoint_run(
    struct vg_checkpoint *checkpoint,
    struct vg_error *error);

/*
 * Install the files in place of the rows in memory and free the checkpoint; of a table that was
 * stopped meanwhile, only free it. Returns the position up
 * to which (included) the change log may be trimmed: it only rises, and 0 means nothing yet.
 */
uint64_t vg_table_checkpoint_finish(struct vg_table *table, struct vg_checkpoint *taken_checkpoint);

/* What the metrics show. */
struct vg_table_usage {
    uint64_t rows;      /* live, all kinds */
    uint64_t dead_rows; /* kept until compaction */
    uint64_t chunks;
    uint64_t closed_chunks;
    uint64_t memory_bytes; /* tails, closed chunks, dictionaries, id map */
    uint64_t mapped_bytes;
    uint64_t obsolete_bytes; /* mapped for old snapshots alone */
    uint64_t obsolete_files; /* not unlinked yet */
    uint64_t unsettled_deaths;
    uint64_t open_snapshots;
    uint64_t checkpoint_sequence;
};

void vg_table_usage(const struct vg_table *table, struct vg_table_usage *out_usage);

/* Bytes of one column in the files of sealed chunks. */
uint64_t vg_table_column_bytes(const struct vg_table *table, uint32_t kind, uint32_t column);

#endif
