/* The JSON reader: what it reads, and each violation with its reason and path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/field_path.h"
#include "gateway/json/json_lex.h"
#include "gateway/json/json_read.h"
#include "gateway/json/json_write.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

#define ARENA_MAX (64u << 20)

/* The documented dialect without its nulls, so that expectations stay short. */
static struct vg_json_dialect brief;

static int setup(void **state)
{
    (void)state;
    brief = vg_json_documented;
    brief.unset_shown = false;
    return 0;
}

struct reading {
    struct vg_arena arena;
    struct vg_error error;
    ProtobufCMessage *message;
    enum vg_reason reason;
};

static void read_with(
    struct reading *reading,
    const struct vg_table *table,
    struct vg_bytes text,
    const struct vg_json_dialect *dialect)
{
    vg_arena_init(&reading->arena, ARENA_MAX);
    vg_error_init(&reading->error, &reading->arena);
    reading->message = NULL;
    /* A copy of the exact size, so that a sanitizer sees a read past the end. */
    uint8_t *copy = malloc(text.size > 0 ? text.size : 1);
    assert_non_null(copy);
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    reading->reason = vg_json_read(
        table,
        vg_bytes(copy, text.size),
        dialect,
        &reading->arena,
        &reading->message,
        &reading->error);
    memset(copy, 0xAA, text.size);
    free(copy);
}

static void read_thing(struct reading *reading, const char *text)
{
    read_with(reading, &vg_table_vigil_sketch_thing, vg_bytes_text(text), &vg_json_documented);
}

static void written(
    const struct reading *reading,
    const struct vg_json_dialect *dialect,
    char *out,
    size_t size)
{
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, ARENA_MAX);
    assert_true(vg_json_write(&vg_table_vigil_sketch_thing, reading->message, dialect, &buffer));
    assert_true(buffer.size < size);
    memcpy(out, buffer.data, buffer.size);
    out[buffer.size] = '\0';
    vg_buffer_dispose(&buffer);
}

struct accepted {
    const char *name;
    const char *text;
    const char *written; /* NULL = just like `text` */
};

