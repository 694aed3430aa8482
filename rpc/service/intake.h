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
 * Threads: take and finish run on executor threads, one at a time; close on any thread.
 */
#ifndef VG_RPC_SERVICE_INTAKE_H
#define VG_RPC_SERVICE_INTAKE_H

#include "core/base/bytes.h"
#include "core/base/error.h"

struct vg_call;
struct vg_intake;

struct vg_intake_class {
    /* The next bytes, at least one; borrowed. A failure ends the call with call->error. */
    enum vg_reason (*take)(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error);
    /* All bytes have been taken: answer, as a handler does. */
    int (*finish)(struct vg_intake *intake, struct vg_call *call);
    /* The call is over, well or not: give everything back. Called once; must be quick. */
    void (*close)(struct vg_intake *intake);
};

/* Embedded by the handler's own state. */
struct vg_intake {
    const struct vg_intake_class *class;
};

#endif
