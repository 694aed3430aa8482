/*
 * What operators' tools ask for, outside the contract: /healthz (the process answers), /readyz (it
 * serves; not while starting or draining: the truth that grpc.health.v1 tells too) and /metrics
 * (Prometheus text). No key is needed; nothing in them belongs to a customer.
 *
 * Threads: any worker.
 */
#ifndef VG_GATEWAY_WEB_PROBE_H
#define VG_GATEWAY_WEB_PROBE_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "rpc/service/service.h"

/* If `path` is a probe, write its answer and status and content type and return true. */
bool vg_probe_answer(
    const struct vg_service *service,
    struct vg_bytes path,
    struct vg_buffer *out,
    unsigned *out_status,
    const char **out_content_type);

#endif
