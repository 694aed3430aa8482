/* The words of an enum: by the option `word`, else what is behind the enum's prefix in the enum's
 * word case. */
#include <stdbool.h>
#include <string.h>

#include "tools/protoc-gen-vigil/model_build.h"
#include "tools/protoc-gen-vigil/proto_names.h"
#include "tools/protoc-gen-vigil/text_pool.h"

static void add_word(
    struct vg_model_enum *words,
    const struct vg_model_value *value,
    const char *text,
    bool alias)
{
    words->words[words->word_count++] = (struct vg_model_word){
        .text = text,
        .name = value->proto->name,
        .number = value->proto->number,
        .alias = alias,
    };
}

void vg_model_words_build(struct vg_model_enum *words)
{
    const char *prefix = vg_proto_names_value_prefix(words->proto->name);
    size_t room = 1;
    for (size_t i = 0; i < words->value_count; i++) {
        room += 1 + words->values[i].options->n_alias;
    }
    words->words = vg_text_pool_take(room * sizeof *words->words);
    for (size_t i = 0; i < words->value_count; i++) {
        struct vg_model_value *value = &words->values[i];
        if (value->proto->number == 0) {
            continue;
        }
        const char *rest = value->proto->name;
        if (strncmp(rest, prefix, strlen(prefix)) == 0) {
            rest += strlen(prefix);
        }
        value->word = value->options->word != NULL ? value->options->word
                      : !words->place.file->own    ? value->proto->name
                                                : vg_proto_names_word(rest, words->options->words);
        add_word(words, value, value->word, false);
        for (size_t k = 0; k < value->options->n_alias; k++) {
            add_word(words, value, value->options->alias[k], true);
        }
        int32_t number = value->proto->number;
        words->number_min =
            words->number_min == 0 || number < words->number_min ? number : words->number_min;
        words->number_max = number > words->number_max ? number : words->number_max;
    }
}
