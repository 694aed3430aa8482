#include "rpc/net/server.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "rpc/net/listener.h"
#include "rpc/net/tls_context.h"
#include "rpc/net/worker.h"

/* A socket for each address that is listened on, or -1; on failure none is open. */
static enum vg_reason server_bind(
    struct vg_listen_address addresses[VG_SERVER_ADDRESSES],
    bool first,
    int out_sockets[VG_SERVER_ADDRESSES],
    struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    for (size_t i = 0; i < VG_SERVER_ADDRESSES; i++) {
        out_sockets[i] = -1;
        if (reason == VG_OK && addresses[i].size > 0) {
            reason = vg_listener_bind(&addresses[i], first, &out_sockets[i], error);
        }
    }
    for (size_t i = 0; reason != VG_OK && i < VG_SERVER_ADDRESSES; i++) {
        if (out_sockets[i] >= 0) {
            (void)close(out_sockets[i]);
        }
    }
    return reason;
}

static enum vg_reason server_open_worker(
    struct vg_server *server,
    struct vg_listen_address addresses[VG_SERVER_ADDRESSES],
    struct vg_error *error)
{
    unsigned index = server->worker_count;
    int sockets[VG_SERVER_ADDRESSES];
    enum vg_reason reason = server_bind(addresses, index == 0, sockets, error);
    if (reason != VG_OK) {
        return reason;
    }
    server->workers[index] = calloc(1, sizeof(*server->workers[index]));
    VG_ASSERT(server->workers[index] != NULL);
    server->worker_count++;
    return vg_worker_open(server->workers[index], server, index, sockets, error);
}

static enum vg_reason server_resolve(
    const struct vg_server_options *options,
    struct vg_listen_address addresses[VG_SERVER_ADDRESSES],
    struct vg_error *error)
{
    const char *const texts[VG_SERVER_ADDRESSES] = { [VG_SERVER_PLAIN] = options->listen,
                                                     [VG_SERVER_TLS] = options->listen_tls };
    enum vg_reason reason = VG_OK;
    if (options->listen == NULL && options->listen_tls == NULL) {
        return vg_error_set(error, VG_CONFIG, "there is no address to listen on");
    }
    for (size_t i = 0; i < VG_SERVER_ADDRESSES; i++) {
        addresses[i].size = 0;
        if (reason == VG_OK && texts[i] != NULL) {
            bool is_safe = options->insecure || i == VG_SERVER_TLS;
            reason = vg_listener_resolve(texts[i], is_safe, &addresses[i], error);
        }
    }
    return reason;
}

static uint16_t server_port(const struct vg_listen_address *address)
{
    return address->size == 0 ? 0 : vg_listener_port(&address->storage);
}

enum vg_reason vg_server_create(
    const struct vg_server_options *options,
    struct vg_server **out_server,
    struct vg_error *error)
{
    VG_ASSERT(options->http2 != NULL);
    VG_ASSERT(options->listen_tls == NULL || options->tls != NULL);
    if (options->worker_count == 0 || options->worker_count > VG_SERVER_WORKERS_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "there can be 1 to %u workers",
            VG_SERVER_WORKERS_MAX);
    }
    struct vg_listen_address addresses[VG_SERVER_ADDRESSES];
    enum vg_reason reason = server_resolve(options, addresses, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_server *server = calloc(1, sizeof(*server));
    VG_ASSERT(server != NULL);
    server->options = *options;
    server->options.listen = NULL;
    server->options.listen_tls = NULL;
    server->options.tls = NULL;
    server->tls = options->tls == NULL ? NULL : vg_tls_context_ref(options->tls);
    VG_ASSERT(pthread_mutex_init(&server->tls_lock, NULL) == 0);
    vg_peer_quota_init(
        &server->quota,
        options->limits.connections_max,
        options->limits.connections_per_address_max);
    vg_peer_blame_init(&server->blame, options->limits.misbehaving_per_address_max);
    while (reason == VG_OK && server->worker_count < options->worker_count) {
        reason = server_open_worker(server, addresses, error);
    }
    if (reason != VG_OK) {
        vg_server_destroy(server);
        return reason;
    }
    server->port = server_port(&addresses[VG_SERVER_PLAIN]);
    server->tls_port = server_port(&addresses[VG_SERVER_TLS]);
    *out_server = server;
    return VG_OK;
}

struct vg_tls_context *vg_server_tls(struct vg_server *server)
{
    (void)pthread_mutex_lock(&server->tls_lock);
    struct vg_tls_context *tls = vg_tls_context_ref(server->tls);
    (void)pthread_mutex_unlock(&server->tls_lock);
    return tls;
}

void vg_server_set_tls(struct vg_server *server, struct vg_tls_context *tls)
{
    (void)pthread_mutex_lock(&server->tls_lock);
    struct vg_tls_context *former = server->tls;
    server->tls = vg_tls_context_ref(tls);
    (void)pthread_mutex_unlock(&server->tls_lock);
    vg_tls_context_unref(former);
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
    vg_peer_blame_dispose(&server->blame);
    vg_tls_context_unref(server->tls);
    (void)pthread_mutex_destroy(&server->tls_lock);
    free(server);
}
