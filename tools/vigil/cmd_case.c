/* vigil case: what events are about. */
#include "core/base/compiler.h"
#include "tools/vigil/session.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--id", .value = "N", .field = "id", .help = "its number", .required = true },
    { .name = "--customer", .value = "C", .field = "customer", .help = "its customer", .required = true },
    { .name = "--subject", .value = "TEXT", .field = "subject", .help = "its subject", .required = true },
    { .name = "--reader", .value = "USER[,USER]", .field = "reader", .help = "users who may read it", .kind = VG_OPTION_KIND_LIST },
    { .name = "--merged-into", .value = "N", .field = "mergedInto", .help = "case it was merged into" },
    { .name = "--status", .value = "S", .field = "status", .help = "pendingSoc (default), pendingCustomer, workingSoc, closed …" },
    { .name = "--priority", .value = "P", .field = "priority", .help = "low, medium (default), high or critical" },
    { .name = "--category-id", .value = "N", .field = "categoryID", .help = "its category" },
    { .name = "--category-name", .value = "TEXT", .field = "categoryName", .help = "name of its category" },
    { .name = "--service", .value = "NAME", .field = "service", .help = "its service" },
    { .name = "--description", .value = "TEXT", .field = "description", .help = "what it is about" },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "ID", "id" },
    { "CUSTOMER", "customer.shortName" },
    { "STATUS", "status" },
    { "PRIORITY", "priority" },
    { "CATEGORY", "categoryName" },
    { "SERVICE", "service" },
    { "READERS", "readers.shortName" },
    { "ADDED", "createdTimestamp" },
    { "SUBJECT", "subject" },
    // clang-format on
};

static const struct vg_command commands[] = {
    {
        .noun = "case",
        .verb = "add",
        .help = "add a case",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_CASE,
        .run = vg_session_run_call,
    },
    {
        .noun = "case",
        .verb = "list",
        .help = "list cases",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_CASES,
        .run = vg_session_run_call,
    },
    {
        .noun = "case",
        .verb = "show",
        .operand = "ID",
        .field = "caseID",
        .help = "show a case",
        .method = VG_CLIENT_METHOD_GET_CASE,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_case = { commands, VG_ARRAY_COUNT(commands) };
