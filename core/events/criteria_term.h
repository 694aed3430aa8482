/*
 * Inside the compiler of criteria: one criteria object on its way to a predicate, and the functions
 * that add what its members ask. Used by event_criteria.c, criteria_id.c and criteria_part.c only.
 *
 * Threads: one.
 */
#ifndef VG_CORE_EVENTS_CRITERIA_TERM_H
#define VG_CORE_EVENTS_CRITERIA_TERM_H

#include "core/events/event_criteria.h"
#include "core/query/criteria_path.h"
#include "core/query/term_list.h"

/* One criteria object being compiled, and those it is in. */
struct vg_criteria_term {
    const struct vg_event_criteria_context *context;
    const struct vg_criteria_term *parent; /* NULL at the top */
    struct vg_criteria_path path;
    const struct vg_event_criteria *criteria;
    struct vg_violations *violations;
    struct vg_term_list terms;
    unsigned depth;
};

/* Add a violation, its path behind those of the objects this one is in. */
void vg_criteria_term_blame(struct vg_criteria_term *at, const struct vg_criteria_blame *blame);

/* Zeroed memory; NULL when the arena is full, which at->terms then says. */
void *vg_criteria_term_take(struct vg_criteria_term *at, size_t count, size_t size);

/* Add what the members other than times and sub-criteria ask. */
void vg_criteria_term_add_members(struct vg_criteria_term *at);

/* Add: the column, an id, is one of those listed; nothing for an empty list. */
void vg_criteria_term_add_ids(
    struct vg_criteria_term *at,
    uint32_t column,
    const struct vg_number_list *list);

/* Add: the signature is one of these; nothing for an empty list. */
void vg_criteria_term_add_signatures(struct vg_criteria_term *at, const struct vg_text_list *list);

/* Add: the event has all of `all`, and none of `none`. */
void vg_criteria_term_add_flags(
    struct vg_criteria_term *at,
    const struct vg_event_flags *all,
    const struct vg_event_flags *none);

/* Blame element `index` of a list of texts; nothing for SIZE_MAX. */
void vg_criteria_term_blame_text(
    struct vg_criteria_term *at,
    const char *field,
    const struct vg_text_list *list,
    size_t index);

/* Add: the column is at least `least`. */
void vg_criteria_term_add_from(struct vg_criteria_term *at, uint32_t column, int64_t least);

#endif
