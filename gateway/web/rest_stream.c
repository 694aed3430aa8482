/*
 * A REST request whose answer is a conversation: lines or events, sent as they are said, until it
 * is over. What has been said waits in call.out until `sending` is drained, and no more is said
 * until then: a client that does not read takes no memory.
 */
#include "gateway/envelope/reply_stream.h"
#include "gateway/web/rest.h"
#include "rpc/service/conversation.h"

bool vg_rest_say(struct vg_call *call, const struct vg_reply_row *row)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    if (!rest->responded) {
        rest->body.format = vg_reply_stream_format(rest->body.format);
        vg_reply_stream_begin(rest->body.format, &call->out);
    }
    if (!vg_reply_stream_say(
            rest->body.format,
            call->method->answer,
            row,
            &rest->body.row_arena,
            &call->out)) {
        return false;
    }
    if (!rest->responded) {
        rest->exchange->endless = true;
        vg_rest_send_call(rest);
    } else {
        rest->exchange->carrier->resume(rest->exchange);
    }
    return true;
}

void vg_rest_pass_on(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    if (call->out.size == 0) {
        rest->last = rest->ended;
        return;
    }
    struct vg_buffer drained = rest->sending;
    drained.bytes_max = call->out.bytes_max;
    rest->sending = call->out;
    rest->taken = 0;
    call->out = drained;
    vg_buffer_clear(&call->out);
    vg_call_room(call); /* may end it */
}

void vg_rest_say_end(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    if (!rest->responded) {
        rest->body.format = vg_reply_stream_format(rest->body.format);
        vg_rest_send_call(rest);
    }
    rest->ended = true;
    call->out.bytes_max = SIZE_MAX; /* the end always fits */
    vg_reply_stream_end(rest->body.format, call->reason == VG_OK ? NULL : &call->error, &call->out);
    rest->exchange->carrier->resume(rest->exchange);
}
