#include "tools/vigil/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/json/json_read.h"
#include "tools/vigil/cell.h"

/* Answers of everything there is are large. */
#define ARENA_MAX ((size_t)2 << 30)

void vg_session_init(struct vg_session *session)
{
    *session = (struct vg_session){ .server = { .server = VG_SESSION_SERVER_DEFAULT } };
    vg_arena_init(&session->arena, ARENA_MAX);
}

void vg_session_dispose(struct vg_session *session)
{
    vg_connection_close(session->connection);
    vg_arena_dispose(&session->arena);
    explicit_bzero(session->key, sizeof(session->key));
}

void vg_session_error_init(struct vg_session *session, struct vg_error *error)
{
    vg_error_init(error, &session->arena);
}

/* The first line, without blanks at its end. */
static enum vg_exit take_key(struct vg_session *session, const char *text, const char *origin)
{
    size_t size = strcspn(text, "\r\n");
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t')) {
        size--;
    }
    if (size == 0 || size >= sizeof(session->key)) {
        (void)fprintf(stderr, "vigil: %s holds no API key\n", origin);
        return VG_EXIT_USAGE;
    }
    memcpy(session->key, text, size);
    session->key[size] = '\0';
    return VG_EXIT_DONE;
}

enum vg_exit vg_session_read_key(struct vg_session *session)
{
    const char *variable = secure_getenv(VG_SESSION_KEY_VARIABLE);
    char text[VG_SESSION_KEY_BYTES_MAX + 8] = "";
    if (session->key_file == NULL) {
        return variable == NULL || variable[0] == '\0'
                   ? VG_EXIT_DONE
                   : take_key(session, variable, VG_SESSION_KEY_VARIABLE);
    }
    FILE *file = fopen(session->key_file, "rb");
    if (file == NULL) {
        (void)fprintf(
            stderr,
            "vigil: cannot read %s: %s\n",
            session->key_file,
            strerrordesc_np(errno));
        return VG_EXIT_USAGE;
    }
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    enum vg_exit exit = take_key(session, text, session->key_file);
    explicit_bzero(text, sizeof(text));
    return exit;
}

enum vg_exit vg_session_connect(struct vg_session *session)
{
    struct vg_error error;
    if (session->connection != NULL) {
        return VG_EXIT_DONE;
    }
    vg_session_error_init(session, &error);
    struct vg_connection_options options = session->server;
    options.key = session->key[0] == '\0' ? NULL : session->key;
    enum vg_reason reason = vg_connection_open(&options, &session->connection, &error);
    if (reason == VG_OK) {
        return VG_EXIT_DONE;
    }
    (void)fprintf(stderr, "vigil: %s\n", error.message);
    return reason == VG_CONFIG ? VG_EXIT_USAGE : VG_EXIT_UNREACHABLE;
}

void vg_session_say(const char *start, const char *words, const char *end)
{
    struct vg_buffer text;
    vg_buffer_init(&text, 64u * 1024u);
    vg_buffer_append_text(&text, start);
    vg_cell_append_text(vg_bytes_text(words), &text);
    vg_buffer_append_text(&text, end);
    (void)fwrite(text.data, 1, text.size, stderr);
    vg_buffer_dispose(&text);
}

static void print_failure(const struct vg_grpc_client_call *call)
{
    const struct vg_grpc_details *details = &call->details;
    char end[96];
    (void)snprintf(
        end,
        sizeof(end),
        " (%s)\n",
        details->reason != NULL ? details->reason : vg_grpc_client_code_name(call->code));
    vg_session_say("vigil: ", call->message, end);
    for (size_t i = 0; i < details->violation_count; i++) {
        const struct vg_grpc_violation *violation = &details->violations[i];
        if (violation->field != NULL && violation->field[0] != '\0') {
            vg_session_say("  ", violation->field, ": ");
            vg_session_say("", violation->text == NULL ? "" : violation->text, "\n");
        }
    }
}

enum vg_exit vg_session_ask(
    struct vg_session *session,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    const ProtobufCMessage **out_answer)
{
    return vg_session_ask_into(session, method, request, &session->arena, out_answer);
}

enum vg_exit vg_session_ask_into(
    struct vg_session *session,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    const ProtobufCMessage **out_answer)
{
    struct vg_connection_call call;
    enum vg_exit exit = vg_session_connect(session);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    const ProtobufCMessage *answer =
        vg_connection_ask(session->connection, method, request, arena, &call);
    if (answer == NULL) {
        print_failure(&call.grpc);
        exit = vg_connection_is_unreachable(&call) ? VG_EXIT_UNREACHABLE : VG_EXIT_REFUSED;
    } else {
        *out_answer = answer;
    }
    vg_connection_call_dispose(&call);
    return exit;
}

