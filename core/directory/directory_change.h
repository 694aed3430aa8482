/*
 * Adding to and changing the directory: a record becomes a batch with its guards; when the batch is
 * committed the change is installed and the next snapshot has it.
 *
 * Two callers may add at the same time: the guards (id and name must be free) decide in the store,
 * so exactly one wins and the other is told STORE_CONFLICT.
 *
 * Threads: prepare from any thread; install on the writer thread, in the order of commits.
 */
#ifndef VG_CORE_DIRECTORY_DIRECTORY_CHANGE_H
#define VG_CORE_DIRECTORY_DIRECTORY_CHANGE_H

#include <protobuf-c/protobuf-c.h>

#include "core/directory/directory.h"
#include "core/store/batch.h"

struct vg_directory_change {
    struct vg_directory *directory;
    enum vg_directory_kind kind;
    struct vg_batch batch; /* ready for ingest */
};

/*
 * Make the batch that stores `record` (a message of vigil.record.v1 of that kind). `adding`:
 * neither its id nor its name may be taken; else it replaces the record of that id, whose name
 * stays. Dispose the change afterwards.
 *
 * Fails with: OBJECT_EXISTS when the id or name is visibly taken; RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_directory_change_prepare(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record,
    bool adding,
    struct vg_error *error);
void vg_directory_change_dispose(struct vg_directory_change *change);

/* The batch is committed: from the next snapshot on the record is there. */
void vg_directory_change_install(struct vg_directory_change *change);

#endif
