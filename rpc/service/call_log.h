/*
 * What is kept of every call: counters by method and code, latency, and one line in the access log.
 *
 * Threads: any; counters are atomic.
 */
#ifndef VG_RPC_SERVICE_CALL_LOG_H
#define VG_RPC_SERVICE_CALL_LOG_H

#include "core/base/buffer.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* What the request came as: "rest", "grpc", "grpc-web", "connect". */
static inline const char *vg_call_log_form(const struct vg_call *call)
{
    return call->form != NULL ? call->form : call->face->name;
}

/* The call has passed FIND, or failed there: count it. Once per call. */
void vg_call_log_begin(const struct vg_call *call);

/* The call has ended: count it and log it. Once per call. */
void vg_call_log_end(struct vg_call *call);

/* Count the messages of a call that goes on. On the thread that has the call. */
void vg_call_log_messages(struct vg_call *call);

/* Append all metrics as Prometheus text. */
void vg_call_log_metrics(const struct vg_service *service, struct vg_buffer *out);

#endif