static const struct accepted accepted[] = {
    { "nothing", "{}", NULL },
    { "blanks",
      " \t\r\n{ \n\"small\" : 1 ,\r\n \"flag\":true\t} \n",
      "{\"small\":1,\"flag\":true}" },
    { "byte order mark", "\xEF\xBB\xBF{\"small\":1}", "{\"small\":1}" },
    { "least int32", "{\"small\":-2147483648}", NULL },
    { "most int64", "{\"big\":9223372036854775807}", NULL },
    { "least int64", "{\"big\":-9223372036854775808}", NULL },
    { "most uint64", "{\"huge\":18446744073709551615}", NULL },
    { "above doubles", "{\"big\":9007199254740993}", NULL },
    { "whole fraction", "{\"big\":5.0}", "{\"big\":5}" },
    { "whole exponent", "{\"big\":50e-1}", "{\"big\":5}" },
    { "positive exponent", "{\"big\":1.5E+3}", "{\"big\":1500}" },
    { "exact with many zeros",
      "{\"big\":9223372036854775807.000000000000000000000}",
      "{\"big\":9223372036854775807}" },
    { "zero with any exponent", "{\"big\":0e99999999999999999999}", "{\"big\":0}" },
    { "minus zero", "{\"big\":-0,\"positive\":-0.0}", "{\"big\":0,\"positive\":0}" },
    { "number as text", "{\"big\":\" 5 \",\"small\":\"-7\"}", "{\"small\":-7,\"big\":5}" },
    { "escaped number as text", "{\"big\":\"\\u0035\"}", "{\"big\":5}" },
    { "bool as text", "{\"flag\":\" true\"}", "{\"flag\":true}" },
    { "doubles",
      "{\"ratio\":52.3824,\"ratios\":[4.8995,-0.1,1e300,5e-324,0.1]}",
      "{\"ratio\":52.3824,\"ratios\":[4.8995,-0.1,1e+300,4.94065645841247e-324,0.1]}" },
    { "double as text", "{\"ratio\":\"1.25\"}", "{\"ratio\":1.25}" },
    { "enum word", "{\"level\":\"topMost\"}", NULL },
    { "enum alias", "{\"level\":\"top\"}", "{\"level\":\"topMost\"}" },
    { "escaped enum word", "{\"level\":\"\\u0068igh\"}", "{\"level\":\"high\"}" },
    { "text of number", "{\"name\":2171}", "{\"name\":\"2171\"}" },
    { "text of whole number",
      "{\"name\":5.0,\"code\":1.5e12}",
      "{\"name\":\"5\",\"code\":\"1500000000000\"}" },
    { "text of fraction", "{\"name\":1.50}", "{\"name\":\"1.50\"}" },
    { "text of minus zero", "{\"name\":-0}", "{\"name\":\"0\"}" },
    { "text of huge number",
      "{\"name\":123456789012345678901234567890}",
      "{\"name\":\"123456789012345678901234567890\"}" },
    { "text of bool",
      "{\"name\":true,\"tags\":[false,1]}",
      "{\"name\":\"true\",\"tags\":[\"false\",\"1\"]}" },
    { "time of number", "{\"at\":1569185283911}", "{\"at\":\"1569185283911\"}" },
    { "escapes",
      "{\"name\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e6\\u20AC\\ud83d\\ude00\\u001f\"}",
      "{\"name\":\"\\\"\\\\/\\b\\f\\n\\r\\t\xC3\xA6\xE2\x82\xAC\xF0\x9F\x98\x80\\u001f\"}" },
    { "UTF-8", "{\"name\":\"bl\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80\"}", NULL },
    { "long text",
      "{\"name\":\"0123456789012345678901234567890123456789\\n0123456789abcdefghijklmnopqrstuvw\"}",
      NULL },
    { "escaped name", "{\"\\u006eame\":\"x\"}", "{\"name\":\"x\"}" },
    { "base64",
      "{\"data\":\"AAEC\\/w==\",\"blobs\":[\"\",\"-_8\"]}",
      "{\"data\":\"AAEC/w==\",\"blobs\":[\"\",\"+/8=\"]}" },
    { "null member",
      "{\"small\":null,\"name\":null,\"tags\":null,\"note\":null,\"properties\":null,\"labels\":"
      "null}",
      "{}" },
    { "last duplicate", "{\"small\":1,\"small\":2}", "{\"small\":2}" },
    { "null as last duplicate",
      "{\"small\":1,\"name\":\"a\",\"tags\":[\"a\"],\"note\":{},\"data\":\"\",\"small\":null,"
      "\"name\":null,\"tags\":null,\"note\":null,\"data\":null}",
      "{}" },
    { "objects are replaced",
      "{\"note\":{\"text\":\"a\",\"stamp\":1},\"note\":{\"text\":\"b\"}}",
      "{\"note\":{\"text\":\"b\"}}" },
    { "lists are replaced", "{\"tags\":[\"a\",\"b\"],\"tags\":[\"c\"]}", "{\"tags\":[\"c\"]}" },
    { "object lists are replaced",
      "{\"properties\":{\"a\":\"1\"},\"properties\":{\"b\":\"2\"}}",
      "{\"properties\":{\"b\":[\"2\"]}}" },
    { "empty list", "{\"tags\":[],\"notes\":[ ]}", "{}" },
    { "lone values",
      "{\"tags\":\"a\",\"ports\":80,\"levels\":\"low\",\"notes\":{\"text\":\"n\"},\"flags\":true}",
      "{\"ports\":[80],\"flags\":[true],\"levels\":[\"low\"],\"tags\":[\"a\"],\"notes\":[{\"text\":"
      "\"n\"}]}" },
    { "items at the maximum", "{\"ports\":[1,2,3,4]}", NULL },
    { "list above its first room",
      "{\"wides\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
      NULL },
    { "list of texts", "{\"tags\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]}", NULL },
    { "alias", "{\"id\":{\"customerID\":\"x\"}}", "{\"id\":{\"customer\":\"x\"}}" },
    { "both names, one value",
      "{\"id\":{\"customerID\":\"x\",\"customer\":\"x\"}}",
      "{\"id\":{\"customer\":\"x\"}}" },
    { "an alias twice: the last counts",
      "{\"id\":{\"customerID\":\"x\",\"customerID\":\"y\"}}",
      "{\"id\":{\"customer\":\"y\"}}" },
    { "name that is not lowerCamel", "{\"lastID\":1}", NULL },
    { "bare text", "{\"id\":\"abc\"}", NULL },
    { "bare number as text", "{\"id\":12}", "{\"id\":\"12\"}" },
    { "bare object", "{\"id\":{\"customer\":\"x\",\"serial\":1}}", NULL },
    { "list of bare", "{\"ids\":[\"a\",{\"customer\":\"b\"},\"c\"]}", NULL },
    { "lone bare for a list", "{\"ids\":\"a\"}", "{\"ids\":[\"a\"]}" },
    { "bare null", "{\"comments\":null}", "{}" },
    { "bare empty list", "{\"comments\":[]}", NULL },
    { "bare list", "{\"comments\":[{\"text\":\"a\"},{\"text\":\"b\"}]}", NULL },
    { "bare word", "{\"includeFlag\":\"low\"}", "{\"includeFlag\":[\"low\"]}" },
    { "bare words", "{\"includeFlag\":[\"low\",\"high\"]}", NULL },
    { "bare criteria", "{\"includeFlag\":{\"severity\":[\"low\"],\"exclude\":true}}", NULL },
    { "bare scalar", "{\"count\":7}", NULL },
    { "bare replaced by another kind",
      "{\"id\":{\"customer\":\"x\"},\"id\":\"y\"}",
      "{\"id\":\"y\"}" },
    { "object list",
      "{\"properties\":{\"k\":[\"a\",\"b\"],\"l\":\"c\",\"m\":null,\"n\":[],\"k\":[1]}}",
      "{\"properties\":{\"k\":[\"a\",\"b\"],\"l\":[\"c\"],\"n\":[],\"k\":[\"1\"]}}" },
    { "map",
      "{\"labels\":{\"a\":\"b\",\"c\":null,\"d\":4,\"\":\"e\"}}",
      "{\"labels\":{\"a\":\"b\",\"d\":\"4\",\"\":\"e\"}}" },
    { "dotted map",
      "{\"facts\":{\"a\":{\"b\":{\"c\":1.5,\"n\":null},\"d.e\":true},\"f\":\"\\u00f8\"}}",
      "{\"facts\":{\"a.b.c\":\"1.5\",\"a.d.e\":\"true\",\"f\":\"\u00f8\"}}" },
    { "dotted map of nothing", "{\"facts\":{\"a\":{\"b\":{}},\"c\":null}}", "{}" },
    { "dotted map, escaped key",
      "{\"facts\":{\"\\u0061\":{\"b\\\"\":\"x\"}}}",
      "{\"facts\":{\"a.b\\\"\":\"x\"}}" },
    { "nested",
      "{\"inner\":{\"inner\":{\"small\":1}},\"things\":[{\"things\":[{}]},{\"name\":\"x\"}]}",
      NULL },
};

