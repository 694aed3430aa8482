#include "rpc/handlers/events_assess.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/events/event_ingest.h"
#include "core/ingest/ingest_wait.h"
#include "core/node/node.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_user.h"
#include "rpc/service/service.h"

/* Memory that a target of a list takes. */
#define VG_TARGET_BYTES (sizeof(struct vg_event_assessment_item) + 64)

/* ------------------------------------------------------------------------------------- reading */

void vg_events_assess_blame(
    struct vg_call *call,
    enum vg_reason reason,
    const char *prefix,
    const char *path,
    const char *message)
{
    char whole[160];
    (void)snprintf(whole, sizeof(whole), "%s%s", prefix, path);
    const struct vg_violation violation = { .reason = reason, .field = whole, .message = message };
    vg_violations_add(&call->error.violations, &violation);
}

/* A flag that is both set and cleared. */
static void check_flags(struct vg_events_assess *assess, const struct vg_events_assess_input *input)
{
    for (unsigned i = 0; i < 2; i++) {
        if ((input->enable.bits[i] & input->disable.bits[i]) != 0) {
            vg_events_assess_blame(
                assess->call,
                VG_CONFLICTING_FIELDS,
                assess->prefix,
                input->disable_name,
                "A flag is both enabled and disabled");
            return;
        }
    }
}

