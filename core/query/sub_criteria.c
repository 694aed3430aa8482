#include "core/query/sub_criteria.h"

/* Predicates of the elements of one kind; *out_count says how many. */
static const struct vg_predicate **collect(
    struct vg_term_list *terms,
    const struct vg_sub_criteria *elements,
    uint32_t count,
    bool (*is_wanted)(const struct vg_sub_criteria *element),
    uint32_t *out_count)
{
    const struct vg_predicate **list = vg_arena_alloc(terms->arena, count * sizeof(*list));
    if (list == NULL) {
        terms->failed = true;
        return NULL;
    }
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (elements[i].predicate != NULL && is_wanted(&elements[i])) {
            list[found++] = elements[i].predicate;
        }
    }
    *out_count = found;
    return list;
}

static bool is_excluding(const struct vg_sub_criteria *element)
{
    return element->exclude;
}

static bool is_required(const struct vg_sub_criteria *element)
{
    return element->required && !element->exclude;
}

static bool is_plain(const struct vg_sub_criteria *element)
{
    return !element->required && !element->exclude;
}

void vg_sub_criteria_add(
    struct vg_term_list *terms,
    const struct vg_sub_criteria *elements,
    uint32_t count)
{
    uint32_t found = 0;
    const struct vg_predicate **list = collect(terms, elements, count, is_required, &found);
    if (list != NULL && found != 0) {
        vg_term_list_add(terms, vg_predicate_and(terms->arena, list, found));
    }
    list = collect(terms, elements, count, is_excluding, &found);
    if (list != NULL && found != 0) {
        const struct vg_predicate *any = vg_predicate_or(terms->arena, list, found);
        vg_term_list_add(terms, any == NULL ? NULL : vg_predicate_not(terms->arena, any));
    }
    list = collect(terms, elements, count, is_plain, &found);
    if (list != NULL && found != 0) {
        vg_term_list_add(terms, vg_predicate_or(terms->arena, list, found));
    }
}