static void test_json_read__reads_what_the_contract_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(accepted); i++) {
        const struct accepted *row = &accepted[i];
        struct reading reading;
        read_thing(&reading, row->text);
        if (reading.reason != VG_OK) {
            fail_msg("%s: %s (%s)", row->name, reading.error.message, reading.error.field);
        }
        char text[4096];
        written(&reading, &brief, text, sizeof(text));
        const char *expected = row->written == NULL ? row->text : row->written;
        if (strcmp(text, expected) != 0) {
            fail_msg("%s: %s, not %s", row->name, text, expected);
        }
        vg_arena_dispose(&reading.arena);
    }
}

struct refused {
    const char *name;
    const char *text;
    enum vg_reason reason;
    const char *path; /* of the first violation; for bad syntax what the message ends with */
};

static const struct refused refused[] = {
    /* Syntax: rule 1. */
    { "nothing at all", "", VG_INVALID_JSON, "line 1, column 1" },
    { "no object", "[]", VG_INVALID_JSON, "line 1, column 1" },
    { "null", "null", VG_INVALID_JSON, "line 1, column 1" },
    { "no end", "{\"small\":1", VG_INVALID_JSON, "line 1, column 11" },
    { "no value", "{\"small\":}", VG_INVALID_JSON, "line 1, column 10" },
    { "no colon", "{\"small\" 1}", VG_INVALID_JSON, "line 1, column 10" },
    { "two values", "{} {}", VG_INVALID_JSON, "line 1, column 4" },
    { "trailing byte", "{}x", VG_INVALID_JSON, "line 1, column 3" },
    { "comma at the end", "{\"small\":1,}", VG_INVALID_JSON, "line 1, column 12" },
    { "comma at the end of a list", "{\"ports\":[1,]}", VG_INVALID_JSON, "line 1, column 13" },
    { "missing comma", "{\"small\":1\n \"big\":2}", VG_INVALID_JSON, "line 2, column 2" },
    { "column in characters", "{\"name\":\"\xC3\xA5\" x", VG_INVALID_JSON, "line 1, column 13" },
    { "name without quotes", "{small:1}", VG_INVALID_JSON, "line 1, column 2" },
    { "single quotes", "{'small':1}", VG_INVALID_JSON, "line 1, column 2" },
    { "remark", "{} // no", VG_INVALID_JSON, "line 1, column 4" },
    { "control character", "{\"name\":\"a\nb\"}", VG_INVALID_JSON, "line 1, column 11" },
    { "unknown escape", "{\"name\":\"\\x\"}", VG_INVALID_JSON, "line 1, column 10" },
    { "cut escape", "{\"name\":\"\\u00", VG_INVALID_JSON, "line 1, column 10" },
    { "no closing quote", "{\"name\":\"abc", VG_INVALID_JSON, "line 1, column 13" },
    { "invalid UTF-8", "{\"name\":\"a\xFF\"}", VG_INVALID_JSON, "line 1, column 11" },
    { "overlong UTF-8", "{\"name\":\"\xC0\xAF\"}", VG_INVALID_JSON, "line 1, column 10" },
    { "surrogate in UTF-8", "{\"name\":\"\xED\xA0\x80\"}", VG_INVALID_JSON, "line 1, column 10" },
    { "lone high surrogate", "{\"name\":\"\\ud800\"}", VG_INVALID_JSON, "line 1, column 10" },
    { "lone low surrogate", "{\"name\":\"\\udc00\"}", VG_INVALID_JSON, "line 1, column 10" },
    { "high surrogate twice",
      "{\"name\":\"\\ud800\\ud800\"}",
      VG_INVALID_JSON,
      "line 1, column 10" },
    { "escaped NUL", "{\"name\":\"\\u0000\"}", VG_INVALID_JSON, "line 1, column 10" },
    { "leading zero", "{\"small\":01}", VG_INVALID_JSON, "line 1, column 10" },
    { "plus sign", "{\"small\":+1}", VG_INVALID_JSON, "line 1, column 10" },
    { "no digit behind the point", "{\"small\":1.}", VG_INVALID_JSON, "line 1, column 10" },
    { "no digit before the point", "{\"small\":.5}", VG_INVALID_JSON, "line 1, column 10" },
    { "no exponent", "{\"small\":1e}", VG_INVALID_JSON, "line 1, column 10" },
    { "NaN", "{\"ratio\":NaN}", VG_INVALID_JSON, "line 1, column 10" },
    { "misspelt literal", "{\"flag\":tru}", VG_INVALID_JSON, "line 1, column 9" },
    { "misspelt null", "{\"flag\":nul", VG_INVALID_JSON, "line 1, column 9" },
    { "literal in capitals", "{\"flag\":True}", VG_INVALID_JSON, "line 1, column 9" },
    { "bad syntax in an unknown member",
      "{\"foo\":{\"a\":[1,}}",
      VG_INVALID_JSON,
      "line 1, column 16" },
    { "syntax error after a violation",
      "{\"foo\":1,\"small\":}",
      VG_INVALID_JSON,
      "line 1, column 18" },
    /* Unknown names: rule 4. */
    { "unknown member", "{\"foo\":1}", VG_UNKNOWN_FIELD, "foo" },
    { "unknown member below",
      "{\"things\":[{},{\"foo\":{\"a\":[1]}}]}",
      VG_UNKNOWN_FIELD,
      "things[1].foo" },
    { "own name of the standard dialect",
      "{\"include_flag\":\"low\"}",
      VG_UNKNOWN_FIELD,
      "include_flag" },
    { "name in other case", "{\"Small\":1}", VG_UNKNOWN_FIELD, "Small" },
    { "empty name", "{\"\":1}", VG_UNKNOWN_FIELD, "" },
    { "start of a name", "{\"smal\":1}", VG_UNKNOWN_FIELD, "smal" },
    /* Kinds. */
    { "object for a number", "{\"small\":{\"a\":1}}", VG_INVALID_FIELD_TYPE, "small" },
    { "list for a number", "{\"small\":[1]}", VG_INVALID_FIELD_TYPE, "small" },
    { "bool for a number", "{\"small\":true}", VG_INVALID_FIELD_TYPE, "small" },
    { "object for a text", "{\"name\":{}}", VG_INVALID_FIELD_TYPE, "name" },
    { "list for a text", "{\"name\":[\"a\"]}", VG_INVALID_FIELD_TYPE, "name" },
    { "object for a bool", "{\"flag\":{}}", VG_INVALID_FIELD_TYPE, "flag" },
    { "number for a bool", "{\"flag\":1}", VG_INVALID_FIELD_TYPE, "flag" },
    { "number for a word", "{\"level\":1}", VG_INVALID_FIELD_TYPE, "level" },
    { "text for an object", "{\"note\":\"a\"}", VG_INVALID_FIELD_TYPE, "note" },
    { "list for an object", "{\"note\":[{}]}", VG_INVALID_FIELD_TYPE, "note" },
    { "text for an object list", "{\"properties\":\"a\"}", VG_INVALID_FIELD_TYPE, "properties" },
    { "list for an object list", "{\"properties\":[]}", VG_INVALID_FIELD_TYPE, "properties" },
    { "object in an object list",
      "{\"properties\":{\"k\":[\"a\",{}]}}",
      VG_INVALID_FIELD_TYPE,
      "properties.k[1]" },
    { "object for a value of an object list",
      "{\"properties\":{\"k\":{}}}",
      VG_INVALID_FIELD_TYPE,
      "properties.k" },
    { "list in a map", "{\"labels\":{\"k\":[\"a\"]}}", VG_INVALID_FIELD_TYPE, "labels.k" },
    { "list for a bare text", "{\"id\":[]}", VG_INVALID_FIELD_TYPE, "id" },
    { "object for a bare number", "{\"count\":{}}", VG_INVALID_FIELD_TYPE, "count" },
    { "text for a bare list of objects",
      "{\"comments\":\"a\"}",
      VG_INVALID_FIELD_TYPE,
      "comments" },
    { "text in a bare list of objects",
      "{\"comments\":[{},\"a\"]}",
      VG_INVALID_FIELD_TYPE,
      "comments[1]" },
    { "answers only", "{\"either\":{\"text\":\"a\"}}", VG_INVALID_FIELD_TYPE, "either" },
    { "list in a list", "{\"ports\":[[1]]}", VG_INVALID_FIELD_TYPE, "ports[0]" },
    /* Values. */
    { "not whole", "{\"small\":1.5}", VG_INVALID_FIELD_VALUE, "small" },
    { "above int32", "{\"small\":2147483648}", VG_INVALID_FIELD_VALUE, "small" },
    { "below int32", "{\"small\":-2147483649}", VG_INVALID_FIELD_VALUE, "small" },
    { "above int64", "{\"big\":9223372036854775808}", VG_INVALID_FIELD_VALUE, "big" },
    { "below int64", "{\"big\":-9223372036854775809}", VG_INVALID_FIELD_VALUE, "big" },
    { "above uint64", "{\"huge\":18446744073709551616}", VG_INVALID_FIELD_VALUE, "huge" },
    { "far above uint64", "{\"huge\":1e400}", VG_INVALID_FIELD_VALUE, "huge" },
    { "negative uint32", "{\"positive\":-1}", VG_INVALID_FIELD_VALUE, "positive" },
    { "above uint32", "{\"positive\":4294967296}", VG_INVALID_FIELD_VALUE, "positive" },
    { "text that is no number", "{\"small\":\"abc\"}", VG_INVALID_FIELD_VALUE, "small" },
    { "empty text for a number", "{\"small\":\"\"}", VG_INVALID_FIELD_VALUE, "small" },
    { "text that is no bool", "{\"flag\":\"yes\"}", VG_INVALID_FIELD_VALUE, "flag" },
    { "above double", "{\"ratio\":1e400}", VG_INVALID_FIELD_VALUE, "ratio" },
    { "unknown word", "{\"level\":\"nosuch\"}", VG_INVALID_FIELD_VALUE, "level" },
    { "word in other case", "{\"level\":\"LOW\"}", VG_INVALID_FIELD_VALUE, "level" },
    { "word of number 0", "{\"level\":\"unspecified\"}", VG_INVALID_FIELD_VALUE, "level" },
    { "no base64", "{\"data\":\"a\"}", VG_INVALID_FIELD_VALUE, "data" },
    { "one item too many", "{\"ports\":[1,2,3,4,5,6]}", VG_INVALID_FIELD_VALUE, "ports" },
    { "one object too many",
      "{\"things\":[{},{},{},{\"foo\":1}]}",
      VG_INVALID_FIELD_VALUE,
      "things" },
    /* Paths: rule 3. */
    { "index and member",
      "{\"things\":[{},{},{\"name\":[]}]}",
      VG_INVALID_FIELD_TYPE,
      "things[2].name" },
    { "list of words",
      "{\"criteria\":{\"subCriteria\":[{\"subCriteria\":[{},{\"includeFlag\":{\"severity\":[\"x\"]}"
      "}]}]}}",
      VG_INVALID_FIELD_VALUE,
      "criteria.subCriteria[0].subCriteria[1].includeFlag.severity[0]" },
    { "lone value",
      "{\"criteria\":{\"severity\":\"x\"}}",
      VG_INVALID_FIELD_VALUE,
      "criteria.severity" },
    { "bare list of words",
      "{\"includeFlag\":[\"low\",\"x\"]}",
      VG_INVALID_FIELD_VALUE,
      "includeFlag[1]" },
    { "lone bare word", "{\"includeFlag\":\"x\"}", VG_INVALID_FIELD_VALUE, "includeFlag" },
    { "bare object", "{\"id\":{\"serial\":\"x\"}}", VG_INVALID_FIELD_VALUE, "id.serial" },
    { "bare list of objects",
      "{\"comments\":[{},{\"stamp\":\"x\"}]}",
      VG_INVALID_FIELD_VALUE,
      "comments[1].stamp" },
    { "list of bare",
      "{\"ids\":[\"a\",{\"serial\":true}]}",
      VG_INVALID_FIELD_TYPE,
      "ids[1].serial" },
    { "alias and name disagree",
      "{\"id\":{\"customer\":\"x\",\"customerID\":5}}",
      VG_CONFLICTING_FIELDS,
      "id.customer" },
    { "name and alias disagree",
      "{\"id\":{\"customerID\":\"x\",\"customer\":\"y\"}}",
      VG_CONFLICTING_FIELDS,
      "id.customer" },
    { "alias shows its main name",
      "{\"id\":{\"customerID\":{}}}",
      VG_INVALID_FIELD_TYPE,
      "id.customer" },
    { "long key",
      "{\"labels\":{\"0123456789012345678901234567890123456789012345678901234567890123456789\":{}}"
      "}",
      VG_INVALID_FIELD_TYPE,
      "labels.012345678901234567890123456789012345678901234567890123456789" },
    { "list in a dotted map",
      "{\"facts\":{\"a\":{\"b\":[]}}}",
      VG_INVALID_FIELD_TYPE,
      "facts.a.b" },
    { "text for a dotted map", "{\"facts\":\"a\"}", VG_INVALID_FIELD_TYPE, "facts" },
    { "one key too many in a dotted map",
      "{\"facts\":{\"a\":{\"b\":1,\"c\":1},\"d\":{\"e\":1,\"f\":1}}}",
      VG_INVALID_FIELD_VALUE,
      "facts.d.f" },
    /* null: rule 8. */
    { "null in a list", "{\"ports\":[1,null]}", VG_INVALID_FIELD_TYPE, "ports[1]" },
    { "null in a list of objects", "{\"notes\":[null]}", VG_INVALID_FIELD_TYPE, "notes[0]" },
    { "null in a bare list", "{\"comments\":[null]}", VG_INVALID_FIELD_TYPE, "comments[0]" },
    { "null in a value list",
      "{\"properties\":{\"k\":[null]}}",
      VG_INVALID_FIELD_TYPE,
      "properties.k[0]" },
};

