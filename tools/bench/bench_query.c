/*
 * Questions about the events of bench_events.h and the submissions of bench_submission.h, over
 * gRPC, and how long their whole answers take.
 *
 *   bench_query --port P --key K --question NAME [--count N] [--rounds R] [--clients C]
 *               [--seconds S] [--events N] [--month N] [--now MS] [--customer ID --customers N]
 *               [--updated-from MS --updated-to MS] [--window-from MS]
 *   bench_query --question NAME … --print       the requests as REST has them, one a line
 *
 * One client: N different questions, one behind the other, R times after a first round that warms;
 * p50 and p99 over all calls. With --clients C > 1: C threads with a connection each ask for S
 * seconds; the rate of all.
 *
 * A question is written as JSON, the words of the documented interface, and read by our own reader
 * into the message that gRPC sends, so both faces are asked the same.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "gateway/json/json_dialect.h"
#include "gateway/json/json_read.h"
#include "proto/contract.h"
#include "rpc/grpc/grpc_client.h"
#include "tools/bench/bench_events.h"
#include "tools/bench/bench_submission.h"

#include "contract_json.h"

struct bench {
    uint16_t port;
    const char *key;
    const struct question *question;
    uint64_t count;
    uint64_t rounds;
    unsigned clients;
    uint64_t seconds;
    uint64_t events;
    struct vg_bench_world world;
    int64_t updated_from; /* lastUpdatedTimestamp of the first event, and of the last */
    int64_t updated_to;
    int64_t window_from; /* submittedTimestamp from which submissions are asked for */
    bool print;
    struct vg_bytes *requests; /* `count` packed messages */
};

/* A kind of question: its method, and the JSON of the i-th one. */
struct question {
    const char *name;
    const char *grpc;
    const struct vg_table *table;
    char *(*write)(const struct bench *bench, uint64_t i, struct vg_arena *arena);
};

static char *print(struct vg_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static char *print(struct vg_arena *arena, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    VG_ASSERT(size > 0 && (size_t)size < sizeof(line));
    char *text = vg_arena_text(arena, vg_bytes(line, (size_t)size));
    VG_ASSERT(text != NULL);
    return text;
}

static vg_time days_ago(const struct bench *bench, int64_t days)
{
    return bench->world.end - days * VG_BENCH_DAY_MS;
}

static int64_t a_customer(const struct bench *bench, uint64_t i, uint64_t salt)
{
    return bench->world.customer + (int64_t)vg_bench_customer(&bench->world, vg_bench_mix(i, salt));
}

static char *a_signature(uint64_t i, struct vg_arena *arena)
{
    return vg_bench_signature_text(vg_bench_signature(vg_bench_mix(i, 101)), arena);
}

/* The /24, or the /120, around an address. */
static char *a_network(uint64_t i, struct vg_arena *arena)
{
    uint64_t address = vg_bench_address(vg_bench_mix(i, 102));
    return print(
        arena,
        address % 20 == 0 ? "%s/120" : "%s/24",
        vg_bench_address_text(address, arena));
}

static char *write_session(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    (void)bench;
    (void)i;
    return print(arena, "{}");
}

static char *write_get(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    char *id = vg_bench_event_id(&bench->world, vg_bench_mix(i, 100) % bench->events, arena);
    char *timestamp = strchr(id, '/') + 1;
    char *customer = strchr(timestamp, '/');
    *customer++ = '\0';
    char *uuid = strchr(customer, '/');
    *uuid++ = '\0';
    return print(
        arena,
        "{\"timestamp\":%s,\"customerID\":%s,\"eventID\":\"%s\",\"includeAllProperties\":true}",
        timestamp,
        customer,
        uuid);
}

static char *write_customer_day(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"customer\":[\"%" PRId64 "\"],\"startTimestamp\":%" PRId64 ",\"limit\":25}",
        a_customer(bench, i, 103),
        days_ago(bench, 1));
}

static char *write_signature_week(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"attack\":[{\"signature\":[\"%s\"]}],\"startTimestamp\":%" PRId64 ",\"limit\":25}",
        a_signature(i, arena),
        days_ago(bench, 7));
}

