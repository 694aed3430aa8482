/*
 * Rules of RFC 9113 that nghttp2 1.52 lets a peer break: frames on streams that are over, streams
 * opened out of order, a CONTINUATION larger than any frame may be, and SETTINGS that take a window
 * beyond its largest size (of which nghttp2 makes an error of the stream).
 *
 * Called for every frame before nghttp2 looks at its payload: a comparison or two for most.
 *
 * Private to rpc/http2.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_RPC_HTTP2_HTTP2_GUARD_H
#define VG_RPC_HTTP2_HTTP2_GUARD_H

#include <stdbool.h>

#include <nghttp2/nghttp2.h>

#include "core/base/bytes.h"

struct vg_http2_session;

/* Hand bytes of the peer to nghttp2, which takes them all. False = the connection is over. */
bool vg_http2_guard_read(struct vg_http2_session *session, struct vg_bytes part);

/* The callbacks of nghttp2: a frame begins (its payload is still to come). */
int vg_http2_guard_on_begin(nghttp2_session *session, const nghttp2_frame_hd *head, void *owner);

/* SETTINGS have been taken. Both return NGHTTP2_ERR_CALLBACK_FAILURE when the connection is ended.
 */
int vg_http2_guard_on_settings(
    nghttp2_session *session,
    const nghttp2_settings *frame,
    void *owner);

#endif
