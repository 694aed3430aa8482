/*
 * Authentication: the key's record is found by its id in the directory's snapshot, the secret is
 * compared by digest (or the handshake of TLS has proved the certificate), and the principal that
 * follows from key, user and customers is kept in a small cache until the directory changes,
 * because expanding customers to their sub-customers walks all of them.
 */
#include "core/access/access.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/api_key.h"
#include "core/access/role.h"
#include "core/base/assert.h"
#include "core/directory/directory.h"
#include "proto/contract.h"

#define VG_ACCESS_CACHE_SLOTS  1024u
#define VG_ACCESS_QUOTA_CHAINS 1024u

struct cache_slot {
    uint64_t version; /* of the directory */
    const struct vg_api_key *key;
    const struct vg_principal *principal; /* a reference; NULL = empty */
};

/* What a key has used. Made when the key is used for the first time and kept: there are never more
 * than there are keys. */
struct key_usage {
    struct key_usage *next;
    struct vg_quota quota;
    char key_id[];
};

/* What a caller shows, when and from where. */
struct request {
    struct vg_bytes credential;
    const struct vg_peer_identity *identity;
    const struct vg_network *peer;
    vg_time now;
};

struct vg_access {
    struct vg_directory *directory;
    struct vg_quota_limits limits; /* of keys that say nothing */
    pthread_mutex_t lock;          /* of the slots and the usages */
    struct cache_slot slots[VG_ACCESS_CACHE_SLOTS];
    struct key_usage *usages[VG_ACCESS_QUOTA_CHAINS]; /* by hash of the key's id */
};

enum vg_reason vg_access_create(
    struct vg_directory *directory,
    struct vg_access **out_access,
    struct vg_error *error)
{
    struct vg_access *access = calloc(1, sizeof(*access));
    if (access == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    access->directory = directory;
    VG_ASSERT(pthread_mutex_init(&access->lock, NULL) == 0);
    *out_access = access;
    return VG_OK;
}

void vg_access_destroy(struct vg_access *access)
{
    if (access == NULL) {
        return;
    }
    for (size_t i = 0; i < VG_ACCESS_CACHE_SLOTS; i++) {
        vg_principal_unref(access->slots[i].principal);
    }
    for (size_t i = 0; i < VG_ACCESS_QUOTA_CHAINS; i++) {
        while (access->usages[i] != NULL) {
            struct key_usage *usage = access->usages[i];
            access->usages[i] = usage->next;
            free(usage);
        }
    }
    (void)pthread_mutex_destroy(&access->lock);
    free(access);
}

void vg_access_set_quota(struct vg_access *access, const struct vg_quota_limits *limits)
{
    access->limits = *limits;
}

/* Under the lock: the quota of a key that has been proved. */
static struct vg_quota *find_quota(struct vg_access *access, const char *key_id)
{
    size_t size = strlen(key_id);
    size_t chain = vg_contract_hash(0, key_id, size) % VG_ACCESS_QUOTA_CHAINS;
    for (struct key_usage *usage = access->usages[chain]; usage != NULL; usage = usage->next) {
        if (strcmp(usage->key_id, key_id) == 0) {
            return &usage->quota;
        }
    }
    struct key_usage *usage = calloc(1, sizeof(*usage) + size + 1);
    VG_ASSERT(usage != NULL);
    memcpy(usage->key_id, key_id, size);
    usage->next = access->usages[chain];
    access->usages[chain] = usage;
    return &usage->quota;
}

static uint32_t limit_of(int32_t own, uint32_t usual)
{
    return own == VG_KEY_LIMIT_UNSAID ? usual : (uint32_t)own;
}

static struct vg_quota_limits limits_of(
    const struct vg_access *access,
    const struct vg_key_quota *own)
{
    const struct vg_quota_limits *usual = &access->limits;
    /* A rate of the key's own comes without the burst of another. */
    uint32_t burst = own->requests_per_second == VG_KEY_LIMIT_UNSAID ? usual->call_burst : 0;
    return (struct vg_quota_limits){
        .calls_per_second = limit_of(own->requests_per_second, usual->calls_per_second),
        .call_burst = limit_of(own->request_burst, burst),
        .calls_at_once = limit_of(own->requests_at_once, usual->calls_at_once),
        .events_per_second = limit_of(own->events_per_second, usual->events_per_second),
    };
}

static bool is_granted(
    const struct vg_api_key *key,
    const struct vg_user *user,
    int64_t customer_id)
{
    if (key->customer_count == 0) {
        return customer_id == user->customer_id;
    }
    for (size_t i = 0; i < key->customer_count; i++) {
        if (key->customers[i] == customer_id) {
            return true;
        }
    }
    return false;
}

/* Is the customer, or one it is below, among those of the key? */
static bool is_covered(
    const struct vg_directory_snapshot *snapshot,
    const struct vg_api_key *key,
    const struct vg_user *user,
    const struct vg_customer *customer)
{
    for (int depth = 0; customer != NULL && depth < VG_DIRECTORY_CUSTOMER_DEPTH_MAX; depth++) {
        if (is_granted(key, user, customer->id)) {
            return true;
        }
        customer =
            customer->parent_id == 0 ? NULL : vg_directory_customer(snapshot, customer->parent_id);
    }
    return false;
}

/* The principal of a key that has been proved. Ids come out sorted, as the directory keeps them. */
static struct vg_principal *make_principal(
    const struct vg_directory_snapshot *snapshot,
    const struct vg_api_key *key,
    const struct vg_user *user)
{
    size_t all = vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER);
    size_t room = key->all_customers ? 0 : all;
    struct vg_principal *principal = calloc(1, sizeof(*principal) + room * sizeof(int64_t));
    VG_ASSERT(principal != NULL);
    atomic_init(&principal->references, 1);
    int64_t *customers = (int64_t *)(void *)(principal + 1);
    for (size_t i = 0; i < room; i++) {
        const struct vg_customer *customer = vg_directory_at(snapshot, VG_DIRECTORY_CUSTOMER, i);
        if (is_covered(snapshot, key, user, customer)) {
            customers[principal->customer_count++] = customer->id;
        }
    }
    principal->customers = key->all_customers ? NULL : customers;
    principal->all_customers = key->all_customers;
    principal->user_id = user->id;
    principal->user_name = user->short_name;
    principal->customer_id = user->customer_id;
    principal->key_id = key->key_id;
    principal->roles = key->roles;
    principal->functions = vg_role_functions(key->roles);
    principal->zone = user->zone;
    principal->key_created = key->created;
    principal->key_expires = key->expires;
    return principal;
}

