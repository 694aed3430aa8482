/* EVE files: lines and arrays, and what is wrong in them, with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "tools/suricata/eve_read.h"

/* What is read from a text, one letter a step: R record, B bad, X broken, and always ended by E. */
struct steps {
    char letters[16];
    uint64_t lines[16];
    uint64_t elements[16];
    enum vg_reason reasons[16];
    int n[16]; /* member "n" of a record */
    size_t count;
};

static struct steps read_all(const char *text, size_t size)
{
    struct steps steps = { .count = 0 };
    struct vg_eve_reader reader;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    rewind(file);
    vg_eve_read_init(&reader, file);
    for (size_t i = 0; i < VG_ARRAY_COUNT(steps.letters) - 1; i++) {
        struct vg_error error;
        cJSON *record = NULL;
        vg_error_init(&error, NULL);
        enum vg_eve_outcome outcome = vg_eve_read_next(&reader, &record, &error);
        steps.letters[i] = "RBEX"[outcome];
        steps.lines[i] = reader.at_line;
        steps.elements[i] = reader.element;
        steps.reasons[i] = error.reason;
        steps.count++;
        if (outcome == VG_EVE_OUTCOME_END) {
            break;
        }
        if (outcome == VG_EVE_OUTCOME_RECORD) {
            const cJSON *n = cJSON_GetObjectItem(record, "n");
            steps.n[i] = n == NULL ? -1 : n->valueint;
            cJSON_Delete(record);
        } else {
            assert_null(record);
        }
    }
    vg_eve_read_dispose(&reader);
    assert_int_equal(fclose(file), 0);
    return steps;
}

static void test_eve_read__forms_and_faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        const char *letters;
        uint64_t line; /* of the first step that is no record */
        uint64_t element;
    } rows[] = {
        { "empty file", "", "E", 1, 0 },
        { "blanks only", " \n\r\n\t", "E", 1, 0 },
        { "two lines", "{\"n\":1}\n{\"n\":2}\n", "RRE", 2, 0 },
        { "no end of line", "{\"n\":1}\n{\"n\":2}", "RRE", 2, 0 },
        { "carriage returns and blank lines", "{\"n\":1}\r\n\r\n{\"n\":2}\r\n", "RRE", 3, 0 },
        { "byte order mark", "\xEF\xBB\xBF{\"n\":1}\n", "RE", 1, 0 },
        { "half a byte order mark", "\xEF{\"n\":1}\n{}\n", "BRE", 1, 0 },
        { "a bad line", "{\"n\":1}\n{\"n\":\n{\"n\":2}\n", "RBRE", 2, 0 },
        { "no object", "7\n{}\n", "BRE", 1, 0 },
        { "two objects on a line", "{} {}\n{}\n", "BRE", 1, 0 },
        { "not UTF-8", "{\"a\":\"\xC3\x28\"}\n{}\n", "BRE", 1, 0 },
        { "empty array", "[]", "E", 1, 0 },
        { "array", "[\n{\"n\":1},\n{\"n\":2}\n]\n", "RRE", 3, 2 },
        { "brackets in texts", "[{\"a\":\"]},\\\"\"},{\"n\":2}]", "RRE", 1, 2 },
        { "a bad element", "[{\"n\":1},\n{\"n\":},\n{\"n\":2}]", "RBRE", 2, 2 },
        { "an element that is no object", "[1,\n{\"n\":2}]", "BRE", 1, 1 },
        { "an empty element", "[{},,{}]", "RBRE", 1, 2 },
        { "array not closed", "[{\"n\":1},\n{\"n\":2}\n", "RRXE", 3, 2 },
        { "array cut within an element", "[{\"n\":1},\n{\"n\":2", "RXE", 2, 2 },
        { "array cut within a text", "[{\"n\":1},\n{\"n", "RXE", 2, 2 },
        { "array not closed behind a comma", "[{\"n\":1},", "RXE", 1, 1 },
        { "text behind the array", "[{\"n\":1}] x", "RXE", 1, 1 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        struct steps steps = read_all(rows[i].text, strlen(rows[i].text));
        assert_string_equal(steps.letters, rows[i].letters);
        size_t at = strspn(steps.letters, "R");
        assert_int_equal(steps.lines[at], rows[i].line);
        assert_int_equal(steps.elements[at], rows[i].element);
        if (steps.letters[at] != 'E') {
            assert_int_equal(steps.reasons[at], VG_INVALID_JSON);
        }
    }
}

