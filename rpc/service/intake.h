/*
 * A request that is taken as a stream of bytes, of a method with a stream of requests: an upload.
 * Nothing of it is collected; the handler's intake gets the bytes as they arrive, and the client
 * may send more when they are taken.
 *
 *     permission and quota → handler → vg_call_receive → take* → finish → reply
 *
 * On REST the bytes are the body as it is, whatever its type; on gRPC they are the `data` of each
 * message.
 *
 * Of a conversation (vg_call_converse) the bytes are whole messages, to be cut by
 * vg_intake_next_message; the client may send more while the answers it has been given are read.
 *
 * Threads: take and finish run on executor threads, one at a time; room, wants and drain on the
 * call's worker, maybe while take runs; close on any thread.
 */
#ifndef VG_RPC_SERVICE_INTAKE_H
#define VG_RPC_SERVICE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

struct vg_call;
struct vg_intake;

struct vg_intake_class {
    /* The next bytes, at least one; borrowed. A failure ends the call with call->error. */
    enum vg_reason (*take)(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error);
    /* All bytes have been taken: answer, as a handler does. Of a conversation: VG_OK = it is over,
     * VG_CALL_CONVERSING = there will be more to say until vg_call_hang_up. */
    int (*finish)(struct vg_intake *intake, struct vg_call *call);
    /* The call is over, well or not: give everything back. Called once; must be quick. */
    void (*close)(struct vg_intake *intake);
    /* Of a conversation: it has begun, something has been taken, or what was said has been passed
     * on: say more, if there is more. May be NULL. */
    void (*room)(struct vg_intake *intake);
    /* Of a conversation: may more be taken now? Asked before each take; when the answer becomes yes
     * again by itself, the handler calls vg_call_room. NULL = always. */
    bool (*wants)(struct vg_intake *intake);
    /* Of a conversation: the server is going down: say what is owed and hang up soon. NULL = hung
     * up at once, with DRAINING. */
    void (*drain)(struct vg_intake *intake);
};

/* Embedded by the handler's own state. */
struct vg_intake {
    const struct vg_intake_class *class;
};

/* A message among the bytes of a conversation: its length in four bytes of this machine's order,
 * below 2 GiB, and itself. The highest bit says that the face has got it in a compressed form. */
#define VG_INTAKE_PREFIX_SIZE sizeof(uint32_t)
#define VG_INTAKE_PACKED      0x80000000u

static inline size_t vg_intake_message_bytes(size_t message_size)
{
    return VG_INTAKE_PREFIX_SIZE + message_size;
}

/* Cut the next message off the front of *part; false = there is none left. */
bool vg_intake_next_message(struct vg_bytes *part, struct vg_bytes *out_message);

/* Has the face got the next message of `part` in a compressed form? Before it is cut. */
bool vg_intake_is_packed(struct vg_bytes part);

#endif
