#include "core/samples/sample_zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <zip.h>

#include "core/base/hex.h"

/* How often is_cancelled is asked: so many times in all. */
#define PROGRESS_STEP 0.01

static int ask_cancelled(zip_t *archive, void *owner)
{
    (void)archive;
    const struct vg_sample_zip_job *job = owner;
    return job->is_cancelled(job->owner) ? 1 : 0;
}

static void ignore_progress(zip_t *archive, double progress, void *owner)
{
    (void)archive;
    (void)progress;
    (void)owner;
}

static enum vg_reason fail(zip_error_t *from, struct vg_error *error)
{
    int number = zip_error_code_system(from);
    bool full = zip_error_system_type(from) == ZIP_ET_SYS &&
                (number == ENOSPC || number == EDQUOT || number == EFBIG);
    enum vg_reason reason = full ? VG_STORE_FULL : VG_STORE_IO;
    if (zip_error_code_zip(from) == ZIP_ER_CANCELLED) {
        reason = VG_CANCELLED;
    }
    (void)vg_error_set(error, reason, NULL);
    (void)vg_error_detail(error, "making a ZIP file: %s", zip_error_strerror(from));
    return reason;
}

/* The bytes of the sample as libzip reads them: through a descriptor of its own, which it closes.
 */
static zip_source_t *open_source(const struct vg_blob_reader *sample, zip_t *archive)
{
    int handle = fcntl(sample->handle, F_DUPFD_CLOEXEC, 0);
    FILE *file = handle < 0 ? NULL : fdopen(handle, "rb");
    if (file == NULL) {
        if (handle >= 0) {
            (void)close(handle);
        }
        return NULL;
    }
    zip_source_t *source = zip_source_filep(archive, file, 0, (zip_int64_t)sample->size);
    if (source == NULL) {
        (void)fclose(file);
    }
    return source;
}

static bool add_entry(const struct vg_sample_zip_job *job, zip_t *archive)
{
    char name[2 * VG_SHA256_SIZE + 1];
    vg_hex_encode(vg_bytes(job->sha256, VG_SHA256_SIZE), name);
    zip_source_t *source = open_source(job->sample, archive);
    if (source == NULL) {
        return false;
    }
    zip_int64_t index = zip_file_add(archive, name, source, ZIP_FL_ENC_GUESS);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    zip_uint64_t entry = (zip_uint64_t)index;
    return zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_mtime(archive, entry, (time_t)(job->modified / 1000), 0) == 0 &&
           zip_file_set_encryption(archive, entry, ZIP_EM_TRAD_PKWARE, VG_SAMPLE_ZIP_PASSWORD) == 0;
}

static enum vg_reason write_zip(
    const struct vg_sample_zip_job *job,
    const char *path,
    struct vg_error *error)
{
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
    if (archive == NULL) {
        zip_error_t from;
        zip_error_init_with_code(&from, code);
        enum vg_reason reason = fail(&from, error);
        zip_error_fini(&from);
        return reason;
    }
    union {
        const struct vg_sample_zip_job *constant;
        void *owner; /* libzip hands it back, as it is */
    } state = { job };
    (void)zip_register_cancel_callback_with_state(archive, ask_cancelled, NULL, state.owner);
    (void)zip_register_progress_callback_with_state(
        archive,
        PROGRESS_STEP,
        ignore_progress,
        NULL,
        NULL);
    if (add_entry(job, archive) && zip_close(archive) == 0) {
        return VG_OK;
    }
    enum vg_reason reason = fail(zip_get_error(archive), error);
    zip_discard(archive);
    return reason;
}

enum vg_reason vg_sample_zip(
    const struct vg_sample_zip_job *job,
    struct vg_blob_reader *out_zip,
    struct vg_error *error)
{
    char path[VG_BLOB_PATH_SIZE];
    vg_blob_files_scratch(job->files, path);
    enum vg_reason reason = write_zip(job, path, error);
    if (reason != VG_OK) {
        (void)unlink(path);
        return reason;
    }
    return vg_blob_reader_take(path, out_zip, error);
}
