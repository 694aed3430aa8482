#include "gateway/envelope/reply_xlsx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "core/base/limits.h"
#include "core/base/settings.h"
#include "core/base/text_number.h"
#include "core/base/utf8.h"
#include "rpc/service/service.h"

/* Whole numbers beyond it are no doubles. */
#define EXACT_MAX INT64_C(9007199254740992)
/* Rows of one turn on an executor thread: others wait for it. */
#define ROWS_AT_ONCE 500u
/* Beyond so many rows the sheet may outgrow what a plain archive can hold. */
#define ZIP64_ROWS 200000u

struct vg_workbook {
    int file; /* unnamed; libxlsxwriter writes to it by its name under /proc/self/fd */
    lxw_workbook *book;
    lxw_worksheet *sheet;
};

bool vg_reply_xlsx_fits(uint64_t rows)
{
    return rows <= VG_LIMIT_XLSX_ROWS;
}

static enum vg_reason too_large(struct vg_call *call)
{
    char most[VG_TEXT_NUMBER_SIZE];
    (void)vg_text_number_print_int64(VG_LIMIT_XLSX_ROWS, most);
    (void)vg_error_set(&call->error, VG_RESULTSET_TOO_LARGE, NULL);
    return vg_error_field(&call->error, NULL, most);
}

/* How many rows will come, as far as that is known. */
static uint64_t rows_to_come(const struct vg_call *call)
{
    const struct vg_reply *reply = &call->reply;
    if (call->method->envelope != VG_ENVELOPE_LIST) {
        return 1;
    }
    if (reply->count < 0) {
        return (uint64_t)reply->limit;
    }
    int64_t rest = reply->count > reply->offset ? reply->count - reply->offset : 0;
    return (uint64_t)(reply->limit > 0 && reply->limit < rest ? reply->limit : rest);
}

/* A file without a name in `folder`, for reading and writing; -1 with errno. */
static int open_unnamed(const char *folder)
{
    char path[4096];
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) {
        return file;
    }
    if (snprintf(path, sizeof(path), "%s/.spreadsheet-XXXXXX", folder) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    file = mkostemp(path, O_CLOEXEC);
    if (file >= 0) {
        (void)unlink(path);
    }
    return file;
}

static enum vg_reason cannot_write(struct vg_call *call, const char *what)
{
    enum vg_reason reason = errno == ENOSPC ? VG_STORE_FULL : VG_STORE_IO;
    (void)vg_error_set(&call->error, reason, NULL);
    vg_error_detail(&call->error, "spreadsheet: %s: %s", what, strerrordesc_np(errno));
    return reason;
}

