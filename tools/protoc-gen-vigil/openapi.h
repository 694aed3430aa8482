/*
 * OpenAPI: what openapi_document.c and openapi_schema.c share while one document is written.
 *
 * One document per API: `vigil.events.v1` and `vigil.events.v2` are the API `events`. Schemas of
 * messages are written once each, when something refers to them; bare messages, maps and object
 * lists have none of their own.
 *
 * Threads: one thread.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_OPENAPI_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_OPENAPI_H

#include "tools/protoc-gen-vigil/document_writer.h"
#include "tools/protoc-gen-vigil/model.h"

/* The envelope around one kind of answer: `ResultStash-list-events.v1.Event`. */
struct vg_openapi_wrapper {
    const char *name;
    const struct vg_model_message *data; /* NULL = the plain ResultStash, its data anything */
    bool list;
};

struct vg_openapi {
    const struct vg_model *model;
    const char *api;
    struct vg_document document;
    bool *used; /* by position in model->messages: a schema is referred to */
    struct vg_openapi_wrapper *wrappers;
    size_t wrapper_count;
};

/* The reference of the message's schema, noting that it is used:
 * `#/components/schemas/events.v1.Event`. */
const char *vg_openapi_reference(
    struct vg_openapi *openapi,
    const struct vg_model_message *message);
/* The reference of the envelope around `data`, noting that it is used. */
const char *vg_openapi_wrapper_reference(
    struct vg_openapi *openapi,
    const struct vg_model_message *data,
    bool list);
/* The schema of a field's value, as members of the object that is open. */
void vg_openapi_field(struct vg_openapi *openapi, const struct vg_model_field *field);
/*
 * The schema of `message` with its members, as members of the object that is open. Rows with
 * left_out[row] are bound elsewhere; NULL = all are members.
 */
void vg_openapi_members(
    struct vg_openapi *openapi,
    const struct vg_model_message *message,
    const bool *left_out);
/* `components.schemas`: everything that was referred to, and what that refers to. */
void vg_openapi_schemas(struct vg_openapi *openapi);
/* The comment at `place` as running text: lines joined, paragraphs kept. */
const char *vg_openapi_comment(const struct vg_place *place);
/* The comment of a field, with a note if it takes times. */
const char *vg_openapi_field_comment(const struct vg_model_field *field);

#endif
