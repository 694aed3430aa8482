#include "tests/unit/core/table/power_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "tests/unit/core/table/table_fixture.h"

struct power_content {
    struct power_content *next;
    uint8_t *data;
    size_t size;
    bool synced;
    bool used;
};

static struct power_name *find(struct power_names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].name, name) == 0) {
            return &names->items[i];
        }
    }
    return NULL;
}

static void put(struct power_names *names, const char *name, struct power_content *content)
{
    struct power_name *found = find(names, name);
    if (found == NULL) {
        if (names->count == names->capacity) {
            names->capacity = names->capacity * 2 + 16;
            names->items = realloc(names->items, names->capacity * sizeof(*names->items));
            VG_ASSERT(names->items != NULL);
        }
        found = &names->items[names->count++];
        (void)snprintf(found->name, sizeof(found->name), "%s", name);
    }
    found->content = content;
}

static void drop(struct power_names *names, const char *name)
{
    struct power_name *found = find(names, name);
    if (found != NULL) {
        *found = names->items[--names->count];
    }
}

static void copy(struct power_names *to, const struct power_names *from)
{
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        put(to, from->items[i].name, from->items[i].content);
    }
}

static void mark(struct power_names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        names->items[i].content->used = true;
    }
}

static void free_unused(struct power_disk *disk)
{
    mark(&disk->now);
    mark(&disk->durable);
    for (struct power_content **link = &disk->contents; *link != NULL;) {
        struct power_content *content = *link;
        if (content->used) {
            content->used = false;
            link = &content->next;
        } else {
            *link = content->next;
            free(content->data);
            free(content);
        }
    }
}

static struct power_content *read_content(struct power_disk *disk, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", disk->path, name);
    FILE *file = fopen(path, "rb");
    struct power_content *content = calloc(1, sizeof(*content));
    VG_ASSERT(file != NULL && content != NULL && fseek(file, 0, SEEK_END) == 0);
    content->size = (size_t)ftell(file);
    content->data = calloc(1, content->size + 1);
    rewind(file);
    VG_ASSERT(content->data != NULL);
    VG_ASSERT(fread(content->data, 1, content->size, file) == content->size);
    (void)fclose(file);
    content->next = disk->contents;
    disk->contents = content;
    return content;
}

static void write_content(
    const struct power_disk *disk,
    const char *name,
    const void *data,
    size_t size)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", disk->path, name);
    FILE *file = fopen(path, "wb");
    VG_ASSERT(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static enum vg_reason before(
    void *owner,
    enum vg_disk_step step,
    const char *name,
    struct vg_error *error)
{
    struct power_disk *disk = owner;
    (void)name;
    if (disk->kill_after >= 0 && disk->kill_after-- == 0) {
        disk->killed = true;
    }
    if (disk->killed) {
        return vg_error_set(error, VG_STORE_IO, "killed");
    }
    if (disk->fail_next && step == VG_DISK_WRITE) {
        disk->fail_next = false;
        return vg_error_set(error, VG_STORE_FULL, "full");
    }
    return VG_OK;
}

static void after(void *owner, enum vg_disk_step step, const char *name, const char *new_name)
{
    struct power_disk *disk = owner;
    switch (step) {
    case VG_DISK_WRITE:
        put(&disk->now, name, read_content(disk, name));
        return;
    case VG_DISK_SYNC:
        find(&disk->now, name)->content->synced = true;
        return;
    case VG_DISK_RENAME:
        put(&disk->now, new_name, find(&disk->now, name)->content);
        drop(&disk->now, name);
        return;
    case VG_DISK_REMOVE:
        drop(&disk->now, name);
        return;
    case VG_DISK_SYNC_FOLDER:
        copy(&disk->durable, &disk->now);
        free_unused(disk);
        return;
    }
}

void power_disk_init(struct power_disk *disk, const char *path)
{
    *disk = (struct power_disk){
        .hooks = { .before = before, .after = after, .owner = disk, .skips_sync = true },
        .path = path,
        .kill_after = -1,
    };
}

void power_disk_dispose(struct power_disk *disk)
{
    disk->now.count = 0;
    disk->durable.count = 0;
    free_unused(disk);
    free(disk->now.items);
    free(disk->durable.items);
}

void power_disk_crash(struct power_disk *disk, enum power_loss loss, uint64_t *random)
{
    if (loss != POWER_KILLED) {
        for (uint32_t i = 0; i < disk->now.count; i++) {
            char path[256];
            (void)snprintf(path, sizeof(path), "%s/%s", disk->path, disk->now.items[i].name);
            (void)unlink(path);
        }
        copy(&disk->now, loss == POWER_LOST ? &disk->durable : &disk->now);
        for (uint32_t i = 0; i < disk->now.count; i++) {
            struct power_content *content = disk->now.items[i].content;
            if (!content->synced) {
                content->size = fixture_below(random, (uint32_t)content->size + 1);
            }
            write_content(disk, disk->now.items[i].name, content->data, content->size);
        }
    }
    for (uint32_t i = 0; i < disk->now.count; i++) {
        disk->now.items[i].content->synced = true;
    }
    copy(&disk->durable, &disk->now);
    free_unused(disk);
    disk->kill_after = -1;
    disk->killed = false;
    disk->fail_next = false;
}

bool power_disk_has(const struct power_disk *disk, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", disk->path, name);
    return access(path, F_OK) == 0;
}
