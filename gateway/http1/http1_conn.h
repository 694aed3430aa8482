/*
 * The state of one HTTP/1.1 connection. Private to gateway/http1.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_GATEWAY_HTTP1_HTTP1_CONN_H
#define VG_GATEWAY_HTTP1_HTTP1_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#include "core/base/buffer.h"
#include "gateway/http1/http1.h"
#include "gateway/http1/http1_guard.h"
#include "gateway/http1/http1_head.h"
#include "rpc/net/conn.h"
#include "rpc/net/exchange.h"

/* Body bytes the application may leave unconsumed before nothing more is read, and how few they
 * must become until it goes on. */
#define VG_HTTP1_BODY_WAITING_MAX (1024u * 1024u)
#define VG_HTTP1_BODY_WAITING_LOW (512u * 1024u)
/* Bytes that frame a chunked body may be that many times the body, besides as many as a head may
 * have: a chunk of one byte takes five. */
#define VG_HTTP1_FRAMING_FACTOR 16u
/* Requests sent ahead that are answered in one turn of the loop. */
#define VG_HTTP1_TURN_REQUESTS 16u
/* Heads of answers that wait to be sent: one at a time, and maybe a 100 before it. */
#define VG_HTTP1_ANSWER_HEAD_BYTES_MAX (16u * 1024u)

struct vg_http1_conn {
    struct vg_conn *conn;
    const struct vg_http1 *http1;
    llhttp_t parser;
    struct vg_http1_guard guard;
    struct vg_http1_head head;
    struct vg_exchange exchange;
    uint64_t request_ns;    /* when the first byte of the request arrived; 0 = none has */
    uint64_t body_ns;       /* when its head was complete, or a body byte last moved */
    uint64_t body_bytes;    /* of the request, so far */
    uint64_t framing_bytes; /* sizes of chunks, extensions, trailers: what is no body */
    unsigned finished;      /* requests that were answered in this fill */
    size_t body_waiting;    /* body bytes the application has not consumed */
    struct vg_buffer ahead; /* requests sent ahead of the answer */
    size_t ahead_at;        /* and where the first of them begins */
    struct vg_buffer out;   /* heads of answers, waiting to be filled out */

    bool open;       /* an exchange is with the application */
    bool body_comes; /* its request has a body */
    bool complete;   /* its request is complete */
    bool responded;  /* its answer's head is in `out` or sent */
    bool chunked;
    bool body_follows;
    bool resumed;     /* there may be something to pull */
    bool body_full;   /* too much of the body waits for the application */
    bool in_trailers; /* the last chunk has come */
    bool broken;      /* the rest of the request cannot be read */
    bool last;        /* this exchange is the last of the connection */
    bool stop;        /* read nothing more, close when flushed */
    bool peer_ended;
};

/* What an exchange of HTTP/1.1 answers by. */
extern const struct vg_exchange_carrier vg_http1_carrier;

/* Read on, or let the client wait: for the application to take what there is of the body, or for
 * the answer behind which enough has been sent ahead. */
void vg_http1_pace(struct vg_http1_conn *state);

/* Answer a request that never becomes an exchange, then close. */
void vg_http1_refuse(struct vg_http1_conn *state, const struct vg_error *error);

/* The same; `words` NULL = those of the reason. */
void vg_http1_refuse_with(struct vg_http1_conn *state, enum vg_reason reason, const char *words);

#endif
