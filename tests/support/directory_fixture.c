#include "tests/support/directory_fixture.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/store/store_fault.h"
#include "core/store/store_memory.h"

#include "vigil/record/v1/directory.pb-c.h"

/* protobuf-c declares members `char *`, though packing only reads them. */
static char *lend(const char *text)
{
    union {
        const char *lent;
        char *member;
    } both = { text };
    return both.member;
}

static void open_directory(struct vg_directory_fixture *fixture)
{
    enum vg_reason reason = vg_directory_create(fixture->store, &fixture->directory, NULL);
    VG_ASSERT(reason == VG_OK);
}

void vg_directory_fixture_open(struct vg_directory_fixture *fixture)
{
    fixture->store = vg_store_fault_open(vg_store_memory_open(1));
    open_directory(fixture);
}

void vg_directory_fixture_close(struct vg_directory_fixture *fixture)
{
    vg_directory_destroy(fixture->directory);
    vg_store_close(fixture->store);
}

void vg_directory_fixture_reload(struct vg_directory_fixture *fixture)
{
    vg_directory_destroy(fixture->directory);
    open_directory(fixture);
}

enum vg_reason vg_directory_fixture_commit(
    struct vg_directory_fixture *fixture,
    struct vg_directory_change *change)
{
    enum vg_reason reason = vg_store_apply(fixture->store, 0, &change->batch, NULL);
    if (reason == VG_OK) {
        vg_directory_change_install(change);
    }
    vg_directory_change_dispose(change);
    return reason;
}

enum vg_reason vg_directory_fixture_add(
    struct vg_directory_fixture *fixture,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record)
{
    struct vg_directory_change change;
    enum vg_reason reason =
        vg_directory_change_add(&change, fixture->directory, kind, record, NULL);
    if (reason != VG_OK) {
        vg_directory_change_dispose(&change);
        return reason;
    }
    return vg_directory_fixture_commit(fixture, &change);
}

static void must_add(
    struct vg_directory_fixture *fixture,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record)
{
    enum vg_reason reason = vg_directory_fixture_add(fixture, kind, record);
    VG_ASSERT(reason == VG_OK);
}

void vg_directory_fixture_customer(
    struct vg_directory_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t parent)
{
    Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = lend(short_name);
    record.name = lend(short_name);
    record.has_parent_id = parent != 0;
    record.parent_id = parent;
    record.has_domain_id = true;
    record.domain_id = VG_DIRECTORY_DOMAIN_ID;
    record.domain_name = lend(VG_DIRECTORY_DOMAIN_NAME);
    record.has_in_production = true;
    record.in_production = true;
    record.has_created_timestamp = true;
    record.created_timestamp = VG_DIRECTORY_FIXTURE_TIME;
    must_add(fixture, VG_DIRECTORY_CUSTOMER, &record.base);
}

void vg_directory_fixture_group(
    struct vg_directory_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t customer)
{
    Vigil__Record__V1__Group record = VIGIL__RECORD__V1__GROUP__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = lend(short_name);
    record.name = lend(short_name);
    record.has_customer_id = true;
    record.customer_id = customer;
    record.has_created_timestamp = true;
    record.created_timestamp = VG_DIRECTORY_FIXTURE_TIME;
    must_add(fixture, VG_DIRECTORY_GROUP, &record.base);
}

void vg_directory_fixture_user(
    struct vg_directory_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t customer)
{
    Vigil__Record__V1__User record = VIGIL__RECORD__V1__USER__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = lend(short_name);
    record.name = lend(short_name);
    record.has_customer_id = true;
    record.customer_id = customer;
    record.has_created_timestamp = true;
    record.created_timestamp = VG_DIRECTORY_FIXTURE_TIME;
    must_add(fixture, VG_DIRECTORY_USER, &record.base);
}

void vg_directory_fixture_key(
    struct vg_directory_fixture *fixture,
    const struct vg_fixture_key *key)
{
    Vigil__Record__V1__Role role = (Vigil__Record__V1__Role)key->role;
    uint8_t digest[VG_SHA256_SIZE];
    int64_t customers[VG_ARRAY_COUNT(key->customers)];
    char *sources[VG_ARRAY_COUNT(key->sources)];
    vg_digest_sha256(vg_bytes_text(VG_DIRECTORY_FIXTURE_SECRET), digest);
    Vigil__Record__V1__ApiKey record = VIGIL__RECORD__V1__API_KEY__INIT;
    record.id = lend(key->id);
    record.has_user_id = true;
    record.user_id = key->user;
    record.has_secret_sha256 = true;
    record.secret_sha256.data = digest;
    record.secret_sha256.len = sizeof(digest);
    record.n_roles = 1;
    record.roles = &role;
    memcpy(customers, key->customers, sizeof(customers));
    record.customer_ids = customers;
    while (record.n_customer_ids < VG_ARRAY_COUNT(customers) &&
           customers[record.n_customer_ids] != 0) {
        record.n_customer_ids++;
    }
    record.sources = sources;
    while (record.n_sources < VG_ARRAY_COUNT(sources) && key->sources[record.n_sources] != NULL) {
        sources[record.n_sources] = lend(key->sources[record.n_sources]);
        record.n_sources++;
    }
    record.has_is_certificate = key->is_certificate;
    record.is_certificate = key->is_certificate;
    record.has_all_customers = true;
    record.all_customers = key->all_customers;
    record.has_expires_timestamp = key->expires != 0;
    record.expires_timestamp = key->expires;
    record.has_revoked_timestamp = key->revoked != 0;
    record.revoked_timestamp = key->revoked;
    record.has_created_timestamp = true;
    record.created_timestamp = VG_DIRECTORY_FIXTURE_TIME;
    must_add(fixture, VG_DIRECTORY_KEY, &record.base);
}

void vg_directory_fixture_administrators(struct vg_directory_fixture *fixture)
{
    const int admin = VIGIL__RECORD__V1__ROLE__ROLE_ADMIN;
    vg_directory_fixture_customer(fixture, 10, "acme", 0);
    vg_directory_fixture_customer(fixture, 20, "other", 0);
    vg_directory_fixture_user(fixture, 1, "root", 20);
    vg_directory_fixture_user(fixture, 2, "local", 10);
    vg_directory_fixture_key(
        fixture,
        &(struct vg_fixture_key){ .id = "root", .user = 1, .role = admin, .all_customers = true });
    vg_directory_fixture_key(
        fixture,
        &(struct vg_fixture_key){ .id = "local", .user = 2, .role = admin });
}
