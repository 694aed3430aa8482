#include "rpc/service/call_metadata.h"

bool vg_call_metadata(
    struct vg_call *call,
    const char *name,
    size_t index,
    struct vg_bytes *out_value)
{
    return vg_metadata_find(&call->metadata, name, index, &call->arena, out_value);
}

bool vg_call_add_header(struct vg_call *call, const char *name, struct vg_bytes value)
{
    return !call->head_sent && vg_metadata_add(&call->headers, name, value, &call->arena);
}

bool vg_call_add_trailer(struct vg_call *call, const char *name, struct vg_bytes value)
{
    return vg_metadata_add(&call->trailers, name, value, &call->arena);
}

/*
 * A deadline is told while another thread has the call: what that one adds is its own until it is
 * back. Conversations add only on the worker, once they are some; and whether they are is known
 * there without asking the other thread.
 */
static const struct vg_metadata *said(
    const struct vg_call *call,
    const struct vg_metadata *metadata)
{
    static const struct vg_metadata none;
    const bool is_here = !call->away || call->stage == VG_CALL_STAGE_CONVERSING ||
                         (vg_call_is_streamed(call) && call->converses);
    return is_here ? metadata : &none;
}

const struct vg_metadata *vg_call_headers(const struct vg_call *call)
{
    return said(call, &call->headers);
}

const struct vg_metadata *vg_call_trailers(const struct vg_call *call)
{
    return said(call, &call->trailers);
}
