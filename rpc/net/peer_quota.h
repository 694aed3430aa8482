/*
 * How many connections there are in total and from each address. IPv6 peers are counted by their
 * /64, which is what one of them is usually given.
 *
 * Threads: any; one lock, taken when a connection opens or closes.
 */
#ifndef VG_RPC_NET_PEER_QUOTA_H
#define VG_RPC_NET_PEER_QUOTA_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/network.h"

struct vg_peer_count;

struct vg_peer_quota {
    pthread_mutex_t lock;
    size_t total;
    size_t total_max;    /* 0 = no limit */
    size_t per_peer_max; /* 0 = no limit, and nothing is kept */
    struct vg_peer_count *slots;
    size_t slot_count; /* a power of two */
    size_t used;
};

#define VG_PEER_KEY_BYTES 17u

/* What an address is counted under: its family and itself, of IPv6 the /64. */
void vg_peer_quota_key(const struct vg_network *address, uint8_t out_key[VG_PEER_KEY_BYTES]);

void vg_peer_quota_init(struct vg_peer_quota *quota, size_t total_max, size_t per_peer_max);
void vg_peer_quota_dispose(struct vg_peer_quota *quota);

/* One more connection from `address`; false = over a limit (or out of memory), nothing is counted.
 */
VG_MUST_USE bool vg_peer_quota_take(struct vg_peer_quota *quota, const struct vg_network *address);

/* A connection that was taken has ended. */
void vg_peer_quota_give(struct vg_peer_quota *quota, const struct vg_network *address);

#endif
