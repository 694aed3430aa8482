/*
 * Changing the directory: the way of every handler that adds or changes something.
 *
 *     prepare (resolve what the request names, make the record) → writer thread, whose commit
 *     installs it → answer with the thing as the directory now has it
 *
 * When somebody else was faster the commit is refused (STORE_CONFLICT) and the change is prepared
 * again from what is there now, a few times.
 *
 * Threads: with the call; everything here runs on its worker, but for the installation.
 */
#ifndef VG_RPC_HANDLERS_ADMIN_CHANGE_H
#define VG_RPC_HANDLERS_ADMIN_CHANGE_H

#include "core/directory/directory_change.h"
#include "core/ingest/ingest.h"
#include "rpc/handlers/admin_view.h"

/* Preparations before STORE_CONFLICT is answered. */
#define VG_ADMIN_CHANGE_TRIES_MAX 8

struct vg_admin_change;

/*
 * Resolve and check call->request, set change->name, and make change->directory with
 * vg_directory_change_add or _replace; or set change->is_done when there is nothing to change.
 * Failures are in call->error.
 */
typedef enum vg_reason (*vg_admin_prepare)(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot);

struct vg_admin_change {
    struct vg_call *call;
    const struct vg_admin_kind *kind;
    vg_admin_prepare prepare;
    ProtobufCMessage *answer; /* shows the thing in the end */

    /* Set by prepare. */
    const char *name; /* of the thing, as kind->find takes it */
    struct vg_directory_change directory;
    bool is_done;

    /* Private. */
    struct vg_ingest_write write;
    unsigned tries;
};

/* Run a change; what a handler returns. `answer` is the message that kind->fill takes. */
VG_MUST_USE int vg_admin_change_run(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    vg_admin_prepare prepare,
    ProtobufCMessage *answer);

/* For prepare: make the change that adds `record`. Fails as vg_directory_change_add. */
VG_MUST_USE enum vg_reason vg_admin_change_add(
    struct vg_admin_change *change,
    const ProtobufCMessage *record);

/* For prepare: make the change that stores an edited record. Fails as vg_directory_change_replace.
 */
VG_MUST_USE enum vg_reason vg_admin_change_replace(
    struct vg_admin_change *change,
    const struct vg_directory_record *record);

/* For prepare: the thing called `name`, which becomes change->name. NULL with call->error set:
 * OBJECT_NOT_FOUND, ACCESS_DENIED. */
const void *vg_admin_change_find(
    struct vg_admin_change *change,
    const struct vg_directory_snapshot *snapshot,
    const char *name);

/* For prepare: change->name as the decimal text of an id. */
VG_MUST_USE enum vg_reason vg_admin_change_set_id(struct vg_admin_change *change, int64_t id);

#endif
