#include "core/ingest/ingest_wait.h"

#include "core/base/assert.h"

static void wake(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct vg_ingest_wait *wait = VG_CONTAINER_OF(group, struct vg_ingest_wait, group);
    VG_ASSERT(sem_post(&wait->answered) == 0);
}

void vg_ingest_wait_init(struct vg_ingest_wait *wait)
{
    vg_ingest_submission_init(&wait->group);
    wait->group.done.run = wake;
    VG_ASSERT(sem_init(&wait->answered, 0, 0) == 0);
}

void vg_ingest_wait_dispose(struct vg_ingest_wait *wait)
{
    (void)sem_destroy(&wait->answered);
}

static void wait_for(sem_t *answered)
{
    while (sem_wait(answered) != 0) { /* a signal */
    }
}

static enum vg_reason tell(enum vg_reason reason, const char *message, struct vg_error *error)
{
    if (reason == VG_OK) {
        return VG_OK;
    }
    return message[0] != '\0' ? vg_error_set(error, reason, "%s", message)
                              : vg_error_set(error, reason, NULL);
}

enum vg_reason vg_ingest_wait_run(
    struct vg_ingest *ingest,
    struct vg_ingest_wait *wait,
    bool *out_refused,
    struct vg_error *error)
{
    enum vg_reason reason = vg_ingest_submit(ingest, &wait->group, error);
    *out_refused = reason != VG_OK;
    if (reason != VG_OK) {
        return reason;
    }
    wait_for(&wait->answered);
    return tell(wait->group.reason, wait->group.message, error);
}

/* ---- writes */

struct waited_write {
    struct vg_ingest_write write;
    sem_t answered;
};

static void wake_write(struct vg_task *task)
{
    struct vg_ingest_write *write = VG_CONTAINER_OF(task, struct vg_ingest_write, done);
    VG_ASSERT(sem_post(&VG_CONTAINER_OF(write, struct waited_write, write)->answered) == 0);
}

enum vg_reason vg_ingest_wait_apply(
    struct vg_ingest *ingest,
    struct vg_batch *batch,
    struct vg_error *error)
{
    struct waited_write waited;
    vg_ingest_write_init(&waited.write, batch);
    waited.write.done.run = wake_write;
    VG_ASSERT(sem_init(&waited.answered, 0, 0) == 0);
    enum vg_reason reason = vg_ingest_apply(ingest, &waited.write, error);
    if (reason == VG_OK) {
        wait_for(&waited.answered);
        reason = tell(waited.write.reason, waited.write.message, error);
    }
    (void)sem_destroy(&waited.answered);
    return reason;
}
