/*
 * Submissions as a domain of ingest: how the writer adds one and spends the challenge that proves
 * it, in one batch; and how one that has expired goes.
 *
 * Threads: the domains are constant once made; merges run on the writer.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_INGEST_H
#define VG_CORE_SAMPLES_SUBMISSION_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ingest/ingest.h"
#include "core/keyspace/keyspace.h"
#include "core/record/submission_record.h"
#include "core/samples/challenge.h"
#include "core/samples/submission_table.h"

/* What became of a submission whose item is answered VG_OK. */
enum vg_submission_answer {
    VG_SUBMISSION_STORED,   /* new */
    VG_SUBMISSION_REPEATED, /* the same request again: what was stored then */
    VG_SUBMISSION_SIMILAR,  /* not stored: one like it was added recently */
    VG_SUBMISSION_UNPROVEN, /* not stored: the token is not good */
};

/*
 * A submission to be added. Its item is refused with SAMPLE_NOT_FOUND if, when its turn comes, the
 * sample is not there; a token that is not good is an answer, because a wrong proof changes the
 * store.
 */
struct vg_submission_adding {
    struct vg_ingest_item item;

    /* Set by the caller. */
    struct vg_submission_record
        record; /* its id new; submitted, revision and held are the commit's */
    struct vg_uuid challenge;
    struct vg_challenge_attempt attempt;
    uint32_t similar_window_ms; /* 0 = every submission is stored */
    uint8_t similar[VG_SHA256_SIZE];
    struct vg_arena *arena; /* for the answer */

    /* Valid if the item is answered VG_OK. */
    enum vg_submission_answer answer;
    struct vg_submission_record stored; /* of STORED and REPEATED, in `arena` and `record` */

    /* Private. */
    struct vg_key key;
    struct vg_submission_id_row identity;
};

void vg_submission_ingest_add(
    struct vg_ingest_submission *group,
    struct vg_submission_adding *adding);

/* A stored submission whose time may be over, or whose sample has a new verdict. */
struct vg_submission_review {
    struct vg_ingest_item item;
    struct vg_key key;
    struct vg_submission_id_row identity;
};

/*
 * Make the review of the submission `id` an item of `group`: one that has expired is deleted,
 * unless its sample is malicious; then it is held, and no longer when it is not.
 */
void vg_submission_ingest_review(
    struct vg_ingest_submission *group,
    struct vg_submission_review *review,
    const struct vg_submission_id *id);

/*
 * For merges: from this batch on submissions of the sample expire otherwise than before, so that
 * they have to be reviewed (retention.h does).
 *
 * Fails with: what vg_ingest_read fails with, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_ingest_ask_review(
    struct vg_ingest_change *change,
    const uint8_t sample[VG_SHA256_SIZE]);

#endif