static const struct vg_principal *find_principal(
    struct vg_access *access,
    const struct vg_directory_snapshot *snapshot,
    const struct vg_api_key *key,
    const struct vg_user *user)
{
    uint64_t version = vg_directory_snapshot_version(snapshot);
    size_t slot = ((uintptr_t)key >> 4) % VG_ACCESS_CACHE_SLOTS;
    struct cache_slot *cached = &access->slots[slot];
    const struct vg_principal *principal = NULL;
    (void)pthread_mutex_lock(&access->lock);
    if (cached->principal != NULL && cached->key == key && cached->version == version) {
        principal = vg_principal_ref(cached->principal);
    }
    (void)pthread_mutex_unlock(&access->lock);
    if (principal != NULL) {
        return principal;
    }
    struct vg_principal *made = make_principal(snapshot, key, user);
    made->limits = limits_of(access, &key->quota);
    (void)pthread_mutex_lock(&access->lock);
    made->quota = find_quota(access, key->key_id);
    vg_principal_unref(cached->principal);
    *cached =
        (struct cache_slot){ .version = version, .key = key, .principal = vg_principal_ref(made) };
    (void)pthread_mutex_unlock(&access->lock);
    return made;
}

static bool source_is_allowed(const struct vg_api_key *key, const struct vg_network *peer)
{
    bool allowed = key->source_count == 0;
    for (size_t i = 0; i < key->source_count && !allowed; i++) {
        allowed = vg_network_contains(&key->sources[i], peer);
    }
    return allowed;
}

/* The user of the key, if both may still be used. */
static const struct vg_user *find_able_user(
    const struct vg_directory_snapshot *snapshot,
    const struct vg_api_key *key)
{
    const struct vg_user *user = vg_directory_user(snapshot, key->user_id);
    return key->revoked != 0 || user == NULL || user->disabled ? NULL : user;
}

/* The key whose secret the caller has shown, of a user who may still use it; else NULL. The secret
 * is compared in constant time, and as well for a key that does not exist. */
