/*
 * Worker: one thread with one event loop, which owns a listening socket, the connections accepted
 * on it, and everything that hangs on them. Other threads reach it only through its mailbox.
 *
 * Output is not written where it arises: a connection that has some says so (vg_conn_wake), and
 * once the loop has handled its input, before it sleeps, the worker flushes those connections. One
 * that has several streams open, or had them a moment ago, waits up to the flush delay first,
 * because the peer's next requests are likely to arrive meanwhile and one write for all of them is
 * much cheaper than one for each.
 *
 * A call that outlives its connection (it runs on an executor when the client goes away) holds the
 * worker: the loop ends only after the last hold is released.
 *
 * Threads: everything here belongs to the worker's thread, except posting to `mailbox`.
 */
#ifndef VG_RPC_NET_WORKER_H
#define VG_RPC_NET_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/task.h"
#include "rpc/net/block_pool.h"
#include "rpc/net/peer_refusal.h"
#include "rpc/net/peer_turn.h"
#include "rpc/net/timer.h"
#include "rpc/net/turn_line.h"

struct vg_conn;
struct vg_server;

/* What a server listens on: plain text, and TLS. */
enum { VG_SERVER_PLAIN, VG_SERVER_TLS, VG_SERVER_ADDRESSES };

#define VG_WORKER_MAGIC      0x7677726bu
#define VG_WORKER_READ_BYTES (64u * 1024u)
/* With so many connections in line they are flushed before others are read: what answers are made
 * of is given back, and found in the cache again by the next. */
#define VG_WORKER_FLUSH_CONNS 16u

/* A listening socket of a worker: plain text, or TLS. */
struct vg_worker_listener {
    struct vg_worker *worker;
    int handle;
    uv_poll_t poll;
    struct vg_timer pause; /* set while nobody is accepted, for want of descriptors */
    bool is_open;
    bool is_tls;
};

struct vg_worker {
    uint32_t magic;
    unsigned index;
    struct vg_server *server;
    struct vg_mailbox mailbox;
    struct vg_block_pool blocks; /* memory of streams and calls */

    /* Private to rpc/net. */
    pthread_t thread; /* to be joined */
    pthread_t self;   /* the thread that runs the loop; written by itself */
    bool opened;
    bool started;
    bool draining;
    bool stopping; /* the handles of the worker itself are being closed */
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t prepare; /* flushes, before the loop sleeps */
    uv_idle_t spin;       /* active while a delayed flush is due within microseconds */
    uv_tcp_t first;       /* is closed at once */
    uv_timer_t alarm;     /* rings for the earliest of `timers` */
    uint64_t alarm_ns;    /* what it is set to; UINT64_MAX = not set */
    struct vg_worker_listener listeners[VG_SERVER_ADDRESSES];
    struct vg_timers timers;
    struct vg_timer drain_timer;
    struct vg_task drain_task;
    struct vg_conn *conns; /* all that are not yet freed */
    size_t conn_count;
    struct vg_turn_line flushes; /* connections waiting to be flushed, in order of waking */
    struct vg_peer_turns turns;  /* of the addresses of their peers */
    struct vg_peer_refusals refusals;
    size_t holds;
    struct vg_buffer scratch; /* where the bytes of one flush are gathered */
    struct vg_buffer sealed;  /* and, with TLS, as they go over the wire */
    uint64_t tls_log_second;  /* failed handshakes logged in that second */
    unsigned tls_log_lines;
    uint8_t read_bytes[VG_WORKER_READ_BYTES];
    uint8_t plain[VG_WORKER_READ_BYTES]; /* what TLS makes of them */
};

#define VG_ASSERT_ON_WORKER(worker)                                                                \
    VG_ASSERT((worker)->magic == VG_WORKER_MAGIC && pthread_equal((worker)->self, pthread_self()))

/* Monotonic nanoseconds, the clock of all timers; of the piece of work that is being done, its
 * begin. */
uint64_t vg_worker_now_ns(const struct vg_worker *worker);

/* Set or move a timer of this worker. `fire` is called on its thread. */
void vg_worker_set_timer(struct vg_worker *worker, struct vg_timer *timer, uint64_t due_ns);
void vg_worker_clear_timer(struct vg_worker *worker, struct vg_timer *timer);

/* Something outside every connection still needs this worker (see above). */
void vg_worker_hold(struct vg_worker *worker);
void vg_worker_release(struct vg_worker *worker);

/*
 * For rpc/net: make the loop and listen on `sockets` (taken over, also on failure; -1 = none),
 * start the thread, begin to drain (any thread; at most once each), wait for its end, give
 * everything back. Dispose accepts what was never opened or started.
 */
VG_MUST_USE enum vg_reason vg_worker_open(
    struct vg_worker *worker,
    struct vg_server *server,
    unsigned index,
    const int sockets[VG_SERVER_ADDRESSES],
    struct vg_error *error);
VG_MUST_USE enum vg_reason vg_worker_start(struct vg_worker *worker, struct vg_error *error);
void vg_worker_drain(struct vg_worker *worker);
void vg_worker_join(struct vg_worker *worker);
void vg_worker_dispose(struct vg_worker *worker);

/* For rpc/net: flush if the line is long, which is not to be called from a protocol's function; a
 * connection or hold is gone: end if it was the last. */
void vg_worker_flush_early(struct vg_worker *worker);
void vg_worker_end_if_done(struct vg_worker *worker);

#endif
