/*
 * Commit pace: how long the writer waits before its next commit, so that LevelDB's compaction keeps
 * up.
 *
 * LevelDB slows a writer down by 1 ms per write call, which does nothing when a call carries a
 * thousand records, and at 12 level-0 files it stops writing for seconds. So the writer brakes
 * earlier and evenly: from `files_first` level-0 files on it writes at most so many bytes per
 * second, less with each further file. No single wait is longer than VG_COMMIT_PACE_WAIT_MAX_NS.
 *
 * Threads: the writer's.
 */
#ifndef VG_CORE_INGEST_COMMIT_PACE_H
#define VG_CORE_INGEST_COMMIT_PACE_H

#include <stddef.h>
#include <stdint.h>

#define VG_COMMIT_PACE_WAIT_MAX_NS UINT64_C(500000000)

struct vg_commit_pace_settings {
    unsigned files_first; /* from this many level-0 files on commits are paced … */
    unsigned files_last;  /* … and from this many on at the slowest pace; above files_first */
    uint64_t bytes_first; /* per second, at files_first and at files_last */
    uint64_t bytes_last;
};

struct vg_commit_pace {
    struct vg_commit_pace_settings settings;
    uint64_t next_ns; /* monotonic time before which nothing should be committed */
};

void vg_commit_pace_init(
    struct vg_commit_pace *pace,
    const struct vg_commit_pace_settings *settings);

/* Bytes per second at `files` level-0 files; UINT64_MAX = not paced. */
uint64_t vg_commit_pace_rate(const struct vg_commit_pace *pace, unsigned files);

/* `bytes` were committed, done at `now_ns`, and there are `files` now. */
void vg_commit_pace_note(
    struct vg_commit_pace *pace,
    uint64_t now_ns,
    size_t bytes,
    unsigned files);

/* Do not commit before `until_ns`, for another reason than the store's. */
void vg_commit_pace_hold(struct vg_commit_pace *pace, uint64_t until_ns);

/* How long to wait before the next commit; 0 = not at all. */
uint64_t vg_commit_pace_wait_ns(const struct vg_commit_pace *pace, uint64_t now_ns);

#endif
