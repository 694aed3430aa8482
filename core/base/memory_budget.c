#include "core/base/memory_budget.h"

#include <stdatomic.h>

static _Atomic size_t bytes_limit;
static _Atomic size_t bytes_used; /* what threads keep for later included */
static _Thread_local size_t spare;

void vg_memory_budget_configure(size_t bytes_max)
{
    atomic_store_explicit(&bytes_limit, bytes_max, memory_order_relaxed);
}

static bool budget_reserve(size_t size)
{
    const size_t limit = atomic_load_explicit(&bytes_limit, memory_order_relaxed);
    const size_t before = atomic_fetch_add_explicit(&bytes_used, size, memory_order_relaxed);
    if (limit == 0 || (size <= limit && before <= limit - size)) {
        return true;
    }
    (void)atomic_fetch_sub_explicit(&bytes_used, size, memory_order_relaxed);
    return false;
}

bool vg_memory_budget_take(size_t size)
{
    if (size <= spare) {
        spare -= size;
        return true;
    }
    const size_t missing = size - spare;
    if (missing <= VG_MEMORY_BUDGET_PIECE && budget_reserve(VG_MEMORY_BUDGET_PIECE)) {
        spare = VG_MEMORY_BUDGET_PIECE - missing;
        return true;
    }
    if (!budget_reserve(missing)) {
        return false;
    }
    spare = 0;
    return true;
}

void vg_memory_budget_give(size_t size)
{
    spare += size;
    if (spare > 2 * VG_MEMORY_BUDGET_PIECE) {
        (void)atomic_fetch_sub_explicit(
            &bytes_used,
            spare - VG_MEMORY_BUDGET_PIECE,
            memory_order_relaxed);
        spare = VG_MEMORY_BUDGET_PIECE;
    }
}

size_t vg_memory_budget_used(void)
{
    return atomic_load_explicit(&bytes_used, memory_order_relaxed);
}

bool vg_memory_budget_is_short(void)
{
    const size_t limit = atomic_load_explicit(&bytes_limit, memory_order_relaxed);
    return limit != 0 && vg_memory_budget_used() > limit - limit / 10;
}
