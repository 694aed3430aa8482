/*
 * Text pool: the memory and the growing text of the contract generator.
 *
 * The generator is a short program: it takes memory, never gives it back, and ends with a message
 * when there is none. All memory hangs on one list, so a leak checker sees it as in use. The
 * generator stands below core and may not use its arena and buffer.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_TEXT_POOL_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_TEXT_POOL_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

/* Zeroed memory that lives until the program ends; never NULL. */
void *vg_text_pool_take(size_t size);
/* The text that printf would make, in the pool. */
char *vg_text_pool_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The first `size` characters of `text`, ended by a zero. */
char *vg_text_pool_copy(const char *text, size_t size);
/* For protobuf-c: takes from the pool, gives nothing back. */
extern ProtobufCAllocator vg_text_pool_allocator;

/* A text that grows. Starts as all zeros; `data` is ended by a zero as soon as something was added.
 */
struct vg_text {
    char *data;
    size_t size;
    size_t room;
};
void vg_text_add(struct vg_text *text, const char *data, size_t size);
void vg_text_print(struct vg_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `value` in double quotes, escaped so that both C and JSON read it back. */
void vg_text_quote(struct vg_text *text, const char *value);

#endif
