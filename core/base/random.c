#include "core/base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"

/* One system call serves sixteen UUIDs. Bytes are wiped as they are handed out. */
#define VG_RANDOM_POOL 256u

struct random_pool {
    uint8_t data[VG_RANDOM_POOL];
    size_t left; /* the last `left` bytes of data are unused */
};

static _Thread_local struct random_pool thread_pool;

static void read_kernel(uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t got = getrandom(data, size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        VG_ASSERT(got > 0);
        data += got;
        size -= (size_t)got;
    }
}

static void real_fill(struct vg_random *random, uint8_t *data, size_t size)
{
    (void)random;
    if (size > VG_RANDOM_POOL / 4) {
        read_kernel(data, size);
        return;
    }
    struct random_pool *pool = &thread_pool;
    if (pool->left < size) {
        read_kernel(pool->data, sizeof(pool->data));
        pool->left = sizeof(pool->data);
    }
    uint8_t *from = pool->data + sizeof(pool->data) - pool->left;
    memcpy(data, from, size);
    explicit_bzero(from, size);
    pool->left -= size;
}

struct vg_random *vg_random_real(void)
{
    static struct vg_random real = { .fill = real_fill };
    return &real;
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* xoshiro256** by Blackman and Vigna. */
static uint64_t next_word(uint64_t s[4])
{
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static void seeded_fill(struct vg_random *random, uint8_t *data, size_t size)
{
    struct vg_random_seeded *seeded = VG_CONTAINER_OF(random, struct vg_random_seeded, random);
    (void)pthread_mutex_lock(&seeded->lock);
    while (size > 0) {
        uint64_t word = next_word(seeded->state);
        size_t part = size < sizeof(word) ? size : sizeof(word);
        memcpy(data, &word, part);
        data += part;
        size -= part;
    }
    (void)pthread_mutex_unlock(&seeded->lock);
}

void vg_random_seeded_init(struct vg_random_seeded *seeded, uint64_t seed)
{
    seeded->random = (struct vg_random){ .fill = seeded_fill };
    VG_ASSERT(pthread_mutex_init(&seeded->lock, NULL) == 0);
    for (size_t i = 0; i < VG_ARRAY_COUNT(seeded->state); i++) {
        /* splitmix64, as the authors of xoshiro advise: no seed gives a state of zeros. */
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        seeded->state[i] = z ^ (z >> 31);
    }
}

void vg_random_seeded_dispose(struct vg_random_seeded *seeded)
{
    (void)pthread_mutex_destroy(&seeded->lock);
}

uint64_t vg_random_below(struct vg_random *random, uint64_t bound)
{
    VG_ASSERT(bound > 0);
    uint64_t excess = (UINT64_MAX % bound + 1) % bound; /* 2^64 mod bound */
    uint64_t value;
    do {
        value = vg_random_u64(random);
    } while (value > UINT64_MAX - excess);
    return value % bound;
}
