/* See contract_check.h. */
#include <string.h>

#include "tools/protoc-gen-vigil/contract_check.h"
#include "tools/protoc-gen-vigil/proto_names.h"

#define VALUE_NUMBER_MAX 4095
#define WORD_COUNT_MAX   254
#define WORD_BYTES_MAX   255

static void check_values(const struct vg_model_enum *words, struct vg_refusals *refusals)
{
    const char *prefix = vg_proto_names_value_prefix(words->proto->name);
    const bool own = words->place.file->own;
    for (size_t i = 0; i < words->value_count; i++) {
        const struct vg_model_value *value = &words->values[i];
        if (own && strncmp(value->proto->name, prefix, strlen(prefix)) != 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_VALUE_PREFIX,
                &value->place,
                "value `%s` of enum `%s` does not begin with `%s`",
                value->proto->name,
                words->full_name,
                prefix);
        }
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again |= words->values[k].proto->number == value->proto->number;
        }
        if (again || value->proto->number < 0 || value->proto->number > VALUE_NUMBER_MAX) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_VALUE_NUMBER,
                &value->place,
                "value `%s` needs a number of its own between 0 and %d",
                value->proto->name,
                VALUE_NUMBER_MAX);
        }
    }
    const struct vg_model_value *first = &words->values[0];
    if (own && (first->proto->number != 0 ||
                strcmp(first->proto->name, vg_text_pool_print("%sUNSPECIFIED", prefix)) != 0)) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_FIRST_VALUE,
            &first->place,
            "the first value of enum `%s` is not `%sUNSPECIFIED = 0`",
            words->full_name,
            prefix);
    }
}

static void check_words(const struct vg_model_enum *words, struct vg_refusals *refusals)
{
    if (words->word_count > WORD_COUNT_MAX) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_NAME_SIZE,
            &words->place,
            "enum `%s` has more than %d words",
            words->full_name,
            WORD_COUNT_MAX);
    }
    for (size_t i = 0; i < words->word_count; i++) {
        const struct vg_model_word *word = &words->words[i];
        if (word->text[0] == '\0' || strlen(word->text) > WORD_BYTES_MAX ||
            strlen(word->name) > WORD_BYTES_MAX) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_NAME_SIZE,
                &words->place,
                "a word of `%s` is empty or longer than %d bytes",
                word->name,
                WORD_BYTES_MAX);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(words->words[k].text, word->text) == 0) {
                vg_refusal_add(
                    refusals,
                    VG_REFUSAL_WORD_TWICE,
                    &words->place,
                    "`%s` and `%s` have one word, \"%s\"",
                    words->words[k].name,
                    word->name,
                    word->text);
            }
        }
    }
}

void vg_check_words(const struct vg_model *model, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < model->enum_count; i++) {
        check_values(model->enums[i], refusals);
        check_words(model->enums[i], refusals);
    }
}
