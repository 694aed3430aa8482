/*
 * Files become samples and submissions, several under way at a time.
 *
 * For each: a challenge is asked for; if the server holds the file, a part of it is hashed as proof
 * and nothing is sent; if not, or if it is too small for a challenge, it is uploaded. Either way a
 * submission follows.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_UPLOAD_RUN_H
#define VG_TOOLS_VIGIL_UPLOAD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "tools/client/connection.h"
#include "tools/vigil/upload_file.h"

#include "vigil/sampledb/v2/submission.pb-c.h"

#define VG_UPLOAD_RUN_PARALLEL_MAX 64u

/* What became of a file. */
struct vg_upload_result {
    const char *path;
    const char *words;  /* why it was not taken; NULL = it was, and all else is set */
    const char *reason; /* the server's, NULL = none */
    const char *sha256;
    uint64_t size;
    bool known;                                        /* its bytes were not sent */
    const Vigil__Sampledb__V2__Submission *submission; /* NULL = there was one like it recently */
};

struct vg_upload_observer {
    /* A file is done; the result lives until this returns. */
    void (*done)(struct vg_upload_observer *observer, const struct vg_upload_result *result);
    /* `bytes` more have been sent. */
    void (*sent)(struct vg_upload_observer *observer, uint64_t bytes);
};

struct vg_upload_options {
    const char *const *paths;
    size_t path_count;
    unsigned parallel; /* 1 to VG_UPLOAD_RUN_PARALLEL_MAX */
    /* The submission but for sample, file name and proof. */
    const Vigil__Sampledb__V2__AddSubmissionRequest *submission;
};

enum vg_upload_end {
    VG_UPLOAD_END_DONE,
    VG_UPLOAD_END_REFUSED,     /* some were not taken */
    VG_UPLOAD_END_UNREACHABLE, /* the server went; the files behind were not tried */
    VG_UPLOAD_END_NO_MEMORY,
};

VG_MUST_USE enum vg_upload_end vg_upload_run(
    struct vg_connection *connection,
    const struct vg_upload_options *options,
    struct vg_upload_observer *observer);

#endif
