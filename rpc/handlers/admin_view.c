#include "rpc/handlers/admin_view.h"

#include "core/access/principal.h"
#include "core/node/node.h"
#include "proto/contract_json.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/service/service.h"

bool vg_admin_view_is_visible(const struct vg_principal *principal, int64_t customer_id)
{
    return customer_id == 0 || vg_principal_covers(principal, customer_id);
}

enum vg_reason vg_admin_view_deny(struct vg_call *call)
{
    /* What else is wrong with the request is none of the caller's business. */
    vg_violations_init(&call->error.violations, &call->arena);
    (void)vg_error_set(
        &call->error,
        VG_ACCESS_DENIED,
        "Access denied: the key does not cover the customer");
    int32_t function = __builtin_ctzll(call->method->permissions);
    return vg_error_field(
        &call->error,
        NULL,
        vg_contract_word(&vg_words_vigil_permission, function)->text);
}

static struct vg_admin_view open_view(struct vg_call *call)
{
    return (struct vg_admin_view){
        .snapshot = vg_directory_snapshot(call->service->node->directory),
        .principal = call->principal,
        .arena = &call->arena,
    };
}

const void *vg_admin_view_find(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    const struct vg_directory_snapshot *snapshot,
    const char *name)
{
    const void *object = kind->find(snapshot, vg_bytes_text(name));
    if (object == NULL) {
        (void)vg_error_set(&call->error, VG_OBJECT_NOT_FOUND, NULL);
        (void)vg_error_field(&call->error, NULL, name);
        return NULL;
    }
    if (!vg_admin_view_is_visible(call->principal, kind->customer(snapshot, object))) {
        (void)vg_admin_view_deny(call);
        return NULL;
    }
    return object;
}

int vg_admin_view_show(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    const char *name,
    ProtobufCMessage *answer)
{
    const struct vg_admin_view view = open_view(call);
    const void *object = vg_admin_view_find(call, kind, view.snapshot, name);
    if (object != NULL && !kind->fill(answer, object, &view)) {
        (void)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_directory_snapshot_unref(view.snapshot);
    return (int)call->error.reason;
}

/* The rows of a list; lives in the call's arena. */
struct list {
    struct vg_rows rows;
    const struct vg_admin_kind *kind;
    const struct vg_table *table; /* of a row */
    struct vg_admin_view view;    /* holds the snapshot */
    size_t position;              /* in the directory */
    int64_t skip;                 /* visible things before the page */
    int64_t left;                 /* rows still to come */
};

/* The next visible thing, or NULL. */
static const void *next_visible(struct list *list)
{
    size_t count = vg_directory_count(list->view.snapshot, list->kind->kind);
    while (list->position < count) {
        const void *object =
            vg_directory_at(list->view.snapshot, list->kind->kind, list->position++);
        int64_t customer = list->kind->customer(list->view.snapshot, object);
        if (vg_admin_view_is_visible(list->view.principal, customer)) {
            return object;
        }
    }
    return NULL;
}

static enum vg_reason next_row(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct list *list = VG_CONTAINER_OF(rows, struct list, rows);
    for (; list->skip > 0; list->skip--) {
        (void)next_visible(list);
    }
    const void *object = list->left > 0 ? next_visible(list) : NULL;
    if (object == NULL) {
        *out_end = true;
        return VG_OK;
    }
    list->left--;
    list->view.arena = arena;
    ProtobufCMessage *message = vg_arena_calloc(arena, 1, list->table->size);
    if (message == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    list->table->descriptor->message_init(message);
    if (!list->kind->fill(message, object, &list->view)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_row = (struct vg_reply_row){ .message = message };
    *out_end = false;
    return VG_OK;
}

static void close_rows(struct vg_rows *rows)
{
    vg_directory_snapshot_unref(VG_CONTAINER_OF(rows, struct list, rows)->view.snapshot);
}

static const struct vg_rows_class list_class = { .next = next_row, .close = close_rows };

int vg_admin_view_list(
    struct vg_call *call,
    const struct vg_admin_kind *kind,
    int64_t limit,
    int64_t offset)
{
    struct list *list = vg_arena_calloc(&call->arena, 1, sizeof(*list));
    if (list == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    *list = (struct list){ .rows = { &list_class },
                           .kind = kind,
                           .table = call->method->element,
                           .view = open_view(call) };
    int64_t count = 0;
    while (next_visible(list) != NULL) {
        count++;
    }
    if (limit == 0 && count > VG_ADMIN_LIMIT_MAX) {
        close_rows(&list->rows);
        (void)vg_error_set(&call->error, VG_RESULTSET_TOO_LARGE, NULL);
        return (int)vg_error_field(&call->error, NULL, "100000");
    }
    list->position = 0;
    list->skip = offset < count ? offset : count;
    list->left = limit == 0 ? count : limit;
    call->reply.rows = &list->rows;
    call->reply.limit = limit;
    call->reply.offset = offset;
    call->reply.count = count;
    return VG_OK;
}

Vigil__Admin__V1__CustomerReference *vg_admin_view_customer(
    const struct vg_admin_view *view,
    int64_t id)
{
    Vigil__Admin__V1__CustomerReference *reference =
        vg_arena_alloc(view->arena, sizeof(*reference));
    if (reference == NULL) {
        return NULL;
    }
    vigil__admin__v1__customer_reference__init(reference);
    reference->has_id = true;
    reference->id = id;
    const struct vg_customer *customer = vg_directory_customer(view->snapshot, id);
    if (customer != NULL && vg_admin_view_is_visible(view->principal, id)) {
        reference->short_name = vg_answer_text(customer->short_name);
    }
    return reference;
}

/* A reference to a subject of `customer_id`; `short_name` NULL = there is none of that id. */
static Vigil__Admin__V1__SubjectReference *make_subject(
    const struct vg_admin_view *view,
    int64_t id,
    const char *short_name,
    int64_t customer_id)
{
    Vigil__Admin__V1__SubjectReference *reference = vg_arena_alloc(view->arena, sizeof(*reference));
    if (reference == NULL) {
        return NULL;
    }
    vigil__admin__v1__subject_reference__init(reference);
    reference->has_id = true;
    reference->id = id;
    if (vg_admin_view_is_visible(view->principal, customer_id)) {
        reference->short_name = vg_answer_text(short_name);
    }
    return reference;
}

Vigil__Admin__V1__SubjectReference *vg_admin_view_user(const struct vg_admin_view *view, int64_t id)
{
    const struct vg_user *user = vg_directory_user(view->snapshot, id);
    return user == NULL ? make_subject(view, id, NULL, 0)
                        : make_subject(view, id, user->short_name, user->customer_id);
}

Vigil__Admin__V1__SubjectReference *vg_admin_view_group(
    const struct vg_admin_view *view,
    int64_t id)
{
    const struct vg_group *group = vg_directory_group(view->snapshot, id);
    return group == NULL ? make_subject(view, id, NULL, 0)
                         : make_subject(view, id, group->short_name, group->customer_id);
}
