/*
 * One version of the API under test: how its requests are made, evaluated, sent and ordered. The
 * run over it (truth_run.c) is the same for both.
 *
 * Threads: one.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_RUN_H
#define VG_TESTS_TRUTH_TRUTH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"
#include "proto/contract.h"
#include "tests/truth/truth_event.h"
#include "tests/truth/truth_match.h"
#include "tests/truth/truth_world.h"

/* What a request asks of the answer. */
struct truth_page {
    int64_t limit;
    int64_t offset;
};

struct truth_version {
    const char *name;
    const struct vg_table *table;
    ProtobufCMessage *(*make)(
        struct truth_random *random,
        const struct truth_events *events,
        struct vg_arena *arena);
    /* May be NULL: told before a request, which may have changed, is evaluated. */
    void (*prepare)(const ProtobufCMessage *request);
    bool (*is_refused)(const ProtobufCMessage *request);
    /* May the search find this event at all: class, and what the caller sees? */
    bool (*is_seen)(const struct truth_event *event, const struct truth_caller *caller);
    bool (*matches)(
        const ProtobufCMessage *request,
        const struct truth_event *event,
        const struct truth_caller *caller,
        int64_t now);
    int (*compare)(
        const ProtobufCMessage *request,
        const struct truth_event *a,
        const struct truth_event *b);
    struct truth_page (*page)(const ProtobufCMessage *request);
    void (*search)(
        struct truth_world *world,
        const ProtobufCMessage *request,
        size_t caller,
        int64_t now,
        struct truth_answer *answer);
};

/* The seed of this run: VIGIL_TEST_SEED, or another one each day. */
uint64_t truth_run_seed(void);

/* Random stores, changes and requests; true when every answer was the expected one and enough of
 * them were interesting. Prints seed and figures, and of a failure the least request and events. */
bool truth_run(const struct truth_version *version, uint64_t seed);

#endif
