/*
 * vigil.sampledb.v2.SampleService.DownloadRaw and DownloadSafe: a file in pieces, read while the
 * client takes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/hex.h"
#include "core/base/settings.h"
#include "core/directory/directory.h"
#include "core/node/node.h"
#include "core/samples/sample_access.h"
#include "core/samples/sample_zip.h"
#include "core/store/blob_files.h"
#include "proto/contract_handlers.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* Number of vigil.Permission. */
#define VG_FUNCTION_DOWNLOAD_SAMPLE_UNRESTRICTED (UINT64_C(1) << 14)

#define PIECE_BYTES VG_CALL_PART_BYTES
#define NAME_SIZE   (2 * VG_SHA256_SIZE + sizeof(".zip"))

static enum vg_reason refuse(struct vg_call *call, const char *sha256)
{
    (void)vg_error_set(&call->error, VG_SAMPLE_NOT_FOUND, NULL);
    return vg_error_field(&call->error, NULL, sha256);
}

/* ---- pieces */

struct pieces {
    struct vg_rows rows;
    struct vg_blob_reader reader;
    uint64_t offset;
    const char *content_type;
    char name[NAME_SIZE];
    Vigil__Sampledb__V2__SampleFile piece;
};

static enum vg_reason pieces_next(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct pieces *pieces = VG_CONTAINER_OF(rows, struct pieces, rows);
    uint64_t left = pieces->reader.size - pieces->offset;
    if (left == 0) {
        *out_end = true;
        return VG_OK;
    }
    size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason =
        vg_blob_reader_read(&pieces->reader, pieces->offset, bytes, size, error);
    if (reason != VG_OK) {
        return reason;
    }
    union {
        const char *constant;
        char *member; /* protobuf-c declares members char *, though packing only reads them */
    } type = { pieces->offset == 0 ? pieces->content_type : NULL };
    pieces->piece.content_type = type.member;
    pieces->piece.file_name = pieces->offset == 0 ? pieces->name : NULL;
    pieces->piece.has_data = true;
    pieces->piece.data = (ProtobufCBinaryData){ .len = size, .data = bytes };
    pieces->offset += size;
    out_row->message = &pieces->piece.base;
    return VG_OK;
}

static void pieces_close(struct vg_rows *rows)
{
    struct pieces *pieces = VG_CONTAINER_OF(rows, struct pieces, rows);
    vg_blob_reader_close(&pieces->reader);
    free(pieces);
}

static const struct vg_rows_class pieces_class = { .next = pieces_next, .close = pieces_close };

