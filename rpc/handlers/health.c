/*
 * grpc.health.v1.Health: what routes work to this server asks it here. Every service of the
 * contract is as ready as the server itself, which "" stands for.
 *
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
#include <stdlib.h>

#include "proto/contract_handlers.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

typedef Grpc__Health__V1__HealthCheckRequest health_request;
typedef Grpc__Health__V1__HealthCheckResponse health_response;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus health_status;
typedef Grpc__Health__V1__HealthListResponse__StatusesEntry health_entry;

static health_status status_of(const struct vg_service *service)
{
    return vg_readiness_state(&service->readiness) == VG_READINESS_READY
               ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
               : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

/* The server as a whole, or a service of it. */
static bool is_known(const struct vg_service *service, const char *name)
{
    return name == NULL || name[0] == '\0' || vg_service_has(service, name);
}

int vg_grpc_health_v1_check(
    struct vg_call *call,
    const health_request *request,
    health_response *answer)
{
    if (!is_known(call->service, request->service)) {
        return (int)vg_error_set(&call->error, VG_OBJECT_NOT_FOUND, "unknown service");
    }
    answer->status = status_of(call->service);
    return VG_OK;
}

/* ---- all of them */

static bool add_status(struct vg_call *call, const char *name, health_entry **out_entry)
{
    health_entry *entry = vg_arena_alloc(&call->arena, sizeof(*entry));
    health_response *value = vg_arena_alloc(&call->arena, sizeof(*value));
    char *key = vg_arena_text(&call->arena, vg_bytes_text(name));
    if (entry == NULL || value == NULL || key == NULL) {
        return false;
    }
    grpc__health__v1__health_check_response__init(value);
    value->status = status_of(call->service);
    grpc__health__v1__health_list_response__statuses_entry__init(entry);
    entry->key = key;
    entry->value = value;
    *out_entry = entry;
    return true;
}

int vg_grpc_health_v1_list(
    struct vg_call *call,
    const Grpc__Health__V1__HealthListRequest *request,
    Grpc__Health__V1__HealthListResponse *answer)
{
    (void)request;
    size_t count = 1;
    for (size_t at = 0; vg_service_next(call->service, &at) != NULL;) {
        count++;
    }
    answer->statuses = vg_arena_calloc(&call->arena, count, sizeof(*answer->statuses));
    size_t position = 0;
    const char *name = "";
    while (answer->statuses != NULL && name != NULL) {
        if (!add_status(call, name, &answer->statuses[answer->n_statuses])) {
            break;
        }
        answer->n_statuses++;
        name = vg_service_next(call->service, &position);
    }
    return answer->n_statuses == count ? VG_OK
                                       : (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* ---- watching */

struct health_watch {
    struct vg_readiness_watch watch; /* which owns the memory */
    struct vg_intake intake;
    struct vg_call *call;
    bool known; /* services do not come and go while the server runs */
    bool told;
    health_status last;
};

static struct health_watch *watch_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct health_watch, intake);
}

static void tell(struct vg_intake *intake)
{
    struct health_watch *own = watch_of(intake);
    health_response answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    answer.status = own->known
                        ? status_of(own->call->service)
                        : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    if (own->told && own->last == answer.status) {
        return;
    }
    own->told = true;
    own->last = answer.status;
    (void)vg_call_say(own->call, &answer.base); /* may end it */
}

static void changed(struct vg_readiness_watch *watch)
{
    tell(&VG_CONTAINER_OF(watch, struct health_watch, watch)->intake);
}

static void drain(struct vg_intake *intake)
{
    struct vg_call *call = watch_of(intake)->call;
    tell(intake);
    vg_call_hang_up(call, VG_DRAINING);
}

static void close_watch(struct vg_intake *intake)
{
    vg_readiness_unwatch(&watch_of(intake)->watch);
}

static void destroy(struct vg_readiness_watch *watch)
{
    free(VG_CONTAINER_OF(watch, struct health_watch, watch));
}

static const struct vg_intake_class watch_class = { .room = tell,
                                                    .drain = drain,
                                                    .close = close_watch };

int vg_grpc_health_v1_watch(
    struct vg_call *call,
    const health_request *request,
    health_response *answer)
{
    (void)answer;
    struct health_watch *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return (int)vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    own->intake.class = &watch_class;
    own->call = call;
    own->known = is_known(call->service, request->service);
    own->watch =
        (struct vg_readiness_watch){ .home = call->home, .changed = changed, .destroy = destroy };
    vg_readiness_watch(&call->service->readiness, &own->watch);
    return vg_call_converse(call, &own->intake);
}
