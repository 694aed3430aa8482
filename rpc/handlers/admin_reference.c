#include "rpc/handlers/admin_reference.h"

#include <stdio.h>

#include "core/access/principal.h"
#include "core/base/calendar.h"
#include "rpc/handlers/admin_view.h"

#define VG_ADMIN_FIELD_BYTES 64

void vg_admin_reference_refuse(
    struct vg_admin_references *references,
    const struct vg_admin_member *member)
{
    char field[VG_ADMIN_FIELD_BYTES];
    char *message =
        vg_arena_printf(&references->call->arena, "Invalid %s: %s", member->what, member->text);
    if (member->index < 0) {
        (void)snprintf(field, sizeof(field), "%s", member->field);
    } else {
        (void)snprintf(field, sizeof(field), "%s[%d]", member->field, member->index);
    }
    vg_violations_add(
        &references->call->error.violations,
        &(struct vg_violation){ .reason = VG_INVALID_REFERENCE,
                                .field = field,
                                .parameter = member->text,
                                .message = message });
}

void vg_admin_reference_refuse_value(
    struct vg_admin_references *references,
    const char *field,
    const char *value,
    const char *message)
{
    vg_violations_add(
        &references->call->error.violations,
        &(struct vg_violation){ .reason = VG_INVALID_FIELD_VALUE,
                                .field = field,
                                .parameter = value,
                                .message = message });
}

void vg_admin_reference_need_all(struct vg_admin_references *references)
{
    references->is_denied = references->is_denied || !references->call->principal->all_customers;
}

/* Whether the thing, which belongs to `customer_id`, may be named; notes why not. */
static bool may_name(
    struct vg_admin_references *references,
    const struct vg_admin_member *member,
    const void *thing,
    int64_t customer_id)
{
    if (thing == NULL) {
        vg_admin_reference_refuse(references, member);
        return false;
    }
    bool covered = vg_principal_covers(references->call->principal, customer_id);
    references->is_denied = references->is_denied || !covered;
    return covered;
}

const struct vg_customer *vg_admin_reference_customer(
    struct vg_admin_references *references,
    const struct vg_admin_member *member)
{
    const struct vg_customer *customer =
        vg_directory_customer_named(references->snapshot, vg_bytes_text(member->text));
    int64_t id = customer == NULL ? 0 : customer->id;
    return may_name(references, member, customer, id) ? customer : NULL;
}

const struct vg_group *vg_admin_reference_group(
    struct vg_admin_references *references,
    const struct vg_admin_member *member)
{
    const struct vg_group *group =
        vg_directory_group_named(references->snapshot, vg_bytes_text(member->text));
    int64_t customer_id = group == NULL ? 0 : group->customer_id;
    return may_name(references, member, group, customer_id) ? group : NULL;
}

const struct vg_user *vg_admin_reference_user(
    struct vg_admin_references *references,
    const struct vg_admin_member *member)
{
    const struct vg_user *user =
        vg_directory_user_named(references->snapshot, vg_bytes_text(member->text));
    int64_t customer_id = user == NULL ? 0 : user->customer_id;
    return may_name(references, member, user, customer_id) ? user : NULL;
}

void vg_admin_reference_check_short_name(
    struct vg_admin_references *references,
    const char *short_name)
{
    bool only_digits = true;
    bool printable = short_name[0] != '\0';
    for (const char *at = short_name; *at != '\0'; at++) {
        only_digits = only_digits && *at >= '0' && *at <= '9';
        printable = printable && *at > ' ' && *at <= '~';
    }
    if (!printable) {
        vg_admin_reference_refuse_value(
            references,
            "shortName",
            short_name,
            "A short name is made of printable ASCII characters without blanks");
    } else if (only_digits) {
        vg_admin_reference_refuse_value(
            references,
            "shortName",
            short_name,
            "A short name of digits only would be an id");
    }
}

void vg_admin_reference_check_zone(
    struct vg_admin_references *references,
    const char *field,
    const char *name)
{
    struct vg_zone *zone = NULL;
    if (vg_zone_create(vg_bytes_text(name), &zone, NULL) != VG_OK) {
        vg_admin_reference_refuse(
            references,
            &(struct vg_admin_member){ field, "time zone", -1, name });
    }
    vg_zone_destroy(zone);
}

enum vg_reason vg_admin_reference_end(struct vg_admin_references *references)
{
    return references->is_denied ? vg_admin_view_deny(references->call)
                                 : vg_error_from_violations(&references->call->error);
}
