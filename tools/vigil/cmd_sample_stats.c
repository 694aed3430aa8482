/* vigil sample stats: submissions counted in groups. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "tools/vigil/cell.h"
#include "tools/vigil/session.h"

#include "contract_json.h"
#include "vigil/sampledb/v2/statistics.pb-c.h"

#define GROUP_DEFAULT  "customer"
#define META_PREFIX    "metaData:"
#define LEVELS_MAX     16u
#define TEXT_BYTES_MAX ((size_t)1 << 30)

// clang-format off
static const struct vg_option stats_options[] = {
    { .name = "--json", .value = "FILE", .help = "read the request from a file (- = stdin) instead of from options" },
    { .name = "--by", .value = "FIELD[,FIELD]", .help = "what to group by, one within the other (default " GROUP_DEFAULT "): customer, fileName, sampleSha256, mimeType, tlp, " META_PREFIX "KEY" },
    { .name = "--limit", .value = "N", .help = "groups of each level; 0 = all (default 25)" },
    { .name = "--start", .value = "TIME", .field = "indexStartTimestamp", .help = "added from then on (default a month ago)" },
    { .name = "--end", .value = "TIME", .field = "indexEndTimestamp", .help = "added up to then (default now)" },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "of these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--sha256", .value = "SHA256[,SHA256]", .field = "sampleSha256", .help = "of these samples", .kind = VG_OPTION_KIND_LIST },
    { .name = "--tlp", .value = "TLP[,TLP]", .field = "tlp", .help = "with any of these", .kind = VG_OPTION_KIND_LIST },
};

/* What a list has in JSON; as a table it is printed by groups. */
static const struct vg_column stats_columns[] = {
    { "SUBMISSIONS", "count" },
    { "GROUP", "group.displayName" },
};
// clang-format on

struct building {
    struct vg_session *session;
    const struct vg_arguments *arguments;
    Vigil__Sampledb__V2__SubmissionStatisticsRequest *request;
    struct vg_error error;
};

/* --------------------------------------------------------------------------------------- request
 */

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

static enum vg_reason take_limit(
    struct building *building,
    Vigil__Sampledb__V2__SubmissionGroupBy *group)
{
    const char *limit = vg_arguments_value(building->arguments, "--limit");
    int64_t number = 0;
    if (limit == NULL) {
        return VG_OK;
    }
    if (!vg_text_number_parse_int64(vg_bytes_text(limit), &number) || number < 0 ||
        number > INT32_MAX) {
        return refuse(building, "--limit", vg_bytes_text(limit));
    }
    group->has_limit = true;
    group->limit = (int32_t)number;
    return VG_OK;
}

/* The field that `word` names; behind metaData stands the key. */
static enum vg_reason take_field(
    struct building *building,
    struct vg_bytes word,
    Vigil__Sampledb__V2__SubmissionGroupBy *group)
{
    const size_t prefix = sizeof(META_PREFIX) - 1;
    if (word.size > prefix && memcmp(word.data, META_PREFIX, prefix) == 0) {
        group->meta_data_field = vg_arena_text(
            &building->session->arena,
            vg_bytes(word.data + prefix, word.size - prefix));
        if (group->meta_data_field == NULL) {
            return vg_error_set(&building->error, VG_REQUEST_MEMORY, NULL);
        }
        word.size = prefix - 1;
    }
    int32_t field = vg_contract_find_word(
        &vg_words_vigil_sampledb_v2_submission_group_field,
        (const char *)word.data,
        word.size);
    if (field == 0) {
        return refuse(building, "--by", word);
    }
    group->has_field = true;
    group->field = (Vigil__Sampledb__V2__SubmissionGroupField)field;
    return VG_OK;
}