static void test_json_read__names_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(refused); i++) {
        const struct refused *row = &refused[i];
        struct reading reading;
        read_thing(&reading, row->text);
        if (reading.reason != row->reason) {
            fail_msg("%s: reason %s", row->name, vg_reason_row(reading.reason)->name);
        }
        assert_null(reading.message);
        assert_int_equal(reading.error.reason, row->reason);
        if (row->reason == VG_INVALID_JSON) {
            assert_int_equal(reading.error.violations.count, 0);
            size_t size = strlen(reading.error.message);
            size_t tail = strlen(row->path);
            if (size < tail || strcmp(reading.error.message + size - tail, row->path) != 0) {
                fail_msg("%s: %s", row->name, reading.error.message);
            }
        } else if (
            reading.error.violations.count != 1 ||
            strcmp(reading.error.violations.items[0].field, row->path) != 0) {
            fail_msg(
                "%s: %u at %s",
                row->name,
                reading.error.violations.count,
                reading.error.violations.items[0].field);
        }
        vg_arena_dispose(&reading.arena);
    }
}

static void test_json_read__collects_all_violations(void **state)
{
    (void)state;
    struct reading reading;
    read_thing(
        &reading,
        "{\"things\":[{},{\"level\":\"nosuch\",\"foo\":1},{\"id\":{\"customer\":[]}}],\"small\":"
        "\"x\"}");
    assert_int_equal(reading.reason, VG_INVALID_FIELD_VALUE);
    assert_int_equal(reading.error.violations.count, 4);
    const struct vg_violation *items = reading.error.violations.items;
    assert_string_equal(items[0].field, "things[1].level");
    assert_string_equal(items[0].parameter, "nosuch");
    assert_string_equal(items[1].field, "things[1].foo");
    assert_string_equal(items[2].field, "things[2].id.customer");
    assert_string_equal(items[3].field, "small");
    assert_string_equal(reading.error.field, "things[1].level");
    vg_arena_dispose(&reading.arena);
}

