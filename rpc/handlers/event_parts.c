/* vigil.events.v1.EventService and vigil.events.v2.EventService: what belongs to one event beside
 * the event itself: payload, capture, links. Lineage: events_lineage.c. */
#include <string.h>

#include "core/base/settings.h"
#include "core/events/event_link.h"
#include "core/events/event_payload.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_opened.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#include "vigil/events/v1/single.pb-c.h"
#include "vigil/events/v2/single.pb-c.h"

#define VG_CAPTURE_TYPE      "application/x-pcap"
#define VG_CAPTURE_NAME_SIZE (VG_UUID_TEXT_SIZE + sizeof(".pcap"))

/* ----------------------------------------------------------------------------- the event meant */

static enum vg_reason find_v1(struct vg_call *call, struct vg_event_opened *out_opened)
{
    const Vigil__Events__V1__GetEventRequest *request =
        (const Vigil__Events__V1__GetEventRequest *)call->request;
    return vg_event_opened_v1(call, request, out_opened);
}

static enum vg_reason find_path(struct vg_call *call, struct vg_event_opened *out_opened)
{
    const Vigil__Events__V2__EventPath *path = (const Vigil__Events__V2__EventPath *)call->request;
    return vg_event_opened_v2(call, path->timestamp, path->customer_id, path->event_id, out_opened);
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
    const struct vg_event_opened *opened,
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
    const struct vg_event_opened *opened,
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
    struct vg_event_opened opened;
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
    vg_event_opened_close(&opened);
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
    struct vg_event_opened opened;
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
    vg_event_opened_close(&opened);
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
    const struct vg_event_opened *opened,
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
    struct vg_event_opened opened;
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
    vg_event_opened_close(&opened);
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
    struct vg_event_opened opened;
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
    vg_event_opened_close(&opened);
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

/* The next link and its name, NULL without memory; no link is left: NULL. */
static const struct vg_event_link *take_link(
    struct vg_rows *rows,
    struct vg_arena *arena,
    char **out_name)
{
    struct link_rows *all = VG_CONTAINER_OF(rows, struct link_rows, rows);
    if (all->position == all->count) {
        return NULL;
    }
    const struct vg_event_link *link = &all->links[all->position++];
    *out_name = vg_arena_text(arena, link->name);
    return link;
}

static enum vg_reason next_link_v1(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    char *name = NULL;
    const struct vg_event_link *link = take_link(rows, arena, &name);
    *out_end = link == NULL;
    if (*out_end) {
        return VG_OK;
    }
    Vigil__Events__V1__EventLink *row = vg_arena_alloc(arena, sizeof(*row));
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
    char *name = NULL;
    const struct vg_event_link *link = take_link(rows, arena, &name);
    *out_end = link == NULL;
    if (*out_end) {
        return VG_OK;
    }
    Vigil__Events__V2__EventLink *row = vg_arena_alloc(arena, sizeof(*row));
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
    const struct vg_event_opened *opened,
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

static int list_links_v1(struct vg_call *call)
{
    struct vg_event_opened opened;
    enum vg_reason reason = find_v1(call, &opened);
    if (reason == VG_OK) {
        reason = reply_links(call, &opened, &links_v1);
    }
    vg_event_opened_close(&opened);
    return (int)reason;
}

int vg_events_v1_list_links(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    Vigil__Events__V1__EventLinkList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_links_v1);
}

static int list_links_v2(struct vg_call *call)
{
    struct vg_event_opened opened;
    enum vg_reason reason = find_path(call, &opened);
    if (reason == VG_OK) {
        reason = reply_links(call, &opened, &links_v2);
    }
    vg_event_opened_close(&opened);
    return (int)reason;
}

int vg_events_v2_list_links(
    struct vg_call *call,
    const Vigil__Events__V2__EventPath *request,
    Vigil__Events__V2__EventLinkList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_links_v2);
}
