/* vigil signature: what detections are called, and the alarms they mean. */
#include "core/base/compiler.h"
#include "tools/vigil/session.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--alarm-id", .value = "N", .field = "alarmID", .help = "its alarm", .required = true },
    { .name = "--alarm-description", .value = "TEXT", .field = "alarmDescription", .help = "what the alarm is", .required = true },
    { .name = "--category-id", .value = "N", .field = "categoryID", .help = "its attack category", .required = true },
    { .name = "--category-name", .value = "TEXT", .field = "categoryName", .help = "name of the category", .required = true },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "NAME", "name" },
    { "ALARM", "alarmID" },
    { "DESCRIPTION", "alarmDescription" },
    { "CATEGORY", "categoryID" },
    { "CATEGORY NAME", "categoryName" },
    { "ADDED", "createdTimestamp" },
    // clang-format on
};

static const struct vg_command commands[] = {
    {
        .noun = "signature",
        .verb = "add",
        .operand = "NAME",
        .field = "name",
        .help = "add a signature",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_SIGNATURE,
        .run = vg_session_run_call,
    },
    {
        .noun = "signature",
        .verb = "list",
        .help = "list signatures",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_SIGNATURES,
        .run = vg_session_run_call,
    },
    {
        .noun = "signature",
        .verb = "show",
        .operand = "NAME",
        .field = "signature",
        .help = "show a signature",
        .method = VG_CLIENT_METHOD_GET_SIGNATURE,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_signature = { commands, VG_ARRAY_COUNT(commands) };
