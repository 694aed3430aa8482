/*
 * Errors are values from one table, errors.def: a reason says what happened and is stable; the row
 * says how both faces answer it.
 *
 * struct vg_error carries the words for one failure. The caller owns it. It is set once, where the
 * failure is found, and passed up untouched. `message` may be sent to the caller; `detail` is for
 * the log only.
 *
 * A request can be wrong in several places at once: each is a violation (reason, field path,
 * offending value), kept in a bounded list whose memory is the call's arena.
 *
 * Threads: a value, used by the thread that runs the call.
 */
#ifndef VG_CORE_BASE_ERROR_H
#define VG_CORE_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/base/limits.h"

enum vg_reason {
    VG_OK = 0,
#define X(reason, grpc, http, retry, type, template, text) VG_##reason,
#include "core/base/errors.def"
#undef X
    VG_REASON_COUNT,
};

/* gRPC status codes (grpc statuscodes.md). */
enum vg_grpc_code {
    VG_GRPC_OK = 0,
    VG_GRPC_CANCELLED = 1,
    VG_GRPC_UNKNOWN = 2,
    VG_GRPC_INVALID_ARGUMENT = 3,
    VG_GRPC_DEADLINE_EXCEEDED = 4,
    VG_GRPC_NOT_FOUND = 5,
    VG_GRPC_ALREADY_EXISTS = 6,
    VG_GRPC_PERMISSION_DENIED = 7,
    VG_GRPC_RESOURCE_EXHAUSTED = 8,
    VG_GRPC_FAILED_PRECONDITION = 9,
    VG_GRPC_ABORTED = 10,
    VG_GRPC_OUT_OF_RANGE = 11,
    VG_GRPC_UNIMPLEMENTED = 12,
    VG_GRPC_INTERNAL = 13,
    VG_GRPC_UNAVAILABLE = 14,
    VG_GRPC_DATA_LOSS = 15,
    VG_GRPC_UNAUTHENTICATED = 16,
};

enum vg_message_type { VG_MESSAGE_FIELD, VG_MESSAGE_ACTION, VG_MESSAGE_NOTIFICATION };

/* A row of errors.def. */
struct vg_reason_row {
    const char *name; /* "EVENT_NOT_FOUND": google.rpc.ErrorInfo.reason */
    const char *template_key;
    const char *text;
    uint16_t http_status;
    uint8_t grpc_code;
    uint8_t message_type; /* enum vg_message_type */
    bool retry_later;
};

/* The row of a reason; VG_OK has one too (200, OK). */
const struct vg_reason_row *vg_reason_row(enum vg_reason reason);

#define VG_VIOLATIONS_MAX VG_LIMIT_VIOLATIONS

/* One thing wrong with the request. Texts live in the arena of the list; NULL where there is none.
 */
struct vg_violation {
    enum vg_reason reason;
    const char *field;     /* "events[2].location" */
    const char *parameter; /* the offending value as text */
    const char *message;   /* NULL = the text of the reason's row */
};

struct vg_violations {
    struct vg_arena *arena;
    struct vg_violation *items;
    uint32_t count; /* at most VG_VIOLATIONS_MAX are kept */
    uint32_t found; /* all that were reported */
};

void vg_violations_init(struct vg_violations *violations, struct vg_arena *arena);

/* Note a violation; the texts are copied. Past the maximum it is only counted. `parameter`,
 * `message` may be NULL. */
void vg_violations_add(struct vg_violations *violations, const struct vg_violation *violation);

struct vg_error {
    enum vg_reason reason;
    char message[200];  /* for the caller: one line, factual, no internals */
    char parameter[96]; /* the offending value, "" = none */
    char field[64];     /* path of the member to blame, "" = none */
    char detail[240];   /* for the log */
    const char *file;
    int line;
    uint32_t retry_after_ms; /* when to repeat the request; 0 = what the row says */
    uint8_t grpc_code; /* of a status that somebody else has given and we pass on; 0 = the row's */
    struct vg_violations
        violations; /* of a request; count 0 = the error itself is all there is to say */
};

void vg_error_init(struct vg_error *error, struct vg_arena *arena);

/* When a client may repeat the request, in milliseconds; 0 = it is not worth repeating. What every
 * face says of it (Retry-After, grpc-retry-pushback-ms, RetryInfo) is made from this. */
uint32_t vg_error_retry_after_ms(const struct vg_error *error);

/*
 * Set `error` (NULL allowed) and return `reason`. `format` NULL = the text of the row. Use the
 * macro: return vg_error_set(error, VG_EVENT_NOT_FOUND, "no event has the id %s", text);
 */
enum vg_reason vg_error_set_at(
    struct vg_error *error,
    enum vg_reason reason,
    const char *file,
    int line,
    const char *format,
    ...) VG_PRINTF(5, 6);
#define vg_error_set(error, reason, ...)                                                           \
    vg_error_set_at(error, reason, __FILE__, __LINE__, __VA_ARGS__)

/* Add what only the log may see. Keeps what is there; returns error->reason. */
enum vg_reason vg_error_detail(struct vg_error *error, const char *format, ...) VG_PRINTF(2, 3);

/* Name the member and value to blame; returns error->reason. */
enum vg_reason vg_error_field(struct vg_error *error, const char *field, const char *parameter);

/* The error that a list of violations amounts to: reason and words of the first. VG_OK when the
 * list is empty. */
enum vg_reason vg_error_from_violations(struct vg_error *error);

#endif