static void test_json_read__keeps_a_hundred_violations(void **state)
{
    (void)state;
    struct vg_buffer text;
    vg_buffer_init(&text, ARENA_MAX);
    vg_buffer_append_text(&text, "{\"wides\":[true");
    for (int i = 0; i < VG_VIOLATIONS_MAX; i++) {
        vg_buffer_append_text(&text, ",true");
    }
    vg_buffer_append_text(&text, "]}");
    struct reading reading;
    read_with(&reading, &vg_table_vigil_sketch_thing, vg_buffer_bytes(&text), &vg_json_documented);
    assert_int_equal(reading.reason, VG_INVALID_FIELD_TYPE);
    assert_int_equal(reading.error.violations.count, VG_VIOLATIONS_MAX);
    assert_int_equal(reading.error.violations.found, VG_VIOLATIONS_MAX + 1);
    assert_string_equal(reading.error.violations.items[99].field, "wides[99]");
    vg_arena_dispose(&reading.arena);
    vg_buffer_dispose(&text);
}

static void append_times(struct vg_buffer *text, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        vg_buffer_append_text(text, piece);
    }
}

static enum vg_reason read_nested(size_t depth, const char *open, const char *shut)
{
    struct vg_buffer text;
    vg_buffer_init(&text, ARENA_MAX);
    append_times(&text, open, depth - 1);
    vg_buffer_append_text(&text, "{}");
    append_times(&text, shut, depth - 1);
    struct reading reading;
    read_with(&reading, &vg_table_vigil_sketch_thing, vg_buffer_bytes(&text), &vg_json_documented);
    vg_arena_dispose(&reading.arena);
    vg_buffer_dispose(&text);
    return reading.reason;
}