static char *write_network_week(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"endpoint\":[{\"ip\":[\"%s\"]}],\"startTimestamp\":%" PRId64 ",\"limit\":25}",
        a_network(i, arena),
        days_ago(bench, 7));
}

static char *write_many(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    static const unsigned ports[] = { 443, 80, 1000, 1500 };
    uint64_t property = i % 3;
    uint64_t value = vg_bench_mix(i, 104) % vg_bench_property_values(property);
    return print(
        arena,
        "{\"endpoint\":[{\"port\":[%u]}],\"severity\":[\"high\",\"critical\"],"
        "\"includeFlag\":[\"established\"],\"excludeFlag\":[\"blocked\"],"
        "\"property\":[{\"key\":\"%s\",\"value\":[\"%s\"]}],\"startTimestamp\":%" PRId64
        ",\"limit\":25}",
        ports[i % VG_ARRAY_COUNT(ports)],
        vg_bench_property_key(property, arena),
        vg_bench_property_value(property, value, arena),
        days_ago(bench, 30));
}

static char *write_either(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"subCriteria\":[{\"attack\":[{\"signature\":[\"%s\"]}]},{\"endpoint\":[{\"ip\":[\"%s\"]}"
        "]},{\"customer\":[\"%" PRId64 "\"],\"exclude\":true}],\"startTimestamp\":%" PRId64
        ",\"includeAllProperties\":true,\"includeComments\":true,\"includeSubEvents\":true,"
        "\"limit\":1000}",
        a_signature(i, arena),
        a_network(i, arena),
        a_customer(bench, i, 105),
        days_ago(bench, 30));
}

static char *write_pull(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    uint64_t span = (uint64_t)(bench->updated_to - bench->updated_from) + 1;
    return print(
        arena,
        "{\"timeFieldStrategy\":[\"lastUpdated\"],\"startTimestamp\":%" PRId64
        ",\"sortBy\":[\"lastUpdatedTimestamp\"],\"includeAllProperties\":true,"
        "\"includeComments\":true,\"includeSubEvents\":true,\"limit\":1000}",
        bench->updated_from + (int64_t)(vg_bench_mix(i, 106) % span));
}

/* Whole events, as many as there are; they come as a stream. */
static char *write_everything(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    (void)bench;
    (void)i;
    return print(
        arena,
        "{\"includeAllProperties\":true,\"includeComments\":true,\"includeSubEvents\":true,"
        "\"limit\":0}");
}

static char *write_top_signatures(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    (void)bench;
    (void)i;
    return print(arena, "{\"groupBy\":[{\"field\":\"signature\",\"limit\":25}]}");
}

static char *write_two_groups(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    (void)bench;
    (void)i;
    return print(
        arena,
        "{\"groupBy\":[{\"field\":\"customer\",\"limit\":0},{\"field\":\"severity\",\"limit\":0}]"
        "}");
}

static char *write_days(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    (void)i;
    return print(
        arena,
        "{\"timeline\":[{\"name\":\"days\",\"field\":\"created\",\"resolution\":\"days\","
        "\"startTimestamp\":%" PRId64 ",\"endTimestamp\":%" PRId64 "}]}",
        days_ago(bench, 30),
        bench->world.end);
}

static char *write_hours(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"customer\":[\"%" PRId64 "\"],\"timeline\":[{\"name\":\"hours\",\"field\":\"created\","
        "\"resolution\":\"hours\",\"startTimestamp\":%" PRId64 ",\"endTimestamp\":%" PRId64 "}]}",
        a_customer(bench, i, 107),
        days_ago(bench, 30),
        bench->world.end);
}

/* ---------------------------------------------------------------------------------- submissions */

static char *write_campaign(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"customer\":[\"%" PRId64 "\"],\"metaData\":[{\"path\":\"campaign\","
        "\"value\":[\"campaign %u\"]}],\"startTimestamp\":%" PRId64
        ",\"timeFieldStrategy\":[\"submittedTimestamp\"],\"indexStartTimestamp\":%" PRId64
        ",\"limit\":25}",
        a_customer(bench, i, 231),
        (unsigned)(vg_bench_mix(i, 232) % VG_BENCH_CAMPAIGNS),
        bench->window_from,
        bench->window_from);
}

