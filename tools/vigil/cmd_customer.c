/* vigil customer: who events belong to. */
#include "core/base/compiler.h"
#include "tools/vigil/session.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--id", .value = "N", .field = "id", .help = "its number", .required = true },
    { .name = "--name", .value = "NAME", .field = "name", .help = "its name", .required = true },
    { .name = "--parent", .value = "C", .field = "parent", .help = "customer whose sub-customer it becomes" },
    { .name = "--domain", .value = "D", .field = "domain", .help = "name of its domain; by default the parent's, or the server's" },
    { .name = "--not-in-production", .field = "inProduction", .help = "it is not in production", .kind = VG_OPTION_KIND_NO },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "ID", "id" },
    { "SHORT NAME", "shortName" },
    { "NAME", "name" },
    { "PARENT", "parent.shortName" },
    { "DOMAIN", "domain.name" },
    { "IN PRODUCTION", "inProduction" },
    { "ADDED", "createdTimestamp" },
    // clang-format on
};

static const struct vg_command commands[] = {
    {
        .noun = "customer",
        .verb = "add",
        .operand = "SHORTNAME",
        .field = "shortName",
        .help = "add a customer",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_CUSTOMER,
        .run = vg_session_run_call,
    },
    {
        .noun = "customer",
        .verb = "list",
        .help = "list customers",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_CUSTOMERS,
        .run = vg_session_run_call,
    },
    {
        .noun = "customer",
        .verb = "show",
        .operand = "CUSTOMER",
        .field = "customer",
        .help = "show a customer",
        .method = VG_CLIENT_METHOD_GET_CUSTOMER,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_customer = { commands, VG_ARRAY_COUNT(commands) };
