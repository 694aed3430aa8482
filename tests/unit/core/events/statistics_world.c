#include "tests/unit/core/events/statistics_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define BASE_TIME INT64_C(1570288030000)

uint64_t vg_statistics_world_seed(void)
{
    const char *given = getenv("VIGIL_TEST_SEED");
    return given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) / 86400;
}

uint64_t vg_statistics_world_below(struct vg_statistics_world *world, uint64_t bound)
{
    return vg_random_below(&world->random.random, bound);
}

bool vg_statistics_world_chance(struct vg_statistics_world *world, unsigned percent)
{
    return vg_statistics_world_below(world, 100) < percent;
}

/* -------------------------------------------------------------------------------------- events */

static const char *const signatures[] = { "KNOWN", "ET SCAN", "é", "et scan", "",
                                          "z",     "y",       "x", "w",       "v" };
static const char *const addresses[] = { "",          "10.0.0.1",    "10.0.0.0/24",  "9.255.0.1",
                                         "100.0.0.1", "2001:db8::1", "2001:db8::/32" };
static const char *const countries[] = { "", "NO", "SE", "DE" };
static const char *const protocols[] = { "", "tcp", "udp", "icmp", "ip", "esp", "ah", "200", "47" };

vg_time vg_statistics_world_some_time(struct vg_statistics_world *world)
{
    switch (vg_statistics_world_below(world, 4)) {
    case 0:
        return BASE_TIME + (int64_t)vg_statistics_world_below(world, (uint64_t)(3 * HOUR));
    case 1:
        return BASE_TIME + (int64_t)vg_statistics_world_below(world, (uint64_t)(40 * DAY));
    case 2:
        return BASE_TIME - (int64_t)vg_statistics_world_below(world, (uint64_t)(800 * DAY));
    default:
        return (int64_t)vg_statistics_world_below(world, 8) * 400 * DAY +
               915148800000; /* from 1999 on */
    }
}

static void lend_endpoint(
    struct vg_statistics_world *world,
    struct vg_event_input_endpoint *endpoint)
{
    const char *address = addresses[vg_statistics_world_below(world, VG_ARRAY_COUNT(addresses))];
    const char *country = countries[vg_statistics_world_below(world, VG_ARRAY_COUNT(countries))];
    endpoint->ip = address[0] == 0 ? NULL : address;
    endpoint->geo.present = country[0] != 0;
    endpoint->geo.country_code = country[0] != 0 ? country : NULL;
}

/* A new event, or a change of it. Locations and cases belong to a customer. */
static void make_input(
    struct vg_statistics_world *world,
    const struct vg_event_id *id,
    struct vg_event_input *input,
    int64_t cases[3])
{
    static const char *const locations[] = { NULL, "oslo", "everywhere" };
    static const int64_t cases_of[3][2] = { { 31, 33 }, { 32, 32 }, { 0, 0 } };
    vg_event_fixture_input(input);
    input->severity = 1 + (int32_t)vg_statistics_world_below(world, 4);
    input->count = 1 + (int32_t)vg_statistics_world_below(world, 5);
    input->signature = signatures[vg_statistics_world_below(world, VG_ARRAY_COUNT(signatures))];
    input->signature = input->signature[0] == 0 ? NULL : input->signature;
    input->location = id->customer_id == 1 ? locations[vg_statistics_world_below(world, 3)] : NULL;
    const char *protocol = protocols[vg_statistics_world_below(world, VG_ARRAY_COUNT(protocols))];
    input->protocol = protocol[0] == 0 ? NULL : protocol;
    lend_endpoint(world, &input->source);
    lend_endpoint(world, &input->destination);
    if (id->type != VG_EVENT_TYPE_RAW && id->customer_id != 3 &&
        vg_statistics_world_chance(world, 40)) {
        for (size_t i = 0; i < 2; i++) {
            cases[input->case_count] = cases_of[id->customer_id - 1][i];
            input->case_count += vg_statistics_world_chance(world, 70);
        }
        input->case_ids = cases;
    }
    input->has_start = input->has_end = true;
    input->start = vg_statistics_world_some_time(world);
    input->end =
        input->start + (vg_statistics_world_chance(world, 50)
                            ? 0
                            : (int64_t)vg_statistics_world_below(world, (uint64_t)(9 * DAY)));
}

