/* The index of descriptors: every name leads to its file, and a file is sent with what it imports,
 * once. Offline, the tables themselves are held against protobuf-c's own reading of the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/handlers/reflection_index.h"

#include "google/protobuf/descriptor.pb-c.h"

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;

static const char *file_of(const char *symbol)
{
    size_t file;
    return vg_reflection_index_symbol(symbol, &file) ? vg_descriptor_files[file].name : NULL;
}

static void must_be_in(const char *scope, const char *name, const char *file)
{
    char full[512];
    (void)snprintf(full, sizeof(full), "%s.%s", scope, name);
    const char *found = file_of(full);
    if (found == NULL || strcmp(found, file) != 0) {
        fail_msg("%s is in %s, not in %s", full, file, found == NULL ? "none" : found);
    }
}

static size_t walk_message(const char *scope, const message_proto *message, const char *file)
{
    char own[400];
    size_t count = 1;
    must_be_in(scope, message->name, file);
    (void)snprintf(own, sizeof(own), "%s.%s", scope, message->name);
    for (size_t i = 0; i < message->n_field; i++, count++) {
        must_be_in(own, message->field[i]->name, file);
    }
    for (size_t i = 0; i < message->n_oneof_decl; i++, count++) {
        must_be_in(own, message->oneof_decl[i]->name, file);
    }
    for (size_t i = 0; i < message->n_enum_type; i++, count++) {
        must_be_in(own, message->enum_type[i]->name, file);
        for (size_t k = 0; k < message->enum_type[i]->n_value; k++, count++) {
            must_be_in(own, message->enum_type[i]->value[k]->name, file);
        }
    }
    for (size_t i = 0; i < message->n_nested_type; i++) {
        count += walk_message(own, message->nested_type[i], file);
    }
    return count + message->n_extension;
}

static size_t walk_file(const file_proto *proto)
{
    size_t count = proto->n_extension;
    for (size_t i = 0; i < proto->n_message_type; i++) {
        count += walk_message(proto->package, proto->message_type[i], proto->name);
    }
    for (size_t i = 0; i < proto->n_enum_type; i++, count++) {
        must_be_in(proto->package, proto->enum_type[i]->name, proto->name);
        for (size_t k = 0; k < proto->enum_type[i]->n_value; k++, count++) {
            must_be_in(proto->package, proto->enum_type[i]->value[k]->name, proto->name);
        }
    }
    for (size_t i = 0; i < proto->n_extension; i++) {
        must_be_in(proto->package, proto->extension[i]->name, proto->name);
    }
    for (size_t i = 0; i < proto->n_service; i++, count++) {
        char own[400];
        must_be_in(proto->package, proto->service[i]->name, proto->name);
        (void)snprintf(own, sizeof(own), "%s.%s", proto->package, proto->service[i]->name);
        for (size_t k = 0; k < proto->service[i]->n_method; k++, count++) {
            must_be_in(own, proto->service[i]->method[k]->name, proto->name);
        }
    }
    return count;
}

static void test_reflection_index__every_name_in_the_bytes_is_found_and_no_other(void **state)
{
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < vg_descriptor_file_count; i++) {
        const struct vg_descriptor_file *file = &vg_descriptor_files[i];
        file_proto *proto =
            google__protobuf__file_descriptor_proto__unpack(NULL, file->size, file->data);
        size_t position;
        assert_non_null(proto);
        assert_string_equal(proto->name, file->name);
        assert_null(proto->source_code_info);
        assert_true(vg_reflection_index_file(file->name, &position));
        assert_int_equal(position, i);
        assert_int_equal(proto->n_dependency, file->import_count);
        for (size_t k = 0; k < file->import_count; k++) {
            assert_string_equal(proto->dependency[k], vg_descriptor_files[file->imports[k]].name);
        }
        count += walk_file(proto);
        google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
    }
    assert_int_equal(count, vg_descriptor_symbol_count);
}

static void test_reflection_index__what_is_not_declared_is_not_found(void **state)
{
    static const char *const names[] = { "",
                                         ".",
                                         "vigil",
                                         "vigil.events.v2",
                                         "vigil.events.v2.",
                                         ".vigil.events.v2.Event",
                                         "vigil.events.v2.Event.",
                                         "vigil.events.v2.event",
                                         "zzz",
                                         "\xFF" };
    size_t file;
    size_t count;
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        assert_false(vg_reflection_index_symbol(names[i], &file));
        assert_false(vg_reflection_index_file(names[i], &file));
        assert_false(vg_reflection_index_extension(names[i], 50001, &file));
        assert_null(vg_reflection_index_extensions(names[i], &count));
    }
}

static void test_reflection_index__what_is_stored_is_nobodys_business(void **state)
{
    size_t file;
    (void)state;
    assert_null(file_of("vigil.record.v1.Event"));
    assert_false(vg_reflection_index_file("vigil/record/v1/event.proto", &file));
}

static void test_reflection_index__extensions_are_those_of_messages(void **state)
{
    size_t file = 0;
    size_t count = 99;
    (void)state;
    assert_true(vg_reflection_index_extension("google.protobuf.FieldOptions", 50001, &file));
    assert_string_equal(vg_descriptor_files[file].name, "vigil/options.proto");
    assert_false(vg_reflection_index_extension("google.protobuf.FieldOptions", 50002, &file));
    assert_non_null(vg_reflection_index_extensions("vigil.events.v2.Event", &count));
    assert_int_equal(count, 0);
    assert_null(vg_reflection_index_extensions("vigil.events.v2.EventService", &count));
    assert_null(vg_reflection_index_extensions("vigil.events.v2.Event.id", &count));
}

static void test_reflection_index__a_file_comes_with_its_imports_once(void **state)
{
    bool *sent = calloc(vg_descriptor_file_count, sizeof(*sent));
    size_t *files = calloc(vg_descriptor_file_count, sizeof(*files));
    size_t service;
    (void)state;
    assert_non_null(sent);
    assert_non_null(files);
    assert_true(vg_reflection_index_file("vigil/events/v2/service.proto", &service));
    size_t count = vg_reflection_index_closure(service, sent, files);
    assert_true(count > 5 && count <= vg_descriptor_file_count);
    assert_int_equal(files[0], service);
    for (size_t i = 0; i < count; i++) {
        const struct vg_descriptor_file *file = &vg_descriptor_files[files[i]];
        for (size_t k = 0; k < file->import_count; k++) {
            assert_true(sent[file->imports[k]]);
        }
        for (size_t k = 0; k < i; k++) {
            assert_true(files[k] != files[i]);
        }
    }
    assert_int_equal(vg_reflection_index_closure(service, sent, files), 1);
    assert_int_equal(files[0], service);
    /* All files, one after the other, on a new stream: each is sent when asked for. */
    memset(sent, 0, vg_descriptor_file_count * sizeof(*sent));
    for (size_t i = vg_descriptor_file_count; i-- > 0;) {
        assert_true(vg_reflection_index_closure(i, sent, files) >= 1);
        assert_int_equal(files[0], i);
    }
    free(sent);
    free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reflection_index__every_name_in_the_bytes_is_found_and_no_other),
        cmocka_unit_test(test_reflection_index__what_is_not_declared_is_not_found),
        cmocka_unit_test(test_reflection_index__what_is_stored_is_nobodys_business),
        cmocka_unit_test(test_reflection_index__extensions_are_those_of_messages),
        cmocka_unit_test(test_reflection_index__a_file_comes_with_its_imports_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
