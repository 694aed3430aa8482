/*
 * Files nobody will need any more. Each waits until no snapshot holds its chunk and no manifest
 * that may be on disk names it; only then is it unlinked. Which manifest is on disk is known for
 * certain once a checkpoint has come to its end, so files of one that broke off are kept until the
 * next.
 */
#include <stdlib.h>

#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

/* Files unlinked by one call at most: it is the writer that waits. */
#define OBSOLETE_UNLINKED_MAX 4u

void vg_obsolete_add(struct vg_table *table, struct vg_obsolete *taken_file)
{
    taken_file->next = table->obsolete;
    table->obsolete = taken_file;
    if (taken_file->chunk != NULL) {
        table->obsolete_bytes += taken_file->chunk->mapping_size;
    }
}

static void unmap(struct vg_table *table, struct vg_obsolete *file)
{
    if (file->chunk != NULL) {
        table->obsolete_bytes -= file->chunk->mapping_size;
        vg_chunk_unref(file->chunk);
        file->chunk = NULL;
    }
}

static bool may_be_named(const struct vg_table *table, const struct vg_obsolete *file)
{
    return file->named_by != 0 && file->named_by >= table->manifest_generation &&
           !VG_BROKEN(UNLINK_NAMED);
}

void vg_obsolete_collect(struct vg_table *table)
{
    uint32_t unlinked = 0;
    for (struct vg_obsolete **link = &table->obsolete; *link != NULL;) {
        struct vg_obsolete *file = *link;
        if (file->chunk != NULL && file->chunk->refs == 1) {
            unmap(table, file);
        }
        bool is_free =
            (file->chunk == NULL || VG_BROKEN(UNLINK_HELD)) && !may_be_named(table, file);
        if (is_free && unlinked < OBSOLETE_UNLINKED_MAX &&
            vg_disk_remove(table->disk, file->name, NULL) == VG_OK) {
            unlinked++;
            unmap(table, file);
            *link = file->next;
            free(file);
        } else {
            link = &file->next;
        }
    }
}

void vg_obsolete_clear(struct vg_table *table)
{
    while (table->obsolete != NULL) {
        struct vg_obsolete *file = table->obsolete;
        table->obsolete = file->next;
        unmap(table, file);
        free(file);
    }
}
