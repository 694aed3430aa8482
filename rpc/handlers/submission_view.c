#include "rpc/handlers/submission_view.h"

#include <string.h>

#include "core/base/hex.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_user.h"

/* One answer, its messages made together. */
struct shown {
    Vigil__Sampledb__V2__Submission submission;
    Vigil__Sampledb__V2__UserAgent agent;
    Vigil__Sampledb__V2__SubmissionFlag flags[VG_SUBMISSION_FLAG_MAX];
    char id[VG_UUID_TEXT_SIZE];
    char sample[2 * VG_SHA256_SIZE + 1];
};

static char *lend(struct vg_bytes text)
{
    return vg_answer_text((const char *)text.data);
}

static bool fill_meta(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__Submission *submission)
{
    size_t count = record->meta_count;
    Vigil__Sampledb__V2__Submission__MetaDataEntry *entries =
        vg_arena_alloc(arena, (count + 1) * sizeof(*entries));
    submission->meta_data = vg_arena_alloc(arena, (count + 1) * sizeof(*submission->meta_data));
    if (entries == NULL || submission->meta_data == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        vigil__sampledb__v2__submission__meta_data_entry__init(&entries[i]);
        entries[i].key = lend(record->meta[i].key);
        entries[i].value = lend(record->meta[i].value);
        submission->meta_data[i] = &entries[i];
    }
    submission->n_meta_data = count;
    return true;
}

/* All of it was granted by who submitted, when he did. */
static bool fill_acl(
    const struct vg_directory_snapshot *directory,
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__Submission *submission)
{
    size_t count = record->acl_count;
    if (count == 0) {
        return true;
    }
    Vigil__Sampledb__V2__AccessControl *entries = vg_arena_alloc(arena, count * sizeof(*entries));
    submission->acl = vg_arena_alloc(arena, count * sizeof(*submission->acl));
    Vigil__Events__V2__UserInfo *granter = vg_event_user_make(directory, record->user_id, arena);
    if (entries == NULL || submission->acl == NULL || granter == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        vigil__sampledb__v2__access_control__init(&entries[i]);
        entries[i].subject = vg_event_user_subject(directory, record->acl[i], arena);
        entries[i].granted_by_user = granter;
        entries[i].has_granted_timestamp = true;
        entries[i].granted_timestamp = record->submitted;
        submission->acl[i] = &entries[i];
        if (entries[i].subject == NULL) {
            return false;
        }
    }
    submission->n_acl = count;
    return true;
}

static void fill_scalars(const struct vg_submission_record *record, struct shown *shown)
{
    Vigil__Sampledb__V2__Submission *submission = &shown->submission;
    vg_uuid_print(&record->id, shown->id);
    vg_hex_encode(vg_bytes(record->sample, VG_SHA256_SIZE), shown->sample);
    submission->id = shown->id;
    submission->sample_sha256 = shown->sample;
    submission->file_name = lend(record->file_name);
    submission->mime_type = lend(record->mime_type);
    submission->has_observed_timestamp = submission->has_submitted_timestamp = true;
    submission->observed_timestamp = record->observed;
    submission->submitted_timestamp = record->submitted;
    submission->has_expiry_timestamp = record->expiry != 0;
    submission->expiry_timestamp = record->expiry;
    submission->has_tlp = true;
    submission->tlp = (Vigil__Sampledb__V2__Tlp)record->tlp;
    vigil__sampledb__v2__user_agent__init(&shown->agent);
    shown->agent.name = lend(record->agent_name);
    shown->agent.version = lend(record->agent_version);
    submission->user_agent = &shown->agent;
    submission->flags = shown->flags;
    for (uint32_t flag = 1; flag <= VG_SUBMISSION_FLAG_MAX; flag++) {
        if ((record->flags >> flag & 1) != 0) {
            shown->flags[submission->n_flags++] = (Vigil__Sampledb__V2__SubmissionFlag)flag;
        }
    }
}

Vigil__Sampledb__V2__Submission *vg_submission_view_make(
    const struct vg_directory_snapshot *directory,
    const struct vg_submission_record *record,
    struct vg_arena *arena)
{
    struct shown *shown = vg_arena_alloc(arena, sizeof(*shown));
    if (shown == NULL) {
        return NULL;
    }
    vigil__sampledb__v2__submission__init(&shown->submission);
    fill_scalars(record, shown);
    shown->submission.customer = vg_event_user_customer(directory, record->customer_id, arena);
    if (shown->submission.customer == NULL || !fill_meta(record, arena, &shown->submission) ||
        !fill_acl(directory, record, arena, &shown->submission)) {
        return NULL;
    }
    return &shown->submission;
}