static void test_json_read__takes_64_levels_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(read_nested(VG_LIMIT_JSON_DEPTH, "{\"inner\":", "}"), VG_OK);
    assert_int_equal(read_nested(VG_LIMIT_JSON_DEPTH + 1, "{\"inner\":", "}"), VG_INVALID_JSON);
    /* Unknown members count too. */
    assert_int_equal(read_nested(VG_LIMIT_JSON_DEPTH, "{\"foo\":", "}"), VG_UNKNOWN_FIELD);
    assert_int_equal(read_nested(VG_LIMIT_JSON_DEPTH + 1, "{\"foo\":", "}"), VG_INVALID_JSON);
    assert_int_equal(read_nested(100000, "{\"foo\":", "}"), VG_INVALID_JSON);
}

static enum vg_reason read_values(size_t count)
{
    struct vg_buffer text;
    vg_buffer_init(&text, ARENA_MAX);
    vg_buffer_append_text(&text, "{\"wides\":[0");
    append_times(&text, ",0", count - 1);
    vg_buffer_append_text(&text, "]}");
    struct reading reading;
    read_with(&reading, &vg_table_vigil_sketch_thing, vg_buffer_bytes(&text), &vg_json_documented);
    vg_arena_dispose(&reading.arena);
    vg_buffer_dispose(&text);
    return reading.reason;
}

