/* vigil sample: show and download. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/digest.h"
#include "core/base/hex.h"
#include "core/wire/wire_decode.h"
#include "tools/vigil/progress.h"
#include "tools/vigil/session.h"

#include "vigil/sampledb/v2/sample.pb-c.h"

#define PIECE_BYTES_MAX ((size_t)64 << 20)
#define PATH_BYTES      4096u
#define ENDING_PART     ".part"
#define ENDING_SAFE     ".zip"

// clang-format off
static const struct vg_option download_options[] = {
    { .name = "--safe", .help = "as a ZIP file with the password infected (default)", .kind = VG_OPTION_KIND_YES },
    { .name = "--raw", .help = "as it is, which may be dangerous", .kind = VG_OPTION_KIND_YES },
    { .name = "--file", .value = "FILE", .help = "write there (- = stdout); by default to SHA256.zip, raw to SHA256" },
};
// clang-format on

/* --------------------------------------------------------------------------------- download */

/* A file that is written under another name until it is whole. */
struct download {
    struct vg_connection_call call;
    struct vg_arena arena; /* of a piece */
    struct vg_digest *digest;
    struct vg_progress progress;
    FILE *file;
    const char *failure; /* why no more pieces were wanted */
    const char *sha256;  /* as it was asked for */
    bool raw;
    bool standard; /* to stdout */
    uint64_t size;
    char path[PATH_BYTES];
    char part[PATH_BYTES + sizeof(ENDING_PART)];
};

static bool take_piece(struct vg_connection_call *call, struct vg_bytes message)
{
    struct download *download = VG_CONTAINER_OF(call, struct download, call);
    ProtobufCMessage *decoded = NULL;
    vg_arena_clear(&download->arena);
    if (vg_wire_decode(
            vg_client_method_row(call->method)->answer,
            message,
            &vg_wire_policy_record,
            &download->arena,
            &decoded,
            NULL) != VG_OK) {
        download->failure = "the server's answer cannot be read";
        return false;
    }
    const Vigil__Sampledb__V2__SampleFile *piece =
        (const Vigil__Sampledb__V2__SampleFile *)(const void *)decoded;
    vg_digest_add(download->digest, vg_bytes(piece->data.data, piece->data.len));
    if (fwrite(piece->data.data, 1, piece->data.len, download->file) != piece->data.len) {
        download->failure = strerrordesc_np(errno);
        return false;
    }
    download->size += piece->data.len;
    vg_progress_show(&download->progress, "bytes", download->size, download->size);
    return true;
}

/* A file as it is must be what was asked for. */
static bool is_right(struct download *download)
{
    uint8_t digest[VG_SHA256_SIZE];
    char text[2 * VG_SHA256_SIZE + 1];
    vg_digest_finish(download->digest, digest);
    vg_hex_encode(vg_bytes(digest, sizeof(digest)), text);
    return !download->raw || strcasecmp(text, download->sha256) == 0;
}

/* Nobody but the caller reads what may be dangerous. */
static bool open_part(struct download *download)
{
    if (download->standard) {
        download->file = stdout;
        return true;
    }
    (void)snprintf(download->part, sizeof(download->part), "%s" ENDING_PART, download->path);
    int handle = open(
        download->part,
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
        S_IRUSR | S_IWUSR);
    download->file = handle < 0 ? NULL : fdopen(handle, "wb");
    if (download->file == NULL) {
        (void)
            fprintf(stderr, "vigil: cannot write %s: %s\n", download->part, strerrordesc_np(errno));
        if (handle >= 0) {
            (void)close(handle);
        }
        return false;
    }
    return true;
}

/* Close the part; it gets its name when all of it is there. */
static enum vg_exit close_part(struct download *download, enum vg_exit exit)
{
    bool good = fflush(download->file) == 0;
    if (download->standard) {
        return exit == VG_EXIT_DONE && !good ? VG_EXIT_REFUSED : exit;
    }
    good = fclose(download->file) == 0 && good;
    if (exit == VG_EXIT_DONE && (!good || rename(download->part, download->path) != 0)) {
        (void)
            fprintf(stderr, "vigil: cannot write %s: %s\n", download->path, strerrordesc_np(errno));
        exit = VG_EXIT_REFUSED;
    }
    if (exit != VG_EXIT_DONE) {
        (void)unlink(download->part);
    }
    return exit;
}

