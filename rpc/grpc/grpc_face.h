/*
 * What gRPC does at the four points where the faces of dispatch differ: the method by its path, the
 * request by the wire decoder, the answer as one length-prefixed message, or, of a streaming twin,
 * as one for each row, or for each that a conversation says. `ready` belongs to the server
 * (grpc_server.c).
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_GRPC_GRPC_FACE_H
#define VG_RPC_GRPC_GRPC_FACE_H

#include "core/base/compiler.h"
#include "rpc/service/call.h"

/* FIND: fails with METHOD_NOT_FOUND. */
VG_MUST_USE enum vg_reason vg_grpc_face_find(struct vg_call *call);

/* READ: fails as vg_wire_decode does. */
VG_MUST_USE enum vg_reason vg_grpc_face_read(struct vg_call *call);

/*
 * REPLY. Of a unary method the whole answer at once: the rows of a list are pulled into one
 * message, which says after so many bytes that it is too large and names the streaming twin. Of a
 * twin the next part: whole messages, a row each, about vg_call_part_bytes of them; what was made
 * before a failure is dropped with it.
 *
 * Fails with: ANSWER_TOO_LARGE, REQUEST_MEMORY, CANCELLED, DEADLINE_EXCEEDED, and what a row fails
 * with.
 */
VG_MUST_USE enum vg_reason vg_grpc_face_write(struct vg_call *call);

/* Append the whole answer of a unary method to call->out as one message, without a prefix. Fails as
 * vg_grpc_face_write does. */
VG_MUST_USE enum vg_reason vg_grpc_face_put_answer(struct vg_call *call);

/* Append one message, of the method's answer or its element, to call->out. False = no memory; then
 * call->out is of no use. */
VG_MUST_USE bool vg_grpc_face_put(struct vg_call *call, const struct vg_reply_row *row);

#endif
