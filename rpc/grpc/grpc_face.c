#include "rpc/grpc/grpc_face.h"

#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "core/wire/wire_field.h"
#include "rpc/grpc/grpc_answer.h"
#include "rpc/grpc/grpc_frame.h"
#include "rpc/grpc/grpc_request.h"
#include "rpc/service/service.h"

/* Memory one row may take while it is made. */
#define VG_GRPC_ROW_BYTES_MAX (16u << 20)
/* Rows between two looks at deadline and cancellation. */
#define VG_GRPC_ROWS_PER_CHECK 256u

enum vg_reason vg_grpc_face_find(struct vg_call *call)
{
    call->method = vg_service_find_method(call->service, call->target);
    if (call->method != NULL) {
        return VG_OK;
    }
    return vg_error_set(
        &call->error,
        VG_METHOD_NOT_FOUND,
        "no method %.*s",
        (int)(call->target.size < 128 ? call->target.size : 128),
        (const char *)call->target.data);
}

enum vg_reason vg_grpc_face_read(struct vg_call *call)
{
    enum vg_reason reason = vg_grpc_request_unpack(call);
    if (reason != VG_OK) {
        return reason;
    }
    bool strict = (call->method->flags & VG_METHOD_REFUSE_UNKNOWN) != 0;
    return vg_wire_decode(
        call->method->request,
        vg_buffer_bytes(&call->body),
        strict ? &vg_wire_policy_strict : &vg_wire_policy_request,
        &call->arena,
        &call->request,
        &call->error);
}

static enum vg_reason face_too_large(struct vg_call *call, size_t limit)
{
    const struct vg_method *twin = call->method->twin;
    return vg_error_set(
        &call->error,
        VG_ANSWER_TOO_LARGE,
        twin == NULL ? "the answer is larger than the limit of %zu bytes"
                     : "the answer is larger than the limit of %zu bytes; use %s",
        limit,
        twin == NULL ? "" : twin->path);
}

static bool face_fits(const struct vg_call *call, size_t before)
{
    return call->out.failed ||
           call->out.size - before <= call->service->settings->grpc_reply_bytes_max;
}

/* Is what has been written so far within one message? */
static enum vg_reason face_check_size(struct vg_call *call, size_t before)
{
    size_t limit = call->service->settings->grpc_reply_bytes_max;
    if (call->out.failed) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return face_fits(call, before) ? VG_OK : face_too_large(call, limit);
}

/* limit, offset and count of a list, where the answer has such members. */
static void face_put_page(struct vg_call *call)
{
    const struct vg_table *table = call->method->answer;
    const struct face_page {
        const char *name;
        size_t size;
        int64_t value;
    } members[] = {
        { "limit", 5, call->reply.limit },
        { "offset", 6, call->reply.offset },
        { "count", 5, call->reply.count },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(members); i++) {
        uint8_t row =
            vg_contract_find_name(table, members[i].name, members[i].size, VG_NAME_DOCUMENTED);
        if (row != VG_ROW_NONE && members[i].value >= 0) {
            vg_wire_put_varint(&call->out, table->fields[row].number, (uint64_t)members[i].value);
        }
    }
}

static enum vg_reason face_put_row(struct vg_call *call, const struct vg_reply_row *row)
{
    const struct vg_method *method = call->method;
    if (row->wire.data != NULL) {
        vg_wire_put_bytes(&call->out, method->rows->number, row->wire);
    } else {
        vg_wire_put_message(&call->out, method->rows->number, method->element, row->message);
    }
    return VG_OK;
}

static enum vg_reason face_put_rows(struct vg_call *call, size_t before)
{
    struct vg_rows *rows = call->reply.rows;
    struct vg_arena arena;
    vg_arena_init(&arena, VG_GRPC_ROW_BYTES_MAX);
    enum vg_reason reason = VG_OK;
    for (uint32_t count = 1; reason == VG_OK; count++) {
        struct vg_reply_row row = { .message = NULL };
        bool end = false;
        vg_arena_clear(&arena);
        reason = rows->class->next(rows, &arena, true, &row, &end, &call->error);
        if (reason != VG_OK || end) {
            break;
        }
        const size_t end_of_last = call->out.size;
        reason = face_put_row(call, &row);
        if (reason == VG_OK && call->reply.is_done && !face_fits(call, before)) {
            call->out.size = end_of_last;
            break;
        }
        if (reason == VG_OK) {
            reason = face_check_size(call, before);
        }
        if (reason == VG_OK && count % VG_GRPC_ROWS_PER_CHECK == 0) {
            reason = vg_call_check(call);
        }
    }
    vg_arena_dispose(&arena);
    return reason;
}

