/* The messages of an upload: cut differently, the same bytes give the same data; and what is taken
 * is what the ordinary decoder reads. The first byte says how to cut. */
#include "rpc/grpc/grpc_content.h"

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/sampledb/v2/sample.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum vg_reason reason;
    uint64_t size;
    uint64_t hash;
};

static void mix(struct outcome *outcome, struct vg_bytes data)
{
    outcome->size += data.size;
    for (size_t i = 0; i < data.size; i++) {
        outcome->hash = outcome->hash * 31 + data.data[i];
    }
}

static struct outcome feed(struct vg_bytes bytes, size_t slice)
{
    struct vg_grpc_content content = { .left = 0 };
    struct outcome outcome = { .reason = VG_OK };
    for (size_t at = 0; at < bytes.size && outcome.reason == VG_OK; at += slice) {
        struct vg_bytes input =
            vg_bytes(bytes.data + at, bytes.size - at < slice ? bytes.size - at : slice);
        while (input.size > 0 && outcome.reason == VG_OK) {
            struct vg_bytes part;
            size_t before = input.size;
            outcome.reason = vg_grpc_content_next(&content, &input, &part, NULL);
            VG_ASSERT(input.size < before && part.size <= before);
            mix(&outcome, part);
        }
    }
    if (outcome.reason == VG_OK) {
        outcome.reason = vg_grpc_content_end(&content, NULL);
    }
    return outcome;
}

/* What the decoder takes too has the same data. (It has further limits, on the count of fields.) */
static void compare(struct vg_bytes bytes, const struct outcome *outcome)
{
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 24);
    ProtobufCMessage *message = NULL;
    enum vg_reason reason = vg_wire_decode(
        &vg_table_vigil_sampledb_v2_upload_sample_request,
        bytes,
        &vg_wire_policy_request,
        &arena,
        &message,
        NULL);
    if (reason == VG_OK) {
        const Vigil__Sampledb__V2__UploadSampleRequest *request =
            (const Vigil__Sampledb__V2__UploadSampleRequest *)message;
        struct outcome decoded = { .reason = VG_OK };
        mix(&decoded, vg_bytes(request->data.data, request->data.len));
        VG_ASSERT(decoded.size == outcome->size && decoded.hash == outcome->hash);
    }
    vg_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct vg_bytes bytes = vg_bytes(data + 1, size - 1);
    struct outcome whole = feed(bytes, bytes.size);
    struct outcome cut = feed(bytes, data[0] == 0 ? 1 : data[0]);
    VG_ASSERT(whole.reason == cut.reason);
    if (whole.reason == VG_OK) {
        VG_ASSERT(whole.size == cut.size && whole.hash == cut.hash);
        compare(bytes, &whole);
    }
    return 0;
}
