#include "tools/vigil/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/clock.h"

#define BAR_WIDTH   30u
#define INTERVAL_NS UINT64_C(100000000)

void vg_progress_begin(struct vg_progress *progress, uint64_t total)
{
    *progress = (struct vg_progress){
        .wanted = isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1,
        .total = total,
    };
}

void vg_progress_hide(struct vg_progress *progress)
{
    if (progress->visible) {
        (void)fputs("\r\033[K", stderr);
        progress->visible = false;
    }
}

void vg_progress_show(
    struct vg_progress *progress,
    const char *label,
    uint64_t done,
    uint64_t count)
{
    uint64_t now = vg_clock_monotonic_ns(&vg_clock_real);
    if (!progress->wanted || (progress->visible && now - progress->drawn_ns < INTERVAL_NS)) {
        return;
    }
    progress->drawn_ns = now;
    progress->visible = true;
    if (progress->total == 0) {
        (void)fprintf(stderr, "\r\033[K%s  %" PRIu64, label, count);
    } else {
        char bar[BAR_WIDTH + 1];
        uint64_t part = done > progress->total ? progress->total : done;
        uint64_t filled = part * BAR_WIDTH / progress->total;
        for (uint64_t i = 0; i < BAR_WIDTH; i++) {
            bar[i] = i < filled ? '#' : '.';
        }
        bar[BAR_WIDTH] = '\0';
        (void)fprintf(
            stderr,
            "\r\033[K%s  [%s] %3u %%  %" PRIu64,
            label,
            bar,
            (unsigned)(part * 100 / progress->total),
            count);
    }
    (void)fflush(stderr);
}
