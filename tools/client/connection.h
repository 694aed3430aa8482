/*
 * A connection to a server: calls by message, several under way at a time, repeated with growing
 * pauses while the server is not to be reached, where repeating is harmless.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_CLIENT_CONNECTION_H
#define VG_TOOLS_CLIENT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/grpc/grpc_client.h"
#include "tools/client/client_method.h"

/* Attempts at a call that may be repeated; the pauses between them add up to about six seconds. */
#define VG_CONNECTION_TRIES_MAX 7u
/* A server that asks for a longer pause than this is not asked again. */
#define VG_CONNECTION_PAUSE_MAX_MS 10000u

/* What a message may take as bytes; servers take less. */
#define VG_CONNECTION_REQUEST_BYTES_MAX (64u << 20)

struct vg_connection;

/*
 * A call. The caller sets `method`, `kept_request` (the serialised message, which stays until the
 * call is done) and `owner`; all else is zero.
 */
struct vg_connection_call {
    enum vg_client_method method;
    struct vg_bytes kept_request;
    void *owner;
    /* Set for a streaming method, see vg_grpc_client_call. It is not repeated once a row has come.
     */
    bool (*row)(struct vg_connection_call *call, struct vg_bytes message);

    /* Set for a method that takes a stream, instead of kept_request, see vg_grpc_client_call: the
     * message number `pieces`. They begin at 0 again when the call is repeated. */
    enum vg_grpc_client_next (
        *piece)(struct vg_connection_call *call, struct vg_bytes *out_message);

    uint64_t timeout_ns; /* as for vg_grpc_client_call */

    uint64_t rows;   /* that have come */
    uint64_t pieces; /* that have been taken */

    /* Set when done: code, message, details and answer of grpc live until dispose. */
    struct vg_grpc_client_call grpc;

    /* Private. */
    unsigned tries;
    uint64_t repeat_at_ns; /* while it waits to be repeated */
    struct vg_connection_call *next;
};

/* Where to connect to and as whom; what is not set is NULL. */
struct vg_connection_options {
    const char *server; /* "HOST:PORT"; "https://HOST[:PORT]" is by TLS, "http://HOST[:PORT]" not */
    const char *key;    /* the API key */
    bool with_tls;      /* wanted in any case; implied by the files below */
    const char *ca; /* PEM file of the authorities the server is held against; else the machine's */
    const char *certificate;     /* PEM file that proves who we are */
    const char *certificate_key; /* of its key; NULL = in the same file */
};

/*
 * Connect.
 *
 * Fails with: CONFIG for an address that is none and files that cannot be used; OVERLOADED when
 * nobody answers there, or the server does not prove who it is.
 */
VG_MUST_USE enum vg_reason vg_connection_open(
    const struct vg_connection_options *options,
    struct vg_connection **out_connection,
    struct vg_error *error);

/* Ends what is under way; the calls must not be used further than to dispose them. Accepts NULL. */
void vg_connection_close(struct vg_connection *connection);

void vg_connection_start(struct vg_connection *connection, struct vg_connection_call *call);

/* Wait until any call is done for good, and return it; NULL when none is under way. */
struct vg_connection_call *vg_connection_wait_any(struct vg_connection *connection);

/* Calls that were started and not yet returned. */
size_t vg_connection_under_way(const struct vg_connection *connection);

void vg_connection_call_dispose(struct vg_connection_call *call);

/*
 * Make one call and wait for it; no other call may be under way. Always fills *out_call, which the
 * caller disposes. On success *out_answer is in `arena`; otherwise NULL is returned, and
 * out_call->grpc says why. An answer that cannot be read is INTERNAL.
 */
VG_MUST_USE const ProtobufCMessage *vg_connection_ask(
    struct vg_connection *connection,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_connection_call *out_call);

/*
 * Make one streaming call and wait for its end; no other call may be under way. `call` has its
 * method, its `row` and its owner; the caller disposes it. True when all rows have come; otherwise
 * call->grpc says why not.
 */
VG_MUST_USE bool vg_connection_stream(
    struct vg_connection *connection,
    const ProtobufCMessage *request,
    struct vg_connection_call *call);

/* The answer of a done call, in `arena`; NULL when it cannot be read or the call failed. */
VG_MUST_USE const ProtobufCMessage *vg_connection_answer(
    const struct vg_connection_call *call,
    struct vg_arena *arena);

/* Whether the server could not be reached, as opposed to having refused. */
bool vg_connection_is_unreachable(const struct vg_connection_call *call);

#endif
