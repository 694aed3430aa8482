/*
 * A load of submissions over gRPC: events of about 1 KiB with 8 properties, skewed like real alert
 * data (Zipf-like over 2,000 signatures, 50 customers, 100,000 source addresses with some IPv6, 30
 * days). Event number i always has the same identity, so sending it again is an update. Requests
 * are packed before the clock starts.
 *
 *   bench_load --port P --key K [--events N] [--first I] [--updates PERCENT] [--batch B] [--flight
 * F] [--clients C]
 *              [--customer ID --customers N] [--quiet]
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
#include "core/base/digest.h"
#include "core/base/random.h"
#include "core/base/text_number.h"
#include "core/base/uuid.h"
#include "rpc/grpc/grpc_client.h"

#include "vigil/events/v2/submit.pb-c.h"

#define EVENT_BYTES_MAX 8192u
#define DAY_MS          INT64_C(86400000)

struct load {
    uint16_t port;
    const char *key;
    uint64_t events;
    uint64_t first;
    unsigned updates; /* percent of the events that were sent before */
    uint64_t batch;
    unsigned flight; /* calls under way per client */
    unsigned clients;
    int64_t customer;
    uint64_t customers;
    bool quiet;
    int64_t now;
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

/* A number in 0..bound-1, small ones far more often: the square root law is near enough to Zipf for
 * skew. */
static uint64_t skewed(uint64_t seed, uint64_t bound)
{
    double unit = (double)(seed >> 11) / (double)(UINT64_C(1) << 53);
    return (uint64_t)((double)bound * unit * unit * unit) % bound;
}

static uint64_t mix(uint64_t number, uint64_t salt)
{
    uint8_t key[16] = "vigil load test";
    uint64_t words[2] = { number, salt };
    return vg_siphash(key, vg_bytes(words, sizeof(words)));
}

static char *text(struct vg_arena *arena, const char *format, uint64_t a, uint64_t b, uint64_t c)
{
    char line[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(line, sizeof(line), format, a, b, c);
#pragma GCC diagnostic pop
    char *copy = vg_arena_text(arena, vg_bytes_text(line));
    VG_ASSERT(copy != NULL);
    return copy;
}

static void *take(struct vg_arena *arena, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(arena, count, size);
    VG_ASSERT(memory != NULL);
    return memory;
}

static char *event_id(const struct load *load, uint64_t number, struct vg_arena *arena)
{
    struct vg_uuid uuid;
    uint64_t words[2] = { mix(number, 1), mix(number, 2) };
    memcpy(uuid.bytes, words, sizeof(uuid.bytes));
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    char printed[VG_UUID_TEXT_SIZE];
    vg_uuid_print(&uuid, printed);
    int64_t customer = load->customer + (int64_t)skewed(mix(number, 3), load->customers);
    int64_t timestamp =
        load->now - 30 * DAY_MS + (int64_t)(number * 1000 % (uint64_t)(30 * DAY_MS));
    char *line =
        vg_arena_printf(arena, "AGGR/%" PRId64 "/%" PRId64 "/%s", timestamp, customer, printed);
    VG_ASSERT(line != NULL);
    return line;
}

static Vigil__Events__V2__SubmitEndpoint *endpoint(
    uint64_t number,
    uint64_t salt,
    uint64_t port,
    struct vg_arena *arena)
{
    Vigil__Events__V2__SubmitEndpoint *point = take(arena, 1, sizeof(*point));
    vigil__events__v2__submit_endpoint__init(point);
    uint64_t host = skewed(mix(number, salt), 100000);
    point->ip = host % 20 == 0
                    ? text(arena, "2001:db8::%" PRIx64 ":%" PRIx64, host >> 8, host & 255, 0)
                    : text(
                          arena,
                          "10.%" PRIu64 ".%" PRIu64 ".%" PRIu64,
                          host >> 16,
                          host >> 8 & 255,
                          host & 255);
    point->has_port = true;
    point->port = (int32_t)port;
    return point;
}

static void add_properties(
    Vigil__Events__V2__SubmitRequest *event,
    uint64_t number,
    struct vg_arena *arena)
{
    enum { COUNT = 8 };
    event->n_properties = COUNT;
    event->properties = take(arena, COUNT, sizeof(*event->properties));
    for (size_t i = 0; i < COUNT; i++) {
        Vigil__Events__V2__TextEntry *entry = take(arena, 1, sizeof(*entry));
        vigil__events__v2__text_entry__init(entry);
        entry->key = text(arena, "bench.property.%" PRIu64, i, 0, 0);
        entry->n_values = 1;
        entry->values = take(arena, 1, sizeof(*entry->values));
        entry->values[0] = text(
            arena,
            "value %" PRIu64
            " of a property that is about as long as those of real alerts are %" PRIx64,
            skewed(mix(number, 20 + i), 5000),
            mix(number, 40 + i) & 0xff,
            0);
        event->properties[i] = entry;
    }
}

static Vigil__Events__V2__SubmitRequest *make_event(
    const struct load *load,
    uint64_t number,
    struct vg_arena *arena)
{
    Vigil__Events__V2__SubmitRequest *event = take(arena, 1, sizeof(*event));
    vigil__events__v2__submit_request__init(event);
    event->id = take(arena, 1, sizeof(*event->id));
    vigil__events__v2__submit_id__init(event->id);
    event->id->text = event_id(load, number, arena);
    event->signature = text(arena, "BENCH-1:%" PRIu64, skewed(mix(number, 4), 2000), 0, 0);
    event->has_severity = true;
    event->severity = (Vigil__Events__V2__Severity)(1 + skewed(mix(number, 5), 4));
    event->protocol = text(arena, "tcp", 0, 0, 0);
    event->source = endpoint(number, 6, 1024 + mix(number, 7) % 60000, arena);
    event->destination = endpoint(number, 8, mix(number, 9) % 4 == 0 ? 443 : 80, arena);
    event->uri =
        text(arena, "https://host%" PRIu64 ".example.com/path/%" PRIu64, number % 1000, number, 0);
    event->fqdn = text(arena, "host%" PRIu64 ".example.com", number % 1000, 0, 0);
    add_properties(event, number, arena);
    return event;
}

/* The number of the i-th event of the run: a new one, or with --updates one that was sent before.
 */
static uint64_t pick(const struct load *load, uint64_t index)
{
    uint64_t number = load->first + index;
    bool updates = number > 0 && mix(index, 60) % 100 < load->updates;
    return updates ? mix(index, 61) % number : number;
}

static void pack(const struct load *load, uint64_t start, struct request *request)
{
    struct vg_arena arena;
    vg_arena_init(&arena, (size_t)request->events * EVENT_BYTES_MAX + 65536u);
    Vigil__Events__V2__SubmitRequestList list = VIGIL__EVENTS__V2__SUBMIT_REQUEST_LIST__INIT;
    list.n_items = request->events;
    list.items = take(&arena, request->events, sizeof(*list.items));
    for (uint64_t i = 0; i < request->events; i++) {
        list.items[i] = make_event(load, pick(load, start + i), &arena);
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
        { "--customer", &load->customer, sizeof(load->customer) },
        { "--customers", &load->customers, sizeof(load->customers) },
        { "--now", &load->now, sizeof(load->now) },
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
                         .customer = 1001,
                         .customers = 50,
                         .now = vg_clock_now(&vg_clock_real) / DAY_MS * DAY_MS };
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
