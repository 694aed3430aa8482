/*
 * The contract as tables: what protoc-gen-vigil makes of the .proto files, for reader, writer,
 * decoder, validation, dispatch and routing.
 *
 * Every table is constant and made at build time; positions of members come from offsetof, so a
 * wrong idea of protoc-c's naming is a compile error. docs/contract.md explains the shapes.
 *
 * Threads: immutable; any thread.
 */
#ifndef VG_PROTO_CONTRACT_H
#define VG_PROTO_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

enum vg_kind {
    VG_KIND_INT32 = 1,
    VG_KIND_INT64,
    VG_KIND_UINT32,
    VG_KIND_UINT64,
    VG_KIND_BOOL,
    VG_KIND_DOUBLE,
    VG_KIND_ENUM, /* sub = struct vg_words */
    VG_KIND_STRING,
    VG_KIND_BYTES,
    VG_KIND_MESSAGE, /* sub = struct vg_table */
};

enum vg_field_flag {
    VG_FIELD_REPEATED = 1 << 0,
    VG_FIELD_OBJECT = 1 << 1, /* repeated {key, values} written as an object */
    VG_FIELD_MAP = 1 << 2,    /* map<string, string>: {key, value} entries written as an object */
    VG_FIELD_PACKED = 1 << 3,
    VG_FIELD_TIME = 1 << 4,
    VG_FIELD_UNIQUE = 1 << 5,
    VG_FIELD_REQUIRED = 1 << 6,
    VG_FIELD_DOTTED = 1 << 7, /* of a map: objects within are keys joined by dots */
    /* Of messages that are not ours (proto3) only: */
    VG_FIELD_IMPLICIT = 1 << 8, /* has no presence: zero and empty are as good as absent */
    VG_FIELD_ONEOF = 1 << 9,    /* shares its place with others; the case says whose it is */
};

enum vg_table_flag {
    VG_TABLE_BARE = 1 << 0,
    VG_TABLE_SHAPES = 1 << 1,  /* bare, answers only, several object members */
    VG_TABLE_ENTRY = 1 << 2,   /* the {key, value(s)} message of an object list or map */
    VG_TABLE_CHECKED = 1 << 3, /* this message, or one below it, has a rule, time, enum or bare
                                  member: VALIDATE looks */
};

#define VG_ROW_NONE 255

/* Wire type of a field, in key[3]. RFC: protobuf encoding guide. */
enum vg_wire { VG_WIRE_VARINT = 0, VG_WIRE_FIXED64 = 1, VG_WIRE_BYTES = 2, VG_WIRE_FIXED32 = 5 };

/* One member of a message: 32 bytes, two in a cache line. */
struct vg_field {
    const char *piece;   /* `,"startTimestamp":` ready to copy; the JSON name is piece + 2 */
    const void *sub;     /* struct vg_table or struct vg_words, by kind; else NULL */
    uint16_t offset;     /* of the member in the protobuf-c struct */
    uint16_t quantifier; /* offset of its has_x or n_x, or of the case of its oneof; 0 = the pointer
                            tells presence, or (IMPLICIT) the value does */
    uint16_t number;     /* protobuf field number */
    uint16_t rule;       /* row of vg_rules, 0 = none */
    uint8_t piece_size;
    uint8_t kind;   /* enum vg_kind */
    uint16_t flags; /* enum vg_field_flag */
    uint8_t key[4]; /* wire key: two bytes at most, their count, wire type (of one element, not of a
                       packed run) */
};

/* A JSON name (or alias, or the field's own .proto name) that leads to a row. */
struct vg_name {
    const char *text;
    uint8_t size;
    uint8_t row;
    uint8_t flags; /* enum vg_name_flag */
};

enum vg_name_flag {
    VG_NAME_DOCUMENTED = 1 << 0, /* the json_name: read and written by both dialects */
    VG_NAME_ALIAS = 1 << 1,      /* read by the documented dialect only */
    VG_NAME_OWN = 1 << 2,        /* the .proto name: read by the standard dialect only */
};

/*
 * One message. Names are found by a perfect hash: slot = vg_contract_hash(seed, text, size) >> (32
 * - slot_bits), and slots[slot] is the row of `names` + 1, 0 = no such name; the text must still be
 * compared.
 */
