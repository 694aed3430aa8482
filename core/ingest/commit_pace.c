#include "core/ingest/commit_pace.h"

#include "core/base/assert.h"

#define NS_PER_SECOND UINT64_C(1000000000)

void vg_commit_pace_init(
    struct vg_commit_pace *pace,
    const struct vg_commit_pace_settings *settings)
{
    VG_ASSERT(settings->files_first < settings->files_last);
    VG_ASSERT(settings->bytes_last > 0 && settings->bytes_last <= settings->bytes_first);
    *pace = (struct vg_commit_pace){ .settings = *settings };
}

uint64_t vg_commit_pace_rate(const struct vg_commit_pace *pace, unsigned files)
{
    const struct vg_commit_pace_settings *settings = &pace->settings;
    if (files < settings->files_first) {
        return UINT64_MAX;
    }
    if (files >= settings->files_last) {
        return settings->bytes_last;
    }
    uint64_t steps = settings->files_last - settings->files_first;
    uint64_t above = files - settings->files_first;
    return settings->bytes_first - (settings->bytes_first - settings->bytes_last) * above / steps;
}

void vg_commit_pace_note(struct vg_commit_pace *pace, uint64_t now_ns, size_t bytes, unsigned files)
{
    uint64_t rate = vg_commit_pace_rate(pace, files);
    uint64_t wait = 0;
    if (rate != UINT64_MAX) {
        /* A batch is far below 2^34 bytes: no overflow. */
        wait = (uint64_t)bytes * NS_PER_SECOND / rate;
        wait = wait > VG_COMMIT_PACE_WAIT_MAX_NS ? VG_COMMIT_PACE_WAIT_MAX_NS : wait;
    }
    pace->next_ns = wait == 0 ? 0 : now_ns + wait;
}

uint64_t vg_commit_pace_wait_ns(const struct vg_commit_pace *pace, uint64_t now_ns)
{
    uint64_t wait = pace->next_ns > now_ns ? pace->next_ns - now_ns : 0;
    return wait > VG_COMMIT_PACE_WAIT_MAX_NS ? VG_COMMIT_PACE_WAIT_MAX_NS : wait;
}

void vg_commit_pace_hold(struct vg_commit_pace *pace, uint64_t until_ns)
{
    if (pace->next_ns < until_ns) {
        pace->next_ns = until_ns;
    }
}
