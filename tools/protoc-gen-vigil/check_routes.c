/* See contract_check.h. */
#include <ctype.h>
#include <string.h>

#include "tools/protoc-gen-vigil/contract_check.h"

static bool is_literal(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("_-.~", *at) == NULL) {
            return false;
        }
    }
    return text[0] != '\0';
}

static bool is_variable(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("_.", *at) == NULL) {
            return false;
        }
    }
    return text[0] != '\0';
}

static bool check_template(const struct vg_model_route *route, struct vg_refusals *refusals)
{
    bool good = route->verb_known && route->segment_count > 0 && route->segment_count <= 255;
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct vg_model_segment *segment = &route->segments[i];
        good = good && (segment->literal != NULL ? is_literal(segment->literal)
                                                 : is_variable(segment->variable));
    }
    if (!good) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_ROUTE_TEMPLATE,
            &route->method->place,
            "route `%s` of method `%s` is not a GET, PUT, POST, DELETE or PATCH of literals and "
            "{field} variables",
            route->pattern,
            route->method->proto->name);
    }
    return good;
}

/* The field a variable leads to, or NULL. */
static const struct vg_model_field *bound_field(
    const struct vg_model_route *route,
    const struct vg_model_segment *segment)
{
    const struct vg_model_message *message = route->method->request;
    const struct vg_model_field *field = NULL;
    for (size_t i = 0; i < segment->row_count && message != NULL; i++) {
        field = &message->fields[segment->rows[i]];
        message = field->message;
    }
    return field;
}

static bool is_bindable(const struct vg_model_field *field)
{
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        return false;
    }
    return field->kind != VG_KIND_MESSAGE ||
           (field->message != NULL && (field->message->flags & VG_TABLE_BARE) != 0 &&
            field->message->bare_scalar != VG_ROW_NONE);
}

static void check_variables(const struct vg_model_route *route, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct vg_model_segment *segment = &route->segments[i];
        if (segment->variable == NULL) {
            continue;
        }
        const struct vg_model_field *field = bound_field(route, segment);
        if (field == NULL || !is_bindable(field)) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_ROUTE_VARIABLE,
                &route->method->place,
                "variable `%s` of route `%s` is not a scalar field of the request",
                segment->variable,
                route->pattern);
        }
    }
    if (route->body == VG_ROUTE_BODY_FIELD && route->body_row == VG_ROW_NONE) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_ROUTE_VARIABLE,
            &route->method->place,
            "body `%s` of route `%s` is not a field of the request",
            route->body_name,
            route->pattern);
    }
}

static bool match_one_path(const struct vg_model_route *a, const struct vg_model_route *b)
{
    if (a->verb != b->verb || a->segment_count != b->segment_count) {
        return false;
    }
    for (size_t i = 0; i < a->segment_count; i++) {
        const char *left = a->segments[i].literal;
        const char *right = b->segments[i].literal;
        if ((left == NULL) != (right == NULL) || (left != NULL && strcmp(left, right) != 0)) {
            return false;
        }
    }
    return true;
}

/* All routes before `last` of `method`, and those of all methods before it. */
static void check_twice(
    const struct vg_model *model,
    const struct vg_model_method *method,
    size_t last,
    struct vg_refusals *refusals)
{
    const struct vg_model_route *route = &method->routes[last];
    for (size_t i = 0; i <= method->index; i++) {
        const struct vg_model_method *other = model->methods[i];
        size_t count = other == method ? last : other->route_count;
        for (size_t k = 0; k < count; k++) {
            if (match_one_path(&other->routes[k], route)) {
                vg_refusal_add(
                    refusals,
                    VG_REFUSAL_ROUTE_TWICE,
                    &method->place,
                    "route `%s` of method `%s` matches the paths of `%s` of method `%s`",
                    route->pattern,
                    method->proto->name,
                    other->routes[k].pattern,
                    other->proto->name);
            }
        }
    }
}

void vg_check_routes(const struct vg_model *model, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < model->method_count; i++) {
        const struct vg_model_method *method = model->methods[i];
        for (size_t k = 0; k < method->route_count; k++) {
            if (check_template(&method->routes[k], refusals)) {
                check_variables(&method->routes[k], refusals);
                check_twice(model, method, k, refusals);
            }
        }
    }
}
