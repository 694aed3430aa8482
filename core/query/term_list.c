#include "core/query/term_list.h"

#include "core/base/assert.h"

void vg_term_list_add(struct vg_term_list *list, const struct vg_predicate *term)
{
    if (term == NULL) {
        list->failed = true;
        return;
    }
    VG_ASSERT(list->count < VG_TERM_LIST_MAX);
    list->terms[list->count++] = term;
}

const struct vg_predicate *vg_term_list_and(struct vg_term_list *list)
{
    if (list->failed || list->count == 0) {
        return NULL;
    }
    if (list->count == 1) {
        return list->terms[0];
    }
    const struct vg_predicate *all = vg_predicate_and(list->arena, list->terms, list->count);
    list->failed = all == NULL;
    return all;
}
