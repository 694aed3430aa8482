/*
 * vigil.admin.v1.AdminService: API keys.
 *
 * A key is proved by its secret or by a client certificate, whose name is then its id
 * (core/base/peer_identity.h). Such a name may be given anew once its key is revoked.
 *
 * A key never holds more than the key that makes it: not more functions, customers or sources, and
 * not for longer. What the request leaves open is taken from the maker where "all" would be more.
 */
#include "core/access/api_key.h"
#include "core/access/principal.h"
#include "core/access/role.h"
#include "core/base/assert.h"
#include "core/base/peer_identity.h"
#include "core/base/text_number.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
#include "rpc/handlers/admin_change.h"
#include "rpc/handlers/admin_reference.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/service/service.h"

#include "vigil/record/v1/directory.pb-c.h"

/* Bits of vg_api_key.roles. */
#define VG_ADMIN_ROLES_MAX 32

static const void *find_key(const struct vg_directory_snapshot *snapshot, struct vg_bytes name)
{
    return vg_directory_key(snapshot, name);
}

/* A key belongs to its user's customer. */
static int64_t customer_of(const struct vg_directory_snapshot *snapshot, const void *object)
{
    const struct vg_api_key *key = object;
    const struct vg_user *user = vg_directory_user(snapshot, key->user_id);
    return user == NULL ? -1 : user->customer_id;
}

static bool fill_customers(
    Vigil__Admin__V1__Key *answer,
    const struct vg_api_key *key,
    const struct vg_admin_view *view)
{
    answer->customers =
        vg_arena_calloc(view->arena, key->customer_count + 1, sizeof(answer->customers[0]));
    if (answer->customers == NULL) {
        return false;
    }
    for (size_t i = 0; i < key->customer_count; i++) {
        answer->customers[i] = vg_admin_view_customer(view, key->customers[i]);
        if (answer->customers[i] == NULL) {
            return false;
        }
        answer->n_customers++;
    }
    return true;
}

/* Networks as text. */
static char **print_sources(const struct vg_network *sources, size_t count, struct vg_arena *arena)
{
    char **texts = vg_arena_calloc(arena, count + 1, sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < count; i++) {
        char text[VG_NETWORK_TEXT_SIZE];
        size_t size = vg_network_print(&sources[i], text);
        texts[i] = vg_arena_text(arena, vg_bytes(text, size));
        if (texts[i] == NULL) {
            return NULL;
        }
    }
    return texts;
}

static bool fill_roles(
    Vigil__Admin__V1__Key *answer,
    const struct vg_api_key *key,
    struct vg_arena *arena)
{
    answer->roles = vg_arena_calloc(arena, VG_ADMIN_ROLES_MAX, sizeof(answer->roles[0]));
    if (answer->roles == NULL) {
        return false;
    }
    for (unsigned role = 0; role < VG_ADMIN_ROLES_MAX; role++) {
        if ((key->roles >> role & 1u) != 0) {
            answer->roles[answer->n_roles++] = (Vigil__Admin__V1__Role)role;
        }
    }
    return true;
}

static void fill_quota(Vigil__Admin__V1__Key *answer, const struct vg_key_quota *quota)
{
    answer->has_requests_per_second = quota->requests_per_second != VG_KEY_LIMIT_UNSAID;
    answer->requests_per_second = quota->requests_per_second;
    answer->has_request_burst = quota->request_burst != VG_KEY_LIMIT_UNSAID;
    answer->request_burst = quota->request_burst;
    answer->has_requests_at_once = quota->requests_at_once != VG_KEY_LIMIT_UNSAID;
    answer->requests_at_once = quota->requests_at_once;
    answer->has_events_per_second = quota->events_per_second != VG_KEY_LIMIT_UNSAID;
    answer->events_per_second = quota->events_per_second;
}

