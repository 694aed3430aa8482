/*
 * Randomness is passed in, like the clock: from the kernel in the server, from a seed in tests.
 *
 * Threads: both sources may be used by any thread; a seeded one gives a repeatable sequence only to
 * a single thread. The real source never fails: a machine without randomness stops the process.
 */
#ifndef VG_CORE_BASE_RANDOM_H
#define VG_CORE_BASE_RANDOM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct vg_random {
    void (*fill)(struct vg_random *random, uint8_t *data, size_t size);
};

/* The kernel's randomness, fit for keys. */
struct vg_random *vg_random_real(void);

struct vg_random_seeded {
    struct vg_random random;
    pthread_mutex_t lock;
    uint64_t state[4];
};

/* xoshiro256** from `seed`: repeatable, and not fit for secrets. */
void vg_random_seeded_init(struct vg_random_seeded *seeded, uint64_t seed);
void vg_random_seeded_dispose(struct vg_random_seeded *seeded);

static inline void vg_random_bytes(struct vg_random *random, void *out_data, size_t size)
{
    random->fill(random, (uint8_t *)out_data, size);
}

static inline uint64_t vg_random_u64(struct vg_random *random)
{
    uint64_t value;
    vg_random_bytes(random, &value, sizeof(value));
    return value;
}

/* A number below `bound` (at least 1), each equally likely. */
uint64_t vg_random_below(struct vg_random *random, uint64_t bound);

#endif
