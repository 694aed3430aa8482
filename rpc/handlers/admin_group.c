/* vigil.admin.v1.AdminService: groups of users. */
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/service/service.h"

#include "vigil/record/v1/directory.pb-c.h"

static const void *find_group(const struct vg_directory_snapshot *snapshot, struct vg_bytes name)
{
    return vg_directory_group_named(snapshot, name);
}

static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    (void)snapshot;
    return ((const struct vg_group *)object)->customer_id;
}

static bool fill_group(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    const struct vg_group *group = object;
    Vigil__Admin__V1__Group *answer = (Vigil__Admin__V1__Group *)message;
    answer->has_id = true;
    answer->id = group->id;
    answer->short_name = vg_answer_text(group->short_name);
    answer->name = vg_answer_text(group->name);
    answer->customer = vg_admin_view_customer(view, group->customer_id);
    answer->has_created_timestamp = true;
    answer->created_timestamp = group->created;
    return answer->customer != NULL;
}

const struct vg_admin_kind vg_admin_group_kind = {
    .kind = VG_DIRECTORY_GROUP,
    .find = find_group,
    .customer = customer_of,
    .fill = fill_group,
};

static enum vg_reason prepare_group(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddGroupRequest *request =
        (const Vigil__Admin__V1__AddGroupRequest *)call->request;
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    vg_admin_reference_check_short_name(&references, request->short_name);
    const struct vg_customer *customer = vg_admin_reference_customer(
        &references,
        &(struct vg_admin_member){ "customer", "customer", -1, request->customer });
    enum vg_reason reason = vg_admin_reference_end(&references);
    int64_t id = 0;
    if (reason == VG_OK) {
        id = vg_directory_take_subject_id(call->service->node->directory);
        reason = vg_admin_change_set_id(change, id);
    }
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Record__V1__Group record = VIGIL__RECORD__V1__GROUP__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = request->short_name;
    record.name = request->name != NULL ? request->name : request->short_name;
    record.has_customer_id = true;
    record.customer_id = customer->id;
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    return vg_admin_change_add(change, &record.base);
}

int vg_admin_v1_add_group(
    struct vg_call *call,
    const Vigil__Admin__V1__AddGroupRequest *request,
    Vigil__Admin__V1__Group *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_group_kind, prepare_group, &answer->base);
}

int vg_admin_v1_get_group(
    struct vg_call *call,
    const Vigil__Admin__V1__GetGroupRequest *request,
    Vigil__Admin__V1__Group *answer)
{
    return vg_admin_view_show(call, &vg_admin_group_kind, request->group, &answer->base);
}

int vg_admin_v1_list_groups(
    struct vg_call *call,
    const Vigil__Admin__V1__ListGroupsRequest *request,
    Vigil__Admin__V1__GroupList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_group_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}
