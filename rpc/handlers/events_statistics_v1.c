/* vigil.events.v1.EventService/GetAggregatedStats: aggregated events counted in frames of time. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/events/event_frames.h"
#include "core/node/node.h"
#include "core/wire/validate.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_counting.h"
#include "rpc/handlers/event_criteria_v1.h"
#include "rpc/service/service.h"

_Static_assert(
    offsetof(Vigil__Events__V1__SearchCriteria, has_limit) ==
            offsetof(Vigil__Events__V1__StatsCriteria, n_group_by) &&
        offsetof(Vigil__Events__V1__SearchCriteria, domain) ==
            offsetof(Vigil__Events__V1__StatsCriteria, domain) &&
        offsetof(Vigil__Events__V1__SearchCriteria, required) ==
            offsetof(Vigil__Events__V1__StatsCriteria, required),
    "StatsCriteria declares the criteria of SearchCriteria in the same order");

/* By number of StatsGroup: the member of a key, and what events are grouped by. */
static const struct {
    const char *name;
    enum vg_event_group_field field;
} group_rows[] = {
    // clang-format off
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_ATTACK_IDENTIFIER] = { "attackIdentifier", VG_EVENT_GROUP_SIGNATURE },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_ATTACK_CATEGORY] = { "attackCategory", VG_EVENT_GROUP_ATTACK_CATEGORY },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_ALARM] = { "alarm", VG_EVENT_GROUP_ALARM },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_LOCATION] = { "location", VG_EVENT_GROUP_LOCATION },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_EVENT_SEVERITY] = { "eventSeverity", VG_EVENT_GROUP_SEVERITY },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_SOURCEIP] = { "sourceIP", VG_EVENT_GROUP_SOURCE_IP },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_DESTINATIONIP] = { "destinationIP", VG_EVENT_GROUP_DESTINATION_IP },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_PROTOCOL] = { "protocol", VG_EVENT_GROUP_PROTOCOL },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_CUSTOMER] = { "customer", VG_EVENT_GROUP_CUSTOMER },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_SOURCE_GEOIP_LOCATION] = { "sourceGeoIPLocation", VG_EVENT_GROUP_NOTHING },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_SOURCE_GEOIP_COUNTRY] = { "sourceGeoIPCountry", VG_EVENT_GROUP_SOURCE_COUNTRY },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_DESTINATION_GEOIP_LOCATION] = { "destinationGeoIPLocation", VG_EVENT_GROUP_NOTHING },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_DESTINATION_GEOIP_COUNTRY] = { "destinationGeoIPCountry", VG_EVENT_GROUP_DESTINATION_COUNTRY },
    [VIGIL__EVENTS__V1__STATS_GROUP__STATS_GROUP_SENSOR] = { "sensor", VG_EVENT_GROUP_NOTHING },
    // clang-format on
};

_Static_assert(
    VG_ARRAY_COUNT(group_rows) - 1 <= VG_EVENT_STATISTICS_LEVELS_MAX,
    "a request may group by everything there is");

_Static_assert(
    (int)VIGIL__EVENTS__V1__RESOLUTION_UNIT__RESOLUTION_UNIT_MILLISECONDS ==
            (int)VG_EVENT_FRAME_MILLISECONDS &&
        (int)VIGIL__EVENTS__V1__RESOLUTION_UNIT__RESOLUTION_UNIT_YEARS == (int)VG_EVENT_FRAME_YEARS,
    "units are numbered alike");

/* -------------------------------------------------------------------------------------- request */

/* SearchCriteria is read; as far as the criteria go, both are alike. */
static bool read_criteria(
    const Vigil__Events__V1__StatsCriteria *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria)
{
    const size_t begin = sizeof(request->base);
    Vigil__Events__V1__SearchCriteria common = VIGIL__EVENTS__V1__SEARCH_CRITERIA__INIT;
    memcpy(
        (uint8_t *)&common + begin,
        (const uint8_t *)request + begin,
        offsetof(Vigil__Events__V1__SearchCriteria, has_limit) - begin);
    return vg_event_criteria_v1_read(&common, arena, out_criteria);
}

static void read_request(
    const struct vg_call *call,
    const Vigil__Events__V1__StatsCriteria *request,
    enum vg_event_group_field fields[VG_EVENT_STATISTICS_LEVELS_MAX],
    struct vg_event_frames *frames)
{
    for (size_t i = 0; i < request->n_group_by; i++) {
        fields[i] = group_rows[request->group_by[i]].field;
    }
    bool skips_future = request->has_skip_future_events && request->skip_future_events;
    vg_time end = request->end_timestamp != NULL ? vg_wire_time(request->end_timestamp) : call->now;
    *frames = (struct vg_event_frames){
        .fields = fields,
        .field_count = request->n_group_by,
        .resolution = request->has_resolution ? request->resolution : 0,
        .unit = request->has_resolution_unit ? (enum vg_event_frame_unit)request->resolution_unit
                                             : VG_EVENT_FRAME_MILLISECONDS,
        .start = vg_wire_time(request->start_timestamp),
        .end = skips_future && end > call->now ? call->now : end,
        .counts_raw = request->has_count_raw_events && request->count_raw_events,
        .cutoff = request->has_cutoff ? (uint32_t)request->cutoff : 0,
        .includes_others = !request->has_include_others || request->include_others,
        .by_timestamp = request->has_time_frame_strategy &&
                        request->time_frame_strategy ==
                            VIGIL__EVENTS__V1__TIME_FRAME_STRATEGY__TIME_FRAME_STRATEGY_TIMESTAMP,
    };
}

