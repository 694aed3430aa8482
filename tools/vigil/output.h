/*
 * What a command prints to stdout: tables and lines for people, or the documented JSON of the very
 * same answer, in one piece or a line for each row.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_OUTPUT_H
#define VG_TOOLS_VIGIL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/compiler.h"
#include "proto/contract.h"
#include "tools/vigil/command.h"

enum vg_output { VG_OUTPUT_TABLE, VG_OUTPUT_JSON, VG_OUTPUT_JSONL };

/* "table", "json" or "jsonl". */
VG_MUST_USE bool vg_output_parse(const char *text, enum vg_output *out_output);

/* One object. False when it cannot be written. */
VG_MUST_USE bool vg_output_object(
    enum vg_output output,
    const struct vg_table *table,
    const ProtobufCMessage *message);

/* One row that came by itself: its documented JSON as a line. False when `file` does not take it.
 */
VG_MUST_USE bool vg_output_line(
    const struct vg_table *table,
    const ProtobufCMessage *row,
    FILE *file);

/* The same for people: the cells of the command's columns, which nobody can align. */
VG_MUST_USE bool vg_output_cells(
    const struct vg_command *command,
    const struct vg_table *table,
    const ProtobufCMessage *row,
    FILE *file);

/* An answer of limit, offset, count and the rows `data`. As a table it has the columns of the
 * command. False when it cannot be written. */
VG_MUST_USE bool vg_output_list(
    enum vg_output output,
    const struct vg_command *command,
    const struct vg_table *table,
    const ProtobufCMessage *message);

#endif
