/*
 * The request of a gRPC call from its exchange: frames to the one message of a unary call, to the
 * bytes of an upload, or to the messages of a conversation. Private to rpc/grpc, as grpc_stream.h
 * says.
 *
 * Nothing piles up: an upload's window opens as its handler takes the bytes, and no message of a
 * conversation is read while too many of its messages or of our answers wait.
 *
 * Threads: the worker of the exchange.
 */
#ifndef VG_RPC_GRPC_GRPC_REQUEST_H
#define VG_RPC_GRPC_GRPC_REQUEST_H

#include <stddef.h>

#include "core/base/bytes.h"

struct vg_call;
struct vg_grpc_stream;

/* Body bytes; all of them are consumed, now or later. */
void vg_grpc_request_take(struct vg_grpc_stream *stream, struct vg_bytes part);

/* The body is complete. */
void vg_grpc_request_end(struct vg_grpc_stream *stream);

/* Of a conversation: the handler or the client has caught up; go on with what has waited. */
void vg_grpc_request_go_on(struct vg_grpc_stream *stream);

/* The face's `taken`. */
void vg_grpc_request_taken(struct vg_call *call, size_t size);

#endif
