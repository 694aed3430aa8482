/*
 * The rule of sub-criteria (conventions.md 7.1): every required element matches, no excluding one
 * does, and of the plain ones at least one, if there is any.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_QUERY_SUB_CRITERIA_H
#define VG_CORE_QUERY_SUB_CRITERIA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/query/term_list.h"
#include "core/table/predicate.h"

struct vg_sub_criteria {
    const struct vg_predicate *predicate; /* NULL = no restriction: the element is dropped */
    bool exclude;                         /* wins over required */
    bool required;
};

/* Add to `terms` what the elements ask for together; nothing when all of them are dropped. */
void vg_sub_criteria_add(
    struct vg_term_list *terms,
    const struct vg_sub_criteria *elements,
    uint32_t count);

#endif
