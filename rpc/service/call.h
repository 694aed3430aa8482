/*
 * One call: a request on its way through dispatch to its reply, whichever face it came by.
 *
 * The face (rpc/grpc, gateway/web) embeds struct vg_call in its own stream state, fills in what it
 * knows, and drives it:
 *
 *     vg_call_init → vg_call_begin (FIND, AUTHENTICATE, QUOTA: headers only) → body into call->body
 *     → vg_call_run (READ, VALIDATE, ALLOW, RUN, REPLY) → face->ready on the worker →
 * vg_call_dispose
 *
 * A method with a stream of requests (intake.h) takes its body while it arrives:
 *
 *     vg_call_init → vg_call_begin → vg_call_open (READ, VALIDATE, ALLOW, the handler: before the
 * first body byte) → vg_call_feed and face->taken, in turns → vg_call_fed → face->ready …
 *
 * The steps are an array in dispatch.c. Large bodies, searches and long replies go on on an
 * executor thread; writes are answered by the writer thread. Whoever ends a stage posts the call to
 * its home mailbox, so the face only ever sees the call on its own worker. After vg_call_cancel
 * `ready` still comes, exactly once.
 *
 * Memory: request, answer, error texts and scratch live in call->arena.
 *
 * Threads: a call is used by one thread at a time; only `cancelled` may be set from another.
 */
#ifndef VG_RPC_SERVICE_CALL_H
#define VG_RPC_SERVICE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/network.h"
#include "core/base/peer_identity.h"
#include "core/base/task.h"
#include "proto/contract.h"
#include "rpc/service/intake.h"
#include "rpc/service/metadata.h"
#include "rpc/service/reply.h"
#include "rpc/service/trace.h"

struct vg_call;
struct vg_log_line;
struct vg_node;
struct vg_principal;
struct vg_service;

/* What a handler returns besides a reason: the answer will come by vg_call_complete. */
#define VG_CALL_PENDING (-1)
/* Or: the call goes on as a conversation (conversation.h) until vg_call_hang_up. */
#define VG_CALL_CONVERSING (-2)

/* The parts of a call that differ between gRPC and REST. */
struct vg_face {
    const char *name;                            /* "grpc", "rest", "connect" */
    unsigned (*http_status)(unsigned grpc_code); /* for logs; NULL = 200, or the reason's */
    /* FIND: set call->method by the path, or METHOD_NOT_FOUND, URL_NOT_FOUND, METHOD_NOT_ALLOWED */
    enum vg_reason (*find)(struct vg_call *call);
    /* READ: make call->request from call->body (and path and query). Collects violations in
     * call->error. */
    enum vg_reason (*read)(struct vg_call *call);
    /*
     * REPLY: append the next part of the answer to call->out, about vg_call_part_bytes of it;
     * set call->out_done with the last. Runs on an executor thread or on the worker. Fails: the
     * reply is cut.
     */
    enum vg_reason (*write)(struct vg_call *call);
    /*
     * On the worker, after each part: call->out holds bytes, or the call has failed (call->reason
     * != VG_OK), then call->out means nothing. After taking or draining call->out the face asks for
     * the next part by vg_call_more.
     */
    void (*ready)(struct vg_call *call);
    /*
     * On the worker, of a streamed request: `size` of the bytes fed have been taken, so that the
     * client may send as many more.
     */
    void (*taken)(struct vg_call *call, size_t size);
    /*
     * On the worker, of a conversation: append one message of the method's answer (its element, if
     * it has one) to call->out and see that it is sent. After taking call->out the face calls
     * vg_call_room. NULL = the face cannot converse. False = no memory.
     */
    bool (*say)(struct vg_call *call, const struct vg_reply_row *row);
    /* Both faces answer rows and single answers from wire bytes where the handler has them (gRPC),
     * or only from messages (REST). */
    bool takes_wire;
};

/*
 * About how much a part of an answer is. The first is what the client waits for; the others are
 * worth the way from thread to thread. At most two of an answer are held: the one being sent, the
 * one being made.
 */
#define VG_CALL_FIRST_BYTES (64u * 1024u)
#define VG_CALL_PART_BYTES  (256u * 1024u)
/* Bytes of a streamed request that may wait to be taken. The carriers stop their clients long
 * before; past it the call fails. */
#define VG_CALL_FEED_BYTES_MAX (8u * 1024u * 1024u)
#define VG_CALL_MAGIC          0x76636c6cu

