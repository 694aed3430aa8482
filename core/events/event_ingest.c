#include "core/events/event_ingest.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/events/event_lineage.h"
#include "core/events/event_merge.h"
#include "core/events/event_table.h"

static enum vg_reason create_event(
    struct vg_event_submission *submission,
    struct vg_ingest_change *change)
{
    struct vg_event_times *times = &submission->times;
    times->engine_persisted = change->now;
    times->published = change->now;
    times->last_updated = change->last_updated;
    times->first_notified = submission->notified ? change->now : 0;
    vg_event_table_set_times(&submission->row, times);
    change->new_record =
        vg_event_record_finish(&submission->head, &submission->part.id, times, change->revision);
    change->new_row = &submission->row;
    return VG_OK;
}

/* Make `record`, changed by `author`, the result of the merge, and leave its entry in the lineage.
 */
static enum vg_reason store_change(
    struct vg_event_record *record,
    const struct vg_event_rules *rules,
    const struct vg_event_author *author,
    struct vg_ingest_change *change)
{
    vg_time previous_updated = record->times.last_updated;
    record->times.last_updated = change->last_updated;
    if (record->first_revision == 0) {
        record->first_revision = record->revision;
    }
    struct vg_event_head head;
    enum vg_reason reason =
        vg_event_record_pack(record, &rules->limits, change->arena, &head, NULL);
    if (reason == VG_OK) {
        reason = vg_event_lineage_put(change, &record->id, author, previous_updated);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_row *row = vg_arena_alloc(change->arena, sizeof(*row));
    if (row == NULL || !vg_event_table_row(record, rules->secret, change->arena, row)) {
        return VG_REQUEST_MEMORY;
    }
    change->new_record =
        vg_event_record_finish(&head, &record->id, &record->times, change->revision);
    change->new_row = row;
    return VG_OK;
}

static enum vg_reason update_event(
    const struct vg_event_submission *submission,
    struct vg_ingest_change *change,
    struct vg_event_record *record)
{
    enum vg_reason reason = vg_event_merge_update(record, submission, change->now, change->arena);
    const struct vg_event_author author = {
        .user_id = submission->user_id,
        .type = VG_EVENT_LINEAGE_UPDATED,
        .description = vg_bytes_text("Updated by submission"),
        .data_center = submission->rules->data_center,
        .secret = submission->rules->secret,
    };
    return reason == VG_OK ? store_change(record, submission->rules, &author, change) : reason;
}

static enum vg_reason merge_submission(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    struct vg_event_submission *submission =
        VG_CONTAINER_OF(item, struct vg_event_submission, item);
    change->verdict = VG_INGEST_PUT;
    enum vg_reason reason;
    if (!change->exists) {
        reason = create_event(submission, change);
    } else {
        struct vg_event_record record;
        reason = vg_event_record_unpack(
            &submission->part.id,
            change->record,
            change->arena,
            &record,
            NULL);
        if (reason == VG_OK && vg_event_merge_is_final(&record)) {
            change->verdict = VG_INGEST_UNCHANGED;
            return VG_OK;
        }
        if (reason == VG_OK) {
            reason = update_event(submission, change, &record);
        }
    }
    if (reason == VG_OK && submission->payload_key.size != 0) {
        vg_ingest_put(change, submission->payload_key, submission->payload);
    }
    return reason;
}

struct vg_ingest_domain *vg_event_ingest_domain(void)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_EVENT,
                                              .merge = merge_submission };
    return &domain;
}

void vg_event_ingest_add(struct vg_ingest_submission *group, struct vg_event_submission *submission)
{
    VG_ASSERT(submission->reason == VG_OK && submission->item.key.size != 0);
    submission->item.domain = vg_event_ingest_domain();
    submission->item.identity = &submission->row;
    vg_ingest_submission_add(group, &submission->item);
}

/* --------------------------------------------------------------------------------- assessment */

/* Between the caller's look at the event and this moment another change may have been made. */
static bool is_asked_for(const struct vg_event_assessment_item *own, uint64_t revision)
{
    for (uint32_t i = 0; i < own->revision_count; i++) {
        if (own->revisions[i] == revision) {
            return true;
        }
    }
    return own->revision_count == 0;
}

static enum vg_reason merge_assessment(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_event_assessment_item *own =
        VG_CONTAINER_OF(item, struct vg_event_assessment_item, item);
    if (!change->exists) {
        change->verdict = VG_INGEST_UNCHANGED;
        return own->is_optional ? VG_OK : VG_EVENT_NOT_FOUND;
    }
    const struct vg_event_assessment *assessment = own->assessment;
    struct vg_event_record record;
    enum vg_reason reason =
        vg_event_record_unpack(&own->identity.id, change->record, change->arena, &record, NULL);
    if (reason == VG_OK && !is_asked_for(own, record.revision)) {
        return VG_PRECONDITION_FAILED;
    }
    if (reason == VG_OK) {
        reason = vg_event_assessment_apply(&record, assessment, change->now, change->arena);
    }
    if (reason == VG_OK) {
        reason = store_change(&record, assessment->rules, &assessment->author, change);
    }
    change->verdict = VG_INGEST_PUT;
    return reason;
}

static struct vg_ingest_domain *assessment_domain(void)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_EVENT,
                                              .merge = merge_assessment };
    return &domain;
}

void vg_event_ingest_assess(
    struct vg_ingest_submission *group,
    struct vg_event_assessment_item *item,
    const struct vg_event_assessment *assessment,
    const struct vg_event_id *id,
    bool is_optional)
{
    struct vg_key key;
    vg_event_id_key(id, &key);
    VG_ASSERT(key.size <= sizeof(item->key));
    memcpy(item->key, key.data, key.size);
    vg_event_table_id_row(id, &item->identity);
    item->assessment = assessment;
    item->is_optional = is_optional;
    item->revisions = NULL;
    item->revision_count = 0;
    item->item = (struct vg_ingest_item){
        .domain = assessment_domain(),
        .key = vg_bytes(item->key, key.size),
        .identity = &item->identity.row,
        .bytes = VG_EVENT_ASSESSMENT_WEIGHT + assessment->comment.size,
    };
    vg_ingest_submission_add(group, &item->item);
}
