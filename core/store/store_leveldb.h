/*
 * The store in a LevelDB directory: the default. One process at a time may have the directory open.
 *
 * Threads: as core/store/store.h says.
 */
#ifndef VG_CORE_STORE_STORE_LEVELDB_H
#define VG_CORE_STORE_STORE_LEVELDB_H

#include "core/store/store.h"

/* Settings; see docs/storage.md for what each costs. */
struct vg_store_leveldb_options {
    const char *directory;     /* made if missing, its parent must exist */
    size_t write_buffer_bytes; /* the largest choice of all for sustained ingest */
    size_t block_bytes;        /* a table file is written in calls of this size */
    size_t cache_bytes;        /* of blocks read */
    unsigned bloom_bits;       /* per key; 0 = no filter */
    unsigned max_open_files;
    bool compression;     /* Snappy: less disk, a third slower */
    bool sync;            /* off: what is acknowledged may be lost with the power */
    bool paranoid;        /* a damaged log or table is an error at opening, not skipped */
    bool verify_reads;    /* check the checksum of each block read: for the offline check */
    uint32_t shard_count; /* 1, or more to try sharding on one machine: each key then has its
                             shard as prefix, so the count must never change */
};

/* The defaults; the caller sets `directory`. */
struct vg_store_leveldb_options vg_store_leveldb_options_default(void);

/*
 * Open or make the store in options->directory. `options` is copied.
 *
 * Fails with: STORE_LOCKED when another process (or this one) has it open; STORE_CORRUPT;
 * STORE_FULL; STORE_IO for all else, the system's words in the detail.
 */
VG_MUST_USE enum vg_reason vg_store_leveldb_open(
    const struct vg_store_leveldb_options *options,
    struct vg_store **out_store,
    struct vg_error *error);

#endif
