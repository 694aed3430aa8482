#include "core/samples/submission_ingest.h"

#include <string.h>

#include "core/samples/challenge_ingest.h"
#include "core/samples/submission.h"

/* ------------------------------------------------------------------------------------ challenge */

static enum vg_reason read_challenge(
    const struct vg_submission_adding *adding,
    struct vg_ingest_change *change,
    struct vg_challenge *out_challenge,
    bool *out_exists)
{
    struct vg_key key;
    struct vg_bytes bytes;
    vg_key_challenge(&key, adding->record.sample, adding->challenge.bytes);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &bytes, out_exists);
    if (reason != VG_OK || !*out_exists) {
        return reason;
    }
    return vg_challenge_record_unpack(bytes, change->arena, out_challenge);
}

/* The challenge is spent, with what it was spent for, or (NULL) burnt; it is open no more. */
static enum vg_reason close_challenge(
    const struct vg_submission_adding *adding,
    const struct vg_challenge *spent,
    struct vg_ingest_change *change)
{
    struct vg_key key;
    struct vg_bytes bytes;
    vg_key_challenge(&key, adding->record.sample, adding->challenge.bytes);
    if (spent == NULL) {
        vg_ingest_delete(change, vg_key_bytes(&key));
    } else {
        enum vg_reason reason = vg_challenge_record_pack(spent, change->arena, &bytes);
        if (reason != VG_OK) {
            return reason;
        }
        vg_ingest_put(change, vg_key_bytes(&key), bytes);
    }
    return vg_challenge_ingest_close(
        change,
        adding->record.sample,
        adding->attempt.user_id,
        &adding->challenge);
}

/* ------------------------------------------------------------------------------------- similar */

/* Was a submission like this one added within the window? If not, it is from now on. */
static enum vg_reason check_similar(
    const struct vg_submission_adding *adding,
    struct vg_ingest_change *change,
    bool *out_similar)
{
    *out_similar = false;
    if (adding->similar_window_ms == 0) {
        return VG_OK;
    }
    struct vg_key key;
    struct vg_bytes bytes;
    bool exists = false;
    vg_key_similar(&key, adding->record.sample, adding->similar);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &bytes, &exists);
    if (reason != VG_OK) {
        return reason;
    }
    vg_time before = 0;
    if (exists && bytes.size == sizeof(before)) {
        memcpy(&before, bytes.data, sizeof(before));
        if (vg_submission_is_recent(before, change->now, adding->similar_window_ms)) {
            *out_similar = true;
            return VG_OK;
        }
    }
    uint8_t *value = vg_arena_alloc(change->arena, sizeof(change->now));
    if (value == NULL) {
        return VG_REQUEST_MEMORY;
    }
    memcpy(value, &change->now, sizeof(change->now));
    vg_ingest_put(change, vg_key_bytes(&key), vg_bytes(value, sizeof(change->now)));
    return VG_OK;
}

/* --------------------------------------------------------------------------------------- adding */

/* Answer a spent challenge's request again. What has gone meanwhile cannot be told again. */
static enum vg_reason repeat(
    struct vg_submission_adding *adding,
    const struct vg_challenge *challenge,
    struct vg_ingest_change *change)
{
    struct vg_key key;
    struct vg_bytes bytes;
    bool exists = false;
    change->verdict = VG_INGEST_UNCHANGED;
    if (!challenge->stored) {
        adding->answer = VG_SUBMISSION_SIMILAR;
        return VG_OK;
    }
    vg_key_submission(&key, adding->record.sample, challenge->submission.bytes);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &bytes, &exists);
    if (reason != VG_OK || !exists) {
        adding->answer = VG_SUBMISSION_UNPROVEN;
        return reason;
    }
    adding->answer = VG_SUBMISSION_REPEATED;
    return vg_submission_record_unpack(
        adding->record.sample,
        &challenge->submission,
        bytes,
        adding->arena,
        &adding->stored,
        NULL);
}

static enum vg_reason store(
    struct vg_submission_adding *adding,
    bool malicious,
    struct vg_ingest_change *change)
{
    struct vg_submission_record *record = &adding->stored;
    *record = adding->record;
    record->submitted = change->now;
    record->revision = change->revision;
    record->held = malicious && record->expiry != 0;
    struct vg_row *row = vg_arena_alloc(change->arena, sizeof(*row));
    if (row == NULL || !vg_submission_table_row(record, change->arena, row)) {
        return VG_REQUEST_MEMORY;
    }
    adding->answer = VG_SUBMISSION_STORED;
    change->new_row = row;
    change->verdict = VG_INGEST_PUT;
    return vg_submission_record_pack(record, change->arena, &change->new_record);
}

/* The proof is right: spend the challenge, and store the submission unless there is one like it. */
static enum vg_reason accept(
    struct vg_submission_adding *adding,
    struct vg_challenge *challenge,
    bool malicious,
    struct vg_ingest_change *change)
{
    bool similar = false;
    enum vg_reason reason = check_similar(adding, change, &similar);
    if (reason != VG_OK) {
        return reason;
    }
    vg_challenge_spend(challenge, &adding->attempt, similar ? NULL : &adding->record.id);
    reason = close_challenge(adding, challenge, change);
    if (reason == VG_OK && similar) {
        adding->answer = VG_SUBMISSION_SIMILAR;
        change->verdict = VG_INGEST_BESIDE;
    } else if (reason == VG_OK) {
        reason = store(adding, malicious, change);
    }
    return reason;
}

