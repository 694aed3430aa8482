/*
 * gRPC request headers: lines "name value" as headers of one request, and each value also as binary
 * metadata, as a timeout, and as grpc-message.
 */
#include "rpc/grpc/grpc_headers.h"

#include <string.h>

#include "core/base/assert.h"
#include "rpc/grpc/grpc_status.h"
#include "rpc/grpc/grpc_timeout.h"

#define HEADERS_MAX 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_binary(struct vg_bytes rest)
{
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    while (rest.size > 0) {
        struct vg_bytes value;
        size_t before = rest.size;
        if (vg_metadata_next_binary(&rest, &arena, &value, NULL) != VG_OK) {
            break;
        }
        VG_ASSERT(rest.size < before);
        struct vg_grpc_details details;
        (void)!vg_grpc_status_read_details(value, &arena, &details);
    }
    vg_arena_dispose(&arena);
}

/* What is accepted is known, and is chosen from. */
static void check_encodings(struct vg_bytes value)
{
    unsigned list = vg_grpc_encoding_list(value);
    enum vg_grpc_encoding choice = vg_grpc_encoding_choose(list);
    VG_ASSERT(list < 1u << VG_GRPC_ENCODING_UNKNOWN);
    VG_ASSERT(choice == VG_GRPC_ENCODING_IDENTITY || (list & 1u << choice) != 0);
    VG_ASSERT(vg_grpc_encoding_find(value) <= VG_GRPC_ENCODING_UNKNOWN);
}

static void check_metadata(
    const struct vg_http_request *request,
    const struct vg_grpc_headers *headers)
{
    struct vg_arena arena;
    struct vg_metadata metadata = { .count = 0 };
    struct vg_bytes value;
    vg_arena_init(&arena, 1u << 20);
    VG_ASSERT(vg_grpc_headers_keep_metadata(request, headers, &arena, &metadata));
    VG_ASSERT(metadata.count == headers->metadata_count);
    VG_ASSERT(metadata.bytes == headers->metadata_bytes);
    for (size_t i = 0; vg_metadata_find(&metadata, "x-bin", i, &arena, &value); i++) {
    }
    vg_arena_dispose(&arena);
}

static void check_message(struct vg_bytes value)
{
    char text[512];
    char again[512];
    struct vg_buffer encoded;
    vg_grpc_status_decode_message(value, text, sizeof(text));
    vg_buffer_init(&encoded, 3 * sizeof(text));
    vg_grpc_status_encode_message(vg_bytes_text(text), &encoded);
    VG_ASSERT(!encoded.failed);
    vg_grpc_status_decode_message(vg_buffer_bytes(&encoded), again, sizeof(again));
    VG_ASSERT(strcmp(text, again) == 0);
    vg_buffer_dispose(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_http_header headers[HEADERS_MAX];
    size_t count = 0;
    while (size > 0 && count < HEADERS_MAX) {
        const uint8_t *line_end = memchr(data, '\n', size);
        size_t line = line_end == NULL ? size : (size_t)(line_end - data);
        const uint8_t *blank = memchr(data, ' ', line);
        size_t name = blank == NULL ? line : (size_t)(blank - data);
        size_t skip = blank == NULL ? line : name + 1;
        headers[count].name = vg_bytes(data, name);
        headers[count].value = vg_bytes(data + skip, line - skip);
        check_binary(headers[count].value);
        check_message(headers[count].value);
        check_encodings(headers[count].value);
        count++;
        data += line;
        size -= line;
        if (size > 0) {
            data++;
            size--;
        }
    }
    const struct vg_http_request request = { .headers = headers, .header_count = count };
    struct vg_grpc_headers read;
    if (vg_grpc_headers_read(&request, &read, NULL) == VG_OK) {
        VG_ASSERT(vg_grpc_headers_is_grpc(&request));
        check_metadata(&request, &read);
        if (read.timeout_ns > 1) {
            char text[VG_GRPC_TIMEOUT_SIZE];
            uint64_t back;
            size_t length = vg_grpc_timeout_print(read.timeout_ns, text);
            VG_ASSERT(vg_grpc_timeout_parse(vg_bytes(text, length), &back));
        }
    }
    return 0;
}