static bool fill_key(
    ProtobufCMessage *message,
    const void *object,
    const struct vg_admin_view *view)
{
    const struct vg_api_key *key = object;
    Vigil__Admin__V1__Key *answer = (Vigil__Admin__V1__Key *)message;
    answer->id = vg_answer_text(key->key_id);
    answer->user = vg_admin_view_user(view, key->user_id);
    answer->has_is_certificate = true;
    answer->is_certificate = key->is_certificate;
    answer->has_all_customers = true;
    answer->all_customers = key->all_customers;
    answer->has_expires_timestamp = key->expires != 0;
    answer->expires_timestamp = key->expires;
    answer->sources = print_sources(key->sources, key->source_count, view->arena);
    answer->n_sources = answer->sources == NULL ? 0 : key->source_count;
    answer->has_created_timestamp = true;
    answer->created_timestamp = key->created;
    answer->has_revoked_timestamp = key->revoked != 0;
    answer->revoked_timestamp = key->revoked;
    fill_quota(answer, &key->quota);
    return answer->user != NULL && answer->sources != NULL &&
           fill_roles(answer, key, view->arena) && fill_customers(answer, key, view);
}

const struct vg_admin_kind vg_admin_key_kind = {
    .kind = VG_DIRECTORY_KEY,
    .find = find_key,
    .customer = customer_of,
    .fill = fill_key,
};

/* The functions of the roles have to be among the maker's. */
static enum vg_reason check_roles(
    struct vg_call *call,
    const Vigil__Admin__V1__AddKeyRequest *request)
{
    uint32_t roles = 0;
    for (size_t i = 0; i < request->n_role; i++) {
        roles |= UINT32_C(1) << request->role[i];
    }
    uint64_t missing = vg_role_functions(roles) & ~call->principal->functions;
    if (missing == 0) {
        return VG_OK;
    }
    /* A bit without a word is kept for functions to come. */
    const struct vg_word *word =
        vg_contract_word(&vg_words_vigil_permission, __builtin_ctzll(missing));
    (void)vg_error_set(
        &call->error,
        VG_ACCESS_DENIED,
        "Access denied: a key cannot hold more than the key that makes it");
    return vg_error_field(&call->error, NULL, word == NULL ? NULL : word->text);
}

/* The end of the new key: as asked, else that of the maker; 0 = never. */
static vg_time resolve_end(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddKeyRequest *request)
{
    const struct vg_call *call = references->call;
    vg_time maker_end = call->principal->key_expires;
    vg_time end = 0;
    if (request->expires == NULL) {
        return maker_end;
    }
    /* VALIDATE has put milliseconds in the place of the text. */
    if (!vg_text_number_parse_int64(vg_bytes_text(request->expires), &end) || end <= call->now) {
        vg_admin_reference_refuse_value(
            references,
            "expires",
            request->expires,
            "The end of a key has to be in the future");
    } else if (maker_end != 0 && end > maker_end) {
        vg_admin_reference_refuse_value(
            references,
            "expires",
            request->expires,
            "A key cannot outlive the key that makes it");
    }
    return end;
}

static bool is_within(const struct vg_api_key *maker, const struct vg_network *source)
{
    bool within = maker->source_count == 0;
    for (size_t i = 0; i < maker->source_count && !within; i++) {
        within = vg_network_contains(&maker->sources[i], source);
    }
    return within;
}

/* The maker's record: a key is revoked, never deleted. */
static const struct vg_api_key *find_maker(const struct vg_admin_references *references)
{
    const struct vg_api_key *maker =
        vg_directory_key(references->snapshot, vg_bytes_text(references->call->principal->key_id));
    VG_ASSERT(maker != NULL);
    return maker;
}

/* One limit: as asked, else the maker's. */
static void take_limit(
    int32_t asked,
    int32_t makers,
    protobuf_c_boolean *out_is_said,
    int32_t *out_limit)
{
    int32_t limit = asked != VG_KEY_LIMIT_UNSAID ? asked : makers;
    *out_is_said = limit != VG_KEY_LIMIT_UNSAID;
    *out_limit = *out_is_said ? limit : 0;
}