enum vg_call_stage {
    VG_CALL_STAGE_NEW,
    VG_CALL_STAGE_BEGUN,      /* headers are accepted, the body may come */
    VG_CALL_STAGE_RECEIVING,  /* the body is being taken as it comes */
    VG_CALL_STAGE_RUNNING,    /* with dispatch, an executor or the writer */
    VG_CALL_STAGE_CONVERSING, /* the request is complete, the answer goes on */
    VG_CALL_STAGE_REPLYING,   /* ready has been called at least once with VG_OK */
    VG_CALL_STAGE_ENDED,      /* nothing more comes; may be disposed */
};

/* What the request is called: call_trace.h. Texts lie in the metadata. */
struct vg_call_trace {
    uint64_t id; /* our span, and the request's id when the client gave none; 0 = not yet read */
    struct vg_bytes request_id; /* of the client; data NULL = none */
    struct vg_bytes state;
    struct vg_bytes user_agent;
    struct vg_trace_parent parent; /* valid with has_parent */
    bool has_parent;
    uint8_t parent_count;
    uint8_t state_count;
};

struct vg_call {
    uint32_t magic;
    enum vg_call_stage stage;
    const struct vg_face *face;
    struct vg_service *service;
    struct vg_mailbox *home; /* of the worker */

    /* Set by the face before vg_call_begin; texts live in the arena or as long as the call. */
    struct vg_bytes target;                  /* gRPC path, or REST target with query */
    struct vg_bytes verb;                    /* REST method, empty for gRPC */
    struct vg_bytes credential;              /* the API key as sent, data NULL = none */
    struct vg_bytes idempotency_key;         /* as sent, data NULL = none */
    struct vg_metadata metadata;             /* of the request: call_metadata.h */
    const struct vg_peer_identity *identity; /* by a client certificate: a reference; NULL = none */
    const char *form;     /* what the request came as, for logs; NULL = the face's name */
    uint8_t http_version; /* 11, 20; 0 = not said */
    struct vg_call_trace trace;
    /* The object that a CONDITIONAL method changes has to have one of these revisions, if there are
     * any; where it has not: PRECONDITION_FAILED. */
    const uint64_t *revisions;
    uint32_t revision_count;
    struct vg_network peer;
    uint16_t peer_port;
    uint64_t timeout_ns;      /* asked by the client; 0 = none: the service's default holds */
    size_t request_bytes_max; /* after begin: largest body this method takes on this face */

    const struct vg_method *method;       /* after FIND */
    const struct vg_principal *principal; /* after AUTHENTICATE; a reference. Of a PUBLIC method
                                             vg_principal_nobody */
    vg_time now;                          /* arrival: the one `now` of all relative times */
    uint64_t started_ns;
    uint64_t answered_ns; /* of a search: when its first part was there; 0 = not yet */
    uint64_t deadline_ns; /* monotonic; may be later once the first part of many is there */

    struct vg_arena arena;
    struct vg_buffer body;
    bool is_proven;  /* after AUTHENTICATE: by a valid key or certificate */
    bool was_packed; /* the face has got the request in a compressed form */
    bool is_heavy;   /* READ costs more than the size of the body tells: not on the worker */
    ProtobufCMessage *request;
    /* With an idempotency key, after READ: of the request as it was sent, whichever face read it */
    uint8_t request_sha256[VG_SHA256_SIZE];
    struct vg_intake *intake;  /* of a streamed request (vg_call_receive), or of a conversation */
    uint64_t intake_bytes_max; /* then: the largest body; what is larger need not be fed */
    struct vg_reply reply;
    const char *object; /* what was changed, if the request does not say it: audit log; NULL */
    /* How a question was answered, for the log of slow ones; NULL = nobody tells. */
    void (*explain)(const struct vg_call *call, struct vg_log_line *line);
    const void *explanation;    /* for `explain` */
    struct vg_metadata headers; /* said with the answer: call_metadata.h */
    struct vg_metadata trailers;
    bool head_sent; /* set by the face: no further headers */
    enum vg_reason reason;

    struct vg_buffer out; /* answer bytes not yet taken by the face */
    bool out_done;
    _Atomic bool cancelled;

    /* Private to rpc/service. */
    struct vg_task task;
    int (*deferred)(struct vg_call *call);
    enum vg_reason cancel_reason; /* worker's side of `cancelled` */
    struct vg_buffer taking;      /* of a streamed request: what an executor thread has */
    uint64_t bytes_fed;
    uint64_t fed_deadline_ns; /* from then on */
    bool is_fed;              /* all of it */
    bool converses;
    _Atomic uint32_t owed; /* of a conversation: what others still work on for it */
    uint64_t bytes_out;    /* answer bytes made so far: access log */
    uint32_t messages_in;  /* not yet counted by the metrics */
    uint32_t messages_out; /* the same of the answer; counted up by who writes it */
    uint8_t step;
    bool away;      /* another thread has the call; set and cleared on the worker */
    bool in_flight; /* counted by QUOTA */
    bool in_talk;   /* among the conversations of strangers */
    bool in_quota;  /* of the key, too */
    bool logged;
    struct vg_error error; /* the last member: not cleared as a whole */
};

