#include "core/access/bootstrap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/access/api_key.h"
#include "core/directory/directory_change.h"
#include "core/store/store.h"

#include "vigil/record/v1/directory.pb-c.h"

#define VG_BOOTSTRAP_BATCH_BYTES ((size_t)64 * 1024)
/* Customer, user, key. */
#define VG_BOOTSTRAP_CHANGES 3
#define VG_BOOTSTRAP_USER_ID 1

static bool is_empty(struct vg_directory *directory)
{
    const struct vg_directory_snapshot *snapshot = vg_directory_snapshot(directory);
    bool empty = vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER) == 0 &&
                 vg_directory_count(snapshot, VG_DIRECTORY_USER) == 0 &&
                 vg_directory_count(snapshot, VG_DIRECTORY_KEY) == 0;
    vg_directory_snapshot_unref(snapshot);
    return empty;
}

static enum vg_reason fail(struct vg_error *error, const char *what, const char *path)
{
    int number = errno;
    (void)vg_error_set(error, VG_STORE_IO, "The administrator key cannot be written");
    (void)vg_error_detail(error, "%s %s: errno %d", what, path, number);
    return VG_STORE_IO;
}

static bool write_all(int file, const char *text, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(file, text + done, size - done);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* Make the file under a temporary name, only for its owner, and let it be on disk. */
static enum vg_reason write_file(const char *path, const char *line, struct vg_error *error)
{
    (void)unlink(path); /* of a start that was cut off */
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return fail(error, "open", path);
    }
    /* The mode given to open is cut by the umask; here it shall be exactly this. */
    bool written =
        fchmod(file, 0600) == 0 && write_all(file, line, strlen(line)) && fsync(file) == 0;
    enum vg_reason reason = written ? VG_OK : fail(error, "write", path);
    if (close(file) != 0 && reason == VG_OK) {
        reason = fail(error, "close", path);
    }
    if (reason != VG_OK) {
        (void)unlink(path);
    }
    return reason;
}

static enum vg_reason sync_directory(const char *path, struct vg_error *error)
{
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) {
        return fail(error, "open", path);
    }
    enum vg_reason reason = fsync(file) == 0 ? VG_OK : fail(error, "sync", path);
    (void)close(file);
    return reason;
}

