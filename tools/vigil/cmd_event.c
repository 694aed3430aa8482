/* vigil event: submit, get and search. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "tools/vigil/event_path.h"
#include "tools/vigil/session.h"

#include "vigil/events/v1/explain.pb-c.h"
#include "vigil/events/v2/service.pb-c.h"
#include "vigil/events/v2/submit.pb-c.h"

#define SEARCH_START_DEFAULT "-24hours"

static const struct vg_option submit_options[] = {
    // clang-format off
    { .name = "--json", .value = "FILE", .help = "read the event from a file (- = stdin) instead of from options" },
    { .name = "--bulk", .help = "the file holds a bulk: {\"events\": [...], \"onError\": ...}", .kind = VG_OPTION_KIND_YES },
    { .name = "--customer", .value = "C", .field = "id.customer", .help = "its customer; by default the key's" },
    { .name = "--type", .value = "TYPE", .field = "id.type", .help = "aggregated (default) or raw" },
    { .name = "--timestamp", .value = "TIME", .field = "id.timestamp", .help = "when it happened; by default now" },
    { .name = "--uuid", .value = "UUID", .field = "id.uuid", .help = "its uuid; by default a new one" },
    { .name = "--start", .value = "TIME", .field = "startTimestamp", .help = "first observation" },
    { .name = "--end", .value = "TIME", .field = "endTimestamp", .help = "last observation" },
    { .name = "--signature", .value = "NAME", .field = "signature", .help = "what was detected" },
    { .name = "--severity", .value = "S", .field = "severity", .help = "low (default), medium, high or critical" },
    { .name = "--count", .value = "N", .field = "count", .help = "how many occurrences it stands for" },
    { .name = "--location", .value = "L", .field = "location", .help = "where it was observed" },
    { .name = "--protocol", .value = "P", .field = "protocol", .help = "number or name of the protocol" },
    { .name = "--source-ip", .value = "IP", .field = "source.ip", .help = "address or network" },
    { .name = "--source-port", .value = "N", .field = "source.port", .help = "port" },
    { .name = "--source-host", .value = "NAME", .field = "source.host", .help = "host name" },
    { .name = "--source-user", .value = "NAME", .field = "source.user", .help = "user name" },
    { .name = "--destination-ip", .value = "IP", .field = "destination.ip", .help = "address or network" },
    { .name = "--destination-port", .value = "N", .field = "destination.port", .help = "port" },
    { .name = "--destination-host", .value = "NAME", .field = "destination.host", .help = "host name" },
    { .name = "--destination-user", .value = "NAME", .field = "destination.user", .help = "user name" },
    { .name = "--flag", .value = "FLAG[,FLAG]", .field = "flags", .help = "flags to be set", .kind = VG_OPTION_KIND_LIST },
    { .name = "--property", .value = "KEY=VALUE", .field = "properties", .help = "a property; may be given again", .kind = VG_OPTION_KIND_PAIR },
    { .name = "--sub-event", .value = "ID[,ID]", .field = "subEvents", .help = "events it consists of", .kind = VG_OPTION_KIND_LIST },
    { .name = "--uri", .value = "URI", .field = "uri", .help = "URI that was observed" },
    { .name = "--fqdn", .value = "NAME", .field = "fqdn", .help = "domain name that was observed" },
    { .name = "--aggregation-key", .value = "KEY", .field = "aggregationKey", .help = "key of the client's own" },
    { .name = "--case", .value = "N[,N]", .field = "associatedCaseIDs", .help = "cases it belongs to", .kind = VG_OPTION_KIND_LIST },
    { .name = "--finalized", .field = "finalized", .help = "later submissions do not change it", .kind = VG_OPTION_KIND_YES },
    // clang-format on
};

static const struct vg_option search_options[] = {
    // clang-format off
    { .name = "--json", .value = "FILE", .help = "read the criteria from a file (- = stdin) instead of from options" },
    { .name = "--start", .value = "TIME", .field = "startTimestamp", .help = "from then on (default " SEARCH_START_DEFAULT ")" },
    { .name = "--end", .value = "TIME", .field = "endTimestamp", .help = "up to then" },
    { .name = "--customer", .value = "C[,C]", .field = "customer", .help = "of these customers", .kind = VG_OPTION_KIND_LIST },
    { .name = "--signature", .value = "NAME[,NAME]", .field = "signature", .help = "with any of these signatures", .kind = VG_OPTION_KIND_LIST },
    { .name = "--ip", .value = "CIDR[,CIDR]", .field = "ip", .help = "with source or destination in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--source-ip", .value = "CIDR[,CIDR]", .field = "sourceIP", .help = "with source in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--destination-ip", .value = "CIDR[,CIDR]", .field = "destinationIP", .help = "with destination in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--port", .value = "N[,N-N]", .field = "port", .help = "with source or destination port in any of these", .kind = VG_OPTION_KIND_LIST },
    { .name = "--severity", .value = "S[,S]", .field = "severity", .help = "with any of these severities", .kind = VG_OPTION_KIND_LIST },
    { .name = "--min-severity", .value = "S", .field = "minSeverity", .help = "with this severity or a higher one" },
    { .name = "--flag", .value = "FLAG[,FLAG]", .field = "includeFlags", .help = "with all of these flags", .kind = VG_OPTION_KIND_LIST },
    { .name = "--no-flag", .value = "FLAG[,FLAG]", .field = "excludeFlags", .help = "with none of these flags", .kind = VG_OPTION_KIND_LIST },
    { .name = "--property", .value = "KEY=VALUE", .field = "properties", .help = "with this property; may be given again", .kind = VG_OPTION_KIND_PAIR },
    { .name = "--domain", .value = "NAME[,NAME]", .field = "domain", .help = "with any of these domain names", .kind = VG_OPTION_KIND_LIST },
    { .name = "--case", .value = "N[,N]", .field = "associatedCaseID", .help = "of any of these cases; 0 = of none", .kind = VG_OPTION_KIND_LIST },
    { .name = "--sort", .value = "KEY[,KEY]", .field = "sortBy", .help = "in this order (default -timestamp)", .kind = VG_OPTION_KIND_LIST },
    { .name = "--explain", .help = "tell what the search did instead of what it found", .kind = VG_OPTION_KIND_YES },
    VG_LIST_OPTIONS,
    // clang-format on
};

static const struct vg_column search_columns[] = {
    // clang-format off
    { "TIME", "timestamp" },
    { "SEVERITY", "severity" },
    { "CUSTOMER", "customerInfo.shortName" },
    { "SIGNATURE", "attackInfo.signature" },
    { "PROTOCOL", "protocol" },
    { "SOURCE", "sourceAddress" },
    { "PORT", "sourcePort" },
    { "DESTINATION", "destinationAddress" },
    { "PORT", "destinationPort" },
    { "ALARM", "attackInfo.alarmDescription" },
    { "ID", "id" },
    // clang-format on
};

static const struct vg_option get_options[] = {
    // clang-format off
    { .name = "--no-properties", .help = "without properties", .kind = VG_OPTION_KIND_YES },
    { .name = "--no-comments", .help = "without comments", .kind = VG_OPTION_KIND_YES },
    { .name = "--no-sub-events", .help = "without sub-events", .kind = VG_OPTION_KIND_YES },
    // clang-format on
};

static enum vg_exit run_bulk(struct vg_session *session, const ProtobufCMessage *request)
{
    const ProtobufCMessage *answer = NULL;
    const struct vg_table *table = vg_client_method_row(VG_CLIENT_METHOD_SUBMIT_EVENTS)->answer;
    enum vg_exit exit = vg_session_ask(session, VG_CLIENT_METHOD_SUBMIT_EVENTS, request, &answer);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    const Vigil__Events__V2__BulkSubmitStatus *status =
        (const Vigil__Events__V2__BulkSubmitStatus *)(const void *)answer;
    if (!vg_output_object(session->output, table, answer)) {
        return VG_EXIT_REFUSED;
    }
    return status->rejected > 0 ? VG_EXIT_REFUSED : VG_EXIT_DONE;
}

static enum vg_exit run_submit(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    bool bulk = vg_arguments_has(arguments, "--bulk");
    ProtobufCMessage *request = NULL;
    const ProtobufCMessage *answer = NULL;
    enum vg_client_method method =
        bulk ? VG_CLIENT_METHOD_SUBMIT_EVENTS : VG_CLIENT_METHOD_SUBMIT_EVENT;
    struct vg_error error;
    vg_session_error_init(session, &error);
    if (bulk && !vg_arguments_has(arguments, "--json")) {
        (void)vg_error_set(&error, VG_CONFIG, "--bulk needs --json");
        return vg_session_refuse(&error);
    }
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        arguments,
        vg_client_method_row(method)->request,
        &request);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    if (bulk) {
        return run_bulk(session, request);
    }
    exit = vg_session_ask(session, method, request, &answer);
    return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
}

static void put_ms(const char *what, int64_t time_ns)
{
    (void)printf("%-18s %12.3f ms\n", what, (double)time_ns / 1e6);
}

static void put_count(const char *what, bool is_told, int64_t count)
{
    if (is_told) {
        (void)printf("%-18s %12" PRId64 "\n", what, count);
    }
}

/* The counts, the steps and the questions, each in its columns; of the counts those that are told
 * to this key. */
