/*
 * The JSON reader's state, where it is, and what it says when something is wrong. Internal to
 * gateway/json.
 *
 * Where it is, for error texts, is a stack of steps; one is pushed for every level of the message
 * and costs a few stores. Text is made of it only when there is something to say.
 *
 * Threads: a reader belongs to the thread that runs it.
 */
#ifndef VG_GATEWAY_JSON_JSON_READER_H
#define VG_GATEWAY_JSON_JSON_READER_H

#include "core/base/assert.h"
#include "core/base/error.h"
#include "core/wire/field_path.h"
#include "core/wire/packed_text.h"
#include "gateway/json/json_dialect.h"
#include "gateway/json/json_lex.h"

/* An entry of an object list pushes itself and its key. */
#define VG_JSON_STEPS_PER_OPEN 2u

struct vg_json_reader {
    struct vg_json_lexer lexer;
    const struct vg_json_dialect *dialect;
    const ProtobufCMessageDescriptor *owner; /* of the member being read */
    struct vg_arena *arena;
    struct vg_error *error;
    struct vg_packed_text texts;
    bool no_memory;
    size_t step_count;
    struct vg_path_step steps[VG_JSON_STEPS_PER_OPEN * VG_LIMIT_JSON_DEPTH + 2];
};

static inline bool vg_json_refuse_memory(struct vg_json_reader *reader)
{
    reader->no_memory = true;
    return false;
}

/* Member by member: a struct copied whole would wait for the stores that made it. */
static inline struct vg_path_step *vg_json_push(struct vg_json_reader *reader)
{
    VG_ASSERT(reader->step_count < VG_ARRAY_COUNT(reader->steps));
    struct vg_path_step *step = &reader->steps[reader->step_count++];
    step->index = VG_PATH_NO_INDEX;
    return step;
}

static inline void vg_json_push_field(struct vg_json_reader *reader, const struct vg_field *shown)
{
    struct vg_path_step *step = vg_json_push(reader);
    step->field = shown;
    step->key.data = NULL;
}

static inline void vg_json_push_key(struct vg_json_reader *reader, struct vg_bytes key)
{
    struct vg_path_step *step = vg_json_push(reader);
    step->field = NULL;
    step->key.data = key.data;
    step->key.size = key.size;
}

static inline void vg_json_pop(struct vg_json_reader *reader)
{
    reader->step_count--;
}

/* The longest list `field` may have; SIZE_MAX = no rule. */
static inline size_t vg_json_items_max(const struct vg_field *field)
{
    uint32_t most = field->rule == 0 ? 0 : vg_rules[field->rule].items_max;
    return most == 0 ? SIZE_MAX : most;
}

/* Note what is wrong where the steps say; `value` and `message` may be NULL. */
VG_COLD void vg_json_violate(
    struct vg_json_reader *reader,
    enum vg_reason reason,
    const struct vg_json_scalar *value,
    const char *message);

/* Note a value of a kind this place does not take, and skip it. False when skipping finds bad
 * syntax. */
VG_COLD bool vg_json_skip_wrong_type(struct vg_json_reader *reader, const char *expected);

/* Note that the list has more elements than its items_max. */
VG_COLD void vg_json_violate_items(struct vg_json_reader *reader, const struct vg_field *field);

/* What ended reading, bad syntax or no memory, as the error. */
VG_COLD enum vg_reason vg_json_refuse_text(struct vg_json_reader *reader);

#endif