static enum vg_reason merge_adding(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    struct vg_submission_adding *adding = VG_CONTAINER_OF(item, struct vg_submission_adding, item);
    bool malicious = false;
    bool exists = false;
    struct vg_challenge challenge;
    adding->answer = VG_SUBMISSION_UNPROVEN;
    change->verdict = VG_INGEST_UNCHANGED;
    enum vg_reason reason =
        vg_challenge_ingest_find_sample(change, adding->record.sample, &malicious);
    if (reason == VG_OK) {
        reason = read_challenge(adding, change, &challenge, &exists);
    }
    if (reason != VG_OK || !exists) {
        return reason;
    }
    switch (vg_challenge_try(&challenge, &adding->attempt, change->now)) {
    case VG_CHALLENGE_ACCEPT:
        return accept(adding, &challenge, malicious, change);
    case VG_CHALLENGE_REPLAY:
        return repeat(adding, &challenge, change);
    case VG_CHALLENGE_BURN:
        change->verdict = VG_INGEST_BESIDE;
        return close_challenge(adding, NULL, change);
    case VG_CHALLENGE_REFUSE:
        break;
    }
    return VG_OK;
}

static void set_identity(
    const struct vg_submission_id *id,
    struct vg_key *key,
    struct vg_submission_id_row *identity)
{
    vg_key_submission(key, id->sample, id->uuid);
    vg_submission_table_id_row(id, identity);
}

void vg_submission_ingest_add(
    struct vg_ingest_submission *group,
    struct vg_submission_adding *adding)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SUBMISSION,
                                              .merge = merge_adding };
    struct vg_submission_id id;
    memcpy(id.sample, adding->record.sample, sizeof(id.sample));
    memcpy(id.uuid, adding->record.id.bytes, sizeof(id.uuid));
    set_identity(&id, &adding->key, &adding->identity);
    size_t bytes = sizeof(*adding) + adding->record.file_name.size;
    for (size_t i = 0; i < adding->record.meta_count; i++) {
        bytes += adding->record.meta[i].key.size + adding->record.meta[i].value.size;
    }
    adding->item = (struct vg_ingest_item){
        .domain = &domain,
        .key = vg_key_bytes(&adding->key),
        .identity = &adding->identity.row,
        .bytes = bytes,
    };
    vg_ingest_submission_add(group, &adding->item);
}

/* --------------------------------------------------------------------------------------- review */

/* A sample that is gone takes its submissions along; what is left of them may go. */
static enum vg_reason find_verdict(
    const struct vg_submission_review *review,
    struct vg_ingest_change *change,
    bool *out_malicious)
{
    *out_malicious = false;
    enum vg_reason reason =
        vg_challenge_ingest_find_sample(change, review->identity.id.sample, out_malicious);
    return reason == VG_SAMPLE_NOT_FOUND ? VG_OK : reason;
}

static enum vg_reason merge_review(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_submission_review *review =
        VG_CONTAINER_OF(item, struct vg_submission_review, item);
    change->verdict = VG_INGEST_UNCHANGED;
    if (!change->exists) {
        return VG_OK;
    }
    struct vg_uuid id;
    struct vg_submission_record record;
    bool malicious;
    memcpy(id.bytes, review->identity.id.uuid, sizeof(id.bytes));
    enum vg_reason reason = vg_submission_record_unpack(
        review->identity.id.sample,
        &id,
        change->record,
        change->arena,
        &record,
        NULL);
    if (reason != VG_OK || record.expiry == 0) {
        return reason;
    }
    reason = find_verdict(review, change, &malicious);
    if (reason != VG_OK) {
        return reason;
    }
    if (record.expiry <= change->now && !malicious) {
        change->verdict = VG_INGEST_DELETE;
        return VG_OK;
    }
    if (record.held == malicious) {
        return VG_OK;
    }
    /* The revision stays: it tells whether the sample has been deleted since the submission was
     * added, and uploaded again (sample_change.h). */
    record.held = malicious;
    struct vg_row *row = vg_arena_alloc(change->arena, sizeof(*row));
    if (row == NULL || !vg_submission_table_row(&record, change->arena, row)) {
        return VG_REQUEST_MEMORY;
    }
    change->new_row = row;
    change->verdict = VG_INGEST_PUT;
    return vg_submission_record_pack(&record, change->arena, &change->new_record);
}

void vg_submission_ingest_review(
    struct vg_ingest_submission *group,
    struct vg_submission_review *review,
    const struct vg_submission_id *id)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SUBMISSION,
                                              .merge = merge_review };
    set_identity(id, &review->key, &review->identity);
    review->item = (struct vg_ingest_item){
        .domain = &domain,
        .key = vg_key_bytes(&review->key),
        .identity = &review->identity.row,
        .bytes = sizeof(*review),
    };
    vg_ingest_submission_add(group, &review->item);
}

enum vg_reason vg_submission_ingest_ask_review(
    struct vg_ingest_change *change,
    const uint8_t sample[VG_SHA256_SIZE])
{
    struct vg_key key;
    struct vg_bytes before;
    bool exists;
    vg_key_review(&key, sample);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &before, &exists);
    uint64_t *revision = vg_arena_alloc(change->arena, sizeof(*revision));
    if (reason != VG_OK || revision == NULL) {
        return reason != VG_OK ? reason : VG_REQUEST_MEMORY;
    }
    *revision = change->revision;
    vg_ingest_put(change, vg_key_bytes(&key), vg_bytes(revision, sizeof(*revision)));
    return VG_OK;
}
