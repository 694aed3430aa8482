/* vigil.admin.v1.AdminService: cases. */
#include "core/base/text_number.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"

#include "vigil/record/v1/directory.pb-c.h"

static const void *find_case(const struct vg_directory_snapshot *snapshot, struct vg_bytes name)
{
    int64_t id;
    return vg_text_number_parse_int64(name, &id) ? vg_directory_case(snapshot, id) : NULL;
}

static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    (void)snapshot;
    return ((const struct vg_case *)object)->customer_id;
}

static bool fill_readers(
    Vigil__Admin__V1__Case *answer,
    const struct vg_case *item,
    const struct vg_admin_view *view)
{
    answer->readers =
        vg_arena_calloc(view->arena, item->reader_count + 1, sizeof(answer->readers[0]));
    if (answer->readers == NULL) {
        return false;
    }
    for (size_t i = 0; i < item->reader_count; i++) {
        answer->readers[i] = vg_admin_view_user(view, item->readers[i]);
        if (answer->readers[i] == NULL) {
            return false;
        }
        answer->n_readers++;
    }
    return true;
}

/* Status and priority have the same numbers in the record and here; a contract test says so. */
static bool fill_case(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    const struct vg_case *item = object;
    Vigil__Admin__V1__Case *answer = (Vigil__Admin__V1__Case *)message;
    answer->has_id = true;
    answer->id = item->id;
    answer->customer = vg_admin_view_customer(view, item->customer_id);
    answer->subject = vg_answer_text(item->subject);
    answer->has_merged_into = item->merged_into != 0;
    answer->merged_into = item->merged_into;
    answer->has_status = true;
    answer->status = (Vigil__Admin__V1__CaseStatus)item->status;
    answer->has_priority = true;
    answer->priority = (Vigil__Admin__V1__Priority)item->priority;
    answer->has_category_id = item->category_id != 0;
    answer->category_id = item->category_id;
    answer->category_name = vg_answer_text(item->category_name);
    answer->service = vg_answer_text(item->service);
    answer->description = vg_answer_text(item->description);
    answer->has_created_timestamp = true;
    answer->created_timestamp = item->created;
    return answer->customer != NULL && fill_readers(answer, item, view);
}

const struct vg_admin_kind vg_admin_case_kind = {
    .kind = VG_DIRECTORY_CASE,
    .find = find_case,
    .customer = customer_of,
    .fill = fill_case,
};

/* The ids of the users the request names as readers, in `out_ids`, which has room for them. */
static void resolve_readers(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddCaseRequest *request,
    int64_t *out_ids)
{
    for (size_t i = 0; i < request->n_reader; i++) {
        const struct vg_user *user = vg_admin_reference_user(
            references,
            &(struct vg_admin_member){ "reader", "reader", (int)i, request->reader[i] });
        out_ids[i] = user == NULL ? 0 : user->id;
    }
}

/*
 * The case it was merged into has to be there and of the same customer. It cannot lead back to the
 * new one: cases are merged when they are added, into older ones.
 */
static void check_merged_into(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddCaseRequest *request,
    const struct vg_customer *customer)
{
    const struct vg_case *target = vg_directory_case(references->snapshot, request->merged_into);
    if (target == NULL || (customer != NULL && target->customer_id != customer->id)) {
        char text[VG_TEXT_NUMBER_SIZE];
        (void)vg_text_number_print_int64(request->merged_into, text);
        vg_admin_reference_refuse(
            references,
            &(struct vg_admin_member){ "mergedInto", "case", -1, text });
    }
}

static enum vg_reason add_record(
    struct vg_admin_change *change,
    int64_t customer_id,
    int64_t *reader_ids)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddCaseRequest *request =
        (const Vigil__Admin__V1__AddCaseRequest *)call->request;
    Vigil__Record__V1__Case record = VIGIL__RECORD__V1__CASE__INIT;
    record.has_id = true;
    record.id = request->id;
    record.has_customer_id = true;
    record.customer_id = customer_id;
    record.subject = request->subject;
    record.n_reader_ids = request->n_reader;
    record.reader_ids = reader_ids;
    record.has_merged_into_id = request->has_merged_into;
    record.merged_into_id = request->merged_into;
    record.has_status = true;
    record.status = request->has_status ? (Vigil__Record__V1__CaseStatus)request->status
                                        : VIGIL__RECORD__V1__CASE_STATUS__CASE_STATUS_PENDING_SOC;
    record.has_priority = true;
    record.priority = request->has_priority ? (Vigil__Record__V1__Priority)request->priority
                                            : VIGIL__RECORD__V1__PRIORITY__PRIORITY_MEDIUM;
    record.has_category_id = request->has_category_id;
    record.category_id = request->category_id;
    record.category_name = request->category_name;
    record.service_name = request->service;
    record.description = request->description;
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    return vg_admin_change_add(change, &record.base);
}

static enum vg_reason prepare_case(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddCaseRequest *request =
        (const Vigil__Admin__V1__AddCaseRequest *)call->request;
    int64_t *reader_ids = vg_arena_calloc(&call->arena, request->n_reader + 1, sizeof(*reader_ids));
    if (reader_ids == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    const struct vg_customer *customer = vg_admin_reference_customer(
        &references,
        &(struct vg_admin_member){ "customer", "customer", -1, request->customer });
    resolve_readers(&references, request, reader_ids);
    if (request->has_merged_into) {
        check_merged_into(&references, request, customer);
    }
    enum vg_reason reason = vg_admin_reference_end(&references);
    reason = reason == VG_OK ? vg_admin_change_set_id(change, request->id) : reason;
    return reason == VG_OK ? add_record(change, customer->id, reader_ids) : reason;
}

int vg_admin_v1_add_case(
    struct vg_call *call,
    const Vigil__Admin__V1__AddCaseRequest *request,
    Vigil__Admin__V1__Case *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_case_kind, prepare_case, &answer->base);
}

int vg_admin_v1_get_case(
    struct vg_call *call,
    const Vigil__Admin__V1__GetCaseRequest *request,
    Vigil__Admin__V1__Case *answer)
{
    char name[VG_TEXT_NUMBER_SIZE];
    (void)vg_text_number_print_int64(request->case_id, name);
    return vg_admin_view_show(call, &vg_admin_case_kind, name, &answer->base);
}

int vg_admin_v1_list_cases(
    struct vg_call *call,
    const Vigil__Admin__V1__ListCasesRequest *request,
    Vigil__Admin__V1__CaseList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_case_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}
