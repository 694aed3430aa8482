/*
 * Server: the workers behind one address. Every worker has its own listening socket on the same
 * port (SO_REUSEPORT), so the kernel spreads connections over them and they share nothing. There
 * can be a second address, for TLS; both serve the same.
 *
 * Life: create (binds: the port is known, nothing is answered yet) → start → drain (stop accepting,
 * let protocols finish, cut what is left after the drain timeout) → join → destroy.
 *
 * Threads: create, start, join and destroy by one thread; drain by any.
 */
#ifndef VG_RPC_NET_SERVER_H
#define VG_RPC_NET_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/net/conn.h"
#include "rpc/net/peer_blame.h"
#include "rpc/net/peer_quota.h"
#include "rpc/net/worker.h"

struct vg_tls_context;

#define VG_SERVER_WORKERS_MAX 64u

struct vg_server_options {
    const char *listen;         /* "HOST:PORT", "[::1]:PORT"; port 0 = any free one; NULL = none */
    const char *listen_tls;     /* the same, for TLS */
    struct vg_tls_context *tls; /* what TLS is set to, a reference is taken; set with listen_tls */
    bool insecure;              /* plain text beyond loopback is wanted */
    unsigned worker_count;
    uint64_t drain_timeout_ns;
    struct vg_conn_limits limits;
    const struct vg_conn_protocol *http2; /* taken when a connection begins with its preface */
    const struct vg_conn_protocol *http1; /* all else; NULL = all else is closed */
};

struct vg_server {
    struct vg_server_options options;
    struct vg_peer_quota quota;
    struct vg_peer_blame blame;
    _Atomic bool draining;
    uint16_t port; /* of plain text; 0 = none */
    uint16_t tls_port;
    pthread_mutex_t tls_lock;
    struct vg_tls_context *tls; /* under the lock; NULL = none */
    unsigned worker_count;      /* that were opened */
    struct vg_worker *workers[VG_SERVER_WORKERS_MAX];
};

/*
 * Bind and listen. Texts of `options` are borrowed for the call, protocols until destroy.
 *
 * Fails with: CONFIG when the address cannot be understood, is in use, is not ours, or is beyond
 * loopback without `insecure`; RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_server_create(
    const struct vg_server_options *options,
    struct vg_server **out_server,
    struct vg_error *error);

/* Start the workers' threads: connections are answered. */
VG_MUST_USE enum vg_reason vg_server_start(struct vg_server *server, struct vg_error *error);

/* Serve what connects by TLS from now on by `tls`, of which a reference is taken. Any thread. */
void vg_server_set_tls(struct vg_server *server, struct vg_tls_context *tls);

/* What TLS is set to now: a reference. Any thread. */
struct vg_tls_context *vg_server_tls(struct vg_server *server);

/* Begin the graceful end. Any thread; a second call does nothing. */
void vg_server_drain(struct vg_server *server);

/* Wait until every worker has ended; only after drain. */
void vg_server_join(struct vg_server *server);

/* Accepts NULL and a server that was never started. */
void vg_server_destroy(struct vg_server *server);

#endif
