/*
 * Every thread is given a shard when it counts for the first time. The first threads, the workers
 * among them, have one each: they add by a load and a store, which other threads may read at any
 * time and none writes. Threads beyond share the last shard and add atomically, which costs some
 * twenty times as much.
 */
#include "core/base/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/metrics_text.h"
#include "core/base/text_number.h"

#define VG_METRICS_SHARDS 16u
#define VG_CACHE_LINE     64

enum vg_metric_kind { COUNTER, GAUGE, HISTOGRAM };

static const struct {
    const char *name;
    enum vg_metric_kind kind;
    const char *text;
} rows[VG_METRIC_COUNT] = {
#define X(name, kind, unit, text) [VG_METRIC_##name] = { #name, kind, text },
#include "core/base/metrics.def"
#undef X
};

/* Upper bounds of the buckets; what is above the last is counted in one more. */
static const struct {
    uint64_t ns;
    const char *text; /* in seconds */
} bounds[] = {
    { 50000, "5e-05" },    { 100000, "0.0001" },  { 250000, "0.00025" }, { 500000, "0.0005" },
    { 1000000, "0.001" },  { 2500000, "0.0025" }, { 5000000, "0.005" },  { 10000000, "0.01" },
    { 25000000, "0.025" }, { 50000000, "0.05" },  { 100000000, "0.1" },  { 250000000, "0.25" },
    { 500000000, "0.5" },  { 1000000000, "1" },   { 2500000000, "2.5" }, { 5000000000, "5" },
    { 10000000000, "10" },
};
#define VG_BUCKET_COUNT (VG_ARRAY_COUNT(bounds) + 1)

struct histogram {
    _Atomic uint64_t buckets[VG_BUCKET_COUNT];
    _Atomic uint64_t sum_ns;
};

#define VG_CODE_COUNT (VG_GRPC_UNAUTHENTICATED + 1)

struct method_figures {
    _Atomic uint64_t started;
    _Atomic uint64_t received;
    _Atomic uint64_t sent;
    _Atomic uint64_t handled[VG_CODE_COUNT];
    struct histogram duration;
};

/* Methods of HTTP that are told apart; the last is all others. */
static const char *const verbs[] = { "GET",    "POST",    "HEAD",  "PUT",
                                     "DELETE", "OPTIONS", "PATCH", "other" };
#define VG_VERB_COUNT   VG_ARRAY_COUNT(verbs)
#define VG_STATUS_FIRST 100u
#define VG_STATUS_COUNT 500u

static struct shard {
    _Alignas(VG_CACHE_LINE) _Atomic uint64_t counters[VG_METRIC_COUNT];
    struct histogram histograms[VG_METRIC_COUNT];
    struct method_figures methods[VG_METRICS_METHODS_MAX];
    _Atomic uint64_t http[VG_VERB_COUNT][VG_STATUS_COUNT];
} shards[VG_METRICS_SHARDS];

static _Atomic int64_t gauges[VG_METRIC_COUNT];
static _Atomic unsigned next_shard;

static _Thread_local struct shard *thread_shard;
static _Thread_local bool thread_shares; /* its shard with others */

static struct shard *own_shard(void)
{
    if (thread_shard == NULL) {
        unsigned index = atomic_fetch_add_explicit(&next_shard, 1, memory_order_relaxed);
        thread_shares = index >= VG_METRICS_SHARDS - 1;
        thread_shard = &shards[thread_shares ? VG_METRICS_SHARDS - 1 : index];
    }
    return thread_shard;
}

/* To a figure of own_shard(). */
static void add(_Atomic uint64_t *figure, uint64_t amount)
{
    if (thread_shares) {
        (void)atomic_fetch_add_explicit(figure, amount, memory_order_relaxed);
    } else {
        uint64_t value = atomic_load_explicit(figure, memory_order_relaxed);
        atomic_store_explicit(figure, value + amount, memory_order_relaxed);
    }
}

