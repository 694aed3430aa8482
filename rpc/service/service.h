/*
 * What all calls share: settings, clock, executor, access, and the node handlers work on. Made once
 * by vigild.
 *
 * Threads: immutable after vg_service_init but for the counters, which are atomic.
 */
#ifndef VG_RPC_SERVICE_SERVICE_H
#define VG_RPC_SERVICE_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/task.h"
#include "proto/contract.h"
#include "rpc/service/readiness.h"

struct vg_access;
struct vg_audit_log;
struct vg_node;
struct vg_settings;

#define VG_SERVICE_METHOD_SLOTS 1024u /* more than twice the methods, so that probing ends soon */

struct vg_service {
    const struct vg_settings *settings;
    const struct vg_clock *clock;
    struct vg_executor *executor;
    struct vg_access *access;
    struct vg_node *node;       /* only handlers look inside */
    struct vg_audit_log *audit; /* NULL = none */
    /* Append the JSON of a request, for logs; false = it does not fit. NULL = nobody can. */
    bool (*print_request)(
        const struct vg_table *table,
        const ProtobufCMessage *request,
        struct vg_buffer *out);
    const char *version; /* of the program, for metrics; NULL = unknown */
    /* Append figures of the node to the metrics; NULL = there are none. */
    void (*write_node_metrics)(const struct vg_node *node, struct vg_buffer *out);
    const struct vg_method *methods;
    size_t method_count;
    const struct vg_route *routes;
    size_t route_count;
    _Atomic uint32_t calls_in_flight;
    _Atomic uint32_t public_calls_in_flight; /* of those that need no key; not among the others */
    _Atomic uint32_t public_talks;           /* of those, the conversations */
    struct vg_readiness readiness; /* while the data are prepared, calls are answered STARTING */
    uint16_t method_slots[VG_SERVICE_METHOD_SLOTS]; /* by hash of the path: index + 1 */
};

/* Index the methods, once the pointers above are set. Settings may leave some out. */
void vg_service_init(struct vg_service *service);

/* Is the method served, by these settings? */
bool vg_service_serves(const struct vg_service *service, const struct vg_method *method);

/* Is there a method of the service called `name` that is served? */
bool vg_service_has(const struct vg_service *service, const char *name);

/* The next service after the method at *position (0 first), each once, or NULL. */
const char *vg_service_next(const struct vg_service *service, size_t *position);

/* The method of a gRPC path such as "/vigil.events.v2.EventService/GetEvent", or NULL. Case
 * matters, nothing is decoded. */
const struct vg_method *vg_service_find_method(
    const struct vg_service *service,
    struct vg_bytes path);

#endif
