/*
 * Document writer: JSON text, member by member, with commas in the right places.
 *
 * Inside an object every call takes the member's name; inside an array the name is NULL.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_DOCUMENT_WRITER_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_DOCUMENT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/protoc-gen-vigil/text_pool.h"

#define VG_DOCUMENT_DEPTH_MAX 64

struct vg_document {
    struct vg_text text;
    size_t depth;
    bool has_member[VG_DOCUMENT_DEPTH_MAX];
};

void vg_document_object(struct vg_document *document, const char *name);
void vg_document_array(struct vg_document *document, const char *name);
/* Ends the innermost object or array; `bracket` says which. */
void vg_document_end(struct vg_document *document, char bracket);
void vg_document_string(struct vg_document *document, const char *name, const char *value);
void vg_document_number(struct vg_document *document, const char *name, int64_t value);
/* `value` as it stands: a number, `true`, `null`. */
void vg_document_raw(struct vg_document *document, const char *name, const char *value);

#endif
