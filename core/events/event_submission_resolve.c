/* What a submission refers to, and the record it makes. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/events/event_access.h"
#include "core/events/event_merge.h"
#include "core/events/event_submission.h"
#include "core/events/event_table.h"
#include "core/record/record_writer.h"

#define VG_TEXT_SHOWN_MAX 96 /* characters of a refused value in a message */

/* Note why the event is refused: `what` and the value, in the form of the guide. */
static enum vg_reason refuse(
    struct vg_event_submission *submission,
    struct vg_arena *arena,
    const char *what,
    const char *field,
    const char *value)
{
    submission->reason = VG_INVALID_REFERENCE;
    submission->message =
        vg_arena_printf(arena, "Invalid %s: %.*s", what, VG_TEXT_SHOWN_MAX, value);
    submission->field = field;
    submission->parameter = value;
    return submission->reason;
}

static enum vg_reason fail(struct vg_event_submission *submission, enum vg_reason reason)
{
    submission->reason = reason;
    submission->message = NULL;
    return reason;
}

static const char *number_text(struct vg_arena *arena, int64_t number)
{
    const char *text = vg_arena_printf(arena, "%" PRId64, number);
    return text == NULL ? "" : text;
}

/* The path of a list's element. */
static const char *indexed(struct vg_arena *arena, const char *list, size_t index)
{
    const char *path = vg_arena_printf(arena, "%s[%zu]", list, index);
    return path == NULL ? list : path;
}

/* ------------------------------------------------------------------------------------ customer */

static enum vg_reason resolve_customer(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context)
{
    struct vg_event_id *id = &submission->part.id;
    const struct vg_customer *customer;
    const char *shown = input->id_customer;
    const char *field = "id.customer";
    if (input->id_text != NULL || shown == NULL) {
        int64_t number = input->id_text != NULL ? id->customer_id : context->principal->customer_id;
        customer = vg_directory_customer(context->directory, number);
        field = input->id_text != NULL ? "id" : field;
        if (customer == NULL || !vg_principal_covers(context->principal, customer->id)) {
            return refuse(
                submission,
                context->arena,
                "customer",
                field,
                number_text(context->arena, number));
        }
    } else {
        customer = vg_directory_customer_named(context->directory, vg_bytes_text(shown));
        if (customer == NULL || !vg_principal_covers(context->principal, customer->id)) {
            return refuse(submission, context->arena, "customer", field, shown);
        }
    }
    if (input->id_customer_domain != NULL &&
        (customer->domain_name == NULL ||
         strcasecmp(customer->domain_name, input->id_customer_domain) != 0)) {
        return refuse(
            submission,
            context->arena,
            "customerDomain",
            "id.customerDomain",
            input->id_customer_domain);
    }
    if (!vg_principal_may(context->principal, VG_FUNCTION_SUBMIT_EVENT, customer->id)) {
        submission->reason = VG_ACCESS_DENIED;
        submission->message = vg_arena_printf(
            context->arena,
            "Access denied to customer: %.*s",
            VG_TEXT_SHOWN_MAX,
            customer->short_name);
        submission->field = field;
        submission->parameter = customer->short_name;
        return submission->reason;
    }
    id->customer_id = customer->id;
    return VG_OK;
}

/* ---------------------------------------------------------------------------- what it names */

static enum vg_reason resolve_location(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context)
{
    if (input->location == NULL) {
        return VG_OK;
    }
    const struct vg_location *location =
        vg_directory_location_named(context->directory, vg_bytes_text(input->location));
    if (location == NULL ||
        (location->customer_id != 0 && location->customer_id != submission->part.id.customer_id)) {
        return refuse(submission, context->arena, "location", "location", input->location);
    }
    submission->part.location_id = location->id;
    return VG_OK;
}

