#include "rpc/service/admission.h"

#include "core/access/principal.h"
#include "core/base/settings.h"
#include "rpc/service/service.h"

static enum vg_reason refuse(struct vg_error *error, const char *what, uint32_t wait_ms)
{
    (void)vg_error_set(error, VG_QUOTA_EXCEEDED, "The quota of the API key is used up: %s", what);
    error->retry_after_ms = wait_ms;
    return VG_QUOTA_EXCEEDED;
}

static enum vg_reason enter_quota(struct vg_call *call)
{
    const struct vg_principal *principal = call->principal;
    uint32_t wait_ms = 0;
    if (principal == NULL || !vg_quota_is_limited(&principal->limits)) {
        return VG_OK;
    }
    if (!vg_quota_begin_call(principal->quota, &principal->limits, call->started_ns, &wait_ms)) {
        return refuse(&call->error, "too many requests", wait_ms);
    }
    call->in_quota = true;
    return VG_OK;
}

enum vg_reason vg_admission_enter(struct vg_call *call)
{
    struct vg_service *service = call->service;
    if (atomic_load_explicit(&service->draining, memory_order_relaxed)) {
        return vg_error_set(&call->error, VG_DRAINING, NULL);
    }
    /* What the start has made is seen by who sees that it is over. */
    if (atomic_load_explicit(&service->starting, memory_order_acquire)) {
        return vg_error_set(&call->error, VG_STARTING, NULL);
    }
    uint32_t before = atomic_fetch_add_explicit(&service->calls_in_flight, 1, memory_order_relaxed);
    call->in_flight = true;
    if (before >= service->settings->calls_in_flight_max) {
        return vg_error_set(&call->error, VG_OVERLOADED, NULL);
    }
    return enter_quota(call);
}

void vg_admission_leave(struct vg_call *call)
{
    if (call->in_quota) {
        vg_quota_end_call(call->principal->quota);
        call->in_quota = false;
    }
    if (call->in_flight) {
        (void)atomic_fetch_sub_explicit(&call->service->calls_in_flight, 1, memory_order_relaxed);
        call->in_flight = false;
    }
}

enum vg_reason vg_admission_take_events(
    const struct vg_call *call,
    const struct vg_principal *principal,
    uint64_t count,
    struct vg_error *error)
{
    uint32_t wait_ms = 0;
    if (principal->limits.events_per_second == 0 || vg_quota_take_events(
                                                        principal->quota,
                                                        &principal->limits,
                                                        count,
                                                        vg_clock_monotonic_ns(call->service->clock),
                                                        &wait_ms)) {
        return VG_OK;
    }
    return refuse(error, "too many events", wait_ms);
}
