#include "rpc/http2/http2_budget.h"

#define VG_HTTP2_BUDGET_NS_PER_SECOND UINT64_C(1000000000)

void vg_http2_budget_init(struct vg_http2_budget *budget)
{
    *budget = (struct vg_http2_budget){ .credit = VG_HTTP2_CREDIT_MAX };
}

/* Credit for the time since the last charge. A budget that is used up stays so. */
static void budget_earn_by_time(struct vg_http2_budget *budget, uint64_t now_ns)
{
    const uint64_t earned =
        (now_ns - budget->earned_ns) / (VG_HTTP2_BUDGET_NS_PER_SECOND / VG_HTTP2_CREDIT_PER_SECOND);
    if (earned == 0 || now_ns < budget->earned_ns) {
        return;
    }
    budget->earned_ns = now_ns;
    if (budget->credit >= 0) {
        const uint64_t room = (uint64_t)(VG_HTTP2_CREDIT_MAX - budget->credit);
        budget->credit += (int32_t)(earned < room ? earned : room);
    }
}

bool vg_http2_budget_charge(
    struct vg_http2_budget *budget,
    enum vg_http2_fault fault,
    uint64_t now_ns)
{
    budget_earn_by_time(budget, now_ns);
    budget->credit -= (int32_t)fault;
    if (budget->credit < 0) {
        budget->credit = -1;
    }
    return budget->credit >= 0;
}

void vg_http2_budget_earn(struct vg_http2_budget *budget)
{
    if (budget->credit >= 0 && budget->credit < VG_HTTP2_CREDIT_MAX) {
        budget->credit++;
    }
}

bool vg_http2_budget_ping(struct vg_http2_budget *budget, uint64_t now_ns, uint64_t interval_ns)
{
    bool early = budget->ping_ns != 0 && now_ns - budget->ping_ns < interval_ns;
    budget->ping_ns = now_ns;
    if (early && budget->strikes <= VG_HTTP2_STRIKES_MAX) {
        budget->strikes++;
    }
    return budget->strikes <= VG_HTTP2_STRIKES_MAX;
}

bool vg_http2_budget_open(struct vg_http2_budget *budget, uint64_t now_ns, uint32_t per_second)
{
    if (per_second == 0) {
        return true;
    }
    if (now_ns - budget->second_ns >= VG_HTTP2_BUDGET_NS_PER_SECOND) {
        budget->second_ns = now_ns;
        budget->streams = 0;
    }
    if (budget->streams >= per_second) {
        return false;
    }
    budget->streams++;
    return true;
}
