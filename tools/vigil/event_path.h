/*
 * The id of an event as a command line has it: TYPE/timestamp/customerID/uuid, the type optional.
 *
 * Threads: pure.
 */
#ifndef VG_TOOLS_VIGIL_EVENT_PATH_H
#define VG_TOOLS_VIGIL_EVENT_PATH_H

#include <stdint.h>

#include "tools/vigil/session.h"

struct vg_event_path {
    int64_t timestamp;
    int64_t customer_id;
    char *uuid; /* in the session's arena */
};

/* Take the id apart. What is wrong is printed. */
VG_MUST_USE enum vg_exit vg_event_path_read(
    struct vg_session *session,
    const char *id,
    struct vg_event_path *out_path);

#endif
