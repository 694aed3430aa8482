/* vigil.events.v1.EventService and vigil.events.v2.EventService: what belongs to one event beside
 * the event itself: payload, capture, links, lineage. */
#include <string.h>

#include "core/base/settings.h"
#include "core/events/event_lineage.h"
#include "core/events/event_link.h"
#include "core/events/event_payload.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_user.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#include "vigil/events/v1/single.pb-c.h"
#include "vigil/events/v2/single.pb-c.h"

#define VG_CAPTURE_TYPE      "application/x-pcap"
#define VG_CAPTURE_NAME_SIZE (VG_UUID_TEXT_SIZE + sizeof(".pcap"))
#define VG_LINEAGE_DEFAULT   25

/* ----------------------------------------------------------------------------- the event meant */

/* An event and what it was read on. */
struct opened {
    struct vg_event_record record;
    struct vg_event_reading reading;
};

/* Read the event. Release in any case. */
static enum vg_reason open_event(
    struct vg_call *call,
    struct vg_event_id *id,
    struct opened *out_opened)
{
    *out_opened = (struct opened){ 0 };
    enum vg_reason reason = id->type == VG_EVENT_TYPE_UNSET
                                ? vg_event_calls_read_either(call, id, &out_opened->reading)
                                : vg_event_calls_read(call, id, &out_opened->reading);
    return reason != VG_OK ? reason
                           : vg_event_record_unpack(
                                 id,
                                 out_opened->reading.record,
                                 &call->arena,
                                 &out_opened->record,
                                 &call->error);
}

static void close_event(struct opened *opened)
{
    vg_event_reading_release(&opened->reading);
}

/* The class is part of a v1 path. An id that is no UUID is one that no event has. */
static enum vg_reason find_v1(struct vg_call *call, struct opened *out_opened)
{
    const Vigil__Events__V1__GetEventRequest *request =
        (const Vigil__Events__V1__GetEventRequest *)call->request;
    *out_opened = (struct opened){ 0 };
    enum vg_reason reason = vg_event_calls_allow(call, request->customer_id);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_id id = {
        .type = (enum vg_event_type)request->type,
        .timestamp = request->timestamp,
        .customer_id = request->customer_id,
    };
    if (!vg_uuid_parse(vg_bytes_text(request->event_id), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_EVENT_NOT_FOUND, NULL);
        return vg_error_field(&call->error, NULL, request->event_id);
    }
    return open_event(call, &id, out_opened);
}

static enum vg_reason find_v2(
    struct vg_call *call,
    vg_time timestamp,
    int64_t customer_id,
    const char *uuid,
    struct opened *out_opened)
{
    *out_opened = (struct opened){ 0 };
    struct vg_event_id id = { .timestamp = timestamp, .customer_id = customer_id };
    enum vg_reason reason = vg_event_calls_allow(call, customer_id);
    if (reason == VG_OK && !vg_uuid_parse(vg_bytes_text(uuid), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, NULL);
        reason = vg_error_field(&call->error, "eventID", uuid);
    }
    return reason == VG_OK ? open_event(call, &id, out_opened) : reason;
}

static enum vg_reason find_path(struct vg_call *call, struct opened *out_opened)
{
    const Vigil__Events__V2__EventPath *path = (const Vigil__Events__V2__EventPath *)call->request;
    return find_v2(call, path->timestamp, path->customer_id, path->event_id, out_opened);
}

/* ------------------------------------------------------------------------------------- payload */

static enum vg_reason refuse_payload(struct vg_call *call, const struct vg_event_id *id)
{
    char text[VG_EVENT_ID_TEXT_SIZE];
    (void)vg_event_id_print(id, text);
    (void)vg_error_set(&call->error, VG_PAYLOAD_NOT_FOUND, NULL);
    return vg_error_field(&call->error, NULL, text);
}

/* The payload of an opened event; on success it is to be released. */
static enum vg_reason find_payload(
    struct vg_call *call,
    const struct opened *opened,
    struct vg_event_payload *out_payload)
{
    struct vg_event_store source =
        vg_event_calls_store(call, call->service->node->settings->snapshot_age_ms);
    bool found = false;
    enum vg_reason reason = vg_event_payload_find(
        &source,
        &opened->reading.snapshot,
        &opened->record,
        &call->arena,
        out_payload,
        &found,
        &call->error);
    return reason == VG_OK && !found ? refuse_payload(call, &opened->record.id) : reason;
}

/* The members of a payload's answer, which both versions share. */
struct payload_texts {
    char *id;
    char *payload;
    int type;
};