static char *write_keyword(const struct bench *bench, const char *keyword, struct vg_arena *arena)
{
    return print(
        arena,
        "{\"keywords\":[\"%s\"],\"indexStartTimestamp\":%" PRId64 ",\"limit\":25}",
        keyword,
        bench->window_from);
}

/* Of few file names, and of none other. */
static char *write_rare(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    static const char *const words[] = { "eVil", "-evil.", "EVIL.pdf", "evil.x", "evil.zip" };
    return write_keyword(bench, words[i % VG_ARRAY_COUNT(words)], arena);
}

/* Hexadecimal digits may stand in ids and digests too. */
static char *write_digits(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    char digits[8];
    (void)snprintf(digits, sizeof(digits), "%06x", (unsigned)(vg_bench_mix(i, 233) & 0xFFFFFF));
    return write_keyword(bench, digits, arena);
}

static char *write_letter(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    static const char *const letters[] = { "z", "7", "w", "0", "q" };
    return write_keyword(bench, letters[i % VG_ARRAY_COUNT(letters)], arena);
}

static char *write_groups(const struct bench *bench, uint64_t i, struct vg_arena *arena)
{
    (void)i;
    return print(
        arena,
        "{\"groupBy\":[{\"field\":\"customer\"},{\"field\":\"mimeType\"}],\"timeline\":[{"
        "\"name\":\"days\",\"field\":\"submittedTimestamp\",\"resolution\":\"day\"}],"
        "\"indexStartTimestamp\":%" PRId64 "}",
        bench->window_from);
}

#define SAMPLEDB_GRPC  "/vigil.sampledb.v2.SubmissionService/SearchSubmissions"
#define SAMPLEDB_TABLE &vg_table_vigil_sampledb_v2_submission_search_request

#define SEARCH_GRPC      "/vigil.events.v2.EventService/SearchEvents"
#define SEARCH_TABLE     &vg_table_vigil_events_v2_search_request
#define STATISTICS_GRPC  "/vigil.events.v2.EventService/GetStatistics"
#define STATISTICS_TABLE &vg_table_vigil_events_v2_statistics_request

static const struct question questions[] = {
    { "empty",
      "/vigil.account.v1.AccountService/GetSession",
      &vg_table_vigil_account_v1_get_session_request,
      write_session },
    { "Q1",
      "/vigil.events.v2.EventService/GetEvent",
      &vg_table_vigil_events_v2_get_event_request,
      write_get },
    { "Q2", SEARCH_GRPC, SEARCH_TABLE, write_customer_day },
    { "Q3", SEARCH_GRPC, SEARCH_TABLE, write_signature_week },
    { "Q4", SEARCH_GRPC, SEARCH_TABLE, write_network_week },
    { "Q5", SEARCH_GRPC, SEARCH_TABLE, write_many },
    { "Q6", SEARCH_GRPC, SEARCH_TABLE, write_either },
    { "Q7", SEARCH_GRPC, SEARCH_TABLE, write_pull },
    { "export", "/vigil.events.v2.EventService/StreamEvents", SEARCH_TABLE, write_everything },
    { "Q8", STATISTICS_GRPC, STATISTICS_TABLE, write_top_signatures },
    { "Q9", STATISTICS_GRPC, STATISTICS_TABLE, write_two_groups },
    { "Q10d", STATISTICS_GRPC, STATISTICS_TABLE, write_days },
    { "Q10h", STATISTICS_GRPC, STATISTICS_TABLE, write_hours },
    { "S1", SAMPLEDB_GRPC, SAMPLEDB_TABLE, write_campaign },
    { "S2", SAMPLEDB_GRPC, SAMPLEDB_TABLE, write_rare },
    { "S3", SAMPLEDB_GRPC, SAMPLEDB_TABLE, write_digits },
    { "S4", SAMPLEDB_GRPC, SAMPLEDB_TABLE, write_letter },
    { "S5",
      "/vigil.sampledb.v2.SubmissionService/GetSubmissionStatistics",
      &vg_table_vigil_sampledb_v2_submission_statistics_request,
      write_groups },
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_query: %s: %s\n", what, why);
    exit(1);
}

