#include "gateway/web/probe.h"

#include "rpc/service/call_log.h"

static void answer_health(
    const struct vg_service *service,
    struct vg_buffer *out,
    unsigned *out_status)
{
    (void)service;
    *out_status = 200;
    vg_buffer_append_text(out, "ok\n");
}

static void answer_ready(
    const struct vg_service *service,
    struct vg_buffer *out,
    unsigned *out_status)
{
    static const char *const words[] = {
        [VG_READINESS_READY] = "ready\n",
        [VG_READINESS_STARTING] = "starting\n",
        [VG_READINESS_LEAVING] = "draining\n",
    };
    enum vg_readiness_state state = vg_readiness_state(&service->readiness);
    *out_status = state == VG_READINESS_READY ? 200 : 503;
    vg_buffer_append_text(out, words[state]);
}

static void answer_metrics(
    const struct vg_service *service,
    struct vg_buffer *out,
    unsigned *out_status)
{
    *out_status = 200;
    vg_call_log_metrics(service, out);
}

static const struct probe {
    const char *path;
    const char *content_type;
    void (*answer)(const struct vg_service *service, struct vg_buffer *out, unsigned *out_status);
} probes[] = {
    { "/healthz", "text/plain; charset=UTF-8", answer_health },
    { "/readyz", "text/plain; charset=UTF-8", answer_ready },
    { "/metrics", "text/plain; version=0.0.4; charset=UTF-8", answer_metrics },
};

bool vg_probe_answer(
    const struct vg_service *service,
    struct vg_bytes path,
    struct vg_buffer *out,
    unsigned *out_status,
    const char **out_content_type)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(probes); i++) {
        if (vg_bytes_equal(vg_bytes_text(probes[i].path), path)) {
            *out_content_type = probes[i].content_type;
            probes[i].answer(service, out, out_status);
            return true;
        }
    }
    return false;
}
