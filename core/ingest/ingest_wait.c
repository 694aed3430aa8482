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
    while (sem_wait(&wait->answered) != 0) { /* a signal */
    }
    if (wait->group.reason == VG_OK) {
        return VG_OK;
    }
    return wait->group.message[0] != '\0'
               ? vg_error_set(error, wait->group.reason, "%s", wait->group.message)
               : vg_error_set(error, wait->group.reason, NULL);
}
