#include "core/wire/field_path.h"

#include <stdio.h>

#include "core/base/utf8.h"

/* Append what fits, whole characters only. */
static size_t put(char *text, size_t at, struct vg_bytes more)
{
    more = vg_utf8_cut_bytes(more, VG_PATH_TEXT_SIZE - 1 - at);
    if (more.size > 0) {
        memcpy(text + at, more.data, more.size);
    }
    return at + more.size;
}

size_t vg_path_print(const struct vg_path_step *steps, size_t count, char *text)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct vg_path_step *step = &steps[i];
        struct vg_bytes name = step->key;
        if (step->field != NULL) {
            name = vg_field_name(step->field);
        } else if (name.data != NULL) {
            name = vg_utf8_cut_bytes(name, VG_PATH_KEY_MAX);
        }
        if (name.data != NULL) {
            at = put(text, at, vg_bytes_text(at == 0 ? "" : "."));
            at = put(text, at, name);
        }
        if (step->index != VG_PATH_NO_INDEX) {
            char index[24];
            int size = snprintf(index, sizeof(index), "[%lld]", (long long)step->index);
            at = put(text, at, vg_bytes(index, (size_t)size));
        }
    }
    text[at] = '\0';
    return at;
}
