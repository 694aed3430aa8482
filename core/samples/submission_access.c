#include "core/samples/submission_access.h"

#include "core/samples/submission_table.h"

/* The caller's groups; none for a user the directory does not know. */
static const int64_t *groups_of(const struct vg_submission_viewer *viewer, size_t *out_count)
{
    const struct vg_user *user = vg_directory_user(viewer->directory, viewer->principal->user_id);
    *out_count = user == NULL ? 0 : user->group_count;
    return user == NULL ? NULL : user->group_ids;
}

static bool in_acl(
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_record *record)
{
    size_t group_count;
    const int64_t *groups = groups_of(viewer, &group_count);
    for (size_t i = 0; i < record->acl_count; i++) {
        bool granted = record->acl[i] == viewer->principal->user_id;
        for (size_t g = 0; g < group_count && !granted; g++) {
            granted = record->acl[i] == groups[g];
        }
        if (granted) {
            return true;
        }
    }
    return false;
}

bool vg_submission_access_sees(
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_record *record)
{
    if (record->expiry != 0 && record->expiry <= viewer->now && !record->held) {
        return false;
    }
    return vg_principal_may(
               viewer->principal,
               VG_FUNCTION_VIEW_SAMPLE_SUBMISSION,
               record->customer_id) ||
           in_acl(viewer, record);
}

static const struct vg_predicate *of_customers(
    const struct vg_principal *principal,
    struct vg_arena *arena)
{
    if (!vg_principal_has(principal, VG_FUNCTION_VIEW_SAMPLE_SUBMISSION)) {
        return vg_predicate_none(arena);
    }
    if (principal->all_customers) {
        return vg_predicate_all(arena);
    }
    return vg_predicate_number_in(
        arena,
        VG_SUBMISSION_COLUMN_CUSTOMER,
        principal->customers,
        (uint32_t)principal->customer_count);
}

static const struct vg_predicate *of_acl(
    const struct vg_submission_viewer *viewer,
    struct vg_arena *arena)
{
    size_t group_count;
    const int64_t *groups = groups_of(viewer, &group_count);
    int64_t *subjects = vg_arena_alloc(arena, (1 + group_count) * sizeof(*subjects));
    if (subjects == NULL) {
        return NULL;
    }
    subjects[0] = viewer->principal->user_id;
    for (size_t i = 0; i < group_count; i++) {
        subjects[1 + i] = groups[i];
    }
    return vg_predicate_number_in(
        arena,
        VG_SUBMISSION_COLUMN_ACL,
        subjects,
        (uint32_t)(1 + group_count));
}

const struct vg_predicate *vg_submission_access_predicate(
    const struct vg_submission_viewer *viewer,
    struct vg_arena *arena)
{
    const struct vg_predicate *open[] = {
        of_customers(viewer->principal, arena),
        of_acl(viewer, arena),
    };
    /* What never goes has no value there, so the question about it is answered with no. */
    const struct vg_predicate *gone =
        vg_predicate_range(arena, VG_SUBMISSION_COLUMN_GONE, INT64_MIN + 1, viewer->now);
    const struct vg_predicate *both[] = {
        vg_predicate_or(arena, open, VG_ARRAY_COUNT(open)),
        vg_predicate_not(arena, gone),
    };
    return vg_predicate_and(arena, both, VG_ARRAY_COUNT(both));
}
