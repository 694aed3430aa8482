/* See refusal.h. */
#include "tools/protoc-gen-vigil/refusal.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const rule_names[] = {
#define X(identifier, name) name,
#include "tools/protoc-gen-vigil/refusal.def"
#undef X
};

const char *vg_refusal_name(enum vg_refusal rule)
{
    return rule_names[rule];
}

void vg_refusal_add(
    struct vg_refusals *refusals,
    enum vg_refusal rule,
    const struct vg_place *place,
    const char *format,
    ...)
{
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    const Google__Protobuf__SourceCodeInfo__Location *location = vg_place_find(place);
    int line = location != NULL && location->n_span > 0 ? location->span[0] + 1 : 1;
    vg_text_print(
        &refusals->text,
        "%s%s:%d: %s [%s]",
        refusals->count > 0 ? "\n" : "",
        place->file->proto->name,
        line,
        sentence,
        rule_names[rule]);
    refusals->count++;
}
