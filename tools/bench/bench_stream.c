/*
 * One agent: EventStream.Submit over one connection for some time, with the events of
 * bench_events.h, and what the server says is durable. The events are packed before the clock
 * starts and get their ids from a second thread, so that neither memory nor packing is what is
 * measured.
 *
 *   bench_stream --port P --key K [--seconds S] [--total EVENTS] [--message EVENTS] [--first I]
 *                [--customer ID --customers N]
 *
 * Prints the events that were acknowledged, a second; those of the slowest whole second; and how
 * long after its last byte was handed over a message was acknowledged.
 *
 * Threads: one packs, the main thread sends; between them a ring under a lock.
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

#include "vigil/events/v2/stream.pb-c.h"

#define EVENT_BYTES 1024u
#define RING_SIZE   64u
#define SECONDS_MAX 3600u
#define NS_PER_S    UINT64_C(1000000000)
#define SENT_KEPT   65536u /* messages whose time of sending is known */
#define TOOK_MAX    4000000u
#define PATH_SUBMIT "/vigil.events.v2.EventStream/Submit"
#define ARENA_BYTES (8u * VG_BENCH_EVENT_BYTES_MAX)
#define HEAD_BYTES  64u
#define POOL_SIZE   65536u /* events; then their texts come again, with other ids */

struct message {
    uint8_t *bytes;
    size_t size;
};

/* An event as it stands in a message, and where in it its id is. */
struct packed {
    uint8_t *bytes;
    size_t size;
    size_t id;
    size_t id_size;
};

struct agent {
    struct vg_grpc_client_call call;
    uint16_t port;
    const char *key;
    uint64_t seconds;
    uint64_t total;  /* events to send within that time; 0 = as many as go */
    uint64_t events; /* in a message */
    uint64_t first;
    struct vg_bench_world world;
    struct packed *pool;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct message ring[RING_SIZE];
    uint64_t packed; /* messages put into the ring */
    uint64_t taken;  /* and out of it */
    bool stopped;
    uint64_t packed_bytes;

    struct message sending;
    uint64_t begun_ns;
    uint64_t sent;    /* messages */
    uint64_t durable; /* events */
    uint64_t acknowledgements;
    uint64_t starved; /* the next message was not packed yet */
    uint64_t *sent_ns;
    uint64_t *took_ns;
    size_t took_count;
    uint64_t by_second[SECONDS_MAX];
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_stream: %s: %s\n", what, why);
    exit(1);
}

/* -------------------------------------------------------------------------------------- packing */

/* An event of the size that is measured, or a little more: what is wanting is added to its uri. */
static Vigil__Events__V2__SubmitRequest *make_event(
    const struct agent *agent,
    uint64_t number,
    struct vg_arena *arena)
{
    Vigil__Events__V2__SubmitRequest *event = vg_bench_event(&agent->world, number, arena);
    size_t size = protobuf_c_message_get_packed_size(&event->base);
    if (size < EVENT_BYTES) {
        size_t kept = strlen(event->uri);
        char *uri = vg_bench_take(arena, kept + EVENT_BYTES - size + 1, 1);
        memcpy(uri, event->uri, kept);
        memset(uri + kept, '/', EVENT_BYTES - size);
        event->uri = uri;
    }
    return event;
}

/* As member 3 of a message: the key, the length, the event. */
static void pack_event(const struct agent *agent, uint64_t number, struct packed *out_packed)
{
    struct vg_arena arena;
    vg_arena_init(&arena, ARENA_BYTES);
    Vigil__Events__V2__StreamSubmitRequest request = VIGIL__EVENTS__V2__STREAM_SUBMIT_REQUEST__INIT;
    Vigil__Events__V2__SubmitRequest *event = make_event(agent, number, &arena);
    request.n_events = 1;
    request.events = &event;
    out_packed->size = protobuf_c_message_get_packed_size(&request.base);
    out_packed->bytes = malloc(out_packed->size);
    VG_ASSERT(out_packed->bytes != NULL);
    (void)protobuf_c_message_pack(&request.base, out_packed->bytes);
    const uint8_t *id =
        memmem(out_packed->bytes, out_packed->size, event->id->text, strlen(event->id->text));
    VG_ASSERT(id != NULL);
    out_packed->id = (size_t)(id - out_packed->bytes);
    out_packed->id_size = strlen(event->id->text);
    vg_arena_dispose(&arena);
}

