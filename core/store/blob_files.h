/*
 * Blob files: whole files kept beside the store, each named by the SHA-256 of its bytes.
 *
 *     DIR/ab/ab12…       the file whose digest begins with ab
 *     DIR/tmp/…          files under way
 *
 * A file is written under a temporary name, synced, renamed, and its folder is synced: so under its
 * name it is always whole, and what is acknowledged is on the disk. A file that is aborted, or cut
 * off by a crash, leaves nothing: `tmp` is emptied at the start. Removing a file takes its name
 * only; whoever has opened it reads on.
 *
 * Metadata is somebody else's and written after the file. Whoever changes both, or decides by one
 * about the other, holds the lock of that digest meanwhile.
 *
 * Threads: any; a writer or reader belongs to one at a time. Everything waits for the disk.
 */
#ifndef VG_CORE_STORE_BLOB_FILES_H
#define VG_CORE_STORE_BLOB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/digest.h"
#include "core/base/error.h"

struct vg_blob_files;

/*
 * Open `directory`, made if missing (its parent must be there), and remove what was never finished.
 * One process at a time: the store beside it holds the lock.
 *
 * Fails with: STORE_IO, STORE_FULL, RESOURCE_LIMIT; CONFIG (a path that is too long).
 */
VG_MUST_USE enum vg_reason vg_blob_files_open(
    const char *directory,
    struct vg_blob_files **out_files,
    struct vg_error *error);

/* All writers and readers have ended. Accepts NULL. */
void vg_blob_files_close(struct vg_blob_files *files);

/* Nobody else commits, removes or decides about this digest until it is unlocked. Held across
 * waiting for the writer thread, by executor threads only. */
void vg_blob_files_lock(struct vg_blob_files *files, const uint8_t digest[VG_SHA256_SIZE]);
void vg_blob_files_unlock(struct vg_blob_files *files, const uint8_t digest[VG_SHA256_SIZE]);

/* A file under way. Zeroed = none. */
struct vg_blob_writer {
    struct vg_blob_files *files; /* NULL = none */
    uint64_t size;               /* bytes appended */
    uint64_t bytes_max;

    /* Private. */
    uint64_t pushed; /* bytes the kernel was asked to begin to write */
    uint64_t number; /* of the temporary name */
    int handle;
};

/*
 * Begin a file of at most `bytes_max` bytes.
 *
 * Fails with: STORE_FULL, STORE_IO; there is nothing to abort then.
 */
VG_MUST_USE enum vg_reason vg_blob_writer_begin(
    struct vg_blob_files *files,
    uint64_t bytes_max,
    struct vg_blob_writer *out_writer,
    struct vg_error *error);

/*
 * Append `bytes`.
 *
 * Fails with: REQUEST_TOO_LARGE past bytes_max; STORE_FULL, STORE_IO. Then only abort may follow.
 */
VG_MUST_USE enum vg_reason vg_blob_writer_append(
    struct vg_blob_writer *writer,
    struct vg_bytes bytes,
    struct vg_error *error);

/* Wait until all that was appended is on the disk: what takes long about a commit, without the
 * lock. Fails with: STORE_FULL, STORE_IO. */
VG_MUST_USE enum vg_reason vg_blob_writer_sync(
    struct vg_blob_writer *writer,
    struct vg_error *error);

/*
 * Give the file its name; the caller holds the lock of `digest`. When the same file is there
 * already this one is dropped, and *out_is_new is false. The writer has ended.
 *
 * Fails with: STORE_FULL, STORE_IO; nothing is left of the file.
 */
VG_MUST_USE enum vg_reason vg_blob_writer_commit(
    struct vg_blob_writer *writer,
    const uint8_t digest[VG_SHA256_SIZE],
    bool *out_is_new,
    struct vg_error *error);

/* Drop the file. Accepts a writer that is zeroed or has ended. */
void vg_blob_writer_abort(struct vg_blob_writer *writer);

/* A file that is read. Zeroed = none. */
struct vg_blob_reader {
    uint64_t size;
    int handle;
    bool open;
};

/*
 * Open a file; *out_found tells whether it is there. What is removed later can be read on.
 *
 * Fails with: STORE_IO.
 */
VG_MUST_USE enum vg_reason vg_blob_reader_open(
    struct vg_blob_files *files,
    const uint8_t digest[VG_SHA256_SIZE],
    struct vg_blob_reader *out_reader,
    bool *out_found,
    struct vg_error *error);

/*
 * Read exactly `size` bytes from `offset`.
 *
 * Fails with: STORE_IO, also when the file ends before.
 */
VG_MUST_USE enum vg_reason vg_blob_reader_read(
    const struct vg_blob_reader *reader,
    uint64_t offset,
    uint8_t *out,
    size_t size,
    struct vg_error *error);
void vg_blob_reader_close(struct vg_blob_reader *reader); /* accepts a zeroed one */

/* A path nobody else uses, for a file made on the way by somebody who needs a path (a ZIP); what is
 * left there is removed at the next start. */
#define VG_BLOB_PATH_SIZE 1100u
void vg_blob_files_scratch(struct vg_blob_files *files, char out_path[VG_BLOB_PATH_SIZE]);

/*
 * Open the file at `path` and take its name away: closing it is its end.
 *
 * Fails with: STORE_IO; the name is gone all the same.
 */
VG_MUST_USE enum vg_reason vg_blob_reader_take(
    const char *path,
    struct vg_blob_reader *out_reader,
    struct vg_error *error);

/*
 * Remove a file; the caller holds the lock of `digest`. *out_found tells whether it was there.
 *
 * Fails with: STORE_IO.
 */
VG_MUST_USE enum vg_reason vg_blob_files_remove(
    struct vg_blob_files *files,
    const uint8_t digest[VG_SHA256_SIZE],
    bool *out_found,
    struct vg_error *error);

/*
 * Visit the digests of the files that begin with the byte `first`, in no order, until `visit`
 * returns false. What comes or goes meanwhile is visited or not. Without a lock.
 *
 * Fails with: STORE_IO.
 */
VG_MUST_USE enum vg_reason vg_blob_files_list(
    struct vg_blob_files *files,
    uint8_t first,
    bool (*visit)(void *owner, const uint8_t digest[VG_SHA256_SIZE]),
    void *owner,
    struct vg_error *error);

#endif
