/* vigil event export and watch: events as they come, however many, in flat memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "core/wire/wire_decode.h"
#include "tools/vigil/progress.h"
#include "tools/vigil/session.h"

#include "vigil/events/v1/criteria.pb-c.h"
#include "vigil/events/v1/event.pb-c.h"
#include "vigil/events/v2/criteria.pb-c.h"

#define START_DEFAULT "-24hours"

/* Rows a question of watch, as the guide has it: above the 200 changes that share one time. */
#define WATCH_LIMIT          1000
#define WATCH_INTERVAL_MS    2000
#define WATCH_KNOWN_MAX      WATCH_LIMIT
#define WATCH_ID_SIZE        160u
#define ROW_BYTES_MAX        ((size_t)64 << 20)
#define WATCH_PAGE_BYTES_MAX ((size_t)1 << 30)

// clang-format off
#define JSON_OPTION \
    { .name = "--json", .value = "FILE", .help = "read the criteria from a file (- = stdin) instead of from options" }

/* Criteria of v2: what is observed of an endpoint or an attack is a member of those. */
static const struct vg_option export_options[] = {
    JSON_OPTION,
    { .name = "--start", .value = "TIME", .field = "startTimestamp", .help = "created then or later (default " START_DEFAULT ")" },
    { .name = "--end", .value = "TIME", .field = "endTimestamp", .help = "created then or earlier" },
    { .name = "--type", .value = "TYPE[,TYPE]", .field = "type", .help = "aggregated or raw (default both)", .kind = VG_OPTION_KIND_LIST },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "of these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--signature", .value = "NAME[,NAME]", .field = "attack.signature", .help = "with any of these signatures", .kind = VG_OPTION_KIND_LIST },
    { .name = "--ip", .value = "CIDR[,CIDR]", .field = "endpoint.ip", .help = "with source or destination in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--file", .value = "FILE", .help = "write there instead of to stdout" },
};

static const struct vg_option watch_options[] = {
    JSON_OPTION,
    { .name = "--start", .value = "TIME", .field = "startTimestamp", .help = "from then on (default " START_DEFAULT ")" },
    { .name = "--end", .value = "TIME", .field = "endTimestamp", .help = "up to then" },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "of these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--signature", .value = "NAME[,NAME]", .field = "signature", .help = "with any of these signatures", .kind = VG_OPTION_KIND_LIST },
    { .name = "--ip", .value = "CIDR[,CIDR]", .field = "ip", .help = "with source or destination in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--since", .value = "TIME", .field = "lastUpdatedTimestamp", .help = "begin with what was changed then (default now)" },
    { .name = "--interval", .value = "MS", .help = "milliseconds between questions when nothing is new (default 2000)" },
    { .name = "--events", .value = "N", .help = "end after so many" },
};

static const struct vg_column watch_columns[] = {
    { "TIME", "timestamp" },
    { "SEVERITY", "severity" },
    { "CUSTOMER", "customerInfo.shortName" },
    { "SIGNATURE", "attackInfo.signature" },
    { "PROTOCOL", "protocol" },
    { "SOURCE", "sourceAddress" },
    { "DESTINATION", "destinationAddress" },
    { "PORT", "destinationPort" },
    { "ID", "id" },
};
// clang-format on

/* ----------------------------------------------------------------------------------- export */

struct export
{
    struct vg_connection_call call;
    struct vg_arena arena; /* of one row */
    struct vg_progress progress;
    FILE *file;
    const char *failure; /* why no more rows were wanted */
};

static bool export_row(struct vg_connection_call *call, struct vg_bytes message)
{
    struct export *export = VG_CONTAINER_OF(call, struct export, call);
    const struct vg_table *table = vg_client_method_row(call->method)->answer;
    ProtobufCMessage *row = NULL;
    vg_arena_clear(&export->arena);
    if (vg_wire_decode(table, message, &vg_wire_policy_record, &export->arena, &row, NULL) !=
        VG_OK) {
        export->failure = "the server's answer cannot be read";
        return false;
    }
    if (!vg_output_line(table, row, export->file)) {
        export->failure = strerrordesc_np(errno);
        return false;
    }
    if (export->call.rows == 1 && call->grpc.row_count > 0) {
        export->progress.total = (uint64_t)call->grpc.row_count;
    }
    vg_progress_show(&export->progress, "events", call->rows, call->rows);
    return true;
}

static enum vg_exit export_rows(
    struct vg_session *session,
    const struct export *wanted,
    const Vigil__Events__V2__SearchRequest *request)
{
    struct export export = *wanted;
    vg_arena_init(&export.arena, ROW_BYTES_MAX);
    enum vg_exit exit = vg_session_stream(session, &request->base, &export.call, &export.failure);
    vg_progress_hide(&export.progress);
    vg_arena_dispose(&export.arena);
    if (fflush(export.file) != 0 && exit == VG_EXIT_DONE) {
        (void)fprintf(stderr, "vigil: %s\n", strerrordesc_np(errno));
        exit = VG_EXIT_REFUSED;
    }
    return exit;
}