static void make_pool(struct agent *agent)
{
    agent->pool = calloc(POOL_SIZE, sizeof(*agent->pool));
    VG_ASSERT(agent->pool != NULL);
    for (uint64_t i = 0; i < POOL_SIZE; i++) {
        pack_event(agent, i, &agent->pool[i]);
    }
}

static void pack_head(
    const struct agent *agent,
    uint64_t number,
    uint8_t out_head[HEAD_BYTES],
    size_t *out_size)
{
    Vigil__Events__V2__StreamSubmitRequest request = VIGIL__EVENTS__V2__STREAM_SUBMIT_REQUEST__INIT;
    char name[32];
    (void)snprintf(name, sizeof(name), "bench %" PRIu64, agent->first);
    request.stream = number == 0 ? name : NULL;
    request.has_position = true;
    request.position = (int64_t)(number * agent->events) + 1;
    VG_ASSERT(protobuf_c_message_get_packed_size(&request.base) <= HEAD_BYTES);
    *out_size = protobuf_c_message_pack(&request.base, out_head);
}

/* The members of a message stand one behind the other; each event is one of the pool with an id of
 * its own, and ids are all of a length. */
static void pack(const struct agent *agent, uint64_t number, struct message *out_message)
{
    uint8_t head[HEAD_BYTES];
    size_t size;
    pack_head(agent, number, head, &size);
    const uint64_t first = agent->first + number * agent->events;
    size_t whole = size;
    for (uint64_t i = 0; i < agent->events; i++) {
        whole += agent->pool[(first + i) % POOL_SIZE].size;
    }
    uint8_t *bytes = malloc(whole);
    VG_ASSERT(bytes != NULL);
    memcpy(bytes, head, size);
    struct vg_arena arena;
    vg_arena_init(&arena, ARENA_BYTES);
    for (uint64_t i = 0; i < agent->events; i++) {
        const struct packed *packed = &agent->pool[(first + i) % POOL_SIZE];
        vg_arena_clear(&arena);
        const char *id = vg_bench_event_id(&agent->world, first + i, &arena);
        VG_ASSERT(strlen(id) == packed->id_size);
        memcpy(bytes + size, packed->bytes, packed->size);
        memcpy(bytes + size + packed->id, id, packed->id_size);
        size += packed->size;
    }
    vg_arena_dispose(&arena);
    *out_message = (struct message){ .bytes = bytes, .size = size };
}

static void *run_packer(void *owner)
{
    struct agent *agent = owner;
    for (uint64_t number = 0;; number++) {
        struct message message;
        pack(agent, number, &message);
        (void)pthread_mutex_lock(&agent->lock);
        while (agent->packed - agent->taken == RING_SIZE && !agent->stopped) {
            (void)pthread_cond_wait(&agent->changed, &agent->lock);
        }
        bool stopped = agent->stopped;
        if (!stopped) {
            agent->ring[agent->packed++ % RING_SIZE] = message;
            agent->packed_bytes += message.size;
            (void)pthread_cond_signal(&agent->changed);
        }
        (void)pthread_mutex_unlock(&agent->lock);
        if (stopped) {
            free(message.bytes);
            return NULL;
        }
    }
}

static struct message take_packed(struct agent *agent)
{
    (void)pthread_mutex_lock(&agent->lock);
    if (agent->packed == agent->taken) {
        agent->starved++;
    }
    while (agent->packed == agent->taken) {
        (void)pthread_cond_wait(&agent->changed, &agent->lock);
    }
    struct message message = agent->ring[agent->taken++ % RING_SIZE];
    (void)pthread_cond_signal(&agent->changed);
    (void)pthread_mutex_unlock(&agent->lock);
    return message;
}