static void submit(struct vg_statistics_world *world, const struct vg_event_input *input)
{
    struct vg_event_fixture *f = &world->fixture;
    struct vg_event_submission submission;
    vg_clock_manual_set(
        &f->clock,
        vg_clock_now(&f->clock.clock) +
            (int64_t)vg_statistics_world_below(world, (uint64_t)(2 * HOUR)));
    enum vg_reason reason = vg_event_fixture_prepare(f, &f->admin, input, &submission);
    assert_int_equal(reason, VG_OK);
    assert_int_equal(vg_event_fixture_store(f, &submission, 1, true), VG_OK);
    assert_int_equal(submission.item.reason, VG_OK);
}

static void copy_text(char out[VG_STATISTICS_TEXT], struct vg_bytes from)
{
    assert_true(from.size < VG_STATISTICS_TEXT);
    memcpy(out, from.size == 0 ? (const uint8_t *)"" : from.data, from.size);
    out[from.size] = 0;
}

/* The event as the store has it. */
static void read_plain(struct vg_statistics_world *world, struct vg_plain_event *plain)
{
    struct vg_event_record record;
    assert_true(vg_event_fixture_read(&world->fixture, &plain->id, &record));
    const vg_time times[7] = { 0,
                               plain->id.timestamp,
                               record.times.last_updated,
                               record.times.first_assessed,
                               record.times.engine_persisted,
                               record.times.first_event,
                               record.times.last_event };
    memcpy(plain->times, times, sizeof(times));
    plain->count = record.count;
    plain->severity = record.severity;
    plain->protocol = record.protocol;
    plain->known = record.has_alarm;
    plain->location = record.location_id;
    copy_text(plain->signature, record.signature);
    (void)vg_network_print(&record.source.network, plain->source);
    (void)vg_network_print(&record.destination.network, plain->destination);
    memcpy(plain->countries[0], record.source.geo.country, 2);
    memcpy(plain->countries[1], record.destination.geo.country, 2);
    plain->case_count = record.case_count;
    for (size_t i = 0; i < record.case_count; i++) {
        plain->cases[i] = record.cases[i];
    }
}

static void fill_world(struct vg_statistics_world *world)
{
    char ids[VG_STATISTICS_EVENTS][VG_STATISTICS_TEXT];
    int64_t cases[3];
    struct vg_event_input input;
    for (uint32_t i = 0; i < VG_STATISTICS_EVENTS; i++) {
        struct vg_plain_event *plain = &world->events[i];
        bool raw = vg_statistics_world_chance(world, 25);
        plain->id.type = raw ? VG_EVENT_TYPE_RAW : VG_EVENT_TYPE_AGGREGATED;
        plain->id.timestamp = vg_statistics_world_some_time(world);
        plain->id.customer_id = 1 + (int64_t)vg_statistics_world_below(world, 3);
        plain->id.uuid.bytes[0] = 1;
        plain->id.uuid.bytes[14] = (uint8_t)(i >> 8);
        plain->id.uuid.bytes[15] = (uint8_t)i;
        (void)vg_event_id_print(&plain->id, ids[i]);
        make_input(world, &plain->id, &input, cases);
        input.id_text = ids[i];
        submit(world, &input);
    }
    for (uint32_t i = 0; i < VG_STATISTICS_EVENTS / 2; i++) {
        uint32_t at = (uint32_t)vg_statistics_world_below(world, VG_STATISTICS_EVENTS);
        make_input(world, &world->events[at].id, &input, cases);
        input.id_text = ids[at];
        submit(world, &input);
    }
    for (uint32_t i = 0; i < VG_STATISTICS_EVENTS; i++) {
        read_plain(world, &world->events[i]);
    }
}

struct vg_statistics_world *vg_statistics_world_open(uint64_t seed, uint32_t dictionary_entries)
{
    struct vg_statistics_world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    const struct vg_table_limits limits = { .chunk_rows = 3 + (uint32_t)(seed % 5),
                                            .closed_chunks = 1000,
                                            .dictionary_entries = dictionary_entries };
    vg_event_fixture_open_limited(&world->fixture, &limits);
    world->seed = seed;
    vg_random_seeded_init(&world->random, seed);
    fill_world(world);
    return world;
}

