/*
 * What follows the words of a command: operands and options, checked against its row, and the
 * request they make.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_ARGUMENTS_H
#define VG_TOOLS_VIGIL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "proto/contract.h"
#include "tools/vigil/command.h"

#define VG_ARGUMENTS_MAX 1024u

struct vg_argument {
    const struct vg_option *option;
    const char *value; /* NULL = the option takes none */
};

/* Texts are those of argv. */
struct vg_arguments {
    struct vg_argument items[VG_ARGUMENTS_MAX];
    size_t count;
    const char *operands[VG_ARGUMENTS_MAX];
    size_t operand_count;
};

/*
 * Take what `argv` holds for `command`. "--name=VALUE" is as good as "--name VALUE"; behind "--"
 * everything is an operand, and so is "-".
 *
 * Fails with: CONFIG, the message naming the option or operand that is wrong or missing.
 */
VG_MUST_USE enum vg_reason vg_arguments_take(
    const struct vg_command *command,
    int argc,
    char **argv,
    struct vg_arguments *out_arguments,
    struct vg_error *error);

/* The value of the option that the command reads itself; NULL = not given. */
const char *vg_arguments_value(const struct vg_arguments *arguments, const char *name);

/* Whether the option was given. */
bool vg_arguments_has(const struct vg_arguments *arguments, const char *name);

/* Whether an option that fills a member of the request was given. */
bool vg_arguments_has_field(const struct vg_arguments *arguments);

/*
 * The message of `table` that operand and options describe: read from the JSON they stand for, so
 * the rules are those of the documented JSON. `error` must have an arena for its violations.
 *
 * Fails as vg_json_read does.
 */
VG_MUST_USE enum vg_reason vg_arguments_request(
    const struct vg_arguments *arguments,
    const struct vg_command *command,
    const struct vg_table *table,
    struct vg_arena *arena,
    ProtobufCMessage **out_request,
    struct vg_error *error);

#endif
