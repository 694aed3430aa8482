/* Bodies of answers in every form, from rows made here; and the limits of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "core/base/settings.h"
#include "gateway/envelope/reply_body.h"
#include "gateway/envelope/reply_csv.h"
#include "gateway/envelope/reply_xlsx.h"
#include "rpc/service/service.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

/* --- What dispatch has of a call ----------------------------------------------------------------
 */

static bool is_cancelled;

enum vg_reason vg_call_check(struct vg_call *call)
{
    return is_cancelled ? vg_error_set(&call->error, VG_CANCELLED, NULL) : VG_OK;
}

struct note_rows {
    struct vg_rows rows;
    int64_t next;
    int64_t end;
    int64_t fails; /* -1 = none */
    const char *text;
};

static enum vg_reason notes_next(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    struct note_rows *own = VG_CONTAINER_OF(rows, struct note_rows, rows);
    assert_false(takes_wire);
    if (own->next == own->fails) {
        return vg_error_set(error, VG_SNAPSHOT_EXPIRED, NULL);
    }
    if (own->next == own->end) {
        *out_end = true;
        return VG_OK;
    }
    Vigil__Sketch__Note *note = vg_arena_alloc(arena, sizeof(*note));
    assert_non_null(note);
    vigil__sketch__note__init(note);
    note->text = vg_arena_text(arena, vg_bytes_text(own->text));
    note->has_stamp = true;
    note->stamp = own->next++;
    out_row->message = &note->base;
    return VG_OK;
}

static const struct vg_rows_class notes_class = { .next = notes_next };

struct place {
    struct vg_settings settings;
    struct vg_service service;
    struct vg_method method;
    struct vg_call call;
    struct vg_reply_body body;
    struct note_rows rows;
    struct vg_buffer all;
    char folder[64];
};

static void place_open(struct place *place, enum vg_format format, int64_t count)
{
    memset(place, 0, sizeof(*place));
    vg_settings_init(&place->settings);
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/vigil-reply-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    char setting[80];
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)snprintf(setting, sizeof(setting), "data=%s", place->folder);
    assert_int_equal(vg_settings_set(&place->settings, setting, &error), VG_OK);
    place->service.settings = &place->settings;
    place->method = (struct vg_method){ .envelope = VG_ENVELOPE_LIST,
                                        .element = &vg_table_vigil_sketch_note,
                                        .success = 200 };
    place->call.method = &place->method;
    place->call.service = &place->service;
    vg_arena_init(&place->call.arena, 1u << 20);
    vg_buffer_init(&place->call.out, 16u << 20);
    vg_error_init(&place->call.error, &place->call.arena);
    place->rows =
        (struct note_rows){ .rows.class = &notes_class, .end = count, .fails = -1, .text = "a" };
    place->call.reply =
        (struct vg_reply){ .rows = &place->rows.rows, .limit = 7, .offset = 0, .count = count };
    vg_reply_body_init(&place->body);
    place->body.format = format;
    vg_buffer_init(&place->all, 64u << 20);
    is_cancelled = false;
}

static void place_close(struct place *place)
{
    vg_reply_body_dispose(&place->body);
    vg_buffer_dispose(&place->all);
    vg_buffer_dispose(&place->call.out);
    vg_arena_dispose(&place->call.arena);
    assert_int_equal(rmdir(place->folder), 0); /* nothing is left in it */
}

/* All parts into place->all; the most a part took in *out_most. */
static enum vg_reason pull(struct place *place, size_t *out_most)
{
    size_t most = 0;
    while (!place->call.out_done) {
        enum vg_reason reason = vg_reply_body_write(&place->body, &place->call);
        if (reason != VG_OK) {
            return reason;
        }
        most = place->call.out.size > most ? place->call.out.size : most;
        vg_buffer_append(&place->all, place->call.out.data, place->call.out.size);
        vg_buffer_clear(&place->call.out);
    }
    if (out_most != NULL) {
        *out_most = most;
    }
    return VG_OK;
}

static void assert_all(const struct place *place, const char *text)
{
    if (!vg_bytes_equal(vg_buffer_bytes(&place->all), vg_bytes_text(text))) {
        fail_msg("got %.*s\nnot %s", (int)place->all.size, (const char *)place->all.data, text);
    }
}

