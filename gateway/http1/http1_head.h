/*
 * The head of a request while it arrives: its text in one bounded buffer, and where each part of it
 * lies.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_GATEWAY_HTTP1_HTTP1_HEAD_H
#define VG_GATEWAY_HTTP1_HTTP1_HEAD_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/limits.h"
#include "gateway/http1/http1.h"
#include "rpc/net/exchange.h"

struct vg_http1_part {
    uint32_t start;
    uint32_t size;
};

struct vg_http1_head {
    struct vg_buffer text;
    struct vg_http1_part target;
    struct vg_http1_part names[VG_LIMIT_HEADER_COUNT];
    struct vg_http1_part values[VG_LIMIT_HEADER_COUNT];
    struct vg_http_header headers[VG_LIMIT_HEADER_COUNT];
    size_t count;
    bool in_value;          /* the last part was a value */
    bool finished;          /* what is added now are trailers, which are not kept */
    enum vg_reason refusal; /* a limit was passed, the rest is not kept; VG_OK = none was */
};

void vg_http1_head_init(struct vg_http1_head *head, size_t bytes_max);
void vg_http1_head_clear(struct vg_http1_head *head);
void vg_http1_head_dispose(struct vg_http1_head *head);

/* Parts as the parser finds them, in pieces. */
void vg_http1_head_add_target(struct vg_http1_head *head, struct vg_bytes piece);
void vg_http1_head_add_name(struct vg_http1_head *head, struct vg_bytes piece);
void vg_http1_head_add_value(struct vg_http1_head *head, struct vg_bytes piece);

/*
 * The head is complete: fill target, headers and authority of `request`; they point into `head`.
 *
 * Fails with: URL_TOO_LONG, HEADERS_TOO_LARGE; BAD_HTTP for a missing, repeated or malformed Host
 * (RFC 9112 §3.2), and for a body that is framed by anything but one length or `chunked` (§6.1).
 */
VG_MUST_USE enum vg_reason vg_http1_head_finish(
    struct vg_http1_head *head,
    bool is_old, /* HTTP/1.0 */
    struct vg_http_request *request,
    struct vg_error *error);

#endif
