/*
 * Refusals: what is wrong with the .proto files, each with file, line, a sentence and the rule's
 * name.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_REFUSAL_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_REFUSAL_H

#include <stddef.h>

#include "tools/protoc-gen-vigil/model.h"
#include "tools/protoc-gen-vigil/text_pool.h"

enum vg_refusal {
#define X(identifier, name) VG_REFUSAL_##identifier,
#include "tools/protoc-gen-vigil/refusal.def"
#undef X
    VG_REFUSAL_COUNT,
};

struct vg_refusals {
    struct vg_text text; /* one line per refusal */
    size_t count;
};

/* Adds `file:line: sentence [rule]`. The sentence begins with a small letter and has no full stop.
 */
void vg_refusal_add(
    struct vg_refusals *refusals,
    enum vg_refusal rule,
    const struct vg_place *place,
    const char *format,
    ...) __attribute__((format(printf, 4, 5)));

/* The name of a rule, as in refusal.def. */
const char *vg_refusal_name(enum vg_refusal rule);

#endif
