/*
 * Switches that break one rule of the protocol, and points at which a test may step in: so that a
 * test shows that breaking the rule is noticed. They exist only in the copy of the library that the
 * model test links (VG_TABLE_TEST); elsewhere they are constants.
 *
 * Threads: set before the table is used, in tests of one thread.
 */
#ifndef VG_CORE_TABLE_TABLE_BREAKS_H
#define VG_CORE_TABLE_TABLE_BREAKS_H

enum vg_table_break {
    VG_BREAK_NOTHING = 0,
    VG_BREAK_SEAL_COPIES_DEATHS,      /* closed and sealed form do not share their deaths */
    VG_BREAK_ACQUIRE_WITHOUT_EPOCH,   /* pointer loaded and referenced outside an epoch */
    VG_BREAK_SETTLE_TOO_NEW,          /* bitmaps take deaths an open snapshot must not see */
    VG_BREAK_SETTLE_IN_TWO_STEPS,     /* log and bitmap are not replaced together */
    VG_BREAK_DICTIONARIES_FIRST,      /* dictionaries are cut before the chunks are chosen */
    VG_BREAK_TRIM_BEFORE_SYNC,        /* the log is trimmed though the folder was not synced */
    VG_BREAK_KEEP_REJECTED_MANIFEST,  /* a manifest not believed stays on disk */
    VG_BREAK_CHECKPOINT_TOO_NEW,      /* manifest's sequence covers rows still in the tail */
    VG_BREAK_UPDATE_CLOCK_REUSES,     /* first value after a start may equal the last one */
    VG_BREAK_COMPACTION_LOSES_DEATHS, /* deaths since the compaction began are not carried over */
    VG_BREAK_COMPACTION_TAKES_IDS,    /* ids are pointed at copied rows whatever they point at */
    VG_BREAK_UNLINK_NAMED,            /* files are unlinked though the manifest names them */
    VG_BREAK_UNLINK_HELD,             /* files are unlinked though a snapshot holds them */
};

enum vg_table_point {
    VG_POINT_ACQUIRE_LOADED, /* a reader has the pointer, and not yet a reference */
    VG_POINT_SETTLE_BETWEEN, /* a death pair is being replaced */
};

#ifdef VG_TABLE_TEST
#include <stdint.h>

#include "core/table/table_schema.h"

struct vg_table_test {
    enum vg_table_break broken;
    void (*reached)(void *owner, enum vg_table_point point);
    void *owner;
    /* DICTIONARIES_FIRST: what an earlier checkpoint saw */
    uint32_t dictionary_counts[VG_TABLE_KINDS_MAX][VG_TABLE_COLUMNS_MAX];
};
extern struct vg_table_test vg_table_test;
#define VG_BROKEN(rule) (vg_table_test.broken == VG_BREAK_##rule)
#define VG_REACHED(point)                                                                          \
    (vg_table_test.reached == NULL ? (void)0                                                       \
                                   : vg_table_test.reached(vg_table_test.owner, VG_POINT_##point))
#else
#define VG_BROKEN(rule)   0
#define VG_REACHED(point) ((void)0)
#endif

#endif
