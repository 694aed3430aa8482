#include "tools/vigil/upload_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hex.h"
#include "core/base/utf8.h"

#define PART_BYTES  (64u * 1024u)
#define REPLACEMENT "\xEF\xBF\xBD"

bool vg_upload_file_open(const char *path, struct vg_upload_file *out_file, const char **out_words)
{
    struct stat status;
    struct vg_upload_file file = { .handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    if (file.handle < 0 || fstat(file.handle, &status) != 0) {
        *out_words = strerrordesc_np(errno);
    } else if (!S_ISREG(status.st_mode)) {
        *out_words = "it is not a file";
    } else {
        file.size = (uint64_t)status.st_size;
        if (vg_upload_file_hash(&file, 0, file.size, file.sha256)) {
            *out_file = file;
            return true;
        }
        *out_words = "it cannot be read to its end";
    }
    vg_upload_file_close(&file);
    return false;
}

void vg_upload_file_close(struct vg_upload_file *file)
{
    if (file->handle >= 0) {
        (void)close(file->handle);
        file->handle = -1;
    }
}

bool vg_upload_file_read(
    const struct vg_upload_file *file,
    uint64_t offset,
    uint8_t *out,
    size_t size)
{
    while (size > 0) {
        ssize_t got = pread(file->handle, out, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        offset += (uint64_t)got;
        out += got;
        size -= (size_t)got;
    }
    return true;
}

bool vg_upload_file_hash(
    const struct vg_upload_file *file,
    uint64_t offset,
    uint64_t length,
    char out_sha256[VG_UPLOAD_FILE_DIGEST_SIZE])
{
    uint8_t part[PART_BYTES];
    uint8_t bytes[VG_SHA256_SIZE];
    struct vg_digest *digest = vg_digest_create(VG_DIGEST_KIND_SHA256);
    bool good = digest != NULL;
    while (good && length > 0) {
        size_t size = length < PART_BYTES ? (size_t)length : PART_BYTES;
        good = vg_upload_file_read(file, offset, part, size);
        if (good) {
            vg_digest_add(digest, vg_bytes(part, size));
        }
        offset += size;
        length -= size;
    }
    if (good) {
        vg_digest_finish(digest, bytes);
        vg_hex_encode(vg_bytes(bytes, sizeof(bytes)), out_sha256);
    }
    vg_digest_destroy(digest);
    return good;
}

void vg_upload_file_name(const char *path, char *out_name)
{
    const char *slash = strrchr(path, '/');
    struct vg_bytes rest = vg_bytes_text(slash == NULL ? path : slash + 1);
    while (rest.size > 0) {
        size_t valid = vg_utf8_valid_size(rest);
        memcpy(out_name, rest.data, valid);
        out_name += valid;
        rest = vg_bytes(rest.data + valid, rest.size - valid);
        if (rest.size > 0) {
            memcpy(out_name, REPLACEMENT, sizeof(REPLACEMENT) - 1);
            out_name += sizeof(REPLACEMENT) - 1;
            rest = vg_bytes(rest.data + 1, rest.size - 1);
        }
    }
    *out_name = '\0';
}
