#include "rpc/handlers/submission_pages.h"

#include "core/base/settings.h"
#include "core/node/node.h"
#include "rpc/handlers/submission_calls.h"
#include "rpc/handlers/submission_view.h"
#include "rpc/service/service.h"

/* More rows than these are an export, which may hold its snapshot as long as a stream. */
#define VG_PAGE_MAX 1000

static enum vg_reason next_row(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct vg_submission_pages *pages = VG_CONTAINER_OF(rows, struct vg_submission_pages, rows);
    struct vg_submission_record record;
    enum vg_reason reason =
        vg_submission_cursor_next(&pages->cursor, arena, &record, out_end, error);
    if (reason != VG_OK || *out_end) {
        return reason;
    }
    Vigil__Sampledb__V2__Submission *shown =
        vg_submission_view_make(pages->directory, &record, arena);
    if (shown == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_row = (struct vg_reply_row){ .message = &shown->base };
    return VG_OK;
}

static void close_rows(struct vg_rows *rows)
{
    struct vg_submission_pages *pages = VG_CONTAINER_OF(rows, struct vg_submission_pages, rows);
    vg_submission_cursor_close(&pages->cursor);
    vg_directory_snapshot_unref(pages->directory);
}

static const struct vg_rows_class submission_rows_class = { .next = next_row, .close = close_rows };

struct vg_submission_pages *vg_submission_pages_begin(struct vg_call *call)
{
    struct vg_submission_pages *pages = vg_arena_calloc(&call->arena, 1, sizeof(*pages));
    if (pages != NULL) {
        pages->rows.class = &submission_rows_class;
        pages->directory = vg_directory_snapshot(call->service->node->directory);
    }
    return pages;
}

void vg_submission_pages_close(struct vg_submission_pages *pages)
{
    close_rows(&pages->rows);
}

enum vg_reason vg_submission_pages_end(
    struct vg_call *call,
    struct vg_submission_pages *pages,
    enum vg_reason reason)
{
    if (reason != VG_OK) {
        close_rows(&pages->rows);
        return reason;
    }
    call->reply.count = (int64_t)pages->cursor.match_count;
    call->reply.rows = &pages->rows;
    return VG_OK;
}

struct vg_submission_viewer vg_submission_pages_viewer(
    const struct vg_call *call,
    const struct vg_submission_pages *pages)
{
    return (struct vg_submission_viewer){
        .principal = call->principal,
        .directory = pages->directory,
        .now = call->now,
    };
}

struct vg_submission_store vg_submission_pages_store(const struct vg_call *call)
{
    const struct vg_settings *settings = call->service->settings;
    bool is_long = (call->method->flags & VG_METHOD_STREAMS) != 0 || call->reply.limit == 0 ||
                   call->reply.limit > VG_PAGE_MAX;
    return vg_submission_calls_store(
        call,
        is_long ? settings->stream_snapshot_age_ms : settings->snapshot_age_ms);
}

enum vg_reason vg_submission_pages_check(void *owner, struct vg_error *error)
{
    (void)error; /* the call's own */
    return vg_call_check(owner);
}
