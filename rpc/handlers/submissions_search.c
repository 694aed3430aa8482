/* vigil.sampledb.v2.SubmissionService: the simple and the advanced search for submissions. */
#include "proto/contract_handlers.h"
#include "rpc/handlers/search_explain.h"
#include "rpc/handlers/submission_criteria_read.h"
#include "rpc/handlers/submission_pages.h"

#define SORT_NUMBER(name) (VIGIL__SAMPLEDB__V2__SUBMISSION_SORT_BY__SUBMISSION_SORT_BY_##name >> 1)
_Static_assert(
    SORT_NUMBER(FILE_NAME) == (int)VG_SUBMISSION_SORT_FILE_NAME &&
        SORT_NUMBER(MIME_TYPE) == (int)VG_SUBMISSION_SORT_MIME_TYPE &&
        SORT_NUMBER(EXPIRY_TIMESTAMP) == (int)VG_SUBMISSION_SORT_EXPIRY &&
        SORT_NUMBER(OBSERVED_TIMESTAMP) == (int)VG_SUBMISSION_SORT_OBSERVED &&
        SORT_NUMBER(SUBMITTED_TIMESTAMP) == (int)VG_SUBMISSION_SORT_SUBMITTED,
    "sort keys are numbered alike");

/* What is asked for. */
struct asked {
    struct vg_submission_criteria criteria;
    const char *index_start;
    const char *index_end;
    struct vg_submission_sort *sort;
    size_t sort_count;
};

/* An even number sorts ascending, the odd one above it descending. False when the arena is full. */
static bool read_sort(struct vg_call *call, const void *keys, size_t count, struct asked *asked)
{
    const int32_t *numbers = keys; /* every enumeration is as wide as an int */
    asked->sort = vg_arena_alloc(&call->arena, (count + 1) * sizeof(*asked->sort));
    asked->sort_count = count;
    for (size_t i = 0; asked->sort != NULL && i < count; i++) {
        asked->sort[i].field = (enum vg_submission_sort_field)((unsigned)numbers[i] >> 1);
        asked->sort[i].descending = (numbers[i] & 1) != 0;
    }
    return asked->sort != NULL;
}

static int answer(struct vg_call *call, const struct asked *asked)
{
    struct vg_submission_pages *pages = vg_submission_pages_begin(call);
    if (pages == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_submission_criteria_context context = {
        .viewer = vg_submission_pages_viewer(call, pages),
        .arena = &call->arena,
    };
    vg_submission_criteria_read_window(call, asked->index_start, asked->index_end, &context);
    struct vg_submission_search search = {
        .sort = asked->sort,
        .sort_count = asked->sort_count,
        .limit = call->reply.limit,
        .offset = call->reply.offset,
        .check = vg_submission_pages_check,
        .owner = call,
        .explain = vg_search_explain_begin(call),
    };
    enum vg_reason reason =
        vg_submission_criteria_compile(&asked->criteria, &context, &search.where, &call->error);
    if (reason == VG_OK) {
        const struct vg_submission_store source = vg_submission_pages_store(call);
        reason =
            vg_submission_search_run(&source, &search, &call->arena, &pages->cursor, &call->error);
    }
    return (int)vg_submission_pages_end(call, pages, reason);
}

static int list_submissions(struct vg_call *call)
{
    const Vigil__Sampledb__V2__ListSubmissionsRequest *request =
        (const Vigil__Sampledb__V2__ListSubmissionsRequest *)call->request;
    struct asked asked = {
        .index_start = request->index_start_timestamp,
        .index_end = request->index_end_timestamp,
    };
    vg_submission_criteria_read_list(request, &asked.criteria);
    call->reply.limit = request->has_limit ? request->limit : VG_SUBMISSION_LIMIT_DEFAULT;
    call->reply.offset = request->offset;
    if (!read_sort(call, request->sort_by, request->n_sort_by, &asked)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    if (asked.sort_count == 0) {
        asked.sort[asked.sort_count++] =
            (struct vg_submission_sort){ VG_SUBMISSION_SORT_OBSERVED, true };
    }
    return answer(call, &asked);
}

int vg_sampledb_v2_list_submissions(
    struct vg_call *call,
    const Vigil__Sampledb__V2__ListSubmissionsRequest *request,
    Vigil__Sampledb__V2__SubmissionList *answer_)
{
    (void)request;
    (void)answer_;
    return vg_call_defer(call, list_submissions);
}

static int search_submissions(struct vg_call *call)
{
    const Vigil__Sampledb__V2__SubmissionSearchRequest *request =
        (const Vigil__Sampledb__V2__SubmissionSearchRequest *)call->request;
    struct asked asked = {
        .index_start = request->index_start_timestamp,
        .index_end = request->index_end_timestamp,
    };
    call->reply.limit = request->has_limit ? request->limit : VG_SUBMISSION_LIMIT_DEFAULT;
    call->reply.offset = request->offset;
    if (!vg_submission_criteria_read(&request->base, &call->arena, &asked.criteria) ||
        !read_sort(call, request->sort_by, request->n_sort_by, &asked)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return answer(call, &asked);
}

int vg_sampledb_v2_search_submissions(
    struct vg_call *call,
    const Vigil__Sampledb__V2__SubmissionSearchRequest *request,
    Vigil__Sampledb__V2__SubmissionList *answer_)
{
    (void)request;
    (void)answer_;
    return vg_call_defer(call, search_submissions);
}
