/*
 * Publication: one pointer to one object that names everything a reader may see.
 *
 * A published object lives until it is superseded, no snapshot holds it, and the epoch in which it
 * was superseded has passed (a reader may have loaded the pointer and not yet taken its reference).
 * The epoch is asked first: once it has passed no new reference can appear, so a count of zero then
 * is final.
 */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/store/store.h"
#include "core/table/table_parts.h"

struct vg_published *vg_publication_create(void)
{
    struct vg_published *published = calloc(1, sizeof(*published));
    if (published != NULL) {
        atomic_init(&published->refs, 0);
        atomic_init(&published->ended, false);
        published->magic = VG_PUBLISHED_MAGIC;
    }
    return published;
}

static void supersede(struct vg_table *table, struct vg_published *old)
{
    if (old != NULL) {
        old->superseded = true;
        old->superseded_epoch = vg_epoch_advance(&table->epoch);
    }
}

void vg_publication_install(
    struct vg_table *table,
    struct vg_published *taken_next,
    uint64_t sequence,
    struct vg_store_view *taken_view)
{
    struct vg_published *old = atomic_load(&table->current);
    taken_next->sequence = sequence;
    taken_next->view = taken_view;
    taken_next->kind_count = table->config.kind_count;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        struct vg_table_kind *kind = &table->kinds[i];
        taken_next->kinds[i] = (struct vg_published_kind){
            .list = vg_chunk_list_ref(kind->list),
            .tail_rows = kind->tail_rows,
            .live = kind->live,
        };
    }
    if (table->newest != NULL) {
        table->newest->newer = taken_next;
    } else {
        table->oldest = taken_next;
    }
    table->newest = taken_next;
    table->sequence = sequence;
    atomic_store(&table->current, taken_next);
    supersede(table, old);
}

bool vg_publication_again(struct vg_table *table)
{
    struct vg_published *next = vg_publication_create();
    if (next == NULL) {
        return false;
    }
    struct vg_store_view *view = vg_store_view_ref(table->newest->view);
    vg_publication_install(table, next, table->sequence, view);
    return true;
}

static void free_published(struct vg_published *published)
{
    for (uint32_t i = 0; i < published->kind_count; i++) {
        vg_chunk_list_unref(published->kinds[i].list);
    }
    vg_store_view_release(published->view);
    published->magic = 0;
    free(published);
}

void vg_publication_collect(struct vg_table *table)
{
    struct vg_published *older = NULL;
    for (struct vg_published *published = table->oldest; published != NULL;) {
        struct vg_published *newer = published->newer;
        if (published->superseded && vg_epoch_passed(&table->epoch, published->superseded_epoch) &&
            atomic_load(&published->refs) == 0) {
            if (older == NULL) {
                table->oldest = newer;
            } else {
                older->newer = newer;
            }
            if (table->newest == published) {
                table->newest = older;
            }
            free_published(published);
        } else {
            older = published;
        }
        published = newer;
    }
}

void vg_publication_withdraw(struct vg_table *table)
{
    struct vg_published *old = atomic_load(&table->current);
    atomic_store(&table->current, NULL);
    supersede(table, old);
}
