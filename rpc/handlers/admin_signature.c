/* vigil.admin.v1.AdminService: signatures. They belong to no customer, so all may see them. */
#include "proto/contract_handlers.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"

#include "vigil/record/v1/directory.pb-c.h"

static const void *find_signature(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name)
{
    return vg_directory_signature(snapshot, name);
}

static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    (void)snapshot;
    (void)object;
    return 0;
}

static bool fill_signature(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    (void)view;
    const struct vg_signature *signature = object;
    Vigil__Admin__V1__Signature *answer = (Vigil__Admin__V1__Signature *)message;
    answer->name = vg_answer_text(signature->name);
    answer->has_alarm_id = true;
    answer->alarm_id = signature->alarm_id;
    answer->alarm_description = vg_answer_text(signature->alarm_description);
    answer->has_category_id = true;
    answer->category_id = signature->category_id;
    answer->category_name = vg_answer_text(signature->category_name);
    answer->has_created_timestamp = true;
    answer->created_timestamp = signature->created;
    return true;
}

const struct vg_admin_kind vg_admin_signature_kind = {
    .kind = VG_DIRECTORY_SIGNATURE,
    .find = find_signature,
    .customer = customer_of,
    .fill = fill_signature,
};

static enum vg_reason prepare_signature(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddSignatureRequest *request =
        (const Vigil__Admin__V1__AddSignatureRequest *)call->request;
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    vg_admin_reference_need_all(&references);
    if (request->name[0] == '\0') {
        vg_admin_reference_refuse_value(&references, "name", "", "The name is empty");
    }
    enum vg_reason reason = vg_admin_reference_end(&references);
    if (reason != VG_OK) {
        return reason;
    }
    change->name = request->name;
    Vigil__Record__V1__Signature record = VIGIL__RECORD__V1__SIGNATURE__INIT;
    record.name = request->name;
    record.has_alarm_id = true;
    record.alarm_id = request->alarm_id;
    record.alarm_description = request->alarm_description;
    record.has_category_id = true;
    record.category_id = request->category_id;
    record.category_name = request->category_name;
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    return vg_admin_change_add(change, &record.base);
}

int vg_admin_v1_add_signature(
    struct vg_call *call,
    const Vigil__Admin__V1__AddSignatureRequest *request,
    Vigil__Admin__V1__Signature *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_signature_kind, prepare_signature, &answer->base);
}

int vg_admin_v1_get_signature(
    struct vg_call *call,
    const Vigil__Admin__V1__GetSignatureRequest *request,
    Vigil__Admin__V1__Signature *answer)
{
    return vg_admin_view_show(call, &vg_admin_signature_kind, request->signature, &answer->base);
}

int vg_admin_v1_list_signatures(
    struct vg_call *call,
    const Vigil__Admin__V1__ListSignaturesRequest *request,
    Vigil__Admin__V1__SignatureList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_signature_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}
