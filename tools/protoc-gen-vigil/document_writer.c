/* See document_writer.h. */
#include "tools/protoc-gen-vigil/document_writer.h"

#include <inttypes.h>

static void begin(struct vg_document *document, const char *name)
{
    if (document->has_member[document->depth]) {
        vg_text_add(&document->text, ",", 1);
    }
    document->has_member[document->depth] = true;
    if (name != NULL) {
        vg_text_quote(&document->text, name);
        vg_text_add(&document->text, ":", 1);
    }
}

static void open_bracket(struct vg_document *document, const char *name, char bracket)
{
    begin(document, name);
    vg_text_add(&document->text, &bracket, 1);
    if (document->depth + 1 < VG_DOCUMENT_DEPTH_MAX) {
        document->depth++;
    }
    document->has_member[document->depth] = false;
}

void vg_document_object(struct vg_document *document, const char *name)
{
    open_bracket(document, name, '{');
}

void vg_document_array(struct vg_document *document, const char *name)
{
    open_bracket(document, name, '[');
}

void vg_document_end(struct vg_document *document, char bracket)
{
    vg_text_add(&document->text, &bracket, 1);
    if (document->depth > 0) {
        document->depth--;
    }
}

void vg_document_string(struct vg_document *document, const char *name, const char *value)
{
    begin(document, name);
    vg_text_quote(&document->text, value);
}

void vg_document_number(struct vg_document *document, const char *name, int64_t value)
{
    begin(document, name);
    vg_text_print(&document->text, "%" PRId64, value);
}

void vg_document_raw(struct vg_document *document, const char *name, const char *value)
{
    begin(document, name);
    vg_text_print(&document->text, "%s", value);
}
