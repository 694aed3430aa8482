#include "gateway/web/verb.h"

#include <stdio.h>

#include "core/base/compiler.h"

static const struct verb {
    const char *word;
    enum vg_verb verb;
} verbs[] = {
    { "GET", VG_VERB_GET },       { "POST", VG_VERB_POST },   { "PUT", VG_VERB_PUT },
    { "DELETE", VG_VERB_DELETE }, { "PATCH", VG_VERB_PATCH }, { "HEAD", VG_VERB_GET },
};

int vg_verb_find(struct vg_bytes method)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(verbs); i++) {
        if (vg_bytes_equal(method, vg_bytes_text(verbs[i].word))) {
            return (int)verbs[i].verb;
        }
    }
    return -1;
}

void vg_verb_print_list(uint32_t allowed, char out_text[VG_VERB_LIST_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(verbs); i++) {
        if ((allowed >> verbs[i].verb & 1u) != 0) {
            used +=
                (size_t)snprintf(out_text + used, VG_VERB_LIST_SIZE - used, "%s, ", verbs[i].word);
        }
    }
    (void)snprintf(out_text + used, VG_VERB_LIST_SIZE - used, "OPTIONS");
}
