/*
 * What the parser lets pass in the head of a request though RFC 9112 does not: every byte of it
 * goes through here first, so that no two programs on a request's way can see two requests in it.
 *
 * Lines end with CR LF and with nothing else (§2.2), a CR stands nowhere else, no line is folded
 * (§5.2), no field is without a name (§5.1), and the request line is two single blanks and HTTP/1.0
 * or HTTP/1.1 (§3). What a name and a value may consist of is left to the parser.
 *
 * Threads: a value.
 */
#ifndef VG_GATEWAY_HTTP1_HTTP1_GUARD_H
#define VG_GATEWAY_HTTP1_HTTP1_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Empty lines before a request that are skipped (RFC 9112 §2.2 asks for one). */
#define VG_HTTP1_BLANK_LINES_MAX 8u

enum vg_http1_guard_stage {
    VG_HTTP1_GUARD_BEFORE, /* in front of the request line */
    VG_HTTP1_GUARD_METHOD, /* in the request line */
    VG_HTTP1_GUARD_TARGET,
    VG_HTTP1_GUARD_VERSION,
    VG_HTTP1_GUARD_LINE_START, /* in front of a field, or of the end */
    VG_HTTP1_GUARD_LINE,
    VG_HTTP1_GUARD_END,  /* behind the CR of the empty line */
    VG_HTTP1_GUARD_DONE, /* what follows is no head */
};

struct vg_http1_guard {
    enum vg_http1_guard_stage stage;
    size_t bytes; /* of the head, or of the trailers, that have been taken */
    uint8_t blank_lines;
    uint8_t at;      /* bytes of the version */
    bool after_cr;   /* the last byte was a CR */
    bool has_target; /* the method, or the target, has a byte */
};

void vg_http1_guard_init(struct vg_http1_guard *guard);

/* What comes next are the trailers of a chunked body: fields like those of a head (RFC 9112
 * §7.1.2). */
void vg_http1_guard_begin_trailers(struct vg_http1_guard *guard);

/*
 * Take the next bytes of the connection, up to the end of the head or the trailers; once that has
 * passed nothing is looked at until the next call of the above. Returns NULL, or what is wrong, in
 * words.
 */
const char *vg_http1_guard_take(struct vg_http1_guard *guard, struct vg_bytes part);

#endif
