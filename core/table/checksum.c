#include "core/table/checksum.h"

#include <string.h>

/* The primes of XXH64. */
#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME_3 UINT64_C(0x165667B19E3779F9)
#define PRIME_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME_5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t read_64(const uint8_t *data)
{
    uint64_t value;
    memcpy(&value, data, sizeof(value));
    return value;
}

static uint64_t mix(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

static uint64_t merge(uint64_t sum, uint64_t lane)
{
    return (sum ^ mix(0, lane)) * PRIME_1 + PRIME_4;
}

static uint64_t add_tail(uint64_t sum, const uint8_t *data, size_t size)
{
    for (; size >= 8; data += 8, size -= 8) {
        sum = rotate(sum ^ mix(0, read_64(data)), 27) * PRIME_1 + PRIME_4;
    }
    for (; size > 0; data++, size--) {
        sum = rotate(sum ^ *data * PRIME_5, 11) * PRIME_1;
    }
    return sum;
}

uint64_t vg_checksum_add(uint64_t seed, struct vg_bytes bytes)
{
    const uint8_t *data = bytes.data;
    size_t size = bytes.size;
    uint64_t sum = seed + PRIME_5;
    if (size >= 32) {
        uint64_t lanes[4] = { seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1 };
        for (; size >= 32; data += 32, size -= 32) {
            for (unsigned i = 0; i < 4; i++) {
                lanes[i] = mix(lanes[i], read_64(data + 8 * (size_t)i));
            }
        }
        sum =
            rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
        for (unsigned i = 0; i < 4; i++) {
            sum = merge(sum, lanes[i]);
        }
    }
    sum = add_tail(sum + bytes.size, data, size);
    sum = (sum ^ sum >> 33) * PRIME_2;
    sum = (sum ^ sum >> 29) * PRIME_3;
    return sum ^ sum >> 32;
}
