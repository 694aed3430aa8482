#include "tools/vigild/wiring.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/access/bootstrap.h"
#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random.h"
#include "core/node/node.h"
#include "core/node/node_metrics.h"
#include "gateway/envelope/envelope.h"
#include "gateway/http1/http1.h"
#include "gateway/json/json_write.h"
#include "gateway/rpcweb/rpcweb.h"
#include "gateway/web/web.h"
#include "rpc/grpc/grpc_headers.h"
#include "rpc/grpc/grpc_server.h"
#include "rpc/http2/http2_protocol.h"
#include "rpc/net/server.h"
#include "rpc/net/tls_context.h"
#include "rpc/service/audit_log.h"
#include "rpc/service/service.h"

struct vg_wiring {
    struct vg_settings settings;
    struct vg_node node;
    struct vg_service service;
    struct vg_web web;
    struct vg_grpc_server grpc;
    struct vg_rpcweb rpcweb;
    struct vg_exchange_selector
        selector; /* HTTP/2: gRPC and its web forms by content type, all else to the gateway */
    struct vg_exchange_selector web_only; /* HTTP/1.1 carries no gRPC of its own form */
    struct vg_http2_protocol http2;
    struct vg_http1 http1;
    struct vg_server *server;
    bool node_open;
    bool faces_open;
};

static const struct vg_exchange_app *select_app(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    const struct vg_wiring *wiring = VG_CONTAINER_OF_CONST(selector, struct vg_wiring, selector);
    if (vg_grpc_headers_is_grpc(&exchange->request)) {
        return &wiring->grpc.app; /* the most common first */
    }
    const struct vg_exchange_app *form = vg_rpcweb_select(&wiring->rpcweb, &exchange->request);
    if (form != NULL) {
        return form;
    }
    bool is_grpc = vg_grpc_server_takes(&wiring->grpc, &exchange->request);
    return is_grpc ? &wiring->grpc.app : &wiring->web.app;
}

static const struct vg_exchange_app *select_web(
    const struct vg_exchange_selector *selector,
    const struct vg_exchange *exchange)
{
    const struct vg_wiring *wiring = VG_CONTAINER_OF_CONST(selector, struct vg_wiring, web_only);
    const struct vg_exchange_app *form = vg_rpcweb_select(&wiring->rpcweb, &exchange->request);
    return form != NULL ? form : &wiring->web.app;
}

static unsigned core_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

/* The body of a refusal by HTTP/1.1 itself, in the documented envelope. */
static void refuse(const struct vg_error *error, struct vg_buffer *out_body)
{
    vg_envelope_error(out_body, error, vg_clock_now(&vg_clock_real));
}

static uint64_t ns(uint32_t ms)
{
    return (uint64_t)ms * 1000000u;
}

/* What TLS is set to, from the files as they are now. */
static enum vg_reason load_tls(
    const struct vg_settings *settings,
    struct vg_tls_context **out_tls,
    struct vg_error *error)
{
    const struct vg_tls_options options = {
        .certificates = settings->tls_certificates,
        .keys = settings->tls_keys,
        .client_ca = settings->tls_client_ca,
        .clients = (enum vg_tls_clients)settings->tls_client_certificates,
        .version_min = (enum vg_tls_version)settings->tls_version_min,
        .ciphers = settings->tls_ciphers,
    };
    enum vg_reason reason =
        vg_tls_context_create(&options, vg_clock_now(&vg_clock_real), out_tls, error);
    if (reason == VG_OK) {
        vg_metrics_set(
            VG_METRIC_tls_certificate_expiry_seconds,
            vg_tls_context_expires(*out_tls) / 1000);
    }
    return reason;
}

static const char *address(const char *setting)
{
    return setting[0] == '\0' ? NULL : setting;
}

