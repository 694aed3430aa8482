#include "rpc/net/turn_line.h"

#include "core/base/assert.h"

void vg_turn_line_add(struct vg_turn_line *line, struct vg_turn_link *link)
{
    VG_ASSERT(link->line == NULL);
    link->line = line;
    link->next = NULL;
    link->back = line->last;
    if (line->last != NULL) {
        line->last->next = link;
    } else {
        line->first = link;
    }
    line->last = link;
    line->count++;
}

void vg_turn_line_remove(struct vg_turn_link *link)
{
    struct vg_turn_line *line = link->line;
    if (line == NULL) {
        return;
    }
    if (link->next != NULL) {
        link->next->back = link->back;
    } else {
        line->last = link->back;
    }
    if (link->back != NULL) {
        link->back->next = link->next;
    } else {
        line->first = link->next;
    }
    line->count--;
    link->line = NULL;
}

struct vg_turn_link *vg_turn_line_take(struct vg_turn_line *line)
{
    struct vg_turn_link *link = line->first;
    if (link != NULL) {
        vg_turn_line_remove(link);
    }
    return link;
}
