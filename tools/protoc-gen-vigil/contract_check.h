/*
 * Contract check: the rules of docs/contract.md that the generator refuses to break.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_CONTRACT_CHECK_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_CONTRACT_CHECK_H

#include "tools/protoc-gen-vigil/model.h"
#include "tools/protoc-gen-vigil/refusal.h"

/* Files: syntax, extensions. Messages: fields, names, shapes. check_messages.c */
void vg_check_messages(const struct vg_model *model, struct vg_refusals *refusals);
/* Enums: prefixes, first values, words. check_words.c */
void vg_check_words(const struct vg_model *model, struct vg_refusals *refusals);
/* Methods: envelopes, twins, handlers, permissions. check_methods.c */
void vg_check_methods(const struct vg_model *model, struct vg_refusals *refusals);
/* Routes: templates, variables, bodies, two for one path. check_routes.c */
void vg_check_routes(const struct vg_model *model, struct vg_refusals *refusals);

#endif
