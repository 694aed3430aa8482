/*
 * One HTTP/2 connection: an nghttp2 session, its streams, and the state of its end.
 *
 * nghttp2 calls back while it reads or writes; the callbacks call the applications, which may
 * answer at once: every answer is only submitted, and goes out when the connection asks for bytes.
 * Nothing here ever sends or receives from within a callback.
 *
 * Private to rpc/http2.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_RPC_HTTP2_HTTP2_SESSION_H
#define VG_RPC_HTTP2_HTTP2_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#include "core/base/buffer.h"
#include "rpc/http2/http2_budget.h"
#include "rpc/http2/http2_protocol.h"
#include "rpc/http2/http2_scan.h"
#include "rpc/http2/http2_seen.h"
#include "rpc/net/timer.h"

struct vg_http2_stream;

enum vg_http2_drain {
    VG_HTTP2_DRAIN_NONE,
    VG_HTTP2_DRAIN_NOTICED, /* GOAWAY(2^31-1) and PING are sent: streams under way may still arrive
                             */
    VG_HTTP2_DRAIN_FINAL,   /* GOAWAY with the last stream is sent */
};

/* Why this side ends a connection; what GOAWAY frames are counted by. */
enum vg_http2_cause {
    VG_HTTP2_CAUSE_PROTOCOL, /* a rule of RFC 9113 that nghttp2 found broken */
    VG_HTTP2_CAUSE_ERRORS,   /* the budget for misbehaviour is used up */
    VG_HTTP2_CAUSE_PINGS,    /* too many pings */
    VG_HTTP2_CAUSE_TIMEOUT,  /* a header block that does not end, a peer that does not answer */
};

struct vg_http2_session {
    struct vg_conn *conn;
    const struct vg_http2_protocol *protocol;
    nghttp2_session *session;
    struct vg_http2_stream *streams; /* nghttp2_session_del does not report them: this list does */
    struct vg_http2_stream *latest;  /* of the frame before; NULL = none, or it is gone */
    struct vg_http2_budget budget;
    struct vg_http2_seen seen;
    struct vg_http2_scan scan;
    int64_t window_initial; /* SETTINGS_INITIAL_WINDOW_SIZE of the peer */
    int64_t window_largest; /* of its streams, while SETTINGS are being taken */
    enum vg_http2_drain drain;
    struct vg_timer drain_timer;
    uint64_t now_ns;       /* of the current read, fill or tick */
    bool reading;          /* within a read: now_ns is now */
    uint64_t heard_ns;     /* when the peer last sent anything */
    uint64_t keepalive_ns; /* when it was asked whether it is there; 0 = it was not */
    bool failed; /* no more is read; what is queued is flushed, then the connection closes */
    enum vg_http2_cause cause; /* of the failure */
    struct vg_buffer early;    /* frames that go out before what `fill` makes */
};

/* The time, which while frames are read need not be asked for again. */
uint64_t vg_http2_session_now_ns(const struct vg_http2_session *session);

/* The functions of struct vg_conn_protocol. */
bool vg_http2_session_open(struct vg_conn *conn);
void vg_http2_session_read(struct vg_conn *conn, struct vg_bytes part);
void vg_http2_session_ended(struct vg_conn *conn);
void vg_http2_session_fill(struct vg_conn *conn, struct vg_buffer *out, size_t room);
bool vg_http2_session_wants_close(const struct vg_conn *conn);
void vg_http2_session_drain(struct vg_conn *conn);
void vg_http2_session_tick(struct vg_conn *conn, uint64_t now_ns);
void vg_http2_session_closed(struct vg_conn *conn);

/*
 * Between two frames of a read: pack the answers that are there. Their calls end, and the next ones
 * get their memory while the processor still has it at hand; it goes out with the flush all the
 * same. Bounded, and not for a peer that does not read.
 */
void vg_http2_session_fill_early(struct vg_http2_session *session);

/* The nghttp2 callbacks, shared by all sessions. */
nghttp2_session_callbacks *vg_http2_session_callbacks(void);

/* The peer has done something wrong. When its credit is used up: GOAWAY(ENHANCE_YOUR_CALM). */
void vg_http2_session_charge(struct vg_http2_session *session, enum vg_http2_fault fault);

/* End the connection: GOAWAY with `code` and `text`, then close. */
void vg_http2_session_fail(
    struct vg_http2_session *session,
    enum vg_http2_cause cause,
    uint32_t code,
    const char *text);

#endif