static const struct vg_api_key *find_proved_key(
    const struct vg_directory_snapshot *snapshot,
    const struct vg_api_key_parts *parts,
    const struct vg_user **out_user)
{
    static const uint8_t nothing[VG_SHA256_SIZE];
    uint8_t digest[VG_SHA256_SIZE];
    vg_digest_sha256(parts->secret, digest);
    const struct vg_api_key *key = vg_directory_key(snapshot, parts->key_id);
    bool proved =
        vg_digest_equal(key != NULL ? key->secret_sha256 : nothing, digest, sizeof(digest));
    if (key == NULL || !proved || key->is_certificate || key->user_id != parts->user_id) {
        return NULL;
    }
    *out_user = find_able_user(snapshot, key);
    return *out_user == NULL ? NULL : key;
}

/* The key of the first name of the certificate that has one. */
static const struct vg_api_key *find_certificate_key(
    const struct vg_directory_snapshot *snapshot,
    const struct vg_peer_identity *identity)
{
    for (size_t i = 0; i < identity->name_count; i++) {
        const struct vg_api_key *key = vg_directory_key(snapshot, identity->names[i]);
        if (key != NULL && key->is_certificate) {
            return key;
        }
    }
    return NULL;
}

/* Without a credential the certificate counts. It was good when the connection began; connections
 * live long, and resumed sessions longer. */
static enum vg_reason prove_certificate(
    const struct vg_directory_snapshot *snapshot,
    const struct request *request,
    const struct vg_api_key **out_key,
    const struct vg_user **out_user,
    struct vg_error *error)
{
    const struct vg_peer_identity *identity = request->identity;
    const struct vg_api_key *key =
        identity == NULL ? NULL : find_certificate_key(snapshot, identity);
    if (key == NULL && (identity == NULL || identity->name_count == 0)) {
        return vg_error_set(error, VG_NOT_AUTHENTICATED, NULL);
    }
    if (key == NULL) {
        return vg_error_set(
            error,
            VG_NOT_AUTHENTICATED,
            "User not authenticated: no key stands for the certificate of %.*s",
            (int)identity->names[0].size,
            (const char *)identity->names[0].data);
    }
    if (request->now >= identity->expires) {
        return vg_error_set(error, VG_AUTHENTICATION_FAILED, "The client certificate has ended");
    }
    const struct vg_user *user = find_able_user(snapshot, key);
    if (user == NULL) {
        return vg_error_set(error, VG_AUTHENTICATION_FAILED, NULL);
    }
    *out_key = key;
    *out_user = user;
    return VG_OK;
}

static enum vg_reason prove(
    const struct vg_directory_snapshot *snapshot,
    const struct request *request,
    const struct vg_api_key **out_key,
    const struct vg_user **out_user,
    struct vg_error *error)
{
    struct vg_api_key_parts parts;
    if (request->credential.size == 0) {
        return prove_certificate(snapshot, request, out_key, out_user, error);
    }
    *out_key = vg_api_key_parse(request->credential, &parts)
                   ? find_proved_key(snapshot, &parts, out_user)
                   : NULL;
    return *out_key == NULL ? vg_error_set(error, VG_AUTHENTICATION_FAILED, NULL) : VG_OK;
}

/* The rules, in the order in which they are answered: nobody learns more about a key than its
 * secret allows. */
static enum vg_reason authenticate(
    struct vg_access *access,
    const struct vg_directory_snapshot *snapshot,
    const struct request *request,
    const struct vg_principal **out_principal,
    struct vg_error *error)
{
    const struct vg_user *user = NULL;
    const struct vg_api_key *key = NULL;
    enum vg_reason reason = prove(snapshot, request, &key, &user, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (key->expires != 0 && request->now >= key->expires) {
        return vg_error_set(error, VG_KEY_EXPIRED, NULL);
    }
    if (!source_is_allowed(key, request->peer)) {
        return vg_error_set(error, VG_KEY_SOURCE_REFUSED, NULL);
    }
    *out_principal = find_principal(access, snapshot, key, user);
    return VG_OK;
}

enum vg_reason vg_access_authenticate(
    struct vg_access *access,
    struct vg_bytes credential,
    const struct vg_peer_identity *identity,
    const struct vg_network *peer,
    vg_time now,
    const struct vg_principal **out_principal,
    struct vg_error *error)
{
    if (credential.size == 0 && identity == NULL) {
        return vg_error_set(error, VG_NOT_AUTHENTICATED, NULL);
    }
    const struct request request = { credential, identity, peer, now };
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(access->directory);
    enum vg_reason reason = authenticate(access, snapshot, &request, out_principal, error);
    vg_directory_snapshot_unref(snapshot);
    return reason;
}