static void print_explanation(const Vigil__Events__V1__Explanation *told)
{
    if (told->has_chunks) {
        (void)printf(
            "%-18s %12" PRId64 "  skipped %" PRId64 ", whole %" PRId64 ", looked at %" PRId64 "\n",
            "chunks",
            told->chunks,
            told->chunks_skipped,
            told->chunks_whole,
            told->chunks_looked);
    }
    put_count("rows looked at", told->has_rows_looked, told->rows_looked);
    put_count("rows matched", told->has_rows_matched, told->rows_matched);
    put_count("rows offered", told->has_rows_offered, told->rows_offered);
    put_count("records confirmed", told->has_records_confirmed, told->records_confirmed);
    put_count("records fetched", told->has_records_fetched, told->records_fetched);
    put_ms("plan", told->plan_ns);
    put_ms("evaluate", told->evaluate_ns);
    put_ms("page", told->page_ns);
    put_ms("fetch", told->fetch_ns);
    if (told->n_questions != 0) {
        (void)printf(
            "\n%-20s %-14s %8s %12s %12s %12s\n",
            "COLUMN",
            "QUESTION",
            "VALUES",
            "ROWS IN",
            "ROWS OUT",
            "TIME MS");
    }
    for (size_t i = 0; i < told->n_questions; i++) {
        const Vigil__Events__V1__ExplainedQuestion *question = told->questions[i];
        (void)printf(
            "%-20s %s%-*s %8" PRId64 " %12" PRId64 " %12" PRId64 " %12.3f\n",
            question->column,
            question->negated ? "not " : "",
            question->negated ? 10 : 14,
            question->question,
            question->value_count,
            question->rows_in,
            question->rows_out,
            (double)question->spent_ns / 1e6);
    }
}