static struct vg_bytes pack(const struct bench *bench, const char *json, struct vg_arena *arena)
{
    ProtobufCMessage *message;
    struct vg_error error;
    vg_error_init(&error, NULL);
    if (vg_json_read(
            bench->question->table,
            vg_bytes_text(json),
            &vg_json_documented,
            arena,
            &message,
            &error) != VG_OK) {
        fail(json, error.message);
    }
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size + 1);
    VG_ASSERT(bytes != NULL);
    return vg_bytes(bytes, protobuf_c_message_pack(message, bytes));
}

static void prepare(struct bench *bench)
{
    bench->requests = calloc(bench->count, sizeof(*bench->requests));
    VG_ASSERT(bench->requests != NULL);
    for (uint64_t i = 0; i < bench->count; i++) {
        struct vg_arena arena;
        vg_arena_init(&arena, 1u << 20);
        char *json = bench->question->write(bench, i, &arena);
        if (bench->print) {
            (void)printf("%s\n", json);
        } else {
            bench->requests[i] = pack(bench, json, &arena);
        }
        vg_arena_dispose(&arena);
    }
}

static struct vg_grpc_client *connect(const struct bench *bench)
{
    char address[32];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)bench->port);
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct vg_grpc_client *client = NULL;
    if (vg_grpc_client_open(address, bench->key, &client, &error) != VG_OK) {
        fail(address, error.message);
    }
    return client;
}

/* Rows of a stream are counted. */
struct stream {
    struct vg_grpc_client_call call;
    uint64_t rows;
    size_t bytes;
};

static bool count_row(struct vg_grpc_client_call *call, struct vg_bytes message)
{
    struct stream *stream = VG_CONTAINER_OF(call, struct stream, call);
    stream->rows++;
    stream->bytes += message.size;
    return true;
}

/* Ask once; returns the time it took, and the size of the answer. */
static uint64_t ask(
    const struct bench *bench,
    struct vg_grpc_client *client,
    uint64_t i,
    size_t *out_size)
{
    bool streams = bench->question->write == write_everything;
    struct stream stream = {
        .call = { .path = bench->question->grpc,
                  .kept_request = bench->requests[i % bench->count],
                  .row = streams ? count_row : NULL },
    };
    uint64_t before = vg_clock_monotonic_ns(&vg_clock_real);
    vg_grpc_client_start(client, &stream.call);
    vg_grpc_client_wait(client, &stream.call);
    uint64_t took = vg_clock_monotonic_ns(&vg_clock_real) - before;
    if (stream.call.code != VG_GRPC_OK) {
        fail(bench->question->name, stream.call.message);
    }
    if (streams && stream.rows != bench->events) {
        fail(bench->question->name, "not all events came");
    }
    *out_size = streams ? stream.bytes : stream.call.answer.size;
    vg_grpc_client_call_dispose(&stream.call);
    return took;
}

static int compare_ns(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void run_alone(const struct bench *bench)
{
    struct vg_grpc_client *client = connect(bench);
    uint64_t total = bench->count * bench->rounds;
    uint64_t *took = calloc(total, sizeof(*took));
    VG_ASSERT(took != NULL);
    size_t size = 0;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < bench->count; i++) {
        (void)ask(bench, client, i, &size);
        bytes += size;
    }
    for (uint64_t i = 0; i < total; i++) {
        took[i] = ask(bench, client, i, &size);
    }
    qsort(took, total, sizeof(*took), compare_ns);
    (void)printf(
        "{\"question\": \"%s\", \"calls\": %" PRIu64 ", \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
        "\"max_ms\": %.3f, \"answer_bytes\": %" PRIu64 "}\n",
        bench->question->name,
        total + bench->count,
        (double)took[total / 2] / 1e6,
        (double)took[total * 99 / 100] / 1e6,
        (double)took[total - 1] / 1e6,
        bytes / bench->count);
    free(took);
    vg_grpc_client_close(client);
}

struct asker {
    const struct bench *bench;
    unsigned number;
    uint64_t until_ns;
    uint64_t calls;
    pthread_t thread;
};

