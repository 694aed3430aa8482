/*
 * Wiring: the one place that knows everyone. Makes node, service, faces, protocols and listener
 * from the settings, and takes them down in reverse.
 *
 * Threads: the main thread.
 */
#ifndef VG_TOOLS_VIGILD_WIRING_H
#define VG_TOOLS_VIGILD_WIRING_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/settings.h"

struct vg_wiring;

/*
 * Open the data directory and the port; calls are answered STARTING from here on.
 *
 * Fails with: what the node and the listener fail with.
 */
VG_MUST_USE enum vg_reason vg_wiring_open(
    const struct vg_settings *settings,
    struct vg_wiring **out_wiring,
    struct vg_error *error);

/* Bring the data up; calls are served from here on. Once `gives_up`, which is asked now and then,
 * says so, it ends with CANCELLED. */
VG_MUST_USE enum vg_reason vg_wiring_start(
    struct vg_wiring *wiring,
    bool (*gives_up)(void *owner),
    void *owner,
    struct vg_error *error);

/* The ports that are served, in plain text and by TLS; 0 = none. */
uint16_t vg_wiring_port(const struct vg_wiring *wiring);
uint16_t vg_wiring_tls_port(const struct vg_wiring *wiring);

/* SIGHUP: read certificates, keys and authorities anew, and begin the audit log's file anew, which
 * was moved away. What is wrong with them is logged, and what was there before stays in use.
 * Connections that are open notice nothing. */
void vg_wiring_reload(struct vg_wiring *wiring);

/* Take no new calls, finish those under way, drain the writer, close everything. Accepts NULL. */
void vg_wiring_close(struct vg_wiring *wiring);

#endif