/* ------------------------------------------------------------------------------------ the stream
 */

static uint64_t now_ns(void)
{
    return vg_clock_monotonic_ns(&vg_clock_real);
}

static enum vg_grpc_client_next next_message(
    struct vg_grpc_client_call *call,
    struct vg_bytes *out_message)
{
    struct agent *agent = VG_CONTAINER_OF(call, struct agent, call);
    free(agent->sending.bytes);
    agent->sending.bytes = NULL;
    bool is_over = agent->total != 0 && agent->sent * agent->events >= agent->total;
    if (is_over || now_ns() - agent->begun_ns >= agent->seconds * NS_PER_S) {
        return VG_GRPC_CLIENT_NEXT_END;
    }
    agent->sending = take_packed(agent);
    agent->sent_ns[agent->sent++ % SENT_KEPT] = now_ns();
    *out_message = vg_bytes(agent->sending.bytes, agent->sending.size);
    return VG_GRPC_CLIENT_NEXT_MESSAGE;
}

/* What is durable now: note when, and how long the messages took that are wholly so. */
static void note(struct agent *agent, uint64_t durable)
{
    uint64_t now = now_ns();
    uint64_t second = (now - agent->begun_ns) / NS_PER_S;
    if (second < SECONDS_MAX) {
        agent->by_second[second] += durable - agent->durable;
    }
    for (uint64_t i = agent->durable / agent->events; i < durable / agent->events; i++) {
        VG_ASSERT(agent->sent - i <= SENT_KEPT);
        if (agent->took_count < TOOK_MAX) {
            agent->took_ns[agent->took_count++] = now - agent->sent_ns[i % SENT_KEPT];
        }
    }
    agent->durable = durable;
}

static bool row(struct vg_grpc_client_call *call, struct vg_bytes message)
{
    struct agent *agent = VG_CONTAINER_OF(call, struct agent, call);
    Vigil__Events__V2__StreamSubmitStatus *status =
        vigil__events__v2__stream_submit_status__unpack(NULL, message.size, message.data);
    if (status == NULL || !status->has_position || status->n_rejected > 0) {
        fail("acknowledgement", status == NULL ? "it cannot be read" : "an event was rejected");
        return false;
    }
    agent->acknowledgements++;
    note(agent, (uint64_t)status->position);
    vigil__events__v2__stream_submit_status__free_unpacked(status, NULL);
    return true;
}

static void run(struct agent *agent)
{
    char address[32];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)agent->port);
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct vg_grpc_client *client = NULL;
    if (vg_grpc_client_open(address, agent->key, &client, &error) != VG_OK) {
        fail(address, error.message);
    }
    agent->begun_ns = now_ns();
    agent->call = (struct vg_grpc_client_call){ .path = PATH_SUBMIT,
                                                .next_message = next_message,
                                                .row = row,
                                                .timeout_ns = (agent->seconds + 120) * NS_PER_S };
    vg_grpc_client_start(client, &agent->call);
    vg_grpc_client_wait(client, &agent->call);
    if (agent->call.code != VG_GRPC_OK) {
        fail(vg_grpc_client_code_name(agent->call.code), agent->call.message);
    }
    if (agent->durable != agent->sent * agent->events) {
        fail("the stream", "its last acknowledgement does not name the last event");
    }
    vg_grpc_client_call_dispose(&agent->call);
    vg_grpc_client_close(client);
}

/* --------------------------------------------------------------------------------------- report */

