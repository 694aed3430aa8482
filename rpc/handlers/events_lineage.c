/* vigil.events.v2.EventService: the lineage of an event. */
#include "core/base/settings.h"
#include "core/events/event_lineage.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_opened.h"
#include "rpc/handlers/event_user.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#include "vigil/events/v2/single.pb-c.h"

#define VG_LINEAGE_DEFAULT 25

/* A page of the lineage of one event. Lives in the arena of its call. */
struct lineage_rows {
    struct vg_rows rows;
    struct vg_event_store source;
    struct vg_event_opened opened;
    const struct vg_directory_snapshot *directory;
    const uint8_t *secret;
    struct vg_event_lineage_list list;
    size_t position; /* rows given or skipped */
    size_t end;
    bool descending;
    struct vg_store_value value;
};

static enum vg_reason read_entry(
    struct lineage_rows *lineage,
    const struct vg_event_lineage_place *place,
    struct vg_event_lineage *out_entry,
    struct vg_error *error)
{
    const struct vg_event_record *record = &lineage->opened.record;
    if (place->revision == 0) {
        *out_entry = vg_event_lineage_creation(
            record,
            lineage->list.created_updated,
            lineage->secret,
            vg_event_calls_data_center((uint32_t)record->created_in));
        return VG_OK;
    }
    enum vg_reason reason = vg_snapshot_check(&lineage->opened.reading.snapshot, error);
    return reason != VG_OK ? reason
                           : vg_event_lineage_read(
                                 &lineage->source,
                                 &lineage->opened.reading.snapshot,
                                 &record->id,
                                 place,
                                 &lineage->value,
                                 out_entry,
                                 error);
}

static bool fill_entry(
    const struct lineage_rows *lineage,
    const struct vg_event_lineage *entry,
    struct vg_arena *arena,
    Vigil__Events__V2__LineageEntry *row)
{
    char id[VG_UUID_TEXT_SIZE];
    vg_uuid_print(&entry->id, id);
    bool is_svg =
        vg_bytes_equal(entry->data_center, vg_event_calls_data_center(VG_DATA_CENTER_SVG));
    vigil__events__v2__lineage_entry__init(row);
    row->id = vg_arena_text(arena, vg_bytes_text(id));
    row->has_type = true;
    row->type = (Vigil__Events__V2__LineageType)entry->type;
    row->has_created_timestamp = true;
    row->created_timestamp = entry->created;
    row->created_by_user = vg_event_user_make(lineage->directory, entry->user_id, arena);
    row->has_event_last_updated_timestamp = true;
    row->event_last_updated_timestamp = entry->last_updated;
    row->description = vg_arena_text(arena, entry->description);
    row->has_data_center = true;
    row->data_center = is_svg ? VIGIL__EVENTS__V2__DATA_CENTER__DATA_CENTER_SVG
                              : VIGIL__EVENTS__V2__DATA_CENTER__DATA_CENTER_OSL;
    return row->id != NULL && row->created_by_user != NULL && row->description != NULL;
}

static enum vg_reason next_entry(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct lineage_rows *lineage = VG_CONTAINER_OF(rows, struct lineage_rows, rows);
    vg_store_value_release(&lineage->value);
    *out_end = lineage->position >= lineage->end;
    if (*out_end) {
        return VG_OK;
    }
    size_t at = lineage->position++;
    const struct vg_event_lineage_place *place =
        &lineage->list.places[lineage->descending ? lineage->list.count - 1 - at : at];
    struct vg_event_lineage entry;
    enum vg_reason reason = read_entry(lineage, place, &entry, error);
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Events__V2__LineageEntry *row = vg_arena_alloc(arena, sizeof(*row));
    if (row == NULL || !fill_entry(lineage, &entry, arena, row)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_row = (struct vg_reply_row){ .message = &row->base };
    return VG_OK;
}

static void close_lineage(struct vg_rows *rows)
{
    struct lineage_rows *lineage = VG_CONTAINER_OF(rows, struct lineage_rows, rows);
    vg_store_value_release(&lineage->value);
    vg_event_opened_close(&lineage->opened);
    vg_directory_snapshot_unref(lineage->directory);
}

static const struct vg_rows_class lineage_class = { .next = next_entry, .close = close_lineage };

static enum vg_reason check_sort(
    struct vg_call *call,
    const Vigil__Events__V2__ListLineageRequest *request)
{
    if (request->n_sort_by <= 1) {
        return VG_OK;
    }
    (void)vg_error_set(&call->error, VG_INVALID_FIELD_VALUE, "sortBy names a key twice");
    return vg_error_field(&call->error, "sortBy", "");
}

static int list_lineage(struct vg_call *call)
{
    const Vigil__Events__V2__ListLineageRequest *request =
        (const Vigil__Events__V2__ListLineageRequest *)call->request;
    const struct vg_node *node = call->service->node;
    struct lineage_rows *lineage = vg_arena_calloc(&call->arena, 1, sizeof(*lineage));
    if (lineage == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    lineage->rows.class = &lineage_class;
    lineage->source = vg_event_calls_store(call, node->settings->snapshot_age_ms);
    lineage->secret = node->format.secret;
    lineage->descending = request->n_sort_by == 0 || ((unsigned)request->sort_by[0] & 1) != 0;
    enum vg_reason reason = check_sort(call, request);
    if (reason == VG_OK) {
        reason = vg_event_opened_v2(
            call,
            request->timestamp,
            request->customer_id,
            request->event_id,
            &lineage->opened);
    }
    if (reason == VG_OK) {
        reason = vg_event_lineage_find(
            &lineage->source,
            &lineage->opened.reading.snapshot,
            &lineage->opened.record,
            &call->arena,
            &lineage->list,
            &call->error);
    }
    if (reason != VG_OK) {
        vg_event_opened_close(&lineage->opened);
        return (int)reason;
    }
    size_t limit = request->has_limit ? (size_t)request->limit : VG_LINEAGE_DEFAULT;
    size_t offset = (size_t)request->offset;
    size_t count = lineage->list.count;
    lineage->position = offset < count ? offset : count;
    lineage->end =
        limit == 0 || limit > count - lineage->position ? count : lineage->position + limit;
    lineage->directory = vg_directory_snapshot(node->directory);
    call->reply.rows = &lineage->rows;
    call->reply.limit = (int64_t)limit;
    call->reply.offset = (int64_t)offset;
    call->reply.count = (int64_t)count;
    return VG_OK;
}

int vg_events_v2_list_lineage(
    struct vg_call *call,
    const Vigil__Events__V2__ListLineageRequest *request,
    Vigil__Events__V2__LineageList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_lineage);
}
