#include "core/samples/sample_ingest.h"

#include "core/base/assert.h"

enum vg_reason vg_sample_ingest_put(
    struct vg_sample_record *record,
    struct vg_ingest_change *change)
{
    record->revision = change->revision;
    struct vg_row *row = vg_arena_alloc(change->arena, sizeof(*row));
    if (row == NULL || !vg_sample_table_row(record, change->arena, row)) {
        return VG_REQUEST_MEMORY;
    }
    enum vg_reason reason = vg_sample_record_pack(record, change->arena, &change->new_record, NULL);
    change->new_row = row;
    change->verdict = VG_INGEST_PUT;
    return reason;
}

static enum vg_reason merge_upload(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    struct vg_sample_upload *upload = VG_CONTAINER_OF(item, struct vg_sample_upload, item);
    struct vg_sample_record record = upload->record;
    upload->is_new = true;
    if (!change->exists) {
        record.created = change->now;
        return vg_sample_ingest_put(&record, change);
    }
    enum vg_reason reason = vg_sample_record_unpack(
        upload->record.sha256,
        change->record,
        change->arena,
        &record,
        NULL);
    if (reason == VG_OK && record.deleted != 0) {
        if (record.purged_until == change->revision) {
            /* Deleted in this batch: what comes with it now could not be told from what goes. */
            return VG_STORE_CONFLICT;
        }
        /* The time of the first upload remains. What is still being deleted of the time before goes
         * on being deleted: it is older than this batch. */
        record.deleted = 0;
        return vg_sample_ingest_put(&record, change);
    }
    upload->is_new = false;
    change->verdict = VG_INGEST_UNCHANGED;
    return reason;
}

static struct vg_ingest_domain *upload_domain(void)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SAMPLE,
                                              .merge = merge_upload };
    return &domain;
}

/* ---------------------------------------------------------------------------------- submissions */

static enum vg_reason merge_submitted(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_sample_submitted *submitted =
        VG_CONTAINER_OF(item, struct vg_sample_submitted, item);
    struct vg_sample_record record;
    change->verdict = VG_INGEST_UNCHANGED;
    if (submitted->submission != NULL && submitted->submission->verdict != VG_INGEST_PUT) {
        return VG_OK;
    }
    if (!change->exists) {
        return VG_SAMPLE_NOT_FOUND;
    }
    enum vg_reason reason = vg_sample_record_unpack(
        submitted->identity.sha256,
        change->record,
        change->arena,
        &record,
        NULL);
    if (reason != VG_OK || record.deleted != 0) {
        return reason != VG_OK ? reason : VG_SAMPLE_NOT_FOUND;
    }
    bool is_first = record.first_submitted == 0;
    vg_time observed = submitted->observed_is_now ? change->now : submitted->observed;
    if (is_first || change->now < record.first_submitted) {
        record.first_submitted = change->now;
    }
    if (is_first || change->now > record.last_submitted) {
        record.last_submitted = change->now;
    }
    if (is_first || observed < record.first_observed) {
        record.first_observed = observed;
    }
    if (is_first || observed > record.last_observed) {
        record.last_observed = observed;
    }
    return vg_sample_ingest_put(&record, change);
}

void vg_sample_ingest_submitted(
    struct vg_ingest_submission *group,
    struct vg_sample_submitted *submitted,
    const uint8_t sha256[VG_SHA256_SIZE])
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_SAMPLE,
                                              .merge = merge_submitted };
    vg_key_sample(&submitted->key, sha256);
    vg_sample_table_id_row(sha256, &submitted->identity);
    submitted->item = (struct vg_ingest_item){
        .domain = &domain,
        .key = vg_key_bytes(&submitted->key),
        .identity = &submitted->identity.row,
        .bytes = sizeof(*submitted),
    };
    vg_ingest_submission_add(group, &submitted->item);
}

void vg_sample_ingest_upload(struct vg_ingest_submission *group, struct vg_sample_upload *upload)
{
    vg_key_sample(&upload->key, upload->record.sha256);
    vg_sample_table_id_row(upload->record.sha256, &upload->identity);
    upload->item = (struct vg_ingest_item){
        .domain = upload_domain(),
        .key = vg_key_bytes(&upload->key),
        .identity = &upload->identity.row,
        .bytes = sizeof(*upload),
    };
    vg_ingest_submission_add(group, &upload->item);
}
