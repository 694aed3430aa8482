#include "tools/suricata/eve_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/hex.h"

#define STATE_BYTES_MAX 512u

static uint64_t now_ns(void)
{
    return vg_clock_monotonic_ns(&vg_clock_real);
}

/* A digest of the first `size` bytes; false when there are fewer. */
static bool read_head(FILE *file, size_t size, uint8_t out_digest[VG_SHA256_SIZE])
{
    uint8_t bytes[VG_EVE_SPOOL_HEAD_BYTES];
    bool good = pread(fileno(file), bytes, size, 0) == (ssize_t)size;
    if (good) {
        vg_digest_sha256(vg_bytes(bytes, size), out_digest);
    }
    return good;
}

static size_t head_size(uint64_t offset)
{
    return offset < VG_EVE_SPOOL_HEAD_BYTES ? (size_t)offset : VG_EVE_SPOOL_HEAD_BYTES;
}

static bool inode_of(FILE *file, uint64_t *out_inode)
{
    struct stat status;
    bool good = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    *out_inode = good ? (uint64_t)status.st_ino : 0;
    return good;
}

/* ---- files */

/* Remember how the file begins, as far as it has been read. */
static void note_head(struct vg_eve_spool *spool)
{
    const size_t size = head_size(spool->at.offset);
    if (size != spool->head_size && read_head(spool->file, size, spool->head)) {
        spool->head_size = size;
    }
}

/* Has another file taken the place of what was read, in the same inode (copied and truncated)? */
static bool is_replaced(const struct vg_eve_spool *spool)
{
    struct stat status;
    uint8_t digest[VG_SHA256_SIZE];
    if (fstat(fileno(spool->file), &status) != 0) {
        return false;
    }
    return (uint64_t)status.st_size < spool->at.offset ||
           (read_head(spool->file, spool->head_size, digest) && spool->head_size > 0 &&
            memcmp(digest, spool->head, sizeof(digest)) != 0);
}

/* Go on with `file`, taken over, at `offset`. */
static void take_file(struct vg_eve_spool *spool, FILE *file, uint64_t offset)
{
    if (spool->file != NULL) {
        (void)fclose(spool->file);
    }
    spool->file = file;
    spool->at.offset = offset;
    spool->at.inode = 0;
    if (file != NULL) {
        (void)inode_of(file, &spool->at.inode);
        (void)fseeko(file, (off_t)offset, SEEK_SET);
        spool->head_size = 0;
        note_head(spool);
    }
    spool->changed_ns = spool->looked_ns = now_ns();
}

static bool is_packed(const char *name)
{
    static const char *const ends[] = { ".gz", ".xz", ".bz2", ".zst", ".lz4" };
    size_t size = strlen(name);
    bool packed = false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = strlen(ends[i]);
        packed = packed || (size > end && strcmp(name + size - end, ends[i]) == 0);
    }
    return packed;
}

