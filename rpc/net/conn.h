/*
 * One accepted connection: reads, writes, timeouts, and the protocol that speaks over it.
 *
 * The protocol is chosen by the first bytes: the HTTP/2 preface, or else HTTP/1.1. It is handed in
 * as a table of functions, so that this folder knows neither. Output is pulled: a protocol that has
 * something to send calls vg_conn_wake, and is asked for bytes (fill) when the socket can take
 * them. So nothing piles up for a peer that does not read: while a write is stuck and a full share
 * of output waits behind it, the connection stops reading as well, and is given up after the write
 * timeout.
 *
 * A connection of the TLS port has a byte layer between socket and protocol, in both directions
 * (conn_tls.h); there the protocol is chosen by ALPN.
 *
 * Threads: the worker's. A connection is freed some time after vg_conn_close, when the loop has let
 * go of its socket.
 */
#ifndef VG_RPC_NET_CONN_H
#define VG_RPC_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/network.h"
#include "core/base/peer_identity.h"
#include "rpc/net/conn_life.h"
#include "rpc/net/timer.h"
#include "rpc/net/turn_line.h"

struct vg_conn;
struct vg_peer_turn;
struct vg_tls;
struct vg_worker;

#define VG_CONN_MAGIC 0x76636f6eu
/* One round of output: fill is asked for about that much at a time. */
#define VG_CONN_FILL_BYTES (128u * 1024u)
/* Hard limit of output gathered for one connection. */
#define VG_CONN_OUT_BYTES_MAX (512u * 1024u)
/* Bytes that are read from it at a time, at first. */
#define VG_CONN_SHARE_FIRST (8u * 1024u)
/* Long enough for the preface of HTTP/2, RFC 9113 section 3.4. */
#define VG_CONN_SNIFF_BYTES 24u

/*
 * What speaks over a connection. Made at wiring time and constant; an implementation embeds it in a
 * struct of its own and finds that again from conn->protocol. No function is called from within
 * another of the same connection, and none after `closed`.
 */
struct vg_conn_protocol {
    const char *name; /* "h2", "http/1.1" */
    /* Make the protocol's state for `conn` and keep it in conn->protocol_state. False = no memory:
     * the connection is closed, `closed` is not called. */
    bool (*open)(struct vg_conn *conn);
    /* Bytes have arrived; all of them are taken. */
    void (*read)(struct vg_conn *conn, struct vg_bytes part);
    /* The peer will send no more (it may still read). Finish what is owed and then want to close,
     * or call vg_conn_close. */
    void (*ended)(struct vg_conn *conn);
    /* Append about `room` bytes of output to `out`, or less when there is no more now. */
    void (*fill)(struct vg_conn *conn, struct vg_buffer *out, size_t room);
    /* Nothing more will be read or written: close once everything is flushed. */
    bool (*wants_close)(const struct vg_conn *conn);
    /* Take no new requests, finish those there are, then want to close; conn->end says why. Called
     * again when a stronger reason comes. */
    void (*drain)(struct vg_conn *conn);
    /* Called every now and then (four times within the shortest timeout): end what has stood still
     * for too long. The limits are in vg_conn_limits. */
    void (*tick)(struct vg_conn *conn, uint64_t now_ns);
    /* The connection is over. End all exchanges and free the state. */
    void (*closed)(struct vg_conn *conn);
};

/* All zero = no limit, no delay. */
struct vg_conn_limits {
    uint64_t handshake_timeout_ns; /* of TLS, from connect */
    uint64_t header_timeout_ns; /* from connect, or the first byte of a head, to a complete head */
    uint64_t body_timeout_ns;   /* without a byte of a request body, or of window for an answer */
    uint64_t idle_timeout_ns;   /* without any request */
    uint64_t write_timeout_ns;  /* without the socket taking a byte */
    uint64_t age_ns;            /* in all, a tenth more or less; then it is drained */
    uint64_t age_grace_ns;      /* for the requests that are under way then */
    uint64_t keepalive_ns;      /* of silence, until the peer is asked whether it is there */
    uint64_t keepalive_timeout_ns; /* for its answer */
    uint64_t flush_delay_ns;       /* only with more than one stream open */
    size_t connections_max;
    size_t connections_per_address_max;
    size_t misbehaving_per_address_max; /* in a minute; 0 = no limit */
    unsigned stranger_share; /* of a loop's time for the connections of an address that have shown
                                no key, in percent; 100 = no limit too */
};

