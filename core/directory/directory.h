/*
 * The directory: customers, groups, users, API keys, locations, cases, signatures: what events
 * refer to.
 *
 * The records live in the store; all of them are also in memory, in an immutable snapshot that is
 * replaced as a whole when something is added or changed (seldom). A reader takes the snapshot once
 * per call and sees one consistent state; pointers into it are valid while the reference is held.
 *
 * Threads: snapshots from any thread; changes are applied by the writer thread.
 */
#ifndef VG_CORE_DIRECTORY_DIRECTORY_H
#define VG_CORE_DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/network.h"

struct vg_directory;
struct vg_zone;

/* The domain of customers that are given none. */
#define VG_DIRECTORY_DOMAIN_ID   1
#define VG_DIRECTORY_DOMAIN_NAME "vigil"
/* Bytes of the name of a domain. */
#define VG_DIRECTORY_DOMAIN_NAME_MAX 255

/* Customers within each other. Adding refuses more; reading goes no deeper, so that a loop in the
 * data cannot hang a request. */
#define VG_DIRECTORY_CUSTOMER_DEPTH_MAX 64

struct vg_customer {
    int64_t id;
    const char *short_name; /* compared without case; never digits only */
    const char *name;
    int64_t parent_id; /* 0 = none */
    int64_t domain_id;
    const char *domain_name;
    bool in_production;
    vg_time created;
    struct vg_bytes info_wire; /* the packed CustomerInfo {id, name, shortName, domain} of v2
                                  answers, ready to append */
};

struct vg_location {
    int64_t id;
    const char *short_name;
    const char *name;
    const char *time_zone;
    int64_t customer_id; /* 0 = global */
    vg_time created;
};

struct vg_case {
    int64_t id;
    int64_t customer_id;
    const char *subject;
    const char *description; /* may be NULL */
    int64_t service_id;
    const char *service; /* may be NULL */
    int64_t category_id;
    const char *category_name; /* may be NULL */
    int32_t status;            /* number of vigil.record.v1 case status */
    int32_t priority;          /* number of severity */
    int64_t merged_into;       /* 0 = not merged */
    const int64_t *readers;    /* user ids, sorted */
    size_t reader_count;
    vg_time created;
};

struct vg_signature {
    const char *name;
    int64_t alarm_id;
    const char *alarm_short_name; /* may be NULL */
    const char *alarm_description;
    int64_t category_id;
    const char *category_short_name; /* may be NULL */
    const char *category_name;
    vg_time created;
};

struct vg_group {
    int64_t id;
    const char *short_name;
    const char *name; /* may be NULL */
    int64_t customer_id;
    vg_time created;
};

struct vg_user {
    int64_t id;
    const char *short_name;
    const char *name;
    int64_t customer_id;
    const int64_t *group_ids; /* sorted */
    size_t group_count;
    const char *time_zone; /* IANA name */
    const struct vg_zone *zone;
    bool disabled;
    vg_time created;
    vg_time last_updated;    /* 0 = never */
    int64_t created_by;      /* user id; 0 = the server */
    int64_t last_updated_by; /* user id; 0 = nobody, or the server */
};

/* A limit of a key that says nothing about it: that of the server's settings holds. */
#define VG_KEY_LIMIT_UNSAID (-1)

/* The quota of a key; 0 = no limit, VG_KEY_LIMIT_UNSAID = the server's. */
struct vg_key_quota {
    int32_t requests_per_second;
    int32_t request_burst; /* 0 = the requests of one second */
    int32_t requests_at_once;
    int32_t events_per_second;
};

struct vg_api_key {
    const char *key_id;
    int64_t user_id;
    bool is_certificate; /* key_id is a name of a client certificate, and there is no secret */
    uint8_t secret_sha256[32];
    uint32_t roles;           /* bits of roles.def */
    const int64_t *customers; /* as granted, sorted; empty = the user's own */
    size_t customer_count;
    bool all_customers;               /* the administrator key */
    const struct vg_network *sources; /* empty = any */
    size_t source_count;
    vg_time created;
    vg_time expires; /* 0 = never */
    vg_time revoked; /* 0 = not revoked */
    struct vg_key_quota quota;
};

/* The numbers are part of the stored keys: never reorder, append only. */
enum vg_directory_kind {
    VG_DIRECTORY_CUSTOMER,
    VG_DIRECTORY_GROUP,
    VG_DIRECTORY_USER,
    VG_DIRECTORY_KEY,
    VG_DIRECTORY_LOCATION,
    VG_DIRECTORY_CASE,
    VG_DIRECTORY_SIGNATURE,
    VG_DIRECTORY_KIND_COUNT,
};

struct vg_directory_snapshot;
struct vg_store;

/*
 * Read the directory of `store` (borrowed until destroy).
 *
 * Fails with: STORE_CORRUPT for a record that cannot be read; what the store fails with.
 */
VG_MUST_USE enum vg_reason vg_directory_create(
    struct vg_store *store,
    struct vg_directory **out_directory,
    struct vg_error *error);
void vg_directory_destroy(
    struct vg_directory *directory); /* accepts NULL; snapshots must have been given back */

/* A number that grows with every change. */
uint64_t vg_directory_snapshot_version(const struct vg_directory_snapshot *snapshot);

/* How many things of a kind there are, and the one at place `at`, in ascending order of id (keys
 * and signatures: of name). */
size_t vg_directory_count(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind);
const void *vg_directory_at(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    size_t at);

/*
 * A new id for a user or group, which share one range: larger than all in use and never given twice
 * while the process runs, so that adding many at once makes no conflicts. One that is not used
 * leaves a gap. Any thread.
 */
int64_t vg_directory_take_subject_id(struct vg_directory *directory);

/* The state as it is now; a reference. */
const struct vg_directory_snapshot *vg_directory_snapshot(struct vg_directory *directory);
void vg_directory_snapshot_unref(const struct vg_directory_snapshot *snapshot);

/* Find by id; NULL when there is none. */
const struct vg_customer *vg_directory_customer(
    const struct vg_directory_snapshot *snapshot,
    int64_t id);
/* By id (all digits) or short name (without case). */
const struct vg_customer *vg_directory_customer_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name);
const struct vg_location *vg_directory_location(
    const struct vg_directory_snapshot *snapshot,
    int64_t id);
const struct vg_location *vg_directory_location_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name);
const struct vg_case *vg_directory_case(const struct vg_directory_snapshot *snapshot, int64_t id);
const struct vg_signature *vg_directory_signature(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name);
const struct vg_user *vg_directory_user(const struct vg_directory_snapshot *snapshot, int64_t id);
const struct vg_user *vg_directory_user_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name);
const struct vg_group *vg_directory_group(const struct vg_directory_snapshot *snapshot, int64_t id);
const struct vg_group *vg_directory_group_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name);
const struct vg_api_key *vg_directory_key(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes key_id);

#endif
