#include "tests/support/echo_conversations.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "rpc/service/call_metadata.h"

#include "echo/echo.pb-c.h"

/* More of its answers than this wait in the conversation, not in the call. */
#define ECHO_UNSAID_BYTES (64u * 1024u)
#define ECHO_SIZES_MAX    (64u * 1024u * 1024u)

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

struct conversation {
    struct vg_intake intake;
    struct vg_call *call;
    pthread_mutex_t lock;
    struct vg_buffer sizes; /* int32 each: of answers not yet said */
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
    for (size_t i = 0; i < request->n_response_parameters; i++) {
        int32_t size = request->response_parameters[i]->size;
        if (size < 0) {
            return vg_error_set(error, VG_INVALID_FIELD_VALUE, "a size is negative");
        }
        (void)pthread_mutex_lock(&own->lock);
        vg_buffer_append(&own->sizes, &size, sizeof(size));
        (void)pthread_mutex_unlock(&own->lock);
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

static bool say(struct vg_call *call, int32_t size)
{
    static uint8_t zeros[4u << 20];
    Vigil__Echo__SimpleResponse answer = VIGIL__ECHO__SIMPLE_RESPONSE__INIT;
    Vigil__Echo__Payload payload = VIGIL__ECHO__PAYLOAD__INIT;
    VG_ASSERT((size_t)size <= sizeof(zeros));
    payload.has_body = true;
    payload.body.data = zeros;
    payload.body.len = (size_t)size;
    answer.payload = &payload;
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
        int32_t size;
        (void)pthread_mutex_lock(&own->lock);
        bool more = own->sizes.size > 0 && vg_call_unsaid(call) < ECHO_UNSAID_BYTES;
        bool over = own->sizes.size == 0 && complete && !own->stays;
        if (more) {
            memcpy(&size, own->sizes.data, sizeof(size));
            vg_buffer_drop(&own->sizes, sizeof(size));
        }
        (void)pthread_mutex_unlock(&own->lock);
        if (over) {
            vg_call_hang_up(call, VG_OK);
        }
        if (!more || !say(call, size)) {
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
    while (reason == VG_OK && vg_intake_next_message(&part, &message)) {
        ProtobufCMessage *request;
        vg_arena_clear(&arena);
        reason = vg_call_understand(own->call, message, &arena, &request, error);
        if (reason == VG_OK) {
            const Vigil__Echo__SimpleResponse *payload =
                (const Vigil__Echo__SimpleResponse *)request;
            own->bytes += payload->payload == NULL ? 0 : (int64_t)payload->payload->body.len;
        }
    }
    vg_arena_dispose(&arena);
    return reason;
}

static int tell_bytes(struct vg_intake *intake, struct vg_call *call)
{
    Vigil__Echo__ResponseParameters *answer = (Vigil__Echo__ResponseParameters *)call->reply.answer;
    answer->has_size = true;
    answer->size = (int32_t)conversation_of(intake)->bytes;
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
