/*
 * Random messages of any table, for tests that compare two ways of doing the same thing. The seed
 * decides everything.
 *
 * Threads: a value with one owner.
 */
#ifndef VG_TESTS_SUPPORT_RANDOM_MESSAGE_H
#define VG_TESTS_SUPPORT_RANDOM_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "proto/contract.h"

struct vg_random_message {
    uint64_t state;         /* the seed at first */
    struct vg_arena *arena; /* of the messages */
    unsigned depth_max;
    bool words_only; /* enum numbers that have a word, texts that are not empty keys: what JSON can
                        say */
};

/* The next number of the sequence (splitmix64). */
uint64_t vg_random_message_next(struct vg_random_message *random);

/* A message of `table`; about half its members are set. */
ProtobufCMessage *vg_random_message_make(
    struct vg_random_message *random,
    const struct vg_table *table);

#endif