enum vg_exit vg_session_stream(
    struct vg_session *session,
    const ProtobufCMessage *request,
    struct vg_connection_call *call,
    const char *const *failure)
{
    enum vg_exit exit = vg_session_connect(session);
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    if (!vg_connection_stream(session->connection, request, call)) {
        if (*failure != NULL) {
            (void)fprintf(stderr, "vigil: %s\n", *failure);
        } else {
            print_failure(&call->grpc);
        }
        bool unreachable = *failure == NULL && vg_connection_is_unreachable(call);
        exit = unreachable ? VG_EXIT_UNREACHABLE : VG_EXIT_REFUSED;
    }
    vg_connection_call_dispose(call);
    return exit;
}

enum vg_exit vg_session_refuse(const struct vg_error *error)
{
    const struct vg_violations *violations = &error->violations;
    if (violations->count == 0) {
        (void)fprintf(stderr, "vigil: %s\n", error->message);
    }
    for (uint32_t i = 0; i < violations->count; i++) {
        const struct vg_violation *violation = &violations->items[i];
        const char *message = violation->message != NULL ? violation->message
                                                         : vg_reason_row(violation->reason)->text;
        (void)fprintf(
            stderr,
            "vigil: %s%s%s\n",
            violation->field == NULL ? "" : violation->field,
            violation->field == NULL ? "" : ": ",
            message);
    }
    return VG_EXIT_USAGE;
}

enum vg_exit vg_session_print(
    const struct vg_session *session,
    const struct vg_command *command,
    const ProtobufCMessage *answer)
{
    const struct vg_table *table = vg_client_method_row(command->method)->answer;
    bool good = command->columns != NULL ? vg_output_list(session->output, command, table, answer)
                                         : vg_output_object(session->output, table, answer);
    if (!good) {
        (void)fputs("vigil: the answer cannot be written\n", stderr);
        return VG_EXIT_REFUSED;
    }
    return VG_EXIT_DONE;
}

enum vg_exit vg_session_read_file(
    struct vg_session *session,
    const char *path,
    struct vg_bytes *out_text)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    struct vg_buffer text;
    vg_buffer_init(&text, VG_SESSION_INPUT_BYTES_MAX);
    bool good = file != NULL;
    for (size_t got = 1; good && got > 0;) {
        char part[16384];
        got = fread(part, 1, sizeof(part), file);
        vg_buffer_append(&text, part, got);
        good = !text.failed && ferror(file) == 0;
    }
    if (good) {
        char *copy = vg_arena_text(&session->arena, vg_buffer_bytes(&text));
        good = copy != NULL;
        *out_text = vg_bytes(copy, good ? text.size : 0);
    }
    if (!good) {
        (void)fprintf(
            stderr,
            "vigil: cannot read %s: %s\n",
            path,
            text.failed ? "it is too large" : strerrordesc_np(errno));
    }
    vg_buffer_dispose(&text);
    if (file != NULL && !standard) {
        (void)fclose(file);
    }
    return good ? VG_EXIT_DONE : VG_EXIT_USAGE;
}

enum vg_exit vg_session_make_request(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    const struct vg_table *table,
    ProtobufCMessage **out_request)
{
    const char *path = vg_arguments_value(arguments, "--json");
    struct vg_error error;
    enum vg_reason reason;
    vg_session_error_init(session, &error);
    if (path == NULL) {
        reason =
            vg_arguments_request(arguments, command, table, &session->arena, out_request, &error);
    } else if (vg_arguments_has_field(arguments)) {
        reason = vg_error_set(
            &error,
            VG_CONFIG,
            "--json and options that say the same in words exclude each other");
    } else {
        struct vg_bytes text;
        enum vg_exit exit = vg_session_read_file(session, path, &text);
        if (exit != VG_EXIT_DONE) {
            return exit;
        }
        reason =
            vg_json_read(table, text, &vg_json_documented, &session->arena, out_request, &error);
    }
    return reason == VG_OK ? VG_EXIT_DONE : vg_session_refuse(&error);
}

enum vg_exit vg_session_run_call(
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
    return exit == VG_EXIT_DONE ? vg_session_print(session, command, answer) : exit;
}
