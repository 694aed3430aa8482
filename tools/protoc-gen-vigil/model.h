/*
 * Model: the .proto files as the generator sees them, between protoc's descriptors and the emitted
 * tables.
 *
 * Built once by vg_model_build, looked at by the checks and then by every emit_*.c. It holds
 * messages, enums and methods of our own packages (`vigil` and below it), and of the services of
 * others that are served: their methods and the messages these need. Of other files only their
 * descriptors are kept.
 *
 * Threads: one thread; everything is in the text pool and lives until the program ends.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_MODEL_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/contract.h"
#include "tools/protoc-gen-vigil/name_hash.h"
#include "tools/protoc-gen-vigil/pattern_compile.h"

#include "google/api/http.pb-c.h"
#include "google/protobuf/compiler/plugin.pb-c.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "vigil/options.pb-c.h"

#define VG_PLACE_DEPTH_MAX 32

/* Where something was declared: a file and the path into its descriptor, as source info counts. */
struct vg_place {
    const struct vg_model_file *file;
    int32_t path[VG_PLACE_DEPTH_MAX];
    size_t depth;
};

struct vg_model_file {
    const Google__Protobuf__FileDescriptorProto *proto;
    struct vg_place place;
    bool own;       /* its package is `vigil` or below it */
    bool served;    /* not own, but its services are served as they are */
    bool is_public; /* served, and for that no key is needed */
    bool proto3;
    bool reflected; /* it has a service, or is imported by a file that has */
    bool options;   /* vigil/options.proto: only its enums that state their words are contract */
    bool record;    /* package vigil.record…: what is stored */
};

struct vg_model_rule {
    int64_t min;
    int64_t max;
    uint32_t length_max;
    uint32_t items_max;
    size_t pattern; /* position in vg_model.patterns + 1; 0 = none */
};

struct vg_model_word {
    const char *text;
    const char *name;
    int32_t number;
    bool alias;
};

struct vg_model_value {
    const Google__Protobuf__EnumValueDescriptorProto *proto;
    const Vigil__ValueOptions *options;
    struct vg_place place;
    const char *word; /* by the enum's rule or the option; NULL for number 0 */
};

struct vg_model_enum {
    const Google__Protobuf__EnumDescriptorProto *proto;
    const Vigil__EnumOptions *options;
    struct vg_place place;
    const char *full_name;
    const char *symbol;
    struct vg_model_value *values;
    size_t value_count;
    struct vg_model_word *words;
    size_t word_count;
    int32_t number_min;
    int32_t number_max;
    bool needed; /* as of messages */
    struct vg_name_hash hash;
};

struct vg_model_name {
    const char *text;
    size_t row;
    unsigned flags; /* enum vg_name_flag */
};

struct vg_model_field {
    const Google__Protobuf__FieldDescriptorProto *proto;
    const Vigil__FieldOptions *options;
    struct vg_place place;
    const struct vg_model_message *owner;
    const char *name;
    const char *json_name;
    const char *member;               /* of the protobuf-c struct */
    enum vg_kind kind;                /* 0 = a type that is refused */
    struct vg_model_message *message; /* kind MESSAGE */
    struct vg_model_enum *words;      /* kind ENUM */
    unsigned flags;                   /* enum vg_field_flag */
    size_t rule;                      /* row of vg_model.rules */
    const char *oneof_case;           /* the member that tells which of a oneof is set, or NULL */
};

struct vg_model_message {
    const Google__Protobuf__DescriptorProto *proto;
    const Vigil__MessageOptions *options;
    struct vg_place place;
    const char *full_name;
    const char *symbol;
    const char *struct_name;
    const char *descriptor; /* of protoc-c, without its `__descriptor` */
    struct vg_model_field *fields;
    size_t field_count;
    struct vg_model_name *names;
    size_t name_count;
    int32_t number_max;
    unsigned flags;     /* enum vg_table_flag */
    size_t bare_scalar; /* rows; VG_ROW_NONE = none */
    size_t bare_list;
    size_t bare_object;
    bool needed; /* of a file that is not ours: by a method that is served */
    struct vg_name_hash hash;
};

struct vg_model_segment {
    const char *literal; /* NULL = variable */
    const char *variable;
    size_t rows[3];
    size_t row_count;
};

struct vg_model_route {
    const struct vg_model_method *method;
    const char *pattern;
    enum vg_verb verb;
    bool verb_known;
    struct vg_model_segment *segments;
    size_t segment_count;
    enum vg_route_body body;
    const char *body_name;
    size_t body_row;
};

struct vg_model_method {
    const Google__Protobuf__MethodDescriptorProto *proto;
    const Google__Protobuf__ServiceDescriptorProto *service;
    const Vigil__MethodOptions *options; /* of a twin: its partner's */
    const Vigil__MethodOptions *own_options;
    const Google__Api__HttpRule *http;
    struct vg_place place;
    struct vg_place service_place;
    const char *package;
    const char *service_name; /* full */
    const char *path;
    const char *handler;
    struct vg_model_message *request; /* NULL = not of our own packages */
    struct vg_model_message *answer;
    struct vg_model_method *twin; /* both ways */
    struct vg_model_method
        *stem; /* whose handler and options count: the partner of a twin, else itself */
    const struct vg_model_field *rows; /* the repeated `data` of a LIST answer */
    uint64_t permissions;
    enum vg_audit audit;
    unsigned flags; /* enum vg_method_flag */
    unsigned produces;
    size_t index;
    struct vg_model_route *routes;
    size_t route_count;
};

struct vg_model {
    struct vg_model_file *files;
    size_t file_count;
    struct vg_model_message **messages; /* by full name */
    size_t message_count;
    struct vg_model_enum **enums; /* by full name */
    size_t enum_count;
    struct vg_model_method **methods; /* in order of declaration */
    size_t method_count;
    struct vg_model_rule *rules; /* row 0 = no rule */
    size_t rule_count;
    struct vg_pattern_compiled *patterns;
    size_t pattern_count;
};

struct vg_refusals;

/* Files of others whose services are served, by name. */
struct vg_model_served {
    const char *files[16];
    bool is_public[16];
    size_t count;
};

/*
 * The model of `request`, with the services of `served`. What cannot be expressed at all (an
 * unknown type, a pattern that does not compile) is refused here; all other rules are looked at by
 * vg_check_messages and vg_check_methods.
 */
struct vg_model *vg_model_build(
    const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
    const struct vg_model_served *served,
    struct vg_refusals *refusals);

/* The file called `name`, or NULL. */
struct vg_model_file *vg_model_find_file(const struct vg_model *model, const char *name);

/* The hashes of names and words; only for a model that was not refused. */
void vg_model_hash(struct vg_model *model);

/* The field of `message` called `name` in the .proto, or NULL. */
const struct vg_model_field *vg_model_find_field(
    const struct vg_model_message *message,
    const char *name);
/* Row of `field` in its message. */
size_t vg_model_row(const struct vg_model_field *field);

/* The largest request of a method; 0 = what the server's settings allow, as for all methods of
 * others. */
uint32_t vg_model_request_bytes_max(const struct vg_model_method *method);
/* `parent` with two more steps. */
struct vg_place vg_place_below(const struct vg_place *parent, int32_t member, size_t index);
/* The source location of `place`, or NULL. */
const Google__Protobuf__SourceCodeInfo__Location *vg_place_find(const struct vg_place *place);
/* The comment above or behind what stands at `place`, trimmed; "" if there is none. */
const char *vg_place_comment(const struct vg_place *place);

#endif