static void test_eve_read__a_nul_byte_is_refused_and_an_escaped_one_replaced(void **state)
{
    (void)state;
    struct steps steps = read_all("{\"n\":1\0}\n{\"n\":2}\n", 17);
    assert_string_equal(steps.letters, "BRE");

    static const char text[] = "{\"a\":\"x\\u0000y\",\"b\":\"\\\\u0000\"}\n";
    struct vg_eve_reader reader;
    struct vg_error error;
    cJSON *record = NULL;
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fputs(text, file);
    rewind(file);
    vg_error_init(&error, NULL);
    vg_eve_read_init(&reader, file);
    assert_int_equal(vg_eve_read_next(&reader, &record, &error), VG_EVE_OUTCOME_RECORD);
    assert_string_equal(cJSON_GetObjectItem(record, "a")->valuestring, "x\xEF\xBF\xBDy");
    assert_string_equal(cJSON_GetObjectItem(record, "b")->valuestring, "\\u0000");
    cJSON_Delete(record);
    vg_eve_read_dispose(&reader);
    (void)fclose(file);
}

/* A record of exactly `size` bytes, behind `before` and before `after`. */
static struct steps read_sized(const char *before, size_t size, const char *after)
{
    size_t start = strlen(before);
    size_t end = strlen(after);
    char *text = malloc(start + size + end + 1);
    assert_non_null(text);
    memcpy(text, before, start);
    memset(text + start, 'x', size);
    memcpy(text + start, "{\"a\":\"", 6);
    memcpy(text + start + size - 2, "\"}", 2);
    memcpy(text + start + size, after, end);
    struct steps steps = read_all(text, start + size + end);
    free(text);
    return steps;
}

static void test_eve_read__a_record_has_a_largest_size(void **state)
{
    (void)state;
    size_t most = VG_EVE_RECORD_BYTES_MAX;
    assert_string_equal(read_sized("", most, "\n{}\n").letters, "RRE");
    assert_string_equal(read_sized("[", most, ",{}]").letters, "RRE");
    for (size_t more = 1; more <= 3; more++) {
        struct steps steps = read_sized("{}\n", most + more, "\n{\"n\":3}\n");
        assert_string_equal(steps.letters, "RBRE");
        assert_int_equal(steps.lines[1], 2);
        assert_int_equal(steps.reasons[1], VG_REQUEST_TOO_LARGE);
        assert_int_equal(steps.n[2], 3);
        assert_string_equal(read_sized("[{},", most + more, ",{}]").letters, "RBRE");
    }
}

static void test_eve_read__depth_that_cjson_does_not_take_is_a_bad_record(void **state)
{
    (void)state;
    size_t size = 5000;
    char *text = malloc(2 * size + 16);
    assert_non_null(text);
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', size);
    memset(text + 5 + size, ']', size);
    memcpy(text + 5 + 2 * size, "}\n{}\n", 5);
    assert_string_equal(read_all(text, 2 * size + 10).letters, "BRE");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eve_read__forms_and_faults),
        cmocka_unit_test(test_eve_read__a_nul_byte_is_refused_and_an_escaped_one_replaced),
        cmocka_unit_test(test_eve_read__a_record_has_a_largest_size),
        cmocka_unit_test(test_eve_read__depth_that_cjson_does_not_take_is_a_bad_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
