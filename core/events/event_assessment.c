#include "core/events/event_assessment.h"

#include <string.h>

#include "core/base/text_number.h"
#include "core/events/event_merge.h"
#include "core/record/event_record_field.h"
#include "core/record/record_writer.h"

/* Fields of vigil.record.v1.EventComment and of the id of its user. */
enum vg_comment_field {
    VG_COMMENT_FIELD_TIMESTAMP = 1,
    VG_COMMENT_FIELD_USER = 2,
    VG_COMMENT_FIELD_TEXT = 3,
    VG_COMMENT_USER_ID = 1,
};

bool vg_event_assessment_is_key(struct vg_bytes key)
{
    bool begins = true; /* a name */
    for (size_t i = 0; i < key.size; i++) {
        uint8_t c = key.data[i];
        bool lower = c >= 'a' && c <= 'z';
        bool other = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (begins ? !lower : !lower && !other && c != '.') {
            return false;
        }
        begins = c == '.';
    }
    return !begins;
}

/* --------------------------------------------------------------------------------------- flags */

static void set_with_fellow(struct vg_event_flags *flags, unsigned flag, unsigned fellow)
{
    vg_event_flags_set(flags, flag);
    vg_event_flags_clear(flags, fellow);
}

/* Flags are set and cleared as asked for; yet an event is never in both of a pair, so setting one
 * clears the other, and the whole wins over the part. */
static void change_flags(
    struct vg_event_flags *flags,
    const struct vg_event_flags *enable,
    const struct vg_event_flags *disable)
{
    for (unsigned i = 0; i < 2; i++) {
        flags->bits[i] &= ~disable->bits[i];
    }
    vg_event_flags_add(flags, enable);
    for (size_t i = 0; i < VG_EVENT_FLAG_PAIR_COUNT; i++) {
        const struct vg_event_flag_pair *pair = &vg_event_flag_pairs[i];
        if (vg_event_flags_has(enable, pair->base)) {
            set_with_fellow(flags, pair->base, pair->partial);
        } else if (vg_event_flags_has(enable, pair->partial)) {
            set_with_fellow(flags, pair->partial, pair->base);
        }
    }
}

static void assess_flags(
    struct vg_event_record *record,
    const struct vg_event_assessment *assessment)
{
    struct vg_event_flags enable = assessment->enable;
    if (assessment->acknowledge &&
        !vg_event_flags_has(&assessment->disable, VG_EVENT_FLAG_ACKNOWLEDGED)) {
        vg_event_flags_set(&enable, VG_EVENT_FLAG_ACKNOWLEDGED);
    }
    if (assessment->handled_by_analyst) {
        vg_event_flags_set(&enable, VG_EVENT_FLAG_HANDLED_BY_ANALYST);
    }
    if (assessment->severity != VG_EVENT_SEVERITY_UNSET &&
        assessment->severity != record->severity) {
        record->severity = assessment->severity;
        vg_event_flags_set(&enable, VG_EVENT_FLAG_SEVERITY_ADJUSTED);
    }
    if (record->times.first_assessed != 0) {
        vg_event_flags_set(&enable, VG_EVENT_FLAG_REASSESSED);
    }
    change_flags(&record->flags, &enable, &assessment->disable);
}

/* ------------------------------------------------------------------------------------ comments */

static enum vg_reason read_user_id(struct vg_bytes user, int64_t *out_id)
{
    struct vg_wire_field field;
    enum vg_wire_step step;
    while ((step = vg_wire_next(&user, &field)) == VG_WIRE_STEP_FIELD) {
        if (field.number == VG_COMMENT_USER_ID) {
            *out_id = (int64_t)field.value;
        }
    }
    return step == VG_WIRE_STEP_BROKEN ? VG_STORE_CORRUPT : VG_OK;
}

/* Is this stored comment the one that is to be added? */
static enum vg_reason is_repeated(
    struct vg_bytes comment,
    const struct vg_event_assessment *assessment,
    vg_time now,
    bool *out_same)
{
    vg_time timestamp = 0;
    int64_t user_id = 0;
    struct vg_bytes text = { 0 };
    struct vg_wire_field field;
    enum vg_wire_step step;
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && (step = vg_wire_next(&comment, &field)) == VG_WIRE_STEP_FIELD) {
        if (field.number == VG_COMMENT_FIELD_TIMESTAMP) {
            timestamp = (vg_time)field.value;
        } else if (field.number == VG_COMMENT_FIELD_TEXT) {
            text = field.bytes;
        } else if (field.number == VG_COMMENT_FIELD_USER) {
            reason = read_user_id(field.bytes, &user_id);
        }
    }
    if (reason != VG_OK || step == VG_WIRE_STEP_BROKEN) {
        return VG_STORE_CORRUPT;
    }
    *out_same = user_id == assessment->author.user_id &&
                now - timestamp <= VG_EVENT_COMMENT_REPEAT_MS &&
                vg_bytes_equal(text, assessment->comment);
    return VG_OK;
}

