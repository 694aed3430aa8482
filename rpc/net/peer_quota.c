/*
 * An open-addressing table keyed by address, with linear probing; an entry whose count falls to
 * zero is taken out at once by moving back those behind it, so the table holds exactly the peers
 * connected now.
 */
#include "rpc/net/peer_quota.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define VG_PEER_QUOTA_SLOTS_FIRST 64u
#define VG_PEER_QUOTA_IPV6_BYTES  8u

struct vg_peer_count {
    uint8_t key[VG_PEER_KEY_BYTES]; /* family and address */
    size_t count;                   /* 0 = free slot */
};

void vg_peer_quota_init(struct vg_peer_quota *quota, size_t total_max, size_t per_peer_max)
{
    *quota = (struct vg_peer_quota){ .total_max = total_max, .per_peer_max = per_peer_max };
    VG_ASSERT(pthread_mutex_init(&quota->lock, NULL) == 0);
}

void vg_peer_quota_dispose(struct vg_peer_quota *quota)
{
    free(quota->slots);
    quota->slots = NULL;
    (void)pthread_mutex_destroy(&quota->lock);
}

void vg_peer_quota_key(const struct vg_network *address, uint8_t out_key[VG_PEER_KEY_BYTES])
{
    memset(out_key, 0, VG_PEER_KEY_BYTES);
    out_key[0] = address->family;
    size_t size = address->family == VG_NETWORK_IPV6 ? VG_PEER_QUOTA_IPV6_BYTES : 4;
    memcpy(out_key + 1, address->address, size);
}

static size_t quota_home(const struct vg_peer_quota *quota, const uint8_t key[VG_PEER_KEY_BYTES])
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < VG_PEER_KEY_BYTES; i++) {
        hash = (hash ^ key[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash >> 20) & (quota->slot_count - 1);
}

/* The slot of `key`, or the free one where it would go. */
static size_t quota_find(const struct vg_peer_quota *quota, const uint8_t key[VG_PEER_KEY_BYTES])
{
    size_t at = quota_home(quota, key);
    while (quota->slots[at].count > 0 &&
           memcmp(quota->slots[at].key, key, VG_PEER_KEY_BYTES) != 0) {
        at = (at + 1) & (quota->slot_count - 1);
    }
    return at;
}

/* Keep the table at most half full. */
static bool quota_grow(struct vg_peer_quota *quota)
{
    if (quota->slots != NULL && quota->used + 1 <= quota->slot_count / 2) {
        return true;
    }
    struct vg_peer_quota larger = *quota;
    larger.slot_count = quota->slots == NULL ? VG_PEER_QUOTA_SLOTS_FIRST : quota->slot_count * 2;
    larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
    if (larger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; quota->slots != NULL && i < quota->slot_count; i++) {
        if (quota->slots[i].count > 0) {
            larger.slots[quota_find(&larger, quota->slots[i].key)] = quota->slots[i];
        }
    }
    free(quota->slots);
    quota->slots = larger.slots;
    quota->slot_count = larger.slot_count;
    return true;
}

static bool quota_take_peer(struct vg_peer_quota *quota, const uint8_t key[VG_PEER_KEY_BYTES])
{
    if (quota->per_peer_max == 0) {
        return true;
    }
    if (!quota_grow(quota)) {
        return false;
    }
    struct vg_peer_count *slot = &quota->slots[quota_find(quota, key)];
    if (slot->count >= quota->per_peer_max) {
        return false;
    }
    if (slot->count == 0) {
        memcpy(slot->key, key, sizeof(slot->key));
        quota->used++;
    }
    slot->count++;
    return true;
}

bool vg_peer_quota_take(struct vg_peer_quota *quota, const struct vg_network *address)
{
    uint8_t key[VG_PEER_KEY_BYTES];
    vg_peer_quota_key(address, key);
    (void)pthread_mutex_lock(&quota->lock);
    bool taken =
        (quota->total_max == 0 || quota->total < quota->total_max) && quota_take_peer(quota, key);
    if (taken) {
        quota->total++;
    }
    (void)pthread_mutex_unlock(&quota->lock);
    return taken;
}

/* Free the slot at `hole`, and move back those whose way from home leads over it. */
static void quota_remove(struct vg_peer_quota *quota, size_t hole)
{
    size_t mask = quota->slot_count - 1;
    for (size_t at = (hole + 1) & mask; quota->slots[at].count > 0; at = (at + 1) & mask) {
        size_t home = quota_home(quota, quota->slots[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            quota->slots[hole] = quota->slots[at];
            hole = at;
        }
    }
    quota->slots[hole].count = 0;
    quota->used--;
}

void vg_peer_quota_give(struct vg_peer_quota *quota, const struct vg_network *address)
{
    uint8_t key[VG_PEER_KEY_BYTES];
    vg_peer_quota_key(address, key);
    (void)pthread_mutex_lock(&quota->lock);
    VG_ASSERT(quota->total > 0);
    quota->total--;
    if (quota->per_peer_max > 0) {
        size_t at = quota_find(quota, key);
        VG_ASSERT(quota->slots[at].count > 0);
        if (--quota->slots[at].count == 0) {
            quota_remove(quota, at);
        }
    }
    (void)pthread_mutex_unlock(&quota->lock);
}
