#include "core/events/event_details.h"

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"

/* One record unpacked. */
#define VG_SCRATCH_BYTES_MAX (64u << 20)

/* The identities found so far. */
struct details {
    struct vg_arena *arena;
    struct vg_event_id *ids;
    size_t count;
    size_t room;
};

static enum vg_reason add_id(
    struct details *details,
    const struct vg_event_id *id,
    struct vg_error *error)
{
    if (details->count == VG_LIMIT_CASE_DETAILS) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_CASE_DETAILS);
        (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
        return vg_error_field(error, "", most);
    }
    if (details->count == details->room) {
        size_t room = details->room == 0 ? 64 : 2 * details->room;
        struct vg_event_id *ids = vg_arena_calloc(details->arena, room, sizeof(*ids));
        if (ids == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        if (details->count != 0) {
            memcpy(ids, details->ids, details->count * sizeof(*ids));
        }
        details->ids = ids;
        details->room = room;
    }
    details->ids[details->count++] = *id;
    return VG_OK;
}

static enum vg_reason add_record(
    struct details *details,
    const struct vg_event_record *record,
    struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    for (uint32_t i = 0; reason == VG_OK && i < record->sub_event_count; i++) {
        struct vg_event_id id;
        if (vg_event_id_parse(record->sub_events[i], &id) == VG_EVENT_ID_FORM_OK &&
            id.type == VG_EVENT_TYPE_RAW) {
            reason = add_id(details, &id, error);
        }
    }
    return reason;
}

static enum vg_reason read_all(
    struct details *details,
    struct vg_event_cursor *cursor,
    struct vg_arena *scratch,
    struct vg_error *error)
{
    for (;;) {
        struct vg_event_id id;
        struct vg_bytes bytes;
        struct vg_event_record record;
        bool end = false;
        enum vg_reason reason = vg_event_cursor_next(cursor, &id, &bytes, &end, error);
        if (reason != VG_OK || end) {
            return reason;
        }
        vg_arena_reset(scratch);
        reason = vg_event_record_unpack(&id, bytes, scratch, &record, error);
        if (reason == VG_OK) {
            reason = add_record(details, &record, error);
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
}

enum vg_reason vg_event_details_find(
    const struct vg_event_store *source,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    struct vg_event_id **out_ids,
    size_t *out_count,
    struct vg_error *error)
{
    const struct vg_event_search all = {
        .where = search->where,
        .is_unlimited = true,
        .check = search->check,
        .owner = search->owner,
    };
    struct details details = { .arena = arena };
    struct vg_event_cursor cursor = { 0 };
    enum vg_reason reason = vg_event_search_run(source, &all, arena, &cursor, error);
    if (reason == VG_OK) {
        struct vg_arena scratch;
        vg_arena_init(&scratch, VG_SCRATCH_BYTES_MAX);
        reason = read_all(&details, &cursor, &scratch, error);
        vg_arena_dispose(&scratch);
        vg_event_cursor_close(&cursor);
    }
    if (reason != VG_OK) {
        return reason;
    }
    *out_ids = details.ids;
    *out_count = details.count;
    return VG_OK;
}
