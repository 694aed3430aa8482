/*
 * The answer of a gRPC call on its exchange: head, messages as the client's window takes them, and
 * the status behind them, which is HTTP trailers; where there are none to be had, as for a browser,
 * who carries the exchange makes something else of them (gateway/rpcweb). Private to rpc/grpc, as
 * grpc_stream.h says.
 *
 * Threads: the worker of the exchange.
 */
#ifndef VG_RPC_GRPC_GRPC_ANSWER_H
#define VG_RPC_GRPC_GRPC_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "rpc/grpc/grpc_status.h"
#include "rpc/net/exchange.h"

struct vg_call;
struct vg_grpc_stream;

/* What is in the head of every answer. */
#define VG_GRPC_ANSWER_HEAD 2u
/* A head, a status and the name of the request in one: the answer of a call that fails before its
 * first message. */
#define VG_GRPC_ANSWER_TRAILERS (VG_GRPC_ANSWER_HEAD + VG_GRPC_STATUS_TRAILERS + 1u)

/* Send the head, if it is not sent yet. */
void vg_grpc_answer_begin(struct vg_grpc_stream *stream);

/*
 * The bytes of call->out from `start` on, room for a prefix and a message, are complete: compress
 * the message if the client likes that, it is long enough and not `is_plain`, and write the prefix.
 * On whatever thread has the call.
 */
void vg_grpc_answer_seal(struct vg_call *call, size_t start, bool is_plain);

/* There may be more to pull. */
void vg_grpc_answer_resume(struct vg_grpc_stream *stream);

/* End a call that failed: the status alone when nothing has been sent; rows end after the message
 * that is under way; the one message of a unary answer is cut. Only the first time does anything.
 */
void vg_grpc_answer_finish(
    struct vg_grpc_stream *stream,
    enum vg_reason reason,
    const struct vg_error *error);

/* What is no gRPC call is answered in HTTP. grpc PROTOCOL-HTTP2, "Requests". */
void vg_grpc_answer_refuse(struct vg_grpc_stream *stream, unsigned status);

/* Drop the messages that have not begun to go out. */
void vg_grpc_answer_cut(struct vg_grpc_stream *stream);

/* As of the exchange's application. */
enum vg_pull vg_grpc_answer_pull(
    struct vg_grpc_stream *stream,
    uint8_t *out,
    size_t size,
    size_t *out_size);

#endif
