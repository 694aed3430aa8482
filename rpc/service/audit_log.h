/*
 * The audit log: who did what, to what, when, from where, and how it ended; one JSON object a line.
 *
 * What class a method is of comes from the contract (vigil.Audit); which classes are kept is a
 * setting. A line is written when its call ends, whole, in the order of `sequence`, before the
 * client has the answer. It holds the request as the criteria or ids that it is; bodies of
 * submissions are not in it, and no secret is: keys are told by their id.
 *
 * A line that cannot be written is counted and said in the log, and the call goes on: a full disk
 * must not stop the analysts who have to find out why. A file that cannot be opened at the start
 * stops the start.
 *
 * Threads: any; lines are written under a lock of this file.
 */
#ifndef VG_RPC_SERVICE_AUDIT_LOG_H
#define VG_RPC_SERVICE_AUDIT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/service/call.h"

struct vg_audit_log;

/* Bytes of a request, as JSON, that a line holds; of a longer one only its size. */
#define VG_AUDIT_LOG_REQUEST_BYTES_MAX (16u * 1024u)
/* Failed authentications that get a line in one second. */
#define VG_AUDIT_LOG_STRANGERS_PER_SECOND 100u

/* The classes of the setting audit_log ("changes", "search,download") as bits of enum vg_audit and
 * of VG_AUDIT_LOG_AUTHENTICATION. False = a word is none of them. */
#define VG_AUDIT_LOG_AUTHENTICATION 31u
VG_MUST_USE bool vg_audit_log_read_classes(const char *text, uint32_t *out_classes);

struct vg_audit_log_options {
    const char *classes; /* as the setting says */
    const char *file;    /* "" = the log's descriptor */
    int log_file;        /* that */
    const struct vg_clock *clock;
};

/* Fails with: CONFIG (a class nobody knows, a file that cannot be opened). */
VG_MUST_USE enum vg_reason vg_audit_log_open(
    const struct vg_audit_log_options *options,
    struct vg_audit_log **out_log,
    struct vg_error *error);
void vg_audit_log_close(struct vg_audit_log *log); /* accepts NULL */

/* The file was moved away: begin a new one under its name. If that fails, what was open stays in
 * use; error says why. */
VG_MUST_USE enum vg_reason vg_audit_log_reopen(struct vg_audit_log *log, struct vg_error *error);

/* The call has ended: keep what is to be kept of it. Where the call is. */
void vg_audit_log_call(struct vg_audit_log *log, const struct vg_call *call);

#endif
