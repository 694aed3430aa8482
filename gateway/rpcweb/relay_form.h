/*
 * What of a call differs from gRPC when it comes as gRPC-Web or as a stream of the Connect
 * protocol: names of headers, the content type, and the status, which is the last frame of the body
 * since browsers show no trailers.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_RPCWEB_RELAY_FORM_H
#define VG_GATEWAY_RPCWEB_RELAY_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "gateway/rpcweb/media_type.h"
#include "rpc/net/exchange.h"

struct vg_relay_form {
    enum vg_media_type type;
    const char *content_type; /* of the answer */
    bool is_text;             /* base64 */
    bool is_connect;          /* the Connect protocol: the status is never in the head */
    /* Append the last frame of the body: the status and what goes with it. */
    void (*put_status)(
        const struct vg_http_header *trailers,
        size_t trailer_count,
        struct vg_buffer *out);
};

/* The form of requests of that content type, NULL = none that is read. */
const struct vg_relay_form *vg_relay_form_find(enum vg_media_type type);

/* The form of answers: as the request's, unless Accept asks for text or for bytes. */
const struct vg_relay_form *vg_relay_form_of_answer(
    const struct vg_relay_form *form,
    const struct vg_http_request *request);

/* The name in an answer of this form of a header of gRPC's. */
struct vg_bytes vg_relay_form_answer_name(const struct vg_relay_form *form, struct vg_bytes name);

/*
 * Of gRPC-Web: the headers of `request` as gRPC has them, into `out_headers`, room for as many and
 * one more. Names and values are borrowed. Returns their count.
 */
size_t vg_relay_form_request_headers(
    const struct vg_http_request *request,
    struct vg_http_header *out_headers);

#endif
