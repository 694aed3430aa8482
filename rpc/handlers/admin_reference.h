/*
 * What requests name: customers, groups, users by id or short name, and the rules for new names.
 *
 * All that does not resolve is collected as violations, so that one answer names everything. A
 * thing of a customer that the caller's key does not cover ends in ACCESS_DENIED, whatever else is
 * wrong.
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_HANDLERS_ADMIN_REFERENCE_H
#define VG_RPC_HANDLERS_ADMIN_REFERENCE_H

#include "core/directory/directory.h"
#include "rpc/service/call.h"

struct vg_admin_references {
    struct vg_call *call;
    const struct vg_directory_snapshot *snapshot;
    bool is_denied;
};

/* A member of the request: its path, with an index in lists (-1 = no list), what it names, its
 * text.
 */
struct vg_admin_member {
    const char *field; /* "customer" */
    const char *what;  /* "customer": `Invalid customer: x` */
    int index;
    const char *text;
};

/* Find what the member names; NULL, and noted, when there is none or the caller may not name it. */
const struct vg_customer *vg_admin_reference_customer(
    struct vg_admin_references *references,
    const struct vg_admin_member *member);
const struct vg_group *vg_admin_reference_group(
    struct vg_admin_references *references,
    const struct vg_admin_member *member);
const struct vg_user *vg_admin_reference_user(
    struct vg_admin_references *references,
    const struct vg_admin_member *member);

/* Note that the member does not resolve: `Invalid <what>: <text>`. */
void vg_admin_reference_refuse(
    struct vg_admin_references *references,
    const struct vg_admin_member *member);

/* Note that the value of a member is not allowed, with the words why. */
void vg_admin_reference_refuse_value(
    struct vg_admin_references *references,
    const char *field,
    const char *value,
    const char *message);

/* Note that only a key that covers all customers may do this, unless it is one. */
void vg_admin_reference_need_all(struct vg_admin_references *references);

/* Check a new short name: printable ASCII without blanks, and not digits only, which would be an
 * id. */
void vg_admin_reference_check_short_name(
    struct vg_admin_references *references,
    const char *short_name);

/* Check the name of a time zone. */
void vg_admin_reference_check_zone(
    struct vg_admin_references *references,
    const char *field,
    const char *name);

/* What all of it amounts to: VG_OK, ACCESS_DENIED or the violations. */
VG_MUST_USE enum vg_reason vg_admin_reference_end(struct vg_admin_references *references);

#endif
