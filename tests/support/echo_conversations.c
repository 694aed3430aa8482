#include "tests/support/echo_conversations.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/text_number.h"
#include "rpc/service/call_metadata.h"

/* More of its answers than this wait in the conversation, not in the call. */
#define ECHO_UNSAID_BYTES (64u * 1024u)
#define ECHO_SIZES_MAX    (64u * 1024u * 1024u)

/* The first reason that gRPC clients see as `code`, or any. */
static enum vg_reason reason_of_code(int code)
{
    for (int reason = 1; reason < VG_REASON_COUNT; reason++) {
        if (vg_reason_row((enum vg_reason)reason)->grpc_code == code) {
            return (enum vg_reason)reason;
        }
    }
    return VG_INTERNAL;
}

enum vg_reason vg_echo_status(const Vigil__Echo__EchoStatus *status, struct vg_error *error)
{
    if (status == NULL || status->code == 0) {
        return VG_OK;
    }
    enum vg_reason reason = vg_error_set(
        error,
        reason_of_code(status->code),
        "%s",
        status->message == NULL ? "" : status->message);
    error->grpc_code = (uint8_t)status->code;
    return reason;
}

enum vg_reason vg_echo_check_packed(
    const Vigil__Echo__BoolValue *expected,
    bool was_packed,
    struct vg_error *error)
{
    if (expected == NULL || (bool)expected->value == was_packed) {
        return VG_OK;
    }
    return vg_error_set(
        error,
        VG_INVALID_FIELD_VALUE,
        was_packed ? "the message is compressed" : "the message is not compressed");
}

bool vg_echo_is_plain(const Vigil__Echo__BoolValue *compressed)
{
    return compressed != NULL && !compressed->value;
}

enum vg_reason vg_echo_wait(struct vg_call *call, int32_t interval_us, struct vg_error *error)
{
    const uint64_t start_ns = vg_clock_monotonic_ns(&vg_clock_real);
    while (interval_us > 0 &&
           vg_clock_monotonic_ns(&vg_clock_real) - start_ns < (uint64_t)interval_us * 1000u) {
        const struct timespec turn = { .tv_nsec = interval_us < 1000 ? 10000 : 1000000 };
        if (atomic_load(&call->cancelled)) {
            return vg_error_set(error, VG_CANCELLED, NULL);
        }
        (void)nanosleep(&turn, NULL);
    }
    return VG_OK;
}

void vg_echo_metadata(struct vg_call *call)
{
    static const char initial[] = "x-grpc-test-echo-initial";
    static const char trailing[] = "x-grpc-test-echo-trailing-bin";
    struct vg_bytes value;
    for (size_t i = 0; vg_call_metadata(call, initial, i, &value); i++) {
        (void)!vg_call_add_header(call, initial, value);
    }
    for (size_t i = 0; vg_call_metadata(call, trailing, i, &value); i++) {
        (void)!vg_call_add_trailer(call, trailing, value);
    }
}

struct wanted {
    int32_t size;
    bool is_plain;
};

struct conversation {
    struct vg_intake intake;
    struct vg_call *call;
    pthread_mutex_t lock;
    struct vg_buffer sizes; /* struct wanted each: answers not yet said */
    bool afterwards;        /* they are to be said when the client has said all */
    bool complete;          /* it has */
    bool stays;             /* and then there is silence */
    int64_t bytes;          /* of all payloads */
};

static struct conversation *conversation_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct conversation, intake);
}

