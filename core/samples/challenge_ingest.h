/*
 * Challenges as a domain of ingest: how the writer opens one.
 *
 * A challenge lies beside the list of those its user has open about the sample; the list is the
 * record that is merged, so that there are never more than VG_CHALLENGE_OPEN_MAX.
 *
 * Threads: the domain is constant once made; merges run on the writer.
 */
#ifndef VG_CORE_SAMPLES_CHALLENGE_INGEST_H
#define VG_CORE_SAMPLES_CHALLENGE_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ingest/ingest.h"
#include "core/keyspace/keyspace.h"
#include "core/samples/challenge.h"

/* A challenge to be opened. Its item is refused with SAMPLE_NOT_FOUND if, when its turn comes, the
 * sample is not there. */
struct vg_challenge_issue {
    struct vg_ingest_item item;

    /* Set by the caller. */
    uint8_t sample[VG_SHA256_SIZE];
    int64_t user_id;
    struct vg_uuid id; /* new */
    struct vg_challenge_range range;
    uint8_t proof[VG_SHA256_SIZE]; /* SHA-256 of the range */
    uint32_t lifetime_ms;
    bool solved; /* the proof goes out with it */

    struct vg_key key; /* private */
};

/* Make `issue` an item of `group`, behind the sample's own if that is stored with it. */
void vg_challenge_ingest_issue(
    struct vg_ingest_submission *group,
    struct vg_challenge_issue *issue);

/*
 * For merges: is there such a sample, with its file, as the batch has it? *out_malicious tells of
 * its newest verdict.
 *
 * Fails with: SAMPLE_NOT_FOUND; what vg_ingest_read and reading the record fail with.
 */
VG_MUST_USE enum vg_reason vg_challenge_ingest_find_sample(
    struct vg_ingest_change *change,
    const uint8_t sample[VG_SHA256_SIZE],
    bool *out_malicious);

/*
 * For merges: take `id` out of the list of what `user_id` has open about `sample`.
 *
 * Fails with: what vg_ingest_read fails with, STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_challenge_ingest_close(
    struct vg_ingest_change *change,
    const uint8_t sample[VG_SHA256_SIZE],
    int64_t user_id,
    const struct vg_uuid *id);

#endif
