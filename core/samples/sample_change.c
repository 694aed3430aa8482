#include "core/samples/sample_change.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/record/submission_record.h"
#include "core/samples/sample_ingest.h"
#include "core/samples/submission_ingest.h"

/* Numbers of vigil.sampledb.v2. */
#define STATUS_MALICIOUS 1
#define FLAG_MANUAL      1

static void add_change(
    struct vg_ingest_submission *group,
    struct vg_sample_change *change,
    struct vg_ingest_domain *domain,
    const uint8_t *sha256)
{
    vg_key_sample(&change->key, sha256);
    vg_sample_table_id_row(sha256, &change->identity);
    change->item = (struct vg_ingest_item){
        .domain = domain,
        .key = vg_key_bytes(&change->key),
        .identity = &change->identity.row,
        .bytes = sizeof(*change),
    };
    vg_ingest_submission_add(group, &change->item);
}

/* The record as it is. SAMPLE_NOT_FOUND when there is none. */
static enum vg_reason read_record(
    const struct vg_sample_change *asked,
    struct vg_ingest_change *change,
    struct vg_sample_record *out_record)
{
    change->verdict = VG_INGEST_UNCHANGED;
    if (!change->exists) {
        return VG_SAMPLE_NOT_FOUND;
    }
    return vg_sample_record_unpack(
        asked->identity.sha256,
        change->record,
        change->arena,
        out_record,
        NULL);
}

/* ------------------------------------------------------------------------------------ verdicts */

/* Add a mark unless it is there. False without memory. */
static bool add_mark(struct vg_sample_record *record, uint32_t mark, struct vg_arena *arena)
{
    for (uint32_t i = 0; i < record->verdict_mark_count; i++) {
        if (record->verdict_marks[i] == mark) {
            return true;
        }
    }
    uint32_t count = record->verdict_mark_count;
    uint32_t *marks = vg_arena_alloc(arena, (count + 1) * sizeof(*marks));
    if (marks == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(marks, record->verdict_marks, count * sizeof(*marks));
    }
    marks[count] = mark;
    record->verdict_marks = marks;
    record->verdict_mark_count = count + 1;
    return true;
}

static enum vg_reason store_verdict(
    struct vg_sample_record *record,
    const struct vg_sample_verdict *verdict,
    struct vg_ingest_change *change)
{
    struct vg_bytes packed;
    enum vg_reason reason = vg_sample_verdict_pack(verdict, change->arena, &packed, NULL);
    if (reason != VG_OK ||
        !add_mark(record, vg_sample_verdict_mark(verdict->score, verdict->flags), change->arena)) {
        return VG_REQUEST_MEMORY;
    }
    struct vg_key key;
    vg_key_verdict(&key, record->sha256, change->revision, change->number);
    vg_ingest_put(change, vg_key_bytes(&key), packed);
    record->latest_verdict = *verdict;
    record->verdict_count++;
    return vg_sample_ingest_put(record, change);
}

static enum vg_reason merge_judgement(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    struct vg_sample_judgement *judgement =
        VG_CONTAINER_OF(item, struct vg_sample_judgement, change.item);
    struct vg_sample_record record;
    enum vg_reason reason = read_record(&judgement->change, change, &record);
    if (reason == VG_OK && record.deleted != 0) {
        reason = VG_SAMPLE_NOT_FOUND;
    }
    if (reason == VG_OK && record.verdict_count >= VG_LIMIT_SAMPLE_VERDICTS) {
        reason = VG_RESULTSET_TOO_LARGE;
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_sample_verdict *verdict = &judgement->verdict;
    verdict->created = change->now;
    if (record.verdict_count != 0 && record.latest_verdict.created > verdict->created) {
        verdict->created = record.latest_verdict.created;
    }
    verdict->score = verdict->status_override == STATUS_MALICIOUS ? VG_VERDICT_SCORE_MALICIOUS
                                                                  : VG_VERDICT_SCORE_BENIGN;
    verdict->flags = 1u << FLAG_MANUAL;
    bool was_malicious = vg_sample_is_malicious(&record);
    reason = store_verdict(&record, verdict, change);
    if (reason == VG_OK && vg_sample_is_malicious(&record) != was_malicious) {
        reason = vg_submission_ingest_ask_review(change, record.sha256);
    }
    return reason;
}

void vg_sample_change_judge(
    struct vg_ingest_submission *group,
    struct vg_sample_judgement *judgement,
    const uint8_t sha256[VG_SHA256_SIZE])
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SAMPLE,
                                              .merge = merge_judgement };
    add_change(group, &judgement->change, &domain, sha256);
    judgement->change.item.bytes += judgement->verdict.comment.size;
}

