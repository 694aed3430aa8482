#include "core/table/table_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"

struct vg_disk {
    int folder;
    struct vg_disk_hooks hooks;
};

static enum vg_reason failed(struct vg_error *error, const char *what, const char *name)
{
    int number = errno;
    char text[64];
    enum vg_reason reason = number == ENOSPC || number == EDQUOT ? VG_STORE_FULL : VG_STORE_IO;
    (void)vg_error_set(error, reason, NULL);
    (void)vg_error_detail(
        error,
        "table: cannot %s %s: %s",
        what,
        name,
        strerror_r(number, text, sizeof(text)));
    return reason;
}

enum vg_reason vg_disk_open(
    const char *path,
    const struct vg_disk_hooks *hooks,
    struct vg_disk **out_disk,
    struct vg_error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return failed(error, "make", path);
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return failed(error, "open", path);
    }
    struct vg_disk *disk = calloc(1, sizeof(*disk));
    if (disk == NULL) {
        (void)close(folder);
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for the table's folder");
    }
    disk->folder = folder;
    if (hooks != NULL) {
        disk->hooks = *hooks;
    }
    *out_disk = disk;
    return VG_OK;
}

void vg_disk_close(struct vg_disk *disk)
{
    if (disk != NULL) {
        (void)close(disk->folder);
        free(disk);
    }
}

static enum vg_reason before(
    const struct vg_disk *disk,
    enum vg_disk_step step,
    const char *name,
    struct vg_error *error)
{
    return disk->hooks.before == NULL ? VG_OK
                                      : disk->hooks.before(disk->hooks.owner, step, name, error);
}

static void after(
    const struct vg_disk *disk,
    enum vg_disk_step step,
    const char *name,
    const char *new_name)
{
    if (disk->hooks.after != NULL) {
        disk->hooks.after(disk->hooks.owner, step, name, new_name);
    }
}

/* One write of a whole file makes the kernel look for the largest pages it has, and those are the
 * ones that a virtual machine's host has taken back: each is given and cleared anew, at several
 * times the cost of the copy. */
#define WRITE_PIECE (256u * 1024)

static bool write_all(int file, struct vg_bytes content)
{
    while (content.size > 0) {
        size_t piece = content.size < WRITE_PIECE ? content.size : WRITE_PIECE;
        ssize_t written = write(file, content.data, piece);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return false;
        }
        content = vg_bytes(content.data + written, content.size - (size_t)written);
    }
    return true;
}

enum vg_reason vg_disk_write(
    struct vg_disk *disk,
    const char *name,
    struct vg_bytes content,
    struct vg_error *error)
{
    enum vg_reason reason = before(disk, VG_DISK_WRITE, name, error);
    if (reason != VG_OK) {
        return reason;
    }
    int file = openat(disk->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return failed(error, "create", name);
    }
    if (!write_all(file, content)) {
        reason = failed(error, "write", name);
        (void)close(file);
        return reason;
    }
    if (close(file) != 0) {
        return failed(error, "write", name);
    }
    after(disk, VG_DISK_WRITE, name, NULL);
    return VG_OK;
}

enum vg_reason vg_disk_sync(struct vg_disk *disk, const char *name, struct vg_error *error)
{
    enum vg_reason reason = before(disk, VG_DISK_SYNC, name, error);
    if (reason != VG_OK) {
        return reason;
    }
    int file = openat(disk->folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return failed(error, "sync", name);
    }
    if (!disk->hooks.skips_sync && fsync(file) != 0) {
        reason = failed(error, "sync", name);
        (void)close(file);
        return reason;
    }
    (void)close(file);
    after(disk, VG_DISK_SYNC, name, NULL);
    return VG_OK;
}

enum vg_reason vg_disk_sync_folder(struct vg_disk *disk, struct vg_error *error)
{
    enum vg_reason reason = before(disk, VG_DISK_SYNC_FOLDER, "", error);
    if (reason != VG_OK) {
        return reason;
    }
    if (!disk->hooks.skips_sync && fsync(disk->folder) != 0) {
        return failed(error, "sync", "the folder");
    }
    after(disk, VG_DISK_SYNC_FOLDER, "", NULL);
    return VG_OK;
}

enum vg_reason vg_disk_rename(
    struct vg_disk *disk,
    const char *name,
    const char *new_name,
    struct vg_error *error)
{
    enum vg_reason reason = before(disk, VG_DISK_RENAME, name, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (renameat(disk->folder, name, disk->folder, new_name) != 0) {
        return failed(error, "rename", name);
    }
    after(disk, VG_DISK_RENAME, name, new_name);
    return VG_OK;
}

enum vg_reason vg_disk_remove(struct vg_disk *disk, const char *name, struct vg_error *error)
{
    enum vg_reason reason = before(disk, VG_DISK_REMOVE, name, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (unlinkat(disk->folder, name, 0) != 0 && errno != ENOENT) {
        return failed(error, "remove", name);
    }
    after(disk, VG_DISK_REMOVE, name, NULL);
    return VG_OK;
}

enum vg_reason vg_disk_sweep(
    struct vg_disk *disk,
    bool (*keep)(void *owner, const char *name),
    void *owner,
    struct vg_error *error)
{
    int folder = openat(disk->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    if (entries == NULL) {
        enum vg_reason reason = failed(error, "list", "the folder");
        if (folder >= 0) {
            (void)close(folder);
        }
        return reason;
    }
    enum vg_reason reason = VG_OK;
    struct dirent *entry;
    /* readdir of an own stream is safe in glibc; readdir_r is not to be used any more. */
    while (reason == VG_OK && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR && !keep(owner, entry->d_name)) {
            reason = vg_disk_remove(disk, entry->d_name, error);
        }
    }
    (void)closedir(entries);
    return reason;
}

void *vg_disk_map(struct vg_disk *disk, const char *name, size_t *out_size)
{
    int file = openat(disk->folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    struct stat status;
    void *mapping = MAP_FAILED;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
        *out_size = (size_t)status.st_size;
    }
    (void)close(file);
    return mapping == MAP_FAILED ? NULL : mapping;
}

void vg_disk_unmap(void *mapping, size_t size)
{
    if (mapping != NULL) {
        VG_ASSERT(munmap(mapping, size) == 0);
    }
}
