/*
 * REPLY of the REST face: the next part of the answer, compressed where the client likes it so, and
 * what conditions of the request make of it.
 *
 * Threads: as dispatch runs it. Compression of more than a little leaves the worker.
 */
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "gateway/web/rest.h"

/* A first part larger than this is compressed on an executor thread: that takes about 10 us per
 * KiB. */
#define INLINE_BYTES (8u * 1024u)

/* Most answers about one object are smaller: their buffer is made once and does not grow. */
#define FIRST_BYTES 4096u

static bool is_compressible(const struct vg_rest *rest)
{
    return rest->call.method->envelope != VG_ENVELOPE_RAW && rest->body.format != VG_FORMAT_XLSX;
}

/* An answer about one object that is whole, and was asked for by GET, has a tag. */
static bool has_tag(const struct vg_rest *rest)
{
    const struct vg_call *call = &rest->call;
    return rest->match.route->verb == VG_VERB_GET && call->method->envelope == VG_ENVELOPE_OBJECT &&
           call->out_done && vg_reply_body_status(call) == 200;
}

/* RFC 9110 §13.2.2: If-Match first, then If-None-Match. */
static enum vg_reason judge_conditions(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    if (has_tag(rest)) {
        rest->has_tag = true;
        rest->tag = vg_etag_make(call->reply.revision, vg_buffer_bytes(&call->out));
        rest->is_tag_weak =
            rest->wants_gzip && call->out.size >= rest->web->service->settings->gzip_bytes_min;
    }
    const struct vg_etag *tag = rest->has_tag ? &rest->tag : NULL;
    if (rest->if_match.data != NULL && (call->method->flags & VG_METHOD_READS) != 0 &&
        !vg_etag_is_listed(rest->if_match, tag, true)) {
        return vg_error_set(&call->error, VG_PRECONDITION_FAILED, NULL);
    }
    if (tag != NULL && rest->if_none_match.data != NULL &&
        vg_etag_is_listed(rest->if_none_match, tag, false)) {
        vg_metrics_add(VG_METRIC_rest_not_modified_total, 1);
        rest->not_modified = true;
        call->reply.status = 304;
    }
    return VG_OK;
}

static void choose_coding(struct vg_rest *rest)
{
    const struct vg_call *call = &rest->call;
    const size_t least = rest->web->service->settings->gzip_bytes_min;
    rest->is_compressed = rest->wants_gzip && !rest->not_modified && is_compressible(rest) &&
                          !call->reply.is_plain && (!call->out_done || call->out.size >= least);
    if (rest->is_compressed) {
        vg_metrics_add(VG_METRIC_rest_compressed_total, 1);
    }
}

static void swap(struct vg_buffer *one, struct vg_buffer *other)
{
    struct vg_buffer kept = *one;
    *one = *other;
    *other = kept;
}

/* `plain` holds the next part: what it becomes is the call's. */
static enum vg_reason compress(struct vg_rest *rest, bool last)
{
    struct vg_call *call = &rest->call;
    if (!vg_gzip_writer_add(&rest->gzip, vg_buffer_bytes(&rest->plain), last, &call->out)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_buffer_clear(&rest->plain);
    call->out_done = last;
    return VG_OK;
}

static enum vg_reason write_first(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    (void)!vg_buffer_reserve(&call->out, FIRST_BYTES); /* a full buffer says so by itself */
    enum vg_reason reason = vg_reply_body_write(&rest->body, call);
    if (reason != VG_OK || (call->out.size == 0 && !call->out_done)) {
        return reason; /* work has been done, and there is nothing to send yet */
    }
    rest->is_begun = true;
    reason = judge_conditions(rest);
    if (reason != VG_OK) {
        return reason;
    }
    choose_coding(rest);
    if (!rest->is_compressed) {
        return VG_OK;
    }
    swap(&call->out, &rest->plain);
    if (rest->plain.size > INLINE_BYTES) {
        rest->is_plain_last = call->out_done;
        rest->is_plain_kept = true;
        call->out_done = false; /* an empty part: the next one is asked for on an executor thread */
        return VG_OK;
    }
    return compress(rest, call->out_done);
}

enum vg_reason vg_rest_write(struct vg_call *call)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    if (!rest->is_begun) {
        return write_first(rest);
    }
    if (!rest->is_compressed) {
        return vg_reply_body_write(&rest->body, call);
    }
    if (rest->is_plain_kept) {
        rest->is_plain_kept = false;
        return compress(rest, rest->is_plain_last);
    }
    swap(&call->out, &rest->plain);
    enum vg_reason reason = vg_reply_body_write(&rest->body, call);
    swap(&call->out, &rest->plain);
    return reason == VG_OK ? compress(rest, call->out_done) : reason;
}
