/*
 * A load of submissions over gRPC: the events of bench_events.h. Event number i always has the same
 * identity, so sending it again is an update. Requests are packed before the clock starts.
 *
 *   bench_load --port P --key K [--events N] [--first I] [--updates PERCENT] [--batch B] [--flight
 * F] [--clients C]
 *              [--customer ID --customers N] [--month N] [--now MS] [--quiet]
 *
 * With --clients C > 1 each client is a thread with its own connection; --batch 1 submits singly.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/text_number.h"
#include "rpc/grpc/grpc_client.h"
#include "tools/bench/bench_events.h"

struct load {
    uint16_t port;
    const char *key;
    uint64_t events;
    uint64_t first;
    unsigned updates; /* percent of the events, chosen among those before `first` */
    uint64_t batch;
    unsigned flight; /* calls under way per client */
    unsigned clients;
    struct vg_bench_world world;
    bool quiet;
};

/* One packed call. */
struct request {
    struct vg_bytes bytes;
    uint64_t events;
    uint64_t started_ns;
    uint64_t took_ns;
};

struct client {
    const struct load *load;
    struct request *requests;
    size_t request_count;
    uint64_t refused; /* UNAVAILABLE, sent again */
    pthread_t thread;
};

/* The number of the i-th event of the run: a new one, or with --updates one from before --first. */
static uint64_t pick(const struct load *load, uint64_t index)
{
    bool updates = load->first > 0 && vg_bench_mix(index, 60) % 100 < load->updates;
    return updates ? vg_bench_mix(index, 61) % load->first : load->first + index;
}

static void pack(const struct load *load, uint64_t start, struct request *request)
{
    struct vg_arena arena;
    vg_arena_init(&arena, (size_t)request->events * VG_BENCH_EVENT_BYTES_MAX + 65536u);
    Vigil__Events__V2__SubmitRequestList list = VIGIL__EVENTS__V2__SUBMIT_REQUEST_LIST__INIT;
    list.n_items = request->events;
    list.items = vg_bench_take(&arena, request->events, sizeof(*list.items));
    for (uint64_t i = 0; i < request->events; i++) {
        list.items[i] = vg_bench_event(&load->world, pick(load, start + i), &arena);
    }
    Vigil__Events__V2__BulkSubmitRequest bulk = VIGIL__EVENTS__V2__BULK_SUBMIT_REQUEST__INIT;
    bulk.events = &list;
    const ProtobufCMessage *message = load->batch == 1 ? &list.items[0]->base : &bulk.base;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size);
    VG_ASSERT(bytes != NULL);
    request->bytes = vg_bytes(bytes, protobuf_c_message_pack(message, bytes));
    vg_arena_dispose(&arena);
}

static void start_call(
    struct client *client,
    struct vg_grpc_client *grpc,
    struct vg_grpc_client_call *call,
    struct request *request)
{
    memset(call, 0, sizeof(*call));
    call->path = client->load->batch == 1 ? "/vigil.events.v2.EventService/SubmitEvent"
                                          : "/vigil.events.v2.EventService/SubmitEvents";
    call->kept_request = request->bytes;
    call->owner = request;
    request->started_ns = vg_clock_monotonic_ns(&vg_clock_real);
    vg_grpc_client_start(grpc, call);
}

static void *run_client(void *owner)
{
    struct client *client = owner;
    char address[32];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)client->load->port);
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct vg_grpc_client *grpc = NULL;
    if (vg_grpc_client_open(address, client->load->key, &grpc, &error) != VG_OK) {
        (void)fprintf(stderr, "bench_load: %s\n", error.message);
        exit(1);
    }
    struct vg_grpc_client_call *calls = calloc(client->load->flight, sizeof(*calls));
    VG_ASSERT(calls != NULL);
    size_t next = 0;
    for (unsigned i = 0; i < client->load->flight && next < client->request_count; i++) {
        start_call(client, grpc, &calls[i], &client->requests[next++]);
    }
    struct vg_grpc_client_call *call;
    while ((call = vg_grpc_client_wait_any(grpc)) != NULL) {
        struct request *request = call->owner;
        request->took_ns = vg_clock_monotonic_ns(&vg_clock_real) - request->started_ns;
        enum vg_grpc_code code = call->code;
        if (code != VG_GRPC_OK && code != VG_GRPC_UNAVAILABLE) {
            (void)fprintf(
                stderr,
                "bench_load: %s: %s\n",
                vg_grpc_client_code_name(code),
                call->message);
            exit(1);
        }
        vg_grpc_client_call_dispose(call);
        if (code == VG_GRPC_UNAVAILABLE) {
            client->refused++;
            start_call(client, grpc, call, request);
        } else if (next < client->request_count) {
            start_call(client, grpc, call, &client->requests[next++]);
        }
    }
    vg_grpc_client_close(grpc);
    free(calls);
    return NULL;
}

