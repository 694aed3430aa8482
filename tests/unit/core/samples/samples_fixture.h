/*
 * Samples and submissions on a memory store, for tests: directory, table of all kinds, writer.
 *
 * Customers demo (1), other (2) and sub (3, below demo); users agent (10) and analyst (11) of demo,
 * stranger (12) of other; group friends (20) of other with nobody in it yet. The sample of the
 * fixture is uploaded: 4096 bytes.
 *
 * Threads: one test's; submitting from several.
 */
#ifndef VG_TESTS_UNIT_CORE_SAMPLES_SAMPLES_FIXTURE_H
#define VG_TESTS_UNIT_CORE_SAMPLES_SAMPLES_FIXTURE_H

#include "core/access/principal.h"
#include "core/ingest/ingest.h"
#include "core/record/sample_record.h"
#include "core/samples/challenge_ingest.h"
#include "core/samples/submission.h"
#include "core/samples/submission_ingest.h"
#include "core/samples/submission_reader.h"
#include "core/table/table.h"
#include "tests/support/directory_fixture.h"

#define SAMPLES_FIXTURE_NOW      INT64_C(1755000000000)
#define SAMPLES_FIXTURE_LIFETIME 900000u

struct samples_fixture {
    struct vg_directory_fixture base;
    const struct vg_directory_snapshot *snapshot;
    struct vg_clock_manual clock;
    struct vg_arena arena;
    char folder[64];
    struct vg_table *table;
    struct vg_ingest_columns columns;
    struct vg_ingest *ingest;
    struct vg_submission_store source;
    struct vg_principal agent;    /* everything on demo and sub */
    struct vg_principal analyst;  /* looks at demo and sub */
    struct vg_principal stranger; /* looks at other */
    uint8_t sample[VG_SHA256_SIZE];
};

void samples_fixture_open(struct samples_fixture *fixture);
void samples_fixture_close(struct samples_fixture *fixture);

/* Record a sample. */
void samples_fixture_upload(struct samples_fixture *fixture, const uint8_t sha256[VG_SHA256_SIZE]);

/* Open a challenge of `user_id` about the fixture's sample, whose proof is 32 times `proof`; the
 * reason of its item. */
enum vg_reason samples_fixture_issue(
    struct samples_fixture *fixture,
    int64_t user_id,
    uint8_t proof,
    struct vg_uuid *out_id);

/* A submission that names nothing but what it must; its texts are constants. */
struct vg_submission_input samples_fixture_input(const struct samples_fixture *fixture);

/* Make `adding` of `input` for `principal`, with the token; must be well-formed. */
void samples_fixture_prepare(
    struct samples_fixture *fixture,
    const struct vg_submission_input *input,
    const struct vg_principal *principal,
    const struct vg_uuid *challenge,
    uint8_t proof,
    struct vg_arena *arena,
    struct vg_submission_adding *adding);

/* Hand it to the writer and wait; the reason of its item. Any thread. */
enum vg_reason samples_fixture_add(
    struct samples_fixture *fixture,
    struct vg_submission_adding *adding);

/* Add `input` for the agent with a challenge of its own about the fixture's sample. */
enum vg_submission_answer samples_fixture_add_new(
    struct samples_fixture *fixture,
    const struct vg_submission_input *input,
    struct vg_submission_adding *adding);

/* Numbers of vigil.sampledb.v2.StatusOverride. */
enum { SAMPLES_FIXTURE_MALICIOUS = 1, SAMPLES_FIXTURE_BENIGN = 2 };

/* Judge the fixture's sample; the reason of the item. */
enum vg_reason samples_fixture_judge(
    struct samples_fixture *fixture,
    int32_t status,
    const char *comment);

/* Delete the fixture's sample; the reason of the item. */
enum vg_reason samples_fixture_delete(struct samples_fixture *fixture);

/* The record of the fixture's sample, which must be there; in the fixture's arena. */
struct vg_sample_record samples_fixture_record(struct samples_fixture *fixture);

void samples_fixture_later(struct samples_fixture *fixture, int64_t milliseconds);

/* How many rows `principal` sees, of all samples. */
uint64_t samples_fixture_visible(
    struct samples_fixture *fixture,
    const struct vg_principal *principal);

/* How many keys of `family` there are. */
size_t samples_fixture_count(struct samples_fixture *fixture, enum vg_key_family family);

#endif