static enum vg_reason add_group(struct building *building, struct vg_bytes word)
{
    Vigil__Sampledb__V2__SubmissionStatisticsRequest *request = building->request;
    Vigil__Sampledb__V2__SubmissionGroupBy *group =
        vg_arena_calloc(&building->session->arena, 1, sizeof(*group));
    if (group == NULL) {
        return vg_error_set(&building->error, VG_REQUEST_MEMORY, NULL);
    }
    if (request->n_group_by == LEVELS_MAX) {
        return refuse(building, "--by", word);
    }
    vigil__sampledb__v2__submission_group_by__init(group);
    enum vg_reason reason = take_field(building, word, group);
    if (reason == VG_OK) {
        reason = take_limit(building, group);
    }
    if (reason == VG_OK) {
        request->group_by[request->n_group_by++] = group;
    }
    return reason;
}

static enum vg_reason add_groups(struct building *building)
{
    Vigil__Sampledb__V2__SubmissionStatisticsRequest *request = building->request;
    const char *by = vg_arguments_value(building->arguments, "--by");
    const char *at = by == NULL ? GROUP_DEFAULT : by;
    enum vg_reason reason = VG_OK;
    request->group_by =
        vg_arena_calloc(&building->session->arena, LEVELS_MAX, sizeof(*request->group_by));
    if (request->group_by == NULL) {
        return vg_error_set(&building->error, VG_REQUEST_MEMORY, NULL);
    }
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

static enum vg_exit build(struct building *building)
{
    const struct vg_arguments *arguments = building->arguments;
    enum vg_reason reason = VG_OK;
    vg_session_error_init(building->session, &building->error);
    if (!vg_arguments_has(arguments, "--json")) {
        reason = add_groups(building);
    } else if (
        arguments->operand_count > 0 || vg_arguments_has(arguments, "--by") ||
        vg_arguments_has(arguments, "--limit")) {
        reason = vg_error_set(
            &building->error,
            VG_CONFIG,
            "--json and options that say the same in words exclude each other");
    }
    return reason == VG_OK ? VG_EXIT_DONE : vg_session_refuse(&building->error);
}

/* ---------------------------------------------------------------------------------------- output
 */

/* Answers are as deep as the request is; the decoder has a limit too. */
static void put_record(
    struct vg_buffer *text,
    const Vigil__Sampledb__V2__SubmissionMetricRecord *record,
    unsigned depth)
{
    vg_buffer_printf(text, "%12" PRId64 "  %*s", record->count, (int)(2 * depth), "");
    if (record->group != NULL && record->group->display_name != NULL) {
        vg_cell_append_text(vg_bytes_text(record->group->display_name), text);
    } else {
        vg_buffer_append_text(text, "all");
    }
    vg_buffer_append_byte(text, '\n');
    for (size_t i = 0; i < record->n_buckets && depth < LEVELS_MAX; i++) {
        put_record(text, record->buckets[i], depth + 1);
    }
}

static enum vg_exit print_table(const Vigil__Sampledb__V2__SubmissionMetricRecordList *list)
{
    struct vg_buffer text;
    vg_buffer_init(&text, TEXT_BYTES_MAX);
    vg_buffer_printf(&text, "%12s  %s\n", "SUBMISSIONS", "GROUP");
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
        .request = (Vigil__Sampledb__V2__SubmissionStatisticsRequest *)(void *)request,
    };
    exit = build(&building);
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_ask(session, command->method, request, &answer);
    }
    if (exit != VG_EXIT_DONE || session->output != VG_OUTPUT_TABLE) {
        return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
    }
    return print_table(
        (const Vigil__Sampledb__V2__SubmissionMetricRecordList *)(const void *)answer);
}

static const struct vg_command commands[] = {
    {
        .noun = "sample",
        .verb = "stats",
        .operand = "KEYWORD...",
        .field = "keywords",
        .help = "count submissions in groups",
        .options = stats_options,
        .option_count = VG_ARRAY_COUNT(stats_options),
        .columns = stats_columns,
        .column_count = VG_ARRAY_COUNT(stats_columns),
        .method = VG_CLIENT_METHOD_COUNT_SUBMISSIONS,
        .many = true,
        .optional = true,
        .run = run_stats,
    },
};

const struct vg_command_group vg_cmd_sample_stats = { commands, VG_ARRAY_COUNT(commands) };