static uint64_t load(const _Atomic uint64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

void vg_metrics_add(enum vg_metric counter, uint64_t amount)
{
    VG_ASSERT((unsigned)counter < VG_METRIC_COUNT && rows[counter].kind == COUNTER);
    add(&own_shard()->counters[counter], amount);
}

void vg_metrics_set(enum vg_metric gauge, int64_t value)
{
    VG_ASSERT((unsigned)gauge < VG_METRIC_COUNT && rows[gauge].kind == GAUGE);
    atomic_store_explicit(&gauges[gauge], value, memory_order_relaxed);
}

void vg_metrics_move(enum vg_metric gauge, int64_t by)
{
    VG_ASSERT((unsigned)gauge < VG_METRIC_COUNT && rows[gauge].kind == GAUGE);
    (void)atomic_fetch_add_explicit(&gauges[gauge], by, memory_order_relaxed);
}

static void observe(struct histogram *histogram, uint64_t duration_ns)
{
    size_t bucket = 0;
    while (bucket < VG_ARRAY_COUNT(bounds) && duration_ns > bounds[bucket].ns) {
        bucket++;
    }
    add(&histogram->buckets[bucket], 1);
    add(&histogram->sum_ns, duration_ns);
}

void vg_metrics_observe(enum vg_metric histogram, uint64_t duration_ns)
{
    VG_ASSERT((unsigned)histogram < VG_METRIC_COUNT && rows[histogram].kind == HISTOGRAM);
    observe(&own_shard()->histograms[histogram], duration_ns);
}

/* A histogram summed over the shards. */
struct histogram_sum {
    uint64_t buckets[VG_BUCKET_COUNT];
    uint64_t count;
    uint64_t sum_ns;
};

static void sum_histogram(const struct histogram *histogram, struct histogram_sum *sum)
{
    for (size_t i = 0; i < VG_BUCKET_COUNT; i++) {
        uint64_t count = load(&histogram->buckets[i]);
        sum->buckets[i] += count;
        sum->count += count;
    }
    sum->sum_ns += load(&histogram->sum_ns);
}

static struct histogram_sum metric_histogram(size_t metric)
{
    struct histogram_sum sum = { .count = 0 };
    for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
        sum_histogram(&shards[i].histograms[metric], &sum);
    }
    return sum;
}

static struct histogram_sum method_histogram(size_t method)
{
    struct histogram_sum sum = { .count = 0 };
    for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
        sum_histogram(&shards[i].methods[method].duration, &sum);
    }
    return sum;
}

int64_t vg_metrics_value(enum vg_metric metric)
{
    VG_ASSERT((unsigned)metric < VG_METRIC_COUNT);
    if (rows[metric].kind == GAUGE) {
        return atomic_load_explicit(&gauges[metric], memory_order_relaxed);
    }
    if (rows[metric].kind == HISTOGRAM) {
        return (int64_t)metric_histogram(metric).count;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
        sum += load(&shards[i].counters[metric]);
    }
    return (int64_t)sum;
}

void vg_metrics_method_started(size_t method)
{
    VG_ASSERT(method < VG_METRICS_METHODS_MAX);
    add(&own_shard()->methods[method].started, 1);
}

void vg_metrics_method_handled(size_t method, enum vg_grpc_code code, uint64_t duration_ns)
{
    VG_ASSERT(method < VG_METRICS_METHODS_MAX && (unsigned)code < VG_CODE_COUNT);
    struct method_figures *figures = &own_shard()->methods[method];
    add(&figures->handled[code], 1);
    observe(&figures->duration, duration_ns);
}

void vg_metrics_method_messages(size_t method, uint64_t received, uint64_t sent)
{
    VG_ASSERT(method < VG_METRICS_METHODS_MAX);
    struct method_figures *figures = &own_shard()->methods[method];
    add(&figures->received, received);
    add(&figures->sent, sent);
}

