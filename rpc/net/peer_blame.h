/*
 * Addresses whose connections had to be ended because they misbehaved. A budget of the connection
 * alone is no hindrance to who connects again: so the ends are counted by address (IPv6: by /64),
 * and when there were too many within a minute, all new connections from there are refused until
 * that minute is over.
 *
 * The table has a fixed size. Whoever finds its row full takes the place of one that has done
 * least; addresses that are barred keep theirs, so that nobody can wash himself clean with others.
 *
 * Threads: any; one lock, taken when a connection opens or misbehaves.
 */
#ifndef VG_RPC_NET_PEER_BLAME_H
#define VG_RPC_NET_PEER_BLAME_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/network.h"
#include "rpc/net/peer_quota.h"

#define VG_PEER_BLAME_NS      UINT64_C(60000000000)
#define VG_PEER_BLAME_ROWS    256u
#define VG_PEER_BLAME_COLUMNS 8u

struct vg_peer_blamed {
    uint8_t key[VG_PEER_KEY_BYTES];
    size_t count;      /* 0 = free */
    uint64_t begun_ns; /* its minute */
};

struct vg_peer_blame {
    pthread_mutex_t lock;
    size_t most;        /* forgiven in a minute; 0 = everything, and nothing is kept */
    uint8_t secret[16]; /* chooses the row, so that nobody can choose his neighbours */
    struct vg_peer_blamed rows[VG_PEER_BLAME_ROWS][VG_PEER_BLAME_COLUMNS];
};

void vg_peer_blame_init(struct vg_peer_blame *blame, size_t most);
void vg_peer_blame_dispose(struct vg_peer_blame *blame);

/* A connection from `address` has been ended for what it did. */
void vg_peer_blame_add(
    struct vg_peer_blame *blame,
    const struct vg_network *address,
    uint64_t now_ns);

/* Are new connections from `address` to be refused now? */
bool vg_peer_blame_is_barred(
    struct vg_peer_blame *blame,
    const struct vg_network *address,
    uint64_t now_ns);

#endif