static bool is_listed(const int64_t *numbers, size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

static void check_overlap(
    struct vg_events_assess *assess,
    const struct vg_events_assess_input *input)
{
    for (size_t i = 0; i < input->dissociate_count; i++) {
        int64_t id = input->dissociate[i];
        if (is_listed(input->associate, input->associate_count, id) ||
            (input->has_single && input->single != 0 && input->single == id)) {
            char path[64];
            (void)snprintf(path, sizeof(path), "%s[%zu]", input->dissociate_name, i);
            vg_events_assess_blame(
                assess->call,
                VG_CONFLICTING_FIELDS,
                assess->prefix,
                path,
                "The case is both associated and dissociated");
            return;
        }
    }
}

static void name_case(struct vg_events_assess *assess, const char *member, size_t index, int64_t id)
{
    const char *field =
        index == SIZE_MAX
            ? vg_arena_printf(&assess->call->arena, "%s%s", assess->prefix, member)
            : vg_arena_printf(&assess->call->arena, "%s%s[%zu]", assess->prefix, member, index);
    assess->cases[assess->case_count++] = (struct vg_events_assess_case){
        .id = id,
        .field = field == NULL ? member : field,
        .message = vg_arena_printf(&assess->call->arena, "Invalid case: %" PRId64, id),
    };
}

/* The newest association comes first: the single case, then the list. */
static enum vg_reason read_cases(
    struct vg_events_assess *assess,
    const struct vg_events_assess_input *input)
{
    struct vg_arena *arena = &assess->call->arena;
    size_t most = input->associate_count + input->dissociate_count + 1;
    int64_t *associate = vg_arena_alloc(arena, (input->associate_count + 1) * sizeof(*associate));
    assess->cases = vg_arena_alloc(arena, most * sizeof(*assess->cases));
    if (associate == NULL || assess->cases == NULL) {
        return vg_error_set(&assess->call->error, VG_REQUEST_MEMORY, NULL);
    }
    uint32_t count = 0;
    if (input->has_single && input->single != 0) {
        associate[count++] = input->single;
        name_case(assess, "associateToCase", SIZE_MAX, input->single);
    }
    for (size_t i = 0; i < input->associate_count; i++) {
        associate[count++] = input->associate[i];
        name_case(assess, input->associate_name, i, input->associate[i]);
    }
    for (size_t i = 0; i < input->dissociate_count; i++) {
        name_case(assess, input->dissociate_name, i, input->dissociate[i]);
    }
    assess->what.dissociate_all = input->has_single && input->single == 0;
    assess->what.associate = associate;
    assess->what.associate_count = count;
    assess->what.dissociate = input->dissociate;
    assess->what.dissociate_count = (uint32_t)input->dissociate_count;
    check_overlap(assess, input);
    return VG_OK;
}

/* What the lineage tells of it. */
static const char *describe(const struct vg_event_assessment *what, struct vg_arena *arena)
{
    static const char *const severities[] = { "", "low", "medium", "high", "critical" };
    const struct {
        bool is;
        const char *words;
    } parts[] = {
        { what->comment.size != 0, "comment" },
        { what->severity != VG_EVENT_SEVERITY_UNSET, "severity " },
        { (what->enable.bits[0] | what->enable.bits[1]) != 0, "flags enabled" },
        { (what->disable.bits[0] | what->disable.bits[1]) != 0, "flags disabled" },
        { what->acknowledge, "acknowledged" },
        { what->associate_count != 0, "cases associated" },
        { what->dissociate_count != 0 || what->dissociate_all, "cases dissociated" },
        { what->property_count != 0, "properties" },
        { what->handled_by_analyst, "handled by analyst" },
        { what->publish, "published" },
    };
    char text[256] = "Assessed";
    size_t size = strlen(text);
    const char *mark = ": ";
    for (size_t i = 0; i < VG_ARRAY_COUNT(parts); i++) {
        if (!parts[i].is) {
            continue;
        }
        const char *more =
            parts[i].words[strlen(parts[i].words) - 1] == ' ' ? severities[what->severity] : "";
        int written =
            snprintf(text + size, sizeof(text) - size, "%s%s%s", mark, parts[i].words, more);
        VG_ASSERT(written > 0 && size + (size_t)written < sizeof(text));
        size += (size_t)written;
        mark = ", ";
    }
    return vg_arena_text(arena, vg_bytes(text, size));
}

static enum vg_reason set_author(struct vg_events_assess *assess)
{
    struct vg_call *call = assess->call;
    int64_t user_id = call->principal->user_id;
    Vigil__Events__V2__UserInfo *user =
        vg_event_user_make(assess->directory, user_id, &call->arena);
    const char *description = describe(&assess->what, &call->arena);
    size_t size = user == NULL ? 0 : vigil__events__v2__user_info__get_packed_size(user);
    uint8_t *wire = user == NULL ? NULL : vg_arena_alloc(&call->arena, size);
    if (description == NULL || wire == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    assess->what.author = (struct vg_event_author){
        .user_id = user_id,
        .type = VG_EVENT_LINEAGE_ASSESSED,
        .description = vg_bytes_text(description),
        .data_center = assess->rules.data_center,
        .secret = assess->rules.secret,
    };
    assess->what.author_wire = vg_bytes(wire, vigil__events__v2__user_info__pack(user, wire));
    return VG_OK;
}

enum vg_reason vg_events_assess_begin(
    struct vg_call *call,
    const struct vg_events_assess_input *input,
    struct vg_events_assess *out_assess)
{
    const struct vg_node *node = call->service->node;
    *out_assess = (struct vg_events_assess){
        .call = call,
        .directory = vg_directory_snapshot(node->directory),
        .prefix = input->prefix,
    };
    memcpy(out_assess->rules.secret, node->format.secret, sizeof(out_assess->rules.secret));
    out_assess->rules.limits.record_bytes_max = node->settings->event_bytes_max;
    out_assess->rules.limits.property_bytes_max = node->settings->property_bytes_max;
    out_assess->rules.data_center = vg_event_calls_data_center(node->settings->data_center);
    out_assess->what = (struct vg_event_assessment){
        .comment = vg_bytes_text(input->comment),
        .enable = input->enable,
        .disable = input->disable,
        .acknowledge = input->acknowledge,
        .severity = input->severity,
        .handled_by_analyst = input->handled_by_analyst,
        .publish = input->publish,
        .properties = input->properties,
        .property_count = input->property_count,
        .rules = &out_assess->rules,
    };
    check_flags(out_assess, input);
    enum vg_reason reason = read_cases(out_assess, input);
    return reason == VG_OK ? set_author(out_assess) : reason;
}

void vg_events_assess_end(struct vg_events_assess *assess)
{
    vg_directory_snapshot_unref(assess->directory);
    assess->directory = NULL;
}

/* --------------------------------------------------------------------------------------- cases */

enum vg_reason vg_events_assess_refuse_case(
    struct vg_events_assess *assess,
    const struct vg_events_assess_case *named)
{
    struct vg_call *call = assess->call;
    char number[32];
    (void)snprintf(number, sizeof(number), "%" PRId64, named->id);
    const struct vg_violation violation = {
        .reason = VG_INVALID_REFERENCE,
        .field = named->field,
        .parameter = number,
        .message = named->message,
    };
    vg_violations_add(&call->error.violations, &violation);
    return vg_error_from_violations(&call->error);
}

enum vg_reason vg_events_assess_check_cases(struct vg_events_assess *assess, int64_t customer_id)
{
    for (size_t i = 0; i < assess->case_count; i++) {
        const struct vg_case *subject = vg_directory_case(assess->directory, assess->cases[i].id);
        if (subject == NULL || (customer_id != 0 && subject->customer_id != customer_id) ||
            !vg_event_access_reads_case(assess->call->principal, subject)) {
            return vg_events_assess_refuse_case(assess, &assess->cases[i]);
        }
    }
    return VG_OK;
}

const struct vg_events_assess_case *vg_events_assess_wrong_case(
    const struct vg_events_assess *assess,
    const struct vg_event_id *id)
{
    for (size_t i = 0; i < assess->case_count; i++) {
        const struct vg_case *subject = vg_directory_case(assess->directory, assess->cases[i].id);
        if (subject == NULL || subject->customer_id != id->customer_id ||
            id->type == VG_EVENT_TYPE_RAW) {
            return &assess->cases[i];
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- all, or none */

/* Nothing of it was stored, for `reason`, which the error says. */
static enum vg_reason refuse_all(
    struct vg_call *call,
    enum vg_reason reason,
    const struct vg_event_assessment_item *items,
    size_t count)
{
    for (size_t i = 0; i < count && reason != VG_RESOURCE_LIMIT; i++) {
        if (items[i].item.reason == reason) {
            char text[VG_EVENT_ID_TEXT_SIZE];
            (void)vg_event_id_print(&items[i].identity.id, text);
            (void)vg_error_set(&call->error, reason, NULL);
            return vg_error_field(&call->error, NULL, text);
        }
    }
    /* What one change may hold is no matter of time. */
    return reason == VG_RESOURCE_LIMIT
               ? vg_error_set(
                     &call->error,
                     VG_REQUEST_TOO_LARGE,
                     "The events are too large to be changed together; name fewer")
               : reason;
}

enum vg_reason vg_events_assess_all(
    struct vg_events_assess *assess,
    const struct vg_events_assess_target *targets,
    size_t count)
{
    struct vg_call *call = assess->call;
    const struct vg_node *node = call->service->node;
    size_t weight = VG_EVENT_ASSESSMENT_WEIGHT + assess->what.comment.size;
    if (count > node->settings->ingest_queue_max || count > VG_INGEST_SUBMISSION_ITEMS_MAX ||
        count * weight > node->settings->ingest_queue_bytes_max) {
        return vg_error_set(
            &call->error,
            VG_REQUEST_TOO_LARGE,
            "The events are too many to be changed together; name fewer");
    }
    vg_arena_set_max(&call->arena, call->arena.bytes_max + count * VG_TARGET_BYTES);
    struct vg_event_assessment_item *items = vg_arena_alloc(&call->arena, count * sizeof(*items));
    if (items == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_ingest_wait wait;
    vg_ingest_wait_init(&wait);
    wait.group.all_or_nothing = true;
    for (size_t i = 0; i < count; i++) {
        vg_event_ingest_assess(
            &wait.group,
            &items[i],
            &assess->what,
            &targets[i].id,
            targets[i].is_optional);
        items[i].revisions = targets[i].revisions;
        items[i].revision_count = targets[i].revision_count;
    }
    enum vg_reason reason = vg_call_check(call);
    if (reason == VG_OK) {
        bool refused = false;
        reason = vg_ingest_wait_run(node->ingest, &wait, &refused, &call->error);
        if (reason != VG_OK && !refused) {
            reason = refuse_all(call, reason, items, count);
        }
    }
    vg_ingest_wait_dispose(&wait);
    return reason;
}
