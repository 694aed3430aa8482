/*
 * The files that operands name, those of folders included.
 *
 * Links in folders are not followed: what is uploaded is what lies below the folder. What is
 * neither file nor folder is passed over there.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_PATH_LIST_H
#define VG_TOOLS_VIGIL_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_path_list {
    struct vg_buffer pointers; /* of const char */
    size_t count;
    uint64_t bytes; /* of all files, as far as known */
};

/*
 * Collect `operands`, in their order, those of a folder sorted; texts are in `arena`.
 *
 * Fails with: CONFIG for what is not there, cannot be read, or is a folder without `recursive`;
 * RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_path_list_collect(
    const char *const *operands,
    size_t operand_count,
    bool recursive,
    struct vg_arena *arena,
    struct vg_path_list *out_list,
    struct vg_error *error);
void vg_path_list_dispose(struct vg_path_list *list);

const char *const *vg_path_list_items(const struct vg_path_list *list);

#endif
