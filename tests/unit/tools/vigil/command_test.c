/* The table of commands holds together: names, members of requests, columns of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "tools/vigil/command.h"

/* Follow a path of documented names; bare messages add no level. NULL when it leads nowhere. */
static const struct vg_field *follow(const struct vg_table *table, const char *path)
{
    const struct vg_field *field = NULL;
    while (*path != '\0') {
        size_t size = strcspn(path, ".");
        if ((table->flags & VG_TABLE_BARE) != 0 && table->bare_object != VG_ROW_NONE) {
            table = table->fields[table->bare_object].sub;
        }
        uint8_t row = vg_contract_find_name(table, path, size, VG_NAME_DOCUMENTED);
        if (row == VG_ROW_NONE) {
            return NULL;
        }
        field = &table->fields[row];
        path += size + (path[size] == '.' ? 1 : 0);
        if (*path != '\0') {
            if (field->kind != VG_KIND_MESSAGE) {
                return NULL;
            }
            table = field->sub;
        }
    }
    return field;
}

static void test_command__names_are_unique_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < vg_command_count(); i++) {
        const struct vg_command *command = vg_command_at(i);
        int words = 0;
        assert_ptr_equal(vg_command_find(command->noun, command->verb, &words), command);
        assert_int_equal(words, command->verb == NULL ? 1 : 2);
        assert_true(vg_command_is_noun(command->noun));
        assert_non_null(command->help);
        assert_non_null(command->run);
    }
    int words = 0;
    assert_null(vg_command_find("customer", NULL, &words));
    assert_null(vg_command_find("customer", "drop", &words));
    assert_null(vg_command_find("nothing", "upload", &words));
    assert_false(vg_command_is_noun("nothing"));
}

static void test_command__options_fill_members_of_the_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < vg_command_count(); i++) {
        const struct vg_command *command = vg_command_at(i);
        const struct vg_table *request = vg_client_method_row(command->method)->request;
        if (command->field != NULL) {
            assert_non_null(command->operand);
            assert_non_null(follow(request, command->field));
        }
        for (size_t j = 0; j < command->option_count; j++) {
            const struct vg_option *option = &command->options[j];
            bool flag = option->kind == VG_OPTION_KIND_YES || option->kind == VG_OPTION_KIND_NO;
            print_message("%s %s\n", command->noun, option->name);
            assert_memory_equal(option->name, "--", 2);
            assert_int_equal(option->value == NULL, flag);
            assert_non_null(option->help);
            for (size_t k = 0; k < j; k++) {
                assert_string_not_equal(option->name, command->options[k].name);
            }
            if (option->field == NULL) {
                continue;
            }
            const struct vg_field *field = follow(request, option->field);
            assert_non_null(field);
            assert_int_equal(
                option->kind == VG_OPTION_KIND_LIST || option->kind == VG_OPTION_KIND_ENTRY,
                (field->flags & VG_FIELD_REPEATED) != 0 && (field->flags & VG_FIELD_OBJECT) == 0);
            assert_int_equal(flag, field->kind == VG_KIND_BOOL);
        }
    }
}

static void test_command__columns_are_members_of_the_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < vg_command_count(); i++) {
        const struct vg_command *command = vg_command_at(i);
        const struct vg_table *answer = vg_client_method_row(command->method)->answer;
        const struct vg_field *data = follow(answer, "data");
        bool list = data != NULL && (data->flags & VG_FIELD_REPEATED) != 0;
        if (data == NULL && follow(answer, "event") != NULL) { /* told one by one */
            data = follow(answer, "event");
            list = true;
        }
        assert_int_equal(command->columns != NULL, list);
        for (size_t j = 0; j < command->column_count; j++) {
            const struct vg_field *field = follow(data->sub, command->columns[j].path);
            print_message("%s %s\n", command->noun, command->columns[j].path);
            assert_non_null(field);
            assert_int_not_equal(field->kind, VG_KIND_MESSAGE);
        }
    }
}

static void test_command__what_a_request_needs_is_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < vg_command_count(); i++) {
        const struct vg_command *command = vg_command_at(i);
        const struct vg_table *request = vg_client_method_row(command->method)->request;
        if (command->verb == NULL || strcmp(command->verb, "add") != 0) {
            continue;
        }
        for (unsigned row = 0; row < request->field_count; row++) {
            const struct vg_field *field = &request->fields[row];
            bool asked = command->field != NULL && follow(request, command->field) == field;
            bool offered = asked;
            for (size_t j = 0; j < command->option_count; j++) {
                const struct vg_option *option = &command->options[j];
                bool same = option->field != NULL && follow(request, option->field) == field;
                asked = asked || (same && option->required);
                offered = offered || same;
            }
            assert_true(offered);
            if ((field->flags & VG_FIELD_REQUIRED) != 0) {
                assert_true(asked);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command__names_are_unique_and_found),
        cmocka_unit_test(test_command__options_fill_members_of_the_request),
        cmocka_unit_test(test_command__columns_are_members_of_the_rows),
        cmocka_unit_test(test_command__what_a_request_needs_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
