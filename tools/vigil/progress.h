/*
 * A progress bar on long work: one line of stderr, drawn again at most ten times a second, and only
 * when stdout and stderr are terminals.
 *
 * Threads: one at a time.
 */
#ifndef VG_TOOLS_VIGIL_PROGRESS_H
#define VG_TOOLS_VIGIL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct vg_progress {
    bool visible;      /* the terminal shows it at this moment */
    bool wanted;       /* there is a terminal */
    uint64_t total;    /* 0 = not known */
    uint64_t drawn_ns; /* when it was last drawn, by the monotonic clock */
};

/* Work of `total` parts begins; 0 = nobody knows. */
void vg_progress_begin(struct vg_progress *progress, uint64_t total);

/* `done` parts of the total; `count` is shown as it is. */
void vg_progress_show(
    struct vg_progress *progress,
    const char *label,
    uint64_t done,
    uint64_t count);

/* Clear the line, so that something else can be printed. */
void vg_progress_hide(struct vg_progress *progress);

#endif