/* The criteria, with all that can be told of an event, and without a limit unless they name one. */
static enum vg_exit read_export(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    Vigil__Events__V2__SearchRequest **out_request)
{
    ProtobufCMessage *message = NULL;
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(command->method)->request,
        &message);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    Vigil__Events__V2__SearchRequest *request = (Vigil__Events__V2__SearchRequest *)(void *)message;
    if (request->start_timestamp == NULL && !vg_arguments_has(arguments, "--json")) {
        request->start_timestamp = vg_arena_text(&session->arena, vg_bytes_text(START_DEFAULT));
    }
    if (!request->has_limit) {
        request->has_limit = true;
        request->limit = 0;
    }
    if (!request->has_include_all_properties && request->n_include_properties == 0) {
        request->has_include_all_properties = request->include_all_properties = true;
    }
    if (!request->has_include_comments) {
        request->has_include_comments = request->include_comments = true;
    }
    if (!request->has_include_sub_events) {
        request->has_include_sub_events = request->include_sub_events = true;
    }
    *out_request = request;
    return VG_EXIT_DONE;
}

static enum vg_exit run_export(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    Vigil__Events__V2__SearchRequest *request = NULL;
    enum vg_exit exit = read_export(session, command, arguments, &request);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    const char *path = vg_arguments_value(arguments, "--file");
    struct export export = {
        .call = { .method = command->method, .row = export_row },
        .file = path == NULL ? stdout : fopen(path, "wb"),
    };
    if (export.file == NULL) {
        (void)fprintf(stderr, "vigil: cannot write %s: %s\n", path, strerrordesc_np(errno));
        return VG_EXIT_USAGE;
    }
    /* The rows and the bar must not share a terminal. */
    vg_progress_begin(&export.progress, 0);
    export.progress.wanted =
        isatty(STDERR_FILENO) == 1 && (path != NULL || isatty(STDOUT_FILENO) != 1);
    exit = export_rows(session, &export, request);
    if (path != NULL && fclose(export.file) != 0 && exit == VG_EXIT_DONE) {
        (void)fprintf(stderr, "vigil: cannot write %s: %s\n", path, strerrordesc_np(errno));
        exit = VG_EXIT_REFUSED;
    }
    return exit;
}

/* ----------------------------------------------------------------------------------- watch */

/* The criteria as a message that may be changed. */
static enum vg_exit read_criteria(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    Vigil__Events__V1__SearchCriteria **out_criteria)
{
    ProtobufCMessage *request = NULL;
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(command->method)->request,
        &request);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    Vigil__Events__V1__SearchCriteria *criteria =
        (Vigil__Events__V1__SearchCriteria *)(void *)request;
    if (criteria->start_timestamp == NULL && !vg_arguments_has(arguments, "--json")) {
        criteria->start_timestamp = vg_arena_text(&session->arena, vg_bytes_text(START_DEFAULT));
    }
    *out_criteria = criteria;
    return VG_EXIT_DONE;
}

/*
 * The guide's loop: the next question begins with the time of the last row. That bound is
 * inclusive, so those of that very time come again, and their ids are kept to know them by.
 */
struct watch {
    const struct vg_command *command;
    Vigil__Events__V1__SearchCriteria *criteria;
    int64_t last;
    size_t known_count;
    char known[WATCH_KNOWN_MAX][WATCH_ID_SIZE];
    char bound[VG_TEXT_NUMBER_SIZE];
    uint64_t shown;
    uint64_t shown_max;   /* 0 = no end */
    uint64_t interval_ms; /* when nothing is new */
};