static enum vg_reason make_texts(
    struct vg_call *call,
    const struct opened *opened,
    struct payload_texts *out_texts)
{
    struct vg_event_payload payload;
    enum vg_reason reason = find_payload(call, opened, &payload);
    if (reason != VG_OK) {
        return reason;
    }
    char id[VG_EVENT_ID_TEXT_SIZE];
    size_t size = vg_event_id_print(&opened->record.id, id);
    /* Text of the payload and its form in the answer: more than small requests may take. */
    vg_arena_set_max(&call->arena, call->arena.bytes_max + 2 * payload.data.size);
    *out_texts = (struct payload_texts){
        .id = vg_arena_text(&call->arena, vg_bytes(id, size)),
        .payload = vg_event_payload_text(&payload, &call->arena),
        .type = (int)payload.type,
    };
    vg_event_payload_release(&payload);
    return out_texts->id != NULL && out_texts->payload != NULL
               ? VG_OK
               : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static int get_payload_v1(struct vg_call *call)
{
    Vigil__Events__V1__EventPayload *answer = (Vigil__Events__V1__EventPayload *)call->reply.answer;
    struct opened opened;
    struct payload_texts texts;
    enum vg_reason reason = find_v1(call, &opened);
    if (reason == VG_OK) {
        reason = make_texts(call, &opened, &texts);
    }
    if (reason == VG_OK) {
        answer->id = texts.id;
        answer->has_type = true;
        answer->type = (Vigil__Events__V1__PayloadType)texts.type;
        answer->payload = texts.payload;
    }
    close_event(&opened);
    return (int)reason;
}

int vg_events_v1_get_payload(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    Vigil__Events__V1__EventPayload *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, get_payload_v1);
}

static int get_payload_v2(struct vg_call *call)
{
    Vigil__Events__V2__EventPayload *answer = (Vigil__Events__V2__EventPayload *)call->reply.answer;
    struct opened opened;
    struct payload_texts texts;
    enum vg_reason reason = find_path(call, &opened);
    if (reason == VG_OK) {
        reason = make_texts(call, &opened, &texts);
    }
    if (reason == VG_OK) {
        answer->id = texts.id;
        answer->has_type = true;
        answer->type = (Vigil__Events__V2__PayloadType)texts.type;
        answer->payload = texts.payload;
    }
    close_event(&opened);
    return (int)reason;
}

int vg_events_v2_get_payload(
    struct vg_call *call,
    const Vigil__Events__V2__EventPath *request,
    Vigil__Events__V2__EventPayload *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, get_payload_v2);
}

/* ------------------------------------------------------------------------------------- capture */

/* The file, and the words that go with it in call->reply. */
static enum vg_reason make_capture(
    struct vg_call *call,
    const struct opened *opened,
    struct vg_bytes *out_file,
    char **out_name)
{
    struct vg_event_payload payload;
    enum vg_reason reason = find_payload(call, opened, &payload);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_bytes file = { 0 };
    char *name = vg_arena_alloc(&call->arena, VG_CAPTURE_NAME_SIZE);
    if (!vg_event_payload_is_capture(&payload)) {
        reason = refuse_payload(call, &opened->record.id);
    } else {
        vg_arena_set_max(&call->arena, call->arena.bytes_max + payload.data.size);
        file = vg_event_payload_capture(&payload, &call->arena);
        if (file.data == NULL || name == NULL) {
            reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
    }
    vg_event_payload_release(&payload);
    if (reason == VG_OK) {
        vg_uuid_print(&opened->record.id.uuid, name);
        memcpy(name + VG_UUID_TEXT_SIZE - 1, ".pcap", sizeof(".pcap"));
        call->reply.content_type = VG_CAPTURE_TYPE;
        call->reply.file_name = name;
        *out_name = name;
        *out_file = file;
    }
    return reason;
}

/* Bytes as a member of a message, which only reads them. */
static ProtobufCBinaryData member_bytes(struct vg_bytes bytes)
{
    union {
        const uint8_t *lent;
        uint8_t *member;
    } both = { bytes.data };
    return (ProtobufCBinaryData){ .len = bytes.size, .data = both.member };
}

static int get_pcap_v1(struct vg_call *call)
{
    Vigil__Events__V1__EventCapture *answer = (Vigil__Events__V1__EventCapture *)call->reply.answer;
    struct opened opened;
    struct vg_bytes file;
    enum vg_reason reason = find_v1(call, &opened);
    if (reason == VG_OK) {
        reason = make_capture(call, &opened, &file, &answer->file_name);
    }
    if (reason == VG_OK) {
        answer->has_data = true;
        answer->data = member_bytes(file);
        answer->content_type = vg_answer_text(VG_CAPTURE_TYPE);
    }
    close_event(&opened);
    return (int)reason;
}

int vg_events_v1_get_pcap(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    Vigil__Events__V1__EventCapture *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, get_pcap_v1);
}