/* 0 = no limit, below it none is said. */
static bool is_more(int32_t limit, int32_t makers)
{
    return makers > 0 && (limit <= 0 || limit > makers);
}

/* The quota of the new key in `record`: as asked, but no more than the maker has itself. */
static void resolve_quota(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddKeyRequest *request,
    Vigil__Record__V1__ApiKey *record)
{
    const struct vg_key_quota *makers = &find_maker(references)->quota;
    const struct vg_key_quota asked = {
        request->has_requests_per_second ? request->requests_per_second : VG_KEY_LIMIT_UNSAID,
        request->has_request_burst ? request->request_burst : VG_KEY_LIMIT_UNSAID,
        request->has_requests_at_once ? request->requests_at_once : VG_KEY_LIMIT_UNSAID,
        request->has_events_per_second ? request->events_per_second : VG_KEY_LIMIT_UNSAID,
    };
    take_limit(
        asked.requests_per_second,
        makers->requests_per_second,
        &record->has_requests_per_second,
        &record->requests_per_second);
    take_limit(
        asked.request_burst,
        makers->request_burst,
        &record->has_request_burst,
        &record->request_burst);
    take_limit(
        asked.requests_at_once,
        makers->requests_at_once,
        &record->has_requests_at_once,
        &record->requests_at_once);
    take_limit(
        asked.events_per_second,
        makers->events_per_second,
        &record->has_events_per_second,
        &record->events_per_second);
    /* Without a burst it is the requests of one second. */
    int32_t burst = record->request_burst > 0 ? record->request_burst : record->requests_per_second;
    int32_t makers_burst =
        makers->request_burst > 0 ? makers->request_burst : makers->requests_per_second;
    if (is_more(record->requests_per_second, makers->requests_per_second) ||
        is_more(burst, makers_burst) ||
        is_more(record->requests_at_once, makers->requests_at_once) ||
        is_more(record->events_per_second, makers->events_per_second)) {
        references->is_denied = true;
    }
}

/* The sources of the new key in `record`: as asked, each within one of the maker's; else those of
 * the maker. */
