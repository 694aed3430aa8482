/* vigil.admin.v1.AdminService: users. */
#include "core/access/principal.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/service/service.h"

#include "vigil/record/v1/directory.pb-c.h"

static const void *find_user(const struct vg_directory_snapshot *snapshot, struct vg_bytes name)
{
    return vg_directory_user_named(snapshot, name);
}

static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    (void)snapshot;
    return ((const struct vg_user *)object)->customer_id;
}

static bool fill_groups(
    Vigil__Admin__V1__User *answer,
    const struct vg_user *user,
    const struct vg_admin_view *view)
{
    answer->groups = vg_arena_calloc(view->arena, user->group_count + 1, sizeof(answer->groups[0]));
    if (answer->groups == NULL) {
        return false;
    }
    for (size_t i = 0; i < user->group_count; i++) {
        answer->groups[i] = vg_admin_view_group(view, user->group_ids[i]);
        if (answer->groups[i] == NULL) {
            return false;
        }
        answer->n_groups++;
    }
    return true;
}

static bool fill_user(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    const struct vg_user *user = object;
    Vigil__Admin__V1__User *answer = (Vigil__Admin__V1__User *)message;
    answer->has_id = true;
    answer->id = user->id;
    answer->short_name = vg_answer_text(user->short_name);
    answer->name = vg_answer_text(user->name);
    answer->customer = vg_admin_view_customer(view, user->customer_id);
    answer->time_zone = vg_answer_text(user->time_zone);
    answer->has_disabled = true;
    answer->disabled = user->disabled;
    answer->has_created_timestamp = true;
    answer->created_timestamp = user->created;
    return answer->customer != NULL && fill_groups(answer, user, view);
}

const struct vg_admin_kind vg_admin_user_kind = {
    .kind = VG_DIRECTORY_USER,
    .find = find_user,
    .customer = customer_of,
    .fill = fill_user,
};

/* The ids of the groups the request names, in `out_ids`, which has room for all of them. */
static void resolve_groups(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddUserRequest *request,
    int64_t *out_ids)
{
    for (size_t i = 0; i < request->n_group; i++) {
        const struct vg_group *group = vg_admin_reference_group(
            references,
            &(struct vg_admin_member){ "group", "group", (int)i, request->group[i] });
        out_ids[i] = group == NULL ? 0 : group->id;
    }
}

static enum vg_reason add_record(
    struct vg_admin_change *change,
    const struct vg_customer *customer,
    int64_t id,
    int64_t *group_ids)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddUserRequest *request =
        (const Vigil__Admin__V1__AddUserRequest *)call->request;
    Vigil__Record__V1__User record = VIGIL__RECORD__V1__USER__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = request->short_name;
    record.name = request->name != NULL ? request->name : request->short_name;
    record.has_customer_id = true;
    record.customer_id = customer->id;
    record.n_group_ids = request->n_group;
    record.group_ids = group_ids;
    record.time_zone = request->time_zone;
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    record.has_created_by_user_id = true;
    record.created_by_user_id = call->principal->user_id;
    return vg_admin_change_add(change, &record.base);
}

static enum vg_reason prepare_user(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddUserRequest *request =
        (const Vigil__Admin__V1__AddUserRequest *)call->request;
    int64_t *group_ids = vg_arena_calloc(&call->arena, request->n_group + 1, sizeof(*group_ids));
    if (group_ids == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    vg_admin_reference_check_short_name(&references, request->short_name);
    const struct vg_customer *customer = vg_admin_reference_customer(
        &references,
        &(struct vg_admin_member){ "customer", "customer", -1, request->customer });
    resolve_groups(&references, request, group_ids);
    if (request->time_zone != NULL) {
        vg_admin_reference_check_zone(&references, "timeZone", request->time_zone);
    }
    enum vg_reason reason = vg_admin_reference_end(&references);
    int64_t id = 0;
    if (reason == VG_OK) {
        id = vg_directory_take_subject_id(call->service->node->directory);
        reason = vg_admin_change_set_id(change, id);
    }
    return reason == VG_OK ? add_record(change, customer, id, group_ids) : reason;
}

static enum vg_reason prepare_disabling(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const char *name = ((const Vigil__Admin__V1__DisableUserRequest *)call->request)->user;
    const struct vg_user *user = vg_admin_change_find(change, snapshot, name);
    if (user == NULL) {
        return call->error.reason;
    }
    if (user->disabled) {
        change->is_done = true;
        return VG_OK;
    }
    struct vg_directory_record record;
    enum vg_reason reason = vg_directory_record_read(
        call->service->node->directory,
        &(struct vg_directory_name){ .kind = VG_DIRECTORY_USER, .id = user->id },
        &call->arena,
        &record,
        &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Record__V1__User *edited = (Vigil__Record__V1__User *)record.message;
    edited->has_disabled = true;
    edited->disabled = true;
    edited->has_last_updated_timestamp = true;
    edited->last_updated_timestamp = call->now;
    edited->has_last_updated_by_user_id = true;
    edited->last_updated_by_user_id = call->principal->user_id;
    return vg_admin_change_replace(change, &record);
}

int vg_admin_v1_add_user(
    struct vg_call *call,
    const Vigil__Admin__V1__AddUserRequest *request,
    Vigil__Admin__V1__User *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_user_kind, prepare_user, &answer->base);
}

int vg_admin_v1_get_user(
    struct vg_call *call,
    const Vigil__Admin__V1__GetUserRequest *request,
    Vigil__Admin__V1__User *answer)
{
    return vg_admin_view_show(call, &vg_admin_user_kind, request->user, &answer->base);
}

int vg_admin_v1_list_users(
    struct vg_call *call,
    const Vigil__Admin__V1__ListUsersRequest *request,
    Vigil__Admin__V1__UserList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_user_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}

int vg_admin_v1_disable_user(
    struct vg_call *call,
    const Vigil__Admin__V1__DisableUserRequest *request,
    Vigil__Admin__V1__User *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_user_kind, prepare_disabling, &answer->base);
}
