/* contract_routes.c: see emit.h. */
#include "tools/protoc-gen-vigil/emit.h"

static const char *body_name(enum vg_route_body body)
{
    static const char *const names[] = { "NONE", "WHOLE", "FIELD" };
    return names[body];
}

static void print_segments(const struct vg_model_route *route, size_t index, struct vg_text *out)
{
    vg_text_print(out, "/* %s */\n", route->pattern);
    vg_text_print(out, "static const struct vg_route_segment segments_%zu[] = {\n", index);
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct vg_model_segment *segment = &route->segments[i];
        if (segment->literal != NULL) {
            vg_text_print(out, "    { .literal = \"%s\" },\n", segment->literal);
        } else {
            vg_text_print(
                out,
                "    { .rows = { %zu, %zu, %zu }, .row_count = %zu },\n",
                segment->rows[0],
                segment->rows[1],
                segment->rows[2],
                segment->row_count);
        }
    }
    vg_text_print(out, "};\n");
}

static void print_route(const struct vg_model_route *route, size_t index, struct vg_text *out)
{
    vg_text_print(
        out,
        "    { &vg_methods[%zu], \"%s\", segments_%zu, %zu, VG_VERB_%s, VG_ROUTE_BODY_%s, %zu },\n",
        route->method->index,
        route->pattern,
        index,
        route->segment_count,
        vg_emit_verb(route->verb),
        body_name(route->body),
        route->body_row);
}

void vg_emit_routes(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(out, "One row per google.api.http rule.");
    vg_text_print(out, "#include \"proto/contract.h\"\n\n");
    size_t count = 0;
    for (size_t i = 0; i < model->method_count; i++) {
        for (size_t k = 0; k < model->methods[i]->route_count; k++) {
            print_segments(&model->methods[i]->routes[k], count++, out);
        }
    }
    vg_text_print(out, "\nconst struct vg_route vg_routes[] = {\n");
    count = 0;
    for (size_t i = 0; i < model->method_count; i++) {
        for (size_t k = 0; k < model->methods[i]->route_count; k++) {
            print_route(&model->methods[i]->routes[k], count++, out);
        }
    }
    vg_text_print(out, "    { .method = NULL },\n};\nconst size_t vg_route_count = %zu;\n", count);
}
