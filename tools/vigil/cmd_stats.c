/* vigil event stats: events counted in groups and on a timeline. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/calendar.h"
#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "proto/contract_json.h"
#include "tools/vigil/cell.h"
#include "tools/vigil/session.h"

#include "vigil/events/v2/statistics.pb-c.h"

#define START_DEFAULT    "-24hours"
#define GROUP_DEFAULT    "signature"
#define FIELD_DEFAULT    "created"
#define TEXT_BYTES_MAX   ((size_t)1 << 30)
#define BAR_WIDTH        40u
#define LEVELS_MAX       16u
#define TIMELINE_OPTIONS "minutes, hours, days, weeks, months or years"

// clang-format off
static const struct vg_option options[] = {
    { .name = "--json", .value = "FILE", .help = "read the request from a file (- = stdin) instead of from options" },
    { .name = "--by", .value = "FIELD[,FIELD]", .help = "what to group by, one within the other (default " GROUP_DEFAULT " without --timeline): signature, attackCategory, alarm, location, severity, sourceIP, destinationIP, protocol, customer, sourceCountry, destinationCountry, associatedCase" },
    { .name = "--limit", .value = "N", .help = "groups of each level; 0 = all (default 25)" },
    { .name = "--others", .help = "count what the limit cuts off", .kind = VG_OPTION_KIND_YES },
    { .name = "--timeline", .value = "SPAN", .help = "how many in each of the " TIMELINE_OPTIONS },
    { .name = "--time", .value = "FIELD", .help = "which time the timeline has: created (default), lastUpdated, firstAssessment, enginePersisted, firstEvent, lastEvent" },
    { .name = "--no-empty", .help = "leave out spans of the timeline without events", .kind = VG_OPTION_KIND_YES },
    { .name = "--start", .value = "TIME", .field = "startTimestamp", .help = "events from then on (default " START_DEFAULT ")" },
    { .name = "--end", .value = "TIME", .field = "endTimestamp", .help = "up to then" },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "of these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--severity", .value = "S[,S]", .field = "severity", .help = "of these severities", .kind = VG_OPTION_KIND_LIST },
    { .name = "--type", .value = "TYPE[,TYPE]", .field = "type", .help = "aggregated or raw (default both)", .kind = VG_OPTION_KIND_LIST },
};

/* What a list has in JSON; as a table it is printed by groups. */
static const struct vg_column columns[] = {
    { "GROUP", "group.displayName" },
    { "EVENTS", "count" },
    { "RAW", "rawEventCount" },
};
// clang-format on

/* --------------------------------------------------------------------------------------- request
 */

struct building {
    struct vg_session *session;
    const struct vg_arguments *arguments;
    Vigil__Events__V2__StatisticsRequest *request;
    struct vg_error error;
};

static enum vg_reason refuse(struct building *building, const char *option, struct vg_bytes value)
{
    return vg_error_set(
        &building->error,
        VG_CONFIG,
        "%s: %.*s is not known; see --help",
        option,
        (int)value.size,
        (const char *)value.data);
}

static void *take(struct building *building, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(&building->session->arena, count, size);
    if (memory == NULL) {
        (void)vg_error_set(&building->error, VG_REQUEST_MEMORY, NULL);
    }
    return memory;
}

static enum vg_reason add_group(struct building *building, struct vg_bytes word)
{
    Vigil__Events__V2__StatisticsRequest *request = building->request;
    const char *limit = vg_arguments_value(building->arguments, "--limit");
    int32_t field = vg_contract_find_word(
        &vg_words_vigil_events_v2_statistics_field,
        (const char *)word.data,
        word.size);
    if (field == 0 || request->n_group_by == LEVELS_MAX) {
        return refuse(building, "--by", word);
    }
    Vigil__Events__V2__GroupByCriteria *group = take(building, 1, sizeof(*group));
    if (group == NULL) {
        return VG_REQUEST_MEMORY;
    }
    vigil__events__v2__group_by_criteria__init(group);
    group->has_field = true;
    group->field = (Vigil__Events__V2__StatisticsField)field;
    if (limit != NULL) {
        int64_t number = 0;
        if (!vg_text_number_parse_int64(vg_bytes_text(limit), &number) || number < 0 ||
            number > INT32_MAX) {
            return refuse(building, "--limit", vg_bytes_text(limit));
        }
        group->has_limit = true;
        group->limit = (int32_t)number;
    }
    group->has_include_others = true;
    group->include_others = vg_arguments_has(building->arguments, "--others");
    request->group_by[request->n_group_by++] = group;
    return VG_OK;
}

