/*
 * The request of a gRPC call from its exchange: frames to the one message of a unary call, to the
 * bytes of an upload, or to the messages of a conversation. Private to rpc/grpc, as grpc_stream.h
 * says.
 *
 * Nothing piles up: an upload's window opens as its handler takes the bytes, and no message of a
 * conversation, or of an upload that is compressed, is read while too much of earlier ones, or of
 * our answers, waits. Compressed messages are collected, within the limit of a message, and
 * inflated at once, within the same limit.
 *
 * Threads: the worker of the exchange.
 */
#ifndef VG_RPC_GRPC_GRPC_REQUEST_H
#define VG_RPC_GRPC_GRPC_REQUEST_H

#include <stddef.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_call;
struct vg_grpc_stream;

/* For READ, on whatever thread has the call: inflate the one message in call->body, if it came in
 * a compressed form. Fails as vg_grpc_encoding_inflate does. */
VG_MUST_USE enum vg_reason vg_grpc_request_unpack(struct vg_call *call);

/* Body bytes; all of them are consumed, now or later. */
void vg_grpc_request_take(struct vg_grpc_stream *stream, struct vg_bytes part);

/* The body is complete. */
void vg_grpc_request_end(struct vg_grpc_stream *stream);

/* Of a stream of messages: the handler or the client has caught up; go on with what has waited. */
void vg_grpc_request_go_on(struct vg_grpc_stream *stream);

/* The face's `taken`. */
void vg_grpc_request_taken(struct vg_call *call, size_t size);

#endif
