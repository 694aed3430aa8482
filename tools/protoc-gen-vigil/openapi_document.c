/*
 * One OpenAPI 3.1 document per API: paths and operations. See openapi.h and docs/contract.md
 * section 10.
 *
 * Summaries are the first sentence of a method's comment, descriptions the whole. Members that are
 * not set are null in every answer; the schemas say the type a member has when it is set, as the
 * documents of the served interface do.
 */
#include <ctype.h>
#include <string.h>

#include "tools/protoc-gen-vigil/emit.h"
#include "tools/protoc-gen-vigil/openapi.h"

#define XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

/* `events` of `vigil.events.v1`; "" if there is no such part. */
static const char *api_of(const char *package)
{
    const char *start = strncmp(package, "vigil.", 6) == 0 ? package + 6 : "";
    return vg_text_pool_copy(start, strcspn(start, "."));
}

static const char *version_of(const char *package)
{
    const char *dot = strrchr(package, '.');
    return dot == NULL ? "" : dot + 1;
}

/* The path as clients see it: variables by their JSON names. */
static const char *public_path(const struct vg_model_route *route)
{
    struct vg_text text = { 0 };
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct vg_model_segment *segment = &route->segments[i];
        if (segment->literal != NULL) {
            vg_text_print(&text, "/%s", segment->literal);
            continue;
        }
        const struct vg_model_message *message = route->method->request;
        vg_text_print(&text, "/{");
        for (size_t k = 0; k < segment->row_count; k++) {
            const struct vg_model_field *field = &message->fields[segment->rows[k]];
            vg_text_print(&text, "%s%s", k > 0 ? "." : "", field->json_name);
            message = field->message;
        }
        vg_text_print(&text, "}");
    }
    return text.data;
}

