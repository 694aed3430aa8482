/* vigil.account.v1.AccountService: who is calling. */
#include <strings.h>

#include "core/access/principal.h"
#include "core/access/role.h"
#include "core/base/assert.h"
#include "core/base/network.h"
#include "core/directory/directory.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* Where answers are made from. */
struct source {
    const struct vg_directory_snapshot *snapshot;
    struct vg_arena *arena;
};

static struct source open_source(struct vg_call *call)
{
    return (struct source){ vg_directory_snapshot(call->service->node->directory), &call->arena };
}

/* Whether the caller's customer is of the domain; any is when none is asked for. */
static bool is_of_domain(struct vg_call *call, const char *domain)
{
    if (domain == NULL) {
        return true;
    }
    const struct source source = open_source(call);
    const struct vg_customer *customer =
        vg_directory_customer(source.snapshot, call->principal->customer_id);
    bool same = customer != NULL && strcasecmp(customer->domain_name, domain) == 0;
    vg_directory_snapshot_unref(source.snapshot);
    return same;
}

int vg_account_v1_get_session(
    struct vg_call *call,
    const Vigil__Account__V1__GetSessionRequest *request,
    Vigil__Account__V1__Session *answer)
{
    if (!is_of_domain(call, request->domain)) {
        return (int)vg_error_set(&call->error, VG_AUTHENTICATION_FAILED, NULL);
    }
    char address[VG_NETWORK_TEXT_SIZE];
    size_t size = vg_network_print_address(&call->peer, address);
    answer->client_ip = vg_arena_text(&call->arena, vg_bytes(address, size));
    if (answer->client_ip == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    answer->has_authentication_method = true;
    answer->authentication_method =
        VIGIL__ACCOUNT__V1__AUTHENTICATION_METHOD__AUTHENTICATION_METHOD_APIKEY;
    answer->has_created_timestamp = true;
    answer->created_timestamp = call->principal->key_created;
    answer->has_password_not_set = true;
    answer->has_read_only = true;
    answer->read_only = !vg_role_writes(call->principal->roles);
    answer->has_security_level = true;
    answer->security_level = VIGIL__ACCOUNT__V1__SECURITY_LEVEL__SECURITY_LEVEL_DEFAULT;
    answer->has_timestamp = true;
    answer->timestamp = call->now;
    answer->has_valid_until_timestamp = true;
    answer->valid_until_timestamp = call->principal->key_expires;
    return VG_OK;
}

static Vigil__Account__V1__DomainInfo *make_domain(
    const struct source *source,
    const struct vg_customer *customer)
{
    Vigil__Account__V1__DomainInfo *info = vg_arena_alloc(source->arena, sizeof(*info));
    if (info != NULL) {
        vigil__account__v1__domain_info__init(info);
        info->has_id = true;
        info->id = (int32_t)customer->domain_id;
        info->name = vg_answer_text(customer->domain_name);
    }
    return info;
}

static Vigil__Account__V1__CustomerInfo *make_customer(
    const struct source *source,
    const struct vg_customer *customer)
{
    Vigil__Account__V1__CustomerInfo *info = vg_arena_alloc(source->arena, sizeof(*info));
    if (info == NULL) {
        return NULL;
    }
    vigil__account__v1__customer_info__init(info);
    info->has_id = true;
    info->id = customer->id;
    info->name = vg_answer_text(customer->name);
    info->short_name = vg_answer_text(customer->short_name);
    info->domain = make_domain(source, customer);
    return info->domain == NULL ? NULL : info;
}

/* Another user, as the record of one names it: *out_info stays NULL for nobody. False when memory
 * is out. */
static bool make_user(
    const struct source *source,
    int64_t id,
    Vigil__Account__V1__UserInfo **out_info)
{
    const struct vg_user *user = vg_directory_user(source->snapshot, id);
    if (user == NULL) {
        return true;
    }
    const struct vg_customer *customer = vg_directory_customer(source->snapshot, user->customer_id);
    VG_ASSERT(customer != NULL); /* customers are never deleted */
    Vigil__Account__V1__UserInfo *info = vg_arena_alloc(source->arena, sizeof(*info));
    if (info == NULL) {
        return false;
    }
    vigil__account__v1__user_info__init(info);
    info->has_id = true;
    info->id = user->id;
    info->has_customer_id = true;
    info->customer_id = user->customer_id;
    info->customer = make_customer(source, customer);
    info->domain = make_domain(source, customer);
    info->user_name = vg_answer_text(user->short_name);
    info->name = vg_answer_text(user->name);
    info->has_type = true;
    info->type = VIGIL__ACCOUNT__V1__SUBJECT_TYPE__SUBJECT_TYPE_USER;
    *out_info = info;
    return info->customer != NULL && info->domain != NULL;
}

/* Time zone, groups and flags. False when memory is out. */
static bool fill_account(
    const struct source *source,
    const struct vg_user *user,
    Vigil__Account__V1__CurrentUser *answer)
{
    answer->time_zone = vg_arena_alloc(source->arena, sizeof(*answer->time_zone));
    answer->ascendant_ids =
        vg_arena_calloc(source->arena, user->group_count + 1, sizeof(answer->ascendant_ids[0]));
    answer->flags = vg_arena_calloc(source->arena, 2, sizeof(answer->flags[0]));
    if (answer->time_zone == NULL || answer->ascendant_ids == NULL || answer->flags == NULL) {
        return false;
    }
    vigil__account__v1__time_zone_info__init(answer->time_zone);
    answer->time_zone->description = vg_answer_text(user->time_zone);
    for (size_t i = 0; i < user->group_count; i++) {
        answer->ascendant_ids[answer->n_ascendant_ids++] = user->group_ids[i];
    }
    answer->flags[answer->n_flags++] = VIGIL__ACCOUNT__V1__USER_FLAG__USER_FLAG_AUTH_APIKEY;
    if (user->disabled) { /* since the call was authenticated */
        answer->flags[answer->n_flags++] = VIGIL__ACCOUNT__V1__USER_FLAG__USER_FLAG_DISABLED;
    }
    return true;
}

static bool fill_user(
    const struct source *source,
    const struct vg_user *user,
    Vigil__Account__V1__CurrentUser *answer)
{
    const struct vg_customer *customer = vg_directory_customer(source->snapshot, user->customer_id);
    VG_ASSERT(customer != NULL); /* customers are never deleted */
    answer->has_id = true;
    answer->id = user->id;
    answer->user_name = vg_answer_text(user->short_name);
    answer->name = vg_answer_text(user->name);
    answer->customer = make_customer(source, customer);
    answer->domain = make_domain(source, customer);
    answer->has_created_timestamp = true;
    answer->created_timestamp = user->created;
    answer->has_last_updated_timestamp = true;
    answer->last_updated_timestamp = user->last_updated;
    answer->has_last_login_timestamp = true; /* unknown: a key does not log in */
    answer->has_last_impersonation_timestamp = true;
    answer->has_language = true;
    answer->language = VIGIL__ACCOUNT__V1__LANGUAGE__LANGUAGE_ENGLISH;
    return answer->customer != NULL && answer->domain != NULL &&
           make_user(source, user->created_by, &answer->created_by_user) &&
           make_user(source, user->last_updated_by, &answer->last_updated_by_user) &&
           fill_account(source, user, answer);
}

int vg_account_v1_get_current_user(
    struct vg_call *call,
    const Vigil__Account__V1__GetCurrentUserRequest *request,
    Vigil__Account__V1__CurrentUser *answer)
{
    (void)request;
    const struct source source = open_source(call);
    const struct vg_user *user = vg_directory_user(source.snapshot, call->principal->user_id);
    VG_ASSERT(user != NULL); /* users are disabled, never deleted */
    bool filled = fill_user(&source, user, answer);
    vg_directory_snapshot_unref(source.snapshot);
    return filled ? VG_OK : (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}
