/*
 * One thing of the directory in memory, made from its stored record. Private to core/directory.
 *
 * Threads: immutable once made.
 */
#ifndef VG_CORE_DIRECTORY_DIRECTORY_ENTRY_H
#define VG_CORE_DIRECTORY_DIRECTORY_ENTRY_H

#include "core/base/arena.h"
#include "core/directory/directory.h"
#include "core/directory/zone_set.h"
#include "proto/contract.h"

/* Where entries are made: texts in the arena, zones shared. */
struct vg_directory_memory {
    struct vg_arena *arena;
    struct vg_zone_set *zones;
};

struct vg_directory_entry {
    int64_t id;           /* 0 for kinds that have only a name */
    struct vg_bytes name; /* as compared: folded for short names; empty for kinds with an id only */
    const void *object;   /* struct vg_customer, …, by kind */
};

/* What differs between the kinds. */
struct vg_directory_kind_row {
    const struct vg_table *table; /* of the record */
    bool by_id;
    bool by_name;
    bool folds;      /* names compare without case */
    bool is_subject; /* a user or group: their ids are one range */
    /* Fill entry->id, entry->name (not yet folded) and entry->object from a record message; false
     * when memory is out. */
    bool (*make)(
        const ProtobufCMessage *record,
        const struct vg_directory_memory *memory,
        struct vg_directory_entry *out_entry);
};
extern const struct vg_directory_kind_row vg_directory_kinds[VG_DIRECTORY_KIND_COUNT];

/*
 * Make the entry of packed record bytes, in `memory`.
 *
 * Fails with: STORE_CORRUPT, RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_directory_entry_make(
    enum vg_directory_kind kind,
    struct vg_bytes record,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry **out_entry,
    struct vg_error *error);

/* Room for the longest name of a kind that folds: 64 code points. */
#define VG_DIRECTORY_SHORT_NAME_BYTES_MAX 256

/*
 * A name as it is compared: ASCII letters in lower case when the kind folds (short names are
 * ASCII), then in `out_folded`; else the name itself. False when it is longer than any name of the
 * kind.
 */
VG_MUST_USE bool vg_directory_entry_fold(
    enum vg_directory_kind kind,
    struct vg_bytes name,
    uint8_t out_folded[VG_DIRECTORY_SHORT_NAME_BYTES_MAX],
    struct vg_bytes *out_name);

#endif
