/*
 * vigil agent: alerts of a sensor as they are written, for as long as it runs.
 *
 * The alerts of the spool are the events of a stream (docs/streams.md), numbered in the order of
 * the file. A batch is one call of EventStream.Submit; what the server has stored is kept in the
 * state file, and what it is sent a second time it passes over. So the agent may be killed at any
 * moment.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/compiler.h"
#include "core/base/random.h"
#include "core/wire/wire_decode.h"
#include "core/wire/wire_field.h"
#include "proto/contract_json.h"
#include "tools/suricata/eve_event.h"
#include "tools/suricata/eve_read.h"
#include "tools/suricata/eve_spool.h"
#include "tools/suricata/eve_tally.h"
#include "tools/vigil/session.h"

#include "vigil/events/v2/stream.pb-c.h"

/* A batch is sent with so many events or bytes; one event more fits. */
#define BATCH_EVENTS     1000u
#define BATCH_BYTES_FULL (1u << 20)
#define BATCH_BYTES_MAX  (BATCH_BYTES_FULL + 4u * VG_EVE_RECORD_BYTES_MAX)
#define ARENA_BYTES_MAX  (64u << 20)
/* How often the file is looked at, and how long the agent waits after a failure. */
#define LOOK_MS        200u
#define PAUSE_FIRST_MS 100u
#define PAUSE_LAST_MS  10000u
/* Longest pause that a server is granted which asks for one. */
#define PAUSE_TOLD_MS_MAX 600000u
/* A batch is stored by then, or the server is not there any more. Calls are as short as that, so
 * there is no need for PING, of which servers take one in five minutes; TCP looks after the rest.
 */
#define CALL_NS UINT64_C(60000000000)

/* Field numbers of StreamSubmitRequest. */
#define STREAM_FIELD   1
#define POSITION_FIELD 2
#define EVENTS_FIELD   3

static const struct vg_option suricata_options[] = {
    // clang-format off
    { .name = "--follow", .help = "go on with what is written later, until SIGTERM", .kind = VG_OPTION_KIND_YES },
    { .name = "--stream", .value = "NAME", .help = "name of the stream on the server (default the path of the file)" },
    { .name = "--state", .value = "FILE", .help = "where the place reached is kept (default FILE.vigil-state)" },
    { .name = "--customer", .value = "C", .help = "customer of the events; by default the key's" },
    { .name = "--location", .value = "L", .help = "location of the events" },
    // clang-format on
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

struct agent {
    struct vg_connection_call call;
    struct vg_session *session;
    const char *stream;
    struct vg_eve_event_options event;
    struct vg_eve_spool spool;
    struct vg_eve_tally identities; /* of the file */
    struct vg_arena arena;          /* of one event, or one answer */
    struct vg_buffer events;        /* of the batch, as they are sent */
    struct vg_buffer message;
    uint64_t first; /* position of the batch's first event */
    uint32_t count;
    uint64_t durable;  /* as the server told last */
    uint64_t left_out; /* lines and events that will never be stored */
    uint32_t pause_ms;
    bool is_troubled; /* what went wrong has been told */
};

static void rest(uint64_t ms)
{
    struct timespec time = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };
    (void)nanosleep(&time, NULL); /* a signal ends it */
}

/* ---- calls */

static enum vg_grpc_client_next give_message(
    struct vg_connection_call *call,
    struct vg_bytes *out_message)
{
    const struct agent *agent = VG_CONTAINER_OF(call, struct agent, call);
    if (call->pieces > 0) {
        return VG_GRPC_CLIENT_NEXT_END;
    }
    *out_message = vg_buffer_bytes(&agent->message);
    return VG_GRPC_CLIENT_NEXT_MESSAGE;
}

static bool take_status(struct vg_connection_call *call, struct vg_bytes message)
{
    struct agent *agent = VG_CONTAINER_OF(call, struct agent, call);
    ProtobufCMessage *decoded = NULL;
    vg_arena_reset(&agent->arena);
    if (vg_wire_decode(
            vg_client_method_row(call->method)->answer,
            message,
            &vg_wire_policy_record,
            &agent->arena,
            &decoded,
            NULL) != VG_OK) {
        return false;
    }
    const Vigil__Events__V2__StreamSubmitStatus *status =
        (const Vigil__Events__V2__StreamSubmitStatus *)(const void *)decoded;
    agent->durable = (uint64_t)status->position;
    for (size_t i = 0; i < status->n_rejected; i++) {
        const Vigil__Events__V2__StreamRejection *one = status->rejected[i];
        char start[64];
        (void)snprintf(
            start,
            sizeof(start),
            "vigil: event %" PRId64 " was rejected: ",
            one->position);
        vg_session_say(start, one->message == NULL ? "" : one->message, "\n");
        agent->left_out++;
    }
    return true;
}

