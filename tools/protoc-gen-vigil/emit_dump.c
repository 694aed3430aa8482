/* The tables as text, one line per message, field, name, word, rule, method and route: see emit.h.
 */
#include <inttypes.h>

#include "tools/protoc-gen-vigil/emit.h"

static void print_row(struct vg_text *out, const char *label, size_t row)
{
    if (row == VG_ROW_NONE) {
        vg_text_print(out, " %s=-", label);
    } else {
        vg_text_print(out, " %s=%zu", label, row);
    }
}

static void print_rule(const struct vg_model *model, size_t index, struct vg_text *out)
{
    const struct vg_model_rule *rule = &model->rules[index];
    vg_text_print(out, "    rule");
    if (rule->min != INT64_MIN) {
        vg_text_print(out, " min=%" PRId64, rule->min);
    }
    if (rule->max != INT64_MAX) {
        vg_text_print(out, " max=%" PRId64, rule->max);
    }
    if (rule->length_max != 0) {
        vg_text_print(out, " length_max=%u", rule->length_max);
    }
    if (rule->items_max != 0) {
        vg_text_print(out, " items_max=%u", rule->items_max);
    }
    vg_text_print(out, "\n");
    if (rule->pattern == 0) {
        return;
    }
    const struct vg_pattern_compiled *pattern = &model->patterns[rule->pattern - 1];
    vg_text_print(out, "    pattern %s\n", pattern->text);
    for (size_t i = 0; i < pattern->piece_count; i++) {
        const struct vg_pattern_piece *piece = &pattern->pieces[i];
        vg_text_print(
            out,
            "      piece set=%016" PRIx64 "%016" PRIx64 " least=%u most=%u group_end=%d%s\n",
            piece->set[1],
            piece->set[0],
            piece->least,
            piece->most,
            piece->group_end,
            piece->other ? " other" : "");
    }
}

static void print_field(
    const struct vg_model *model,
    const struct vg_model_field *field,
    struct vg_text *out)
{
    vg_text_print(
        out,
        "  field %d %s json=%s member=%s kind=%s flags=",
        field->proto->number,
        field->name,
        field->json_name,
        field->member,
        vg_emit_kind(field->kind));
    vg_emit_flags(out, VG_EMIT_FIELD, field->flags, false);
    if (field->message != NULL) {
        vg_text_print(out, " sub=%s", field->message->full_name);
    } else if (field->words != NULL) {
        vg_text_print(out, " words=%s", field->words->full_name);
    }
    vg_text_print(out, "\n");
    if (field->rule != 0) {
        print_rule(model, field->rule, out);
    }
}

static void print_message(
    const struct vg_model *model,
    const struct vg_model_message *message,
    struct vg_text *out)
{
    vg_text_print(
        out,
        "message %s table=vg_table_%s struct=%s flags=",
        message->full_name,
        message->symbol,
        message->struct_name);
    vg_emit_flags(out, VG_EMIT_TABLE, message->flags, false);
    if ((message->flags & VG_TABLE_BARE) != 0) {
        print_row(out, "scalar", message->bare_scalar);
        print_row(out, "list", message->bare_list);
        print_row(out, "object", message->bare_object);
    }
    vg_text_print(out, "\n");
    for (size_t i = 0; i < message->field_count; i++) {
        print_field(model, &message->fields[i], out);
    }
    for (size_t i = 0; i < message->name_count; i++) {
        const struct vg_model_name *name = &message->names[i];
        vg_text_print(out, "  name %s row=%zu flags=", name->text, name->row);
        vg_emit_flags(out, VG_EMIT_NAME, name->flags, false);
        vg_text_print(out, "\n");
    }
}

static void print_enum(const struct vg_model_enum *words, struct vg_text *out)
{
    vg_text_print(
        out,
        "enum %s words=vg_words_%s from=%d to=%d\n",
        words->full_name,
        words->symbol,
        words->number_min,
        words->number_max);
    for (size_t i = 0; i < words->word_count; i++) {
        const struct vg_model_word *word = &words->words[i];
        vg_text_print(
            out,
            "  word %d %s name=%s%s\n",
            word->number,
            word->text,
            word->name,
            word->alias ? " alias" : "");
    }
}

static void print_route(const struct vg_model_route *route, struct vg_text *out)
{
    vg_text_print(out, "  route %s %s body=", vg_emit_verb(route->verb), route->pattern);
    vg_text_print(
        out,
        "%s",
        route->body == VG_ROUTE_BODY_WHOLE   ? "*"
        : route->body == VG_ROUTE_BODY_FIELD ? route->body_name
                                             : "-");
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct vg_model_segment *segment = &route->segments[i];
        if (segment->variable != NULL) {
            vg_text_print(out, " %s=", segment->variable);
            for (size_t k = 0; k < segment->row_count; k++) {
                vg_text_print(out, "%s%zu", k > 0 ? "." : "", segment->rows[k]);
            }
        }
    }
    vg_text_print(out, "\n");
}

static void print_method(const struct vg_model_method *method, struct vg_text *out)
{
    vg_text_print(
        out,
        "method %s index=%zu handler=%s request=%s answer=%s element=%s audit=%s envelope=%s "
        "success=%u "
        "bytes=%u permissions=%" PRIx64 " twin=%s produces=",
        method->path,
        method->index,
        method->stem->handler,
        method->stem->request->full_name,
        method->stem->answer->full_name,
        method->rows == NULL ? "-" : method->rows->message->full_name,
        vg_emit_audit(method->audit),
        vg_emit_envelope((unsigned)method->options->envelope),
        method->options->has_success ? method->options->success : 200,
        vg_model_request_bytes_max(method),
        method->stem->permissions,
        method->twin == NULL ? "-" : method->twin->proto->name);
    vg_emit_flags(out, VG_EMIT_PRODUCT, method->produces, false);
    vg_text_print(out, " flags=");
    vg_emit_flags(out, VG_EMIT_METHOD, method->flags, false);
    vg_text_print(out, "\n");
    for (size_t i = 0; i < method->route_count; i++) {
        print_route(&method->routes[i], out);
    }
}

void vg_emit_dump(const struct vg_model *model, struct vg_text *out)
{
    for (size_t i = 0; i < model->enum_count; i++) {
        if (!model->enums[i]->place.file->options) {
            print_enum(model->enums[i], out);
        }
    }
    for (size_t i = 0; i < model->message_count; i++) {
        print_message(model, model->messages[i], out);
    }
    for (size_t i = 0; i < model->method_count; i++) {
        print_method(model->methods[i], out);
    }
}
