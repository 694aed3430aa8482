#include "core/samples/sample_ingest.h"

#include "core/base/assert.h"

/* What the writer stores; of a sample that was deleted the first upload's time remains. */
static enum vg_reason put_sample(struct vg_sample_record *record, struct vg_ingest_change *change)
{
    record->deleted = 0;
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
        return put_sample(&record, change);
    }
    enum vg_reason reason = vg_sample_record_unpack(
        upload->record.sha256,
        change->record,
        change->arena,
        &record,
        NULL);
    if (reason == VG_OK && record.deleted != 0) {
        return put_sample(&record, change);
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
