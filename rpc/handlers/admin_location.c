/* vigil.admin.v1.AdminService: locations. */
#include "proto/contract_handlers.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"

#include "vigil/record/v1/directory.pb-c.h"

static const void *find_location(const struct vg_directory_snapshot *snapshot, struct vg_bytes name)
{
    return vg_directory_location_named(snapshot, name);
}

static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    (void)snapshot;
    return ((const struct vg_location *)object)->customer_id;
}

static bool fill_location(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    const struct vg_location *location = object;
    Vigil__Admin__V1__Location *answer = (Vigil__Admin__V1__Location *)message;
    answer->has_id = true;
    answer->id = location->id;
    answer->short_name = vg_answer_text(location->short_name);
    answer->name = vg_answer_text(location->name);
    answer->time_zone = vg_answer_text(location->time_zone);
    answer->has_created_timestamp = true;
    answer->created_timestamp = location->created;
    if (location->customer_id == 0) {
        return true;
    }
    answer->customer = vg_admin_view_customer(view, location->customer_id);
    return answer->customer != NULL;
}

const struct vg_admin_kind vg_admin_location_kind = {
    .kind = VG_DIRECTORY_LOCATION,
    .find = find_location,
    .customer = customer_of,
    .fill = fill_location,
};

/* The customer of the location. Only who covers all customers may add a location of all. */
static const struct vg_customer *resolve_customer(
    struct vg_admin_references *references,
    const char *text)
{
    if (text == NULL) {
        vg_admin_reference_need_all(references);
        return NULL;
    }
    return vg_admin_reference_customer(
        references,
        &(struct vg_admin_member){ "customer", "customer", -1, text });
}

static enum vg_reason prepare_location(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddLocationRequest *request =
        (const Vigil__Admin__V1__AddLocationRequest *)call->request;
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    const char *time_zone = request->time_zone != NULL ? request->time_zone : "UTC";
    vg_admin_reference_check_short_name(&references, request->short_name);
    vg_admin_reference_check_zone(&references, "timeZone", time_zone);
    const struct vg_customer *customer = resolve_customer(&references, request->customer);
    enum vg_reason reason = vg_admin_reference_end(&references);
    reason = reason == VG_OK ? vg_admin_change_set_id(change, request->id) : reason;
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Record__V1__Location record = VIGIL__RECORD__V1__LOCATION__INIT;
    record.has_id = true;
    record.id = request->id;
    record.short_name = request->short_name;
    record.name = request->name;
    record.has_customer_id = customer != NULL;
    record.customer_id = customer == NULL ? 0 : customer->id;
    record.time_zone = vg_answer_text(time_zone);
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    return vg_admin_change_add(change, &record.base);
}

int vg_admin_v1_add_location(
    struct vg_call *call,
    const Vigil__Admin__V1__AddLocationRequest *request,
    Vigil__Admin__V1__Location *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_location_kind, prepare_location, &answer->base);
}

int vg_admin_v1_get_location(
    struct vg_call *call,
    const Vigil__Admin__V1__GetLocationRequest *request,
    Vigil__Admin__V1__Location *answer)
{
    return vg_admin_view_show(call, &vg_admin_location_kind, request->location, &answer->base);
}

int vg_admin_v1_list_locations(
    struct vg_call *call,
    const Vigil__Admin__V1__ListLocationsRequest *request,
    Vigil__Admin__V1__LocationList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_location_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}
