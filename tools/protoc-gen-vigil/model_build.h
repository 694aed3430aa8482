/*
 * Model build: the parts of vg_model_build, one per file. Private to model*.c.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_MODEL_BUILD_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_MODEL_BUILD_H

#include "tools/protoc-gen-vigil/model.h"

/* Words of one enum, from its values' options. model_words.c */
void vg_model_words_build(struct vg_model_enum *words);
/* Fields and names of one message, once all messages and enums are known. model_fields.c */
void vg_model_fields_build(
    struct vg_model *model,
    struct vg_model_message *message,
    struct vg_refusals *refusals);
/* CHECKED for every message that has something to validate in it or below it. model_fields.c */
void vg_model_fields_mark(struct vg_model *model);
/* All methods and routes. model_methods.c */
void vg_model_methods_build(struct vg_model *model);

/* Drop what is of others and needed by no method. model_foreign.c */
void vg_model_foreign_trim(struct vg_model *model);
/* What a field of others' messages is that ours are not: without presence, or of a oneof.
 * model_foreign.c */
void vg_model_foreign_field(struct vg_model_field *field);

/* By type name as descriptors write it (`.vigil.events.v1.Event`), or NULL. model.c */
struct vg_model_message *vg_model_find_message(const struct vg_model *model, const char *type_name);
struct vg_model_enum *vg_model_find_enum(const struct vg_model *model, const char *type_name);

#endif
