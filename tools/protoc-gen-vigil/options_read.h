/*
 * Options read: our options and google.api.http out of the unknown fields of a descriptor's
 * options.
 *
 * descriptor.proto does not know our extensions, so they stay in the unknown fields of
 * MethodOptions and the like. Two traps of protobuf-c: the data of a length-delimited unknown field
 * begins with its length, and
 * `[(o).a = 1, (o).b = 2]` is two occurrences of one option, which must be joined before they are
 * unpacked.
 *
 * Threads: one thread; results are in the text pool.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_OPTIONS_READ_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_OPTIONS_READ_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define VG_OPTIONS_TAG      50001u
#define VG_OPTIONS_HTTP_TAG 72295728u

/*
 * The option `tag` of `holder` (some *Options message, or NULL), unpacked as `kind`. Without the
 * option: a message with nothing set. Ends the program if the bytes are broken, which protoc does
 * not let happen.
 */
void *vg_options_read(
    const ProtobufCMessage *holder,
    uint32_t tag,
    const ProtobufCMessageDescriptor *kind);

#endif
