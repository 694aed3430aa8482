/* contract_rules.c: see emit.h. */
#include <inttypes.h>

#include "tools/protoc-gen-vigil/emit.h"

static void print_pattern(
    const struct vg_pattern_compiled *pattern,
    size_t index,
    struct vg_text *out)
{
    vg_text_print(out, "static const struct vg_pattern_piece pieces_%zu[] = {\n", index);
    for (size_t i = 0; i < pattern->piece_count; i++) {
        const struct vg_pattern_piece *piece = &pattern->pieces[i];
        vg_text_print(
            out,
            "    { { UINT64_C(0x%016" PRIx64 "), UINT64_C(0x%016" PRIx64 ") }, %u, %u, %d, %s },\n",
            piece->set[0],
            piece->set[1],
            piece->least,
            piece->most,
            piece->group_end,
            piece->other ? "true" : "false");
    }
    if (pattern->piece_count == 0) {
        vg_text_print(out, "    { { 0, 0 }, 0, 0, 0, false },\n");
    }
    vg_text_print(out, "};\nstatic const struct vg_pattern pattern_%zu = { ", index);
    vg_text_quote(out, pattern->text);
    vg_text_print(out, ", pieces_%zu, %zu };\n", index, pattern->piece_count);
}

static void print_limit(struct vg_text *out, int64_t limit)
{
    if (limit == INT64_MIN) {
        vg_text_print(out, "INT64_MIN");
    } else if (limit == INT64_MAX) {
        vg_text_print(out, "INT64_MAX");
    } else {
        vg_text_print(out, "INT64_C(%" PRId64 ")", limit);
    }
}

void vg_emit_rules(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(out, "Rules of fields and their patterns.");
    vg_text_print(out, "#include <stdint.h>\n\n#include \"proto/contract.h\"\n\n");
    for (size_t i = 0; i < model->pattern_count; i++) {
        print_pattern(&model->patterns[i], i + 1, out);
    }
    vg_text_print(out, "\nconst struct vg_rule vg_rules[] = {\n");
    for (size_t i = 0; i < model->rule_count; i++) {
        const struct vg_model_rule *rule = &model->rules[i];
        vg_text_print(out, "    { ");
        print_limit(out, rule->min);
        vg_text_print(out, ", ");
        print_limit(out, rule->max);
        vg_text_print(out, ", %u, %u, ", rule->length_max, rule->items_max);
        if (rule->pattern == 0) {
            vg_text_print(out, "NULL },\n");
        } else {
            vg_text_print(out, "&pattern_%zu },\n", rule->pattern);
        }
    }
    if (model->rule_count == 0) {
        vg_text_print(out, "    { INT64_MIN, INT64_MAX, 0, 0, NULL },\n");
    }
    vg_text_print(out, "};\n");
}
