/*
 * READ of the REST face: body, path variables and query parameters into one request message.
 */
#include "core/base/assert.h"
#include "core/base/limits.h"
#include "gateway/envelope/gzip_read.h"
#include "gateway/json/json_read.h"
#include "gateway/route/percent.h"
#include "gateway/web/rest.h"

static enum vg_reason new_message(struct vg_call *call)
{
    const struct vg_table *table = call->method->request;
    ProtobufCMessage *message = vg_arena_calloc(&call->arena, 1, table->size);
    if (message == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    message->descriptor = table->descriptor;
    call->request = message;
    return VG_OK;
}

/* A body that came compressed becomes what it was, with the memory that one of that size may use.
 */
static enum vg_reason unpack_body(struct vg_call *call)
{
    struct vg_buffer plain;
    vg_buffer_init(&plain, call->request_bytes_max);
    vg_buffer_count(&plain);
    enum vg_reason reason = vg_gzip_read(vg_buffer_bytes(&call->body), &plain, &call->error);
    if (reason != VG_OK) {
        vg_buffer_dispose(&plain);
        return reason;
    }
    vg_buffer_dispose(&call->body);
    call->body = plain;
    call->was_packed = true;
    vg_arena_set_max(&call->arena, vg_limit_arena_bytes(plain.size));
    return VG_OK;
}

static enum vg_reason read_body(struct vg_call *call)
{
    if (VG_CONTAINER_OF(call, struct vg_rest, call)->is_encoded && call->body.size > 0) {
        enum vg_reason reason = unpack_body(call);
        if (reason != VG_OK) {
            return reason;
        }
    }
    struct vg_bytes body = vg_buffer_bytes(&call->body);
    if (body.size == 0 && (call->method->flags & VG_METHOD_BODY_OPTIONAL) != 0) {
        return new_message(call);
    }
    return vg_json_read(
        call->method->request,
        body,
        &vg_json_documented,
        &call->arena,
        &call->request,
        &call->error);
}

/* The message and field a path variable leads to; messages on the way are made. */
static enum vg_reason descend(
    struct vg_call *call,
    const struct vg_route_segment *segment,
    ProtobufCMessage **out_message,
    const struct vg_field **out_field)
{
    const struct vg_table *table = call->method->request;
    ProtobufCMessage *message = call->request;
    for (uint8_t i = 0; i + 1 < segment->row_count; i++) {
        const struct vg_field *field = &table->fields[segment->rows[i]];
        VG_ASSERT(field->kind == VG_KIND_MESSAGE && (field->flags & VG_FIELD_REPEATED) == 0);
        table = field->sub;
        ProtobufCMessage **member = (ProtobufCMessage **)(void *)((char *)message + field->offset);
        if (*member == NULL) {
            *member = vg_arena_calloc(&call->arena, 1, table->size);
            if (*member == NULL) {
                return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
            }
            (*member)->descriptor = table->descriptor;
        }
        message = *member;
    }
    *out_message = message;
    *out_field = &table->fields[segment->rows[segment->row_count - 1]];
    VG_ASSERT(
        ((*out_field)->flags & VG_FIELD_REPEATED) == 0); /* a path has one value for a variable */
    return VG_OK;
}

/* A bad value is a violation like others, so that all of them are told at once; only lack of memory
 * ends reading. */
static bool is_collected(enum vg_reason reason)
{
    return reason == VG_OK || reason == VG_INVALID_URL_PARAMETER;
}

static bool is_set(const ProtobufCMessage *message, const struct vg_field *field)
{
    const char *at = (const char *)message;
    if (field->quantifier != 0) {
        return *(const protobuf_c_boolean *)(const void *)(at + field->quantifier) != 0;
    }
    return *(const void *const *)(const void *)(at + field->offset) != NULL;
}

/* The path has said it: the document has no such member in the body, and one that says something
 * else is not to be passed over (conventions, section 8). */
static void refuse_member(struct vg_call *call, const struct vg_field *field)
{
    const char *name = field->piece + 2;
    const char *text = vg_arena_text(&call->arena, vg_bytes(name, strcspn(name, "\"")));
    const struct vg_violation violation = {
        .reason = VG_UNKNOWN_FIELD,
        .field = text,
        .message = "The path has said this already",
    };
    vg_violations_add(&call->error.violations, &violation);
}

static enum vg_reason read_path(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    for (size_t i = 0; i < rest->match.variable_count; i++) {
        ProtobufCMessage *message = NULL;
        const struct vg_field *field = NULL;
        enum vg_reason reason = descend(call, rest->match.variables[i].segment, &message, &field);
        if (reason == VG_OK && is_set(message, field)) {
            refuse_member(call, field);
        } else if (reason == VG_OK) {
            reason = vg_json_read_text(
                field,
                rest->match.variables[i].value,
                message,
                &call->arena,
                &call->error);
        }
        if (!is_collected(reason)) {
            return reason;
        }
    }
    return VG_OK;
}

/* Is the top-level member already given by the path? Then the query does not touch it. */
static bool is_in_path(const struct vg_rest *rest, const struct vg_field *field)
{
    const struct vg_field *fields = rest->call.method->request->fields;
    for (size_t i = 0; i < rest->match.variable_count; i++) {
        if (&fields[rest->match.variables[i].segment->rows[0]] == field) {
            return true;
        }
    }
    return false;
}

static enum vg_reason read_parameter(
    struct vg_rest *rest,
    struct vg_bytes name,
    struct vg_bytes value)
{
    struct vg_call *call = &rest->call;
    const struct vg_table *table = call->method->request;
    struct vg_bytes decoded;
    enum vg_reason reason = vg_percent_decode(name, true, &call->arena, &decoded, &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_field *field = vg_json_find_field(table, decoded, &vg_json_documented);
    if (field == NULL || !vg_json_is_bindable(field) || is_in_path(rest, field)) {
        return VG_OK; /* an unknown query parameter is ignored */
    }
    reason = vg_percent_decode(value, true, &call->arena, &decoded, &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    if (decoded.size == 0) {
        return VG_OK; /* `limit=` is as if it were absent */
    }
    reason = vg_json_read_text(field, decoded, call->request, &call->arena, &call->error);
    return is_collected(reason) ? VG_OK : reason;
}

static enum vg_reason read_query(struct vg_rest *rest)
{
    struct vg_bytes rest_of = rest->query;
    while (rest_of.size > 0) {
        const uint8_t *and_sign = memchr(rest_of.data, '&', rest_of.size);
        size_t size = and_sign == NULL ? rest_of.size : (size_t)(and_sign - rest_of.data);
        const uint8_t *equals = size == 0 ? NULL : memchr(rest_of.data, '=', size);
        if (equals != NULL) {
            size_t name_size = (size_t)(equals - rest_of.data);
            enum vg_reason reason = read_parameter(
                rest,
                vg_bytes(rest_of.data, name_size),
                vg_bytes(equals + 1, size - name_size - 1));
            if (reason != VG_OK) {
                return reason;
            }
        }
        size_t used = and_sign == NULL ? size : size + 1;
        rest_of = vg_bytes(rest_of.data + used, rest_of.size - used);
    }
    return VG_OK;
}

enum vg_reason vg_rest_read(struct vg_call *call)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    const struct vg_route *route = rest->match.route;
    VG_ASSERT(
        route->body !=
        VG_ROUTE_BODY_FIELD); /* no route of the contract takes a part of its message as body */
    bool is_json = route->body == VG_ROUTE_BODY_WHOLE && !vg_call_is_streamed(call);
    enum vg_reason reason = is_json ? read_body(call) : new_message(call);
    if (reason == VG_OK) {
        reason = read_path(rest);
    }
    if (reason == VG_OK && route->body == VG_ROUTE_BODY_NONE) {
        reason = read_query(rest);
    }
    return reason;
}