/* One call: the stream, and the batch if there is one. True when it ended well. */
static bool make_call(struct agent *agent)
{
    vg_buffer_clear(&agent->message);
    vg_wire_put_text(&agent->message, STREAM_FIELD, agent->stream);
    if (agent->count > 0) {
        vg_wire_put_varint(&agent->message, POSITION_FIELD, agent->first);
        vg_buffer_append(&agent->message, agent->events.data, agent->events.size);
    }
    agent->call = (struct vg_connection_call){ .method = VG_CLIENT_METHOD_SUBMIT_STREAM,
                                               .timeout_ns = CALL_NS,
                                               .row = take_status,
                                               .piece = give_message };
    vg_connection_start(agent->session->connection, &agent->call);
    (void)vg_connection_wait_any(agent->session->connection);
    return agent->call.grpc.code == VG_GRPC_OK;
}

/* May the same be tried again? What is too large now will be too large the next time: our server
 * says when to come back where that is of use. */
static bool is_passing(const struct vg_grpc_client_call *call)
{
    const bool is_hopeless = call->details.reason != NULL && call->retry_after_ms == 0;
    return call->code == VG_GRPC_UNAVAILABLE || call->code == VG_GRPC_DEADLINE_EXCEEDED ||
           call->code == VG_GRPC_ABORTED ||
           (call->code == VG_GRPC_RESOURCE_EXHAUSTED && !is_hopeless);
}

/* Trouble that lasts is told once, and its end. Who cannot connect at all is told each time. */
static void tell_trouble(struct agent *agent)
{
    if (!agent->is_troubled) {
        agent->is_troubled = true;
        vg_session_say("vigil: ", agent->call.grpc.message, "; trying again\n");
    }
}

static void tell_end_of_trouble(struct agent *agent)
{
    if (agent->is_troubled) {
        agent->is_troubled = false;
        (void)fputs("vigil: the server answers again\n", stderr);
    }
}

/*
 * As long as the server asks for (`told_ms`), or a pause that grows. It is not the same for all
 * agents of a server that comes back.
 */
static void rest_after_failure(struct agent *agent, uint32_t told_ms)
{
    uint32_t pause_ms = told_ms == 0                  ? agent->pause_ms
                        : told_ms < PAUSE_TOLD_MS_MAX ? told_ms
                                                      : PAUSE_TOLD_MS_MAX;
    rest(pause_ms + vg_random_below(vg_random_real(), pause_ms / 4 + 1));
    agent->pause_ms = agent->pause_ms * 2 < PAUSE_LAST_MS ? agent->pause_ms * 2 : PAUSE_LAST_MS;
}

/* A connection by which no answer comes in time may have no other end any more: another is made. */
static void forget_silent_connection(struct agent *agent)
{
    if (agent->call.grpc.code == VG_GRPC_DEADLINE_EXCEEDED) {
        vg_connection_close(agent->session->connection);
        agent->session->connection = NULL;
    }
}

/* Call until it ends well. False: it never will, or the agent is to stop. */
static bool call_until_done(struct agent *agent, enum vg_exit *out_exit)
{
    while (true) {
        enum vg_exit exit = vg_session_connect(agent->session);
        bool is_there = exit == VG_EXIT_DONE;
        if (is_there && make_call(agent)) {
            vg_connection_call_dispose(&agent->call);
            agent->pause_ms = PAUSE_FIRST_MS;
            tell_end_of_trouble(agent);
            return true;
        }
        if (is_there && !is_passing(&agent->call.grpc)) {
            vg_session_say("vigil: ", agent->call.grpc.message, "\n");
            exit = VG_EXIT_REFUSED;
        } else {
            exit = exit == VG_EXIT_USAGE ? exit : VG_EXIT_UNREACHABLE;
        }
        uint32_t told_ms = is_there ? agent->call.grpc.retry_after_ms : 0;
        if (is_there) {
            if (exit == VG_EXIT_UNREACHABLE &&
                told_ms == 0) { /* a pause that was asked for is none */
                tell_trouble(agent);
            }
            forget_silent_connection(agent);
            vg_connection_call_dispose(&agent->call);
        }
        if (exit != VG_EXIT_UNREACHABLE || stopping) {
            *out_exit = exit == VG_EXIT_UNREACHABLE ? VG_EXIT_DONE : exit;
            return false;
        }
        rest_after_failure(agent, told_ms);
    }
}