/* Add a case to the list, unless it is there. `index` SIZE_MAX: it is the single one. */
static enum vg_reason add_case(
    struct vg_event_submission *submission,
    const struct vg_event_submit_context *context,
    int64_t *cases,
    int64_t case_id,
    size_t index)
{
    const struct vg_case *subject = vg_directory_case(context->directory, case_id);
    if (subject == NULL || subject->customer_id != submission->part.id.customer_id ||
        !vg_event_access_reads_case(context->principal, subject)) {
        return refuse(
            submission,
            context->arena,
            "case",
            index == SIZE_MAX ? "associatedCaseID"
                              : indexed(context->arena, "associatedCaseIDs", index),
            number_text(context->arena, case_id));
    }
    for (uint32_t i = 0; i < submission->part.case_count; i++) {
        if (cases[i] == case_id) {
            return VG_OK;
        }
    }
    cases[submission->part.case_count++] = case_id;
    return VG_OK;
}

static enum vg_reason resolve_cases(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context)
{
    size_t count = input->case_count + (input->has_case ? 1 : 0);
    if (count == 0) {
        return VG_OK;
    }
    if (count > VG_LIMIT_EVENT_CASES) {
        return fail(submission, VG_EVENT_TOO_LARGE);
    }
    int64_t *cases = vg_arena_calloc(context->arena, count, sizeof(*cases));
    if (cases == NULL) {
        return fail(submission, VG_REQUEST_MEMORY);
    }
    submission->part.cases = cases;
    if (input->has_case) {
        enum vg_reason reason = add_case(submission, context, cases, input->case_id, SIZE_MAX);
        if (reason != VG_OK) {
            return reason;
        }
    }
    for (size_t i = 0; i < input->case_count; i++) {
        enum vg_reason reason = add_case(submission, context, cases, input->case_ids[i], i);
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

static enum vg_reason resolve_sub_events(
    struct vg_event_submission *submission,
    const struct vg_event_submit_context *context)
{
    const struct vg_event_record *part = &submission->part;
    for (uint32_t i = 0; i < part->sub_event_count; i++) {
        struct vg_event_id id;
        if (vg_event_id_parse(part->sub_events[i], &id) != VG_EVENT_ID_FORM_OK ||
            id.customer_id != part->id.customer_id) {
            return refuse(
                submission,
                context->arena,
                "subEvent",
                indexed(context->arena, "subEvents", i),
                (const char *)part->sub_events[i].data);
        }
    }
    return VG_OK;
}

/* Alarm and category are those of the signature now, and are kept (events-api.md 6). */
static void resolve_signature(
    struct vg_event_submission *submission,
    const struct vg_event_submit_context *context)
{
    struct vg_event_record *part = &submission->part;
    const struct vg_signature *signature =
        part->signature.data == NULL ? NULL
                                     : vg_directory_signature(context->directory, part->signature);
    if (signature == NULL) {
        return;
    }
    part->has_alarm = true;
    part->alarm_id = signature->alarm_id;
    part->category_id = signature->category_id;
    part->alarm_short_name = vg_bytes_text(signature->alarm_short_name);
    part->category_short_name = vg_bytes_text(signature->category_short_name);
    part->alarm_description = vg_bytes_text(signature->alarm_description);
    part->category_name = vg_bytes_text(signature->category_name);
}

enum vg_reason vg_event_submission_resolve(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context)
{
    enum vg_reason reason = resolve_customer(submission, input, context);
    if (reason == VG_OK) {
        reason = resolve_location(submission, input, context);
    }
    if (reason == VG_OK) {
        reason = resolve_cases(submission, input, context);
    }
    if (reason == VG_OK) {
        reason = resolve_sub_events(submission, context);
    }
    if (reason != VG_OK) {
        return reason;
    }
    resolve_signature(submission, context);
    struct vg_event_id *id = &submission->part.id;
    if (!submission->has_timestamp) {
        id->timestamp = context->accepted;
    }
    if (!submission->has_uuid) {
        id->uuid = vg_uuid_make(context->random);
    }
    return VG_OK;
}

/* ---------------------------------------------------------------------------------- the record */

/* Properties that a new event gets unless it brings its own (events-api.md 3.2). They are in order
 * of their keys, as are those of the submission. */
static bool add_default_properties(
    struct vg_event_record *record,
    const struct vg_event_submit_context *context)
{
    const struct {
        const char *key;
        const char *value;
    } defaults[] = {
        { "agent.id", context->principal->user_name },
        { "agent.timestamp", context->arrived_text },
        { "engine.timestamp", context->accepted_text },
    };
    size_t count = record->property_count + VG_ARRAY_COUNT(defaults);
    struct vg_event_property *all = vg_arena_alloc(context->arena, count * sizeof(*all));
    struct vg_bytes *values =
        vg_arena_alloc(context->arena, VG_ARRAY_COUNT(defaults) * sizeof(*values));
    if (all == NULL || values == NULL) {
        return false;
    }
    uint32_t filled = 0;
    uint32_t own = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(defaults); i++) {
        struct vg_bytes key = vg_bytes_text(defaults[i].key);
        int order = -1;
        while (own < record->property_count &&
               (order = vg_bytes_compare(record->properties[own].key, key)) < 0) {
            all[filled++] = record->properties[own++];
        }
        if (own < record->property_count && order == 0) {
            continue;
        }
        values[i] = vg_bytes_text(defaults[i].value);
        all[filled++] =
            (struct vg_event_property){ .key = key, .values = &values[i], .value_count = 1 };
    }
    while (own < record->property_count) {
        all[filled++] = record->properties[own++];
    }
    record->properties = all;
    record->property_count = filled;
    return true;
}

/* Pack vigil.record.v1.EventPayload {type = 1, data = 2} and build its key. */
static bool pack_payload(struct vg_event_submission *submission, struct vg_arena *arena)
{
    if (submission->part.payload_type == VG_EVENT_PAYLOAD_NONE) {
        return true;
    }
    size_t bound = VG_RECORD_NUMBER_MAX + VG_RECORD_BYTES_MAX(submission->payload.size);
    uint8_t *memory = vg_arena_alloc(arena, bound);
    struct vg_key key;
    vg_event_id_payload_key(&submission->part.id, &key);
    uint8_t *key_copy = vg_arena_alloc(arena, key.size);
    if (memory == NULL || key_copy == NULL) {
        return false;
    }
    struct vg_record_writer writer = { .floor = memory, .next = memory + bound };
    vg_record_write_bytes(&writer, 2, submission->payload);
    vg_record_write_number(&writer, 1, submission->part.payload_type);
    submission->payload = vg_bytes(writer.next, (size_t)(memory + bound - writer.next));
    memcpy(key_copy, key.data, key.size);
    submission->payload_key = vg_bytes(key_copy, key.size);
    return true;
}

static bool set_key(struct vg_event_submission *submission, struct vg_arena *arena)
{
    struct vg_key key;
    vg_event_id_key(&submission->part.id, &key);
    uint8_t *copy = vg_arena_alloc(arena, key.size);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, key.data, key.size);
    submission->item.key = vg_bytes(copy, key.size);
    return true;
}

