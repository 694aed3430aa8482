/* See name_hash.h. */
#include "tools/protoc-gen-vigil/name_hash.h"

#include <stdbool.h>
#include <string.h>

#include "proto/contract.h"
#include "tools/protoc-gen-vigil/text_pool.h"

/* Tries before the table doubles: enough for a hundred names at four slots a name, within a blink.
 */
#define SEEDS_MAX 200000u

static bool fill(
    struct vg_name_hash *hash,
    const char *const *names,
    const size_t *sizes,
    size_t count)
{
    memset(hash->slots, 0, (size_t)1 << hash->slot_bits);
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = vg_contract_hash(hash->seed, names[i], sizes[i]) >> (32 - hash->slot_bits);
        if (hash->slots[slot] != 0) {
            return false;
        }
        hash->slots[slot] = (uint8_t)(i + 1);
    }
    return true;
}

struct vg_name_hash vg_name_hash_find(const char *const *names, size_t count)
{
    size_t *sizes = vg_text_pool_take((count + 1) * sizeof *sizes);
    for (size_t i = 0; i < count; i++) {
        sizes[i] = strlen(names[i]);
    }
    struct vg_name_hash hash = { .slot_bits = 1 };
    while (((size_t)1 << hash.slot_bits) < 2 * count) {
        hash.slot_bits++;
    }
    for (;; hash.slot_bits++) {
        hash.slots = vg_text_pool_take((size_t)1 << hash.slot_bits);
        for (hash.seed = 0; hash.seed < SEEDS_MAX; hash.seed++) {
            if (fill(&hash, names, sizes, count)) {
                return hash;
            }
        }
    }
}
