/*
 * Everything events need, on a memory store: a directory, the table, the writer, a clock set by
 * hand. For tests that submit events and read them back.
 *
 *   customers   1 demo, 2 other, 3 sub (of 1)
 *   users       10 agent (1), 11 analyst (1)
 *   locations   21 oslo (of 1), 22 everywhere (global), 23 elsewhere (of 2)
 *   cases       31 (of 1, read by 11), 32 (of 2), 33 (of 1)
 *   signatures  "KNOWN": alarm 41, category 42
 *
 * Threads: one test's.
 */
#ifndef VG_TESTS_SUPPORT_EVENT_FIXTURE_H
#define VG_TESTS_SUPPORT_EVENT_FIXTURE_H

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/events/event_ingest.h"
#include "core/events/event_search.h"
#include "core/events/event_submission.h"
#include "core/ingest/ingest.h"
#include "core/ingest/ingest_table.h"
#include "core/table/table.h"
#include "tests/support/directory_fixture.h"

/* Where the clock stands at first. */
#define VG_EVENT_FIXTURE_NOW INT64_C(1570715141521)

struct vg_event_fixture {
    struct vg_directory_fixture base;
    const struct vg_directory_snapshot *snapshot;
    struct vg_table *table;
    struct vg_ingest_columns columns;
    struct vg_ingest *ingest;
    struct vg_clock_manual clock;
    struct vg_random_seeded random;
    struct vg_event_rules rules;
    struct vg_principal agent;  /* of demo: all functions on 1 and 3; reads no cases by name */
    struct vg_principal viewer; /* eventLookup on 1 only */
    struct vg_principal admin;  /* all functions on all customers */
    struct vg_event_store source;
    struct vg_arena arena;
    char folder[64];
};

void vg_event_fixture_open(struct vg_event_fixture *fixture);
/* The same with limits of the table, such as chunks of few rows. */
void vg_event_fixture_open_limited(
    struct vg_event_fixture *fixture,
    const struct vg_table_limits *limits);
void vg_event_fixture_close(struct vg_event_fixture *fixture);

/* The context of a call of `principal`, arrived now. */
struct vg_event_submit_context vg_event_fixture_context(
    struct vg_event_fixture *fixture,
    const struct vg_principal *principal);

/* An input without any member. */
void vg_event_fixture_input(struct vg_event_input *input);

/* Read, resolve, prepare; the first reason that is not VG_OK. `submission` stays with the fixture's
 * arena. */
enum vg_reason vg_event_fixture_prepare(
    struct vg_event_fixture *fixture,
    const struct vg_principal *principal,
    const struct vg_event_input *input,
    struct vg_event_submission *submission);

/* Hand prepared submissions to the writer as one group and wait until it has answered. */
enum vg_reason vg_event_fixture_store(
    struct vg_event_fixture *fixture,
    struct vg_event_submission *submissions,
    size_t count,
    bool all_or_nothing);

/* Submit as the agent; it must be accepted. Returns its identity. */
struct vg_event_id vg_event_fixture_submit(
    struct vg_event_fixture *fixture,
    const struct vg_event_input *input);

/* The record as it is published; false when there is none. Its texts are in the fixture's arena. */
bool vg_event_fixture_read(
    struct vg_event_fixture *fixture,
    const struct vg_event_id *id,
    struct vg_event_record *out_record);

#endif
