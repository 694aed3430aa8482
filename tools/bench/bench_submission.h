/*
 * The submissions that measurements use: file names of which most are unique, four entries of
 * metadata with few, some and many values, and samples of made-up bytes. Submission number i, and
 * sample number i, are the same in every program and every run.
 *
 * Threads: pure functions.
 */
#ifndef VG_TOOLS_BENCH_BENCH_SUBMISSION_H
#define VG_TOOLS_BENCH_BENCH_SUBMISSION_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

#include "vigil/sampledb/v2/submission.pb-c.h"

#define VG_BENCH_META           4u
#define VG_BENCH_CAMPAIGNS      60u
#define VG_BENCH_META_TEXT_SIZE 64u

extern const char *const vg_bench_meta_keys[VG_BENCH_META];

struct vg_bench_submission {
    char name[96];
    char mime[40];
    char agent[40];
    char version[16];
    char values[VG_BENCH_META][VG_BENCH_META_TEXT_SIZE];
};

/* One in fifty names is a common one; one in 20,000 holds "Evil". */
void vg_bench_submission_fill(uint64_t number, struct vg_bench_submission *out_submission);

/* `size` bytes of the sample `number`. */
void vg_bench_sample_fill(uint64_t number, uint8_t *out, size_t size);

/*
 * The request to add submission `number` about the sample `sha256` to `customer`; the token's texts
 * are the caller's. It lives in `arena`, and borrows the texts.
 */
Vigil__Sampledb__V2__AddSubmissionRequest *vg_bench_submission_request(
    uint64_t number,
    int64_t customer,
    char *sha256,
    Vigil__Sampledb__V2__ChallengeTokenRequest *token,
    struct vg_arena *arena);

#endif
