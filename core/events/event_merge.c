#include "core/events/event_merge.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"

void vg_event_merge_pair(
    struct vg_event_flags *state,
    const struct vg_event_flags *submitted,
    const struct vg_event_flag_pair *pair,
    bool created)
{
    bool was_base = vg_event_flags_has(state, pair->base);
    bool was_partial = vg_event_flags_has(state, pair->partial);
    bool has_base = vg_event_flags_has(submitted, pair->base);
    bool has_partial = vg_event_flags_has(submitted, pair->partial);
    /* Where only a part of the submissions has the flag, the event has it in part; from there the
     * flag itself leads to the whole (the guide's rule: a repeated first update is visible). */
    bool base = was_base || (has_base && (created || was_partial));
    bool partial = !base && (was_partial || has_base || has_partial);
    vg_event_flags_clear(state, pair->base);
    vg_event_flags_clear(state, pair->partial);
    if (base) {
        vg_event_flags_set(state, pair->base);
    } else if (partial) {
        vg_event_flags_set(state, pair->partial);
    }
}

static void merge_flags(
    struct vg_event_flags *state,
    const struct vg_event_flags *submitted,
    bool created)
{
    struct vg_event_flags plain = *submitted;
    for (size_t i = 0; i < VG_EVENT_FLAG_PAIR_COUNT; i++) {
        const struct vg_event_flag_pair *pair = &vg_event_flag_pairs[i];
        vg_event_merge_pair(state, submitted, pair, created);
        vg_event_flags_clear(&plain, pair->base);
        vg_event_flags_clear(&plain, pair->partial);
    }
    vg_event_flags_add(state, &plain);
}

/* The server sets the flag itself, without the rule of pairs. */
static void set_notified(struct vg_event_flags *flags)
{
    vg_event_flags_set(flags, VG_EVENT_FLAG_NOTIFIED);
    vg_event_flags_clear(flags, VG_EVENT_FLAG_PARTIALLY_NOTIFIED);
}

/* ------------------------------------------------------------------------------------- creation */

static void default_times(
    const struct vg_event_submission *submission,
    struct vg_event_record *record)
{
    vg_time timestamp = record->id.timestamp;
    struct vg_event_times *times = &record->times;
    if (!submission->has_start) {
        times->first_event =
            submission->has_end && times->last_event < timestamp ? times->last_event : timestamp;
    }
    if (!submission->has_end) {
        times->last_event = submission->has_start && times->first_event > timestamp
                                ? times->first_event
                                : timestamp;
    }
}

void vg_event_merge_create(
    const struct vg_event_submission *submission,
    struct vg_event_record *out_record)
{
    struct vg_event_record record = submission->part;
    default_times(submission, &record);
    record.flags = (struct vg_event_flags){ 0 };
    merge_flags(&record.flags, &submission->part.flags, true);
    if (record.severity == VG_EVENT_SEVERITY_UNSET) {
        record.severity = VG_EVENT_SEVERITY_LOW;
    }
    if (record.count == 0 || record.id.type == VG_EVENT_TYPE_RAW) {
        record.count = 1;
    }
    if (record.case_count != 0) {
        set_notified(&record.flags);
    }
    *out_record = record;
}

/* --------------------------------------------------------------------------------------- update */

static void merge_times(struct vg_event_times *times, const struct vg_event_submission *submission)
{
    if (submission->has_start) {
        times->first_event = submission->part.times.first_event;
    }
    if (submission->has_end) {
        times->last_event = submission->part.times.last_event;
    }
    if (times->first_event > times->last_event) {
        /* Inverted: the one that was not submitted moves. Both submitted are never inverted. */
        if (submission->has_start) {
            times->last_event = times->first_event;
        } else {
            times->first_event = times->last_event;
        }
    }
}

static void merge_text(struct vg_bytes *text, struct vg_bytes submitted)
{
    if (submitted.data != NULL) {
        *text = submitted;
    }
}

static void merge_number(int32_t *number, int32_t submitted, int32_t absent)
{
    if (submitted != absent) {
        *number = submitted;
    }
}

/* Member by member; the geographic location is one member. */
static void merge_endpoint(
    struct vg_event_endpoint *endpoint,
    const struct vg_event_endpoint *submitted)
{
    if (submitted->network.family != VG_NETWORK_NONE) {
        endpoint->network = submitted->network;
    }
    merge_number(&endpoint->port, submitted->port, VG_EVENT_NO_PORT);
    merge_text(&endpoint->host, submitted->host);
    merge_text(&endpoint->user, submitted->user);
    if (submitted->geo.present) {
        endpoint->geo = submitted->geo;
    }
}

static void merge_signature(struct vg_event_record *record, const struct vg_event_record *part)
{
    if (part->signature.data == NULL) {
        return;
    }
    record->signature = part->signature;
    record->has_alarm = part->has_alarm;
    record->alarm_id = part->alarm_id;
    record->alarm_short_name = part->alarm_short_name;
    record->category_short_name = part->category_short_name;
    record->alarm_description = part->alarm_description;
    record->category_id = part->category_id;
    record->category_name = part->category_name;
}

