/* Command lines: what is taken, what is refused, and the requests they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vigil/arguments.h"

#include "vigil/admin/v1/customer.pb-c.h"
#include "vigil/admin/v1/key.pb-c.h"
#include "vigil/events/v2/submit.pb-c.h"
#include "vigil/sampledb/v2/sample_criteria.pb-c.h"
#include "vigil/sampledb/v2/submission.pb-c.h"

#define ARENA_MAX (1u << 20)
#define WORDS_MAX 32

static struct vg_arguments arguments;

/* Take words, separated by "|", for a command. */
static enum vg_reason take(
    const char *noun,
    const char *verb,
    const char *line,
    struct vg_error *error)
{
    static char text[512];
    char *words[WORDS_MAX];
    int count = 0;
    int used = 0;
    const struct vg_command *command = vg_command_find(noun, verb, &used);
    assert_non_null(command);
    (void)snprintf(text, sizeof(text), "%s", line);
    for (char *at = text; *line != '\0' && at != NULL;) {
        words[count++] = strsep(&at, "|");
    }
    vg_error_init(error, NULL);
    return vg_arguments_take(command, count, words, &arguments, error);
}

static ProtobufCMessage *request(
    const char *noun,
    const char *verb,
    const char *line,
    struct vg_arena *arena)
{
    struct vg_error error;
    ProtobufCMessage *message = NULL;
    int used = 0;
    assert_int_equal(take(noun, verb, line, &error), VG_OK);
    const struct vg_command *command = vg_command_find(noun, verb, &used);
    vg_error_init(&error, arena);
    assert_int_equal(
        vg_arguments_request(
            &arguments,
            command,
            vg_client_method_row(command->method)->request,
            arena,
            &message,
            &error),
        VG_OK);
    return message;
}

static void test_arguments__what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *noun;
        const char *verb;
        const char *line;
        const char *message; /* NULL = it is taken */
    } rows[] = {
        { "customer", "add", "acme|--id|1|--name|Acme", NULL },
        { "customer", "add", "--name=Acme|--id=1|acme", NULL },
        { "customer", "add", "--id|1|--name|Acme|--|--odd", NULL },
        { "customer", "add", "acme|--id|1", "--name is missing" },
        { "customer", "add", "--id|1|--name|n", "SHORTNAME is missing" },
        { "customer", "add", "a|b", "nothing is known to do with b" },
        { "customer", "add", "a|--nope|1", "unknown option --nope" },
        { "customer", "add", "a|--i|1", "unknown option --i" },
        { "customer", "add", "a|-x", "unknown option -x" },
        { "customer", "add", "a|--id", "--id needs a value" },
        { "customer", "add", "a|--not-in-production=1", "--not-in-production takes no value" },
        { "customer", "add", "a|--id|1|--name|\xFF", "the value of --name is not UTF-8 text" },
        { "customer", "add", "\xFF", "SHORTNAME is not UTF-8 text" },
        { "customer", "list", "", NULL },
        { "customer", "list", "a", "nothing is known to do with a" },
        { "event", "submit", "--property|novalue", "--property takes KEY=VALUE" },
        { "event", "submit", "--property|=", NULL },
        { "import", "suricata", "a|-|b", NULL },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_error error;
        enum vg_reason reason = take(rows[i].noun, rows[i].verb, rows[i].line, &error);
        print_message("%s\n", rows[i].line);
        assert_int_equal(reason, rows[i].message == NULL ? VG_OK : VG_CONFIG);
        if (rows[i].message != NULL) {
            assert_string_equal(error.message, rows[i].message);
        }
    }
}

static void test_arguments__have_a_largest_number(void **state)
{
    (void)state;
    static char *words[2 * VG_ARGUMENTS_MAX + 2];
    static char option[] = "--limit";
    static char value[] = "1";
    int used = 0;
    const struct vg_command *command = vg_command_find("customer", "list", &used);
    for (size_t i = 0; i < VG_ARRAY_COUNT(words); i++) {
        words[i] = i % 2 == 0 ? option : value;
    }
    struct vg_error error;
    vg_error_init(&error, NULL);
    assert_int_equal(
        vg_arguments_take(command, 2 * VG_ARGUMENTS_MAX, words, &arguments, &error),
        VG_OK);
    assert_int_equal(
        vg_arguments_take(command, 2 * VG_ARGUMENTS_MAX + 2, words, &arguments, &error),
        VG_CONFIG);
}

static void test_arguments__the_last_value_counts(void **state)
{
    (void)state;
    struct vg_error error;
    assert_int_equal(take("event", "search", "--json|a|--json=b|--limit|-1", &error), VG_OK);
    assert_string_equal(vg_arguments_value(&arguments, "--json"), "b");
    assert_string_equal(vg_arguments_value(&arguments, "--limit"), "-1");
    assert_null(vg_arguments_value(&arguments, "--ip"));
    assert_true(vg_arguments_has(&arguments, "--json"));
    assert_true(vg_arguments_has_field(&arguments));
    assert_int_equal(take("event", "search", "--json|a", &error), VG_OK);
    assert_false(vg_arguments_has_field(&arguments));
}

