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

/* "/openapi/events.json": the documents the contract's generator made; "/openapi.json" is all of
 * them in one. */
static bool answer_openapi(struct vg_bytes path, struct vg_buffer *out)
{
    static const char folder[] = "/openapi/";
    static const char ending[] = ".json";
    if (vg_bytes_equal(path, vg_bytes_text("/openapi.json"))) {
        path = vg_bytes_text("/openapi/all.json");
    }
    size_t before = sizeof(folder) - 1;
    size_t behind = sizeof(ending) - 1;
    if (path.size <= before + behind || !vg_bytes_begins_with(path, vg_bytes(folder, before)) ||
        memcmp(path.data + path.size - behind, ending, behind) != 0) {
        return false;
    }
    struct vg_bytes name = vg_bytes(path.data + before, path.size - before - behind);
    for (size_t i = 0; i < vg_openapi_file_count; i++) {
        if (vg_bytes_equal(vg_bytes_text(vg_openapi_files[i].name), name)) {
            vg_buffer_append(out, vg_openapi_files[i].data, vg_openapi_files[i].size);
            return true;
        }
    }
    return false;
}

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
    if (answer_openapi(path, out)) {
        *out_status = 200;
        *out_content_type = "application/json; charset=UTF-8";
        return true;
    }
    return false;
}