/* --- Forms --------------------------------------------------------------------------------------
 */

static void check_form(enum vg_format format, int64_t count, const char *type, const char *text)
{
    struct place place;
    place_open(&place, format, count);
    assert_int_equal(pull(&place, NULL), VG_OK);
    assert_all(&place, text);
    assert_string_equal(vg_reply_body_type(&place.body, &place.call), type);
    place_close(&place);
}

static void test_reply_body__lists_in_every_form(void **state)
{
    (void)state;
    check_form(
        VG_FORMAT_JSON,
        2,
        "application/json; charset=UTF-8",
        "{\"responseCode\":200,\"limit\":7,\"offset\":0,\"count\":2,\"metaData\":{},\"messages\":[]"
        ","
        "\"data\":[{\"text\":\"a\",\"stamp\":0},{\"text\":\"a\",\"stamp\":1}],\"size\":2}");
    check_form(
        VG_FORMAT_JSON,
        0,
        "application/json; charset=UTF-8",
        "{\"responseCode\":200,\"limit\":7,\"offset\":0,\"count\":0,\"metaData\":{},\"messages\":[]"
        ","
        "\"data\":[],\"size\":0}");
    check_form(
        VG_FORMAT_JSONL,
        2,
        "application/jsonl",
        "{\"text\":\"a\",\"stamp\":0}\n{\"text\":\"a\",\"stamp\":1}\n");
    check_form(VG_FORMAT_JSONL, 0, "application/jsonl", "");
    check_form(VG_FORMAT_CSV, 2, "text/csv; charset=UTF-8", "text,stamp\r\na,0\r\na,1\r\n");
    check_form(VG_FORMAT_CSV, 0, "text/csv; charset=UTF-8", "text,stamp\r\n");
}

static void test_reply_body__parts_stay_small(void **state)
{
    (void)state;
    for (int format = 0; format <= VG_FORMAT_XLSX; format++) {
        struct place place;
        size_t most = 0;
        place_open(&place, (enum vg_format)format, 50000);
        assert_int_equal(pull(&place, &most), VG_OK);
        assert_true(most <= VG_CALL_FIRST_BYTES + 200);
        assert_true(place.all.size > 3 * VG_CALL_FIRST_BYTES);
        place_close(&place);
    }
}

static void test_reply_body__failures_come_through(void **state)
{
    (void)state;
    for (int format = 0; format <= VG_FORMAT_XLSX; format++) {
        struct place place;
        place_open(&place, (enum vg_format)format, 50000);
        place.rows.fails = 49000;
        assert_int_equal(pull(&place, NULL), VG_SNAPSHOT_EXPIRED);
        assert_false(place.call.out_done);
        assert_int_equal(place.all.size > 0, format != VG_FORMAT_XLSX);
        place_close(&place);
        place_open(&place, (enum vg_format)format, 50000);
        is_cancelled = true;
        assert_int_equal(pull(&place, NULL), VG_CANCELLED);
        place_close(&place);
    }
}

static void test_reply_body__one_object_is_one_row(void **state)
{
    (void)state;
    Vigil__Sketch__Note note = VIGIL__SKETCH__NOTE__INIT;
    char text[] = "only";
    note.text = text;
    static const struct {
        enum vg_format format;
        const char *text;
    } rows[] = { { VG_FORMAT_CSV, "text,stamp\r\nonly,\r\n" },
                 { VG_FORMAT_JSONL, "{\"text\":\"only\",\"stamp\":null}\n" } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct place place;
        place_open(&place, rows[i].format, 0);
        place.method.envelope = VG_ENVELOPE_OBJECT;
        place.method.answer = &vg_table_vigil_sketch_note;
        place.call.reply.answer = &note.base;
        assert_int_equal(pull(&place, NULL), VG_OK);
        assert_all(&place, rows[i].text);
        place_close(&place);
    }
}

/* --- CSV ----------------------------------------------------------------------------------------
 */

