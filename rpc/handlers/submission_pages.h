/*
 * Answers of many submissions: the rows of a search become those of the reply.
 *
 *     pages = vg_submission_pages_begin → open pages->cursor → vg_submission_pages_end
 *
 * Threads: an executor's, with the call.
 */
#ifndef VG_RPC_HANDLERS_SUBMISSION_PAGES_H
#define VG_RPC_HANDLERS_SUBMISSION_PAGES_H

#include "core/samples/submission_search.h"
#include "rpc/service/call.h"

/* In the arena of its call. */
struct vg_submission_pages {
    struct vg_rows rows;
    struct vg_submission_cursor cursor;
    const struct vg_directory_snapshot *directory;
};

/* Takes a snapshot of the directory; NULL when the arena is full. End or close it. */
struct vg_submission_pages *vg_submission_pages_begin(struct vg_call *call);

/* The cursor is open and becomes the reply, if `reason` is VG_OK; else all is given back. Returns
 * `reason`. */
enum vg_reason vg_submission_pages_end(
    struct vg_call *call,
    struct vg_submission_pages *pages,
    enum vg_reason reason);

/* Give all back, when nothing of it becomes the reply. */
void vg_submission_pages_close(struct vg_submission_pages *pages);

/* Who looks. */
struct vg_submission_viewer vg_submission_pages_viewer(
    const struct vg_call *call,
    const struct vg_submission_pages *pages);

/* Where submissions are read from; a stream, or a long page, may hold its snapshot longer. */
struct vg_submission_store vg_submission_pages_store(const struct vg_call *call);

/* For a search's `check`, with the call as `owner`. */
enum vg_reason vg_submission_pages_check(void *owner, struct vg_error *error);

#endif