/* Answer with the bytes of `reader`, which is taken over, saved by the name of `sha256`. */
static enum vg_reason answer_file(
    struct vg_call *call,
    struct vg_blob_reader *reader,
    const uint8_t *sha256,
    bool is_zip)
{
    struct pieces *pieces = calloc(1, sizeof(*pieces));
    if (pieces == NULL) {
        vg_blob_reader_close(reader);
        return vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    vigil__sampledb__v2__sample_file__init(&pieces->piece);
    pieces->rows.class = &pieces_class;
    pieces->reader = *reader;
    pieces->content_type = is_zip ? "application/zip" : "application/octet-stream";
    char digits[2 * VG_SHA256_SIZE + 1];
    vg_hex_encode(vg_bytes(sha256, VG_SHA256_SIZE), digits);
    (void)snprintf(pieces->name, sizeof(pieces->name), "%s%s", digits, is_zip ? ".zip" : "");
    /* The head of the answer is sent when the last piece may be gone already. */
    call->reply.file_name = vg_arena_text(&call->arena, vg_bytes_text(pieces->name));
    call->reply.rows = &pieces->rows;
    call->reply.raw_size = (int64_t)reader->size;
    call->reply.content_type = pieces->content_type;
    return call->reply.file_name != NULL ? VG_OK
                                         : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* ---- the file asked for */

/* The record of a sample the caller may have. Who may not see one is told that there is none; a
 * function of its own lifts that for downloads. */
static enum vg_reason read_record(
    struct vg_call *call,
    const uint8_t *sha256,
    vg_time *out_created,
    bool *out_found)
{
    const struct vg_node *node = call->service->node;
    const struct vg_sample_store source = { .table = node->table,
                                            .store = node->store,
                                            .shard = VG_NODE_SHARD,
                                            .snapshot_age_ms = node->settings->snapshot_age_ms };
    const struct vg_directory_snapshot *directory = vg_directory_snapshot(node->directory);
    const struct vg_submission_viewer viewer = { .principal = call->principal,
                                                 .directory = directory,
                                                 .now = call->now };
    struct vg_sample_reading reading;
    enum vg_reason reason =
        vg_sample_read(&source, &viewer, sha256, &call->arena, &reading, &call->error);
    if (reason == VG_OK) {
        bool may = reading.visible ||
                   vg_principal_has(call->principal, VG_FUNCTION_DOWNLOAD_SAMPLE_UNRESTRICTED);
        *out_found = reading.exists && reading.record.deleted == 0 && may;
        *out_created = reading.record.created;
    }
    vg_sample_reading_release(&reading);
    vg_directory_snapshot_unref(directory);
    return reason;
}

/* Record and file of a sample that is there; under its lock, so that both tell the same. */
static enum vg_reason open_sample(
    struct vg_call *call,
    const uint8_t *sha256,
    vg_time *out_created,
    struct vg_blob_reader *out_reader)
{
    struct vg_blob_files *blobs = call->service->node->blobs;
    bool found = false;
    bool has_file = false;
    vg_blob_files_lock(blobs, sha256);
    enum vg_reason reason = read_record(call, sha256, out_created, &found);
    if (reason == VG_OK && found) {
        reason = vg_blob_reader_open(blobs, sha256, out_reader, &has_file, &call->error);
    }
    vg_blob_files_unlock(blobs, sha256);
    if (reason == VG_OK && found && !has_file) {
        return vg_error_set(&call->error, VG_STORE_CORRUPT, "The file of a sample is missing");
    }
    if (reason == VG_OK && !found) {
        const Vigil__Sampledb__V2__GetSampleRequest *request =
            (const Vigil__Sampledb__V2__GetSampleRequest *)call->request;
        return refuse(call, request->sha256);
    }
    return reason;
}

static bool is_cancelled(void *owner)
{
    return vg_call_check(owner) != VG_OK;
}

static int download(struct vg_call *call, bool is_zip)
{
    const Vigil__Sampledb__V2__GetSampleRequest *request =
        (const Vigil__Sampledb__V2__GetSampleRequest *)call->request;
    uint8_t sha256[VG_SHA256_SIZE];
    vg_time created = 0;
    struct vg_blob_reader reader = { .open = false };
    bool is_digest = vg_hex_decode(vg_bytes_text(request->sha256), sha256);
    VG_ASSERT(is_digest); /* VALIDATE has seen its pattern */
    enum vg_reason reason = open_sample(call, sha256, &created, &reader);
    if (reason == VG_OK && is_zip) {
        struct vg_blob_reader zip = { .open = false };
        struct vg_sample_zip_job job = { .files = call->service->node->blobs,
                                         .sample = &reader,
                                         .sha256 = sha256,
                                         .modified = created,
                                         .is_cancelled = is_cancelled,
                                         .owner = call };
        reason = vg_sample_zip(&job, &zip, &call->error);
        vg_blob_reader_close(&reader);
        reader = zip;
    }
    return (int)(reason == VG_OK ? answer_file(call, &reader, sha256, is_zip) : reason);
}

static int download_raw(struct vg_call *call)
{
    return download(call, false);
}

static int download_safe(struct vg_call *call)
{
    return download(call, true);
}

int vg_sampledb_v2_download_raw(
    struct vg_call *call,
    const Vigil__Sampledb__V2__GetSampleRequest *request,
    Vigil__Sampledb__V2__SampleFile *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, download_raw);
}

int vg_sampledb_v2_download_safe(
    struct vg_call *call,
    const Vigil__Sampledb__V2__GetSampleRequest *request,
    Vigil__Sampledb__V2__SampleFile *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, download_safe);
}
