/*
 * QUOTA: whether a call may be taken now: the server serves, has room for it, and its key has not
 * used up its quota. Only headers have been looked at.
 *
 * A call of a public method needs no key and has no quota; such calls are counted by themselves,
 * and what one address may send is bounded by its connections and their streams.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_SERVICE_ADMISSION_H
#define VG_RPC_SERVICE_ADMISSION_H

#include "rpc/service/call.h"

/* Fails with STARTING, OVERLOADED, RESOURCE_LIMIT (of memory), QUOTA_EXCEEDED. */
VG_MUST_USE enum vg_reason vg_admission_enter(struct vg_call *call);

/* The call goes on as a conversation. Those of strangers, which may be silent for ever, have half
 * of the places of strangers, so that the others are left for calls that end. Fails with
 * OVERLOADED. */
VG_MUST_USE enum vg_reason vg_admission_converse(struct vg_call *call);

/* The call is over: give back what it took. May be called again. */
void vg_admission_leave(struct vg_call *call);

/* For handlers: `principal` is to submit `count` events by this call. Any thread. Fails with
 * QUOTA_EXCEEDED. */
VG_MUST_USE enum vg_reason vg_admission_take_events(
    const struct vg_call *call,
    const struct vg_principal *principal,
    uint64_t count,
    struct vg_error *error);

#endif
