/*
 * The content types by which calls come in other forms than gRPC's own (grpc PROTOCOL-WEB; Connect
 * protocol, "Unary-Content-Type", "Streaming-Content-Type").
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_RPCWEB_MEDIA_TYPE_H
#define VG_GATEWAY_RPCWEB_MEDIA_TYPE_H

#include "core/base/bytes.h"

enum vg_media_type {
    VG_MEDIA_TYPE_OTHER,
    VG_MEDIA_TYPE_JSON,
    VG_MEDIA_TYPE_PROTO,
    VG_MEDIA_TYPE_GRPC_WEB,
    VG_MEDIA_TYPE_GRPC_WEB_TEXT,
    VG_MEDIA_TYPE_CONNECT_PROTO,
    VG_MEDIA_TYPE_CONNECT_JSON,
    VG_MEDIA_TYPE_UNREAD, /* one of those protocols, with messages that are not read here */
};

/* All that is read, for Accept-Post. */
#define VG_MEDIA_TYPE_ACCEPTED                                                                     \
    "application/json, application/proto, application/connect+proto, application/grpc, "           \
    "application/grpc-web, application/grpc-web-text"

/* Case and parameters do not matter (RFC 9110 §8.3.1). */
enum vg_media_type vg_media_type_find(struct vg_bytes text);

#endif
