#include "rpc/handlers/sample_calls.h"

#include "core/base/assert.h"
#include "core/base/calendar.h"
#include "core/base/hex.h"
#include "core/base/settings.h"
#include "core/node/node.h"
#include "core/wire/validate.h"
#include "rpc/service/service.h"

struct vg_sample_store vg_sample_calls_store(const struct vg_call *call, uint32_t age_ms)
{
    const struct vg_node *node = call->service->node;
    return (struct vg_sample_store){
        .table = node->table,
        .store = node->store,
        .shard = VG_NODE_SHARD,
        .snapshot_age_ms = age_ms,
    };
}

vg_time vg_sample_calls_index_start(const struct vg_call *call, const char *asked)
{
    vg_time month_ago = 0;
    if (asked != NULL) {
        return vg_wire_time(asked);
    }
    bool is_date =
        vg_calendar_add(call->principal->zone, call->now, VG_CALENDAR_UNIT_MONTH, -1, &month_ago);
    return is_date ? month_ago : 0;
}

vg_time vg_sample_calls_index_end(const struct vg_call *call, const char *asked)
{
    return asked != NULL ? vg_wire_time(asked) : call->now;
}

enum vg_reason vg_sample_calls_not_found(struct vg_call *call, const char *text)
{
    (void)vg_error_set(&call->error, VG_SAMPLE_NOT_FOUND, NULL);
    return vg_error_field(&call->error, NULL, text);
}

enum vg_reason vg_sample_calls_look(
    struct vg_call *call,
    const char *text,
    struct vg_sample_reading *out_reading)
{
    const struct vg_node *node = call->service->node;
    uint8_t sha256[VG_SHA256_SIZE];
    bool is_hex = vg_hex_decode(vg_bytes(text, 2 * sizeof(sha256)), sha256);
    VG_ASSERT(is_hex); /* the contract's pattern */
    const struct vg_directory_snapshot *directory = vg_directory_snapshot(node->directory);
    const struct vg_submission_viewer viewer = {
        .principal = call->principal,
        .directory = directory,
        .now = call->now,
    };
    const struct vg_sample_store source =
        vg_sample_calls_store(call, node->settings->snapshot_age_ms);
    enum vg_reason reason =
        vg_sample_read(&source, &viewer, sha256, &call->arena, out_reading, &call->error);
    vg_directory_snapshot_unref(directory);
    return reason;
}

enum vg_reason vg_sample_calls_read(
    struct vg_call *call,
    const char *text,
    struct vg_sample_reading *out_reading)
{
    enum vg_reason reason = vg_sample_calls_look(call, text, out_reading);
    return reason != VG_OK || out_reading->visible ? reason : vg_sample_calls_not_found(call, text);
}
