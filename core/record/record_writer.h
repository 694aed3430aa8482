/*
 * Writes protobuf fields into memory from its end towards its start, so that the size of a nested
 * message is known when its head is written: one pass, no sizes beforehand, no bounds to grow.
 * Whoever starts one knows an upper bound of what will be written.
 *
 * Threads: one owner. Writing past the bound is a broken invariant and stops the process.
 */
#ifndef VG_CORE_RECORD_RECORD_WRITER_H
#define VG_CORE_RECORD_RECORD_WRITER_H

#include <stdint.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/wire/wire_field.h"
#include "proto/contract.h"

/* Bounds of one field: its key (two bytes), and a number or a length and its bytes. */
#define VG_RECORD_NUMBER_MAX      12u
#define VG_RECORD_BYTES_MAX(size) (8u + (size))

struct vg_record_writer {
    uint8_t *floor; /* nothing is written below */
    uint8_t *next;  /* what has been written begins here */
};

static inline void vg_record_write_varint(struct vg_record_writer *writer, uint64_t value)
{
    size_t size = vg_wire_varint_size(value);
    VG_ASSERT((size_t)(writer->next - writer->floor) >= size);
    uint8_t *at = writer->next -= size;
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at = (uint8_t)value;
}

static inline void vg_record_write_key(
    struct vg_record_writer *writer,
    uint32_t number,
    enum vg_wire wire)
{
    vg_record_write_varint(writer, (uint64_t)number << 3 | wire);
}

static inline void vg_record_write_number(
    struct vg_record_writer *writer,
    uint32_t number,
    int64_t value)
{
    vg_record_write_varint(writer, (uint64_t)value);
    vg_record_write_key(writer, number, VG_WIRE_VARINT);
}

/* The bytes without a key. */
static inline void vg_record_write_raw(struct vg_record_writer *writer, struct vg_bytes bytes)
{
    VG_ASSERT((size_t)(writer->next - writer->floor) >= bytes.size);
    writer->next -= bytes.size;
    if (bytes.size != 0) {
        memcpy(writer->next, bytes.data, bytes.size);
    }
}

static inline void vg_record_write_bytes(
    struct vg_record_writer *writer,
    uint32_t number,
    struct vg_bytes bytes)
{
    vg_record_write_raw(writer, bytes);
    vg_record_write_varint(writer, bytes.size);
    vg_record_write_key(writer, number, VG_WIRE_BYTES);
}

/* The same, unless there is none (data NULL). */
static inline void vg_record_write_optional(
    struct vg_record_writer *writer,
    uint32_t number,
    struct vg_bytes bytes)
{
    if (bytes.data != NULL) {
        vg_record_write_bytes(writer, number, bytes);
    }
}

static inline void vg_record_write_double(
    struct vg_record_writer *writer,
    uint32_t number,
    double value)
{
    VG_ASSERT((size_t)(writer->next - writer->floor) >= sizeof(value));
    writer->next -= sizeof(value);
    memcpy(writer->next, &value, sizeof(value)); /* little endian, as the wire */
    vg_record_write_key(writer, number, VG_WIRE_FIXED64);
}

/* Head of a nested message whose fields have been written since writer->next was `end`. */
static inline void vg_record_write_head(
    struct vg_record_writer *writer,
    uint32_t number,
    const uint8_t *end)
{
    vg_record_write_varint(writer, (uint64_t)(end - writer->next));
    vg_record_write_key(writer, number, VG_WIRE_BYTES);
}

#endif