void vg_metrics_http_response(struct vg_bytes verb, unsigned status)
{
    size_t row = 0;
    while (row < VG_VERB_COUNT - 1 && !vg_bytes_equal(vg_bytes_text(verbs[row]), verb)) {
        row++;
    }
    VG_ASSERT(status >= VG_STATUS_FIRST && status < VG_STATUS_FIRST + VG_STATUS_COUNT);
    add(&own_shard()->http[row][status - VG_STATUS_FIRST], 1);
}

uint64_t vg_metrics_method_started_count(size_t method)
{
    VG_ASSERT(method < VG_METRICS_METHODS_MAX);
    uint64_t sum = 0;
    for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
        sum += load(&shards[i].methods[method].started);
    }
    return sum;
}

uint64_t vg_metrics_method_handled_count(size_t method, enum vg_grpc_code code)
{
    VG_ASSERT(method < VG_METRICS_METHODS_MAX && (unsigned)code < VG_CODE_COUNT);
    uint64_t sum = 0;
    for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
        sum += load(&shards[i].methods[method].handled[code]);
    }
    return sum;
}

/* `labels` are "" or end with a comma. */
static void write_histogram(
    struct vg_buffer *out,
    const char *name,
    const char *labels,
    const struct histogram_sum *sum)
{
    uint64_t below = 0;
    for (size_t i = 0; i < VG_BUCKET_COUNT; i++) {
        below += sum->buckets[i];
        const char *bound = i < VG_ARRAY_COUNT(bounds) ? bounds[i].text : "+Inf";
        vg_buffer_printf(out, "%s_bucket{%sle=\"%s\"} %" PRIu64 "\n", name, labels, bound, below);
    }
    char seconds[VG_TEXT_NUMBER_SIZE];
    (void)vg_text_number_print_double((double)sum->sum_ns / 1e9, seconds);
    size_t size = strlen(labels);
    if (size == 0) {
        vg_buffer_printf(out, "%s_sum %s\n%s_count %" PRIu64 "\n", name, seconds, name, sum->count);
        return;
    }
    int shown = (int)size - 1; /* without the comma */
    vg_buffer_printf(out, "%s_sum{%.*s} %s\n", name, shown, labels, seconds);
    vg_buffer_printf(out, "%s_count{%.*s} %" PRIu64 "\n", name, shown, labels, sum->count);
}

static void write_rows(struct vg_buffer *out)
{
    static const char
        *const kinds[] = { [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram" };
    for (size_t i = 0; i < VG_METRIC_COUNT; i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "vigil_%s", rows[i].name);
        vg_metrics_text_head(out, name, rows[i].text, kinds[rows[i].kind]);
        if (rows[i].kind == HISTOGRAM) {
            struct histogram_sum sum = metric_histogram(i);
            write_histogram(out, name, "", &sum);
        } else {
            vg_buffer_printf(out, "%s %" PRId64 "\n", name, vg_metrics_value((enum vg_metric)i));
        }
    }
}

/* Room for the labels of one method: the names of the contract are far shorter. */
#define VG_LABELS_SIZE 320

static void method_labels(const struct vg_metrics_method *method, char out_labels[VG_LABELS_SIZE])
{
    int size = snprintf(
        out_labels,
        VG_LABELS_SIZE,
        "grpc_type=\"%s\",grpc_service=\"%s\",grpc_method=\"%s\",",
        method->type,
        method->service,
        method->name);
    VG_ASSERT(size > 0 && size < VG_LABELS_SIZE);
}

static const char *const code_names[VG_CODE_COUNT] = {
    "OK",       "Canceled",        "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",   "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",      "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated",
};

static void write_handled(struct vg_buffer *out, size_t method, const char *labels)
{
    for (unsigned code = 0; code < VG_CODE_COUNT; code++) {
        uint64_t count = vg_metrics_method_handled_count(method, (enum vg_grpc_code)code);
        if (count > 0 || code == VG_GRPC_OK) {
            vg_buffer_printf(
                out,
                "grpc_server_handled_total{%sgrpc_code=\"%s\"} %" PRIu64 "\n",
                labels,
                code_names[code],
                count);
        }
    }
}

/* How many messages the method has received or sent; `sent` says which. */
static uint64_t message_count(size_t method, bool sent)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
        const struct method_figures *figures = &shards[i].methods[method];
        sum += load(sent ? &figures->sent : &figures->received);
    }
    return sum;
}

