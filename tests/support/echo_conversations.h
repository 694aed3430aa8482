/*
 * The conversations of the echo server: grpc.testing's StreamingInputCall, FullDuplexCall and
 * HalfDuplexCall, and vigil.test.Echo/Live.
 *
 * Threads: as handlers.
 */
#ifndef VG_TESTS_SUPPORT_ECHO_CONVERSATIONS_H
#define VG_TESTS_SUPPORT_ECHO_CONVERSATIONS_H

#include "rpc/service/conversation.h"

/* As the interoperability tests have it: metadata x-grpc-test-echo-initial comes back in the
 * headers of the answer, x-grpc-test-echo-trailing-bin in its trailers, with all their values. */
void vg_echo_metadata(struct vg_call *call);

/* Counts the bytes of all payloads. */
int vg_echo_collect(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer);

/* Answers each message with payloads of the sizes it asks for; or all of them when the client has
 * said all. A negative size ends the call with OUT OF RANGE of the sizes: INVALID_FIELD_VALUE. */
int vg_echo_converse(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer);
int vg_echo_converse_afterwards(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer);

/* Answers one message in the same way and then stays. */
int vg_echo_live(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer);

#endif
