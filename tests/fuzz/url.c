/*
 * URLs of strangers: a path is matched, and a query parameter is decoded and bound to a member
 * of a search. What is found must be decoded text, and binding fails only as it says.
 *
 * Input: one byte for the verb (its low bits) and the member (all of it), then the text.
 *
 * Threads: one.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "gateway/json/json_read.h"
#include "gateway/route/percent.h"
#include "gateway/route/router.h"
#include "proto/contract_json.h"

#define ARENA_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vg_route_segment by_id[] = { { .literal = "events" },
                                                 { .literal = "v1" },
                                                 { .row_count = 1 },
                                                 { .row_count = 1 } };
static const struct vg_route_segment search[] = { { .literal = "events" },
                                                  { .literal = "v1" },
                                                  { .row_count = 1 },
                                                  { .literal = "search" } };
static const struct vg_route routes[] = {
    { .pattern = "by id", .segments = by_id, .segment_count = 4, .verb = VG_VERB_GET },
    { .pattern = "search", .segments = search, .segment_count = 4, .verb = VG_VERB_POST },
};

static bool is_text(struct vg_bytes text)
{
    return vg_utf8_is_valid(text) && (text.size == 0 || memchr(text.data, 0, text.size) == NULL);
}

static void match_path(struct vg_bytes path, int verb, struct vg_arena *arena)
{
    struct vg_router *router = vg_router_create(routes, VG_ARRAY_COUNT(routes));
    struct vg_route_match match = { 0 };
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_router_match(router, verb, path, arena, &match, &error) == VG_OK) {
        VG_ASSERT(match.route->verb == (enum vg_verb)verb);
        for (size_t i = 0; i < match.variable_count; i++) {
            VG_ASSERT(match.variables[i].value.size <= path.size);
            VG_ASSERT(is_text(match.variables[i].value));
        }
    } else {
        VG_ASSERT(error.reason != VG_OK);
    }
    vg_router_destroy(router);
}

static void bind_parameter(struct vg_bytes text, uint8_t member, struct vg_arena *arena)
{
    const struct vg_table *table = &vg_table_vigil_events_v1_search_criteria;
    const struct vg_field *field = &table->fields[member % table->field_count];
    struct vg_error error;
    vg_error_init(&error, arena);
    struct vg_bytes decoded;
    if (vg_percent_decode(text, true, arena, &decoded, &error) != VG_OK) {
        return;
    }
    VG_ASSERT(decoded.size <= text.size && is_text(decoded));
    ProtobufCMessage *message = vg_arena_calloc(arena, 1, table->size);
    VG_ASSERT(message != NULL);
    message->descriptor = table->descriptor;
    if (!vg_json_is_bindable(field)) {
        return;
    }
    /* Twice, as `key=a&key=a` does: a list grows. */
    for (int i = 0; i < 2; i++) {
        enum vg_reason reason = vg_json_read_text(field, decoded, message, arena, &error);
        VG_ASSERT(
            reason == VG_OK || reason == VG_INVALID_URL_PARAMETER || reason == VG_REQUEST_MEMORY);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct vg_arena arena;
    vg_arena_init(&arena, ARENA_BYTES_MAX);
    struct vg_bytes text = vg_bytes(data + 1, size - 1);
    match_path(text, data[0] % 6 - 1, &arena);
    bind_parameter(text, data[0], &arena);
    vg_arena_dispose(&arena);
    return 0;
}
