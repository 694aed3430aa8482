/*
 * One HTTP/2 request stream: the carrier of an exchange.
 *
 * The stream keeps the request head in memory of its own, bounded by the header limit: what fits a
 * common request lies in the stream itself. Body bytes are not kept at all; they pass on to the
 * application, and the peer's window opens again as the application consumes them.
 *
 * Private to rpc/http2.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_RPC_HTTP2_HTTP2_STREAM_H
#define VG_RPC_HTTP2_HTTP2_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "rpc/http2/http2_session.h"
#include "rpc/net/exchange.h"

#define VG_HTTP2_STREAM_HEADERS 20u
#define VG_HTTP2_STREAM_TEXT    1024u
/* RFC 9113 section 6.5.2: the size of a field is name + value + 32. */
#define VG_HTTP2_FIELD_OVERHEAD 32u
/* Beyond that many times the header limit the block is not even counted any more. */
#define VG_HTTP2_HEADER_EXCESS 4u
/* A content type longer than this is not kept beyond the header limit. */
#define VG_HTTP2_STREAM_TYPE_MAX 128u
/* After an early answer, the rest of a body that is declared no larger is read and dropped. */
#define VG_HTTP2_LATE_BODY_MAX 65536
/* Headers of one answer, of ours. */
#define VG_HTTP2_RESPONSE_HEADERS_MAX 48u

struct vg_http2_stream {
    struct vg_exchange exchange;
    struct vg_http2_session *session;
    struct vg_http2_stream *next;
    struct vg_http2_stream *back;
    int32_t id;
    bool head_done;       /* the request head is complete */
    bool head_refused;    /* it was over the limit, and is not complete */
    bool path_refused;    /* by its path */
    bool malformed;       /* nghttp2 has not seen what is wrong with its fields */
    bool request_ended;   /* END_STREAM has arrived */
    bool responded;       /* the response head is submitted */
    bool deferred;        /* the data source waits for resume */
    bool answered;        /* END_STREAM was sent */
    bool reset;           /* RST_STREAM is submitted */
    size_t unconsumed;    /* body bytes the application has not consumed */
    uint64_t progress_ns; /* when a byte last went in or out */

    size_t header_bytes;
    struct vg_http_header *headers;
    size_t header_capacity;
    struct vg_arena overflow; /* for heads that do not fit below */
    size_t text_used;
    /* Not cleared: the last members. */
    struct vg_http_header header_slots[VG_HTTP2_STREAM_HEADERS];
    uint8_t text[VG_HTTP2_STREAM_TEXT];
};

/* A new stream in the session's list; NULL without memory. */
struct vg_http2_stream *vg_http2_stream_create(struct vg_http2_session *session, int32_t id);

/* Tell the application that it is over, take the stream out of the list and free it. */
void vg_http2_stream_destroy(struct vg_http2_stream *stream);

/* Keep one field of the request head. False = so far over the limit that the stream must be reset.
 */
bool vg_http2_stream_add_header(
    struct vg_http2_stream *stream,
    struct vg_bytes name,
    struct vg_bytes value);

/* The head is complete: choose the application and hand the request over. */
void vg_http2_stream_begin(struct vg_http2_stream *stream);

/* Body bytes; the end of the request. */
void vg_http2_stream_take(struct vg_http2_stream *stream, struct vg_bytes part);
void vg_http2_stream_end(struct vg_http2_stream *stream);

/* END_STREAM was sent. */
void vg_http2_stream_sent_end(struct vg_http2_stream *stream);

/* Has it stood still, through the peer's fault, for too long: a request that does not go on for the
 * body's time, an answer without window for the write's? A limit of 0 is none. */
bool vg_http2_stream_is_stuck(
    const struct vg_http2_stream *stream,
    uint64_t now_ns,
    const struct vg_conn_limits *limits);

/* RST_STREAM with `code`, once. */
void vg_http2_stream_reset(struct vg_http2_stream *stream, uint32_t code);

#endif
