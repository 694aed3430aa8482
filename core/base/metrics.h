/*
 * Metrics: counters, gauges and histograms from one table, metrics.def, figures for each method,
 * and the text that Prometheus reads. Counting takes no lock: counters are spread over shards, one
 * per thread as long as there are few threads, and summed when they are read.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_METRICS_H
#define VG_CORE_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

enum vg_metric {
#define X(name, kind, unit, text) VG_METRIC_##name,
#include "core/base/metrics.def"
#undef X
    VG_METRIC_COUNT,
};

/* Add to a counter. */
void vg_metrics_add(enum vg_metric counter, uint64_t amount);

/* Set a gauge, or move it; a gauge should be used in one of the two ways. */
void vg_metrics_set(enum vg_metric gauge, int64_t value);
void vg_metrics_move(enum vg_metric gauge, int64_t by);

/* Note a duration in a histogram. */
void vg_metrics_observe(enum vg_metric histogram, uint64_t duration_ns);

/* The value of a counter or gauge, or the number of observations of a histogram. */
int64_t vg_metrics_value(enum vg_metric metric);

/* Methods are known by their index in the method table; base knows no methods. */
#define VG_METRICS_METHODS_MAX 256

/* A call of the method has begun; it has ended with this status. */
void vg_metrics_method_started(size_t method);
void vg_metrics_method_handled(size_t method, enum vg_grpc_code code, uint64_t duration_ns);

/* So many messages of requests have been received and of answers been sent. */
void vg_metrics_method_messages(size_t method, uint64_t received, uint64_t sent);

/* A request of the REST face has been answered; `verb` as sent. */
void vg_metrics_http_response(struct vg_bytes verb, unsigned status);

uint64_t vg_metrics_method_started_count(size_t method);
uint64_t vg_metrics_method_handled_count(size_t method, enum vg_grpc_code code);

/* Labels of a method, in the words of go-grpc-middleware. Texts need no escaping: they are names
 * of the contract. */
struct vg_metrics_method {
    const char *service; /* "vigil.events.v2.EventService" */
    const char *name;    /* "GetEvent" */
    const char *type;    /* "unary", "server_stream", "client_stream", "bidi_stream" */
};

/* Append everything in the Prometheus text format 0.0.4; methods[i] describes method i. */
void vg_metrics_write(
    struct vg_buffer *out,
    const struct vg_metrics_method *methods,
    size_t method_count);

/* All figures back to zero: for tests. */
void vg_metrics_reset(void);

#endif
