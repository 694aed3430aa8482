/* vigil event assess and lineage: an analyst's verdict on an event, and what has been done to it.
 */
#include "tools/vigil/event_path.h"
#include "tools/vigil/session.h"

#include "vigil/events/v2/assessment.pb-c.h"
#include "vigil/events/v2/single.pb-c.h"

static const struct vg_option assess_options[] = {
    // clang-format off
    { .name = "--json", .value = "FILE", .help = "read the assessment from a file (- = stdin) instead of from options" },
    { .name = "--comment", .value = "TEXT", .field = "comment", .help = "a comment" },
    { .name = "--enable-flag", .value = "FLAG[,FLAG]", .field = "enableFlag", .help = "flags to set: falsePositive, notAThreat, tuningCandidate, followup, identifiedThreat, acknowledged, partiallyAcknowledged", .kind = VG_OPTION_KIND_LIST },
    { .name = "--disable-flag", .value = "FLAG[,FLAG]", .field = "disableFlag", .help = "flags to clear", .kind = VG_OPTION_KIND_LIST },
    { .name = "--no-acknowledge", .field = "autoAcknowledge", .help = "do not acknowledge the event", .kind = VG_OPTION_KIND_NO },
    { .name = "--case", .value = "N[,N]", .field = "associateCase", .help = "cases to associate with", .kind = VG_OPTION_KIND_LIST },
    { .name = "--no-case", .value = "N[,N]", .field = "disassociateCase", .help = "cases to dissociate from", .kind = VG_OPTION_KIND_LIST },
    { .name = "--severity", .value = "S", .field = "newSeverity", .help = "low, medium, high or critical" },
    { .name = "--handled-by-analyst", .field = "handledByAnalyst", .help = "an analyst has looked at it", .kind = VG_OPTION_KIND_YES },
    { .name = "--publish", .field = "publishIfUnpublished", .help = "publish it now, if it is not", .kind = VG_OPTION_KIND_YES },
    // clang-format on
};

static const struct vg_option lineage_options[] = { VG_LIST_OPTIONS };

static const struct vg_column lineage_columns[] = {
    { "TIME", "createdTimestamp" },
    { "TYPE", "type" },
    { "USER", "createdByUser.shortName" },
    { "DESCRIPTION", "description" },
    { "UPDATED", "eventLastUpdatedTimestamp" },
};

static enum vg_exit ask(
    struct vg_session *session,
    const struct vg_command *command,
    const ProtobufCMessage *request)
{
    const ProtobufCMessage *answer = NULL;
    enum vg_exit exit = vg_session_ask(session, command->method, request, &answer);
    return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
}

static enum vg_exit run_assess(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    struct vg_event_path path;
    ProtobufCMessage *message = NULL;
    enum vg_exit exit = vg_event_path_read(session, arguments->operands[0], &path);
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_make_request(
            session,
            command,
            arguments,
            vg_client_method_row(command->method)->request,
            &message);
    }
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    Vigil__Events__V2__AssessEventRequest *request =
        (Vigil__Events__V2__AssessEventRequest *)(void *)message;
    request->has_timestamp = request->has_customer_id = true;
    request->timestamp = path.timestamp;
    request->customer_id = path.customer_id;
    request->event_id = path.uuid;
    return ask(session, command, message);
}

static enum vg_exit run_lineage(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    struct vg_event_path path;
    ProtobufCMessage *message = NULL;
    enum vg_exit exit = vg_event_path_read(session, arguments->operands[0], &path);
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_make_request(
            session,
            command,
            arguments,
            vg_client_method_row(command->method)->request,
            &message);
    }
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    Vigil__Events__V2__ListLineageRequest *request =
        (Vigil__Events__V2__ListLineageRequest *)(void *)message;
    request->has_timestamp = request->has_customer_id = true;
    request->timestamp = path.timestamp;
    request->customer_id = path.customer_id;
    request->event_id = path.uuid;
    return ask(session, command, message);
}

static const struct vg_command commands[] = {
    {
        .noun = "event",
        .verb = "assess",
        .operand = "ID",
        .help = "assess an event: comment, flags, severity, cases",
        .options = assess_options,
        .option_count = VG_ARRAY_COUNT(assess_options),
        .method = VG_CLIENT_METHOD_ASSESS_EVENT,
        .run = run_assess,
    },
    {
        .noun = "event",
        .verb = "lineage",
        .operand = "ID",
        .help = "who changed an event, when and how; the newest first",
        .options = lineage_options,
        .option_count = VG_ARRAY_COUNT(lineage_options),
        .columns = lineage_columns,
        .column_count = VG_ARRAY_COUNT(lineage_columns),
        .method = VG_CLIENT_METHOD_LIST_LINEAGE,
        .run = run_lineage,
    },
};

const struct vg_command_group vg_cmd_assess = { commands, VG_ARRAY_COUNT(commands) };