static void *run_asker(void *owner)
{
    struct asker *asker = owner;
    struct vg_grpc_client *client = connect(asker->bench);
    size_t size;
    for (uint64_t i = asker->number; vg_clock_monotonic_ns(&vg_clock_real) < asker->until_ns; i++) {
        (void)ask(asker->bench, client, i * 7, &size);
        asker->calls++;
    }
    vg_grpc_client_close(client);
    return NULL;
}

static void run_together(const struct bench *bench)
{
    struct asker *askers = calloc(bench->clients, sizeof(*askers));
    VG_ASSERT(askers != NULL);
    uint64_t before = vg_clock_monotonic_ns(&vg_clock_real);
    for (unsigned i = 0; i < bench->clients; i++) {
        askers[i] = (struct asker){ .bench = bench,
                                    .number = i,
                                    .until_ns = before + bench->seconds * 1000000000u };
        VG_ASSERT(pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]) == 0);
    }
    uint64_t calls = 0;
    for (unsigned i = 0; i < bench->clients; i++) {
        (void)pthread_join(askers[i].thread, NULL);
        calls += askers[i].calls;
    }
    double seconds = (double)(vg_clock_monotonic_ns(&vg_clock_real) - before) / 1e9;
    (void)printf(
        "{\"question\": \"%s\", \"clients\": %u, \"calls\": %" PRIu64 ", \"rate\": %.1f}\n",
        bench->question->name,
        bench->clients,
        calls,
        (double)calls / seconds);
    free(askers);
}

static bool read_question(struct bench *bench, const char *name)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(questions); i++) {
        if (strcmp(questions[i].name, name) == 0) {
            bench->question = &questions[i];
            return true;
        }
    }
    return false;
}

static bool read_option(struct bench *bench, const char *name, const char *value)
{
    int64_t number = 0;
    if (strcmp(name, "--key") == 0) {
        bench->key = value;
        return true;
    }
    if (strcmp(name, "--question") == 0) {
        return read_question(bench, value);
    }
    const struct {
        const char *name;
        void *member;
        size_t size;
    } options[] = {
        { "--port", &bench->port, sizeof(bench->port) },
        { "--count", &bench->count, sizeof(bench->count) },
        { "--rounds", &bench->rounds, sizeof(bench->rounds) },
        { "--clients", &bench->clients, sizeof(bench->clients) },
        { "--seconds", &bench->seconds, sizeof(bench->seconds) },
        { "--events", &bench->events, sizeof(bench->events) },
        { "--month", &bench->world.month, sizeof(bench->world.month) },
        { "--now", &bench->world.end, sizeof(bench->world.end) },
        { "--customer", &bench->world.customer, sizeof(bench->world.customer) },
        { "--customers", &bench->world.customer_count, sizeof(bench->world.customer_count) },
        { "--updated-from", &bench->updated_from, sizeof(bench->updated_from) },
        { "--updated-to", &bench->updated_to, sizeof(bench->updated_to) },
        { "--window-from", &bench->window_from, sizeof(bench->window_from) },
    };
    if (!vg_text_number_parse_int64(vg_bytes_text(value), &number) || number < 0) {
        return false;
    }
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
    struct bench bench = {
        .count = 50,
        .rounds = 10,
        .clients = 1,
        .seconds = 5,
        .events = 1000000,
        .world = { .end = vg_clock_now(&vg_clock_real) / VG_BENCH_DAY_MS * VG_BENCH_DAY_MS,
                   .month = 1000000,
                   .customer = 1001,
                   .customer_count = 50 },
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--print") == 0) {
            bench.print = true;
        } else if (i + 1 == argc || !read_option(&bench, argv[i], argv[i + 1])) {
            (void)fprintf(stderr, "bench_query: bad option %s\n", argv[i]);
            return 2;
        } else {
            i++;
        }
    }
    VG_ASSERT(bench.question != NULL);
    vg_bench_events_prepare();
    prepare(&bench);
    if (!bench.print) {
        (bench.clients > 1 ? run_together : run_alone)(&bench);
    }
    for (uint64_t i = 0; i < bench.count; i++) {
        free((void *)(uintptr_t)bench.requests[i].data);
    }
    free(bench.requests);
    return 0;
}
