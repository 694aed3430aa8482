/*
 * Misbehaviour budget of one HTTP/2 connection: breaking the rules costs, and so do frames that do
 * nothing but make work; finishing a stream well earns, and so does time. A peer that errs now and
 * then is served for ever; one that lives on errors (resets, mismatched lengths, window overflows,
 * floods of empty or pointless frames) runs out of credit and is sent away.
 *
 * Pure: counters and times in, a verdict out.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_RPC_HTTP2_HTTP2_BUDGET_H
#define VG_RPC_HTTP2_HTTP2_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define VG_HTTP2_CREDIT_MAX        400
#define VG_HTTP2_CREDIT_PER_SECOND 10
#define VG_HTTP2_STRIKES_MAX       2

/* What an event costs. */
enum vg_http2_fault {
    VG_HTTP2_FAULT_REFUSED = 1, /* a stream over the limit, a stream the peer reset; frames that
                                   may be sent, but not in floods: SETTINGS, PRIORITY, DATA without
                                   octets, answers to no PING */
    VG_HTTP2_FAULT_FRAME = 2,   /* an invalid frame or header, a stream we had to reset */
    VG_HTTP2_FAULT_HEAVY = 80,  /* a header block far beyond its limit */
};

struct vg_http2_budget {
    int32_t credit;
    uint8_t strikes;
    uint64_t earned_ns; /* up to when time has earned credit */
    uint64_t ping_ns;   /* last ping that counts; 0 = none since data was last sent */
    uint64_t second_ns; /* when the second began whose streams are counted */
    uint32_t streams;
};

void vg_http2_budget_init(struct vg_http2_budget *budget);

/* False = the credit is used up: send the peer away. */
bool vg_http2_budget_charge(
    struct vg_http2_budget *budget,
    enum vg_http2_fault fault,
    uint64_t now_ns);

/* A stream ended as it should. */
void vg_http2_budget_earn(struct vg_http2_budget *budget);

/*
 * A PING arrived. Those that come within `interval_ns` of the one before are strikes, until headers
 * or data are sent: a client that measures bandwidth pings while data flows (grpc proposal A8).
 * False = too many.
 */
bool vg_http2_budget_ping(struct vg_http2_budget *budget, uint64_t now_ns, uint64_t interval_ns);

/* The peer opens a stream; false = one too many for this second. A limit of 0 is none. */
bool vg_http2_budget_open(struct vg_http2_budget *budget, uint64_t now_ns, uint32_t per_second);

/* HEADERS or DATA were sent. */
static inline void vg_http2_budget_sent(struct vg_http2_budget *budget)
{
    budget->strikes = 0;
    budget->ping_ns = 0;
}

#endif
