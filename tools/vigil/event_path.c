#include "tools/vigil/event_path.h"

#include <string.h>

#include "core/base/text_number.h"

static bool split(const char *id, struct vg_arena *arena, struct vg_event_path *path)
{
    struct vg_bytes parts[4];
    size_t count = 0;
    const char *at = id;
    for (;;) {
        size_t size = strcspn(at, "/");
        if (count == VG_ARRAY_COUNT(parts)) {
            return false;
        }
        parts[count++] = vg_bytes(at, size);
        if (at[size] == '\0') {
            break;
        }
        at += size + 1;
    }
    if (count < 3 || !vg_text_number_parse_int64(parts[count - 3], &path->timestamp) ||
        !vg_text_number_parse_int64(parts[count - 2], &path->customer_id)) {
        return false;
    }
    path->uuid = vg_arena_text(arena, parts[count - 1]);
    return path->uuid != NULL;
}

enum vg_exit vg_event_path_read(
    struct vg_session *session,
    const char *id,
    struct vg_event_path *out_path)
{
    if (split(id, &session->arena, out_path)) {
        return VG_EXIT_DONE;
    }
    struct vg_error error;
    vg_session_error_init(session, &error);
    (void)vg_error_set(&error, VG_CONFIG, "an event's id is TYPE/timestamp/customerID/uuid");
    return vg_session_refuse(&error);
}