/* ---- the spool */

/* Read the line as a record; NULL when it is no alert. */
static cJSON *read_alert(struct agent *agent, struct vg_bytes line, struct vg_eve_alert *out_alert)
{
    cJSON *record = NULL;
    struct vg_eve_reader reader;
    struct vg_error error;
    vg_error_init(&error, NULL);
    FILE *file = line.size == 0 ? NULL : fmemopen((void *)(uintptr_t)line.data, line.size, "rb");
    if (file == NULL) {
        return NULL;
    }
    vg_eve_read_init(&reader, file);
    enum vg_eve_outcome outcome = vg_eve_read_next(&reader, &record, &error);
    vg_eve_read_dispose(&reader);
    (void)fclose(file);
    bool is_alert = outcome == VG_EVE_OUTCOME_RECORD && vg_eve_alert_is(record);
    if (outcome != VG_EVE_OUTCOME_RECORD ||
        (is_alert && vg_eve_alert_parse(record, out_alert, &error) != VG_OK)) {
        vg_session_say("vigil: a line was left out: ", error.message, "\n");
        agent->left_out++;
        is_alert = false;
    }
    if (!is_alert && outcome == VG_EVE_OUTCOME_RECORD) {
        cJSON_Delete(record);
    }
    return is_alert ? record : NULL;
}

/* How often the same alert came before in the file. */
static uint32_t count_before(struct agent *agent, const struct vg_eve_alert *alert)
{
    uint32_t before = 0;
    if (!vg_eve_tally_add(&agent->identities, &alert->identity, &before)) {
        /* Alike are those of one moment: what is long past may be forgotten. */
        vg_eve_tally_clear(&agent->identities);
        (void)!vg_eve_tally_add(&agent->identities, &alert->identity, &before);
    }
    return before;
}

static void take_line(struct agent *agent, struct vg_bytes line)
{
    struct vg_eve_alert alert;
    struct vg_error error;
    Vigil__Events__V2__SubmitRequest *request = NULL;
    cJSON *record = read_alert(agent, line, &alert);
    if (record == NULL) {
        return;
    }
    vg_error_init(&error, NULL);
    vg_arena_reset(&agent->arena);
    uint32_t before = count_before(agent, &alert);
    if (vg_eve_event_make(&alert, &agent->event, before, &agent->arena, &request, &error) ==
        VG_OK) {
        vg_wire_put_message(
            &agent->events,
            EVENTS_FIELD,
            &vg_table_vigil_events_v2_submit_request,
            &request->base);
        agent->spool.at.position++;
        agent->count++;
    } else {
        vg_session_say("vigil: an alert was left out: ", error.message, "\n");
        agent->left_out++;
    }
    cJSON_Delete(record);
}

/* Collect a batch. False when there is nothing more to read now. */
static bool fill_batch(struct agent *agent)
{
    vg_buffer_clear(&agent->events);
    agent->count = 0;
    agent->first = agent->spool.at.position + 1;
    while (agent->count < BATCH_EVENTS && agent->events.size < BATCH_BYTES_FULL) {
        struct vg_bytes line;
        switch (vg_eve_spool_next(&agent->spool, &line)) {
        case VG_EVE_SPOOL_LINE:
            take_line(agent, line);
            break;
        case VG_EVE_SPOOL_NEXT_FILE:
            vg_eve_tally_clear(&agent->identities);
            break;
        case VG_EVE_SPOOL_WAIT:
            return false;
        }
    }
    return true;
}

/* What came last before the place reached is known again, so that alike alerts keep apart. */
static void look_back(struct agent *agent)
{
    uint64_t from = UINT64_MAX;
    struct vg_bytes line;
    while (vg_eve_spool_look_back(&agent->spool, &from, &line)) {
        struct vg_eve_alert alert;
        cJSON *record = read_alert(agent, line, &alert);
        if (record != NULL) {
            (void)count_before(agent, &alert);
            cJSON_Delete(record);
        }
    }
}

