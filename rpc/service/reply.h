/*
 * What a handler answers: one message (or its ready wire bytes), raw bytes, or a header and a
 * puller of rows. Raw bytes of any size come as rows too: each is an answer message whose `data` is
 * the next piece.
 *
 * No list of rows is ever built: the face asks for one row after another while its client reads.
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_SERVICE_REPLY_H
#define VG_RPC_SERVICE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "proto/contract.h"

/* One row: a message of the method's element table, or the same as wire bytes (where the caller
 * takes them). */
struct vg_reply_row {
    const ProtobufCMessage *message;
    struct vg_bytes wire; /* data NULL = use message */
    bool is_plain;        /* as of the reply, of this row */
};

struct vg_rows;
struct vg_rows_class {
    /*
     * The next row, valid until the next call; *out_end = true when there is none. `arena` is
     * emptied between rows. `takes_wire`: wire bytes may be given instead of a message.
     */
    enum vg_reason (*next)(
        struct vg_rows *rows,
        struct vg_arena *arena,
        bool takes_wire,
        struct vg_reply_row *out_row,
        bool *out_end,
        struct vg_error *error);
    /* Give back snapshot and memory. Called once, also after a failure or cancel. */
    void (*close)(struct vg_rows *rows);
};
/* Embedded by the handler's own cursor. */
struct vg_rows {
    const struct vg_rows_class *class;
};

struct vg_reply {
    ProtobufCMessage
        *answer;          /* zeroed message of the method's answer table; the handler fills it */
    struct vg_bytes wire; /* instead of `answer`, where face->takes_wire; data NULL = none */
    struct vg_rows *rows; /* of a LIST method, or the pieces of a RAW one */
    int64_t limit;        /* effective */
    int64_t offset;       /* effective */
    int64_t count;        /* all matches, -1 = not counted */
    int64_t raw_size;     /* RAW with rows: bytes of all pieces together */
    const char *content_type; /* RAW only */
    const char *file_name;    /* RAW only, may be NULL */
    bool is_done; /* something has been changed: what does not fit one message is no failure any
                     more, and the rows that do not are left out of it; `count` tells how many there
                     are */
    /* Never to be compressed: it has a secret beside what somebody else may have chosen, whose
     * length would tell (CRIME). Of a conversation: of what is said next. */
    bool is_plain;
    enum vg_reason notice; /* what a success has to say besides; VG_OK = nothing */
    /* Of the one object that is answered: a number that every change of it makes another one; 0 =
     * none is known. */
    uint64_t revision;
    unsigned status; /* HTTP status instead of the method's success; 0 = that one */
};

#endif
