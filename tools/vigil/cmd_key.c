/* vigil key: API keys. */
#include <stdio.h>

#include "core/base/compiler.h"
#include "tools/vigil/session.h"

#include "vigil/admin/v1/key.pb-c.h"

static const struct vg_option add_options[] = {
    // clang-format off
    { .name = "--user", .value = "U", .field = "user", .help = "whose key it is", .required = true },
    { .name = "--role", .value = "ROLE[,ROLE]", .field = "role", .help = "what it may do", .kind = VG_OPTION_KIND_LIST, .required = true },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "customers it covers, with their sub-customers; by default the user's", .kind = VG_OPTION_KIND_LIST },
    { .name = "--expires", .value = "TIME", .field = "expires", .help = "when it ends; by default never" },
    { .name = "--source", .value = "CIDR[,CIDR]", .field = "source", .help = "addresses and networks it may be used from; by default all", .kind = VG_OPTION_KIND_LIST },
    { .name = "--rate", .value = "N", .field = "requestsPerSecond", .help = "requests a second; 0 = no limit, by default the server's setting" },
    { .name = "--burst", .value = "N", .field = "requestBurst", .help = "requests that may come together after a pause; by default those of one second" },
    { .name = "--at-once", .value = "N", .field = "requestsAtOnce", .help = "requests under way at once; 0 = no limit" },
    { .name = "--event-rate", .value = "N", .field = "eventsPerSecond", .help = "events submitted a second; 0 = no limit" },
    { .name = "--certificate", .value = "NAME", .field = "certificate", .help = "name of the client certificate that proves it, instead of a secret: URI:…, DNS:…, email:… or CN:…" },
    // clang-format on
};

static const struct vg_option list_options[] = { VG_LIST_OPTIONS };

static const struct vg_column columns[] = {
    // clang-format off
    { "ID", "id" },
    { "USER", "user.shortName" },
    { "ROLES", "roles" },
    { "CUSTOMERS", "customers.shortName" },
    { "ALL CUSTOMERS", "allCustomers" },
    { "EXPIRES", "expiresTimestamp" },
    { "REVOKED", "revokedTimestamp" },
    { "SOURCES", "sources" },
    { "RATE", "requestsPerSecond" },
    { "AT ONCE", "requestsAtOnce" },
    { "EVENT RATE", "eventsPerSecond" },
    { "MADE", "createdTimestamp" },
    // clang-format on
};

/* As a table the key alone, so that a script can take it. */
static enum vg_exit run_add(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    struct vg_error error;
    ProtobufCMessage *request = NULL;
    const ProtobufCMessage *answer = NULL;
    vg_session_error_init(session, &error);
    if (vg_arguments_request(
            arguments,
            command,
            vg_client_method_row(command->method)->request,
            &session->arena,
            &request,
            &error) != VG_OK) {
        return vg_session_refuse(&error);
    }
    enum vg_exit exit = vg_session_ask(session, command->method, request, &answer);
    if (exit != VG_EXIT_DONE || session->output != VG_OUTPUT_TABLE) {
        return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
    }
    const Vigil__Admin__V1__IssuedKey *issued =
        (const Vigil__Admin__V1__IssuedKey *)(const void *)answer;
    /* A certificate proves itself: there is no secret to tell. */
    (void)puts(issued->key != NULL ? issued->key : issued->details->id);
    return fflush(stdout) == 0 ? VG_EXIT_DONE : VG_EXIT_REFUSED;
}

static const struct vg_command commands[] = {
    {
        .noun = "key",
        .verb = "add",
        .help = "make an API key and print it, this once",
        .options = add_options,
        .option_count = VG_ARRAY_COUNT(add_options),
        .method = VG_CLIENT_METHOD_ADD_KEY,
        .run = run_add,
    },
    {
        .noun = "key",
        .verb = "list",
        .help = "list keys",
        .options = list_options,
        .option_count = VG_ARRAY_COUNT(list_options),
        .columns = columns,
        .column_count = VG_ARRAY_COUNT(columns),
        .method = VG_CLIENT_METHOD_LIST_KEYS,
        .run = vg_session_run_call,
    },
    {
        .noun = "key",
        .verb = "show",
        .operand = "KEY",
        .field = "key",
        .help = "show an API key",
        .method = VG_CLIENT_METHOD_GET_KEY,
        .run = vg_session_run_call,
    },
    {
        .noun = "key",
        .verb = "revoke",
        .operand = "KEY",
        .field = "key",
        .help = "revoke an API key: it is refused from now on",
        .method = VG_CLIENT_METHOD_REVOKE_KEY,
        .run = vg_session_run_call,
    },
};

const struct vg_command_group vg_cmd_key = { commands, VG_ARRAY_COUNT(commands) };
