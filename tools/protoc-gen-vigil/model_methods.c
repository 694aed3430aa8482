/* Methods with their twins, and the routes of google.api.http. */
#include <string.h>

#include "tools/protoc-gen-vigil/model_build.h"
#include "tools/protoc-gen-vigil/options_read.h"
#include "tools/protoc-gen-vigil/proto_names.h"
#include "tools/protoc-gen-vigil/text_pool.h"

enum { FILE_SERVICE = 6, SERVICE_METHOD = 2 };

/* Splits a variable `a.b` at its dots and follows it through the request. Stops where no field is.
 */
static void resolve_variable(
    struct vg_model_segment *segment,
    const struct vg_model_message *message)
{
    const char *at = segment->variable;
    while (message != NULL && segment->row_count < 3) {
        size_t size = strcspn(at, ".");
        const struct vg_model_field *field =
            vg_model_find_field(message, vg_text_pool_copy(at, size));
        if (field == NULL) {
            segment->row_count = 0;
            return;
        }
        segment->rows[segment->row_count++] = vg_model_row(field);
        if (at[size] == '\0') {
            return;
        }
        at += size + 1;
        message = field->message;
    }
    segment->row_count = 0;
}

static void split_pattern(struct vg_model_route *route)
{
    const char *at = route->pattern;
    route->segments = vg_text_pool_take((strlen(at) + 1) * sizeof *route->segments);
    while (*at == '/') {
        at++;
        struct vg_model_segment *segment = &route->segments[route->segment_count++];
        size_t size = strcspn(at, "/");
        if (size >= 2 && at[0] == '{' && at[size - 1] == '}') {
            segment->variable = vg_text_pool_copy(at + 1, size - 2);
            resolve_variable(segment, route->method->request);
        } else {
            segment->literal = vg_text_pool_copy(at, size);
        }
        at += size;
    }
}

static void add_route(struct vg_model_method *method, const Google__Api__HttpRule *http)
{
    static const enum vg_verb verbs[] = {
        [GOOGLE__API__HTTP_RULE__PATTERN_GET] = VG_VERB_GET,
        [GOOGLE__API__HTTP_RULE__PATTERN_PUT] = VG_VERB_PUT,
        [GOOGLE__API__HTTP_RULE__PATTERN_POST] = VG_VERB_POST,
        [GOOGLE__API__HTTP_RULE__PATTERN_DELETE] = VG_VERB_DELETE,
        [GOOGLE__API__HTTP_RULE__PATTERN_PATCH] = VG_VERB_PATCH,
    };
    struct vg_model_route *route = &method->routes[method->route_count++];
    route->method = method;
    route->verb_known = http->pattern_case != GOOGLE__API__HTTP_RULE__PATTERN_CUSTOM &&
                        http->pattern_case != GOOGLE__API__HTTP_RULE__PATTERN__NOT_SET;
    /* The members of the union are all texts, but for `custom`. */
    route->pattern = route->verb_known ? http->get : "";
    route->verb = route->verb_known ? verbs[http->pattern_case] : VG_VERB_GET;
    route->body_name = http->body == NULL ? "" : http->body;
    if (strcmp(route->body_name, "*") == 0) {
        route->body = VG_ROUTE_BODY_WHOLE;
    } else if (route->body_name[0] != '\0') {
        route->body = VG_ROUTE_BODY_FIELD;
        const struct vg_model_field *field =
            method->request == NULL ? NULL : vg_model_find_field(method->request, route->body_name);
        route->body_row = field == NULL ? VG_ROW_NONE : vg_model_row(field);
    }
    split_pattern(route);
}

static void build_routes(struct vg_model_method *method)
{
    const Google__Api__HttpRule *http = method->http;
    method->routes = vg_text_pool_take((1 + http->n_additional_bindings) * sizeof *method->routes);
    if (http->pattern_case == GOOGLE__API__HTTP_RULE__PATTERN__NOT_SET) {
        return;
    }
    add_route(method, http);
    for (size_t i = 0; i < http->n_additional_bindings; i++) {
        add_route(method, http->additional_bindings[i]);
    }
}

