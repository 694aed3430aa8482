/*
 * One REST request: the state between an exchange below and a call above. Private to gateway/web.
 *
 * Threads: the exchange's worker, except read and write of the face, which run where dispatch runs
 * them.
 */
#ifndef VG_GATEWAY_WEB_REST_H
#define VG_GATEWAY_WEB_REST_H

#include <stdbool.h>

#include "gateway/envelope/accept.h"
#include "gateway/envelope/reply_body.h"
#include "gateway/route/router.h"
#include "gateway/web/web.h"
#include "rpc/net/timer.h"
#include "rpc/service/call.h"

/* An answer to a failure: at most VG_VIOLATIONS_MAX messages. */
#define VG_REST_ERROR_BYTES_MAX (1024u * 1024u)

struct vg_rest {
    struct vg_call call;
    const struct vg_web *web;
    struct vg_exchange *exchange; /* NULL once it is over and the call is not */
    struct vg_route_match match;
    struct vg_bytes path;
    struct vg_bytes query;
    struct vg_accept accept; /* what forms of the answer the client likes */
    struct vg_reply_body body;
    struct vg_timer deadline;
    struct vg_buffer own; /* an error answer or a probe's */
    /* A part of the call's answer: it changes places with call.out when it is drained, so that the
     * next part is made while this one goes out. */
    struct vg_buffer sending;
    struct vg_buffer *out; /* what is being sent: &own or &sending */
    size_t taken;          /* of *out */
    bool last;             /* nothing comes behind it */
    bool head_only;        /* HEAD */
    bool responded;
    bool running; /* vg_call_run was called and `ready` has not come with the end */
    bool waiting; /* vg_call_more was called */
    bool cut;     /* the answer began and cannot be completed */
    bool ended;   /* of a conversation: the end has been said, behind all else */
};

extern const struct vg_face vg_rest_face;

/* Take what the call needs from the request's head. False when it does not fit the call's arena. */
bool vg_rest_take_head(struct vg_rest *rest);

/* FIND: route and method of the path. */
enum vg_reason vg_rest_find(struct vg_call *call);

/* READ: body, path and query into call->request. */
enum vg_reason vg_rest_read(struct vg_call *call);

/* Send `own` as the whole answer. */
void vg_rest_send_own(
    struct vg_rest *rest,
    unsigned status,
    const char *content_type,
    uint32_t retry_after_s);

/* Send the head of the call's answer, its first part being in call.out; the parts follow by
 * `sending`. */
void vg_rest_send_call(struct vg_rest *rest);

/* Of a conversation (rest_stream.c): the face's `say`; what was being sent is drained: go on with
 * what has been said since; it is over, well or with call->error. */
bool vg_rest_say(struct vg_call *call, const struct vg_reply_row *row);
void vg_rest_pass_on(struct vg_rest *rest);
void vg_rest_say_end(struct vg_rest *rest);

/* Answer OPTIONS: what the path takes, or 404. */
void vg_rest_send_options(struct vg_rest *rest);

/* Answer `error` in the envelope. */
void vg_rest_send_error(struct vg_rest *rest, const struct vg_error *error);

#endif
