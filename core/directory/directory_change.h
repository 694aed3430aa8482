/*
 * Adding to and changing the directory: a record becomes a batch with its guards; when the batch is
 * committed the change is installed and the next snapshot has it.
 *
 * Two callers may add or change at the same time: the guards (id and name must be free, the record
 * must be the one that was read) decide in the store, so exactly one wins and the other is told
 * STORE_CONFLICT by whoever applies the batch.
 *
 * Threads: prepare from any thread; install on the writer thread, in the order of commits.
 */
#ifndef VG_CORE_DIRECTORY_DIRECTORY_CHANGE_H
#define VG_CORE_DIRECTORY_DIRECTORY_CHANGE_H

#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"
#include "core/directory/directory.h"
#include "core/store/batch.h"

struct vg_directory_change {
    struct vg_directory *directory;
    enum vg_directory_kind kind;
    struct vg_batch batch; /* ready for ingest */
};

/* Which thing: by id, or by name for the kinds that have no id (keys, signatures). */
struct vg_directory_name {
    enum vg_directory_kind kind;
    int64_t id;
    struct vg_bytes name;
};

/* A record as it is stored. */
struct vg_directory_record {
    ProtobufCMessage *message; /* of vigil.record.v1; may be edited, fields this program does not
                                  know are kept */
    struct vg_bytes stored;    /* the bytes that were read */
};

/*
 * Make the batch that adds `record` (a message of vigil.record.v1 of that kind), whose id and name
 * must be free. Dispose the change afterwards, also after a failure.
 *
 * Fails with: OBJECT_EXISTS when the id or name is visibly taken; STORE_CORRUPT for a record that
 * could not be read back; RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_directory_change_add(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record,
    struct vg_error *error);

/*
 * Read the record of a thing, to be edited and handed to vg_directory_change_replace. It lives in
 * `arena`.
 *
 * Fails with: OBJECT_NOT_FOUND; STORE_CORRUPT; what the store fails with.
 */
VG_MUST_USE enum vg_reason vg_directory_record_read(
    struct vg_directory *directory,
    const struct vg_directory_name *name,
    struct vg_arena *arena,
    struct vg_directory_record *out_record,
    struct vg_error *error);

/*
 * Make the batch that stores the edited record in place of the one that was read. Its id and name
 * must be as they were. Dispose the change afterwards, also after a failure.
 *
 * Fails with: as vg_directory_change_add, without OBJECT_EXISTS.
 */
VG_MUST_USE enum vg_reason vg_directory_change_replace(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const struct vg_directory_record *record,
    struct vg_error *error);

/*
 * The added customer brings a domain nobody has had: let its id and name be free in the store as
 * well, so that two customers added at once do not make two domains of one name or id. The name
 * has at most VG_DIRECTORY_DOMAIN_NAME_MAX bytes and compares without case.
 */
void vg_directory_change_reserve_domain(
    struct vg_directory_change *change,
    int32_t id,
    struct vg_bytes name);

/* Free the batch; a change of zero bytes is accepted. */
void vg_directory_change_dispose(struct vg_directory_change *change);

/* The batch is committed: from the next snapshot on the record is there. */
void vg_directory_change_install(struct vg_directory_change *change);

#endif
