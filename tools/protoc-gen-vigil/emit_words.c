/* The words of every enum, as a part of contract_json.c. */
#include <string.h>

#include "tools/protoc-gen-vigil/emit.h"

static void print_rows(const struct vg_model_enum *words, struct vg_text *out)
{
    vg_text_print(out, "static const struct vg_word words_%s[] = {\n", words->symbol);
    for (size_t i = 0; i < words->word_count; i++) {
        const struct vg_model_word *word = &words->words[i];
        vg_text_print(out, "    { ");
        vg_text_quote(out, word->text);
        vg_text_print(
            out,
            ", \"%s\", %d, %zu, %zu, %s },\n",
            word->name,
            word->number,
            strlen(word->text),
            strlen(word->name),
            word->alias ? "true" : "false");
    }
    vg_text_print(out, "};\n");
}

static void print_numbers(const struct vg_model_enum *words, struct vg_text *out)
{
    size_t count = (size_t)(words->number_max - words->number_min) + 1;
    uint8_t *rows = vg_text_pool_take(count);
    for (size_t i = 0; i < words->word_count; i++) {
        if (!words->words[i].alias) {
            rows[words->words[i].number - words->number_min] = (uint8_t)(i + 1);
        }
    }
    vg_text_print(out, "static const uint8_t word_numbers_%s[] = {", words->symbol);
    vg_emit_bytes(out, rows, count);
    vg_text_print(out, "};\nstatic const uint8_t word_slots_%s[] = {", words->symbol);
    vg_emit_bytes(out, words->hash.slots, (size_t)1 << words->hash.slot_bits);
    vg_text_print(out, "};\n");
}

void vg_emit_words(const struct vg_model *model, struct vg_text *out)
{
    for (size_t i = 0; i < model->enum_count; i++) {
        const struct vg_model_enum *words = model->enums[i];
        const char *symbol = words->symbol;
        vg_text_print(out, "\n/* %s */\n", words->full_name);
        if (words->word_count > 0) {
            print_rows(words, out);
        }
        print_numbers(words, out);
        vg_text_print(out, "const struct vg_words vg_words_%s = {\n", symbol);
        if (words->word_count > 0) {
            vg_text_print(out, "    .words = words_%s,\n", symbol);
        }
        vg_text_print(
            out,
            "    .slots = word_slots_%s,\n    .by_number = word_numbers_%s,\n    .seed = %uu,\n"
            "    .number_min = %d,\n    .number_max = %d,\n    .word_count = %zu,\n"
            "    .slot_bits = %u,\n};\n",
            symbol,
            symbol,
            words->hash.seed,
            words->number_min,
            words->number_max,
            words->word_count,
            words->hash.slot_bits);
    }
}