static enum vg_reason add_groups(struct building *building)
{
    const char *by = vg_arguments_value(building->arguments, "--by");
    if (by == NULL && vg_arguments_has(building->arguments, "--timeline")) {
        return VG_OK;
    }
    const char *at = by == NULL ? GROUP_DEFAULT : by;
    building->request->group_by = take(building, LEVELS_MAX, sizeof(*building->request->group_by));
    enum vg_reason reason = building->request->group_by == NULL ? VG_REQUEST_MEMORY : VG_OK;
    while (reason == VG_OK) {
        size_t size = strcspn(at, ",");
        reason = add_group(building, vg_bytes(at, size));
        if (at[size] == '\0') {
            break;
        }
        at += size + 1;
    }
    return reason;
}

static enum vg_reason add_timeline(struct building *building)
{
    Vigil__Events__V2__StatisticsRequest *request = building->request;
    static char name[] = "timeline";
    const char *span = vg_arguments_value(building->arguments, "--timeline");
    const char *time = vg_arguments_value(building->arguments, "--time");
    if (span == NULL) {
        return VG_OK;
    }
    time = time == NULL ? FIELD_DEFAULT : time;
    int32_t unit =
        vg_contract_find_word(&vg_words_vigil_events_v2_timeline_resolution, span, strlen(span));
    int32_t field =
        vg_contract_find_word(&vg_words_vigil_events_v2_timeline_field, time, strlen(time));
    if (unit == 0) {
        return refuse(building, "--timeline", vg_bytes_text(span));
    }
    if (field == 0) {
        return refuse(building, "--time", vg_bytes_text(time));
    }
    Vigil__Events__V2__TimelineCriteria *timeline = take(building, 1, sizeof(*timeline));
    request->timeline = take(building, 1, sizeof(*request->timeline));
    if (timeline == NULL || request->timeline == NULL) {
        return VG_REQUEST_MEMORY;
    }
    vigil__events__v2__timeline_criteria__init(timeline);
    timeline->name = name;
    timeline->has_field = timeline->has_resolution = true;
    timeline->field = (Vigil__Events__V2__TimelineField)field;
    timeline->resolution = (Vigil__Events__V2__TimelineResolution)unit;
    timeline->has_include_empty = true;
    timeline->include_empty = !vg_arguments_has(building->arguments, "--no-empty");
    /* The range of the events is that of the timeline, when both are of one time. */
    if (field == VIGIL__EVENTS__V2__TIMELINE_FIELD__TIMELINE_FIELD_CREATED) {
        timeline->start_timestamp = request->start_timestamp;
        timeline->end_timestamp = request->end_timestamp;
    }
    request->timeline[request->n_timeline++] = timeline;
    return VG_OK;
}

static bool has_own_option(const struct vg_arguments *arguments)
{
    static const char *const names[] = { "--by",       "--limit", "--others",
                                         "--timeline", "--time",  "--no-empty" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        if (vg_arguments_has(arguments, names[i])) {
            return true;
        }
    }
    return false;
}

static enum vg_exit build(struct building *building)
{
    Vigil__Events__V2__StatisticsRequest *request = building->request;
    vg_session_error_init(building->session, &building->error);
    if (vg_arguments_has(building->arguments, "--json")) {
        if (has_own_option(building->arguments)) {
            (void)vg_error_set(
                &building->error,
                VG_CONFIG,
                "--json and options that say the same in words exclude each other");
            return vg_session_refuse(&building->error);
        }
        return VG_EXIT_DONE;
    }
    if (request->start_timestamp == NULL) {
        request->start_timestamp =
            vg_arena_text(&building->session->arena, vg_bytes_text(START_DEFAULT));
    }
    enum vg_reason reason = add_groups(building);
    if (reason == VG_OK) {
        reason = add_timeline(building);
    }
    return reason == VG_OK ? VG_EXIT_DONE : vg_session_refuse(&building->error);
}

/* ---------------------------------------------------------------------------------------- output
 */

static void put_counts(struct vg_buffer *text, int64_t count, bool has_raw, int64_t raw)
{
    char numbers[64];
    if (has_raw) {
        (void)snprintf(numbers, sizeof(numbers), "%12" PRId64 " %12" PRId64 "  ", count, raw);
    } else {
        (void)snprintf(numbers, sizeof(numbers), "%12" PRId64 " %12s  ", count, "-");
    }
    vg_buffer_append_text(text, numbers);
}