static void test_json_read__takes_a_million_values_and_no_more(void **state)
{
    (void)state;
    /* The object and the list are values as well. */
    assert_int_equal(read_values(VG_LIMIT_JSON_VALUES - 2), VG_OK);
    assert_int_equal(read_values(VG_LIMIT_JSON_VALUES - 1), VG_REQUEST_MEMORY);
}

static void test_json_read__stops_at_the_arenas_cap(void **state)
{
    (void)state;
    struct vg_buffer text;
    vg_buffer_init(&text, ARENA_MAX);
    vg_buffer_append_text(&text, "{\"notes\":[{}");
    append_times(&text, ",{}", 500000);
    vg_buffer_append_text(&text, "]}");
    struct vg_arena arena;
    struct vg_error error;
    ProtobufCMessage *message = NULL;
    vg_arena_init(&arena, vg_limit_arena_bytes(text.size));
    vg_error_init(&error, &arena);
    assert_int_equal(
        vg_json_read(
            &vg_table_vigil_sketch_thing,
            vg_buffer_bytes(&text),
            &vg_json_documented,
            &arena,
            &message,
            &error),
        VG_REQUEST_MEMORY);
    assert_null(message);
    assert_true(arena.used <= vg_limit_arena_bytes(text.size));
    vg_arena_dispose(&arena);
    vg_buffer_dispose(&text);
}

static void test_json_read__ends_at_every_cut_with_an_error(void **state)
{
    (void)state;
    const char *whole =
        "{\"name\":\"\\u00e6\\ud83d\\ude00\xC3\xA6\",\"ports\":[1,-2.0e1],\"properties\":{\"k\":["
        "\"v\"],\"l\":null},"
        "\"id\":{\"customer\":true},\"flag\":false,\"comments\":[{\"text\":\"t\"}],\"inner\":{}}";
    for (size_t size = 0; size < strlen(whole); size++) {
        struct reading reading;
        read_with(
            &reading,
            &vg_table_vigil_sketch_thing,
            vg_bytes(whole, size),
            &vg_json_documented);
        assert_int_equal(reading.reason, VG_INVALID_JSON);
        vg_arena_dispose(&reading.arena);
    }
}