static enum vg_reason note_sizes(
    struct conversation *own,
    const Vigil__Echo__StreamingRequest *request,
    struct vg_error *error)
{
    enum vg_reason reason = vg_echo_status(request->response_status, error);
    for (size_t i = 0; reason == VG_OK && i < request->n_response_parameters; i++) {
        const Vigil__Echo__ResponseParameters *asked = request->response_parameters[i];
        const struct wanted wanted = { .size = asked->size,
                                       .is_plain = vg_echo_is_plain(asked->compressed) };
        if (wanted.size < 0) {
            return vg_error_set(error, VG_INVALID_FIELD_VALUE, "a size is negative");
        }
        reason = vg_echo_wait(own->call, asked->interval_us, error);
        (void)pthread_mutex_lock(&own->lock);
        vg_buffer_append(&own->sizes, &wanted, sizeof(wanted));
        (void)pthread_mutex_unlock(&own->lock);
    }
    if (reason != VG_OK) {
        return reason;
    }
    return own->sizes.failed ? vg_error_set(error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

static enum vg_reason take(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error)
{
    struct conversation *own = conversation_of(intake);
    struct vg_arena arena;
    struct vg_bytes message;
    enum vg_reason reason = VG_OK;
    vg_arena_init(&arena, 16u << 20);
    while (reason == VG_OK && vg_intake_next_message(&part, &message)) {
        ProtobufCMessage *request;
        vg_arena_clear(&arena);
        reason = vg_call_understand(own->call, message, &arena, &request, error);
        if (reason == VG_OK) {
            reason = note_sizes(own, (const Vigil__Echo__StreamingRequest *)request, error);
        }
    }
    vg_arena_dispose(&arena);
    return reason;
}

static int finish(struct vg_intake *intake, struct vg_call *call)
{
    struct conversation *own = conversation_of(intake);
    (void)call;
    own->complete = true; /* nobody says anything meanwhile: see room */
    return VG_CALL_CONVERSING;
}

static bool say(struct vg_call *call, struct wanted wanted)
{
    static uint8_t zeros[4u << 20];
    Vigil__Echo__SimpleResponse answer = VIGIL__ECHO__SIMPLE_RESPONSE__INIT;
    Vigil__Echo__Payload payload = VIGIL__ECHO__PAYLOAD__INIT;
    VG_ASSERT((size_t)wanted.size <= sizeof(zeros));
    payload.has_body = true;
    payload.body.data = zeros;
    payload.body.len = (size_t)wanted.size;
    answer.payload = &payload;
    call->reply.is_plain = wanted.is_plain;
    return vg_call_say(call, &answer.base);
}

static void room(struct vg_intake *intake)
{
    struct conversation *own = conversation_of(intake);
    struct vg_call *call = own->call;
    const bool complete = call->stage == VG_CALL_STAGE_CONVERSING && own->complete;
    if (own->afterwards && !complete) {
        return;
    }
    for (;;) {
        struct wanted wanted;
        (void)pthread_mutex_lock(&own->lock);
        bool more = own->sizes.size > 0 && vg_call_unsaid(call) < ECHO_UNSAID_BYTES;
        bool over = own->sizes.size == 0 && complete && !own->stays;
        if (more) {
            memcpy(&wanted, own->sizes.data, sizeof(wanted));
            vg_buffer_drop(&own->sizes, sizeof(wanted));
        }
        (void)pthread_mutex_unlock(&own->lock);
        if (over) {
            vg_call_hang_up(call, VG_OK);
        }
        if (!more || !say(call, wanted)) {
            return;
        }
    }
}

static bool wants(struct vg_intake *intake)
{
    struct conversation *own = conversation_of(intake);
    (void)pthread_mutex_lock(&own->lock);
    bool is_full = own->sizes.size > 0 && !own->afterwards;
    (void)pthread_mutex_unlock(&own->lock);
    return !is_full;
}

static void close_conversation(struct vg_intake *intake)
{
    struct conversation *own = conversation_of(intake);
    vg_buffer_dispose(&own->sizes);
    (void)pthread_mutex_destroy(&own->lock);
    free(own);
}

static const struct vg_intake_class conversation_class = { .take = take,
                                                           .finish = finish,
                                                           .close = close_conversation,
                                                           .room = room,
                                                           .wants = wants };

static struct conversation *create(struct vg_call *call, const struct vg_intake_class *class)
{
    struct conversation *own = calloc(1, sizeof(*own));
    vg_echo_metadata(call);
    VG_ASSERT(own != NULL && pthread_mutex_init(&own->lock, NULL) == 0);
    own->intake.class = class;
    own->call = call;
    vg_buffer_init(&own->sizes, ECHO_SIZES_MAX);
    return own;
}

int vg_echo_converse(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    return vg_call_converse(call, &create(call, &conversation_class)->intake);
}

int vg_echo_converse_afterwards(
    struct vg_call *call,
    const ProtobufCMessage *request,
    ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    struct conversation *own = create(call, &conversation_class);
    own->afterwards = true;
    return vg_call_converse(call, &own->intake);
}

int vg_echo_live(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    (void)answer;
    struct conversation *own = create(call, &conversation_class);
    own->complete = true;
    own->stays = true;
    enum vg_reason reason =
        note_sizes(own, (const Vigil__Echo__StreamingRequest *)request, &call->error);
    if (reason != VG_OK) {
        close_conversation(&own->intake);
        return (int)reason;
    }
    return vg_call_converse(call, &own->intake);
}

/* ---- collecting */

static enum vg_reason take_payloads(
    struct vg_intake *intake,
    struct vg_bytes part,
    struct vg_error *error)
{
    struct conversation *own = conversation_of(intake);
    struct vg_arena arena;
    struct vg_bytes message;
    enum vg_reason reason = VG_OK;
    vg_arena_init(&arena, 16u << 20);
    while (reason == VG_OK && part.size > 0) {
        ProtobufCMessage *request;
        const bool was_packed = vg_intake_is_packed(part);
        vg_arena_clear(&arena);
        (void)vg_intake_next_message(&part, &message);
        reason = vg_call_understand(own->call, message, &arena, &request, error);
        const Vigil__Echo__InputRequest *input = (const Vigil__Echo__InputRequest *)request;
        if (reason == VG_OK) {
            reason = vg_echo_check_packed(input->expect_compressed, was_packed, error);
        }
        if (reason == VG_OK) {
            own->bytes += input->payload == NULL ? 0 : (int64_t)input->payload->body.len;
        }
    }
    vg_arena_dispose(&arena);
    return reason;
}

static int tell_bytes(struct vg_intake *intake, struct vg_call *call)
{
    Vigil__Echo__InputResponse *answer = (Vigil__Echo__InputResponse *)call->reply.answer;
    answer->has_aggregated_payload_size = true;
    answer->aggregated_payload_size = (int32_t)conversation_of(intake)->bytes;
    return VG_OK;
}

static const struct vg_intake_class collection_class = { .take = take_payloads,
                                                         .finish = tell_bytes,
                                                         .close = close_conversation };

int vg_echo_collect(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    return vg_call_converse(call, &create(call, &collection_class)->intake);
}

/* ---- uploads */

struct upload {
    struct vg_intake intake;
    struct vg_call *call;
    int32_t interval_us;
    int64_t bytes;
    uint32_t checksum;
};

static struct upload *upload_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct upload, intake);
}

