#include "rpc/handlers/event_user.h"

/* The messages of one user, made together. */
struct user_v2 {
    Vigil__Events__V2__UserInfo user;
    Vigil__Events__V2__CustomerInfo customer;
    Vigil__Events__V2__DomainInfo domain;
};

static bool copy_text(struct vg_arena *arena, const char *from, char **out_text)
{
    if (from == NULL) {
        return true;
    }
    *out_text = vg_arena_text(arena, vg_bytes_text(from));
    return *out_text != NULL;
}

/* The domain of a user or group is that of the customer. */
static bool fill_customer(
    struct user_v2 *made,
    const struct vg_customer *customer,
    struct vg_arena *arena)
{
    vigil__events__v2__domain_info__init(&made->domain);
    made->domain.has_id = true;
    made->domain.id = (int32_t)customer->domain_id;
    vigil__events__v2__customer_info__init(&made->customer);
    made->customer.has_id = true;
    made->customer.id = customer->id;
    made->customer.domain = &made->domain;
    made->user.customer = &made->customer;
    made->user.domain = &made->domain;
    return copy_text(arena, customer->domain_name, &made->domain.name) &&
           copy_text(arena, customer->name, &made->customer.name) &&
           copy_text(arena, customer->short_name, &made->customer.short_name);
}

/* A subject with its id alone; NULL when the arena is full. */
static struct user_v2 *make_subject(
    int64_t id,
    Vigil__Events__V2__SubjectType type,
    struct vg_arena *arena)
{
    struct user_v2 *made = vg_arena_alloc(arena, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    vigil__events__v2__user_info__init(&made->user);
    made->user.has_id = true;
    made->user.id = id;
    made->user.has_type = true;
    made->user.type = type;
    return made;
}

Vigil__Events__V2__UserInfo *vg_event_user_make(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena)
{
    struct user_v2 *made =
        make_subject(id, VIGIL__EVENTS__V2__SUBJECT_TYPE__SUBJECT_TYPE_USER, arena);
    if (made == NULL) {
        return NULL;
    }
    const struct vg_user *user = vg_directory_user(directory, id);
    if (user == NULL) {
        return &made->user;
    }
    const struct vg_customer *customer = vg_directory_customer(directory, user->customer_id);
    bool filled = copy_text(arena, user->short_name, &made->user.short_name) &&
                  copy_text(arena, user->name, &made->user.name) &&
                  (customer == NULL || fill_customer(made, customer, arena));
    return filled ? &made->user : NULL;
}

Vigil__Events__V2__UserInfo *vg_event_user_subject(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena)
{
    const struct vg_group *group = vg_directory_group(directory, id);
    if (group == NULL) {
        return vg_event_user_make(directory, id, arena);
    }
    struct user_v2 *made =
        make_subject(id, VIGIL__EVENTS__V2__SUBJECT_TYPE__SUBJECT_TYPE_GROUP, arena);
    const struct vg_customer *customer = vg_directory_customer(directory, group->customer_id);
    const char *name = group->name == NULL ? group->short_name : group->name;
    bool filled = made != NULL && copy_text(arena, group->short_name, &made->user.short_name) &&
                  copy_text(arena, name, &made->user.name) &&
                  (customer == NULL || fill_customer(made, customer, arena));
    return filled ? &made->user : NULL;
}

Vigil__Events__V2__CustomerInfo *vg_event_user_customer(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena)
{
    struct user_v2 *made =
        make_subject(id, VIGIL__EVENTS__V2__SUBJECT_TYPE__SUBJECT_TYPE_USER, arena);
    if (made == NULL) {
        return NULL;
    }
    const struct vg_customer *customer = vg_directory_customer(directory, id);
    if (customer != NULL) {
        return fill_customer(made, customer, arena) ? &made->customer : NULL;
    }
    vigil__events__v2__customer_info__init(&made->customer);
    made->customer.has_id = true;
    made->customer.id = id;
    return &made->customer;
}

struct user_v1 {
    Vigil__Events__V1__UserInfo user;
    Vigil__Events__V1__CustomerInfo customer;
    Vigil__Events__V1__DomainInfo domains[2]; /* of the user and of his customer */
};

static void fill_domain(
    const Vigil__Events__V2__DomainInfo *from,
    Vigil__Events__V1__DomainInfo *domain)
{
    vigil__events__v1__domain_info__init(domain);
    domain->has_id = from->has_id;
    domain->id = from->id;
    domain->name = from->name;
}

Vigil__Events__V1__UserInfo *vg_event_user_v1(
    const Vigil__Events__V2__UserInfo *from,
    struct vg_arena *arena)
{
    struct user_v1 *made = vg_arena_alloc(arena, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    vigil__events__v1__user_info__init(&made->user);
    made->user.has_id = from->has_id;
    made->user.id = from->id;
    made->user.user_name = from->short_name;
    made->user.name = from->name;
    made->user.has_type = from->has_type;
    made->user.type = (Vigil__Events__V1__SubjectType)from->type;
    if (from->domain != NULL) {
        fill_domain(from->domain, &made->domains[0]);
        made->user.domain = &made->domains[0];
    }
    if (from->customer != NULL) {
        vigil__events__v1__customer_info__init(&made->customer);
        made->customer.has_id = from->customer->has_id;
        made->customer.id = from->customer->id;
        made->customer.name = from->customer->name;
        made->customer.short_name = from->customer->short_name;
        if (from->customer->domain != NULL) {
            fill_domain(from->customer->domain, &made->domains[1]);
            made->customer.domain = &made->domains[1];
        }
        made->user.has_customer_id = from->customer->has_id;
        made->user.customer_id = from->customer->id;
        made->user.customer = &made->customer;
    }
    return &made->user;
}
