#include "tools/vigild/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/base/text_number.h"

#define CONFIG_BYTES_MAX (1024u * 1024u)

static const char help_text[] =
    "vigild: server for security events and malware samples; Argus REST and gRPC on one port\n"
    "\n"
    "usage: vigild [--data DIR] [--listen HOST:PORT] [options]\n"
    "\n"
    "  --data DIR          where everything is kept (made if missing)\n"
    "  --listen HOST:PORT  where to serve; port 0 picks a free one\n"
    "  --listen-tls HOST:PORT\n"
    "                      where to serve TLS, beside plain text\n"
    "  --certificate FILE[,FILE]\n"
    "                      the server's certificates with their chains, PEM\n"
    "  --key FILE[,FILE]   their private keys, if they are not in the same files\n"
    "  --demo              fill an empty store with demo data and print lines to try\n"
    "  --insecure          serve plain text beyond loopback\n"
    "  --set NAME=VALUE    change a setting\n"
    "  --config FILE       read settings from a JSON object\n"
    "  --settings          list all settings and their defaults\n"
    "  --version, --help\n"
    "\n"
    "The first start writes an administrator key to DIR/admin.key. SIGTERM or Ctrl-C ends the "
    "server after the calls\n"
    "under way are answered; SIGHUP reads certificates anew.\n";

static bool set_value(struct vg_settings *settings, const char *name, const char *value)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_settings_set_value(settings, name, value, &error) == VG_OK) {
        return true;
    }
    (void)fprintf(stderr, "vigild: %s\n", error.message);
    return false;
}

/* The file's text with a NUL behind it, or NULL with the reason printed. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(CONFIG_BYTES_MAX + 1);
    if (file == NULL || text == NULL) {
        (void)fprintf(stderr, "vigild: cannot read %s: %s\n", path, strerror(errno));
        free(text);
        text = NULL;
    } else {
        size_t size = fread(text, 1, CONFIG_BYTES_MAX + 1, file);
        if (ferror(file) != 0 || size > CONFIG_BYTES_MAX) {
            (void)fprintf(
                stderr,
                "vigild: cannot read %s: it is larger than a configuration or unreadable\n",
                path);
            free(text);
            text = NULL;
        } else {
            text[size] = '\0';
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return text;
}

/* A member's value as one would write it behind --set NAME=. */
static bool set_member(struct vg_settings *settings, const char *path, const cJSON *member)
{
    char number[VG_TEXT_NUMBER_SIZE + 1];
    if (cJSON_IsString(member)) {
        return set_value(settings, member->string, member->valuestring);
    }
    if (cJSON_IsBool(member)) {
        return set_value(settings, member->string, cJSON_IsTrue(member) ? "true" : "false");
    }
    if (cJSON_IsNumber(member)) {
        number[vg_text_number_print_double(member->valuedouble, number)] = '\0';
        return set_value(settings, member->string, number);
    }
    (void)fprintf(
        stderr,
        "vigild: %s: %s must be a text, a number or a boolean\n",
        path,
        member->string);
    return false;
}

static bool read_config(struct vg_settings *settings, const char *path)
{
    char *text = read_file(path);
    if (text == NULL) {
        return false;
    }
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithOpts(text, &end, true);
    bool good = cJSON_IsObject(tree);
    if (!good) {
        (void)fprintf(
            stderr,
            "vigild: %s is not a JSON object (near byte %td)\n",
            path,
            end == NULL ? 0 : end - text);
    }
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, tree)
    {
        good = good && set_member(settings, path, member);
    }
    cJSON_Delete(tree);
    free(text);
    return good;
}

static bool set_assignment(struct vg_settings *settings, const char *assignment)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_settings_set(settings, assignment, &error) == VG_OK) {
        return true;
    }
    (void)fprintf(stderr, "vigild: %s\n", error.message);
    return false;
}

static void print_settings(void)
{
    struct vg_buffer text;
    vg_buffer_init(&text, CONFIG_BYTES_MAX);
    vg_settings_help(&text);
    (void)fwrite(text.data, 1, text.size, stdout);
    vg_buffer_dispose(&text);
}

/* Options that take a value, and the setting each stands for; NULL for the two with a meaning of
 * their own. */
static const struct valued_option {
    const char *name;
    const char *setting;
} valued_options[] = {
    { "--data", "data" },
    { "--listen", "listen" },
    { "--listen-tls", "listen_tls" },
    { "--certificate", "tls_certificates" },
    { "--key", "tls_keys" },
    { "--set", NULL },
    { "--config", NULL },
};

static bool take_valued(
    struct vg_options *options,
    const struct valued_option *option,
    const char *value)
{
    if (option->setting != NULL) {
        return set_value(&options->settings, option->setting, value);
    }
    return strcmp(option->name, "--set") == 0 ? set_assignment(&options->settings, value)
                                              : read_config(&options->settings, value);
}

static const struct valued_option *find_valued(const char *option)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(valued_options); i++) {
        if (strcmp(valued_options[i].name, option) == 0) {
            return &valued_options[i];
        }
    }
    return NULL;
}

enum vg_options_outcome vg_options_read(int argc, char **argv, struct vg_options *out_options)
{
    out_options->demo = false;
    vg_settings_init(&out_options->settings);
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        const struct valued_option *valued = find_valued(option);
        if (valued != NULL) {
            if (i + 1 == argc) {
                (void)fprintf(stderr, "vigild: %s needs a value; see vigild --help\n", option);
                return VG_OPTIONS_WRONG;
            }
            if (!take_valued(out_options, valued, argv[++i])) {
                return VG_OPTIONS_WRONG;
            }
        } else if (strcmp(option, "--demo") == 0) {
            out_options->demo = true;
        } else if (strcmp(option, "--insecure") == 0) {
            out_options->settings.insecure = true;
        } else if (strcmp(option, "--settings") == 0) {
            print_settings();
            return VG_OPTIONS_DONE;
        } else if (strcmp(option, "--version") == 0) {
            (void)puts("vigild " VG_VERSION);
            return VG_OPTIONS_DONE;
        } else if (strcmp(option, "--help") == 0) {
            (void)fputs(help_text, stdout);
            return VG_OPTIONS_DONE;
        } else {
            (void)fprintf(stderr, "vigild: unknown option %s; see vigild --help\n", option);
            return VG_OPTIONS_WRONG;
        }
    }
    return VG_OPTIONS_RUN;
}
