/* vigil event export and watch: events as they come, however many, in flat memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/random.h"
#include "core/base/text_number.h"
#include "core/wire/wire_decode.h"
#include "tools/vigil/progress.h"
#include "tools/vigil/session.h"

#include "vigil/events/v2/criteria.pb-c.h"
#include "vigil/events/v2/stream.pb-c.h"

#define START_DEFAULT "-24hours"

/* Pauses before a watch that was broken off goes on: twice as long each time, up to the last. */
#define WATCH_PAUSE_FIRST_MS 100u
#define WATCH_PAUSE_LAST_MS  10000u
/* A token, as docs/streams.md has it. */
#define VG_WATCH_TOKEN_BYTES 192u
#define ROW_BYTES_MAX        ((size_t)64 << 20)

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
    { .name = "--start", .value = "TIME", .field = "startTimestamp", .help = "events created then or later" },
    { .name = "--end", .value = "TIME", .field = "endTimestamp", .help = "events created then or earlier" },
    { .name = "--type", .value = "TYPE[,TYPE]", .field = "type", .help = "aggregated or raw (default both)", .kind = VG_OPTION_KIND_LIST },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "of these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--signature", .value = "NAME[,NAME]", .field = "attack.signature", .help = "with any of these signatures", .kind = VG_OPTION_KIND_LIST },
    { .name = "--ip", .value = "CIDR[,CIDR]", .field = "endpoint.ip", .help = "with source or destination in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--since", .value = "TIME", .field = "since", .help = "begin with what was changed then (default now)" },
    { .name = "--new", .field = "onlyNew", .help = "only events that are added, not changes", .kind = VG_OPTION_KIND_YES },
    { .name = "--events", .value = "N", .help = "end after so many" },
};

static const struct vg_column watch_columns[] = {
    { "TIME", "timestamps.created" },
    { "SEVERITY", "severity" },
    { "CUSTOMER", "customer.shortName" },
    { "SIGNATURE", "signature.name" },
    { "PROTOCOL", "protocol" },
    { "SOURCE", "source.address" },
    { "DESTINATION", "destination.address" },
    { "PORT", "destination.port" },
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

/* What is asked, and the call that is under way. */
struct watch {
    struct vg_connection_call call;
    const struct vg_session *session;
    const struct vg_command *command;
    Vigil__Events__V2__WatchRequest *request;
    struct vg_arena arena; /* of one answer */
    char token[VG_WATCH_TOKEN_BYTES];
    uint64_t shown;
    uint64_t shown_max; /* 0 = no end */
    uint32_t pause_ms;  /* before the next call, if this one breaks */
    const char *failure;
};

static bool watch_is_done(const struct watch *watch)
{
    return watch->shown_max > 0 && watch->shown >= watch->shown_max;
}

/* One answer; false when no more are wanted. The token is taken when its event is shown. */
static bool watch_answer(struct vg_connection_call *call, struct vg_bytes message)
{
    struct watch *watch = VG_CONTAINER_OF(call, struct watch, call);
    const struct vg_client_method_row *method = vg_client_method_row(call->method);
    const struct vg_table *row = vg_client_method_row(VG_CLIENT_METHOD_STREAM_EVENTS)->answer;
    ProtobufCMessage *decoded = NULL;
    vg_arena_clear(&watch->arena);
    if (vg_wire_decode(
            method->answer,
            message,
            &vg_wire_policy_record,
            &watch->arena,
            &decoded,
            NULL) != VG_OK) {
        watch->failure = "the server's answer cannot be read";
        return false;
    }
    const Vigil__Events__V2__WatchAnswer *answer =
        (const Vigil__Events__V2__WatchAnswer *)(const void *)decoded;
    if (answer->event != NULL) {
        bool shown = watch->session->output == VG_OUTPUT_TABLE
                         ? vg_output_cells(watch->command, row, &answer->event->base, stdout)
                         : vg_output_line(row, &answer->event->base, stdout);
        if (!shown || fflush(stdout) != 0) {
            watch->failure = strerrordesc_np(errno);
            return false;
        }
        watch->shown++;
    }
    if (answer->token != NULL) {
        (void)snprintf(watch->token, sizeof(watch->token), "%s", answer->token);
        watch->request->token = watch->token;
        watch->request->since = NULL;
    }
    watch->pause_ms = WATCH_PAUSE_FIRST_MS;
    return !watch_is_done(watch);
}

/* A pause that grows, and is not the same for all who were broken off together. */
static void watch_rest(struct watch *watch)
{
    uint64_t ms = watch->pause_ms + vg_random_below(vg_random_real(), watch->pause_ms / 4 + 1);
    struct timespec rest = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };
    (void)nanosleep(&rest, NULL);
    watch->pause_ms =
        watch->pause_ms * 2 < WATCH_PAUSE_LAST_MS ? watch->pause_ms * 2 : WATCH_PAUSE_LAST_MS;
}

static enum vg_exit watch_begin(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    struct watch *watch)
{
    ProtobufCMessage *request = NULL;
    int64_t number = 0;
    const char *events = vg_arguments_value(arguments, "--events");
    if (events != NULL && (!vg_text_number_parse_int64(vg_bytes_text(events), &number) ||
                           number < 1 || number > INT32_MAX)) {
        (void)fprintf(stderr, "vigil: --events takes a number from 1 on, not %s\n", events);
        return VG_EXIT_USAGE;
    }
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(command->method)->request,
        &request);
    watch->session = session;
    watch->command = command;
    watch->shown_max = (uint64_t)number;
    watch->pause_ms = WATCH_PAUSE_FIRST_MS;
    watch->request = (Vigil__Events__V2__WatchRequest *)(void *)request;
    return exit;
}

/* One call until it ends; *out_again when it is to be made again with the token. */
static enum vg_exit watch_once(struct vg_session *session, struct watch *watch, bool *out_again)
{
    watch->call =
        (struct vg_connection_call){ .method = watch->command->method, .row = watch_answer };
    bool was_open = watch->token[0] != '\0';
    if (vg_connection_stream(session->connection, &watch->request->base, &watch->call)) {
        *out_again = true; /* nobody ends it well; come back */
    } else {
        *out_again = watch->failure == NULL && !watch_is_done(watch) &&
                     vg_connection_is_unreachable(&watch->call) &&
                     (was_open || watch->token[0] != '\0');
    }
    enum vg_exit exit = VG_EXIT_DONE;
    if (!*out_again && !watch_is_done(watch)) {
        exit = watch->failure == NULL && vg_connection_is_unreachable(&watch->call)
                   ? VG_EXIT_UNREACHABLE
                   : VG_EXIT_REFUSED;
        vg_session_say(
            "vigil: ",
            watch->failure != NULL ? watch->failure : watch->call.grpc.message,
            "\n");
    }
    vg_connection_call_dispose(&watch->call);
    return exit;
}

static enum vg_exit run_watch(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    struct watch watch = { .shown = 0 };
    enum vg_exit exit = watch_begin(session, command, arguments, &watch);
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_connect(session);
    }
    vg_arena_init(&watch.arena, ROW_BYTES_MAX);
    bool again = exit == VG_EXIT_DONE;
    while (again) {
        exit = watch_once(session, &watch, &again);
        if (again) {
            watch_rest(&watch);
        }
    }
    vg_arena_dispose(&watch.arena);
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
        .method = VG_CLIENT_METHOD_WATCH_EVENTS,
        .run = run_watch,
    },
};

const struct vg_command_group vg_cmd_flow = { commands, VG_ARRAY_COUNT(commands) };
