/*
 * The metadata of a call, for handlers and steps of dispatch: read what came with the request, say
 * more with the answer.
 *
 *     struct vg_bytes id;
 *     if (vg_call_metadata(call, "x-request-id", 0, &id)) …
 *     (void)!vg_call_add_header(call, "x-request-id", id);
 *     (void)!vg_call_add_trailer(call, "x-rows-seen-bin", bytes);
 *
 * Credentials are not among it, nor what gRPC and HTTP keep for themselves ("grpc-…",
 * content-type). gRPC sends headers before the first message and trailers with the status, or all
 * with the status when there is no message. REST sends those headers that its face has listed
 * (gateway/web/rest_metadata.h) and no trailers.
 *
 * Threads: with the call; of a conversation, on its worker or in the handler itself.
 */
#ifndef VG_RPC_SERVICE_CALL_METADATA_H
#define VG_RPC_SERVICE_CALL_METADATA_H

#include "rpc/service/call.h"

/* The value number `index` (0 = the first) of `name`, lower case; of a "-bin" name its bytes. Lives
 * as long as the call. False = there is none; what cannot be decoded is none. */
VG_MUST_USE bool vg_call_metadata(
    struct vg_call *call,
    const char *name,
    size_t index,
    struct vg_bytes *out_value);

/*
 * Say `name` before the first message, or with the status; both are copied. False when it is not
 * said: the name is not to be had or the value is none (metadata.h), there are too many, or it is
 * too late.
 */
VG_MUST_USE bool vg_call_add_header(struct vg_call *call, const char *name, struct vg_bytes value);
VG_MUST_USE bool vg_call_add_trailer(struct vg_call *call, const char *name, struct vg_bytes value);

/* For faces, on the worker: what is to be said now; empty while another thread may still add to it.
 */
const struct vg_metadata *vg_call_headers(const struct vg_call *call);
const struct vg_metadata *vg_call_trailers(const struct vg_call *call);

#endif
