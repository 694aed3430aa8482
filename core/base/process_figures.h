/*
 * What Prometheus expects to know of every process (process_resident_memory_bytes and so on), read
 * from the kernel when it is asked for.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_PROCESS_FIGURES_H
#define VG_CORE_BASE_PROCESS_FIGURES_H

#include "core/base/buffer.h"

/* Append them as Prometheus text. What the kernel does not tell is left out. */
void vg_process_figures_write(struct vg_buffer *out);

#endif
