/* vigil: the command line. Global options may stand anywhere; the rest belongs to a command. */
#include <stdio.h>
#include <string.h>

#include "tools/vigil/session.h"

#define ARGUMENTS_MAX 4096

static const char help_head[] = "vigil: command line of vigild, the server for security events\n"
                                "\n"
                                "usage: vigil [--server HOST:PORT] [--tls] [--key-file FILE] "
                                "[--output table|json|jsonl] COMMAND …\n"
                                "\n";

static const char help_foot[] =
    "\n"
    "  --server HOST:PORT    where vigild serves (default " VG_SESSION_SERVER_DEFAULT ")\n"
    "                        or https://HOST:PORT\n"
    "  --tls                 connect by TLS, as https:// does\n"
    "  --ca FILE             the authorities that the server is held against, PEM; else the "
    "machine's\n"
    "  --cert FILE           the certificate that proves who you are, PEM; in the place of an API "
    "key\n"
    "  --key FILE            its private key, if it is not in the same file\n"
    "  --key-file FILE       file with the API key; else the variable " VG_SESSION_KEY_VARIABLE "\n"
    "  --output FORM         table (default), json, or jsonl: a line for each row\n"
    "  --version, --help     'vigil COMMAND --help' tells its options\n"
    "\n"
    "Exit status: 0 done, 1 refused by the server or done in part, 2 wrong usage, 3 server not "
    "reached.\n";

enum vg_taken { TAKEN_NOT, TAKEN, TAKEN_WRONG };

static void print_help(void)
{
    (void)fputs(help_head, stdout);
    vg_command_print_list(NULL, stdout);
    (void)fputs(help_foot, stdout);
}

/* The value of global option `name` at argv[*index], moving *index to its last word. */
static bool take_value(const char *name, int argc, char **argv, int *index, const char **out_value)
{
    size_t size = strlen(name);
    const char *text = argv[*index];
    if (strncmp(text, name, size) != 0 || (text[size] != '=' && text[size] != '\0')) {
        return false;
    }
    if (text[size] == '=') {
        *out_value = text + size + 1;
    } else if (*index + 1 < argc) {
        *out_value = argv[++*index];
    } else {
        *out_value = NULL;
    }
    return true;
}

static enum vg_taken take_global(struct vg_session *session, int argc, char **argv, int *index)
{
    const char *value = NULL;
    const char *name = argv[*index];
    if (strcmp(name, "--tls") == 0) {
        session->server.with_tls = true;
        return TAKEN;
    }
    if (take_value("--server", argc, argv, index, &value)) {
        session->server.server = value;
    } else if (take_value("--ca", argc, argv, index, &value)) {
        session->server.ca = value;
    } else if (take_value("--cert", argc, argv, index, &value)) {
        session->server.certificate = value;
    } else if (take_value("--key", argc, argv, index, &value)) {
        session->server.certificate_key = value;
    } else if (take_value("--key-file", argc, argv, index, &value)) {
        session->key_file = value;
    } else if (take_value("--output", argc, argv, index, &value)) {
        if (value != NULL && !vg_output_parse(value, &session->output)) {
            (void)fprintf(stderr, "vigil: --output takes table, json or jsonl, not %s\n", value);
            return TAKEN_WRONG;
        }
    } else {
        return TAKEN_NOT;
    }
    if (value == NULL) {
        (void)fprintf(stderr, "vigil: %s needs a value\n", name);
        return TAKEN_WRONG;
    }
    return TAKEN;
}

/* What is there instead of a command nobody knows. */
static enum vg_exit unknown(const char *noun, const char *verb)
{
    bool known = noun != NULL && vg_command_is_noun(noun);
    if (noun == NULL) {
        (void)fputs("vigil: a command is missing; there are\n", stderr);
    } else if (known && verb == NULL) {
        (void)fprintf(stderr, "vigil: %s what? There are\n", noun);
    } else if (known) {
        (void)fprintf(stderr, "vigil: there is no command %s %s; there are\n", noun, verb);
    } else {
        (void)fprintf(stderr, "vigil: there is no command %s; there are\n", noun);
    }
    vg_command_print_list(known ? noun : NULL, stderr);
    return VG_EXIT_USAGE;
}

static bool is_help(const char *text)
{
    return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0;
}

static enum vg_exit run(struct vg_session *session, int argc, char **argv)
{
    static struct vg_arguments arguments; /* too large for a stack frame one likes */
    struct vg_error error;
    int words = 0;
    const char *noun = argc > 0 ? argv[0] : NULL;
    const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    const struct vg_command *command = noun == NULL ? NULL : vg_command_find(noun, verb, &words);
    if (command == NULL) {
        if (argc > 1 && is_help(argv[1]) && vg_command_is_noun(noun)) {
            vg_command_print_list(noun, stdout);
            return VG_EXIT_DONE;
        }
        return unknown(noun, verb);
    }
    for (int i = words; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i])) {
            vg_command_print_help(command, stdout);
            return VG_EXIT_DONE;
        }
    }
    vg_session_error_init(session, &error);
    if (vg_arguments_take(command, argc - words, argv + words, &arguments, &error) != VG_OK) {
        (void)fprintf(stderr, "vigil: %s\nusage: ", error.message);
        vg_command_print_usage(command, stderr);
        return VG_EXIT_USAGE;
    }
    enum vg_exit exit = vg_session_read_key(session);
    return exit == VG_EXIT_DONE ? command->run(session, command, &arguments) : exit;
}

int main(int argc, char **argv)
{
    static char *rest[ARGUMENTS_MAX];
    struct vg_session session;
    int count = 0;
    bool globals_end = false;
    enum vg_exit exit = VG_EXIT_DONE;
    vg_session_init(&session);
    for (int i = 1; i < argc && exit == VG_EXIT_DONE; i++) {
        enum vg_taken taken = globals_end ? TAKEN_NOT : take_global(&session, argc, argv, &i);
        if (taken == TAKEN_WRONG || count == ARGUMENTS_MAX) {
            exit = VG_EXIT_USAGE;
        } else if (taken == TAKEN_NOT) {
            globals_end = globals_end || strcmp(argv[i], "--") == 0;
            rest[count++] = argv[i];
        }
    }
    if (exit == VG_EXIT_DONE && count > 0 && (is_help(rest[0]) || strcmp(rest[0], "help") == 0)) {
        print_help();
    } else if (exit == VG_EXIT_DONE && count > 0 && strcmp(rest[0], "--version") == 0) {
        (void)puts("vigil " VG_VERSION);
    } else if (exit == VG_EXIT_DONE) {
        exit = run(&session, count, rest);
    }
    vg_session_dispose(&session);
    return (int)exit;
}
