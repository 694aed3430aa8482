/*
 * The conversations of the echo server: grpc.testing's StreamingInputCall, FullDuplexCall and
 * HalfDuplexCall, and vigil.test.Echo/Live.
 *
 * Threads: as handlers.
 */
#ifndef VG_TESTS_SUPPORT_ECHO_CONVERSATIONS_H
#define VG_TESTS_SUPPORT_ECHO_CONVERSATIONS_H

#include "rpc/service/conversation.h"

#include "echo/echo.pb-c.h"

/* Answer with the status that is asked for; no status or OK is VG_OK. */
enum vg_reason vg_echo_status(const Vigil__Echo__EchoStatus *status, struct vg_error *error);

/* Was the message as compressed as the client says it is? INVALID_FIELD_VALUE if not. */
enum vg_reason vg_echo_check_packed(
    const Vigil__Echo__BoolValue *expected,
    bool was_packed,
    struct vg_error *error);

/* Does the client want an answer that is not compressed? */
bool vg_echo_is_plain(const Vigil__Echo__BoolValue *compressed);

/* Wait on an executor thread, or until the call is told to stop. */
enum vg_reason vg_echo_wait(struct vg_call *call, int32_t interval_us, struct vg_error *error);

/* As the interoperability tests have it: metadata x-grpc-test-echo-initial comes back in the
 * headers of the answer, x-grpc-test-echo-trailing-bin in its trailers, with all their values. */
void vg_echo_metadata(struct vg_call *call);

/* Counts the bytes of all payloads. */
int vg_echo_collect(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer);

/* Counts the bytes of an upload, and sums them up as `sum * 31 + byte`, of 31 bits. Each part of
 * them takes as many microseconds as metadata x-interval-us says. */
int vg_echo_upload(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer);

/* Answers each message with payloads of the sizes it asks for, each after its interval; or all of
 * them when the client has said all. A status asked for ends the call. A negative size ends the
 * call with OUT OF RANGE of the sizes: INVALID_FIELD_VALUE. */
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
