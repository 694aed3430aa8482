/*
 * Terms of a criteria object, collected one after another and AND-ed. No term is no restriction.
 *
 * Threads: one owner.
 */
#ifndef VG_CORE_QUERY_TERM_LIST_H
#define VG_CORE_QUERY_TERM_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/table/predicate.h"

/* A criteria object has fewer members than this. */
#define VG_TERM_LIST_MAX 64u

struct vg_term_list {
    struct vg_arena *arena;
    const struct vg_predicate *terms[VG_TERM_LIST_MAX];
    uint32_t count;
    bool failed; /* the arena was full */
};

static inline void vg_term_list_init(struct vg_term_list *list, struct vg_arena *arena)
{
    list->arena = arena;
    list->count = 0;
    list->failed = false;
}

/* Add a term; NULL says that the arena was full. */
void vg_term_list_add(struct vg_term_list *list, const struct vg_predicate *term);

/* The terms AND-ed: NULL when there is none, and when failed is set. */
const struct vg_predicate *vg_term_list_and(struct vg_term_list *list);

#endif
