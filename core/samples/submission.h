/*
 * A submission on its way from the request to the writer: what the request says is checked, what
 * it refers to is resolved, and what is left is for the writer (submission_ingest.h).
 *
 *     read      members are well-formed        all violations are told
 *     resolve   customer, access, acl          the first is told
 *
 * Threads: a submission belongs to one thread at a time; everything lives in the call's arena.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_H
#define VG_CORE_SAMPLES_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/directory/directory.h"
#include "core/record/submission_record.h"

#define VG_SUBMISSION_MIME_TYPE_DEFAULT "application/octet-stream"

/* The guide's `timestamp` below this is in seconds. */
#define VG_SUBMISSION_SECONDS_END INT64_C(100000000000)

/* What the request says; borrowed from it. Texts NULL = absent. */
struct vg_submission_input {
    uint8_t sample[VG_SHA256_SIZE];
    const char *file_name;
    const char *customer;
    bool has_observed;
    vg_time observed;
    const char *timestamp; /* the guide's older member: as it was sent */
    const char *mime_type;
    const struct vg_submission_meta *meta; /* in any order; of equal keys the last counts */
    size_t meta_count;
    enum vg_tlp tlp; /* 0 = absent */
    char *const *acl;
    size_t acl_count;
    const char *agent_name;
    const char *agent_version;
    bool has_retention;
    vg_time retention;
};

/* Everything it depends on besides. */
struct vg_submission_context {
    const struct vg_directory_snapshot *directory;
    const struct vg_principal *principal;
    struct vg_arena *arena;
    vg_time now;
    const char *trusted_agents; /* names separated by | */
};

/*
 * Check the form of `input` and take it over into `record`: all but id, customer, acl and what the
 * commit decides. `record->observed` is `now` when none is given, which *out_has_observed says.
 * Violations are added to the list; false when there was one, or no memory (the violation is
 * REQUEST_MEMORY then). Texts are borrowed from the input.
 */
VG_MUST_USE bool vg_submission_read(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    bool *out_has_observed,
    struct vg_violations *violations);

/*
 * Find the customer and the subjects of the acl.
 *
 * Fails with: INVALID_REFERENCE, ACCESS_DENIED, REQUEST_MEMORY; error names the member.
 */
VG_MUST_USE enum vg_reason vg_submission_resolve(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    struct vg_error *error);

/* Digest of what a resolved submission says: the same for requests that mean the same. An observed
 * time that was not given counts as equal to any other such. False when the arena is full. */
VG_MUST_USE bool vg_submission_meant(
    const struct vg_submission_record *record,
    bool has_observed,
    struct vg_arena *arena,
    uint8_t out_digest[VG_SHA256_SIZE]);

/* Digest of what makes submissions of a sample similar: customer, file name, mime type, tlp,
 * metadata and the name of the user agent. False when the arena is full. */
VG_MUST_USE bool vg_submission_similar(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    uint8_t out_digest[VG_SHA256_SIZE]);

/* Is one that was added at `submitted` so near to `now` that another like it is not stored?
 * Nearness counts on both sides: a clock that was set back must not make the window longer. */
bool vg_submission_is_recent(vg_time submitted, vg_time now, uint32_t window_ms);

#endif