static void write_messages(
    struct vg_buffer *out,
    const struct vg_metrics_method *methods,
    size_t method_count,
    bool sent)
{
    const char *name = sent ? "grpc_server_msg_sent_total" : "grpc_server_msg_received_total";
    char labels[VG_LABELS_SIZE];
    vg_metrics_text_head(
        out,
        name,
        sent ? "Messages of answers" : "Messages of requests",
        "counter");
    for (size_t i = 0; i < method_count; i++) {
        method_labels(&methods[i], labels);
        vg_buffer_printf(
            out,
            "%s{%.*s} %" PRIu64 "\n",
            name,
            (int)strlen(labels) - 1,
            labels,
            message_count(i, sent));
    }
}

static void write_http(struct vg_buffer *out)
{
    static const char name[] = "vigil_http_responses_total";
    vg_metrics_text_head(out, name, "Answers of the REST face, by method and status", "counter");
    for (size_t verb = 0; verb < VG_VERB_COUNT; verb++) {
        for (size_t status = 0; status < VG_STATUS_COUNT; status++) {
            uint64_t sum = 0;
            for (size_t i = 0; i < VG_METRICS_SHARDS; i++) {
                sum += load(&shards[i].http[verb][status]);
            }
            if (sum > 0) {
                vg_buffer_printf(
                    out,
                    "%s{method=\"%s\",code=\"%zu\"} %" PRIu64 "\n",
                    name,
                    verbs[verb],
                    status + VG_STATUS_FIRST,
                    sum);
            }
        }
    }
}

void vg_metrics_write(
    struct vg_buffer *out,
    const struct vg_metrics_method *methods,
    size_t method_count)
{
    VG_ASSERT(method_count <= VG_METRICS_METHODS_MAX);
    char labels[VG_LABELS_SIZE];
    write_rows(out);
    vg_metrics_text_head(
        out,
        "grpc_server_started_total",
        "Calls begun, by either face",
        "counter");
    for (size_t i = 0; i < method_count; i++) {
        method_labels(&methods[i], labels);
        vg_buffer_printf(
            out,
            "grpc_server_started_total{%.*s} %" PRIu64 "\n",
            (int)strlen(labels) - 1,
            labels,
            vg_metrics_method_started_count(i));
    }
    vg_metrics_text_head(out, "grpc_server_handled_total", "Calls ended, by status", "counter");
    for (size_t i = 0; i < method_count; i++) {
        method_labels(&methods[i], labels);
        write_handled(out, i, labels);
    }
    write_messages(out, methods, method_count, false);
    write_messages(out, methods, method_count, true);
    write_http(out);
    vg_metrics_text_head(
        out,
        "grpc_server_handling_seconds",
        "Time from headers to status",
        "histogram");
    for (size_t i = 0; i < method_count; i++) {
        struct histogram_sum sum = method_histogram(i);
        if (sum.count > 0) { /* 20 lines each: methods nobody calls are left out */
            method_labels(&methods[i], labels);
            write_histogram(out, "grpc_server_handling_seconds", labels, &sum);
        }
    }
}

void vg_metrics_reset(void)
{
    memset((void *)shards, 0, sizeof(shards));
    for (size_t i = 0; i < VG_METRIC_COUNT; i++) {
        atomic_store_explicit(&gauges[i], 0, memory_order_relaxed);
    }
}
