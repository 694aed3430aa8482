/*
 * The methods our own clients call, with the messages they take and give: client_methods.def.
 *
 * The contract's own table of methods names their handlers, which only the server has.
 *
 * Threads: immutable.
 */
#ifndef VG_TOOLS_CLIENT_CLIENT_METHOD_H
#define VG_TOOLS_CLIENT_CLIENT_METHOD_H

#include <stdbool.h>

#include "proto/contract.h"

enum vg_client_method {
#define X(name, repeat, service, method, request, answer) VG_CLIENT_METHOD_##name,
#include "tools/client/client_methods.def"
#undef X
    VG_CLIENT_METHOD_COUNT,
};

struct vg_client_method_row {
    const char *path; /* "/vigil.events.v2.EventService/GetEvent" */
    const struct vg_table *request;
    const struct vg_table *answer;
    bool repeatable; /* may be called again when nobody knows whether it happened */
};

const struct vg_client_method_row *vg_client_method_row(enum vg_client_method method);

#endif
