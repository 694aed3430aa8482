#include "core/store/blob_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/hex.h"

#define NAME_SIZE (2 * VG_SHA256_SIZE + 1)
#define STRIPES   64u
#define TEMPORARY "tmp"
/* The kernel begins to write as soon as so much has come together, so that little is left to wait
 * for at the end. */
#define PUSH_BYTES (4u * 1024u * 1024u)

struct vg_blob_files {
    char directory[VG_BLOB_PATH_SIZE - 64];
    int root;      /* DIR */
    int temporary; /* DIR/tmp */
    _Atomic uint64_t next_number;
    pthread_mutex_t locks[STRIPES];
};

/* "ab" and "ab12…" of a digest. */
struct blob_name {
    char folder[3];
    char path[3 + NAME_SIZE];
};

static struct blob_name name_of(const uint8_t *digest)
{
    struct blob_name name;
    char text[NAME_SIZE];
    vg_hex_encode(vg_bytes(digest, VG_SHA256_SIZE), text);
    (void)snprintf(name.folder, sizeof(name.folder), "%.2s", text);
    (void)snprintf(name.path, sizeof(name.path), "%.2s/%s", text, text);
    return name;
}

/* The failure of a system call: RLIMIT_FSIZE and quotas are full disks too. */
static enum vg_reason fail(const char *what, struct vg_error *error)
{
    int number = errno;
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    enum vg_reason reason = vg_error_set(error, full ? VG_STORE_FULL : VG_STORE_IO, NULL);
    (void)vg_error_detail(error, "%s: %s", what, strerror(number));
    return reason;
}

/* By its path: the thread sanitizer does not see openat, and takes a descriptor for the one that
 * had its number before. */
