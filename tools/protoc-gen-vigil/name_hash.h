/*
 * Name hash: the perfect hash of a table's names or an enum's words.
 *
 * The seed is searched until no two names share a slot; when none is found within a fixed number of
 * tries, the table doubles. The hash itself is vg_contract_hash of proto/contract.h, which readers
 * of the tables use.
 *
 * Threads: one thread; slots are in the text pool.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_NAME_HASH_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_NAME_HASH_H

#include <stddef.h>
#include <stdint.h>

struct vg_name_hash {
    uint32_t seed;
    unsigned slot_bits;
    uint8_t *slots; /* position of the name + 1; 0 = no name */
};

/* Names must differ from one another and be 254 at most. */
struct vg_name_hash vg_name_hash_find(const char *const *names, size_t count);

#endif
