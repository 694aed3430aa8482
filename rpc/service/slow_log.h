/*
 * The log of slow questions: a search or a statistic whose answer took longer to begin than the
 * setting slow_question_ms gets a line with its criteria, the rows it found and, where the handler
 * tells it, how it was answered.
 *
 * Threads: the call's worker.
 */
#ifndef VG_RPC_SERVICE_SLOW_LOG_H
#define VG_RPC_SERVICE_SLOW_LOG_H

#include "rpc/service/call.h"

/* Bytes of the criteria, as JSON, that are made for a line; the log cuts what it has no room for.
 */
#define VG_SLOW_LOG_REQUEST_BYTES_MAX (16u * 1024u)

/* A part of the answer is there: what a slow client adds is not the question's fault. */
void vg_slow_log_answered(struct vg_call *call);

/* The call has ended. Once per call. */
void vg_slow_log_end(const struct vg_call *call);

#endif