static enum vg_reason find_repeated(
    struct vg_bytes comments,
    const struct vg_event_assessment *assessment,
    vg_time now,
    bool *out_found)
{
    struct vg_wire_field field;
    enum vg_wire_step step = VG_WIRE_STEP_END;
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && !*out_found &&
           (step = vg_wire_next(&comments, &field)) == VG_WIRE_STEP_FIELD) {
        if (field.number == VG_LIST_FIELD_ITEMS) {
            reason = is_repeated(field.bytes, assessment, now, out_found);
        }
    }
    return step == VG_WIRE_STEP_BROKEN ? VG_STORE_CORRUPT : reason;
}

/* Behind the others: the oldest comes first. */
static enum vg_reason add_comment(
    struct vg_event_record *record,
    const struct vg_event_assessment *assessment,
    vg_time now,
    struct vg_arena *arena)
{
    bool repeated = false;
    if (assessment->comment.size == 0) {
        return VG_OK;
    }
    enum vg_reason reason = find_repeated(record->comments, assessment, now, &repeated);
    if (reason != VG_OK || repeated) {
        return reason;
    }
    size_t bound = record->comments.size + VG_RECORD_BYTES_MAX(0) + VG_RECORD_NUMBER_MAX +
                   VG_RECORD_BYTES_MAX(assessment->author_wire.size) +
                   VG_RECORD_BYTES_MAX(assessment->comment.size);
    uint8_t *memory = vg_arena_alloc(arena, bound);
    if (memory == NULL) {
        return VG_REQUEST_MEMORY;
    }
    struct vg_record_writer writer = { .floor = memory, .next = memory + bound };
    const uint8_t *end = writer.next;
    vg_record_write_bytes(&writer, VG_COMMENT_FIELD_TEXT, assessment->comment);
    vg_record_write_bytes(&writer, VG_COMMENT_FIELD_USER, assessment->author_wire);
    vg_record_write_number(&writer, VG_COMMENT_FIELD_TIMESTAMP, now);
    vg_record_write_head(&writer, VG_LIST_FIELD_ITEMS, end);
    vg_record_write_raw(&writer, record->comments);
    record->comments = vg_bytes(writer.next, (size_t)(end - writer.next));
    vg_event_flags_set(&record->flags, VG_EVENT_FLAG_COMMENTED);
    return VG_OK;
}

/* --------------------------------------------------------------------------------------- cases */

static bool is_listed(const int64_t *numbers, uint32_t count, int64_t number)
{
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

static enum vg_reason assess_cases(
    struct vg_event_record *record,
    const struct vg_event_assessment *assessment,
    vg_time now,
    struct vg_arena *arena)
{
    if (record->id.type == VG_EVENT_TYPE_RAW) {
        return VG_OK;
    }
    if (assessment->dissociate_all) {
        record->case_count = 0;
    }
    if (assessment->dissociate_count != 0 && record->case_count != 0) {
        int64_t *left = vg_arena_alloc(arena, record->case_count * sizeof(*left));
        uint32_t count = 0;
        if (left == NULL) {
            return VG_REQUEST_MEMORY;
        }
        for (uint32_t i = 0; i < record->case_count; i++) {
            if (!is_listed(
                    assessment->dissociate,
                    assessment->dissociate_count,
                    record->cases[i])) {
                left[count++] = record->cases[i];
            }
        }
        record->cases = left;
        record->case_count = count;
    }
    return vg_event_merge_cases(
        record,
        assessment->associate,
        assessment->associate_count,
        now,
        arena);
}

/* ---------------------------------------------------------------------------------- properties */

/* Who assessed last, and when. */
static enum vg_reason note_assessor(
    struct vg_event_record *record,
    const struct vg_event_assessment *assessment,
    vg_time now,
    struct vg_arena *arena)
{
    struct {
        struct vg_event_property properties[2];
        struct vg_bytes values[2];
        char texts[2][VG_TEXT_NUMBER_SIZE];
    } *note = vg_arena_calloc(arena, 1, sizeof(*note));
    if (note == NULL) {
        return VG_REQUEST_MEMORY;
    }
    const char *const keys[2] = { "argus.assessed.by.userid", "argus.assessed.timestamp" };
    const int64_t numbers[2] = { assessment->author.user_id, now };
    for (unsigned i = 0; i < 2; i++) {
        size_t size = vg_text_number_print_int64(numbers[i], note->texts[i]);
        note->values[i] = vg_bytes(note->texts[i], size);
        note->properties[i] = (struct vg_event_property){
            .key = vg_bytes_text(keys[i]),
            .values = &note->values[i],
            .value_count = 1,
        };
    }
    return vg_event_merge_properties(record, note->properties, 2, arena);
}

enum vg_reason vg_event_assessment_apply(
    struct vg_event_record *record,
    const struct vg_event_assessment *assessment,
    vg_time now,
    struct vg_arena *arena)
{
    /* Flags first: what the server sets below holds, whatever was asked to be cleared. */
    assess_flags(record, assessment);
    enum vg_reason reason = add_comment(record, assessment, now, arena);
    if (reason == VG_OK) {
        reason = assess_cases(record, assessment, now, arena);
    }
    if (reason == VG_OK) {
        reason = note_assessor(record, assessment, now, arena);
    }
    if (reason == VG_OK) {
        reason = vg_event_merge_properties(
            record,
            assessment->properties,
            assessment->property_count,
            arena);
    }
    if (record->times.first_assessed == 0) {
        record->times.first_assessed = now;
    }
    if (assessment->publish && record->times.published > now) {
        record->times.published = now;
    }
    return reason;
}
