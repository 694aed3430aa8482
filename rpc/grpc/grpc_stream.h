/*
 * One gRPC call and the exchange it came by: the state that reading the request (grpc_request.h)
 * and sending the answer (grpc_answer.h) share. Private to rpc/grpc.
 *
 * A call may outlive its exchange (the client has gone, or its deadline has passed, while a handler
 * runs on another thread): it is then told to stop, holds the worker, and is freed when it comes
 * back.
 *
 * Threads: the worker of the exchange.
 */
#ifndef VG_RPC_GRPC_GRPC_STREAM_H
#define VG_RPC_GRPC_GRPC_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "rpc/grpc/grpc_answer.h"
#include "rpc/grpc/grpc_content.h"
#include "rpc/grpc/grpc_encoding.h"
#include "rpc/grpc/grpc_frame.h"
#include "rpc/grpc/grpc_headers.h"
#include "rpc/grpc/grpc_server.h"
#include "rpc/net/exchange.h"
#include "rpc/net/timer.h"
#include "rpc/net/worker.h"
#include "rpc/service/call.h"

/* Lent to the arena, and to each of the buffers, of a call. */
#define VG_GRPC_STREAM_ARENA_BYTES  1024u
#define VG_GRPC_STREAM_BUFFER_BYTES 320u

/*
 * The answer is sent from `sending`, which changes places with call.out when it is drained: so the
 * next part is made while this one waits for the client's window.
 */
struct vg_grpc_stream {
    struct vg_call call;                     /* with has_call */
    struct vg_grpc_encoding_pool *encodings; /* of the server */
    enum vg_grpc_encoding coding;            /* of the answer, if a message is worth it */
    struct vg_worker *worker;
    struct vg_exchange *exchange; /* NULL once it is closed */
    struct vg_grpc_frame frame;
    struct vg_grpc_content content; /* of a streamed request */
    struct vg_buffer message;       /* of a stream of them: the one that is not yet complete */
    struct vg_buffer plain;         /* of an upload: a message that was compressed */
    size_t plain_read;              /* of it */
    struct vg_buffer pending;       /* of a stream of messages: bytes not to be read yet */
    size_t unheard;                 /* bytes of messages the handler has not taken */
    struct vg_timer deadline;
    bool has_call; /* `call` is initialised and not yet disposed */
    /* vg_call_open, vg_call_run or vg_call_more was called, `ready` has not come: the worker is
     * held. */
    bool away;
    bool responded; /* the response head is out: what follows is body and trailers */
    bool decided;   /* `trailers` are the status, behind what is left of `sending` */
    bool finished;  /* nothing more is to be said */
    bool ended;     /* of a conversation: the client has said all */
    struct vg_buffer sending;
    size_t taken;          /* of `sending` */
    struct vg_arena arena; /* words of the status; the call's own may be with another thread */
    struct vg_http_header trailer_slots[VG_GRPC_ANSWER_TRAILERS]; /* enough without metadata */
    struct vg_http_header *trailers;
    size_t trailer_count;
    /* The first memory of the call, enough for a small one. The last members: not cleared. */
    _Alignas(16) uint8_t lent_arena[VG_GRPC_STREAM_ARENA_BYTES];
    uint8_t lent_body[VG_GRPC_STREAM_BUFFER_BYTES];
    uint8_t lent_out[VG_GRPC_STREAM_BUFFER_BYTES];
};
_Static_assert(
    sizeof(struct vg_grpc_stream) <= VG_BLOCK_POOL_SIZE_MAX,
    "the worker keeps streams for reuse");

/* The state of a new exchange; its memory is the worker's. */
struct vg_grpc_stream *vg_grpc_stream_create(
    struct vg_exchange *exchange,
    const struct vg_grpc_server *server);

/* Take the request head to a call: up to QUOTA, and of a streamed request up to its handler. What
 * fails is answered. */
void vg_grpc_stream_begin(
    struct vg_grpc_stream *stream,
    struct vg_service *service,
    const struct vg_grpc_headers *headers);

/* The request itself is wrong: no handler will see it. Sets the answer. */
void vg_grpc_stream_fail(struct vg_grpc_stream *stream, enum vg_reason reason);

/* The exchange is over. Frees the stream, at once or when its call comes back. */
void vg_grpc_stream_close(struct vg_grpc_stream *stream);

/* Is the request a stream that is being taken? Are there rows in the answer, or what is said? */
static inline bool vg_grpc_stream_receives(const struct vg_grpc_stream *stream)
{
    return stream->has_call && stream->call.method != NULL && vg_call_is_streamed(&stream->call);
}

static inline bool vg_grpc_stream_has_rows(const struct vg_grpc_stream *stream)
{
    const struct vg_call *call = &stream->call;
    return stream->has_call && call->method != NULL &&
           (call->method->flags & VG_METHOD_STREAMS) != 0;
}

#endif
