#include "core/access/principal.h"

#include <stdlib.h>

static struct vg_principal *counted(const struct vg_principal *principal)
{
    union {
        const struct vg_principal *constant;
        struct vg_principal *counted; /* only the count changes */
    } both = { principal };
    return both.counted;
}

const struct vg_principal *vg_principal_nobody(void)
{
    static struct vg_principal nobody = { .references = 1, .user_name = "", .key_id = "" };
    return vg_principal_ref(&nobody);
}

const struct vg_principal *vg_principal_ref(const struct vg_principal *principal)
{
    (void)atomic_fetch_add_explicit(&counted(principal)->references, 1, memory_order_relaxed);
    return principal;
}

void vg_principal_unref(const struct vg_principal *principal)
{
    if (principal != NULL &&
        atomic_fetch_sub_explicit(&counted(principal)->references, 1, memory_order_acq_rel) == 1) {
        free(counted(principal));
    }
}

bool vg_principal_covers(const struct vg_principal *principal, int64_t customer_id)
{
    if (principal->all_customers) {
        return true;
    }
    size_t low = 0;
    size_t high = principal->customer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (principal->customers[middle] < customer_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < principal->customer_count && principal->customers[low] == customer_id;
}
