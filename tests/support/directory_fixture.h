/*
 * A directory on a memory store, for tests: things are added with one line each, as the writer
 * would add them.
 *
 * Threads: one test's.
 */
#ifndef VG_TESTS_SUPPORT_DIRECTORY_FIXTURE_H
#define VG_TESTS_SUPPORT_DIRECTORY_FIXTURE_H

#include "core/directory/directory.h"
#include "core/directory/directory_change.h"
#include "core/store/store.h"

struct vg_directory_fixture {
    struct vg_store *store; /* in memory; faults can be set */
    struct vg_directory *directory;
};

/* Times of all records. */
#define VG_DIRECTORY_FIXTURE_TIME INT64_C(1755000000000)
/* Secret of all keys: the whole key is "<id>/<user>/" and this. */
#define VG_DIRECTORY_FIXTURE_SECRET "0123456789abcdef0123456789abcdef01234567"

void vg_directory_fixture_open(struct vg_directory_fixture *fixture);
void vg_directory_fixture_close(struct vg_directory_fixture *fixture);

/* Forget the directory and read it from the store again. */
void vg_directory_fixture_reload(struct vg_directory_fixture *fixture);

/* Apply the batch and, if it was committed, install the change; dispose it. */
enum vg_reason vg_directory_fixture_commit(
    struct vg_directory_fixture *fixture,
    struct vg_directory_change *change);

/* Prepare and commit; the reason of the first that fails. */
enum vg_reason vg_directory_fixture_add(
    struct vg_directory_fixture *fixture,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record);

/* These must succeed. `parent` 0 = none. */
void vg_directory_fixture_customer(
    struct vg_directory_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t parent);
void vg_directory_fixture_group(
    struct vg_directory_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t customer);
void vg_directory_fixture_user(
    struct vg_directory_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t customer);

struct vg_fixture_key {
    const char *id;
    int64_t user;
    int role;             /* vigil.record.v1.Role */
    int64_t customers[4]; /* 0 ends */
    const char *sources[4];
    bool all_customers;
    bool is_certificate;
    int64_t expires; /* 0 = never */
    int64_t revoked; /* 0 = not */
};
void vg_directory_fixture_key(
    struct vg_directory_fixture *fixture,
    const struct vg_fixture_key *key);

/*
 * Two administrators of two customers, acme (10) and other (20): user root (1) of other, whose key
 * covers all customers, and user local (2) of acme, whose key covers acme and those below.
 */
#define VG_FIXTURE_ROOT  "root/1/" VG_DIRECTORY_FIXTURE_SECRET
#define VG_FIXTURE_LOCAL "local/2/" VG_DIRECTORY_FIXTURE_SECRET
void vg_directory_fixture_administrators(struct vg_directory_fixture *fixture);

#endif
