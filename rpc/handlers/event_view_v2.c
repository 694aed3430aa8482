/* The v2 view of an event, as wire bytes: stored ones copied, the rest written before them. */
#include <string.h>

#include "core/base/assert.h"
#include "core/events/event_access.h"
#include "core/record/event_record_field.h"
#include "core/record/record_writer.h"
#include "rpc/handlers/event_view.h"

/* Runs of stored bytes that are copied; fields of one kind stand together, so there are few. */
#define VG_RUNS_MAX 24u

/* Bytes that the head takes at most beside the texts of customer, location and cases. */
#define VG_HEAD_MAX 256u

/* v1's ATTACHMENT_ADDED, which v2 does not have, and what it shows instead. */
#define VG_CASE_ATTACHMENT_ADDED 1
#define VG_CASE_WORKING_SOC      5

enum vg_case_field {
    VG_CASE_FIELD_ID = 1,
    VG_CASE_FIELD_SUBJECT = 2,
    VG_CASE_FIELD_CATEGORY_ID = 3,
    VG_CASE_FIELD_CATEGORY_NAME = 4,
    VG_CASE_FIELD_SERVICE_ID = 5,
    VG_CASE_FIELD_SERVICE_NAME = 6,
    VG_CASE_FIELD_STATUS = 7,
    VG_CASE_FIELD_PRIORITY = 8,
};

enum vg_location_field {
    VG_LOCATION_FIELD_ID = 1,
    VG_LOCATION_FIELD_NAME = 2,
    VG_LOCATION_FIELD_SHORT_NAME = 3,
};

struct making {
    const struct vg_event_view *view;
    const struct vg_event_id *id;
    const struct vg_event_view_members *members;
    struct vg_bytes runs[VG_RUNS_MAX];
    size_t run_count;
    struct vg_bytes properties; /* content of the stored list */
    struct vg_bytes cases;      /* packed ids */
    int64_t location_id;
    bool has_comments;
    bool has_properties;
    bool has_sub_events;
};

/* ----------------------------------------------------------------------------- what is copied */

/* Add a field to what is copied; a field behind the last one makes its run longer. */
static enum vg_reason copy_field(struct making *making, struct vg_bytes whole)
{
    if (making->run_count != 0) {
        struct vg_bytes *last = &making->runs[making->run_count - 1];
        if (last->data + last->size == whole.data) {
            last->size += whole.size;
            return VG_OK;
        }
    }
    if (making->run_count == VG_RUNS_MAX) {
        return VG_STORE_CORRUPT;
    }
    making->runs[making->run_count++] = whole;
    return VG_OK;
}

