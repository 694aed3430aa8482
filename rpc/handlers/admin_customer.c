/* vigil.admin.v1.AdminService: customers. */
#include <strings.h>

#include "core/access/bootstrap.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"

#include "vigil/record/v1/directory.pb-c.h"

static const void *find_customer(const struct vg_directory_snapshot *snapshot, struct vg_bytes name)
{
    return vg_directory_customer_named(snapshot, name);
}

static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    (void)snapshot;
    return ((const struct vg_customer *)object)->id;
}

static Vigil__Admin__V1__Domain *make_domain(
    const struct vg_customer *customer,
    struct vg_arena *arena)
{
    Vigil__Admin__V1__Domain *domain = vg_arena_alloc(arena, sizeof(*domain));
    if (domain != NULL) {
        vigil__admin__v1__domain__init(domain);
        domain->has_id = true;
        domain->id = (int32_t)customer->domain_id;
        domain->name = vg_answer_text(customer->domain_name);
    }
    return domain;
}

static bool fill_customer(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    const struct vg_customer *customer = object;
    Vigil__Admin__V1__Customer *answer = (Vigil__Admin__V1__Customer *)message;
    answer->has_id = true;
    answer->id = customer->id;
    answer->short_name = vg_answer_text(customer->short_name);
    answer->name = vg_answer_text(customer->name);
    answer->domain = make_domain(customer, view->arena);
    answer->has_in_production = true;
    answer->in_production = customer->in_production;
    answer->has_created_timestamp = true;
    answer->created_timestamp = customer->created;
    if (customer->parent_id != 0) {
        answer->parent = vg_admin_view_customer(view, customer->parent_id);
    }
    return answer->domain != NULL && (customer->parent_id == 0 || answer->parent != NULL);
}

const struct vg_admin_kind vg_admin_customer_kind = {
    .kind = VG_DIRECTORY_CUSTOMER,
    .find = find_customer,
    .customer = customer_of,
    .fill = fill_customer,
};

/* The domain a new customer gets. */
struct domain {
    int32_t id;
    const char *name;
    bool is_new;
};

static struct domain domain_of(const struct vg_customer *customer)
{
    return (struct domain){ (int32_t)customer->domain_id, customer->domain_name, false };
}

/* The server's domain: that of the operator's customer. */
static struct domain server_domain(const struct vg_directory_snapshot *snapshot)
{
    const struct vg_customer *home = vg_directory_customer(snapshot, VG_ACCESS_OPERATOR_ID);
    return home != NULL
               ? domain_of(home)
               : (struct domain){ VG_DIRECTORY_DOMAIN_ID, VG_DIRECTORY_DOMAIN_NAME, false };
}

/* The domain of that name, of whatever customer it is, or a new one with the next id. */
static struct domain find_domain(const struct vg_directory_snapshot *snapshot, const char *name)
{
    struct domain server = server_domain(snapshot);
    if (strcasecmp(name, server.name) == 0) {
        return server;
    }
    int64_t largest = server.id;
    size_t count = vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER);
    for (size_t i = 0; i < count; i++) {
        const struct vg_customer *customer = vg_directory_at(snapshot, VG_DIRECTORY_CUSTOMER, i);
        if (strcasecmp(name, customer->domain_name) == 0) {
            return domain_of(customer);
        }
        largest = customer->domain_id > largest ? customer->domain_id : largest;
    }
    return (struct domain){ (int32_t)(largest + 1), name, true };
}

/* The name given, else the parent's domain, else the server's. */
static struct domain choose_domain(
    struct vg_admin_references *references,
    const struct vg_customer *parent,
    const char *name)
{
    if (name == NULL) {
        return parent == NULL ? server_domain(references->snapshot) : domain_of(parent);
    }
    bool printable = name[0] != '\0';
    for (const char *at = name; *at != '\0'; at++) {
        printable = printable && *at > ' ' && *at <= '~';
    }
    if (!printable) {
        vg_admin_reference_refuse_value(
            references,
            "domain",
            name,
            "The name of a domain is made of printable ASCII characters without blanks");
    }
    return find_domain(references->snapshot, name);
}

/* The customer it becomes a sub-customer of. Only who covers all customers may add one without. */
static const struct vg_customer *resolve_parent(
    struct vg_admin_references *references,
    const char *text)
{
    if (text == NULL) {
        vg_admin_reference_need_all(references);
        return NULL;
    }
    const struct vg_customer *parent = vg_admin_reference_customer(
        references,
        &(struct vg_admin_member){ "parent", "parent", -1, text });
    int depth = 1;
    for (const struct vg_customer *above = parent;
         above != NULL && depth <= VG_DIRECTORY_CUSTOMER_DEPTH_MAX;
         depth++) {
        above = vg_directory_customer(references->snapshot, above->parent_id);
    }
    if (depth > VG_DIRECTORY_CUSTOMER_DEPTH_MAX) {
        vg_admin_reference_refuse_value(
            references,
            "parent",
            text,
            "The parent has too many customers above it");
    }
    return parent;
}

static enum vg_reason prepare_customer(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddCustomerRequest *request =
        (const Vigil__Admin__V1__AddCustomerRequest *)call->request;
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    vg_admin_reference_check_short_name(&references, request->short_name);
    const struct vg_customer *parent = resolve_parent(&references, request->parent);
    struct domain domain = choose_domain(&references, parent, request->domain);
    enum vg_reason reason = vg_admin_reference_end(&references);
    reason = reason == VG_OK ? vg_admin_change_set_id(change, request->id) : reason;
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
    record.has_id = true;
    record.id = request->id;
    record.short_name = request->short_name;
    record.name = request->name;
    record.has_parent_id = parent != NULL;
    record.parent_id = parent == NULL ? 0 : parent->id;
    record.has_domain_id = true;
    record.domain_id = domain.id;
    record.domain_name = vg_answer_text(domain.name);
    record.has_in_production = true;
    record.in_production = !request->has_in_production || request->in_production;
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    reason = vg_admin_change_add(change, &record.base);
    if (reason == VG_OK && domain.is_new) {
        vg_directory_change_reserve_domain(
            &change->directory,
            domain.id,
            vg_bytes_text(domain.name));
    }
    return reason;
}

int vg_admin_v1_add_customer(
    struct vg_call *call,
    const Vigil__Admin__V1__AddCustomerRequest *request,
    Vigil__Admin__V1__Customer *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_customer_kind, prepare_customer, &answer->base);
}

int vg_admin_v1_get_customer(
    struct vg_call *call,
    const Vigil__Admin__V1__GetCustomerRequest *request,
    Vigil__Admin__V1__Customer *answer)
{
    return vg_admin_view_show(call, &vg_admin_customer_kind, request->customer, &answer->base);
}

int vg_admin_v1_list_customers(
    struct vg_call *call,
    const Vigil__Admin__V1__ListCustomersRequest *request,
    Vigil__Admin__V1__CustomerList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_customer_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}
