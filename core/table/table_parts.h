/*
 * What a table is made of; for the files of this folder only.
 *
 * Everything belongs to the writer's thread except what is atomic: `current`, `state`, the count of
 * open snapshots, and a published object's references. A published object, the lists it names and
 * the chunks in them are constant once published; their counts of references are the writer's.
 *
 * Threads: see above.
 */
#ifndef VG_CORE_TABLE_TABLE_PARTS_H
#define VG_CORE_TABLE_TABLE_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/table/chunk.h"
#include "core/table/compaction_plan.h"
#include "core/table/epoch.h"
#include "core/table/id_map.h"
#include "core/table/snapshot.h"
#include "core/table/table.h"
#include "core/table/table_disk.h"

/* The chunks of one kind, replaced whole. */
struct vg_chunk_list {
    uint32_t refs;
    uint32_t count;
    bool has_tail; /* the last one is the tail */
    struct vg_chunk *chunks[];
};

struct vg_published_kind {
    struct vg_chunk_list *list;
    uint32_t tail_rows; /* visible rows of the tail, if the list has one */
    uint64_t live;
};

#define VG_PUBLISHED_MAGIC UINT32_C(0x76675042)

struct vg_published {
    struct vg_published *newer;
    bool superseded;
    uint64_t superseded_epoch; /* the epoch that ended then */
    _Atomic uint32_t refs;     /* snapshots */
    atomic_bool ended;         /* too old: searches are refused */
    uint32_t magic;
    uint64_t sequence;
    struct vg_store_view *view;
    uint32_t kind_count;
    struct vg_published_kind kinds[VG_TABLE_KINDS_MAX];
};

struct vg_table_kind {
    const struct vg_table_schema *schema;
    uint32_t index;
    uint32_t id_columns[VG_TABLE_ID_COLUMNS_MAX];
    uint32_t id_count;
    struct vg_dictionary *dictionaries; /* by column; those of kinds without one are zero */
    struct vg_id_map ids;
    struct vg_chunk_list *list; /* as the next publication shows it */
    uint32_t tail_rows;
    struct vg_chunk **by_number;      /* vg_table_number_count of them; borrowed from `list` */
    uint64_t *taken_numbers;          /* one bit each: in `list`, or promised to a compaction */
    struct vg_compaction *compaction; /* being made */
    uint64_t live;
    /* As it was before the batch being prepared. */
    struct vg_chunk_list *saved_list;
    uint32_t saved_tail_rows;
    uint64_t prepared_new; /* ids the batch adds */
};

/* One change of the batch being prepared. */
struct vg_pending {
    uint64_t hash;
    uint32_t kind;
    bool removes;
    bool has_old;
    struct vg_row_place old;
    struct vg_row_place row;
};

/* A file nobody will need any more; see obsolete.c. */
struct vg_obsolete {
    struct vg_obsolete *next;
    struct vg_chunk *chunk; /* a reference, while snapshots may hold it; NULL = unmapped */
    uint64_t named_by;      /* newest checkpoint whose manifest may name it; 0 = none */
    char name[VG_DISK_NAME_SIZE];
};

enum vg_table_state { VG_TABLE_STARTING, VG_TABLE_RUNNING, VG_TABLE_STOPPED };

struct vg_table {
    struct vg_epoch epoch;
    _Atomic(struct vg_published *) current;
    atomic_int state; /* enum vg_table_state */
    _Atomic uint32_t open_snapshots;

    struct vg_table_config config;
    struct vg_table_limits limits; /* defaults filled in */
    struct vg_disk *disk;
    struct vg_table_kind kinds[VG_TABLE_KINDS_MAX];
    struct vg_published *oldest; /* not yet freed, in order; the last one is current */
    struct vg_published *newest;
    struct vg_retired_list retired;

    bool prepared;
    struct vg_pending *pending;
    uint32_t pending_count;
    uint32_t pending_capacity;
    struct vg_published *next; /* made when preparing, so that publishing cannot fail */

    uint64_t sequence; /* of `newest` */
    uint64_t unsettled;
    uint64_t settled_ns;          /* when the last pass was */
    uint64_t settled_floor;       /* and up to which sequence */
    uint64_t generation;          /* of the next file */
    uint64_t checkpoint_sequence; /* of the manifest on disk; 0 = none */
    bool has_checkpoint;
    uint64_t manifest_generation; /* of the manifest on disk, when that is certain; 0 = none */
    uint32_t unnamed_chunks;      /* made by compaction, and in no manifest yet */
    bool wants_compaction;        /* as of the last look */
    struct vg_obsolete *obsolete;
    uint64_t obsolete_bytes;          /* mapped */
    struct vg_checkpoint *checkpoint; /* being made */
};

/* --- chunk_list.c --- */