struct vg_table {
    const ProtobufCMessageDescriptor *descriptor;
    const struct vg_field *fields; /* in order of declaration = JSON order */
    const struct vg_name *names;
    const uint8_t *slots;
    const uint8_t *by_number; /* [number] = row + 1, 0 = none; number_max + 1 entries */
    uint32_t seed;
    uint16_t size; /* sizeof the protobuf-c struct */
    uint16_t number_max;
    uint8_t field_count;
    uint8_t name_count;
    uint8_t slot_bits;
    uint8_t flags;       /* enum vg_table_flag */
    uint8_t bare_scalar; /* row of the scalar member of a bare message, VG_ROW_NONE = none */
    uint8_t bare_list;
    uint8_t bare_object;
};

struct vg_word {
    const char *text; /* the documented word */
    const char *name; /* the value's .proto name, for the standard dialect */
    int32_t number;
    uint8_t size; /* of text */
    uint8_t name_size;
    bool alias; /* read, never written */
};

/*
 * The words of one enum. Value 0 has no row. Words and aliases are found by the same hash as names;
 * names (standard dialect) by looking through the rows. by_number: [number - number_min] = row + 1
 * of the main word.
 */
struct vg_words {
    const struct vg_word *words;
    const uint8_t *slots;
    const uint8_t *by_number;
    uint32_t seed;
    int32_t number_min;
    int32_t number_max;
    uint8_t word_count;
    uint8_t slot_bits;
};

/* A compiled pattern: the whole value is pieces in a row. */
struct vg_pattern_piece {
    uint64_t set[2];   /* ASCII characters allowed; bit = code point. Non-ASCII never matches unless
                          `other` */
    uint16_t least;    /* times, inclusive */
    uint16_t most;     /* 65535 = no limit */
    int16_t group_end; /* > 0: starts a group that ends after that many pieces; counts above apply
                          to the group */
    bool other;        /* any code point above 127 matches too */
};
struct vg_pattern {
    const char *text; /* as written, for messages and OpenAPI */
    const struct vg_pattern_piece *pieces;
    uint8_t piece_count;
};

struct vg_rule {
    int64_t min;         /* inclusive; INT64_MIN = none */
    int64_t max;         /* inclusive; INT64_MAX = none */
    uint32_t length_max; /* code points; 0 = none */
    uint32_t items_max;  /* 0 = none */
    const struct vg_pattern *pattern;
};
extern const struct vg_rule vg_rules[];

enum vg_envelope {
    VG_ENVELOPE_UNSET = 0,
    VG_ENVELOPE_LIST,
    VG_ENVELOPE_OBJECT,
    VG_ENVELOPE_VALUE,
    VG_ENVELOPE_RAW,
};

enum vg_method_flag {
    VG_METHOD_STREAMS = 1 << 0, /* server streaming: a twin */
    VG_METHOD_CLIENT_STREAMS = 1 << 1,
    VG_METHOD_REFUSE_UNKNOWN = 1 << 2,
    VG_METHOD_BODY_OPTIONAL = 1 << 3,
    VG_METHOD_READS = 1 << 4,  /* changes nothing: idempotency_level NO_SIDE_EFFECTS */
    VG_METHOD_PUBLIC = 1 << 5, /* needs no key, and is answered before and after the data are there:
                                  health, reflection */
    VG_METHOD_CONDITIONAL = 1 << 6, /* changes the one object that its path names, and only in the
                                       revision that the caller asks for, if he does */
};
enum vg_product {
    VG_PRODUCT_CSV = 1 << 0,
    VG_PRODUCT_JSONL = 1 << 1,
    VG_PRODUCT_XLSX = 1 << 2,
    VG_PRODUCT_PCAP = 1 << 3,
    VG_PRODUCT_EVENT_STREAM = 1 << 4,
};

/* What of a call is kept in the audit log, if that is wanted: docs/audit.md. */
enum vg_audit {
    VG_AUDIT_NONE,
    VG_AUDIT_DIRECTORY,  /* changes of customers, users, keys and what events refer to */
    VG_AUDIT_CHANGE,     /* changes of what is stored: assessments, verdicts, deletions */
    VG_AUDIT_SUBMISSION, /* events and samples that come in */
    VG_AUDIT_DOWNLOAD,   /* bytes of samples, payloads, captures */
    VG_AUDIT_SEARCH,     /* questions about many things */
    VG_AUDIT_READ,       /* looking at one thing */
};