static int compare_ns(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void report(struct agent *agent, double seconds)
{
    uint64_t slowest = UINT64_MAX;
    for (uint64_t i = 0; i < agent->seconds && i < SECONDS_MAX; i++) {
        slowest = agent->by_second[i] < slowest ? agent->by_second[i] : slowest;
    }
    size_t count = agent->took_count;
    qsort(agent->took_ns, count, sizeof(*agent->took_ns), compare_ns);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    (void)printf(
        "{\"events\": %" PRIu64 ", \"seconds\": %.3f, \"rate\": %.0f, \"slowest_second\": %" PRIu64
        ", \"acknowledgements\": %" PRIu64 ", \"event_bytes\": %" PRIu64
        ", \"p50_ms\": %.1f, \"p99_ms\": %.1f, \"max_ms\": %.1f, \"starved\": %" PRIu64
        ", \"client_cpu_us\": %.2f}\n",
        agent->durable,
        seconds,
        (double)agent->durable / seconds,
        slowest,
        agent->acknowledgements,
        agent->packed_bytes / (agent->packed * agent->events),
        count == 0 ? 0 : (double)agent->took_ns[count / 2] / 1e6,
        count == 0 ? 0 : (double)agent->took_ns[count * 99 / 100] / 1e6,
        count == 0 ? 0 : (double)agent->took_ns[count - 1] / 1e6,
        agent->starved,
        agent->durable == 0 ? 0 : cpu * 1e6 / (double)agent->durable);
}

static bool read_option(struct agent *agent, const char *name, const char *value)
{
    int64_t number = 0;
    if (strcmp(name, "--key") == 0) {
        agent->key = value;
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
        { "--port", &agent->port, sizeof(agent->port) },
        { "--seconds", &agent->seconds, sizeof(agent->seconds) },
        { "--total", &agent->total, sizeof(agent->total) },
        { "--message", &agent->events, sizeof(agent->events) },
        { "--first", &agent->first, sizeof(agent->first) },
        { "--customer", &agent->world.customer, sizeof(agent->world.customer) },
        { "--customers", &agent->world.customer_count, sizeof(agent->world.customer_count) },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            /* Little endian, like every machine Debian has packages for here. */
            memcpy(options[i].member, &number, options[i].size);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct agent agent = {
        .seconds = 60,
        .events = 100,
        .world = { .month = 30 * 86400, .customer = 1001, .customer_count = 50 },
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER
    };
    agent.world.end = vg_clock_now(&vg_clock_real) / VG_BENCH_DAY_MS * VG_BENCH_DAY_MS;
    vg_bench_events_prepare();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!read_option(&agent, argv[i], argv[i + 1])) {
            (void)fprintf(stderr, "bench_stream: bad option %s\n", argv[i]);
            return 2;
        }
    }
    VG_ASSERT(argc % 2 == 1 && agent.key != NULL && agent.events > 0);
    VG_ASSERT(agent.seconds > 0 && agent.seconds <= SECONDS_MAX);
    agent.sent_ns = calloc(SENT_KEPT, sizeof(*agent.sent_ns));
    agent.took_ns = calloc(TOOK_MAX, sizeof(*agent.took_ns));
    VG_ASSERT(agent.sent_ns != NULL && agent.took_ns != NULL);
    make_pool(&agent);
    pthread_t packer;
    VG_ASSERT(pthread_create(&packer, NULL, run_packer, &agent) == 0);
    run(&agent);
    double seconds = (double)(now_ns() - agent.begun_ns) / 1e9;
    (void)pthread_mutex_lock(&agent.lock);
    agent.stopped = true;
    (void)pthread_cond_broadcast(&agent.changed);
    (void)pthread_mutex_unlock(&agent.lock);
    (void)pthread_join(packer, NULL);
    report(&agent, seconds);
    for (uint64_t i = agent.taken; i < agent.packed; i++) {
        free(agent.ring[i % RING_SIZE].bytes);
    }
    for (uint64_t i = 0; i < POOL_SIZE; i++) {
        free(agent.pool[i].bytes);
    }
    free(agent.pool);
    free(agent.sending.bytes);
    free(agent.sent_ns);
    free(agent.took_ns);
    return 0;
}