static void test_arguments__make_requests(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, ARENA_MAX);
    const Vigil__Admin__V1__AddCustomerRequest *customer =
        (const Vigil__Admin__V1__AddCustomerRequest *)(const void *)request(
            "customer",
            "add",
            "acme|--id|9007199254740993|--name|A, B|--not-in-production",
            &arena);
    assert_string_equal(customer->short_name, "acme");
    assert_int_equal(customer->id, INT64_C(9007199254740993)); /* more than a double holds */
    assert_string_equal(customer->name, "A, B");
    assert_true(customer->has_in_production && !customer->in_production);
    assert_null(customer->parent);

    const Vigil__Admin__V1__AddKeyRequest *key =
        (const Vigil__Admin__V1__AddKeyRequest *)(const void *)request(
            "key",
            "add",
            "--user|u|--role|ADMIN,,EVENT-VIEWER|--role|CASE-VIEWER|--customer|a,b",
            &arena);
    assert_int_equal(key->n_role, 3);
    assert_int_equal(key->role[2], VIGIL__ADMIN__V1__ROLE__ROLE_CASE_VIEWER);
    assert_int_equal(key->n_customer, 2);
    assert_int_equal(key->n_source, 0);

    const Vigil__Events__V2__SubmitRequest *event =
        (const Vigil__Events__V2__SubmitRequest *)(const void *)request(
            "event",
            "submit",
            "--customer|c|--uuid|u|--source-ip|1.2.3.4|--source-port|7|--property|a=1=2|--property|"
            "a=x|"
            "--property|b=|--case|7,8|--finalized",
            &arena);
    assert_string_equal(event->id->parts->customer, "c");
    assert_string_equal(event->id->parts->uuid, "u");
    assert_string_equal(event->source->ip, "1.2.3.4");
    assert_int_equal(event->source->port, 7);
    assert_null(event->destination);
    assert_int_equal(event->n_properties, 2);
    assert_string_equal(event->properties[0]->key, "a");
    assert_int_equal(event->properties[0]->n_values, 2);
    assert_string_equal(event->properties[0]->values[0], "1=2");
    assert_int_equal(event->n_associated_case_ids, 2);
    assert_true(event->finalized);
    vg_arena_dispose(&arena);
}

static void test_arguments__keys_have_one_value_and_operands_make_a_list(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    vg_arena_init(&arena, ARENA_MAX);
    const Vigil__Sampledb__V2__AddSubmissionRequest *added =
        (const Vigil__Sampledb__V2__AddSubmissionRequest *)(const void *)
            request("sample", "upload", "f|--meta|a.b=1=2|--meta|c=|--meta|a.b=last", &arena);
    assert_int_equal(added->n_meta_data, 2);
    for (size_t i = 0; i < added->n_meta_data; i++) {
        bool first = strcmp(added->meta_data[i]->key, "a.b") == 0;
        assert_string_equal(added->meta_data[i]->value, first ? "last" : "");
    }
    assert_int_equal(take("sample", "upload", "f|--meta|key", &error), VG_CONFIG);
    assert_int_equal(take("sample", "upload", "", &error), VG_CONFIG);
    const Vigil__Sampledb__V2__SampleSearchRequest *search =
        (const Vigil__Sampledb__V2__SampleSearchRequest *)(const void *)
            request("sample", "search", "one|two, three", &arena);
    assert_int_equal(search->n_keywords, 2);
    assert_string_equal(search->keywords[1], "two, three");
    search = (const Vigil__Sampledb__V2__SampleSearchRequest *)(const void *)
        request("sample", "search", "", &arena);
    assert_int_equal(search->n_keywords, 0); /* none is as good */
    vg_arena_dispose(&arena);
}

static void test_arguments__a_value_of_the_wrong_kind_is_refused_with_its_member(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    ProtobufCMessage *message = NULL;
    int used = 0;
    const struct vg_command *command = vg_command_find("event", "submit", &used);
    vg_arena_init(&arena, ARENA_MAX);
    assert_int_equal(take("event", "submit", "--source-port|x|--severity|dire", &error), VG_OK);
    vg_error_init(&error, &arena);
    assert_int_not_equal(
        vg_arguments_request(
            &arguments,
            command,
            vg_client_method_row(command->method)->request,
            &arena,
            &message,
            &error),
        VG_OK);
    assert_int_equal(error.violations.count, 2);
    assert_string_equal(error.violations.items[0].field, "source.port");
    assert_string_equal(error.violations.items[1].field, "severity");
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments__what_is_wrong_is_named),
        cmocka_unit_test(test_arguments__have_a_largest_number),
        cmocka_unit_test(test_arguments__the_last_value_counts),
        cmocka_unit_test(test_arguments__make_requests),
        cmocka_unit_test(test_arguments__keys_have_one_value_and_operands_make_a_list),
        cmocka_unit_test(test_arguments__a_value_of_the_wrong_kind_is_refused_with_its_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
