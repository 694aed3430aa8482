/*
 * protoc-gen-vigil: the plugin of protoc that turns the .proto files of the contract into tables.
 *
 * protoc writes a CodeGeneratorRequest to standard input and reads a CodeGeneratorResponse from
 * standard output. One run must be given all files. Parameters (--vigil_opt=…): `dump` writes the
 * tables as text to contract.txt instead of C; `rules` writes the names of all refusal rules to
 * rules.txt; `serve=FILE` adds the services of a file that is not ours, `public=FILE` those that
 * need no key.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/protoc-gen-vigil/contract_check.h"
#include "tools/protoc-gen-vigil/emit.h"
#include "tools/protoc-gen-vigil/model.h"
#include "tools/protoc-gen-vigil/refusal.h"
#include "tools/protoc-gen-vigil/text_pool.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest request_message;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse response_message;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse__File file_message;

#define OUTPUTS_MAX 32

static void add_output(response_message *response, const char *name, const struct vg_text *text)
{
    file_message *file = vg_text_pool_take(sizeof *file);
    google__protobuf__compiler__code_generator_response__file__init(file);
    file->name = vg_text_pool_print("%s", name);
    file->content = text->data == NULL ? vg_text_pool_print("%s", "") : text->data;
    if (response->file == NULL) {
        response->file = vg_text_pool_take(OUTPUTS_MAX * sizeof(file_message *));
    }
    if (response->n_file < OUTPUTS_MAX) {
        response->file[response->n_file++] = file;
    }
}

static void add_rules(response_message *response)
{
    struct vg_text text = { 0 };
    for (int i = 0; i < VG_REFUSAL_COUNT; i++) {
        vg_text_print(&text, "%s\n", vg_refusal_name((enum vg_refusal)i));
    }
    add_output(response, "rules.txt", &text);
}

static void add_tables(response_message *response, const struct vg_model *model)
{
    static const struct {
        const char *name;
        void (*emit)(const struct vg_model *model, struct vg_text *out);
    } outputs[] = {
        { "contract_json.h", vg_emit_json_header },
        { "contract_json.c", vg_emit_json },
        { "contract_rules.c", vg_emit_rules },
        { "contract_handlers.h", vg_emit_handlers },
        { "contract_methods.c", vg_emit_methods },
        { "contract_routes.c", vg_emit_routes },
        { "contract_descriptors.c", vg_emit_descriptors },
        { "contract_openapi.c", vg_emit_openapi_source },
    };
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        struct vg_text text = { 0 };
        outputs[i].emit(model, &text);
        add_output(response, outputs[i].name, &text);
    }
    const char **apis = vg_emit_openapi_list(model);
    for (size_t i = 0; apis[i] != NULL; i++) {
        struct vg_text text = { 0 };
        vg_emit_openapi(model, apis[i], &text);
        add_output(response, vg_text_pool_print("openapi/%s.json", apis[i]), &text);
    }
}

/* Takes the files to serve out of the parameters, `serve=FILE` and `public=FILE`; what is left, at
 * most one word, says what to write. */
static const char *take_served(const char *parameter, struct vg_model_served *served)
{
    static const char *const words[] = { "serve=", "public=" };
    const char *left = "";
    while (*parameter != '\0') {
        size_t size = strcspn(parameter, ",");
        const char *part = vg_text_pool_copy(parameter, size);
        bool taken = false;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (strncmp(part, words[i], strlen(words[i])) == 0 &&
                served->count < sizeof served->files / sizeof served->files[0]) {
                served->files[served->count] = part + strlen(words[i]);
                served->is_public[served->count++] = i == 1;
                taken = true;
            }
        }
        left = taken ? left : part;
        parameter += size + (parameter[size] == ',');
    }
    return left;
}

static bool is_known(const char *parameter)
{
    static const char *const words[] = { "", "dump", "uncommented" };
    bool known = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        known = known || strcmp(parameter, words[i]) == 0;
    }
    return known;
}

static void answer(const request_message *request, response_message *response)
{
    const char *parameter = request->parameter == NULL ? "" : request->parameter;
    if (strcmp(parameter, "rules") == 0) {
        add_rules(response);
        return;
    }
    struct vg_refusals refusals = { 0 };
    struct vg_model_served served = { 0 };
    parameter = take_served(parameter, &served);
    if (!is_known(parameter)) {
        response->error = vg_text_pool_print(
            "--vigil_opt=%s is not known; there are dump, rules, uncommented, serve=FILE and "
            "public=FILE (at most 16)",
            parameter);
        return;
    }
    struct vg_model *model = vg_model_build(request, &served, &refusals);
    vg_check_messages(model, &refusals);
    vg_check_words(model, &refusals);
    vg_check_methods(model, &refusals);
    vg_check_routes(model, &refusals);
    if (refusals.count > 0) {
        response->error = refusals.text.data;
        return;
    }
    vg_model_hash(model);
    struct vg_text text = { 0 };
    if (strcmp(parameter, "dump") == 0) {
        vg_emit_dump(model, &text);
        add_output(response, "contract.txt", &text);
    } else if (strcmp(parameter, "uncommented") == 0) {
        vg_emit_uncommented(model, &text);
        add_output(response, "uncommented.txt", &text);
    } else {
        add_tables(response, model);
    }
}

static struct vg_text read_all(FILE *file)
{
    struct vg_text text = { 0 };
    char chunk[65536];
    for (;;) {
        size_t size = fread(chunk, 1, sizeof chunk, file);
        vg_text_add(&text, chunk, size);
        if (size < sizeof chunk) {
            return text;
        }
    }
}

int main(void)
{
    struct vg_text input = read_all(stdin);
    request_message *request = google__protobuf__compiler__code_generator_request__unpack(
        &vg_text_pool_allocator,
        input.size,
        (const uint8_t *)input.data);
    if (request == NULL) {
        (void)fputs(
            "protoc-gen-vigil: started by protoc only; the request cannot be read\n",
            stderr);
        return 1;
    }
    response_message response = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
    answer(request, &response);
    size_t size = google__protobuf__compiler__code_generator_response__get_packed_size(&response);
    uint8_t *output = vg_text_pool_take(size + 1);
    google__protobuf__compiler__code_generator_response__pack(&response, output);
    if (fwrite(output, 1, size, stdout) != size || fflush(stdout) != 0) {
        (void)fputs("protoc-gen-vigil: the answer cannot be written\n", stderr);
        return 1;
    }
    return 0;
}
