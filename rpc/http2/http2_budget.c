#include "rpc/http2/http2_budget.h"

void vg_http2_budget_init(struct vg_http2_budget *budget)
{
    *budget = (struct vg_http2_budget){ .credit = VG_HTTP2_CREDIT_MAX };
}

bool vg_http2_budget_charge(struct vg_http2_budget *budget, enum vg_http2_fault fault)
{
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
