#include "rpc/handlers/submission_calls.h"

#include "core/base/assert.h"
#include "core/base/hex.h"
#include "core/node/node.h"
#include "rpc/service/service.h"

void vg_submission_calls_digest(const char *text, uint8_t out_digest[VG_SHA256_SIZE])
{
    struct vg_bytes digits = vg_bytes_text(text);
    VG_ASSERT(digits.size == 2 * (size_t)VG_SHA256_SIZE && vg_hex_decode(digits, out_digest));
}

void vg_submission_calls_uuid(const char *text, struct vg_uuid *out_uuid)
{
    VG_ASSERT(vg_uuid_parse(vg_bytes_text(text), out_uuid));
}

enum vg_reason vg_submission_calls_no_sample(
    struct vg_call *call,
    const uint8_t sample[VG_SHA256_SIZE])
{
    char text[2 * VG_SHA256_SIZE + 1];
    vg_hex_encode(vg_bytes(sample, VG_SHA256_SIZE), text);
    (void)vg_error_set(&call->error, VG_SAMPLE_NOT_FOUND, NULL);
    return vg_error_field(&call->error, NULL, text);
}

struct vg_submission_store vg_submission_calls_store(const struct vg_call *call, uint32_t age_ms)
{
    const struct vg_node *node = call->service->node;
    return (struct vg_submission_store){
        .table = node->table,
        .store = node->store,
        .shard = VG_NODE_SHARD,
        .snapshot_age_ms = age_ms,
    };
}
