/*
 * One call by the Connect protocol: what its request (connect.c) and its answer (connect_answer.c)
 * share. Private to gateway/rpcweb.
 *
 * Threads: the worker of the exchange, except read and write of the face, which run where dispatch
 * runs them.
 */
#ifndef VG_GATEWAY_RPCWEB_CONNECT_CALL_H
#define VG_GATEWAY_RPCWEB_CONNECT_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buffer.h"
#include "gateway/rpcweb/connect.h"
#include "gateway/rpcweb/page.h"
#include "rpc/net/exchange.h"
#include "rpc/net/timer.h"
#include "rpc/service/call.h"

struct vg_connect_call {
    struct vg_call call;
    const struct vg_connect *connect;
    struct vg_exchange *exchange; /* NULL once it is over and the call is not */
    struct vg_worker *worker;
    struct vg_page page;
    struct vg_timer deadline;
    struct vg_buffer own;  /* an error */
    struct vg_buffer *out; /* what is being sent: &own or &call.out */
    size_t taken;          /* of *out */
    bool is_get;
    bool head_only;     /* HEAD */
    bool is_json;       /* messages */
    bool is_packed;     /* the request is gzip */
    bool wants_gzip;    /* of the answer, and it is allowed */
    bool is_compressed; /* it is */
    bool responded;
    bool running; /* vg_call_run was called, and the call has not ended */
};

/* Send the answer, which is in call.out. */
void vg_connect_answer_send(struct vg_connect_call *connect);

/* Send `error` as JSON. */
void vg_connect_answer_fail(struct vg_connect_call *connect, const struct vg_error *error);

/* Send a bare status: 415 with the types that are taken, 405 with the methods of HTTP, 204 to
 * OPTIONS with the same. `method` NULL = there is none of that name. */
void vg_connect_answer_refuse(
    struct vg_connect_call *connect,
    unsigned status,
    const struct vg_method *method);

/* REPLY: the whole answer. Fails with: ANSWER_TOO_LARGE, REQUEST_MEMORY, and as its rows do. */
enum vg_reason vg_connect_answer_write(struct vg_call *call);

#endif