static void indent(struct vg_buffer *text, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        vg_buffer_append_text(text, "  ");
    }
}

static void put_time(struct vg_buffer *text, vg_time time)
{
    char printed[32];
    struct vg_civil civil = vg_calendar_civil(time);
    (void)snprintf(
        printed,
        sizeof(printed),
        "%04d-%02u-%02uT%02u:%02uZ",
        civil.year,
        civil.month,
        civil.day,
        civil.hour,
        civil.minute);
    vg_buffer_append_text(text, printed);
}

static void put_timeline(
    struct vg_buffer *text,
    const Vigil__Events__V2__TimelineMetric *metric,
    unsigned depth)
{
    int64_t most = 1;
    for (size_t i = 0; i < metric->n_buckets; i++) {
        most = metric->buckets[i]->count > most ? metric->buckets[i]->count : most;
    }
    for (size_t i = 0; i < metric->n_buckets; i++) {
        const Vigil__Events__V2__TimelineBucket *bucket = metric->buckets[i];
        put_counts(text, bucket->count, true, bucket->raw_event_count);
        indent(text, depth);
        put_time(text, bucket->timestamp);
        vg_buffer_append_byte(text, ' ');
        int64_t width = (bucket->count * BAR_WIDTH + most - 1) / most;
        for (int64_t k = 0; k < width; k++) {
            vg_buffer_append_text(text, "█");
        }
        vg_buffer_append_byte(text, '\n');
    }
}

/* The name, and the id or short name where it is another. */
static void put_group(struct vg_buffer *text, const Vigil__Events__V2__StatisticsGroup *group)
{
    struct vg_bytes name = vg_bytes_text(group->display_name);
    struct vg_bytes identifier = vg_bytes_text(group->identifier);
    vg_cell_append_text(name, text);
    if (!vg_bytes_equal(name, identifier)) {
        vg_buffer_append_text(text, " (");
        vg_cell_append_text(identifier, text);
        vg_buffer_append_byte(text, ')');
    }
}

/* Answers are as deep as the request is; the decoder has a limit too. */
static void put_record(
    struct vg_buffer *text,
    const Vigil__Events__V2__MetricRecord *record,
    unsigned depth)
{
    put_counts(text, record->count, record->has_raw_event_count != 0, record->raw_event_count);
    indent(text, depth);
    if (record->group != NULL) {
        put_group(text, record->group);
    } else {
        vg_buffer_append_text(text, "all");
    }
    vg_buffer_append_byte(text, '\n');
    for (size_t i = 0; i < record->n_buckets && depth < LEVELS_MAX; i++) {
        put_record(text, record->buckets[i], depth + 1);
    }
    for (size_t i = 0; i < record->n_timeline; i++) {
        put_timeline(text, record->timeline[i], depth + 1);
    }
}

static enum vg_exit print_table(const Vigil__Events__V2__MetricRecordList *list)
{
    struct vg_buffer text;
    char head[64];
    vg_buffer_init(&text, TEXT_BYTES_MAX);
    (void)snprintf(head, sizeof(head), "%12s %12s  %s\n", "EVENTS", "RAW EVENTS", "GROUP");
    vg_buffer_append_text(&text, head);
    for (size_t i = 0; i < list->n_data; i++) {
        put_record(&text, list->data[i], 0);
    }
    bool good =
        !text.failed && fwrite(text.data, 1, text.size, stdout) == text.size && fflush(stdout) == 0;
    vg_buffer_dispose(&text);
    return good ? VG_EXIT_DONE : VG_EXIT_REFUSED;
}

static enum vg_exit run_stats(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    ProtobufCMessage *request = NULL;
    const ProtobufCMessage *answer = NULL;
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(command->method)->request,
        &request);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    struct building building = {
        .session = session,
        .arguments = arguments,
        .request = (Vigil__Events__V2__StatisticsRequest *)(void *)request,
    };
    exit = build(&building);
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_ask(session, command->method, request, &answer);
    }
    if (exit != VG_EXIT_DONE || session->output != VG_OUTPUT_TABLE) {
        return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
    }
    return print_table((const Vigil__Events__V2__MetricRecordList *)(const void *)answer);
}

static const struct vg_command commands[] = {
    {
        .noun = "event",
        .verb = "stats",
        .help = "count events in groups and on a timeline",
        .options = options,
        .option_count = VG_ARRAY_COUNT(options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_GET_STATISTICS,
        .run = run_stats,
    },
};

const struct vg_command_group vg_cmd_stats = { commands, VG_ARRAY_COUNT(commands) };
