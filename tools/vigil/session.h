/*
 * One run of vigil: what was asked for globally, the connection, and the common ways to end.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_SESSION_H
#define VG_TOOLS_VIGIL_SESSION_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "tools/client/connection.h"
#include "tools/vigil/arguments.h"
#include "tools/vigil/command.h"
#include "tools/vigil/output.h"

#define VG_SESSION_SERVER_DEFAULT "127.0.0.1:8080"
#define VG_SESSION_KEY_VARIABLE   "VIGIL_API_KEY"
#define VG_SESSION_KEY_BYTES_MAX  512u

/* Files with a request or criteria. */
#define VG_SESSION_INPUT_BYTES_MAX (64u << 20)

struct vg_session {
    struct vg_connection_options server; /* `key` is not among them yet */
    const char *key_file;                /* NULL = none */
    enum vg_output output;
    char key[VG_SESSION_KEY_BYTES_MAX]; /* "" = none */
    struct vg_connection *connection;   /* NULL until it is needed */
    struct vg_arena arena;              /* of the run */
};

void vg_session_init(struct vg_session *session);
void vg_session_dispose(struct vg_session *session);

/* Read the key: from the key file, or the variable VIGIL_API_KEY, or there is none. What is wrong
 * is printed. */
VG_MUST_USE enum vg_exit vg_session_read_key(struct vg_session *session);

/* Connect, unless that is done. What is wrong is printed. */
VG_MUST_USE enum vg_exit vg_session_connect(struct vg_session *session);

/*
 * Ask the server. On DONE *out_answer lives as long as the session; otherwise the server's words,
 * and what it finds wrong with which member, have been printed.
 */
VG_MUST_USE enum vg_exit vg_session_ask(
    struct vg_session *session,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    const ProtobufCMessage **out_answer);

/* The same with the answer in `arena`. */
VG_MUST_USE enum vg_exit vg_session_ask_into(
    struct vg_session *session,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    const ProtobufCMessage **out_answer);

/*
 * Make a streaming call; `call` has its method and its `row`, and is disposed. What the server says
 * against it has been printed, or *failure, when `row` wanted no more and says why there.
 */
VG_MUST_USE enum vg_exit vg_session_stream(
    struct vg_session *session,
    const ProtobufCMessage *request,
    struct vg_connection_call *call,
    const char *const *failure);

/* The request of a command: from the file that --json names, else from operand and options. What is
 * wrong is printed. */
VG_MUST_USE enum vg_exit vg_session_make_request(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    const struct vg_table *table,
    ProtobufCMessage **out_request);

/* Tell what the server says, to stderr, between words of our own: it may hold what somebody else
 * wrote, so what a terminal would obey is left out. */
void vg_session_say(const char *start, const char *words, const char *end);

/* Print the error, and the members that are wrong; returns USAGE. */
enum vg_exit vg_session_refuse(const struct vg_error *error);

/* The error's place for violations is the session's arena. */
void vg_session_error_init(struct vg_session *session, struct vg_error *error);

/* Print an answer as asked for: a list when the command has columns. */
VG_MUST_USE enum vg_exit vg_session_print(
    const struct vg_session *session,
    const struct vg_command *command,
    const ProtobufCMessage *answer);

/* Read a whole file, or stdin for "-", into the session's arena. What is wrong is printed. */
VG_MUST_USE enum vg_exit vg_session_read_file(
    struct vg_session *session,
    const char *path,
    struct vg_bytes *out_text);

/* The run of a command that is one call: options make the request, the answer is printed. */
enum vg_exit vg_session_run_call(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments);

#endif
