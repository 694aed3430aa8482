/* vigil location: where events are observed. */
#include "core/base/compiler.h"
#include "tools/vigil/session.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--id", .value = "N", .field = "id", .help = "its number", .required = true },
    { .name = "--name", .value = "NAME", .field = "name", .help = "its name", .required = true },
    { .name = "--customer", .value = "C", .field = "customer", .help = "its customer; without one, all customers may name it" },
    { .name = "--time-zone", .value = "TZ", .field = "timeZone", .help = "IANA name (default UTC)" },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "ID", "id" },
    { "SHORT NAME", "shortName" },
    { "NAME", "name" },
    { "CUSTOMER", "customer.shortName" },
    { "TIME ZONE", "timeZone" },
    { "ADDED", "createdTimestamp" },
    // clang-format on
};

static const struct vg_command commands[] = {
    {
        .noun = "location",
        .verb = "add",
        .operand = "SHORTNAME",
        .field = "shortName",
        .help = "add a location",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_LOCATION,
        .run = vg_session_run_call,
    },
    {
        .noun = "location",
        .verb = "list",
        .help = "list locations",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_LOCATIONS,
        .run = vg_session_run_call,
    },
    {
        .noun = "location",
        .verb = "show",
        .operand = "LOCATION",
        .field = "location",
        .help = "show a location",
        .method = VG_CLIENT_METHOD_GET_LOCATION,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_location = { commands, VG_ARRAY_COUNT(commands) };
