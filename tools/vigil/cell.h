/*
 * Members of a message as text for people: cells of a table, lines of an object.
 *
 * Texts may come from anybody: characters that steer a terminal, and bytes that are no UTF-8, are
 * shown as U+FFFD.
 *
 * Threads: pure functions; a buffer has one owner.
 */
#ifndef VG_TOOLS_VIGIL_CELL_H
#define VG_TOOLS_VIGIL_CELL_H

#include "core/base/buffer.h"
#include "proto/contract.h"

/* Append the member at `path` ("customer.shortName"; of lists all elements, joined by commas).
 * What is not set appends nothing. The path must be one of the message's. */
void vg_cell_append(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *path,
    struct vg_buffer *out);

/* Append a line "path: value" for everything that is set, in the order of declaration. */
void vg_cell_append_lines(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_buffer *out);

/* Append `text`, safe for a terminal and valid UTF-8. */
void vg_cell_append_text(struct vg_bytes text, struct vg_buffer *out);

#endif