static enum vg_reason take_bytes(
    struct vg_intake *intake,
    struct vg_bytes part,
    struct vg_error *error)
{
    struct upload *own = upload_of(intake);
    own->bytes += (int64_t)part.size;
    for (size_t i = 0; i < part.size; i++) {
        own->checksum = (own->checksum * 31u + part.data[i]) & INT32_MAX;
    }
    return vg_echo_wait(own->call, own->interval_us, error);
}

static int tell_checksum(struct vg_intake *intake, struct vg_call *call)
{
    const struct upload *own = upload_of(intake);
    Vigil__Echo__InputResponse *answer = (Vigil__Echo__InputResponse *)call->reply.answer;
    answer->has_aggregated_payload_size = answer->has_checksum = true;
    answer->aggregated_payload_size = (int32_t)own->bytes;
    answer->checksum = (int32_t)own->checksum;
    return VG_OK;
}

static void close_upload(struct vg_intake *intake)
{
    free(upload_of(intake));
}

static const struct vg_intake_class upload_class = { .take = take_bytes,
                                                     .finish = tell_checksum,
                                                     .close = close_upload };

int vg_echo_upload(struct vg_call *call, const ProtobufCMessage *request, ProtobufCMessage *answer)
{
    (void)request;
    (void)answer;
    struct vg_bytes text;
    int64_t interval_us = 0;
    struct upload *own = calloc(1, sizeof(*own));
    VG_ASSERT(own != NULL);
    own->intake.class = &upload_class;
    own->call = call;
    if (vg_call_metadata(call, "x-interval-us", 0, &text)) {
        (void)!vg_text_number_parse_int64(text, &interval_us);
    }
    own->interval_us = (int32_t)interval_us;
    return vg_call_receive(call, &own->intake, INT32_MAX);
}
