#include "core/events/event_access.h"

bool vg_event_access_reads_case(const struct vg_principal *principal, const struct vg_case *subject)
{
    size_t low = 0;
    size_t high = subject->reader_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (subject->readers[middle] == principal->user_id) {
            return true;
        }
        if (subject->readers[middle] < principal->user_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return vg_principal_may(principal, VG_FUNCTION_VIEW_EVENTS_BY_CASE, subject->customer_id);
}

/* Where a case leads to by what it is merged into. */
enum vg_case_way { WAY_UNKNOWN, WAY_WALKED, WAY_INSIDE, WAY_OUTSIDE };

static size_t find_case(const struct vg_directory_snapshot *directory, size_t count, int64_t id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct vg_case *subject = vg_directory_at(directory, VG_DIRECTORY_CASE, middle);
        if (subject->id == id) {
            return middle;
        }
        if (subject->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return count;
}

/* Follow the case at `start` until it is known where it leads, then say so of all on the way. A
 * loop leads nowhere. */
static void walk(
    const struct vg_directory_snapshot *directory,
    size_t count,
    uint8_t *ways,
    size_t start)
{
    size_t at = start;
    while (at != count && ways[at] == WAY_UNKNOWN) {
        const struct vg_case *subject = vg_directory_at(directory, VG_DIRECTORY_CASE, at);
        ways[at] = WAY_WALKED;
        at = subject->merged_into == 0 ? count : find_case(directory, count, subject->merged_into);
    }
    uint8_t end = at != count && ways[at] == WAY_INSIDE ? WAY_INSIDE : WAY_OUTSIDE;
    for (at = start; at != count && ways[at] == WAY_WALKED;) {
        const struct vg_case *subject = vg_directory_at(directory, VG_DIRECTORY_CASE, at);
        ways[at] = end;
        at = subject->merged_into == 0 ? count : find_case(directory, count, subject->merged_into);
    }
}

bool vg_event_access_merged_cases(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena,
    const int64_t **out_ids,
    size_t *out_count)
{
    size_t count = vg_directory_count(directory, VG_DIRECTORY_CASE);
    size_t root = find_case(directory, count, id);
    *out_ids = NULL;
    *out_count = 0;
    if (root == count) {
        return true;
    }
    uint8_t *ways = vg_arena_calloc(arena, count, sizeof(*ways));
    if (ways == NULL) {
        return false;
    }
    ways[root] = WAY_INSIDE;
    size_t inside = 0;
    for (size_t i = 0; i < count; i++) {
        walk(directory, count, ways, i);
        inside += ways[i] == WAY_INSIDE;
    }
    int64_t *ids = vg_arena_alloc(arena, inside * sizeof(*ids));
    if (ids == NULL) {
        return false;
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (ways[i] == WAY_INSIDE) {
            const struct vg_case *subject = vg_directory_at(directory, VG_DIRECTORY_CASE, i);
            ids[used++] = subject->id;
        }
    }
    *out_ids = ids;
    *out_count = used;
    return true;
}
