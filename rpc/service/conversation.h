/*
 * A conversation: a call whose answer is a stream of messages that are said whenever there is
 * something to say, and whose request may be a stream of messages too.
 *
 *     vg_call_init → vg_call_begin → vg_call_open, or body and vg_call_run
 *         → vg_call_feed_message, face->taken and face->say, in any order
 *         → vg_call_hang_up → face->ready
 *
 * The handler keeps its state in an intake (intake.h): `take` and `finish` hear, on executor
 * threads; `room` says, on the worker. Nothing piles up: a face reads no further message while the
 * intake does not want more or the client does not read its answers, and so the client's window
 * stays closed.
 *
 * Threads: as said at each function; the worker is the call's.
 */
#ifndef VG_RPC_SERVICE_CONVERSATION_H
#define VG_RPC_SERVICE_CONVERSATION_H

#include "rpc/service/call.h"

/*
 * For handlers: make the call a conversation, held by `intake`. Without a deadline but the client's
 * own. From here on the call closes the intake. Returns VG_CALL_CONVERSING.
 * Fails with METHOD_NOT_ALLOWED where the face has no way to say it, OVERLOADED where strangers
 * talk too much.
 */
VG_MUST_USE int vg_call_converse(struct vg_call *call, struct vg_intake *intake);

/*
 * For faces: one whole message of a conversation's request; copied. Reported by face->taken with
 * the bytes of vg_intake_message_bytes. False = the call has failed or is about to.
 */
VG_MUST_USE bool vg_call_feed_message(struct vg_call *call, struct vg_bytes message);

/* The same, of one that came in a compressed form. */
VG_MUST_USE bool vg_call_feed_packed_message(struct vg_call *call, struct vg_bytes message);

/* For faces: what was said has been passed on to the client's window; for handlers: there is more
 * to say, or more is wanted. On the worker. */
void vg_call_room(struct vg_call *call);

/* For faces: the server is going down, or the connection is to end. Of calls that do not converse
 * nothing happens: they end by themselves. */
void vg_call_drain(struct vg_call *call);

/*
 * For handlers of conversations, on the worker: say one message. False = nobody listens any more
 * (the call is over or about to be), or there is no memory for it, then the call fails.
 */
bool vg_call_say(struct vg_call *call, const ProtobufCMessage *message);

/* The same of a message that is serialised already: a face that wants messages reads it. */
bool vg_call_say_wire(struct vg_call *call, struct vg_bytes message);

/* Bytes said that no window has taken yet. On the worker. */
static inline size_t vg_call_unsaid(const struct vg_call *call)
{
    return call->out.size;
}

/*
 * For handlers of conversations: work for it is with another thread (an executor in `take` may say
 * so, or the worker), or has come back to the worker. Until all of it is back the call, even a
 * cancelled one, stays. vg_call_repay may end it, and says so by false: the intake is gone then.
 */
void vg_call_owe(struct vg_call *call);
bool vg_call_repay(struct vg_call *call);

/*
 * For handlers of conversations, on the worker: it is over, with VG_OK or call->error. What was
 * said is still sent. VG_OK only when the request is complete and finished, or there was no stream
 * of them.
 */
void vg_call_hang_up(struct vg_call *call, enum vg_reason reason);

/*
 * For intakes of conversations: decode and validate one message of the request, as READ and
 * VALIDATE do, into `arena`. Any thread.
 */
VG_MUST_USE enum vg_reason vg_call_understand(
    struct vg_call *call,
    struct vg_bytes message,
    struct vg_arena *arena,
    ProtobufCMessage **out_request,
    struct vg_error *error);

#endif
