/*
 * Spool: a log file that grows and is rotated, read line by line, and the place up to which it has
 * been dealt with, kept in a file of its own.
 *
 * A file is known by its inode and its first bytes, so that it is found again under another name
 * (rotated by renaming) and not mistaken for one that was emptied (copied and truncated), also when
 * that has more in it by now than was read. A rotated file is read to its end, and nothing has been
 * added to it for a while, before the next one is begun. What is written between the last reading
 * and a truncation cannot be had by anybody.
 *
 * Threads: a spool belongs to one thread.
 */
#ifndef VG_TOOLS_SURICATA_EVE_SPOOL_H
#define VG_TOOLS_SURICATA_EVE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/error.h"

#define VG_EVE_SPOOL_PATH_SIZE 4096u
/* Bytes by which a file is known again. */
#define VG_EVE_SPOOL_HEAD_BYTES 1024u
/* A rotated file is left when nothing was added to it for so long. */
#define VG_EVE_SPOOL_QUIET_MS 1000u
/* A file is looked at so often, while lines are asked for: is it still the same? */
#define VG_EVE_SPOOL_LOOK_MS 100u
/* Read again when a file is found again: what its last alerts were. */
#define VG_EVE_SPOOL_BACK_BYTES (256u * 1024u)

/* How far a spool has been dealt with. */
struct vg_eve_spool_mark {
    uint64_t inode;
    uint64_t offset;   /* of the next line */
    uint64_t position; /* of the last event before it, in the stream */
};

struct vg_eve_spool {
    char path[VG_EVE_SPOOL_PATH_SIZE];
    char state_path[VG_EVE_SPOOL_PATH_SIZE];
    FILE *file; /* NULL = there is none yet */
    struct vg_eve_spool_mark at;
    uint64_t changed_ns; /* when the file last had something new */
    uint64_t looked_ns;  /* when it was last known to be the same */
    size_t head_size;    /* bytes of its start, and their digest */
    uint8_t head[VG_SHA256_SIZE];
    char *line;
    size_t line_size;
};

enum vg_eve_spool_step {
    VG_EVE_SPOOL_LINE,
    VG_EVE_SPOOL_NEXT_FILE, /* another file has been begun */
    VG_EVE_SPOOL_WAIT,      /* nothing more now */
};

/*
 * Open the spool `path`, whose state is kept in `state_path`; *out_known: there was one, and `at`
 * says where it goes on. The file itself may not exist yet.
 *
 * Fails with: CONFIG (a path that is too long, a state that is none), STORE_IO.
 */
VG_MUST_USE enum vg_reason vg_eve_spool_open(
    struct vg_eve_spool *spool,
    const char *path,
    const char *state_path,
    bool *out_known,
    struct vg_error *error);
void vg_eve_spool_close(struct vg_eve_spool *spool);

/* The next whole line, without its end, which stays until the next call; spool->at is behind it. */
enum vg_eve_spool_step vg_eve_spool_next(struct vg_eve_spool *spool, struct vg_bytes *out_line);

/* Begin the file at hand again, for lines that are to be looked at and not sent: up to
 * spool->at.offset, from at most VG_EVE_SPOOL_BACK_BYTES before. False at the place itself. */
bool vg_eve_spool_look_back(struct vg_eve_spool *spool, uint64_t *from, struct vg_bytes *out_line);

/* Back to the beginning of the file named by the path. */
void vg_eve_spool_begin_again(struct vg_eve_spool *spool);

/* Keep `mark`, durably. Fails with: STORE_IO. */
VG_MUST_USE enum vg_reason vg_eve_spool_save(
    struct vg_eve_spool *spool,
    const struct vg_eve_spool_mark *mark,
    struct vg_error *error);

#endif