static void write_parameter(
    struct vg_openapi *openapi,
    const char *name,
    const char *in,
    const struct vg_model_field *field)
{
    struct vg_document *document = &openapi->document;
    const char *comment = vg_openapi_field_comment(field);
    bool path = strcmp(in, "path") == 0;
    vg_document_object(document, NULL);
    vg_document_string(document, "name", name);
    vg_document_string(document, "in", in);
    if (comment[0] != '\0') {
        vg_document_string(document, "description", comment);
    }
    if (path || (field->flags & VG_FIELD_REQUIRED) != 0) {
        vg_document_raw(document, "required", "true");
    }
    vg_document_object(document, "schema");
    bool bare = field->message != NULL && field->message->bare_scalar != VG_ROW_NONE;
    vg_openapi_field(openapi, bare ? &field->message->fields[field->message->bare_scalar] : field);
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static bool fits_query(const struct vg_model_field *field)
{
    return field->kind != VG_KIND_MESSAGE ||
           ((field->flags & (VG_FIELD_MAP | VG_FIELD_OBJECT)) == 0 &&
            (field->message->flags & VG_TABLE_BARE) != 0 &&
            field->message->bare_scalar != VG_ROW_NONE);
}

/* Its answer goes on: lines or events, each with one message. */
static bool is_stream(const struct vg_model_route *route)
{
    return (route->method->flags & VG_METHOD_STREAMS) != 0;
}

/* A GET for one object: its answer has an entity tag (docs/rest.md). */
static bool has_tag(const struct vg_model_route *route)
{
    return route->verb == VG_VERB_GET && !is_stream(route) &&
           route->method->options->envelope == VIGIL__ENVELOPE__ENVELOPE_OBJECT;
}

static void write_header_parameter(
    struct vg_openapi *openapi,
    const char *name,
    const char *description)
{
    struct vg_document *document = &openapi->document;
    vg_document_object(document, NULL);
    vg_document_string(document, "name", name);
    vg_document_string(document, "in", "header");
    vg_document_string(document, "description", description);
    vg_document_object(document, "schema");
    vg_document_string(document, "type", "string");
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

/* The conditions that a request of this route may have. */
static void write_conditions(struct vg_openapi *openapi, const struct vg_model_route *route)
{
    if (has_tag(route)) {
        write_header_parameter(
            openapi,
            "If-None-Match",
            "Entity tags of answers that the client has: if one of them is still right, 304.");
    }
    if (route->method->options->conditional) {
        write_header_parameter(
            openapi,
            "If-Match",
            "Entity tags of what is to be changed: if it has been changed since, 412.");
    }
    if (is_stream(route)) {
        write_header_parameter(
            openapi,
            "Last-Event-ID",
            "The token of the last answer that the client has: go on behind it.");
    }
}

/* Path variables first; marks the rows they fill in `bound`. */
static void write_path_parameters(
    struct vg_openapi *openapi,
    const struct vg_model_route *route,
    bool *bound)
{
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct vg_model_segment *segment = &route->segments[i];
        const struct vg_model_message *message = route->method->request;
        const struct vg_model_field *field = NULL;
        struct vg_text name = { 0 };
        for (size_t k = 0; k < segment->row_count; k++) {
            field = &message->fields[segment->rows[k]];
            vg_text_print(&name, "%s%s", k > 0 ? "." : "", field->json_name);
            message = field->message;
        }
        if (field != NULL) {
            bound[segment->rows[0]] = true;
            write_parameter(openapi, name.data, "path", field);
        }
    }
}

static void write_parameters(
    struct vg_openapi *openapi,
    const struct vg_model_route *route,
    bool *bound)
{
    const struct vg_model_message *request = route->method->request;
    vg_document_array(&openapi->document, "parameters");
    write_path_parameters(openapi, route, bound);
    if (route->body == VG_ROUTE_BODY_FIELD) {
        bound[route->body_row] = true;
    }
    for (size_t i = 0; i < request->field_count && route->body != VG_ROUTE_BODY_WHOLE; i++) {
        if (!bound[i] && fits_query(&request->fields[i])) {
            write_parameter(openapi, request->fields[i].json_name, "query", &request->fields[i]);
        }
    }
    write_conditions(openapi, route);
    vg_document_end(&openapi->document, ']');
}

static void write_content(struct vg_document *document, const char *type, const char *reference)
{
    vg_document_object(document, type);
    vg_document_object(document, "schema");
    if (reference != NULL) {
        vg_document_string(document, "$ref", reference);
    } else {
        vg_document_string(document, "type", "string");
        vg_document_string(document, "format", "binary");
    }
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

/* Of an answer that goes on: text, of which each line, or event, is one `reference`. */
static void write_items(struct vg_document *document, const char *type, const char *reference)
{
    vg_document_object(document, type);
    vg_document_object(document, "schema");
    vg_document_string(document, "type", "string");
    vg_document_end(document, '}');
    vg_document_object(document, "x-itemSchema");
    vg_document_string(document, "$ref", reference);
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static void write_body(
    struct vg_openapi *openapi,
    const struct vg_model_route *route,
    const bool *bound)
{
    struct vg_document *document = &openapi->document;
    const struct vg_model_message *request = route->method->request;
    size_t bound_count = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        bound_count += bound[i];
    }
    bool whole = route->body == VG_ROUTE_BODY_WHOLE;
    if (route->body == VG_ROUTE_BODY_NONE || (whole && bound_count == request->field_count)) {
        return;
    }
    vg_document_object(document, "requestBody");
    vg_document_raw(document, "required", route->method->options->body_optional ? "false" : "true");
    vg_document_object(document, "content");
    if ((route->method->flags & VG_METHOD_CLIENT_STREAMS) != 0) { /* the bytes, whatever they are */
        write_content(document, "application/octet-stream", NULL);
        vg_document_end(document, '}');
        vg_document_end(document, '}');
        return;
    }
    vg_document_object(document, "application/json");
    vg_document_object(document, "schema");
    if (!whole) {
        vg_openapi_field(openapi, &request->fields[route->body_row]);
    } else if (bound_count > 0) {
        vg_openapi_members(openapi, request, bound);
    } else {
        vg_document_string(document, "$ref", vg_openapi_reference(openapi, request));
    }
    vg_document_end(document, '}');
    vg_document_end(document, '}');
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static void write_tag(struct vg_document *document)
{
    vg_document_object(document, "headers");
    vg_document_object(document, "ETag");
    vg_document_string(document, "description", "Entity tag of the answer.");
    vg_document_object(document, "schema");
    vg_document_string(document, "type", "string");
    vg_document_end(document, '}');
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

/* What a success looks like, by envelope and products. */
static void write_success(struct vg_openapi *openapi, const struct vg_model_route *route)
{
    const struct vg_model_method *method = route->method;
    static const char *const product_types[] = { "text/csv",
                                                 "application/jsonl",
                                                 XLSX_TYPE,
                                                 "application/vnd.tcpdump.pcap",
                                                 "text/event-stream" };
    struct vg_document *document = &openapi->document;
    unsigned status = method->options->has_success ? method->options->success : 200;
    vg_document_object(document, vg_text_pool_print("%u", status));
    vg_document_string(document, "description", "Success");
    if (has_tag(route)) {
        write_tag(document);
    }
    vg_document_object(document, "content");
    if (method->options->envelope == VIGIL__ENVELOPE__ENVELOPE_RAW) {
        write_content(document, "application/octet-stream", NULL);
    } else if (!is_stream(route)) {
        const struct vg_model_message *data =
            method->rows != NULL ? method->rows->message : method->answer;
        const char *reference = vg_openapi_wrapper_reference(openapi, data, method->rows != NULL);
        write_content(document, "application/json", reference);
    }
    for (size_t i = 0; i < sizeof product_types / sizeof product_types[0]; i++) {
        if ((method->produces & (1u << i)) != 0 && is_stream(route)) {
            write_items(document, product_types[i], vg_openapi_reference(openapi, method->answer));
        } else if ((method->produces & (1u << i)) != 0) {
            write_content(document, product_types[i], NULL);
        }
    }
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static void write_failure(struct vg_openapi *openapi, const char *status, const char *description)
{
    struct vg_document *document = &openapi->document;
    vg_document_object(document, status);
    vg_document_string(document, "description", description);
    vg_document_object(document, "content");
    write_content(document, "application/json", vg_openapi_wrapper_reference(openapi, NULL, false));
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static bool has_variable(const struct vg_model_route *route)
{
    for (size_t i = 0; i < route->segment_count; i++) {
        if (route->segments[i].variable != NULL) {
            return true;
        }
    }
    return false;
}

static void write_responses(struct vg_openapi *openapi, const struct vg_model_route *route)
{
    struct vg_document *document = &openapi->document;
    const bool takes_body = route->body != VG_ROUTE_BODY_NONE;
    vg_document_object(document, "responses");
    write_success(openapi, route);
    if (has_tag(route)) { /* nothing but a head */
        vg_document_object(document, "304");
        vg_document_string(document, "description", "The client has this answer");
        vg_document_end(document, '}');
    }
    write_failure(openapi, "401", "Authentication failed");
    write_failure(openapi, "402", "A quota is exceeded");
    write_failure(openapi, "403", "Access denied");
    if (has_variable(route)) {
        write_failure(openapi, "404", "Not found");
    }
    if (is_stream(route)) {
        write_failure(openapi, "410", "It cannot go on there any more: begin anew");
    }
    write_failure(
        openapi,
        "412",
        route->method->options->conditional
            ? "Validation failed, or it has been changed since (If-Match)"
            : "Validation failed");
    if (takes_body) {
        write_failure(openapi, "413", "The body is too large");
        write_failure(openapi, "415", "The body has a coding that is not read");
    }
    write_failure(openapi, "503", "Too much to do, or leaving: try again after Retry-After");
    vg_document_end(document, '}');
}

/* Which functions a key needs, in the words of the access model. */
static void write_permissions(struct vg_openapi *openapi, const struct vg_model_method *method)
{
    const struct vg_model *model = openapi->model;
    vg_document_array(&openapi->document, "x-Argus-Required-Permissions");
    for (size_t i = 0; i < model->enum_count; i++) {
        const struct vg_model_enum *words = model->enums[i];
        bool permissions = strcmp(words->full_name, "vigil.Permission") == 0;
        for (size_t k = 0; k < words->word_count && permissions; k++) {
            const struct vg_model_word *word = &words->words[k];
            if (!word->alias && (method->permissions >> word->number & 1) != 0) {
                vg_document_string(&openapi->document, NULL, word->text);
            }
        }
    }
    vg_document_end(&openapi->document, ']');
    if (method->options->api_status != NULL) {
        vg_document_string(&openapi->document, "x-Argus-ApiStatus", method->options->api_status);
    }
}

/* `getEventV1`; further bindings of one method are counted: `getEventV1_2`. */
static const char *operation_id(const struct vg_model_route *route)
{
    const struct vg_model_method *method = route->method;
    char *name = vg_text_pool_print("%s%s", method->proto->name, version_of(method->package));
    name[0] = (char)tolower((unsigned char)name[0]);
    char *version = name + strlen(method->proto->name);
    *version = (char)toupper((unsigned char)*version);
    size_t position = (size_t)(route - method->routes);
    return position == 0 ? name : vg_text_pool_print("%s_%zu", name, position + 1);
}

static void write_operation(struct vg_openapi *openapi, const struct vg_model_route *route)
{
    struct vg_document *document = &openapi->document;
    const struct vg_model_method *method = route->method;
    const char *comment = vg_openapi_comment(&method->place);
    const char *end = strstr(comment, ". ");
    size_t size = end == NULL ? strcspn(comment, "\n") : (size_t)(end - comment) + 1;
    char *verb = vg_text_pool_print("%s", vg_emit_verb(route->verb));
    for (char *at = verb; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    bool *bound = vg_text_pool_take(method->request->field_count + 1);
    vg_document_object(document, verb);
    vg_document_array(document, "tags");
    vg_document_string(
        document,
        NULL,
        vg_text_pool_print("%s/%s", api_of(method->package), version_of(method->package)));
    vg_document_end(document, ']');
    vg_document_string(document, "summary", vg_text_pool_copy(comment, size));
    vg_document_string(document, "description", comment);
    vg_document_string(document, "operationId", operation_id(route));
    write_parameters(openapi, route, bound);
    write_body(openapi, route, bound);
    write_responses(openapi, route);
    write_permissions(openapi, method);
    vg_document_end(document, '}');
}

/* All routes of the API, in order; NULL ends the list. */
static const struct vg_model_route **list_routes(const struct vg_model *model, const char *api)
{
    size_t count = 0;
    for (size_t i = 0; i < model->method_count; i++) {
        count += model->methods[i]->route_count;
    }
    const struct vg_model_route **routes = vg_text_pool_take((count + 1) * sizeof *routes);
    count = 0;
    for (size_t i = 0; i < model->method_count; i++) {
        const struct vg_model_method *method = model->methods[i];
        for (size_t k = 0; k < method->route_count; k++) {
            if (api == NULL || strcmp(api_of(method->package), api) == 0) {
                routes[count++] = &method->routes[k];
            }
        }
    }
    return routes;
}

static void write_paths(struct vg_openapi *openapi)
{
    const struct vg_model_route **routes = list_routes(openapi->model, openapi->api);
    vg_document_object(&openapi->document, "paths");
    for (size_t i = 0; routes[i] != NULL; i++) {
        const char *path = public_path(routes[i]);
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again |= strcmp(public_path(routes[k]), path) == 0;
        }
        if (again) {
            continue;
        }
        vg_document_object(&openapi->document, path);
        for (size_t k = i; routes[k] != NULL; k++) {
            if (strcmp(public_path(routes[k]), path) == 0) {
                write_operation(openapi, routes[k]);
            }
        }
        vg_document_end(&openapi->document, '}');
    }
    vg_document_end(&openapi->document, '}');
}

static void write_head(struct vg_openapi *openapi)
{
    struct vg_document *document = &openapi->document;
    vg_document_string(document, "openapi", "3.1.0");
    vg_document_object(document, "info");
    vg_document_string(
        document,
        "title",
        openapi->api == NULL ? "vigil API" : vg_text_pool_print("vigil %s API", openapi->api));
    vg_document_string(document, "version", "1.0.0");
    vg_document_string(
        document,
        "description",
        "Every answer is an envelope around its data. Members that are not set are null.");
    vg_document_end(document, '}');
    vg_document_array(document, "security");
    vg_document_object(document, NULL);
    vg_document_array(document, "ApiKeyScheme");
    vg_document_end(document, ']');
    vg_document_end(document, '}');
    vg_document_end(document, ']');
}

static void write_components(struct vg_openapi *openapi)
{
    struct vg_document *document = &openapi->document;
    vg_document_object(document, "components");
    vg_document_object(document, "securitySchemes");
    vg_document_object(document, "ApiKeyScheme");
    vg_document_string(document, "type", "apiKey");
    vg_document_string(document, "name", "Argus-API-Key");
    vg_document_string(document, "in", "header");
    vg_document_end(document, '}');
    vg_document_end(document, '}');
    vg_openapi_schemas(openapi);
    vg_document_end(document, '}');
}

void vg_emit_openapi(const struct vg_model *model, const char *api, struct vg_text *out)
{
    struct vg_openapi openapi = { .model = model, .api = api };
    openapi.used = vg_text_pool_take(model->message_count + 1);
    openapi.wrappers = vg_text_pool_take((model->method_count + 2) * sizeof *openapi.wrappers);
    vg_document_object(&openapi.document, NULL);
    write_head(&openapi);
    write_paths(&openapi);
    write_components(&openapi);
    vg_document_end(&openapi.document, '}');
    vg_text_print(&openapi.document.text, "\n");
    *out = openapi.document.text;
}

const char **vg_emit_openapi_list(const struct vg_model *model)
{
    const char **apis = vg_text_pool_take((model->method_count + 1) * sizeof *apis);
    size_t count = 0;
    for (size_t i = 0; i < model->method_count; i++) {
        const char *api = api_of(model->methods[i]->package);
        bool known = model->methods[i]->route_count == 0;
        for (size_t k = 0; k < count; k++) {
            known |= strcmp(apis[k], api) == 0;
        }
        if (!known) {
            apis[count++] = api;
        }
    }
    return apis;
}
