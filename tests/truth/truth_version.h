/*
 * One version of the API under test, how its requests are made, evaluated, sent and ordered, and
 * one question of it with the answer that is expected.
 *
 * Threads: values; the version of raw events belongs to one thread.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_VERSION_H
#define VG_TESTS_TRUTH_TRUTH_VERSION_H

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
    unsigned share; /* of the cases of a run: one in so many; 1 = a search, whose cases have to be
                       interesting */
    const struct vg_table *table;
    ProtobufCMessage *(*make)(
        struct truth_random *random,
        const struct truth_events *events,
        struct vg_arena *arena);
    /* May be NULL: told before a request, which may have changed, is evaluated. */
    void (*prepare)(const ProtobufCMessage *request);
    bool (*is_refused)(const ProtobufCMessage *request, const struct truth_caller *caller);
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

extern const struct truth_version truth_version_1;
extern const struct truth_version truth_version_1_nids;
extern const struct truth_version truth_version_1_case;
extern const struct truth_version truth_version_1_list;
extern const struct truth_version truth_version_1_nids_list;
extern const struct truth_version truth_version_2;
extern const struct truth_version truth_version_2_case;
extern const struct truth_version truth_version_2_list;

struct truth_question {
    const struct truth_version *version;
    ProtobufCMessage *request;
    size_t caller;
    int64_t now;
};

/* The events that match, in order. */
struct truth_expected {
    const struct truth_event **items; /* to be freed */
    size_t count;
};

/* Evaluate the question over `events`, which the result borrows from. */
void truth_expect(
    const struct truth_events *events,
    struct truth_question *question,
    struct truth_expected *expected);

#define TRUTH_TEXT_SIZE 400

/* NULL when the answer is the expected one, else what is wrong with it, in `text`. */
const char *truth_compare(
    const struct truth_question *question,
    const struct truth_expected *expected,
    const struct truth_answer *answer,
    char text[TRUTH_TEXT_SIZE]);

/* Print a request of `table` as documented JSON to standard error. */
void truth_print(const struct vg_table *table, const ProtobufCMessage *message);

#endif
