/*
 * Emit: the model as text, one function per output. See README.md for what each
 * file holds.
 *
 * All C is written so that it compiles without warnings; positions of members are left to offsetof.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_EMIT_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_EMIT_H

#include "tools/protoc-gen-vigil/model.h"
#include "tools/protoc-gen-vigil/text_pool.h"

/* contract_json.h and contract_json.c: fields, names, words, tables. emit_json.c, emit_words.c */
void vg_emit_json_header(const struct vg_model *model, struct vg_text *out);
void vg_emit_json(const struct vg_model *model, struct vg_text *out);
void vg_emit_words(const struct vg_model *model, struct vg_text *out);
/* contract_rules.c: vg_rules and patterns. emit_rules.c */
void vg_emit_rules(const struct vg_model *model, struct vg_text *out);
/* contract_handlers.h and contract_methods.c. emit_methods.c */
void vg_emit_handlers(const struct vg_model *model, struct vg_text *out);
void vg_emit_methods(const struct vg_model *model, struct vg_text *out);
/* contract_routes.c. emit_routes.c */
void vg_emit_routes(const struct vg_model *model, struct vg_text *out);
/* contract_descriptors.c: the files that services are in and all they import, without source info,
 * and where each name is declared. emit_descriptors.c, emit_symbols.c */
void vg_emit_descriptors(const struct vg_model *model, struct vg_text *out);
void vg_emit_symbols(const struct vg_model *model, struct vg_text *out);
/* Position of a file among those that are reflected. */
size_t vg_emit_file_position(const struct vg_model *model, const struct vg_model_file *file);
/* The tables as text for people and golden tests. emit_dump.c */
void vg_emit_dump(const struct vg_model *model, struct vg_text *out);

/* The OpenAPI document of one API, as JSON. openapi_document.c, openapi_schema.c */
void vg_emit_openapi(const struct vg_model *model, const char *api, struct vg_text *out);
/* The APIs with routes (`events` of vigil.events.v1), ended by NULL. */
const char **vg_emit_openapi_list(const struct vg_model *model);
/* contract_openapi.c: the documents as bytes in the program. emit_openapi.c */
void vg_emit_openapi_source(const struct vg_model *model, struct vg_text *out);
/* The messages, fields and methods that have no comment, one a line. emit_openapi.c */
void vg_emit_uncommented(const struct vg_model *model, struct vg_text *out);

/* Shared by the emitters; emit_parts.c */

/* The comment at the top of a generated file. */
void vg_emit_banner(struct vg_text *out, const char *what);
/* #include lines of the protoc-c headers of the files that declare the model's messages. */
void vg_emit_includes(const struct vg_model *model, struct vg_text *out);
/* A line of bytes: `1, 2, 3,`, broken into lines. */
void vg_emit_bytes(struct vg_text *out, const uint8_t *bytes, size_t count);
/* Names of the flags that are set, joined; `prefix` before each; `none` if there are none. */
enum vg_emit_flag_set {
    VG_EMIT_FIELD,
    VG_EMIT_TABLE,
    VG_EMIT_NAME,
    VG_EMIT_METHOD,
    VG_EMIT_PRODUCT
};
void vg_emit_flags(struct vg_text *out, enum vg_emit_flag_set set, unsigned flags, bool as_code);
/* INT32 … MESSAGE; GET … PATCH; LIST … RAW. */
const char *vg_emit_kind(enum vg_kind kind);
const char *vg_emit_verb(enum vg_verb verb);
const char *vg_emit_envelope(unsigned envelope);
const char *vg_emit_audit(enum vg_audit audit);

#endif