/* It says itself that it changes nothing. */
static bool is_read(const struct vg_model_method *method)
{
    const Google__Protobuf__MethodOptions *options = method->proto->options;
    return options != NULL && options->has_idempotency_level &&
           options->idempotency_level ==
               GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS;
}

/* Methods of ours take and return messages of ours. */
static struct vg_model_message *of_same_side(
    struct vg_model_message *message,
    const struct vg_model_file *file)
{
    return message != NULL && file->own && !message->place.file->own ? NULL : message;
}

static struct vg_model_method *build_method(
    struct vg_model *model,
    const Google__Protobuf__ServiceDescriptorProto *service,
    const Google__Protobuf__MethodDescriptorProto *proto,
    struct vg_place place)
{
    struct vg_model_method *method = vg_text_pool_take(sizeof *method);
    method->proto = proto;
    method->service = service;
    method->place = place;
    method->package = place.file->proto->package;
    method->service_name = vg_text_pool_print("%s.%s", method->package, service->name);
    method->path = vg_text_pool_print("/%s/%s", method->service_name, proto->name);
    const char *package =
        strncmp(method->package, "vigil.", 6) == 0 ? method->package + 6 : method->package;
    method->handler = vg_text_pool_print(
        "vg_%s_%s",
        vg_proto_names_symbol(package),
        vg_proto_names_snake(proto->name));
    method->own_options = vg_options_read(
        (const ProtobufCMessage *)proto->options,
        VG_OPTIONS_TAG,
        &vigil__method_options__descriptor);
    method->options = method->own_options;
    method->http = vg_options_read(
        (const ProtobufCMessage *)proto->options,
        VG_OPTIONS_HTTP_TAG,
        &google__api__http_rule__descriptor);
    method->request = of_same_side(vg_model_find_message(model, proto->input_type), place.file);
    method->answer = of_same_side(vg_model_find_message(model, proto->output_type), place.file);
    method->stem = method;
    build_routes(method);
    return method;
}

uint32_t vg_model_request_bytes_max(const struct vg_model_method *method)
{
    const Vigil__MethodOptions *options = method->options;
    if (!method->place.file->own || options->has_request_bytes_max) {
        return options->request_bytes_max;
    }
    return VG_METHOD_REQUEST_BYTES;
}

static bool asks_for(const struct vg_model_method *method, unsigned permission)
{
    return (method->permissions >> permission & 1u) != 0;
}

/* The rule of vigil.Audit; the method's flags and permissions are there. */
static enum vg_audit find_audit(const struct vg_model_method *method)
{
    const Vigil__MethodOptions *options = method->options;
    if (options->has_audit && options->audit != VIGIL__AUDIT__AUDIT_UNSPECIFIED) {
        return (enum vg_audit)(options->audit - VIGIL__AUDIT__AUDIT_NONE);
    }
    if (method->permissions == 0) {
        return VG_AUDIT_NONE;
    }
    if (options->envelope == VIGIL__ENVELOPE__ENVELOPE_RAW) {
        return VG_AUDIT_DOWNLOAD;
    }
    if ((method->flags & VG_METHOD_READS) != 0) {
        bool many = options->envelope == VIGIL__ENVELOPE__ENVELOPE_LIST ||
                    strncmp(method->stem->proto->name, "Search", 6) == 0;
        return many ? VG_AUDIT_SEARCH : VG_AUDIT_READ;
    }
    if (asks_for(method, VIGIL__PERMISSION__PERMISSION_ADMINISTER_DIRECTORY)) {
        return VG_AUDIT_DIRECTORY;
    }
    bool submits = asks_for(method, VIGIL__PERMISSION__PERMISSION_SUBMIT_EVENT) ||
                   asks_for(method, VIGIL__PERMISSION__PERMISSION_SUBMIT_SAMPLE) ||
                   asks_for(method, VIGIL__PERMISSION__PERMISSION_ADD_SAMPLE_SUBMISSION);
    return submits ? VG_AUDIT_SUBMISSION : VG_AUDIT_CHANGE;
}

