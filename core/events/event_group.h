/*
 * What events can be grouped by, and how a group is called in either version (events-api.md 5).
 *
 * Names come from the directory where it knows them, else from the record of an event of the group.
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_EVENTS_EVENT_GROUP_H
#define VG_CORE_EVENTS_EVENT_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/directory/directory.h"
#include "core/events/event_reader.h"
#include "core/table/aggregate.h"

/* Numbers of vigil.events.v2.StatisticsField, and behind them what only v1 has. */
enum vg_event_group_field {
    VG_EVENT_GROUP_UNSET = 0,
    VG_EVENT_GROUP_SIGNATURE = 1,
    VG_EVENT_GROUP_ATTACK_CATEGORY = 2,
    VG_EVENT_GROUP_ALARM = 3,
    VG_EVENT_GROUP_LOCATION = 4,
    VG_EVENT_GROUP_SEVERITY = 5,
    VG_EVENT_GROUP_SOURCE_IP = 6,
    VG_EVENT_GROUP_DESTINATION_IP = 7,
    VG_EVENT_GROUP_PROTOCOL = 8,
    VG_EVENT_GROUP_CUSTOMER = 9,
    VG_EVENT_GROUP_SOURCE_COUNTRY = 10,
    VG_EVENT_GROUP_DESTINATION_COUNTRY = 11,
    VG_EVENT_GROUP_ASSOCIATED_CASE = 12,
    VG_EVENT_GROUP_NOTHING = 13, /* what events do not have: places of addresses, sensors */
    VG_EVENT_GROUP_FIELD_COUNT,
};

/* The column of a field; VG_AGGREGATE_NO_COLUMN of NOTHING. */
uint32_t vg_event_group_column(enum vg_event_group_field field);

/* For whom groups are named. */
struct vg_event_groups {
    const struct vg_directory_snapshot *directory;
    const struct vg_principal *principal;
    struct vg_event_reader *reader;
    struct vg_arena *arena;
    /* Signatures by alarm and by category, made when first needed; private. */
    const struct vg_signature **by_alarm;
    const struct vg_signature **by_category;
};

/* May the caller see the group? Of cases only those that he may read. */
bool vg_event_group_shows(
    const struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group);

/*
 * What tells a group from its siblings in v2: an id as text, or the value itself. The text is in
 * the arena, or in the snapshot.
 *
 * Fails with: REQUEST_MEMORY; what the reader fails with.
 */
VG_MUST_USE enum vg_reason vg_event_group_identify(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_identifier,
    struct vg_error *error);

/* How v2 calls a group; the identifier where it has no name. The texts are in the arena. */
struct vg_event_group_names {
    char *identifier;
    char *short_name;
    char *display_name;
};

/* Fails as vg_event_group_identify does. */
VG_MUST_USE enum vg_reason vg_event_group_describe(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_event_group_names *out_names,
    struct vg_error *error);

/* How v1 calls a group: one text; data NULL = the events have no value. Lives as the identifier
 * does, and fails alike. */
VG_MUST_USE enum vg_reason vg_event_group_text(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_text,
    struct vg_error *error);

#endif