static void test_reply_body__texts_as_csv(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        { "", "" },
        { "plain text", "plain text" },
        { "a,b", "\"a,b\"" },
        { "say \"hi\"", "\"say \"\"hi\"\"\"" },
        { "two\nlines", "\"two\nlines\"" },
        { "two\r\nlines", "\"two\r\nlines\"" },
        { "\"", "\"\"\"\"" },
        { "=1+1", "'=1+1" },
        { "+1", "'+1" },
        { "-1", "'-1" },
        { "@SUM(A1)", "'@SUM(A1)" },
        { "\tx", "'\tx" },
        { "\rx", "\"'\rx\"" },
        { "=A1,\"x\"", "\"'=A1,\"\"x\"\"\"" },
        { "a=1", "a=1" },
        { "'=1", "'=1" },
        { "\nx", "\"\nx\"" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_buffer out;
        vg_buffer_init(&out, 100);
        vg_reply_csv_put_text(&out, vg_bytes_text(rows[i].text));
        if (!vg_bytes_equal(vg_buffer_bytes(&out), vg_bytes_text(rows[i].field))) {
            fail_msg("%s: got %.*s", rows[i].text, (int)out.size, (const char *)out.data);
        }
        vg_buffer_dispose(&out);
    }
}

/* --- Spreadsheets -------------------------------------------------------------------------------
 */

static void test_reply_body__a_spreadsheet_is_an_archive_of_known_length(void **state)
{
    (void)state;
    struct place place;
    place_open(&place, VG_FORMAT_XLSX, 1000);
    place.call.reply.limit = 0;
    assert_int_equal(pull(&place, NULL), VG_OK);
    assert_memory_equal(place.all.data, "PK\003\004", 4);
    assert_int_equal(place.body.length, place.all.size);
    place_close(&place);
}

static void test_reply_body__a_spreadsheet_has_so_many_rows(void **state)
{
    (void)state;
    assert_true(vg_reply_xlsx_fits(VG_LIMIT_XLSX_ROWS));
    assert_false(vg_reply_xlsx_fits(VG_LIMIT_XLSX_ROWS + 1));
    struct place place;
    place_open(&place, VG_FORMAT_XLSX, VG_LIMIT_XLSX_ROWS + 1);
    place.call.reply.limit = 0;
    assert_int_equal(pull(&place, NULL), VG_RESULTSET_TOO_LARGE);
    assert_int_equal(place.rows.next, 0); /* refused before a row was read */
    assert_string_equal(place.call.error.parameter, "1048575");
    place_close(&place);
    /* Rows that an offset or limit leaves out do not count. */
    place_open(&place, VG_FORMAT_XLSX, 3);
    place.call.reply.count = VG_LIMIT_XLSX_ROWS + 4;
    place.call.reply.offset = 4;
    place.call.reply.limit = 0;
    assert_int_equal(pull(&place, NULL), VG_OK);
    place_close(&place);
    place_open(&place, VG_FORMAT_XLSX, 3);
    place.call.reply.count = INT64_C(1) << 40;
    place.call.reply.limit = 3;
    assert_int_equal(pull(&place, NULL), VG_OK);
    place_close(&place);
}

static void test_reply_body__texts_longer_than_a_cell_are_cut(void **state)
{
    (void)state;
    const size_t size = VG_XLSX_CELL_MAX + 1;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    for (size_t less = 0; less <= 1; less++) {
        struct place place;
        place_open(&place, VG_FORMAT_XLSX, 2);
        place.rows.text = text + less;
        assert_int_equal(pull(&place, NULL), VG_OK);
        place_close(&place);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_body__lists_in_every_form),
        cmocka_unit_test(test_reply_body__parts_stay_small),
        cmocka_unit_test(test_reply_body__failures_come_through),
        cmocka_unit_test(test_reply_body__one_object_is_one_row),
        cmocka_unit_test(test_reply_body__texts_as_csv),
        cmocka_unit_test(test_reply_body__a_spreadsheet_is_an_archive_of_known_length),
        cmocka_unit_test(test_reply_body__a_spreadsheet_has_so_many_rows),
        cmocka_unit_test(test_reply_body__texts_longer_than_a_cell_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