/* Where the server and the state are: which position comes next, and which line. */
static bool begin(struct agent *agent, bool known, enum vg_exit *out_exit)
{
    if (!call_until_done(agent, out_exit)) {
        return false;
    }
    bool is_lost = known && agent->durable < agent->spool.at.position;
    if (is_lost || agent->spool.file == NULL) {
        /* Another server's data, or none of ours: alerts have identities, so all of the file may be
         * sent again. */
        agent->spool.at.position = agent->durable;
        vg_eve_spool_begin_again(&agent->spool);
    }
    look_back(agent);
    agent->left_out = 0; /* that was told when it was new */
    return true;
}

static bool keep_place(struct agent *agent, enum vg_exit *out_exit)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_eve_spool_save(&agent->spool, &agent->spool.at, &error) == VG_OK) {
        return true;
    }
    (void)fprintf(stderr, "vigil: %s\n", error.message);
    *out_exit = VG_EXIT_REFUSED;
    return false;
}

static enum vg_exit follow(struct agent *agent, bool goes_on)
{
    enum vg_exit exit = VG_EXIT_DONE;
    bool done = false;
    while (exit == VG_EXIT_DONE && !done) {
        bool more = fill_batch(agent);
        if (agent->count > 0) {
            if (!call_until_done(agent, &exit) || !keep_place(agent, &exit)) {
                break;
            }
        }
        done = stopping || (!more && !goes_on);
        if (!more && !done) {
            rest(LOOK_MS);
        }
    }
    if (exit == VG_EXIT_DONE && !goes_on && agent->left_out > 0) {
        exit = VG_EXIT_REFUSED; /* done in part */
    }
    return exit;
}

static enum vg_exit run_suricata(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    (void)command;
    const char *path = arguments->operands[0];
    const char *stream = vg_arguments_value(arguments, "--stream");
    struct agent *agent = calloc(1, sizeof(*agent));
    struct vg_error error;
    bool known = false;
    vg_error_init(&error, NULL);
    if (agent == NULL) {
        return VG_EXIT_REFUSED;
    }
    agent->session = session;
    agent->stream = stream != NULL ? stream : path;
    agent->pause_ms = PAUSE_FIRST_MS;
    agent->event = (struct vg_eve_event_options){
        .customer = vg_arguments_value(arguments, "--customer"),
        .location = vg_arguments_value(arguments, "--location"),
    };
    vg_arena_init(&agent->arena, ARENA_BYTES_MAX);
    vg_buffer_init(&agent->events, BATCH_BYTES_MAX);
    vg_buffer_init(&agent->message, BATCH_BYTES_MAX + 4096u);
    vg_eve_tally_init(&agent->identities);
    const struct sigaction action = { .sa_handler = on_signal };
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    enum vg_exit exit = VG_EXIT_DONE;
    if (vg_eve_spool_open(
            &agent->spool,
            path,
            vg_arguments_value(arguments, "--state"),
            &known,
            &error) != VG_OK) {
        (void)fprintf(stderr, "vigil: %s\n", error.message);
        exit = VG_EXIT_USAGE;
    } else if (begin(agent, known, &exit) && keep_place(agent, &exit)) {
        /* Kept before the first batch, too: which file was begun is known however soon it is
         * rotated and the agent killed. */
        exit = follow(agent, vg_arguments_has(arguments, "--follow"));
    }
    vg_eve_spool_close(&agent->spool);
    vg_eve_tally_dispose(&agent->identities);
    vg_buffer_dispose(&agent->message);
    vg_buffer_dispose(&agent->events);
    vg_arena_dispose(&agent->arena);
    free(agent);
    return exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "agent",
        .verb = "suricata",
        .operand = "FILE",
        .help = "send alerts of an EVE file as they are written, each once; docs/streams.md",
        .options = suricata_options,
        .option_count = VG_ARRAY_COUNT(suricata_options),
        .method = VG_CLIENT_METHOD_SUBMIT_STREAM,
        .run = run_suricata,
    },
};

const struct vg_command_group vg_cmd_agent = { commands, VG_ARRAY_COUNT(commands) };
