/*
 * Showing things of the directory: what the handlers of all kinds share.
 *
 * A caller sees what belongs to the customers the key covers, and what belongs to nobody. Of others
 * a list says nothing, a single one is ACCESS_DENIED, and where something visible refers to it only
 * its id is told.
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_HANDLERS_ADMIN_VIEW_H
#define VG_RPC_HANDLERS_ADMIN_VIEW_H

#include "core/base/arena.h"
#include "core/directory/directory.h"
#include "rpc/service/call.h"

#include "vigil/admin/v1/reference.pb-c.h"

/* Rows of a list when the caller says nothing, and at most. */
#define VG_ADMIN_LIMIT_DEFAULT 25
#define VG_ADMIN_LIMIT_MAX     100000

/* Who looks at what, and where answers are made. */
struct vg_admin_view {
    const struct vg_directory_snapshot *snapshot;
    const struct vg_principal *principal;
    struct vg_arena *arena;
};

/* What differs between the kinds. */
struct vg_admin_kind {
    enum vg_directory_kind kind;
    /* The thing of that id or name, or NULL. */
    const void *(*find)(const struct vg_directory_snapshot *snapshot, struct vg_bytes name);
    /* The customer it belongs to; 0 = all customers. */
    int64_t (*customer)(const struct vg_directory_snapshot *snapshot, const void *object);
    /* Fill the message of vigil.admin.v1 that shows it; false when memory is out. */
    bool (*fill)(ProtobufCMessage *answer, const void *object, const struct vg_admin_view *view);
};

extern const struct vg_admin_kind vg_admin_case_kind;
extern const struct vg_admin_kind vg_admin_customer_kind;
extern const struct vg_admin_kind vg_admin_group_kind;
extern const struct vg_admin_kind vg_admin_key_kind;
extern const struct vg_admin_kind vg_admin_location_kind;
extern const struct vg_admin_kind vg_admin_signature_kind;
extern const struct vg_admin_kind vg_admin_user_kind;

/* Whether the caller may see what belongs to `customer_id` (0 = all customers). */
bool vg_admin_view_is_visible(const struct vg_principal *principal, int64_t customer_id);

/* The thing called `name`, if the caller may see it. NULL with call->error set: OBJECT_NOT_FOUND,
 * ACCESS_DENIED. */
const void *vg_admin_view_find(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    const struct vg_directory_snapshot *snapshot,
    const char *name);

/* Fill `answer` with the thing called `name`. Fails with: OBJECT_NOT_FOUND, ACCESS_DENIED. */
int vg_admin_view_show(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    const char *name,
    ProtobufCMessage *answer);

/* Reply with the visible things of a kind. Fails with: RESULTSET_TOO_LARGE. */
int vg_admin_view_list(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    int64_t limit,
    int64_t offset);

/* ACCESS_DENIED: the key does not cover what is asked for. */
enum vg_reason vg_admin_view_deny(struct vg_call *call);

/* References in answers, in the view's arena; NULL when memory is out. */
Vigil__Admin__V1__CustomerReference *vg_admin_view_customer(
    const struct vg_admin_view *view,
    int64_t id);
Vigil__Admin__V1__SubjectReference *vg_admin_view_user(
    const struct vg_admin_view *view,
    int64_t id);
Vigil__Admin__V1__SubjectReference *vg_admin_view_group(
    const struct vg_admin_view *view,
    int64_t id);

#endif
