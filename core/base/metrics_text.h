/*
 * Pieces of the Prometheus text format 0.0.4, for whoever tells figures that are not in
 * metrics.def.
 *
 * Threads: pure; the buffer's owner.
 */
#ifndef VG_CORE_BASE_METRICS_TEXT_H
#define VG_CORE_BASE_METRICS_TEXT_H

#include <stdint.h>

#include "core/base/buffer.h"

/* The two comments before the samples of `name`; `type` is "counter", "gauge", "histogram". */
void vg_metrics_text_head(
    struct vg_buffer *out,
    const char *name,
    const char *text,
    const char *type);

/* name="value" with what the format wants escaped in a value. */
void vg_metrics_text_label(struct vg_buffer *out, const char *name, const char *value);

/* A metric with one sample and no labels, comments included. */
void vg_metrics_text_number(
    struct vg_buffer *out,
    const char *name,
    const char *text,
    const char *type,
    double value);

#endif
