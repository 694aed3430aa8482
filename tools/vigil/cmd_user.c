/* vigil user: who holds keys. */
#include "core/base/compiler.h"
#include "tools/vigil/session.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--customer", .value = "C", .field = "customer", .help = "the user's customer", .required = true },
    { .name = "--group", .value = "G[,G]", .field = "group", .help = "groups of the user", .kind = VG_OPTION_KIND_LIST },
    { .name = "--time-zone", .value = "TZ", .field = "timeZone", .help = "IANA name; relative times follow it (default UTC)" },
    { .name = "--name", .value = "NAME", .field = "name", .help = "the user's name; by default the short name" },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "ID", "id" },
    { "SHORT NAME", "shortName" },
    { "NAME", "name" },
    { "CUSTOMER", "customer.shortName" },
    { "GROUPS", "groups.shortName" },
    { "TIME ZONE", "timeZone" },
    { "DISABLED", "disabled" },
    { "ADDED", "createdTimestamp" },
    // clang-format on
};

static const struct vg_command commands[] = {
    {
        .noun = "user",
        .verb = "add",
        .operand = "SHORTNAME",
        .field = "shortName",
        .help = "add a user",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_USER,
        .run = vg_session_run_call,
    },
    {
        .noun = "user",
        .verb = "list",
        .help = "list users",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_USERS,
        .run = vg_session_run_call,
    },
    {
        .noun = "user",
        .verb = "show",
        .operand = "USER",
        .field = "user",
        .help = "show a user",
        .method = VG_CLIENT_METHOD_GET_USER,
        .run = vg_session_run_call,
    },
    {
        .noun = "user",
        .verb = "disable",
        .operand = "USER",
        .field = "user",
        .help = "disable a user: all keys of the user are refused from now on",
        .method = VG_CLIENT_METHOD_DISABLE_USER,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_user = { commands, VG_ARRAY_COUNT(commands) };
