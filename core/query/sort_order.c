#include "core/query/sort_order.h"

#include "core/base/assert.h"

void vg_sort_order_init(struct vg_sort_order *order)
{
    *order = (struct vg_sort_order){ .count = 0 };
}

static void add_key(struct vg_sort_order *order, uint32_t column, bool descending)
{
    if (order->count < VG_SEARCH_SORT_KEYS_MAX) {
        order->keys[order->count] =
            (struct vg_sort_key){ .column = column, .descending = descending };
    }
    order->count++;
}

static enum vg_reason refuse(const char *message, struct vg_error *error)
{
    (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "%s", message);
    return vg_error_field(error, "sortBy", "");
}

enum vg_reason vg_sort_order_add(
    struct vg_sort_order *order,
    uint32_t number,
    const struct vg_sort_column *field,
    bool descending,
    struct vg_error *error)
{
    VG_ASSERT(number < VG_SORT_FIELDS_MAX);
    if ((order->seen >> number & 1) != 0) {
        return refuse("sortBy names a key twice", error);
    }
    order->seen |= UINT32_C(1) << number;
    if (order->is_complete || field->column == VG_SORT_NO_COLUMN) {
        return VG_OK;
    }
    /* The table has absent values before all others; they come last, whatever the direction. */
    if (field->absent != VG_SORT_NO_COLUMN && !descending) {
        add_key(order, field->absent, false);
    }
    add_key(order, field->column, descending);
    order->is_complete = field->is_identity;
    return VG_OK;
}

enum vg_reason vg_sort_order_end(struct vg_sort_order *order, uint32_t tie, struct vg_error *error)
{
    if (!order->is_complete) {
        add_key(order, tie, false);
        order->is_complete = true;
    }
    return order->count <= VG_SEARCH_SORT_KEYS_MAX ? VG_OK
                                                   : refuse("sortBy has too many keys", error);
}
