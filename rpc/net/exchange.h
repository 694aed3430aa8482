/*
 * One HTTP request and its answer, whatever carries it: HTTP/1.1 (gateway/http1) or one HTTP/2
 * stream (rpc/http2) below, gRPC (rpc/grpc) or the JSON gateway (gateway/web) above. Neither side
 * names the other.
 *
 * The carrier embeds struct vg_exchange in its stream. When the request head is complete it asks
 * the selector which application takes it, then calls the application's functions in this order:
 *
 *     headers  (body)*  end?  pull*  closed
 *
 * `closed` always comes, exactly once, and last; before `end` it means the client went away. The
 * application answers by calling the carrier's functions: `respond` once, then `resume` whenever
 * bytes (or the end) can be pulled. It may respond before `end`. The carrier pulls when the window
 * or socket has room, so nothing is buffered for a client that does not read.
 *
 * Threads: an exchange belongs to the worker of its connection; every function here is called on
 * that thread.
 */
#ifndef VG_RPC_NET_EXCHANGE_H
#define VG_RPC_NET_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/network.h"
#include "core/base/peer_identity.h"

struct vg_worker;
struct vg_exchange;

struct vg_http_header {
    struct vg_bytes name; /* lower case */
    struct vg_bytes value;
};

/* The request head. All bytes belong to the carrier and stay until `closed`. */
struct vg_http_request {
    struct vg_bytes method;    /* "GET" */
    struct vg_bytes target;    /* path and query as sent: "/events/v1/aggregated?limit=3" */
    struct vg_bytes authority; /* Host or :authority, may be empty */
    const struct vg_http_header *headers; /* without pseudo headers, in order of arrival */
    size_t header_count;
    struct vg_network peer; /* address of the client, a host */
    uint16_t peer_port;
    const struct vg_peer_identity *identity; /* by a client certificate; NULL = none */
    bool is_secure;                          /* it came by TLS */
    uint8_t version;                         /* 11 or 20 */
    int64_t content_length;                  /* -1 = not said */
};

struct vg_http_response {
    unsigned status;
    const struct vg_http_header *headers; /* borrowed until respond returns */
    size_t header_count;
    int64_t content_length; /* -1 = unknown: chunked in HTTP/1.1 */
    bool headers_stay;      /* not only until respond returns, but until `closed` */
    bool no_body;           /* the head is the whole answer (HEAD, 204, gRPC trailers-only) */
};

/* What a pull has done. */
enum vg_pull {
    VG_PULL_MORE,     /* bytes were given, there may be more at once */
    VG_PULL_WAIT,     /* no more now; the application will call resume */
    VG_PULL_END,      /* bytes (or none) were given and the body is complete */
    VG_PULL_TRAILERS, /* the body is complete; `trailers` of the exchange are to be sent */
    VG_PULL_FAILED, /* the answer cannot be completed: cut it visibly (RST_STREAM, close without the
                       last chunk) */
};

/* Implemented by the carrier. */
struct vg_exchange_carrier {
    /* Send the response head. Once only. */
    void (*respond)(struct vg_exchange *exchange, const struct vg_http_response *response);
    /* There is something to pull. Safe to call from within any application function. */
    void (*resume)(struct vg_exchange *exchange);
    /* The application is done with `size` request body bytes: the client may send as many more. */
    void (*consume)(struct vg_exchange *exchange, size_t size);
    /* Give the exchange up: RST_STREAM with the HTTP/2 code that fits `reason`, or close the
     * connection. */
    void (*abort)(struct vg_exchange *exchange, enum vg_reason reason);
};

/* Implemented by the application. */
struct vg_exchange_app {
    /* The head is complete; set exchange->state. `end_follows` false = there is no body
     * (END_STREAM, length 0): `end` comes next all the same. */
    void (*headers)(struct vg_exchange *exchange);
    /* Instead of `headers`: the head is over a limit of the carrier, so the request holds only part
     * of it; answer `reason`. The rest follows as usual, to be dropped. NULL = the carrier answers
     * bare HTTP. */
    void (*refuse)(struct vg_exchange *exchange, enum vg_reason reason);
    /* Body bytes as they arrive, borrowed. Call carrier->consume when they are used or dropped. */
    void (*body)(struct vg_exchange *exchange, struct vg_bytes part);
    /* The request is complete. `trailers` of the request are ignored. */
    void (*end)(struct vg_exchange *exchange);
    /* Put at most `size` answer bytes at `out`; *out_size says how many. */
    enum vg_pull (*pull)(struct vg_exchange *exchange, uint8_t *out, size_t size, size_t *out_size);
    /* The connection takes no new exchanges: end soon, if this one would go on for ever. NULL =
     * they all end by themselves. */
    void (*drain)(struct vg_exchange *exchange);
    /* The exchange is over: answered, cancelled by the client, or its connection lost. Free
     * exchange->state. */
    void (*closed)(struct vg_exchange *exchange, bool answered);
};

struct vg_exchange {
    const struct vg_exchange_carrier *carrier;
    const struct vg_exchange_app *app;
    void *state; /* of the application */
    struct vg_worker *worker;
    bool endless; /* set by the application: the answer has no end of its own, so a client that ends
                     its side of the connection waits for nothing: it has gone */
    bool is_proven;   /* set by the application from within `headers`: the client has shown a valid
                         key */
    const char *form; /* what the request came as, for logs: set by an application that passes it on
                         in another form; NULL = as the application has it */
    struct vg_http_request request;
    const struct vg_http_header *trailers; /* set by the application before it answers
                                              VG_PULL_TRAILERS; borrowed until closed */
    size_t trailer_count;
};

/* Chooses the application for a request head: wired by vigild, so that lower folders never name
 * upper ones. */
struct vg_exchange_selector {
    const struct vg_exchange_app *(
        *select)(const struct vg_exchange_selector *selector, const struct vg_exchange *exchange);
};

/* The first header of that (lower-case) name, or NULL. */
const struct vg_http_header *vg_http_request_header(
    const struct vg_http_request *request,
    const char *name);

#endif
