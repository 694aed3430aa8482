/* The pool is a chain of blocks; big requests get a block of their own. See text_pool.h. */
#include "tools/protoc-gen-vigil/text_pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 18)

struct block {
    struct block *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

static struct block *blocks;

void *vg_text_pool_take(size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (blocks == NULL || blocks->size - blocks->used < size) {
        size_t block_size = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct block *block = calloc(1, sizeof *block + block_size);
        if (block == NULL) {
            (void)fputs("protoc-gen-vigil: out of memory\n", stderr);
            exit(1);
        }
        block->next = blocks;
        block->size = block_size;
        blocks = block;
    }
    void *data = (char *)blocks->data + blocks->used;
    blocks->used += size;
    return data;
}

char *vg_text_pool_copy(const char *text, size_t size)
{
    char *copy = vg_text_pool_take(size + 1);
    memcpy(copy, text, size);
    return copy;
}

static void add_formatted(struct vg_text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void add_formatted(struct vg_text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) {
        (void)fputs("protoc-gen-vigil: a text could not be formatted\n", stderr);
        exit(1);
    }
    char *line = vg_text_pool_take((size_t)size + 1);
    (void)vsnprintf(line, (size_t)size + 1, format, arguments);
    vg_text_add(text, line, (size_t)size);
}

char *vg_text_pool_print(const char *format, ...)
{
    struct vg_text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    add_formatted(&text, format, arguments);
    va_end(arguments);
    return text.data;
}

static void *allocate(void *owner, size_t size)
{
    (void)owner;
    return vg_text_pool_take(size);
}

static void release(void *owner, void *data)
{
    (void)owner;
    (void)data;
}

ProtobufCAllocator vg_text_pool_allocator = { .alloc = allocate, .free = release };

void vg_text_add(struct vg_text *text, const char *data, size_t size)
{
    if (text->room - text->size < size + 1 || text->data == NULL) {
        size_t room = (text->size + size + 64) * 2;
        char *larger = vg_text_pool_take(room);
        if (text->size > 0) {
            memcpy(larger, text->data, text->size);
        }
        text->data = larger;
        text->room = room;
    }
    if (size > 0) {
        memcpy(text->data + text->size, data, size);
    }
    text->size += size;
    text->data[text->size] = '\0';
}

void vg_text_print(struct vg_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(text, format, arguments);
    va_end(arguments);
}

void vg_text_quote(struct vg_text *text, const char *value)
{
    vg_text_add(text, "\"", 1);
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            vg_text_print(text, "\\%c", *at);
        } else if (*at == '\n') {
            vg_text_add(text, "\\n", 2);
        } else if (*at == '\t') {
            vg_text_add(text, "\\t", 2);
        } else if ((unsigned char)*at >= ' ') {
            vg_text_add(text, at, 1);
        }
    }
    vg_text_add(text, "\"", 1);
}