static enum vg_reason look_at(struct making *making, const struct vg_wire_field *field)
{
    const struct vg_event_view_members *members = making->members;
    switch (field->number) {
    case VG_EVENT_FIELD_COMMENTS:
        making->has_comments = true;
        return members->comments ? copy_field(making, field->whole) : VG_OK;
    case VG_EVENT_FIELD_SUB_EVENTS:
        making->has_sub_events = true;
        return members->sub_events ? copy_field(making, field->whole) : VG_OK;
    case VG_EVENT_FIELD_PROPERTIES:
        making->has_properties = true;
        making->properties = field->bytes;
        return members->all_properties ? copy_field(making, field->whole) : VG_OK;
    case VG_EVENT_FIELD_LOCATION_ID:
        making->location_id = (int64_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_CASE_IDS:
        making->cases = field->bytes;
        return VG_OK;
    default:
        return field->number <= VG_EVENT_FIELD_PUBLIC_LAST ? copy_field(making, field->whole)
                                                           : VG_OK;
    }
}

static enum vg_reason look_through(struct making *making, struct vg_bytes record)
{
    struct vg_wire_field field;
    enum vg_wire_step step;
    while ((step = vg_wire_next(&record, &field)) == VG_WIRE_STEP_FIELD) {
        enum vg_reason reason = look_at(making, &field);
        if (reason != VG_OK) {
            return reason;
        }
    }
    return step == VG_WIRE_STEP_BROKEN ? VG_STORE_CORRUPT : VG_OK;
}

/* ----------------------------------------------------------------- what is written before it */

/* The next readable case of the packed ids; NULL at their end. */
static const struct vg_case *next_case(const struct making *making, struct vg_bytes *rest)
{
    while (rest->size != 0) {
        uint64_t id;
        const uint8_t *end = rest->data + rest->size;
        const uint8_t *next = vg_wire_read_varint(rest->data, end, &id);
        if (next == NULL) {
            return NULL;
        }
        *rest = vg_bytes(next, (size_t)(end - next));
        const struct vg_case *subject = vg_directory_case(making->view->directory, (int64_t)id);
        if (subject != NULL && vg_event_access_reads_case(making->view->principal, subject)) {
            return subject;
        }
    }
    return NULL;
}

static size_t case_bound(const struct vg_case *subject)
{
    return 8 * VG_RECORD_NUMBER_MAX + VG_RECORD_BYTES_MAX(vg_bytes_text(subject->subject).size) +
           VG_RECORD_BYTES_MAX(vg_bytes_text(subject->category_name).size) +
           VG_RECORD_BYTES_MAX(vg_bytes_text(subject->service).size);
}

static void write_number_unless_zero(
    struct vg_record_writer *writer,
    uint32_t number,
    int64_t value)
{
    if (value != 0) {
        vg_record_write_number(writer, number, value);
    }
}

static void write_case(struct vg_record_writer *writer, const struct vg_case *subject)
{
    const uint8_t *end = writer->next;
    int32_t status =
        subject->status == VG_CASE_ATTACHMENT_ADDED ? VG_CASE_WORKING_SOC : subject->status;
    write_number_unless_zero(writer, VG_CASE_FIELD_PRIORITY, subject->priority);
    write_number_unless_zero(writer, VG_CASE_FIELD_STATUS, status);
    vg_record_write_optional(writer, VG_CASE_FIELD_SERVICE_NAME, vg_bytes_text(subject->service));
    write_number_unless_zero(writer, VG_CASE_FIELD_SERVICE_ID, subject->service_id);
    vg_record_write_optional(
        writer,
        VG_CASE_FIELD_CATEGORY_NAME,
        vg_bytes_text(subject->category_name));
    write_number_unless_zero(writer, VG_CASE_FIELD_CATEGORY_ID, subject->category_id);
    vg_record_write_optional(writer, VG_CASE_FIELD_SUBJECT, vg_bytes_text(subject->subject));
    vg_record_write_number(writer, VG_CASE_FIELD_ID, subject->id);
    vg_record_write_head(writer, VG_LIST_FIELD_ITEMS, end);
}

/* The list is written from its end, so the cases are collected first. */
static enum vg_reason write_cases(
    struct making *making,
    struct vg_record_writer *writer,
    uint32_t case_count)
{
    if (making->id->type == VG_EVENT_TYPE_RAW) {
        return VG_OK; /* null */
    }
    const struct vg_case **cases =
        vg_arena_alloc(making->view->arena, (case_count + 1) * sizeof(*cases));
    if (cases == NULL) {
        return VG_REQUEST_MEMORY;
    }
    struct vg_bytes rest = making->cases;
    uint32_t found = 0;
    while (found < case_count && (cases[found] = next_case(making, &rest)) != NULL) {
        found++;
    }
    const uint8_t *end = writer->next;
    while (found > 0) {
        write_case(writer, cases[--found]);
    }
    vg_record_write_head(writer, VG_EVENT_FIELD_ASSOCIATED_CASES, end);
    return VG_OK;
}

static void write_location(
    struct vg_record_writer *writer,
    int64_t id,
    const struct vg_location *location)
{
    if (id == 0) {
        return;
    }
    const uint8_t *end = writer->next;
    if (location != NULL) {
        vg_record_write_optional(
            writer,
            VG_LOCATION_FIELD_SHORT_NAME,
            vg_bytes_text(location->short_name));
        vg_record_write_optional(writer, VG_LOCATION_FIELD_NAME, vg_bytes_text(location->name));
    }
    vg_record_write_number(writer, VG_LOCATION_FIELD_ID, id);
    vg_record_write_head(writer, VG_EVENT_FIELD_LOCATION, end);
}

static bool is_asked_for(const struct vg_event_view_members *members, struct vg_bytes property)
{
    struct vg_bytes rest = property;
    struct vg_wire_field field;
    while (vg_wire_next(&rest, &field) == VG_WIRE_STEP_FIELD) {
        if (field.number != VG_PROPERTY_FIELD_KEY) {
            continue;
        }
        for (size_t i = 0; i < members->property_count; i++) {
            if (vg_bytes_equal(field.bytes, vg_bytes_text(members->properties[i]))) {
                return true;
            }
        }
    }
    return false;
}

/* The list of those properties that are asked for by name, in their order. */
static enum vg_reason write_properties(struct making *making, struct vg_record_writer *writer)
{
    const struct vg_event_view_members *members = making->members;
    if (members->all_properties || members->property_count == 0) {
        return VG_OK;
    }
    uint8_t *kept = vg_arena_alloc(making->view->arena, making->properties.size);
    if (kept == NULL) {
        return VG_REQUEST_MEMORY;
    }
    size_t size = 0;
    struct vg_bytes rest = making->properties;
    struct vg_wire_field field;
    while (vg_wire_next(&rest, &field) == VG_WIRE_STEP_FIELD) {
        if (field.number == VG_LIST_FIELD_ITEMS && is_asked_for(members, field.bytes)) {
            memcpy(kept + size, field.whole.data, field.whole.size);
            size += field.whole.size;
        }
    }
    vg_record_write_bytes(writer, VG_EVENT_FIELD_PROPERTIES, vg_bytes(kept, size));
    return VG_OK;
}

/* A list that is asked for is there even when the record has none. */
static void write_empty_lists(const struct making *making, struct vg_record_writer *writer)
{
    const struct vg_event_view_members *members = making->members;
    struct vg_bytes empty = vg_bytes(NULL, 0);
    if (members->sub_events && !making->has_sub_events && making->id->type != VG_EVENT_TYPE_RAW) {
        vg_record_write_bytes(writer, VG_EVENT_FIELD_SUB_EVENTS, empty);
    }
    if (members->all_properties && !making->has_properties) {
        vg_record_write_bytes(writer, VG_EVENT_FIELD_PROPERTIES, empty);
    }
    if (members->comments && !making->has_comments) {
        vg_record_write_bytes(writer, VG_EVENT_FIELD_COMMENTS, empty);
    }
}

static void write_identity(
    const struct making *making,
    const struct vg_customer *customer,
    struct vg_record_writer *writer)
{
    if (customer != NULL) {
        vg_record_write_bytes(writer, VG_EVENT_FIELD_CUSTOMER, customer->info_wire);
    } else {
        const uint8_t *end = writer->next;
        vg_record_write_number(writer, 1, making->id->customer_id);
        vg_record_write_head(writer, VG_EVENT_FIELD_CUSTOMER, end);
    }
    char text[VG_EVENT_ID_TEXT_SIZE];
    size_t size = vg_event_id_print(making->id, text);
    size_t uuid_size = VG_UUID_TEXT_SIZE - 1;
    vg_record_write_bytes(
        writer,
        VG_EVENT_FIELD_UUID,
        vg_bytes(text + size - uuid_size, uuid_size));
    vg_record_write_number(writer, VG_EVENT_FIELD_TYPE, making->id->type);
    vg_record_write_bytes(writer, VG_EVENT_FIELD_ID, vg_bytes(text, size));
}

/* ------------------------------------------------------------------------------- the whole view */

static enum vg_reason make_view(
    struct making *making,
    struct vg_bytes record,
    struct vg_bytes *out_bytes)
{
    enum vg_reason reason = look_through(making, record);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_event_view *view = making->view;
    const struct vg_customer *customer =
        vg_directory_customer(view->directory, making->id->customer_id);
    const struct vg_location *location =
        making->location_id == 0 ? NULL
                                 : vg_directory_location(view->directory, making->location_id);
    size_t bound = VG_HEAD_MAX + making->properties.size;
    bound += customer == NULL ? 0 : customer->info_wire.size;
    bound += location == NULL
                 ? 0
                 : vg_bytes_text(location->name).size + vg_bytes_text(location->short_name).size;
    uint32_t case_count = 0;
    struct vg_bytes rest = making->cases;
    for (const struct vg_case *subject; (subject = next_case(making, &rest)) != NULL;) {
        bound += case_bound(subject);
        case_count++;
    }
    uint8_t *memory = vg_arena_alloc(view->arena, bound + record.size);
    if (memory == NULL) {
        return VG_REQUEST_MEMORY;
    }
    struct vg_record_writer writer = { .floor = memory, .next = memory + bound };
    reason = write_cases(making, &writer, case_count);
    if (reason == VG_OK) {
        reason = write_properties(making, &writer);
    }
    if (reason != VG_OK) {
        return reason;
    }
    write_location(&writer, making->location_id, location);
    write_empty_lists(making, &writer);
    write_identity(making, customer, &writer);
    uint8_t *end = memory + bound;
    for (size_t i = 0; i < making->run_count; i++) {
        memcpy(end, making->runs[i].data, making->runs[i].size);
        end += making->runs[i].size;
    }
    VG_ASSERT(end <= memory + bound + record.size);
    *out_bytes = vg_bytes(writer.next, (size_t)(end - writer.next));
    return VG_OK;
}

enum vg_reason vg_event_view_wire(
    const struct vg_event_view *view,
    const struct vg_event_id *id,
    struct vg_bytes record,
    const struct vg_event_view_members *members,
    struct vg_bytes *out_bytes,
    struct vg_error *error)
{
    struct making making = { .view = view, .id = id, .members = members };
    enum vg_reason reason = make_view(&making, record, out_bytes);
    return reason == VG_OK ? VG_OK : vg_error_set(error, reason, NULL);
}