static enum vg_reason open_book(struct vg_reply_body *body, struct vg_call *call)
{
    const char *folder = call->service->settings->data;
    char name[64];
    struct vg_workbook *workbook = calloc(1, sizeof(*workbook));
    if (workbook == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    workbook->file = open_unnamed(folder);
    body->workbook = workbook;
    if (workbook->file < 0) {
        return cannot_write(call, folder);
    }
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", workbook->file);
    lxw_workbook_options options = {
        .constant_memory = LXW_TRUE,
        .tmpdir = (char *)(uintptr_t)folder, /* not written to */
        .use_zip64 = rows_to_come(call) > ZIP64_ROWS ? LXW_TRUE : LXW_FALSE,
    };
    workbook->book = workbook_new_opt(name, &options);
    workbook->sheet =
        workbook->book == NULL ? NULL : workbook_add_worksheet(workbook->book, "data");
    return workbook->sheet == NULL ? cannot_write(call, "a new one") : VG_OK;
}

/* A text with a NUL, cut to what a cell may hold; in `scratch` when it has to be copied. */
static const char *cell_text(struct vg_bytes text, struct vg_buffer *scratch)
{
    if (text.size <= VG_XLSX_CELL_MAX || vg_utf8_count(text) <= VG_XLSX_CELL_MAX) {
        return (const char *)text.data;
    }
    struct vg_bytes part = vg_utf8_cut(text, VG_XLSX_CELL_MAX);
    if (part.data != scratch->data) {
        vg_buffer_clear(scratch);
        vg_buffer_append(scratch, part.data, part.size);
    } else {
        scratch->size = part.size;
    }
    vg_buffer_append_byte(scratch, '\0');
    return scratch->failed ? NULL : (const char *)scratch->data;
}

static lxw_error put_cell(
    lxw_worksheet *sheet,
    lxw_row_t row,
    lxw_col_t column,
    const struct vg_flat_cell *cell,
    struct vg_buffer *scratch)
{
    char text[VG_TEXT_NUMBER_SIZE];
    switch (cell->kind) {
    case VG_FLAT_EMPTY:
        return LXW_NO_ERROR;
    case VG_FLAT_REAL:
        return worksheet_write_number(sheet, row, column, cell->real, NULL);
    case VG_FLAT_INTEGER:
        if (cell->integer <= EXACT_MAX && cell->integer >= -EXACT_MAX) {
            return worksheet_write_number(sheet, row, column, (double)cell->integer, NULL);
        }
        (void)vg_text_number_print_int64(cell->integer, text);
        return worksheet_write_string(sheet, row, column, text, NULL);
    case VG_FLAT_TEXT: {
        const char *kept = cell_text(cell->text, scratch);
        return kept == NULL ? LXW_ERROR_MEMORY_MALLOC_FAILED
                            : worksheet_write_string(sheet, row, column, kept, NULL);
    }
    }
    return LXW_NO_ERROR;
}

static enum vg_reason put_head(struct vg_reply_body *body, struct vg_call *call)
{
    if (!vg_flat_columns_make(vg_reply_body_table(call), &call->arena, &body->flat)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t i = 0; i < body->flat.count; i++) {
        const char *name = body->flat.items[i].name;
        if (worksheet_write_string(body->workbook->sheet, 0, (lxw_col_t)i, name, NULL) !=
            LXW_NO_ERROR) {
            return vg_error_set(&call->error, VG_INTERNAL, NULL);
        }
    }
    return VG_OK;
}

static enum vg_reason put_row(
    struct vg_reply_body *body,
    struct vg_call *call,
    const ProtobufCMessage *row)
{
    for (size_t i = 0; i < body->flat.count; i++) {
        struct vg_flat_cell cell;
        if (!vg_flat_column_read(&body->flat.items[i], row, &body->scratch, &cell)) {
            return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
        lxw_error failed = put_cell(
            body->workbook->sheet,
            (lxw_row_t)body->rows, /* row 0 holds the names */
            (lxw_col_t)i,
            &cell,
            &body->scratch);
        if (failed != LXW_NO_ERROR) {
            (void)vg_error_set(&call->error, VG_INTERNAL, NULL);
            vg_error_detail(&call->error, "spreadsheet: %s", lxw_strerror(failed));
            return VG_INTERNAL;
        }
    }
    return VG_OK;
}

/* Some rows; *out_end when there are no more. */
static enum vg_reason put_rows(struct vg_reply_body *body, struct vg_call *call, bool *out_end)
{
    *out_end = false;
    for (unsigned i = 0; i < ROWS_AT_ONCE && !*out_end; i++) {
        const ProtobufCMessage *row = NULL;
        enum vg_reason reason = vg_reply_body_next(body, call, &row);
        if (reason == VG_OK && row == NULL) {
            *out_end = true;
        } else if (reason == VG_OK) {
            reason = vg_reply_xlsx_fits(body->rows) ? put_row(body, call, row) : too_large(call);
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

/* Complete the file and go back to its start. */
static enum vg_reason close_book(struct vg_reply_body *body, struct vg_call *call)
{
    struct vg_workbook *workbook = body->workbook;
    errno = 0;
    lxw_error failed = workbook_close(workbook->book);
    workbook->book = NULL;
    struct stat status;
    if (failed != LXW_NO_ERROR) {
        return cannot_write(call, lxw_strerror(failed));
    }
    if (fstat(workbook->file, &status) != 0) {
        return cannot_write(call, "its size");
    }
    body->length = (int64_t)status.st_size;
    body->begun = true;
    return VG_OK;
}

/* The next step towards the file; body->begun is set by the last. */
static enum vg_reason make_file(struct vg_reply_body *body, struct vg_call *call)
{
    bool end = false;
    enum vg_reason reason = VG_OK;
    if (body->workbook == NULL) {
        if (!vg_reply_xlsx_fits(rows_to_come(call))) {
            return too_large(call);
        }
        reason = open_book(body, call);
        if (reason == VG_OK) {
            reason = put_head(body, call);
        }
    }
    if (reason == VG_OK) {
        reason = put_rows(body, call, &end);
    }
    return reason == VG_OK && end ? close_book(body, call) : reason;
}

static enum vg_reason put_part(struct vg_reply_body *body, struct vg_call *call)
{
    const size_t most = vg_call_part_bytes(call);
    if (!vg_buffer_reserve(&call->out, most)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    ssize_t size =
        pread(body->workbook->file, call->out.data + call->out.size, most, (off_t)body->raw_sent);
    if (size <= 0) {
        return cannot_write(call, "reading it back");
    }
    call->out.size += (size_t)size;
    body->raw_sent += (size_t)size;
    call->out_done = (int64_t)body->raw_sent == body->length;
    return VG_OK;
}

enum vg_reason vg_reply_xlsx_write(struct vg_reply_body *body, struct vg_call *call)
{
    enum vg_reason reason = body->begun ? VG_OK : make_file(body, call);
    return reason == VG_OK && body->begun ? put_part(body, call) : reason;
}

void vg_reply_xlsx_dispose(struct vg_reply_body *body)
{
    struct vg_workbook *workbook = body->workbook;
    if (workbook == NULL) {
        return;
    }
    lxw_workbook_free(workbook->book);
    if (workbook->file >= 0) {
        (void)close(workbook->file);
    }
    free(workbook);
    body->workbook = NULL;
}
