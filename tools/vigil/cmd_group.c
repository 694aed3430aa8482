/* vigil group: users who get rights together. */
#include "core/base/compiler.h"
#include "tools/vigil/session.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--customer", .value = "C", .field = "customer", .help = "its customer", .required = true },
    { .name = "--name", .value = "NAME", .field = "name", .help = "its name; by default the short name" },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "ID", "id" },
    { "SHORT NAME", "shortName" },
    { "NAME", "name" },
    { "CUSTOMER", "customer.shortName" },
    { "ADDED", "createdTimestamp" },
    // clang-format on
};

static const struct vg_command commands[] = {
    {
        .noun = "group",
        .verb = "add",
        .operand = "SHORTNAME",
        .field = "shortName",
        .help = "add a group",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_GROUP,
        .run = vg_session_run_call,
    },
    {
        .noun = "group",
        .verb = "list",
        .help = "list groups",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_GROUPS,
        .run = vg_session_run_call,
    },
    {
        .noun = "group",
        .verb = "show",
        .operand = "GROUP",
        .field = "group",
        .help = "show a group",
        .method = VG_CLIENT_METHOD_GET_GROUP,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_group = { commands, VG_ARRAY_COUNT(commands) };