static enum vg_reason resolve_sources(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddKeyRequest *request,
    Vigil__Record__V1__ApiKey *record)
{
    struct vg_call *call = references->call;
    const struct vg_api_key *maker = find_maker(references);
    struct vg_network *sources =
        vg_arena_calloc(&call->arena, request->n_source + 1, sizeof(*sources));
    for (size_t i = 0; sources != NULL && i < request->n_source; i++) {
        const struct vg_admin_member member = { "source", "source", (int)i, request->source[i] };
        if (!vg_network_parse(vg_bytes_text(member.text), &sources[i])) {
            vg_admin_reference_refuse(references, &member);
        } else if (!is_within(maker, &sources[i])) {
            references->is_denied = true;
        }
    }
    bool given = request->n_source > 0;
    record->n_sources = given ? request->n_source : maker->source_count;
    record->sources =
        sources == NULL
            ? NULL
            : print_sources(given ? sources : maker->sources, record->n_sources, &call->arena);
    return record->sources != NULL ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* One customer may be named by id and by name. */
static bool is_listed(const Vigil__Record__V1__ApiKey *record, int64_t customer_id)
{
    for (size_t i = 0; i < record->n_customer_ids; i++) {
        if (record->customer_ids[i] == customer_id) {
            return true;
        }
    }
    return false;
}

static enum vg_reason resolve_customers(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddKeyRequest *request,
    Vigil__Record__V1__ApiKey *record)
{
    struct vg_call *call = references->call;
    record->customer_ids =
        vg_arena_calloc(&call->arena, request->n_customer + 1, sizeof(record->customer_ids[0]));
    if (record->customer_ids == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t i = 0; i < request->n_customer; i++) {
        const struct vg_customer *customer = vg_admin_reference_customer(
            references,
            &(struct vg_admin_member){ "customer", "customer", (int)i, request->customer[i] });
        if (customer != NULL && !is_listed(record, customer->id)) {
            record->customer_ids[record->n_customer_ids++] = customer->id;
        }
    }
    return VG_OK;
}

static enum vg_reason read_key_record(
    struct vg_call *call,
    const char *key_id,
    struct vg_directory_record *out_record)
{
    return vg_directory_record_read(
        call->service->node->directory,
        &(struct vg_directory_name){ .kind = VG_DIRECTORY_KEY, .name = vg_bytes_text(key_id) },
        &call->arena,
        out_record,
        &call->error);
}

/* The id of a key that a certificate proves. */
static enum vg_reason name_key(
    struct vg_admin_references *references,
    const Vigil__Admin__V1__AddKeyRequest *request,
    Vigil__Record__V1__ApiKey *record)
{
    struct vg_call *call = references->call;
    struct vg_peer_name name;
    if (!vg_peer_name_parse(vg_bytes_text(request->certificate), &name)) {
        vg_admin_reference_refuse_value(
            references,
            "certificate",
            request->certificate,
            "The name of a certificate is URI:…, DNS:…, email:… or CN:…, and visible");
        return VG_OK;
    }
    record->has_is_certificate = true;
    record->is_certificate = true;
    record->id = vg_arena_text(&call->arena, vg_bytes(name.text, name.size));
    return record->id != NULL ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* Draw the key and put its texts into answer, change and record. For a certificate the secret is
 * drawn too, and forgotten: such a record can be proved by no credential, not even where nobody
 * knows of certificates. */
static enum vg_reason draw_key(
    struct vg_admin_change *change,
    uint8_t digest[VG_SHA256_SIZE],
    Vigil__Record__V1__ApiKey *record)
{
    struct vg_call *call = change->call;
    Vigil__Admin__V1__IssuedKey *answer = (Vigil__Admin__V1__IssuedKey *)call->reply.answer;
    char text[VG_API_KEY_TEXT_SIZE];
    char id[VG_API_KEY_ID_SIZE + 1];
    vg_api_key_make(call->service->node->random, record->user_id, text, id, digest);
    if (!record->is_certificate) {
        answer->key = vg_arena_text(&call->arena, vg_bytes_text(text));
        call->reply.is_plain = true; /* the secret is beside names that others chose */
        record->id = vg_arena_text(&call->arena, vg_bytes_text(id));
    }
    record->has_secret_sha256 = true;
    record->secret_sha256.data = digest;
    record->secret_sha256.len = VG_SHA256_SIZE;
    change->name = record->id;
    return (answer->key != NULL || record->is_certificate) && record->id != NULL
               ? VG_OK
               : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static enum vg_reason resolve_key(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot,
    Vigil__Record__V1__ApiKey *record)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddKeyRequest *request =
        (const Vigil__Admin__V1__AddKeyRequest *)call->request;
    struct vg_admin_references references = { .call = call, .snapshot = snapshot };
    const struct vg_user *user = vg_admin_reference_user(
        &references,
        &(struct vg_admin_member){ "user", "user", -1, request->user });
    record->has_user_id = true;
    record->user_id = user == NULL ? 0 : user->id;
    record->expires_timestamp = resolve_end(&references, request);
    record->has_expires_timestamp = record->expires_timestamp != 0;
    resolve_quota(&references, request, record);
    enum vg_reason reason =
        request->certificate == NULL ? VG_OK : name_key(&references, request, record);
    reason = reason == VG_OK ? resolve_customers(&references, request, record) : reason;
    reason = reason == VG_OK ? resolve_sources(&references, request, record) : reason;
    reason = reason == VG_OK ? check_roles(call, request) : reason;
    return reason == VG_OK ? vg_admin_reference_end(&references) : reason;
}

/* Add the key of a certificate, or put it in the place of one that was revoked. */
static enum vg_reason put_certificate_key(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot,
    Vigil__Record__V1__ApiKey *record)
{
    struct vg_call *call = change->call;
    const struct vg_api_key *former = vg_directory_key(snapshot, vg_bytes_text(record->id));
    if (former == NULL || former->revoked == 0) {
        return vg_admin_change_add(change, &record->base);
    }
    if (vg_admin_change_find(change, snapshot, record->id) == NULL) {
        return call->error.reason; /* of a customer the caller does not administer */
    }
    struct vg_directory_record stored;
    enum vg_reason reason = read_key_record(call, record->id, &stored);
    if (reason != VG_OK) {
        return reason;
    }
    stored.message = &record->base;
    return vg_admin_change_replace(change, &stored);
}

static enum vg_reason prepare_key(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const Vigil__Admin__V1__AddKeyRequest *request =
        (const Vigil__Admin__V1__AddKeyRequest *)call->request;
    uint8_t digest[VG_SHA256_SIZE];
    Vigil__Record__V1__ApiKey record = VIGIL__RECORD__V1__API_KEY__INIT;
    enum vg_reason reason = resolve_key(change, snapshot, &record);
    reason = reason == VG_OK ? draw_key(change, digest, &record) : reason;
    if (reason != VG_OK) {
        return reason;
    }
    record.roles = vg_arena_calloc(&call->arena, request->n_role + 1, sizeof(record.roles[0]));
    if (record.roles == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    record.n_roles = request->n_role;
    for (size_t i = 0; i < request->n_role; i++) {
        /* The same numbers; a contract test says so. */
        record.roles[i] = (Vigil__Record__V1__Role)request->role[i];
    }
    record.has_created_timestamp = true;
    record.created_timestamp = call->now;
    record.has_created_by_user_id = true;
    record.created_by_user_id = call->principal->user_id;
    return record.is_certificate ? put_certificate_key(change, snapshot, &record)
                                 : vg_admin_change_add(change, &record.base);
}

static enum vg_reason prepare_revoking(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot)
{
    struct vg_call *call = change->call;
    const char *name = ((const Vigil__Admin__V1__RevokeKeyRequest *)call->request)->key;
    const struct vg_api_key *key = vg_admin_change_find(change, snapshot, name);
    if (key == NULL) {
        return call->error.reason;
    }
    if (key->revoked != 0) {
        change->is_done = true;
        return VG_OK;
    }
    struct vg_directory_record record;
    enum vg_reason reason = read_key_record(call, key->key_id, &record);
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Record__V1__ApiKey *edited = (Vigil__Record__V1__ApiKey *)record.message;
    edited->has_revoked_timestamp = true;
    edited->revoked_timestamp = call->now;
    return vg_admin_change_replace(change, &record);
}

int vg_admin_v1_add_key(
    struct vg_call *call,
    const Vigil__Admin__V1__AddKeyRequest *request,
    Vigil__Admin__V1__IssuedKey *answer)
{
    (void)request;
    answer->details = vg_arena_alloc(&call->arena, sizeof(*answer->details));
    if (answer->details == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__admin__v1__key__init(answer->details);
    return vg_admin_change_run(call, &vg_admin_key_kind, prepare_key, &answer->details->base);
}

int vg_admin_v1_get_key(
    struct vg_call *call,
    const Vigil__Admin__V1__GetKeyRequest *request,
    Vigil__Admin__V1__Key *answer)
{
    return vg_admin_view_show(call, &vg_admin_key_kind, request->key, &answer->base);
}

int vg_admin_v1_list_keys(
    struct vg_call *call,
    const Vigil__Admin__V1__ListKeysRequest *request,
    Vigil__Admin__V1__KeyList *answer)
{
    (void)answer;
    return vg_admin_view_list(
        call,
        &vg_admin_key_kind,
        request->has_limit ? request->limit : VG_ADMIN_LIMIT_DEFAULT,
        request->offset);
}

int vg_admin_v1_revoke_key(
    struct vg_call *call,
    const Vigil__Admin__V1__RevokeKeyRequest *request,
    Vigil__Admin__V1__Key *answer)
{
    (void)request;
    return vg_admin_change_run(call, &vg_admin_key_kind, prepare_revoking, &answer->base);
}
