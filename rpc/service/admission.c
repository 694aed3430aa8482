#include "rpc/service/admission.h"

#include "core/access/principal.h"
#include "core/base/memory_budget.h"
#include "core/base/metrics.h"
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

static bool is_public(const struct vg_call *call)
{
    return (call->method->flags & VG_METHOD_PUBLIC) != 0;
}

/* Strangers are counted by themselves: however many they are, there is room for those with a key.
 */
static _Atomic uint32_t *in_flight_of(const struct vg_call *call)
{
    struct vg_service *service = call->service;
    return is_public(call) ? &service->public_calls_in_flight : &service->calls_in_flight;
}

enum vg_reason vg_admission_enter(struct vg_call *call)
{
    const struct vg_settings *settings = call->service->settings;
    const struct vg_readiness *readiness = &call->service->readiness;
    /* Public methods tell how the start goes; they touch no data. */
    if (!is_public(call) && vg_readiness_state(readiness) == VG_READINESS_STARTING) {
        return vg_error_set(&call->error, VG_STARTING, NULL);
    }
    uint32_t before = atomic_fetch_add_explicit(in_flight_of(call), 1, memory_order_relaxed);
    call->in_flight = true;
    if (before >=
        (is_public(call) ? settings->public_calls_in_flight_max : settings->calls_in_flight_max)) {
        return vg_error_set(&call->error, VG_OVERLOADED, NULL);
    }
    if (!is_public(call) && vg_memory_budget_is_short()) {
        vg_metrics_add(VG_METRIC_memory_refused_total, 1);
        return vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    return enter_quota(call);
}

enum vg_reason vg_admission_converse(struct vg_call *call)
{
    struct vg_service *service = call->service;
    const uint32_t most = (service->settings->public_calls_in_flight_max + 1) / 2;
    if (!is_public(call)) {
        return VG_OK;
    }
    call->in_talk = true;
    return atomic_fetch_add_explicit(&service->public_talks, 1, memory_order_relaxed) < most
               ? VG_OK
               : vg_error_set(&call->error, VG_OVERLOADED, NULL);
}

void vg_admission_leave(struct vg_call *call)
{
    if (call->in_talk) {
        (void)atomic_fetch_sub_explicit(&call->service->public_talks, 1, memory_order_relaxed);
        call->in_talk = false;
    }
    if (call->in_quota) {
        vg_quota_end_call(call->principal->quota);
        call->in_quota = false;
    }
    if (call->in_flight) {
        (void)atomic_fetch_sub_explicit(in_flight_of(call), 1, memory_order_relaxed);
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