static enum vg_exit fetch(struct vg_session *session, struct download *download)
{
    Vigil__Sampledb__V2__GetSampleRequest request = VIGIL__SAMPLEDB__V2__GET_SAMPLE_REQUEST__INIT;
    request.sha256 = vg_arena_text(&session->arena, vg_bytes_text(download->sha256));
    if (request.sha256 == NULL || !open_part(download)) {
        return VG_EXIT_USAGE;
    }
    vg_progress_begin(&download->progress, 0);
    download->progress.wanted = download->progress.wanted && !download->standard;
    enum vg_exit exit =
        vg_session_stream(session, &request.base, &download->call, &download->failure);
    vg_progress_hide(&download->progress);
    if (exit == VG_EXIT_DONE && !is_right(download)) {
        (void)fputs("vigil: what came is another file\n", stderr);
        exit = VG_EXIT_REFUSED;
    }
    return close_part(download, exit);
}

/* Where it goes. Digests hold no slash, so a name made of one leads nowhere else. */
static bool take_path(struct download *download, const char *file)
{
    uint8_t digest[VG_SHA256_SIZE];
    size_t size = strlen(download->sha256);
    if (size != 2 * sizeof(digest) || !vg_hex_decode(vg_bytes(download->sha256, size), digest)) {
        (void)fprintf(stderr, "vigil: %s is no SHA-256 in hexadecimal\n", download->sha256);
        return false;
    }
    download->standard = file != NULL && strcmp(file, "-") == 0;
    int length = file != NULL ? snprintf(download->path, PATH_BYTES, "%s", file)
                              : snprintf(
                                    download->path,
                                    PATH_BYTES,
                                    "%s%s",
                                    download->sha256,
                                    download->raw ? "" : ENDING_SAFE);
    if (length <= 0 || (size_t)length >= PATH_BYTES) {
        (void)fputs("vigil: the name of the file is too long, or empty\n", stderr);
        return false;
    }
    return true;
}

static enum vg_exit run_download(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    static struct download download; /* too large for a stack frame one likes */
    bool raw = vg_arguments_has(arguments, "--raw");
    (void)command;
    if (raw && vg_arguments_has(arguments, "--safe")) {
        (void)fputs("vigil: --safe and --raw exclude each other\n", stderr);
        return VG_EXIT_USAGE;
    }
    download = (struct download){
        .call = { .method = raw ? VG_CLIENT_METHOD_DOWNLOAD_RAW : VG_CLIENT_METHOD_DOWNLOAD_SAFE,
                  .row = take_piece },
        .sha256 = arguments->operands[0],
        .raw = raw,
    };
    if (!take_path(&download, vg_arguments_value(arguments, "--file"))) {
        return VG_EXIT_USAGE;
    }
    download.digest = vg_digest_create(VG_DIGEST_KIND_SHA256);
    if (download.digest == NULL) {
        (void)fputs("vigil: there is no memory\n", stderr);
        return VG_EXIT_REFUSED;
    }
    vg_arena_init(&download.arena, PIECE_BYTES_MAX);
    enum vg_exit exit = fetch(session, &download);
    vg_arena_dispose(&download.arena);
    vg_digest_destroy(download.digest);
    if (exit == VG_EXIT_DONE && !download.standard) {
        (void)puts(download.path);
    }
    return exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "sample",
        .verb = "show",
        .operand = "SHA256",
        .field = "sha256",
        .help = "show what is known of a sample",
        .method = VG_CLIENT_METHOD_GET_SAMPLE,
        .run = vg_session_run_call,
    },
    {
        .noun = "sample",
        .verb = "download",
        .operand = "SHA256",
        .help = "fetch a sample: as an encrypted ZIP file, or as it is",
        .options = download_options,
        .option_count = VG_ARRAY_COUNT(download_options),
        .method = VG_CLIENT_METHOD_DOWNLOAD_SAFE,
        .run = run_download,
    },
};

const struct vg_command_group vg_cmd_sample = { commands, VG_ARRAY_COUNT(commands) };
