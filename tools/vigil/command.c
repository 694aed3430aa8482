#include "tools/vigil/command.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"

static const struct vg_command_group *const groups[] = {
    &vg_cmd_customer,     &vg_cmd_group,     &vg_cmd_user,   &vg_cmd_key,    &vg_cmd_location,
    &vg_cmd_case,         &vg_cmd_signature, &vg_cmd_event,  &vg_cmd_flow,   &vg_cmd_stats,
    &vg_cmd_assess,       &vg_cmd_import,    &vg_cmd_upload, &vg_cmd_sample, &vg_cmd_sample_search,
    &vg_cmd_sample_stats, &vg_cmd_whoami,    &vg_cmd_agent,
};

size_t vg_command_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(groups); i++) {
        count += groups[i]->count;
    }
    return count;
}

const struct vg_command *vg_command_at(size_t index)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(groups); i++) {
        if (index < groups[i]->count) {
            return &groups[i]->commands[index];
        }
        index -= groups[i]->count;
    }
    VG_UNREACHABLE();
}

const struct vg_command *vg_command_find(const char *noun, const char *verb, int *out_words)
{
    for (size_t i = 0; i < vg_command_count(); i++) {
        const struct vg_command *command = vg_command_at(i);
        if (strcmp(command->noun, noun) != 0) {
            continue;
        }
        if (command->verb == NULL) {
            *out_words = 1;
            return command;
        }
        if (verb != NULL && strcmp(command->verb, verb) == 0) {
            *out_words = 2;
            return command;
        }
    }
    return NULL;
}

bool vg_command_is_noun(const char *noun)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(groups); i++) {
        if (strcmp(groups[i]->commands[0].noun, noun) == 0) {
            return true;
        }
    }
    return false;
}

void vg_command_print_usage(const struct vg_command *command, FILE *file)
{
    (void)fprintf(file, "vigil %s", command->noun);
    if (command->verb != NULL) {
        (void)fprintf(file, " %s", command->verb);
    }
    if (command->operand != NULL) {
        (void)fprintf(file, command->optional ? " [%s]" : " %s", command->operand);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct vg_option *option = &command->options[i];
        (void)fprintf(
            file,
            option->required ? " %s%s%s" : " [%s%s%s]",
            option->name,
            option->value == NULL ? "" : " ",
            option->value == NULL ? "" : option->value);
    }
    (void)fputc('\n', file);
}

void vg_command_print_help(const struct vg_command *command, FILE *file)
{
    (void)fputs("usage: ", file);
    vg_command_print_usage(command, file);
    (void)fprintf(file, "\n%s\n", command->help);
    if (command->option_count > 0) {
        (void)fputc('\n', file);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct vg_option *option = &command->options[i];
        char left[64];
        (void)snprintf(
            left,
            sizeof(left),
            "%s%s%s",
            option->name,
            option->value == NULL ? "" : " ",
            option->value == NULL ? "" : option->value);
        (void)fprintf(
            file,
            "  %-26s  %s%s\n",
            left,
            option->help,
            option->required ? " (required)" : "");
    }
}

void vg_command_print_list(const char *noun, FILE *file)
{
    for (size_t i = 0; i < vg_command_count(); i++) {
        const struct vg_command *command = vg_command_at(i);
        if (noun == NULL || strcmp(command->noun, noun) == 0) {
            char words[64];
            (void)snprintf(
                words,
                sizeof(words),
                "%s%s%s%s%s",
                command->noun,
                command->verb == NULL ? "" : " ",
                command->verb == NULL ? "" : command->verb,
                command->operand == NULL ? "" : " ",
                command->operand == NULL ? "" : command->operand);
            (void)fprintf(file, "  %-26s  %s\n", words, command->help);
        }
    }
}
