/*
 * Wire encoder: a protobuf-c message to bytes, by the contract tables.
 *
 * It fills the free space of a buffer from its end: the size of a nested message is then known when
 * its head is written, so there is no size pass and each message is walked once. Fields come out in
 * order of declaration; never compare encoded bytes with those of another encoder.
 *
 * Threads: the message is read only; the buffer has one owner.
 */
#ifndef VG_CORE_WIRE_WIRE_ENCODE_H
#define VG_CORE_WIRE_WIRE_ENCODE_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "proto/contract.h"

/*
 * Append `message`, unknown fields it keeps included, to `buffer`. False when the buffer's maximum
 * or memory does not allow it: the content of the buffer is then as before and buffer->failed is
 * set.
 */
VG_MUST_USE bool vg_wire_encode(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_buffer *buffer);

#endif
