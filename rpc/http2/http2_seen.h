/*
 * The last streams of one HTTP/2 connection, after nghttp2 has forgotten them: what a frame on a
 * closed stream means. RFC 9113 section 5.1: behind the end that the peer itself has sent it is an
 * error of the connection; behind an end that this side chose it is what was under way, and is
 * dropped; on an identifier that was jumped over it is an error as well (section 5.1.1).
 *
 * Pure: identifiers in, a verdict out; two bits for each of the last streams.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_RPC_HTTP2_HTTP2_SEEN_H
#define VG_RPC_HTTP2_HTTP2_SEEN_H

#include <stdbool.h>
#include <stdint.h>

/* Streams that are remembered; a power of two. More than twice as many as may be open at a time, so
 * that what a peer sends before it has read of an end is always known as such. */
#define VG_HTTP2_SEEN_STREAMS 512u
#define VG_HTTP2_SEEN_WORDS   (VG_HTTP2_SEEN_STREAMS / 64u)

enum vg_http2_seen_verdict {
    VG_HTTP2_SEEN_NEVER,     /* jumped over: it can never be opened */
    VG_HTTP2_SEEN_OPENED,    /* it was opened, and is over by the peer's own word */
    VG_HTTP2_SEEN_CUT,       /* this side has ended it first */
    VG_HTTP2_SEEN_FORGOTTEN, /* too long ago */
};

struct vg_http2_seen {
    int32_t last; /* highest identifier the peer has used */
    uint64_t opened[VG_HTTP2_SEEN_WORDS];
    uint64_t cut[VG_HTTP2_SEEN_WORDS];
};

/* The peer opens stream `id`, an odd number above `last`. */
void vg_http2_seen_open(struct vg_http2_seen *seen, int32_t id);

/* This side has ended stream `id` before the peer did. */
void vg_http2_seen_cut(struct vg_http2_seen *seen, int32_t id);

/* What is known of stream `id`, an odd number not above `last`. */
enum vg_http2_seen_verdict vg_http2_seen_ask(const struct vg_http2_seen *seen, int32_t id);

#endif