static enum vg_reason open_server(struct vg_wiring *wiring, struct vg_error *error)
{
    const struct vg_settings *settings = &wiring->settings;
    struct vg_tls_context *tls = NULL;
    if (settings->listen_tls[0] != '\0') {
        enum vg_reason reason = load_tls(settings, &tls, error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    unsigned workers = settings->workers != 0 ? settings->workers : core_count();
    struct vg_server_options options = {
        .listen = address(settings->listen),
        .listen_tls = address(settings->listen_tls),
        .tls = tls,
        .insecure = settings->insecure,
        .worker_count = workers < VG_SERVER_WORKERS_MAX ? workers : VG_SERVER_WORKERS_MAX,
        .drain_timeout_ns = ns(settings->drain_timeout_ms),
        .limits = { .handshake_timeout_ns = ns(settings->tls_handshake_timeout_ms),
                    .header_timeout_ns = ns(settings->header_timeout_ms),
                    .body_timeout_ns = ns(settings->body_timeout_ms),
                    .idle_timeout_ns = ns(settings->idle_timeout_ms),
                    .write_timeout_ns = ns(settings->write_timeout_ms),
                    .age_ns = ns(settings->connection_age_ms),
                    .age_grace_ns = ns(settings->connection_age_grace_ms),
                    .keepalive_ns = ns(settings->keepalive_time_ms),
                    .keepalive_timeout_ns = ns(settings->keepalive_timeout_ms),
                    .flush_delay_ns = (uint64_t)settings->flush_delay_us * 1000u,
                    .connections_max = settings->connections_max,
                    .connections_per_address_max = settings->connections_per_address_max,
                    .misbehaving_per_address_max = settings->misbehaving_per_address_max,
                    .stranger_share = settings->stranger_share_max },
        .http2 = &wiring->http2.protocol,
        .http1 = &wiring->http1.protocol,
    };
    enum vg_reason reason = vg_server_create(&options, &wiring->server, error);
    vg_tls_context_unref(tls);
    return reason;
}

static void open_faces(struct vg_wiring *wiring)
{
    vg_service_init(&wiring->service);
    vg_web_init(&wiring->web, &wiring->service);
    vg_grpc_server_init(&wiring->grpc, &wiring->service);
    vg_rpcweb_init(&wiring->rpcweb, &wiring->service, &wiring->grpc.app);
    wiring->selector.select = select_app;
    wiring->web_only.select = select_web;
    struct vg_http2_limits limits = VG_HTTP2_LIMITS_DEFAULT;
    limits.streams_max = wiring->settings.streams_per_connection_max;
    limits.header_bytes_max = (uint32_t)wiring->settings.header_bytes_max;
    limits.streams_per_second = wiring->settings.streams_per_second_max;
    limits.ping_interval_ns = ns(wiring->settings.ping_interval_ms);
    limits.ping_idle_interval_ns = ns(wiring->settings.ping_idle_interval_ms);
    vg_http2_protocol_init(&wiring->http2, &wiring->selector, &limits);
    vg_http1_init(&wiring->http1, &wiring->web_only, wiring->settings.header_bytes_max, refuse);
    wiring->faces_open = true;
}

/* As people know them from the REST interface, without what is not set. */
static const struct vg_json_dialect log_dialect = {
    .names = VG_NAME_DOCUMENTED,
    .shaped = true,
    .words = true,
};

static bool print_request(
    const struct vg_table *table,
    const ProtobufCMessage *request,
    struct vg_buffer *out)
{
    return vg_json_write(table, request, &log_dialect, out);
}

static enum vg_reason open_audit(struct vg_wiring *wiring, struct vg_error *error)
{
    const struct vg_audit_log_options options = {
        .classes = wiring->settings.audit_log,
        .file = wiring->settings.audit_file,
        .log_file = vg_log_options_default().file,
        .clock = &vg_clock_real,
    };
    return vg_audit_log_open(&options, &wiring->service.audit, error);
}

static enum vg_reason open_all(struct vg_wiring *wiring, struct vg_error *error)
{
    const struct vg_settings *settings = &wiring->settings;
    enum vg_reason reason =
        vg_node_open(&wiring->node, settings, &vg_clock_real, vg_random_real(), error);
    wiring->node_open = reason == VG_OK;
    if (reason == VG_OK) {
        reason = vg_access_bootstrap(
            wiring->node.directory,
            wiring->node.store,
            &(struct vg_access_bootstrap){ .data_dir = settings->data,
                                           .domain_name = settings->admin_domain_name,
                                           .random = wiring->node.random,
                                           .now = vg_clock_now(&vg_clock_real) },
            error);
    }
    if (reason == VG_OK) {
        unsigned executors = settings->executors != 0 ? settings->executors : core_count();
        reason = vg_executor_create(
            "executor",
            executors,
            settings->executor_queue,
            &wiring->service.executor,
            error);
    }
    if (reason == VG_OK) {
        vg_executor_yield(wiring->service.executor, (int)settings->executor_nice);
    }
    if (reason != VG_OK) {
        return reason;
    }
    wiring->service.settings = settings;
    wiring->service.clock = &vg_clock_real;
    wiring->service.access = wiring->node.access;
    wiring->service.node = &wiring->node;
    wiring->service.version = VG_VERSION;
    wiring->service.write_node_metrics = vg_node_metrics_write;
    wiring->service.methods = vg_methods;
    wiring->service.method_count = vg_method_count;
    wiring->service.routes = vg_routes;
    wiring->service.route_count = vg_route_count;
    vg_readiness_init(&wiring->service.readiness, VG_READINESS_STARTING);
    wiring->service.print_request = print_request;
    reason = open_audit(wiring, error);
    if (reason != VG_OK) {
        return reason;
    }
    open_faces(wiring);
    return open_server(wiring, error);
}

enum vg_reason vg_wiring_open(
    const struct vg_settings *settings,
    struct vg_wiring **out_wiring,
    struct vg_error *error)
{
    struct vg_wiring *wiring = calloc(1, sizeof(*wiring));
    VG_ASSERT(wiring != NULL);
    wiring->settings = *settings;
    enum vg_reason reason = open_all(wiring, error);
    if (reason == VG_OK) {
        reason = vg_server_start(wiring->server, error);
    }
    if (reason != VG_OK) {
        vg_wiring_close(wiring);
        return reason;
    }
    *out_wiring = wiring;
    return VG_OK;
}

enum vg_reason vg_wiring_start(
    struct vg_wiring *wiring,
    bool (*gives_up)(void *owner),
    void *owner,
    struct vg_error *error)
{
    wiring->node.gives_up = gives_up;
    wiring->node.owner = owner;
    enum vg_reason reason = vg_node_start(&wiring->node, error);
    if (reason == VG_OK) {
        vg_readiness_become(&wiring->service.readiness, VG_READINESS_READY);
    }
    return reason;
}

static void reload_tls(struct vg_wiring *wiring)
{
    struct vg_error error;
    struct vg_tls_context *tls = NULL;
    vg_error_init(&error, NULL);
    if (wiring->settings.listen_tls[0] == '\0') {
        return;
    }
    if (load_tls(&wiring->settings, &tls, &error) != VG_OK) {
        vg_metrics_add(VG_METRIC_tls_reloads_failed_total, 1);
        vg_log_error(VG_LOG_ERROR, "reload_failed", &error);
        return;
    }
    vg_server_set_tls(wiring->server, tls);
    vg_tls_context_unref(tls);
    vg_metrics_add(VG_METRIC_tls_reloads_total, 1);
    vg_log_message(VG_LOG_INFO, "reload", "new connections get the certificates as they are now");
}

static void reload_audit(struct vg_wiring *wiring)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_audit_log_reopen(wiring->service.audit, &error) != VG_OK) {
        vg_log_error(VG_LOG_ERROR, "reload_failed", &error);
    }
}