static int64_t time_of(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/*
 * Look among the files whose names begin with the spool's: for the one with `inode`, or, of those
 * written after `after`, the oldest.
 */
static FILE *find_file(const struct vg_eve_spool *spool, uint64_t inode, int64_t after)
{
    char folder[VG_EVE_SPOOL_PATH_SIZE];
    char name[VG_EVE_SPOOL_PATH_SIZE];
    char path[2 * VG_EVE_SPOOL_PATH_SIZE];
    char best[2 * VG_EVE_SPOOL_PATH_SIZE] = "";
    int64_t best_time = INT64_MAX;
    (void)snprintf(folder, sizeof(folder), "%s", spool->path);
    (void)snprintf(name, sizeof(name), "%s", spool->path);
    const char *base = basename(name);
    const char *where = dirname(folder);
    DIR *directory = opendir(where);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        struct stat status;
        (void)snprintf(path, sizeof(path), "%s/%s", where, entry->d_name);
        if (strncmp(entry->d_name, base, strlen(base)) != 0 || is_packed(entry->d_name) ||
            strncmp(path, spool->state_path, strlen(spool->state_path)) == 0 ||
            strstr(entry->d_name, ".vigil-state") != NULL || stat(path, &status) != 0 ||
            !S_ISREG(status.st_mode)) {
            continue;
        }
        bool fits = after < 0 ? (uint64_t)status.st_ino == inode
                              : (uint64_t)status.st_ino != inode && time_of(&status) > after;
        if (fits && time_of(&status) < best_time) {
            best_time = time_of(&status);
            (void)snprintf(best, sizeof(best), "%s", path);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return best[0] == '\0' ? NULL : fopen(best, "rb");
}

/* The file at hand is read to its end: is it over? */
static bool next_file(struct vg_eve_spool *spool)
{
    struct stat status;
    struct stat named;
    if (spool->file == NULL) {
        FILE *first = fopen(spool->path, "rb");
        if (first != NULL) {
            take_file(spool, first, 0);
        }
        return first != NULL;
    }
    if (fstat(fileno(spool->file), &status) != 0) {
        return false;
    }
    if (is_replaced(spool)) {
        take_file(spool, fopen(spool->path, "rb"), 0);
        return spool->file != NULL;
    }
    bool is_rotated = stat(spool->path, &named) == 0 && named.st_ino != status.st_ino;
    if (!is_rotated || now_ns() - spool->changed_ns < (uint64_t)VG_EVE_SPOOL_QUIET_MS * 1000000u) {
        return false;
    }
    FILE *next = find_file(spool, (uint64_t)status.st_ino, time_of(&status));
    next = next != NULL ? next : fopen(spool->path, "rb");
    if (next != NULL) {
        take_file(spool, next, 0);
    }
    return next != NULL;
}

/* From time to time: is the file still the one that was read? If not it is begun again. */
static bool look(struct vg_eve_spool *spool)
{
    if (now_ns() - spool->looked_ns < (uint64_t)VG_EVE_SPOOL_LOOK_MS * 1000000u) {
        return false;
    }
    if (is_replaced(spool)) {
        take_file(spool, fopen(spool->path, "rb"), 0);
        return true;
    }
    note_head(spool);
    spool->looked_ns = now_ns();
    return false;
}

enum vg_eve_spool_step vg_eve_spool_next(struct vg_eve_spool *spool, struct vg_bytes *out_line)
{
    if (spool->file != NULL && look(spool)) {
        return VG_EVE_SPOOL_NEXT_FILE;
    }
    if (spool->file != NULL) {
        clearerr(spool->file);
        ssize_t size = getline(&spool->line, &spool->line_size, spool->file);
        if (size > 0 && spool->line[size - 1] == '\n') {
            spool->at.offset += (uint64_t)size;
            spool->changed_ns = now_ns();
            *out_line = vg_bytes(spool->line, (size_t)size - 1);
            return VG_EVE_SPOOL_LINE;
        }
        if (size > 0) { /* half a line: the rest is still to come */
            (void)fseeko(spool->file, (off_t)spool->at.offset, SEEK_SET);
        }
    }
    const bool is_next = next_file(spool);
    if (!is_next && spool->file != NULL) {
        note_head(spool);
    }
    return is_next ? VG_EVE_SPOOL_NEXT_FILE : VG_EVE_SPOOL_WAIT;
}

bool vg_eve_spool_look_back(struct vg_eve_spool *spool, uint64_t *from, struct vg_bytes *out_line)
{
    if (spool->file == NULL) {
        return false;
    }
    ssize_t size = 0;
    if (*from == UINT64_MAX) {
        *from = spool->at.offset > VG_EVE_SPOOL_BACK_BYTES
                    ? spool->at.offset - VG_EVE_SPOOL_BACK_BYTES
                    : 0;
        (void)fseeko(spool->file, (off_t)*from, SEEK_SET);
        size = *from == 0 ? 0 : getline(&spool->line, &spool->line_size, spool->file);
        *from += size > 0 ? (uint64_t)size : 0;
    }
    size = *from < spool->at.offset ? getline(&spool->line, &spool->line_size, spool->file) : 0;
    if (size <= 0) {
        (void)fseeko(spool->file, (off_t)spool->at.offset, SEEK_SET);
        return false;
    }
    *from += (uint64_t)size;
    *out_line = vg_bytes(spool->line, (size_t)size);
    return true;
}

void vg_eve_spool_begin_again(struct vg_eve_spool *spool)
{
    take_file(spool, fopen(spool->path, "rb"), 0);
}

/* ---- state */

enum vg_reason vg_eve_spool_save(
    struct vg_eve_spool *spool,
    const struct vg_eve_spool_mark *mark,
    struct vg_error *error)
{
    char temporary[VG_EVE_SPOOL_PATH_SIZE + 8];
    char text[STATE_BYTES_MAX];
    char hex[2 * VG_SHA256_SIZE + 1] = "-";
    size_t head = 0;
    if (spool->file != NULL && spool->at.inode == mark->inode) {
        if (spool->head_size == 0) { /* else as it was when it was read: it may be another by now */
            note_head(spool);
        }
        head = spool->head_size;
    }
    if (head > 0) {
        vg_hex_encode(vg_bytes(spool->head, sizeof(spool->head)), hex);
    }
    (void)snprintf(temporary, sizeof(temporary), "%s.new", spool->state_path);
    int size = snprintf(
        text,
        sizeof(text),
        "vigil agent 1\nfile %" PRIu64 " %" PRIu64 "\nhead %zu %s\nposition %" PRIu64 "\n",
        mark->inode,
        mark->offset,
        head,
        hex,
        mark->position);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = file >= 0 && write(file, text, (size_t)size) == size && fsync(file) == 0;
    good = (file < 0 || close(file) == 0) && good;
    good = good && rename(temporary, spool->state_path) == 0;
    if (!good) {
        return vg_error_set(
            error,
            VG_STORE_IO,
            "cannot write %.100s: %s",
            spool->state_path,
            strerrordesc_np(errno));
    }
    return VG_OK;
}

/* Is `file` the one that the state is about? */
static bool is_known(FILE *file, uint64_t offset, size_t head, const char *hex)
{
    struct stat status;
    uint8_t digest[VG_SHA256_SIZE];
    char text[2 * VG_SHA256_SIZE + 1];
    if (file == NULL || fstat(fileno(file), &status) != 0 || (uint64_t)status.st_size < offset) {
        return false;
    }
    if (head == 0) {
        return true;
    }
    if (head > VG_EVE_SPOOL_HEAD_BYTES || !read_head(file, head, digest)) {
        return false;
    }
    vg_hex_encode(vg_bytes(digest, sizeof(digest)), text);
    return strcmp(text, hex) == 0;
}

static enum vg_reason read_state(
    struct vg_eve_spool *spool,
    bool *out_known,
    struct vg_error *error)
{
    struct vg_eve_spool_mark mark = { 0 };
    size_t head = 0;
    char hex[2 * VG_SHA256_SIZE + 1] = "";
    FILE *state = fopen(spool->state_path, "rb");
    *out_known = state != NULL;
    if (state == NULL) {
        return errno == ENOENT
                   ? VG_OK
                   : vg_error_set(error, VG_STORE_IO, "cannot read %.150s", spool->state_path);
    }
    // NOLINTNEXTLINE(cert-err34-c): the file is our own, and a number that does not fit is none
    int found = fscanf(
        state,
        "vigil agent 1\nfile %" SCNu64 " %" SCNu64 "\nhead %zu %64s\nposition %" SCNu64,
        &mark.inode,
        &mark.offset,
        &head,
        hex,
        &mark.position);
    (void)fclose(state);
    if (found != 5) {
        return vg_error_set(error, VG_CONFIG, "%.150s is no state of an agent", spool->state_path);
    }
    spool->at.position = mark.position;
    FILE *file = find_file(spool, mark.inode, -1);
    if (is_known(file, mark.offset, head, hex)) {
        take_file(spool, file, mark.offset);
    } else if (file != NULL) {
        (void)fclose(file);
    }
    return VG_OK;
}

enum vg_reason vg_eve_spool_open(
    struct vg_eve_spool *spool,
    const char *path,
    const char *state_path,
    bool *out_known,
    struct vg_error *error)
{
    *spool = (struct vg_eve_spool){ .file = NULL };
    if (strlen(path) + 16 >= sizeof(spool->path) ||
        (state_path != NULL && strlen(state_path) >= sizeof(spool->state_path))) {
        return vg_error_set(error, VG_CONFIG, "the path is too long");
    }
    (void)snprintf(spool->path, sizeof(spool->path), "%s", path);
    if (state_path != NULL) {
        (void)snprintf(spool->state_path, sizeof(spool->state_path), "%s", state_path);
    } else {
        (void)snprintf(spool->state_path, sizeof(spool->state_path), "%.4000s.vigil-state", path);
    }
    return read_state(spool, out_known, error);
}

void vg_eve_spool_close(struct vg_eve_spool *spool)
{
    if (spool->file != NULL) {
        (void)fclose(spool->file);
    }
    free(spool->line);
    *spool = (struct vg_eve_spool){ .file = NULL };
}