void vg_statistics_world_close(struct vg_statistics_world *world)
{
    vg_random_seeded_dispose(&world->random);
    vg_event_fixture_close(&world->fixture);
    free(world);
}

/* ---------------------------------------------------------------------------------- who matches */

void vg_statistics_world_make_filter(
    struct vg_statistics_world *world,
    struct vg_statistics_filter *filter)
{
    struct vg_event_fixture *f = &world->fixture;
    const struct vg_principal *const principals[] = { &f->admin, &f->agent, &f->viewer };
    *filter = (struct vg_statistics_filter){
        .principal = principals
            [vg_statistics_world_chance(world, 60) ? 0 : vg_statistics_world_below(world, 3)]
    };
    vg_event_criteria_init(&filter->criteria);
    if (vg_statistics_world_chance(world, 40)) {
        filter->severities[0] = 1 + (int32_t)vg_statistics_world_below(world, 4);
        filter->severities[1] = 1 + (int32_t)vg_statistics_world_below(world, 4);
        filter->criteria.severities = (struct vg_code_list){ filter->severities, 2 };
    }
    if (vg_statistics_world_chance(world, 30)) {
        filter->customers[0] = 1 + (int64_t)vg_statistics_world_below(world, 3);
        filter->criteria.customer_ids = (struct vg_number_list){ filter->customers, 1 };
    }
}

static bool covers(const struct vg_principal *principal, int64_t customer)
{
    for (size_t i = 0; i < principal->customer_count; i++) {
        if (principal->customers[i] == customer) {
            return true;
        }
    }
    return principal->all_customers;
}

static bool matches(const struct vg_statistics_filter *filter, const struct vg_plain_event *plain)
{
    const struct vg_event_criteria *criteria = &filter->criteria;
    if (!covers(filter->principal, plain->id.customer_id) ||
        (filter->type != VG_EVENT_TYPE_UNSET && plain->id.type != filter->type) ||
        (criteria->severities.count != 0 && plain->severity != filter->severities[0] &&
         plain->severity != filter->severities[1]) ||
        (criteria->customer_ids.count != 0 && plain->id.customer_id != filter->customers[0])) {
        return false;
    }
    return !criteria->has_start ||
           (plain->times[VG_EVENT_TIMELINE_LAST_EVENT] >= criteria->start &&
            (!criteria->has_end || plain->times[VG_EVENT_TIMELINE_FIRST_EVENT] <= criteria->end));
}

/* Cases 31 and 33 are of customer 1, 32 is of customer 2; user 11 is named as a reader of 31. */
static bool reads_case(const struct vg_principal *principal, int64_t id)
{
    if (id == 31 && principal->user_id == 11) {
        return true;
    }
    return (principal->functions >> 2 & 1) != 0 && covers(principal, id == 32 ? 2 : 1);
}

void vg_statistics_world_match(
    struct vg_statistics_world *world,
    const struct vg_statistics_filter *filter,
    struct vg_statistics_members *out_members)
{
    out_members->count = 0;
    for (uint32_t i = 0; i < VG_STATISTICS_EVENTS; i++) {
        if (matches(filter, &world->events[i])) {
            out_members->list[out_members->count++] = i;
        }
    }
    world->partly += out_members->count != 0 && out_members->count != VG_STATISTICS_EVENTS;
}

enum vg_reason vg_statistics_world_begin(
    struct vg_statistics_world *world,
    const struct vg_statistics_filter *filter,
    struct vg_arena *arena,
    struct vg_event_counting *counting,
    struct vg_error *error)
{
    struct vg_event_fixture *f = &world->fixture;
    const struct vg_event_criteria_context context = {
        .directory = f->snapshot,
        .principal = filter->principal,
        .secret = f->rules.secret,
        .now = vg_clock_now(&f->clock.clock),
        .function = UINT64_C(1) << 1,
        .type = filter->type,
        .arena = arena,
    };
    *counting = (struct vg_event_counting){
        .directory = f->snapshot,
        .principal = filter->principal,
        .now = context.now,
    };
    return vg_event_criteria_compile(&filter->criteria, &context, &counting->where, error);
}

/* ----------------------------------------------------------------------------------- what is what
 */