/* --------------------------------------------------------------------------------------- answer */

/* What it takes to make the answer. A failure is noted and checked once, at the end. */
struct making {
    const Vigil__Events__V1__StatsCriteria *request;
    const struct vg_event_frames_result *result;
    struct vg_arena *arena;
    bool failed; /* the arena is full */
};

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->arena, count, size);
    making->failed = making->failed || memory == NULL;
    return memory;
}

static void make_key(struct making *making, size_t place, Vigil__Events__V1__StatsKey *key)
{
    struct member {
        Vigil__Events__V1__StatsMember member;
        Vigil__Events__V1__StatsValue value;
    };
    const struct vg_event_frame_key *from = &making->result->keys[place];
    size_t count = making->request->n_group_by + 1;
    struct member *parts = take(making, count, sizeof(*parts));
    key->members = take(making, count, sizeof(struct member *));
    for (size_t i = 0; !making->failed && i < count; i++) {
        struct member *part = &parts[i];
        vigil__events__v1__stats_member__init(&part->member);
        vigil__events__v1__stats_value__init(&part->value);
        if (i == 0) {
            part->member.key = vg_answer_text("id");
            part->value.has_number = true;
            part->value.number = (int32_t)place + 1;
        } else {
            part->member.key = vg_answer_text(group_rows[making->request->group_by[i - 1]].name);
            part->value.text = vg_answer_text(from->texts[i - 1]);
        }
        part->member.value = &part->value;
        key->members[key->n_members++] = &part->member;
    }
}

static void make_keys(struct making *making, Vigil__Events__V1__StatsContainer *answer)
{
    size_t count = making->result->key_count;
    Vigil__Events__V1__StatsKey *keys = take(making, count, sizeof(*keys));
    answer->keys = take(making, count, sizeof(*answer->keys));
    for (size_t i = 0; !making->failed && i < count; i++) {
        vigil__events__v1__stats_key__init(&keys[i]);
        make_key(making, i, &keys[i]);
        answer->keys[answer->n_keys++] = &keys[i];
    }
}

static void make_records(
    struct making *making,
    const struct vg_event_frame *frame,
    Vigil__Events__V1__TimeFrameRecords *shown)
{
    struct record {
        Vigil__Events__V1__StatsRecord record;
        Vigil__Events__V1__StatsCount count;
    };
    struct record *records = take(making, frame->record_count, sizeof(*records));
    shown->records = take(making, frame->record_count, sizeof(struct record *));
    for (size_t i = 0; !making->failed && i < frame->record_count; i++) {
        struct record *record = &records[i];
        vigil__events__v1__stats_record__init(&record->record);
        vigil__events__v1__stats_count__init(&record->count);
        record->record.has_key_id = true;
        record->record.key_id = (int32_t)frame->records[i].key + 1;
        record->record.value = &record->count;
        record->count.has_count = true;
        record->count.count = frame->records[i].value;
        shown->records[shown->n_records++] = &record->record;
    }
}

static void make_frames(struct making *making, Vigil__Events__V1__StatsContainer *answer)
{
    struct frame {
        Vigil__Events__V1__TimeFrameRecords records;
        Vigil__Events__V1__TimeFrame frame;
    };
    size_t count = making->result->frame_count;
    struct frame *frames = take(making, count, sizeof(*frames));
    answer->time_frames = take(making, count, sizeof(struct frame *));
    for (size_t i = 0; !making->failed && i < count; i++) {
        const struct vg_event_frame *from = &making->result->frames[i];
        struct frame *frame = &frames[i];
        vigil__events__v1__time_frame_records__init(&frame->records);
        vigil__events__v1__time_frame__init(&frame->frame);
        frame->frame.has_start_time = frame->frame.has_end_time = true;
        frame->frame.start_time = from->start;
        frame->frame.end_time = from->end;
        frame->records.time_frame = &frame->frame;
        make_records(making, from, &frame->records);
        answer->time_frames[answer->n_time_frames++] = &frame->records;
    }
}

/* -------------------------------------------------------------------------------------- the call
 */

static int count_events(struct vg_call *call)
{
    const Vigil__Events__V1__StatsCriteria *request =
        (const Vigil__Events__V1__StatsCriteria *)call->request;
    enum vg_event_group_field fields[VG_EVENT_STATISTICS_LEVELS_MAX];
    struct vg_event_criteria criteria;
    struct vg_event_view view;
    struct vg_event_frames frames;
    struct vg_event_frames_result result;
    if (!read_criteria(request, &call->arena, &criteria)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    read_request(call, request, fields, &frames);
    enum vg_reason reason =
        vg_event_counting_begin(call, &criteria, VG_EVENT_TYPE_AGGREGATED, &view, &frames.counting);
    if (reason != VG_OK) {
        return (int)reason;
    }
    struct vg_event_store source =
        vg_event_calls_store(call, call->service->node->settings->snapshot_age_ms);
    reason = vg_event_frames_run(&source, &frames, &call->arena, &result, &call->error);
    vg_event_calls_release_view(&view);
    if (reason != VG_OK) {
        return (int)reason;
    }
    Vigil__Events__V1__StatsContainer *answer =
        (Vigil__Events__V1__StatsContainer *)call->reply.answer;
    struct making making = { .request = request, .result = &result, .arena = &call->arena };
    make_keys(&making, answer);
    make_frames(&making, answer);
    return making.failed ? (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

int vg_events_v1_get_aggregated_stats(
    struct vg_call *call,
    const Vigil__Events__V1__StatsCriteria *request,
    Vigil__Events__V1__StatsContainer *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, count_events);
}