static enum vg_reason write_key_file(const char *data_dir, const char *key, struct vg_error *error)
{
    char path[PATH_MAX];
    char temporary[PATH_MAX];
    char line[VG_API_KEY_TEXT_SIZE + 1];
    int length =
        snprintf(temporary, sizeof(temporary), "%s/%s.new", data_dir, VG_ACCESS_ADMIN_KEY_FILE);
    if (length < 0 || (size_t)length >= sizeof(temporary)) {
        return vg_error_set(error, VG_CONFIG, "The name of the data directory is too long");
    }
    (void)snprintf(path, sizeof(path), "%s/%s", data_dir, VG_ACCESS_ADMIN_KEY_FILE);
    (void)snprintf(line, sizeof(line), "%s\n", key);
    enum vg_reason reason = write_file(temporary, line, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (rename(temporary, path) != 0) {
        return fail(error, "rename", temporary);
    }
    return sync_directory(data_dir, error);
}

/* Append all entries of `from`. */
static void append_batch(struct vg_batch *to, const struct vg_batch *from)
{
    size_t at = 0;
    struct vg_batch_entry entry;
    while (vg_batch_next(from, &at, &entry)) {
        switch (entry.operation) {
        case VG_BATCH_SET:
            vg_batch_set(to, entry.key, entry.value);
            break;
        case VG_BATCH_GUARD_ABSENT:
            vg_batch_guard_absent(to, entry.key);
            break;
        case VG_BATCH_DELETE:
            vg_batch_delete(to, entry.key);
            break;
        case VG_BATCH_GUARD_VALUE:
            vg_batch_guard_value(to, entry.key, entry.value);
            break;
        }
    }
}

/* protobuf-c declares members `char *`, though packing only reads them. */
static char *lend(const char *text)
{
    union {
        const char *lent;
        char *member;
    } both = { text };
    return both.member;
}

static enum vg_reason add_customer(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    const struct vg_access_bootstrap *options,
    struct vg_error *error)
{
    Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
    record.has_id = true;
    record.id = VG_ACCESS_OPERATOR_ID;
    record.short_name = lend(VG_ACCESS_OPERATOR_SHORT_NAME);
    record.name = lend("Operator of this server");
    record.has_domain_id = true;
    record.domain_id = VG_DIRECTORY_DOMAIN_ID;
    record.domain_name = lend(options->domain_name);
    record.has_in_production = true; /* and false: it has no events */
    record.has_created_timestamp = true;
    record.created_timestamp = options->now;
    return vg_directory_change_add(change, directory, VG_DIRECTORY_CUSTOMER, &record.base, error);
}

static enum vg_reason add_user(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    const struct vg_access_bootstrap *options,
    struct vg_error *error)
{
    Vigil__Record__V1__User record = VIGIL__RECORD__V1__USER__INIT;
    record.has_id = true;
    record.id = VG_BOOTSTRAP_USER_ID;
    record.short_name = lend(VG_ACCESS_ADMIN_SHORT_NAME);
    record.name = lend("Administrator");
    record.has_customer_id = true;
    record.customer_id = VG_ACCESS_OPERATOR_ID;
    record.has_created_timestamp = true;
    record.created_timestamp = options->now;
    return vg_directory_change_add(change, directory, VG_DIRECTORY_USER, &record.base, error);
}

/* `out_text`: the whole key. */
static enum vg_reason add_key(
    struct vg_directory_change *change,
    struct vg_directory *directory,
    const struct vg_access_bootstrap *options,
    char out_text[VG_API_KEY_TEXT_SIZE],
    struct vg_error *error)
{
    char id[VG_API_KEY_ID_SIZE + 1];
    uint8_t digest[VG_SHA256_SIZE];
    vg_api_key_make(options->random, VG_BOOTSTRAP_USER_ID, out_text, id, digest);
    Vigil__Record__V1__Role role = VIGIL__RECORD__V1__ROLE__ROLE_ADMIN;
    Vigil__Record__V1__ApiKey record = VIGIL__RECORD__V1__API_KEY__INIT;
    record.id = id;
    record.has_user_id = true;
    record.user_id = VG_BOOTSTRAP_USER_ID;
    record.has_secret_sha256 = true;
    record.secret_sha256.data = digest;
    record.secret_sha256.len = sizeof(digest);
    record.n_roles = 1;
    record.roles = &role;
    record.has_all_customers = true;
    record.all_customers = true;
    record.has_created_timestamp = true;
    record.created_timestamp = options->now;
    return vg_directory_change_add(change, directory, VG_DIRECTORY_KEY, &record.base, error);
}

/* One batch, so that the directory has all of it or nothing. */
static enum vg_reason store_changes(
    struct vg_store *store,
    struct vg_directory_change *changes,
    struct vg_error *error)
{
    struct vg_batch batch;
    vg_batch_init(&batch, VG_BOOTSTRAP_BATCH_BYTES);
    for (size_t i = 0; i < VG_BOOTSTRAP_CHANGES; i++) {
        append_batch(&batch, &changes[i].batch);
    }
    enum vg_reason reason = vg_store_apply(store, 0, &batch, error);
    vg_batch_dispose(&batch);
    for (size_t i = 0; i < VG_BOOTSTRAP_CHANGES && reason == VG_OK; i++) {
        vg_directory_change_install(&changes[i]);
    }
    return reason;
}

enum vg_reason vg_access_bootstrap(
    struct vg_directory *directory,
    struct vg_store *store,
    const struct vg_access_bootstrap *options,
    struct vg_error *error)
{
    if (!is_empty(directory)) {
        return VG_OK;
    }
    char key[VG_API_KEY_TEXT_SIZE];
    struct vg_directory_change changes[VG_BOOTSTRAP_CHANGES] = { { .directory = NULL } };
    enum vg_reason reason = add_customer(&changes[0], directory, options, error);
    reason = reason == VG_OK ? add_user(&changes[1], directory, options, error) : reason;
    reason = reason == VG_OK ? add_key(&changes[2], directory, options, key, error) : reason;
    reason = reason == VG_OK ? write_key_file(options->data_dir, key, error) : reason;
    reason = reason == VG_OK ? store_changes(store, changes, error) : reason;
    for (size_t i = 0; i < VG_BOOTSTRAP_CHANGES; i++) {
        vg_directory_change_dispose(&changes[i]);
    }
    return reason;
}
