/* vigil whoami: the user and session behind the key. */
#include <stdio.h>

#include "core/base/compiler.h"
#include "gateway/json/json_write.h"
#include "tools/vigil/session.h"

#include "vigil/account/v1/account.pb-c.h"

#define JSON_BYTES_MAX (1u << 20)

/* Both as one object. */
static enum vg_exit print_json(const ProtobufCMessage *user, const ProtobufCMessage *own_session)
{
    struct vg_buffer text;
    vg_buffer_init(&text, JSON_BYTES_MAX);
    vg_buffer_append_text(&text, "{\"user\":");
    bool good = vg_json_write(
        vg_client_method_row(VG_CLIENT_METHOD_GET_CURRENT_USER)->answer,
        user,
        &vg_json_documented,
        &text);
    vg_buffer_append_text(&text, ",\"session\":");
    good = good && vg_json_write(
                       vg_client_method_row(VG_CLIENT_METHOD_GET_SESSION)->answer,
                       own_session,
                       &vg_json_documented,
                       &text);
    vg_buffer_append_text(&text, "}\n");
    good = good && !text.failed && fwrite(text.data, 1, text.size, stdout) == text.size;
    vg_buffer_dispose(&text);
    return good ? VG_EXIT_DONE : VG_EXIT_REFUSED;
}

static enum vg_exit run(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    Vigil__Account__V1__GetCurrentUserRequest user_request =
        VIGIL__ACCOUNT__V1__GET_CURRENT_USER_REQUEST__INIT;
    Vigil__Account__V1__GetSessionRequest session_request =
        VIGIL__ACCOUNT__V1__GET_SESSION_REQUEST__INIT;
    const ProtobufCMessage *user = NULL;
    const ProtobufCMessage *own_session = NULL;
    (void)command;
    (void)arguments;
    enum vg_exit exit =
        vg_session_ask(session, VG_CLIENT_METHOD_GET_CURRENT_USER, &user_request.base, &user);
    if (exit == VG_EXIT_DONE) {
        exit = vg_session_ask(
            session,
            VG_CLIENT_METHOD_GET_SESSION,
            &session_request.base,
            &own_session);
    }
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    if (session->output != VG_OUTPUT_TABLE) {
        return print_json(user, own_session);
    }
    bool good = vg_output_object(
                    VG_OUTPUT_TABLE,
                    vg_client_method_row(VG_CLIENT_METHOD_GET_CURRENT_USER)->answer,
                    user) &&
                vg_output_object(
                    VG_OUTPUT_TABLE,
                    vg_client_method_row(VG_CLIENT_METHOD_GET_SESSION)->answer,
                    own_session);
    return good ? VG_EXIT_DONE : VG_EXIT_REFUSED;
}

static const struct vg_command commands[] = {
    {
        .noun = "whoami",
        .help = "show the user and session behind the key",
        .method = VG_CLIENT_METHOD_GET_CURRENT_USER,
        .run = run,
    },
};

const struct vg_command_group vg_cmd_whoami = { commands, VG_ARRAY_COUNT(commands) };