enum vg_reason vg_event_merge_properties(
    struct vg_event_record *record,
    const struct vg_event_property *properties,
    uint32_t property_count,
    struct vg_arena *arena)
{
    if (property_count == 0) {
        return VG_OK;
    }
    size_t count = (size_t)record->property_count + property_count;
    struct vg_event_property *merged = vg_arena_alloc(arena, count * sizeof(*merged));
    if (merged == NULL) {
        return VG_REQUEST_MEMORY;
    }
    uint32_t filled = 0;
    uint32_t old = 0;
    for (uint32_t i = 0; i < property_count; i++) {
        const struct vg_event_property *property = &properties[i];
        int order = 1;
        while (old < record->property_count &&
               (order = vg_bytes_compare(record->properties[old].key, property->key)) < 0) {
            merged[filled++] = record->properties[old++];
        }
        if (old < record->property_count && order == 0) {
            old++;
        }
        merged[filled++] = *property;
    }
    while (old < record->property_count) {
        merged[filled++] = record->properties[old++];
    }
    record->properties = merged;
    record->property_count = filled;
    return VG_OK;
}

/* A set of texts from outside: open addressing, hashed with the secret of the store. */
struct text_set {
    const struct vg_bytes *texts;
    uint32_t *slots; /* index + 1, 0 = free */
    uint32_t mask;
    const uint8_t *secret;
};

/* The slot of `text`, or the free one where it would go. */
static uint32_t *find_slot(const struct text_set *set, struct vg_bytes text)
{
    uint32_t at = (uint32_t)vg_siphash(set->secret, text) & set->mask;
    while (set->slots[at] != 0 && !vg_bytes_equal(set->texts[set->slots[at] - 1], text)) {
        at = (at + 1) & set->mask;
    }
    return &set->slots[at];
}

/* Sub-events accumulate in the order of their coming. */
static enum vg_reason merge_sub_events(
    struct vg_event_record *record,
    const struct vg_event_submission *submission,
    struct vg_arena *arena)
{
    const struct vg_event_record *part = &submission->part;
    if (part->sub_event_count == 0) {
        return VG_OK;
    }
    size_t count = (size_t)record->sub_event_count + part->sub_event_count;
    uint32_t slot_count = 4;
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    struct vg_bytes *merged = vg_arena_alloc(arena, count * sizeof(*merged));
    struct text_set set = {
        .texts = merged,
        .slots = vg_arena_calloc(arena, slot_count, sizeof(uint32_t)),
        .mask = slot_count - 1,
        .secret = submission->rules->secret,
    };
    if (merged == NULL || set.slots == NULL) {
        return VG_REQUEST_MEMORY;
    }
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct vg_bytes text = i < record->sub_event_count
                                   ? record->sub_events[i]
                                   : part->sub_events[i - record->sub_event_count];
        uint32_t *slot = find_slot(&set, text);
        if (*slot == 0) {
            merged[filled++] = text;
            *slot = filled;
        }
    }
    record->sub_events = merged;
    record->sub_event_count = filled;
    return VG_OK;
}

static bool has_number(const int64_t *numbers, uint32_t count, int64_t number)
{
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

enum vg_reason vg_event_merge_cases(
    struct vg_event_record *record,
    const int64_t *cases,
    uint32_t case_count,
    vg_time now,
    struct vg_arena *arena)
{
    if (case_count == 0) {
        return VG_OK;
    }
    size_t count = (size_t)record->case_count + case_count;
    int64_t *merged = vg_arena_alloc(arena, count * sizeof(*merged));
    if (merged == NULL) {
        return VG_REQUEST_MEMORY;
    }
    uint32_t filled = 0;
    for (uint32_t i = 0; i < case_count; i++) {
        if (!has_number(record->cases, record->case_count, cases[i]) &&
            !has_number(merged, filled, cases[i])) {
            merged[filled++] = cases[i];
        }
    }
    if (filled != 0 && record->times.first_notified == 0) {
        record->times.first_notified = now;
        set_notified(&record->flags);
    }
    if (record->case_count != 0) {
        memcpy(merged + filled, record->cases, record->case_count * sizeof(*merged));
    }
    record->cases = merged;
    record->case_count += filled;
    return VG_OK;
}

enum vg_reason vg_event_merge_update(
    struct vg_event_record *record,
    const struct vg_event_submission *submission,
    vg_time now,
    struct vg_arena *arena)
{
    VG_ASSERT(!vg_event_merge_is_final(record));
    const struct vg_event_record *part = &submission->part;
    merge_times(&record->times, submission);
    merge_signature(record, part);
    merge_number(&record->severity, part->severity, VG_EVENT_SEVERITY_UNSET);
    if (record->id.type != VG_EVENT_TYPE_RAW) {
        merge_number(&record->count, part->count, 0);
    }
    merge_number(&record->protocol, part->protocol, VG_EVENT_NO_PROTOCOL);
    merge_number(&record->payload_type, part->payload_type, VG_EVENT_PAYLOAD_NONE);
    merge_text(&record->uri, part->uri);
    merge_text(&record->domain, part->domain);
    merge_text(&record->aggregation_key, part->aggregation_key);
    if (part->location_id != 0) {
        record->location_id = part->location_id;
    }
    merge_endpoint(&record->source, &part->source);
    merge_endpoint(&record->destination, &part->destination);
    merge_flags(&record->flags, &part->flags, false);
    enum vg_reason reason =
        vg_event_merge_properties(record, part->properties, part->property_count, arena);
    if (reason == VG_OK) {
        reason = merge_sub_events(record, submission, arena);
    }
    if (reason == VG_OK) {
        reason = vg_event_merge_cases(record, part->cases, part->case_count, now, arena);
    }
    return reason;
}