/* For `write` of a face: about how much to append. */
static inline size_t vg_call_part_bytes(const struct vg_call *call)
{
    return call->stage == VG_CALL_STAGE_REPLYING ? VG_CALL_PART_BYTES : VG_CALL_FIRST_BYTES;
}

void vg_call_init(
    struct vg_call *call,
    const struct vg_face *face,
    struct vg_service *service,
    struct vg_mailbox *home);

/* Release everything. Not while another thread has the call. */
void vg_call_dispose(struct vg_call *call);

/*
 * FIND, AUTHENTICATE, QUOTA. VG_OK: collect the body (at most call->request_bytes_max), then
 * vg_call_run. Otherwise the call has ended with call->error; `ready` is not called.
 */
VG_MUST_USE enum vg_reason vg_call_begin(struct vg_call *call);

/* The body is complete: go on. `ready` will be called, maybe before this returns. */
void vg_call_run(struct vg_call *call);

/* The request cannot be completed (too large, bad frame, timeout): end the call with call->error as
 * set by the face. `ready` is not called. */
void vg_call_fail(struct vg_call *call, enum vg_reason reason);

/* Does the method take its request as a stream? Then vg_call_open follows begin instead of body and
 * run. */
static inline bool vg_call_is_streamed(const struct vg_call *call)
{
    return (call->method->flags & VG_METHOD_CLIENT_STREAMS) != 0;
}

/* Is that stream the bytes of a file, which REST sends as a body and gRPC as messages of `data`? */
static inline bool vg_call_takes_content(const struct vg_call *call)
{
    const struct vg_field *first = call->method->request->fields;
    return vg_call_is_streamed(call) && call->method->request->field_count > 0 &&
           first->number == 1 && first->kind == VG_KIND_BYTES;
}

/*
 * READ, VALIDATE, ALLOW and the start of the handler, before the first byte of a streamed request.
 * VG_OK: feed it; `ready` will be called, once, also if it fails. Otherwise the call has ended with
 * call->error; `ready` is not called.
 */
VG_MUST_USE enum vg_reason vg_call_open(struct vg_call *call);

/* The next bytes of a streamed request; they are copied, and reported by face->taken later. False =
 * the call has failed or is about to: they are dropped and not reported. `ready` may have been
 * called before this returns. */
VG_MUST_USE bool vg_call_feed(struct vg_call *call, struct vg_bytes part);

/* All bytes of the streamed request have been fed. Returns the deadline from now on: a new one,
 * unless the client has set it. */
uint64_t vg_call_fed(struct vg_call *call);

/* The streamed request cannot be completed (too large, bad frame): the call fails with `reason`, by
 * `ready`. Does nothing once all is fed. */
void vg_call_break(struct vg_call *call, enum vg_reason reason);

/* call->out is drained and not out_done: produce the next part; `ready` will be called. */
void vg_call_more(struct vg_call *call);

/*
 * The client is gone (CANCELLED), or its time is up (DEADLINE_EXCEEDED; the face has answered that
 * already). While another thread works on the call it stops soon and `ready` still comes once: then
 * the face disposes. Returns true when the call may be disposed at once and `ready` will not come.
 */
VG_MUST_USE bool vg_call_cancel(struct vg_call *call, enum vg_reason reason);

/* For handlers and core loops: should work stop? Sets call->error (CANCELLED or DEADLINE_EXCEEDED).
 */
enum vg_reason vg_call_check(struct vg_call *call);

/* In whose line the call waits for a thread: its key's, or that of all without. */
uint64_t vg_call_caller(const struct vg_call *call);

/* For handlers: go on in `run` on an executor thread. Returns VG_CALL_PENDING, or VG_OVERLOADED
 * when the queue is full. */
VG_MUST_USE int vg_call_defer(struct vg_call *call, int (*run)(struct vg_call *call));

/* For handlers of a method with a stream of requests: take it by `intake`, at most `bytes_max`
 * bytes (then REQUEST_TOO_LARGE). From here on the call closes it. Returns VG_CALL_PENDING. */
VG_MUST_USE int vg_call_receive(struct vg_call *call, struct vg_intake *intake, uint64_t bytes_max);

/* For handlers that returned VG_CALL_PENDING: the answer is complete, or the call failed with
 * call->error. Any thread, once. */
void vg_call_complete(struct vg_call *call, enum vg_reason reason);

#endif