static int compare_ns(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void report(
    const struct load *load,
    struct client *clients,
    struct request *requests,
    size_t count,
    double seconds)
{
    uint64_t *took = calloc(count, sizeof(*took));
    VG_ASSERT(took != NULL);
    uint64_t refused = 0;
    for (size_t i = 0; i < count; i++) {
        took[i] = requests[i].took_ns;
    }
    for (unsigned i = 0; i < load->clients; i++) {
        refused += clients[i].refused;
    }
    qsort(took, count, sizeof(*took), compare_ns);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf(
        "{\"events\": %" PRIu64 ", \"seconds\": %.3f, \"rate\": %.0f, \"p50_ms\": %.2f, "
        "\"p99_ms\": %.2f, \"max_ms\": %.2f, "
        "\"refused\": %" PRIu64 "}\n",
        load->events,
        seconds,
        (double)load->events / seconds,
        (double)took[count / 2] / 1e6,
        (double)took[count * 99 / 100] / 1e6,
        (double)took[count - 1] / 1e6,
        refused);
    free(took);
}

static bool read_option(struct load *load, const char *name, const char *value)
{
    int64_t number = 0;
    if (strcmp(name, "--key") == 0) {
        load->key = value;
        return true;
    }
    if (!vg_text_number_parse_int64(vg_bytes_text(value), &number) || number < 0) {
        return false;
    }
    const struct {
        const char *name;
        void *member;
        size_t size;
    } options[] = {
        { "--port", &load->port, sizeof(load->port) },
        { "--events", &load->events, sizeof(load->events) },
        { "--first", &load->first, sizeof(load->first) },
        { "--updates", &load->updates, sizeof(load->updates) },
        { "--batch", &load->batch, sizeof(load->batch) },
        { "--flight", &load->flight, sizeof(load->flight) },
        { "--clients", &load->clients, sizeof(load->clients) },
        { "--customer", &load->world.customer, sizeof(load->world.customer) },
        { "--customers", &load->world.customer_count, sizeof(load->world.customer_count) },
        { "--month", &load->world.month, sizeof(load->world.month) },
        { "--now", &load->world.end, sizeof(load->world.end) },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            memcpy(
                options[i].member,
                &number,
                options[i]
                    .size); /* little endian, like every machine Debian has packages for here */
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct load load = { .events = 1000000,
                         .batch = 1000,
                         .flight = 4,
                         .clients = 1,
                         .world = { .end = vg_clock_now(&vg_clock_real) / VG_BENCH_DAY_MS *
                                           VG_BENCH_DAY_MS,
                                    .month = 30 * 86400,
                                    .customer = 1001,
                                    .customer_count = 50 } };
    vg_bench_events_prepare();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quiet") == 0) {
            load.quiet = true;
        } else if (i + 1 == argc || !read_option(&load, argv[i], argv[i + 1])) {
            (void)fprintf(stderr, "bench_load: bad option %s\n", argv[i]);
            return 2;
        } else {
            i++;
        }
    }
    size_t count = (size_t)((load.events + load.batch - 1) / load.batch);
    struct request *requests = calloc(count, sizeof(*requests));
    struct client *clients = calloc(load.clients, sizeof(*clients));
    VG_ASSERT(requests != NULL && clients != NULL && load.key != NULL);
    for (size_t i = 0; i < count; i++) {
        uint64_t start = i * load.batch;
        requests[i].events = load.events - start < load.batch ? load.events - start : load.batch;
        pack(&load, start, &requests[i]);
    }
    uint64_t before = vg_clock_monotonic_ns(&vg_clock_real);
    size_t given = 0;
    for (unsigned i = 0; i < load.clients; i++) {
        size_t share = count / load.clients + (i < count % load.clients ? 1 : 0);
        clients[i] =
            (struct client){ .load = &load, .requests = requests + given, .request_count = share };
        given += share;
        VG_ASSERT(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) == 0);
    }
    for (unsigned i = 0; i < load.clients; i++) {
        (void)pthread_join(clients[i].thread, NULL);
    }
    double seconds = (double)(vg_clock_monotonic_ns(&vg_clock_real) - before) / 1e9;
    if (!load.quiet) {
        report(&load, clients, requests, count, seconds);
    }
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)requests[i].bytes.data);
    }
    free(requests);
    free(clients);
    return 0;
}
