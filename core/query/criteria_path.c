#include "core/query/criteria_path.h"

#include <stdint.h>
#include <stdio.h>

#define PATH_SIZE 256u

/* "name." or "name[index]." behind what is there; what does not fit is cut. */
static size_t print_member(const char *name, size_t index, char *text, size_t size)
{
    int length = index == SIZE_MAX ? snprintf(text, size, "%s", name)
                                   : snprintf(text, size, "%s[%zu]", name, index);
    size_t used = length > 0 ? (size_t)length : 0;
    return used < size ? used : size - 1;
}

static size_t print_path(const struct vg_criteria_path *path, char *text, size_t size)
{
    if (path->parent == NULL) {
        return 0;
    }
    size_t used = print_path(path->parent, text, size);
    used += print_member(path->name, path->index, text + used, size - used);
    if (used + 1 < size) {
        text[used++] = '.';
        text[used] = '\0';
    }
    return used;
}

void vg_criteria_path_blame(
    const struct vg_criteria_path *path,
    const struct vg_criteria_blame *blame,
    struct vg_violations *violations)
{
    char field[PATH_SIZE];
    size_t used = print_path(path, field, sizeof(field));
    (void)print_member(blame->field, blame->index, field + used, sizeof(field) - used);
    const struct vg_violation violation = {
        .reason = blame->reason,
        .field = field,
        .parameter = blame->parameter,
        .message = blame->message,
    };
    vg_violations_add(violations, &violation);
}
