#include "rpc/handlers/sample_view.h"

#include "core/base/hex.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_user.h"

static char *make_hex(struct vg_arena *arena, const uint8_t *digest, size_t size)
{
    char *text = vg_arena_alloc(arena, 2 * size + 1);
    if (text != NULL) {
        vg_hex_encode(vg_bytes(digest, size), text);
    }
    return text;
}

static bool fill_flags(uint32_t flags, struct vg_arena *arena, Vigil__Sampledb__V2__Verdict *answer)
{
    answer->flags = vg_arena_calloc(arena, VG_VERDICT_FLAGS_MAX, sizeof(*answer->flags));
    for (uint32_t flag = 1; answer->flags != NULL && flag < VG_VERDICT_FLAGS_MAX; flag++) {
        if ((flags >> flag & 1) != 0) {
            answer->flags[answer->n_flags++] = (Vigil__Sampledb__V2__VerdictFlag)flag;
        }
    }
    return answer->flags != NULL;
}

bool vg_sample_view_fill_verdict(
    const struct vg_directory_snapshot *directory,
    const uint8_t sha256[VG_SHA256_SIZE],
    const struct vg_sample_verdict *verdict,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__Verdict *answer)
{
    answer->sample_sha256 = make_hex(arena, sha256, VG_SHA256_SIZE);
    answer->has_created_timestamp = true;
    answer->created_timestamp = verdict->created;
    answer->created_by_user = vg_event_user_make(directory, verdict->user_id, arena);
    answer->has_score = true;
    answer->score = verdict->score;
    answer->has_status_override = verdict->status_override != 0;
    if (answer->has_status_override) {
        answer->status_override = (Vigil__Sampledb__V2__StatusOverride)verdict->status_override;
    }
    answer->comment = vg_arena_text(arena, verdict->comment);
    return answer->sample_sha256 != NULL && answer->created_by_user != NULL &&
           answer->comment != NULL && fill_flags(verdict->flags, arena, answer);
}

static void fill_times(
    const struct vg_sample_record *record,
    Vigil__Sampledb__V2__SampleMetaData *answer)
{
    bool submitted = record->first_submitted != 0;
    answer->has_created_timestamp = true;
    answer->created_timestamp = record->created;
    answer->has_first_submitted_timestamp = submitted;
    answer->first_submitted_timestamp = record->first_submitted;
    answer->has_last_submitted_timestamp = submitted;
    answer->last_submitted_timestamp = record->last_submitted;
    answer->has_first_observed_timestamp = submitted;
    answer->first_observed_timestamp = record->first_observed;
    answer->has_last_observed_timestamp = submitted;
    answer->last_observed_timestamp = record->last_observed;
    answer->has_deleted_timestamp = record->deleted != 0;
    answer->deleted_timestamp = record->deleted;
}

static bool fill_deleted(struct vg_arena *arena, Vigil__Sampledb__V2__SampleMetaData *answer)
{
    answer->flags = vg_arena_alloc(arena, sizeof(*answer->flags));
    if (answer->flags == NULL) {
        return false;
    }
    answer->flags[0] = VIGIL__SAMPLEDB__V2__SAMPLE_FLAG__SAMPLE_FLAG_DELETED;
    answer->n_flags = 1;
    return true;
}

static bool fill_latest(
    const struct vg_directory_snapshot *directory,
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__SampleMetaData *answer)
{
    answer->latest_verdict = vg_arena_alloc(arena, sizeof(*answer->latest_verdict));
    if (answer->latest_verdict == NULL) {
        return false;
    }
    vigil__sampledb__v2__verdict__init(answer->latest_verdict);
    return vg_sample_view_fill_verdict(
        directory,
        record->sha256,
        &record->latest_verdict,
        arena,
        answer->latest_verdict);
}

bool vg_sample_view_fill(
    const struct vg_directory_snapshot *directory,
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    Vigil__Sampledb__V2__SampleMetaData *answer)
{
    answer->sha256 = make_hex(arena, record->sha256, sizeof(record->sha256));
    answer->sha512 = make_hex(arena, record->sha512, sizeof(record->sha512));
    answer->sha1 = make_hex(arena, record->sha1, sizeof(record->sha1));
    answer->md5 = make_hex(arena, record->md5, sizeof(record->md5));
    answer->has_size = true;
    answer->size = record->size;
    fill_times(record, answer);
    return answer->sha256 != NULL && answer->sha512 != NULL && answer->sha1 != NULL &&
           answer->md5 != NULL && (record->deleted == 0 || fill_deleted(arena, answer)) &&
           (record->verdict_count == 0 || fill_latest(directory, record, arena, answer));
}
