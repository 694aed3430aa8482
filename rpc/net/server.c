#include "rpc/net/server.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "rpc/net/listener.h"
#include "rpc/net/worker.h"

static enum vg_reason server_open_worker(
    struct vg_server *server,
    struct vg_listen_address *address,
    struct vg_error *error)
{
    unsigned index = server->worker_count;
    int handle = -1;
    enum vg_reason reason = vg_listener_bind(address, index == 0, &handle, error);
    if (reason != VG_OK) {
        return reason;
    }
    server->workers[index] = calloc(1, sizeof(*server->workers[index]));
    VG_ASSERT(server->workers[index] != NULL);
    server->worker_count++;
    return vg_worker_open(server->workers[index], server, index, handle, error);
}

enum vg_reason vg_server_create(
    const struct vg_server_options *options,
    struct vg_server **out_server,
    struct vg_error *error)
{
    VG_ASSERT(options->http2 != NULL);
    if (options->worker_count == 0 || options->worker_count > VG_SERVER_WORKERS_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "there can be 1 to %u workers",
            VG_SERVER_WORKERS_MAX);
    }
    struct vg_listen_address address;
    enum vg_reason reason =
        vg_listener_resolve(options->listen, options->insecure, &address, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_server *server = calloc(1, sizeof(*server));
    VG_ASSERT(server != NULL);
    server->options = *options;
    server->options.listen = NULL;
    vg_peer_quota_init(
        &server->quota,
        options->limits.connections_max,
        options->limits.connections_per_address_max);
    while (reason == VG_OK && server->worker_count < options->worker_count) {
        reason = server_open_worker(server, &address, error);
    }
    if (reason != VG_OK) {
        vg_server_destroy(server);
        return reason;
    }
    server->port = vg_listener_port(&address.storage);
    *out_server = server;
    return VG_OK;
}

enum vg_reason vg_server_start(struct vg_server *server, struct vg_error *error)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        enum vg_reason reason = vg_worker_start(server->workers[i], error);
        if (reason != VG_OK) {
            vg_server_drain(server);
            return reason;
        }
    }
    return VG_OK;
}

void vg_server_drain(struct vg_server *server)
{
    if (atomic_exchange(&server->draining, true)) {
        return;
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        vg_worker_drain(server->workers[i]);
    }
}

void vg_server_join(struct vg_server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        vg_worker_join(server->workers[i]);
    }
}

void vg_server_destroy(struct vg_server *server)
{
    if (server == NULL) {
        return;
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        vg_worker_dispose(server->workers[i]);
        free(server->workers[i]);
    }
    vg_peer_quota_dispose(&server->quota);
    free(server);
}
