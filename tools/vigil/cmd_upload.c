/* vigil sample upload: files become samples and submissions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "gateway/json/json_write.h"
#include "tools/vigil/cell.h"
#include "tools/vigil/path_list.h"
#include "tools/vigil/progress.h"
#include "tools/vigil/session.h"
#include "tools/vigil/upload_run.h"

#include "contract_json.h"

#define AGENT_NAME       "vigil"
#define PARALLEL_DEFAULT 4u
#define LINE_BYTES_MAX   ((size_t)64 << 20)

// clang-format off
static const struct vg_option options[] = {
    { .name = "--customer", .value = "C", .field = "customer", .help = "customer who saw the files; by default the key's" },
    { .name = "--tlp", .value = "TLP", .field = "tlp", .help = "white, green or amber (default)" },
    { .name = "--mime-type", .value = "TYPE", .field = "mimeType", .help = "type of the files (default application/octet-stream)" },
    { .name = "--meta", .value = "KEY=VALUE", .field = "metaData", .help = "what else is known; may be given again", .kind = VG_OPTION_KIND_ENTRY },
    { .name = "--acl", .value = "WHO[,WHO]", .field = "acl", .help = "users and groups who may see the submissions too", .kind = VG_OPTION_KIND_LIST },
    { .name = "--observed", .value = "TIME", .field = "observedTimestamp", .help = "when the files were seen (default now)" },
    { .name = "--retention", .value = "TIME", .field = "retention", .help = "when the submissions may be deleted (default never)" },
    { .name = "--agent", .value = "NAME/VERSION", .help = "the program that submits (default " AGENT_NAME "/" VG_VERSION ")" },
    { .name = "--recursive", .help = "take all files of folders", .kind = VG_OPTION_KIND_YES },
    { .name = "--parallel", .value = "N", .help = "files under way at a time, 1 to 64 (default 4)" },
};
// clang-format on

/* The run's observer: prints a line for each file, and how far it is. */
struct screen {
    struct vg_upload_observer observer;
    struct vg_progress progress;
    enum vg_output output;
    uint64_t sent;    /* bytes */
    uint64_t skipped; /* bytes of files that were not sent */
    uint64_t done;    /* files */
    uint64_t printed; /* lines */
    bool broken;      /* stdout takes no more */
};

/* ---------------------------------------------------------------------------------- output */

static void put_member(struct vg_buffer *line, const char *name, const char *value)
{
    vg_buffer_printf(line, "\"%s\":", name);
    if (!vg_json_write_text(vg_bytes_text(value), line)) {
        line->failed = true;
    }
    vg_buffer_append_byte(line, ',');
}

/* The path as a text of JSON: bytes that are no text become U+FFFD. */
static void put_path(struct vg_buffer *line, const char *path)
{
    struct vg_buffer text;
    vg_buffer_init(&text, LINE_BYTES_MAX);
    vg_cell_append_text(vg_bytes_text(path), &text);
    vg_buffer_append_byte(&text, '\0');
    line->failed = line->failed || text.failed;
    if (!text.failed) {
        put_member(line, "file", (const char *)text.data);
    }
    vg_buffer_dispose(&text);
}

static void put_json(struct vg_buffer *line, const struct vg_upload_result *result)
{
    vg_buffer_append_byte(line, '{');
    put_path(line, result->path);
    put_member(line, "sha256", result->sha256);
    vg_buffer_printf(line, "\"size\":%" PRIu64 ",", result->size);
    put_member(line, "state", result->known ? "known" : "uploaded");
    vg_buffer_append_text(line, "\"submission\":");
    if (result->submission == NULL) {
        vg_buffer_append_text(line, "null");
    } else if (!vg_json_write(
                   &vg_table_vigil_sampledb_v2_submission,
                   &result->submission->base,
                   &vg_json_documented,
                   line)) {
        line->failed = true;
    }
    vg_buffer_append_byte(line, '}');
}

