#include "tools/vigil/upload_run.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/wire/wire_encode.h"

#include "vigil/sampledb/v2/sample.pb-c.h"

#define PIECE_BYTES       (64u * 1024u)
#define ARENA_BYTES_MAX   ((size_t)16 << 20)
#define REQUEST_BYTES_MAX (16u << 20)

enum vg_upload_step { STEP_CHALLENGE, STEP_UPLOAD, STEP_SUBMIT };

struct run {
    struct vg_connection *connection;
    const struct vg_upload_options *options;
    struct vg_upload_observer *observer;
    size_t next; /* of the paths */
    bool refused;
    bool unreachable;
};

/* A place for a file that is under way. */
struct slot {
    struct run *run;
    struct vg_connection_call call;
    enum vg_upload_step step;
    const char *path;
    struct vg_upload_file file;
    bool known;
    Vigil__Sampledb__V2__ChallengeTokenRequest token;
    struct vg_arena arena;    /* of the file */
    struct vg_buffer request; /* of the call, or its piece */
    uint8_t piece[PIECE_BYTES];
};

static void tell(struct slot *slot, struct vg_upload_result *result)
{
    struct run *run = slot->run;
    result->path = slot->path;
    run->refused = run->refused || result->words != NULL;
    run->observer->done(run->observer, result);
}

static void fail(struct slot *slot, const char *words)
{
    tell(slot, &(struct vg_upload_result){ .words = words });
}

/* Tell what the server said against it. */
static void fail_call(struct slot *slot)
{
    const struct vg_grpc_client_call *grpc = &slot->call.grpc;
    struct vg_upload_result result = {
        .words = grpc->message,
        .reason = grpc->details.reason != NULL ? grpc->details.reason
                                               : vg_grpc_client_code_name(grpc->code),
    };
    if (vg_connection_is_unreachable(&slot->call)) {
        slot->run->unreachable = true;
    }
    tell(slot, &result);
}

/* Begin the next call of the slot, with the bytes of `message`. False, and told, without memory. */
static bool start(
    struct slot *slot,
    enum vg_upload_step step,
    enum vg_client_method method,
    const ProtobufCMessage *message)
{
    vg_buffer_clear(&slot->request);
    if (!vg_wire_encode(vg_client_method_row(method)->request, message, &slot->request)) {
        fail(slot, "there is no memory for its submission");
        return false;
    }
    slot->step = step;
    slot->call = (struct vg_connection_call){
        .method = method,
        .kept_request = vg_buffer_bytes(&slot->request),
        .owner = slot,
    };
    vg_connection_start(slot->run->connection, &slot->call);
    return true;
}

static bool start_challenge(struct slot *slot)
{
    Vigil__Sampledb__V2__GetChallengeRequest request =
        VIGIL__SAMPLEDB__V2__GET_CHALLENGE_REQUEST__INIT;
    request.sha256 = slot->file.sha256;
    return start(slot, STEP_CHALLENGE, VG_CLIENT_METHOD_GET_CHALLENGE, &request.base);
}

static bool start_submit(struct slot *slot)
{
    Vigil__Sampledb__V2__AddSubmissionRequest request = *slot->run->options->submission;
    char *name = vg_arena_alloc(&slot->arena, 3 * strlen(slot->path) + 1);
    if (name == NULL) {
        fail(slot, "there is no memory for its name");
        return false;
    }
    vg_upload_file_name(slot->path, name);
    request.sha256 = slot->file.sha256;
    request.file_name = name;
    request.challenge_token = &slot->token;
    return start(slot, STEP_SUBMIT, VG_CLIENT_METHOD_ADD_SUBMISSION, &request.base);
}

/* The next piece of the file. */
static enum vg_grpc_client_next give_piece(
    struct vg_connection_call *call,
    struct vg_bytes *out_message)
{
    struct slot *slot = call->owner;
    Vigil__Sampledb__V2__UploadSampleRequest message =
        VIGIL__SAMPLEDB__V2__UPLOAD_SAMPLE_REQUEST__INIT;
    uint64_t offset = call->pieces * PIECE_BYTES;
    if (offset >= slot->file.size) {
        return VG_GRPC_CLIENT_NEXT_END;
    }
    uint64_t left = slot->file.size - offset;
    size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    message.has_data = true;
    message.data = (ProtobufCBinaryData){ .len = size, .data = slot->piece };
    vg_buffer_clear(&slot->request);
    if (!vg_upload_file_read(&slot->file, offset, slot->piece, size) ||
        !vg_wire_encode(
            vg_client_method_row(call->method)->request,
            &message.base,
            &slot->request)) {
        return VG_GRPC_CLIENT_NEXT_FAILED;
    }
    *out_message = vg_buffer_bytes(&slot->request);
    slot->run->observer->sent(slot->run->observer, size);
    return VG_GRPC_CLIENT_NEXT_MESSAGE;
}

static void start_upload(struct slot *slot)
{
    slot->step = STEP_UPLOAD;
    slot->call = (struct vg_connection_call){
        .method = VG_CLIENT_METHOD_UPLOAD_SAMPLE,
        .owner = slot,
        .piece = give_piece,
    };
    vg_connection_start(slot->run->connection, &slot->call);
}

/* The server does not have the file, or it is too small to be asked about. */
static bool is_wanted(const struct vg_grpc_client_call *grpc)
{
    return grpc->code == VG_GRPC_NOT_FOUND ||
           (grpc->code == VG_GRPC_FAILED_PRECONDITION && grpc->details.reason != NULL &&
            strcmp(grpc->details.reason, "SAMPLE_TOO_SMALL") == 0);
}

