/*
 * A file that is to be uploaded: its size, its SHA-256, and its bytes part by part. However large
 * it is, memory holds one part.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_UPLOAD_FILE_H
#define VG_TOOLS_VIGIL_UPLOAD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/digest.h"

#define VG_UPLOAD_FILE_DIGEST_SIZE (2 * VG_SHA256_SIZE + 1)

struct vg_upload_file {
    int handle;
    uint64_t size;
    char sha256[VG_UPLOAD_FILE_DIGEST_SIZE]; /* in hexadecimal */
};

/* Open a regular file and hash it. On failure nothing is open; *out_words says why. */
VG_MUST_USE bool vg_upload_file_open(
    const char *path,
    struct vg_upload_file *out_file,
    const char **out_words);
void vg_upload_file_close(struct vg_upload_file *file);

/* The SHA-256 of a range, in hexadecimal. False when the file does not have that range any more, or
 * cannot be read. */
VG_MUST_USE bool vg_upload_file_hash(
    const struct vg_upload_file *file,
    uint64_t offset,
    uint64_t length,
    char out_sha256[VG_UPLOAD_FILE_DIGEST_SIZE]);

/* Read exactly `size` bytes from `offset` on. */
VG_MUST_USE bool vg_upload_file_read(
    const struct vg_upload_file *file,
    uint64_t offset,
    uint8_t *out,
    size_t size);

/* The name of the file without its folders, as far as it is text: in `out_name`, which has room for
 * 3 x strlen(path) + 1 bytes, each byte that is no text becomes U+FFFD. */
void vg_upload_file_name(const char *path, char *out_name);

#endif
