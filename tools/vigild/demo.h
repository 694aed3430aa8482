/*
 * Demo data: customers, users, keys and some hundred alerts of our own making for an empty store,
 * and lines to try.
 *
 * Threads: the main thread, once the server is ready: it speaks to it as a client.
 */
#ifndef VG_TOOLS_VIGILD_DEMO_H
#define VG_TOOLS_VIGILD_DEMO_H

#include <stdint.h>

#include "core/base/error.h"

/*
 * Fill the server on 127.0.0.1:`port`, whose data are in `data_dir`, unless that has been done;
 * then print the lines.
 *
 * Fails with: what the server answers; STORE_IO when the key file cannot be written.
 */
VG_MUST_USE enum vg_reason vg_demo_run(const char *data_dir, uint16_t port, struct vg_error *error);

#endif