enum vg_reason vg_grpc_face_put_answer(struct vg_call *call)
{
    const size_t before = call->out.size;
    const struct vg_reply *reply = &call->reply;
    if (reply->wire.data != NULL) {
        vg_buffer_append(&call->out, reply->wire.data, reply->wire.size);
    } else if (!vg_wire_encode(call->method->answer, reply->answer, &call->out)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    if (call->method->envelope == VG_ENVELOPE_LIST) {
        face_put_page(call);
    }
    enum vg_reason reason = face_check_size(call, before);
    return reason == VG_OK && reply->rows != NULL ? face_put_rows(call, before) : reason;
}

/* Of a message: its place is taken before the message is there. */
static const uint8_t prefix[VG_GRPC_PREFIX_SIZE];

bool vg_grpc_face_put(struct vg_call *call, const struct vg_reply_row *row)
{
    const struct vg_method *method = call->method;
    const struct vg_table *table = method->element != NULL ? method->element : method->answer;
    const size_t start = call->out.size;
    vg_buffer_append(&call->out, prefix, sizeof(prefix));
    if (row->wire.data != NULL) {
        vg_buffer_append(&call->out, row->wire.data, row->wire.size);
    } else if (call->out.failed || !vg_wire_encode(table, row->message, &call->out)) {
        return false;
    }
    if (call->out.failed) {
        return false;
    }
    vg_grpc_answer_seal(call, start, row->is_plain || call->reply.is_plain);
    return true;
}

/* One row as a message: its prefix and its bytes. */
static enum vg_reason face_put_row_message(struct vg_call *call, const struct vg_reply_row *row)
{
    return vg_grpc_face_put(call, row) ? VG_OK
                                       : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* Rows until the part is full or there are no more. */
static enum vg_reason face_put_part(struct vg_call *call, struct vg_arena *arena)
{
    struct vg_rows *rows = call->reply.rows;
    const size_t start = call->out.size;
    while (call->out.size - start < vg_call_part_bytes(call)) {
        struct vg_reply_row row = { .message = NULL };
        bool end = rows == NULL;
        enum vg_reason reason = vg_call_check(call);
        if (reason == VG_OK && !end) {
            vg_arena_clear(arena);
            reason = rows->class->next(rows, arena, true, &row, &end, &call->error);
        }
        if (reason == VG_OK && !end) {
            reason = face_put_row_message(call, &row);
            call->messages_out++;
        }
        if (reason != VG_OK) {
            return reason;
        }
        if (end) {
            call->out_done = true;
            break;
        }
    }
    return VG_OK;
}

static enum vg_reason face_write_rows(struct vg_call *call)
{
    struct vg_arena arena;
    vg_arena_init(&arena, VG_GRPC_ROW_BYTES_MAX);
    enum vg_reason reason = face_put_part(call, &arena);
    vg_arena_dispose(&arena);
    if (reason != VG_OK) {
        vg_buffer_clear(&call->out);
    }
    return reason;
}

static enum vg_reason face_write_message(struct vg_call *call)
{
    const size_t start = call->out.size;
    vg_buffer_append(&call->out, prefix, sizeof(prefix));
    enum vg_reason reason = vg_grpc_face_put_answer(call);
    if (reason != VG_OK) {
        vg_buffer_clear(&call->out);
        return reason;
    }
    vg_grpc_answer_seal(call, start, call->reply.is_plain);
    call->out_done = true;
    return VG_OK;
}

enum vg_reason vg_grpc_face_write(struct vg_call *call)
{
    return (call->method->flags & VG_METHOD_STREAMS) != 0 ? face_write_rows(call)
                                                          : face_write_message(call);
}
