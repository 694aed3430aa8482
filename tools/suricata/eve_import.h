/*
 * Import of EVE files: read, mapped and submitted in batches, several calls under way.
 *
 * What is wrong with a record is told to the observer with its line, and the rest goes on; so does
 * what the server rejects. Only a server that cannot be reached, or refuses the caller, ends an
 * import.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_SURICATA_EVE_IMPORT_H
#define VG_TOOLS_SURICATA_EVE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/compiler.h"
#include "tools/client/connection.h"
#include "tools/suricata/eve_event.h"

#define VG_EVE_IMPORT_BATCH_DEFAULT 500u
#define VG_EVE_IMPORT_BATCH_MAX     10000u /* items_max of a bulk */

struct vg_eve_import_options {
    struct vg_eve_event_options event;
    uint32_t batch_size;  /* 1 to VG_EVE_IMPORT_BATCH_MAX */
    bool with_signatures; /* tell the server of signatures first */
};

struct vg_eve_import_counts {
    uint64_t records;  /* JSON objects */
    uint64_t alerts;   /* of them, what is an event */
    uint64_t skipped;  /* of them, what is no alert */
    uint64_t bad;      /* lines and elements that are no record, and alerts that can be no event */
    uint64_t accepted; /* by the server */
    uint64_t rejected;
    uint64_t signatures; /* that were added */
};

struct vg_eve_import_observer {
    /* Something is wrong at `line` of the file; 0 = with the import as a whole. */
    void (*problem)(struct vg_eve_import_observer *observer, uint64_t line, const char *message);
    /* The server has answered a batch. */
    void (*progress)(struct vg_eve_import_observer *observer);
};

enum vg_eve_import_end {
    VG_EVE_IMPORT_END_DONE,        /* the files so far are read and answered */
    VG_EVE_IMPORT_END_UNREACHABLE, /* the server could not be reached */
    VG_EVE_IMPORT_END_REFUSED,     /* the server takes nothing from this caller */
};

struct vg_eve_import;

/*
 * `connection` NULL: a dry run, which reads and maps only. Everything given is borrowed until
 * destroy. NULL without memory.
 */
VG_MUST_USE struct vg_eve_import *vg_eve_import_create(
    struct vg_connection *connection,
    const struct vg_eve_import_options *options,
    struct vg_eve_import_observer *observer);
void vg_eve_import_destroy(struct vg_eve_import *import); /* accepts NULL */

/* Import one file, to the answer of its last batch. What ended an import has been told to the
 * observer; nothing can be imported behind it. */
enum vg_eve_import_end vg_eve_import_file(struct vg_eve_import *import, FILE *file);

/* What happened so far, all files together. */
const struct vg_eve_import_counts *vg_eve_import_counts(const struct vg_eve_import *import);

#endif