void vg_wiring_reload(struct vg_wiring *wiring)
{
    vg_log_message(VG_LOG_INFO, "reload", "SIGHUP: certificates and the audit log are opened anew");
    reload_audit(wiring);
    reload_tls(wiring);
}

uint16_t vg_wiring_tls_port(const struct vg_wiring *wiring)
{
    return wiring->server->tls_port;
}

uint16_t vg_wiring_port(const struct vg_wiring *wiring)
{
    return wiring->server->port;
}

/* Who routes work to this server is told before the listeners close, and given time to act. One
 * that was still starting has never been said to be ready. */
static void leave(struct vg_wiring *wiring)
{
    if (vg_readiness_state(&wiring->service.readiness) != VG_READINESS_READY) {
        return;
    }
    const uint32_t notice_ms = wiring->settings.drain_notice_ms;
    const struct timespec notice = { .tv_sec = notice_ms / 1000,
                                     .tv_nsec = (long)(notice_ms % 1000) * 1000000 };
    vg_readiness_become(&wiring->service.readiness, VG_READINESS_LEAVING);
    (void)nanosleep(&notice, NULL);
}

void vg_wiring_close(struct vg_wiring *wiring)
{
    if (wiring == NULL) {
        return;
    }
    if (wiring->server != NULL) {
        leave(wiring);
        vg_server_drain(wiring->server);
        vg_server_join(wiring->server);
    }
    /* Calls have ended; what an executor still finishes has nobody waiting. */
    vg_executor_destroy(wiring->service.executor);
    if (wiring->node_open) {
        vg_node_stop(&wiring->node);
        vg_node_close(&wiring->node);
    }
    vg_server_destroy(wiring->server);
    if (wiring->faces_open) {
        vg_http2_protocol_dispose(&wiring->http2);
        vg_web_dispose(&wiring->web);
        vg_readiness_dispose(&wiring->service.readiness);
        vg_grpc_server_dispose(&wiring->grpc);
    }
    vg_audit_log_close(wiring->service.audit);
    free(wiring);
}
