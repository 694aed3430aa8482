/*
 * The first start: an empty directory gets the operator's customer, the user `admin` and the
 * administrator key, which covers all customers and is written to `admin.key` in the data
 * directory, readable by its owner only.
 *
 * The file is complete and durable before the key is in the store: a start that is cut off in
 * between leaves a file that the next start replaces, never a key that nobody knows.
 *
 * Threads: at start, before ingest writes to the store.
 */
#ifndef VG_CORE_ACCESS_BOOTSTRAP_H
#define VG_CORE_ACCESS_BOOTSTRAP_H

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/random.h"

struct vg_directory;
struct vg_store;

/* The operator's customer: the largest number that every JSON reader takes exactly, out of the way
 * of customers' own ids. */
#define VG_ACCESS_OPERATOR_ID         INT64_C(9007199254740991)
#define VG_ACCESS_OPERATOR_SHORT_NAME "operator"
#define VG_ACCESS_ADMIN_SHORT_NAME    "admin"
#define VG_ACCESS_ADMIN_KEY_FILE      "admin.key"

struct vg_access_bootstrap {
    const char *data_dir;    /* gets the key file */
    const char *domain_name; /* of the operator's customer */
    struct vg_random *random;
    vg_time now;
};

/*
 * Set up an empty directory; one that has any customer, user or key is left alone.
 *
 * Fails with: STORE_IO when the file cannot be written; what the store fails with.
 */
VG_MUST_USE enum vg_reason vg_access_bootstrap(
    struct vg_directory *directory,
    struct vg_store *store,
    const struct vg_access_bootstrap *options,
    struct vg_error *error);

#endif