struct vg_call;
/* What the generated glue around a handler does; see contract_handlers.h for the typed
 * declarations. */
typedef int (
    *vg_handler)(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer);

#define VG_METHOD_REQUEST_BYTES (1024u * 1024u) /* of a method that says nothing about it */

/* One rpc; a twin repeats its partner's pointers. */
struct vg_method {
    const char *path;    /* "/vigil.events.v1.EventService/SearchAggregated" */
    const char *service; /* "vigil.events.v1.EventService" */
    const char *name;    /* "SearchAggregated" */
    const struct vg_table *request;
    const struct vg_table *answer;
    const struct vg_table *element; /* rows of a LIST answer, else NULL */
    const struct vg_field *rows;    /* the repeated `data` field of a LIST answer, else NULL */
    const struct vg_method *twin;   /* of a list method its twin and the reverse, else NULL */
    vg_handler handler;
    uint64_t permissions;       /* bit = Permission number; 0 = any authenticated caller */
    uint32_t request_bytes_max; /* 0 = what the settings allow */
    uint16_t index;             /* position in vg_methods: counters hang on it */
    uint16_t success;           /* HTTP status */
    uint8_t audit;              /* enum vg_audit */
    uint8_t envelope;           /* enum vg_envelope */
    uint8_t produces;           /* enum vg_product bits */
    uint8_t flags;              /* enum vg_method_flag */
};
extern const struct vg_method vg_methods[];
extern const size_t vg_method_count;

enum vg_verb { VG_VERB_GET, VG_VERB_POST, VG_VERB_PUT, VG_VERB_DELETE, VG_VERB_PATCH };
enum vg_route_body { VG_ROUTE_BODY_NONE, VG_ROUTE_BODY_WHOLE, VG_ROUTE_BODY_FIELD };

/* One segment of a path: a literal, or a variable bound to a field of the request. */
struct vg_route_segment {
    const char *literal; /* NULL = variable */
    uint8_t rows[3];     /* rows from the request table down to the field (a.b = two) */
    uint8_t row_count;
};

/* One google.api.http rule of one method. */
struct vg_route {
    const struct vg_method *method;
    const char *pattern; /* "/events/v1/{type}/{timestamp}/{customer_id}/{event_id}" */
    const struct vg_route_segment *segments;
    uint8_t segment_count;
    uint8_t verb;     /* enum vg_verb */
    uint8_t body;     /* enum vg_route_body */
    uint8_t body_row; /* of the request table, when body is FIELD */
};
extern const struct vg_route vg_routes[];
extern const size_t vg_route_count;

/* All messages, by full name order: tests walk them. */
extern const struct vg_table *const vg_tables[];
extern const size_t vg_table_count;

/* The OpenAPI document of one API ("events"), or of "all", as JSON text. */
struct vg_openapi_file {
    const char *name;
    const char *data;
    size_t size;
};
extern const struct vg_openapi_file vg_openapi_files[];
extern const size_t vg_openapi_file_count;

/* The hash of names and words: FNV-1a over the bytes, seeded, finished by a multiplication. The
 * generator uses it too. */
static inline uint32_t vg_contract_hash(uint32_t seed, const char *text, size_t size)
{
    uint32_t hash = 2166136261u ^ seed;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    }
    return hash * 2654435769u;
}

/* The row of `table` for a JSON name, or VG_ROW_NONE. `kinds` = enum vg_name_flag bits that may
 * match. */
uint8_t vg_contract_find_name(
    const struct vg_table *table,
    const char *text,
    size_t size,
    unsigned kinds);
/* The number of a documented word or alias, or 0. */
int32_t vg_contract_find_word(const struct vg_words *words, const char *text, size_t size);
/* The main word of a number, or NULL (0 and unknown numbers). */
const struct vg_word *vg_contract_word(const struct vg_words *words, int32_t number);
/* The row for a field number, or NULL. */
static inline const struct vg_field *vg_contract_field(
    const struct vg_table *table,
    uint32_t number)
{
    if (number > table->number_max || table->by_number[number] == 0) {
        return NULL;
    }
    return &table->fields[table->by_number[number] - 1];
}

#endif