static enum vg_exit run_explain(struct vg_session *session, const ProtobufCMessage *request)
{
    const ProtobufCMessage *answer = NULL;
    enum vg_exit exit = vg_session_ask(session, VG_CLIENT_METHOD_EXPLAIN_SEARCH, request, &answer);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    if (session->output == VG_OUTPUT_TABLE) {
        print_explanation((const Vigil__Events__V1__Explanation *)(const void *)answer);
        return fflush(stdout) == 0 ? VG_EXIT_DONE : VG_EXIT_REFUSED;
    }
    return vg_output_object(
               session->output,
               vg_client_method_row(VG_CLIENT_METHOD_EXPLAIN_SEARCH)->answer,
               answer)
               ? VG_EXIT_DONE
               : VG_EXIT_REFUSED;
}

static enum vg_exit run_search(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    ProtobufCMessage *request = NULL;
    const ProtobufCMessage *answer = NULL;
    static struct vg_arguments with_start;
    with_start = *arguments;
    if (!vg_arguments_has(arguments, "--json") && !vg_arguments_has(arguments, "--start") &&
        with_start.count < VG_ARGUMENTS_MAX) {
        with_start.items[with_start.count++] =
            (struct vg_argument){ &search_options[1], SEARCH_START_DEFAULT };
    }
    enum vg_exit exit = vg_session_make_request(
        session,
        command,
        &with_start,
        vg_client_method_row(command->method)->request,
        &request);
    if (exit == VG_EXIT_DONE && vg_arguments_has(arguments, "--explain")) {
        return run_explain(session, request);
    }
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_ask(session, command->method, request, &answer);
    }
    return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
}

static enum vg_exit run_get(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    Vigil__Events__V2__GetEventRequest request = VIGIL__EVENTS__V2__GET_EVENT_REQUEST__INIT;
    const ProtobufCMessage *answer = NULL;
    struct vg_event_path path;
    enum vg_exit exit = vg_event_path_read(session, arguments->operands[0], &path);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    request.has_timestamp = request.has_customer_id = true;
    request.timestamp = path.timestamp;
    request.customer_id = path.customer_id;
    request.event_id = path.uuid;
    request.has_include_all_properties = true;
    request.include_all_properties = !vg_arguments_has(arguments, "--no-properties");
    request.has_include_comments = true;
    request.include_comments = !vg_arguments_has(arguments, "--no-comments");
    request.has_include_sub_events = true;
    request.include_sub_events = !vg_arguments_has(arguments, "--no-sub-events");
    exit = vg_session_ask(session, command->method, &request.base, &answer);
    return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "event",
        .verb = "submit",
        .help = "submit an event, or change one that is there",
        .options = submit_options,
        .option_count = VG_ARRAY_COUNT(submit_options),
        .method = VG_CLIENT_METHOD_SUBMIT_EVENT,
        .run = run_submit,
    },
    {
        .noun = "event",
        .verb = "get",
        .operand = "ID",
        .help = "show an event",
        .options = get_options,
        .option_count = VG_ARRAY_COUNT(get_options),
        .method = VG_CLIENT_METHOD_GET_EVENT,
        .run = run_get,
    },
    {
        .noun = "event",
        .verb = "search",
        .help = "search for aggregated events, the newest first",
        .options = search_options,
        .option_count = VG_ARRAY_COUNT(search_options),
        .columns = search_columns,
        .column_count = VG_ARRAY_COUNT(search_columns),
        .method = VG_CLIENT_METHOD_SEARCH_AGGREGATED,
        .run = run_search,
    },
};

const struct vg_command_group vg_cmd_event = { commands, VG_ARRAY_COUNT(commands) };
