/*
 * The commands of vigil as a table: what is typed, what it is for, which method it calls, and how
 * its answer is shown. Parsing, help and usage all come from it.
 *
 * An option names the member of the request it fills, as the documented JSON spells it; so most
 * commands need no code of their own. One cmd_*.c for each noun has its rows.
 *
 * Threads: immutable.
 */
#ifndef VG_TOOLS_VIGIL_COMMAND_H
#define VG_TOOLS_VIGIL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tools/client/client_method.h"

struct vg_session;
struct vg_arguments;

/* What a run returns: the exit status. */
enum vg_exit {
    VG_EXIT_DONE = 0,
    VG_EXIT_REFUSED = 1, /* the server refused, or a part was not taken */
    VG_EXIT_USAGE = 2,   /* the command line, or a file it names, is wrong */
    VG_EXIT_UNREACHABLE = 3,
};

enum vg_option_kind {
    VG_OPTION_KIND_TEXT,  /* one value; given again, the last counts */
    VG_OPTION_KIND_LIST,  /* values separated by commas; given again, more of them */
    VG_OPTION_KIND_PAIR,  /* KEY=VALUE; given again, one more, of the same key too */
    VG_OPTION_KIND_ENTRY, /* KEY=VALUE, a key once; given again, the last counts */
    VG_OPTION_KIND_YES,   /* no value: true */
    VG_OPTION_KIND_NO,    /* no value: false */
};

struct vg_option {
    const char *name;  /* "--time-zone" */
    const char *value; /* "TZ"; NULL = none is taken */
    const char *field; /* "timeZone", "source.ip"; NULL = the command reads it */
    const char *help;
    enum vg_option_kind kind;
    bool required;
};

struct vg_column {
    const char *title;
    const char *path; /* of a member of a row: "customer.shortName" */
};

struct vg_command {
    const char *noun;
    const char *verb;    /* NULL = the noun alone */
    const char *operand; /* "SHORTNAME", "FILE..."; NULL = none is taken */
    const char *field;   /* of the operand; NULL = the command reads it */
    const char *help;
    const struct vg_option *options;
    size_t option_count;
    const struct vg_column *columns; /* of an answer that is a list; NULL = one object */
    size_t column_count;
    enum vg_client_method method;
    bool many;     /* more than one operand; with a field, a list */
    bool optional; /* no operand is as good */
    enum vg_exit (*run)(
        struct vg_session *session,
        const struct vg_command *command,
        const struct vg_arguments *arguments);
};

struct vg_command_group {
    const struct vg_command *commands;
    size_t count;
};

extern const struct vg_command_group vg_cmd_customer;
extern const struct vg_command_group vg_cmd_group;
extern const struct vg_command_group vg_cmd_user;
extern const struct vg_command_group vg_cmd_key;
extern const struct vg_command_group vg_cmd_location;
extern const struct vg_command_group vg_cmd_case;
extern const struct vg_command_group vg_cmd_signature;
extern const struct vg_command_group vg_cmd_event;
extern const struct vg_command_group vg_cmd_flow;
extern const struct vg_command_group vg_cmd_assess;
extern const struct vg_command_group vg_cmd_stats;
extern const struct vg_command_group vg_cmd_import;
extern const struct vg_command_group vg_cmd_agent;
extern const struct vg_command_group vg_cmd_upload;
extern const struct vg_command_group vg_cmd_sample;
extern const struct vg_command_group vg_cmd_sample_search;
extern const struct vg_command_group vg_cmd_sample_stats;
extern const struct vg_command_group vg_cmd_whoami;

/* What every list takes. */
#define VG_LIST_OPTIONS                                                                            \
    { .name = "--limit", .value = "N", .field = "limit", .help = "how many to show; 0 = all" },    \
    {                                                                                              \
        .name = "--offset", .value = "N", .field = "offset", .help = "how many to leave out first" \
    }

/* The number of commands, and each of them in the order of the help. */
size_t vg_command_count(void);
const struct vg_command *vg_command_at(size_t index);

/* The command of these words; `verb` may be NULL. *out_words is how many of them it takes. NULL =
 * there is none. */
const struct vg_command *vg_command_find(const char *noun, const char *verb, int *out_words);

/* Whether any command begins with this word. */
bool vg_command_is_noun(const char *noun);

/* One line: what is typed. */
void vg_command_print_usage(const struct vg_command *command, FILE *file);

/* Usage, purpose and every option. */
void vg_command_print_help(const struct vg_command *command, FILE *file);

/* The usage of all commands of `noun`; NULL = of all there are. */
void vg_command_print_list(const char *noun, FILE *file);

#endif
