/*
 * What dispatch.c and conversation.c share; for them only.
 *
 * Threads: the call's worker.
 */
#ifndef VG_RPC_SERVICE_DISPATCH_H
#define VG_RPC_SERVICE_DISPATCH_H

#include "rpc/service/call.h"

/* The call is back with a part of its answer, or has failed: tell the face. While something is owed
 * to a conversation it waits for that. */
void vg_dispatch_arrive(struct vg_call *call);

/* Have what has been fed of a streamed request taken, or finish it. */
void vg_dispatch_take_more(struct vg_call *call);

#endif
