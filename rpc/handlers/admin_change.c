#include "rpc/handlers/admin_change.h"

#include <inttypes.h>

#include "core/node/node.h"
#include "rpc/service/service.h"

static enum vg_reason answer(struct vg_admin_change *change)
{
    struct vg_call *call = change->call;
    const struct vg_admin_view view = {
        .snapshot = vg_directory_snapshot(call->service->node->directory),
        .principal = call->principal,
        .arena = &call->arena,
    };
    const void *object = change->kind->find(view.snapshot, vg_bytes_text(change->name));
    bool filled = object != NULL && change->kind->fill(change->answer, object, &view);
    vg_directory_snapshot_unref(view.snapshot);
    call->object = change->name;
    return filled ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* On the writer thread: the store has it, so the directory gets it. */
static void install(struct vg_ingest_write *write)
{
    struct vg_admin_change *change = VG_CONTAINER_OF(write, struct vg_admin_change, write);
    vg_directory_change_install(&change->directory);
}

static int try_change(struct vg_admin_change *change);

/* On the worker: the writer has answered. */
static void written(struct vg_task *task)
{
    struct vg_admin_change *change = VG_CONTAINER_OF(task, struct vg_admin_change, write.done);
    struct vg_call *call = change->call;
    int result = (int)change->write.reason;
    vg_directory_change_dispose(&change->directory);
    if (change->write.reason == VG_OK) {
        result = (int)answer(change);
    } else if (
        change->write.reason == VG_STORE_CONFLICT && change->tries < VG_ADMIN_CHANGE_TRIES_MAX) {
        result = try_change(change);
    } else {
        (void)vg_error_set(
            &call->error,
            change->write.reason,
            change->write.message[0] == '\0' ? NULL : "%s",
            change->write.message);
    }
    if (result != VG_CALL_PENDING) {
        vg_call_complete(call, (enum vg_reason)result);
    }
}

static enum vg_reason prepare(struct vg_admin_change *change)
{
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(change->call->service->node->directory);
    enum vg_reason reason = change->prepare(change, snapshot);
    vg_directory_snapshot_unref(snapshot);
    return reason;
}

/* VG_OK: answered; a reason; or VG_CALL_PENDING: `written` goes on. */
static int try_change(struct vg_admin_change *change)
{
    struct vg_call *call = change->call;
    change->tries++;
    change->directory = (struct vg_directory_change){ .directory = NULL };
    enum vg_reason reason = prepare(change);
    if (reason == VG_OK && !change->is_done) {
        change->write = (struct vg_ingest_write){ .done = { .run = written },
                                                  .mailbox = call->home,
                                                  .batch = &change->directory.batch,
                                                  .committed = install };
        reason = vg_ingest_apply(call->service->node->ingest, &change->write, &call->error);
        if (reason == VG_OK) {
            return VG_CALL_PENDING;
        }
    }
    vg_directory_change_dispose(&change->directory);
    return (int)(reason == VG_OK ? answer(change) : reason);
}

int vg_admin_change_run(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    vg_admin_prepare prepare_record,
    ProtobufCMessage *message)
{
    struct vg_admin_change *change = vg_arena_calloc(&call->arena, 1, sizeof(*change));
    if (change == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    change->call = call;
    change->kind = kind;
    change->prepare = prepare_record;
    change->answer = message;
    return try_change(change);
}

enum vg_reason vg_admin_change_add(struct vg_admin_change *change, const ProtobufCMessage *record)
{
    struct vg_call *call = change->call;
    return vg_directory_change_add(
        &change->directory,
        call->service->node->directory,
        change->kind->kind,
        record,
        &call->error);
}

enum vg_reason vg_admin_change_replace(
    struct vg_admin_change *change,
    const struct vg_directory_record *record)
{
    struct vg_call *call = change->call;
    return vg_directory_change_replace(
        &change->directory,
        call->service->node->directory,
        change->kind->kind,
        record,
        &call->error);
}

const void *vg_admin_change_find(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot,
    const char *name)
{
    change->name = name;
    return vg_admin_view_find(change->call, change->kind, snapshot, name);
}

enum vg_reason vg_admin_change_set_id(struct vg_admin_change *change, int64_t id)
{
    change->name = vg_arena_printf(&change->call->arena, "%" PRId64, id);
    return change->name == NULL ? vg_error_set(&change->call->error, VG_REQUEST_MEMORY, NULL)
                                : VG_OK;
}