static bool watch_knows(const struct watch *watch, const char *id, int64_t updated)
{
    for (size_t i = 0; updated == watch->last && i < watch->known_count; i++) {
        if (strcmp(watch->known[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static void watch_learn(struct watch *watch, const char *id, int64_t updated)
{
    if (updated != watch->last) {
        watch->last = updated;
        watch->known_count = 0;
    }
    if (watch->known_count < WATCH_KNOWN_MAX) {
        (void)snprintf(watch->known[watch->known_count++], WATCH_ID_SIZE, "%s", id);
    }
}

static bool watch_is_done(const struct watch *watch)
{
    return watch->shown_max > 0 && watch->shown >= watch->shown_max;
}

/* Show what is new on a page; false when stdout takes no more. */
static bool watch_show(
    const struct vg_session *session,
    struct watch *watch,
    const Vigil__Events__V1__AggregatedEventList *page,
    size_t *out_new)
{
    const struct vg_table *table = vg_client_method_row(VG_CLIENT_METHOD_STREAM_AGGREGATED)->answer;
    *out_new = 0;
    for (size_t i = 0; i < page->n_data && !watch_is_done(watch); i++) {
        const Vigil__Events__V1__AggregatedEvent *event = page->data[i];
        const char *id = event->id == NULL ? "" : event->id;
        if (watch_knows(watch, id, event->last_updated_timestamp)) {
            continue;
        }
        if (!(session->output == VG_OUTPUT_TABLE
                  ? vg_output_cells(watch->command, table, &event->base, stdout)
                  : vg_output_line(table, &event->base, stdout))) {
            return false;
        }
        watch_learn(watch, id, event->last_updated_timestamp);
        watch->shown++;
        (*out_new)++;
    }
    return fflush(stdout) == 0;
}

static void watch_rest(const struct watch *watch)
{
    struct timespec rest = { .tv_sec = (time_t)(watch->interval_ms / 1000),
                             .tv_nsec = (long)(watch->interval_ms % 1000) * 1000000 };
    (void)nanosleep(&rest, NULL);
}

/* One question; *out_more when the next may be asked at once. */
static enum vg_exit watch_ask(struct vg_session *session, struct watch *watch, bool *out_more)
{
    if (watch->last > 0) {
        watch->bound[vg_text_number_print_int64(watch->last, watch->bound)] = '\0';
        watch->criteria->last_updated_timestamp = watch->bound;
    }
    struct vg_arena arena; /* of the page: watching has no end */
    const ProtobufCMessage *answer = NULL;
    vg_arena_init(&arena, WATCH_PAGE_BYTES_MAX);
    enum vg_exit exit = vg_session_ask_into(
        session,
        watch->command->method,
        &watch->criteria->base,
        &arena,
        &answer);
    if (exit == VG_EXIT_DONE) {
        const Vigil__Events__V1__AggregatedEventList *page =
            (const Vigil__Events__V1__AggregatedEventList *)(const void *)answer;
        size_t found = 0;
        if (!watch_show(session, watch, page, &found)) {
            exit = VG_EXIT_REFUSED;
        }
        *out_more = found > 0 && page->n_data >= WATCH_LIMIT;
    }
    vg_arena_dispose(&arena);
    return exit;
}

static enum vg_exit read_number(
    const struct vg_arguments *arguments,
    const char *name,
    uint64_t *out_number)
{
    const char *text = vg_arguments_value(arguments, name);
    int64_t number = 0;
    if (text == NULL) {
        return VG_EXIT_DONE;
    }
    if (!vg_text_number_parse_int64(vg_bytes_text(text), &number) || number < 1 ||
        number > INT32_MAX) {
        (void)fprintf(stderr, "vigil: %s takes a number from 1 on, not %s\n", name, text);
        return VG_EXIT_USAGE;
    }
    *out_number = (uint64_t)number;
    return VG_EXIT_DONE;
}

static enum vg_exit watch_begin(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    struct watch *watch)
{
    static Vigil__Events__V1__SortBy sort =
        VIGIL__EVENTS__V1__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP;
    watch->command = command;
    watch->interval_ms = WATCH_INTERVAL_MS;
    enum vg_exit exit = read_number(arguments, "--interval", &watch->interval_ms);
    if (exit == VG_EXIT_DONE) {
        exit = read_number(arguments, "--events", &watch->shown_max);
    }
    if (exit == VG_EXIT_DONE) {
        exit = read_criteria(session, command, arguments, &watch->criteria);
    }
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    watch->criteria->sort_by = &sort;
    watch->criteria->n_sort_by = 1;
    watch->criteria->has_limit = true;
    watch->criteria->limit = WATCH_LIMIT;
    watch->criteria->has_offset = false;
    if (watch->criteria->last_updated_timestamp == NULL) {
        /* A fixed time: "now" would be a later one with each question until there is an event. */
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
        watch->bound[vg_text_number_print_int64(now_ms, watch->bound)] = '\0';
        watch->criteria->last_updated_timestamp = watch->bound;
    }
    return VG_EXIT_DONE;
}

static enum vg_exit run_watch(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        (void)fputs("vigil: there is no memory\n", stderr);
        return VG_EXIT_REFUSED;
    }
    enum vg_exit exit = watch_begin(session, command, arguments, watch);
    while (exit == VG_EXIT_DONE && !watch_is_done(watch)) {
        bool more = false;
        exit = watch_ask(session, watch, &more);
        if (exit == VG_EXIT_DONE && !more && !watch_is_done(watch)) {
            watch_rest(watch);
        }
    }
    free(watch);
    return exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "event",
        .verb = "export",
        .help = "write all events that match as JSON lines of v2, however many",
        .options = export_options,
        .option_count = VG_ARRAY_COUNT(export_options),
        .method = VG_CLIENT_METHOD_STREAM_EVENTS,
        .run = run_export,
    },
    {
        .noun = "event",
        .verb = "watch",
        .help = "show events as they are added and changed, without end",
        .options = watch_options,
        .option_count = VG_ARRAY_COUNT(watch_options),
        .columns = watch_columns,
        .column_count = VG_ARRAY_COUNT(watch_columns),
        .method = VG_CLIENT_METHOD_SEARCH_AGGREGATED,
        .run = run_watch,
    },
};

const struct vg_command_group vg_cmd_flow = { commands, VG_ARRAY_COUNT(commands) };