/* An empty list with one reference; NULL without memory. */
struct vg_chunk_list *vg_chunk_list_create(void);

/* A list of `count` chunks, to be filled with references. NULL without memory. */
struct vg_chunk_list *vg_chunk_list_sized(uint32_t count, bool has_tail);

/* A copy with `chunk` behind the others (its reference is taken over). NULL without memory. */
struct vg_chunk_list *vg_chunk_list_with(
    const struct vg_chunk_list *list,
    struct vg_chunk *taken_chunk,
    bool is_tail);

/* A copy with the same chunks; has_tail as told. */
struct vg_chunk_list *vg_chunk_list_copy(const struct vg_chunk_list *list, bool has_tail);
struct vg_chunk_list *vg_chunk_list_ref(struct vg_chunk_list *list);
void vg_chunk_list_unref(struct vg_chunk_list *list); /* accepts NULL */

/* --- publication.c --- */

/* A published object with nothing in it; NULL without memory. */
struct vg_published *vg_publication_create(void);

/* Fill `taken_next` with the lists as they stand, and make it the current one. `taken_view` is the
 * caller's reference. */
void vg_publication_install(
    struct vg_table *table,
    struct vg_published *taken_next,
    uint64_t sequence,
    struct vg_store_view *taken_view);

/* Publish the lists as they stand now, with the same sequence and view. False without memory: then
 * the next batch shows them. */
bool vg_publication_again(struct vg_table *table);

/* Free published objects nobody can reach. */
void vg_publication_collect(struct vg_table *table);

/* No current one any more. */
void vg_publication_withdraw(struct vg_table *table);

/* --- obsolete.c --- */

/* The file will be unlinked when nothing needs it. */
void vg_obsolete_add(struct vg_table *table, struct vg_obsolete *taken_file);

/* Unmap and unlink what may be. */
void vg_obsolete_collect(struct vg_table *table);

/* Forget all of it; the files are left to the next start. */
void vg_obsolete_clear(struct vg_table *table);

/* --- table_rows.c --- */

/* Numbers of chunks: a compaction can always be had, also when the table has all its chunks. */
static inline uint32_t vg_table_number_count(const struct vg_table *table)
{
    return table->limits.chunks + VG_COMPACTION_CHUNKS_MAX;
}

/* The least number that is free. */
uint32_t vg_table_take_number(const struct vg_table *table, struct vg_table_kind *kind);
void vg_table_mark_number(struct vg_table_kind *kind, uint32_t number);
bool vg_table_has_number(const struct vg_table_kind *kind, uint32_t number);

/* The chunk of this number is no more; the number may be given out again. */
void vg_table_free_number(struct vg_table_kind *kind, uint32_t number);

/* Keyed hash of the id columns of `values`. */
uint64_t vg_table_row_hash(
    const struct vg_table *table,
    const struct vg_table_kind *kind,
    const struct vg_value *values);

/* The same of a stored row. */
uint64_t vg_table_stored_hash(
    const struct vg_table *table,
    const struct vg_table_kind *kind,
    const struct vg_chunk *chunk,
    uint32_t position);

/* The live row with this id. */
bool vg_table_find_row(
    const struct vg_table_kind *kind,
    uint64_t hash,
    const struct vg_value *values,
    struct vg_row_place *out_place);

/*
 * Write `row` behind the last one of the tail, with a new tail when it is full. Only the working
 * state changes.
 *
 * Fails with: what vg_tail_write fails with; RESOURCE_LIMIT past limits.chunks; OVERLOADED past
 * limits.closed_chunks.
 */
VG_MUST_USE enum vg_reason vg_table_append_row(
    struct vg_table *table,
    struct vg_table_kind *kind,
    const struct vg_row *row,
    struct vg_row_place *out_place,
    struct vg_error *error);

/* Mark as closed the chunks that are full: all of a list but its tail. */
void vg_table_close_full(struct vg_table_kind *kind);

/* Close the tail, full or not. False without memory; nothing to close is fine. */
VG_MUST_USE bool vg_table_close_tail(struct vg_table_kind *kind);

/* Chunks of all kinds that are closed and not sealed. */
uint32_t vg_table_closed_count(const struct vg_table *table);

/* Empty all kinds; used before a start and at the end. */
void vg_table_clear(struct vg_table *table);
VG_MUST_USE bool vg_table_init_kinds(struct vg_table *table);

/* --- checkpoint_load.c --- */

/* Load the manifest's files into the (empty) table. False when they are not to be believed:
 * `out_reason` (of `reason_size`) says why, and the table must be cleared. *out_sequence is the
 * manifest's. */
VG_MUST_USE bool vg_table_load(
    struct vg_table *table,
    uint64_t state_sequence,
    uint64_t *out_sequence,
    char *out_reason,
    size_t reason_size);

#endif
