/* vigil.sampledb.v2.SampleService: samples that criteria ask for. */
#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/node/node.h"
#include "core/samples/sample_search.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/sample_calls.h"
#include "rpc/handlers/sample_criteria_read.h"
#include "rpc/handlers/sample_view.h"
#include "rpc/handlers/search_explain.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* The rows of one answer. Lives in the arena of its call. */
struct sample_rows {
    struct vg_rows rows;
    struct vg_sample_cursor cursor;
    const struct vg_directory_snapshot *directory;
};

static enum vg_reason next_sample(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct sample_rows *samples = VG_CONTAINER_OF(rows, struct sample_rows, rows);
    struct vg_sample_record record;
    enum vg_reason reason = vg_sample_cursor_next(&samples->cursor, arena, &record, out_end, error);
    if (reason != VG_OK || *out_end) {
        return reason;
    }
    Vigil__Sampledb__V2__SampleMetaData *shown = vg_arena_alloc(arena, sizeof(*shown));
    if (shown == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__sampledb__v2__sample_meta_data__init(shown);
    *out_row = (struct vg_reply_row){ .message = &shown->base };
    return vg_sample_view_fill(samples->directory, &record, arena, shown)
               ? VG_OK
               : vg_error_set(error, VG_REQUEST_MEMORY, NULL);
}

static void close_samples(struct vg_rows *rows)
{
    struct sample_rows *samples = VG_CONTAINER_OF(rows, struct sample_rows, rows);
    vg_sample_cursor_close(&samples->cursor);
    vg_directory_snapshot_unref(samples->directory);
}

static const struct vg_rows_class sample_rows_class = { .next = next_sample,
                                                        .close = close_samples };

static enum vg_reason check_call(void *owner, struct vg_error *error)
{
    struct vg_call *call = owner;
    VG_ASSERT(error == &call->error);
    return vg_call_check(call);
}

/* An even number of a SortBy sorts ascending, the odd one above it descending; half of it is the
 * field. NULL when the arena is full. */
static struct vg_sample_sort *read_sort(
    struct vg_call *call,
    const Vigil__Sampledb__V2__SampleSortBy *keys,
    size_t count)
{
    struct vg_sample_sort *sort = vg_arena_alloc(&call->arena, (count + 1) * sizeof(*sort));
    for (size_t i = 0; sort != NULL && i < count; i++) {
        sort[i].field = (enum vg_sample_sort_field)((unsigned)keys[i] >> 1);
        sort[i].descending = ((unsigned)keys[i] & 1) != 0;
    }
    return sort;
}

/* Find the page and make it the reply. `search` has all but what the call knows. */
static int answer_search(struct vg_call *call, struct vg_sample_search *search)
{
    const struct vg_node *node = call->service->node;
    struct sample_rows *samples = vg_arena_calloc(&call->arena, 1, sizeof(*samples));
    if (samples == NULL || search->sort == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    samples->rows.class = &sample_rows_class;
    samples->directory = vg_directory_snapshot(node->directory);
    search->viewer = (struct vg_submission_viewer){ .principal = call->principal,
                                                    .directory = samples->directory,
                                                    .now = call->now };
    search->secret = node->format.secret;
    search->check = check_call;
    search->owner = call;
    search->explain = vg_search_explain_begin(call);
    const struct vg_sample_store source =
        vg_sample_calls_store(call, node->settings->stream_snapshot_age_ms);
    uint64_t begun_ns = vg_clock_monotonic_ns(call->service->clock);
    enum vg_reason reason =
        vg_sample_search_run(&source, search, &call->arena, &samples->cursor, &call->error);
    vg_metrics_observe(
        VG_METRIC_search_seconds,
        vg_clock_monotonic_ns(call->service->clock) - begun_ns);
    if (reason != VG_OK) {
        vg_directory_snapshot_unref(samples->directory);
        return (int)reason;
    }
    call->reply.rows = &samples->rows;
    call->reply.limit = search->limit;
    call->reply.offset = search->offset;
    call->reply.count = (int64_t)samples->cursor.match_count;
    return VG_OK;
}

static int search_samples(struct vg_call *call)
{
    const Vigil__Sampledb__V2__SampleSearchRequest *request =
        (const Vigil__Sampledb__V2__SampleSearchRequest *)call->request;
    struct vg_sample_criteria criteria;
    if (!vg_sample_criteria_read(&request->base, &call->arena, &criteria)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_sample_search search = {
        .criteria = &criteria,
        .index_start = vg_sample_calls_index_start(call, request->index_start_timestamp),
        .index_end = vg_sample_calls_index_end(call, request->index_end_timestamp),
        .sort = read_sort(call, request->sort_by, request->n_sort_by),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_SAMPLE_LIMIT_DEFAULT,
        .offset = request->offset,
    };
    return answer_search(call, &search);
}

int vg_sampledb_v2_search_samples(
    struct vg_call *call,
    const Vigil__Sampledb__V2__SampleSearchRequest *request,
    Vigil__Sampledb__V2__SampleMetaDataList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, search_samples);
}

static int list_samples(struct vg_call *call)
{
    const Vigil__Sampledb__V2__ListSamplesRequest *request =
        (const Vigil__Sampledb__V2__ListSamplesRequest *)call->request;
    struct vg_sample_criteria criteria;
    vg_sample_criteria_read_list(request, &criteria);
    struct vg_sample_search search = {
        .criteria = &criteria,
        .index_start = vg_sample_calls_index_start(call, request->index_start_timestamp),
        .index_end = vg_sample_calls_index_end(call, request->index_end_timestamp),
        .sort = read_sort(call, request->sort_by, request->n_sort_by),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_SAMPLE_LIMIT_DEFAULT,
        .offset = request->offset,
    };
    return answer_search(call, &search);
}

int vg_sampledb_v2_list_samples(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSamplesRequest *request,
    Vigil__Sampledb__V2__SampleMetaDataList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_samples);
}