/* The identifiers of an event's groups; more than one for cases. */
size_t vg_statistics_world_identifiers(
    const struct vg_statistics_filter *filter,
    const struct vg_plain_event *plain,
    enum vg_event_group_field field,
    char out[3][VG_STATISTICS_TEXT])
{
    static const char *const severities[] = { "", "low", "medium", "high", "critical" };
    const char *text = NULL;
    int64_t number = 0;
    switch ((int)field) {
    case VG_EVENT_GROUP_SIGNATURE:
        text = plain->signature;
        break;
    case VG_EVENT_GROUP_SEVERITY:
        text = severities[plain->severity];
        break;
    case VG_EVENT_GROUP_SOURCE_IP:
        text = plain->source;
        break;
    case VG_EVENT_GROUP_DESTINATION_IP:
        text = plain->destination;
        break;
    case VG_EVENT_GROUP_SOURCE_COUNTRY:
        text = plain->countries[0];
        break;
    case VG_EVENT_GROUP_DESTINATION_COUNTRY:
        text = plain->countries[1];
        break;
    case VG_EVENT_GROUP_PROTOCOL:
        text = plain->protocol == -1   ? ""
               : plain->protocol == 6  ? "tcp"
               : plain->protocol == 17 ? "udp"
               : plain->protocol == 1  ? "icmp"
               : plain->protocol == 0  ? "ip"
               : plain->protocol == 50 ? "esp"
                                       : "unknown";
        break;
    case VG_EVENT_GROUP_ALARM:
        number = plain->known ? 41 : 0;
        break;
    case VG_EVENT_GROUP_ATTACK_CATEGORY:
        number = plain->known ? 42 : 0;
        break;
    case VG_EVENT_GROUP_LOCATION:
        number = plain->location;
        break;
    case VG_EVENT_GROUP_CUSTOMER:
        number = plain->id.customer_id;
        break;
    default: {
        size_t count = 0;
        for (size_t i = 0; i < plain->case_count; i++) {
            if (reads_case(filter->principal, plain->cases[i])) {
                (void)
                    snprintf(out[count++], VG_STATISTICS_TEXT, "%lld", (long long)plain->cases[i]);
            }
        }
        return count;
    }
    }
    if (text == NULL) {
        (void)snprintf(out[0], VG_STATISTICS_TEXT, "%lld", (long long)number);
        return number != 0;
    }
    (void)snprintf(out[0], VG_STATISTICS_TEXT, "%s", text);
    return text[0] != 0;
}

/* Begin of the calendar span that holds `time`, and of the next one, by the C library. */
vg_time vg_statistics_world_span_begin(enum vg_time_unit unit, vg_time time)
{
    time_t seconds = (time_t)(time / 1000);
    struct tm tm;
    assert_non_null(gmtime_r(&seconds, &tm));
    tm.tm_sec = 0;
    tm.tm_min = unit >= VG_TIME_UNIT_HOUR ? 0 : tm.tm_min;
    tm.tm_hour = unit >= VG_TIME_UNIT_DAY ? 0 : tm.tm_hour;
    if (unit == VG_TIME_UNIT_WEEK) {
        tm.tm_mday -= (tm.tm_wday + 6) % 7;
    }
    tm.tm_mday = unit >= VG_TIME_UNIT_MONTH ? 1 : tm.tm_mday;
    tm.tm_mon = unit == VG_TIME_UNIT_YEAR ? 0 : tm.tm_mon;
    return (vg_time)timegm(&tm) * 1000;
}

vg_time vg_statistics_world_span_next(enum vg_time_unit unit, vg_time begin_time)
{
    static const int
        days[] = { [VG_TIME_UNIT_WEEK] = 7, [VG_TIME_UNIT_MONTH] = 31, [VG_TIME_UNIT_YEAR] = 366 };
    if (unit == VG_TIME_UNIT_MINUTE || unit == VG_TIME_UNIT_HOUR || unit == VG_TIME_UNIT_DAY) {
        return begin_time + (unit == VG_TIME_UNIT_MINUTE ? MINUTE
                             : unit == VG_TIME_UNIT_HOUR ? HOUR
                                                         : DAY);
    }
    return vg_statistics_world_span_begin(unit, begin_time + days[unit] * DAY);
}
