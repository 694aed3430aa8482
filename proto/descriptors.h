/*
 * The contract as it describes itself, for reflection: file descriptors, and which file declares
 * what. Made at build time like the tables of contract.h.
 *
 * Threads: immutable; any thread.
 */
#ifndef VG_PROTO_DESCRIPTORS_H
#define VG_PROTO_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/* A file descriptor as protoc serialised it, without comments, for reflection: of every file that a
 * service is in, and of all they import. */
struct vg_descriptor_file {
    const char *name;
    const uint8_t *data;
    size_t size;
    const uint16_t *imports; /* positions in vg_descriptor_files */
    size_t import_count;
};
extern const struct vg_descriptor_file vg_descriptor_files[];
extern const size_t vg_descriptor_file_count;

/* Where a full name is declared: service, method, message, field, oneof, enum, value or extension.
 * In order of names; the names stand in one text, so that the table needs no relocation. */
struct vg_descriptor_symbol {
    uint32_t name; /* position in vg_descriptor_names, which ends each with a NUL */
    uint16_t file; /* position in vg_descriptor_files */
    uint16_t is_message;
};
extern const struct vg_descriptor_symbol vg_descriptor_symbols[];
extern const size_t vg_descriptor_symbol_count;
extern const char vg_descriptor_names[];

/* An extension; in order of the extended message's name, then of numbers. */
struct vg_descriptor_extension {
    const char *extended; /* "google.protobuf.MethodOptions" */
    int32_t number;
    uint16_t file;
};
extern const struct vg_descriptor_extension vg_descriptor_extensions[];
extern const size_t vg_descriptor_extension_count;

#endif