enum vg_reason vg_event_submission_prepare(
    struct vg_event_submission *submission,
    const struct vg_event_submit_context *context)
{
    struct vg_arena *arena = context->arena;
    if (!set_key(submission, arena) || !pack_payload(submission, arena)) {
        return fail(submission, VG_REQUEST_MEMORY);
    }
    struct vg_event_record record;
    vg_event_merge_create(submission, &record);
    record.created_by_user_id = context->principal->user_id;
    record.created_in = context->rules->data_center_place;
    submission->user_id = context->principal->user_id;
    if (!add_default_properties(&record, context)) {
        return fail(submission, VG_REQUEST_MEMORY);
    }
    enum vg_reason reason =
        vg_event_record_pack(&record, &context->rules->limits, arena, &submission->head, NULL);
    if (reason == VG_OK &&
        !vg_event_table_row(&record, submission->rules->secret, arena, &submission->row)) {
        reason = VG_REQUEST_MEMORY;
    }
    if (reason != VG_OK) {
        return fail(submission, reason);
    }
    submission->times = record.times;
    submission->notified = record.case_count != 0;
    submission->item.identity = &submission->row;
    submission->item.bytes = submission->head.size + VG_EVENT_TAIL_MAX + submission->payload.size;
    return VG_OK;
}
