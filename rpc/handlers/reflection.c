/*
 * grpc.reflection.v1.ServerReflection and its elder, v1alpha: the contract told to those who do not
 * have its files.
 *
 *     messages → take (executor): kept → room (worker): each looked up and answered in turn
 *
 * A file that is asked for is always sent, and with it what it imports unless this stream has had
 * it already, as most servers do: clients find all they need in one answer. What is not found is an
 * answer too, and the stream goes on.
 */
#include <stdlib.h>

#include "core/base/limits.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/reflection_index.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;
typedef Grpc__Reflection__V1__FileDescriptorResponse reflection_files;
typedef Grpc__Reflection__V1__ExtensionNumberResponse reflection_numbers;
typedef Grpc__Reflection__V1__ListServiceResponse reflection_services;
typedef Grpc__Reflection__V1__ServiceResponse reflection_service;
typedef Grpc__Reflection__V1__ErrorResponse reflection_error;

/* The two packages differ in their names alone, so that one handler serves both. */
#define SAME_MEMBER(message, member)                                                               \
    _Static_assert(                                                                                \
        offsetof(Grpc__Reflection__V1__##message, member) ==                                       \
                offsetof(Grpc__Reflection__V1alpha__##message, member) &&                          \
            sizeof(Grpc__Reflection__V1__##message) ==                                             \
                sizeof(Grpc__Reflection__V1alpha__##message),                                      \
        "v1 and v1alpha are laid out alike")
SAME_MEMBER(ServerReflectionRequest, host);
SAME_MEMBER(ServerReflectionRequest, message_request_case);
SAME_MEMBER(ServerReflectionRequest, list_services);
SAME_MEMBER(ExtensionRequest, containing_type);
SAME_MEMBER(ExtensionRequest, extension_number);
SAME_MEMBER(ServerReflectionResponse, valid_host);
SAME_MEMBER(ServerReflectionResponse, original_request);
SAME_MEMBER(ServerReflectionResponse, message_response_case);
SAME_MEMBER(ServerReflectionResponse, error_response);
SAME_MEMBER(FileDescriptorResponse, n_file_descriptor_proto);
SAME_MEMBER(FileDescriptorResponse, file_descriptor_proto);
SAME_MEMBER(ExtensionNumberResponse, base_type_name);
SAME_MEMBER(ExtensionNumberResponse, n_extension_number);
SAME_MEMBER(ExtensionNumberResponse, extension_number);
SAME_MEMBER(ListServiceResponse, n_service);
SAME_MEMBER(ListServiceResponse, service);
SAME_MEMBER(ServiceResponse, name);
SAME_MEMBER(ErrorResponse, error_code);
SAME_MEMBER(ErrorResponse, error_message);

/* With more than this unread no further answer is made. */
#define REFLECTION_UNSAID_BYTES (64u * 1024u)
/* Requests that wait: what the face lets in at once, and one more message. */
#define REFLECTION_WAITING_BYTES (4u * 1024u * 1024u)
#define REFLECTION_ARENA_BYTES   (2u * 1024u * 1024u)

struct reflection {
    struct vg_intake intake;
    struct vg_call *call;
    struct vg_buffer waiting; /* requests not yet answered, as vg_intake_next_message has them */
    bool complete;            /* the client has said all */
    bool answering;
    uint32_t requests;
    bool *sent;    /* by position of the file */
    size_t *files; /* room for as many positions */
};

static struct reflection *reflection_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct reflection, intake);
}

/* ---- answers: each fills `answer` from `arena`; false = no memory */

static bool refuse(
    struct vg_arena *arena,
    enum vg_grpc_code code,
    const char *what,
    reflection_response *answer)
{
    reflection_error *error = vg_arena_calloc(arena, 1, sizeof(*error));
    if (error == NULL) {
        return false;
    }
    error->error_code = (int32_t)code;
    error->error_message = vg_arena_printf(arena, "%s", what);
    answer->error_response = error;
    answer->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    return error->error_message != NULL;
}

/* Data of an answer are only read. */
static uint8_t *borrowed(const uint8_t *data)
{
    union {
        const uint8_t *constant;
        uint8_t *plain;
    } both = { data };
    return both.plain;
}

static bool send_file(
    struct reflection *own,
    struct vg_arena *arena,
    size_t file,
    reflection_response *answer)
{
    size_t count = vg_reflection_index_closure(file, own->sent, own->files);
    reflection_files *files = vg_arena_calloc(arena, 1, sizeof(*files));
    ProtobufCBinaryData *list = vg_arena_calloc(arena, count, sizeof(*list));
    if (files == NULL || list == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct vg_descriptor_file *each = &vg_descriptor_files[own->files[i]];
        list[i] = (ProtobufCBinaryData){ .data = borrowed(each->data), .len = each->size };
    }
    files->file_descriptor_proto = list;
    files->n_file_descriptor_proto = count;
    answer->file_descriptor_response = files;
    answer->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    return true;
}

static bool answer_extension(
    struct reflection *own,
    struct vg_arena *arena,
    const reflection_request *request,
    reflection_response *answer)
{
    const Grpc__Reflection__V1__ExtensionRequest *wanted = request->file_containing_extension;
    const char *type = wanted->containing_type == NULL ? "" : wanted->containing_type;
    size_t file;
    return vg_reflection_index_extension(type, wanted->extension_number, &file)
               ? send_file(own, arena, file, answer)
               : refuse(arena, VG_GRPC_NOT_FOUND, "extension not found", answer);
}

static bool answer_file(
    struct reflection *own,
    struct vg_arena *arena,
    const reflection_request *request,
    reflection_response *answer)
{
    size_t file;
    return vg_reflection_index_file(request->file_by_filename, &file)
               ? send_file(own, arena, file, answer)
               : refuse(arena, VG_GRPC_NOT_FOUND, "file not found", answer);
}

static bool answer_symbol(
    struct reflection *own,
    struct vg_arena *arena,
    const reflection_request *request,
    reflection_response *answer)
{
    size_t file;
    return vg_reflection_index_symbol(request->file_containing_symbol, &file)
               ? send_file(own, arena, file, answer)
               : refuse(arena, VG_GRPC_NOT_FOUND, "symbol not found", answer);
}

static bool answer_numbers(
    struct reflection *own,
    struct vg_arena *arena,
    const reflection_request *request,
    reflection_response *answer)
{
    (void)own;
    size_t count;
    const struct vg_descriptor_extension *rows =
        vg_reflection_index_extensions(request->all_extension_numbers_of_type, &count);
    if (rows == NULL) {
        return refuse(arena, VG_GRPC_NOT_FOUND, "type not found", answer);
    }
    reflection_numbers *numbers = vg_arena_calloc(arena, 1, sizeof(*numbers));
    int32_t *list = vg_arena_calloc(arena, count + 1, sizeof(*list));
    if (numbers == NULL || list == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = rows[i].number;
    }
    numbers->base_type_name = request->all_extension_numbers_of_type;
    numbers->extension_number = list;
    numbers->n_extension_number = count;
    answer->all_extension_numbers_response = numbers;
    answer->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    return true;
}

static bool answer_services(
    struct reflection *own,
    struct vg_arena *arena,
    const reflection_request *request,
    reflection_response *answer)
{
    (void)request;
    const struct vg_service *service = own->call->service;
    size_t count = 0;
    for (size_t at = 0; vg_service_next(service, &at) != NULL;) {
        count++;
    }
    reflection_services *services = vg_arena_calloc(arena, 1, sizeof(*services));
    reflection_service *list = vg_arena_calloc(arena, count + 1, sizeof(*list));
    reflection_service **pointers = vg_arena_calloc(arena, count + 1, sizeof(*pointers));
    if (services == NULL || list == NULL || pointers == NULL) {
        return false;
    }
    size_t position = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = vg_service_next(service, &position);
        list[i].name = vg_arena_text(arena, vg_bytes_text(name));
        if (list[i].name == NULL) {
            return false;
        }
        pointers[i] = &list[i];
    }
    services->service = pointers;
    services->n_service = count;
    answer->list_services_response = services;
    answer->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    return true;
}

static bool make_answer(
    struct reflection *own,
    struct vg_arena *arena,
    const reflection_request *request,
    reflection_response *answer)
{
    static bool (*const answers[])(
        struct reflection * own,
        struct vg_arena * arena,
        const reflection_request *request,
        reflection_response *answer) = {
        [GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME] =
            answer_file,
        [GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL] =
            answer_symbol,
        [GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION] =
            answer_extension,
        [GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE] =
            answer_numbers,
        [GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES] =
            answer_services,
    };
    size_t which = (size_t)request->message_request_case;
    return which < VG_ARRAY_COUNT(answers) && answers[which] != NULL
               ? answers[which](own, arena, request, answer)
               : refuse(arena, VG_GRPC_INVALID_ARGUMENT, "the request asks for nothing", answer);
}

/* Answer one request. */
static enum vg_reason answer_message(
    struct reflection *own,
    struct vg_bytes message,
    struct vg_arena *arena)
{
    struct vg_call *call = own->call;
    reflection_response answer;
    ProtobufCMessage *decoded;
    grpc__reflection__v1__server_reflection_response__init(&answer);
    if (own->requests++ >= VG_LIMIT_REFLECTION_REQUESTS) {
        return vg_error_set(
            &call->error,
            VG_RESOURCE_LIMIT,
            "a stream of reflection takes %u requests",
            (unsigned)VG_LIMIT_REFLECTION_REQUESTS);
    }
    enum vg_reason reason = vg_call_understand(call, message, arena, &decoded, &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    reflection_request *request = (reflection_request *)decoded;
    answer.valid_host = request->host;
    answer.original_request = request;
    if (!make_answer(own, arena, request, &answer)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return vg_call_say(call, &answer.base) ? VG_OK : VG_CANCELLED;
}

/* ---- the conversation */

/* Answer what waits, as long as the client reads. False = the call is over, and so is `own`. */
static bool answer_waiting(struct reflection *own)
{
    struct vg_call *call = own->call;
    struct vg_bytes rest = vg_buffer_bytes(&own->waiting);
    const size_t before = rest.size;
    struct vg_bytes message;
    struct vg_arena arena;
    enum vg_reason reason = VG_OK;
    vg_arena_init(&arena, REFLECTION_ARENA_BYTES);
    while (reason == VG_OK && vg_call_unsaid(call) < REFLECTION_UNSAID_BYTES &&
           vg_intake_next_message(&rest, &message)) {
        vg_arena_clear(&arena);
        reason = answer_message(own, message, &arena);
    }
    vg_arena_dispose(&arena);
    if (reason != VG_OK) {
        vg_call_hang_up(call, reason); /* unless it has ended already */
        return false;
    }
    vg_buffer_drop(&own->waiting, before - rest.size);
    return true;
}

static void room(struct vg_intake *intake)
{
    struct reflection *own = reflection_of(intake);
    if (own->call->away || own->answering) {
        return; /* take has it, or room itself */
    }
    own->answering = true;
    if (!answer_waiting(own)) {
        return;
    }
    own->answering = false;
    if (own->complete && own->waiting.size == 0) {
        vg_call_hang_up(own->call, VG_OK);
    }
}

static enum vg_reason take(struct vg_intake *intake, struct vg_bytes part, struct vg_error *error)
{
    struct reflection *own = reflection_of(intake);
    vg_buffer_append(&own->waiting, part.data, part.size);
    return own->waiting.failed ? vg_error_set(error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

static int finish(struct vg_intake *intake, struct vg_call *call)
{
    (void)call;
    reflection_of(intake)->complete = true;
    return VG_CALL_CONVERSING;
}

static bool wants(struct vg_intake *intake)
{
    return reflection_of(intake)->waiting.size == 0;
}

static void close_reflection(struct vg_intake *intake)
{
    struct reflection *own = reflection_of(intake);
    vg_buffer_dispose(&own->waiting);
    free(own->sent);
    free(own->files);
    free(own);
}

static const struct vg_intake_class reflection_class = { .take = take,
                                                         .finish = finish,
                                                         .close = close_reflection,
                                                         .room = room,
                                                         .wants = wants };

static int reflect(struct vg_call *call)
{
    struct reflection *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return (int)vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    own->intake.class = &reflection_class;
    own->call = call;
    vg_buffer_init(&own->waiting, REFLECTION_WAITING_BYTES);
    vg_buffer_count(&own->waiting);
    own->sent = calloc(vg_descriptor_file_count, sizeof(*own->sent));
    own->files = calloc(vg_descriptor_file_count, sizeof(*own->files));
    if (own->sent == NULL || own->files == NULL) {
        close_reflection(&own->intake);
        return (int)vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    return vg_call_converse(call, &own->intake);
}

int vg_grpc_reflection_v1_server_reflection_info(
    struct vg_call *call,
    const reflection_request *request,
    reflection_response *answer)
{
    (void)request;
    (void)answer;
    return reflect(call);
}

int vg_grpc_reflection_v1alpha_server_reflection_info(
    struct vg_call *call,
    const Grpc__Reflection__V1alpha__ServerReflectionRequest *request,
    Grpc__Reflection__V1alpha__ServerReflectionResponse *answer)
{
    (void)request;
    (void)answer;
    return reflect(call);
}
