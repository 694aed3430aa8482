/* vigil sample search: samples by what is known of them and of their submissions. */
#include <string.h>

#include "core/base/compiler.h"
#include "tools/vigil/session.h"

#include "vigil/sampledb/v2/sample_criteria.pb-c.h"

// clang-format off
static const struct vg_option search_options[] = {
    { .name = "--json", .value = "FILE", .help = "read the criteria from a file (- = stdin) instead of from options" },
    { .name = "--start", .value = "TIME", .field = "indexStartTimestamp", .help = "known from then on (default a month ago)" },
    { .name = "--end", .value = "TIME", .field = "indexEndTimestamp", .help = "known up to then (default now)" },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "submitted for these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--file-name", .value = "NAME", .help = "submitted by this name; may be given again" },
    { .name = "--sha256", .value = "SHA256[,SHA256]", .field = "sha256", .help = "these samples", .kind = VG_OPTION_KIND_LIST },
    { .name = "--tlp", .value = "TLP[,TLP]", .field = "tlp", .help = "submitted with any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--sort", .value = "KEY[,KEY]", .field = "sortBy", .help = "in this order (default -sampleCreatedTimestamp)", .kind = VG_OPTION_KIND_LIST },
    VG_LIST_OPTIONS,
};

static const struct vg_column search_columns[] = {
    { "SHA-256", "sha256" },
    { "SIZE", "size" },
    { "ADDED", "createdTimestamp" },
    { "SUBMITTED", "lastSubmittedTimestamp" },
    { "SCORE", "latestVerdict.score" },
    { "FLAGS", "flags" },
};
// clang-format on

/* The names that were given, as a condition on the submissions of a sample. A name may hold commas.
 */
static enum vg_reason add_file_names(
    struct vg_session *session,
    const struct vg_arguments *arguments,
    Vigil__Sampledb__V2__SampleSearchRequest *request)
{
    struct vg_arena *arena = &session->arena;
    if (!vg_arguments_has(arguments, "--file-name")) {
        return VG_OK;
    }
    Vigil__Sampledb__V2__SampleSubmissionCriteria *criteria =
        vg_arena_calloc(arena, 1, sizeof(*criteria));
    request->submission = vg_arena_calloc(arena, 1, sizeof(*request->submission));
    char **names = vg_arena_calloc(arena, arguments->count, sizeof(*names));
    if (criteria == NULL || request->submission == NULL || names == NULL) {
        return VG_REQUEST_MEMORY;
    }
    vigil__sampledb__v2__sample_submission_criteria__init(criteria);
    criteria->file_name = names;
    for (size_t i = 0; i < arguments->count; i++) {
        if (strcmp(arguments->items[i].option->name, "--file-name") == 0) {
            char *name = vg_arena_text(arena, vg_bytes_text(arguments->items[i].value));
            if (name == NULL) {
                return VG_REQUEST_MEMORY;
            }
            names[criteria->n_file_name++] = name;
        }
    }
    request->submission[0] = criteria;
    request->n_submission = 1;
    return VG_OK;
}

/* --json says it all: words beside it would be lost. */
static enum vg_reason check_json(const struct vg_arguments *arguments, struct vg_error *error)
{
    if (vg_arguments_has(arguments, "--json") &&
        (arguments->operand_count > 0 || vg_arguments_has(arguments, "--file-name"))) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "--json and options that say the same in words exclude each other");
    }
    return VG_OK;
}

static enum vg_exit run_search(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    ProtobufCMessage *request = NULL;
    const ProtobufCMessage *answer = NULL;
    struct vg_error error;
    vg_session_error_init(session, &error);
    if (check_json(arguments, &error) != VG_OK) {
        return vg_session_refuse(&error);
    }
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(command->method)->request,
        &request);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    enum vg_reason reason = add_file_names(
        session,
        arguments,
        (Vigil__Sampledb__V2__SampleSearchRequest *)(void *)request);
    if (reason != VG_OK) {
        (void)vg_error_set(&error, reason, NULL);
        return vg_session_refuse(&error);
    }
    exit = vg_session_ask(session, command->method, request, &answer);
    return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "sample",
        .verb = "search",
        .operand = "KEYWORD...",
        .field = "keywords",
        .help = "search for samples, by words and by what is known; the newest first",
        .options = search_options,
        .option_count = VG_ARRAY_COUNT(search_options),
        .columns = search_columns,
        .column_count = VG_ARRAY_COUNT(search_columns),
        .method = VG_CLIENT_METHOD_SEARCH_SAMPLES,
        .many = true,
        .optional = true,
        .run = run_search,
    },
};

const struct vg_command_group vg_cmd_sample_search = { commands, VG_ARRAY_COUNT(commands) };
