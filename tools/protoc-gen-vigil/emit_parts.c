/* See emit.h. */
#include <string.h>

#include "tools/protoc-gen-vigil/emit.h"
#include "tools/protoc-gen-vigil/proto_names.h"

#define BYTES_A_LINE 24

void vg_emit_banner(struct vg_text *out, const char *what)
{
    vg_text_print(out, "/* %s Made by protoc-gen-vigil from proto/; do not edit. */\n", what);
}

static bool is_included(const struct vg_model *model, const struct vg_model_file *file)
{
    for (size_t i = 0; i < model->message_count; i++) {
        if (model->messages[i]->place.file == file) {
            return true;
        }
    }
    return false;
}

void vg_emit_includes(const struct vg_model *model, struct vg_text *out)
{
    for (size_t i = 0; i < model->file_count; i++) {
        const struct vg_model_file *file = &model->files[i];
        if (is_included(model, file)) {
            size_t size = strlen(file->proto->name) - strlen(".proto");
            vg_text_print(out, "#include \"%.*s.pb-c.h\"\n", (int)size, file->proto->name);
        }
    }
}

void vg_emit_bytes(struct vg_text *out, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vg_text_print(out, "%s%u,", i % BYTES_A_LINE == 0 ? "\n    " : " ", bytes[i]);
    }
    vg_text_print(out, "\n");
}

void vg_emit_flags(struct vg_text *out, enum vg_emit_flag_set set, unsigned flags, bool as_code)
{
    static const struct {
        const char *prefix;
        const char *names[11];
    } sets[] = {
        [VG_EMIT_FIELD] = { "VG_FIELD_",
                            { "REPEATED",
                              "OBJECT",
                              "MAP",
                              "PACKED",
                              "TIME",
                              "UNIQUE",
                              "REQUIRED",
                              "DOTTED",
                              "IMPLICIT",
                              "ONEOF" } },
        [VG_EMIT_TABLE] = { "VG_TABLE_", { "BARE", "SHAPES", "ENTRY", "CHECKED" } },
        [VG_EMIT_NAME] = { "VG_NAME_", { "DOCUMENTED", "ALIAS", "OWN" } },
        [VG_EMIT_METHOD] = { "VG_METHOD_",
                             { "STREAMS",
                               "CLIENT_STREAMS",
                               "REFUSE_UNKNOWN",
                               "BODY_OPTIONAL",
                               "READS",
                               "PUBLIC",
                               "CONDITIONAL" } },
        [VG_EMIT_PRODUCT] = { "VG_PRODUCT_", { "CSV", "JSONL", "XLSX", "PCAP", "EVENT_STREAM" } },
    };
    bool any = false;
    for (size_t i = 0; sets[set].names[i] != NULL; i++) {
        if ((flags & (1u << i)) != 0) {
            vg_text_print(
                out,
                "%s%s%s",
                any ? (as_code ? " | " : ",") : "",
                as_code ? sets[set].prefix : "",
                sets[set].names[i]);
            any = true;
        }
    }
    if (!any) {
        vg_text_print(out, as_code ? "0" : "-");
    }
}

const char *vg_emit_kind(enum vg_kind kind)
{
    static const char *const names[] = {
        "NONE",   "INT32", "INT64",  "UINT32", "UINT64",  "BOOL",
        "DOUBLE", "ENUM",  "STRING", "BYTES",  "MESSAGE",
    };
    return names[kind];
}

const char *vg_emit_verb(enum vg_verb verb)
{
    static const char *const names[] = { "GET", "POST", "PUT", "DELETE", "PATCH" };
    return names[verb];
}

const char *vg_emit_audit(enum vg_audit audit)
{
    static const char *const names[] = { "NONE",     "DIRECTORY", "CHANGE", "SUBMISSION",
                                         "DOWNLOAD", "SEARCH",    "READ" };
    return names[audit];
}

const char *vg_emit_envelope(unsigned envelope)
{
    static const char *const names[] = { "UNSET", "LIST", "OBJECT", "VALUE", "RAW" };
    return names[envelope];
}