struct vg_conn {
    uint32_t magic;
    /* Set and used by the protocol. */
    unsigned streams_open; /* requests without a complete answer */
    void *protocol_state;
    bool yields; /* set in `fill`: there is more, but it is the others' turn */

    /* To be read by the protocol. */
    const struct vg_conn_protocol *protocol; /* NULL until chosen */
    const struct vg_conn_limits *limits;
    struct vg_worker *worker;
    struct vg_network peer;
    uint16_t peer_port;
    const struct vg_peer_identity *identity; /* by a client certificate; NULL = none */
    uint64_t opened_ns;
    uint64_t active_ns;   /* when bytes last arrived or an answer ended */
    enum vg_conn_end end; /* why it takes no new requests */

    /* Private to rpc/net. */
    uv_tcp_t socket;
    uv_write_t write;
    struct vg_conn *next; /* all connections of the worker */
    struct vg_conn *back;
    struct vg_peer_turn *turns;     /* of its address; NULL = not accepted yet */
    struct vg_turn_link read_link;  /* in line to be read from, and not watched by the loop then */
    struct vg_turn_link flush_link; /* in line for a flush: the worker's, or that of its address */
    uint64_t woken_ns;              /* when it was put in line for a flush */
    uint64_t crowded_ns;            /* when a flush last found several streams open; 0 = never */
    bool is_proven;                 /* a call on it has shown a valid key */
    bool reading;                   /* watched by the loop */
    bool paused;                    /* by the protocol */
    bool read_ended;
    bool writing; /* `written` is with the loop */
    bool close_wanted;
    bool closing;
    bool parting;   /* nothing is said any more but what is queued */
    bool tls_first; /* not a byte of TLS has come */
    bool lingering; /* all is said; what the peer still sends is dropped until it closes */
    size_t lingered_bytes;
    size_t share;      /* bytes read in one turn of the loop */
    size_t write_left; /* of a stuck write, when last looked at */
    uint8_t sniffed[VG_CONN_SNIFF_BYTES];
    uint8_t sniffed_size;
    struct vg_buffer written; /* handed to the loop, not yet taken by the socket */
    struct vg_buffer queued;  /* filled while a write is stuck, and by TLS */
    struct vg_tls *tls;       /* NULL = plain text */
    uint64_t write_ns;        /* when the socket last took something */
    uv_shutdown_t shutdown;
    struct vg_timer watch;
    uint64_t age_due_ns; /* when it is too old, or its grace is over */
};

/* The connection ends because its peer has used up what may be forgiven: counted by address (see
 * peer_blame.h). */
void vg_conn_blame(struct vg_conn *conn);

/* The peer has shown a valid key, so that its connection is no stranger's any more (see
 * peer_turn.h). */
void vg_conn_prove(struct vg_conn *conn);

/* There is something to fill. Safe to call at any time, also from within protocol functions. */
void vg_conn_wake(struct vg_conn *conn);

/* Close as soon as no protocol function is running, without flushing. `closed` comes then. */
void vg_conn_close(struct vg_conn *conn);

/* Read nothing from the peer for now, because what it has sent is not used yet, or go on. */
void vg_conn_pause(struct vg_conn *conn, bool paused);

/* For rpc/net: begin with a socket that has been accepted, whose peer is known and counted; read
 * what is there, because its turn has come; may the flush be put off until there is more to write;
 * flush, or close; begin to drain. */
void vg_conn_begin(struct vg_conn *conn);
void vg_conn_read_now(struct vg_conn *conn);
bool vg_conn_may_wait(struct vg_conn *conn, uint64_t now_ns);
void vg_conn_flush(struct vg_conn *conn);
void vg_conn_drain(struct vg_conn *conn, enum vg_conn_end end);

/* For the byte layer: the protocol is chosen (NULL = there is none for it); the peer will send no
 * more; end the protocol, if any, send what is queued, and close. */
void vg_conn_speak(struct vg_conn *conn, const struct vg_conn_protocol *protocol);
void vg_conn_end_read(struct vg_conn *conn);
void vg_conn_part(struct vg_conn *conn);

#endif
