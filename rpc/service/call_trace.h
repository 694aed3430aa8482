/*
 * What a call is called: the id of the request and its place in a trace, from the client's metadata
 * (x-request-id, traceparent, tracestate) or our own. Nothing is formatted before it is needed.
 *
 * REST answers x-request-id with every answer. gRPC answers it with every failure, and with success
 * when the client has sent one. traceresponse goes to clients that have sent a traceparent.
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_SERVICE_CALL_TRACE_H
#define VG_RPC_SERVICE_CALL_TRACE_H

#include "rpc/service/call.h"

/* Room for the id of any request, and a NUL. */
#define VG_CALL_TRACE_ID_SIZE (VG_TRACE_REQUEST_ID_MAX + 1)

/* Look at the metadata of the request. Again: nothing happens. */
void vg_call_trace_read(struct vg_call *call);

/* The id of the request: the client's, or ours. */
void vg_call_trace_request_id(const struct vg_call *call, char out_text[VG_CALL_TRACE_ID_SIZE]);

/* For gRPC: say what the client is to be told, before the head and once the call has failed. */
void vg_call_trace_say(struct vg_call *call);
void vg_call_trace_say_failed(struct vg_call *call);

#endif