static void test_json_read__standard_dialect_takes_messages_as_declared(void **state)
{
    (void)state;
    struct reading reading;
    read_with(
        &reading,
        &vg_table_vigil_sketch_thing,
        vg_bytes_text("{\"big\":\"5\",\"level\":\"LEVEL_HIGH\",\"levels\":[1,\"LEVEL_TOP_MOST\"],"
                      "\"id\":{\"text\":\"x\"},"
                      "\"include_flag\":{\"level\":[\"LEVEL_LOW\"]},\"comments\":{},"
                      "\"properties\":[{\"key\":\"k\",\"values\":[\"a\"]}],\"labels\":{\"a\":\"b\"}"
                      ",\"lastID\":1}"),
        &vg_json_standard);
    assert_int_equal(reading.reason, VG_OK);
    char text[4096];
    written(&reading, &vg_json_standard, text, sizeof(text));
    assert_string_equal(
        text,
        "{\"big\":\"5\",\"level\":\"LEVEL_HIGH\",\"levels\":[\"LEVEL_LOW\",\"LEVEL_TOP_MOST\"],"
        "\"comments\":{},"
        "\"id\":{\"text\":\"x\"},\"includeFlag\":{\"level\":[\"LEVEL_LOW\"]},"
        "\"properties\":[{\"key\":\"k\",\"values\":[\"a\"]}],\"labels\":{\"a\":\"b\"},\"lastID\":"
        "\"1\"}");
    written(&reading, &brief, text, sizeof(text));
    assert_string_equal(
        text,
        "{\"big\":5,\"level\":\"high\",\"levels\":[\"low\",\"topMost\"],\"comments\":[],\"id\":"
        "\"x\","
        "\"includeFlag\":[\"low\"],\"properties\":{\"k\":[\"a\"]},\"labels\":{\"a\":\"b\"},"
        "\"lastID\":1}");
    vg_arena_dispose(&reading.arena);
}

static const struct refused refused_by_standard[] = {
    { "lone value", "{\"tags\":\"a\"}", VG_INVALID_FIELD_TYPE, "tags" },
    { "number as text", "{\"name\":1}", VG_INVALID_FIELD_TYPE, "name" },
    { "bool as text", "{\"flag\":\"true\"}", VG_INVALID_FIELD_TYPE, "flag" },
    { "alias",
      "{\"id\":{\"parts\":{\"customerID\":\"x\"}}}",
      VG_UNKNOWN_FIELD,
      "id.parts.customerID" },
    { "bare text", "{\"id\":\"x\"}", VG_INVALID_FIELD_TYPE, "id" },
    { "object list", "{\"properties\":{}}", VG_INVALID_FIELD_TYPE, "properties" },
    { "documented word", "{\"level\":\"low\"}", VG_INVALID_FIELD_VALUE, "level" },
};

static void test_json_read__standard_dialect_is_not_lenient(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(refused_by_standard); i++) {
        const struct refused *row = &refused_by_standard[i];
        struct reading reading;
        read_with(
            &reading,
            &vg_table_vigil_sketch_thing,
            vg_bytes_text(row->text),
            &vg_json_standard);
        if (reading.reason != row->reason || strcmp(reading.error.field, row->path) != 0) {
            fail_msg(
                "%s: %s at %s",
                row->name,
                vg_reason_row(reading.reason)->name,
                reading.error.field);
        }
        vg_arena_dispose(&reading.arena);
    }
}

/* {"facts":{"aaa…":{"b":1}}}: a key of `size` bytes. */
static enum vg_reason read_dotted_key(size_t size)
{
    char text[VG_LIMIT_DOTTED_KEY_BYTES + 64] = "{\"facts\":{\"";
    size_t at = strlen(text);
    memset(text + at, 'a', size - 2);
    memcpy(text + at + size - 2, "\":{\"b\":1}}}", sizeof("\":{\"b\":1}}}"));
    struct reading reading;
    read_thing(&reading, text);
    if (reading.reason != VG_OK) {
        assert_int_equal(reading.error.violations.count, 1);
    }
    vg_arena_dispose(&reading.arena);
    return reading.reason;
}

static void test_json_read__joined_keys_have_a_limit(void **state)
{
    (void)state;
    assert_int_equal(read_dotted_key(VG_LIMIT_DOTTED_KEY_BYTES), VG_OK);
    assert_int_equal(read_dotted_key(VG_LIMIT_DOTTED_KEY_BYTES + 1), VG_INVALID_FIELD_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_read__reads_what_the_contract_takes),
        cmocka_unit_test(test_json_read__names_what_is_wrong),
        cmocka_unit_test(test_json_read__collects_all_violations),
        cmocka_unit_test(test_json_read__keeps_a_hundred_violations),
        cmocka_unit_test(test_json_read__takes_64_levels_and_no_more),
        cmocka_unit_test(test_json_read__takes_a_million_values_and_no_more),
        cmocka_unit_test(test_json_read__stops_at_the_arenas_cap),
        cmocka_unit_test(test_json_read__ends_at_every_cut_with_an_error),
        cmocka_unit_test(test_json_read__standard_dialect_takes_messages_as_declared),
        cmocka_unit_test(test_json_read__standard_dialect_is_not_lenient),
        cmocka_unit_test(test_json_read__joined_keys_have_a_limit),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
