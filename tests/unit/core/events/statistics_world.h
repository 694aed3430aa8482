/*
 * Random events in a table of small chunks, and what is known of each in plain words, for tests
 * that count them by hand. Nothing of the table, of groups or of timelines is used to know it.
 *
 * Threads: one test's.
 */
#ifndef VG_TESTS_UNIT_CORE_EVENTS_STATISTICS_WORLD_H
#define VG_TESTS_UNIT_CORE_EVENTS_STATISTICS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/events/event_criteria.h"
#include "core/events/event_statistics.h"
#include "tests/support/event_fixture.h"

#define VG_STATISTICS_EVENTS 400u
#define VG_STATISTICS_TEXT   96u

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* An event as it is stored, in plain words. "" = no value. */
struct vg_plain_event {
    struct vg_event_id id;
    vg_time times[7]; /* by number of a timeline field; [5] and [6] are its interval. 0 = none */
    int64_t count;
    int severity;
    int protocol; /* -1 = none */
    bool known;   /* has alarm and category */
    int64_t location;
    char signature[VG_STATISTICS_TEXT];
    char source[VG_STATISTICS_TEXT];
    char destination[VG_STATISTICS_TEXT];
    char countries[2][3];
    int64_t cases[3];
    size_t case_count;
};

struct vg_statistics_world {
    struct vg_event_fixture fixture;
    struct vg_random_seeded random;
    struct vg_plain_event events[VG_STATISTICS_EVENTS];
    uint64_t seed;
    uint32_t partly; /* requests that counted some events and not others */
};

/* What both versions filter by; the criteria themselves are tested elsewhere. */
struct vg_statistics_filter {
    const struct vg_principal *principal;
    struct vg_event_criteria criteria;
    enum vg_event_type type;
    int32_t severities[4];
    int64_t customers[3];
};

struct vg_statistics_members {
    uint32_t list[VG_STATISTICS_EVENTS];
    uint32_t count;
};

/* The seed of this run: VIGIL_TEST_SEED, or another one each day. */
uint64_t vg_statistics_world_seed(void);

/* Events, a third of them changed later, in chunks of 3 to 7 rows; with so many texts in a
 * dictionary (0 = any number). */
struct vg_statistics_world *vg_statistics_world_open(uint64_t seed, uint32_t dictionary_entries);
void vg_statistics_world_close(struct vg_statistics_world *world);

uint64_t vg_statistics_world_below(struct vg_statistics_world *world, uint64_t bound);
bool vg_statistics_world_chance(struct vg_statistics_world *world, unsigned percent);
vg_time vg_statistics_world_some_time(struct vg_statistics_world *world);

void vg_statistics_world_make_filter(
    struct vg_statistics_world *world,
    struct vg_statistics_filter *filter);

/* The events that match, by hand; and by the criteria, as a question to the table. */
void vg_statistics_world_match(
    struct vg_statistics_world *world,
    const struct vg_statistics_filter *filter,
    struct vg_statistics_members *out_members);
enum vg_reason vg_statistics_world_begin(
    struct vg_statistics_world *world,
    const struct vg_statistics_filter *filter,
    struct vg_arena *arena,
    struct vg_event_counting *counting,
    struct vg_error *error);

/* The identifiers of an event's groups in v2; more than one for cases. */
size_t vg_statistics_world_identifiers(
    const struct vg_statistics_filter *filter,
    const struct vg_plain_event *plain,
    enum vg_event_group_field field,
    char out[3][VG_STATISTICS_TEXT]);

/* Begin of the calendar span that holds `time`, and of the next one, by the C library. */
vg_time vg_statistics_world_span_begin(enum vg_time_unit unit, vg_time time);
vg_time vg_statistics_world_span_next(enum vg_time_unit unit, vg_time begin_time);

#endif
