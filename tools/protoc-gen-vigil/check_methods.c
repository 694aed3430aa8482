/* See contract_check.h. */
#include <ctype.h>
#include <string.h>

#include "tools/protoc-gen-vigil/contract_check.h"
#include "tools/protoc-gen-vigil/proto_names.h"

static bool has_field(
    const struct vg_model_message *message,
    const char *name,
    enum vg_kind kind,
    bool repeated)
{
    const struct vg_model_field *field = vg_model_find_field(message, name);
    return field != NULL && field->kind == kind &&
           ((field->flags & VG_FIELD_REPEATED) != 0) == repeated;
}

static void check_name(const struct vg_model *model, size_t index, struct vg_refusals *refusals)
{
    const struct vg_model_method *method = model->methods[index];
    char *lower = vg_text_pool_print("%s", method->proto->name);
    for (char *at = lower; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    if (vg_proto_names_is_keyword(lower)) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_METHOD_KEYWORD,
            &method->place,
            "method `%s` would be `%s` in C, which is a keyword",
            method->proto->name,
            lower);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(model->methods[i]->handler, method->handler) == 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_HANDLER_TWICE,
                &method->place,
                "methods %s and %s would have one handler, %s",
                model->methods[i]->path,
                method->path,
                method->handler);
        }
    }
}

static void check_types(const struct vg_model_method *method, struct vg_refusals *refusals)
{
    if (method->request == NULL || method->answer == NULL) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_FIELD_TYPE,
            &method->place,
            "method `%s` takes or returns a message that is not of the contract",
            method->proto->name);
    } else if (method->request->place.file->record || method->answer->place.file->record) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_RECORD,
            &method->place,
            "method `%s` takes or returns a message of what is stored",
            method->proto->name);
    }
}

static void check_permissions(const struct vg_model_method *method, struct vg_refusals *refusals)
{
    const Vigil__MethodOptions *options = method->own_options;
    for (size_t i = 0; i < options->n_permission; i++) {
        int number = (int)options->permission[i];
        if (number < 1 || number > 63 ||
            protobuf_c_enum_descriptor_get_value(&vigil__permission__descriptor, number) == NULL) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_PERMISSION,
                &method->place,
                "method `%s` names permission %d, which is not in the list",
                method->proto->name,
                number);
        }
    }
    if (options->has_success && (options->success < 200 || options->success > 299)) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_ENVELOPE,
            &method->place,
            "method `%s` says success is %u, which is no HTTP status of success",
            method->proto->name,
            options->success);
    }
}

/* What each envelope asks of the answer message; the sentence is put behind "the answer". */
static const char *wrong_with_answer(const struct vg_model_method *method)
{
    const struct vg_model_message *answer = method->answer;
    switch (method->own_options->envelope) {
    case VIGIL__ENVELOPE__ENVELOPE_LIST:
        return has_field(answer, "limit", VG_KIND_INT32, false) &&
                       has_field(answer, "offset", VG_KIND_INT32, false) &&
                       has_field(answer, "count", VG_KIND_INT64, false) &&
                       has_field(answer, "data", VG_KIND_MESSAGE, true)
                   ? NULL
                   : "of envelope LIST has int32 limit, int32 offset, int64 count and one repeated "
                     "message `data`";
    case VIGIL__ENVELOPE__ENVELOPE_VALUE:
        return answer->field_count == 1 && answer->bare_scalar == 0
                   ? NULL
                   : "of envelope VALUE is a bare message with one scalar";
    case VIGIL__ENVELOPE__ENVELOPE_RAW:
        return has_field(answer, "data", VG_KIND_BYTES, false) &&
                       has_field(answer, "content_type", VG_KIND_STRING, false) &&
                       has_field(answer, "file_name", VG_KIND_STRING, false)
                   ? NULL
                   : "of envelope RAW has bytes data, string content_type and string file_name";
    case VIGIL__ENVELOPE__ENVELOPE_OBJECT:
    case VIGIL__ENVELOPE__ENVELOPE_UNSPECIFIED:
    case _VIGIL__ENVELOPE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

static void check_envelope(const struct vg_model_method *method, struct vg_refusals *refusals)
{
    if (method->own_options->twin_of != NULL) {
        return;
    }
    int envelope = (int)method->own_options->envelope;
    if (envelope < VG_ENVELOPE_LIST || envelope > VG_ENVELOPE_RAW) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_ENVELOPE,
            &method->place,
            "method `%s` has neither `envelope` nor `twin_of`",
            method->proto->name);
        return;
    }
    const char *wrong = method->answer == NULL ? NULL : wrong_with_answer(method);
    if (wrong != NULL) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_ANSWER_SHAPE,
            &method->place,
            "method `%s`: the answer %s",
            method->proto->name,
            wrong);
    }
}

/* A twin states nothing but its partner. */
static bool states_more(const struct vg_model_method *method)
{
    const Vigil__MethodOptions *options = method->own_options;
    return options->n_permission > 0 || options->has_request_bytes_max || options->has_envelope ||
           options->has_success || options->n_produces > 0 || options->has_refuse_unknown ||
           options->has_body_optional || options->api_status != NULL || options->has_audit ||
           method->route_count > 0;
}

static const char *wrong_with_twin(const struct vg_model_method *method)
{
    const struct vg_model_method *partner = method->twin;
    if (partner == NULL || method->stem != partner) {
        return "names no method of its package";
    }
    if (partner->own_options->envelope != VIGIL__ENVELOPE__ENVELOPE_LIST ||
        partner->proto->server_streaming || partner->own_options->twin_of != NULL) {
        return "names a method that is not a unary one with envelope LIST";
    }
    if (partner->twin != method) {
        return "names a method that has another twin";
    }
    if (!method->proto->server_streaming || method->proto->client_streaming) {
        return "is not server streaming";
    }
    if (partner->request != method->request) {
        return "takes another request than its partner";
    }
    if (partner->rows != NULL && partner->rows->message != method->answer) {
        return "sends other messages than its partner's `data`";
    }
    return states_more(method) ? "states more than `twin_of`" : NULL;
}

static void check_twin(const struct vg_model_method *method, struct vg_refusals *refusals)
{
    if (method->own_options->twin_of == NULL) {
        return;
    }
    const char *wrong = wrong_with_twin(method);
    if (wrong != NULL) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_TWIN,
            &method->place,
            "twin `%s` %s",
            method->proto->name,
            wrong);
    }
}

/* HTTP's GET changes nothing (RFC 9110 §9.2.1), and the contract has to say that for all faces. */
static void check_reads(const struct vg_model_method *method, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < method->route_count; i++) {
        if (method->routes[i].verb_known && method->routes[i].verb == VG_VERB_GET &&
            (method->flags & VG_METHOD_READS) == 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_READ,
                &method->place,
                "method `%s` has a GET and not `idempotency_level = NO_SIDE_EFFECTS`",
                method->proto->name);
            return;
        }
    }
}

void vg_check_methods(const struct vg_model *model, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < model->method_count; i++) {
        check_name(model, i, refusals);
        check_types(model->methods[i], refusals);
        if (!model->methods[i]->place.file->own) {
            continue; /* it states nothing of ours */
        }
        check_permissions(model->methods[i], refusals);
        check_envelope(model->methods[i], refusals);
        check_twin(model->methods[i], refusals);
        check_reads(model->methods[i], refusals);
    }
}
