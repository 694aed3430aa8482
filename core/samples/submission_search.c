#include "core/samples/submission_search.h"

#include "core/base/assert.h"
#include "core/samples/submission_table.h"

/* Every field, one more for the one that may be absent, and the tie. */
#define VG_SORT_ROOM (VG_SUBMISSION_SORT_FIELD_COUNT + 1u)
_Static_assert(VG_SORT_ROOM <= VG_SEARCH_SORT_KEYS_MAX, "the table sorts by all of them");

struct sorting {
    struct vg_sort_key keys[VG_SORT_ROOM];
    uint32_t count;
};

static void add_key(struct sorting *sorting, uint32_t column, bool descending)
{
    VG_ASSERT(sorting->count < VG_SORT_ROOM);
    sorting->keys[sorting->count++] =
        (struct vg_sort_key){ .column = column, .descending = descending };
}

static enum vg_reason make_sorting(
    const struct vg_submission_search *search,
    struct sorting *sorting,
    struct vg_error *error)
{
    static const uint32_t columns[VG_SUBMISSION_SORT_FIELD_COUNT] = {
        [VG_SUBMISSION_SORT_FILE_NAME] = VG_SUBMISSION_COLUMN_FILE_NAME,
        [VG_SUBMISSION_SORT_MIME_TYPE] = VG_SUBMISSION_COLUMN_MIME_TYPE,
        [VG_SUBMISSION_SORT_EXPIRY] = VG_SUBMISSION_COLUMN_EXPIRY,
        [VG_SUBMISSION_SORT_OBSERVED] = VG_SUBMISSION_COLUMN_OBSERVED,
        [VG_SUBMISSION_SORT_SUBMITTED] = VG_SUBMISSION_COLUMN_SUBMITTED,
    };
    static const struct vg_submission_sort newest_first = { VG_SUBMISSION_SORT_SUBMITTED, true };
    const struct vg_submission_sort *sort = search->sort_count == 0 ? &newest_first : search->sort;
    size_t count = search->sort_count == 0 ? 1 : search->sort_count;
    uint32_t seen = 0;
    sorting->count = 0;
    for (size_t i = 0; i < count; i++) {
        VG_ASSERT(sort[i].field > 0 && sort[i].field < VG_SUBMISSION_SORT_FIELD_COUNT);
        if ((seen >> sort[i].field & 1) != 0) {
            (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "sortBy names a key twice");
            return vg_error_field(error, "sortBy", "");
        }
        seen |= 1u << sort[i].field;
        /* The table has absent values before all others; they come last in both directions. */
        if (sort[i].field == VG_SUBMISSION_SORT_EXPIRY && !sort[i].descending) {
            add_key(sorting, VG_SUBMISSION_COLUMN_NO_EXPIRY, false);
        }
        add_key(sorting, columns[sort[i].field], sort[i].descending);
    }
    add_key(sorting, VG_SUBMISSION_COLUMN_UUID, false); /* ties go by the id, ascending */
    return VG_OK;
}

enum vg_reason vg_submission_search_run(
    const struct vg_submission_store *source,
    const struct vg_submission_search *search,
    struct vg_arena *arena,
    struct vg_submission_cursor *out_cursor,
    struct vg_error *error)
{
    struct sorting *sorting = vg_arena_calloc(arena, 1, sizeof(*sorting));
    if (sorting == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = make_sorting(search, sorting, error);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_submission_query query = {
        .where = search->where,
        .sort = sorting->keys,
        .sort_count = sorting->count,
        .limit = search->limit,
        .offset = search->offset,
        .check = search->check,
        .owner = search->owner,
    };
    return vg_submission_cursor_open(source, &query, arena, out_cursor, error);
}
