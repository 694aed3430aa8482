/*
 * Where a criteria object stands in its request, and what is told about its members: violations
 * whose fields are named from the top, as "subCriteria[2].keywords[0]".
 *
 * Threads: pure; objects live on the stack of whoever compiles them.
 */
#ifndef VG_CORE_QUERY_CRITERIA_PATH_H
#define VG_CORE_QUERY_CRITERIA_PATH_H

#include <stddef.h>

#include "core/base/error.h"

struct vg_criteria_path {
    const struct vg_criteria_path *parent; /* NULL = this is the request itself */
    const char *name;                      /* the member this object is in; not of the request */
    size_t index;                          /* SIZE_MAX = the member is no list */
};

/* What is wrong with a member. */
struct vg_criteria_blame {
    enum vg_reason reason;
    const char *field;
    size_t index;          /* SIZE_MAX = none */
    const char *parameter; /* may be NULL, as the message */
    const char *message;
};

/* Add a violation about a member of the object at `path`. */
void vg_criteria_path_blame(
    const struct vg_criteria_path *path,
    const struct vg_criteria_blame *blame,
    struct vg_violations *violations);

#endif