static int get_pcap_v2(struct vg_call *call)
{
    Vigil__Events__V2__EventCapture *answer = (Vigil__Events__V2__EventCapture *)call->reply.answer;
    struct opened opened;
    struct vg_bytes file;
    enum vg_reason reason = find_path(call, &opened);
    if (reason == VG_OK) {
        reason = make_capture(call, &opened, &file, &answer->file_name);
    }
    if (reason == VG_OK) {
        answer->has_data = true;
        answer->data = member_bytes(file);
        answer->content_type = vg_answer_text(VG_CAPTURE_TYPE);
    }
    close_event(&opened);
    return (int)reason;
}

int vg_events_v2_get_pcap(
    struct vg_call *call,
    const Vigil__Events__V2__EventPath *request,
    Vigil__Events__V2__EventCapture *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, get_pcap_v2);
}

/* --------------------------------------------------------------------------------------- links */

/* Both versions show a link alike. */
struct link_rows {
    struct vg_rows rows;
    const struct vg_event_link *links;
    size_t count;
    size_t position;
};

static enum vg_reason next_link_v1(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct link_rows *all = VG_CONTAINER_OF(rows, struct link_rows, rows);
    *out_end = all->position == all->count;
    if (*out_end) {
        return VG_OK;
    }
    Vigil__Events__V1__EventLink *row = vg_arena_alloc(arena, sizeof(*row));
    const struct vg_event_link *link = &all->links[all->position++];
    char *name = vg_arena_text(arena, link->name);
    if (row == NULL || name == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__events__v1__event_link__init(row);
    row->name = name;
    row->has_type = true;
    row->type = (Vigil__Events__V1__LinkType)link->type;
    row->uri = link->uri;
    *out_row = (struct vg_reply_row){ .message = &row->base };
    return VG_OK;
}

static enum vg_reason next_link_v2(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct link_rows *all = VG_CONTAINER_OF(rows, struct link_rows, rows);
    *out_end = all->position == all->count;
    if (*out_end) {
        return VG_OK;
    }
    Vigil__Events__V2__EventLink *row = vg_arena_alloc(arena, sizeof(*row));
    const struct vg_event_link *link = &all->links[all->position++];
    char *name = vg_arena_text(arena, link->name);
    if (row == NULL || name == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__events__v2__event_link__init(row);
    row->name = name;
    row->has_type = true;
    row->type = (Vigil__Events__V2__LinkType)link->type;
    row->uri = link->uri;
    *out_row = (struct vg_reply_row){ .message = &row->base };
    return VG_OK;
}

static void close_links(struct vg_rows *rows)
{
    (void)rows; /* all in the call's arena */
}

static const struct vg_rows_class links_v1 = { .next = next_link_v1, .close = close_links };
static const struct vg_rows_class links_v2 = { .next = next_link_v2, .close = close_links };

static enum vg_reason reply_links(
    struct vg_call *call,
    const struct opened *opened,
    const struct vg_rows_class *class)
{
    struct link_rows *rows = vg_arena_calloc(&call->arena, 1, sizeof(*rows));
    struct vg_event_link *links = NULL;
    if (rows == NULL || vg_event_link_make(
                            call->service->node->settings->event_links,
                            &opened->record,
                            &call->arena,
                            &links,
                            &rows->count) != VG_OK) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    rows->rows.class = class;
    rows->links = links;
    call->reply.rows = &rows->rows;
    call->reply.limit = 0;
    call->reply.offset = 0;
    call->reply.count = (int64_t)rows->count;
    return VG_OK;
}

int vg_events_v1_list_links(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    Vigil__Events__V1__EventLinkList *answer)
{
    (void)request;
    (void)answer;
    struct opened opened;
    enum vg_reason reason = find_v1(call, &opened);
    if (reason == VG_OK) {
        reason = reply_links(call, &opened, &links_v1);
    }
    close_event(&opened);
    return (int)reason;
}

int vg_events_v2_list_links(
    struct vg_call *call,
    const Vigil__Events__V2__EventPath *request,
    Vigil__Events__V2__EventLinkList *answer)
{
    (void)request;
    (void)answer;
    struct opened opened;
    enum vg_reason reason = find_path(call, &opened);
    if (reason == VG_OK) {
        reason = reply_links(call, &opened, &links_v2);
    }
    close_event(&opened);
    return (int)reason;
}

/* ------------------------------------------------------------------------------------- lineage */

/* A page of the lineage of one event. Lives in the arena of its call. */
struct lineage_rows {
    struct vg_rows rows;
    struct vg_event_store source;
    struct opened opened;
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
    close_event(&lineage->opened);
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
        reason = find_v2(
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
        close_event(&lineage->opened);
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
