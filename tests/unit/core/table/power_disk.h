/*
 * A disk that can lose power: sees every step of the table's files, remembers what was synced, and
 * after a crash puts the folder into a state that a real disk may leave: names as of the last sync
 * of the folder, and contents that were not synced cut short.
 *
 * Threads: the test's.
 */
#ifndef VG_TESTS_UNIT_CORE_TABLE_POWER_DISK_H
#define VG_TESTS_UNIT_CORE_TABLE_POWER_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/table_disk.h"

struct power_content;

struct power_name {
    char name[VG_DISK_NAME_SIZE];
    struct power_content *content;
};

struct power_names {
    struct power_name *items;
    uint32_t count;
    uint32_t capacity;
};

struct power_disk {
    struct vg_disk_hooks hooks; /* for the configuration of the table */
    const char *path;
    struct power_names now;
    struct power_names durable;
    struct power_content *contents;
    int64_t kill_after; /* steps until the process is killed; -1 = never */
    bool killed;        /* from here on every step fails */
    bool fail_next;     /* the next write finds the disk full */
};

enum power_loss {
    POWER_KILLED,       /* the process alone: everything written is there */
    POWER_LOST,         /* names and contents that were not synced are gone */
    POWER_LOST_CONTENT, /* names are there, contents that were not synced are not */
};

void power_disk_init(struct power_disk *disk, const char *path);
void power_disk_dispose(struct power_disk *disk);

/* Rewrite the folder as after the crash; kills and failures are forgotten. */
void power_disk_crash(struct power_disk *disk, enum power_loss loss, uint64_t *random);

/* Is there a file of this name? */
bool power_disk_has(const struct power_disk *disk, const char *name);

#endif
