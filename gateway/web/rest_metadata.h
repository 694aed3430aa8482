/*
 * What of a call's metadata passes between it and HTTP headers of the REST face. A short list, and
 * nothing else: a header of the client's is no business of a handler unless it is meant for one,
 * and no handler writes headers that browsers or proxies act on.
 *
 *     in:  the listed names, and "Grpc-Metadata-NAME: value" as NAME
 *     out: the listed names, of the call's headers; trailers are not sent
 *
 * Threads: the exchange's worker.
 */
#ifndef VG_GATEWAY_WEB_REST_METADATA_H
#define VG_GATEWAY_WEB_REST_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "rpc/net/exchange.h"
#include "rpc/service/call.h"

/* Copy the metadata of `request` to `call`. False when it does not fit the call's memory. */
VG_MUST_USE bool vg_rest_metadata_read(const struct vg_http_request *request, struct vg_call *call);

/* The headers of `call` that are sent; borrowed from it. Returns their count. */
size_t vg_rest_metadata_write(
    const struct vg_call *call,
    struct vg_http_header headers[VG_LIMIT_ANSWER_METADATA]);

#endif
