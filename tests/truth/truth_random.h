/*
 * Random numbers of the truth tests: a whole run follows from its seed.
 *
 * Threads: one generator per thread.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_RANDOM_H
#define VG_TESTS_TRUTH_TRUTH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct truth_random {
    uint64_t state;
};

/* splitmix64. */
static inline uint64_t truth_random_next(struct truth_random *random)
{
    uint64_t value = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* A number below `bound`, which is at least 1. */
static inline unsigned truth_random_below(struct truth_random *random, unsigned bound)
{
    return (unsigned)(truth_random_next(random) % bound);
}

/* True once in `of`. */
static inline bool truth_random_once(struct truth_random *random, unsigned of)
{
    return truth_random_below(random, of) == 0;
}

#endif
