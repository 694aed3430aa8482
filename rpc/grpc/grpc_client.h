/*
 * A gRPC client for our own command line: blocking, unary and streaming in either direction, over
 * one connection that is made again when it was lost. Several calls may be under way: start them,
 * then wait for any.
 *
 *     struct vg_grpc_client_call call = { .path = "/vigil.events.v2.EventService/GetEvent",
 * .kept_request = bytes }; vg_grpc_client_start(client, &call); vg_grpc_client_wait(client, &call);
 *     if (call.code == VG_GRPC_OK) … call.answer …
 *     vg_grpc_client_call_dispose(&call);
 *
 * The rows of a streaming method go to `row` while somebody waits, one at a time: as long as it
 * works, nothing more is read, and the server is held back by flow control. So memory stays flat.
 *
 * The messages of a method that takes a stream are asked of `next_message`, one at a time and only
 * while somebody waits, as the server takes them: of them, too, memory holds one.
 *
 * Answers may be compressed (gzip, deflate); requests are not.
 *
 * A call always ends with a status: what goes wrong on the way is UNAVAILABLE, or DEADLINE_EXCEEDED
 * after its timeout, with words. Nothing is repeated by itself.
 *
 * Threads: one at a time.
 */
#ifndef VG_RPC_GRPC_GRPC_CLIENT_H
#define VG_RPC_GRPC_GRPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/grpc/grpc_frame.h"
#include "rpc/grpc/grpc_status.h"
#include "rpc/http2/http2_client.h"

#define VG_GRPC_CLIENT_TIMEOUT_NS UINT64_C(30000000000)
/* A stream goes on as long as rows come; the server gives up first. */
#define VG_GRPC_CLIENT_STREAM_TIMEOUT_NS UINT64_C(600000000000)
#define VG_GRPC_CLIENT_MESSAGE_SIZE      1024u
#define VG_GRPC_CLIENT_ANSWER_BYTES      (64u << 20)
#define VG_GRPC_CLIENT_CREDENTIAL_MAX    512u

struct vg_grpc_client;
struct vg_tls_client;

enum vg_grpc_client_next {
    VG_GRPC_CLIENT_NEXT_MESSAGE,
    VG_GRPC_CLIENT_NEXT_END,    /* there are no more */
    VG_GRPC_CLIENT_NEXT_FAILED, /* it cannot be had: the call ends with CANCELLED */
};

struct vg_grpc_client_call {
    /* Set before start; all else zero. */
    const char *path;             /* kept until done */
    struct vg_bytes kept_request; /* the serialised message */
    uint64_t timeout_ns;          /* 0 = VG_GRPC_CLIENT_TIMEOUT_NS, or that of a stream */
    void *owner;                  /* the caller's */
    /* Set for a streaming method: takes one row, a serialised message that lives until it returns.
     * False = no more are wanted: the call ends with CANCELLED. */
    bool (*row)(struct vg_grpc_client_call *call, struct vg_bytes message);

    /* Set for a method that takes a stream, instead of kept_request: the next serialised message,
     * which stays until the one behind it is asked for. */
    enum vg_grpc_client_next (
        *next_message)(struct vg_grpc_client_call *call, struct vg_bytes *out_message);

    int64_t row_count; /* how many rows match in all, known from before the first; -1 = not told */

    /* Set when done. */
    bool done;
    enum vg_grpc_code code;
    char message[VG_GRPC_CLIENT_MESSAGE_SIZE]; /* "" with OK */
    struct vg_grpc_details details; /* reason and violations, where the server named them */
    uint32_t retry_after_ms;        /* what the server asks for before the call is made again, by
                                       grpc-retry-pushback-ms or RetryInfo; 0 = it does not say */
    struct vg_bytes answer;         /* the serialised message; lives until dispose */

    /* Private. */
    struct vg_http2_client_call http;
    struct vg_grpc_client *client;
    struct vg_grpc_client_call *next; /* under way, or done and not yet waited for */
    struct vg_grpc_client_call *back;
    uint64_t deadline_ns;
    struct vg_grpc_frame frame;
    struct vg_buffer body; /* the prefix and the request, or the message that is being sent */
    size_t body_sent;      /* of that message */
    struct vg_buffer answer_bytes;
    struct vg_buffer packed; /* a message of the answer, compressed as it came */
    struct vg_arena arena;
    bool has_status;
    unsigned http_status;
    const char *failure; /* why we gave up, NULL = we did not */
};

/*
 * A client of the server at `address` ("HOST:PORT"), which is connected now. `credential`: the API
 * key, NULL = none.
 *
 * Fails with: CONFIG, OVERLOADED (nobody answers).
 */
VG_MUST_USE enum vg_reason vg_grpc_client_open(
    const char *address,
    const char *credential,
    struct vg_grpc_client **out_client,
    struct vg_error *error);

/* The same by TLS: `tls` is kept until the client is closed; NULL = in plain text. */
VG_MUST_USE enum vg_reason vg_grpc_client_open_tls(
    const char *address,
    struct vg_tls_client *tls,
    const char *credential,
    struct vg_grpc_client **out_client,
    struct vg_error *error);

/* Ends what is under way. Accepts NULL. */
void vg_grpc_client_close(struct vg_grpc_client *client);

/* Begin a call. */
void vg_grpc_client_start(struct vg_grpc_client *client, struct vg_grpc_client_call *call);

/* Wait until `call` is done. */
void vg_grpc_client_wait(struct vg_grpc_client *client, struct vg_grpc_client_call *call);

/* Wait until any call is done and return it, each once, the earliest first; NULL when none is left.
 */
struct vg_grpc_client_call *vg_grpc_client_wait_any(struct vg_grpc_client *client);

/* Calls that were started and not yet returned by a wait. */
size_t vg_grpc_client_under_way(const struct vg_grpc_client *client);

/* Give up answer and words of a done call; it may be started again afterwards. */
void vg_grpc_client_call_dispose(struct vg_grpc_client_call *call);

/* The name of a code as gRPC writes it: "NOT_FOUND". */
const char *vg_grpc_client_code_name(enum vg_grpc_code code);

#endif
