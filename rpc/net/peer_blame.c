#include "rpc/net/peer_blame.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/base/random.h"

void vg_peer_blame_init(struct vg_peer_blame *blame, size_t most)
{
    *blame = (struct vg_peer_blame){ .most = most };
    vg_random_bytes(vg_random_real(), blame->secret, sizeof(blame->secret));
    VG_ASSERT(pthread_mutex_init(&blame->lock, NULL) == 0);
}

void vg_peer_blame_dispose(struct vg_peer_blame *blame)
{
    (void)pthread_mutex_destroy(&blame->lock);
}

static struct vg_peer_blamed *blame_row(
    struct vg_peer_blame *blame,
    const uint8_t key[VG_PEER_KEY_BYTES])
{
    const uint64_t hash = vg_siphash(blame->secret, vg_bytes(key, VG_PEER_KEY_BYTES));
    return blame->rows[hash % VG_PEER_BLAME_ROWS];
}

static bool blame_is_over(const struct vg_peer_blamed *blamed, uint64_t now_ns)
{
    return blamed->count == 0 || now_ns - blamed->begun_ns >= VG_PEER_BLAME_NS;
}

/* The place of `key`, whose minute is not over; NULL if it has none. */
static struct vg_peer_blamed *blame_find(
    struct vg_peer_blamed *row,
    const uint8_t key[VG_PEER_KEY_BYTES],
    uint64_t now_ns)
{
    for (size_t i = 0; i < VG_PEER_BLAME_COLUMNS; i++) {
        if (!blame_is_over(&row[i], now_ns) && memcmp(row[i].key, key, VG_PEER_KEY_BYTES) == 0) {
            return &row[i];
        }
    }
    return NULL;
}

/* A place that is free, or that of who has done least; NULL if all are barred. */
static struct vg_peer_blamed *blame_place(
    const struct vg_peer_blame *blame,
    struct vg_peer_blamed *row,
    uint64_t now_ns)
{
    struct vg_peer_blamed *least = NULL;
    for (size_t i = 0; i < VG_PEER_BLAME_COLUMNS; i++) {
        if (blame_is_over(&row[i], now_ns)) {
            return &row[i];
        }
        if (row[i].count <= blame->most && (least == NULL || row[i].count < least->count)) {
            least = &row[i];
        }
    }
    return least;
}

void vg_peer_blame_add(
    struct vg_peer_blame *blame,
    const struct vg_network *address,
    uint64_t now_ns)
{
    uint8_t key[VG_PEER_KEY_BYTES];
    if (blame->most == 0) {
        return;
    }
    vg_peer_quota_key(address, key);
    (void)pthread_mutex_lock(&blame->lock);
    struct vg_peer_blamed *row = blame_row(blame, key);
    struct vg_peer_blamed *blamed = blame_find(row, key, now_ns);
    if (blamed == NULL) {
        blamed = blame_place(blame, row, now_ns);
        if (blamed != NULL) {
            *blamed = (struct vg_peer_blamed){ .begun_ns = now_ns };
            memcpy(blamed->key, key, VG_PEER_KEY_BYTES);
        }
    }
    if (blamed != NULL) {
        blamed->count++;
    }
    (void)pthread_mutex_unlock(&blame->lock);
}

bool vg_peer_blame_is_barred(
    struct vg_peer_blame *blame,
    const struct vg_network *address,
    uint64_t now_ns)
{
    uint8_t key[VG_PEER_KEY_BYTES];
    if (blame->most == 0) {
        return false;
    }
    vg_peer_quota_key(address, key);
    (void)pthread_mutex_lock(&blame->lock);
    const struct vg_peer_blamed *blamed = blame_find(blame_row(blame, key), key, now_ns);
    const bool is_barred = blamed != NULL && blamed->count > blame->most;
    (void)pthread_mutex_unlock(&blame->lock);
    return is_barred;
}