static int open_below(const struct vg_blob_files *files, const char *name, int flags)
{
    char path[VG_BLOB_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", files->directory, name);
    return open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* A folder, made if it is missing. */
static int open_folder(const struct vg_blob_files *files, const char *name)
{
    char path[VG_BLOB_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", files->directory, name);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return -1;
    }
    return open_below(files, name, O_RDONLY | O_DIRECTORY);
}

/* Remove what an earlier process did not finish. */
static enum vg_reason sweep(struct vg_blob_files *files, struct vg_error *error)
{
    int handle = open_below(files, TEMPORARY, O_RDONLY | O_DIRECTORY);
    DIR *folder = handle < 0 ? NULL : fdopendir(handle);
    if (folder == NULL) {
        return fail("opening the folder of temporary files", error);
    }
    enum vg_reason reason = VG_OK;
    for (const struct dirent *entry = readdir(folder); entry != NULL && reason == VG_OK;
         entry = readdir(folder)) {
        bool is_own = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!is_own && unlinkat(files->temporary, entry->d_name, 0) != 0) {
            reason = fail("removing a temporary file", error);
        }
    }
    (void)closedir(folder);
    return reason;
}

static enum vg_reason open_folders(struct vg_blob_files *files, struct vg_error *error)
{
    files->root = open_folder(files, "");
    if (files->root < 0) {
        return fail("opening the folder of blobs", error);
    }
    files->temporary = open_folder(files, TEMPORARY);
    return files->temporary < 0 ? fail("opening the folder of temporary files", error)
                                : sweep(files, error);
}

enum vg_reason vg_blob_files_open(
    const char *directory,
    struct vg_blob_files **out_files,
    struct vg_error *error)
{
    struct vg_blob_files *files = calloc(1, sizeof(*files));
    if (files == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    files->root = files->temporary = -1;
    int size = snprintf(files->directory, sizeof(files->directory), "%s", directory);
    if (size < 0 || (size_t)size >= sizeof(files->directory)) {
        free(files);
        return vg_error_set(error, VG_CONFIG, "the path of the data directory is too long");
    }
    for (size_t i = 0; i < STRIPES; i++) {
        VG_ASSERT(pthread_mutex_init(&files->locks[i], NULL) == 0);
    }
    enum vg_reason reason = open_folders(files, error);
    if (reason != VG_OK) {
        vg_blob_files_close(files);
        return reason;
    }
    *out_files = files;
    return VG_OK;
}

void vg_blob_files_close(struct vg_blob_files *files)
{
    if (files == NULL) {
        return;
    }
    for (size_t i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_destroy(&files->locks[i]);
    }
    if (files->temporary >= 0) {
        (void)close(files->temporary);
    }
    if (files->root >= 0) {
        (void)close(files->root);
    }
    free(files);
}

void vg_blob_files_lock(struct vg_blob_files *files, const uint8_t digest[VG_SHA256_SIZE])
{
    VG_ASSERT(pthread_mutex_lock(&files->locks[digest[0] % STRIPES]) == 0);
}

void vg_blob_files_unlock(struct vg_blob_files *files, const uint8_t digest[VG_SHA256_SIZE])
{
    VG_ASSERT(pthread_mutex_unlock(&files->locks[digest[0] % STRIPES]) == 0);
}

/* ---- writing */

#define TEMPORARY_SIZE 32

static void print_temporary(uint64_t number, char out_name[TEMPORARY_SIZE])
{
    (void)snprintf(out_name, TEMPORARY_SIZE, "%" PRIu64, number);
}

enum vg_reason vg_blob_writer_begin(
    struct vg_blob_files *files,
    uint64_t bytes_max,
    struct vg_blob_writer *out_writer,
    struct vg_error *error)
{
    struct vg_blob_writer writer = { .files = files, .bytes_max = bytes_max };
    char path[TEMPORARY_SIZE + sizeof(TEMPORARY)];
    writer.number = atomic_fetch_add(&files->next_number, 1);
    (void)snprintf(path, sizeof(path), TEMPORARY "/%" PRIu64, writer.number);
    writer.handle = open_below(files, path, O_WRONLY | O_CREAT | O_EXCL);
    if (writer.handle < 0) {
        return fail("making a temporary file", error);
    }
    *out_writer = writer;
    return VG_OK;
}

enum vg_reason vg_blob_writer_append(
    struct vg_blob_writer *writer,
    struct vg_bytes bytes,
    struct vg_error *error)
{
    VG_ASSERT(writer->files != NULL);
    if (bytes.size > writer->bytes_max - writer->size) {
        return vg_error_set(error, VG_REQUEST_TOO_LARGE, NULL);
    }
    while (bytes.size > 0) {
        ssize_t done = write(writer->handle, bytes.data, bytes.size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return fail("writing a file", error);
        }
        writer->size += (uint64_t)done;
        bytes = vg_bytes(bytes.data + done, bytes.size - (size_t)done);
    }
    if (writer->size - writer->pushed >= PUSH_BYTES) {
        /* Advice: a file system that does not know it writes at the sync. */
        (void)sync_file_range(
            writer->handle,
            (off_t)writer->pushed,
            (off_t)(writer->size - writer->pushed),
            SYNC_FILE_RANGE_WRITE);
        writer->pushed = writer->size;
    }
    return VG_OK;
}

enum vg_reason vg_blob_writer_sync(struct vg_blob_writer *writer, struct vg_error *error)
{
    VG_ASSERT(writer->files != NULL);
    return fdatasync(writer->handle) == 0 ? VG_OK : fail("syncing a file", error);
}

void vg_blob_writer_abort(struct vg_blob_writer *writer)
{
    if (writer->files == NULL) {
        return;
    }
    char name[TEMPORARY_SIZE];
    print_temporary(writer->number, name);
    (void)unlinkat(writer->files->temporary, name, 0);
    (void)close(writer->handle);
    writer->files = NULL;
}

/* Whether the whole file is there under its name. A file of another size is a damaged one, and is
 * replaced. */
static bool is_there(const struct vg_blob_writer *writer, const struct blob_name *name)
{
    struct stat status;
    return fstatat(writer->files->root, name->path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode) && (uint64_t)status.st_size == writer->size;
}

static enum vg_reason rename_synced(
    const struct vg_blob_writer *writer,
    const struct blob_name *name,
    struct vg_error *error)
{
    struct vg_blob_files *files = writer->files;
    char temporary[TEMPORARY_SIZE];
    print_temporary(writer->number, temporary);
    bool made = mkdirat(files->root, name->folder, 0700) == 0;
    int folder = open_below(files, name->folder, O_RDONLY | O_DIRECTORY);
    if (folder < 0) {
        return fail("opening a folder of blobs", error);
    }
    enum vg_reason reason = VG_OK;
    if (made && fsync(files->root) != 0) {
        reason = fail("syncing the folder of blobs", error);
    } else if (renameat(files->temporary, temporary, files->root, name->path) != 0) {
        reason = fail("naming a file", error);
    } else if (fsync(folder) != 0) {
        reason = fail("syncing a folder of blobs", error);
        (void)unlinkat(files->root, name->path, 0);
    }
    (void)close(folder);
    return reason;
}

enum vg_reason vg_blob_writer_commit(
    struct vg_blob_writer *writer,
    const uint8_t digest[VG_SHA256_SIZE],
    bool *out_is_new,
    struct vg_error *error)
{
    const struct blob_name name = name_of(digest);
    bool is_new = !is_there(writer, &name);
    enum vg_reason reason = VG_OK;
    if (is_new) {
        reason = vg_blob_writer_sync(writer, error);
        if (reason == VG_OK) {
            reason = rename_synced(writer, &name, error);
        }
    }
    vg_blob_writer_abort(writer); /* whatever still has the temporary name */
    if (reason == VG_OK) {
        *out_is_new = is_new;
    }
    return reason;
}

void vg_blob_files_scratch(struct vg_blob_files *files, char out_path[VG_BLOB_PATH_SIZE])
{
    (void)snprintf(
        out_path,
        VG_BLOB_PATH_SIZE,
        "%s/" TEMPORARY "/%" PRIu64,
        files->directory,
        atomic_fetch_add(&files->next_number, 1));
}

/* ---- reading */

/* What open has returned becomes a reader. */
static enum vg_reason begin_reading(
    int handle,
    struct vg_blob_reader *out_reader,
    struct vg_error *error)
{
    struct stat status;
    if (handle < 0 || fstat(handle, &status) != 0) {
        enum vg_reason reason = fail("opening a file", error);
        if (handle >= 0) {
            (void)close(handle);
        }
        return reason;
    }
    *out_reader =
        (struct vg_blob_reader){ .size = (uint64_t)status.st_size, .handle = handle, .open = true };
    return VG_OK;
}

enum vg_reason vg_blob_reader_open(
    struct vg_blob_files *files,
    const uint8_t digest[VG_SHA256_SIZE],
    struct vg_blob_reader *out_reader,
    bool *out_found,
    struct vg_error *error)
{
    const struct blob_name name = name_of(digest);
    int handle = open_below(files, name.path, O_RDONLY);
    if (handle < 0 && errno == ENOENT) {
        *out_found = false;
        return VG_OK;
    }
    enum vg_reason reason = begin_reading(handle, out_reader, error);
    if (reason == VG_OK) {
        *out_found = true;
    }
    return reason;
}

enum vg_reason vg_blob_reader_take(
    const char *path,
    struct vg_blob_reader *out_reader,
    struct vg_error *error)
{
    int handle = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum vg_reason reason = begin_reading(handle, out_reader, error);
    (void)unlink(path);
    return reason;
}

enum vg_reason vg_blob_reader_read(
    const struct vg_blob_reader *reader,
    uint64_t offset,
    uint8_t *out,
    size_t size,
    struct vg_error *error)
{
    VG_ASSERT(reader->open);
    while (size > 0) {
        ssize_t done = pread(reader->handle, out, size, (off_t)offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return fail("reading a file", error);
        }
        if (done == 0) {
            enum vg_reason reason = vg_error_set(error, VG_STORE_IO, NULL);
            (void)vg_error_detail(error, "a file is shorter than it was");
            return reason;
        }
        out += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return VG_OK;
}

void vg_blob_reader_close(struct vg_blob_reader *reader)
{
    if (reader->open) {
        (void)close(reader->handle);
        reader->open = false;
    }
}

enum vg_reason vg_blob_files_remove(
    struct vg_blob_files *files,
    const uint8_t digest[VG_SHA256_SIZE],
    bool *out_found,
    struct vg_error *error)
{
    const struct blob_name name = name_of(digest);
    if (unlinkat(files->root, name.path, 0) != 0) {
        if (errno != ENOENT) {
            return fail("removing a file", error);
        }
        *out_found = false;
        return VG_OK;
    }
    int folder = open_below(files, name.folder, O_RDONLY | O_DIRECTORY);
    bool synced = folder >= 0 && fsync(folder) == 0;
    enum vg_reason reason = synced ? VG_OK : fail("syncing a folder of blobs", error);
    if (folder >= 0) {
        (void)close(folder);
    }
    if (reason == VG_OK) {
        *out_found = true;
    }
    return reason;
}

enum vg_reason vg_blob_files_list(
    struct vg_blob_files *files,
    uint8_t first,
    bool (*visit)(void *owner, const uint8_t digest[VG_SHA256_SIZE]),
    void *owner,
    struct vg_error *error)
{
    char name[3];
    vg_hex_encode(vg_bytes(&first, 1), name);
    int handle = open_below(files, name, O_RDONLY | O_DIRECTORY);
    if (handle < 0 && errno == ENOENT) {
        return VG_OK;
    }
    DIR *folder = handle < 0 ? NULL : fdopendir(handle);
    if (folder == NULL) {
        enum vg_reason reason = fail("opening a folder of blobs", error);
        if (handle >= 0) {
            (void)close(handle);
        }
        return reason;
    }
    bool goes_on = true;
    for (const struct dirent *entry = readdir(folder); entry != NULL && goes_on;
         entry = readdir(folder)) {
        /* What somebody else has put there is nobody's blob. */
        uint8_t digest[VG_SHA256_SIZE];
        struct vg_bytes text = vg_bytes_text(entry->d_name);
        if (text.size == 2 * sizeof(digest) && vg_hex_decode(text, digest) && digest[0] == first) {
            goes_on = visit(owner, digest);
        }
    }
    (void)closedir(folder);
    return VG_OK;
}