static void put_text(struct vg_buffer *line, const struct vg_upload_result *result)
{
    const char *id = result->submission == NULL ? "-" : result->submission->id;
    vg_buffer_printf(
        line,
        "%s  %-36s  %-8s  ",
        result->sha256,
        id,
        result->known ? "known" : "uploaded");
    vg_cell_append_text(vg_bytes_text(result->path), line);
}

static void print_result(struct screen *screen, const struct vg_upload_result *result)
{
    struct vg_buffer line;
    vg_buffer_init(&line, LINE_BYTES_MAX);
    if (screen->output == VG_OUTPUT_TABLE) {
        put_text(&line, result);
    } else {
        vg_buffer_append_text(
            &line,
            screen->output == VG_OUTPUT_JSON && screen->printed > 0 ? ",\n" : "");
        put_json(&line, result);
    }
    if (screen->output != VG_OUTPUT_JSON) {
        vg_buffer_append_byte(&line, '\n');
    }
    screen->printed++;
    if (line.failed || fwrite(line.data, 1, line.size, stdout) != line.size ||
        fflush(stdout) != 0) {
        screen->broken = true;
    }
    vg_buffer_dispose(&line);
}

static void print_words(
    const struct vg_upload_result *result,
    const char *words,
    const char *reason)
{
    struct vg_buffer text;
    vg_buffer_init(&text, LINE_BYTES_MAX);
    vg_buffer_append_text(&text, "vigil: ");
    vg_cell_append_text(vg_bytes_text(result->path), &text);
    vg_buffer_append_text(&text, ": ");
    vg_cell_append_text(vg_bytes_text(words), &text);
    if (reason != NULL) {
        vg_buffer_printf(&text, " (%s)", reason);
    }
    vg_buffer_append_byte(&text, '\n');
    (void)fwrite(text.data, 1, text.size, stderr);
    vg_buffer_dispose(&text);
}

static void show_progress(struct screen *screen)
{
    vg_progress_show(&screen->progress, "samples", screen->sent + screen->skipped, screen->done);
}

static void take_result(struct vg_upload_observer *observer, const struct vg_upload_result *result)
{
    struct screen *screen = VG_CONTAINER_OF(observer, struct screen, observer);
    vg_progress_hide(&screen->progress);
    screen->done++;
    if (result->words != NULL) {
        print_words(result, result->words, result->reason);
    } else {
        screen->skipped += result->known ? result->size : 0;
        print_result(screen, result);
        if (result->submission == NULL) {
            print_words(result, "a similar submission was seen recently: none was added", NULL);
        }
    }
    show_progress(screen);
}

static void take_sent(struct vg_upload_observer *observer, uint64_t bytes)
{
    struct screen *screen = VG_CONTAINER_OF(observer, struct screen, observer);
    screen->sent += bytes;
    show_progress(screen);
}

/* --------------------------------------------------------------------------------- request */

/* NAME/VERSION in two; the name may have slashes. */
static enum vg_reason take_agent(
    struct vg_session *session,
    const char *text,
    Vigil__Sampledb__V2__UserAgentRequest *agent,
    struct vg_error *error)
{
    const char *value = text == NULL ? AGENT_NAME "/" VG_VERSION : text;
    const char *slash = strrchr(value, '/');
    if (slash == NULL || slash == value || slash[1] == '\0') {
        return vg_error_set(error, VG_CONFIG, "--agent takes NAME/VERSION, not %s", value);
    }
    vigil__sampledb__v2__user_agent_request__init(agent);
    agent->name = vg_arena_text(&session->arena, vg_bytes(value, (size_t)(slash - value)));
    agent->version = vg_arena_text(&session->arena, vg_bytes_text(slash + 1));
    return agent->name == NULL || agent->version == NULL
               ? vg_error_set(error, VG_RESOURCE_LIMIT, NULL)
               : VG_OK;
}

static enum vg_reason take_parallel(
    const char *text,
    unsigned *out_parallel,
    struct vg_error *error)
{
    int64_t number = PARALLEL_DEFAULT;
    if (text != NULL && (!vg_text_number_parse_int64(vg_bytes_text(text), &number) || number < 1 ||
                         number > VG_UPLOAD_RUN_PARALLEL_MAX)) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "--parallel takes a number from 1 to %u, not %s",
            VG_UPLOAD_RUN_PARALLEL_MAX,
            text);
    }
    *out_parallel = (unsigned)number;
    return VG_OK;
}