/* Keep id and digest as the proof. False without memory, or when they are missing. */
static bool keep_token(struct slot *slot, const char *id, const char *sha256)
{
    vigil__sampledb__v2__challenge_token_request__init(&slot->token);
    if (id == NULL || sha256 == NULL) {
        return false;
    }
    slot->token.id = vg_arena_text(&slot->arena, vg_bytes_text(id));
    slot->token.sha256 = vg_arena_text(&slot->arena, vg_bytes_text(sha256));
    return slot->token.id != NULL && slot->token.sha256 != NULL;
}

/* The server knows the file: prove that we hold it. Whether another call is under way. */
static bool take_challenge(struct slot *slot, const Vigil__Sampledb__V2__Challenge *challenge)
{
    char sha256[VG_UPLOAD_FILE_DIGEST_SIZE];
    if (challenge->offset < 0 || challenge->length < 0 ||
        !vg_upload_file_hash(
            &slot->file,
            (uint64_t)challenge->offset,
            (uint64_t)challenge->length,
            sha256)) {
        fail(slot, "the part that the server asks for cannot be read");
        return false;
    }
    slot->known = true;
    if (!keep_token(slot, challenge->id, sha256)) {
        fail(slot, "the server's answer cannot be read");
        return false;
    }
    return start_submit(slot);
}

static bool take_uploaded(struct slot *slot, const Vigil__Sampledb__V2__UploadedSample *uploaded)
{
    const Vigil__Sampledb__V2__ChallengeToken *token = uploaded->challenge;
    if (uploaded->sample == NULL || uploaded->sample->id == NULL ||
        strcmp(uploaded->sample->id, slot->file.sha256) != 0) {
        fail(slot, "it changed while it was uploaded");
        return false;
    }
    if (token == NULL || !keep_token(slot, token->id, token->sha256)) {
        fail(slot, "the server's answer cannot be read");
        return false;
    }
    return start_submit(slot);
}

static void take_submission(
    struct slot *slot,
    const Vigil__Sampledb__V2__AddSubmissionAnswer *added)
{
    tell(
        slot,
        &(struct vg_upload_result){
            .sha256 = slot->file.sha256,
            .size = slot->file.size,
            .known = slot->known,
            .submission = added->submission,
        });
}

/* Go on with a file whose call is done. Whether another call is under way. */
static bool go_on(struct slot *slot)
{
    const struct vg_grpc_client_call *grpc = &slot->call.grpc;
    const ProtobufCMessage *answer = vg_connection_answer(&slot->call, &slot->arena);
    bool wanted = slot->step == STEP_CHALLENGE && is_wanted(grpc);
    if (answer == NULL && !wanted) {
        if (grpc->code == VG_GRPC_OK) {
            fail(slot, "the server's answer cannot be read");
        } else {
            fail_call(slot);
        }
        vg_connection_call_dispose(&slot->call);
        return false;
    }
    vg_connection_call_dispose(&slot->call);
    if (wanted) {
        start_upload(slot);
        return true;
    }
    switch (slot->step) {
    case STEP_CHALLENGE:
        return take_challenge(slot, (const Vigil__Sampledb__V2__Challenge *)(const void *)answer);
    case STEP_UPLOAD:
        return take_uploaded(
            slot,
            (const Vigil__Sampledb__V2__UploadedSample *)(const void *)answer);
    case STEP_SUBMIT:
        take_submission(
            slot,
            (const Vigil__Sampledb__V2__AddSubmissionAnswer *)(const void *)answer);
        return false;
    }
    VG_UNREACHABLE();
}

/* Begin with the next file that can be read, if there is one. */
static void begin_next(struct slot *slot)
{
    struct run *run = slot->run;
    bool started = false;
    while (!started && run->next < run->options->path_count && !run->unreachable) {
        const char *words = NULL;
        slot->path = run->options->paths[run->next++];
        slot->known = false;
        vg_arena_clear(&slot->arena);
        if (!vg_upload_file_open(slot->path, &slot->file, &words)) {
            fail(slot, words);
            continue;
        }
        started = start_challenge(slot);
        if (!started) {
            vg_upload_file_close(&slot->file);
        }
    }
}

static void work(struct run *run, struct slot *slots)
{
    struct vg_connection_call *call;
    for (unsigned i = 0; i < run->options->parallel; i++) {
        begin_next(&slots[i]);
    }
    while ((call = vg_connection_wait_any(run->connection)) != NULL) {
        struct slot *slot = call->owner;
        if (!go_on(slot)) {
            vg_upload_file_close(&slot->file);
            begin_next(slot);
        }
    }
}

enum vg_upload_end vg_upload_run(
    struct vg_connection *connection,
    const struct vg_upload_options *options,
    struct vg_upload_observer *observer)
{
    struct run run = { .connection = connection, .options = options, .observer = observer };
    VG_ASSERT(options->parallel >= 1 && options->parallel <= VG_UPLOAD_RUN_PARALLEL_MAX);
    struct slot *slots = calloc(options->parallel, sizeof(*slots));
    if (slots == NULL) {
        return VG_UPLOAD_END_NO_MEMORY;
    }
    for (unsigned i = 0; i < options->parallel; i++) {
        slots[i].run = &run;
        slots[i].file.handle = -1;
        vg_arena_init(&slots[i].arena, ARENA_BYTES_MAX);
        vg_buffer_init(&slots[i].request, REQUEST_BYTES_MAX);
    }
    work(&run, slots);
    for (unsigned i = 0; i < options->parallel; i++) {
        vg_arena_dispose(&slots[i].arena);
        vg_buffer_dispose(&slots[i].request);
    }
    free(slots);
    if (run.unreachable) {
        return VG_UPLOAD_END_UNREACHABLE;
    }
    return run.refused ? VG_UPLOAD_END_REFUSED : VG_UPLOAD_END_DONE;
}