static void build_flags(struct vg_model_method *method)
{
    const Vigil__MethodOptions *options = method->options;
    const struct vg_model_method *stem = method->stem;
    method->flags |= method->proto->server_streaming ? VG_METHOD_STREAMS : 0;
    method->flags |= method->proto->client_streaming ? VG_METHOD_CLIENT_STREAMS : 0;
    method->flags |= options->refuse_unknown ? VG_METHOD_REFUSE_UNKNOWN : 0;
    method->flags |= options->conditional ? VG_METHOD_CONDITIONAL : 0;
    method->flags |= options->body_optional ? VG_METHOD_BODY_OPTIONAL : 0;
    method->flags |= method->place.file->is_public ? VG_METHOD_PUBLIC : 0;
    method->flags |= is_read(stem) ? VG_METHOD_READS : 0;
    for (size_t i = 0; i < options->n_permission; i++) {
        unsigned number = (unsigned)options->permission[i];
        method->permissions |= number < 64 ? UINT64_C(1) << number : 0;
    }
    for (size_t i = 0; i < options->n_produces; i++) {
        unsigned number = (unsigned)options->produces[i];
        method->produces |= number >= 1 && number <= 8 ? 1u << (number - 1) : 0;
    }
    if (options->envelope == VIGIL__ENVELOPE__ENVELOPE_LIST && stem->answer != NULL) {
        method->rows = vg_model_find_field(stem->answer, "data");
    }
    method->audit = find_audit(method);
}

static void join_twin(struct vg_model *model, struct vg_model_method *method)
{
    for (size_t i = 0; i < model->method_count && method->own_options->twin_of != NULL; i++) {
        struct vg_model_method *partner = model->methods[i];
        if (partner != method && strcmp(partner->package, method->package) == 0 &&
            strcmp(partner->proto->name, method->own_options->twin_of) == 0) {
            method->twin = partner;
            method->stem = partner;
            method->options = partner->own_options;
            partner->twin = method;
            return;
        }
    }
}

static bool has_methods(const struct vg_model_file *file)
{
    return file->own || file->served;
}

static size_t count_methods(const struct vg_model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < model->file_count; i++) {
        const Google__Protobuf__FileDescriptorProto *file = model->files[i].proto;
        for (size_t k = 0; k < file->n_service && has_methods(&model->files[i]); k++) {
            count += file->service[k]->n_method;
        }
    }
    return count;
}

static void add_service(struct vg_model *model, const struct vg_model_file *file, size_t position)
{
    const Google__Protobuf__ServiceDescriptorProto *service = file->proto->service[position];
    struct vg_place place = vg_place_below(&file->place, FILE_SERVICE, position);
    for (size_t i = 0; i < service->n_method; i++) {
        struct vg_model_method *method = build_method(
            model,
            service,
            service->method[i],
            vg_place_below(&place, SERVICE_METHOD, i));
        method->service_place = place;
        method->index = model->method_count;
        model->methods[model->method_count++] = method;
    }
}

void vg_model_methods_build(struct vg_model *model)
{
    model->methods = vg_text_pool_take((count_methods(model) + 1) * sizeof *model->methods);
    for (size_t i = 0; i < model->file_count; i++) {
        const struct vg_model_file *file = &model->files[i];
        for (size_t k = 0; k < file->proto->n_service && has_methods(file); k++) {
            add_service(model, file, k);
        }
    }
    for (size_t i = 0; i < model->method_count; i++) {
        join_twin(model, model->methods[i]);
    }
    for (size_t i = 0; i < model->method_count; i++) {
        build_flags(model->methods[i]);
    }
}
