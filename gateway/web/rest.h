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
#include "gateway/envelope/gzip_write.h"
#include "gateway/envelope/reply_body.h"
#include "gateway/route/router.h"
#include "gateway/web/cors.h"
#include "gateway/web/etag.h"
#include "gateway/web/web.h"
#include "rpc/net/block_pool.h"
#include "rpc/net/timer.h"
#include "rpc/service/call.h"

/* An answer to a failure: at most VG_VIOLATIONS_MAX messages. */
#define VG_REST_ERROR_BYTES_MAX (1024u * 1024u)
/* Lent to the arena of a call. */
#define VG_REST_ARENA_BYTES 1536u

struct vg_rest {
    struct vg_call call;
    const struct vg_web *web;
    struct vg_worker *worker;     /* whose memory this is */
    struct vg_exchange *exchange; /* NULL once it is over and the call is not */
    struct vg_route_match match;
    struct vg_bytes path;
    struct vg_bytes query;
    struct vg_accept accept;   /* what forms of the answer the client likes */
    struct vg_bytes authority; /* host and port as the client sees us; may be empty */
    struct vg_bytes origin;    /* of the page, where `cors` is not NONE */
    struct vg_bytes if_match;  /* data NULL = not said; so the next */
    struct vg_bytes if_none_match;
    enum vg_cors cors;
    bool is_preflight;
    /* A page of somebody else's asks. Its user's browser shows a client certificate without asking
     * him; so that one does not count. */
    bool is_foreign;
    bool wants_gzip;     /* it is allowed, too */
    bool is_encoded;     /* the body of the request has a coding */
    bool has_coding;     /* and it is one that we read */
    bool is_timeout_bad; /* what Grpc-Timeout says is none */
    struct vg_reply_body body;
    struct vg_timer deadline;

    /* Of `write`. */
    struct vg_etag tag;
    bool has_tag;
    bool is_tag_weak;   /* what is sent is compressed, here or in the answer that the client has */
    bool is_begun;      /* the first part is made, and what follows is decided */
    bool not_modified;  /* 304: the client has this answer */
    bool is_compressed; /* then parts are made in `plain` */
    bool is_plain_kept; /* `plain` holds a part that is still to be compressed */
    bool is_plain_last; /* and it is the last one */
    struct vg_buffer plain;
    struct vg_gzip_writer gzip;

    struct vg_buffer own; /* an error answer or a probe's */
    /* A part of the call's answer: it changes places with call.out when it is drained, so that the
     * next part is made while this one goes out. */
    struct vg_buffer sending;
    const struct vg_buffer *out;    /* what is being sent: &own, &sending or a page */
    const struct vg_web_page *page; /* NULL = the request is about something else */
    size_t taken;                   /* of *out */
    bool last;                      /* nothing comes behind it */
    bool head_only;                 /* HEAD */
    bool responded;
    bool running; /* vg_call_run was called and `ready` has not come with the end */
    bool waiting; /* vg_call_more was called */
    bool cut;     /* the answer began and cannot be completed */
    bool ended;   /* of a conversation: the end has been said, behind all else */
    /* The first memory of the call. The last member: not cleared. */
    _Alignas(16) uint8_t lent_arena[VG_REST_ARENA_BYTES];
};
_Static_assert(sizeof(struct vg_rest) <= VG_BLOCK_POOL_SIZE_MAX, "the worker keeps them for reuse");

extern const struct vg_face vg_rest_face;

/* Take what the call needs from the request's head. False when it does not fit the call's arena. */
bool vg_rest_take_head(struct vg_rest *rest);

/* FIND: route and method of the path. */
enum vg_reason vg_rest_find(struct vg_call *call);

/* The name that the client uses for us is one of ours: else a page of a stranger may talk to us as
 * if it came from here (DNS rebinding). Fails with: BAD_HTTP, HOST_NOT_ALLOWED. */
VG_MUST_USE enum vg_reason vg_rest_check_host(struct vg_rest *rest);

/* Take If-Match of a method that changes something, after FIND. Fails with: PRECONDITION_FAILED,
 * REQUEST_MEMORY. */
VG_MUST_USE enum vg_reason vg_rest_take_condition(struct vg_rest *rest);

/* REPLY: the next part of the answer. */
enum vg_reason vg_rest_write(struct vg_call *call);

/* READ: body, path and query into call->request. */
enum vg_reason vg_rest_read(struct vg_call *call);

/* Send `own` as the whole answer. */
void vg_rest_send_own(
    struct vg_rest *rest,
    unsigned status,
    const char *content_type,
    uint32_t retry_after_s);

/* Send `own` as what a GET of the path gives; other methods are refused. */
void vg_rest_send_document(struct vg_rest *rest, unsigned status, const char *content_type);

/* Send the head of the call's answer, its first part being in call.out; the parts follow by
 * `sending`. */
void vg_rest_send_call(struct vg_rest *rest);

/* Of a conversation (rest_stream.c): the face's `say`; what was being sent is drained: go on with
 * what has been said since; it is over, well or with call->error. */
bool vg_rest_say(struct vg_call *call, const struct vg_reply_row *row);
void vg_rest_pass_on(struct vg_rest *rest);
void vg_rest_say_end(struct vg_rest *rest);

/* Answer OPTIONS: what the path takes, or 404; with the headers that a preflight asks for. */
void vg_rest_send_options(struct vg_rest *rest);

/* Answer `error` in the envelope. */
void vg_rest_send_error(struct vg_rest *rest, const struct vg_error *error);

#endif
