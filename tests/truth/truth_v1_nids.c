/* Requests of v1 for raw events: those for aggregated ones, member by member of the same number. */
#include <stdlib.h>
#include <string.h>

#include "tests/truth/truth_make.h"
#include "tests/truth/truth_order.h"
#include "tests/truth/truth_v1.h"

typedef Vigil__Events__V1__NidsSearchCriteria nids_criteria;

static void *arena_alloc(void *owner, size_t size)
{
    return vg_arena_alloc(owner, size);
}

static void arena_free(void *owner, void *memory)
{
    (void)owner;
    (void)memory;
}

/* `message` as one of another descriptor, in `arena`. */
static ProtobufCMessage *convert(
    const ProtobufCMessage *message,
    const ProtobufCMessageDescriptor *descriptor,
    struct vg_arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = vg_arena_alloc(arena, size + 1);
    ProtobufCAllocator allocator = { arena_alloc, arena_free, arena };
    if (bytes == NULL) {
        abort();
    }
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *other = protobuf_c_message_unpack(descriptor, &allocator, size, bytes);
    if (other == NULL) {
        abort();
    }
    return other;
}

/* What the other message does not have is not sent. */
static void forget_unknown(Vigil__Events__V1__NidsSubCriteria *inner)
{
    inner->base.n_unknown_fields = 0;
    for (size_t i = 0; i < inner->n_sub_criteria; i++) {
        forget_unknown(inner->sub_criteria[i]);
    }
    if (inner->include_flag != NULL && inner->include_flag->criteria != NULL) {
        forget_unknown(inner->include_flag->criteria);
    }
    if (inner->exclude_flag != NULL && inner->exclude_flag->criteria != NULL) {
        forget_unknown(inner->exclude_flag->criteria);
    }
}

nids_criteria *truth_v1_make_nids(
    struct truth_random *random,
    const struct truth_events *events,
    struct vg_arena *arena)
{
    static const uint8_t keys[] = { 2, 3, 8, 9, 10, 11, 14, 15, 16, 17, 20, 21, 22, 23 };
    Vigil__Events__V1__SearchCriteria *from = truth_v1_make(random, events, TRUTH_RAW, arena);
    from->n_sort_by = 0;
    nids_criteria *request = (nids_criteria *)
        convert(&from->base, &vigil__events__v1__nids_search_criteria__descriptor, arena);
    request->base.n_unknown_fields = 0;
    for (size_t i = 0; i < request->n_sub_criteria; i++) {
        forget_unknown(request->sub_criteria[i]);
    }
    if (request->include_flag != NULL && request->include_flag->criteria != NULL) {
        forget_unknown(request->include_flag->criteria);
    }
    if (request->exclude_flag != NULL && request->exclude_flag->criteria != NULL) {
        forget_unknown(request->exclude_flag->criteria);
    }
    for (unsigned i = 0; i < truth_random_below(random, 3); i++) {
        unsigned key = keys[truth_random_below(random, sizeof(keys))];
        TRUTH_ADD(arena, request, sort_by, (Vigil__Events__V1__NidsSortBy)key);
    }
    if (truth_random_once(random, 60)) {
        TRUTH_ADD(arena, request, sensor_id, 7);
    }
    return request;
}

Vigil__Events__V1__SearchCriteria *truth_v1_from_nids(
    const nids_criteria *request,
    struct vg_arena *arena)
{
    Vigil__Events__V1__SearchCriteria *criteria = (Vigil__Events__V1__SearchCriteria *)
        convert(&request->base, &vigil__events__v1__search_criteria__descriptor, arena);
    criteria->n_sort_by = 0;
    return criteria;
}

static int compare_key(
    Vigil__Events__V1__NidsSortBy key,
    const struct truth_event *a,
    const struct truth_event *b)
{
    bool down = ((unsigned)key & 1u) != 0;
    int order = 0;
    switch ((unsigned)key & ~1u) {
    case VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_TIMESTAMP:
        order = truth_order_numbers(a->timestamp, b->timestamp);
        break;
    case VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_LAST_UPDATED_TIMESTAMP:
        order = truth_order_numbers(a->updated, b->updated);
        break;
    case VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_SEVERITY:
        order = truth_order_numbers(a->severity, b->severity);
        break;
    case VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_CUSTOMER:
        order = truth_order_numbers(a->customer, b->customer);
        break;
    case VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_SIGNATURE:
        return truth_order_signatures(a, b, down);
    case VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_ENGINE_TIMESTAMP:
        order = truth_order_numbers(a->persisted, b->persisted);
        break;
    default:
        order = truth_order_ids(a, b);
        break;
    }
    return down ? -order : order;
}

int truth_v1_compare_nids(
    const nids_criteria *request,
    const struct truth_event *a,
    const struct truth_event *b)
{
    static const Vigil__Events__V1__NidsSortBy newest[] = {
        VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_TIMESTAMP_DESC,
    };
    const Vigil__Events__V1__NidsSortBy *keys = request->n_sort_by == 0 ? newest : request->sort_by;
    size_t count = request->n_sort_by == 0 ? 1 : request->n_sort_by;
    int order = 0;
    for (size_t i = 0; i < count && order == 0; i++) {
        order = compare_key(keys[i], a, b);
    }
    return order != 0 ? order : truth_order_ids(a, b);
}