/* ------------------------------------------------------------------------------------ deletion */

/* The minimal record: digests, size and creation stay (sampledb-api.md 3.7). */
static void keep_minimum(struct vg_sample_record *record)
{
    record->first_submitted = 0;
    record->last_submitted = 0;
    record->first_observed = 0;
    record->last_observed = 0;
    record->verdict_count = 0;
    record->verdict_marks = NULL;
    record->verdict_mark_count = 0;
}

static enum vg_reason merge_delete(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_sample_change *asked = VG_CONTAINER_OF(item, struct vg_sample_change, item);
    struct vg_sample_record record;
    enum vg_reason reason = read_record(asked, change, &record);
    if (reason != VG_OK || record.deleted != 0) {
        return reason;
    }
    keep_minimum(&record);
    record.deleted = change->now;
    record.purged_until = change->revision;
    return vg_sample_ingest_put(&record, change);
}

void vg_sample_change_delete(
    struct vg_ingest_submission *group,
    struct vg_sample_change *change,
    const uint8_t sha256[VG_SHA256_SIZE])
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SAMPLE,
                                              .merge = merge_delete };
    add_change(group, change, &domain, sha256);
}

static enum vg_reason merge_purged(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_sample_purged *purged =
        VG_CONTAINER_OF(item, struct vg_sample_purged, change.item);
    struct vg_sample_record record;
    enum vg_reason reason = read_record(&purged->change, change, &record);
    if (reason != VG_OK || record.purged_until != purged->until) {
        return reason; /* deleted once more meanwhile: there is more to do */
    }
    record.purged_until = 0;
    return vg_sample_ingest_put(&record, change);
}

void vg_sample_change_purged(
    struct vg_ingest_submission *group,
    struct vg_sample_purged *purged,
    const uint8_t sha256[VG_SHA256_SIZE],
    uint64_t until)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SAMPLE,
                                              .merge = merge_purged };
    purged->until = until;
    add_change(group, &purged->change, &domain, sha256);
}

static enum vg_reason merge_removal(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_submission_removal *removal =
        VG_CONTAINER_OF(item, struct vg_submission_removal, item);
    change->verdict = VG_INGEST_UNCHANGED;
    if (!change->exists) {
        return VG_OK;
    }
    struct vg_uuid id;
    memcpy(id.bytes, removal->identity.id.uuid, sizeof(id.bytes));
    struct vg_submission_record record;
    enum vg_reason reason = vg_submission_record_unpack(
        removal->identity.id.sample,
        &id,
        change->record,
        change->arena,
        &record,
        NULL);
    if (reason == VG_OK && record.revision <= removal->until) {
        change->verdict = VG_INGEST_DELETE;
    }
    return reason;
}

void vg_sample_change_remove_submission(
    struct vg_ingest_submission *group,
    struct vg_submission_removal *removal,
    const struct vg_submission_id *id,
    uint64_t until)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SUBMISSION,
                                              .merge = merge_removal };
    removal->until = until;
    vg_key_submission(&removal->key, id->sample, id->uuid);
    vg_submission_table_id_row(id, &removal->identity);
    removal->item = (struct vg_ingest_item){
        .domain = &domain,
        .key = vg_key_bytes(&removal->key),
        .identity = &removal->identity.row,
        .bytes = sizeof(*removal),
    };
    vg_ingest_submission_add(group, &removal->item);
}