/* Submission, agent and how many at a time; what is wrong is printed. */
static enum vg_exit take_options(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    Vigil__Sampledb__V2__UserAgentRequest *agent,
    struct vg_upload_options *out_options)
{
    struct vg_error error;
    ProtobufCMessage *message = NULL;
    vg_session_error_init(session, &error);
    if (take_agent(session, vg_arguments_value(arguments, "--agent"), agent, &error) != VG_OK ||
        take_parallel(
            vg_arguments_value(arguments, "--parallel"),
            &out_options->parallel,
            &error) != VG_OK) {
        return vg_session_refuse(&error);
    }
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(command->method)->request,
        &message);
    if (exit == VG_EXIT_DONE) {
        Vigil__Sampledb__V2__AddSubmissionRequest *request =
            (Vigil__Sampledb__V2__AddSubmissionRequest *)(void *)message;
        request->user_agent = agent;
        out_options->submission = request;
    }
    return exit;
}

/* ------------------------------------------------------------------------------------- run */

static enum vg_exit exit_of(enum vg_upload_end end, const struct screen *screen)
{
    static const enum vg_exit exits[] = {
        [VG_UPLOAD_END_DONE] = VG_EXIT_DONE,
        [VG_UPLOAD_END_REFUSED] = VG_EXIT_REFUSED,
        [VG_UPLOAD_END_UNREACHABLE] = VG_EXIT_UNREACHABLE,
        [VG_UPLOAD_END_NO_MEMORY] = VG_EXIT_REFUSED,
    };
    if (screen->broken) {
        (void)fputs("vigil: the answer cannot be written\n", stderr);
        return VG_EXIT_REFUSED;
    }
    return exits[end];
}

static enum vg_exit upload(
    struct vg_session *session,
    const struct vg_path_list *list,
    struct vg_upload_options *wanted)
{
    struct screen screen = { .observer = { take_result, take_sent }, .output = session->output };
    bool json = session->output == VG_OUTPUT_JSON;
    enum vg_exit exit = vg_session_connect(session);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    wanted->paths = vg_path_list_items(list);
    wanted->path_count = list->count;
    vg_progress_begin(&screen.progress, list->bytes);
    (void)fputs(json ? "{\"data\":[" : "", stdout);
    enum vg_upload_end end = vg_upload_run(session->connection, wanted, &screen.observer);
    vg_progress_hide(&screen.progress);
    if (json) {
        (void)printf("],\"count\":%" PRIu64 "}\n", screen.printed);
        screen.broken = fflush(stdout) != 0 || screen.broken;
    }
    return exit_of(end, &screen);
}

static enum vg_exit run_upload(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    Vigil__Sampledb__V2__UserAgentRequest agent;
    struct vg_upload_options wanted = { .parallel = PARALLEL_DEFAULT };
    struct vg_path_list list;
    struct vg_error error;
    enum vg_exit exit = take_options(session, command, arguments, &agent, &wanted);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    vg_session_error_init(session, &error);
    if (vg_path_list_collect(
            arguments->operands,
            arguments->operand_count,
            vg_arguments_has(arguments, "--recursive"),
            &session->arena,
            &list,
            &error) != VG_OK) {
        return vg_session_refuse(&error);
    }
    exit = upload(session, &list, &wanted);
    vg_path_list_dispose(&list);
    return exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "sample",
        .verb = "upload",
        .operand = "FILE...",
        .help = "submit files, sending only those that the server does not have",
        .options = options,
        .option_count = VG_ARRAY_COUNT(options),
        .method = VG_CLIENT_METHOD_ADD_SUBMISSION,
        .many = true,
        .run = run_upload,
    },
};

const struct vg_command_group vg_cmd_upload = { commands, VG_ARRAY_COUNT(commands) };
