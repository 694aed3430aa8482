#include "tools/vigil/path_list.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#define POINTERS_BYTES_MAX ((size_t)256 << 20)

struct collecting {
    struct vg_path_list *list;
    struct vg_arena *arena;
    bool recursive;
    struct vg_error *error;
};

static enum vg_reason add_file(struct collecting *collecting, const FTSENT *entry)
{
    struct vg_path_list *list = collecting->list;
    const char *path = vg_arena_text(collecting->arena, vg_bytes_text(entry->fts_path));
    if (path != NULL) {
        vg_buffer_append(&list->pointers, &path, sizeof(path));
    }
    if (path == NULL || list->pointers.failed) {
        return vg_error_set(collecting->error, VG_RESOURCE_LIMIT, "there are too many files");
    }
    list->count++;
    list->bytes += (uint64_t)entry->fts_statp->st_size;
    return VG_OK;
}

static enum vg_reason refuse(struct collecting *collecting, const FTSENT *entry, const char *words)
{
    return vg_error_set(collecting->error, VG_CONFIG, "cannot read %s: %s", entry->fts_path, words);
}

static enum vg_reason take_entry(struct collecting *collecting, const FTSENT *entry)
{
    bool operand = entry->fts_level == FTS_ROOTLEVEL;
    switch (entry->fts_info) {
    case FTS_F:
        return add_file(collecting, entry);
    case FTS_D:
        return operand && !collecting->recursive
                   ? refuse(collecting, entry, "it is a folder; --recursive takes what is in it")
                   : VG_OK;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return refuse(collecting, entry, strerrordesc_np(entry->fts_errno));
    case FTS_SLNONE:
        return operand ? refuse(collecting, entry, strerrordesc_np(ENOENT)) : VG_OK;
    case FTS_DEFAULT:
        return operand ? refuse(collecting, entry, "it is not a file") : VG_OK;
    default:
        return VG_OK; /* a folder that was left, a link */
    }
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum vg_reason collect_operand(struct collecting *collecting, const char *operand)
{
    char *path = vg_arena_text(collecting->arena, vg_bytes_text(operand));
    char *paths[] = { path, NULL };
    enum vg_reason reason = VG_OK;
    FTS *tree =
        path == NULL ? NULL : fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (tree == NULL) {
        return vg_error_set(collecting->error, VG_RESOURCE_LIMIT, "there is no memory");
    }
    const FTSENT *entry;
    while (reason == VG_OK && (entry = fts_read(tree)) != NULL) {
        reason = take_entry(collecting, entry);
    }
    (void)fts_close(tree);
    return reason;
}

enum vg_reason vg_path_list_collect(
    const char *const *operands,
    size_t operand_count,
    bool recursive,
    struct vg_arena *arena,
    struct vg_path_list *out_list,
    struct vg_error *error)
{
    struct vg_path_list list = { .count = 0 };
    struct collecting collecting = { &list, arena, recursive, error };
    enum vg_reason reason = VG_OK;
    vg_buffer_init(&list.pointers, POINTERS_BYTES_MAX);
    for (size_t i = 0; i < operand_count && reason == VG_OK; i++) {
        reason = operands[i][0] == '\0'
                     ? vg_error_set(error, VG_CONFIG, "a file with an empty name is none")
                     : collect_operand(&collecting, operands[i]);
    }
    if (reason == VG_OK) {
        *out_list = list;
    } else {
        vg_path_list_dispose(&list);
    }
    return reason;
}

void vg_path_list_dispose(struct vg_path_list *list)
{
    vg_buffer_dispose(&list->pointers);
    list->count = 0;
}

const char *const *vg_path_list_items(const struct vg_path_list *list)
{
    return (const char *const *)(const void *)list->pointers.data;
}
